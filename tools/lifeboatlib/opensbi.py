# SPDX-License-Identifier: BSD-2-Clause
"""Builds OpenSBI's generic firmware from its pinned source."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import command, tarballs
from lifeboatlib.paths import cache_dir
from lifeboatlib.ui import step

RELEASE = tarballs.Tarball(
    "opensbi",
    "opensbi-1.6.tar.gz",
    "d11702103f177a2914e94eec57ce5ed820296d874f6b6525c4482e55d71a3667",
)
MIB = 1 << 20
# Where the generic platform puts a payload, and the FDT if nothing says otherwise; from the firmware's start.
PAYLOAD_OFFSET = 2 * MIB
FDT_OFFSET = 34 * MIB
FDT_ROOM = 2 * MIB


@dataclass(frozen=True)
class Firmware:
    """What to build: fw_payload with a payload, else fw_dynamic; with an FDT built in, or the previous stage's."""

    payload: Path | None = None
    fdt: Path | None = None

    def options(self) -> list[str]:
        """As variables for make."""
        kind = "PAYLOAD" if self.payload else "DYNAMIC"
        words = [f"FW_{each}={'y' if each == kind else 'n'}" for each in ("PAYLOAD", "DYNAMIC", "JUMP")]
        if self.payload:
            words += [f"FW_PAYLOAD_FDT_OFFSET={fdt_offset(self.payload.stat().st_size):#x}"]
        return words


def fdt_offset(payload_size: int) -> int:
    """Where fw_payload may put the FDT without harm: as usual, or on the first 2 MiB behind the payload."""
    end = PAYLOAD_OFFSET + payload_size
    return max(FDT_OFFSET, -(-end // FDT_ROOM) * FDT_ROOM)


def _source() -> Path:
    """The unpacked source."""
    tree = cache_dir() / "opensbi" / "opensbi-1.6"
    if not tree.is_dir():
        with tempfile.TemporaryDirectory(dir=tree.parent) as scratch:
            command.logged(["tar", "-xf", tarballs.source(RELEASE), "-C", scratch], "opensbi", "is the disk full?")
            shutil.move(Path(scratch) / tree.name, tree)
    return tree


@contextmanager
def _only_one() -> Iterator[None]:
    """Keeps two builds out of each other's objects, those of tests that run side by side, say."""
    directory = cache_dir() / "opensbi"
    directory.mkdir(exist_ok=True)
    with (directory / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(firmware: Firmware, output: Path) -> Path:
    """Builds it into the file `output`; OpenSBI's objects are kept for the next time."""
    with _only_one():
        return _build(firmware, output)


def _build(firmware: Firmware, output: Path) -> Path:
    source = _source()
    options = firmware.options()
    objects = source.parent / "build"
    objects.mkdir(exist_ok=True)
    for variable, path in (("FW_PAYLOAD_PATH", firmware.payload), ("FW_FDT_PATH", firmware.fdt)):
        if path:
            shutil.copyfile(path, objects / variable)
            options.append(f"{variable}={objects / variable}")
    # All that the options change: the rest of the objects is the same for every firmware.
    shutil.rmtree(objects / "platform" / "generic" / "firmware", ignore_errors=True)
    argv = ["make", "-C", source, f"O={objects}", "PLATFORM=generic", "CROSS_COMPILE=riscv64-linux-gnu-"]
    with step("image: building OpenSBI 1.6"):
        command.logged([*argv, *options], "opensbi", "is the compiler of tools/lifeboat setup there?")
    name = "fw_payload.bin" if firmware.payload else "fw_dynamic.bin"
    shutil.copyfile(objects / "platform" / "generic" / "firmware" / name, output)
    return output
