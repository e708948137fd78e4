# SPDX-License-Identifier: BSD-2-Clause
"""Traps in the stage: it says everything about them, and ends; it never goes on, loops or falls silent."""

import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from badfdt import BUNDLE_AT, FDT_AT, RAM_AT, STAGE_AT, Shim, dump_fdt, loader
from lifeboatlib.gdbstub import INTEGER, Gdb
from harness import find, run_to_end
from symbols import symbols

from lifeboatlib import bundle
from lifeboatlib.qemu import Machine, Session

FIRST = 0x8020_0000
STAGE_VA = 0xFFFF_FFFF_C000_0000
PAGE = 0x1000
JUMP_TO_SELF = struct.pack("<I", 0x0000_006F)
ENDED = "lifeboat: ERROR: boot: nothing was started; shutting down"
TRAP = r"^lifeboat: ERROR: trap: "
VS, VECTORS = 3 << 9, "rv64,v=true,zvkb=true,zvknha=true"
HEAD = TRAP + r"(.*) \(scause (\w+)\) at (\w+), stval (\w+), sstatus (\w+)$"


def functions(elf: Path, addresses: list[int]) -> list[str]:
    """The functions that addresses lie in."""
    table = sorted((address, name) for name, address in symbols(elf).items())
    return [max(row for row in table if row[0] <= address)[1] for address in addresses]


def check_report(console: str, elf: Path) -> tuple[str, int, int, list[str]]:
    """A whole report and the end after it; gives cause, epc, stval and the functions that called."""
    cause, _, epc, stval, _ = find(HEAD, console).groups()
    assert len(re.findall(HEAD, console, re.MULTILINE)) == 1, "trapped more than once"
    registers = dict(re.findall(r" +(\w\w|s1[01]) ([0-9a-f]{16})\b", console))
    names = {"s0" if name == "fp" else name for name in INTEGER if name != "zero"}
    assert set(registers) == names
    callers = re.findall(TRAP + r"(?:called| {6}) from 0x(\w+)$", console, re.MULTILINE)
    assert callers, "no backtrace"
    assert console.splitlines()[-1] == ENDED
    names_of = functions(elf, [int(address, 16) - 1 for address in callers])
    return cause, int(epc, 16), int(stval, 16), names_of


@pytest.fixture(scope="session")
def good_fdt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What QEMU would hand over."""
    return dump_fdt(tmp_path_factory.mktemp("fdt") / "good.dtb")


@pytest.fixture
def shim(stage: Path, build_payload: Callable[..., object], good_fdt: Path, tmp_path: Path) -> Shim:
    """The way past QEMU and OpenSBI."""
    return Shim(stage, build_payload, good_fdt, tmp_path)


@pytest.fixture
def loop(tmp_path: Path) -> Path:
    """A bundle with the shortest payload that there is."""
    (tmp_path / "loop.bin").write_bytes(JUMP_TO_SELF)
    image = replace(bundle.raw(tmp_path / "loop.bin", FIRST, FIRST), hashes=["sha256"])
    return bundle.simple(image).write(tmp_path / "loop.itb")


def test_ram_that_is_not_there_is_reported(shim: Shim, loop: Path, stage_elf: Path) -> None:
    """The FDT says 4 GiB, the machine has 256 MiB: the stage's move to the top of what is below 4 GiB faults."""
    fdt = shim.fdt().put("/chosen", "linux,initrd-start", 0, BUNDLE_AT)
    fdt.put("/chosen", "linux,initrd-end", 0, BUNDLE_AT + loop.stat().st_size)
    fdt.put(f"/memory@{RAM_AT:x}", "reg", 0, RAM_AT, 1, 0)
    console = run_to_end(shim.machine(fdt.path, extra=loader(loop, BUNDLE_AT)))
    cause, epc, stval, callers = check_report(console, stage_elf)
    assert cause == "store access fault"
    assert functions(stage_elf, [epc])
    assert stval & 0xFFFF_FFFF >= 0xFF00_0000, "the end of RAM below 4 GiB"
    assert callers[-2:] == ["start", "high"]
    assert "memory that is not what the FDT says" in console


def test_an_fdt_in_the_firmwares_memory_is_reported(shim: Shim, stage_elf: Path) -> None:
    """a1 points where S-mode may not read."""
    console = run_to_end(shim.machine(None, a1=RAM_AT))
    cause, _, _, callers = check_report(console, stage_elf)
    assert cause == "load access fault"
    assert "discover_machine" in callers


@contextmanager
def stopped(
    where: str, stage: Path, stage_elf: Path, loop: Path, tmp_path: Path, cpu: str = ""
) -> Iterator[tuple[Session, Gdb, dict[str, int]]]:
    """A machine that stands at a function of the stage."""
    symbol = symbols(stage_elf)
    gdb = f"unix:{tmp_path / 'gdb'},server=on,wait=off"
    machine = Machine(kernel=stage, initrd=loop, gdb=gdb, cpu=cpu)
    with Session(machine) as session, Gdb.connect(tmp_path / "gdb") as stub:
        stub.run_to(symbol[where])
        yield session, stub, symbol


def ending(session: Session, gdb: Gdb) -> str:
    """Lets the machine go, to its end."""
    gdb.free_run()
    session.wait()
    return session.text


@pytest.mark.parametrize("where", ["discover_machine", "load_plan"], ids=["before", "after"])
def test_a_stack_overflow_hits_the_guard_page(
    where: str, stage: Path, stage_elf: Path, loop: Path, tmp_path: Path
) -> None:
    """Before the move and after it: the trap handler has a stack of its own to tell it on."""
    with stopped(where, stage, stage_elf, loop, tmp_path) as (session, gdb, symbol):
        gdb.set_register("sp", symbol["stage_rw_start"] + 16)
        console = ending(session, gdb)
        cause, epc, stval, _ = check_report(console, stage_elf)
        assert cause == "store page fault"
        assert symbol["stage_rw_start"] - PAGE <= stval < symbol["stage_rw_start"]
        assert symbol["stage_start"] <= epc < symbol["stage_text_end"]


def test_a_trap_in_the_trap_handler_switches_off(
    stage: Path, stage_elf: Path, loop: Path, tmp_path: Path
) -> None:
    """Its stack is used up as well: nothing can be trusted any more, but it does not loop."""
    with stopped("load_plan", stage, stage_elf, loop, tmp_path) as (session, gdb, symbol):
        gdb.set_register("pc", 0)
        gdb.run_to(symbol["trap_handle"])
        gdb.set_register("sp", symbol["trap_stack_bottom"] + 16)
        gdb.run_to(symbol["trap_again"])
        console = ending(session, gdb)
        assert "trap:" not in console


@pytest.mark.parametrize("address", [0, FIRST, STAGE_AT], ids="{:#x}".format)
def test_a_jump_into_the_lower_half_is_reported(
    address: int, stage: Path, stage_elf: Path, loop: Path, tmp_path: Path
) -> None:
    """A null function pointer, or a physical address taken for a virtual one."""
    with stopped("load_plan", stage, stage_elf, loop, tmp_path) as (session, gdb, _):
        gdb.set_register("pc", address)
        cause, epc, stval, _ = check_report(ending(session, gdb), stage_elf)
        assert (cause, epc, stval) == ("instruction page fault", address, address)


def test_vectors_are_on_in_a_hash_only(stage: Path, stage_elf: Path, loop: Path, tmp_path: Path) -> None:
    """Off before it, though OpenSBI leaves them on, and off in the handler of a trap in it."""
    with stopped("sha256_zvknha", stage, stage_elf, loop, tmp_path, VECTORS) as (session, gdb, symbol):
        assert not gdb.register("sstatus") & VS
        gdb.set_register("a1", 0)  # the data
        gdb.run_to(symbol["trap_handle"])
        assert not gdb.register("sstatus") & VS
        console = ending(session, gdb)
    cause, epc, stval, _ = check_report(console, stage_elf)
    assert (cause, functions(stage_elf, [epc]), stval) == ("load page fault", ["sha256_zvknha"], 0)
    assert int(find(HEAD, console)[5], 16) & VS, "they were on"


@pytest.mark.parametrize("section", ["stage_start", "trampoline_start", "stage_rodata_start"])
def test_a_write_to_what_is_read_only_is_reported(
    section: str, stage: Path, stage_elf: Path, loop: Path, tmp_path: Path
) -> None:
    """Text, the trampoline page and constants: memset is sent there."""
    with stopped("load_plan", stage, stage_elf, loop, tmp_path) as (session, gdb, symbol):
        gdb.set_register("pc", symbol["memset"])
        gdb.set_register("a0", symbol[section])
        gdb.set_register("a2", 64)
        cause, _, stval, _ = check_report(ending(session, gdb), stage_elf)
        assert (cause, stval) == ("store page fault", symbol[section])


def test_a_trap_before_paging_is_reported_in_one_line(
    stage: Path, stage_elf: Path, loop: Path, tmp_path: Path
) -> None:
    """There are no tables, no stack worth the name and no log yet."""
    symbol = symbols(stage_elf)
    gdb_at = f"unix:{tmp_path / 'gdb'},server=on,wait=off"
    with (
        Session(Machine(kernel=stage, initrd=loop, gdb=gdb_at)) as session,
        Gdb.connect(tmp_path / "gdb") as gdb,
    ):
        gdb.run_to(FIRST + symbol["early_build_tables"] - STAGE_VA)
        gdb.set_register("pc", RAM_AT)  # the firmware's
        console = ending(session, gdb)
    errors = [line for line in console.splitlines() if "lifeboat:" in line]
    assert len(errors) == 1, console
    find(r"^lifeboat: ERROR: head: trap before paging: scause 0x0+1, sepc 0x0*80000000, ", console)
    assert errors[0].endswith("; shutting down")


def test_a_stage_that_is_not_at_a_page_boundary_says_so(shim: Shim, stage: Path) -> None:
    """No page can be mapped then."""
    program = shim.build_payload("shim", STAGE=hex(STAGE_AT + 0x800), FDT=hex(FDT_AT))
    extra = loader(stage, STAGE_AT + 0x800)
    console = run_to_end(Machine(kernel=program.bin, memory="256M", extra=extra))
    lines = [line for line in console.splitlines() if "lifeboat:" in line]
    assert len(lines) == 1 and re.search(r"ERROR: head: .*page boundary; shutting down$", lines[0])


def test_a_hart_without_mmu_is_refused(stage: Path, loop: Path) -> None:
    """OpenSBI starts S-mode there all the same."""
    console = run_to_end(Machine(kernel=stage, initrd=loop, cpu="rv64,mmu=off"))
    lines = [line for line in console.splitlines() if "lifeboat:" in line]
    assert len(lines) == 1 and re.search(r"ERROR: head: the hart refuses Sv39", lines[0])
