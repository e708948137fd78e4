# SPDX-License-Identifier: BSD-2-Clause
"""What lies between a reset and the crash kernel: instructions by step, of Debian's kernel that has panicked."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from crash_lab import READY, crash_bundle
from lifeboatlib.gdbstub import Gdb
from lifeboatlib.qemu import Machine, Session
from symbols import symbols

BUDGET = 40_000_000  # with 1 GiB of RAM, but for the check of what is staged
RESET_BUDGET = 24_000_000  # all of it; OpenSBI takes 13.2 million before
ARMING_BUDGET = 75_000_000  # the boot before: all of it, with Zbc
A_GIB = 1 << 18  # pages
ENTRY = 0x80200000  # where OpenSBI starts the stage
PANIC = "echo c > /proc/sysrq-trigger"
OWN = r"cost: (\d+) instructions of our own, (\d+) for \d+ KiB copied, (\d+) for the console"
CHECKED = r"cost: (\d+) instructions for (\d+) KiB checked"
# Each step ends where the function begins, or where it is None, with the return from the one before.
STEPS = (
    ("crash_discover", "console, FDT, memory map, bundle"),
    ("stage_move", "crash region and record"),
    ("crash_judge", "moving the stage, page tables"),
    ("vmcoreinfo_find", "counting the boot in the record"),
    (None, "looking for the note, in the kernel's image"),
    ("dead_last_words", "judging by the end of the log"),
    ("crash_prepare_exit", "last words: 20 on the console, all to the region"),
    ("core_header_write", "checking what is staged, counting the attempt"),
    ("crash_save_log", "core header"),
    ("trampoline_start", "log, other harts, trampoline"),
)


def measure(gdb: Gdb, symbol: dict[str, int]) -> dict[str, int]:
    """Runs through the steps, from the stage's entry on; how many instructions each takes."""
    gdb.run_to(ENTRY)
    begin, found = gdb.register("instret"), {}
    for function, step in STEPS:
        gdb.run_to(symbol[function] if function else gdb.register("ra"))
        end = gdb.register("instret")
        found[step] = end - begin
        begin = end
    return found


@dataclass(frozen=True)
class Cost:
    """By step, and by the stage's own account."""

    steps: dict[str, int]
    own: int
    console: int
    checking: int
    arming: int

    def rows(self) -> dict[str, int]:
        """All of it."""
        accounts = {"own": self.own, "console": self.console, "checking": self.checking, "boot before": self.arming}
        return self.steps | {f"of all: {name}": count for name, count in accounts.items()}


@pytest.fixture(scope="module")
def after_reset(tmp_path_factory: pytest.TempPathFactory, stage: Path, stage_elf: Path) -> Callable[[str], Cost]:
    """after_reset(memory): what it cost."""
    made = crash_bundle(tmp_path_factory.mktemp("cost"))

    @cache
    def run(memory: str) -> Cost:
        with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
            path = Path(scratch) / "gdb"
            machine = Machine(
                kernel=stage, initrd=made, memory=memory, icount=True, gdb=f"unix:{path},server=on,wait=off",
            )  # fmt: skip
            with Session(machine) as session, Gdb.connect(path) as gdb:
                gdb.free_run()
                session.expect(READY)
                gdb.interrupt()
                session.send(f"{PANIC}\n")
                steps = measure(gdb, symbols(stage_elf))
                first, console = re.split("(?=lifeboat: boot:)", session.text)[-2:]
        own, checked = re.search(OWN, console), re.search(CHECKED, console)
        assert own and checked and own[2] == "0", console
        arming = sum(map(int, [*re.search(OWN, first).groups(), re.search(CHECKED, first)[1]]))
        return Cost(steps, int(own[1]), int(own[3]), int(checked[1]), arming)

    return run


@pytest.mark.slow
def test_the_way_to_the_crash_kernel_is_within_its_instructions(after_reset: Callable[[str], Cost]) -> None:
    cost = after_reset("1G")
    for name, count in cost.rows().items():
        print(f"\n{name:50} {count:>12,}", end="")
    total = sum(cost.steps.values())
    assert total - cost.checking <= BUDGET and total <= RESET_BUDGET and cost.arming <= ARMING_BUDGET
    parts = cost.own + cost.console + cost.checking
    assert abs(total - parts) < total // 100, "the stage's own account is another"


@pytest.mark.long
def test_a_gib_more_costs_a_few_instructions_a_page(after_reset: Callable[[str], Cost]) -> None:
    small, large = after_reset("1G"), after_reset("4G")
    for name, count in small.rows().items():
        print(f"\n{name:50} {count:>12,} {large.rows()[name]:>12,}", end="")
    assert large.own - small.own < 3 * 6 * A_GIB
