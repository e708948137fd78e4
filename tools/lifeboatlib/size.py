# SPDX-License-Identifier: BSD-2-Clause
"""Shows how many bytes of the stage each module takes, against the budget."""

import argparse
import re
from collections import defaultdict
from pathlib import Path

from lifeboatlib import linkmap
from lifeboatlib.paths import REPO, build_dir, friendly, object_name, stage_dir
from lifeboatlib.ui import LifeboatError, fail, say

HELP = "show the stage's bytes by module and section, against the budget"
EXAMPLES = ("tools/lifeboat size",)

# A plain loader, and what a part that can be left out may add to it: a source of the part tells that it is there.
BUDGET = 56 * 1024
PARTS = {
    "boot/crash/entry.c": 38 * 1024,  # -Dcrash
    "boot/load/board_fdt.c": 9 * 1024,  # -Dfdts
    "boot/choose/menu.c": 5 * 1024,  # -Dmenu
    "boot/load/trust.c": 16 * 1024,  # -Dsignatures
    "kexec/image/decompress_gzip.c": 7 * 1024,  # -Ddecompress, and what comes with it
    "kexec/image/decompress_lz4.c": 6 * 1024,
    "kexec/image/decompress_zstd.c": 23 * 1024,
}
# The options of a plain loader's build.
PLAIN = (
    *(f"-D{name}=false" for name in ("crash", "fdts", "menu")),
    *(f"-D{name}=[]" for name in ("decompress", "hashes", "signatures")),
)
LLD_MORE = 5  # clang and lld may take a fifth more: no -msave-restore, and old lld shortens no calls
STUB = 256  # bytes at most of a part that is left out
NOT_LOADED = (".comment", ".debug", ".riscv", ".shstrtab", ".strtab", ".symtab")
KINDS = ("text", "rodata", "data", "bss")
COUNTED = ("text", "rodata", "data")
BAR = 32

# What a subproject is called here, where that is not its own name.
SUBPROJECT_NAMES = {"dtc": "libfdt"}

Table = dict[str, dict[str, int]]


def module_of(origin: str) -> str:
    """The module of an object file: a folder of the repository or a library."""
    subproject = re.search(r"subprojects/([a-z][a-z0-9]*)-", origin)
    if subproject:
        return SUBPROJECT_NAMES.get(subproject[1], subproject[1])
    folder = re.split(r"[/(]", origin.rstrip(")"))[-1].split("_")[0]
    if (REPO / folder).is_dir():
        return folder
    library = re.search(r"/lib([a-z]+)\.a", origin)
    return f"lib{library[1]}" if library else "other"


def budget(link_map: Path) -> int:
    """The budget for what is in this stage: of a part that is left out the linker keeps a stub at most."""
    kept: dict[str, int] = defaultdict(int)
    for piece in linkmap.pieces(link_map):
        if piece.origin is not None and not piece.section.startswith(NOT_LOADED):
            kept[piece.origin] += piece.size
    most = BUDGET + sum(
        most for part, most in PARTS.items()
        if sum(size for origin, size in kept.items() if object_name(part) in origin) > STUB
    )  # fmt: skip
    return most + most // LLD_MORE if linkmap.is_of_lld(link_map) else most


def table(elf: Path, link_map: Path) -> Table:
    """Bytes by module and kind; what the linker put between objects is "padding"."""
    kinds = linkmap.section_kinds(elf)
    rows: Table = defaultdict(lambda: dict.fromkeys(KINDS, 0))
    for piece in linkmap.pieces(link_map):
        if piece.section not in kinds:
            continue
        kind = kinds[piece.section]
        if piece.origin is None:
            rows["padding"][kind] += piece.size
        else:
            rows[module_of(piece.origin)][kind] += piece.size
            rows["padding"][kind] -= piece.size
    return rows


def counted(row: dict[str, int]) -> int:
    """The bytes of a row that the budget is about."""
    return sum(row[kind] for kind in COUNTED)


def _line(name: str, row: dict[str, int], largest: int) -> str:
    bar = "#" * round(BAR * counted(row) / largest) if largest else ""
    cells = "".join(f"{row[kind]:>8}" for kind in KINDS)
    return f"{name:<10}{cells}{counted(row):>9}  {bar}".rstrip()


def report(rows: Table, most: int) -> tuple[str, int]:
    """The picture, and the bytes that count, of `most`."""
    total = {kind: sum(row[kind] for row in rows.values()) for kind in KINDS}
    largest = max(counted(row) for row in rows.values())
    order = sorted(rows, key=lambda name: (name == "padding", -counted(rows[name])))
    lines = ["module    " + "".join(f"{kind:>8}" for kind in KINDS) + "  counted"]
    lines += [_line(name, rows[name], largest) for name in order]
    lines += [_line("total", total, 0)]
    used = counted(total)
    filled = min(BAR, round(BAR * used / most))
    lines += [
        "",
        f"[{'#' * filled}{'.' * (BAR - filled)}] text + rodata + data: {used} of {most} bytes, "
        f"{100 * used / most:.0f} %",
    ]
    return "\n".join(lines), used


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the size command."""
    parser.add_argument("--builddir", metavar="DIR", help="default: build")


def main(args: argparse.Namespace) -> int:
    """Shows the sizes; fails when they are over the budget."""
    directory = build_dir(override=args.builddir) if args.builddir else stage_dir()
    elf, link_map = directory / "lifeboat.elf", directory / "lifeboat.map"
    for path in (elf, link_map):
        if not path.is_file():
            raise LifeboatError(f"{friendly(path)} is missing; run tools/lifeboat build")
    rows = table(elf, link_map)
    if not rows:
        raise LifeboatError(f"{friendly(link_map)} is no map of GNU ld or lld; build again")
    most = budget(link_map)
    picture, used = report(rows, most)
    say(picture)
    if used > most:
        fail(f"the stage is {used - most} bytes over its budget; the largest module is on top")
        return 1
    return 0
