# SPDX-License-Identifier: BSD-2-Clause
"""Builds U-Boot's fit_check_sign for the tests: the other opinion on signed bundles. Debian does not package it."""

import os
import shutil
import tempfile
from pathlib import Path

from lifeboatlib import command, debian
from lifeboatlib.apt import PrivateApt
from lifeboatlib.paths import cache_dir
from lifeboatlib.tarballs import SUITE, sha256
from lifeboatlib.ui import LifeboatError, Missing, say, step

RELEASE = "2025.01"
SHA256 = "cdef7d507c93f1bbd9f015ea9bc21fa074268481405501945abc6f854d5b686f"
HINT = "install what it misses (bison, flex, libssl-dev, make), then tools/lifeboat setup again"


def _place() -> Path:
    """Where it lies, or will."""
    return cache_dir() / "host" / f"fit_check_sign-{RELEASE}"


def program() -> Path:
    """Where it lies. Raises Missing."""
    if not _place().is_file():
        raise Missing(f"fit_check_sign: not built, tools/lifeboat setup needs U-Boot {RELEASE} for it")
    return _place()


def _tarball(directory: Path) -> Path:
    """U-Boot's release, out of Debian's source package."""
    base = debian.archive(debian.sources(), debian.codename())
    apt = PrivateApt("source", [base.line("deb-src", SUITE)])
    apt.update()
    try:
        apt.download_source("u-boot", SUITE, directory)
    except LifeboatError as error:
        raise Missing(f"no source of u-boot in {SUITE} ({error})") from error
    found = next((path for path in directory.iterdir() if sha256(path) == SHA256), None)
    if not found:
        raise Missing(f"Debian's u-boot is not release {RELEASE} any more; pin it anew in fitcheck.py")
    return found


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
        _fetch()
    except Missing as missing:
        say(f"setup: {missing}; what needs it is left out")


def _fetch() -> None:
    """Fetches the source and builds it."""
    with step("setup: building U-Boot's fit_check_sign"), tempfile.TemporaryDirectory(dir=cache_dir()) as name:
        directory = Path(name)
        command.logged(["tar", "-C", directory, "-xf", _tarball(directory)], "fitcheck", HINT)
        built = _build(directory / f"u-boot-{RELEASE}")
        new = _place().with_suffix(".new")
        new.parent.mkdir(exist_ok=True)
        shutil.copy2(built, new)
        new.rename(_place())
