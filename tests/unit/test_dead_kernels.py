# SPDX-License-Identifier: BSD-2-Clause
"""The RAM of real dead kernels, read on the host: Debian's, and the next Debian's (make_ram.py lets them die)."""

import os
import subprocess
from pathlib import Path

import pytest
from lifeboatlib import target
from lifeboatlib.paths import host_dir
from lifeboatlib.qemu import patience
from make_ram import DEATHS, make

OFTEN = {("panic", False)}
KERNELS = [
    pytest.param(name, newer, marks=[] if (name, newer) in OFTEN else [pytest.mark.long])
    for newer in (False, True)
    for name in DEATHS
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "newer"), KERNELS)
def test_a_real_dead_kernel_is_understood(name: str, newer: bool, tmp_path: Path) -> None:
    """Its note, its end, every line of its log; and damage to them harms nobody."""
    make(tmp_path, name, target.kernel(newer))
    program = host_dir() / "tests" / "unit" / "dead_kernels"
    assert program.exists(), f"{program.name} is not built: run tools/lifeboat test"
    environment = {**os.environ, "LIFEBOAT_DEAD": str(tmp_path / name)}
    result = subprocess.run(
        [program], env=environment, capture_output=True, text=True, timeout=patience(), check=False
    )
    print(f"\n{name}, {(tmp_path / name).with_suffix('.facts').read_text().split()[:2]}: {result.stdout[-900:]}")
    assert result.returncode == 0, (result.stdout + result.stderr)[-4000:]
    (tmp_path / name).with_suffix(".ram").unlink()
