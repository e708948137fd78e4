# SPDX-License-Identifier: BSD-2-Clause
"""Picks few points of a matrix so that any two values of different axes meet in at least one."""

from collections.abc import Mapping, Sequence
from itertools import combinations, product

Point = dict[str, object]
Pair = tuple[tuple[str, object], tuple[str, object]]


def points(axes: Mapping[str, Sequence[object]]) -> list[Point]:
    """The whole matrix."""
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


def pairs(point: Point) -> set[Pair]:
    """The pairs of values that meet in a point."""
    return set(combinations(point.items(), 2))


def cover(axes: Mapping[str, Sequence[object]]) -> list[Point]:
    """Greedy: always the first point that covers most of what is still uncovered."""
    candidates = points(axes)
    missing = set().union(*map(pairs, candidates))
    chosen = []
    while missing:
        best = max(candidates, key=lambda point: len(pairs(point) & missing))
        missing -= pairs(best)
        chosen.append(best)
    return chosen
