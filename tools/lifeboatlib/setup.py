# SPDX-License-Identifier: BSD-2-Clause
"""Brings a bare Debian machine to the point where everything else of the tool works."""

import argparse
import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from lifeboatlib import fitcheck, host, initramfs, target, tarballs
from lifeboatlib.packages import Package
from lifeboatlib.paths import cache_dir, friendly
from lifeboatlib.ui import Missing, say

HELP = "install what is missing on this Debian machine"
EXAMPLES = ("tools/lifeboat setup", "tools/lifeboat setup --refresh")


@contextmanager
def _only_one() -> Iterator[None]:
    """Keeps two set-ups of one cache from running at the same time."""
    with (cache_dir() / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def for_build() -> None:
    """What building the stage needs."""
    with _only_one():
        host.install()
        tarballs.fetch_missing()


def for_boot() -> None:
    """What booting Linux under QEMU needs."""
    with _only_one():
        host.install()
        target.fetch_missing()
        initramfs.ensure_demo()


def for_image(packages: Sequence[Package] = ()) -> None:
    """What making an image for a board needs, with these of Debian's packages for riscv64."""
    with _only_one():
        host.install(host.IMAGE_PACKAGES)
        target.fetch(packages)


def for_packages(packages: Sequence[str]) -> None:
    """More packages of this machine's own, for what few do."""
    with _only_one():
        host.install(tuple(packages))


def everything(refresh: bool = False) -> None:
    """All of it; with `refresh` the newest kernel and firmware as well."""
    with _only_one():
        host.install()
        tarballs.fetch_missing()
        fitcheck.fetch_missing()
        target.fetch_missing(refresh)
        with suppress(Missing):  # the archive has no busybox, which has been told
            initramfs.ensure_demo()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the setup command."""
    parser.add_argument(
        "--refresh", action="store_true", help="fetch the newest Debian kernel and firmware again"
    )


def main(args: argparse.Namespace) -> int:
    """Sets up."""
    everything(args.refresh)
    say(f"setup: ready; downloads are in {friendly(cache_dir())}")
    return 0
