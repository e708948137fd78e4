# SPDX-License-Identifier: BSD-2-Clause
"""Every platform's test FDTs: where each comes from, and what firmware does to it before we see it.

Those of which the plan is reviewed are our own, dts/*.dts: the facts of a board and no more. What Linux' packages and
QEMU have for the board today is planned, too (test_published.py). No blob is in this repository.

What Linux' files leave to firmware is done here as that firmware does it, by name: RAM, OpenSBI's reservations, harts
without an MMU.
"""

from dataclasses import dataclass

MIB = 1 << 20
GIB = 1 << 30

STABLE = "stable"  # Debian stable's kernel package
NEWER = "newer"  # a newer kernel's
QEMU = "qemu"  # what make_dtbs.py has taken behind QEMU's OpenSBI: nothing is left to do


@dataclass(frozen=True)
class Fdt:
    """One machine's FDT as the stage gets it."""

    name: str  # of the file in dts/
    why: str  # where the fixups are from, for the golden summary
    address: int  # a1
    bundle: int  # where an earlier stage puts the bundle
    published: tuple[tuple[str, str], ...] = ()  # who has one of the board, and under what name
    kernel: int = 32  # MiB
    ram: tuple[tuple[int, int], ...] = ()  # what firmware writes to memory nodes; empty: they are right
    load: int = 0  # where the stage is, if not where the platform's notes say
    opensbi: tuple[int, ...] = ()  # base of its memory: 256 KiB of text, 128 KiB of data behind it


SPL_RAM = "U-Boot's SPL writes the size of RAM; OpenSBI reserves its memory"

FDTS: dict[str, tuple[Fdt, ...]] = {
    "generic": (
        Fdt(
            "spike", "QEMU's spike behind OpenSBI, 1 GiB", 0xBFE00000, 0xA0200000,
            ((QEMU, "opensbi-spike-2"),), opensbi=(0x8000_0000,),
        ),
        Fdt(
            "eic7700-hifive-premier-p550", "a board without a platform: 16 GiB by its firmware", 0x82200000, 0xA0000000,
            ((NEWER, "eswin/eic7700-hifive-premier-p550"),),
            ram=((0x8000_0000, 16 * GIB),), opensbi=(0x8000_0000,),
        ),
        Fdt(
            "k3-pico-itx", "a board without a platform and without RAM below 4 GiB: 16 GiB by its firmware",
            0x1_0220_0000, 0x1_2000_0000, ((NEWER, "spacemit/k3-pico-itx"),),
            ram=((0x1_0000_0000, 16 * GIB),), load=0x1_0020_0000, opensbi=(0x1_0000_0000,),
        ),
    ),
    "qemu-virt": (
        Fdt(
            "virt", "QEMU's virt behind OpenSBI, 1 GiB", 0xBFE00000, 0xA0200000,
            ((QEMU, "opensbi-virt-4"),), opensbi=(0x8000_0000,),
        ),
    ),
    "sifive-unleashed": (
        Fdt(
            "sifive_u", "QEMU's sifive_u behind OpenSBI, 1 GiB", 0xBFE00000, 0x90000000,
            ((QEMU, "opensbi-sifive_u"),), opensbi=(0x8000_0000,),
        ),
        Fdt(
            "hifive-unleashed-a00", f"{SPL_RAM}: 8 GiB", 0x80280000, 0x90000000,
            ((STABLE, "sifive/hifive-unleashed-a00"),), opensbi=(0x8000_0000,),
        ),
    ),
    "sifive-unmatched": (
        Fdt(
            "hifive-unmatched-a00", f"{SPL_RAM}: 16 GiB", 0x80280000, 0x90000000,
            ((STABLE, "sifive/hifive-unmatched-a00"),), opensbi=(0x8000_0000,),
        ),
    ),
    "microchip-icicle": (
        Fdt(
            "mpfs-icicle-kit", "HSS: OpenSBI is in it, not in RAM", 0x82200000, 0x90000000,
            ((STABLE, "microchip/mpfs-icicle-kit"), (NEWER, "microchip/mpfs-icicle-kit")),
        ),
    ),
    "starfive-visionfive2": (
        Fdt(
            "jh7110-starfive-visionfive-2-v1.3b", f"{SPL_RAM}: 4 GiB", 0x40400000, 0x60000000,
            ((STABLE, "starfive/jh7110-starfive-visionfive-2-v1.3b"),),
            ram=((0x4000_0000, 4 * GIB),), opensbi=(0x4000_0000,),
        ),
        Fdt(
            "jh7110-milkv-mars", f"{SPL_RAM}: 8 GiB", 0x40400000, 0x60000000,
            ((STABLE, "starfive/jh7110-milkv-mars"),), ram=((0x4000_0000, 8 * GIB),), opensbi=(0x4000_0000,),
        ),
    ),
    "sipeed-licheepi4a": (
        Fdt(
            "th1520-lichee-pi-4a", "the vendor's chain; its old OpenSBI reserves nothing", 0x1F00000, 0x30000000,
            ((STABLE, "thead/th1520-lichee-pi-4a"),),
        ),
        Fdt(
            "th1520-lichee-pi-4a", "mainline's chain; 16 GiB", 0x1C80000, 0x30000000,
            ((STABLE, "thead/th1520-lichee-pi-4a"),),
            ram=((0, 16 * GIB),), load=0x1C00000, opensbi=(0x8000_0000,),
        ),
    ),
    "bananapi-f3": (
        Fdt(
            "k1-bananapi-f3", f"{SPL_RAM}: 4 GiB in two banks", 0x280000, 0x30000000,
            ((NEWER, "spacemit/k1-bananapi-f3"),),
            ram=((0, 2 * GIB), (0x1_0000_0000, 2 * GIB)), opensbi=(0,),
        ),
    ),
    "allwinner-d1": (
        Fdt(
            "sun20i-d1-nezha", f"{SPL_RAM}: 1 GiB", 0x44000000, 0x50000000,
            ((STABLE, "allwinner/sun20i-d1-nezha"),), ram=((0x4000_0000, GIB),), opensbi=(0x4000_0000,),
        ),
    ),
    "milkv-duo": (
        Fdt(
            "cv1800b-milkv-duo", "64 MiB: room for no crash kernel", 0x80080000, 0x81000000,
            ((STABLE, "sophgo/cv1800b-milkv-duo"),), kernel=8, opensbi=(0x8000_0000,),
        ),
        Fdt(
            "sg2002-licheerv-nano-b", "256 MiB: a quarter is no crash region", 0x80080000, 0x83000000,
            ((NEWER, "sophgo/sg2002-licheerv-nano-b"),), opensbi=(0x8000_0000,),
        ),
        Fdt(
            "cv1800b-milkv-duo", "a Duo S: 512 MiB written by its firmware", 0x80080000, 0x88000000,
            ((STABLE, "sophgo/cv1800b-milkv-duo"),), ram=((0x8000_0000, 512 * MIB),), opensbi=(0x8000_0000,),
        ),
    ),
    "milkv-pioneer": (
        Fdt(
            "sg2042-milkv-pioneer", "ZSBL writes RAM as it is fitted: 4 times 32 GiB", 0x20000000, 0x30000000,
            ((STABLE, "sophgo/sg2042-milkv-pioneer"),), ram=((0, 128 * GIB),), opensbi=(0,),
        ),
    ),
}  # fmt: skip
