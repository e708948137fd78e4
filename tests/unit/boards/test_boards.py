# SPDX-License-Identifier: BSD-2-Clause
"""For every board, on our own FDT of it: the whole planning against a summary that was reviewed.

After a change that is meant, LIFEBOAT_GOLDEN=write rewrites the summaries, and the tests of them fail until they are
run without it; git diff is the review.
"""

import os
import re
from pathlib import Path

import pytest

from board_plan import HERE, planned, title
from fdts import FDTS, NEWER, QEMU, STABLE
from lifeboatlib.boards import BOARDS
from lifeboatlib.paths import REPO

@pytest.mark.parametrize("board", FDTS)
def test_the_plan_of_a_board_is_the_reviewed_one(board: str, tmp_path: Path) -> None:
    """Platform, memory map, lost memory, crash region, both kernels' places, the primary's FDT."""
    golden = HERE / f"{board}.txt"
    plans = [[title(fdt), *planned(fdt, tmp_path), ""] for fdt in FDTS[board]]
    found = "\n".join(line for plan in plans for line in plan)
    if os.environ.get("LIFEBOAT_GOLDEN") == "write":
        golden.write_text(found, encoding="utf-8")
        pytest.fail(f"{golden.name} was written; read its diff, then run this again without LIFEBOAT_GOLDEN")
    assert found == golden.read_text(encoding="utf-8")
    assert found.count(f"platform  {board} for ") == len(FDTS[board])


def test_every_platform_has_fdts_and_every_fdt_a_platform() -> None:
    """meson.build checks that too; this says it where the tests are."""
    folders = {path.name for path in (REPO / "platform").iterdir() if path.is_dir()}
    assert folders == set(FDTS) == {path.stem for path in HERE.glob("*.txt")}
    rows = [fdt for board in FDTS.values() for fdt in board]
    assert {path.stem for path in (HERE / "dts").iterdir()} == {fdt.name for fdt in rows}
    assert {who for fdt in rows for who, _ in fdt.published} == {QEMU, STABLE, NEWER}


SECTIONS = (
    "What you need", "Console", "Make the image", "Flash it", "What you see", "Crash it", "Go back", "What was run",
)  # fmt: skip
RANGE = r"\[ *(0x[0-9a-f]+|0)\.\. *(0x[0-9a-f]+)\]"


@pytest.mark.parametrize("board", FDTS)
def test_a_readme_is_whole_and_shows_what_the_plan_says(board: str) -> None:
    """Every section, the board's own name in each command, and no range that the stage would not print."""
    text = (REPO / "platform" / board / "README.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^## (.*)$", text, re.MULTILINE)) == SECTIONS
    assert set(re.findall(r"\(platform ([\w-]+)\)", text)) == {board}
    assert set(re.findall(r"--board (\S+)", text)) == {board}
    reviewed = (HERE / f"{board}.txt").read_text(encoding="utf-8")
    missing = set(re.findall(RANGE, text)) - set(re.findall(RANGE, reviewed))
    assert missing == set(), f"{board}: {missing}"
    seen = re.search(r"machine: (\S+) \(.*, (\d+ of \d+) harts", text)
    assert seen and f" for {seen[1]}; {seen[2]} harts" in reviewed, f"{board}: {seen and seen[0]}"
    assert board in ("generic", "qemu-virt") or "Nothing of this was run on the board." in text


@pytest.mark.parametrize("board", FDTS)
def test_the_image_recipe_goes_where_the_platform_says(board: str) -> None:
    """Its stage is where the notes have it; bundle and FDT are clear of lost memory; a README's files are its own."""
    recipe = BOARDS[board]
    reviewed = (HERE / f"{board}.txt").read_text(encoding="utf-8")
    stages = re.findall(rf"^taken +{RANGE} .* the stage: as loaded$", reviewed, re.MULTILINE)
    assert recipe.memory.stage in [int(first, 16) for first, _ in stages]
    lost = re.findall(rf"^taken +{RANGE} .* lost memory: ", reviewed, re.MULTILINE)
    for address in filter(None, (recipe.memory.bundle, recipe.memory.fdt)):
        for first, last in lost:
            assert not int(first, 16) <= address <= int(last, 16), f"{address:#x} is lost: {first}..{last}"
    text = (REPO / "platform" / board / "README.md").read_text(encoding="utf-8")
    for way in re.findall(rf"build/image/{board}-(\w+)\.img|--way (\w+)", text):
        assert "".join(way) in recipe.ways, f"{board}: {way}"


def test_every_board_has_an_image_recipe() -> None:
    """And no recipe is of a board that nobody knows."""
    assert set(BOARDS) == set(FDTS)
