# SPDX-License-Identifier: BSD-2-Clause
"""Draws counts as bars on a logarithmic scale, ours and others' in colours of their own."""

import math
from collections.abc import Sequence

from lifeboatlib import svg
from lifeboatlib.ui import short

LABEL, ROOM, FIGURE, ROW, TOP = 430, 440, 90, 26, 40


def colour(name: str) -> str:
    """Whose bar it is."""
    if name.startswith("lifeboat"):
        return svg.BLUE
    return svg.ORANGE if name.startswith("U-Boot") else svg.GREY


def draw(bars: Sequence[tuple[str, int]]) -> str:
    """The picture of (name, value), at least one, in their order."""
    values = [max(value, 1) for _, value in bars]
    low = 10 ** int(math.log10(min(values)))
    decades = max(1.0, math.log10(max(values) / low))
    bottom = TOP + ROW * len(bars)
    shapes = [svg.text(12, 22, "Instructions; each line is ten times the one before", size=15)]
    for power in range(int(decades) + 1):
        x = LABEL + ROOM * power / decades
        shapes += [
            svg.line(x, TOP - 6, x, bottom + 4, colour=svg.GREY),
            svg.text(x, bottom + 20, short(low * 10**power), "middle"),
        ]
    for number, ((name, _), value) in enumerate(zip(bars, values, strict=True)):
        y = TOP + ROW * number
        length = max(2.0, ROOM * math.log10(value / low) / decades)
        shapes += [
            svg.text(LABEL - 8, y + 16, name, "end"),
            svg.box(LABEL, y + 3, length, ROW - 8, colour(name)),
            svg.text(LABEL + length + 6, y + 16, short(value)),
        ]
    return svg.picture(LABEL + ROOM + FIGURE, bottom + 34, shapes)
