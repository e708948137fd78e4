# SPDX-License-Identifier: BSD-2-Clause
"""The tables in README and docs are what `tools/lifeboat bench` measures: within a twentieth, of the kernel that they name."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lifeboatlib import bench, target
from lifeboatlib.bench import table
from lifeboatlib.bench.bed import Bed, Figure, Row
from lifeboatlib.paths import REPO

README = (REPO / "README.md").read_text(encoding="utf-8")
TOLD = README + (REPO / "docs/crash.md").read_text(encoding="utf-8")
OFF = 0.05
QUICK = (
    ("the kernel runs where it lies, nothing is checked", "lifeboat"),
    ("FIT, crc32 of kernel and initramfs", "lifeboat"),
    ("image: code and data", "lifeboat"),
)
FILES = "boot", "crash", "bytes", "memory", "packing"  # parts whose figures are of Debian's kernel, and move with it

pytestmark = pytest.mark.slow


def told() -> dict[tuple[str, str, str], float]:
    """The figures by part, what and whose, in the table's unit."""
    found = {}
    for part, rows in re.findall(r"^<!-- made by [^\n]* --only (\w+) --into -->\n(.*?)^<!-- end", TOLD, re.M | re.S):
        head, _, *lines = ([cell.strip() for cell in line.split("|")[1:-1]] for line in rows.splitlines())
        for what, *cells in lines:
            for who, cell in zip(head[1:], cells, strict=True):
                if cell:
                    found[part, what, who] = float(cell.split(" ")[0].replace(",", ""))
    return found


def all_rows() -> list[Row]:
    """What bench measures."""
    return [row for part in bench.PARTS.values() for row in part()]


def is_of_another_kernel() -> bool:
    """Is one of the kernels that the tables are of not the one that is here?"""
    return any(f"Linux {target.linux(newer).release()}" not in TOLD for newer in (False, True))


@pytest.fixture(scope="module")
def bed(stage: Path, stage_elf: Path, tmp_path_factory: pytest.TempPathFactory) -> Bed:
    """The stage that is under test; README's is gcc's."""
    compilers = json.loads((stage.parent / "meson-info/intro-compilers.json").read_text(encoding="utf-8"))
    if compilers["host"]["c"]["id"] != "gcc":
        pytest.skip("README's figures are gcc's")
    return Bed(tmp_path_factory.mktemp("bench"), stage, stage_elf)


def check(row: Row, bed: Bed, record_property: Callable[[str, object], None]) -> None:
    """Measures one row. That Debian's kernel is another one is told, and no failure."""
    figure = Figure.of(row, bed)
    wanted = told()[row.part, row.what, row.who]
    count = figure.value / table.UNITS[row.unit][1]
    print(f"\n{table.line(figure)}; README: {wanted:,}")
    if row.part in FILES and is_of_another_kernel():
        if abs(count - wanted) > OFF * wanted:
            record_property("terminal", f"README's figures are of another kernel: {row.what}, {row.who}: {count:.3g}")
        return
    assert abs(count - wanted) <= OFF * wanted, "run tools/lifeboat bench --into README.md"


def test_the_tables_have_each_row_and_no_other() -> None:
    assert set(told()) == {(row.part, row.what, row.who) for row in all_rows()}


@pytest.mark.parametrize(
    "row", [
        pytest.param(row, id=f"{row.what}, {row.who}", marks=() if (row.what, row.who) in QUICK else pytest.mark.long)
        for row in all_rows()
    ],
)  # fmt: skip
@pytest.mark.xdist_group("bench")
def test_the_tables_tell_what_is_measured(row: Row, bed: Bed, record_property: Callable[[str, object], None]) -> None:
    check(row, bed, record_property)


def test_a_table_goes_to_its_place_and_nowhere_else(tmp_path: Path) -> None:
    page, figure = tmp_path / "page.md", Figure("boot", "a boot", "U-Boot", 12_345_678, "instructions", "booti")
    page.write_text(f"above\n{table.mark('boot')}\nold\n{table.END}\nbelow\n", encoding="utf-8")
    table.put(page, [figure])
    table.put(page, [figure])
    shown = "| million instructions | U-Boot |\n| --- | --- |\n| a boot | 12.3 (booti) |\n"
    assert page.read_text(encoding="utf-8") == f"above\n{table.mark('boot')}\n{shown}{table.END}\nbelow\n"
