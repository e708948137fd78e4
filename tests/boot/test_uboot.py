# SPDX-License-Identifier: BSD-2-Clause
"""Debian's U-Boot for S-mode: as a payload, to a prompt that answers, and as what starts the stage."""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import find, passed, stage_ran

from lifeboatlib import bundle, initramfs, target
from lifeboatlib.qemu import Machine, Session

FIRST = 0x80200000
STAGE_AT = 0x84000000
BUNDLE_AT = 0x90000000
KERNEL_AT = 0x90000000
RAMDISK_AT = 0x94000000
PROMPT = r"^=> "
UP = initramfs.PROLOGUE + 'echo "up with $(cat /proc/cmdline)"\npoweroff -f\n'


def stop_autoboot(session: Session) -> None:
    """Gets to the prompt."""
    session.expect("Hit any key to stop autoboot")
    session.send("\n")
    session.expect(PROMPT)


def ask(session: Session, command: str) -> str:
    """What a command answers."""
    before = len(session.text)
    session.send(f"{command}\n")
    session.expect(PROMPT)
    return session.text[before:]


@pytest.mark.parametrize("sv", [39, 48, 57])
def test_uboot_gets_to_its_prompt_and_knows_the_machine(
    sv: int, stage: Path, uboot: Path, make_bundle: Callable[..., Path]
) -> None:
    made = make_bundle(bundle.raw(uboot, FIRST, FIRST), append="own=1")
    machine = Machine(kernel=stage, initrd=made, append="fdt=2", sv=sv, smp=2)
    with Session(machine) as session:
        stop_autoboot(session)
        handed = find(r"handoff: to 0x80200000 with a0 = (\d+), a1 = (0x[0-9a-f]+)$", session.text)
        information = ask(session, "bdinfo")
        assert int(find(r"^boot hart += (\S+)$", information)[1], 16) == int(handed[1])
        assert int(find(r"^firmware fdt= (\S+)$", information)[1], 16) == int(handed[2], 16)
        chosen = ask(session, f"fdt addr {handed[2]}; fdt print /chosen")
        find(r'bootargs = "own=1 fdt=2";', chosen)
        stage_ran(session.text, sv=sv, at=FIRST)


@pytest.mark.long
@pytest.mark.parametrize("crash", [False, True], ids=["plain", "crash"])
def test_uboot_boots_debian_with_the_fdt_that_it_was_given(
    crash: bool,
    stage: Path,
    uboot: Path,
    build_payload: Callable[..., object],
    make_bundle: Callable[..., Path],
    tmp_path: Path,
) -> None:
    """It adds to the FDT where it lies, and Linux comes up. Beside a crash kernel, the stage lies elsewhere."""
    kernel, ramdisk = target.kernel(), initramfs.make_initramfs(tmp_path / "initramfs", UP)
    made = bundle.simple(bundle.raw(uboot, FIRST, FIRST))
    if crash:
        made = bundle.with_crash(made, ramdisk, "", payload=bundle.linux(kernel))
    files = {KERNEL_AT: kernel, RAMDISK_AT: ramdisk, STAGE_AT: stage}
    extra: tuple[str, ...] = ()
    for at, file in files.items():
        extra += ("-device", f"loader,file={file},addr={at:#x},force-raw=on")
    first = build_payload("hop", TARGET=hex(STAGE_AT)).bin
    with Session(Machine(kernel=first, initrd=make_bundle(made), smp=2, extra=extra)) as session:
        stop_autoboot(session)
        ask(session, "setenv bootargs console=ttyS0 cryptomgr.notests")
        where = f"{RAMDISK_AT:x}:{ramdisk.stat().st_size:x}"
        session.send(f"booti {KERNEL_AT:x} {where} $fdtcontroladdr\n")
        session.expect("^up with console=ttyS0 cryptomgr.notests$")
        assert ("crash: armed" in session.text) == crash


@pytest.mark.boards("chain virt OpenSBI, U-Boot, booti", "contract")
def test_uboot_starts_the_stage_as_an_image(
    stage: Path,
    uboot: Path,
    contract: Callable[..., object],
    make_bundle: Callable[..., Path],
    ramdisk: Path,
) -> None:
    made = make_bundle(bundle.linux(contract("x", ramdisk).bin), initrd=ramdisk, append="x")
    extra = ("-device", f"loader,file={stage},addr={STAGE_AT:#x},force-raw=on")
    extra += ("-device", f"loader,file={made},addr={BUNDLE_AT:#x},force-raw=on")
    with Session(Machine(kernel=uboot, smp=2, extra=extra)) as session:
        stop_autoboot(session)
        # As booti's ramdisk U-Boot would take the FIT apart itself.
        where = f"<0 {BUNDLE_AT:#x} 0 {made.stat().st_size:#x}>"
        ask(session, "fdt addr $fdtcontroladdr; fdt resize 1000")
        ask(session, f"fdt set /chosen lifeboat,bundle {where}")
        session.send(f"booti {STAGE_AT:x} - $fdtcontroladdr\n")
        session.wait()
        stage_ran(session.text)
        passed(session.text)
