# SPDX-License-Identifier: BSD-2-Clause
"""Guests that leave their address space in one of several ways, made of the stage's own objects (guest/)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kvm_host import Guest, Outcome

from lifeboatlib.paths import REPO, object_name, stage_dir

SOURCES = Path(__file__).parent / "guest"
PAYLOADS = REPO / "tests" / "payloads"
VIRTUAL = 0xFFFF_FFFF_C000_0000  # STAGE_VA: there is no RAM there, for a guest or natively
PHYSICAL = 0x8020_0000

# The table builder, the trampoline and norelocate as they are in the stage; and what these call.
OBJECTS = ("kexec/leave/norelocate.S", "kexec/leave/trampoline.c", "mm/pagetable.c")
LIBRARY = "libstring.a"
SAVE = REPO / "boot" / "entry" / "save.S"

# PREPARE and ENTER of guest/handoff.c.
WAYS = {
    "legacy": ("no_trampoline", "legacy_enter"),
    "two-pass": ("trampoline", "norelocate_enter"),
    "no-identity": ("trampoline_without_identity", "norelocate_enter"),
}
MODES = (39, 48, 57)

BEGINS = "handoff: at the virtual address"
ARRIVED = r"^handoff: target pc (0x\w+) satp (0x\w+) scause (0x\w+) sepc (0x\w+)$"


def sources(way: str, sv: int) -> list[object]:
    """What a guest is linked from, and with which options."""
    prepare, enter = WAYS[way]
    return [
        f"-DLEVELS={(sv - 12) // 9}", f"-DPREPARE={prepare}", f"-DENTER={enter}",
        f"-I{REPO}", f"-I{PAYLOADS}", "-Wl,--gc-sections",
        *SOURCES.glob("*.[cS]"), PAYLOADS / "common.c", SAVE,
        *(stage_dir() / "lifeboat.elf.p" / object_name(source) for source in OBJECTS),
        *(stage_dir() / "subprojects").rglob(LIBRARY),
    ]  # fmt: skip


@dataclass(frozen=True)
class Arrival:
    """What the target found, if it was reached."""

    pc: int
    satp: int
    scause: int
    sepc: int

    def __str__(self) -> str:
        return f"reached, scause {self.scause}"


def arrival(console: str) -> Arrival | None:
    """The target's line."""
    assert BEGINS in console, f"the guest never ran at its virtual address:\n{console}"
    match = re.search(ARRIVED, console, re.MULTILINE)
    return Arrival(*(int(group, 16) for group in match.groups())) if match else None


def guest(link: Callable[[str, int], Path], way: str, sv: int) -> Guest:
    """One that does it once."""
    seconds = 5 if way == "no-identity" else 60  # (that one only ends by the watchdog)
    return Guest(f"{way}-sv{sv}", {PHYSICAL: link(way, sv)}, seconds=seconds)


def fate(outcome: Outcome) -> str:
    """How a guest fared, in a few words: a cell of the table."""
    reached = arrival(outcome.console)
    if reached and outcome.end == "shutdown":
        return str(reached)
    if outcome.end == "unsupported":
        return f"dead: errno {outcome.registers['errno']}, SCAUSE {outcome.host_value('SCAUSE'):#x}"
    return f"ended by {outcome.end}"
