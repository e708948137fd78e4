# SPDX-License-Identifier: BSD-2-Clause
"""Reads symbols and sections of ELF files with binutils."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

CROSS = "riscv64-linux-gnu-"


def tool(name: str, *arguments: str | Path) -> str:
    """What one of the cross binutils prints."""
    argv = [CROSS + name, *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def _rows(elf: Path) -> Iterator[tuple[str, int]]:
    rows = (line.split() for line in tool("nm", "--defined-only", elf).splitlines())
    return ((row[2], int(row[0], 16)) for row in rows if len(row) == 3)


def symbols(elf: Path) -> dict[str, int]:
    """The symbols of an ELF file, by name; of several static ones with one name, any."""
    return dict(_rows(elf))


def addresses(elf: Path) -> set[int]:
    """Where the symbols of an ELF file are, all of them."""
    return {address for _, address in _rows(elf)}


def section(elf: Path, name: str, scratch: Path) -> bytes:
    """The bytes of one section."""
    tool("objcopy", "-O", "binary", "--only-section", name, elf, scratch)
    return scratch.read_bytes()
