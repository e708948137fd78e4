# SPDX-License-Identifier: BSD-2-Clause
"""Reads the stage's own lines out of a console log: one Boot for each run of the stage."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

LINE = re.compile(r"lifeboat: (\w+): (.*)")
RANGE = r"\[(0x[0-9a-f]+)\.\.(0x[0-9a-f]+)\]"
AREA = re.compile(rf"{RANGE}   (?P<what>[^:]+): (?P<why>.*)")
RAM = re.compile(rf"{RANGE} RAM")
LOST = re.compile(rf"lost on a reset: {RANGE} \d+ \w+, (?P<what>.*)")
PLAN = re.compile(rf"(?P<what>\w+) +{RANGE} (?P<why>.*)")
REGION = re.compile(rf"region {RANGE}")
OWN = re.compile(r"(\d+) instructions of our own, (\d+) for (\d+) KiB copied, (\d+) for the console")
CHECKED = re.compile(r"(\d+) instructions for (\d+) KiB checked")
STAGE = re.compile(r"moved to (0x[0-9a-f]+)")


@dataclass(frozen=True)
class Span:
    """A range of physical addresses, [start, end), and whose it is."""

    start: int
    end: int
    what: str
    why: str = ""

    @property
    def size(self) -> int:
        """In bytes."""
        return self.end - self.start


@dataclass
class Boot:
    """One run of the stage, from its first line to its handoff."""

    title: str = ""
    ram: list[Span] = field(default_factory=list)
    areas: list[Span] = field(default_factory=list)
    lost: list[Span] = field(default_factory=list)
    plan: list[Span] = field(default_factory=list)
    region: Span | None = None
    stage: int = 0
    judged: str = ""
    captures: bool = False
    cost: dict[str, int] = field(default_factory=dict)
    handoff: str = ""


def _span(match: re.Match[str], what: str, why: str = "") -> Span:
    first, last = re.findall(r"0x[0-9a-f]+", match[0])[:2]
    return Span(int(first, 16), int(last, 16) + 1, what, why)


def _memory(boot: Boot, text: str) -> None:
    if match := AREA.match(text):
        boot.areas.append(_span(match, match["what"], match["why"]))
    elif match := RAM.match(text):
        boot.ram.append(_span(match, "RAM"))


def _crash(boot: Boot, text: str) -> None:
    if match := LOST.match(text):
        boot.lost.append(_span(match, "lost", match["what"]))
    elif match := REGION.match(text):
        boot.region = _span(match, "region")
    elif "core header at" in text:
        boot.captures = True
    elif " ended by " in text or "ended in good order" in text:
        boot.judged = text


def _plan(boot: Boot, text: str) -> None:
    if match := PLAN.match(text):
        boot.plan.append(_span(match, match["what"], match["why"]))


def _cost(boot: Boot, text: str) -> None:
    if match := OWN.match(text):
        boot.cost |= {"own work": int(match[1]), "copying": int(match[2]), "console": int(match[4])}
    elif match := CHECKED.match(text):
        boot.cost["checking"] = boot.cost.get("checking", 0) + int(match[1])


def _stage(boot: Boot, text: str) -> None:
    if match := STAGE.match(text):
        boot.stage = int(match[1], 16)


READERS = {"memory": _memory, "crash": _crash, "plan": _plan, "cost": _cost, "stage": _stage}


def boots(text: str) -> Iterator[Boot]:
    """The runs of the stage in a log, in their order; one that was cut off has no handoff."""
    boot: Boot | None = None
    for match in LINE.finditer(text.replace("\r", "")):
        word, rest = match[1], match[2]
        if word == "boot":
            if boot:
                yield boot
            boot = Boot(rest)
        elif boot and word == "handoff":
            boot.handoff = rest
            yield boot
            boot = None
        elif boot and word in READERS:
            READERS[word](boot, rest)
    if boot:
        yield boot
