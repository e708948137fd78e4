# SPDX-License-Identifier: BSD-2-Clause
"""Shows figures: a line each for the terminal, and tables for a Markdown file that keeps a place for them."""

import re
from collections.abc import Sequence
from pathlib import Path

from lifeboatlib.bench.bed import Figure
from lifeboatlib.ui import LifeboatError

MILLION = 10**6
KIB = 1024
UNITS = {"instructions": ("million instructions", MILLION), "bytes": ("KiB", KIB)}
LARGE = 100  # from here on a figure has no decimals
END = "<!-- end of the table -->"


def mark(part: str) -> str:
    """The line above a part's table."""
    return made_by(f"bench --only {part}")


def made_by(words: str) -> str:
    """The line above a table that a command makes."""
    return f"<!-- made by tools/lifeboat {words} --into -->"


def line(figure: Figure) -> str:
    """For the terminal."""
    note = f"  ({figure.note})" if figure.note else ""
    return f"{figure.part:<7} {figure.what:<50} {figure.who:<15} {figure.value:>15,} {figure.unit}{note}"


def short(figure: Figure) -> str:
    """Three digits or more, in the table's unit."""
    count = figure.value / UNITS[figure.unit][1]
    return f"{count:,.0f}" if count >= LARGE else f"{count:.3g}"


def cell(figures: Sequence[Figure], what: str, who: str) -> str:
    """One figure and its note, or nothing."""
    found = next((each for each in figures if (each.what, each.who) == (what, who)), None)
    if not found:
        return ""
    return short(found) + (f" ({found.note})" if found.note else "")


def markdown(figures: Sequence[Figure]) -> str:
    """The table of a part: what was measured from above to below, of whom from left to right."""
    whats, whos = (list(dict.fromkeys(getattr(each, name) for each in figures)) for name in ("what", "who"))
    rows = [[what, *(cell(figures, what, who) for who in whos)] for what in whats]
    return grid([UNITS[figures[0].unit][0], *whos], rows)


def grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "".join("| " + " | ".join(row) + " |\n" for row in (head, ["---"] * len(head), *rows))


def place(path: Path, above: str, made: str) -> None:
    """Writes a table into a file, below the line that is kept there for it."""
    pattern = f"{re.escape(above)}\n.*?{END}\n"
    text, count = re.subn(
        pattern, lambda _: f"{above}\n{made}{END}\n", path.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    if count != 1:
        raise LifeboatError(f"{path} keeps no place for the table: it needs the lines {above} and {END}")
    path.write_text(text, encoding="utf-8")


def put(path: Path, figures: Sequence[Figure]) -> None:
    """Writes each part's table into a file, where that file has its marks."""
    for part in dict.fromkeys(figure.part for figure in figures):
        place(path, mark(part), markdown([figure for figure in figures if figure.part == part]))
