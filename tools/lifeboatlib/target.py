# SPDX-License-Identifier: BSD-2-Clause
"""Fetches Debian's riscv64 kernel, firmware and programs, and says where they lie."""

import lzma
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import command, debian
from lifeboatlib.apt import RETRY, PrivateApt
from lifeboatlib.paths import cache_dir
from lifeboatlib.ui import LifeboatError, step

CODENAME = "trixie"
# makedumpfile 1.7.6, trixie's, takes Linux 6.12's free pages for slabs; kexec-tools is not in trixie
# for riscv64.
PROGRAMS_CODENAME = "forky"
# A mirror that is being synchronised may serve a suite consistently under one of its names only.
SUITES = {
    "trixie": ("trixie", "stable"),
    "forky": ("forky", "testing"),
    "bookworm": ("bookworm", "oldstable"),
    "bookworm-backports": ("bookworm-backports", "oldstable-backports"),
}
# Suites without riscv64: what is taken from them is for all architectures.
FOREIGN = ("bookworm", "bookworm-backports")


@dataclass(frozen=True)
class Package:
    """A Debian package of which some files are kept.

    A meta package gives the name of the real one in its dependencies, by a pattern. With `meta` it is
    another's dependencies that tell the release, the pattern's group, which `name` goes before.
    """

    name: str
    keep: tuple[str, ...]
    dependency: str | None = None
    codename: str = CODENAME
    meta: str | None = None

    @property
    def root(self) -> Path:
        """Where its files are unpacked."""
        suffix = "" if self.codename == CODENAME else f"-{self.codename}"
        return cache_dir() / "target" / f"{self.name}{suffix}"

    def is_whole(self) -> bool:
        """Is it there, with all that is wanted of it today?"""
        return all(any(self.root.glob(pattern)) for pattern in self.keep)

    def file(self, pattern: str) -> Path:
        """The newest file of the unpacked package that matches a pattern."""
        found = sorted(self.root.glob(pattern))
        if not found:
            raise LifeboatError(f"{self.name} is not there; run tools/lifeboat setup")
        return found[-1]


LINUX = Package(
    "linux-image-riscv64",
    ("boot/vmlinux-*", "boot/config-*", "usr/lib/modules/*", "usr/lib/linux-image-*"),
    r"linux-image-\S+-riscv64",
)
# A newer printk ring and VMCOREINFO (tests/boot/test_newer_kernel.py), and a KVM that reflects fetch faults into
# the guest (tests/kvm); forky has split its packages.
NEWER_KERNEL, NEWER_MODULES = (
    Package(name, keep, r"linux-image-(\S+-riscv64)", PROGRAMS_CODENAME, "linux-image-riscv64")
    for name, keep in (
        ("linux-binary", ("usr/lib/modules/*/vmlinuz",)),
        (
            "linux-modules",
            (
                "usr/lib/modules/*/kernel/arch/riscv/kvm/*",
                "usr/lib/modules/*/kernel/virt/lib/*",
                "usr/lib/modules/*/kernel/drivers/block/virtio_blk*",
            ),
        ),
    )
)
# FDTs of boards that trixie's kernel does not know yet.
NEWER_FDTS = Package(
    "linux-base",
    ("usr/lib/modules/*/dtb",),
    r"linux-image-(\S+-riscv64)",
    PROGRAMS_CODENAME,
    "linux-image-riscv64",
)
BUSYBOX = Package("busybox-static", ("usr/bin/busybox",))
OPENSBI = Package("opensbi", ("usr/lib/riscv64-linux-gnu/opensbi/*",))
UBOOT = Package("u-boot-qemu", ("usr/lib/u-boot/qemu-riscv64_smode/*",))

# Programs of the crash kernel's userspace, and the libraries that they name in DT_NEEDED.
MAKEDUMPFILE = Package("makedumpfile", ("usr/bin/makedumpfile",), codename=PROGRAMS_CODENAME)
KEXEC_TOOLS = Package("kexec-tools", ("usr/sbin/kexec", "usr/sbin/vmcore-dmesg"), codename=PROGRAMS_CODENAME)
LIBRARIES = (
    Package(
        "libc6", ("usr/lib/riscv64-linux-gnu/*.so*", "usr/lib/ld-linux-riscv64*"), codename=PROGRAMS_CODENAME
    ),
    *(
        Package(name, ("usr/lib/riscv64-linux-gnu/*.so*",), codename=PROGRAMS_CODENAME)
        for name in ("libdw1t64", "libelf1t64", "liblzo2-2", "libzstd1", "zlib1g", "libbz2-1.0", "liblzma5")
    ),
)

# Of boards' first stages and of other OpenSBI releases, fetched by what needs them (fetch()).
UBOOT_SIFIVE = Package("u-boot-sifive", ("usr/lib/u-boot/*",))
UBOOT_STARFIVE = Package("u-boot-starfive", ("usr/lib/u-boot/*",))
OPENSBI_RELEASES = {
    "1.1": Package("opensbi", OPENSBI.keep, codename="bookworm"),
    "1.5": Package("opensbi", OPENSBI.keep, codename="bookworm-backports"),
    "1.6": OPENSBI,
    "1.9": Package("opensbi", OPENSBI.keep, codename="forky"),
}

PACKAGES = (
    LINUX, NEWER_KERNEL, NEWER_MODULES, NEWER_FDTS, BUSYBOX, OPENSBI, UBOOT, MAKEDUMPFILE, KEXEC_TOOLS, *LIBRARIES,
)  # fmt: skip


def kernel(newer: bool = False) -> Path:
    """Debian's riscv64 kernel, or the next Debian's; it is a plain Image, whatever its name says."""
    return NEWER_KERNEL.file("usr/lib/modules/*/vmlinuz") if newer else LINUX.file("boot/vmlinux-*")


def modules() -> Path:
    """The modules of that kernel, lib/modules/<release>."""
    return LINUX.file("usr/lib/modules/*")


def busybox() -> Path:
    """A statically linked busybox for riscv64."""
    return BUSYBOX.file("usr/bin/busybox")


def opensbi(kind: str = "dynamic", release: str = "1.6") -> Path:
    """OpenSBI's generic firmware; `kind` is dynamic or jump, `release` one of OPENSBI_RELEASES."""
    return OPENSBI_RELEASES[release].file(f"usr/lib/riscv64-linux-gnu/opensbi/generic/fw_{kind}.bin")


def uboot() -> Path:
    """U-Boot proper for S-mode, a raw binary for address 0x80200000."""
    return UBOOT.file("usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin")


def module(name: str, newer: bool = False) -> bytes:
    """A module of that kernel, unpacked."""
    packed = (NEWER_MODULES if newer else LINUX).file(f"usr/lib/modules/*/kernel/**/{name}.ko.xz")
    return lzma.decompress(packed.read_bytes())


def _needed(program: Path) -> list[str]:
    """The shared libraries that an ELF file names."""
    argv = ["readelf", "-d", str(program)]
    listing = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.+)\]", listing)


def _library(name: str) -> Path:
    """A shared library by its soname."""
    for package in LIBRARIES:
        for found in package.root.glob(f"usr/lib/**/{name}"):
            return found.resolve()
    raise LifeboatError(f"no package of the target has {name}; report this")


def with_libraries(program: Path) -> dict[str, Path]:
    """A dynamically linked program and all that it needs, by their names in an initramfs."""
    loader = "ld-linux-riscv64-lp64d.so.1"
    files = {f"bin/{program.name}": program, f"lib/{loader}": _library(loader)}
    todo = _needed(program)
    while todo:
        name = todo.pop()
        if f"lib/{name}" not in files:
            files[f"lib/{name}"] = _library(name)
            todo += _needed(files[f"lib/{name}"])
    return files


def _real_name(apt: PrivateApt, package: Package) -> str:
    """The package to download, seen through a meta package."""
    if not package.dependency:
        return package.name
    meta = package.meta or package.name
    match = re.search(package.dependency, apt.field(meta, "Depends"))
    if not match:
        raise LifeboatError(f"Debian's {meta} names no kernel; report this")
    return f"{package.name}-{match[1]}" if package.meta else match[0]


def _unpack(deb: Path, package: Package) -> None:
    """Unpacks the files to keep; the directory appears only when it is complete."""
    with tempfile.TemporaryDirectory(dir=deb.parent) as name:
        scratch = Path(name) / "all"
        kept = Path(name) / "kept"
        command.logged(["dpkg-deb", "-x", deb, scratch], "setup", RETRY)
        for pattern in package.keep:
            for path in scratch.glob(pattern):
                target = kept / path.relative_to(scratch)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(path, target)
        shutil.rmtree(package.root, ignore_errors=True)
        shutil.move(kept, package.root)


def _fetch(apt: PrivateApt, package: Package) -> None:
    """Downloads and unpacks one package."""
    parent = package.root.parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as name:
        directory = Path(name)
        apt.download([_real_name(apt, package)], directory)
        _unpack(next(directory.glob("*.deb")), package)


def _updated_apt(codename: str) -> PrivateApt:
    """An apt for riscv64 with lists of a suite, under the first of its names that can be had."""
    base = debian.archive(debian.sources(), debian.codename())
    problem = LifeboatError(f"the package archive has no {codename} for riscv64; {RETRY}")
    for suite in SUITES[codename]:
        architecture = None if codename in FOREIGN else "riscv64"
        apt = PrivateApt(f"target-{suite}", [base.line(suite=suite)], architecture=architecture)
        try:
            apt.update()
        except LifeboatError as error:
            problem = error
            continue
        if apt.codename() == codename:
            return apt
    raise problem


def fetch_missing(refresh: bool = False) -> None:
    """Fetches the packages that are not there yet, or all of them again."""
    fetch(PACKAGES, refresh)


def fetch(packages: Sequence[Package], refresh: bool = False) -> None:
    """Fetches those of the packages that are not there yet, or all of them again."""
    for codename in SUITES:
        wanted = [
            package
            for package in packages
            if package.codename == codename and (refresh or not package.is_whole())
        ]
        if not wanted:
            continue
        names = " ".join(package.name for package in wanted)
        with step(f"setup: fetching for riscv64 from {codename}: {names}"):
            apt = _updated_apt(codename)
            for package in wanted:
                _fetch(apt, package)


def _header_packages() -> list[Package]:
    """What it takes to build a module for that kernel; the names have its release in them."""
    release = modules().name
    common = release.removesuffix("-riscv64")
    names = (f"linux-headers-{release}", f"linux-headers-{common}-common", f"linux-kbuild-{common}")
    return [Package(name, ("usr/src/*", "usr/lib/linux-kbuild-*")) for name in names]


def headers() -> list[Path]:
    """The packages with that kernel's headers, unpacked; fetched when they are asked for, since few ask."""
    packages = _header_packages()
    missing = [package for package in packages if not package.root.is_dir()]
    if missing:
        with step("setup: fetching the kernel's headers"):
            apt = _updated_apt(CODENAME)
            for package in missing:
                _fetch(apt, package)
    return [package.root for package in packages]
