# SPDX-License-Identifier: BSD-2-Clause
"""Draws bars as an SVG, longest last or not at all: on a scale of powers of ten, in colours that print."""

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

WIDTH, LABEL, FIGURE, ROW, TOP = 960, 430, 90, 26, 40
OURS, THEIRS, OTHERS = "#0072b2", "#e69f00", "#7f7f7f"  # told apart by everybody, and in grey


def colour(name: str) -> str:
    """Whose bar it is."""
    if name.startswith("lifeboat"):
        return OURS
    return THEIRS if name.startswith("U-Boot") else OTHERS


def short(value: int) -> str:
    """Three digits and a unit."""
    for unit, factor in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return str(value)


def draw(bars: Sequence[tuple[str, int]]) -> str:
    """The picture of (name, value) in their order."""
    most = max((value for _, value in bars), default=1)
    low = 10 ** math.floor(math.log10(max(1, min((value for _, value in bars), default=1))))
    decades = max(1.0, math.log10(most / low))
    room = WIDTH - LABEL - FIGURE
    height = TOP + ROW * len(bars) + 34
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="12" y="22" font-size="15">Instructions, logarithmic: each line is ten times the one before</text>',
    ]
    for power in range(int(decades) + 1):
        x = LABEL + room * power / decades
        lines.append(f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{height - 26}" stroke="#cccccc"/>')
        lines.append(f'<text x="{x:.1f}" y="{height - 10}" text-anchor="middle">{short(low * 10**power)}</text>')
    for number, (name, value) in enumerate(bars):
        y = TOP + ROW * number
        length = max(2.0, room * math.log10(max(value, low) / low) / decades)
        lines.append(f'<text x="{LABEL - 8}" y="{y + 16}" text-anchor="end">{escape(name)}</text>')
        lines.append(
            f'<rect x="{LABEL}" y="{y + 3}" width="{length:.1f}" height="{ROW - 8}" fill="{colour(name)}"/>'
        )
        lines.append(f'<text x="{LABEL + length + 6:.1f}" y="{y + 16}">{short(value)}</text>')
    return "\n".join([*lines, "</svg>", ""])
