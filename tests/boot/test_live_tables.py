# SPDX-License-Identifier: BSD-2-Clause
"""No page is writable and executable at any time: the tables that the hart itself uses, in a boot and a capture.

Tables change while they are in use, but what is valid in them is never overwritten (tests/unit/test_pagetable.c).
So a look when they are turned on and one when they are left tell all that was ever valid in them. The debugger
stops the stage at each instruction that writes satp, before and after it: no tables are overlooked.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from crash_bare import ARMED, VERIFIED, assert_verified, bare_bundle, expect_filled
from lifeboatlib.gdbstub import Gdb, debugged
from pagewalk import MODES, PAGE, A, D, G, Leaf, R, Tables, U, V, W, X, walk
from symbols import symbols
from test_stage import disassemble

from lifeboatlib.qemu import Machine

STAGE_VA = 0xFFFF_FFFF_C000_0000
LOADED = 0x8020_0000  # by OpenSBI
RESET_VECTOR = 0x1000
FIRST, MOVES, LEAVES, LAST = "head", "stage_switch", "norelocate", "norelocate_pass_two"


@dataclass(frozen=True)
class Moment:
    """The tables of one moment: when satp has just been written at `where`, or is going to be."""

    where: str
    tables: Tables
    is_new: bool


@dataclass
class Life:
    """From the stage's first instruction to a payload's."""

    moments: list[Moment] = field(default_factory=list)
    block: int = 0  # where the stage has moved to

    def at(self, where: str, is_new: bool) -> list[Tables]:
        """Those of a moment."""
        return [one.tables for one in self.moments if (one.where, one.is_new) == (where, is_new)]

    def only(self, where: str, is_new: bool) -> Tables:
        """The one of a moment that there is once."""
        found = self.at(where, is_new)
        assert len(found) == 1, f"{where}: {len(found)} times"
        return found[0]


@dataclass(frozen=True)
class Writers:
    """Each instruction that writes satp, and the function that it is of, by link address."""

    function: dict[int, str]
    symbol: dict[str, int]

    @classmethod
    def find(cls, elf: Path) -> "Writers":
        """All that the stage has."""
        code = [i for i in disassemble(elf) if i.name.startswith("csrw") and i.operands.startswith("satp")]
        symbol = symbols(elf)
        of_head = symbol["head_end"]
        return cls({i.address: FIRST if i.address < of_head else i.function for i in code}, symbol)

    def breakpoints(self, block: int = 0) -> dict[int, str]:
        """Where they are run: the first one where the stage was loaded, the last one where it has moved to."""
        places = {FIRST: LOADED - STAGE_VA, LAST: block - STAGE_VA}
        return {at + places.get(name, 0): name for at, name in self.function.items()}


def look(gdb: Gdb, life: Life, where: str, is_new: bool) -> None:
    """Takes down what satp points to, unless paging is off."""
    satp = gdb.register("satp")
    if satp:
        life.moments.append(Moment(where, walk(satp, gdb.read_physical), is_new))


def watch(gdb: Gdb, writers: Writers) -> Life:
    """Runs the stage from its first instruction to its last, and looks at each write of satp."""
    life = Life()
    gdb.run_to(LOADED)
    while not (life.moments and life.moments[-1].where == LAST):
        stops = writers.breakpoints(life.block)
        where = stops[gdb.run_to(*stops)]
        look(gdb, life, where, is_new=False)
        gdb.step()
        look(gdb, life, where, is_new=True)
        if where == MOVES:
            life.block = life.moments[-1].tables.translate(STAGE_VA)
    return life


@dataclass(frozen=True)
class Lives:
    """A boot, and the capture of its end."""

    sv: int
    symbol: dict[str, int]
    boot: Life
    capture: Life
    primary: tuple[int, int]  # where it lay

    def places(self, tables: Tables) -> dict[str, tuple[int, int]]:
        """The stage's parts as these tables have them, by physical address."""
        base = tables.translate(self.symbol[LEAVES]) - (self.symbol[LEAVES] - STAGE_VA)
        parts = {
            "text": ("stage_start", "stage_text_end"),
            "rodata": ("stage_rodata_start", "stage_rodata_end"),
        }
        return {
            name: (base + self.symbol[start] - STAGE_VA, base + self.symbol[end] - STAGE_VA)
            for name, (start, end) in parts.items()
        }


def live(sv: int, stage: Path, elf: Path, made: Path) -> Lives:
    """A boot, the button, the capture."""
    writers = Writers.find(elf)
    with debugged(Machine(kernel=stage, initrd=made, memory="256M", sv=sv)) as (session, gdb):
        boot = watch(gdb, writers)
        gdb.free_run()
        session.expect(ARMED)
        filled = expect_filled(session)
        gdb.interrupt()
        session.qmp("system_reset")
        session.until(lambda: gdb.pc == RESET_VECTOR, "a reset")
        capture = watch(gdb, writers)
        gdb.free_run()
        assert_verified(session.text, session.expect(VERIFIED), filled)
    return Lives(sv, writers.symbol, boot, capture, (int(filled[2], 16), int(filled[3], 16)))


@pytest.fixture(
    scope="module",
    params=[39, *(pytest.param(sv, marks=pytest.mark.long) for sv in MODES if sv != 39)],
    ids="sv{}".format,
)
def lives(
    request: pytest.FixtureRequest,
    stage: Path,
    stage_elf: Path,
    build_payload: Callable[..., object],
    tmp_path_factory: pytest.TempPathFactory,
) -> Lives:
    """In each mode."""
    made = bare_bundle(build_payload, tmp_path_factory.mktemp("tables") / "bare.itb", WAIT=1)
    return live(request.param, stage, stage_elf, made)


def wrong(tables: Tables) -> list[str]:
    """All that no tables may have, whatever they are for."""
    found = list(tables.malformed)
    for leaf in tables.leaves:
        bad = {
            "writable and executable": leaf.bits & (W | X) == W | X,
            "the user's": bool(leaf.bits & U),
            "global": bool(leaf.bits & G),
        }
        found += [f"{leaf} is {what}" for what, is_so in bad.items() if is_so]
        if leaf.bits & X:
            others = tables.showing(leaf.pa, leaf.size)
            found += [f"{leaf} can be written by {other}" for other in others if other != leaf and other.bits & W]
    return found


def executable(tables: Tables) -> set[tuple[int, int]]:
    """Virtual and physical address of each page that code can be fetched from."""
    return {
        (leaf.va + at, leaf.pa + at)
        for leaf in tables.leaves
        if leaf.bits & X
        for at in range(0, leaf.size, PAGE)
    }


def writable(tables: Tables, start: int, end: int) -> list[Leaf]:
    """The leaves by which a store can reach these physical addresses."""
    return [leaf for leaf in tables.showing(start, end - start) if leaf.bits & W]


def of_stage(tables: list[Moment]) -> list[Moment]:
    """Those that the stage runs on: all but the trampoline's."""
    last = tables[-1].tables.satp
    return [moment for moment in tables if moment.tables.satp != last]


@pytest.mark.slow
def test_every_moment_is_looked_at(lives: Lives) -> None:
    """First tables, those after the move (in a boot, writable later on), the trampoline's: new, and to their end."""
    for life in (lives.boot, lives.capture):
        first, moved = life.moments[0].tables, life.only(MOVES, is_new=True)
        one, two = life.only(LEAVES, is_new=True), life.only(LAST, is_new=False)
        assert first.satp >> 60 == MODES[39] and moved.satp >> 60 == one.satp >> 60 == MODES[lives.sv]
        assert one == two and len({first.satp, moved.satp, one.satp}) == 3
        assert life.moments[0].is_new and life.only(MOVES, is_new=False).satp == first.satp
        assert bool(life.at("satp_switch", is_new=True)) == (life is lives.boot), "who may write to free RAM?"


@pytest.mark.slow
def test_nothing_is_writable_and_executable(lives: Lives) -> None:
    """Neither by one leaf, nor by two that show the same page."""
    for moment in (*lives.boot.moments, *lives.capture.moments):
        assert wrong(moment.tables) == [], moment.where


@pytest.mark.slow
def test_only_the_stages_text_is_executable(lives: Lives) -> None:
    """And, in the first tables, its first page where it was loaded, too. Text and constants are not writable."""
    for moment in (*of_stage(lives.boot.moments), *of_stage(lives.capture.moments)):
        places = lives.places(moment.tables)
        start, end = places["text"]
        wanted = {(STAGE_VA + pa - start, pa) for pa in range(start, end, PAGE)}
        assert executable(moment.tables) - {(LOADED, LOADED)} == wanted, moment.where
        assert ((LOADED, LOADED) in executable(moment.tables)) == (start == LOADED), moment.where
        for name, (first, last) in places.items():
            assert writable(moment.tables, first, last) == [], f"{name} at {moment.where}"


@pytest.mark.slow
def test_the_trampolines_tables_show_one_page_twice_and_nothing_else(lives: Lives) -> None:
    for life in (lives.boot, lives.capture):
        tables = life.only(LEAVES, is_new=True)
        va = lives.symbol[LEAVES]
        pa = life.block + va - STAGE_VA
        assert [(leaf.va, leaf.pa, leaf.size) for leaf in tables.leaves] == [(pa, pa, PAGE), (va, pa, PAGE)]
        assert {leaf.perms for leaf in tables.leaves} == {"r-x"}


@pytest.mark.slow
def test_a_capture_can_not_write_where_the_primary_lay(lives: Lives) -> None:
    """Neither on the first tables nor on those that it works on; in a boot it can, since a primary is put there."""
    start, end = lives.primary
    life = lives.capture
    for tables in (life.moments[0].tables, life.only(MOVES, is_new=True), life.only(LEAVES, is_new=False)):
        assert writable(tables, start, end) == []
    assert writable(lives.boot.only(LEAVES, is_new=False), start, end)


# The judge of tables, on tables that are wrong.

TEXT = Leaf(STAGE_VA, LOADED, PAGE, V | R | X | A, 0)
DATA = Leaf(STAGE_VA + PAGE, LOADED + PAGE, PAGE, V | R | W | A | D, 8)


@pytest.mark.parametrize(
    ("leaves", "why"),
    [
        ([TEXT, DATA], None),
        ([replace(TEXT, bits=TEXT.bits | W)], "is writable and executable"),
        ([TEXT, replace(DATA, pa=TEXT.pa)], "can be written by"),
        ([TEXT, replace(DATA, pa=0x8020_0000, size=1 << 21)], "can be written by"),
        ([replace(DATA, bits=DATA.bits | U)], "is the user's"),
    ],
)
def test_wrong_tables_are_told(leaves: list[Leaf], why: str | None) -> None:
    found = wrong(Tables(MODES[39] << 60, leaves))
    assert (not found) if why is None else found and all(why in line for line in found)
