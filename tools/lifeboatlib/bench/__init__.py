# SPDX-License-Identifier: BSD-2-Clause
"""Measures what lifeboat costs, beside U-Boot, EDK2 and kexec-tools with the same files, by deterministic counts.

Instructions are those that a hart retires (QEMU -icount), from a program's first one to its successor's first one. They
are no seconds: a byte that is hashed and a byte that waits for DRAM count alike. The same tree, QEMU, firmware and kernel
give the same figures, but for the FDT's random seeds and the pace of the console.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from lifeboatlib import build, setup, target
from lifeboatlib.bench import boot, chart, crash, footprint, growth, lend, shares, table
from lifeboatlib.bench.bed import Bed, Figure, Row
from lifeboatlib.ui import say

HELP = "measure instructions and bytes, beside U-Boot's, EDK2's and kexec's, and print a table"
EXAMPLES = (
    "tools/lifeboat bench --json bench.json --svg bench.svg",
    "tools/lifeboat bench --only boot --into README.md",
    "tools/lifeboat bench --only memory --only packing --into docs/crash.md",
)

PARTS: dict[str, Callable[[], list[Row]]] = {
    "boot": boot.rows,
    "crash": crash.rows,
    "growth": growth.rows,
    "sizes": growth.size_rows,
    "shares": shares.rows,
    "bytes": footprint.rows,
    "memory": lend.rows,
    "packing": lend.packing_rows,
}
CHARTED = ("boot", "crash")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the bench command."""
    parser.add_argument("--only", choices=PARTS, action="append", help="a part; may be given again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON, too")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the boots and deaths as bars")
    parser.add_argument("--into", type=Path, metavar="FILE", help="put the tables into a Markdown file's places")
    parser.add_argument("--compiler", choices=build.COMPILERS, default="gcc", help="default: gcc")


def measured(bed: Bed, parts: list[str]) -> list[Figure]:
    """All rows of some parts; each is shown as soon as it is there."""
    figures = []
    for row in (row for part in parts for row in PARTS[part]()):
        figures.append(Figure.of(row, bed))
        say(f"bench: {table.line(figures[-1])}")
    return figures


def main(args: argparse.Namespace) -> int:
    """Measures, and shows."""
    setup.for_build()
    setup.for_boot()
    setup.for_image((target.EDK2, target.GRUB))
    directory = build.build_stage(args.compiler)
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        bed = Bed(Path(scratch), directory / "lifeboat.bin", directory / "lifeboat.elf")
        figures = measured(bed, args.only or list(PARTS))
    say("")
    for figure in figures:
        say(table.line(figure))
    if args.json:
        args.json.write_text(json.dumps([vars(each) for each in figures], indent=1) + "\n", encoding="utf-8")
    if args.svg:
        args.svg.write_text(chart.draw([each for each in figures if each.part in CHARTED]), encoding="utf-8")
    if args.into:
        table.put(args.into, figures)
    return 0
