# SPDX-License-Identifier: BSD-2-Clause
"""Draws who owns which memory at each handoff that a log tells of: to the primary, and to a crash kernel.

The log is the console's, of one boot or of many; the stage's own lines in it say all that is drawn. Without a log the
stage is booted in QEMU with a bundle.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lifeboatlib import svg
from lifeboatlib.arguments import existing_file
from lifeboatlib.bootlog import Boot, Span, boots
from lifeboatlib.paths import stage_dir
from lifeboatlib.qemu import Machine, Session
from lifeboatlib.ui import LifeboatError, say

HELP = "draw who owns which memory, from a boot log or a bundle"
EXAMPLES = (
    "tools/lifeboat map boot.log --svg map.svg",
    "tools/lifeboat map --bundle bundle.itb --memory 2G",
)

MIB = 1 << 20
BAR = 40


@dataclass(frozen=True)
class Owner:
    """Who has a piece of memory: how it is called, drawn, and what it is to a dump."""

    name: str
    colour: str
    letter: str


FREE = Owner("the primary's: its own to use", svg.PALE, ".")
PRIMARY = Owner("the primary: kernel, initramfs, FDT", svg.GREEN, "P")
FIRMWARE = Owner("firmware's", svg.GREY, "#")
LOST = Owner("lost: rewritten at each reset, so nobody's", svg.YELLOW, "L")
OTHER = Owner("taken: see its label", svg.PINK, "o")
USABLE = Owner("crash region: usable memory", svg.SKY, "u")
CRASH = Owner("crash kernel: kernel, initramfs, FDT", svg.ORANGE, "C")
STAGE = Owner("stage, record, logs, call area", svg.BLUE, "S")
KEPT = Owner("preserved: the dead kernel's, in the dump", svg.GREEN, "=")


@dataclass(frozen=True)
class Piece:
    """A span and its owner."""

    span: Span
    owner: Owner


def inside(span: Span, region: Span | None) -> bool:
    """Does it lie in the region?"""
    return region is not None and region.start <= span.start and span.end <= region.end


def claims(boot: Boot) -> list[Piece]:
    """Who wants what, the weakest first."""
    found = [Piece(ram, KEPT if boot.captures else FREE) for ram in boot.ram]
    for area in boot.areas:
        if not inside(area, boot.region) and area.what != "the crash region":
            owner = FIRMWARE if area.what == "firmware" else OTHER
            found.append(Piece(replace(area, why=f"{area.what}: {area.why}"), owner))
    found += [Piece(lost, LOST) for lost in boot.lost]
    if boot.region:
        found.append(Piece(boot.region, USABLE))
        if boot.stage:
            found.append(Piece(Span(boot.stage, boot.region.end, "stage"), STAGE))
    for item in boot.plan:
        found.append(Piece(item, CRASH if inside(item, boot.region) else PRIMARY))
    return found


def pieces(boot: Boot) -> list[Piece]:
    """All of RAM, each address once, in ascending order; what has one owner and one name is one piece."""
    wanted = claims(boot)
    edges = sorted({edge for piece in wanted for edge in (piece.span.start, piece.span.end)})
    found: list[Piece] = []
    for start, end in zip(edges, edges[1:], strict=False):
        owners = [piece for piece in wanted if piece.span.start <= start and end <= piece.span.end]
        if not owners:
            continue
        top = owners[-1]
        last = found[-1] if found else None
        if last and last.span.end == start and (last.owner, last.span.what) == (top.owner, top.span.what):
            found[-1] = replace(last, span=replace(last.span, end=end))
        else:
            found.append(Piece(replace(top.span, start=start, end=end), top.owner))
    return found


def amount(size: int) -> str:
    """Bytes for people."""
    return f"{size / MIB:.0f} MiB" if size >= 10 * MIB else f"{size / 1024:.0f} KiB"


def headline(boot: Boot) -> str:
    """What happens at this handoff."""
    return "to the crash kernel" if boot.captures else "to the primary"


def label(piece: Piece) -> str:
    """A piece in words."""
    what = piece.span.what
    if piece.owner in (PRIMARY, CRASH):
        return f"{'primary' if piece.owner is PRIMARY else 'crash'} {what}"
    if piece.owner in (FIRMWARE, OTHER, LOST):
        return f"{'lost: ' if piece.owner is LOST else ''}{piece.span.why}"
    return piece.owner.name


def terminal(boot: Boot) -> str:
    """For a terminal of 120 columns."""
    rows = pieces(boot)
    most = max((piece.span.size for piece in rows), default=1)
    lines = [f"handoff {headline(boot)}: {boot.handoff or 'none'}", ""]
    for piece in reversed(rows):
        bar = piece.owner.letter * max(1, round(BAR * piece.span.size / most))
        lines.append(
            f"{piece.span.start:#12x} {amount(piece.span.size):>9}  {bar:<{BAR}}  {label(piece)}"[:120].rstrip()
        )
    return "\n".join(lines)


def heights(rows: Sequence[Piece], room: float, least: float) -> list[float]:
    """How high each piece is drawn: by the square root of its size, and high enough for its label."""
    weights = [piece.span.size**0.5 for piece in rows]
    spare = room - least * len(rows)
    return [least + max(0.0, spare) * weight / sum(weights) for weight in weights]


def column(boot: Boot, x: float, top: float, room: float) -> list[str]:
    """One handoff as a column, high addresses on top."""
    rows = list(reversed(pieces(boot)))
    shapes = [svg.text(x, top - 12, f"Handoff {headline(boot)}", size=15)]
    y = top
    for piece, height in zip(rows, heights(rows, room, 19), strict=True):
        shapes.append(svg.box(x + 96, y, 150, height, piece.owner.colour))
        shapes.append(svg.text(x + 90, y + height - 4, f"{piece.span.start:#x}", "end", 11))
        shapes.append(svg.text(x + 254, y + height / 2 + 4, f"{amount(piece.span.size)}  {label(piece)}"[:62], size=11))
        y += height
    return shapes


def draw(found: Sequence[Boot]) -> str:
    """The columns beside each other."""
    room = max(420, 26 * max(len(pieces(boot)) for boot in found))
    shapes: list[str] = []
    for number, boot in enumerate(found):
        shapes += column(boot, 16 + 610 * number, 46, room)
    return svg.picture(16 + 610 * len(found), room + 66, shapes)


def of_interest(found: Sequence[Boot]) -> list[Boot]:
    """The first handoff to a primary, and the first to a crash kernel."""
    kinds = {boot.captures: boot for boot in reversed(found) if boot.handoff and boot.ram}
    chosen = [kinds[kind] for kind in (False, True) if kind in kinds]
    if not chosen:
        raise LifeboatError("map: no handoff of lifeboat's in it; is it a console log from the stage's first line on?")
    if len(chosen) == 2:  # what was told when it was armed holds when it is needed
        armed, capture = chosen
        ready = [item for item in armed.plan if inside(item, armed.region)]
        chosen[1] = replace(capture, lost=capture.lost or armed.lost, plan=capture.plan or ready)
    return chosen


def read(args: argparse.Namespace) -> str:
    """The log, from where the command line says."""
    if args.bundle:
        machine = Machine(
            kernel=stage_dir() / "lifeboat.bin", initrd=args.bundle, memory=args.memory, dtb=args.dtb, smp=args.smp
        )
        with Session(machine) as session:
            session.expect(r"^lifeboat: handoff: .*\n")
            return session.text
    if not args.log:
        raise LifeboatError("map: give a boot log or a --bundle; see tools/lifeboat map --help")
    if str(args.log) == "-":
        return sys.stdin.read()
    text: str = args.log.read_text(encoding="utf-8", errors="replace")
    return text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the map command."""
    parser.add_argument("log", nargs="?", type=Path, metavar="LOG", help="a console log; - is standard input")
    parser.add_argument("--bundle", type=existing_file, metavar="FIT", help="boot this in QEMU instead")
    parser.add_argument("--dtb", type=existing_file, metavar="FILE", help="with --bundle: instead of QEMU's FDT")
    parser.add_argument("--memory", default="1G", metavar="SIZE", help="with --bundle (default 1G)")
    parser.add_argument("--smp", type=int, default=1, metavar="N", help="with --bundle (default 1)")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw it into a file, too")


def main(args: argparse.Namespace) -> int:
    """Draws the map."""
    found = of_interest(list(boots(read(args))))
    say("\n\n".join(map(terminal, found)))
    if args.svg:
        args.svg.write_text(draw(found), encoding="utf-8")
    return 0
