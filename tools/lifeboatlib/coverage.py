# SPDX-License-Identifier: BSD-2-Clause
"""How much of the portable part of the stage the unit tests and the fuzz targets' inputs run through, by file.

The inputs are those that every run of the tests begins with, and what tools/lifeboat fuzz has kept in the cache.
"""

import argparse
import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lifeboatlib import build, command, fuzzing
from lifeboatlib.paths import REPO, cache_dir, coverage_dir
from lifeboatlib.ui import LifeboatError, fail, say, step

HELP = "lines and branches that unit tests and fuzzing run through"
EXAMPLES = (
    "tools/lifeboat coverage",
)
FOLDERS = ("base", "fdt", "kexec", "mm")
WANTED_LINES, WANTED_BRANCHES = 95.0, 85.0  # per cent


@dataclass
class Counted:
    """Lines of a file, and branches by line: how often each was taken."""

    lines: dict[int, int] = field(default_factory=dict)
    branches: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, line: dict[str, object]) -> None:
        """A line of gcovr's report; a line of a header may come several times."""
        number, count = int(str(line["line_number"])), int(str(line["count"]))
        self.lines[number] = max(self.lines.get(number, 0), count)
        taken = line.get("branches")
        counts = [int(branch["count"]) for branch in taken] if isinstance(taken, list) else []
        known = self.branches[number]
        if len(known) == len(counts):
            self.branches[number] = [max(pair) for pair in zip(known, counts, strict=True)]
        elif len(counts) > len(known):
            self.branches[number] = counts

    def totals(self) -> tuple[int, int, int, int]:
        """Lines run through, lines, branches taken, branches."""
        taken = [count for counts in self.branches.values() for count in counts]
        run = list(self.lines.values())
        return sum(map(bool, run)), len(run), sum(map(bool, taken)), len(taken)

    def missing(self) -> str:
        """The lines that nothing runs through, as ranges."""
        found: list[list[int]] = []
        for number in sorted(number for number, count in self.lines.items() if not count):
            if found and number == found[-1][1] + 1:
                found[-1][1] = number
            else:
                found.append([number, number])
        return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


def percent(part: int, whole: int) -> float:
    """Of nothing all is covered."""
    return 100 * part / whole if whole else 100.0


def programs() -> Iterator[list[Path]]:
    """All that is run: the unit tests, and each fuzz target on its inputs."""
    yield from ([path] for path in sorted((coverage_dir() / "tests" / "unit").glob("test_*")) if path.is_file())
    home = cache_dir() / "fuzz"
    for target in fuzzing.TARGETS:
        folders = [folder for folder in (home / "seeds" / target.name, home / target.name) if folder.is_dir()]
        yield [fuzzing.program(coverage_dir(), target), *folders]


def measure() -> None:
    """Runs everything, so that its counters are written."""
    for path in coverage_dir().rglob("*.gcda"):
        path.unlink()
    for words in programs():
        done = subprocess.run(words, env=fuzzing.environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr + done.stdout).strip().splitlines()[-1:]
            raise LifeboatError(f"{words[0].name} failed: {''.join(last)[:160]}; run tools/lifeboat test first")


def report() -> dict[str, Counted]:
    """What gcovr has to say, by file."""
    out = coverage_dir() / "coverage.json"
    filters = [word for folder in FOLDERS for word in ("--filter", f"{REPO}/{folder}/")]
    argv = ["gcovr", "--root", REPO, *filters, "--json", out, coverage_dir()]
    command.logged(argv, "coverage", "tools/lifeboat setup installs gcovr")
    files: dict[str, Counted] = defaultdict(Counted)
    for file in json.loads(out.read_text(encoding="utf-8"))["files"]:
        for line in file["lines"]:
            if not line.get("gcovr/noncode"):
                files[file["file"]].add(line)
    return files


def row(name: str, totals: tuple[int, int, int, int], missing: str = "") -> str:
    """A line of the table."""
    run, lines, taken, branches = totals
    told = f"{name:<36} {run:>5} of {lines:<5} {percent(run, lines):>5.1f}"
    return f"{told}   {taken:>5} of {branches:<5} {percent(taken, branches):>5.1f}  {missing}".rstrip()


def table(files: dict[str, Counted]) -> tuple[str, float, float]:
    """The table, and how much of lines and branches was covered."""
    rows = [f"{'file':<36} {'lines':<15} {'%':<7} {'branches':<13} {'%':>4}   lines not run through"]
    rows += [row(name, files[name].totals(), files[name].missing()) for name in sorted(files)]
    sums: dict[str, tuple[int, int, int, int]] = {}
    for name, counted in files.items():
        for key in (name.split("/")[0], "all"):
            old, new = sums.get(key, (0, 0, 0, 0)), counted.totals()
            sums[key] = (old[0] + new[0], old[1] + new[1], old[2] + new[2], old[3] + new[3])
    rows += [row(f"{key}/" if key != "all" else key, sums[key]) for key in (*FOLDERS, "all") if key in sums]
    run, lines, taken, branches = sums["all"]
    return "\n".join(rows), percent(run, lines), percent(taken, branches)


def add_arguments(_: argparse.ArgumentParser) -> None:
    """It has no options."""


def main(_: argparse.Namespace) -> int:
    """Measures, and says what is missing; fails below what is wanted."""
    build.build_host_tests()
    build.build_coverage()
    fuzzing.make_seeds(cache_dir() / "fuzz" / "seeds")
    with step("coverage: running the unit tests and the fuzz targets' inputs"):
        measure()
    picture, lines, branches = table(report())
    say(picture)
    say(f"coverage: {lines:.1f} % of lines, {branches:.1f} % of branches")
    if lines < WANTED_LINES or branches < WANTED_BRANCHES:
        fail(f"wanted are {WANTED_LINES:.0f} % of lines and {WANTED_BRANCHES:.0f} % of branches")
        return 1
    return 0
