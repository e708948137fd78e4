#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Make the FITs that tests/unit/test_bundle.c reads: real ones, by mkimage, and the payloads in them.

Usage: make_fits.py DIRECTORY. Each payload is also written as a file of its own, so that the test can
find its bytes in a FIT without the code under test. The bytes are the same in every run.
"""

import gzip
import os
import random
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

SOURCE_DATE_EPOCH = "1700000000"


def noise(seed, size):
    """Bytes that look like nothing else, the same in each run."""
    return random.Random(seed).randbytes(size)


def compressible(size):
    """Words out of a small dictionary, with some noise between them."""
    choice = random.Random("large")
    words = [choice.randbytes(choice.randint(3, 40)) for _ in range(500)]
    made = bytearray()
    while len(made) < size:
        made += choice.choice(words) if choice.random() < 0.9 else choice.randbytes(9)
    return bytes(made[:size])


def pack(directory, name, command):
    """Through a pipe, as Linux's build does it; only --content-size wants to see the file."""
    with (directory / name).open("wb") as output:
        source = ["large"] if "--content-size" in command else []
        stdin = None if source else (directory / "large").open("rb")
        done = subprocess.run(
            [*command, "-c", *source], cwd=directory, stdin=stdin, stdout=output, check=False
        )
    if done.returncode != 0:
        sys.exit(f"make_fits: {' '.join(command)} failed in {directory}")


def join(directory, name, parts):
    """Several files, packed each by itself, and skippable frames between them: put behind each other."""
    made = b""
    for part in parts:
        if isinstance(part, bytes):
            made += part
            continue
        file, command = part
        with (directory / file).open("rb") as stdin:
            made += subprocess.run([*command, "-c"], stdin=stdin, capture_output=True, check=True).stdout
    (directory / name).write_bytes(made)


def flushed_gzip(data, step):
    """One member of blocks that begin anew, as pigz makes it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    made = b"".join(
        packer.compress(data[at : at + step]) + packer.flush(zlib.Z_FULL_FLUSH) for at in range(0, len(data), step)
    )
    return made + packer.flush()


def linux_image(size, image_size):
    header = struct.pack(
        "<IIQQQIIQQII", 0x106F5A4D, 0, 0x200000, image_size, 0, 2, 0, 0, 0x5643534952, 0x05435352, 0x40
    )
    return header + noise("linux", size - len(header))


def elf(load):
    """An ET_EXEC with one segment: headers, then code."""
    code = noise("elf", 500)
    size = 64 + 56 + len(code)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 2, 243, 1, load + 120, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, load, load, size, size + 4096, 4096)
    return ident + header + segment + code


PAYLOADS = {
    "linux.bin": linux_image(3001, 0x301000),
    "linux2.bin": linux_image(2050, 0x501000),
    "ramdisk.bin": noise("ramdisk", 1777),
    "raw.bin": noise("raw", 1023),
    "elf.bin": elf(0x80400000),
    "board.bin": noise("board", 333),
    "linux.gz": gzip.compress(linux_image(3001, 0x301000), mtime=0),
    "large": compressible(3_000_000),
    "zeros.gz": gzip.compress(bytes(50_000_000), mtime=0),
}

LARGE = PAYLOADS["large"]
PAYLOADS |= {"large.1": LARGE[:70_001], "large.2": LARGE[70_001:], "large.pigz": flushed_gzip(LARGE, 131_072)}

# What "large" is packed to, by the programs that users and Linux's build have.
PACKED = {
    "large.gz": ["gzip", "-9n"],
    "large.gz1": ["gzip", "-1"],
    "large.lz4": ["lz4", "-9"],
    "large.lz4small": ["lz4", "-B4", "-BD", "-BX", "--content-size"],
    "large.lz4legacy": ["lz4", "-l", "-c1"],
    "large.zst": ["zstd", "-19"],
    "large.zst1": ["zstd", "-1", "--no-check"],
}


# In parts, whose whole is "large": as cat makes them, and pzstd.
SKIPPABLE = struct.pack("<II", 0x184D2A50, 4) + noise("skipped", 4)
EMPTY_SKIPPABLE = struct.pack("<II", 0x184D2A5F, 0)
JOINED = {
    "joined.gz": [("large.1", ["gzip", "-9n"]), ("large.2", ["gzip", "-1"])],
    "joined.gzrev": [("large", ["gzip", "-9n"]), ("/dev/null", ["gzip", "-n"])],
    "joined.lz4": [("large.1", ["lz4", "-9"]), SKIPPABLE, ("large.2", ["lz4", "-B4", "-BD", "-BX"])],
    "joined.lz4legacy": [("large.1", ["lz4", "-l"]), ("large.2", ["lz4", "-l", "-9"])],
    "joined.lz4mixed": [
        SKIPPABLE, ("large.1", ["lz4", "-l"]), EMPTY_SKIPPABLE, ("large.2", ["lz4"]), EMPTY_SKIPPABLE,
    ],
    "joined.zst": [("large.1", ["zstd", "-19"]), ("large.2", ["zstd", "-1", "--no-check"])],
    "joined.pzst": [SKIPPABLE, ("large.1", ["zstd"]), SKIPPABLE, ("large.2", ["zstd"]), EMPTY_SKIPPABLE],
}  # fmt: skip


def image(name, data, kind, **more):
    """One image node. Values of `more` are written as they stand; None leaves a default out."""
    properties = {
        "description": f'"{name}"',
        "data": f'/incbin/("{data}")',
        "type": f'"{kind}"',
        "arch": '"riscv"',
        "os": '"linux"',
        "compression": '"none"',
    }
    properties.update(more)
    lines = [f"{key} = {value};" for key, value in properties.items() if value is not None]
    return f"{name} {{ {' '.join(lines)} hash-1 {{ algo = \"crc32\"; }}; }};"


def hashed(name, data, kind, *algos):
    """An image node with hashes."""
    nodes = " ".join(f'hash-{i} {{ algo = "{algo}"; }};' for i, algo in enumerate(algos, 1))
    return image(name, data, kind).replace('hash-1 { algo = "crc32"; };', nodes)


def config(name, **properties):
    lines = [f"{key} = {value};" for key, value in properties.items()]
    return f"{name} {{ description = \"{name}\"; {' '.join(lines)} }};"


def tree(images, configs, default='"conf"'):
    choice = f"default = {default};" if default else ""
    return (
        '/dts-v1/; / { description = "lifeboat test"; #address-cells = <2>;'
        f" images {{ {' '.join(images)} }};"
        f" configurations {{ {choice} {' '.join(configs)} }}; }};"
    )


KERNEL = image("kernel", "linux.bin", "kernel", load="<0x80200000>", entry="<0x80200000>")
RAMDISK = image("ramdisk", "ramdisk.bin", "ramdisk")
BOARD = image("board", "board.bin", "flat_dt")
CONF = config("conf", kernel='"kernel"', ramdisk='"ramdisk"', fdt='"board"', bootargs='"console=hvc0 quiet"')
PLAIN = tree([KERNEL, RAMDISK, BOARD], [CONF])
KERNEL_ONLY = config("conf", kernel='"kernel"')


def raw(**more):
    return tree([image("kernel", "raw.bin", "standalone", **more)], [KERNEL_ONLY])


def alone(**more):
    """A configuration that would be fine but for what is changed in its kernel's node."""
    kind = more.pop("kind", "kernel")
    data = more.pop("payload", "linux.bin")
    return tree([image("kernel", data, kind, **more)], [KERNEL_ONLY])


# name: (source, further arguments of mkimage)
FITS = {
    "embedded": (PLAIN, []),
    "external": (PLAIN, ["-E", "-B", "0x1000"]),
    "external-tight": (PLAIN, ["-E"]),
    "position": (PLAIN, ["-E", "-p", "0x2000"]),
    "noload": (alone(kind="kernel_noload"), ["-E", "-B", "0x1000"]),
    "raw": (raw(load="<0x80400000>", entry="<0x80400010>"), []),
    "raw-two-cells": (raw(load="<0x1 0x80400000>", entry="<0x1 0x80400010>"), []),
    "raw-no-entry": (raw(load="<0x80400000>"), []),
    "raw-no-load": (raw(entry="<0x80400000>"), []),
    "raw-noload": (alone(kind="kernel_noload", payload="raw.bin", load="<0x80400000>"), []),
    "elf": (alone(kind="firmware", payload="elf.bin"), []),
    "gzip": (alone(payload="linux.gz", compression='"gzip"'), []),
    "hashes": (tree([hashed("kernel", "linux.bin", "kernel", "crc32", "sha256", "sha512")], [KERNEL_ONLY]), []),
    "no-hash": (tree([hashed("kernel", "linux.bin", "kernel")], [KERNEL_ONLY]), []),
    "md5": (tree([hashed("kernel", "linux.bin", "kernel", "sha256", "md5")], [KERNEL_ONLY]), []),
    "bzip2": (alone(payload="linux.gz", compression='"bzip2"'), []),
    "wrong-arch": (alone(arch='"arm64"'), []),
    "wrong-type": (alone(kind="flat_dt"), []),
    "several": (
        tree(
            [KERNEL, image("other", "linux2.bin", "kernel"), RAMDISK],
            [
                config("first", kernel='"kernel"', bootargs='"one"'),
                config("second", kernel='"other"', ramdisk='"ramdisk"', bootargs='"two"'),
                config("crash", kernel='"kernel"', ramdisk='"ramdisk"', bootargs='"three"'),
            ],
            default='"second"',
        ),
        ["-E"],
    ),
    "no-default": (tree([KERNEL], [KERNEL_ONLY, config("next", kernel='"none"')], default=None), []),
    "bad-default": (tree([KERNEL], [KERNEL_ONLY], default='"con"'), []),
    "unit-address": (
        tree(
            [image("kernel@1", "linux.bin", "kernel"), image("kernel@2", "linux2.bin", "kernel")],
            [config("conf", kernel='"kernel@2"'), config("short", kernel='"kernel"')],
        ),
        [],
    ),
    "missing-kernel": (tree([RAMDISK], [CONF]), []),
    "missing-ramdisk": (tree([KERNEL], [CONF]), []),
    "no-kernel": (tree([RAMDISK], [config("conf", ramdisk='"ramdisk"')]), []),
    "gzip-ramdisk": (
        tree([KERNEL, image("ramdisk", "ramdisk.bin", "ramdisk", compression='"gzip"')], [CONF]),
        [],
    ),
    "two-ramdisks": (
        tree(
            [KERNEL, RAMDISK, image("more", "board.bin", "ramdisk")],
            [config("conf", kernel='"kernel"', ramdisk='"ramdisk", "more"')],
        ),
        [],
    ),
    "loadables": (
        tree(
            [KERNEL, image("extra", "raw.bin", "firmware", load="<0x90000000>")],
            [config("conf", kernel='"kernel"', loadables='"extra"')],
        ),
        [],
    ),
    "two-roles": (
        tree(
            [KERNEL, RAMDISK, BOARD, image("extra", "raw.bin", "firmware", load="<0x90000000>")],
            [
                config(
                    "conf", kernel='"kernel"', ramdisk='"ramdisk"', fdt='"board"',
                    loadables='"kernel", "board", "extra", "ramdisk", "extra"',
                )
            ],
        ),
        [],
    ),
    "loadable-without-load": (
        tree([KERNEL, RAMDISK], [config("conf", kernel='"kernel"', loadables='"ramdisk"')]),
        [],
    ),
}


def mkimage(directory, *arguments):
    environment = {**os.environ, "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH}
    command = ["mkimage", *arguments]
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"make_fits: {' '.join(command)} failed in {directory}:\n{done.stdout}{done.stderr}")


def make_auto(directory):
    """What mkimage makes without an .its: it lists the kernel among the loadables."""
    what = ["-A", "riscv", "-O", "linux", "-T", "kernel", "-C", "gzip", "-a", "0x80200000", "-e", "0x80200000"]
    mkimage(directory, "-f", "auto", *what, "-n", "auto", "-d", "linux.gz", "-b", "board.bin", "auto.itb")


def make(directory, name, source, arguments):
    its = directory / f"{name}.its"
    its.write_text(source)
    mkimage(directory, *arguments, "-f", its.name, f"{name}.itb")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not shutil.which("mkimage"):
        sys.exit("make_fits: mkimage is not installed: apt-get install u-boot-tools")
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in PAYLOADS.items():
        (directory / name).write_bytes(data)
    for name, command in PACKED.items():
        pack(directory, name, command)
    for name, parts in JOINED.items():
        join(directory, name, parts)
    make_auto(directory)
    for name, (source, arguments) in FITS.items():
        make(directory, name, source, arguments)


if __name__ == "__main__":
    main()
