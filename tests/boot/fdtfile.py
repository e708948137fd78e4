# SPDX-License-Identifier: BSD-2-Clause
"""Reads and edits FDTs with dtc's own tools, so that the stage's reader is not its own judge."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

Range = tuple[int, int]


@dataclass(frozen=True)
class Fdt:
    """A blob in a file. Ranges are [start, end), from reg properties of two cells and two cells."""

    path: Path

    def _get(self, *arguments: str) -> list[str]:
        """What fdtget says; nothing if there is no such thing."""
        flags = [argument for argument in arguments if argument.startswith("-")]
        rest = [argument for argument in arguments if not argument.startswith("-")]
        argv = ["fdtget", *flags, str(self.path), *rest]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return done.stdout.split()

    def put(self, node: str, name: str, *cells: int) -> "Fdt":
        """Sets a property to a list of cells."""
        words = [f"{cell:#x}" for cell in cells]
        subprocess.run(["fdtput", "-t", "x", str(self.path), node, name, *words], check=True)
        return self

    def add_node(self, node: str) -> "Fdt":
        """Makes an empty node."""
        subprocess.run(["fdtput", "-c", str(self.path), node], check=True)
        return self

    def remove_node(self, node: str) -> "Fdt":
        """Takes a node away."""
        subprocess.run(["fdtput", "-r", str(self.path), node], check=True)
        return self

    def remove(self, node: str, name: str) -> "Fdt":
        """Takes a property away."""
        subprocess.run(["fdtput", "-d", str(self.path), node, name], check=True)
        return self

    def children(self, node: str) -> list[str]:
        """The names of the nodes below a node."""
        return self._get("-l", node)

    def ranges(self, node: str) -> list[Range]:
        """A node's reg."""
        words = [int(word, 16) for word in self._get("-tx", node, "reg")]
        assert len(words) % 4 == 0, f"{node} has a reg of {len(words)} cells"
        rows = [words[i : i + 4] for i in range(0, len(words), 4)]
        return [(a << 32 | b, (a << 32 | b) + (c << 32 | d)) for a, b, c, d in rows]

    def memory(self) -> list[Range]:
        """RAM."""
        names = [name for name in self.children("/") if name.split("@")[0] == "memory"]
        return [r for name in names for r in self.ranges(f"/{name}")]

    def reserved(self) -> list[Range]:
        """The fixed nodes of /reserved-memory."""
        names = self.children("/reserved-memory")
        return [r for name in names for r in self.ranges(f"/reserved-memory/{name}")]


def subtract(ranges: list[Range], holes: list[Range]) -> list[Range]:
    """What of the ranges is in no hole; sorted, neighbours joined."""
    cuts = sorted({edge for pair in [*ranges, *holes] for edge in pair})
    kept: list[Range] = []
    for start, end in zip(cuts, cuts[1:], strict=False):
        inside = any(a <= start and end <= b for a, b in ranges)
        if not inside or any(a <= start and end <= b for a, b in holes):
            continue
        if kept and kept[-1][1] == start:
            kept[-1] = (kept[-1][0], end)
        else:
            kept.append((start, end))
    return kept


def pages_around(start: int, size: int, page: int = 0x1000) -> Range:
    """The whole pages that [start, start + size) touches."""
    return start // page * page, -(-(start + size) // page) * page
