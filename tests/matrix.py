# SPDX-License-Identifier: BSD-2-Clause
"""The matrix of boards: tests marked boards(row, column) are its cells, printed as one table when all are done.

The row may name the test's parameters, as in "cpu {cpu}". `-k boards` selects them all, wherever they are. A test that
skips itself says why the cell is not possible.
"""

from typing import Any

import pytest

MARK = "boards"
NOT_RUN = "-"


def pytest_configure(config: pytest.Config) -> None:
    """Declares the marker."""
    config.addinivalue_line("markers", f"{MARK}(row, column): a cell of the matrix of boards (tests/matrix.py)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Notes each test's cell where its reports carry it, from another process too."""
    for item in items:
        mark = item.get_closest_marker(MARK)
        if mark:
            params = getattr(item, "callspec", None)
            row = mark.args[0].format(**(params.params if params else {}))
            item.user_properties.append((MARK, f"{row}\t{mark.args[1]}"))


def _outcome(report: Any) -> tuple[str, str]:
    """What a report says of its cell, and the reason if it was not possible."""
    if report.outcome == "skipped":
        return "not possible", str(report.longrepr[2]).removeprefix("Skipped: ")
    return {"passed": "pass", "failed": "FAIL"}[report.outcome], ""


def cells(reports: list[Any]) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    """The cells by row and column; and the reasons of those that were not possible, by row."""
    found: dict[tuple[str, str], str] = {}
    reasons: dict[str, str] = {}
    for report in reports:
        place = dict(getattr(report, "user_properties", ())).get(MARK)
        if not place or (report.when != "call" and report.outcome == "passed"):
            continue
        row, column = place.split("\t")
        verdict, reason = _outcome(report)
        if found.get((row, column)) != "FAIL":  # several tests may share a cell
            found[row, column] = verdict
        if reason:
            reasons[row] = reason
    return found, reasons


def table(found: dict[tuple[str, str], str], reasons: dict[str, str]) -> list[str]:
    """The lines to print."""
    rows = sorted({row for row, _ in found})
    columns = sorted({column for _, column in found})
    width = max(map(len, rows))
    lines = [" ".join([" " * width, *(f"{column:13}" for column in columns)]).rstrip()]
    for row in rows:
        line = " ".join([f"{row:{width}}", *(f"{found.get((row, c), NOT_RUN):13}" for c in columns)]).rstrip()
        lines.append(f"{line}  {reasons[row]}" if row in reasons else line)
    return [*lines, f"({NOT_RUN}: there is no such test, or it was not run; tools/lifeboat test --long -k boards runs all)"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints the table."""
    reports = [each for kind in terminalreporter.stats.values() for each in kind if hasattr(each, "when")]
    found, reasons = cells(reports)
    if found:
        terminalreporter.section("boards")
        for line in table(found, reasons):
            terminalreporter.write_line(line)
