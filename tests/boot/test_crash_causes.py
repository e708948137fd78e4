# SPDX-License-Identifier: BSD-2-Clause
"""What is a crash and what is not, by the dead kernel's own log; each in one run with the next."""

from pathlib import Path

import pytest
from crash_lab import ENDED, TIMEOUT, Lab, crash_bundle, machine
from lifeboatlib.qemu import Session

pytestmark = pytest.mark.slow

EAT = "x=a; while :; do x=$x$x; done"
# What the primary is ordered to do, and how its log ends then.
CAUSES = {
    "panic": ("echo c > /proc/sysrq-trigger", "panic"),
    "sysrq-b": ("echo b > /proc/sysrq-trigger", "forced"),
    "out of memory": (f"echo 1 > /proc/sys/vm/panic_on_oom; {EAT}", "panic"),
}
ORDERLY = {
    "reboot -f": ("reboot -f", "restart"),
    "reboot": ("kill -TERM -1; sync; reboot -f", "restart"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle."""
    return crash_bundle(tmp_path_factory.mktemp("crash"))


@pytest.mark.parametrize("cause", CAUSES)
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


def test_power_off_ends_the_machine(made: Path, stage: Path, tmp_path: Path) -> None:
    with Session(machine(stage, made, tmp_path)) as session:
        Lab(session).order("poweroff -f")
        assert session.wait(TIMEOUT) == 0


def test_a_hang_is_captured(made: Path, stage: Path, tmp_path: Path) -> None:
    """The log says nothing of an end; a watchdog resets the machine."""
    with Session(machine(stage, made, tmp_path, smp=4)) as session:
        lab = Lab(session)
        lab.order("echo now-hanging; while :; do :; done")
        lab.expect("^now-hanging")
        session.qmp("system_reset")
        assert lab.expect(ENDED)[1] == "cut"
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
        session.wait(TIMEOUT)


@pytest.mark.long
def test_ten_cycles_are_each_decided_right(made: Path, stage: Path, tmp_path: Path) -> None:
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        for _ in range(10):
            lab.order("echo c > /proc/sysrq-trigger")
            assert lab.expect(ENDED)[1] == "panic"
            lab.captured()
