# SPDX-License-Identifier: BSD-2-Clause
"""tests/progress.py: what it says of a run's end is worked out from the last run, whatever this machine's pace."""

from collections import Counter
from pathlib import Path

import progress


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def end(run: progress.Progress, *tests: str) -> None:
    """These tests have ended."""
    for test in tests:
        run.took[test] = 1
        run.todo.discard(test)


def test_the_time_left_is_the_last_runs_at_this_runs_pace() -> None:
    """Half as fast as the last time: the 100 seconds that are left take 200."""
    run = progress.Progress({"a": 20.0, "b": 100.0}, Clock())
    run.start(["a", "b"])
    end(run, "a")
    run.clock.now += 40  # type: ignore[attr-defined]
    assert run.line() == "test: 1 of 2 done, about 3 min left"


def test_a_new_test_counts_as_the_middle_of_the_known() -> None:
    """So that one which is added does not make the estimate jump."""
    run = progress.Progress({"a": 10.0, "b": 30.0, "c": 500.0}, Clock())
    run.start(["a", "new"])
    end(run, "a")
    run.clock.now += 10  # type: ignore[attr-defined]
    assert run.line() == "test: 1 of 2 done, about 30 s left"


def test_where_nothing_is_known_no_time_is_named() -> None:
    """The first run ever; failures are told."""
    run = progress.Progress({}, Clock())
    run.start(["a", "b", "c"])
    end(run, "a")
    run.failed = 1
    run.clock.now += 60  # type: ignore[attr-defined]
    assert run.line() == "test: 1 of 3 done, 1 failed"


def test_what_is_left_out_is_counted_by_folder() -> None:
    """--quick says what it did not run."""
    counts = Counter({("slow", "boot"): 3, ("long", "kvm"): 2, ("slow", "boards"): 1})
    told = "test: left out: 4 slow tests (boards 1, boot 3); 2 long tests (kvm 2); --long runs all"
    assert progress.left_out(counts) == told
    assert progress.left_out(Counter()) == ""


def test_durations_outlive_a_run_and_a_broken_file(tmp_path: Path) -> None:
    """A file that is not there or not whole is as none."""
    file = tmp_path / "durations.json"
    assert progress.load(file) == {}
    progress.save(file, {"a": 1.5})
    assert progress.load(file) == {"a": 1.5}
    for broken in ("", "{", "[1]", '{"a": "b"}'):
        file.write_text(broken, encoding="utf-8")
        assert progress.load(file) == {}, broken
