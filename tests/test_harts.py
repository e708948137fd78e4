# SPDX-License-Identifier: BSD-2-Clause
"""examples/drgn/harts.py finds the calls on stacks that a test has laid out; drgn itself is not needed."""

import runpy
import struct
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from lifeboatlib.paths import REPO

OWN, IRQ, SIZE = 0x10000, 0x20000, 16384
FUNCTIONS = {0x1000: "entry", 0x2000: "handle_IPI", 0x3000: "panic", 0x4000: "gone", 0x5000: "idle"}
# Frames from the inside out: where each lies, below its own address, and into which function it returns.
IDLE = [(OWN + SIZE - 0x800, "entry"), (OWN + SIZE - 0x400, "idle"), (OWN + SIZE - 0x200, "entry")]
STOPPED = [(IRQ + SIZE - 0x100, "handle_IPI"), *IDLE]
STALE = [(OWN + SIZE - 0xA00, "gone"), *IDLE[1:]]
PANICKED = [(OWN + SIZE - 0xC00, "panic"), (OWN + SIZE - 0x400, "entry"), (OWN + SIZE - 0x200, "entry")]


class Memory:
    """A dead kernel with one hart, as much of it as harts.py asks for."""

    def __init__(self, panicked: int, *chains: list[tuple[int, str]]) -> None:
        self.words: dict[int, int] = {}
        self.panicked = panicked
        address = {name: start for start, name in FUNCTIONS.items()}
        for frames in chains:
            above = [frame for frame, _ in frames[1:]] + [0]
            for (frame, name), outer in zip(frames, above, strict=True):
                self.words |= {frame - 16: outer, frame - 8: address[name] + 4}

    def read(self, base: int, size: int) -> bytes:
        """Memory, zero where nothing was laid out."""
        return b"".join(struct.pack("<Q", self.words.get(at, 0)) for at in range(base, base + size, 8))

    def symbol(self, address: int) -> SimpleNamespace:
        """The function there."""
        return SimpleNamespace(name=FUNCTIONS[address & -0x1000], address=address & -0x1000)

    def __getitem__(self, _: str) -> SimpleNamespace:
        """panic_cpu, or the pointer to the interrupts' stack."""
        return SimpleNamespace(counter=SimpleNamespace(value_=lambda: self.panicked), value_=lambda: IRQ)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Callable[[Memory], list[str]]:
    """calls(memory): the functions on hart 0."""
    helpers = ModuleType("drgn.helpers.linux")
    helpers.per_cpu = lambda variable, _: variable  # type: ignore[attr-defined]
    helpers.for_each_possible_cpu = None  # type: ignore[attr-defined]
    drgn: Any = ModuleType("drgn")
    drgn.Object = drgn.Program = object
    for name, module in (("drgn", drgn), ("drgn.helpers", drgn), ("drgn.helpers.linux", helpers)):
        monkeypatch.setitem(sys.modules, name, module)
    script = runpy.run_path(str(REPO / "examples/drgn/harts.py"))
    task = SimpleNamespace(stack=SimpleNamespace(value_=lambda: OWN))
    return lambda memory: [script["name"](memory, back) for back in script["calls"](memory, 0, task)]


@pytest.mark.parametrize(
    ("memory", "wanted"), [
        (Memory(1, STOPPED), ["handle_IPI", "entry", "idle", "entry"]),
        (Memory(1, STOPPED, STALE), ["handle_IPI", "entry", "idle", "entry"]),
        (Memory(0, STOPPED, PANICKED), ["panic", "entry", "entry"]),
        (Memory(-1, IDLE), ["entry", "idle", "entry"]),
        (Memory(-1), []),
    ], ids=["stopped", "stopped over stale frames", "panicked", "hangs", "nothing"],
)  # fmt: skip
def test_the_calls_of_a_hart_are_found(
    memory: Memory, wanted: list[str], calls: Callable[[Memory], list[str]]
) -> None:
    assert calls(memory) == wanted
