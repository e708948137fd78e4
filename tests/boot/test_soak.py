# SPDX-License-Identifier: BSD-2-Clause
"""Random machines that die of random causes, again and again: each decision of the stage must be the right one.

tools/lifeboat soak says how many cycles, from which seed, and whether with Linux. A cycle is one death and all that
follows from it, up to the next primary.
"""

import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from crash_bare import REGION, VERIFIED, assert_verified, expect_filled
from crash_lab import ENDED, Lab, crash_bundle
from lifeboatlib import bundle
from lifeboatlib.gdbstub import Gdb
from lifeboatlib.qemu import Machine, Session
from symbols import symbols

pytestmark = pytest.mark.long

CYCLES = int(os.environ.get("LIFEBOAT_SOAK_CYCLES", "24"))
SEED = int(os.environ.get("LIFEBOAT_SOAK_SEED", "1"))
LINUX = os.environ.get("LIFEBOAT_SOAK_LINUX") == "1"

EACH = 4  # cycles of one machine
RESET_VECTOR = 0x1000
GIVEN_UP = r"given up, booting normally\n"  # for so many tries, or so many boots
POLICY = r"lifeboat,unknown-end says boot"
# Functions at which the button is pressed once more, while the stage works on a death: the debugger stops there, so that
# the press comes neither sooner nor later. Before a try is counted a press costs none, so often as judge.c has to spare.
EARLY, SPARE = ("source_find", "region_discover", "stage_move", "judge", "prepare_exit"), 2
LATE = ("call_add_notes", "core_header_write", "report_cost", "smp_release", "handoff")
HARM = ("lifeboat: ERROR", "lifeboat: trap", "FAIL")
ORDERS = {
    "echo c > /proc/sysrq-trigger": "panic",
    "echo b > /proc/sysrq-trigger": "forced",
    "reboot -f": "restart",
}

Build = Callable[..., object]


@dataclass
class Draw:
    """One machine, and what its bundle says."""

    random: random.Random
    memory: int = 0
    smp: int = 1
    sv: int = 39
    attempts: int = 1
    unknown: str = "capture"
    primary: str = "button"
    died: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        pick = self.random.choice
        self.memory, self.smp, self.sv = pick((256, 320, 384, 512)), pick((1, 2, 4, 8)), pick((39, 48, 57))
        self.attempts, self.unknown = pick((1, 2, 3)), pick(("capture", "capture", "boot"))
        self.primary = pick(("button", "button", "reboot", "call"))

    def __str__(self) -> str:
        return (
            f"{self.memory} MiB, {self.smp} harts, Sv{self.sv}, {self.attempts} tries, unknown: {self.unknown}, "
            f"dies by {self.primary}"
        )

    def make_bundle(self, build_payload: Build, path: Path) -> Path:
        """Pattern and checker, or a primary that calls."""
        calls = {"FLAGS": self.random.choice((0, 1, 2, 4)), "LEVELS": (self.sv - 12) // 9, "SHARED": 1}
        primary = (
            build_payload("crash_caller", **calls)
            if self.primary == "call"
            else build_payload("crash_primary", **({"WAIT": 1} if self.primary == "button" else {}))
        )
        crash = bundle.Crash(REGION, self.attempts, self.unknown)
        plain = bundle.simple(bundle.linux(primary.bin))  # type: ignore[attr-defined]
        checker = bundle.linux(build_payload("crash_checker").bin)  # type: ignore[attr-defined]
        return bundle.with_crash(plain, payload=checker, crash=crash).write(path)


@dataclass
class Button:
    """Resets the machine; before it came to the functions that are asked for, and at no other moment."""

    session: Session
    gdb: Gdb
    known: dict[str, int]

    def press(self) -> None:
        """Of a machine that stands still."""
        self.session.qmp("system_reset")
        self.session.until(lambda: self.gdb.pc == RESET_VECTOR, "a reset")

    def press_at(self, moments: Iterable[str]) -> None:
        """Of a machine that runs; and again as it comes to each of the functions."""
        self.gdb.interrupt()
        self.press()
        for moment in moments:
            self.gdb.run_to(self.known[moment])
            self.press()
        self.gdb.free_run()


def moments(draw: Draw) -> tuple[list[str], list[str]]:
    """At which functions the button is pressed again, now and then: some that cost no try, one that does."""
    if draw.unknown == "boot":
        return [], []
    early = draw.random.choices(EARLY, k=draw.random.randrange(SPARE + 1))
    late = draw.random.choices(LATE, k=int(draw.random.randrange(3) == 0))
    draw.died["button, and again"] += len(early) + len(late)
    return early, late


def cycle(session: Session, draw: Draw, button: Button) -> None:
    """One death: as many captures as there are tries, each of all that the primary wrote; or none, and a reason."""
    filled = expect_filled(session)
    draw.died[draw.primary] += 1
    tries = draw.attempts
    if draw.primary == "button":
        early, late = moments(draw)
        button.press_at(early + late)
        tries -= len(late)
    if draw.unknown == "boot" and draw.primary != "call":
        session.expect(POLICY)
        return
    captures = 0
    while (told := session.expect(f"(?:{VERIFIED})|(?:{GIVEN_UP})"))[1]:
        assert_verified(session.text, told, filled)
        captures += 1
    assert captures == tries, f"{captures} captures, not {tries}"


def soak_bare(draw: Draw, cycles: int, build_payload: Build, stage: Path, directory: Path) -> None:
    """Cycles of one machine."""
    made = draw.make_bundle(build_payload, directory / "soak.itb")
    machine = Machine(
        kernel=stage, initrd=made, memory=f"{draw.memory}M", smp=draw.smp, sv=draw.sv, qmp=directory / "qmp",
        gdb=f"unix:{directory / 'gdb'},server=on,wait=off",
    )  # fmt: skip
    with Session(machine) as session, Gdb.connect(directory / "gdb") as gdb:
        button = Button(session, gdb, symbols(stage.with_suffix(".elf")))
        gdb.free_run()
        for _ in range(cycles):
            cycle(session, draw, button)
        expect_filled(session)
        assert not any(word in session.text for word in HARM), session.text[-4000:]
        if draw.unknown == "boot" and draw.primary != "call":
            assert "checker:" not in session.text, "a dump that nobody wanted"


def soak_linux(draw: Draw, cycles: int, made: Path, stage: Path, directory: Path) -> None:
    """Cycles of one machine with Debian's kernel, which says how it ended."""
    machine = Machine(kernel=stage, initrd=made, memory="1G", smp=draw.smp, sv=draw.sv, qmp=directory / "qmp")
    with Session(machine) as session:
        lab = Lab(session)
        for _ in range(cycles):
            order, ending = draw.random.choice(list(ORDERS.items()))
            draw.died[order] += 1
            lab.order(order)
            assert lab.expect(ENDED)[1] == ending
            if ending == "restart":
                lab.not_captured()
            else:
                lab.captured()


def test_every_death_is_judged_right(
    stage: Path, build_payload: Build, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    stream = random.Random(SEED)
    died: Counter[str] = Counter()
    linux = crash_bundle(tmp_path) if LINUX else None
    done = 0
    while done < CYCLES:
        draw = Draw(random.Random(stream.randrange(1 << 32)), died=died)
        cycles = min(EACH, CYCLES - done)
        with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
            try:
                if linux:
                    soak_linux(draw, cycles, linux, stage, Path(scratch))
                else:
                    soak_bare(draw, cycles, build_payload, stage, Path(scratch))
            except Exception as error:
                raise AssertionError(f"seed {SEED}, cycle {done} on: {draw}: {error}") from error
        done += cycles
        print(f"soak: {done} of {CYCLES}: {draw}", flush=True)
    causes = ", ".join(f"{count} by {cause}" for cause, count in sorted(died.items()))
    record_property("terminal", f"soak: seed {SEED}, {done} cycles, 0 wrong decisions: {causes}")
