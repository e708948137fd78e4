# SPDX-License-Identifier: BSD-2-Clause
"""The rooms of the house: what each is for, and from which others it may take. docs/house.md is drawn from this table."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from lifeboatlib.paths import REPO

FOLDERS = ("base", "mm", "fdt", "kexec", "platform", "boot", "client")  # of the stage
NOT_OURS = ("/subprojects/", "/.", "/build")  # (what is hidden is tools' or git's, but for .ci)
CONTEXT = "boot/context.h"
GENERATED = {"version.h": "boot", "platforms.inc": "platform"}  # by the build, each for one folder


class Room(NamedTuple):
    """A folder, or a module of boot/ that has a rank of its own. What it uses stands further down."""

    name: str
    purpose: str
    uses: tuple[str, ...] = ()


# From the one boot flow down to the types. A room may include from itself, from what it uses, and from what that uses.
ROOMS = (
    Room("boot/start", "the one boot flow: read it first", ("boot/trap", "boot/report", "boot/smp", "boot/choose")),
    Room("boot/trap", "a trap in the stage: a report, and the end", ("boot/end",)),
    Room("boot/end", "the boot can't go on: the last line, off or reset", ("boot/context",)),
    Room("boot/choose", "which configuration; the menu", ("boot/crash", "boot/report")),
    Room("boot/context", "all that start hands down, in one struct", ("boot/crash",)),
    Room(
        "boot/crash",
        "judge the last end; a crash kernel into its place, and the ways to it",
        ("boot/load", "kexec/crash", "boot/entry"),
    ),
    Room("boot/load", "check a payload, unpack it, put it where the plan says", ("boot/facts", "boot/smp", "kexec/place")),
    Room("boot/facts", "what is known once the stage has moved, to read only", ("boot/source",)),
    Room("boot/source", "where the bundle is, and who said so", ("boot/discover", "kexec/bundle")),
    Room("boot/report", "lines about machine, memory and cost", ("boot/discover",)),
    Room("boot/smp", "the other harts", ("boot/discover",)),
    Room("boot/discover", "the machine, its memory, the platform", ("boot/entry", "platform")),
    Room("boot/entry", "assembly, and what runs before paging", ("boot/stage",)),
    Room("boot/stage", "where the stage lies, its tables, its move", ("boot/machine", "kexec/leave")),
    Room("boot/machine", "SBI, console, log, clock, counters, caches, reset", ("kexec/check", "platform")),
    Room("client", "calls the crash kernel: one header for any system", ("kexec/crash",)),
    Room(
        "kexec/crash",
        "what outlives a reset: record, region, call area, core header",
        ("kexec/leave", "kexec/dead"),
    ),
    Room("kexec/dead", "what a dead kernel left: its note, its log", ("kexec/image", "mm")),
    Room("kexec/leave", "out of the stage: trampoline, both passes", ("mm",)),
    Room("kexec/place", "the plan: an address for everything", ("kexec/image", "mm")),
    Room("kexec/bundle", "the bundle's configurations, and what they want", ("kexec/image", "kexec/check")),
    Room("kexec/check", "hashes and signatures", ("fdt/fit",)),
    Room("kexec/image", "what a payload is: Linux, ELF, raw, zboot; compressions", ("base",)),
    Room("platform", "boards and cores, as data", ("fdt",)),
    Room("fdt/fit", "the FIT as a tree, what a signature covers, keys", ("fdt",)),
    Room("fdt", "FDTs read, mended and merged; the only callers of libfdt", ("mm",)),
    Room("mm", "memory as data: ranges, the memory map, page tables", ("base",)),
    Room("base", "types, errors, text, ELF's structs"),
)

# Retained memory is read in one file (its header has the rule); these are the predicates that it asks, each in its module.
READER = "kexec/crash/retained"
PREDICATES = {
    "crash_record_read": "kexec/crash/record",
    "crash_record_is_damaged": "kexec/crash/record",
    "crash_call_check": "kexec/crash/area",
    "crash_call_has_note": "kexec/crash/area",
    "crash_text_size": "kexec/crash/text",
}

# boot/context.h holds everything that can be written: only these see it. All others get what they need as arguments.
SEE_CONTEXT = ("boot/start", "boot/end", "boot/trap", "boot/crash/crash")


def files(*suffixes: str) -> Iterator[Path]:
    """Our files with one of the suffixes (any, if none is given)."""
    for path in sorted(REPO.rglob("*")):
        name = f"/{path.relative_to(REPO)}"
        if any(part in name for part in NOT_OURS) and not name.startswith("/.ci/"):
            continue
        if path.is_file() and "__pycache__" not in name and (path.suffix in suffixes or not suffixes):
            yield path


def stage_files(*suffixes: str) -> list[Path]:
    """Files of the stage itself."""
    found = [path for path in files(*suffixes) if path.relative_to(REPO).parts[0] in FOLDERS]
    assert found, f"no {suffixes} in {REPO}? the test is blind"
    return found


def name(path: Path) -> str:
    """A file as a person calls it."""
    return str(path.relative_to(REPO))


def paths_in(text: str) -> set[str]:
    """What looks like a path from the root of this tree in a text: in a folder of ours, with a suffix."""
    tops = "|".join((*FOLDERS, "docs", "tests", "tools", "examples", "subprojects"))
    return set(re.findall(rf"(?<![\w/.-])(?:{tops})/[\w./-]*\w\.(?:lds|md|py|txt|wrap|[chS])\b", text))


def module(file: str) -> str:
    """X.c, X.S and X.h are one module: X."""
    return file.rsplit(".", 1)[0]


def room_of(file: str) -> str | None:
    """The room that a file is in: the longest name of one that it begins with."""
    places = {module(file), *map(str, Path(file).parents)}
    return max((room.name for room in ROOMS if room.name in places), key=len, default=None)


def includes(path: Path) -> list[str]:
    """What a file includes from this tree (or of what is generated)."""
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE)


def without_comments(text: str) -> str:
    """C without what is said beside it."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)


def reach(room: str) -> set[str]:
    """A room, and all that its arrows lead to."""
    uses = {each.name: each.uses for each in ROOMS}
    found, waiting = {room}, [room]
    while waiting:
        new = set(uses[waiting.pop()]) - found
        found |= new
        waiting += new
    return found


def way_back(graph: Mapping[str, set[str]], start: str) -> list[str]:
    """A shortest way from a node over others to itself; empty if there is none."""
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop(0)
        for node in sorted(graph.get(way[-1], set()) - {way[-1]}):
            if node == start:
                return [*way, start]
            if node not in seen:
                seen.add(node)
                ways.append([*way, node])
    return []


def circles(graph: Mapping[str, set[str]]) -> list[str]:
    """For each node on a circle, a shortest one that it is on; the same circle is told once."""
    found = {frozenset(way): " -> ".join(way) for node in sorted(graph, reverse=True) if (way := way_back(graph, node))}
    return sorted(found.values(), key=lambda told: (len(told), told))


def figure() -> str:
    """The rooms, one a line, and their arrows, which run downwards only.

    A column belongs to one room at a time: it begins at that room's o, and each > below is a room that it uses.
    """
    row = {room.name: number for number, room in enumerate(ROOMS)}
    free_from: list[int] = []  # for each column: the first row where it is nobody's
    marks: list[dict[int, str]] = [{} for _ in ROOMS]
    for start, room in enumerate(ROOMS):
        if not room.uses:
            continue
        last = max(row[used] for used in room.uses)
        column = next((c for c, free in enumerate(free_from) if free <= start), len(free_from))
        free_from[column : column + 1] = [last + 1]
        for at in range(start, last + 1):
            marks[at][column] = "o" if at == start else ">" if ROOMS[at].name in room.uses else "|"
    names = max(len(room.name) for room in ROOMS)
    return "".join(
        " ".join(marks[at].get(column, " ") for column in range(len(free_from)))
        + f"  {room.name:{names}}  {room.purpose}\n"
        for at, room in enumerate(ROOMS)
    )


if __name__ == "__main__":
    print(figure(), end="")
