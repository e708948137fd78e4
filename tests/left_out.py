# SPDX-License-Identifier: BSD-2-Clause
"""Tests that need what Debian's archive does not have (Missing) are left out: counted as skipped, told in one line each.

A name in the archive, or a file in a package, may go with any release that is not ours.
"""

from collections import Counter
from typing import Any

import pytest

from lifeboatlib.ui import Missing

PREFIX = "left out, "


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Makes a skip of Missing, from the test itself or from what it was to be given."""
    if call.excinfo and call.excinfo.errisinstance(Missing):
        reason = f"{PREFIX}{call.excinfo.value}"
        call.excinfo = pytest.CallInfo.from_call(lambda: pytest.skip(reason), call.when).excinfo


def reasons(reports: list[Any]) -> Counter[str]:
    """What was missing, and how many tests were left out for it."""
    texts = [str(report.longrepr[2]) for report in reports if isinstance(report.longrepr, tuple)]
    return Counter(text.partition(PREFIX)[2] for text in texts if PREFIX in text)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line for each thing that is missing."""
    for what, count in reasons(terminalreporter.stats.get("skipped", [])).items():
        terminalreporter.write_line(f"left out for want of {what}: {count} tests")
