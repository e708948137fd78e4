# SPDX-License-Identifier: BSD-2-Clause
"""The rooms of the house (tests/house.py): arrows one way, no circle, and a figure of them that is not out of date.

After a change that is meant, LIFEBOAT_GOLDEN=write rewrites the figure; git diff is the review.
"""

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from lifeboatlib.paths import REPO, stage_dir

import house
from symbols import tool

NO_CIRCLES = ("boot/", "kexec/")
FIGURE = REPO / "docs" / "house.md"
FENCE = "```text\n"
TEXT = (".S", ".build", ".c", ".h", ".lds", ".md", ".options", ".py", ".txt")
MADE_UP = ("NAME", "acme-one")  # in paths of examples


def assert_none(wrong: Iterable[str]) -> None:
    """Fails with one line for each that is wrong."""
    told = "\n".join(wrong)
    assert not told, f"\n{told}"


def arrows() -> set[tuple[str, str]]:
    """(file, what it includes) of all the stage, but for what is generated."""
    return {
        (house.name(path), included)
        for path in house.stage_files(".c", ".h", ".S")
        for included in house.includes(path)
        if included not in house.GENERATED
    }


def test_every_file_is_in_a_room() -> None:
    homeless = [house.name(path) for path in house.stage_files() if not house.room_of(house.name(path))]
    assert_none(file for file in homeless if file.endswith((".c", ".h", ".S", ".lds")))


def test_every_room_is_there() -> None:
    """A folder with sources of its own, or a module."""
    used = {house.room_of(house.name(path)) for path in house.stage_files(".c", ".h", ".S")}
    assert_none(room.name for room in house.ROOMS if room.name not in used)


def test_the_table_runs_downwards() -> None:
    """What a room uses stands further down: so there is no circle of rooms."""
    rows = [room.name for room in house.ROOMS]
    assert len(set(rows)) == len(rows)
    for number, room in enumerate(house.ROOMS):
        assert set(room.uses) <= set(rows[number + 1 :]), room.name


def test_includes_follow_the_arrows() -> None:
    """Into the room itself, or one that its arrows lead to. (Who sees the context is the next test's.)"""
    wrong = []
    for file, included in sorted(arrows()):
        room, other = house.room_of(file), house.room_of(included)
        if included != house.CONTEXT and room and other not in house.reach(room):
            wrong.append(f"{file} ({room}) includes {included} ({other})")
    assert_none(wrong)


def test_only_the_top_sees_the_context() -> None:
    """All others get what they need as arguments, so a reader sees who may write what."""
    seeing = {file for file, included in arrows() if included == house.CONTEXT}
    assert seeing, "nobody includes it: the test is blind"
    assert_none(sorted(file for file in seeing if house.module(file) not in house.SEE_CONTEXT))


def test_retained_memory_has_one_reader() -> None:
    """So that each of its fields is checked by one predicate, once, and what follows from it is seen in one place."""
    callers: dict[str, set[str]] = defaultdict(set)
    for path in house.stage_files(".c", ".h"):
        for called in re.findall(r"\b(\w+)\(", house.without_comments(path.read_text(encoding="utf-8"))):
            callers[called].add(house.module(house.name(path)))
    for predicate, home in house.PREDICATES.items():
        assert house.READER in callers[predicate], f"{predicate}: the test is blind"
        assert_none(sorted(f"{file} calls {predicate}()" for file in callers[predicate] - {house.READER, home}))


def test_no_arrow_is_there_for_nothing() -> None:
    """Each arrow of the table is an include of the tree."""
    real = {(house.room_of(file), house.room_of(included)) for file, included in arrows()}
    idle = [f"{room.name} -> {used}" for room in house.ROOMS for used in room.uses if (room.name, used) not in real]
    assert_none(idle)


def test_generated_files_are_for_one_folder() -> None:
    for path in house.stage_files(".c", ".h", ".S"):
        for included in set(house.includes(path)) & house.GENERATED.keys():
            assert house.name(path).startswith(house.GENERATED[included] + "/"), f"{house.name(path)}: {included}"


def test_no_includes_in_a_circle() -> None:
    """X.c and X.h are one module: neither headers nor sources lead back to where one came from."""
    graph: dict[str, set[str]] = defaultdict(set)
    for file, included in arrows():
        graph[house.module(file)].add(house.module(included))
    graph = {file: used for file, used in graph.items() if file.startswith(NO_CIRCLES)}
    assert len(graph) > 40, "hardly any module was found: the test is blind"
    assert_none(house.circles(graph))


def objects() -> dict[str, Path]:
    """What the build made of each source of ours, as its own list of commands says."""
    build = stage_dir()
    listing = build / "compile_commands.json"
    assert listing.is_file(), "there is no build; run tools/lifeboat build"
    found = {}
    for row in json.loads(listing.read_text(encoding="utf-8")):
        source = Path(os.path.normpath(build / row["file"]))
        if source.is_relative_to(REPO) and house.room_of(house.name(source)):
            found[house.name(source)] = build / row["output"]
    return found


def symbols_of(path: Path) -> tuple[set[str], set[str]]:
    """Which global symbols an object defines, and which it wants from others."""
    rows = [line.split() for line in tool("nm", "-g", path).splitlines()]
    return {row[2] for row in rows if len(row) == 3}, {row[1] for row in rows if len(row) == 2}


def calls() -> dict[str, set[str]]:
    """Which modules a module calls, or takes data from: by the symbols of the objects."""
    home: dict[str, str] = {}
    wants: dict[str, set[str]] = defaultdict(set)
    for source, path in objects().items():
        assert path.is_file(), f"{source} is not built; run tools/lifeboat build"
        assert path.stat().st_mtime >= (REPO / source).stat().st_mtime, f"{path} is old; run tools/lifeboat build"
        defined, wanted = symbols_of(path)
        home |= dict.fromkeys(defined, house.module(source))
        wants[house.module(source)] |= wanted
    return {source: {home[symbol] for symbol in wanted if symbol in home} for source, wanted in wants.items()}


@pytest.mark.slow
def test_no_calls_in_a_circle() -> None:
    """What is below is never called back: it returns, and says in what it returns what is to be done."""
    graph = {source: called for source, called in calls().items() if source.startswith(NO_CIRCLES)}
    assert len(graph) > 40, "hardly any module was found: the test is blind"
    assert_none(house.circles(graph))


def test_the_figure_is_of_this_house() -> None:
    """docs/house.md has the figure of tests/house.py in its first block."""
    text = FIGURE.read_text(encoding="utf-8")
    before, _, rest = text.partition(FENCE)
    _, fence, after = rest.partition("```\n")
    fresh = before + FENCE + house.figure() + fence + after
    if os.environ.get("LIFEBOAT_GOLDEN") == "write":
        FIGURE.write_text(fresh, encoding="utf-8")
    assert FIGURE.read_text(encoding="utf-8") == fresh, "LIFEBOAT_GOLDEN=write mends it; read the difference"


def test_paths_lead_somewhere() -> None:
    """A file that a comment, a page or a program names is there."""
    wrong = []
    for path in house.files(*TEXT):
        for word in sorted(house.paths_in(path.read_text(encoding="utf-8"))):
            if not (REPO / word).exists() and not any(made_up in word for made_up in MADE_UP):
                wrong.append(f"{house.name(path)}: {word}")
    assert_none(wrong)
