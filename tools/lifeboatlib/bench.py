# SPDX-License-Identifier: BSD-2-Clause
"""Measures what lifeboat costs, beside U-Boot with the same files, in one run of deterministic counts.

Instructions are those that a hart retires (QEMU -icount), from a program's first one to its successor's first one. They
are no seconds: a byte that is hashed and a byte that waits for DRAM count alike. The same tree, QEMU, firmware and kernel
give the same figures, but for the FDT's random seeds and the pace of the console.
"""

import argparse
import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from lifeboatlib import benchchart, build, bundle, initramfs, setup, size, target
from lifeboatlib.gdbstub import Gdb
from lifeboatlib.qemu import Machine, Session
from lifeboatlib.ui import LifeboatError, say

HELP = "measure instructions and bytes, beside U-Boot's, and print a table"
EXAMPLES = (
    "tools/lifeboat bench --json bench.json --svg bench.svg",
    "tools/lifeboat bench --only boot",
)

NEXT_STAGE = 0x80200000  # where OpenSBI starts it; where U-Boot puts a Linux Image, too
KERNEL_AT = 0x84000000
FIT_AT = 0x90000000
RAMDISK_AT = 0xA0000000
BOOTARGS = "console=ttyS0 quiet panic=1 cryptomgr.notests"
HASHES = ("crc32", "sha256", "sha512")
HANDOFF = r"^lifeboat: handoff: to (0x[0-9a-f]+) .*\n"
OWN = r"^lifeboat: cost: (\d+) instructions of our own"
READY = "bench: ready"
PRIMARY = initramfs.PROLOGUE + f'echo "{READY}"\nread -r order\neval "$order"\nsleep 1000\n'
PANIC = "echo c > /proc/sysrq-trigger\n"
RESET_VECTOR = 0x1000
TICK = 100  # instructions of 1 ns in a tick of QEMU's clock
MEMORIES = ("256M", "512M", "1G", "4G", "16G", "64G")
HARTS = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True)
class Figure:
    """One row: what, how many of which unit, and what it does besides that a reader must know."""

    part: str
    name: str
    value: int
    unit: str = "instructions"
    note: str = ""


@dataclass
class Bed:
    """What all measurements share."""

    scratch: Path
    stage: Path
    elf: Path
    figures: list[Figure] = field(default_factory=list)

    def add(self, part: str, name: str, value: int, unit: str = "instructions", note: str = "") -> None:
        """Notes a figure, and shows it."""
        figure = Figure(part, name, value, unit, note)
        self.figures.append(figure)
        say(f"bench: {row(figure)}")

    def fit(self, name: str, made: bundle.Bundle, hashes: Sequence[str]) -> Path:
        """A FIT with these hashes in each image."""
        images = [replace(image, hashes=hashes) for image in made.images]
        return replace(made, images=images).write(self.scratch / f"{name}.itb")


def row(figure: Figure) -> str:
    """As a line of the table."""
    note = f"  ({figure.note})" if figure.note else ""
    return f"{figure.part:<8} {figure.name:<58} {figure.value:>15,} {figure.unit}{note}"


@contextmanager
def debugged(machine: Machine) -> Iterator[tuple[Session, Gdb]]:
    """A machine that counts instructions, and stands still before its first one."""
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        path = Path(scratch) / "gdb"
        counting = replace(machine, icount=True, gdb=f"unix:{path},server=on,wait=off")
        with Session(counting) as session, Gdb.connect(path) as gdb:
            yield session, gdb


def between(gdb: Gdb, *addresses: int) -> int:
    """Instructions from here to the first of the addresses."""
    begin = gdb.register("instret")
    gdb.run_to(*addresses)
    return gdb.register("instret") - begin


def at(address: int, file: Path) -> tuple[str, ...]:
    """For QEMU: a file that lies in RAM from the start."""
    return ("-device", f"loader,file={file},addr={address:#x},force-raw=on")


def linux_at(load: int) -> bundle.Image:
    """Debian's kernel, for a place that U-Boot can be told of, too."""
    return replace(bundle.linux(target.kernel()), load=load, entry=load)


def entry_of(machine: Machine) -> int:
    """Where the stage leaves to, by its own word."""
    with Session(machine) as session:
        return int(session.expect(HANDOFF)[1], 16)


def lifeboat_boot(bed: Bed, name: str, made: Path, note: str = "") -> None:
    """From the stage's first instruction to the kernel's."""
    machine = Machine(kernel=bed.stage, initrd=made, append=BOOTARGS)
    entry = entry_of(machine)
    with debugged(machine) as (_, gdb):
        gdb.run_to(NEXT_STAGE)
        # The stage has moved away by the time that the kernel lies at its address.
        gdb.step()
        bed.add("boot", name, 1 + between(gdb, entry), note=note)


def uboot_dtb(bed: Bed, command: str, machine: Machine) -> Path:
    """QEMU's own FDT for that machine, that has U-Boot run one command without delay (its /config node)."""
    path = bed.scratch / "uboot.dtb"
    argv = machine.argv()
    argv[argv.index("-M") + 1] = f"{machine.machine},dumpdtb={path}"
    for words in (
        argv,
        ["fdtput", "-c", path, "/config"],
        ["fdtput", "-t", "i", path, "/config", "bootdelay", "0"],
        ["fdtput", "-t", "s", path, "/config", "bootcmd", command],
        ["fdtput", "-t", "s", path, "/chosen", "bootargs", BOOTARGS],
    ):
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
        if done.returncode:
            raise LifeboatError(f"bench: {words[0]} failed: {done.stderr.strip() or 'it says nothing'}")
    return path


def uboot_boot(bed: Bed, name: str, command: str, files: dict[int, Path], note: str = "") -> None:
    """From U-Boot's first instruction to the kernel's, which goes where U-Boot itself was loaded."""
    extra = tuple(word for address, file in files.items() for word in at(address, file))
    machine = Machine(kernel=target.uboot(), extra=extra)
    machine = replace(machine, dtb=uboot_dtb(bed, command, machine))
    with debugged(machine) as (_, gdb):
        gdb.run_to(NEXT_STAGE)
        gdb.step()
        bed.add("boot", name, 1 + between(gdb, NEXT_STAGE), note=note)


def measure_boots(bed: Bed) -> None:
    """The same kernel and initramfs, which lie in memory already."""
    ramdisk = initramfs.demo_path()
    machine = Machine(kernel=bed.stage)
    with debugged(machine) as (_, gdb):
        bed.add("boot", "OpenSBI, reset to the next stage", between(gdb, NEXT_STAGE))
    in_place = bed.fit("place", bundle.simple(bundle.linux(target.kernel(), in_place=True), ramdisk), ())
    lifeboat_boot(bed, "lifeboat, kernel runs where it lies, no check", in_place)
    made = bundle.simple(linux_at(NEXT_STAGE), ramdisk)
    lifeboat_boot(bed, "lifeboat, FIT, kernel copied, no check", bed.fit("none", made, ()))
    uboot_boot(
        bed, "U-Boot, booti, kernel copied, no check",
        f"booti {KERNEL_AT:#x} {RAMDISK_AT:#x}:{ramdisk.stat().st_size:#x} ${{fdtcontroladdr}}",
        {KERNEL_AT: target.kernel(), RAMDISK_AT: ramdisk},
    )  # fmt: skip
    for name in HASHES:
        fit = bed.fit(name, made, (name,))
        lifeboat_boot(bed, f"lifeboat, FIT, kernel and initramfs by {name}", fit)
        command = f"bootm {FIT_AT:#x} {FIT_AT:#x} ${{fdtcontroladdr}}"
        uboot_boot(bed, f"U-Boot, bootm, the same FIT, {name}", command, {FIT_AT: fit})


def crash_bundle(bed: Bed) -> Path:
    """A primary that dies when it is told to, and a crash kernel."""
    primary = initramfs.make_initramfs(bed.scratch / "primary.cpio", PRIMARY)
    made = bundle.simple(bundle.linux(target.kernel()), primary, BOOTARGS)
    made = bundle.with_crash(made, initramfs.demo_path(), "console=ttyS0 quiet")
    return made.write(bed.scratch / "crash.itb")


def firmware_after_reset(gdb: Gdb) -> int:
    """From the reset to the next stage. By the clock, since OpenSBI sets instret anew."""
    gdb.run_to(RESET_VECTOR)
    begin = gdb.register("time")
    gdb.run_to(NEXT_STAGE)
    return (gdb.register("time") - begin) * TICK


def measure_crash(bed: Bed) -> None:
    """Arming, an orderly reboot, and the way from the reset to the crash kernel."""
    machine = Machine(kernel=bed.stage, initrd=crash_bundle(bed))
    primary = entry_of(machine)
    with debugged(machine) as (session, gdb):
        gdb.run_to(NEXT_STAGE)
        gdb.step()
        bed.add("crash", "lifeboat, arming boot: stage's entry to the primary", 1 + between(gdb, primary))
        for order, captures in (("reboot -f\n", False), (PANIC, True)):
            gdb.free_run()
            session.expect(READY)
            gdb.interrupt()
            session.send(order)
            firmware = firmware_after_reset(gdb)
            gdb.step()
            if not captures:
                bed.add("crash", "lifeboat, arming boot after an orderly reboot", 1 + between(gdb, primary))
                continue
            stage = 1 + between(gdb, crash_entry(session))
            bed.add("crash", "lifeboat, reset to the crash kernel, OpenSBI in it", firmware + stage)
            bed.add("crash", "lifeboat, the stage's part of that", stage)


def crash_entry(session: Session) -> int:
    """Where the crash kernel will be entered: at the region's base, that the stage has told."""
    found = re.findall(r"crash: region \[(0x[0-9a-f]+)\.\.", session.text)
    if not found:
        raise LifeboatError("bench: the stage told of no crash region")
    return int(found[-1], 16)


def own_cost(stage: Path, made: Path, **options: object) -> int:
    """By the stage's own account: without hashes, copies and console."""
    machine = Machine(kernel=stage, initrd=made, append=BOOTARGS, icount=True, **options)  # type: ignore[arg-type]
    with Session(machine) as session:
        return int(session.expect(OWN)[1])


def measure_growth(bed: Bed) -> None:
    """What grows with RAM and harts, and what does not."""
    plain = bed.fit("grow", bundle.simple(bundle.linux(target.kernel(), in_place=True), initramfs.demo_path()), ())
    armed = crash_bundle(bed)
    for memory in MEMORIES:
        bed.add("growth", f"own work of a plain boot, {memory}", own_cost(bed.stage, plain, memory=memory))
    for memory in MEMORIES[1:]:
        bed.add("growth", f"own work of arming, {memory}", own_cost(bed.stage, armed, memory=memory))
    for harts in HARTS:
        machine = "virt,aclint=on" if harts > 8 else "virt"
        bed.add("growth", f"own work of a plain boot, {harts} harts",
                own_cost(bed.stage, plain, smp=harts, machine=machine))  # fmt: skip


def measure_bytes(bed: Bed) -> None:
    """Images, and what a healthy machine gives."""
    rows = size.table(bed.elf, bed.elf.with_suffix(".map"))
    bed.add("bytes", "lifeboat, text + rodata + data", sum(map(size.counted, rows.values())), "bytes")
    bed.add("bytes", "lifeboat, flat image", bed.stage.stat().st_size, "bytes")
    bed.add("bytes", "U-Boot S-mode (qemu-riscv64_smode), flat image", target.uboot().stat().st_size, "bytes")
    with Session(Machine(kernel=bed.stage, initrd=crash_bundle(bed), append=BOOTARGS)) as session:
        region = session.expect(r"crash: region \[(0x[0-9a-f]+)\.\.(0x[0-9a-f]+)\]")
    taken = int(region[2], 16) - int(region[1], 16) + 1
    bed.add("bytes", "lifeboat, crash region of a machine with 1 GiB", taken, "bytes", "default size")


PARTS: dict[str, Callable[[Bed], None]] = {
    "boot": measure_boots,
    "crash": measure_crash,
    "growth": measure_growth,
    "bytes": measure_bytes,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the bench command."""
    parser.add_argument("--only", choices=PARTS, action="append", help="a part; may be given again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON, too")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the boots and crashes as bars")
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
    say("")
    for figure in bed.figures:
        say(row(figure))
    if args.json:
        rows = [vars(figure) for figure in bed.figures]
        args.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if args.svg:
        bars = [(f.name, f.value) for f in bed.figures if f.part in ("boot", "crash")]
        args.svg.write_text(benchchart.draw(bars), encoding="utf-8")
    return 0
