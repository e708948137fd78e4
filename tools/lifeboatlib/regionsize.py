# SPDX-License-Identifier: BSD-2-Clause
"""How large a crash region must be for a crash kernel and its initramfs: docs/crash.md has what the rule was measured with."""

import struct
import subprocess
from pathlib import Path

from lifeboatlib import packing

MIB = 1 << 20
STEP, LEAST = 32, 128  # MiB
STAGE = 4  # MiB that no kernel gets
LINUX = 36  # MiB that Linux takes for itself, besides its image
PROGRAMS = 32  # MiB for what runs in it
SPARE = 8
UNKNOWN_IMAGE = 40 * MIB  # of a kernel that is no plain Image, however packed

CPIO, CPIO_HEAD, CPIO_END = b"070701", 110, b"TRAILER!!!"
IMAGE_MAGIC_AT, IMAGE_MAGIC, IMAGE_SIZE_AT = 56, b"RSC\x05", 16
UNPACKERS = {"gzip": ["gzip", "-dc"], "lz4": ["lz4", "-dc"], "zstd": ["zstd", "-dcq"]}
UNKNOWN_RATIO = 4


def _up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def _unpacked(content: bytes) -> bytes | None:
    """What is packed in there, or None if it can't be unpacked here."""
    name = packing.named(content)
    if name not in UNPACKERS:
        return None
    try:
        return subprocess.run(UNPACKERS[name], input=content, capture_output=True, check=False).stdout
    except OSError:
        return None


def _archive_end(content: bytes, at: int) -> int:
    """Behind the cpio archive that begins there, and the zeros that follow it."""
    name = b""
    while name != CPIO_END and content.startswith(CPIO, at):
        size, name_size = (int(content[at + field : at + field + 8], 16) for field in (54, 94))
        name = content[at + CPIO_HEAD : at + CPIO_HEAD + name_size].rstrip(b"\0")
        at = _up(_up(at + CPIO_HEAD + name_size, 4) + size, 4)
    return len(content) - len(content[at:].lstrip(b"\0"))


def unpacked_size(initrd: Path) -> int:
    """Bytes of an initramfs once it is unpacked: archives behind each other, the last of which may be packed."""
    content, at, size = initrd.read_bytes(), 0, 0
    while content.startswith(CPIO, at):
        end = _archive_end(content, at)
        size, at = size + end - at, end
    if at == len(content):
        return size
    unpacked = _unpacked(content[at:])
    return size + (len(unpacked) if unpacked else UNKNOWN_RATIO * (len(content) - at))


def image_size(kernel: Path) -> int:
    """Bytes of RAM that a kernel's image takes, by its header."""
    content = kernel.read_bytes()
    content = _unpacked(content) or content
    if content[IMAGE_MAGIC_AT : IMAGE_MAGIC_AT + 4] != IMAGE_MAGIC:
        return UNKNOWN_IMAGE
    return max(len(content), struct.unpack_from("<Q", content, IMAGE_SIZE_AT)[0])


def region_mib(kernel: Path, initrd: Path | None) -> int:
    """MiB for the crash region; what is kept for userspace is not in it.

    Linux lets the files of an initramfs take half of its memory, as that is while the packed one is there, too.
    """
    packed, unpacked = (initrd.stat().st_size, unpacked_size(initrd)) if initrd else (0, 0)
    files = max(2 * unpacked, unpacked + PROGRAMS * MIB)
    wanted = (STAGE + LINUX + SPARE) * MIB + image_size(kernel) + packed + files
    return max(LEAST, _up(wanted, STEP * MIB) // MIB)
