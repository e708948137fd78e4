#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Completes what `meson dist` packs: the libraries' tarballs go in, and every file gets the day of the commit.

So the tarball builds without a network, and two of one commit have the same bytes. Meson runs it (meson.build).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "tools"))

from lifeboatlib.tarballs import pinned  # noqa: E402
from lifeboatlib.ui import LifeboatError, fail  # noqa: E402

NOT_LINKED = ("opensbi", "u-boot")  # for tests and images: setup fetches them


def add_libraries(root: Path) -> None:
    """So that Meson finds them where it looks first."""
    cache = root / "subprojects/packagecache"
    cache.mkdir(exist_ok=True)
    for tarball in pinned():
        if tarball.wrap in NOT_LINKED:
            continue
        if not tarball.cached():
            raise LifeboatError(f"{tarball.filename} is not in subprojects/packagecache: run tools/lifeboat setup")
        shutil.copyfile(REPO / "subprojects/packagecache" / tarball.filename, cache / tarball.filename)


def date_all(root: Path, seconds: int) -> None:
    """Files and folders alike; the same rights for everybody."""
    for path in [*root.rglob("*"), root]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (seconds, seconds), follow_symlinks=False)


def main() -> int:
    """What Meson wants done."""
    root = Path(os.environ["MESON_DIST_ROOT"])
    log = subprocess.run(
        ["git", "-C", os.environ["MESON_SOURCE_ROOT"], "log", "-1", "--format=%ct"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    try:
        add_libraries(root)
    except LifeboatError as error:
        fail(str(error))
        return 1
    date_all(root, int(log.stdout))
    return 0


if __name__ == "__main__":
    sys.exit(main())
