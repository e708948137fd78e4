# SPDX-License-Identifier: BSD-2-Clause
"""Lays out what a board boots from: GPT disks by sfdisk, FAT by mtools, flash by offset, code by the assembler."""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import command
from lifeboatlib.paths import TOOLS
from lifeboatlib.ui import LifeboatError

SECTOR = 512
MIB = 1 << 20
# A GPT keeps its backup in the last 33 sectors.
GPT_BACKUP = 33 * SECTOR
SETUP = "run tools/lifeboat setup, and look"


@dataclass(frozen=True)
class Partition:
    """A GPT partition: first sector, type GUID, the smallest number of sectors, attributes in sfdisk's words."""

    name: str
    start: int
    guid: str
    sectors: int = 0
    attributes: str = ""


def _sectors(size: int) -> int:
    """As many sectors as a size needs."""
    return -(-size // SECTOR)


def _script(parts: Sequence[tuple[Partition, int]]) -> str:
    """The partition table for sfdisk, of partitions and their sectors."""
    lines = ["label: gpt", "unit: sectors", f"first-lba: {min(p.start for p, _ in parts)}", ""]
    for part, size in parts:
        attributes = f', attrs="{part.attributes}"' if part.attributes else ""
        lines.append(f'start={part.start}, size={size}, type={part.guid}, name="{part.name}"{attributes}')
    return "\n".join([*lines, ""])


def _put(image: Path, offset: int, content: Path) -> None:
    """Copies a file into an image, in place."""
    with image.open("r+b") as into, content.open("rb") as data:
        into.seek(offset)
        while piece := data.read(MIB):
            into.write(piece)


def _blank(image: Path, size: int, fill: bytes = b"") -> None:
    """An image of zeroes (not stored), or of another byte."""
    with image.open("wb") as file:
        if fill:
            file.write(fill * size)
        file.truncate(size)


def _check_order(parts: Sequence[tuple[Partition, int]]) -> None:
    """Refuses contents that reach into the next partition."""
    for (part, size), (after, _) in zip(parts, parts[1:], strict=False):
        if part.start + size > after.start:
            room = (after.start - part.start) * SECTOR
            raise LifeboatError(f"what goes into partition {part.name} is larger than its {room} bytes")


def disk(image: Path, contents: Sequence[tuple[Partition, Path]], least: int = 0) -> Path:
    """Makes a disk image with a GPT; partitions in the order of their sectors."""
    parts = [(part, max(part.sectors, _sectors(file.stat().st_size))) for part, file in contents]
    _check_order(parts)
    end = (parts[-1][0].start + parts[-1][1]) * SECTOR + GPT_BACKUP
    _blank(image, max(least, -(-end // MIB) * MIB))
    with tempfile.NamedTemporaryFile("w", suffix=".sfdisk") as script:
        script.write(_script(parts))
        script.flush()
        with open(script.name, encoding="utf-8") as table:
            argv = ["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", str(image)]
            done = subprocess.run(argv, stdin=table, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        complaint = (done.stderr or done.stdout).strip().splitlines()
        raise LifeboatError(f"sfdisk failed: {complaint[0] if complaint else 'no reason given'}; {SETUP}")
    for part, file in contents:
        _put(image, part.start * SECTOR, file)
    return image


def flash(image: Path, size: int, contents: Sequence[tuple[int, Path]]) -> Path:
    """Makes an image of a whole flash chip, erased where nothing lies; contents in the order of their offsets."""
    ends = [offset for offset, _ in contents[1:]] + [size]
    for (offset, file), end in zip(contents, ends, strict=True):
        need = file.stat().st_size
        if offset + need > end:
            raise LifeboatError(
                f"{file.name} has {need} bytes, the flash has room for {end - offset} at {offset:#x}; "
                f"make the bundle smaller, or make an SD image"
            )
    _blank(image, size, b"\xff")
    for offset, file in contents:
        _put(image, offset, file)
    return image


def fat(image: Path, files: Mapping[str, Path]) -> Path:
    """Makes a FAT file system with files, named by their paths in it."""
    size = sum(file.stat().st_size for file in files.values()) * 5 // 4 + 8 * MIB
    _blank(image, -(-size // MIB) * MIB)
    count = image.stat().st_size // SECTOR
    command.logged(["mformat", "-i", image, "-T", str(count), "-v", "LIFEBOAT", "::"], "image", SETUP)
    for folder in sorted({str(above) for name in files for above in Path(name).parents} - {"."}):
        command.logged(["mmd", "-i", image, f"::/{folder}"], "image", SETUP)
    for name, file in files.items():
        command.logged(["mcopy", "-i", image, file, f"::/{name}"], "image", SETUP)
    return image


def shim(name: str, stage: Path, output: Path, **numbers: int) -> Path:
    """Puts tools/shims/<name>.S in front of a stage."""
    elf = output.with_suffix(".elf")
    macros = [f"-D{key}={value:#x}" for key, value in numbers.items()]
    argv = [
        "riscv64-linux-gnu-gcc", "-march=rv64i_zifencei", "-mabi=lp64", "-nostdlib", "-static",
        "-Wl,-Ttext=0", "-Wl,--build-id=none", *macros, f'-DSTAGE="{stage.resolve()}"', "-o", elf,
        TOOLS / "shims" / f"{name}.S",
    ]  # fmt: skip
    command.logged(argv, "image", SETUP)
    command.logged(["riscv64-linux-gnu-objcopy", "-O", "binary", elf, output], "image", SETUP)
    elf.unlink()
    return output
