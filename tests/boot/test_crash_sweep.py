# SPDX-License-Identifier: BSD-2-Clause
"""A reset at many points of the stage's own run, while it captures and while it arms.

One run finds the path: the calls of the stage's functions, in their order. Each point is one of
them (the first few of each function) and some single steps. Then, again and again: the primary fills
RAM, the machine is reset, reset once more at a point of the capture, and at one of the arming
behind it. With two attempts no such reset may cost the dump, or any word of it; and none before the
handoff is anybody's death.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from crash_bare import GIVEN_UP, VERIFIED, assert_verified, bare_bundle, expect_filled
from lifeboatlib.gdbstub import Gdb, debugged
from lifeboatlib.qemu import Machine, Session
from symbols import tool

RESET_VECTOR = 0x1000
SEED = 3
ATTEMPTS = 2
LIMIT = 100  # early deaths, so that they are counted
JUDGE = "dead_open"  # begins to look at the dead kernel's RAM
NOWHERE = 0x10
LAST = "trampoline_start"  # the page that norelocate begins
EACH = 3  # calls of one function that count
STEPS = 60  # single steps from there on, at most
STARTED = "crash_mark_started"  # from here on a reset is the payload's death
DEATH = r"^checker:.*|^lifeboat: .* early death.*"
HARM = r"^lifeboat: (ERROR|trap).*|^(checker|primary): (FAIL|trap).*"


@dataclass(frozen=True)
class Point:
    """Some steps behind the nth call of a function."""

    name: str
    address: int
    nth: int
    steps: int
    started: bool  # is it behind STARTED?

    def __str__(self) -> str:
        return f"{self.name} call {self.nth} + {self.steps} instructions"


class Lab:
    """The machine, its console and its debugger. It stands still between the methods' calls."""

    def __init__(self, session: Session, gdb: Gdb, functions: dict[int, str]) -> None:
        self.session = session
        self.gdb = gdb
        self.functions = functions
        self.filled: re.Match[str]

    def fill(self) -> None:
        """Lets the machine go until the primary is up."""
        self.gdb.free_run()
        try:
            self.filled = expect_filled(self.session)
        finally:
            self.gdb.interrupt()

    def address(self, name: str) -> int:
        """Of a function."""
        return next(address for address, found in self.functions.items() if found == name)

    def reset(self) -> None:
        """Presses the button."""
        self.session.qmp("system_reset")
        self.session.until(lambda: self.gdb.pc == RESET_VECTOR, "a reset")

    def path(self) -> list[Point]:
        """The calls from here to the handoff."""
        draw = random.Random(SEED)
        calls: Counter[int] = Counter()
        found = []
        for address in self.functions:
            self.gdb.set_break(address)
        while True:
            pc = self.gdb.cont()
            calls[pc] += 1
            name = self.functions[pc]
            started = name == STARTED or (bool(found) and found[-1].started)
            found.append(Point(name, pc, calls[pc], draw.randrange(STEPS), started))
            if name == LAST:
                break
            self.gdb.clear_break(pc)
            self.gdb.step()
            if calls[pc] < EACH:
                self.gdb.set_break(pc)
        for address in self.functions:
            if calls[address] < EACH:
                self.gdb.clear_break(address)
        return found

    def go_to(self, point: Point) -> bool:
        """Runs to a point. Has the payload been started there, as far as the record knows?"""
        for _ in range(point.nth):
            self.gdb.run_to(point.address)
            self.gdb.step()
        passed = [self.gdb.step() for _ in range(point.steps)]
        return point.started or self.address(STARTED) in passed

    def capture(self) -> None:
        """A checker's verdict on all that the last primary wrote, then a normal boot up to its arming."""
        self.gdb.run_to(self.address("crash_prepare"))
        verdict = self.session.expect(VERIFIED)
        assert_verified(self.session.text, verdict, self.filled)
        self.session.expect(GIVEN_UP)

    def try_points(self, capturing: Point, arming: Point) -> None:
        """One round: from a primary that is up to a primary that is up."""
        self.reset()
        self.go_to(capturing)
        self.reset()
        self.capture()
        started = self.go_to(arming)
        self.reset()
        start = len(self.session.text)
        self.fill()
        self.assert_without(HARM if started else f"{HARM}|{DEATH}", start)

    def assert_without(self, lines: str, start: int) -> None:
        """No such lines."""
        found = re.search(lines, self.session.text[start:], re.MULTILINE)
        assert not found, found


def functions(elf: Path) -> dict[int, str]:
    """The stage's, by virtual address."""
    rows = (line.split() for line in tool("nm", "--defined-only", elf).splitlines())
    return {int(row[0], 16): row[2] for row in rows if row[1] in "tT" and not row[2].startswith("$")}


@pytest.fixture
def lab(
    stage: Path, stage_elf: Path, build_payload: Callable[..., object], tmp_path: Path
) -> Iterator[Lab]:
    """A primary is up, the record is armed, the machine stands still."""
    made = bare_bundle(build_payload, tmp_path / "bare.itb", attempts=ATTEMPTS, boot_limit=LIMIT, WAIT=1)
    with debugged(Machine(kernel=stage, initrd=made, memory="256M")) as (session, gdb):
        made_lab = Lab(session, gdb, functions(stage_elf))
        made_lab.fill()
        yield made_lab


def find_paths(lab: Lab) -> tuple[list[Point], list[Point]]:
    """Capturing, and arming after it; in the end a primary is up again."""
    lab.reset()
    capturing = lab.path()
    lab.capture()
    arming = lab.path()
    lab.fill()
    return capturing, arming


def sweep(lab: Lab, share: int) -> None:
    """All points, or one of so many, evenly along both paths."""
    paths = find_paths(lab)
    capturing, arming = (path[::share] for path in paths)
    names = {point.name for path in paths for point in path}
    for wanted in ("crash_prepare_exit", "crash_prepare", "crash_record_write", "elfcorehdr_write", STARTED):
        assert wanted in names, f"{wanted} is not on the path"
    rounds = max(len(capturing), len(arming))
    for index in range(rounds):
        points = capturing[index % len(capturing)], arming[index % len(arming)]
        try:
            lab.try_points(*points)
        except Exception as error:
            raise AssertionError(f"resets at {points[0]}, and at {points[1]}: {error}") from error
    print(f"\nreset at {len(capturing)} of {len(paths[0])} points of a capture, "
          f"{len(arming)} of {len(paths[1])} of arming; seed {SEED}")  # fmt: skip


@pytest.mark.slow
def test_no_reset_at_some_points_of_the_stage_costs_the_dump(lab: Lab) -> None:
    sweep(lab, 40)


@pytest.mark.long
def test_no_reset_at_any_call_of_the_stage_costs_the_dump(lab: Lab) -> None:
    sweep(lab, 1)


@pytest.mark.slow
def test_a_trap_while_judging_does_not_cost_the_dump(lab: Lab) -> None:
    """It ends in a reset, not switched off; the next boot judges again."""
    lab.reset()
    lab.gdb.run_to(lab.address(JUDGE))
    lab.gdb.set_register("pc", NOWHERE)
    lab.gdb.run_to(RESET_VECTOR)
    lab.session.expect(r"^lifeboat: ERROR: trap: instruction (page|access) fault")
    lab.session.expect("^lifeboat: ERROR: boot: resetting$")
    lab.capture()


@pytest.mark.slow
def test_a_judgement_that_never_ends_is_given_up(lab: Lab) -> None:
    """As many boots as there are attempts, and two; then the machine boots normally."""
    for _ in range(ATTEMPTS + 2):
        lab.reset()
        lab.gdb.run_to(lab.address(JUDGE))
    lab.reset()
    lab.fill()
    assert f"{ATTEMPTS + 2} boots with this record came to no end: given up, booting normally" in lab.session.text


@pytest.mark.slow
def test_a_reset_between_arming_and_the_handoff_is_nobody_s_death(lab: Lab) -> None:
    """The record says armed, but nothing has run that could have crashed."""
    lab.reset()
    lab.capture()
    lab.gdb.run_to(lab.address(STARTED))
    start = len(lab.session.text)
    lab.reset()
    lab.fill()
    assert "lifeboat: crash: the reset came before any kernel was started: no crash" in lab.session.text[start:]
    lab.assert_without(DEATH, start)
