# SPDX-License-Identifier: BSD-2-Clause
"""Lets QEMU load the stage to another address than 0x80200000, as firmware that is its primary wants it."""

import shutil
import struct
from dataclasses import replace
from pathlib import Path

from lifeboatlib.firmware import FLASH_SIZE, is_in_flash, jump_to
from lifeboatlib.qemu import Machine

ELF = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
IDENT = b"\x7fELF\x02\x01\x01"  # 64 bits, little-endian
RISCV = 243

FIRST = 0x80200000  # where OpenSBI goes on
CLEAR = 0x83E00000  # between Linux, by U-Boot's booti, and the files that U-Boot loads
ABOVE_FDT = 0x88000000  # OpenSBI's fw_jump puts the FDT to 0x82200000


def stage_at(stage: Path, address: int, output: Path) -> Path:
    """Makes an ELF of a flat stage, with one segment at an address, where it is entered."""
    data = stage.read_bytes()
    begin = ELF.size + SEGMENT.size
    header = ELF.pack(IDENT, 2, RISCV, 1, address, ELF.size, 0, 0, ELF.size, SEGMENT.size, 1, 0, 0, 0)
    segment = SEGMENT.pack(1, 7, begin, address, address, len(data), len(data), 0x1000)
    output.write_bytes(header + segment + data)
    return output


def _loaded(file: Path, address: int) -> tuple[str, ...]:
    return ("-device", f"loader,file={file},addr={address:#x},force-raw=on")


def flash(code: Path, scratch: Path) -> tuple[str, ...]:
    """Both halves: what runs, read-only, and a copy of the variables that belong to it, or none yet."""
    variables, given = scratch / "vars.fd", code.with_name(code.name.replace("CODE", "VARS"))
    if given != code and given.is_file():
        shutil.copy(given, variables)
    else:
        variables.write_bytes(b"\xff" * FLASH_SIZE)
    return (
        "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}",
        "-drive", f"if=pflash,unit=1,format=raw,file={variables}",
    )  # fmt: skip


def with_firmware(machine: Machine, firmware: Path, bundle: Path, scratch: Path) -> Machine:
    """The machine with the stage (its kernel) and a bundle where firmware, and what that boots, leaves them alone.

    With firmware in flash QEMU takes no kernel and no initrd: both are loaded, and OpenSBI finds a jump to them.
    """
    assert machine.kernel, "there is no stage"
    if not is_in_flash(firmware):
        return replace(machine, kernel=stage_at(machine.kernel, CLEAR, scratch / "stage.elf"), initrd=bundle)
    both, jump = scratch / "both.bin", scratch / "jump.bin"
    both.write_bytes(machine.kernel.read_bytes() + bundle.read_bytes())
    jump.write_bytes(jump_to(ABOVE_FDT))
    loaded = (*flash(firmware, scratch), *_loaded(jump, FIRST), *_loaded(both, ABOVE_FDT))
    return replace(machine, bios="jump", kernel=None, initrd=None, extra=(*loaded, *machine.extra))
