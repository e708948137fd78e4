# SPDX-License-Identifier: BSD-2-Clause
"""Runs the test suite and sums it up in one line."""

import argparse
import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from lifeboatlib import build, setup
from lifeboatlib.paths import REPO, build_dir, cache_dir
from lifeboatlib.ui import LifeboatError, fail, say

HELP = "build and run the tests"
EXAMPLES = ("tools/lifeboat test --quick", "tools/lifeboat test -k trampoline -- -x")
EPILOG = "what follows -- is given to pytest as it is, such as: -- -x tests/boot"

WORKERS = (2, 4)  # at least and at most; a test's QEMU may have several threads and some GiB


@dataclass(frozen=True)
class Tally:
    """How a test run went."""

    passed: int
    failed: int
    skipped: int

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def count(report: Path) -> Tally:
    """Reads a JUnit XML report; a test that could not run at all counts as failed."""
    try:
        root = ElementTree.parse(report).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise LifeboatError("pytest left no report; what it says above is the reason") from error
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in root.iter("testsuite"):
        for key in totals:
            totals[key] += int(suite.get(key, 0))
    failed = totals["failures"] + totals["errors"]
    return Tally(totals["tests"] - failed - totals["skipped"], failed, totals["skipped"])


def _selection(args: argparse.Namespace) -> list[str]:
    """Which tests pytest is to run; pytest.ini leaves out those marked long."""
    words = ["-k", args.k] if args.k else []
    if args.quick:
        words += ["-m", "not slow and not long"]
    if args.long:
        words += ["-m", ""]
    return words


def _pytest(args: argparse.Namespace, stage: Path, report: Path) -> int:
    """Runs pytest with the Python that runs this tool."""
    # (Tests that share one long run are a group, xdist_group, which one worker gets.)
    workers = str(sorted((*WORKERS, len(os.sched_getaffinity(0))))[1])
    spread = ["-n", workers, "--dist", "loadgroup"] if importlib.util.find_spec("xdist") else []
    # The tests say themselves how far they are (tests/progress.py), instead of pytest's dots.
    telling = ["-q", "-o", "console_output_style=classic", f"--durations-file={cache_dir() / 'durations.json'}"]
    argv = [sys.executable, "-m", "pytest", *spread, *telling, f"--junitxml={report}"]
    environment = {**os.environ, "LIFEBOAT_BUILDDIR": str(stage)}
    selected = [*argv, *_selection(args), *args.passed_on]
    return subprocess.run(selected, cwd=REPO, env=environment, check=False).returncode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the test command."""
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--quick", action="store_true", help="leave out the slow tests; under 2 minutes")
    amount.add_argument("--long", action="store_true", help="run the long tests too")
    parser.add_argument("-k", metavar="EXPR", help="only tests whose names match (as pytest -k)")
    parser.add_argument("--compiler", choices=build.COMPILERS, default="gcc", help="default: gcc")
    parser.add_argument("--builddir", metavar="DIR", help="where the stage is built")


def main(args: argparse.Namespace) -> int:
    """Builds what is tested, tests it, and ends with the tally."""
    setup.everything()
    stage = build.build_stage(args.compiler, build_dir(args.compiler, args.builddir))
    build.build_host_tests()
    build.build_fuzz()
    build.build_inspect()
    report = stage / "tests.xml"
    report.unlink(missing_ok=True)
    code = _pytest(args, stage, report)
    tally = count(report)
    if not tally.passed + tally.failed:
        fail("no test ran; see tools/lifeboat test --help for what selects them")
    say(str(tally))
    return 1 if code != 0 or tally.failed or not tally.passed else 0
