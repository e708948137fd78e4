# SPDX-License-Identifier: BSD-2-Clause
"""Draws how the stage's page tables, and then the trampoline's, translate the two addresses of the trampoline page.

It boots the stage in QEMU to its two passes and walks what satp points to, as the hart would: at pass one with the stage's
own tables, at pass two with the trampoline's, which map one page both at its virtual and at its physical address.
"""

import argparse
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import svg
from lifeboatlib.arguments import existing_file
from lifeboatlib.gdbstub import Gdb, debugged
from lifeboatlib.paths import stage_dir
from lifeboatlib.qemu import Machine
from lifeboatlib.ui import LifeboatError, say

HELP = "draw the page tables of both passes, walked in QEMU"
EXAMPLES = (
    "tools/lifeboat tables --bundle bundle.itb --sv 57 --svg tables.svg",
)

PAGE = 0x1000
MODES = {8: 39, 9: 48, 10: 57}
PPN = (1 << 44) - 1
BITS = "vrwxugad"
LEAF = 0b1110
FIRST = "trampoline_start"
NM = "riscv64-linux-gnu-nm"


@dataclass(frozen=True)
class Entry:
    """One step of a walk: the PTE at an index of a table."""

    level: int
    table: int
    index: int
    pte: int

    @property
    def leaf(self) -> bool:
        """Does the walk end here with a translation?"""
        return bool(self.pte & LEAF)

    @property
    def flags(self) -> str:
        """Such as v-rx--ad."""
        return "".join(bit if self.pte >> place & 1 else "-" for place, bit in enumerate(BITS))


@dataclass(frozen=True)
class Walk:
    """From satp to a leaf, or to a hole."""

    name: str
    va: int
    steps: list[Entry]

    @property
    def result(self) -> str:
        """Where it led."""
        last = self.steps[-1]
        if not last.leaf:
            return "not mapped"
        span = PAGE << 9 * last.level
        return f"{(last.pte >> 10 & PPN) * PAGE + self.va % span:#x}"


def walk(name: str, satp: int, va: int, read: Callable[[int, int], bytes]) -> Walk:
    """As the hart does it; `read` gives physical memory."""
    table = (satp & PPN) * PAGE
    steps: list[Entry] = []
    for level in range(satp_levels(satp) - 1, -1, -1):
        index = va >> 12 + 9 * level & 511
        pte = int.from_bytes(read(table + 8 * index, 8), "little")
        steps.append(Entry(level, table, index, pte))
        if not pte & 1 or pte & LEAF:
            break
        table = (pte >> 10 & PPN) * PAGE
    return Walk(name, va, steps)


def satp_levels(satp: int) -> int:
    """3, 4 or 5."""
    if satp >> 60 not in MODES:
        raise LifeboatError(f"tables: satp is {satp:#x}: no paging is on")
    return (satp >> 60) - 5


def address_of(elf: Path, symbol: str) -> int:
    """Of a symbol of the stage."""
    done = subprocess.run([NM, elf], capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) == 3 and words[2] == symbol:
            return int(words[0], 16)
    raise LifeboatError(f"tables: {elf.name} has no symbol {symbol}: run tools/lifeboat build")


@dataclass(frozen=True)
class Pass:
    """A pass of the trampoline: its tables, and both addresses of its page in them."""

    title: str
    satp: int
    walks: list[Walk]


def look(machine: Machine, elf: Path) -> list[Pass]:
    """Both passes, watched."""
    with debugged(machine) as (_, gdb):
        va = address_of(elf, FIRST)
        gdb.run_to(va)
        one = gdb.register("satp")
        pa = int(walk("", one, va, gdb.read_physical).result, 16)
        passes = [("Pass one: the stage's tables, at the virtual address", one)]
        walks = [both(one, va, pa, gdb)]
        gdb.run_to(pa)
        two = gdb.register("satp")
        passes.append(("Pass two: the trampoline's tables, at VA = PA", two))
        walks.append(both(two, va, pa, gdb))
    return [Pass(title, satp, found) for (title, satp), found in zip(passes, walks, strict=True)]


def both(satp: int, va: int, pa: int, gdb: Gdb) -> list[Walk]:
    """The page's two addresses under one satp."""
    return [
        walk("virtual", satp, va, gdb.read_physical),
        walk("physical", satp, pa, gdb.read_physical),
    ]


def terminal(passes: Sequence[Pass]) -> str:
    """A line for each step."""
    lines: list[str] = []
    for one in passes:
        lines += [f"{one.title}", f"  satp {one.satp:#x}: Sv{MODES[one.satp >> 60]}"]
        for found in one.walks:
            lines.append(f"  {found.name} {found.va:#x}")
            for step in found.steps:
                where = f"[{step.index:3}] of the table at {step.table:#x}"
                meaning = "leaf " + step.flags if step.leaf else "pointer" if step.pte & 1 else "hole"
                lines.append(f"    level {step.level}  {where:<38} {step.pte:#018x}  {meaning}")
            lines.append(f"    -> {found.result}")
        lines.append("")
    return "\n".join(lines).rstrip()


def draw(passes: Sequence[Pass]) -> str:
    """A panel for each pass: tables as boxes, one below the other, shared ones drawn once."""
    shapes: list[str] = []
    width, top = 560, 70
    deepest = max(satp_levels(one.satp) for one in passes)
    for number, one in enumerate(passes):
        x = 20 + number * (width + 20)
        shapes.append(svg.text(x, 28, one.title, size=15))
        shapes.append(svg.text(x, 50, f"satp {one.satp:#x}: Sv{MODES[one.satp >> 60]}", size=11))
        for lane, found in enumerate(one.walks):
            shapes += lane_of(found, one.walks[0] if lane else None, x + 280 * lane, top)
    return svg.picture(40 + len(passes) * (width + 20), top + 84 * deepest + 60, shapes)


def lane_of(found: Walk, other: Walk | None, x: float, top: float) -> list[str]:
    """One walk from the top down; a table that the other walk goes through, too, is dashed."""
    shapes = [svg.text(x, top + 12, f"{found.name} {found.va:#x}", size=12)]
    shared = {step.table for step in other.steps} if other else set()
    y = top + 22
    for step in found.steps:
        colour = svg.GREEN if step.leaf else svg.SKY if step.pte & 1 else svg.PALE
        shapes.append(svg.box(x, y, 250, 44, colour, dashed=step.table in shared))
        shapes.append(svg.text(x + 8, y + 18, f"level {step.level}: table {step.table:#x}", size=11))
        meaning = f"leaf {step.flags}" if step.leaf else "next table" if step.pte & 1 else "hole"
        shapes.append(svg.text(x + 8, y + 35, f"entry {step.index}: {meaning}", size=11))
        shapes.append(svg.line(x + 125, y + 44, x + 125, y + 66, arrow=True))
        y += 68
    shapes.append(svg.text(x + 125, y + 14, found.result, "middle", 12))
    return shapes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the tables command."""
    parser.add_argument("--bundle", type=existing_file, metavar="FIT", required=True, help="what the stage starts")
    parser.add_argument("--sv", type=int, choices=sorted(MODES.values()), help="cap the CPU's paging mode")
    parser.add_argument("--memory", default="1G", metavar="SIZE", help="default 1G")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw it into a file, too")


def main(args: argparse.Namespace) -> int:
    """Draws the tables."""
    directory = stage_dir()
    machine = Machine(
        kernel=directory / "lifeboat.bin", initrd=args.bundle, sv=args.sv, memory=args.memory
    )
    passes = look(machine, directory / "lifeboat.elf")
    say(terminal(passes))
    if args.svg:
        args.svg.write_text(draw(passes), encoding="utf-8")
    return 0
