# SPDX-License-Identifier: BSD-2-Clause
"""Walks RISC-V page tables, by the Privileged Architecture ("Sv39", "Sv48", "Sv57") and nothing else.

It knows nothing of the stage: it is the independent oracle for what the stage has built.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

PAGE = 0x1000
ENTRIES = 512
V, R, W, X, U, G, A, D = (1 << bit for bit in range(8))
POINTER_RESERVED = U | A | D
PPN_SHIFT = 10
PPN_MASK = (1 << 44) - 1
HIGH_BITS = ~((1 << 54) - 1) & (1 << 64) - 1
LEVELS = {8: 3, 9: 4, 10: 5}
MODES = {39: 8, 48: 9, 57: 10}


@dataclass(frozen=True)
class Leaf:
    """One leaf PTE: what it maps, how, and where the PTE itself lies."""

    va: int
    pa: int
    size: int
    bits: int
    pte_pa: int

    @property
    def perms(self) -> str:
        """Such as "rw-"."""
        return "".join(c if self.bits & bit else "-" for c, bit in (("r", R), ("w", W), ("x", X)))

    def __str__(self) -> str:
        return f"{self.va:#x}+{self.size:#x} -> {self.pa:#x} {self.perms}"


@dataclass
class Tables:
    """All that hangs on one value of satp."""

    satp: int
    leaves: list[Leaf] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    malformed: list[str] = field(default_factory=list)

    @property
    def levels(self) -> int:
        """How many levels the mode has."""
        return LEVELS[self.satp >> 60]

    @property
    def upper_half(self) -> int:
        """The lowest virtual address of the upper half."""
        return (1 << 64) - (1 << (12 + 9 * self.levels - 1))

    def find(self, va: int) -> Leaf | None:
        """The leaf that maps a virtual address."""
        return next((leaf for leaf in self.leaves if leaf.va <= va < leaf.va + leaf.size), None)

    def translate(self, va: int) -> int:
        """The physical address of a virtual one, which must be mapped."""
        leaf = self.find(va)
        assert leaf, f"{va:#x} is not mapped"
        return leaf.pa + va - leaf.va

    def touching(self, start: int, end: int) -> list[Leaf]:
        """The leaves that map anything of the virtual addresses [start, end)."""
        return [leaf for leaf in self.leaves if leaf.va < end and start < leaf.va + leaf.size]

    def showing(self, pa: int, size: int = PAGE) -> list[Leaf]:
        """The leaves by which anything of the physical addresses [pa, pa + size) can be reached."""
        return [leaf for leaf in self.leaves if leaf.pa < pa + size and pa < leaf.pa + leaf.size]


def walk(satp: int, read: Callable[[int, int], bytes]) -> Tables:
    """Reads all tables under satp; `read` gives physical memory."""
    tables = Tables(satp)
    assert satp >> 60 in LEVELS, f"satp {satp:#x} is of no known mode"
    work = [((satp & PPN_MASK) * PAGE, tables.levels - 1, 0)]
    while work:
        table, level, va = work.pop()
        assert table not in tables.pages, f"table {table:#x} is used twice"
        tables.pages.append(table)
        content = read(table, PAGE)
        for index in range(ENTRIES):
            pte = int.from_bytes(content[8 * index : 8 * index + 8], "little")
            if not pte & V:
                continue
            span = PAGE << 9 * level
            pa = (pte >> PPN_SHIFT & PPN_MASK) * PAGE
            below = va + index * span
            _check(tables, pte, pa, level, f"PTE {pte:#x} at {table + 8 * index:#x}, level {level}")
            if pte & (R | X):
                leaf = Leaf(_extend(below, tables.levels), pa, span, pte & 0xFF, table + 8 * index)
                tables.leaves.append(leaf)
            elif level:
                work.append((pa, level - 1, below))
    tables.leaves.sort(key=lambda leaf: leaf.va)
    return tables


def _extend(va: int, levels: int) -> int:
    """The canonical form of an address: its top bit copied upwards."""
    bits = 12 + 9 * levels
    return va | (1 << 64) - (1 << bits) if va >> (bits - 1) else va


def _check(tables: Tables, pte: int, pa: int, level: int, what: str) -> None:
    """Notes what the specification reserves, or what makes the hart fault."""
    leaf = pte & (R | X)
    wrong = (
        (pte & HIGH_BITS, "has reserved or extension bits set"),
        (pte & W and not pte & R, "is writable but not readable"),
        (not leaf and level == 0, "points to a table below the last level"),
        (not leaf and pte & POINTER_RESERVED, "is a pointer with U, A or D"),
        (leaf and pa % (PAGE << 9 * level), "is a misaligned large leaf"),
    )
    tables.malformed += [f"{what} {why}" for bad, why in wrong if bad]


def pages(leaves: list[Leaf]) -> list[tuple[int, int]]:
    """The physical ranges [start, end) that leaves map, sorted, neighbours joined."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted((leaf.pa, leaf.pa + leaf.size) for leaf in leaves):
        if joined and joined[-1][1] >= start:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
