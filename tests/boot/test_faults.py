# SPDX-License-Identifier: BSD-2-Clause
"""Each function of the stage that can fail does so, once: in a normal boot, and on the way to the crash kernel.

No build option makes it fail: the debugger stops the very stage that is shipped as it calls the function for the first
time, and returns an error in its place. (A function that the compiler has put into its caller has no call; its caller
fails then.) So every error return of boot/ is taken, but for those inside of such functions.

Whatever fails: no trap, no silence. A crash side that fails leaves the boot as it would be without one. A capture that
fails is tried again, or given up with a reason.
"""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from crash_bare import FILLED, VERIFIED, bare_bundle, expect_filled
from lifeboatlib.gdbstub import Gdb
from symbols import symbols

from house import stage_files
from lifeboatlib.paths import REPO
from lifeboatlib.qemu import Machine, Session

RESET_VECTOR = 0x1000
LAST = "trampoline_start"  # the page that norelocate begins
NO_SPACE, SBI_FAILED = -4, -1  # LB_ENOSPC; SBI_ERR_FAILED
HARM = r"^lifeboat: trap.*|^(checker|primary): (FAIL|trap).*"
CRASH_SIDE = ("boot/crash/", "kexec/crash/", "kexec/dead/")  # what a boot must be able to do without
REASON = r"^lifeboat: (warning|ERROR): "  # (its text is stale: the function that was to write it did not run)
ENDS = r"^lifeboat: ERROR: boot: nothing was started; shutting down$"
# Without what a dying Linux has handed over there is nothing to go back to: they may end the boot.
MAY_END = ("crash_enter", "kexec_enter", "kexec_exit")


def fallible() -> dict[str, tuple[str, int]]:
    """By name: which file defines it, and what it returns when it fails."""
    found = {}
    for path in stage_files(".c"):
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r"^(?:static )?enum lb_err (\w+)\(", text, re.MULTILINE):
            found[name] = (str(path.relative_to(REPO)), NO_SPACE)
        for name in re.findall(r"^struct sbi_result (sbi_\w+)\(", text, re.MULTILINE):
            found[name] = (str(path.relative_to(REPO)), SBI_FAILED)
    return found


FALLIBLE = fallible()
SOME = ("prepare", "record_write")  # in the default suite


def is_dispensable(function: str) -> bool:
    """May no boot end for its sake?"""
    return FALLIBLE[function][0].startswith(CRASH_SIDE) and function not in MAY_END


def functions() -> list[object]:
    """All of them; but for some they are long."""
    return [pytest.param(name, marks=() if name in SOME else pytest.mark.long) for name in sorted(FALLIBLE)]


class Lab:
    """A machine that stands still between the methods' calls."""

    def __init__(self, session: Session, gdb: Gdb, known: dict[str, int]) -> None:
        self.session = session
        self.gdb = gdb
        self.known = known

    def fail(self, function: str) -> bool:
        """Runs to the function's first call and makes that fail; false if this life does not call it."""
        if self.gdb.run_to(self.known[function], self.known[LAST]) == self.known[LAST]:
            return False
        self.gdb.set_register("a0", FALLIBLE[function][1] & (1 << 64) - 1)
        self.gdb.set_register("pc", self.gdb.register("ra"))
        return True

    def outcome(self, *patterns: str) -> str:
        """Lets the machine go until the console has one of these; which line."""
        start = len(self.session.text)
        self.gdb.free_run()
        found = self.session.expect("|".join(f"(?:{pattern})" for pattern in patterns))
        harm = re.search(HARM, self.session.text[start:], re.MULTILINE)
        assert not harm, harm
        return found[0]


@contextmanager
def machine(stage: Path, made: Path, known: dict[str, int]) -> Iterator[Lab]:
    """One that has not yet begun."""
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        path = Path(scratch) / "gdb"
        options = {"memory": "256M", "qmp": Path(scratch) / "qmp", "gdb": f"unix:{path},server=on,wait=off"}
        with (
            Session(Machine(kernel=stage, initrd=made, **options)) as session,  # type: ignore[arg-type]
            Gdb.connect(path) as gdb,
        ):
            yield Lab(session, gdb, known)


@pytest.fixture(scope="module")
def known(stage_elf: Path) -> dict[str, int]:
    """The stage's symbols."""
    return symbols(stage_elf)


@pytest.fixture(scope="module")
def made(build_payload: Callable[..., object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pattern and checker; the second try is for a first that fails."""
    return bare_bundle(build_payload, tmp_path_factory.mktemp("faults") / "bare.itb", attempts=2, WAIT=1)


@pytest.mark.slow
@pytest.mark.parametrize("function", functions())
def test_a_boot_in_which_it_fails(function: str, made: Path, stage: Path, known: dict[str, int]) -> None:
    """The primary starts, or a line says why not; for the crash side's sake it always starts."""
    if function not in known:
        pytest.skip("the compiler has put it into its caller")
    with machine(stage, made, known) as lab:
        if not lab.fail(function):
            pytest.skip("a normal boot does not call it")
        line = lab.outcome(FILLED, ENDS)
        if is_dispensable(function):
            assert re.match(FILLED, line), f"a machine with crash support boots worse than without:\n{lab.session.text}"


@pytest.mark.slow
@pytest.mark.parametrize("function", functions())
def test_a_capture_in_which_it_fails(function: str, made: Path, stage: Path, known: dict[str, int]) -> None:
    """The dump is taken all the same, or a line says why not."""
    if function not in known:
        pytest.skip("the compiler has put it into its caller")
    with machine(stage, made, known) as lab:
        lab.gdb.free_run()
        expect_filled(lab.session)
        lab.gdb.interrupt()
        lab.session.qmp("system_reset")
        lab.session.until(lambda: lab.gdb.pc == RESET_VECTOR, "a reset")
        if not lab.fail(function):
            pytest.skip("a capture does not call it")
        start = len(lab.session.text)
        line = lab.outcome(VERIFIED, FILLED, *(() if is_dispensable(function) else (ENDS,)))
        if not re.match(VERIFIED, line):
            assert re.search(REASON, lab.session.text[start:], re.MULTILINE), lab.session.text[start:]
