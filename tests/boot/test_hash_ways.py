# SPDX-License-Identifier: BSD-2-Clause
"""The ways to compute hashes that are for RISC-V alone: each against Python's own, and what each costs."""

import hashlib
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import run_to_end
from lifeboatlib.paths import REPO
from lifeboatlib.qemu import Machine

PAYLOADS = REPO / "tests" / "payloads"
LOAD = 0x80200000
SIZES = 300
LONG = 65536
CPU = "rv64,zbb=true,zbc=true,zknh=true,v=true,zvkb=true,zvknhb=true,vlen="

# A row of hash_ways.c: instructions a byte at most. (That in C has a margin for another compiler.)
WAYS = {
    ("crc32", "Zbc"): 0.75,
    ("sha256", "Zvknha"): 1.42,
    ("sha256", "Zknh"): 22.2,
    ("sha256", "Zbb"): 36.2,
    ("sha512", "Zvknhb"): 1.41,
    ("sha512", "Zbb"): 23.0,
    ("sha256", "RV64"): 42.4,
    ("sha512", "RV64"): 36.0,
}
SOURCES = (
    "boot/machine/crc32_zbc.c",
    "boot/machine/hash_ways.c",
    "boot/machine/sha2.S",
    "boot/machine/sha2_vector.S",
    "kexec/check/sha2_constants.c",
)


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


@pytest.mark.parametrize("vlen", [128, 512])
def test_each_way_gives_the_hash_of_every_size_within_its_instructions(
    vlen: int, link_flat: Callable[..., object], tmp_path: Path
) -> None:
    own = [PAYLOADS / name for name in ("hash_ways.c", "start.S", "common.c")]
    ways = [REPO / name for name in SOURCES]
    table = "-DHASH_WAYS=WAYS_crc32 WAYS_sha256 WAYS_sha512"
    payload = link_flat(tmp_path / "hash_ways.elf", PAYLOADS / "payload.lds", LOAD, "-Os", table, *own, *ways)
    console = run_to_end(Machine(kernel=payload.bin, cpu=f"{CPU}{vlen}", icount=True))
    lines = re.findall(r"^hash_ways: (\S+) (\S+) digest (\S+), (\d+) instructions", console, re.MULTILINE)
    assert "leaves" not in console, console
    assert [(algo, name) for algo, name, *_ in lines] == list(WAYS), console
    for algo, name, digest, cost in lines:
        print(f"{algo} ({name}): {int(cost) / LONG:.2f} instructions a byte")
        assert int(digest, 16) == digest_of_digests(algo), name
        assert int(cost) <= WAYS[algo, name] * LONG, name
