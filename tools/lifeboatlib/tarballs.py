# SPDX-License-Identifier: BSD-2-Clause
"""Puts the libraries' source tarballs, taken from Debian, where Meson looks for them."""

import configparser
import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import debian
from lifeboatlib.apt import PrivateApt
from lifeboatlib.paths import PACKAGECACHE, SUBPROJECTS, cache_dir, friendly
from lifeboatlib.ui import LifeboatError, Missing, say, step

SUITES = ("trixie", "forky", "sid")

# Debian's source package for a wrap; a wrap that is not listed is left to Meson's own download.
DEBIAN_SOURCE = {
    "crash": "crash",
    "dtc": "device-tree-compiler",
    "libdeflate": "libdeflate",
    "lz4": "lz4",
    "makedumpfile": "makedumpfile",
    "mbedtls": "mbedtls",
    "opensbi": "opensbi",
    "picolibc": "picolibc",
    "u-boot": "u-boot",
    "zstd": "libzstd",
}


@dataclass(frozen=True)
class Tarball:
    """The upstream release that a subprojects/*.wrap pins."""

    wrap: str
    filename: str
    sha256: str

    def cached(self) -> bool:
        """Whether Meson will find the right file without a download."""
        path = PACKAGECACHE / self.filename
        return path.is_file() and sha256(path) == self.sha256

    @property
    def kept(self) -> Path:
        """Where it is kept for all clones."""
        return cache_dir() / "tarballs" / self.filename

    def is_kept(self) -> bool:
        """Whether an earlier download of the right file is kept."""
        return self.kept.is_file() and sha256(self.kept) == self.sha256

    def recall(self) -> bool:
        """Takes it from an earlier download, of another clone, say; whether that was possible."""
        if not self.is_kept():
            return False
        PACKAGECACHE.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.kept, PACKAGECACHE / self.filename)
        return True


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pinned() -> list[Tarball]:
    """The tarballs that the wraps name and Debian has."""
    found = []
    for path in sorted(SUBPROJECTS.glob("*.wrap")):
        wrap = configparser.ConfigParser(interpolation=None)
        wrap.read(path, encoding="utf-8")
        if path.stem in DEBIAN_SOURCE and wrap.has_option("wrap-file", "source_hash"):
            section = wrap["wrap-file"]
            found.append(Tarball(path.stem, section["source_filename"], section["source_hash"]))
    return found


def _fetch(apt: PrivateApt, suite: str, tarball: Tarball) -> bool:
    """Downloads one tarball and keeps it under the name that its wrap uses; whether the suite has that release."""
    with tempfile.TemporaryDirectory(dir=cache_dir()) as name:
        directory = Path(name)
        try:
            apt.download_source(DEBIAN_SOURCE[tarball.wrap], suite, directory)
        except LifeboatError:
            return False
        match = next((path for path in directory.iterdir() if sha256(path) == tarball.sha256), None)
        if match:
            tarball.kept.parent.mkdir(exist_ok=True)
            shutil.move(match, tarball.kept)
        return match is not None


def _fetch_all(wanted: list[Tarball]) -> None:
    """Downloads tarballs into the place where they are kept, from the first suite with the release that is pinned."""
    base = debian.archive(debian.sources(), debian.codename()) if wanted else None
    for suite in SUITES:
        if not wanted or not base:
            return
        apt = PrivateApt(f"source-{suite}", [base.line("deb-src", suite)])
        with step(f"setup: fetching the sources of {', '.join(t.wrap for t in wanted)} from {suite}"):
            apt.update()
            wanted = [tarball for tarball in wanted if not _fetch(apt, suite, tarball)]
    for tarball in wanted:
        say(
            f"setup: the archive has no {tarball.filename} with the hash that is pinned; "
            f"get it from upstream and put it into {friendly(tarball.kept.parent)}"
        )


def fetch_missing() -> None:
    """Fetches the tarballs that are not there yet."""
    wanted = [each for each in pinned() if not each.cached() and not each.recall()]
    _fetch_all(wanted)
    for tarball in wanted:
        tarball.recall()


def source(tarball: Tarball) -> Path:
    """A tarball that no wrap of Meson's names, fetched if need be. Raises Missing."""
    _fetch_all([] if tarball.is_kept() else [tarball])
    if not tarball.is_kept():
        raise Missing(f"{tarball.filename}: not in the archive any more")
    return tarball.kept
