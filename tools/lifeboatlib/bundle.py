# SPDX-License-Identifier: BSD-2-Clause
"""Makes bundles: standard FIT images, by writing the .its and calling mkimage."""

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lifeboatlib import command
from lifeboatlib.arguments import address, existing_file, positive
from lifeboatlib.paths import friendly
from lifeboatlib.ui import LifeboatError, say

HELP = "make a bundle (FIT image) of a kernel and what belongs to it"

# External data is aligned so that it can be mapped, or so that a kernel runs where it lies.
PAGE = 0x1000
KERNEL_ALIGNMENT = 0x200000


@dataclass(frozen=True)
class Image:
    """An image node; a load or entry address of 0 leaves the choice to the stage."""

    name: str
    path: Path
    kind: str
    os: str
    load: int | None = None
    entry: int | None = None


@dataclass(frozen=True)
class Configuration:
    """A configuration node: which images belong together."""

    name: str
    kernel: str
    ramdisk: str | None = None
    bootargs: str = ""
    crash: "Crash | None" = None


@dataclass(frozen=True)
class Crash:
    """What a crash configuration asks of the stage; 0 and "" leave it to the stage."""

    region_size: int = 0
    attempts: int = 0
    unknown_end: str = ""

    def properties(self) -> dict[str, str]:
        """As properties of the configuration node."""
        found = {"lifeboat,role": _text("crash")}
        if self.region_size:
            found["lifeboat,region-size"] = _cells(self.region_size)
        if self.attempts:
            found["lifeboat,attempts"] = f"<{self.attempts}>"
        if self.unknown_end:
            found["lifeboat,unknown-end"] = _text(self.unknown_end)
        return found


@dataclass(frozen=True)
class Policy:
    """What a bundle wants when a configuration is bad, or dies early; 0 and "" leave it to the stage."""

    all_bad: str = ""
    boot_limit: int = 0
    boot_seconds: int = 0

    def properties(self) -> dict[str, str]:
        """As properties of /configurations."""
        found = {}
        if self.all_bad:
            found["lifeboat,all-bad"] = _text(self.all_bad)
        if self.boot_limit:
            found["lifeboat,boot-limit"] = f"<{self.boot_limit}>"
        if self.boot_seconds:
            found["lifeboat,boot-seconds"] = f"<{self.boot_seconds}>"
        return found


@dataclass(frozen=True)
class Bundle:
    """All of a FIT image. The order of the images is the order of their data in the file."""

    images: Sequence[Image]
    configurations: Sequence[Configuration]
    embedded: bool = False
    alignment: int = PAGE
    policy: Policy = Policy()

    def its(self) -> str:
        """The source for mkimage; the first configuration is the default."""
        lines = ["/dts-v1/;", "", "/ {"]
        lines += ['\tdescription = "lifeboat bundle";', "\t#address-cells = <2>;", ""]
        lines += ["\timages {"]
        for image in self.images:
            lines += _node(image.name, _image_properties(image))
        lines += ["\t};", "", "\tconfigurations {"]
        lines += [f"\t\tdefault = {_text(self.configurations[0].name)};"]
        lines += [f"\t\t{key} = {value};" for key, value in self.policy.properties().items()]
        for configuration in self.configurations:
            lines += _node(configuration.name, _configuration_properties(configuration))
        return "\n".join([*lines, "\t};", "};", ""])

    def write(self, output: Path) -> Path:
        """Makes the FIT image."""
        layout = [] if self.embedded else ["-E", "-B", f"{self.alignment:#x}"]
        hint = "is every file of the bundle readable?"
        with tempfile.TemporaryDirectory() as name:
            # mkimage passes names through a shell, so it gets simple ones.
            (Path(name) / "bundle.its").write_text(self.its(), encoding="utf-8")
            argv = ["mkimage", *layout, "-f", "bundle.its", "bundle.itb"]
            command.logged(argv, "bundle", hint, cwd=Path(name))
            _move(Path(name) / "bundle.itb", output)
        return output


def _move(made: Path, output: Path) -> None:
    """Puts what was made where it is wanted."""
    try:
        shutil.move(made, output)
    except OSError as error:
        reason = f"cannot write {output}: {error.strerror}"
        raise LifeboatError(f"{reason}; choose another -o") from error


def _text(value: str) -> str:
    """A device tree string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _cells(value: int) -> str:
    """An address of two cells."""
    return f"<{value >> 32:#x} {value & 0xFFFFFFFF:#x}>"


def _node(name: str, properties: dict[str, str]) -> list[str]:
    body = [f"\t\t\t{key} = {value};" for key, value in properties.items()]
    return [f"\t\t{name} {{", *body, "\t\t};"]


def _image_properties(image: Image) -> dict[str, str]:
    properties = {
        "description": _text(image.path.name),
        "data": f"/incbin/({_text(str(image.path.resolve()))})",
        "type": _text(image.kind),
        "arch": _text("riscv"),
        "os": _text(image.os),
        "compression": _text("none"),
    }
    if image.load is not None:
        properties["load"] = _cells(image.load)
    if image.entry is not None:
        properties["entry"] = _cells(image.entry)
    return properties


def _configuration_properties(configuration: Configuration) -> dict[str, str]:
    properties = {"description": _text(configuration.name), "kernel": _text(configuration.kernel)}
    if configuration.ramdisk:
        properties["ramdisk"] = _text(configuration.ramdisk)
    if configuration.bootargs:
        properties["bootargs"] = _text(configuration.bootargs)
    if configuration.crash:
        properties |= configuration.crash.properties()
    return properties


def linux(path: Path, in_place: bool = False) -> Image:
    """A Linux kernel, placed by the stage or run where it lies."""
    return Image("kernel", path, "kernel_noload" if in_place else "kernel", "linux", 0, 0)


def raw(path: Path, load: int, entry: int) -> Image:
    """An S-mode binary for a fixed address."""
    return Image("payload", path, "standalone", "u-boot", load, entry)


def elf(path: Path) -> Image:
    """An ELF file, which says itself where it wants to lie."""
    return Image("payload", path, "kernel", "elf", 0, 0)


def simple(
    payload: Image,
    initrd: Path | None = None,
    append: str = "",
    embedded: bool = False,
) -> Bundle:
    """A bundle with the one configuration "primary".

    The payload comes last, since the bss of a kernel that runs in place lies behind its data.
    """
    ramdisk = [Image("ramdisk", initrd, "ramdisk", "linux")] if initrd else []
    in_place = payload.kind == "kernel_noload"
    return Bundle(
        [*ramdisk, payload],
        [Configuration("primary", payload.name, "ramdisk" if initrd else None, append)],
        embedded,
        KERNEL_ALIGNMENT if in_place else PAGE,
    )


def with_crash(
    primary: Bundle,
    initrd: Path | None = None,
    append: str = "",
    payload: Image | None = None,
    crash: Crash | None = None,
) -> Bundle:
    """A bundle of simple()'s with a crash configuration added.

    The crash kernel is the primary's own image (stored once), unless `payload` is another.
    """
    images = list(primary.images)
    kernel = primary.configurations[0].kernel
    if payload:
        kernel = "crash-payload"
        images.append(replace(payload, name=kernel))
    if initrd:
        images.append(Image("crash-ramdisk", initrd, "ramdisk", "linux"))
    ramdisk = "crash-ramdisk" if initrd else None
    configuration = Configuration("crash", kernel, ramdisk, append, crash or Crash())
    return replace(primary, images=images, configurations=[*primary.configurations, configuration])


def add_crash_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that add a crash kernel."""
    group = parser.add_argument_group("the crash kernel (--crash-initrd or --crash-kernel adds one)")
    group.add_argument(
        "--crash-kernel", type=existing_file, metavar="IMAGE", help="default: --kernel's image"
    )
    group.add_argument("--crash-initrd", type=existing_file, metavar="CPIO", help="its initramfs")
    group.add_argument("--crash-append", default="", metavar="ARGS", help="its bootargs")
    group.add_argument(
        "--crash-size", type=positive, default=0, metavar="MIB", help="of the crash region"
    )
    group.add_argument(
        "--crash-attempts", type=positive, default=0, metavar="N", help="default: 1"
    )
    group.add_argument(
        "--unknown-end",
        choices=("capture", "boot"),
        default="",
        help="what to do about a dead kernel that left no log (default: capture)",
    )


def add_crash(made: Bundle, args: argparse.Namespace) -> Bundle:
    """The bundle with the crash kernel that the options describe, if they do."""
    if not args.crash_kernel and not args.crash_initrd:
        if args.crash_append or args.crash_size or args.crash_attempts or args.unknown_end:
            raise LifeboatError("options of a crash kernel need --crash-initrd or --crash-kernel")
        return made
    crash = Crash(args.crash_size * 1024 * 1024, args.crash_attempts, args.unknown_end)
    payload = linux(args.crash_kernel) if args.crash_kernel else None
    return with_crash(made, args.crash_initrd, args.crash_append, payload, crash)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the bundle command."""
    payload = parser.add_mutually_exclusive_group(required=True)
    payload.add_argument("--kernel", type=existing_file, metavar="IMAGE", help="a Linux Image")
    payload.add_argument(
        "--raw", type=existing_file, metavar="FILE", help="an S-mode binary for a fixed address"
    )
    payload.add_argument("--elf", type=existing_file, metavar="FILE", help="an S-mode ELF program")
    parser.add_argument("--load", type=address, metavar="ADDR", help="where --raw is to lie")
    parser.add_argument(
        "--entry", type=address, metavar="ADDR", help="where --raw starts (default: --load)"
    )
    parser.add_argument("--initrd", type=existing_file, metavar="CPIO", help="the initramfs")
    parser.add_argument("--append", default="", metavar="ARGS", help="the kernel's bootargs")
    parser.add_argument(
        "--in-place", action="store_true", help="lay --kernel out to run where it lies"
    )
    parser.add_argument(
        "--embedded", action="store_true", help="keep the data inside the FIT structure"
    )
    parser.add_argument("--its-only", action="store_true", help="write only the .its")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    add_crash_arguments(parser)


def _payload(args: argparse.Namespace) -> Image:
    """The payload that the options describe."""
    if args.load is not None and not args.raw:
        raise LifeboatError("--load goes with --raw; Linux and ELF payloads need none")
    if args.entry is not None and not args.raw:
        raise LifeboatError("--entry goes with --raw; Linux and ELF payloads need none")
    if args.in_place and not args.kernel:
        raise LifeboatError("--in-place goes with --kernel; other payloads are always loaded")
    if args.in_place and args.embedded:
        raise LifeboatError("--in-place needs aligned data; leave out --embedded")
    if args.kernel:
        return linux(args.kernel, args.in_place)
    if args.elf:
        return elf(args.elf)
    if args.load is None:
        raise LifeboatError("--raw needs --load ADDR, the address that the binary is linked for")
    return raw(args.raw, args.load, args.load if args.entry is None else args.entry)


def main(args: argparse.Namespace) -> int:
    """Makes the bundle."""
    bundle = add_crash(simple(_payload(args), args.initrd, args.append, args.embedded), args)
    if args.its_only:
        args.output.write_text(bundle.its(), encoding="utf-8")
    else:
        bundle.write(args.output)
    say(f"bundle: {friendly(args.output.resolve())}, {args.output.stat().st_size} bytes")
    return 0
