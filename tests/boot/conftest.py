# SPDX-License-Identifier: BSD-2-Clause
"""What the boot tests share."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import keyed
import pytest
from contract_fixtures import contract, ramdisk  # noqa: F401

from lifeboatlib.paths import REPO, TOOLS


@pytest.fixture(scope="session")
def keydir() -> Path:
    """Keys of all kinds, public and private."""
    return keyed.directory()


@pytest.fixture(scope="module")
def stage_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """stage_with("-Doption=value", ..., compiler="gcc"): the stage, built so."""

    def build(*options: str, compiler: str = "gcc") -> Path:
        directory = tmp_path_factory.mktemp("build")
        cross = f"--cross-file={TOOLS / 'cross' / f'riscv64-{compiler}.ini'}"
        for argv in (["setup", directory, REPO, cross, *options], ["compile", "-C", directory]):
            done = subprocess.run(["meson", *argv], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr
        return directory / "lifeboat.bin"

    return build


@pytest.fixture(scope="session")
def ctl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """lifeboat-ctl, static, for riscv64 Linux."""
    directory = tmp_path_factory.mktemp("ctl")
    cross = f"--cross-file={TOOLS / 'cross' / 'riscv64-gcc.ini'}"
    subprocess.run(["meson", "setup", directory, REPO, cross, "-Dctl=true"], check=True)
    subprocess.run(["meson", "compile", "-C", directory], check=True)
    return directory / "tools" / "lifeboat-ctl" / "lifeboat-ctl"
