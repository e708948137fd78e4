# SPDX-License-Identifier: BSD-2-Clause
"""What the board tests share: Debian's parts for boards, and images as tools/lifeboat image makes them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from contract_fixtures import contract, ramdisk  # noqa: F401

from lifeboatlib import image, setup, target
from lifeboatlib.boards import BOARDS


@pytest.fixture(scope="session")
def parts() -> None:
    """What images need is on this machine."""
    wanted = {package.name: package for board in BOARDS.values() for package in board.sources.packages()}
    setup.for_image([*wanted.values(), *target.OPENSBIS.values()])


@pytest.fixture
def make_image(parts: None, stage: Path, tmp_path: Path) -> Callable[..., Path]:
    """make_image(board, way=None, at=None, bundle=None, dtb=None): the image, or the directory."""

    def make(board: str, way: str | None = None, at: int | None = None, **options: Path | None) -> Path:
        out = tmp_path / "image" / f"{board}.img"
        assert image.make(board, way, stage, out, at, **options), "there is nothing to tell the person at the board"
        return out

    return make
