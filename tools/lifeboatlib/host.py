# SPDX-License-Identifier: BSD-2-Clause
"""Installs the Debian packages that this machine needs for building and testing."""

import os
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import command, debian
from lifeboatlib.apt import RETRY, PrivateApt
from lifeboatlib.paths import friendly
from lifeboatlib.ui import LifeboatError, step

PACKAGES = (
    "binutils-riscv64-linux-gnu", "bison", "bzip2", "clang", "clang-format", "clang-tidy", "cpio", "cppcheck",
    "device-tree-compiler", "flex", "gcc", "gcc-riscv64-linux-gnu", "gcovr", "groff-base", "libc6-dev",
    "libc6-dev-riscv64-cross", "libclang-rt-dev", "libcmocka-dev", "libssl-dev", "lld", "llvm", "lz4", "make",
    "ninja-build", "openssl", "pkg-config", "python3-pytest", "python3-pytest-xdist", "spin", "u-boot-tools",
    "xz-utils", "zstd",
)  # fmt: skip

# What only making images for boards needs, and building OpenSBI.
IMAGE_PACKAGES = ("fdisk", "make", "mtools")


@dataclass(frozen=True)
class Versioned:
    """A program of which an older release does not do; any program on PATH that is new enough is
    taken, else the Debian package is installed."""

    program: str
    package: str
    minimum: tuple[int, int]

    def version(self) -> tuple[int, int] | None:
        """The version of the program on PATH."""
        match = re.search(r"(\d+)\.(\d+)", command.output([self.program, "--version"]))
        return (int(match[1]), int(match[2])) if match else None

    def satisfied(self) -> bool:
        """Whether the program on PATH is new enough."""
        version = self.version()
        return version is not None and version >= self.minimum


VERSIONED = (
    Versioned("meson", "meson", (1, 3)),
    Versioned("qemu-system-riscv64", "qemu-system-riscv", (8, 0)),
)

# Releases whose own versions are too old get these from their backports.
BACKPORTS = {"bookworm": ("meson", "qemu-system-riscv")}


def installed(packages: tuple[str, ...]) -> dict[str, str]:
    """The versions of those of the packages that are installed."""
    form = "${Package} ${db:Status-Status} ${Version}\\n"
    rows = command.output(["dpkg-query", "-W", "-f", form, *packages]).splitlines()
    fields = (row.split() for row in rows)
    return {row[0]: row[2] for row in fields if len(row) == 3 and row[1] == "installed"}


def sanitizer_package(clang_version: str) -> str:
    """The package with clang's sanitizer run-time, from a version such as 1:14.0-55.7."""
    return f"libclang-rt-{clang_version.split(':')[-1].split('.')[0]}-dev"


def missing(clang_version: str | None, more: tuple[str, ...] = ()) -> list[str]:
    """The packages that are not there yet."""
    wanted = PACKAGES + more + ((sanitizer_package(clang_version),) if clang_version else ())
    there = installed(wanted)
    plain = [package for package in wanted if package not in there]
    return plain + [need.package for need in VERSIONED if not need.satisfied()]


def _sources(release: str) -> list[str]:
    """The lines of a sources.list for host packages."""
    known = debian.sources()
    base = debian.archive(known, release)
    lines = [source.line() for source in debian.archive_with_updates(known, release)]
    if release in BACKPORTS:
        lines.append(base.line(suite=f"{release}-backports"))
    return lines


def _install_script(apt: PrivateApt, packages: list[str], release: str) -> Path:
    """Writes down what has to run as root, so that a user can read it before running it."""
    newer = [package for package in packages if package in BACKPORTS.get(release, ())]
    plain = [package for package in packages if package not in newer]
    common = ("-y", "--no-install-recommends")
    lines = ["set -e", "export DEBIAN_FRONTEND=noninteractive"]
    if plain:
        lines.append(shlex.join(apt.argv("apt-get", *common, "install", *plain)))
    if newer:
        target = ("-t", f"{release}-backports")
        lines.append(shlex.join(apt.argv("apt-get", *common, *target, "install", *newer)))
    lines.append(shlex.join(apt.argv("apt-get", "clean")))
    script = apt.root / "install.sh"
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return script


def _run_as_root(script: Path, count: int) -> None:
    """Runs the script as root, through sudo if need be."""
    argv = ["sh", str(script)]
    if os.geteuid() != 0:
        by_hand = f"run as root: sh {friendly(script)}  then tools/lifeboat setup again"
        if not shutil.which("sudo"):
            raise LifeboatError(f"{count} packages are missing and there is no sudo; {by_hand}")
        argv = ["sudo", *([] if sys.stdin.isatty() else ["-n"]), *argv]
    else:
        by_hand = RETRY
    command.logged(argv, "setup", by_hand)


def install(more: tuple[str, ...] = ()) -> None:
    """Installs what is missing, and `more`; does nothing, quickly, when nothing is."""
    clang = installed(("clang",)).get("clang")
    packages = missing(clang, more)
    if not packages:
        return
    release = debian.codename()
    apt = PrivateApt("host", _sources(release), installing=True)
    with step("setup: fetching the package lists"):
        apt.update()
    if not clang:
        packages.append(sanitizer_package(apt.field("clang", "Version")))
    with step(f"setup: installing {len(packages)} packages: {' '.join(packages)}"):
        _run_as_root(_install_script(apt, packages, release), len(packages))
    _check_versions()


def _check_versions() -> None:
    """Complains when an old program comes first on PATH, which a package cannot mend."""
    for need in VERSIONED:
        if not need.satisfied():
            wanted = ".".join(map(str, need.minimum))
            place = shutil.which(need.program) or "nowhere on PATH"
            raise LifeboatError(
                f"{need.program} >= {wanted} is needed, but found is {place}; take it off PATH"
            )
