# SPDX-License-Identifier: BSD-2-Clause
"""What a healthy primary has left in each form of a crash region, and what a packed crash kernel costs at its capture."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from lifeboatlib import bundle, initramfs, target
from lifeboatlib.bench.bed import BOOTARGS, HANDOFF, Bed, Row
from lifeboatlib.qemu import Machine, Session

MIB = 1 << 20
REGION, KEPT = 256 * MIB, 20 * MIB
TOTAL, CMA, AVAILABLE = "MemTotal", "CmaTotal", "MemAvailable"
READY = "bench: ready"
PRIMARY = f'{initramfs.PROLOGUE}cat /proc/meminfo\necho "{READY}"\nsleep 1000\n'
FACT = r"^(\w+): +(\d+) kB$"

# As `tools/lifeboat bundle --compress` packs, as lifeboat-kdump does (gzip -6), and otherwise. What a FIT's hash covers has
# no sum of its own.
PACKERS = {
    "zstd -19": ("zstd", "-19", "-T0", "--no-check"),
    "zstd -3": ("zstd", "-3", "--no-check"),
    "gzip -9": ("gzip", "-9", "-n"),
    "gzip -6": ("gzip", "-6", "-n"),
    "lz4 -9": ("lz4", "-9", "--no-frame-crc"),
}
UNPACKED = r"^lifeboat: cost: (\d+) instructions for \d+ KiB unpacked"


def primary(bed: Bed) -> bundle.Bundle:
    """The next Debian's kernel, which has CMA; and no crash region."""
    ramdisk = initramfs.make_initramfs(bed.scratch / "meminfo.cpio", PRIMARY)
    return bundle.simple(bundle.linux(target.kernel(newer=True)), ramdisk, f"{BOOTARGS} cma=0")


def prepared(bed: Bed) -> bundle.Bundle:
    """The crash kernel lies in its place."""
    return bundle.with_crash(primary(bed), bed.ramdisk, crash=bundle.Crash(REGION))


def lent(bed: Bed) -> bundle.Bundle:
    """Kept is room for a packed crash kernel; the rest is the primary's."""
    return bundle.with_reserve(primary(bed), bundle.Crash(REGION, kept_size=KEPT, lent=True))


def meminfo(make: Callable[[Bed], bundle.Bundle], bed: Bed) -> dict[str, int]:
    """What Linux says that it has, in bytes."""
    made = make(bed).write(bed.scratch / f"memory-{make.__name__}.itb")
    with Session(Machine(kernel=bed.stage, initrd=made)) as session:
        session.expect(READY)
        text = session.text.replace("\r", "")
    return {name: int(kib) << 10 for name, kib in re.findall(FACT, text, re.MULTILINE)}


def one(make: Callable[[Bed], bundle.Bundle], name: str, bed: Bed) -> int:
    """One figure of such a machine, which is started once."""
    found = bed.once(f"memory, {make.__name__}", partial(meminfo, make, bed))
    assert isinstance(found, dict)
    return int(found[name])


def packed(packer: str, bed: Bed) -> Path:
    """The kernel, by that packer."""
    path = bed.scratch / packer.replace(" ", "")
    if not path.is_file():
        with path.open("wb") as sink:
            subprocess.run([*PACKERS[packer], "-q", "-c", target.kernel(newer=True)], stdout=sink, check=True)
    return path


def packed_size(packer: str, bed: Bed) -> int:
    """What must be kept."""
    return packed(packer, bed).stat().st_size


def unpacking(packer: str, bed: Bed) -> int:
    """By the stage's account of a boot. At a capture it is the same."""
    image = replace(bundle.linux(packed(packer, bed)), compression=PACKERS[packer][0])
    made = bundle.simple(image, bed.ramdisk).write(bed.scratch / f"{packer[:4]}-unpacked.itb")
    with Session(Machine(kernel=bed.stage, initrd=made, icount=True)) as session:
        session.expect(HANDOFF)
        return int(re.search(UNPACKED, session.text, re.MULTILINE)[1])  # type: ignore[index]


def rows() -> list[Row]:
    """In the order in which they are shown."""
    forms = [
        ("no crash region", primary),
        (f"a region of {REGION // MIB} MiB, the crash kernel in its place", prepared),
        (f"the same, {KEPT // MIB} MiB kept, the rest lent", lent),
    ]
    make = partial(Row, "memory", unit="bytes")
    return [
        make(what, name, partial(one, form, name)) for what, form in forms for name in (TOTAL, CMA, AVAILABLE)
    ]


def packing_rows() -> list[Row]:
    """The packed kernel, and what it takes to unpack it."""
    return [
        row
        for packer in PACKERS
        for row in (
            Row("packing", packer, "packed", partial(packed_size, packer), "bytes"),
            Row("packing", packer, "million instructions to unpack", partial(unpacking, packer)),
        )
    ]
