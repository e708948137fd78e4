# SPDX-License-Identifier: BSD-2-Clause
"""Draws figures as bars on a logarithmic scale, ours and others' in colours of their own."""

import math
from collections.abc import Sequence

from lifeboatlib import svg
from lifeboatlib.bench.bed import Figure
from lifeboatlib.ui import short

LABEL, ROOM, FIGURE, ROW, TOP = 470, 440, 90, 26, 40
OTHERS = {"OpenSBI": svg.GREY, "U-Boot": svg.ORANGE, "EDK2": svg.SKY, "stock kexec -p": svg.YELLOW}


def colour(who: str) -> str:
    """Whose bar it is."""
    return OTHERS.get(who, svg.BLUE)


def draw(figures: Sequence[Figure]) -> str:
    """The picture of figures of one unit, at least one, in their order."""
    values = [max(figure.value, 1) for figure in figures]
    low = 10 ** int(math.log10(min(values)))
    decades = max(1.0, math.log10(max(values) / low))
    bottom = TOP + ROW * len(figures)
    shapes = [svg.text(12, 22, "Instructions; each line is ten times the one before", size=15)]
    for power in range(int(decades) + 1):
        x = LABEL + ROOM * power / decades
        shapes += [
            svg.line(x, TOP - 6, x, bottom + 4, colour=svg.GREY),
            svg.text(x, bottom + 20, short(low * 10**power), "middle"),
        ]
    for number, (figure, value) in enumerate(zip(figures, values, strict=True)):
        y = TOP + ROW * number
        length = max(2.0, ROOM * math.log10(value / low) / decades)
        shapes += [
            svg.text(LABEL - 8, y + 16, f"{figure.who}: {figure.what}", "end"),
            svg.box(LABEL, y + 3, length, ROW - 8, colour(figure.who)),
            svg.text(LABEL + length + 6, y + 16, short(value)),
        ]
    return svg.picture(LABEL + ROOM + FIGURE, bottom + 34, shapes)
