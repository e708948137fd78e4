# SPDX-License-Identifier: BSD-2-Clause
"""docs/porting.md adds a board that does not exist; here it is added to a copy of the tree, by that very text.

And what the build says of a platform that is not whole.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lifeboatlib.paths import REPO, SUBPROJECTS

GUIDE = REPO / "docs" / "porting.md"
MOST_LINES = 40
BOARD = "acme-one"
NEIGHBOUR = "milkv-duo"

# What the board's firmware hands over: not data that a port writes.
TREE = """// SPDX-License-Identifier: BSD-2-Clause
/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	compatible = "acme,one-rev2", "acme,ac1000";
	cpus {
		#address-cells = <1>;
		#size-cells = <0>;
		timebase-frequency = <1000000>;
		cpu@0 {
			device_type = "cpu";
			reg = <0>;
			riscv,isa = "rv64imac";
			mmu-type = "riscv,sv39";
		};
	};
	memory@80000000 {
		device_type = "memory";
		reg = <0x0 0x80000000 0x0 0x40000000>;
	};
	chosen {
		lifeboat,bundle = <0x0 0x90000000 0x0 0x2900000>;
	};
};
"""


def blocks() -> list[str]:
    """The guide's indented blocks, not indented."""
    text = GUIDE.read_text(encoding="utf-8")
    found = re.findall(r"(?:^(?:    .*|)\n)+", text, re.MULTILINE)
    unindented = (re.sub(r"^    ", "", block, flags=re.MULTILINE).strip("\n") + "\n" for block in found)
    return [block for block in unindented if block.strip()]


def example() -> tuple[str, str, str, str]:
    """C file, line of meson.build, row of fdts.py, row of boards.py."""
    source, line, row, recipe = blocks()[:4]
    assert source.startswith("// SPDX") and "'acme-one'" in line and '"acme-one": (' in row
    assert '"acme-one": Board(' in recipe
    return source, line, row, recipe


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what git knows, and of unpacked subprojects."""
    copy = tmp_path / "tree"
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPO, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listing.stdout.splitlines():
        if (REPO / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPO / name, copy / name)
    for unpacked in SUBPROJECTS.glob("*-*/"):
        shutil.copytree(unpacked, copy / "subprojects" / unpacked.name)
    return copy


def insert(path: Path, before: str, what: str) -> None:
    """Writes something in front of the first line that begins so."""
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, what + before, 1), encoding="utf-8")


def readme() -> str:
    """A neighbour's, with this board's name and log; its other ranges are of another machine."""
    text = (REPO / "platform" / NEIGHBOUR / "README.md").read_text(encoding="utf-8").replace(NEIGHBOUR, BOARD)
    text = re.sub(r"machine: .*", f"machine: acme,one-rev2 (platform {BOARD}), 1 of 1 harts enabled", text)
    return re.sub(r"\[0x\w+\.\.0x\w+\]|--way \w+", "", text)


def port(tree: Path) -> None:
    """Does what the guide says; the README is a neighbour's."""
    source, line, row, recipe = example()
    folder = tree / "platform" / BOARD
    folder.mkdir()
    (folder / f"{BOARD}.c").write_text(source, encoding="utf-8")
    (folder / "README.md").write_text(readme(), encoding="utf-8")
    insert(tree / "meson.build", "    'allwinner-d1',\n", line)
    insert(tree / "tests" / "unit" / "boards" / "fdts.py", '    "qemu-virt": (\n', row)
    insert(tree / "tools" / "lifeboatlib" / "boards.py", '    "generic": Board(\n', recipe)
    (tree / "tests" / "unit" / "boards" / "dts" / f"{BOARD}.dts").write_text(TREE, encoding="utf-8")
    (tree / "tests" / "unit" / "boards" / f"{BOARD}.txt").write_text("")


def configure(tree: Path) -> subprocess.CompletedProcess[str]:
    """Configures the host build of a tree."""
    argv = ["meson", "setup", "build-host", "-Dhost_tests=true"]
    return subprocess.run(argv, cwd=tree, capture_output=True, text=True, check=False)


def test_the_example_is_less_than_40_lines() -> None:
    """All that is written for a board, blank lines and all."""
    assert sum(block.count("\n") for block in example()) < MOST_LINES


@pytest.mark.slow
def test_the_example_builds_and_the_board_is_found_and_planned(tree: Path) -> None:
    port(tree)
    done = configure(tree)
    assert done.returncode == 0, done.stdout[-2000:]
    wanted = ["meson", "compile", "-C", "build-host", "plan_board", "test_platform", "dtbs"]
    done = subprocess.run(wanted, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    done = subprocess.run([tree / "build-host/tests/unit/test_platform"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", f"{BOARD} or every", "tests/unit/boards"]
    env = os.environ | {"LIFEBOAT_GOLDEN": "write"}
    done = subprocess.run(argv, cwd=tree, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout[-4000:]  # a run that writes never passes
    done = subprocess.run(argv, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    plan = (tree / "tests" / "unit" / "boards" / f"{BOARD}.txt").read_text(encoding="utf-8")
    assert f"platform  {BOARD} for acme,one-rev2; 1 of 1 harts, Sv39\nquirk     no-srst\n" in plan, plan
    assert re.search(r"^reserved +\[ 0x88000000\.\. 0x883fffff\] +4096 KiB  lifeboat-lost@88000000$", plan, re.M), plan


def break_readme(tree: Path) -> None:
    (tree / "platform" / BOARD / "README.md").unlink()


def break_recipe(tree: Path) -> None:
    (tree / "platform" / BOARD / "README.md").write_text("# Acme One\n")


def break_row(tree: Path) -> None:
    shutil.copyfile(REPO / "tests" / "unit" / "boards" / "fdts.py", tree / "tests" / "unit" / "boards" / "fdts.py")


def break_summary(tree: Path) -> None:
    (tree / "tests" / "unit" / "boards" / f"{BOARD}.txt").unlink()


def break_list(tree: Path) -> None:
    shutil.copyfile(REPO / "meson.build", tree / "meson.build")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (break_readme, "platform/acme-one has no README.md"),
        (break_recipe, "platform/acme-one/README.md has no flash recipe"),
        (break_row, "platform/acme-one has no test FDT"),
        (break_summary, "platform/acme-one has no test FDT"),
        (break_list, "platform/acme-one is not named in meson.build"),
    ],
)
def test_the_build_wants_a_platform_whole(broken, complaint: str, tree: Path) -> None:  # noqa: ANN001
    port(tree)
    broken(tree)
    done = configure(tree)
    assert done.returncode != 0 and complaint in done.stdout, done.stdout[-2000:]
