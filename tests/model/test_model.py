# SPDX-License-Identifier: BSD-2-Clause
"""The life of a machine with an armed record, checked exhaustively by spin: life.pml says what must hold.

The model asks the stage's own C (life.c), so the two can't disagree. Each mutation breaks one thing, and spin must find
it: a model that finds nothing wrong with those would prove nothing.
"""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lifeboatlib.paths import REPO, SUBPROJECTS
from lifeboatlib.qemu import patience

# What the judge and arming are made of.
SOURCES = (
    "tests/model/life.c", "boot/crash/judge.c", "boot/crash/arm.c", "boot/crash/record.c",
    "kexec/crash/record.c", "kexec/crash/retained.c", "kexec/crash/area.c", "kexec/crash/region.c",
    "kexec/crash/deaths.c", "kexec/crash/lost.c", "kexec/dead/note.c", "kexec/dead/printk.c",
    "kexec/image/linux.c", "mm/region.c", "mm/memmap.c", "base/error.c", "fdt/machine.c",
)  # fmt: skip
HEADERS = ("dtc-*/libfdt", "mbedtls-*/include", "mbedtls-*/library")
MUTATIONS = {
    1: "armed once", 2: "notes wiped too early", 3: "boots not counted", 4: "start not noted", 5: "one slot only",
    6: "tries not counted", 7: "disarmed once", 8: "begun anew once",
}  # fmt: skip


def gcc(*words: str | Path, cwd: Path) -> None:
    """Compiles with the tree's headers."""
    libraries = [next(SUBPROJECTS.glob(pattern), None) for pattern in HEADERS]
    assert all(libraries), "the libraries are not unpacked: run tools/lifeboat build"
    ours = f"-I{REPO / 'tests' / 'model' / 'host'}"  # in place of what only a hart can do
    argv = ["gcc", "-O1", "-ffunction-sections", "-Wl,--gc-sections", ours, f"-I{REPO}"]
    argv += [*(f"-isystem{library}" for library in libraries), *map(str, words)]
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.fixture(scope="module")
def stage_objects(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The stage's own judge and arming, for this machine."""
    directory = tmp_path_factory.mktemp("life")
    for source in SOURCES:
        # (printk.c is there for its names; how a log ends is the model's to say.)
        told = ["-Dprintk_ending=life_printk_ending"] if source.endswith("judge.c") else []
        out = directory / f"{source.replace('/', '_')}.o"
        gcc("-std=c11", "-Wall", "-Wextra", "-Werror", *told, "-c", REPO / source, "-o", out, cwd=directory)
    return sorted(directory.glob("*.o"))


@pytest.fixture(scope="module")
def pan(stage_objects: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that spin makes of the model, which searches."""
    directory = tmp_path_factory.mktemp("pan")
    argv = ["spin", "-a", REPO / "tests" / "model" / "life.pml"]
    made = subprocess.run(argv, cwd=directory, capture_output=True, text=True, check=False)
    assert made.returncode == 0 and "error" not in made.stdout.lower(), made.stdout + made.stderr
    gcc("-w", "-DSAFETY", "-DNOCLAIM", "-o", "pan", "pan.c", *stage_objects, cwd=directory)
    return directory / "pan"


def explore(pan: Path, mutation: int, directory: Path) -> str:
    """What the exhaustive search says."""
    environment = {**os.environ, "LIFE_MUTATION": str(mutation)}
    done = subprocess.run(
        [pan, "-m100000"],
        cwd=directory, env=environment, capture_output=True, text=True, timeout=patience(), check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "life: " not in done.stderr, done.stdout + done.stderr
    assert "max search depth too small" not in done.stdout
    return done.stdout


@pytest.mark.slow
def test_no_crash_is_lost_and_no_end_mistaken(
    pan: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """In no state that can be reached."""
    told = explore(pan, 0, tmp_path)
    states = re.search(r"(\d+) states, stored", told)
    assert "errors: 0" in told, told
    assert states and int(states[1]) > 1_000_000, told
    record_property("terminal", f"model: {int(states[1]):,} states of an armed machine's life, nothing wrong in them")


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda number: MUTATIONS[number].replace(" ", "-"))
def test_what_is_broken_is_found(mutation: int, pan: Path, tmp_path: Path) -> None:
    """Each by one of the assertions."""
    told = explore(pan, mutation, tmp_path)
    assert "assertion violated" in told and "errors: 1" in told, told
