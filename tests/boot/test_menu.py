# SPDX-License-Identifier: BSD-2-Clause
"""The console menu: typed keys, no keys, and what it costs who does not ask for it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from choose_lab import REGION, WHY_BAD, choices, started
from harness import find, run_to_end

from lifeboatlib import bundle
from lifeboatlib.qemu import Machine, Session

Build = Callable[..., object]
ASKS = r"^lifeboat: menu: press a key within (\d+) s$"
SCREEN = r"^---- lifeboat \S+: what shall be started\? ----$"
KEYS = r"^  logs:  l of this run .*$"
ROWS, COLUMNS = 24, 80
TIMEBASE = 10_000_000  # QEMU virt's


@pytest.fixture
def menu(stage: Path, build_payload: Build, tmp_path: Path) -> Callable[..., object]:
    """menu(good, ...): a session in whose menu a key was pressed."""

    @contextmanager
    def enter(good: str, append: str = "lifeboat.menu=600", **options: object) -> Iterator[Session]:
        bios = options.pop("bios", "dynamic")
        made = choices(tmp_path, build_payload, good, **options)  # type: ignore[arg-type]
        machine = Machine(kernel=stage, initrd=made, append=append, memory="512M", bios=bios)  # type: ignore[arg-type]
        with Session(machine) as session:
            session.expect(ASKS)
            session.send("x")
            session.expect(SCREEN)
            session.expect(KEYS)
            yield session

    return enter


def test_the_screen_shows_verdicts_and_fits(menu: Callable[..., object]) -> None:
    with menu("-one two three", boards=["", "", "acme,other"]) as session:  # type: ignore[attr-defined]
        screen = session.text[session.text.index("----") :]
        find(rf"^  1  one +BAD: {WHY_BAD}$", screen)
        find(r"^> 2  two +Linux Image, \d+ KiB$", screen)
        find(r"^  3  three +for another board: Linux Image, \d+ KiB$", screen)
        lines = screen.splitlines()
        assert len(lines) < ROWS and max(map(len, lines)) < COLUMNS
        session.send("3")
        session.expect(started("three"))


def test_enter_starts_what_would_have_been_started(menu: Callable[..., object]) -> None:
    with menu("one two", "lifeboat.config=two lifeboat.menu=600") as session:  # type: ignore[attr-defined]
        assert re.search(r"^> 2  two ", session.text, re.MULTILINE)
        session.send("\r")
        session.expect(started("two"))


def test_a_bad_one_is_not_started_and_its_reason_told_whole(menu: Callable[..., object]) -> None:
    with menu("one -two") as session:  # type: ignore[attr-defined]
        session.send("2")
        session.expect(rf"^lifeboat: warning: menu: 'two' can't be started: {WHY_BAD}$")
        session.expect(SCREEN)
        session.send("9")  # there is none
        session.expect(SCREEN)
        session.send("1")
        session.expect(started("one"))


def test_the_memory_map_and_this_runs_log_are_shown(menu: Callable[..., object]) -> None:
    with menu("one") as session:  # type: ignore[attr-defined]
        session.send("m")
        session.expect(r"^lifeboat: memory: .*   the bundle: /chosen linux,initrd-start$")
        session.expect(KEYS)
        session.send("l")
        session.expect(r"^-- bytes (\d+) to (\d+) of \2; b: further back")
        session.send("b")
        session.expect(r"^lifeboat: boot: lifeboat ")
        session.expect(r"^-- bytes 0 to ")
        session.send(" ")
        session.expect(r"^-- bytes (\d+) to (\d+) of \2;")
        session.send("q")
        session.expect(SCREEN)
        session.send("pd")
        session.expect(r"^No log of the run before was kept\.$")
        session.expect(r"^No dead kernel left a log\.$")


def test_the_log_of_the_run_before_is_shown_after_a_reset(menu: Callable[..., object]) -> None:
    crash = bundle.Crash(REGION)
    with menu("one", crash=crash) as session:  # type: ignore[attr-defined]
        find(r"^  crash kernel: staged$", session.text)
        session.send("r")
        session.expect(r"^lifeboat: menu: resetting$")
        session.expect(ASKS)
        session.send("x")
        session.expect(KEYS)
        session.send("p")
        session.expect(r"^lifeboat: menu: resetting$")
        session.expect(r"^-- bytes ")
        session.send("q")
        session.expect(KEYS)
        session.send("o")
        session.expect(r"^lifeboat: menu: switching off$")
        assert session.wait() == 0


def test_nobody_there_boots_by_itself_after_the_time(
    stage: Path, build_payload: Build, tmp_path: Path
) -> None:
    """By the machine's own clock, which goes by instructions here: the payload tells the time when it comes."""
    made = choices(tmp_path, build_payload, "one", then="TIME")
    ticks = []
    for seconds in (0, 3):
        append = f"lifeboat.menu={seconds}"
        console = run_to_end(Machine(kernel=stage, initrd=made, append=append, extra=("-icount", "shift=7")))
        ticks.append(int(find(r"^named: at (\d+) ticks$", console)[1]))
        assert len(re.findall(ASKS, console, re.MULTILINE)) == bool(seconds)
        assert "what shall be started" not in console
    waited = (ticks[1] - ticks[0]) / TIMEBASE
    assert abs(waited - 3) < 0.1, waited  # (a boot itself is some instructions longer or shorter: random seeds)


def test_noise_is_no_key(stage: Path, build_payload: Build, tmp_path: Path) -> None:
    """It has arrived when a key that was typed behind it does: that one opens the menu, once."""
    made = choices(tmp_path, build_payload, "one")
    with Session(Machine(kernel=stage, initrd=made, append="lifeboat.menu=600")) as session:
        session.expect(ASKS)
        assert session.process.stdin
        session.process.stdin.write(b"\0\xff\x80\x7f\x03\0x1")
        session.process.stdin.flush()
        session.expect(started("one"))
        assert len(re.findall(SCREEN, session.text, re.MULTILINE)) == 1


@pytest.mark.parametrize("value", ["", "x", "-1", "5s", "601", "99999999999999999999"])
def test_a_time_that_makes_no_sense_is_warned_of(
    value: str, stage: Path, build_payload: Build, tmp_path: Path
) -> None:
    made = choices(tmp_path, build_payload, "one")
    console = run_to_end(Machine(kernel=stage, initrd=made, append=f"lifeboat.menu={value} quiet"))
    find(rf"^lifeboat: warning: bootargs: lifeboat.menu={value} is no number of seconds", console)
    find(started("one"), console)


def test_who_does_not_ask_does_not_pay(stage: Path, build_payload: Build, tmp_path: Path) -> None:
    made = choices(tmp_path, build_payload, "one")
    costs = []
    for append in ("a.bcdefgh=0", "lifeboat.menu=0"):
        console = run_to_end(Machine(kernel=stage, initrd=made, append=append, icount=True))
        costs.append(int(find(r"^lifeboat: cost: (\d+) instructions of our own", console)[1]))
        assert "menu:" not in console
    print(f"\nmenu: {costs[0]} instructions without, {costs[1]} with lifeboat.menu=0")
    assert abs(costs[1] - costs[0]) < 50_000  # (the FDT's random seeds cost more or less, too)
