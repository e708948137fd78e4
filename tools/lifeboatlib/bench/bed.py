# SPDX-License-Identifier: BSD-2-Clause
"""What all of bench's rows share: a row, the files that are measured, a machine whose instructions are counted."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from lifeboatlib import bundle, initramfs, target
from lifeboatlib.gdbstub import Gdb, debugged
from lifeboatlib.qemu import Machine, Session
from lifeboatlib.ui import LifeboatError

NEXT_STAGE = 0x80200000  # where OpenSBI starts it; where U-Boot puts a Linux Image, too
RESET_VECTOR = 0x1000
TICK = 100  # instructions of 1 ns in a tick of QEMU's clock
BOOTARGS = "console=ttyS0 quiet panic=1 cryptomgr.notests"
HANDOFF = r"^lifeboat: handoff: to (0x[0-9a-f]+) .*\n"
COST = r"^lifeboat: cost: (\d+) instructions of our own, (\d+) for \d+ KiB copied, (\d+) for the console\n"
CHECKED = r"^lifeboat: cost: (\d+) instructions for \d+ KiB checked"


@dataclass
class Bed:
    """The stage, and room for files. What several rows need is made once."""

    scratch: Path
    stage: Path
    elf: Path
    kept: dict[str, object] = field(default_factory=dict)

    def once(self, name: str, make: Callable[[], object]) -> object:
        """What make() gave the first time."""
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]

    def fit(self, name: str, made: bundle.Bundle, hashes: Sequence[str]) -> Path:
        """A FIT with these hashes in each image, made once for a name."""
        images = [replace(image, hashes=hashes) for image in made.images]
        path = self.scratch / f"{name}.itb"
        return path if path.is_file() else replace(made, images=images).write(path)

    @cached_property
    def ramdisk(self) -> Path:
        """The demo's initramfs."""
        return initramfs.ensure_demo()


@dataclass(frozen=True)
class Row:
    """A figure that can be measured: of whom, how many of which unit, what a reader must know besides."""

    part: str
    what: str
    who: str
    measure: Callable[[Bed], int]
    unit: str = "instructions"
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A row that was measured."""

    part: str
    what: str
    who: str
    value: int
    unit: str
    note: str

    @classmethod
    def of(cls, row: Row, bed: Bed) -> "Figure":
        """Measures."""
        return cls(row.part, row.what, row.who, row.measure(bed), row.unit, row.note)


def counting(machine: Machine) -> AbstractContextManager[tuple[Session, Gdb]]:
    """A machine that counts instructions, and stands still before its first one."""
    return debugged(replace(machine, icount=True))


def between(gdb: Gdb, *addresses: int) -> int:
    """Instructions from here to the first of the addresses."""
    begin = gdb.register("instret")
    gdb.run_to(*addresses)
    return gdb.register("instret") - begin


def clocked(gdb: Gdb, *addresses: int) -> int:
    """As between(), by the clock, to a hundred: Linux stops the counter of instructions, and OpenSBI sets it anew."""
    begin = gdb.register("time")
    gdb.run_to(*addresses)
    return (gdb.register("time") - begin) * TICK


def firmware_part(gdb: Gdb) -> int:
    """From the reset vector, where it stands, to the next stage."""
    return clocked(gdb, NEXT_STAGE)


def at(address: int, file: Path) -> tuple[str, ...]:
    """For QEMU: a file that lies in RAM from the start."""
    return ("-device", f"loader,file={file},addr={address:#x},force-raw=on")


def of_size(memory: str) -> Mapping[str, object]:
    """Options for a machine with so much RAM, of which the host gives what is touched."""
    backend = f"memory-backend-ram,id=ram,size={memory},reserve=off"
    return {"memory": memory, "machine": "virt,memory-backend=ram", "extra": ("-object", backend)}


def linux_at(load: int) -> bundle.Image:
    """Debian's kernel, for a place that U-Boot can be told of, too."""
    return replace(bundle.linux(target.kernel()), load=load, entry=load)


def entry_of(machine: Machine) -> int:
    """Where the stage leaves to, by its own word."""
    with Session(machine) as session:
        return int(session.expect(HANDOFF)[1], 16)


def cost(machine: Machine) -> dict[str, int]:
    """By the stage's own account of its first boot."""
    with Session(replace(machine, icount=True)) as session:
        session.expect(HANDOFF)
        found = re.search(COST, session.text, re.MULTILINE)
        checked = re.search(CHECKED, session.text, re.MULTILINE)
    if not found:
        raise LifeboatError("bench: the stage tells of no cost: does the firmware hide the counter?")
    own, copied, console = map(int, found.groups())
    return {"own work": own, "console": console, "checked and copied": copied + (int(checked[1]) if checked else 0)}
