# SPDX-License-Identifier: BSD-2-Clause
"""Boots the stage under QEMU, with a kernel, a bundle or any S-mode payload behind it."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lifeboatlib import bundle, setup
from lifeboatlib.arguments import address, existing_file, positive, regex
from lifeboatlib.elsewhere import stage_at, with_firmware
from lifeboatlib.paths import friendly, stage_dir
from lifeboatlib.qemu import ConsoleError, Machine, Session
from lifeboatlib.ui import LifeboatError, say

HELP = "boot under QEMU"
EXAMPLES = (
    "tools/lifeboat run --kernel Image --initrd initramfs.cpio --sv 48 --smp 4",
    "tools/lifeboat run --payload u-boot.bin --expect '=>' --timeout 60",
    "tools/lifeboat run --bundle bundle.itb -- -d int -D qemu.log",
    "tools/lifeboat run --firmware u-boot.bin --memory 2G -- -drive if=virtio,format=raw,file=disk.img",
)
EPILOG = """what follows -- is given to QEMU as it is
without --expect the console is yours (Ctrl-A X ends QEMU)"""

DEFAULT_LOAD = 0x80200000
IMAGE_MAGIC = (0x38, b"RSC\x05")
ELF_MAGIC = (0, b"\x7fELF")


def _has(path: Path, magic: tuple[int, bytes]) -> bool:
    """Whether a file carries a magic number at an offset."""
    offset, value = magic
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(len(value)) == value


def _payload_bundle(path: Path, load: int | None) -> bundle.Bundle | None:
    """The bundle for a bare payload, or None if it can be handed over as it is."""
    if load is None and _has(path, IMAGE_MAGIC):
        return None
    if load is None and _has(path, ELF_MAGIC):
        return bundle.simple(bundle.elf(path))
    load = DEFAULT_LOAD if load is None else load
    return bundle.simple(bundle.raw(path, load, load))


def handover(args: argparse.Namespace, scratch: Path) -> Path | None:
    """The file that takes the initrd's place; what has to be made for it is made in `scratch`."""
    made: bundle.Bundle | None = None
    given: Path | None = args.bundle or args.payload
    if args.kernel:
        made = bundle.simple(bundle.linux(args.kernel), args.initrd, args.append)
        made = bundle.add_crash(made, args)
    elif args.payload:
        made = _payload_bundle(args.payload, args.load)
    elif args.firmware:
        made = bundle.simple(bundle.from_firmware(args.firmware, scratch, args.load))
        made = bundle.add_crash(made, args)
    return made.write(scratch / "bundle.itb") if made else given


def check(args: argparse.Namespace) -> None:
    """Refuses options that describe no boot, or would silently do nothing."""
    if not args.kernel and (args.initrd or args.append):
        raise LifeboatError("--initrd and --append go with --kernel; for the FDT use --fdt-append")
    if not (args.kernel or args.firmware) and (args.crash_kernel or args.crash_initrd):
        raise LifeboatError("a crash kernel goes with --kernel or --firmware; or put it into the --bundle")
    if args.load is not None and not (args.payload or args.firmware):
        raise LifeboatError("--load goes with --payload or --firmware")
    if args.firmware and args.stage_at is not None:
        raise LifeboatError("--firmware says itself where the stage is loaded: leave out --stage-at")
    if args.bios not in ("dynamic", "jump") and not Path(args.bios).is_file():
        raise LifeboatError(f"no such firmware: {args.bios}; give dynamic, jump or a file")
    if not args.stage.is_file():
        stage = friendly(args.stage.resolve())
        raise LifeboatError(f"{stage} is missing; run tools/lifeboat build, or give --stage FILE")


def machine(args: argparse.Namespace, initrd: Path | None, scratch: Path) -> Machine:
    """The machine that the options describe."""
    at = args.stage_at
    made = Machine(
        kernel=args.stage if at is None else stage_at(args.stage, at, scratch / "stage.elf"),
        initrd=initrd,
        append=args.fdt_append,
        bios=args.bios,
        machine=args.machine,
        cpu=args.cpu,
        sv=args.sv,
        smp=args.smp,
        memory=args.memory,
        dtb=args.dtb,
        gdb="tcp::1234" if getattr(args, "gdb", False) else None,
        icount=getattr(args, "icount", False),
        extra=tuple(args.passed_on),
    )
    return with_firmware(made, args.firmware, initrd, scratch) if args.firmware and initrd else made


def show(piece: bytes) -> None:
    """Puts console output on the screen as it comes."""
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


@contextmanager
def _session(args: argparse.Namespace, interactive: bool) -> Iterator[Session]:
    """The running machine, with its files gone when it ends."""
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        described = machine(args, handover(args, Path(scratch)), Path(scratch))
        with Session(described, echo=show, log=args.log, interactive=interactive) as session:
            yield session


def _expect(args: argparse.Namespace) -> int:
    """Runs until the pattern is seen, which alone is success."""
    try:
        with _session(args, interactive=False) as session:
            match = session.expect(args.expect, args.timeout or 60)
    except ConsoleError as error:
        # The console has just been shown; its tail would be the second time.
        raise LifeboatError(f"{error.summary}; the console above says how far it got") from error
    say(f"\nrun: seen: {match[0]!r}")
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the run command."""
    add_boot_arguments(parser)
    _add_watch_arguments(parser.add_argument_group("watching"))


def add_boot_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say what is booted, on which machine."""
    _add_payload_arguments(parser)
    bundle.add_crash_arguments(parser)
    _add_machine_arguments(parser.add_argument_group("the machine"))


def _add_payload_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say what the stage starts."""
    group = parser.add_argument_group("what to boot (nothing: the stage alone)")
    what = group.add_mutually_exclusive_group()
    what.add_argument("--kernel", type=existing_file, metavar="IMAGE", help="a Linux Image")
    what.add_argument("--bundle", type=existing_file, metavar="FIT", help="a bundle")
    what.add_argument(
        "--payload",
        type=existing_file,
        metavar="RAW",
        help="an S-mode binary: with an Image header, ELF or raw",
    )
    what.add_argument(
        "--firmware", type=existing_file, metavar="FILE", help="U-Boot, or EDK2 for QEMU's flash, as the primary"
    )
    group.add_argument("--initrd", type=existing_file, metavar="CPIO", help="for --kernel")
    group.add_argument("--append", default="", metavar="ARGS", help="bootargs for --kernel")
    group.add_argument(
        "--load",
        type=address,
        metavar="ADDR",
        help="where --payload or --firmware is to lie and starts (raw: 0x80200000)",
    )


def _add_machine_arguments(machine: argparse._ArgumentGroup) -> None:
    """The options that describe the machine."""
    machine.add_argument(
        "--bios", default="dynamic", metavar="FW", help="OpenSBI: dynamic (default), jump or a file"
    )
    machine.add_argument(
        "--stage",
        type=Path,
        default=stage_dir() / "lifeboat.bin",
        metavar="FILE",
        help="default: build/lifeboat.bin",
    )
    machine.add_argument(
        "--stage-at", type=address, metavar="ADDR", help="where it is loaded (default 0x80200000)"
    )
    machine.add_argument("--sv", type=int, choices=(39, 48, 57), help="cap the CPU's paging mode")
    machine.add_argument("--smp", type=positive, default=1, metavar="N", help="harts (default 1)")
    machine.add_argument("--memory", default="1G", metavar="SIZE", help="default 1G")
    machine.add_argument("--machine", default="virt", help="QEMU's -M (default virt)")
    machine.add_argument("--cpu", default="", help="QEMU's -cpu (default: the board's own)")
    machine.add_argument("--dtb", type=existing_file, metavar="FILE", help="instead of QEMU's FDT")
    machine.add_argument("--fdt-append", default="", metavar="ARGS", help="bootargs in the FDT")


def _add_watch_arguments(watch: argparse._ArgumentGroup) -> None:
    """The options about the console."""
    watch.add_argument(
        "--expect", type=regex, metavar="REGEX", help="succeed when the console shows this"
    )
    watch.add_argument("--timeout", type=positive, metavar="SECONDS", help="for it (default 60)")
    watch.add_argument("--log", type=Path, metavar="FILE", help="keep the console in a file too")
    watch.add_argument("--icount", action="store_true", help="time follows instructions")
    watch.add_argument("--gdb", action="store_true", help="wait for a debugger on port 1234")


def main(args: argparse.Namespace) -> int:
    """Boots."""
    setup.for_boot()
    check(args)
    if args.timeout and not args.expect:
        raise LifeboatError("--timeout goes with --expect")
    if args.expect:
        return _expect(args)
    if args.gdb:
        say("run: waiting for a debugger: target remote :1234, file build/lifeboat.elf")
    with _session(args, interactive=True) as session:
        return session.wait(None)
