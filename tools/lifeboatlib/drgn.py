# SPDX-License-Identifier: BSD-2-Clause
"""Asks riscv64 dumps by drgn, on this machine: the next Debian's, which is the first that knows them.

It is unpacked, not installed, and run by its own loader and Python. Whoever has the next Debian has it anyway.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from lifeboatlib import command, packages
from lifeboatlib.packages import NEXT_CODENAME
from lifeboatlib.paths import cache_dir
from lifeboatlib.ui import LifeboatError, Missing, step

PACKAGE = "python3-drgn"
LOADER, PYTHON, LIBRARIES = "usr/lib*/ld-linux*.so.*", "usr/bin/python3.*[0-9]", "usr/lib/*-linux-gnu"


def home() -> Path:
    """Where it is unpacked, with all that it needs; fetched once. Raises Missing."""
    kept = cache_dir() / "drgn"
    if kept.is_dir():
        return kept
    architecture = command.output(["dpkg", "--print-architecture"]).strip()
    with step(f"debian: fetching {PACKAGE} of {NEXT_CODENAME}, 40 MB"), tempfile.TemporaryDirectory(dir=cache_dir()) as scratch:
        apt = packages.updated_apt(NEXT_CODENAME, architecture)
        if not apt.field(PACKAGE, "Package"):
            raise Missing(f"{PACKAGE}: {NEXT_CODENAME} does not have it for {architecture}")
        debs = apt.closure([PACKAGE])
        apt.download_closure([PACKAGE])
        for deb in debs:
            command.logged(["dpkg-deb", "-x", deb, Path(scratch) / "all"], "drgn", "is the disk full?")
            deb.unlink()
        shutil.move(Path(scratch) / "all", kept)
    return kept


def ask(dump: Path, vmlinux: Path, script: Path) -> str:
    """What a script for drgn says of a dump. Raises Missing, or LifeboatError if drgn or the script fails."""
    root = home()
    loader, python, libraries = (next(root.glob(pattern)) for pattern in (LOADER, PYTHON, LIBRARIES))
    argv = [loader, "--library-path", libraries, python, root / "usr/bin/drgn", "-q", "-c", dump, "-s", vmlinux, script]
    own = {"PYTHONHOME": f"{root}/usr", "PYTHONPATH": f"{root}/usr/lib/python3/dist-packages", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(argv, env=os.environ | own, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LifeboatError(f"drgn, of {dump.name}: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout
