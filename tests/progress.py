# SPDX-License-Identifier: BSD-2-Clause
"""Says how far a test run is, and what it leaves out: done of total, failures at once, time left as the last run took.

`tools/lifeboat test` asks for it with --durations-file, where each test's seconds are kept from run to run. On a
terminal it is one line that changes; elsewhere a line now and then.
"""

import json
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

OPTION = "--durations-file"
MARKS = ("slow", "long")
PAUSE = 30  # seconds between two lines where they do not replace each other
SETTLED = 10  # seconds before which nothing is said about the time left
ERASE = "\r\x1b[K"


def load(path: Path) -> dict[str, float]:
    """The seconds of each test that the last runs left; none if there was no run, or the file is broken."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(test): float(seconds) for test, seconds in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def save(path: Path, durations: dict[str, float]) -> None:
    """Keeps them for the next run, and never half a file."""
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.write_text(json.dumps(durations, indent=0, sort_keys=True), encoding="utf-8")
    scratch.replace(path)


def minutes(seconds: float) -> str:
    """A time as a person says it."""
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{max(10, round(seconds, -1)):.0f} s"


@dataclass
class Progress:
    """A run: its tests, what the last run's took, and what was measured so far."""

    known: dict[str, float]
    clock: Callable[[], float] = time.monotonic
    total: int = 0
    failed: int = 0
    begin: float = 0.0
    todo: set[str] = field(default_factory=set)
    took: Counter[str] = field(default_factory=Counter)

    def start(self, tests: Iterable[str]) -> None:
        """These are the tests that will run."""
        self.todo = set(tests)
        self.total = len(self.todo)
        self.begin = self.clock()

    def expected(self, tests: Iterable[str]) -> float:
        """What tests took in the last run; one that is new counts as the middle of the others."""
        times = sorted(self.known.values())
        middle = times[len(times) // 2] if times else 0.0
        return sum(self.known.get(test, middle) for test in tests)

    def left(self) -> float | None:
        """The seconds until the end, by this run's pace on what the last run measured; None if nothing tells."""
        elapsed = self.clock() - self.begin
        done = self.expected(self.took)
        return elapsed * self.expected(self.todo) / done if elapsed >= SETTLED and done > 0 else None

    def line(self) -> str:
        """How far it is."""
        failed = f", {self.failed} failed" if self.failed else ""
        left = self.left()
        time_left = f", about {minutes(left)} left" if left and self.todo else ""
        return f"test: {self.total - len(self.todo)} of {self.total} done{failed}{time_left}"


def left_out(counts: Counter[tuple[str, str]]) -> str:
    """What the choice of tests leaves out, from numbers by mark and folder; empty if nothing."""
    texts = []
    for mark in MARKS:
        folders = {folder: number for (kind, folder), number in sorted(counts.items()) if kind == mark}
        if folders:
            where = ", ".join(f"{folder} {number}" for folder, number in folders.items())
            texts.append(f"{sum(folders.values())} {mark} tests ({where})")
    return f"test: left out: {'; '.join(texts)}; --long runs all" if texts else ""


class Teller:
    """The plugin: hears of every test, wherever it ran, and tells."""

    def __init__(self, config: pytest.Config, path: Path) -> None:
        self.config = config
        self.path = path
        self.progress = Progress(load(path))
        self.says_what_is_out = not config.getoption("keyword")
        self.out: Counter[tuple[str, str]] = Counter()
        self.last = -math.inf

    def tell(self, news: str = "") -> None:
        """Shows where the run is: at once if there is news or a line that can change, else when it is time."""
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal.isatty:
            terminal.write((f"{ERASE}{news}\n" if news else ERASE) + self.progress.line(), flush=True)
        elif news or time.monotonic() - self.last >= PAUSE:
            terminal.write((f"{news}\n" if news else "") + f"{self.progress.line()}\n", flush=True)
            self.last = time.monotonic()

    def begin(self, tests: Iterable[str]) -> None:
        """Once, when it is known what will run."""
        if not self.progress.total:
            self.progress.start(tests)
            self.tell()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without xdist."""
        if session.items:
            self.begin(item.nodeid for item in session.items)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Without xdist."""
        self.out += deselected(items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """With xdist: each worker has found the same tests."""
        self.begin(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """With xdist: each worker has left out the same."""
        rows = getattr(node, "workeroutput", {}).get(OPTION, [])
        self.out = Counter({(mark, folder): number for mark, folder, number in rows}) or self.out

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A part of a test has ended; the whole of it with its teardown."""
        self.progress.took[report.nodeid] += report.duration
        self.progress.failed += report.failed
        if report.when == "teardown":
            self.progress.todo.discard(report.nodeid)
        if report.failed:
            self.tell(f"test: FAILED {report.nodeid}")
        elif report.when == "teardown":
            self.tell()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_report_teststatus(self) -> Any:
        """Takes pytest's own dots and letters away; its counts and words stay."""
        outcome = yield
        category, _, word = outcome.get_result()
        outcome.force_result((category, "", word))

    def pytest_sessionfinish(self) -> None:
        """Keeps the times."""
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        terminal.write(ERASE if terminal.isatty else "")
        save(self.path, {**self.progress.known, **{k: round(v, 2) for k, v in self.progress.took.items()}})

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Says what was left out, when it was left out for its length."""
        text = left_out(self.out) if self.says_what_is_out else ""
        if text:
            terminalreporter.write_line(text)


class Worker:
    """The plugin in a worker of xdist, which hands on what it leaves out."""

    def __init__(self, config: pytest.Config) -> None:
        self.output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Adds to what goes to the controller, in a form that xdist can send."""
        before = Counter({(mark, folder): number for mark, folder, number in self.output.get(OPTION, [])})
        self.output[OPTION] = [[*key, number] for key, number in (before + deselected(items)).items()]


def deselected(items: list[pytest.Item]) -> Counter[tuple[str, str]]:
    """How many of these tests are long, or slow, by folder below tests/."""
    found: Counter[tuple[str, str]] = Counter()
    for item in items:
        mark = next((mark for mark in reversed(MARKS) if item.get_closest_marker(mark)), None)
        if mark:
            found[mark, item.path.relative_to(Path(__file__).parent).parts[0].removesuffix(".py")] += 1
    return found


def pytest_addoption(parser: pytest.Parser) -> None:
    """The file that turns this on."""
    parser.addoption(OPTION, type=Path, help="say how far the run is; keep each test's seconds here")


def pytest_configure(config: pytest.Config) -> None:
    """Starts it where it is asked for."""
    path = config.getoption(OPTION)
    if path:
        config.pluginmanager.register(Worker(config) if hasattr(config, "workeroutput") else Teller(config, path))
