# SPDX-License-Identifier: BSD-2-Clause
"""Reads which pages a dump in makedumpfile's format (kdump-compressed) has.

A header block, blocks of a sub-header, then two bitmaps: the pages of RAM, and those that are in the dump.
"""

import re
import struct

PAGE = 4096
BLOCK_SIZE, BITMAP_BLOCKS = 428, 436  # in the header; the sub-header's blocks are between them


class Pages:
    """The pages of a dump."""

    def __init__(self, dump: bytes) -> None:
        self.dump = dump
        (block,) = struct.unpack_from("<I", dump, BLOCK_SIZE)
        sub, bitmaps = struct.unpack_from("<II", dump, BITMAP_BLOCKS - 4)
        self.ram_at, size = block * (1 + sub), block * bitmaps // 2  # where the first bitmap lies
        first, second = (dump[start : start + size] for start in (self.ram_at, self.ram_at + size))
        self.ram, self.kept = int.from_bytes(first, "little"), int.from_bytes(second, "little")

    def left_out(self) -> int:
        """How many pages of RAM are not in the dump."""
        return (self.ram & ~self.kept).bit_count()

    def has(self, pa: int) -> bool:
        """Is the page at an address in the dump?"""
        assert self.ram >> (pa // PAGE) & 1, f"{pa:#x} is not RAM"
        return bool(self.kept >> (pa // PAGE) & 1)

    def number(self, pattern: str, base: int) -> int:
        """A number of the dead kernel's VMCOREINFO."""
        found = re.search(pattern.encode(), self.dump)
        assert found, f"{pattern} is not in the dump"
        return int(found[1], base)

    def mem_section(self) -> int:
        """Where the dead kernel keeps the root of its page structs: early memory that is never freed."""
        va = self.number(r"SYMBOL\(mem_section\)=([0-9a-f]+)", 16)
        offset = self.number(r"NUMBER\(PAGE_OFFSET\)=0x([0-9a-f]+)", 16)
        return va - offset + self.number(r"NUMBER\(phys_ram_base\)=(\d+)", 10)
