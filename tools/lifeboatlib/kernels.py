# SPDX-License-Identifier: BSD-2-Clause
"""Debian's kernels for riscv64, under whatever names a release packages them.

LIFEBOAT_KERNEL pins the kernel by hand: a release (6.12.107+deb13-riscv64) or a suite (trixie, forky, sid).
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib.apt import PrivateApt
from lifeboatlib.packages import CODENAME, NEXT_CODENAME, Package
from lifeboatlib.ui import Missing

PIN = "LIFEBOAT_KERNEL"
META = "linux-image-riscv64"
# Debian 13 has all of a kernel in linux-image-RELEASE; later it is split, and linux-image-RELEASE is empty.
PARTS = ("linux-image", "linux-binary", "linux-modules", "linux-base")
RELEASE = r"linux-(?:image|binary)-(\d[\w.+~-]*-riscv64)"
IMAGE = "boot/vmlinu[xz]-*|usr/lib/modules/*/vmlinuz"
MODULES = "usr/lib/modules/*/kernel"
FDT_FOLDERS = ("usr/lib/linux-image-*", "usr/lib/modules/*/dtb")
UNPACKERS = {".ko": ["cat"], ".xz": ["xz", "-dc"], ".zst": ["zstd", "-dcq"], ".gz": ["gzip", "-dc"]}
SUITES = (CODENAME, NEXT_CODENAME, "sid")


def _age(release: str) -> list[int]:
    """For sorting: 6.12.107 is newer than 6.12.9."""
    return [int(number) for number in re.findall(r"\d+", release)]


@dataclass(frozen=True)
class Kernel(Package):
    """A kernel with its modules and FDTs: the newest of the first suite that has one, or a release of it."""

    keep: tuple[str, ...] = (IMAGE, MODULES, "|".join(FDT_FOLDERS))
    codenames: tuple[str, ...] = SUITES
    pinned: str = ""

    @property
    def root(self) -> Path:
        """Where its files are unpacked; the name tells which it is."""
        return super().root.with_name(self.name)

    def _release(self, apt: PrivateApt) -> str:
        """The newest release that the meta package depends on, or, without one, that is there."""
        found = re.findall(RELEASE, apt.field(META, "Depends"))
        if not found:
            found = [match[1] for name in apt.package_names("linux-") if (match := re.fullmatch(RELEASE, name))]
        return max(found, key=_age, default="")

    def names(self, apt: PrivateApt) -> list[str]:
        """Those of the packages that make up a kernel that the suite has."""
        release = self.pinned or self._release(apt)
        there = set(apt.package_names("linux-"))
        return [name for part in PARTS if (name := f"{part}-{release}") in there]

    def image(self) -> Path:
        """The kernel, a plain Image, whatever its name says."""
        return self.file(IMAGE)

    def release(self) -> str:
        """As `uname -r` says it."""
        return self.file(MODULES).parent.name

    def fdt(self, name: str) -> Path:
        """The FDT of a board, by its name in Linux' tree: vendor/board.dtb."""
        return self.file("|".join(f"{folder}/{name}" for folder in FDT_FOLDERS))

    def module(self, name: str) -> bytes:
        """A module of it, unpacked."""
        packed = self.file(f"{MODULES}/**/{name}.ko*")
        argv = [*UNPACKERS[packed.suffix], str(packed)]
        return subprocess.run(argv, capture_output=True, check=True).stdout

    def modules(self, *names: str) -> dict[str, bytes]:
        """Those of some modules that it has, by their files' names; others are part of the Image."""
        there = [name for name in names if self.matches(f"{MODULES}/**/{name}.ko*")]
        if not there:
            raise Missing(f"{self.name}: none of the modules {', '.join(names)}")
        return {f"{name}.ko": self.module(name) for name in there}

    def headers(self) -> list[Package]:
        """The packages that it takes to build a module for it; the names have its release in them."""
        release = self.release()
        common = release.removesuffix("-riscv64")
        names = (f"linux-headers-{release}", f"linux-headers-{common}-common", f"linux-kbuild-{common}")
        return [Package(name, ("usr/src/*|usr/lib/linux-kbuild-*",), self.codenames) for name in names]


def stable() -> Kernel:
    """The kernel of most tests: stable's, or the next one that is to be had, or the pinned one."""
    pin = os.environ.get(PIN, "")
    if not pin:
        return Kernel("linux")
    if pin in SUITES:
        return Kernel(f"linux-of-{pin}", codenames=(pin,))
    return Kernel(f"linux-{pin.replace('/', '_')}", pinned=pin)


def newer() -> Kernel:
    """The next release's kernel."""
    return Kernel("linux-newer", codenames=SUITES[1:])
