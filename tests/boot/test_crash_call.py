# SPDX-License-Identifier: BSD-2-Clause
"""The call way: a bare-metal primary at a high address dies by client/lifeboat_call.h, as badly as it can.

The checker, in the crash kernel's place, sees the registers in the notes and the memory through the core header.
"""

import re
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from badfdt import BUNDLE_AT, Shim, loader
from crash_bare import ARMED, REGION, VERIFIED, assert_verified, expect_filled
from fdtfile import Fdt
from pairwise import Point, cover, points
from symbols import symbols

from lifeboatlib import bundle, initramfs
from lifeboatlib.qemu import Machine, Session

pytestmark = pytest.mark.slow

HARTS = 4
SLOTS = 128
PARK_SIZE = 8
BUDGET = 5000
NOTE = r"^checker: note of hart (\d+) differs in (0x[0-9a-f]+), (\d+) instructions ago$"
NOTES = r"^checker: (\d+) notes, (\d+) of them registers$"
CALLED = r"^lifeboat: crash: the last system called for the crash kernel$"
BEGINS = r"^primary: hart (\d+) begins, page at 0x[0-9a-f]+, also at (0x[0-9a-f]+)\n"
SAVED = r"^lifeboat: crash: the registers of (\d+) of (\d+) harts were saved$"
RESET_FIRST, CHECK_ALL, MUST_STOP = 1, 2, 4
PT_NOTE, NT_PRSTATUS = 4, 1

# Bits of the mask: t6 tells when it was; a call in C has its arguments in a0 to a3, and pc is ra.
T6 = 1 << 31
ARGUMENTS = 0xF << 10
PC = 1 << 0

# Where the trampoline page is mapped: how many indices its VA shares with its PA, from the root of the tables on.
BARE = (0, 0)
WHERE = (BARE, *((levels, shared) for levels in (3, 4, 5) for shared in range(levels + 1)))
AXES = {
    "where": WHERE,
    "hart": (0, 3),
    "trouble": ("stack", "stvec", "interrupts"),  # the stack pointer is wrong in all of them
    "flags": (0, RESET_FIRST, CHECK_ALL, MUST_STOP),
    "given": (0, 1),
}
Caller = Callable[..., Session]


def defines(point: Point) -> dict[str, object]:
    """What crash_caller.c is built with for a point of the matrix."""
    levels, shared = point["where"]  # type: ignore[misc]
    made = {"LEVELS": levels, "SHARED": shared, "DYING_HART": point["hart"], "FLAGS": point["flags"]}
    made |= {"GIVEN": point["given"], "BAD_STVEC": int(point["trouble"] == "stvec")}
    return {**made, "INTERRUPTS": int(point["trouble"] == "interrupts")}


def bare_call(
    build_payload: Callable[..., object], path: Path, unknown: str = "boot", filler: int = 0, **wants: object
) -> Path:
    """The caller, and the checker."""
    caller = build_payload("crash_caller", **wants)
    checker = build_payload("crash_checker", **({"FILLER": filler} if filler else {}))
    crash = bundle.Crash(REGION, 1, unknown)
    plain = bundle.simple(bundle.linux(caller.bin))  # type: ignore[attr-defined]
    payload = bundle.linux(checker.bin)  # type: ignore[attr-defined]
    return bundle.with_crash(plain, payload=payload, crash=crash).write(path)


@pytest.fixture
def call(
    stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> Callable[..., Session]:
    """call(smp=..., unknown=..., **defines): a session of a machine whose primary calls."""

    def start(
        smp: int = HARTS, unknown: str = "boot", icount: bool = False, sv: int | None = None,
        filler: int = 0, **wants: object,
    ) -> Session:  # fmt: skip
        made = bare_call(build_payload, tmp_path / "call.itb", unknown, filler, **wants)
        return Session(
            Machine(kernel=stage, initrd=made, smp=smp, memory="256M", icount=icount, sv=sv,
                    qmp=tmp_path / "qmp")
        )  # fmt: skip

    return start


def verified(session: Session) -> str:
    """The checker has seen all memory unaltered; its console, and that of the way to it."""
    filled = expect_filled(session)
    match = session.expect(VERIFIED)
    assert_verified(session.text, match, filled)
    return session.text[filled.end() : match.end()]


def notes(console: str) -> dict[int, tuple[int, int]]:
    """Which registers of which hart differ from what the caller had, and the instructions since."""
    return {int(hart): (int(mask, 16), int(ago)) for hart, mask, ago in re.findall(NOTE, console, re.MULTILINE)}


def only_note(console: str) -> tuple[int, int]:
    """That of the hart that began, and no other: its mask and instructions. (Any hart may begin.)"""
    found = notes(console)
    begun = re.findall(BEGINS, console, re.MULTILINE)
    assert [str(hart) for hart in found] == [hart for hart, _ in begun[:1]], console
    return found.popitem()[1]


def check_point(call: Caller, point: Point) -> None:
    """One crash, of all four harts."""
    wanted = T6 if point["given"] else T6 | ARGUMENTS | PC
    levels = point["where"][0]  # type: ignore[index]
    with call(sv={3: 39, 4: 48, 5: 57}.get(levels), **defines(point)) as session:
        console = verified(session)
        session.expect(ARMED)
    assert {hart: mask for hart, (mask, _) in notes(console).items()} == dict.fromkeys(range(HARTS), wanted), console
    resets = re.findall(r"^lifeboat: boot: ", console, re.MULTILINE)
    assert len(resets) == (point["flags"] == RESET_FIRST), console
    assert bool(re.search(CALLED, console, re.MULTILINE)) == (point["flags"] == RESET_FIRST), console
    if point["flags"] != RESET_FIRST: # It dies on the hart that it is told, and the crash kernel starts there.
        assert f"checker: on hart {point['hart']}" in console, console


def rotation() -> list[Point]:
    """Each place once, with the other axes' values taken in turn."""
    others = cover({name: values for name, values in AXES.items() if name != "where"})
    return [{"where": where, **others[index % len(others)]} for index, where in enumerate(WHERE)]


def name(point: Point) -> str:
    """Such as sv48-2-hart3-stvec-0-1."""
    levels, shared = point["where"]  # type: ignore[misc]
    mode = f"sv{9 * levels + 12}-{shared}" if levels else "bare"
    return f"{mode}-hart{point['hart']}-{point['trouble']}-{point['flags']}-{point['given']}"


@pytest.mark.slow
@pytest.mark.parametrize("point", rotation(), ids=name)
def test_a_call_from_anywhere_brings_the_crash_kernel(call: Caller, point: Point) -> None:
    check_point(call, point)


@pytest.mark.long
@pytest.mark.parametrize("point", points(AXES), ids=name)
def test_a_call_from_anywhere_in_any_state(call: Caller, point: Point) -> None:
    check_point(call, point)


# What it costs


def cost(call: Caller, **wants: object) -> int:
    """Instructions from the call to the crash kernel's main(), firmware's and all. (That is some forty too many.)"""
    with call(icount=True, GIVEN=1, **wants) as session:
        _, instructions = only_note(verified(session))
    print(f"\ncall: {instructions} instructions, {wants}")
    return instructions


@pytest.mark.parametrize(("levels", "sv"), [(0, None), (3, 39), (4, 48), (5, 57)])
def test_a_call_costs_at_most_5000_instructions(call: Caller, levels: int, sv: int | None) -> None:
    assert 0 < cost(call, LEVELS=levels, sv=sv) <= BUDGET


def test_a_call_that_checks_all_costs_what_the_bytes_cost(call: Caller) -> None:
    small, large = (cost(call, FLAGS=CHECK_ALL, filler=filler) for filler in (0, 1 << 20))
    each = (large - small) / (1 << 20)
    print(f"call: {each:.2f} instructions for each byte that is checked again")
    assert small > BUDGET and 0.25 < each <= 0.5


@pytest.mark.parametrize("ticks", (1, 3, 5, 7, 9, 13))
def test_an_interrupt_on_the_way_changes_nothing(call: Caller, ticks: int) -> None:
    """Each tick is 100 instructions: some come before the call, some while registers are saved, some behind that."""
    with call(icount=True, smp=1, INTERRUPTS=1, SOON=ticks, LEVELS=3) as session:
        console = verified(session)
    assert only_note(console)[0] == T6 | ARGUMENTS | PC
    assert "lifeboat: boot: " not in console, "it took a reset"


# Linux in the crash kernel's place

SHOW_NOTES = initramfs.PROLOGUE + """
echo "crash: vmcore $(stat -c %s /proc/vmcore)"
dd if=/proc/vmcore bs=4096 count=2 2> /dev/null | xxd -p -c 64 | sed 's/^/vmcore: /'
echo "crash: shown"
reboot -f
"""


def prstatus(core: bytes) -> dict[int, tuple[int, ...]]:
    """The registers in the notes of an ELF core, by pid."""
    (count,) = struct.unpack_from("<H", core, 56)
    found = {}
    for index in range(count):
        kind, _, at, _, _, size = struct.unpack_from("<IIQQQQ", core, 64 + 56 * index)
        end = at + size
        while kind == PT_NOTE and at + 12 <= end:
            name, desc, note = struct.unpack_from("<III", core, at)
            if note == NT_PRSTATUS and core[at + 12 : at + 12 + name] == b"CORE\0":
                start = at + 12 + (name + 3 & ~3)
                (pid,) = struct.unpack_from("<I", core, start + 32)
                found[pid] = struct.unpack_from("<32Q", core, start + 112)
            at += 12 + (name + 3 & ~3) + (desc + 3 & ~3)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("flags", [0, RESET_FIRST])
def test_linux_has_the_registers_in_its_vmcore(
    flags: int, stage: Path, kernel: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    caller = build_payload("crash_caller", LEVELS=4, DYING_HART=3, GIVEN=1, FLAGS=flags)
    show = initramfs.make_initramfs(tmp_path / "show.cpio", SHOW_NOTES)
    crash = bundle.Crash(256 << 20, 1, "boot")
    plain = bundle.simple(bundle.linux(caller.bin))  # type: ignore[attr-defined]
    made = bundle.with_crash(
        plain, show, "console=ttyS0 quiet panic=1", payload=bundle.linux(kernel), crash=crash
    ).write(tmp_path / "linux.itb")
    with Session(Machine(kernel=stage, initrd=made, smp=HARTS, memory="768M", sv=48)) as session:
        filled = int(expect_filled(session)[1])
        assert int(session.expect(r"crash: vmcore (\d+)")[1]) > filled
        session.expect("crash: shown")
        console = session.text
        session.expect("the crash kernel ended in good order")
    core = bytes.fromhex("".join(re.findall(r"^vmcore: (\w+)\s*$", console, re.MULTILINE)))
    found = prstatus(core)
    assert sorted(found) == list(range(HARTS))
    for hart, registers in found.items():
        wanted = [0x5EA0_0000_0000_0000 + hart * 0x10000 + index * 0x11 for index in range(31)]
        assert list(registers[:31]) == wanted


def test_a_record_that_was_written_since_costs_a_new_one(call: Caller) -> None:
    """The state that was made ready follows on nothing then. (The caller damages the newest slot.)"""
    with call(icount=True, GIVEN=1, BREAK_RECORD=1) as session:
        _, instructions = only_note(verified(session))
        session.expect(r"^lifeboat: crash: region .* record capturing, attempts 1 of 1$")
    print(f"\ncall: {instructions} instructions with a new record")
    assert BUDGET < instructions


# Harts that come late, or do not cooperate


def test_harts_that_report_late_are_waited_for(call: Caller) -> None:
    """They do so when the call is made, not before. By counted instructions: whose turn it is depends on nothing else."""
    with call(icount=True, DYING_HART=3, GIVEN=1, LATE=1) as session:
        console = verified(session)
    assert "runs on" not in console
    assert sorted(notes(console)) == list(range(HARTS))


def test_harts_that_run_on_are_told_of(call: Caller) -> None:
    with call(DYING_HART=3, COOPERATE=0) as session:
        console = verified(session)
    assert console.count("it runs on, and can harm the dump: hart ") == HARTS - 1
    assert list(notes(console)) == [3]


@pytest.mark.parametrize("flags", [RESET_FIRST, MUST_STOP])
def test_harts_that_run_on_are_reset(call: Caller, flags: int) -> None:
    with call(DYING_HART=3, COOPERATE=0, FLAGS=flags, LEVELS=3, SHARED=1) as session:
        console = verified(session)
    assert "lifeboat: call: a hart does not stop: resetting into the reset way" in console
    assert re.search(CALLED, console, re.MULTILINE)
    assert list(notes(console)) == [3]


def test_a_hart_that_nobody_knows_writes_no_note(call: Caller) -> None:
    """Those that report say they are -1, the end of the list of harts. (The caller looks behind the last slot.)"""
    with call(DYING_HART=3, NOBODY=1) as session:
        console = verified(session)
    assert list(notes(console)) == [3]


FIRMWARE = """reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;
    firmware@80000000 { reg = <0 0x80000000 0 0x200000>; no-map; }; };
"""


def with_harts_before_the_last(path: Path, more: int) -> Path:
    """The FDT of a machine with two harts, and so many that nobody has ever seen between the two."""
    plain = path.with_suffix(".plain")
    dump = ["qemu-system-riscv64", "-M", f"virt,dumpdtb={plain}", "-m", "512M", "-smp", "2", "-display", "none"]
    subprocess.run(dump, check=True, capture_output=True)
    source = subprocess.run(["dtc", "-q", "-O", "dts", plain], check=True, capture_output=True, text=True).stdout
    head, node, tail = re.split(r"(\n\t\tcpu@1 \{.*?\n\t\t\};\n)", source, maxsplit=1, flags=re.DOTALL)
    other = re.sub(r"\n\t*phandle = .*;", "", node)
    others = "".join(
        other.replace("cpu@1 ", f"cpu@{hart:x} ", 1).replace("reg = <0x01>", f"reg = <{hart:#x}>", 1)
        for hart in range(1000, 1000 + more)
    )  # fmt: skip
    changed = f"{head}{others}{node}{tail}".replace("chosen {", f"{FIRMWARE} chosen {{", 1)
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o", path, "-"], input=changed, text=True, check=True)
    return path


@pytest.mark.long
def test_a_hart_beyond_the_last_slot_is_waited_for(
    stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    """It is the FDT's 129th, and runs on. (OpenSBI sees the machine as it is; the shim hands over the other FDT.)"""
    fdt = with_harts_before_the_last(tmp_path / "harts.dtb", SLOTS - 1)
    made = bare_call(build_payload, tmp_path / "call.itb", COOPERATE=0, DYING_HART=0)
    Fdt(fdt).put("/chosen", "linux,initrd-start", 0, BUNDLE_AT)
    Fdt(fdt).put("/chosen", "linux,initrd-end", 0, BUNDLE_AT + made.stat().st_size)
    shim = Shim(stage, build_payload, fdt, tmp_path)
    with Session(shim.machine(fdt, extra=loader(made, BUNDLE_AT), smp=2, memory="512M")) as session:
        session.expect(f"crash: 1 harts can't save registers: there is room for {SLOTS}")
        console = verified(session)
    assert re.findall("it runs on, and can harm the dump: hart 0x0*(.*)", console) == ["1"]
    assert list(notes(console)) == [0]


# What is broken


def test_bad_registers_cost_the_note_only(call: Caller) -> None:
    with call(BREAK_REGS=1, LEVELS=4) as session:
        console = verified(session)
    assert notes(console) == {}
    assert "lifeboat: boot: " not in console, "it took a reset"


def test_a_damaged_area_leads_into_the_reset_way(call: Caller) -> None:
    """Nothing of it is believed then: the bundle's policy decides."""
    with call(BREAK_HEADER=1, LEVELS=5, unknown="capture") as session:
        console = verified(session)
    assert console.count("lifeboat: boot: ") == 1
    assert notes(console) == {}


@pytest.mark.parametrize("word", ["sum", "fdt", "entry", "record", "ready"])
def test_a_damaged_state_leads_into_the_reset_way(call: Caller, stage_elf: Path, word: str) -> None:
    offset = {"sum": 0, "fdt": 8, "entry": 16, "record": 24, "ready": 256}[word]
    symbol = symbols(stage_elf)
    distance = symbol["crash_entry_state"] - symbol["crash_entry"] + offset
    with call(BREAK_WORD=distance, GIVEN=1) as session:
        console = verified(session)
    assert "lifeboat: call: the prepared state is damaged, or there is none: resetting into the reset way" in console
    assert re.search(CALLED, console, re.MULTILINE)
    assert only_note(console)[0] == T6


def test_a_note_that_is_not_whole_is_left_out(call: Caller) -> None:
    with call(BREAK_NOTE=1, GIVEN=1, FLAGS=RESET_FIRST) as session:
        console = verified(session)
    assert re.findall(SAVED, console, re.MULTILINE) == [("1", str(HARTS))]
    only_note(console)


def test_without_the_second_mapping_it_does_not_get_there(call: Caller, stage_elf: Path) -> None:
    """The trampoline tables are what carries it: with the page's identity mapping erased it parks in pass one."""
    symbol = symbols(stage_elf)
    with call(BREAK_LEAF=1, LEVELS=3, SHARED=2) as session:
        page = int(session.expect(BEGINS)[2], 16)
        park = page + symbol["norelocate_park"] - symbol["trampoline_start"]
        session.until(lambda: any(park <= pc < park + PARK_SIZE for pc in session.pcs()), "a hart in norelocate_park")
        assert not re.search("^checker: |^lifeboat: call", session.text, re.MULTILINE), session.text
        session.qmp("system_reset")
        session.expect(CALLED)
        session.expect(VERIFIED)
