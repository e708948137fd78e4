# SPDX-License-Identifier: BSD-2-Clause
"""Builds U-Boot's fit_check_sign for the tests: the other opinion on signed bundles. Debian does not package it."""

import os
import shutil
import tempfile
from pathlib import Path

from lifeboatlib import command, tarballs
from lifeboatlib.paths import cache_dir
from lifeboatlib.ui import Missing, say, step

RELEASE = "2025.01"
SOURCE = tarballs.Tarball(
    "u-boot", f"u-boot-{RELEASE}.tar.bz2", "cdef7d507c93f1bbd9f015ea9bc21fa074268481405501945abc6f854d5b686f"
)
HINT = "install what it misses (bison, flex, libssl-dev, make), then tools/lifeboat setup again"


def _place() -> Path:
    """Where it lies, or will."""
    return cache_dir() / "host" / f"fit_check_sign-{RELEASE}"


def program() -> Path:
    """Where it lies. Raises Missing."""
    if not _place().is_file():
        raise Missing(f"fit_check_sign: not built, tools/lifeboat setup needs U-Boot {RELEASE} for it")
    return _place()


def _build(tree: Path) -> Path:
    """U-Boot's host tools have a configuration of their own; one of the tools would need more libraries."""
    make = ["make", "-C", str(tree), f"-j{os.cpu_count() or 1}"]
    config = [str(tree / "scripts" / "config"), "--file", str(tree / ".config")]
    for argv in (
        [*make, "tools-only_defconfig"],
        [*config, "--disable", "TOOLS_MKEFICAPSULE"],
        [*make, "tools-only"],
    ):
        command.logged(argv, "fitcheck", HINT)
    return tree / "tools" / "fit_check_sign"


def fetch_missing() -> None:
    """Builds it if it is not there yet; tells it, and no more, if its source is not to be had."""
    if _place().is_file():
        return
    try:
        _make(tarballs.source(SOURCE))
    except Missing as missing:
        say(f"setup: {missing}; what needs it is left out")


def _make(source: Path) -> None:
    """Builds it of its source."""
    with step("setup: building U-Boot's fit_check_sign"), tempfile.TemporaryDirectory(dir=cache_dir()) as name:
        directory = Path(name)
        command.logged(["tar", "-C", directory, "-xf", source], "fitcheck", HINT)
        built = _build(directory / f"u-boot-{RELEASE}")
        new = _place().with_suffix(".new")
        new.parent.mkdir(exist_ok=True)
        shutil.copy2(built, new)
        new.rename(_place())
