# SPDX-License-Identifier: BSD-2-Clause
"""Fuzzes the portable part of the stage with libFuzzer: each target for some time, from where it was left.

Inputs that led to something new are kept in the cache, one folder a target; a run goes on from there. What goes wrong
is an input in the folder `found` beside them: give it to the target's program to see it again, and make it a unit test.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import build, command
from lifeboatlib.paths import REPO, cache_dir, friendly, fuzz_dir, host_dir
from lifeboatlib.ui import LifeboatError, fail, say

HELP = "fuzz the stage's readers, and say what was covered"
EXAMPLES = (
    "tools/lifeboat fuzz",
    "tools/lifeboat fuzz record --time 60",
)
SOURCES = REPO / "tests" / "fuzz"
SECONDS = 60
INPUT_SECONDS = 60  # for one input: it hangs then
LINES_SAID = 60  # a check, the way to it, the input in base64 if it is short


@dataclass(frozen=True)
class Target:
    """A fuzz target: how long its inputs may get, and how many the tests try (2 or 3 s on an idle machine)."""

    name: str
    runs: int
    longest: int = 4096
    words: str = ""  # a dictionary in tests/fuzz


TARGETS = (
    Target("area", 5000, 1024),
    Target("cmdline", 1500, 1024),
    Target("dead", 2500, 512),
    Target("fdt_merge", 1500, 32768, "fdt"),
    Target("fdt_read", 3000, 16384, "fdt"),
    Target("fit", 1500, 16384, "fit"),
    Target("gzip", 6000),
    Target("image", 20000),
    Target("lz4", 12000),
    Target("place", 200, 512),
    Target("record", 4000, 512),
    Target("signature", 250, 256),
    Target("zstd", 10000),
)


@dataclass(frozen=True)
class Outcome:
    """What a run of a target came to."""

    target: str
    executions: int
    seconds: float
    edges: int
    all_edges: int
    inputs: int
    trouble: str
    said: str = ""  # its last lines, if something went wrong

    def __str__(self) -> str:
        rate = self.executions / max(self.seconds, 0.1)
        told = f"{self.target:<10} {self.executions:>10} {rate:>8.0f}/s {self.edges:>6} of {self.all_edges:<6}"
        return f"{told} {self.inputs:>6}  {self.trouble}".rstrip()


HEADING = f"{'target':<10} {'executions':>10} {'rate':>10} {'edges':>6} {'':<9} {'inputs':>6}"


def environment() -> dict[str, str]:
    """For the targets: where the tests' files are, and that the first fault ends it all."""
    unit = host_dir() / "tests" / "unit"
    return {
        **os.environ,
        "LIFEBOAT_DTBS": str(unit / "dtbs"),
        "LIFEBOAT_FITS": str(unit / "fits"),
        "LIFEBOAT_SIGNED": str(unit / "signed"),
        "CMOCKA_TEST_ABORT": "1",
        "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1",
    }


def program(directory: Path, target: Target) -> Path:
    """The target's program in a build directory."""
    return directory / "tests" / "fuzz" / f"fuzz_{target.name}"


def make_seeds(directory: Path) -> None:
    """What the targets begin with, made of what the unit tests' build has made."""
    unit = host_dir() / "tests" / "unit"
    argv = [sys.executable, SOURCES / "make_seeds.py", unit, directory]
    command.logged(argv, "fuzz", "is all built? run tools/lifeboat setup")


def argv(target: Target, found: Path, options: Sequence[str], folders: Sequence[Path]) -> list[str]:
    """How libFuzzer is called: the first folder receives what is new."""
    words = [f"-dict={SOURCES / target.words}.dict"] if target.words else []
    fixed = [f"-artifact_prefix={found}/{target.name}-", f"-max_len={target.longest}", "-print_final_stats=1"]
    limits = [f"-timeout={INPUT_SECONDS}", "-rss_limit_mb=2048"]
    return [str(program(fuzz_dir(), target)), *words, *fixed, *limits, *options, *map(str, folders)]


def lines_of(words: Sequence[str]) -> Iterator[str]:
    """What a target says, line by line; then one with its exit code."""
    with subprocess.Popen(
        words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout
        yield from process.stdout
        yield f"exit code {process.wait()}"


def trouble_in(lines: Sequence[str]) -> str:
    """One line of what went wrong; empty if nothing did."""
    marks = (r"runtime error: .*", r"ERROR: .*", r"\[   LINE   \] --- (\S+)", r"SUMMARY: .*")
    for mark in marks:
        for line in lines:
            if match := re.search(mark, line):
                return match[0][:110]
    return "" if lines and lines[-1] == "exit code 0" else "it ended before its time"


def last_number(lines: Sequence[str], pattern: str) -> int:
    """The number in the last line that has it."""
    found = [int(match[1]) for line in lines if (match := re.search(pattern, line))]
    return found[-1] if found else 0


def run(target: Target, options: Sequence[str], folders: Sequence[Path], found: Path, tell: bool = False) -> Outcome:
    """Runs a target; with `tell` a line now and then says how far it is."""
    begin = told = time.monotonic()
    lines: list[str] = []
    for line in lines_of(argv(target, found, options, folders)):
        lines.append(line)
        if tell and line.startswith("#") and time.monotonic() - told > 10:
            told = time.monotonic()
            say(f"fuzz: {target.name}: {told - begin:.0f} s: {line.split('lim:')[0].strip()}")
    trouble = trouble_in(lines)
    return Outcome(
        target=target.name,
        executions=last_number(lines, r"number_of_executed_units: (\d+)") or last_number(lines, r"^#(\d+)"),
        seconds=time.monotonic() - begin,
        edges=last_number(lines, r"\bcov: (\d+)"),
        all_edges=last_number(lines, r"modules +\((\d+) inline 8-bit counters\)"),
        inputs=last_number(lines, r"corp: (\d+)/"),
        trouble=trouble,
        said="".join(lines[-LINES_SAID:]) if trouble else "",
    )


def chosen(names: Sequence[str]) -> list[Target]:
    """The targets of these names, all if there is none."""
    known = {target.name: target for target in TARGETS}
    for name in names:
        if name not in known:
            raise LifeboatError(f"there is no fuzz target {name}; there are {', '.join(known)}")
    return [known[name] for name in names] or list(TARGETS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the fuzz command."""
    parser.add_argument("target", nargs="*", metavar="TARGET", help=", ".join(target.name for target in TARGETS))
    parser.add_argument(
        "--time", type=int, default=SECONDS, metavar="S", help=f"seconds for each target; default: {SECONDS}"
    )


def main(args: argparse.Namespace) -> int:
    """Fuzzes, and ends with a table; fails if something was found."""
    targets = chosen(args.target)
    build.build_host_tests()
    build.build_fuzz()
    home = cache_dir() / "fuzz"
    found = home / "found"
    found.mkdir(parents=True, exist_ok=True)
    make_seeds(home / "seeds")
    outcomes = []
    for target in targets:
        folders = [home / target.name, home / "seeds" / target.name]
        folders[0].mkdir(exist_ok=True)
        say(f"fuzz: {target.name}, for {args.time} s")
        outcomes.append(run(target, [f"-max_total_time={args.time}"], folders, found, tell=True))
    say("\n".join([HEADING, *map(str, outcomes)]))
    bad = [outcome.target for outcome in outcomes if outcome.trouble]
    if bad:
        fail(f"{', '.join(bad)} went wrong; the inputs are in {friendly(found)}: make each a unit test")
    return 1 if bad else 0
