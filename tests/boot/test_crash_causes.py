# SPDX-License-Identifier: BSD-2-Clause
"""What is a crash and what is not, by the dead kernel's own log; each in one run with the next."""

import re
import struct
import time
from collections.abc import Callable
from pathlib import Path

import crash_bare
import pytest
from crash_lab import (
    ARMED, CAPTURED, CONSOLE, ENDED, Lab, crash_bundle, deaths, lasting_ram, machine,
)  # fmt: skip
from lifeboatlib import bundle, target
from lifeboatlib.qemu import Session

pytestmark = pytest.mark.slow

EAT = "x=a; while :; do x=$x$x; done"
# What the primary is ordered to do, and how its log ends then.
CAUSES = {
    "panic": ("echo c > /proc/sysrq-trigger", "panic"),
    "sysrq-b": ("echo b > /proc/sysrq-trigger", "forced"),
    "out of memory": (f"echo 1 > /proc/sys/vm/panic_on_oom; {EAT}", "panic"),
    "stack overflow": ("insmod /lib/overflow.ko", "panic"),
}
OFTEN = ("stack overflow",)  # the others in the long run only; a plain panic is the demo's
ORDERLY = {
    "reboot -f": ("reboot -f", "restart"),
    "reboot": ("kill -TERM -1; sync; reboot -f", "restart"),
}
NO_LOG = "crash: no log of the last kernel can be read: lifeboat,unknown-end says"
# Linux parses this before all else and then has no memory for its page tables; there is no console yet.
NO_MEMORY = "console=ttyS0 mem=34M"
HANDOFF = "lifeboat: handoff: .*\n"
JUMP_TO_SELF = "0xa001"  # c.j .
LOADER_AT = 0x81000000
MANY = 300  # lines: what once was looked through, and more
LIVES = 5  # seconds for a kernel that will say nothing; if it is not dead by then, the test holds all the same


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle."""
    return crash_bundle(tmp_path_factory.mktemp("crash"), files=deaths())


@pytest.mark.parametrize(
    "cause", [pytest.param(cause, marks=() if cause in OFTEN else pytest.mark.long) for cause in CAUSES]
)
def test_a_crash_is_captured_and_an_orderly_end_is_not(
    cause: str, made: Path, stage: Path, tmp_path: Path
) -> None:
    """A crash, then a reboot, then the same crash: the second dump must not be the first's."""
    order, ending = CAUSES[cause]
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        lab.order(order)
        assert lab.expect(ENDED)[1] == ending
        lab.captured()
        lab.order("reboot -f")
        assert lab.expect(ENDED)[1] == "restart"
        lab.not_captured()
        lab.order(order)
        assert lab.expect(ENDED)[1] == ending
        lab.captured()


@pytest.mark.parametrize("way", ORDERLY)
def test_an_orderly_end_is_no_crash(way: str, made: Path, stage: Path, tmp_path: Path) -> None:
    order, ending = ORDERLY[way]
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        lab.order(order)
        assert lab.expect(ENDED)[1] == ending
        lab.not_captured()


def test_power_off_and_on_is_no_crash(made: Path, stage: Path, tmp_path: Path) -> None:
    """Whether RAM keeps its contents, as here at first, or not."""
    ram = tmp_path / "ram"
    with Session(machine(stage, made, tmp_path, **lasting_ram(ram, 1024))) as session:
        Lab(session).order("poweroff -f")
        assert session.wait() == 0
    with Session(machine(stage, made, tmp_path, **lasting_ram(ram, 1024))) as session:
        lab = Lab(session)
        assert lab.expect(ENDED)[1] == "power-off"
        lab.not_captured()
        lab.order("poweroff -f")
        assert session.wait() == 0
    ram.unlink()
    with Session(machine(stage, made, tmp_path, **lasting_ram(ram, 1024))) as session:
        lab = Lab(session)
        lab.expect("record empty")
        lab.not_captured()


def spins(session: Session) -> bool:
    """Whether a hart stands at a jump to itself."""
    looks = (f"x/1hx {pc:#x}" for pc in session.pcs())
    said = [session.qmp("human-monitor-command", **{"command-line": look, "cpu-index": i}) for i, look in enumerate(looks)]
    return any(re.search(rf": {JUMP_TO_SELF}\b", str(each)) for each in said)


def test_a_hang_is_captured(made: Path, stage: Path, tmp_path: Path) -> None:
    """A hart of the kernel spins with interrupts off, and says nothing of it; a watchdog resets the machine."""
    with Session(machine(stage, made, tmp_path, smp=4)) as session:
        lab = Lab(session)
        lab.order("echo now-hanging; taskset 1 insmod /lib/hang.ko; echo not-hanging")
        lab.expect("^now-hanging")
        session.until(lambda: spins(session), "a hart that jumps to itself")
        assert "\nnot-hanging" not in session.text
        session.qmp("system_reset")
        assert lab.expect(ENDED)[1] == "cut"
        lab.captured()


@pytest.mark.parametrize(
    "newer", [False, pytest.param(True, marks=pytest.mark.long)], ids=["Debian 13", "next Debian"]
)
def test_a_death_before_the_console_is_captured(newer: bool, stage: Path, tmp_path: Path) -> None:
    """Before VMCOREINFO is made, too: what is to be done about those the bundle says."""
    made = crash_bundle(tmp_path, newer=newer, append=NO_MEMORY)
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        handoff = lab.expect(HANDOFF)[0]
        time.sleep(LIVES)
        assert session.text.endswith(handoff), "the primary has said something"
        session.qmp("system_reset")
        lab.expect(f"{NO_LOG} capture")
        assert int(lab.expect(CAPTURED)[1]) > 500 << 20
        lab.expect("the crash kernel ended in good order")


def test_a_bootloader_s_own_reset_is_told_as_what_it_may_be(
    stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    """What ran left no log, and is no Linux: it may have died, or have meant it."""
    (tmp_path / "loader").write_bytes(struct.pack("<H", int(JUMP_TO_SELF, 16)))
    plain = bundle.simple(bundle.raw(tmp_path / "loader", LOADER_AT, LOADER_AT))
    payload = bundle.linux(build_payload("named", NAME='"crash kernel"').bin)  # type: ignore[attr-defined]
    made = bundle.with_crash(plain, payload=payload, crash=bundle.Crash(crash_bare.REGION, 1, "boot"))
    with Session(machine(stage, made.write(tmp_path / "b.itb"), tmp_path, memory="256M")) as session:
        session.expect(HANDOFF)
        session.until(lambda: session.pcs() == [LOADER_AT], "the bootloader")
        session.qmp("system_reset")
        session.expect("no log of a Linux can be read; a bootloader's own reset looks the same: lifeboat,unknown-end says boot")
        session.expect(ARMED)
        assert "named:" not in session.text


@pytest.mark.long
def test_the_telling_line_is_shown_however_much_comes_behind_it(stage: Path, tmp_path: Path) -> None:
    """With panic_print= a kernel says the most after its panic: here a page for each of its tasks."""
    made = crash_bundle(tmp_path, append=f"{CONSOLE} log_buf_len=4M panic_print=1")
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        lab.order('echo "before: $(dmesg | wc -l)"; echo c > /proc/sysrq-trigger')
        before = int(lab.expect(r"^before: (\d+)")[1])
        assert lab.expect(ENDED)[1] == "panic"
        words = lab.expect(r"dead: (\d+) lines of log; the last (\d+), behind those that tell of its end:")
        assert int(words[1]) - before > MANY, "this panic says too little for the test"
        lab.expect("lifeboat: dead: .* sysrq: Trigger a crash")
        telling = lab.expect("lifeboat: dead: .* Kernel panic - not syncing: sysrq triggered crash")
        lab.captured()
    shown = session.text[words.end() : session.text.index("lifeboat: ", telling.end())]
    print(f"\npanic: {int(words[1]) - before} lines behind {before}; shown: {shown}")


def test_a_kernel_without_a_console_leaves_its_words(stage: Path, tmp_path: Path) -> None:
    """What no console ever showed is read from RAM."""
    made = crash_bundle(tmp_path, append="console=null init=/nowhere rdinit=/nowhere")
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        assert lab.expect(ENDED)[1] == "panic"
        lab.expect("lifeboat: dead: .*Kernel panic - not syncing")
        lab.captured()


@pytest.mark.parametrize("order", ["reboot -f", pytest.param("echo c > /proc/sysrq-trigger", marks=pytest.mark.long)])
def test_who_came_by_kexec_is_judged_by_its_own_log(order: str, stage: Path, tmp_path: Path) -> None:
    """Linux goes away by kexec -e to another, of which nobody told lifeboat; that one's end counts."""
    files: dict[str, Path | str | bytes] = {
        **target.with_libraries(target.KEXEC_TOOLS.file("usr/sbin/kexec")),
        "kernel": target.kernel(),
        "initrd": (tmp_path / "next.cpio"),
    }
    crash_bundle(tmp_path)
    (tmp_path / "primary.cpio").rename(tmp_path / "next.cpio")
    made = crash_bundle(tmp_path, files=files)
    away = 'kexec -l /kernel --initrd=/initrd --command-line="console=ttyS0 quiet panic=1" && kexec -e'
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        lab.order(away)
        lab.order(order)
        if order == "reboot -f":
            assert lab.expect(ENDED)[1] == "restart"
            lab.not_captured()
        else:
            assert lab.expect(ENDED)[1] == "panic"
            lab.captured()


def test_a_crash_kernel_that_dies_is_given_up(stage: Path, tmp_path: Path) -> None:
    """After as many tries as the bundle says; then the machine boots normally."""
    made = crash_bundle(tmp_path, "echo c > /proc/sysrq-trigger", attempts=2)
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        lab.order("echo c > /proc/sysrq-trigger")
        lab.expect("crash: vmcore")
        lab.expect("the crash kernel died, too: another try")
        lab.expect("staging from the bundle again")
        lab.expect("crash: vmcore")
        lab.expect(r"the crash kernel died, too \(2 tries\): given up, booting normally")
        lab.not_captured()
        lab.order("poweroff -f")
        session.wait()


@pytest.mark.long
def test_ten_cycles_are_each_decided_right(made: Path, stage: Path, tmp_path: Path) -> None:
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        for _ in range(10):
            lab.order("echo c > /proc/sysrq-trigger")
            assert lab.expect(ENDED)[1] == "panic"
            lab.captured()
