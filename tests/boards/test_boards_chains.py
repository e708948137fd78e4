# SPDX-License-Identifier: BSD-2-Clause
"""The boards' own chains, with the images that tools/lifeboat image makes, from the first stage to the payload."""

from collections.abc import Callable
from pathlib import Path

import pytest
from board_machines import unleashed
from harness import find, passed, run_to_end, stage_ran

from lifeboatlib import bundle, command
from lifeboatlib.boards import BOARDS
from lifeboatlib.qemu import PROGRAM, Machine, Session
from lifeboatlib.recipes import Pflash

FIRST = 0x80200000
LINUX_PATIENCE = 1000
# QEMU has SPI-mode SD cards for sifive_u again from this release on; before it, CMD10 is refused and SPL gives up.
QEMU_WITH_SD = (10, 1)


@pytest.fixture
def contract_bundle(
    contract: Callable[..., object], make_bundle: Callable[..., Path], ramdisk: Path
) -> Callable[..., Path]:
    """contract_bundle(**wants): the contract payload and its ramdisk."""

    def make(**wants: int) -> Path:
        return make_bundle(bundle.linux(contract("", ramdisk, **wants).bin), initrd=ramdisk)

    return make


@pytest.fixture
def linux_bundle(make_bundle: Callable[..., Path], kernel: Path, demo_initramfs: Path) -> Callable[..., Path]:
    """linux_bundle(append, initrd=True): Debian's kernel."""

    def make(append: str, initrd: bool = True) -> Path:
        return make_bundle(bundle.linux(kernel), initrd=demo_initramfs if initrd else None, append=append)

    return make


def flash_machine(image: Path) -> Machine:
    """QEMU virt with nothing but OpenSBI and the flash banks."""
    return Machine(smp=2, extra=tuple(Pflash().drives(image)))


@pytest.mark.slow
@pytest.mark.boards("chain virt OpenSBI, flash", "contract")
def test_virt_from_flash(make_image: Callable[..., Path], contract_bundle: Callable[..., Path]) -> None:
    """The stage is executed in flash, goes to RAM, and finds the bundle in flash."""
    console = run_to_end(flash_machine(make_image("qemu-virt", bundle=contract_bundle(harts=2))))
    stage_ran(console, sv=57, at=FIRST)
    find(r"^lifeboat: bundle: primary at 0x22000000 \(flash\)", console)
    passed(console)


@pytest.mark.long
@pytest.mark.boards("chain virt OpenSBI, flash", "Linux")
def test_virt_from_flash_linux(make_image: Callable[..., Path], linux_bundle: Callable[..., Path]) -> None:
    made = make_image("qemu-virt", bundle=linux_bundle("console=ttyS0 quiet"))
    with Session(flash_machine(made)) as session:
        session.expect("lifeboat demo: userspace reached", LINUX_PATIENCE)


@pytest.mark.slow
@pytest.mark.parametrize("with_fdt_room", [False, True], ids=["small", "beyond-the-usual-FDT"])
@pytest.mark.boards("chain virt fw_payload", "contract")
def test_virt_fw_payload(
    with_fdt_room: bool,
    make_image: Callable[..., Path],
    contract: Callable[..., object],
    make_bundle: Callable[..., Path],
    ramdisk: Path,
    tmp_path: Path,
) -> None:
    """OpenSBI of the pinned source; a bundle that reaches over where it would put the FDT is not damaged."""
    filler = tmp_path / "filler"
    filler.write_bytes(b"\xa5" * (40 << 20 if with_fdt_room else 1))
    made = bundle.simple(bundle.linux(contract("", ramdisk).bin), ramdisk)  # type: ignore[attr-defined]
    extra = bundle.Image("filler", filler, "firmware", "u-boot")
    whole = bundle.Bundle([extra, *made.images], made.configurations)
    firmware = make_image("qemu-virt", "payload", bundle=make_bundle(whole))
    console = run_to_end(Machine(bios=firmware))
    find(r"^lifeboat: boot: .* OpenSBI 1\.6 ", console)
    find(r"^lifeboat: bundle: primary at 0x[0-9a-f]+ \(behind the stage\)", console)
    stage_ran(console, at=FIRST)
    passed(console)


def card(image: Path) -> tuple[str, ...]:
    """A disk for virt."""
    return ("-drive", f"file={image},if=none,format=raw,id=card", "-device", "virtio-blk-device,drive=card")


@pytest.mark.slow
@pytest.mark.boards("chain virt OpenSBI, U-Boot, extlinux", "contract")
def test_uboot_boots_the_card(
    make_image: Callable[..., Path], contract_bundle: Callable[..., Path], uboot: Path
) -> None:
    """Nobody types anything; booti moves the stage, and the bundle with it."""
    made = make_image("generic", bundle=contract_bundle(harts=2))
    console = run_to_end(Machine(kernel=uboot, smp=2, extra=card(made)))
    find(r"^Moving Image from 0x84000000 to 0x80200000", console)
    stage_ran(console, at=FIRST)
    passed(console)


@pytest.mark.long
@pytest.mark.boards("chain virt OpenSBI, U-Boot, extlinux", "Linux")
def test_uboot_boots_the_card_linux(
    make_image: Callable[..., Path], linux_bundle: Callable[..., Path], uboot: Path
) -> None:
    made = make_image("generic", bundle=linux_bundle("console=ttyS0 quiet"))
    with Session(Machine(kernel=uboot, extra=card(made))) as session:
        session.expect("lifeboat demo: userspace reached", LINUX_PATIENCE)


def expect_contract(machine: Machine) -> str:
    """The console up to the verdict, of a board that can't switch off."""
    with Session(machine) as session:
        session.expect(r"^contract: .*\n")
        console = session.text
    passed(console)
    return console


@pytest.mark.slow
@pytest.mark.boards("chain sifive_u SPI-NOR, SPL, OpenSBI", "contract")
def test_sifive_u_from_spi_nor(make_image: Callable[..., Path], contract_bundle: Callable[..., Path]) -> None:
    made = make_image("sifive-unleashed", "nor", bundle=contract_bundle(harts=4, memory=8 << 30))
    console = expect_contract(unleashed(f"file={made},if=mtd,format=raw", msel=6))
    find(r"^U-Boot SPL ", console)
    find(r"^lifeboat: bundle: primary at 0x90000000 \(/chosen lifeboat,bundle\)", console)
    stage_ran(console, sv=39, at=FIRST)


@pytest.mark.long
@pytest.mark.boards("chain sifive_u SPI-NOR, SPL, OpenSBI", "Linux")
def test_sifive_u_from_spi_nor_linux(
    make_image: Callable[..., Path], linux_bundle: Callable[..., Path]
) -> None:
    """As far as 32 MiB of flash go: Debian's kernel fits without an initramfs, and says so itself."""
    made = make_image("sifive-unleashed", "nor", bundle=linux_bundle("console=ttySIF0 earlycon=sbi", initrd=False))
    with Session(unleashed(f"file={made},if=mtd,format=raw", msel=6)) as session:
        session.expect("Machine model: SiFive HiFive Unleashed A00", LINUX_PATIENCE)
        session.expect("smp: Brought up 1 node, 4 CPUs", LINUX_PATIENCE)
        session.expect("VFS: Unable to mount root fs", LINUX_PATIENCE)


def qemu_version() -> tuple[int, ...]:
    """Of the QEMU that is used."""
    words = command.output([PROGRAM, "--version"]).split("version ")[1].split()[0]
    return tuple(int(part) for part in words.split(".")[:2])


@pytest.mark.slow
@pytest.mark.boards("chain sifive_u SD, SPL, OpenSBI", "contract")
def test_sifive_u_from_sd(make_image: Callable[..., Path], contract_bundle: Callable[..., Path]) -> None:
    if qemu_version() < QEMU_WITH_SD:
        pytest.skip("QEMU before 10.1 has no working SPI-mode SD card")
    made = make_image("sifive-unleashed", "sd", bundle=contract_bundle(harts=4))
    image = made.with_suffix(".card")  # QEMU wants a power of two
    image.write_bytes(made.read_bytes().ljust(64 << 20, b"\0"))
    expect_contract(unleashed(f"file={image},if=sd,format=raw", msel=11))


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_has_a_default_way(board: str) -> None:
    assert BOARDS[board].ways, f"{board} has no way at all"
