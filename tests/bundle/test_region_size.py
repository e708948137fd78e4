# SPDX-License-Identifier: BSD-2-Clause
"""How large a crash region `tools/lifeboat bundle` asks for: by kernel and initramfs. That it is enough is a long test of boot/."""

import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from lifeboatlib import regionsize
from lifeboatlib.initramfs import Cpio
from lifeboatlib.paths import TOOLS

MIB = 1 << 20
NOISE = bytes((i * i * 2654435761 >> 13) & 0xFF for i in range(100_003))
PACKERS = (["zstd", "-qc"], ["gzip", "-c"], ["lz4", "-qc"])


def archive(content: bytes) -> bytes:
    """A cpio archive with one file."""
    cpio = Cpio()
    cpio.add("file", 0o100644, content)
    return cpio.finish()


def kernel_of(path: Path, mib: int) -> Path:
    """An Image whose header says that it takes so much."""
    path.write_bytes(struct.pack("<IIQQQIIQQII", 0, 0, 0, mib * MIB, 0, 2, 0, 0, 0, 0x05435352, 0))
    return path


@pytest.mark.parametrize("packer", PACKERS, ids=lambda argv: argv[0])
def test_an_initramfs_is_as_large_as_its_archives_are_unpacked(packer: list[str], tmp_path: Path) -> None:
    """One that is packed may follow one that is not, as initramfs-tools puts microcode and modules in front."""
    early, main = archive(NOISE), archive(bytes(5 * MIB) + NOISE)
    packed = subprocess.run(packer, input=main, capture_output=True, check=True).stdout
    for name, content, size in (
        ("plain", early + main, len(early + main)),
        ("packed", packed, len(main)),
        ("both", early + bytes(512) + packed, len(early) + 512 + len(main)),
    ):
        (tmp_path / name).write_bytes(content)
        assert regionsize.unpacked_size(tmp_path / name) == size, name


def test_what_nobody_here_can_unpack_is_taken_for_four_times_as_large(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"\xfd7zXZ\0" + NOISE)
    assert regionsize.unpacked_size(tmp_path / "other") == 4 * (6 + len(NOISE))


@pytest.mark.parametrize(
    ("kernel", "unpacked", "region"),
    [(30, 0, 128), (30, 16, 128), (30, 30, 160), (36, 30, 160), (30, 60, 224), (64, 30, 192)],
)
def test_the_region_grows_with_kernel_and_initramfs(kernel: int, unpacked: int, region: int, tmp_path: Path) -> None:
    """In MiB, the initramfs packed to next to nothing, so that it is the half of Linux' memory that counts."""
    packed = subprocess.run(["zstd", "-qc"], input=archive(bytes(unpacked * MIB)), capture_output=True, check=True)
    (tmp_path / "initramfs").write_bytes(packed.stdout)
    assert regionsize.region_mib(kernel_of(tmp_path / "Image", kernel), tmp_path / "initramfs") == region


def test_an_initramfs_is_there_packed_and_unpacked_at_once(tmp_path: Path) -> None:
    (tmp_path / "initramfs").write_bytes(archive(random.Random(1).randbytes(10 * MIB)))
    assert regionsize.region_mib(kernel_of(tmp_path / "Image", 30), tmp_path / "initramfs") == 160


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (("--crash-initrd", "initramfs"), 128),
        (("--crash-initrd", "initramfs", "--kept", "32"), 160),
        (("--crash-initrd", "initramfs", "--crash-size", "100"), 100),
        (("--reserve", "112"), 112),
    ],
    ids=["computed", "kept-beside", "told", "reserved"],
)
def test_bundle_asks_for_it_where_it_is_not_told(options: tuple[str, ...], size: int, tmp_path: Path) -> None:
    kernel_of(tmp_path / "Image", 30)
    (tmp_path / "initramfs").write_bytes(archive(NOISE))
    argv = [sys.executable, TOOLS / "lifeboat", "bundle", "--kernel", "Image", *options, "-o", "x.its", "--its-only"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    words = f"lifeboat,region-size = <{hex(0)} {hex(size * MIB)}>"
    assert words in (tmp_path / "x.its").read_text(encoding="utf-8")
