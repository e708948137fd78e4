# SPDX-License-Identifier: BSD-2-Clause
"""The boards, as data: where things lie, and which ways their previous stages take lifeboat. The first way is the default.

Addresses keep clear of what the earlier stages rewrite on a reset; platform/NAME has that, and its README the sources.
"""

from dataclasses import dataclass
from typing import Protocol

from lifeboatlib import target
from lifeboatlib.media import MIB, Partition
from lifeboatlib.recipes import (
    Booti, FwPayload, Job, Memory, Pflash, RawFiles, SophgoFip, Sources, SplDisk, SplFitOnly, SplFlash, Toc1,
    UbootPartition,
)  # fmt: skip

GUID_SIFIVE_SPL = "5B193300-FC78-40CD-8002-E86C45580B47"
GUID_SIFIVE_FIT = "2E54B353-1271-4842-806F-E436D6AF6985"
GUID_STARFIVE_SPL = GUID_SIFIVE_FIT  # the same GUID, another meaning
GUID_STARFIVE_FIT = "BC13C2FF-59E6-4262-A352-B275FD6F7172"
LOW = 0x80000000


class Way(Protocol):
    """How a board takes lifeboat (recipes.py)."""

    summary: str
    writable: bool  # the image is a whole disk, so it may be written to a card

    def make(self, job: Job) -> list[str]:
        """Writes job.out; the steps for the person at the board."""


@dataclass(frozen=True)
class Board:
    """One board."""

    title: str
    memory: Memory
    ways: dict[str, Way]
    sources: Sources = Sources()


def _sifive(name: str, title: str, switches: str) -> Board:
    """FU540 and FU740: U-Boot's SPL, found by GUID; the FIT, found by offset."""
    spl = "u-boot-spl.bin"
    return Board(
        title,
        Memory(LOW, LOW + 2 * MIB, LOW + 256 * MIB, LOW + 128 * MIB),
        {
            "sd": SplDisk(
                spl,
                Partition("spl", 34, GUID_SIFIVE_SPL, 2048),
                Partition("lifeboat", 2082, GUID_SIFIVE_FIT, 8192),
                f"Set the boot switches to SD: {switches}",
            ),
            "nor": SplFlash(
                spl, 32 * MIB, 0x5000, 0x105000,
                "The ROM wants a GPT in front: on a flash without one write only from 0x5000 on, behind the old one.",
            ),
            "booti": Booti(),
        },
        Sources(target.UBOOT_SIFIVE, name),
    )  # fmt: skip


HSS_CONFIG = """set-name: 'lifeboat'
hart-entry-points: {u54_1: '0x80200000', u54_2: '0x80200000', u54_3: '0x80200000', u54_4: '0x80200000'}
payloads:
  lifeboat.bin:
    exec-addr: '0x80200000'
    owner-hart: u54_1
    secondary-hart: u54_2
    secondary-hart: u54_3
    secondary-hart: u54_4
    priv-mode: prv_s
    ancilliary-data: board.dtb
    allow-reboot: warm
"""

ZSBL_CONFIG = """[sophgo-config]

[firmware]
name = fw_dynamic.bin
addr = 0x0

[kernel]
name = lifeboat.bin
addr = 0x2000000

[devicetree]
name = sg2042-milkv-pioneer.dtb
addr = 0x20000000

[eof]
"""

BOARDS: dict[str, Board] = {
    "qemu-virt": Board(
        "QEMU's virt machine",
        Memory(LOW, LOW + 2 * MIB, 0),
        {"flash": Pflash(), "payload": FwPayload(), "booti": Booti()},
    ),
    "sifive-unleashed": _sifive("sifive_unleashed", "SiFive HiFive Unleashed", "MSEL 1011"),
    "sifive-unmatched": _sifive("sifive_unmatched", "SiFive HiFive Unmatched", "MSEL 1011"),
    "microchip-icicle": Board(
        "Microchip PolarFire SoC Icicle",
        Memory(LOW, LOW + 2 * MIB, 0),
        {
            "hss": RawFiles(
                "lifeboat.bin",
                (
                    "Get hss-payload-generator from Microchip's Hart Software Services.",
                    "In {out}: hss-payload-generator -c hss.yaml payload.bin",
                    "Write payload.bin to a GPT partition of type 21686148-6449-6E6F-744E-656564454649 on eMMC or SD.",
                    "The console of HSS is the board's first UART, lifeboat's the second.",
                ),
                {"hss.yaml": HSS_CONFIG},
                dtb="board.dtb",
            ),
            "payload": FwPayload(),
            "booti": Booti(),
        },
        Sources(dtb="microchip/mpfs-icicle-kit.dtb"),
    ),
    "starfive-visionfive2": Board(
        "StarFive VisionFive 2",
        Memory(0x40000000, 0x40200000, 0x50000000, 0x48000000),
        {
            "sd": SplDisk(
                "u-boot-spl.bin.normal.out",
                Partition("spl", 4096, GUID_STARFIVE_SPL, 4096),
                Partition("lifeboat", 8192, GUID_STARFIVE_FIT, 8192),
                "Set the boot switches RGPIO 1:0 to 01 (SD).",
            ),
            "nor": SplFlash(
                "u-boot-spl.bin.normal.out", 16 * MIB, 0, 0x100000, "Boot switches RGPIO 1:0 at 00 (QSPI)."
            ),
            "vendor": FwPayload(fit=True),
            "booti": Booti(),
        },
        Sources(target.UBOOT_STARFIVE, "starfive_visionfive2"),
    ),
    "sipeed-licheepi4a": Board(
        "Sipeed LicheePi 4A",
        Memory(0, 0x200000, 0x14000000),
        {
            "vendor": RawFiles(
                "Image",
                (
                    "On the board's boot partition keep the old Image, and copy {out}/Image in its place.",
                    "The vendor's U-Boot loads it to 0x200000 and its FDT to a fixed address: with a bundle, "
                    "look with printenv that Image ends below dtb_addr; else raise that.",
                ),
            ),
            "spl": SplFitOnly(
                Memory(0x80000000, 0x1C00000, 0x14000000, 0x1F00000),
                (
                    "Build mainline U-Boot (2025.07 or later) for the board: its u-boot-with-spl.bin is SPL, the DRAM's "
                    "firmware and such a FIT, loaded by fastboot into SRAM.",
                    "Put {out} in the place of that FIT. All of it has to fit the SRAM: lifeboat does, a bundle hardly.",
                ),
            ),
            "booti": Booti(),
        },
        Sources(dtb="thead/th1520-lichee-pi-4a.dtb"),
    ),
    "bananapi-f3": Board(
        "Banana Pi BPI-F3",
        Memory(0, 0x200000, 0x10000000, 0x1000000),
        {
            "uboot": UbootPartition(
                "conf_1",
                (
                    "Get the board's own FSBL and OpenSBI: any vendor image has them, in the partitions fsbl and opensbi.",
                    "Look where its partition uboot begins and how long it is (sfdisk -l), and make it longer if need be.",
                    "dd if={out} of=/dev/disk/by-partlabel/uboot conv=fsync",
                ),
            ),
            "booti": Booti(),
        },
        Sources(dtb="spacemit/k1-bananapi-f3.dtb", newer=True),
    ),
    "allwinner-d1": Board(
        "Allwinner D1 (Nezha)",
        Memory(0x40000000, 0x4A000000, 0),
        {"toc1": Toc1(32800, 0x44000000), "booti": Booti()},
        Sources(dtb="allwinner/sun20i-d1-nezha.dtb"),
    ),
    "milkv-duo": Board(
        "Milk-V Duo",
        Memory(LOW, LOW + 2 * MIB, 0),
        {"fip": SophgoFip(), "booti": Booti()},
        Sources(dtb="sophgo/cv1800b-milkv-duo.dtb"),
    ),
    "milkv-pioneer": Board(
        "Milk-V Pioneer",
        Memory(0, 0x2000000, 0),
        {
            "zsbl": RawFiles(
                "lifeboat.bin",
                (
                    "Copy all of {out} to the first FAT partition of the card (mcopy, or as root: mount), in riscv64/ "
                    "if your ZSBL looks there.",
                    "The ZSBL itself, zsbl.bin and fip.bin, is in the vendor's image.",
                ),
                {"conf.ini": ZSBL_CONFIG},
                with_opensbi=True,
                dtb="sg2042-milkv-pioneer.dtb",
            ),
            "booti": Booti(),
        },
        Sources(dtb="sophgo/sg2042-milkv-pioneer.dtb"),
    ),
    "generic": Board(
        "any board with U-Boot, or with OpenSBI's generic firmware",
        Memory(LOW, LOW + 2 * MIB, 0),
        {"booti": Booti(), "payload": FwPayload()},
    ),
}
