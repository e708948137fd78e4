# SPDX-License-Identifier: BSD-2-Clause
"""Boots a machine to its end, and reads what the stage and the contract payload say."""

import re
import struct
from pathlib import Path

from lifeboatlib.qemu import Machine, Session

PAGE = 4096
JUMP_TO_SELF = 0x6F


def run_to_end(machine: Machine) -> str:
    """The whole console of a machine that has to switch itself off."""
    with Session(machine) as session:
        session.wait()
        return session.text


def find(pattern: str, console: str) -> re.Match[str]:
    """The match of a pattern that has to be there; ^ and $ are ends of lines."""
    match = re.search(pattern, console, re.MULTILINE)
    assert match, f"{pattern!r} is not on the console:\n{console}"
    return match


def write_noise(path: Path, size: int, seed: int = 1) -> Path:
    """A file of bytes that repeat nowhere (the same for the same seed)."""
    words = bytearray()
    state = seed
    while len(words) < size:
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        words += (state >> 16).to_bytes(6, "little")
    path.write_bytes(words[:size])
    return path


def image_that_loops() -> bytes:
    """An Image header whose first instruction is the last."""
    fields = (JUMP_TO_SELF, 0, 0x200000, PAGE, 0, 2, 0, 0, 0x5643534952, 0x05435352, 0)
    return struct.pack("<IIQQQIIQQII", *fields).ljust(PAGE, b"\0")


def passed(console: str) -> re.Match[str]:
    """The contract payload's verdict, which has to be the only one, and PASS."""
    verdicts = re.findall(r"^contract: .*", console, re.MULTILINE)
    assert len(verdicts) == 1, f"{len(verdicts)} verdicts on the console:\n{console}"
    assert verdicts[0].startswith("contract: PASS "), f"{verdicts[0]}\n{console}"
    return find(r"PASS hart (?P<hart>\d+) at (?P<load>0x[0-9a-f]+), FDT (?P<fdt>0x[0-9a-f]+), ", console)


def stage_ran(console: str, sv: int | None = None, at: int | None = None) -> None:
    """The stage's own log: its paging mode, where it was entered, and that it had no complaint."""
    if sv:
        find(rf"^lifeboat: stage: moved to 0x[0-9a-f]+, running in Sv{sv} ", console)
    if at:
        find(rf"^lifeboat: boot: lifeboat \S+ at {at:#x}, ", console)
    complaint = re.search(r"^lifeboat: (warning|ERROR): .*", console, re.MULTILINE)
    assert not complaint, f"{complaint and complaint[0]}\n{console}"
