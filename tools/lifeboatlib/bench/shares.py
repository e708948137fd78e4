# SPDX-License-Identifier: BSD-2-Clause
"""Boots whose two large images are hashed by two harts at once: how many instructions come after each other, by any hart."""

from functools import partial

from lifeboatlib import bundle, profiling, target
from lifeboatlib.bench.bed import BOOTARGS, Bed, Row
from lifeboatlib.bench.growth import ramdisk_of
from lifeboatlib.qemu import HANGS, Machine, Session

HARTS = (1, 2, 4, 8)
RAMDISK = 43  # MiB: as Debian's own are
MOVED = 0xBFC00000  # where the stage goes to in a GiB
WAYS = {"SHA-256 (Zbb)": ("sha256", ""), "SHA-512 (Zbb)": ("sha512", ""), "SHA-256 (RV64)": ("sha256", "rv64,zbb=off")}


def path(algo: str, cpu: str, harts: int, bed: Bed) -> int:
    """The boot hart's instructions from the stage's entry to the handoff, and those that it would wait for.

    While it waits, it hashes the other one's image, too; how far it comes is QEMU's choice of turns, and left out.
    """

    def drive(session: Session) -> None:
        session.expect(f"stage: moved to {MOVED:#x}", HANGS)
        session.expect(profiling.HANDOFF, HANGS)

    made = bed.fit(f"shares-{algo}", bundle.simple(bundle.linux(target.kernel()), ramdisk_of(bed, RAMDISK)), (algo,))
    machine = Machine(kernel=bed.stage, initrd=made, append=BOOTARGS, cpu=cpu, smp=harts)
    root = profiling.measure(machine, bed.elf, drive, MOVED)
    large = root.called("images_verify_large")
    own, other = (large and large.called(name) for name in ("images_verify", "verify_image"))
    if not own or not other:
        return root.in_all
    return root.in_all - other.in_all + max(0, root.by_others - own.in_all)


def rows() -> list[Row]:
    """By harts, and by hash."""
    return [
        Row("shares", f"{harts} hart{'s' if harts > 1 else ''}", who, partial(path, *way, harts))
        for harts in HARTS
        for who, way in WAYS.items()
    ]
