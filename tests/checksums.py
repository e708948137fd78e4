# SPDX-License-Identifier: BSD-2-Clause
"""The checksum of the crash record's pieces, by docs/abi.md alone."""

import struct


def checksum(content: bytes) -> int:
    """As docs/abi.md has it, for what lies at a multiple of 8."""
    first, second, low = 0x9E37_79B9_7F4A_7C15, 0xD1B5_4A32_D192_ED03, (1 << 64) - 1

    def fold(one: int, other: int) -> int:
        product = one * other
        return product & low ^ product >> 64

    total = first ^ len(content)
    whole = len(content) // 64 * 64
    words = struct.unpack(f"<{whole // 8}Q", content[:whole])
    for one, other in zip(words[::2], words[1::2], strict=True):
        total = fold(total ^ one, second ^ other)
    for byte in content[whole:]:
        total = fold(total ^ byte, second)
    total ^= total >> 32
    return total & 0xFFFF_FFFF or 1
