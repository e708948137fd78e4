# SPDX-License-Identifier: BSD-2-Clause
"""The console as the tests watch it: a match is whole however slowly it comes, and limits can be made longer.

A shell stands for QEMU, and says what a machine would.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from lifeboatlib import qemu
from lifeboatlib.qemu import HANGS, SCALE, Machine, Session, patience
from lifeboatlib.ui import LifeboatError


@dataclass(frozen=True)
class Shell(Machine):
    """A program for sh, in the machine's place."""

    program: str = ""

    def argv(self, interactive: bool = False) -> list[str]:
        return ["sh", "-c", self.program]


@contextmanager
def halted(said: str, then: str) -> Iterator[Session]:
    """A machine that has said something, and says the rest when something is typed."""
    with Session(Shell(program=f"printf %b '{said}'; read line; printf %b '{then}'; read line")) as session:
        session.until(lambda: session.text == said, f"{said!r}")
        yield session


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not known to be whole is never taken for it."""
    monkeypatch.setattr(qemu, "SETTLE", HANGS)


@pytest.mark.parametrize(
    ("said", "then", "pattern", "wanted"),
    [
        ("vmcore 12", "34\n", r"vmcore (\d+)", "1234"),
        ("ended by power", "-off\n", r"ended by ([\w-]+)", "power-off"),
        ("panic=1 some", "=thing\n", "panic=1 (.*)", "some=thing"),
        ("died", " early\n", "^(died.*)$", "died early"),
    ],
)
def test_half_a_match_waits_for_its_rest(
    patient: None, said: str, then: str, pattern: str, wanted: str
) -> None:
    with halted(said, then) as session:
        threading.Timer(0.3, session.send, ["\n"]).start()
        assert session.expect(pattern)[1] == wanted


@pytest.mark.parametrize(("said", "pattern"), [("=> ", "^=> "), ("primary: ready", "primary: ready"), ("a\n", "^a$")])
def test_a_whole_match_is_not_waited_for(patient: None, said: str, pattern: str) -> None:
    """Else this would take as long as what hangs."""
    with halted(said, "") as session:
        session.expect(pattern)


def test_one_variable_scales_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SCALE, raising=False)
    assert patience() == HANGS
    monkeypatch.setenv(SCALE, "2.5")
    assert patience(10) == 25


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "nan", "inf"])
def test_a_scale_that_makes_no_sense_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SCALE, text)
    with pytest.raises(LifeboatError, match=f"{SCALE}={text} is no factor"):
        patience()
