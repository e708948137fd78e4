# SPDX-License-Identifier: BSD-2-Clause
"""What grows with RAM, harts and sizes, and what does not: by the stage's own account of a boot."""

import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lifeboatlib import bundle, initramfs, target
from lifeboatlib.bench import boot, crash
from lifeboatlib.bench.bed import BOOTARGS, Bed, Row, cost, of_size
from lifeboatlib.qemu import Machine

MIB = 1 << 20
MEMORIES = ("256M", "512M", "1G", "4G", "16G", "64G")
HARTS = (1, 2, 4, 8, 16, 32)
MANY = 8  # harts that QEMU's other interrupt controller has
KERNELS = (8, 32, 64)
RAMDISKS = (2, 16, 64)
OWN, CHECKED = "own work", "checked and copied"
JUMP_TO_SELF = 0x6F
IMAGE = struct.Struct("<IIQQQIIQQII")


def own(make: Callable[[Bed], Path], bed: Bed, **options: object) -> int:
    """Without hashes, copies and console."""
    machine = Machine(kernel=bed.stage, initrd=make(bed), append=BOOTARGS, **options)  # type: ignore[arg-type]
    return cost(machine)[OWN]


def armed(bed: Bed) -> Path:
    """A bundle with a crash kernel."""
    found = bed.once("armed", partial(crash.prepared, bed))
    assert isinstance(found, Path)
    return found


def machine_of(harts: int) -> str:
    """A virt that takes so many."""
    return "virt,aclint=on" if harts > MANY else "virt"


def kernel_of(bed: Bed, mib: int) -> Path:
    """An Image of that size that does nothing; no two pages of it are alike."""
    path = bed.scratch / f"kernel{mib}"
    head = IMAGE.pack(JUMP_TO_SELF, 0, 0x200000, mib * MIB, 0, 2, 0, 0, 0x5643534952, 0x05435352, 0)
    path.write_bytes(head + b"".join(struct.pack("<Q", n) for n in range((mib * MIB - len(head)) // 8)))
    return path


def ramdisk_of(bed: Bed, mib: int) -> Path:
    """An initramfs of that size."""
    return initramfs.make_initramfs(bed.scratch / f"ramdisk{mib}.cpio", "", {"filler": bytes(mib * MIB)})


def of_kernel(mib: int, bed: Bed) -> dict[str, int]:
    """A boot of a kernel of that size, CRC-32."""
    path = bed.scratch / f"kernel{mib}.itb"
    bundle.simple(bundle.linux(kernel_of(bed, mib)), bed.ramdisk).write(path)
    return cost(Machine(kernel=bed.stage, initrd=path, memory="2G"))


def of_ramdisk(mib: int, bed: Bed) -> dict[str, int]:
    """A boot of Debian's kernel with an initramfs of that size, CRC-32."""
    path = bed.scratch / f"ramdisk{mib}.itb"
    bundle.simple(bundle.linux(target.kernel()), ramdisk_of(bed, mib)).write(path)
    return cost(Machine(kernel=bed.stage, initrd=path, memory="2G"))


def part(name: str, measure: Callable[[int, Bed], dict[str, int]], mib: int, bed: Bed) -> int:
    """One figure of such a boot, which is run once."""
    found = bed.once(f"{measure.__name__}{mib}", partial(measure, mib, bed))
    assert isinstance(found, dict)
    return int(found[name])


def rows() -> list[Row]:
    """Of growing machines."""
    make = partial(Row, "growth")
    plain, arming = partial(own, boot.in_place), partial(own, armed)
    return [
        *(make(f"RAM: {memory}", "plain boot", partial(plain, **of_size(memory))) for memory in MEMORIES),
        *(make(f"RAM: {memory}", "boot that arms", partial(arming, **of_size(memory))) for memory in MEMORIES[1:]),
        *(
            make(f"harts: {harts}", "plain boot", partial(plain, smp=harts, machine=machine_of(harts)))
            for harts in HARTS
        ),
    ]


def size_rows() -> list[Row]:
    """Of growing files."""
    files = [(of_kernel, f"kernel of {mib} MiB", mib) for mib in KERNELS]
    files += [(of_ramdisk, f"initramfs of {mib} MiB", mib) for mib in RAMDISKS]
    return [
        Row("sizes", what, name, partial(part, name, measure, mib))
        for measure, what, mib in files
        for name in (OWN, CHECKED)
    ]
