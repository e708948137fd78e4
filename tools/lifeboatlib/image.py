# SPDX-License-Identifier: BSD-2-Clause
"""Makes what a board's boot chain takes, with lifeboat in it, and says what to do with that on the board."""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from lifeboatlib import blockdev, build, setup
from lifeboatlib.arguments import address, existing_file
from lifeboatlib.boards import BOARDS
from lifeboatlib.paths import friendly
from lifeboatlib.recipes import PAGE, Job
from lifeboatlib.ui import LifeboatError, say

HELP = "make what a board boots from: a card's or a flash's image, or firmware"
EXAMPLES = ("tools/lifeboat image --board sifive-unleashed --bundle bundle.itb",)
EPILOG = "boards and their ways, the first is the default:\n" + "\n".join(
    f"  {name}: {', '.join(board.ways)}" for name, board in BOARDS.items()
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the image command."""
    parser.add_argument("--board", required=True, choices=BOARDS, metavar="NAME", help="see below")
    parser.add_argument("--way", metavar="WAY", help="if not the board's default")
    parser.add_argument("--bundle", type=existing_file, metavar="FIT", help="what lifeboat is to boot")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: build/image/NAME-WAY.img, or a directory")
    parser.add_argument("--stage", type=existing_file, metavar="FILE", help="instead of building lifeboat.bin")
    parser.add_argument("--dtb", type=existing_file, metavar="FILE", help="the board's FDT, instead of Debian's")
    parser.add_argument(
        "--stage-at", type=address, metavar="ADDR", help="where the stage is loaded: clear of firmware in the bundle"
    )
    parser.add_argument("--write", type=Path, metavar="DEVICE", help="write the image to this card, too")
    parser.add_argument("--yes", action="store_true", help="yes, all that is on it may go")


def _check_write(args: argparse.Namespace, way_name: str, writable: bool) -> None:
    """Refuses to write before anything is made."""
    if args.yes and not args.write:
        raise LifeboatError("--yes goes with --write DEVICE")
    if not args.write:
        return
    if not writable:
        raise LifeboatError(f"--write is for whole disks; the way {way_name} makes none, its steps say how to install it")
    if not args.yes:
        raise LifeboatError(f"--write {args.write} overwrites all that is on it; say --yes, too, if you mean it")
    reason = blockdev.objection(args.write.resolve().name, 0)
    if reason:
        raise LifeboatError(f"{args.write}: nothing is written: {reason}")


def make(
    board_name: str, way_name: str | None, stage: Path, out: Path, at: int | None = None, **options: Path | None
) -> list[str]:
    """Makes an image, the stage for an address; the steps for the person at the board. `options` are bundle and dtb."""
    board = BOARDS[board_name]
    way_name = way_name or next(iter(board.ways))
    way = board.ways[way_name]
    if at is not None and not way.places:
        raise LifeboatError(f"--stage-at: with the way {way_name} the board's loader says where the stage is loaded")
    if at is not None and at % PAGE:
        raise LifeboatError(f"--stage-at {at:#x}: the stage begins on a page: a multiple of {PAGE:#x}")
    memory = board.memory if at is None else replace(board.memory, stage=at)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        job = Job(board_name, memory, board.sources, stage, out, Path(scratch), **options)
        return way.make(job)


def main(args: argparse.Namespace) -> int:
    """Makes the image, and writes it if told so."""
    board = BOARDS[args.board]
    name = args.way or next(iter(board.ways))
    if name not in board.ways:
        raise LifeboatError(f"{args.board} has no way {name}; it has {', '.join(board.ways)}")
    way = board.ways[name]
    _check_write(args, name, way.writable)
    setup.for_image(board.sources.packages())
    stage = args.stage or build.build_stage() / "lifeboat.bin"
    out = args.out or build.build_dir() / "image" / f"{args.board}-{name}.img"
    steps = make(args.board, name, stage, out, args.stage_at, bundle=args.bundle, dtb=args.dtb)
    say(f"image: {friendly(out.resolve())}: {board.title}: {way.summary}")
    for number, step in enumerate(steps, 1):
        say(f"  {number}. {step}")
    if not args.bundle:
        say("image: no bundle is in it; lifeboat will say that it found none (--bundle FIT)")
    if args.write:
        blockdev.write(out, args.write)
    return 0
