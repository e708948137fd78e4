# SPDX-License-Identifier: BSD-2-Clause
"""How deep the stack can get from each entry: frames and calls, read from the code that was linked.

The call through a pointer is the part that no reader of the code can see. So each function that makes one is in a table, with all
that it may call by it; an entry that is missing, or there for nothing, fails.
"""

import copy
import functools
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from lifeboatlib.paths import REPO
from symbols import symbols
from test_stage import Instruction, disassemble

SAVE = "__riscv_save_"  # the compiler's: makes the frame of who calls it by t0
ASSEMBLY = {"norelocate", "norelocate_enter", "trap_entry", "crash_entry", "lottery", "won", "smp_wait", "smp_park", "smp_help", "memset"}  # jumps, in files of their own
SPARE = 1024  # bytes of each stack that stay unused

# Who calls by a pointer, and what: C's names, as patterns. A compiler may inline either.
BY_POINTER = {
    "take_children": "take_reservation|take_memory|take_hart",
    "fix_chosen": r"\w+_value|has_\w+|is_crash_kernel",
    "growth": r"\w+_value|has_\w+|is_crash_kernel",
    "fdt_make_payload_fdt": r"fix_\w+|reserve_fix\w*",
    "read_ranges": r"sink_\w+",
    "fdt_read_machine": r"read_(root|top|chosen|cpus?|reserved_memory|reservation)",
    "fit_region_walk": "add_region",
    "bundle_read_payload": "image_read_elf|image_read_linux",
    "find_format": "image_is_elf|image_is_linux",
    "bundle_read_config": "image_read_elf|image_read_linux",
    "settle": "caches_write_back|write_back",
    "cache_clean_range": "caches_clean_block|thead_clean_line",
    "decompress_measure": "(gzip|lz4|zstd)_measure",
    "unpack_kernel": "(gzip|lz4|zstd)_unpack",
    "printk_visit_last": "count_words|say_words|keep_last|put_record|take_timestamp",
    "sha2_add": r"sha(256|512)_blocks|\w+_zv?knh[ab]?",
    "sha2_end": r"sha(256|512)_blocks|\w+_zv?knh[ab]?",
    "add_blocks": r"sha(256|512)_blocks|\w+_zv?knh[ab]?",
    "share_run": r"sha(256|512)_blocks|\w+_zv?knh[ab]?",
    "crc32_add": "crc32_zbc",
    "check_ring": "verify_rsa|verify_ecdsa",
    "verify_begin": "crc32_begin|sha2_state_begin",
    "verify_add": "crc32_add|sha2_state_add",
    "verify_end": "crc32_end|sha2_state_end",
    "menu_choose": r"show_\w+|reset|power_off",
    "bootargs_make": "crash_is_barred",
    "source_find": r"find_\w+",
    "__i_vfprintf": "__file_str_put",
    "mbedtls_platform_zeroize": "memset",
    "ZSTD_freeDDict": "",  # without a custom allocator it calls nothing
}

# On the crash path it is known which of them.
ON_THE_CRASH_PATH = {"settle": "write_back", "cache_clean_range": "caches_clean_block"}

# Circles of calls that go round once and no more. libfdt takes only an alias that is a whole path, and looks for /aliases by one.
ONCE = {("fdt_path_offset_namelen", "fdt_get_alias_namelen"), ("fdt_path_offset_namelen", "fdt_path_offset")}

# Functions of the libraries that call themselves, and how deep: an overlay's nodes (OVERLAY_DEPTH_MAX), and a header that is short.
DEEP = {
    "overlay_apply_node": 33,
    "overlay_adjust_node_phandles": 33,
    "overlay_prevent_phandle_overwrite_node": 33,
    "overlay_update_local_node_references": 33,
    "overlay_update_node_conflicting_references": 33,
    "FSE_readNCount_body": 2,
}

# The most that each entry may take of its stack, everything below it included. (Measured with gcc 12, and some room.)
ENTRIES = {
    "start": ("stage_rw_start", "stack_top", 11264),
    "do_without_crash_kernel": ("stage_rw_start", "stack_top", 11264),  # by trap.S, on the empty stack
    "trap_handle": ("trap_stack_bottom", "trap_stack_top", 1024),
    "crash_entry_decide": ("stage_rw_start", "stack_top", 2048),
}
NOT_ON_THE_CRASH_PATH = re.compile(r".*(alloc|printf|memmap_take).*")


@dataclass
class Function:
    """What it takes of the stack, and what it calls."""

    frame: int = 0
    calls: set[str] = field(default_factory=set)
    by_pointer: bool = False


def plain(name: str) -> str:
    """The name in C: compilers add .isra.0 and the like to parts and copies."""
    return name.split(".")[0]


def moves_stack(row: Instruction, before: Instruction | None) -> int:
    """How many bytes it takes off the stack pointer."""
    if not re.fullmatch(r"(c\.)?addi(16sp)?", row.name) or not re.match(r"sp,(sp,)?-", row.operands):
        return 0
    if before and before.name == "auipc" and before.operands.startswith("sp,"):
        return 0  # la sp, ...
    return -int(re.split(r"[,\s]", re.sub(r"\s*#.*", "", row.operands))[-1], 0)


def read(elf: Path) -> dict[str, Function]:
    """All functions of the stage. Of static ones with one name each has a number of its own behind it."""
    rows = disassemble(elf, "-M", "no-aliases")
    entry: dict[int, str] = {}
    for before, row in pairwise([None, *rows]):
        if not before or before.function != row.function:
            known = sum(plain(name) == plain(row.function) for name in entry.values())
            entry[row.address] = f"{row.function}.{known}" if known else row.function
    found: dict[str, Function] = defaultdict(Function)
    before, name = None, ""
    for row in rows:
        name = entry.get(row.address, name)
        function = found[name]
        function.frame += moves_stack(row, before)
        if row.name in ("jal", "c.j", "c.jal", "jalr") and row.target:
            called, returns = entry.get(row.target), row.name == "c.jal" or row.operands.startswith("ra,")
            if called and (called != name or returns):  # or else it is a loop
                function.calls.add(called)
        elif row.name in ("c.jalr", "c.jr", "jalr") and row.operands not in ("ra", "zero,0(ra)"):
            function.by_pointer |= row.function not in ASSEMBLY and not row.function.startswith(SAVE)
        elif row.name in ("sub", "c.sub", "add", "c.add") and row.operands.startswith("sp,"):
            assert row.function in ("high", *ASSEMBLY), f"{row.function} has a frame of a size that nobody knows"
        before = row
    return found


def resolve(found: dict[str, Function], by_pointer: Mapping[str, str]) -> dict[str, Function]:
    """With what is called by pointers, and the frames that the compiler's helpers make."""
    found = copy.deepcopy(found)
    for name, function in found.items():
        for saver in [each for each in function.calls if each.startswith(SAVE)]:
            function.frame += found[saver].frame
        function.calls = {each for each in function.calls if not each.startswith("__riscv_")}
        if plain(name) in DEEP:
            function.frame *= DEEP[plain(name)]
            function.calls.discard(name)
        if function.by_pointer and (pattern := by_pointer.get(plain(name))):
            function.calls |= {each for each in found if re.fullmatch(pattern, plain(each))}
    return found


@pytest.fixture(scope="module")
def code(stage_elf: Path) -> dict[str, Function]:
    """Of the build, without what is called by pointers."""
    return read(stage_elf)


def reach(found: dict[str, Function], start: str) -> set[str]:
    """A function, and all that can be called from it."""
    seen, waiting = {start}, [start]
    while waiting:
        new = found[waiting.pop()].calls - seen
        seen |= new
        waiting += new
    return seen


def depth(found: dict[str, Function], start: str) -> tuple[int, list[str]]:
    """The most bytes below the entry, and the way there. A circle has no such figure, and fails."""
    on_the_way: list[tuple[str, bool]] = []

    @functools.cache
    def deepest(name: str, again: bool) -> tuple[int, tuple[str, ...]]:
        assert (name, again) not in on_the_way, f"a circle of calls: {on_the_way} {name}"
        on_the_way.append((name, again))
        calls = {each: (name, each) in ONCE for each in found[name].calls}
        ways = (deepest(each, again or round_) for each, round_ in calls.items() if not (again and round_))
        below = max(ways, default=(0, ()))
        on_the_way.pop()
        return found[name].frame + below[0], (name, *below[1])

    most, way = deepest(start, False)
    return most, list(way)


def test_each_call_by_a_pointer_is_in_the_table(code: dict[str, Function]) -> None:
    calling = {plain(name) for name, function in code.items() if function.by_pointer}
    assert calling <= BY_POINTER.keys(), calling - BY_POINTER.keys()
    for name in calling & BY_POINTER.keys():
        pattern = BY_POINTER[name]
        known = any(re.fullmatch(pattern, plain(each)) for each in code)
        assert known or not pattern, f"nothing of what {name} calls is there: {pattern}"


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_stack_suffices(entry: str, code: dict[str, Function], stage_elf: Path) -> None:
    functions = resolve(code, BY_POINTER | (ON_THE_CRASH_PATH if entry.startswith("crash") else {}))
    bottom, top, most = ENTRIES[entry]
    known = symbols(stage_elf)
    taken, way = depth(functions, entry)
    print(f"\nstack: {entry} takes {taken} bytes at most, by {' > '.join(way)}")
    assert len(way) > 2, "hardly any call was found: the test is blind"
    assert taken <= most <= known[top] - known[bottom] - SPARE


def test_a_helpers_stack_suffices(code: dict[str, Function]) -> None:
    """That of a hart with a share of the checks: small, and nothing guards it."""
    header = (REPO / "boot" / "smp.h").read_text(encoding="utf-8")
    size = int(re.search(r"^#define SMP_STACK_SIZE (\d+)$", header, re.MULTILINE)[1])  # type: ignore[index]
    taken, way = depth(resolve(code, BY_POINTER), "share_run")
    print(f"\nstack: a helper takes {taken} bytes at most, by {' > '.join(way)}")
    assert len(way) == 2, "the blocks were not found: the test is blind"
    assert taken <= size // 2


def test_the_crash_path_allocates_nothing_and_calls_few_pointers(code: dict[str, Function]) -> None:
    """From a call to the crash kernel: what runs when nothing can be relied on."""
    functions = resolve(code, ON_THE_CRASH_PATH)
    path = reach(functions, "crash_entry_decide")
    assert {plain(name) for name in path if functions[name].by_pointer} <= ON_THE_CRASH_PATH.keys()
    assert not [name for name in path if NOT_ON_THE_CRASH_PATH.match(name)]
