# SPDX-License-Identifier: BSD-2-Clause
"""Fetches Debian's riscv64 kernel, firmware and programs, and says where they lie."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lifeboatlib import kernels
from lifeboatlib.packages import CODENAME, NEXT_CODENAME, Package, fetch
from lifeboatlib.ui import Missing

# makedumpfile 1.7.6, trixie's, takes Linux 6.12's free pages for slabs; kexec-tools is not in trixie
# for riscv64.
PROGRAMS = (NEXT_CODENAME,)

LINUX = kernels.stable()
# A newer printk ring and VMCOREINFO (tests/boot/test_newer_kernel.py), a KVM that reflects fetch faults into the
# guest (tests/kvm), and FDTs of boards that trixie's kernel does not know yet.
NEWER_LINUX = kernels.newer()
BUSYBOX = Package("busybox-static", ("usr/bin/busybox",))
OPENSBI = Package("opensbi", ("usr/lib/riscv64-linux-gnu/opensbi/*",))
UBOOT = Package("u-boot-qemu", ("usr/lib/u-boot/qemu-riscv64_smode/*",))

# Programs of the crash kernel's userspace, and the libraries that they name in DT_NEEDED.
MAKEDUMPFILE = Package("makedumpfile", ("usr/bin/makedumpfile",), codenames=PROGRAMS)
KEXEC_TOOLS = Package("kexec-tools", ("usr/sbin/kexec", "usr/sbin/vmcore-dmesg"), codenames=PROGRAMS)
LIBRARIES = (
    Package(
        "libc6", ("usr/lib/riscv64-linux-gnu/*.so*", "usr/lib/ld-linux-riscv64*"), codenames=PROGRAMS
    ),
    *(
        Package(name, ("usr/lib/riscv64-linux-gnu/*.so*",), codenames=PROGRAMS)
        for name in ("libdw1t64", "libelf1t64", "liblzo2-2", "libzstd1", "zlib1g", "libbz2-1.0", "liblzma5")
    ),
)

LOADER = "ld-linux-riscv64-lp64d.so.1"

# Of boards' first stages and of other OpenSBI releases, fetched by what needs them (fetch()).
UBOOT_SIFIVE = Package("u-boot-sifive", ("usr/lib/u-boot/*",))
UBOOT_STARFIVE = Package("u-boot-starfive", ("usr/lib/u-boot/*",))
# EDK2 for QEMU's flash, and a GRUB that it starts, whole in one file (fetch()).
EDK2 = Package("qemu-efi-riscv64", ("usr/share/qemu-efi-riscv64/*",))
GRUB = Package("grub-efi-riscv64-unsigned", ("usr/lib/grub/riscv64-efi/monolithic/*",))
# By the suite that has them: each has another release.
OPENSBIS = {
    suite: Package("opensbi", OPENSBI.keep, (suite,))
    for suite in ("bookworm", "bookworm-backports", CODENAME, NEXT_CODENAME)
}

PACKAGES = (LINUX, NEWER_LINUX, BUSYBOX, OPENSBI, UBOOT, MAKEDUMPFILE, KEXEC_TOOLS, *LIBRARIES)


def linux(newer: bool = False) -> kernels.Kernel:
    """Debian's riscv64 kernel with all that belongs to it, or the next Debian's."""
    return NEWER_LINUX if newer else LINUX


def kernel(newer: bool = False) -> Path:
    """Debian's riscv64 kernel, or the next Debian's; it is a plain Image, whatever its name says."""
    return linux(newer).image()


def module(name: str, newer: bool = False) -> bytes:
    """A module of that kernel, unpacked."""
    return linux(newer).module(name)


def busybox() -> Path:
    """A statically linked busybox for riscv64."""
    return BUSYBOX.file("usr/bin/busybox")


def opensbi(kind: str = "dynamic", suite: str = CODENAME) -> Path:
    """OpenSBI's generic firmware; `kind` is dynamic or jump, `suite` one of OPENSBIS."""
    return OPENSBIS[suite].file(f"usr/lib/riscv64-linux-gnu/opensbi/generic/fw_{kind}.bin")


def uboot() -> Path:
    """U-Boot proper for S-mode, a raw binary for address 0x80200000."""
    return UBOOT.file("usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin")


def edk2(part: str) -> Path:
    """A half of EDK2's flash: CODE, or the VARS that it begins with."""
    fetch((EDK2,))
    return EDK2.file(f"usr/share/qemu-efi-riscv64/RISCV_VIRT_{part}.fd")


def grub() -> Path:
    """GRUB as an EFI program, with all its modules; reads /EFI/debian/grub.cfg."""
    fetch((GRUB,))
    return GRUB.file("usr/lib/grub/riscv64-efi/monolithic/grubriscv64.efi")


def _needed(program: Path) -> list[str]:
    """The shared libraries that an ELF file names."""
    argv = ["readelf", "-d", str(program)]
    listing = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.+)\]", listing)


def _library(name: str, libraries: Sequence[Package]) -> Path:
    """A shared library by its soname."""
    for package in libraries:
        for found in package.root.glob(f"usr/lib/**/{name}"):
            return found.resolve()
    raise Missing(f"{name}: in none of {', '.join(package.name for package in libraries)}")


def with_libraries(program: Path, more: Sequence[Package] = ()) -> dict[str, Path]:
    """A dynamically linked program and all that it needs, from `more` libraries, too, by their names in an initramfs."""
    libraries = (*LIBRARIES, *more)
    files = {f"bin/{program.name}": program, f"lib/{LOADER}": _library(LOADER, libraries)}
    todo = _needed(program)
    while todo:
        name = todo.pop()
        if f"lib/{name}" not in files:
            files[f"lib/{name}"] = _library(name, libraries)
            todo += _needed(files[f"lib/{name}"])
    return files


def fetch_missing(refresh: bool = False) -> None:
    """Fetches the packages that are not there yet, or all of them again."""
    fetch(PACKAGES, refresh)


def headers() -> list[Path]:
    """The packages with that kernel's headers, unpacked; fetched when they are asked for, since few ask."""
    wanted = LINUX.headers()
    fetch(wanted)
    return [package.file("usr").parent for package in wanted]
