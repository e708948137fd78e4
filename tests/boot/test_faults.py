# SPDX-License-Identifier: BSD-2-Clause
"""Each function of the stage that can fail does so, once: in a normal boot, on the way to the crash kernel, and behind kexec.

No build option makes it fail: the debugger stops the very stage that is shipped as it calls the function for the first
time, and returns an error in its place. (A function that the compiler has put into its caller has no call; its caller
fails then.) So every error return of boot/ is taken, but for those inside of such functions.

Of several machines (fault_lab.py) the first that calls the function is taken; which do is seen once, for all functions.

Whatever fails: no trap, no silence. A crash side that fails leaves the boot as it would be without one. A capture that
fails is tried again, or given up with a reason.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from crash_bare import FILLED, VERIFIED
from fault_lab import FALLIBLE, Build, Case, Lab, Life, calls, dying, other, plain, rich
from symbols import symbols

CRASH_SIDE = ("boot/crash/", "kexec/crash/", "kexec/dead/")  # what a boot must be able to do without
REASON = r"^lifeboat: (warning|ERROR): "  # (its text is stale: the function that was to write it did not run)
ENDS = r"^lifeboat: ERROR: boot: (nothing was started; shutting down|resetting)$"
# Without what a dying Linux has handed over there is nothing to go back to: they may end the boot.
MAY_END = ("crash_enter", "kexec_enter", "kexec_exit")
SOME = ("elfcorehdr_write", "record_write")  # in the default suite; the first machine calls them in both lives
# What no other machine calls than the one that a dying Linux leaves.
KEXEC = (
    "elfcorehdr_read_notes", "kexec_enter", "kexec_exit", "region_adopt", "sink_bundle", "sink_elfcorehdr",
    "sink_usable",
)  # fmt: skip


def is_dispensable(function: str) -> bool:
    """May no boot end for its sake?"""
    return FALLIBLE[function][0].startswith(CRASH_SIDE) and function not in MAY_END


def functions() -> list[object]:
    """All of them; but for some they are long."""
    return [pytest.param(name, marks=() if name in SOME else pytest.mark.long) for name in sorted(FALLIBLE)]


@pytest.fixture(scope="module")
def cases(
    build_payload: Build, stage: Path, stage_elf: Path, keydir: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Case]:
    """In the order in which they are tried."""
    directory = tmp_path_factory.mktemp("faults")
    machines = (
        plain(build_payload, stage, directory),
        rich(build_payload, stage, directory, keydir),
        other(build_payload, stage, directory),
    )
    found = symbols(stage_elf)
    return [Case(found, machine) for machine in machines]


@pytest.fixture(scope="module")
def left_by_linux(
    build_payload: Build, stage: Path, stage_elf: Path, tmp_path_factory: pytest.TempPathFactory
) -> Case:
    """One that begins behind kexec."""
    return Case(symbols(stage_elf), dying(build_payload, stage, tmp_path_factory.mktemp("dying")))


def at_once(_: Lab) -> None:
    """The first life."""


def try_first(
    function: str, cases: Sequence[Case], life: Life, check: Callable[[Lab, str], None]
) -> None:
    """The first machine that calls the function in that life, made to fail there."""
    if function not in cases[0].known:
        pytest.skip("the compiler has put it into its caller")
    for case in cases:
        if function in SOME or function in calls(case, life):
            with case.begin(life) as lab:
                lab.fail(function)
                check(lab, function)
            return
    pytest.skip("no machine calls it")


def boots(lab: Lab, function: str) -> None:
    """The primary starts, or a line says why not; for the crash side's sake it always starts."""
    line = lab.outcome(FILLED, ENDS)
    if is_dispensable(function):
        text = lab.session.text
        assert re.match(FILLED, line), f"a machine with crash support boots worse than without:\n{text}"


def captures(lab: Lab, function: str) -> None:
    """The dump is taken all the same, or a line says why not."""
    start = len(lab.session.text)
    line = lab.outcome(VERIFIED, FILLED, *(() if is_dispensable(function) else (ENDS,)))
    if not re.match(VERIFIED, line):
        assert re.search(REASON, lab.session.text[start:], re.MULTILINE), lab.session.text[start:]


@pytest.mark.slow
@pytest.mark.parametrize("function", functions())
def test_a_boot_in_which_it_fails(function: str, cases: list[Case]) -> None:
    try_first(function, cases, at_once, boots)


@pytest.mark.slow
@pytest.mark.parametrize("function", functions())
def test_a_capture_in_which_it_fails(function: str, cases: list[Case]) -> None:
    try_first(function, cases, Lab.die, captures)


@pytest.mark.long
@pytest.mark.parametrize("function", KEXEC)
def test_a_capture_behind_kexec_in_which_it_fails(function: str, left_by_linux: Case) -> None:
    try_first(function, [left_by_linux], at_once, captures)
