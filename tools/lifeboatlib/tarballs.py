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
from lifeboatlib.ui import LifeboatError, step

SUITE = "trixie"

# Debian's source package for a wrap; a wrap that is not listed is left to Meson's own download.
DEBIAN_SOURCE = {
    "dtc": "device-tree-compiler",
    "libdeflate": "libdeflate",
    "lz4": "lz4",
    "mbedtls": "mbedtls",
    "opensbi": "opensbi",
    "picolibc": "picolibc",
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


def _fetch(apt: PrivateApt, tarball: Tarball) -> None:
    """Downloads one tarball and keeps it under the name that its wrap uses."""
    source = DEBIAN_SOURCE[tarball.wrap]
    with tempfile.TemporaryDirectory(dir=cache_dir()) as name:
        directory = Path(name)
        apt.download_source(source, SUITE, directory)
        match = next((p for p in directory.iterdir() if sha256(p) == tarball.sha256), None)
        if match is None:
            raise LifeboatError(
                f"Debian's {source} is not the release that {tarball.filename} names by its hash; "
                f"get that from upstream and put it into {friendly(tarball.kept.parent)}"
            )
        tarball.kept.parent.mkdir(exist_ok=True)
        shutil.move(match, tarball.kept)


def _fetch_all(wanted: list[Tarball]) -> None:
    """Downloads tarballs into the place where they are kept."""
    if not wanted:
        return
    base = debian.archive(debian.sources(), debian.codename())
    apt = PrivateApt("source", [base.line("deb-src", SUITE)])
    with step(f"setup: fetching the sources of {', '.join(t.wrap for t in wanted)}"):
        apt.update()
        for tarball in wanted:
            _fetch(apt, tarball)


def fetch_missing() -> None:
    """Fetches the tarballs that are not there yet."""
    wanted = [each for each in pinned() if not each.cached() and not each.recall()]
    _fetch_all(wanted)
    for tarball in wanted:
        tarball.recall()


def source(tarball: Tarball) -> Path:
    """A tarball that no wrap of Meson's names, fetched if need be."""
    _fetch_all([] if tarball.is_kept() else [tarball])
    return tarball.kept
