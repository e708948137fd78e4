# SPDX-License-Identifier: BSD-2-Clause
"""Makes bundles: standard FIT images, by writing the .its and calling mkimage."""

import argparse
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lifeboatlib import command, firmware, packing, regionsize
from lifeboatlib.arguments import address, existing_file, positive
from lifeboatlib.crashconf import Crash, add_crash_arguments
from lifeboatlib.its import cells as _cells
from lifeboatlib.its import node as _node
from lifeboatlib.its import text as _text
from lifeboatlib.paths import friendly
from lifeboatlib.ui import LifeboatError, say, step

HASHES = ("crc32", "sha256", "sha512")
SIGNED_HASHES = HASHES[1:]
STRONG_HASH = "sha512"  # on RV64 it takes fewer instructions a byte than sha256: README, what it costs

HELP = "make a bundle (FIT image) of a kernel and what belongs to it"
EXAMPLES = ('tools/lifeboat bundle --kernel Image --initrd root.cpio --append "console=ttyS0" -o bundle.itb',)

FIRMWARE = "firmware"  # the image that is U-Boot or EDK2

# External data is aligned so that it can be mapped, or so that a kernel runs where it lies.
PAGE = 0x1000
MIB = 0x100000
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
    hashes: Sequence[str] | None = None  # None: what the bundle needs
    compression: str = "none"


@dataclass(frozen=True)
class Configuration:
    """A configuration node: which images belong together. A crash configuration without a kernel reserves a region."""

    name: str
    kernel: str
    ramdisk: str | None = None
    bootargs: str = ""
    crash: Crash | None = None
    fdts: Sequence[str] = ()
    boards: Sequence[str] = ()
    beside: str = ""  # an image that is not used: mkimage signs no configuration that names none

    def images(self) -> dict[str, str]:
        """Which images it names in which property."""
        named = {
            "kernel": [self.kernel], "ramdisk": [self.ramdisk or ""], "fdt": self.fdts,
            "lifeboat,beside": [self.beside],
        }  # fmt: skip
        return {key: ", ".join(map(_text, names)) for key, names in named.items() if any(names)}


@dataclass(frozen=True)
class Signing:
    """How every configuration is signed. The key is named after its file, up to the first dot."""

    key: Path
    hash: str = SIGNED_HASHES[0]
    padding: str = ""

    def name(self) -> str:
        """What the signature calls the key."""
        return self.key.name.split(".")[0]

    def algo(self) -> str:
        """What mkimage calls the kind of the signature: the key tells."""
        text = command.output(["openssl", "pkey", "-in", self.key, "-noout", "-text"])
        rsa = re.match(r"Private-Key: \((2048|3072|4096) bit, 2 primes\)", text)
        if not rsa and "ASN1 OID: prime256v1" not in text:
            raise LifeboatError(
                f"{self.key} is no private key of 2048, 3072 or 4096 bits RSA, or on P-256, in PEM"
            )
        return f"{self.hash},rsa{rsa[1]}" if rsa else f"{self.hash},ecdsa256"

    def properties(self, configuration: "Configuration") -> dict[str, str]:
        """Of the signature node: all images are signed, not only those that mkimage would choose."""
        found = {
            "algo": _text(self.algo()),
            "key-name-hint": _text(self.name()),
            "sign-images": ", ".join(map(_text, configuration.images())),
        }
        return found | ({"padding": _text(self.padding)} if self.padding else {})


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
    signing: Signing | None = None
    version: int = 0
    policy: Policy = Policy()

    def its(self) -> str:
        """The source for mkimage; the first configuration is the default."""
        lines = ["/dts-v1/;", "", "/ {"]
        lines += ['\tdescription = "lifeboat bundle";', "\t#address-cells = <2>;", ""]
        lines += ["\timages {"]
        for image in self.images:
            hashes = {f"hash-{i}": {"algo": _text(a)} for i, a in enumerate(self._hashes(image), 1)}
            lines += _node(image.name, _image_properties(image), hashes)
        lines += ["\t};", "", "\tconfigurations {"]
        lines += [f"\t\tdefault = {_text(self.configurations[0].name)};"]
        lines += [f"\t\t{key} = {value};" for key, value in self.policy.properties().items()]
        for configuration in map(self._signable, self.configurations):
            properties = _configuration_properties(configuration)
            if self.version:
                properties["lifeboat,version"] = f"<{self.version}>"
            signature = {"signature-1": self.signing.properties(configuration)} if self.signing else {}
            lines += _node(configuration.name, properties, signature)
        return "\n".join([*lines, "\t};", "};", ""])

    def _signable(self, configuration: Configuration) -> Configuration:
        """One without a kernel, which reserves a region, names the primary's."""
        if not self.signing or configuration.kernel:
            return configuration
        return replace(configuration, beside=self.configurations[0].kernel)

    def _hashes(self, image: Image) -> Sequence[str]:
        """A signature wants a hash that nobody can forge; else one that finds damage will do."""
        if image.hashes is not None:
            return image.hashes
        return [STRONG_HASH] if self.signing else HASHES[:1]

    def write(self, output: Path) -> Path:
        """Makes the FIT image."""
        layout = [] if self.embedded else ["-E", "-B", f"{self.alignment:#x}"]
        if self.signing:
            layout += ["-G", str(self.signing.key.resolve())]
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


def _image_properties(image: Image) -> dict[str, str]:
    properties = {
        "description": _text(image.path.name),
        "data": f"/incbin/({_text(str(image.path.resolve()))})",
        "type": _text(image.kind),
        "arch": _text("riscv"),
        "os": _text(image.os),
        "compression": _text(image.compression),
    }
    if image.load is not None:
        properties["load"] = _cells(image.load)
    if image.entry is not None:
        properties["entry"] = _cells(image.entry)
    return properties


def _configuration_properties(configuration: Configuration) -> dict[str, str]:
    properties = {"description": _text(configuration.name), **configuration.images()}
    if configuration.boards:
        properties["compatible"] = ", ".join(map(_text, configuration.boards))
    if configuration.bootargs:
        properties["bootargs"] = _text(configuration.bootargs)
    if configuration.crash:
        properties |= configuration.crash.properties()
    return properties


def linux(path: Path, in_place: bool = False) -> Image:
    """A Linux kernel, placed by the stage or run where it lies."""
    kind = "kernel_noload" if in_place else "kernel"
    packed = packing.packed_by(path)
    if in_place and packed != "none":
        raise LifeboatError(f"{path} is {packed}: a compressed kernel can not run where it lies")
    return Image("kernel", path, kind, "linux", 0, 0, compression=packed)


def raw(path: Path, load: int, entry: int) -> Image:
    """An S-mode binary for a fixed address."""
    return Image("payload", path, "standalone", "u-boot", load, entry)


def from_firmware(path: Path, directory: Path, load: int | None = None, entry: int | None = None) -> Image:
    """U-Boot or EDK2, which boots an OS its own way. What has to be made is made in a directory."""
    found = firmware.look(path, directory, load, entry)
    return Image(FIRMWARE, found.path, found.kind, found.os, found.load, found.entry)


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


def with_fdts(made: Bundle, paths: Sequence[Path]) -> Bundle:
    """The bundle with an FDT for its first configuration, and overlays for it in this order."""
    if not paths:
        return made
    fdts = [Image(f"fdt-{i}", path, "flat_dt", "linux") for i, path in enumerate(paths, 1)]
    first, *others = made.configurations
    named = replace(first, fdts=[image.name for image in fdts])
    return replace(made, images=[*fdts, *made.images], configurations=[named, *others])


def for_boards(made: Bundle, boards: Sequence[str]) -> Bundle:
    """The bundle with every configuration said to be for these boards, by their compatible."""
    configurations = [replace(each, boards=boards) for each in made.configurations]
    return replace(made, configurations=configurations)


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


def with_reserve(primary: Bundle, crash: Crash) -> Bundle:
    """A bundle of simple()'s with a region for a crash kernel that userspace loads."""
    configuration = Configuration("crash", "", crash=crash)
    return replace(primary, configurations=[*primary.configurations, configuration])


def _fitting(args: argparse.Namespace) -> int:
    """MiB of a region that will do; 0, which leaves it to the stage, if the crash kernel is no Linux."""
    kernel = args.crash_kernel or args.kernel
    if not kernel:
        return 0
    size = regionsize.region_mib(kernel, args.crash_initrd) + args.kept
    say(f"bundle: the crash region: {size} MiB by what kernel and initramfs need; --crash-size says another size")
    return size


def add_crash(made: Bundle, args: argparse.Namespace) -> Bundle:
    """The bundle with the crash kernel or the region that the options describe, if they do."""
    has_kernel = bool(args.crash_kernel or args.crash_initrd)
    if args.reserve and (has_kernel or args.crash_append or args.crash_size):
        raise LifeboatError("--reserve is for a bundle without a crash kernel, and says the region's size itself")
    if args.crash_lent and not args.reserve:
        raise LifeboatError("--crash-lent needs --reserve: the crash kernel comes by lifeboat-ctl load")
    if args.crash_lent and made.images[-1].name == FIRMWARE:
        raise LifeboatError("--crash-lent: firmware would not tell its kernel that the memory is lent")
    if not has_kernel and not args.reserve:
        if args.crash_append or args.crash_size or args.crash_attempts or args.unknown_end or args.kept:
            raise LifeboatError("options of a crash kernel need --crash-initrd, --crash-kernel or --reserve")
        return made
    size, kept = args.reserve or args.crash_size or _fitting(args), args.kept or args.reserve // 4
    crash = Crash(size * MIB, args.crash_attempts, args.unknown_end, kept * MIB, args.crash_lent)
    if args.reserve:
        return with_reserve(made, crash)
    if not args.crash_kernel and made.images[-1].name == FIRMWARE:
        raise LifeboatError("firmware is no crash kernel: give a Linux Image as --crash-kernel")
    payload = linux(args.crash_kernel) if args.crash_kernel else None
    return with_crash(made, args.crash_initrd, args.crash_append, payload, crash)


def compress(image: Image, name: str, directory: Path, is_hashed: bool = True) -> Image:
    """The image, compressed into a file in a directory, which must be there until the bundle is made."""
    if name == "none" or image.compression != "none":
        return image
    return replace(image, path=packing.pack(image.path, name, directory, is_hashed), compression=name)


def add_signing_arguments(parser: argparse.ArgumentParser) -> None:
    """The options about hashes and signatures."""
    group = parser.add_argument_group("hashes and signatures (docs/signing.md)")
    group.add_argument(
        "--hash",
        choices=(*HASHES, "none"),
        help="of each image; default: crc32, which finds damage for the least; with --key: sha512, which RV64 checks "
        "for less than sha256",
    )
    group.add_argument(
        "--key", type=existing_file, metavar="PEM", help="sign every configuration with this private key"
    )
    group.add_argument(
        "--sign-hash", choices=SIGNED_HASHES, default=SIGNED_HASHES[0], help="for the signature; default: sha256"
    )
    group.add_argument("--pss", action="store_true", help="RSA's newer padding, not PKCS#1 v1.5")
    group.add_argument(
        "--version", type=positive, default=0, metavar="N", help="lifeboat,version, against rollback"
    )


def sign(made: Bundle, args: argparse.Namespace) -> Bundle:
    """The bundle with the hashes and the signatures that the options describe."""
    if args.key and args.hash and args.hash not in SIGNED_HASHES:
        raise LifeboatError(f"--hash {args.hash} ties no image to a signature; use sha256 or sha512")
    if args.pss and not args.key:
        raise LifeboatError("--pss goes with --key")
    hashes = {None: None, "none": []}.get(args.hash, [args.hash])
    images = [replace(image, hashes=hashes) for image in made.images]
    signing = Signing(args.key, args.sign_hash, "pss" if args.pss else "") if args.key else None
    return replace(made, images=images, signing=signing, version=args.version)


def add_policy_arguments(parser: argparse.ArgumentParser) -> None:
    """The options about configurations that are bad, or die early."""
    group = parser.add_argument_group("when a primary is bad (docs/boot.md, docs/crash.md)")
    group.add_argument(
        "--all-bad", choices=("shutdown", "reset"), default="", help="if none can be started; default: shutdown"
    )
    group.add_argument(
        "--boot-limit", type=positive, default=0, metavar="N", help="early deaths in a row that demote one"
    )
    group.add_argument(
        "--boot-seconds", type=positive, default=0, metavar="S", help="what an early death is; default: 60"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the bundle command."""
    payload = parser.add_mutually_exclusive_group(required=True)
    payload.add_argument("--kernel", type=existing_file, metavar="IMAGE", help="a Linux Image")
    payload.add_argument(
        "--raw", type=existing_file, metavar="FILE", help="an S-mode binary for a fixed address"
    )
    payload.add_argument("--elf", type=existing_file, metavar="FILE", help="an S-mode ELF program")
    payload.add_argument(
        "--firmware", type=existing_file, metavar="FILE", help="U-Boot, or EDK2 that lies in flash (docs/boot.md)"
    )
    parser.add_argument("--load", type=address, metavar="ADDR", help="where --raw or --firmware is to lie")
    parser.add_argument(
        "--entry", type=address, metavar="ADDR", help="where it starts (default: --load)"
    )
    parser.add_argument("--initrd", type=existing_file, metavar="CPIO", help="the initramfs")
    parser.add_argument("--append", default="", metavar="ARGS", help="the kernel's bootargs")
    parser.add_argument(
        "--dtb",
        type=existing_file,
        action="append",
        default=[],
        metavar="FILE",
        help="an FDT for the kernel; given again: an overlay for it",
    )
    parser.add_argument(
        "--compatible",
        action="append",
        default=[],
        metavar="BOARD",
        help="a board that the bundle is for, as its FDT's root has it; may be repeated. Default: the --dtb's, or any",
    )
    parser.add_argument(
        "--in-place", action="store_true", help="lay --kernel out to run where it lies"
    )
    parser.add_argument(
        "--compress",
        choices=("none", *packing.COMPRESSORS),
        default="none",
        help="compress --kernel (one that is compressed already is left as it is)",
    )
    parser.add_argument(
        "--embedded", action="store_true", help="keep the data inside the FIT structure"
    )
    parser.add_argument("--its-only", action="store_true", help="write only the .its")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    add_crash_arguments(parser)
    add_signing_arguments(parser)
    add_policy_arguments(parser)


def _payload(args: argparse.Namespace, directory: Path) -> Image:
    """The payload that the options describe."""
    if args.load is not None and not (args.raw or args.firmware):
        raise LifeboatError("--load goes with --raw or --firmware; Linux and ELF payloads need none")
    if args.entry is not None and not (args.raw or args.firmware):
        raise LifeboatError("--entry goes with --raw or --firmware; Linux and ELF payloads need none")
    if args.in_place and not args.kernel:
        raise LifeboatError("--in-place goes with --kernel; other payloads are always loaded")
    if args.compress != "none" and (args.in_place or not args.kernel):
        raise LifeboatError("--compress goes with --kernel, and without --in-place")
    if args.compress != "none" and args.its_only:
        raise LifeboatError("--compress makes a file that --its-only would not keep; compress it before")
    if args.in_place and args.embedded:
        raise LifeboatError("--in-place needs aligned data; leave out --embedded")
    if args.kernel:
        return linux(args.kernel, args.in_place)
    if args.elf:
        return elf(args.elf)
    if args.firmware:
        return from_firmware(args.firmware, directory, args.load, args.entry)
    if args.load is None:
        raise LifeboatError("--raw needs --load ADDR, the address that the binary is linked for")
    return raw(args.raw, args.load, args.load if args.entry is None else args.entry)


def main(args: argparse.Namespace) -> int:
    """Makes the bundle."""
    with tempfile.TemporaryDirectory() as name:
        payload = compress(_payload(args, Path(name)), args.compress, Path(name), args.hash != "none")
        bundle = simple(payload, args.initrd, args.append, args.embedded)
        bundle = add_crash(with_fdts(bundle, args.dtb), args)
        bundle = sign(for_boards(bundle, args.compatible), args)
        bundle = replace(bundle, policy=Policy(args.all_bad, args.boot_limit, args.boot_seconds))
        if args.its_only:
            args.output.write_text(bundle.its(), encoding="utf-8")
        else:
            with step(f"bundle: {friendly(args.output.resolve())}"):
                bundle.write(args.output)
    say(f"bundle: {friendly(args.output.resolve())}, {args.output.stat().st_size} bytes")
    return 0
