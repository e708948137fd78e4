# SPDX-License-Identifier: BSD-2-Clause
"""Writes an image to a card, and refuses everything that does not look like one."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib.ui import LifeboatError, step

SECTOR = 512
CHUNK = 4 << 20


@dataclass(frozen=True)
class System:
    """Where the kernel tells of block devices."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")


def _read(path: Path) -> str:
    """A file of one line, or nothing."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _parts(device: Path) -> list[Path]:
    """A disk's own directory in sysfs and those of its partitions."""
    return [device, *sorted(p for p in device.iterdir() if (p / "partition").exists())]


def _in_use(system: System, parts: list[Path]) -> str:
    """How a disk or one of its partitions is in use, or an empty string."""
    numbers = {_read(part / "dev"): part.name for part in parts}
    names = {part.name for part in parts}
    for line in _read(system.proc / "self" / "mountinfo").splitlines():
        words = line.split()
        source = words[words.index("-") + 2] if "-" in words[:-2] else ""
        name = numbers.get(words[2], source.removeprefix("/dev/"))
        if name in names:
            return f"{name} is mounted on {words[4]}"
    for line in _read(system.proc / "swaps").splitlines()[1:]:
        name = line.split()[0].removeprefix("/dev/")
        if name in names:
            return f"{name} is swapped to"
    for part in parts:
        holders = part / "holders"
        held = sorted(holder.name for holder in holders.iterdir()) if holders.is_dir() else []
        if held:
            return f"{part.name} belongs to {held[0]}"
    return ""


def _is_removable(device: Path) -> bool:
    """Whether a disk can be taken out: its driver says so, or it is an SD card in a slot for those."""
    return _read(device / "removable") == "1" or _read(device / "device" / "type") == "SD"


def objection(name: str, size: int, system: System | None = None) -> str:
    """Why an image of a size must not be written to the block device `name` (sdb); empty if it may."""
    system = system or System()
    device = system.sys / "class" / "block" / name
    if not re.fullmatch(r"[a-zA-Z0-9_-]+", name) or not device.is_dir():
        return "it is no block device"
    if (device / "partition").exists():
        return "it is a partition; give the whole disk"
    if not _is_removable(device):
        return "it is not removable, so it may be this machine's own disk"
    used = _in_use(system, _parts(device))
    if used:
        return f"{used}; release it first"
    if _read(device / "ro") == "1":
        return "it is write-protected"
    room = int(_read(device / "size") or "0") * SECTOR
    if room < size:
        return f"it has {room} bytes, the image {size}"
    return ""


def write(image: Path, device: Path) -> None:
    """Writes an image to a removable, unused disk; whatever was on it is gone."""
    target = device.resolve()
    reason = objection(target.name, image.stat().st_size)
    if not reason and target.parent != Path("/dev"):
        reason = "it is not in /dev"
    if reason:
        raise LifeboatError(f"{device}: nothing is written: {reason}")
    # The kernel itself refuses O_EXCL on a block device that is in use; whatever changed since the look.
    handle = os.open(target, os.O_WRONLY | os.O_EXCL)
    with step(f"image: writing {device}"), open(handle, "wb") as disk, image.open("rb") as data:
        while piece := data.read(CHUNK):
            disk.write(piece)
        disk.flush()
        os.fsync(disk.fileno())
