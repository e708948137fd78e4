# SPDX-License-Identifier: BSD-2-Clause
"""Runs the host's cmocka programs (tests/unit/test_*.c), built with sanitizers, one test for each.

They are built by `tools/lifeboat test`, or by hand:
    meson setup build-host -Dhost_tests=true -Db_sanitize=address,undefined && meson compile -C build-host
"""

import os
import re
import subprocess
from pathlib import Path

import pytest
from lifeboatlib.paths import host_dir
from lifeboatlib.qemu import patience

SOURCES = sorted(Path(__file__).parent.glob("test_*.c"))
# Ends of the names of those that try out thousands, or take seconds otherwise.
MANY_INPUTS = ("_damage", "_every", "_random", "_tear", "_decompress", "_fixup", "_record", "_pagetable", "_overlay", "_printk")

# For the long run: how many mutations there are of each kind and bundle.
MANY_MUTATIONS = "10000"


def programs() -> list[object]:
    """Each program by its name."""
    return [
        pytest.param(
            source,
            id=source.stem.removeprefix("test_"),
            marks=pytest.mark.slow if source.stem.endswith(MANY_INPUTS) else (),
        )
        for source in SOURCES
    ]


@pytest.mark.parametrize("source", programs())
def test_unit(source: Path) -> None:
    """The program passes all its tests, and runs at least one."""
    run(source)


@pytest.mark.long
def test_no_mutation_of_a_signed_bundle_goes_through() -> None:
    """As test_signature_damage.c says, but often."""
    run(Path("test_signature_damage"), LIFEBOAT_MUTATIONS=MANY_MUTATIONS)


def run(source: Path, **variables: str) -> None:
    """Runs a program, with further environment variables."""
    directory = host_dir() / "tests" / "unit"
    program = directory / source.stem
    assert program.exists(), f"{program.name} is not built: run tools/lifeboat test"
    environment = {
        **os.environ,
        **variables,
        "LIFEBOAT_DTBS": str(directory / "dtbs"),
        "LIFEBOAT_FITS": str(directory / "fits"),
        "LIFEBOAT_SIGNED": str(directory / "signed"),
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",  # (else it tells, and the program passes)
    }
    result = subprocess.run(
        [program], env=environment, capture_output=True, text=True, timeout=patience(), check=False
    )
    output = result.stdout + result.stderr
    passed = re.search(r"\[  PASSED  \] (\d+) test", output)
    assert result.returncode == 0 and passed and int(passed[1]) > 0, output[-6000:]
