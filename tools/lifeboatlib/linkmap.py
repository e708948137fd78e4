# SPDX-License-Identifier: BSD-2-Clause
"""Reads from a linked program which object file put how many bytes into which section."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib.ui import LifeboatError

SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR = 1, 2, 4
SHT_NOBITS = 8

# GNU ld: " .text.name  0xADDRESS  0xSIZE  object"; an output section begins in the first column.
GNU_ROW = re.compile(r"^( ?)(\.\S+|COMMON)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)(?:\s+(\S.*))?$")
GNU_NAME_ALONE = re.compile(r"^ ?\.\S+$")
# lld: "VMA LMA SIZE ALIGN" in hex, then the output section, or indented by 8 "object:(section)".
LLD_ROW = re.compile(r"^ *[0-9a-f]+ +[0-9a-f]+ +([0-9a-f]+) +\d+ (?:(\.\S+)| {8}(\S.*):\((.+)\))$")


@dataclass(frozen=True)
class Piece:
    """Bytes in an output section; `origin` is an object file, or None for the whole section."""

    section: str
    origin: str | None
    size: int


def _gnu_rows(text: str) -> Iterator[Piece]:
    """The pieces in a map of GNU ld."""
    memory_map = text.split("Linker script and memory map", 1)[-1]
    section = held = ""
    for line in memory_map.splitlines():
        if GNU_NAME_ALONE.match(line):
            held = line
            continue
        match = GNU_ROW.match(held + line)
        held = ""
        if match and not match[1]:
            section = match[2]
            yield Piece(section, None, int(match[3], 16))
        elif match and match[4]:
            yield Piece(section, match[4], int(match[3], 16))


def _lld_rows(text: str) -> Iterator[Piece]:
    """The pieces in a map of lld."""
    section = ""
    for line in text.splitlines():
        match = LLD_ROW.match(line)
        if match and match[2]:
            section = match[2]
            yield Piece(section, None, int(match[1], 16))
        elif match:
            yield Piece(section, match[3], int(match[1], 16))


def is_of_lld(path: Path) -> bool:
    """Whether lld wrote a linker map, not GNU ld."""
    with path.open(encoding="utf-8", errors="replace") as text:
        return text.readline().lstrip().startswith("VMA")


def pieces(path: Path) -> list[Piece]:
    """All pieces in a linker map, whichever linker wrote it."""
    text = path.read_text(encoding="utf-8", errors="replace")
    rows = _lld_rows(text) if is_of_lld(path) else _gnu_rows(text)
    return [piece for piece in rows if piece.size]


def section_kinds(path: Path) -> dict[str, str]:
    """For every section of an ELF file that takes memory: text, rodata, data or bss."""
    data = path.read_bytes()
    if data[:5] != b"\x7fELF\x02":
        raise LifeboatError(f"{path} is no 64-bit ELF file; build it again")
    (offset,) = struct.unpack_from("<Q", data, 0x28)
    entry_size, count, names_index = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", data, offset + i * entry_size) for i in range(count)]
    names_offset = headers[names_index][4]
    kinds = {}
    for name_offset, kind, flags, *_ in headers:
        begin = names_offset + name_offset
        name = data[begin : data.index(b"\0", begin)].decode()
        if flags & SHF_ALLOC:
            kinds[name] = _kind(kind, flags)
    return kinds


def _kind(section_type: int, flags: int) -> str:
    if section_type == SHT_NOBITS:
        return "bss"
    if flags & SHF_EXECINSTR:
        return "text"
    return "data" if flags & SHF_WRITE else "rodata"
