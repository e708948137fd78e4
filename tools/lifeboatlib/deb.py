# SPDX-License-Identifier: BSD-2-Clause
"""Builds the Debian packages: lifeboat, the stage, and lifeboat-kdump, for machines that have it."""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

from lifeboatlib import command, makedumpfile, setup
from lifeboatlib.paths import PACKAGECACHE, REPO, build_dir, friendly
from lifeboatlib.ui import LifeboatError, say, step

HELP = "build the Debian packages"
EXAMPLES = (
    "tools/lifeboat deb -o packages",
    "tools/lifeboat deb --makedumpfile -o packages",
)

PACKAGES = ("debhelper", "dpkg-dev", "pkgconf")
# -d: what builds is tools/lifeboat setup's, which may be newer than the release's (meson), and is for no package.
BUILD = ("dpkg-buildpackage", "-a", "riscv64", "-d", "-us", "-uc", "-Pcross,nocheck")
BOTH, FOR_MACHINES = "-b", "-B"  # -B leaves out lifeboat, which is for all architectures


def _export(into: Path) -> None:
    """The tree as it is now, without what is built or ignored, and the libraries' tarballs."""
    argv = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(argv, cwd=REPO, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise LifeboatError("git cannot list the files of this tree; is it a clone?") from error
    for name in filter(None, listed.split("\0")):
        if (REPO / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPO / name, into / name)
    shutil.copytree(PACKAGECACHE, into / PACKAGECACHE.relative_to(REPO))


def build(output: Path, which: str = BOTH) -> list[Path]:
    """Builds both packages, or lifeboat-kdump alone, into a directory."""
    setup.for_build()
    setup.for_packages(PACKAGES)
    output.mkdir(parents=True, exist_ok=True)
    with step("deb: building the packages"), tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        source = Path(scratch) / "lifeboat"
        _export(source)
        command.logged([*BUILD, which], "deb", "see the log", cwd=source)
        made = [shutil.copy(deb, output / deb.name) for deb in sorted(Path(scratch).glob("*.deb"))]
    return [Path(name) for name in made]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the deb command."""
    parser.add_argument(
        "-o", "--output", type=Path, default=build_dir("deb"), metavar="DIR", help="default: build-deb"
    )
    parser.add_argument(
        "--makedumpfile", action="store_true", help="lifeboat-makedumpfile, too: one whose -d 31 is right on riscv64"
    )


def main(args: argparse.Namespace) -> int:
    """Builds."""
    output = args.output.resolve()
    made = build(output)
    if args.makedumpfile:
        made.append(makedumpfile.build(output))
    for deb in made:
        say(f"deb: {friendly(deb)}, {deb.stat().st_size // 1024} KiB")
    return 0
