# SPDX-License-Identifier: BSD-2-Clause
"""Fetches packages of Debian's riscv64 architecture, and keeps those files of them that are wanted.

What the archive does not have is told in a line and no error here: who needs it gets Missing when he asks for it.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import command, debian
from lifeboatlib.apt import RETRY, PrivateApt
from lifeboatlib.paths import cache_dir
from lifeboatlib.ui import LifeboatError, Missing, say, step

RISCV64 = "riscv64"
CODENAME = "trixie"
NEXT_CODENAME = "forky"
# By codename: under which names to ask for it. A suite moves on in time, and a mirror that is being synchronised
# may serve it consistently under one of its names only.
SUITES = {
    "trixie": ("trixie", "stable", "oldstable"),
    "forky": ("forky", "testing", "stable"),
    "sid": ("sid", "unstable"),
    "bookworm": ("bookworm", "oldstable"),
    "bookworm-backports": ("bookworm-backports", "oldstable-backports"),
}
# Suites without riscv64: what is taken from them is for all architectures.
FOREIGN = ("bookworm", "bookworm-backports")
STAMP = ".keep"  # in a package's directory: the patterns that were looked for in it


@dataclass(frozen=True)
class Package:
    """A Debian package of which some files are kept, out of the first of some suites that has it.

    A pattern in `keep` may name alternatives, as in "a|b".
    """

    name: str
    keep: tuple[str, ...]
    codenames: tuple[str, ...] = (CODENAME,)

    @property
    def root(self) -> Path:
        """Where its files are unpacked."""
        first = self.codenames[0]
        return cache_dir() / "target" / (self.name if first == CODENAME else f"{self.name}-{first}")

    def names(self, apt: PrivateApt) -> list[str]:
        """What to download; empty if the suite has it not."""
        return [self.name] if apt.field(self.name, "Package") else []

    def matches(self, pattern: str) -> list[Path]:
        """The files of the unpacked package that match a pattern."""
        return [path for each in pattern.split("|") for path in sorted(self.root.glob(each))]

    def is_whole(self) -> bool:
        """Is it there, with all that is wanted of it today and that it has?"""
        stamp = self.root / STAMP
        looked_for = stamp.read_text(encoding="utf-8") if stamp.is_file() else ""
        return looked_for == "\n".join(self.keep) or all(map(self.matches, self.keep))

    def file(self, pattern: str) -> Path:
        """The newest file of the unpacked package that matches a pattern. Raises Missing."""
        found = self.matches(pattern)
        if not found and self.root.is_dir():
            raise Missing(f"{self.name}: no {pattern} in what the archive has of it")
        if not found:
            raise Missing(f"{self.name}: not there; tools/lifeboat setup fetches it if the archive has it")
        return found[-1]


def _keep(scratch: Path, kept: Path, patterns: Sequence[str]) -> None:
    """Moves what matches out of an unpacked package."""
    kept.mkdir()
    for pattern in (each for alternatives in patterns for each in alternatives.split("|")):
        for path in scratch.glob(pattern):
            target = kept / path.relative_to(scratch)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target)
    (kept / STAMP).write_text("\n".join(patterns), encoding="utf-8")


def _unpack(debs: Iterator[Path], package: Package, directory: Path) -> None:
    """Unpacks the files to keep; the package's own directory appears only when it is complete."""
    for deb in debs:
        command.logged(["dpkg-deb", "-x", deb, directory / "all"], "setup", RETRY)
    _keep(directory / "all", directory / "kept", package.keep)
    shutil.rmtree(package.root, ignore_errors=True)
    shutil.move(directory / "kept", package.root)


def _fetch(apt: PrivateApt, package: Package) -> bool:
    """Downloads and unpacks one package; whether the suite has it."""
    names = package.names(apt)
    if not names:
        return False
    package.root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=package.root.parent) as name:
        directory = Path(name)
        apt.download(names, directory)
        _unpack(directory.glob("*.deb"), package, directory)
    return True


def updated_apt(codename: str, architecture: str = RISCV64) -> PrivateApt:
    """An apt for an architecture with lists of a suite, under the first of its names that can be had."""
    base = debian.archive(debian.sources(), debian.codename())
    problem = LifeboatError(f"the package archive has no {codename} for {architecture}; {RETRY}")
    purpose = "target" if architecture == RISCV64 else architecture
    for suite in SUITES[codename]:
        wanted = None if codename in FOREIGN else architecture
        apt = PrivateApt(f"{purpose}-{suite}", [base.line(suite=suite)], architecture=wanted)
        try:
            apt.update()
        except LifeboatError as error:
            problem = error
            continue
        if apt.codename() == codename:
            return apt
    raise problem


def _fetch_from(codename: str, packages: list[Package]) -> list[Package]:
    """Those of the packages that a suite has, fetched. Without the main suite nothing goes, so that is an error."""
    names = " ".join(package.name for package in packages)
    with step(f"setup: fetching for riscv64 from {codename}: {names}"):
        try:
            apt = updated_apt(codename)
        except LifeboatError:
            if codename == CODENAME:
                raise
            return []
        return [package for package in packages if _fetch(apt, package)]


def fetch(packages: Sequence[Package], refresh: bool = False) -> None:
    """Fetches those of the packages that are not there yet, or all of them again; tells what is not to be had."""
    wanted = [package for package in packages if refresh or not package.is_whole()]
    for codename in SUITES:
        here = [package for package in wanted if codename in package.codenames]
        got = _fetch_from(codename, here) if here else []
        wanted = [package for package in wanted if package not in got]
    for package in wanted:
        suites = ", ".join(package.codenames)
        say(f"setup: the archive has no {package.name} in {suites}; what needs it is left out")
