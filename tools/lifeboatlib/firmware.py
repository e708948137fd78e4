# SPDX-License-Identifier: BSD-2-Clause
"""Firmware as the primary: what kind a file is, where it runs, and how the stage gets there."""

import struct
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib.ui import LifeboatError

UBOOT_AT = 0x80200000  # qemu-riscv64_smode's link address, as that of most boards with RAM from 0x80000000
FLASH_AT = 0x20000000  # QEMU virt's first pflash, where EDK2 is linked to run
FLASH_SIZE = 32 << 20
VOLUME_MAGIC = (40, b"_FVH")  # of an EDK2 firmware volume, such as RISCV_VIRT_CODE.fd
ELF_MAGIC = b"\x7fELF"

# A program that jumps to an address, wherever it lies itself.
IMAGE_HEADER = struct.Struct("<IIQQQIIQQII")
BEHIND_HEADER = 0x0400006F  # j .+64
JUMP = struct.Struct("<IIIIQ")
TO_ADDRESS = (0x00000297, 0x0102B283, 0x00028067, 0)  # auipc t0, 0; ld t0, 16(t0); jr t0; the address follows


@dataclass(frozen=True)
class Firmware:
    """What a bundle needs to know of it; a load address of 0 leaves the choice to the stage."""

    path: Path
    kind: str
    os: str
    load: int
    entry: int


def jump_to(at: int) -> bytes:
    """An Image, so that the stage may place it anywhere, that goes to an address; a0 and a1 stay."""
    header = (BEHIND_HEADER, 0, 0x200000, IMAGE_HEADER.size + JUMP.size, 0, 2, 0, 0, 0x5643534952, 0x05435352, 0)
    return IMAGE_HEADER.pack(*header) + JUMP.pack(*TO_ADDRESS, at)


def _begins(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


def is_in_flash(path: Path) -> bool:
    """Is it EDK2, which runs where it lies?"""
    at, magic = VOLUME_MAGIC
    return _begins(path)[at:].startswith(magic)


def look(path: Path, directory: Path, load: int | None = None, entry: int | None = None) -> Firmware:
    """Tells U-Boot from EDK2. EDK2 stays in its flash: what the bundle gets is a jump there, made in a directory."""
    if is_in_flash(path):
        if load is not None:
            raise LifeboatError(f"{path.name} runs in flash and is not loaded: give --entry, not --load")
        stub = directory / f"{path.name}.stub"
        stub.write_bytes(jump_to(FLASH_AT if entry is None else entry))
        return Firmware(stub, "kernel", "efi", 0, 0)
    if _begins(path).startswith(ELF_MAGIC):
        raise LifeboatError(f"{path.name} is an ELF: give the raw binary, u-boot.bin")
    load = UBOOT_AT if load is None else load
    return Firmware(path, "firmware", "u-boot", load, load if entry is None else entry)
