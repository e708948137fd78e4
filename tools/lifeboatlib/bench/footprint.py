# SPDX-License-Identifier: BSD-2-Clause
"""Bytes: of the images, of RAM that is written before the payload runs, of RAM that a healthy primary does not get."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from lifeboatlib import bundle, size, target
from lifeboatlib.bench import boot, crash
from lifeboatlib.bench.bed import BOOTARGS, NEXT_STAGE, Bed, Row, counting, entry_of
from lifeboatlib.qemu import Machine, Session

PAGE = 4096
RAM = 512 << 20
RAM_AT = 0x80000000
PATTERN = b"\xa5" * PAGE
ERASED = b"\xff"
UNIT = "bytes"


def flat(bed: Bed) -> int:
    """The stage's image."""
    return bed.stage.stat().st_size


def loaded(bed: Bed) -> int:
    """Code, rodata and data."""
    return sum(map(size.counted, size.table(bed.elf, bed.elf.with_suffix(".map")).values()))


def uboot_image(_: Bed) -> int:
    """U-Boot's."""
    return target.uboot().stat().st_size


def edk2_image(_: Bed) -> int:
    """EDK2's, without what is erased or zero at its end."""
    return len(target.edk2("CODE").read_bytes().rstrip(ERASED).rstrip(b"\0"))


def pages(content: bytes) -> Iterator[bytes]:
    """In pieces of a page."""
    return (content[start : start + PAGE] for start in range(0, len(content), PAGE))


def written(machine: Machine, bed: Bed, entry: int) -> int:
    """Bytes of pages written from the next stage's first instruction to `entry`, but for pages of kernel and initramfs."""
    ram = bed.scratch / "ram"
    with ram.open("wb") as file:
        for _ in range(RAM // PAGE):
            file.write(PATTERN)
    backend = f"memory-backend-file,id=ram,size={RAM},mem-path={ram},share=on"
    lasting = replace(
        machine, memory=str(RAM >> 20) + "M", machine="virt,memory-backend=ram",
        extra=("-object", backend, *machine.extra),
    )  # fmt: skip
    with counting(lasting) as (_, gdb):
        gdb.run_to(NEXT_STAGE)
        before = ram.read_bytes()
        gdb.step()
        gdb.run_to(entry)
        after = ram.read_bytes()
    ram.unlink()
    known = {page for path in (target.kernel(), bed.ramdisk) for page in pages(path.read_bytes())}
    changed = (new for old, new in zip(pages(before), pages(after), strict=True) if old != new)
    return PAGE * sum(page not in known for page in changed)


def written_by_lifeboat(bed: Bed) -> int:
    """On the way to a kernel that is copied."""
    machine = Machine(kernel=bed.stage, initrd=boot.hashed("crc32", bed), append=BOOTARGS, memory="512M")
    return written(machine, bed, entry_of(machine))


def written_by_uboot(bed: Bed) -> int:
    """The same FIT."""
    machine = boot.uboot_of_fit(bed, boot.hashed("crc32", bed), memory="512M")
    return written(machine, bed, NEXT_STAGE)


def total(bed: Bed, name: str, machine: Machine) -> int:
    """MemTotal of the primary, of which crash.py may have seen one of that name already."""
    if name not in bed.kept:
        with Session(machine) as session:
            bed.kept[name] = crash.Primary.of(session).memory
    found = bed.kept[name]
    assert isinstance(found, int)
    return found


def bare(newer: bool, bed: Bed) -> int:
    """MemTotal of the kernel that OpenSBI starts by itself."""
    ramdisk = crash.primary(bed, f"bare{newer}", "", {})
    machine = Machine(kernel=target.kernel(newer), initrd=ramdisk, append=crash.BOOTARGS)
    return total(bed, f"memory, bare {newer}", machine)


def plain(bed: Bed) -> Path:
    """A bundle without a crash kernel."""
    made = bundle.simple(bundle.linux(target.kernel()), crash.primary(bed, "plain", "", {}), crash.BOOTARGS)
    return made.write(bed.scratch / "plain.itb")


def taken(make: Callable[[Bed], Path], newer: bool, bed: Bed) -> int:
    """What the primary has less than one that nobody takes from."""
    return bare(newer, bed) - total(bed, crash.memory_of(make), Machine(kernel=bed.stage, initrd=make(bed)))


def taken_by_uboot(bed: Bed) -> int:
    """U-Boot starts the same kernel."""
    ramdisk = crash.primary(bed, "uboot", "", {})
    fit = bundle.simple(boot.linux_at(NEXT_STAGE), ramdisk, crash.BOOTARGS).write(bed.scratch / "uboot.itb")
    return bare(False, bed) - total(bed, "memory, U-Boot", boot.uboot_of_fit(bed, fit))


def rows() -> list[Row]:
    """In the order in which they are shown."""
    make = partial(Row, "bytes", unit=UNIT)
    image, ram, less = "image", "RAM written before the payload, but for its own", "RAM that the primary has less"
    region = "a crash region of 256 MiB"
    return [
        make(image, "lifeboat", flat),
        make(f"{image}: code and data", "lifeboat", loaded),
        make(image, "U-Boot", uboot_image),
        make(image, "EDK2", edk2_image),
        make(ram, "lifeboat", written_by_lifeboat),
        make(ram, "U-Boot", written_by_uboot),
        make(less, "lifeboat", partial(taken, plain, False)),
        make(less, "U-Boot", taken_by_uboot),
        make(f"{region}, prepared", "lifeboat", partial(taken, crash.prepared, False), note="and the bundle in RAM"),
        make(f"{region}, lent", "lifeboat", partial(taken, crash.lent, True), note="32 MiB kept; and the bundle"),
        make(f"{region}, crashkernel=256M", "stock kexec -p", partial(taken, crash.stock, False)),
    ]
