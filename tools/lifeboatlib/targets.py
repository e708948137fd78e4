# SPDX-License-Identifier: BSD-2-Clause
"""Measures what lifeboat's targets are about, and says which are met.

Instructions are the stage's own account of a boot ("cost:" in its log) under QEMU -icount: what it checks, copies, unpacks,
prints, and its own work. They repeat, and are no seconds. "before" is what main took on 2026-11-27, at 96a289a.
"""

import argparse
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lifeboatlib import build, bundle, command, initramfs, setup, size, target
from lifeboatlib.bench import footprint, table
from lifeboatlib.bench.bed import BOOTARGS, HANDOFF, RESET_VECTOR, between, counting, firmware_part
from lifeboatlib.bench.bed import Bed as Shared
from lifeboatlib.bench.crash import PANIC, REBOOT, symbols_of
from lifeboatlib.gdbstub import Gdb
from lifeboatlib.paths import REPO, TOOLS
from lifeboatlib.qemu import HANGS, Machine, Session
from lifeboatlib.ui import say

HELP = "measure what there are targets for, and say which are met"
EXAMPLES = (
    "tools/lifeboat targets --json targets.json",
    "tools/lifeboat targets --only harts",
    "tools/lifeboat targets --into docs/crash.md",
)

NO_ZBC, ZKNH, NO_ZBB = "rv64,zbc=off,zbkc=off", "rv64,zknh=on", "rv64,zbb=off"
ZVKNHA = "rv64,v=on,zvkb=on,zvknha=on"
SPENT = r"^lifeboat: cost: (\d+) instructions of our own, (\d+) for \d+ KiB copied, (\d+) for the console$"
ALSO = r"^lifeboat: cost: (\d+) instructions for "
READY = "targets: ready"
PRIMARY = initramfs.PROLOGUE + f'echo "{READY}"\nread -r order\neval "$order"\nsleep 1000\n'
SCAN = 5 * (1 << 18)  # instructions that looking at each page of a GiB may take
HARTS = 9
HEAD = ("", "before", "now", "at most", "", "")


@dataclass(frozen=True)
class Row:
    """A target: at most so much."""

    name: str
    before: float | None
    most: float
    figure: float
    unit: str = "M"

    def cells(self) -> list[str]:
        """What of, before, now, the most that it shall be; which unit; is it met?"""
        counts = [_cell(value, self.unit) for value in (self.before, self.figure, self.most)]
        return [self.name, *counts, self.unit, "met" if self.figure <= self.most else "NOT MET"]

    def line(self) -> str:
        """As a line of the table."""
        name, before, now, most, unit, verdict = self.cells()
        return f"{name:<58}{before:>11}{now:>11}{most:>11}  {unit:<6}{verdict}"


@dataclass
class Bed(Shared):
    """What all measurements share."""

    rows: list[Row] = field(default_factory=list)

    def add(self, *row: object, **more: str) -> None:
        """Notes a target, and shows it."""
        self.rows.append(Row(*row, **more))  # type: ignore[arg-type]
        say(f"targets: {self.rows[-1].line()}")


@dataclass(frozen=True)
class Account:
    """What the stage says of one boot."""

    own: int
    all: int

    @classmethod
    def of(cls, life: str) -> "Account":
        """From the lines of a life."""
        own, copying, console = (int(word) for word in re.search(SPENT, life, re.MULTILINE).groups())  # type: ignore[union-attr]
        return cls(own, own + copying + console + sum(map(int, re.findall(ALSO, life, re.MULTILINE))))


def _cell(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:,.2f}" if unit == "M" else f"{value:,.0f}"


def million(count: int) -> float:
    """As the table has it."""
    return count / 1e6


def boot(bed: Bed, made: Path, **options: object) -> Account:
    """A boot until the handoff."""
    machine = Machine(kernel=bed.stage, initrd=made, append=BOOTARGS, icount=True, **options)  # type: ignore[arg-type]
    with Session(machine) as session:
        session.expect(HANDOFF, HANGS)
        return Account.of(session.text.replace("\r", ""))


def plain(bed: Bed, hashes: tuple[str, ...], in_place: bool = False) -> Path:
    """Debian's kernel and an initramfs, with these hashes in each image."""
    made = bundle.simple(bundle.linux(target.kernel(), in_place), bed.ramdisk)
    return bed.fit(f"{'-'.join(hashes)}{in_place}", made, hashes)


def measure_checks(bed: Bed) -> None:
    """A boot with a FIT, by hash and by what the harts have."""
    for name, algo, cpu, before, most in (
        ("CRC-32, Zbc: FIT checked and copied", "crc32", "", 372.6, 50),
        ("CRC-32, by tables", "crc32", NO_ZBC, 372.6, 200),
        ("SHA-256, Zknh", "sha256", ZKNH, None, 750),
        ("SHA-256, plain RV64GC", "sha256", NO_ZBB, 2434, 1400),
        ("SHA-256, Zvknha", "sha256", ZVKNHA, 2434, 60),
    ):
        bed.add(name, before, most, million(boot(bed, plain(bed, (algo,)), cpu=cpu).all))


def measure_harts(bed: Bed) -> None:
    """What a hart more costs, of a plain boot's own work."""
    made = plain(bed, (), in_place=True)
    one, many = (boot(bed, made, smp=harts).own for harts in (1, HARTS))
    bed.add("plain boot in place, no hash: own work", 0.87, 0.6, million(one))
    bed.add("a hart more", 45_000, 10_000, (many - one) / (HARTS - 1), unit="")


def crash_bundle(bed: Bed) -> Path:
    """A primary that does what it is told, and a crash kernel."""
    primary = initramfs.make_initramfs(bed.scratch / "primary.cpio", PRIMARY)
    made = bundle.simple(bundle.linux(target.kernel()), primary, BOOTARGS)
    return bundle.with_crash(made, bed.ramdisk, "console=ttyS0 quiet").write(bed.scratch / "crash.itb")


def order(session: Session, gdb: Gdb, text: str) -> None:
    """Once the primary is up, has it do something; then the machine stands at the reset."""
    gdb.free_run()
    session.expect(READY, HANGS)
    gdb.interrupt()
    session.send(text)
    gdb.run_to(RESET_VECTOR)


def reset_to_handoff(bed: Bed, session: Session, gdb: Gdb) -> tuple[int, int]:
    """From a reset on: what OpenSBI takes, and the search for the dead kernel's note."""
    firmware = firmware_part(gdb)
    gdb.run_to(symbols_of(bed.elf)["vmcoreinfo_find"])
    searched = between(gdb, gdb.register("ra"))
    gdb.free_run()
    session.expect(HANDOFF, HANGS)
    return firmware, searched


def measure_crash(bed: Bed) -> None:
    """Arming, after an orderly reboot, and from a reset to the crash kernel."""
    with counting(Machine(kernel=bed.stage, initrd=crash_bundle(bed))) as (session, gdb):
        order(session, gdb, REBOOT)
        order(session, gdb, PANIC)
        firmware, searched = reset_to_handoff(bed, session, gdb)
        lives = re.split("(?=lifeboat: boot:)", session.text.replace("\r", ""))
    first, again, capture = map(Account.of, lives[-3:])
    bed.add("arming boot, Zbc", 1118, 70, million(first.all))
    bed.add("the same after an orderly reboot, Zbc", 1118, 35, million(again.all))
    bed.add("reset to the crash kernel, OpenSBI in it, Zbc", 377.6, 45, million(firmware + capture.all))
    bed.add("arming: own work, 5 a page left out", 12.8 - million(SCAN), 3.5, million(first.own - SCAN))
    bed.add("capture: own work, search for the note left out", None, 1.7, million(capture.own - searched))


def measure_tables(bed: Bed) -> None:
    """Without Zbc."""
    bed.add("arming boot, by tables", 1118, 230, million(boot(bed, crash_bundle(bed), cpu=NO_ZBC).all))


def measure_bytes(bed: Bed) -> None:
    """The stage with everything, and with nothing that can be left out."""
    bed.add("stage, with everything", 160_302, 160 * 1024, footprint.loaded(bed), unit="bytes")
    plain_loader = bed.scratch / "plain-loader"
    cross = f"--cross-file={TOOLS / 'cross' / 'riscv64-gcc.ini'}"
    for argv in (["setup", plain_loader, REPO, cross, *size.PLAIN], ["compile", "-C", plain_loader]):
        command.logged(["meson", *argv], "targets", "mend what is reported")
    made = Bed(bed.scratch, plain_loader / "lifeboat.bin", plain_loader / "lifeboat.elf")
    bed.add("plain loader", 63_426, 56 * 1024, footprint.loaded(made), unit="bytes")


PARTS: dict[str, Callable[[Bed], None]] = {
    "checks": measure_checks,
    "harts": measure_harts,
    "crash": measure_crash,
    "tables": measure_tables,
    "bytes": measure_bytes,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the targets command."""
    parser.add_argument("--only", choices=PARTS, action="append", help="a part; may be given again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON, too")
    parser.add_argument("--into", type=Path, metavar="FILE", help="put the table into a Markdown file's place")
    parser.add_argument("--compiler", choices=build.COMPILERS, default="gcc", help="default: gcc")


def main(args: argparse.Namespace) -> int:
    """Measures, and shows."""
    setup.for_build()
    setup.for_boot()
    directory = build.build_stage(args.compiler)
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        bed = Bed(Path(scratch), directory / "lifeboat.bin", directory / "lifeboat.elf")
        for name in args.only or PARTS:
            PARTS[name](bed)
    say(f"\n{'':<58}{'before':>11}{'now':>11}{'target':>11}")
    for row in bed.rows:
        say(row.line())
    if args.json:
        args.json.write_text(json.dumps([vars(row) for row in bed.rows], indent=1) + "\n", encoding="utf-8")
    if args.into:
        table.place(args.into, table.made_by("targets"), table.grid(HEAD, [row.cells() for row in bed.rows]))
    return 0
