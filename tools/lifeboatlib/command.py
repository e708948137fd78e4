# SPDX-License-Identifier: BSD-2-Clause
"""Runs other programs: output into a log, a failure into one line."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from lifeboatlib.paths import friendly, log_file
from lifeboatlib.ui import LifeboatError


def output(argv: Sequence[str | Path]) -> str:
    """The standard output of a quick command, empty if it fails or is not there."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout


def logged(argv: Sequence[str | Path], log: str, hint: str, cwd: Path | None = None) -> None:
    """Runs a command with its output appended to log `log`; `hint` says what to do if it fails."""
    path = log_file(log)
    with path.open("a", encoding="utf-8") as sink:
        sink.write(f"\n$ {' '.join(map(str, argv))}\n")
        sink.flush()
        try:
            done = subprocess.run(argv, stdout=sink, stderr=sink, cwd=cwd, check=False)
        except OSError as error:
            raise LifeboatError(f"cannot run {argv[0]} ({error.strerror}); {hint}") from error
    if done.returncode != 0:
        tool = Path(argv[0]).name
        raise LifeboatError(f"{tool} failed{first_complaint(path)}; {hint} (log: {friendly(path)})")


def first_complaint(log: Path) -> str:
    """The first line of a log's last command that looks like an error, for the report."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n$ ")[-1].splitlines()
    marks = ("E: ", "error:", "ERROR", "fatal")
    found = [line.strip() for line in lines[1:] if any(mark in line for mark in marks)]
    return f": {found[0][:160]}" if found else ""
