# SPDX-License-Identifier: BSD-2-Clause
"""The two passes of norelocate, watched instruction by instruction through QEMU's gdbstub.

One boot for each mode is stopped at the stage's first instruction, at pass one, at pass two and at the
payload's first instruction; what lay there is then judged by tests of one promise each.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fdtfile import Fdt, pages_around, subtract
from lifeboatlib.gdbstub import Gdb, debugged
from pagewalk import MODES, PAGE, A, D, G, Tables, U, W, X, pages, walk
from symbols import symbols

from lifeboatlib import bundle
from lifeboatlib.qemu import Machine, Session

STAGE_VA = 0xFFFF_FFFF_C000_0000
FDT_VA = 0xFFFF_FFFF_E000_0000
FIRST = 0x8020_0000  # where OpenSBI starts the stage, and the payload is put
JUMP_TO_SELF = struct.pack("<I", 0x0000_006F)
CSRS = ("satp", "stvec", "sstatus", "sie", "sip", "scause", "sepc", "stval", "sscratch")
SUPERVISOR = 1
MOST_STEPS = 200
PARK_SIZE = 8
INSTRUCTION_PAGE_FAULT = 12
SIE, VS, FS, SUM, MXR = 1 << 1, 3 << 9, 3 << 13, 1 << 18, 1 << 19


@dataclass(frozen=True)
class State:
    """A hart at one moment."""

    pc: int
    privilege: int
    x: dict[str, int]
    csr: dict[str, int]


@dataclass(frozen=True)
class Step:
    """What changes on the way, after one instruction."""

    pc: int
    satp: int
    stvec: int
    scause: int


@dataclass
class Journey:
    """From the stage's first instruction to the payload's."""

    sv: int
    symbol: dict[str, int]
    fdt: Fdt | None = None
    fdt_pa: int = 0
    fdt_size: int = 0
    pass_one: State | None = None
    stage_tables: Tables | None = None
    trampoline_page: bytes = b""
    trampoline_tables: Tables | None = None
    steps: list[Step] = field(default_factory=list)
    pass_two: State | None = None
    pass_two_tables: Tables | None = None
    payload: State | None = None
    payload_fdt: bytes = b""
    failure: AssertionError | None = None  # what kept it from the payload

    @property
    def page_va(self) -> int:
        """The trampoline page, where the stage runs it."""
        return self.symbol["trampoline_start"]

    @property
    def page_pa(self) -> int:
        """The trampoline page, where it lies."""
        return self.stage.translate(self.page_va)

    @property
    def stage(self) -> Tables:
        """The stage's own tables."""
        assert self.stage_tables
        return self.stage_tables

    @property
    def block(self) -> tuple[int, int]:
        """The physical memory of the stage and all its tables."""
        last = self.stage.touching(STAGE_VA, FDT_VA)[-1]
        return self.stage.translate(STAGE_VA), last.pa + last.size

    def pa(self, name: str) -> int:
        """Where a symbol of the stage lies after the move."""
        return self.stage.translate(self.symbol[name])


def look(gdb: Gdb) -> State:
    """Takes down the whole hart."""
    csr = {name: gdb.register(name) for name in CSRS}
    return State(gdb.pc, gdb.register("priv"), gdb.integer_registers(), csr)


@contextmanager
def machine(sv: int, stage: Path, payload: Path, **options: object) -> Iterator[tuple[Session, Gdb]]:
    """A machine that stands before its first instruction."""
    with debugged(Machine(kernel=stage, initrd=payload, sv=sv, **options)) as both:
        yield both


def to_pass_one(gdb: Gdb, journey: Journey, scratch: Path) -> None:
    """Runs to norelocate at its virtual address, and reads the tables there."""
    gdb.run_to(FIRST)
    journey.fdt_pa = gdb.register("a1")
    journey.fdt_size = int.from_bytes(gdb.read_physical(journey.fdt_pa + 4, 4), "big")
    (scratch / "firmware.dtb").write_bytes(gdb.read_physical(journey.fdt_pa, journey.fdt_size))
    journey.fdt = Fdt(scratch / "firmware.dtb")
    gdb.run_to(journey.symbol["norelocate"])
    journey.pass_one = look(gdb)
    journey.stage_tables = walk(journey.pass_one.csr["satp"], gdb.read_physical)
    journey.trampoline_page = gdb.read_physical(journey.page_pa, PAGE)
    at = journey.symbol["norelocate_satp"] - journey.page_va
    satp = int.from_bytes(journey.trampoline_page[at : at + 8], "little")
    journey.trampoline_tables = walk(satp, gdb.read_physical)


def one_step(gdb: Gdb) -> int:
    """One instruction; an ecall counts as one, with all that the firmware does for it."""
    before = gdb.pc
    after = gdb.step()
    if gdb.register("priv") != SUPERVISOR:
        after = gdb.run_to(before + 4)
    return after


def through_both_passes(gdb: Gdb, journey: Journey) -> None:
    """Steps from pass one into the payload; fails at the first step that leaves the page or traps."""
    pages_allowed = {journey.page_va, journey.page_pa}
    pass_two = journey.page_pa + journey.symbol["norelocate_pass_two"] - journey.page_va
    for _ in range(MOST_STEPS):
        pc = one_step(gdb)
        step = Step(pc, *(gdb.register(name) for name in ("satp", "stvec", "scause")))
        journey.steps.append(step)
        if pc == FIRST:
            break
        trap = f"trapped at {gdb.register('sepc'):#x} to {pc:#x}, scause {step.scause:#x}"
        assert not step.scause, trap
        assert pc & -PAGE in pages_allowed, f"jumped to {pc:#x}"
        if pc == pass_two:
            journey.pass_two = look(gdb)
            journey.pass_two_tables = walk(step.satp, gdb.read_physical)
    assert gdb.pc == FIRST, f"after {MOST_STEPS} steps at {gdb.pc:#x}, not at the payload"
    journey.payload = look(gdb)
    journey.payload_fdt = gdb.read_physical(journey.payload.x["a1"], 8)


@pytest.fixture(scope="module")
def payload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with the shortest payload that there is."""
    directory = tmp_path_factory.mktemp("loop")
    (directory / "loop.bin").write_bytes(JUMP_TO_SELF)
    image = bundle.raw(directory / "loop.bin", FIRST, FIRST)
    return bundle.simple(image).write(directory / "loop.itb")


@pytest.fixture(scope="module", params=MODES, ids="sv{}".format)
def journey(
    request: pytest.FixtureRequest,
    stage: Path,
    stage_elf: Path,
    payload: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Journey:
    """One boot in each mode."""
    made = Journey(request.param, symbols(stage_elf))
    with machine(made.sv, stage, payload) as (_, gdb):
        to_pass_one(gdb, made, tmp_path_factory.mktemp("journey"))
        try:
            through_both_passes(gdb, made)
        except AssertionError as failure:
            made.failure = failure
    return made


# Pass one


def test_pass_one_runs_at_the_virtual_address_with_t3_zero(journey: Journey) -> None:
    """That is how pass one is told from pass two."""
    state = journey.pass_one
    assert state and state.pc == journey.symbol["norelocate"] == journey.page_va
    assert state.pc >= STAGE_VA and state.x["t3"] == 0
    assert state.privilege == SUPERVISOR and not state.csr["sstatus"] & SIE
    assert state.csr["sie"] == 0


def test_pass_one_runs_on_the_stages_tables_in_the_capped_mode(journey: Journey) -> None:
    """The CPU was told which mode to have at most; the tables' root lies with the stage."""
    satp = journey.stage.satp
    start, end = journey.block
    assert satp >> 60 == MODES[journey.sv]
    assert satp >> 44 & 0xFFFF == 0, "an ASID is set"
    assert start <= journey.stage.pages[0] < end
    assert journey.pass_one and journey.pass_one.csr["stvec"] == journey.symbol["trap_entry"]


def test_the_trampoline_page_is_the_linked_one_but_for_its_two_words(
    journey: Journey, stage: Path
) -> None:
    """They hold the tables' satp and the physical address of norelocate."""
    offset = journey.page_va - STAGE_VA
    linked = bytearray(stage.read_bytes()[offset : offset + PAGE])
    at = journey.symbol["norelocate_satp"] - journey.page_va
    assert journey.symbol["norelocate_pa"] - journey.page_va == at + 8
    assert journey.trampoline_tables and journey.pass_two_tables
    assert journey.pass_two_tables.satp == journey.trampoline_tables.satp
    linked[at : at + 16] = struct.pack("<QQ", journey.trampoline_tables.satp, journey.page_pa)
    assert journey.trampoline_page == linked


# The stage's own tables


def test_the_stages_tables_are_well_formed(journey: Journey) -> None:
    """No PTE has a reserved bit or a shape that faults."""
    assert journey.stage.malformed == []


def test_nothing_is_writable_and_executable(journey: Journey) -> None:
    """Not by one leaf, and not by two that show the same memory."""
    for leaf in journey.stage.leaves:
        assert leaf.bits & (W | X) != W | X, leaf
        if leaf.bits & X:
            others = [other for other in journey.stage.showing(leaf.pa, leaf.size) if other != leaf]
            assert others == [], f"executable, and shown again: {leaf}"


def test_leaves_have_a_and_d_preset_and_neither_g_nor_u(journey: Journey) -> None:
    """Harts with Svade fault on A, or a store on D; a G leaf would outlive the stage."""
    for leaf in journey.stage.leaves:
        assert leaf.bits & A, leaf
        assert leaf.bits & D or not leaf.bits & W, leaf
        assert not leaf.bits & (G | U), leaf


def test_sections_have_the_rights_that_they_need(journey: Journey) -> None:
    """Every page of the stage, section by section, lies in one row in the block."""
    base = journey.block[0]
    rows = (
        ("r-x", "stage_start", "stage_text_end"),
        ("r--", "stage_rodata_start", "stage_rodata_end"),
        ("rw-", "trap_stack_bottom", "trap_stack_top"),
        ("rw-", "stage_rw_start", "stage_rw_end"),
    )
    for perms, start, end in rows:
        for va in range(journey.symbol[start], journey.symbol[end], PAGE):
            leaf = journey.stage.find(va)
            assert leaf and leaf.perms == perms, f"{va:#x} from {start}: {leaf}"
            assert journey.stage.translate(va) == base + va - STAGE_VA


def test_guard_pages_are_unmapped(journey: Journey) -> None:
    """Below both stacks: an overflow faults, whatever its first access is (frames are under 1 KiB)."""
    for below in ("trap_stack_bottom", "stage_rw_start"):
        guard = journey.symbol[below] - PAGE
        assert journey.stage.touching(guard, guard + PAGE) == [], f"under {below}"
        physical = journey.block[0] + guard - STAGE_VA
        assert journey.stage.showing(physical) == [], f"under {below}, by another way"


def test_the_lower_half_is_unmapped(journey: Journey) -> None:
    """So a null pointer faults, and so does a physical address used as one."""
    assert journey.stage.touching(0, journey.stage.upper_half) == []


def test_table_pages_are_read_only(journey: Journey) -> None:
    """Those of the stage and those of the trampoline, and they lie in the stage's block."""
    start, end = journey.block
    assert journey.trampoline_tables
    for page in journey.stage.pages + journey.trampoline_tables.pages:
        assert start <= page < end
        perms = {leaf.perms for leaf in journey.stage.showing(page)}
        assert perms == {"r--"}, f"table {page:#x} is {perms}"


def test_no_page_of_the_stage_is_mapped_twice(journey: Journey) -> None:
    """What is read-only or guarded here must not be writable there."""
    for page in range(*journey.block, PAGE):
        assert len(journey.stage.showing(page)) <= 1, f"{page:#x}"


def test_the_fdt_is_read_only(journey: Journey) -> None:
    """The firmware's, at FDT_VA, whole pages of it and no more."""
    leaves = [leaf for leaf in journey.stage.leaves if leaf.va >= FDT_VA]
    assert pages(leaves) == [pages_around(journey.fdt_pa, journey.fdt_size)]
    assert {leaf.perms for leaf in leaves} == {"r--"}
    assert journey.stage.translate(FDT_VA) == journey.fdt_pa & -PAGE


def test_firmware_and_reservations_are_not_mapped(journey: Journey) -> None:
    """OpenSBI names its regions in the FDT."""
    assert journey.fdt and journey.fdt.reserved(), "OpenSBI reserves nothing? the test is blind"
    for start, end in journey.fdt.reserved():
        assert journey.stage.showing(start, end - start) == []


def test_the_physmap_is_free_ram_exactly(journey: Journey) -> None:
    """RAM without reservations, FDT and stage: all of it, nothing else, read-write, at one offset."""
    tables = journey.stage
    assert journey.fdt
    holes = [*journey.fdt.reserved(), pages_around(journey.fdt_pa, journey.fdt_size), journey.block]
    leaves = [leaf for leaf in tables.leaves if leaf.va < STAGE_VA]
    assert {leaf.perms for leaf in leaves} == {"rw-"}
    assert {leaf.va - leaf.pa for leaf in leaves} == {tables.upper_half}
    assert pages(leaves) == subtract(journey.fdt.memory(), holes)


# Pass two


def test_pass_two_runs_at_the_physical_alias(journey: Journey) -> None:
    """Of the same page, on the trampoline tables, and t3 says so."""
    state = journey.pass_two
    assert state, "norelocate_pass_two was never reached at its physical address"
    assert state.pc == journey.pa("norelocate_pass_two")
    assert state.x["t3"] == journey.pa("norelocate")
    assert journey.pass_two_tables and journey.pass_two_tables.satp >> 60 == MODES[journey.sv]
    assert journey.pass_two_tables.satp != journey.stage.satp
    assert state.csr["scause"] == 0, "pass two was reached by a trap"


def test_trampoline_tables_map_one_page_at_two_addresses(journey: Journey) -> None:
    """VA to PA and PA to PA, read and execute, and nothing else."""
    tables = journey.pass_two_tables
    assert tables and tables.malformed == []
    seen = sorted((leaf.va, leaf.pa, leaf.size, leaf.perms) for leaf in tables.leaves)
    wanted = [(va, journey.page_pa, PAGE, "r-x") for va in (journey.page_pa, journey.page_va)]
    assert seen == wanted
    assert all(leaf.bits & A and not leaf.bits & (G | U) for leaf in tables.leaves)


def test_tables_do_not_change_on_the_way(journey: Journey) -> None:
    """What pass two runs on is what pass one prepared."""
    assert journey.trampoline_tables and journey.pass_two_tables
    assert journey.trampoline_tables.leaves == journey.pass_two_tables.leaves
    assert journey.trampoline_tables.pages == journey.pass_two_tables.pages


def test_every_instruction_of_both_passes_is_mapped(journey: Journey) -> None:
    """Each pc can be fetched by the satp of that moment."""
    assert journey.pass_two_tables
    by_satp = {tables.satp: tables for tables in (journey.stage, journey.pass_two_tables)}
    for step in journey.steps[:-1]:
        if step.satp:
            leaf = by_satp[step.satp].find(step.pc)
            assert leaf and leaf.perms == "r-x", f"{step.pc:#x} on satp {step.satp:#x}"
            assert by_satp[step.satp].translate(step.pc) & -PAGE == journey.page_pa
        else:
            assert step.pc & -PAGE == journey.page_pa


def test_no_step_traps(journey: Journey) -> None:
    """scause stays 0, and no pc is the trap vector's: nothing relies on a fault."""
    for step in journey.steps:
        assert step.scause == 0, f"at {step.pc:#x}"
        assert step.pc != step.stvec


def test_the_page_is_left_once_in_each_direction(journey: Journey) -> None:
    """First all of pass one at the virtual address, then all of pass two at the physical one."""
    order = [step.pc & -PAGE for step in journey.steps[:-1]]
    assert order == sorted(order, key=lambda page: page != journey.page_va)
    assert {journey.page_va, journey.page_pa} == set(order)
    satps = [step.satp for step in journey.steps]
    changes = [b for a, b in zip(satps, satps[1:], strict=False) if a != b]
    assert journey.trampoline_tables and changes == [journey.trampoline_tables.satp, 0]


# The payload


def test_the_payload_is_reached(journey: Journey) -> None:
    """By single steps that never left the page."""
    assert journey.failure is None, journey.failure
    assert journey.steps[-1].pc == FIRST


def test_the_payload_is_entered_as_the_boot_protocol_says(journey: Journey) -> None:
    """Paging off, interrupts off, the trap vector parked, state scrubbed."""
    state = journey.payload
    assert state and state.pc == FIRST and state.privilege == SUPERVISOR
    csr = state.csr
    assert csr["satp"] == 0 and csr["sie"] == 0 and csr["sip"] == 0
    assert csr["scause"] == 0 and csr["stval"] == 0 and csr["sscratch"] == 0
    assert csr["stvec"] == journey.pa("norelocate_park")
    assert not csr["sstatus"] & (SIE | VS | FS | SUM | MXR), f"{csr['sstatus']:#x}"


def test_the_payload_gets_two_registers(journey: Journey) -> None:
    """a0 the hart, a1 an FDT, and nothing in the others."""
    assert journey.payload
    x = dict(journey.payload.x)
    assert x.pop("a0") == 0
    assert x.pop("a1") % 8 == 0
    assert journey.payload_fdt[:4] == b"\xd0\x0d\xfe\xed"
    assert {name: value for name, value in x.items() if value} == {}


# What would happen if the tables were wrong


@pytest.mark.parametrize("sv", MODES)
def test_without_the_physical_alias_the_payload_is_not_reached(
    sv: int, stage: Path, stage_elf: Path, payload: Path, tmp_path: Path
) -> None:
    """The same walk as above then ends at the jump of pass one, and the machine stays where it is."""
    journey = Journey(sv, symbols(stage_elf))
    with machine(sv, stage, payload) as (session, gdb):
        to_pass_one(gdb, journey, tmp_path)
        assert journey.trampoline_tables
        leaf = journey.trampoline_tables.find(journey.page_pa)
        assert leaf
        gdb.write_physical(leaf.pte_pa, bytes(8))
        with pytest.raises(AssertionError, match=f"trapped at {journey.page_pa:#x}"):
            through_both_passes(gdb, journey)
        assert gdb.register("scause") == INSTRUCTION_PAGE_FAULT
        assert journey.pass_two is None and journey.payload is None
        stands_still(session, gdb, journey)


def stands_still(session: Session, gdb: Gdb, journey: Journey) -> None:
    """Left alone, the hart sleeps in norelocate_park: never in the payload, and the console says no more."""
    gdb.set_break(FIRST)
    gdb.free_run()
    with pytest.raises(Exception, match="did not end"):
        session.wait(0.5)
    park = journey.symbol["norelocate_park"]
    assert park <= gdb.interrupt() < park + PARK_SIZE
    assert gdb.register("scause") == INSTRUCTION_PAGE_FAULT
