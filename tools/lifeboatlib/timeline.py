# SPDX-License-Identifier: BSD-2-Clause
"""Draws what each run of the stage in a log spent its instructions on, by the stage's own account.

The counts are instructions where QEMU ran with -icount (tools/lifeboat run --icount), or on hardware; else QEMU's clock stands
in for them, and they are good for nothing.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lifeboatlib import svg
from lifeboatlib.bootlog import Boot, boots
from lifeboatlib.ui import LifeboatError, say, short

HELP = "draw what each boot and capture in a log spent, in instructions"
EXAMPLES = (
    "tools/lifeboat timeline boot.log --svg timeline.svg",
)

BAR = 60
LEFT, ROOM, ROW = 190, 640, 44
STEPS = {
    "own work": (svg.BLUE, "#"),
    "copying": (svg.GREEN, "c"),
    "checking": (svg.ORANGE, "h"),
    "console": (svg.GREY, "."),
}


def name(boot: Boot) -> str:
    """What kind of run it was."""
    if boot.captures:
        return "capture"
    return "boot, arming" if boot.lost else "boot"


def told(found: Sequence[Boot]) -> list[Boot]:
    """Those that told their cost."""
    chosen = [boot for boot in found if boot.cost]
    if not chosen:
        raise LifeboatError("timeline: no cost lines in it: has the log of a whole boot, and may S-mode read instret there?")
    return chosen


def terminal(found: Sequence[Boot]) -> str:
    """A bar for each run, all on one scale."""
    most = max(sum(boot.cost.values()) for boot in found)
    lines = ["  ".join(f"{letter} {step}" for step, (_, letter) in STEPS.items())]
    for boot in found:
        total = sum(boot.cost.values())
        bar = "".join(
            letter * round(BAR * boot.cost.get(step, 0) / most) for step, (_, letter) in STEPS.items()
        )
        parts = ", ".join(f"{step} {short(boot.cost[step])}" for step in STEPS if boot.cost.get(step))
        lines += [f"{name(boot):<13} {short(total):>7}  {bar or '|'}", f"{'':<23}{parts}"]
    return "\n".join(lines)


def draw(found: Sequence[Boot]) -> str:
    """The same as a picture."""
    most = max(sum(boot.cost.values()) for boot in found)
    shapes = [svg.text(16, 26, "Instructions of the stage, by its own account", size=15)]
    x = 16.0
    for step, (colour, _) in STEPS.items():
        shapes += [svg.box(x, 38, 14, 14, colour), svg.text(x + 20, 50, step)]
        x += 110
    for number, boot in enumerate(found):
        y, x = 70 + ROW * number, float(LEFT)
        total = sum(boot.cost.values())
        shapes.append(svg.text(LEFT - 10, y + 20, f"{name(boot)}: {short(total)}", "end"))
        for step, (colour, _) in STEPS.items():
            width = ROOM * boot.cost.get(step, 0) / most
            if width:
                shapes.append(svg.box(x, y + 4, width, 24, colour))
            if width > 60:
                shapes.append(svg.text(x + width / 2, y + 20, short(boot.cost[step]), "middle", 11))
            x += width
    return svg.picture(LEFT + ROOM + 20, 86 + ROW * len(found), shapes)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the timeline command."""
    parser.add_argument("log", type=Path, metavar="LOG", help="a console log; - is standard input")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw it into a file, too")


def main(args: argparse.Namespace) -> int:
    """Draws the timeline."""
    text = sys.stdin.read() if str(args.log) == "-" else args.log.read_text(encoding="utf-8", errors="replace")
    found = told(list(boots(text)))
    say(terminal(found))
    if args.svg:
        args.svg.write_text(draw(found), encoding="utf-8")
    return 0
