# SPDX-License-Identifier: BSD-2-Clause
"""Lets QEMU load the stage to another address than 0x80200000: an ELF says where it wants to lie."""

import struct
from pathlib import Path

ELF = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
IDENT = b"\x7fELF\x02\x01\x01"  # 64 bits, little-endian
RISCV = 243


def stage_at(stage: Path, address: int, output: Path) -> Path:
    """Makes an ELF of a flat stage, with one segment at an address, where it is entered."""
    data = stage.read_bytes()
    begin = ELF.size + SEGMENT.size
    header = ELF.pack(IDENT, 2, RISCV, 1, address, ELF.size, 0, 0, ELF.size, SEGMENT.size, 1, 0, 0, 0)
    segment = SEGMENT.pack(1, 7, begin, address, address, len(data), len(data), 0x1000)
    output.write_bytes(header + segment + data)
    return output
