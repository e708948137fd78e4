# SPDX-License-Identifier: BSD-2-Clause
"""What lies between a reset and the crash kernel: instructions by step, of Debian's kernel that has panicked."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from crash_lab import READY, crash_bundle
from harness import find
from lifeboatlib.gdbstub import Gdb, debugged
from lifeboatlib.qemu import Machine, Session
from symbols import symbols

pytestmark = pytest.mark.slow  # seconds each, under -icount

# Instructions with 1 GiB of RAM, some percent above what was measured.
RESET_BUDGET = 18_500_000  # from the reset on, but for the check: OpenSBI, 13.2 million, and the stage
CAPTURE_OWN_BUDGET = 1_700_000  # but for the search for the note, 2.3 million
# For a byte of the bundle: to sum what is staged, after the reset; and to check, copy and sum, in the boot before, by CPU.
SUM_A_BYTE = 0.6
ARMING_A_BYTE = {"": 1.9, "rv64,zbc=off,zbkc=off": 7.0}
ARMING_OWN_BUDGET = 4_900_000  # the search for old notes is 1.3 million of it
A_GIB = 1 << 18  # pages
RESET = 0x1000  # where QEMU's virt begins
ENTRY = 0x80200000  # where OpenSBI starts the stage
PER_TICK = 100  # instructions: one is a nanosecond
FIRMWARE = "OpenSBI"
SEARCH = "looking for the note, in the kernel's image"
HANDOFF = r"^lifeboat: handoff: .*\n"
PANIC = "echo c > /proc/sysrq-trigger"
OWN = r"cost: (\d+) instructions of our own, (\d+) for \d+ KiB copied, (\d+) for the console"
CHECKED = r"cost: (\d+) instructions for \d+ KiB checked"
# Each step ends where the function begins, or where it is None, with the return from the one before.
STEPS = (
    ("crash_discover", "console, FDT, memory map, bundle"),
    ("stage_move", "crash region and record"),
    ("crash_judge", "moving the stage, page tables"),
    ("vmcoreinfo_find", "counting the boot in the record"),
    (None, SEARCH),
    ("dead_last_words", "judging by the end of the log"),
    ("crash_prepare_exit", "last words: 20 on the console, all to the region"),
    ("core_header_write", "checking what is staged, counting the attempt"),
    ("crash_save_log", "core header"),
    ("trampoline_start", "log, other harts, trampoline"),
)


def measure(gdb: Gdb, symbol: dict[str, int]) -> dict[str, int]:
    """Runs through the steps, from the reset on; how many instructions each takes."""
    gdb.run_to(RESET)
    reset = gdb.register("time")
    gdb.run_to(ENTRY)
    # (OpenSBI stops the counters for a while; time passes by instructions, too.)
    found = {FIRMWARE: (gdb.register("time") - reset) * PER_TICK}
    begin = gdb.register("instret")
    for function, step in STEPS:
        gdb.run_to(symbol[function] if function else gdb.register("ra"))
        end = gdb.register("instret")
        found[step] = end - begin
        begin = end
    return found


@dataclass(frozen=True)
class Account:
    """What the stage's log says of one boot."""

    own: int
    copying: int
    console: int
    checking: int

    @classmethod
    def of(cls, console: str) -> "Account":
        """From its lines."""
        return cls(*map(int, [*find(OWN, console).groups(), find(CHECKED, console)[1]]))

    def by_the_byte(self) -> int:
        """What grows with the bundle."""
        return self.copying + self.checking

    def total(self) -> int:
        """All of it."""
        return self.own + self.console + self.by_the_byte()


@dataclass(frozen=True)
class Cost:
    """By step, and by the stage's own accounts: of the boot before, and of the capture."""

    bundle: int  # bytes
    steps: dict[str, int]
    arming: Account
    capture: Account

    def rows(self) -> dict[str, int]:
        """All of it."""
        parts = {f"the boot before: {name}": count for name, count in vars(self.arming).items()}
        return self.steps | {f"of all: {name}": count for name, count in vars(self.capture).items()} | parts


@pytest.fixture(scope="module")
def after_reset(tmp_path_factory: pytest.TempPathFactory, stage: Path, stage_elf: Path) -> Callable[[str], Cost]:
    """after_reset(memory): what it cost."""
    made = crash_bundle(tmp_path_factory.mktemp("cost"))

    @cache
    def run(memory: str) -> Cost:
        machine = Machine(
            kernel=stage, initrd=made, memory=memory, icount=True, machine="virt,memory-backend=ram",
            extra=("-object", f"memory-backend-ram,id=ram,size={memory},reserve=off"),
        )  # fmt: skip
        with debugged(machine) as (session, gdb):
            gdb.free_run()
            session.expect(READY)
            gdb.interrupt()
            session.send(f"{PANIC}\n")
            steps = measure(gdb, symbols(stage_elf))
            session.expect(HANDOFF)  # a console's lines come when they come, though the machine stands still
            first, last = re.split("(?=lifeboat: boot:)", session.text)[-2:]
        return Cost(made.stat().st_size, steps, Account.of(first), Account.of(last))

    return run


@pytest.mark.slow
def test_the_way_to_the_crash_kernel_is_within_its_instructions(after_reset: Callable[[str], Cost]) -> None:
    cost = after_reset("1G")
    for name, count in cost.rows().items():
        print(f"\n{name:50} {count:>12,}", end="")
    total = sum(cost.steps.values())
    assert total - cost.capture.checking <= RESET_BUDGET
    assert cost.capture.checking <= SUM_A_BYTE * cost.bundle
    assert cost.capture.own - cost.steps[SEARCH] <= CAPTURE_OWN_BUDGET
    assert cost.capture.copying == 0
    total -= cost.steps[FIRMWARE]
    assert abs(total - cost.capture.total()) < total // 100, "the stage's own account is another"


@pytest.mark.parametrize("cpu", ARMING_A_BYTE)
def test_arming_is_within_its_instructions(cpu: str, stage: Path, tmp_path: Path) -> None:
    made = crash_bundle(tmp_path)
    with Session(Machine(kernel=stage, initrd=made, icount=True, cpu=cpu)) as session:
        session.expect(HANDOFF)
        arming = Account.of(session.text)
    a_byte = arming.by_the_byte() / made.stat().st_size
    print(f"\n{cpu or 'with Zbc'}: {arming.total():,}, {a_byte:.2f} for a byte of the bundle, {arming}")
    assert a_byte <= ARMING_A_BYTE[cpu]
    assert arming.own <= ARMING_OWN_BUDGET


@pytest.mark.long
def test_a_capture_of_64_gib_costs_what_one_of_a_gib_does(after_reset: Callable[[str], Cost]) -> None:
    small, large = after_reset("1G"), after_reset("64G")
    for name, count in small.rows().items():
        print(f"\n{name:50} {count:>12,} {large.rows()[name]:>12,}", end="")
    assert large.capture.total() - small.capture.total() < small.capture.total() // 10
    assert large.capture.own - small.capture.own < small.capture.own // 10
    assert large.arming.own - small.arming.own < 63 * 6 * A_GIB, "more than a word of each page was looked at"
