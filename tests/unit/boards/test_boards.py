# SPDX-License-Identifier: BSD-2-Clause
"""For every board's FDT: the whole planning, by the stage's own code, against a summary that was reviewed.

After a change that is meant, LIFEBOAT_GOLDEN=write rewrites the summaries; git diff is the review.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from fdts import FDTS, FORKY, OURS, QEMU, TRIXIE, Fdt
from lifeboatlib import target
from lifeboatlib.paths import REPO, host_dir

HERE = Path(__file__).parent
UNIT = host_dir() / "tests" / "unit"


def run(*argv: object) -> str:
    """A command that must succeed; what it printed."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout


def blob(fdt: Fdt) -> Path:
    """The file as it is published."""
    if fdt.package in (QEMU, OURS):
        return UNIT / "dtbs" / f"{fdt.path}.dtb"
    if fdt.package == TRIXIE:
        return target.LINUX.file(f"usr/lib/linux-image-*/{fdt.path}.dtb")
    return target.NEWER_FDTS.file(f"usr/lib/modules/*/dtb/{fdt.path}.dtb")


def cells(tree: Path, node: str) -> tuple[int, int]:
    """How the children of a node write their reg."""
    return tuple(int(run("fdtget", tree, node, f"#{what}-cells")) for what in ("address", "size"))


def reg(tree: Path, node: str, base: int, size: int) -> list[str]:
    """A range in the cells of a node's children, for fdtput -t x."""
    words = []
    for value, count in zip((base, size), cells(tree, node), strict=True):
        words += [f"{value >> 32 * i & 0xFFFFFFFF:x}" for i in reversed(range(count))]
    return words


def write_ram(tree: Path, ram: tuple[tuple[int, int], ...]) -> None:
    """Memory nodes as U-Boot's SPL, HSS or ZSBL writes them, instead of those that are there."""
    for name in run("fdtget", "-l", tree, "/").split():
        if name.startswith("memory@"):
            run("fdtput", "-r", tree, f"/{name}")
    for base, size in ram:
        node = f"/memory@{base:x}"
        run("fdtput", "-c", tree, node)
        run("fdtput", "-t", "s", tree, node, "device_type", "memory")
        run("fdtput", "-t", "x", tree, node, "reg", *reg(tree, "/", base, size))


def as_opensbi(tree: Path, bases: tuple[int, ...]) -> None:
    """OpenSBI's fixups: its memory reserved, text and data apart; harts without an MMU disabled."""
    parent = "/reserved-memory"
    if bases and "reserved-memory" not in run("fdtget", "-l", tree, "/").split():
        run("fdtput", "-c", tree, parent)
        for what, count in zip(("address", "size"), cells(tree, "/"), strict=True):
            run("fdtput", "-t", "x", tree, parent, f"#{what}-cells", f"{count:x}")
        run("fdtput", "-t", "x", tree, parent, "ranges")
    for base in bases:
        for number, (offset, size) in enumerate(((0, 0x40000), (0x40000, 0x20000))):
            node = f"{parent}/mmode_resv{1 - number}@{base + offset:x}"
            run("fdtput", "-c", tree, node)
            run("fdtput", "-t", "x", tree, node, "reg", *reg(tree, parent, base + offset, size))
            run("fdtput", "-t", "x", tree, node, "no-map")
    for name in run("fdtget", "-l", tree, "/cpus").split():
        properties = run("fdtget", "-p", tree, f"/cpus/{name}").split()
        if name.startswith("cpu@") and "mmu-type" not in properties:
            run("fdtput", "-t", "s", tree, f"/cpus/{name}", "status", "disabled")


def as_handed_over(fdt: Fdt, directory: Path) -> Path:
    """A copy of the published file with all that is done to it before the stage sees it."""
    tree = directory / "board.dtb"
    tree.write_bytes(blob(fdt).read_bytes())
    if fdt.ram:
        write_ram(tree, fdt.ram)
    if fdt.package != QEMU:
        as_opensbi(tree, fdt.opensbi)
    size = (fdt.kernel + 9) << 20
    run("fdtput", "-c", "-p", tree, "/chosen")
    run("fdtput", "-t", "x", tree, "/chosen", "lifeboat,bundle", *reg(tree, "/", fdt.bundle, size))
    return tree


def summary(fdt: Fdt, directory: Path) -> str:
    """What the planning comes to, in plain words."""
    plan = run(UNIT / "plan_board", as_handed_over(fdt, directory), hex(fdt.address), fdt.kernel, hex(fdt.load))
    lines = [line.rstrip() for line in plan.splitlines()]
    return "\n".join([f"{fdt.path}.dtb ({fdt.package}): {fdt.why}", *lines, ""])


@pytest.mark.parametrize("board", FDTS)
def test_the_plan_of_a_board_is_the_reviewed_one(board: str, tmp_path: Path) -> None:
    """Platform, memory map, lost memory, crash region, both kernels' places, the primary's FDT."""
    golden = HERE / f"{board}.txt"
    found = "\n".join(summary(fdt, tmp_path) for fdt in FDTS[board])
    if os.environ.get("LIFEBOAT_GOLDEN") == "write":
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")
    assert found.count(f"platform  {board} for ") == len(FDTS[board])


def test_every_platform_has_fdts_and_every_fdt_a_platform() -> None:
    """meson.build checks that too; this says it where the tests are."""
    folders = {path.name for path in (REPO / "platform").iterdir() if path.is_dir()}
    assert folders == set(FDTS) == {path.stem for path in HERE.glob("*.txt")}
    assert {fdt.package for row in FDTS.values() for fdt in row} >= {QEMU, TRIXIE, FORKY}


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
    planned = (HERE / f"{board}.txt").read_text(encoding="utf-8")
    missing = set(re.findall(RANGE, text)) - set(re.findall(RANGE, planned))
    assert missing == set(), f"{board}: {missing}"
    seen = re.search(r"machine: (\S+) \(.*, (\d+ of \d+) harts", text)
    assert seen and f" for {seen[1]}; {seen[2]} harts" in planned, f"{board}: {seen and seen[0]}"
    assert board in ("generic", "qemu-virt") or "Nothing of this was run on the board." in text


@pytest.mark.parametrize("board", FDTS)
def test_the_image_recipe_goes_where_the_platform_says(board: str) -> None:
    """Its stage is where the notes have it; bundle and FDT are clear of lost memory; a README's files are its own."""
    recipes = pytest.importorskip("lifeboatlib.boards", reason="tools/lifeboat image is not there yet")
    recipe = recipes.BOARDS[board]
    planned = (HERE / f"{board}.txt").read_text(encoding="utf-8")
    stages = re.findall(rf"^taken +{RANGE} .* the stage: as loaded$", planned, re.MULTILINE)
    assert recipe.memory.stage in [int(first, 16) for first, _ in stages]
    lost = re.findall(rf"^taken +{RANGE} .* lost memory: ", planned, re.MULTILINE)
    for address in filter(None, (recipe.memory.bundle, recipe.memory.fdt)):
        for first, last in lost:
            assert not int(first, 16) <= address <= int(last, 16), f"{address:#x} is lost: {first}..{last}"
    text = (REPO / "platform" / board / "README.md").read_text(encoding="utf-8")
    for way in re.findall(rf"build/image/{board}-(\w+)\.img|--way (\w+)", text):
        assert "".join(way) in recipe.ways, f"{board}: {way}"


def test_every_board_has_an_image_recipe() -> None:
    """And no recipe is of a board that nobody knows."""
    recipes = pytest.importorskip("lifeboatlib.boards", reason="tools/lifeboat image is not there yet")
    assert set(recipes.BOARDS) == set(FDTS)
