# SPDX-License-Identifier: BSD-2-Clause
"""The few SVG shapes that the pictures are made of, and colours that print and that everybody tells apart."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

# By Okabe and Ito; their greys differ, too.
BLUE, ORANGE, GREEN, YELLOW, RED, SKY, PINK = (
    "#0072b2", "#e69f00", "#009e73", "#f0e442", "#d55e00", "#56b4e9", "#cc79a7",
)  # fmt: skip
GREY, PALE, INK = "#9a9a9a", "#eeeeee", "#222222"


def text(x: float, y: float, words: str, anchor: str = "start", size: int = 13, colour: str = INK) -> str:
    """Words; y is their base line."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(words)}</text>'
    )


def box(x: float, y: float, width: float, height: float, fill: str, dashed: bool = False) -> str:
    """A rectangle with a thin edge."""
    dash = ' stroke-dasharray="5 3"' if dashed else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}" '
        f'stroke="{INK}" stroke-width="0.7"{dash}/>'
    )


def line(x1: float, y1: float, x2: float, y2: float, arrow: bool = False, colour: str = INK) -> str:
    """A line, or an arrow."""
    head = ' marker-end="url(#arrow)"' if arrow else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{head}/>'


def picture(width: float, height: float, shapes: Sequence[str]) -> str:
    """The whole file, on white."""
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="DejaVu Sans, Verdana, sans-serif">',
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        f'orient="auto-start-reverse"><path d="M0 0 L10 5 L0 10 z" fill="{INK}"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>',
        *shapes,
        "</svg>",
        "",
    ])  # fmt: skip
