# SPDX-License-Identifier: BSD-2-Clause
"""For drgn: whose the pages are that are not in a dump of a riscv64 Linux, and whether any of them was the kernel's own.

    drgn -c vmcore -s vmlinux absent.py

Asked twice: struct page tells what each absent page was. And page tables lead to all that the kernel had mapped beside its
map of all RAM (itself, modules, stacks, vmalloc, struct page), to the tables themselves, too: that must be there. The dump is
makedumpfile's, not flattened: its first bitmap has the pages of /proc/vmcore, also those that makedumpfile then left out.
"""

import struct
from collections import Counter
from collections.abc import Container, Iterator
from itertools import groupby
from pathlib import Path

from drgn import FaultError, FindObjectFlags, Object, Program
from drgn.helpers.linux import (
    PageReserved, compound_head, for_each_module, for_each_slab_cache, for_each_task, for_each_valid_pfn_and_page,
    get_dmesg, slab_cache_usage,
)  # fmt: skip

SHIFT, ENTRIES = 12, 512
BLOCK_SIZE = 428  # in the dump's header; behind it the blocks of the sub-header, and those of both bitmaps
LEVELS = {8: 3, 9: 4, 10: 5}  # by satp's mode
VALID, LEAF, PFN_AT, PFN_BITS = 1, 0xE, 10, 44
TYPE_AT, NO_TYPE = 24, 0xFF
RESERVED, KERNEL = "reserved by the FDT", "of the kernel"
NOT_ITS_OWN = RESERVED, "free", "of a program", "of a file"


class Present:
    """The pages, by number, that /proc/vmcore had."""

    def __init__(self, dump: Path) -> None:
        with dump.open("rb") as file:
            file.seek(BLOCK_SIZE)
            block, sub, bitmaps = struct.unpack("<3I", file.read(12))
            file.seek(block * (1 + sub))
            self.bits = file.read(block * bitmaps // 2)

    def __contains__(self, pfn: object) -> bool:
        assert isinstance(pfn, int)
        return pfn < 8 * len(self.bits) and bool(self.bits[pfn >> 3] >> (pfn & 7) & 1)


def reserved(prog: Program) -> list[range]:
    """The pages that the kernel was told to leave alone."""
    count = prog.object("reserved_mem_count", FindObjectFlags.VARIABLE, "of_reserved_mem.c")
    bounds = [(each.base.value_(), each.size.value_()) for each in prog["reserved_mem"][: count.value_()]]
    return [range(base >> SHIFT, base + size >> SHIFT) for base, size in bounds]


def kind(page: Object, types: dict[int, str]) -> str:
    """What a page was, by its struct page."""
    head = compound_head(page)
    named = types.get(head.page_type.value_() >> TYPE_AT)
    mapping = head.mapping.value_()
    if PageReserved(page):
        return KERNEL
    if named:
        return "free" if named == "buddy" else f"{KERNEL} ({named})"
    if not head._refcount.counter.value_():
        return "free"
    return KERNEL if not mapping else "of a program" if mapping & 1 else "of a file"


def absent(prog: Program, present: Container[int]) -> dict[int, str]:
    """The pages that are not there, with what they were."""
    values = prog.type("enum pagetype").enumerators or ()
    types = {each.value: each.name.removeprefix("PGTY_") for each in values if each.value != NO_TYPE}
    told = reserved(prog)
    return {
        pfn: RESERVED if PageReserved(page) and any(pfn in pages for pages in told) else kind(page, types)
        for pfn, page in for_each_valid_pfn_and_page(prog)
        if pfn not in present
    }


def physical(prog: Program, va: int) -> int:
    """Where something lies that is in the kernel's image, or in its map of all RAM."""
    at = prog["kernel_map"]
    return va - (at.va_kernel_pa_offset if va >= at.virt_addr else at.va_pa_offset).value_()


def walked(prog: Program, table: int, level: int, va: int = 0) -> Iterator[tuple[str, int, range]]:
    """A page table and all below it: each table and leaf with the address that it is for, and its pages."""
    yield "table", va, range(table >> SHIFT, (table >> SHIFT) + 1)
    try:
        content = prog.read(table, ENTRIES * 8, physical=True)
    except FaultError:  # all zeroes, and so left out
        return
    for index, entry in enumerate(struct.unpack(f"<{ENTRIES}Q", content)):
        pages = 1 << 9 * (level - 1)
        at, pfn = va + (index * pages << SHIFT), entry >> PFN_AT & (1 << PFN_BITS) - 1
        if entry & VALID and entry & LEAF:
            yield "leaf", at, range(pfn, pfn + pages)
        elif entry & VALID:
            yield from walked(prog, pfn << SHIFT, level - 1, at)


def held(prog: Program) -> Iterator[tuple[str, range]]:
    """What the kernel has mapped for itself, but for its map of all RAM; and everybody's page tables."""
    levels = LEVELS[prog["satp_mode"].value_() >> 60]
    kernel = prog["init_mm"].address_of_()
    ram = prog["kernel_map"].page_offset.value_() & (1 << SHIFT + 9 * levels) - 1
    map_of_ram = range(ram, ram + (prog["max_low_pfn"].value_() << SHIFT))
    roots = {kernel.pgd.value_()} | {task.mm.pgd.value_() for task in for_each_task(prog) if task.mm}
    for root in roots:
        for what, va, pages in walked(prog, physical(prog, root), levels):
            if what == "table":
                yield "of page tables", pages
            elif root == kernel.pgd.value_() and va not in map_of_ram:
                yield "mapped", pages


def main(prog: Program) -> None:
    """Both questions, and what the kernel's own lists lead to."""
    gone = absent(prog, Present(Path(prog.core_dump_path)))
    for _, run in groupby(enumerate(gone.items()), lambda item: (item[1][0] - item[0], item[1][1] == RESERVED)):
        pages = dict(item for _, item in run)
        counts = ", ".join(f"{count} {what}" for what, count in Counter(pages.values()).most_common())
        print(f"absent: [{min(pages) << SHIFT:#x}..{(max(pages) + 1 << SHIFT) - 1:#x}] {counts}")
    own = {pfn for pfn, what in gone.items() if what not in NOT_ITS_OWN}
    pages_of: dict[str, set[int]] = {}
    for what, found in held(prog):
        pages_of.setdefault(what, set()).update(found)
    own |= {pfn for found in pages_of.values() for pfn in found if gone.get(pfn, RESERVED) != RESERVED}
    print("held: " + ", ".join(f"{len(found)} pages {what}" for what, found in pages_of.items()))
    tasks, modules, caches = (list(each(prog)) for each in (for_each_task, for_each_module, for_each_slab_cache))
    objects = sum(slab_cache_usage(cache).num_objs for cache in caches)
    lines = len(get_dmesg(prog).splitlines())
    print(f"walked: {len(tasks)} tasks, {len(modules)} modules, {lines} lines of log, {len(caches)} slab caches with {objects} objects")
    print(f"absent of the kernel's own: {len(own)} pages", *(f"{pfn << SHIFT:#x}" for pfn in sorted(own)[:8]))


if "prog" in globals():  # set by drgn
    main(globals()["prog"])
