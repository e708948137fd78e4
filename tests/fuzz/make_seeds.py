#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Make what the fuzz targets begin with, out of what the unit tests' scripts have made: real FDTs, FITs, packed files.

Usage: make_seeds.py UNIT_DIRECTORY DIRECTORY. The first is where the unit tests were built (tests/unit in build-host);
the second gets one folder for each target.
"""

import base64
import random
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

SIZE_MAX = 32 * 1024  # what is larger has nothing that the others have not
RANDOM_SEEDS = 12

OVERLAYS = (
    '/dts-v1/; /plugin/; &{/} { board { model = "added"; }; };',
    "/dts-v1/; / { fragment@0 { target-path = \"/\"; __overlay__ { "
    "memory@80000000 { status = \"disabled\"; }; }; }; };",
    "/dts-v1/; /plugin/; &uart { status = \"okay\"; link = <&l>; }; / { }; &{/chosen} { l: label { }; };",
    "/dts-v1/; / { fragment@0 { target-path = \"/reserved-memory\"; __overlay__ { "
    "fw@80000000 { status = \"disabled\"; }; }; }; };",
)  # fmt: skip
BASES = (
    "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; model = \"base\"; chosen { }; "
    "soc { uart: serial@10000000 { reg = <0 0x10000000 0 0x100>; }; }; };",
    "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; uart: serial { }; chosen { }; "
    "reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; "
    "fw@80000000 { reg = <0 0x80000000 0 0x1000>; }; }; "
    "cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { device_type = \"cpu\"; reg = <0>; }; }; };",
    "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; "  # a pool of its own, by the firmware's name
    "reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; goes-cma@88000000 { reusable; }; }; };",
)  # fmt: skip
FIRMWARES = ("reservations.dtb", "opensbi-virt-4.dtb", "pools.dtb", "one-cell.dtb", "crash-memory.dtb")

COMMAND_LINES = (
    b"\x80\x01console=ttyS0 root=/dev/vda rw -- init=1\nquiet mem=512M\ncrashkernel=1G mem=1G\ncma=0 nr_cpus=1",
    b"\xff\x07a=\"b c\" d-e d_e=\"\n-- x\n\"open quote\npanic=5 reboot=panic_warm",
)

# FDTs that fuzzing found, once: zlib, base64. An input that went wrong stays.
KNOWN = {
    "fdt-memory-is-crash-region":
        "eNq7wPvvLQMD424GBoYIIF0ApDWAWBCIBRggwBsoLgFiNEAF6v///w9lCiCLowFGKM0MxCD9lkDM0aAAFmOCygs0INSwALF2cX4y"
        "Mh+mFsbnh+nNTc3NL6p0sDCAAJgeMSB2yMlMS03KTyzRSS5KLM7QLUpNz8zPQ7XHCMlcdiCWhpgHVwPylzqy3xwQbmEsSi1OLSpL"
        "TdFFaCLkXhjmVE5MSQHqL9ZNTs3JKWZQLs6sSoWyU1LLMpNT40sqC1IZgG5mSM7IL07NY8jL181NLGAoLkksKS1mSM7PLUgsyUzK"
        "SWUAALomPqo=",
    "merge-local-fixups-min":
        "eNq7wPvvLQMDIxcDA4MFEP8BYg0gFgRiAQYI4APiIwyYgBFGpxUlpuem5pU4GID5zEDMBGLoQ+Xj4/PLUotyEivj48H8RAa4OhYg"
        "5oGaw4SEgXpy8pMTc+LTMitKC4ohGrHYRdBsRkyzYZizJLEoPbVEtyCxJIOhiAEAqKciPQ==",
    "merge-misaligned-min":
        "eNq7wPvvLQMDgxcQW0FpDSAWBGIBBgRAZiMAI5RmAmJOAA1GA/w=",
}  # fmt: skip


def dtc(source: str) -> bytes:
    """A blob of a source, with its symbols."""
    argv = ["dtc", "-q", "-@", "-I", "dts", "-O", "dtb"]
    return subprocess.run(argv, input=source.encode(), capture_output=True, check=True).stdout


def known() -> list[bytes]:
    """All of KNOWN."""
    return [zlib.decompress(base64.b64decode(text)) for text in KNOWN.values()]


def fdt_read(unit: Path) -> Iterator[bytes]:
    """As the reader's tests have them."""
    yield from (path.read_bytes() for path in sorted((unit / "dtbs").glob("*.dtb")))
    yield from known()


def fdt_merge(unit: Path) -> Iterator[bytes]:
    """The firmware's, a base, and overlays, one behind the other."""
    overlays = [dtc(source) for source in OVERLAYS] + known()
    bases = [dtc(source) for source in BASES] + known()
    for name in FIRMWARES:
        firmware = (unit / "dtbs" / name).read_bytes()
        for base in [*bases, firmware]:
            yield firmware + base
            yield from (firmware + base + overlay for overlay in overlays)
        yield firmware + bases[1] + b"".join(overlays[:3])


def fit(unit: Path) -> Iterator[bytes]:
    """All bundles of the tests, signed ones, too, and bare payloads."""
    for folder in ("fits", "signed"):
        yield from (path.read_bytes() for path in sorted((unit / folder).glob("*.itb")))
    yield from (path.read_bytes() for path in sorted((unit / "fits").glob("*.bin")))


def image(unit: Path) -> Iterator[bytes]:
    """The payloads, and an EFI zboot header by its offsets (Linux: zboot-header.S)."""
    packed = (unit / "fits" / "linux.gz").read_bytes()
    yield from (path.read_bytes() for path in sorted((unit / "fits").glob("*.bin")))
    header = b"MZ\0\0zimg" + (64).to_bytes(4, "little") + len(packed).to_bytes(4, "little") + bytes(8)
    yield (header + b"gzip").ljust(64, b"\0") + packed


def packed_by(*argv: str) -> Iterator[bytes]:
    """A few small things, packed by a program, and two of them joined."""
    noise = random.Random(1)
    plain = [b"", b"lifeboat " * 400, noise.randbytes(700), bytes(3000) + noise.randbytes(50)]
    made = [subprocess.run([*argv, "-c"], input=data, capture_output=True, check=True).stdout for data in plain]
    yield from made
    yield made[1] + made[2]
    yield made[1] + len(plain[1]).to_bytes(4, "little")
    yield made[1] + bytes(9)


def gzip(_: Path) -> Iterator[bytes]:
    """By gzip: stored, quick, thorough."""
    yield from packed_by("gzip", "-n")
    yield from packed_by("gzip", "-1")


def lz4(_: Path) -> Iterator[bytes]:
    """Frames of both kinds."""
    yield from packed_by("lz4", "-9")
    yield from packed_by("lz4", "-B4", "-BD", "-BX")
    yield from packed_by("lz4", "-l")
    # Its last five bytes should be literals: what is one byte here. Then the decoder may want more room than it fills.
    block = b"\x8flifeboat\x08\x00\xff\xff\xff\xff\x00\x10."
    yield b"\x02\x21\x4c\x18" + len(block).to_bytes(4, "little") + block


def zstd(_: Path) -> Iterator[bytes]:
    """With a checksum and without."""
    yield from packed_by("zstd", "-q", "-19", "--no-check")
    yield from packed_by("zstd", "-q", "-1")


def cmdline(_: Path) -> Iterator[bytes]:
    """Two that have it all."""
    yield from COMMAND_LINES


def numbers(_: Path) -> Iterator[bytes]:
    """For the targets that take their input as numbers: any will do."""
    stream = random.Random(13)
    for size in range(RANDOM_SEEDS):
        yield stream.randbytes(8 << size % 7)


TARGETS = {
    "area": numbers, "cmdline": cmdline, "dead": numbers, "fdt_merge": fdt_merge, "fdt_read": fdt_read, "fit": fit,
    "gzip": gzip, "image": image, "lz4": lz4, "place": numbers, "record": numbers, "signature": numbers, "zstd": zstd,
}  # fmt: skip


def main() -> None:
    """Makes all folders anew."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    unit, directory = Path(sys.argv[1]), Path(sys.argv[2])
    for target, make in TARGETS.items():
        folder = directory / target
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for index, data in enumerate(make(unit)):
            if len(data) <= SIZE_MAX:
                (folder / f"{index:03}").write_bytes(data)


if __name__ == "__main__":
    main()
