# SPDX-License-Identifier: BSD-2-Clause
"""The whole story in five panels, as a picture: boot, armed, death, capture, dump."""

from collections.abc import Sequence
from dataclasses import dataclass

from lifeboatlib import svg

WIDTH, GAP, BAR_TOP, BAR = 224, 20, 84, 250


@dataclass(frozen=True)
class Part:
    """A part of the bar that is RAM: whose, how high, in which colour."""

    words: str
    height: int
    colour: str
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """A moment: its title, RAM from high addresses down, and what a reader has to know."""

    title: str
    ram: Sequence[Part]
    below: Sequence[str]


FIRMWARE = Part("OpenSBI", 26, svg.GREY)


def crash_region(running: bool = False) -> list[Part]:
    """The upper part of every bar but the first."""
    words = "crash kernel runs here only" if running else "crash kernel, in its place"
    return [Part("stage, crash record", 34, svg.SKY), Part(words, 56, svg.ORANGE)]


PANELS = (
    Panel("1  Boot", [
        Part("free RAM", 134, svg.PALE), Part("bundle: two kernels", 56, svg.PINK), Part("lifeboat", 34, svg.SKY), FIRMWARE,
    ], ["OpenSBI starts lifeboat.", "It checks hashes and signatures."]),
    Panel("2  Armed", [
        *crash_region(), Part("the primary kernel", 134, svg.GREEN), FIRMWARE,
    ], ["The crash kernel waits in memory", "that the primary never gets.", "Debian's kernel, unpatched."]),
    Panel("3  Death", [
        *crash_region(), Part("panic, hang, watchdog", 134, svg.RED), FIRMWARE,
    ], ["Nobody cleans up. The machine is", "reset; RAM keeps its contents."]),
    Panel("4  Capture", [
        *crash_region(running=True), Part("the dead kernel, unaltered", 134, svg.YELLOW), FIRMWARE,
    ], ["lifeboat reads the dead log: no", "orderly end. It starts the crash", "kernel with an ELF core header."]),
    Panel("5  Dump", [
        *crash_region(running=True), Part("/proc/vmcore", 134, svg.YELLOW), FIRMWARE,
    ], ["makedumpfile saves it, crash(8)", "opens it. Then the machine boots", "normally, and is armed again."]),
)  # fmt: skip


def draw() -> str:
    """The picture."""
    shapes: list[str] = []
    for number, panel in enumerate(PANELS):
        x = 16.0 + number * (WIDTH + GAP)
        shapes.append(svg.text(x, 40, panel.title, size=19))
        shapes.append(svg.text(x, 66, "RAM" if not number else "", size=11, colour=svg.INK))
        y = float(BAR_TOP)
        for part in panel.ram:
            shapes.append(svg.box(x, y, WIDTH, part.height, part.colour, part.dashed))
            shapes.append(svg.text(x + WIDTH / 2, y + part.height / 2 + 5, part.words, "middle", 13))
            y += part.height
        for line, words in enumerate(panel.below):
            shapes.append(svg.text(x, BAR_TOP + BAR + 26 + 18 * line, words, size=12))
        if number:
            shapes.append(svg.line(x - GAP + 1, BAR_TOP + BAR / 2, x - 2, BAR_TOP + BAR / 2, arrow=True))
    return svg.picture(12 + len(PANELS) * (WIDTH + GAP), BAR_TOP + BAR + 78, shapes)
