# SPDX-License-Identifier: BSD-2-Clause
"""The ways to compute hashes that want more than RV64GC: each against Python's own, and what each costs."""

import hashlib
import re
import zlib
from collections.abc import Callable
from pathlib import Path

from harness import find, run_to_end
from lifeboatlib.paths import REPO
from lifeboatlib.qemu import Machine

PAYLOADS = REPO / "tests" / "payloads"
LOAD = 0x80200000
SIZES = 300
LONG = 65536
CPU = "rv64,zbb=true,zbc=true,zknh=true"

# Source in boot/machine: hash, and instructions a byte at most, with a margin for another compiler.
WAYS = {
    "crc32_zbc": ("crc32", 0.75),
    "sha256_zknh": ("sha256", 36.0),
}


def words(algo: str, data: bytes) -> list[int]:
    """What a way's state holds at the end."""
    if algo == "crc32":
        return [zlib.crc32(data[: len(data) // 8 * 8]) ^ 0xFFFFFFFF]
    digest = hashlib.new(algo, data).digest()
    size = len(digest) // 8
    return [int.from_bytes(digest[at : at + size], "big") for at in range(0, len(digest), size)]


def digest_of_digests(algo: str) -> int:
    """FNV-1a over the states of all sizes, as the payload makes it."""
    pattern = bytes((i * 37 ^ i >> 3) & 0xFF for i in range(SIZES))
    hashed = 0xCBF29CE484222325
    for size in range(SIZES + 1):
        for byte in b"".join(word.to_bytes(8, "little") for word in words(algo, pattern[:size])):
            hashed = (hashed ^ byte) * 0x100000001B3 % (1 << 64)
    return hashed


def test_each_way_gives_the_hash_of_every_size_within_its_instructions(
    link_flat: Callable[..., object], tmp_path: Path
) -> None:
    table = "-DHASH_WAYS=" + "".join(f"&{name}," for name in WAYS)
    own = [PAYLOADS / name for name in ("hash_ways.c", "start.S", "common.c")]
    ways = [REPO / "boot" / "machine" / f"{name}.c" for name in WAYS]
    script = PAYLOADS / "payload.lds"
    payload = link_flat(tmp_path / "hash_ways.elf", script, LOAD, "-Os", table, *own, *ways)
    console = run_to_end(Machine(kernel=payload.bin, cpu=CPU, icount=True))
    lines = re.findall(r"^hash_ways: (\S+) (\S+) digest (\S+), (\d+) instructions", console, re.MULTILINE)
    assert len(lines) == len(WAYS), console
    for (algo, most), (said, name, digest, cost) in zip(WAYS.values(), lines, strict=True):
        print(f"{said} ({name}): {int(cost) / LONG:.2f} instructions a byte")
        assert (said, int(digest, 16)) == (algo, digest_of_digests(algo)), name
        assert int(cost) <= most * LONG, name


def test_every_way_of_the_build_is_tested() -> None:
    listed = re.findall(r"'(\w+_\w+)'", find(r"(?s)^ways = \{(.*?)\n\}", (REPO / "meson.build").read_text())[1])
    assert set(listed) == set(WAYS)
