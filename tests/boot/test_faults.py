# SPDX-License-Identifier: BSD-2-Clause
"""Each function of the stage that can fail does so, once: in a normal boot, and on the way to the crash kernel.

No build option makes it fail: the debugger stops the very stage that is shipped as it calls the function for the first
time, and returns an error in its place. (A function that the compiler has put into its caller has no call; its caller
fails then.) So every error return of boot/ is taken, but for those inside of such functions.

A function that no boot of a plain bundle calls may be called by one that is signed, packed and has an overlay: that one is
tried next.

Whatever fails: no trap, no silence. A crash side that fails leaves the boot as it would be without one. A capture that
fails is tried again, or given up with a reason.
"""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import keyed
import pytest
from crash_bare import FILLED, REGION, VERIFIED, bare_bundle, expect_filled
from lifeboatlib.gdbstub import Gdb, debugged
from symbols import symbols

from house import stage_files
from lifeboatlib import bundle, keys
from lifeboatlib.paths import REPO
from lifeboatlib.qemu import Machine, Session

Build = Callable[..., object]

MEMORY = "256M"
RESET_VECTOR = 0x1000
LAST = "trampoline_start"  # the page that norelocate begins
NO_SPACE, SBI_FAILED = -4, -1  # LB_ENOSPC; SBI_ERR_FAILED
HARM = r"^lifeboat: trap.*|^(checker|primary): (FAIL|trap).*"
CRASH_SIDE = ("boot/crash/", "kexec/crash/", "kexec/dead/")  # what a boot must be able to do without
REASON = r"^lifeboat: (warning|ERROR): "  # (its text is stale: the function that was to write it did not run)
ENDS = r"^lifeboat: ERROR: boot: nothing was started; shutting down$"
OVERLAY = '/dts-v1/; /plugin/; &{/} { overlaid { compatible = "lifeboat,overlaid"; }; };'
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


@dataclass(frozen=True)
class Case:
    """A bundle, the FDT that goes with it, and the stage."""

    stage: Path
    known: dict[str, int]
    made: Path
    dtb: Path | None = None

    @contextmanager
    def machine(self) -> Iterator[Lab]:
        """One that has not yet begun."""
        machine = Machine(kernel=self.stage, initrd=self.made, dtb=self.dtb, memory=MEMORY)
        with debugged(machine) as (session, gdb):
            yield Lab(session, gdb, self.known)


def plain(build_payload: Build, directory: Path) -> tuple[Path, None]:
    """Pattern and checker; the second try is for a first that fails."""
    return bare_bundle(build_payload, directory / "bare.itb", attempts=2, WAIT=1), None


def rich(build_payload: Build, directory: Path, keydir: Path) -> tuple[Path, Path]:
    """The same, but signed, packed, with an initramfs and an overlay; for a machine that demands the signature."""
    overlay, ramdisk = directory / "overlay.dtbo", directory / "ramdisk"
    subprocess.run(["dtc", "-q", "-@", "-O", "dtb", "-o", overlay], input=OVERLAY, text=True, check=True)
    ramdisk.write_bytes(bytes(8192))
    primary = bundle.linux(build_payload("crash_primary", WAIT=1).bin)  # type: ignore[attr-defined]
    checker = bundle.linux(build_payload("crash_checker").bin)  # type: ignore[attr-defined]
    made = bundle.simple(bundle.compress(primary, "gzip", directory), ramdisk)
    made = bundle.with_fdts(made, [overlay])
    crash = bundle.Crash(REGION, 2, "capture")
    made = bundle.with_crash(made, payload=bundle.compress(checker, "zstd", directory), crash=crash)
    made = replace(made, signing=bundle.Signing(keyed.private(keydir, "rsa2048")))
    dtb = keyed.virt_fdt(directory, MEMORY, keydir, ["rsa2048"], keys.Policy(required="conf"))
    return made.write(directory / "rich.itb"), dtb


@pytest.fixture(scope="module")
def cases(
    build_payload: Build, stage: Path, stage_elf: Path, keydir: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Case]:
    """In the order in which they are tried."""
    directory = tmp_path_factory.mktemp("faults")
    found = symbols(stage_elf)
    both = (plain(build_payload, directory), rich(build_payload, directory, keydir))
    return [Case(stage, found, made, dtb) for made, dtb in both]


def try_each(function: str, cases: list[Case], fails: Callable[[Lab, str], bool]) -> None:
    """The first machine that calls the function, made to fail there."""
    if function not in cases[0].known:
        pytest.skip("the compiler has put it into its caller")
    for case in cases:
        with case.machine() as lab:
            if fails(lab, function):
                return
    pytest.skip("neither machine calls it")


def fails_in_a_boot(lab: Lab, function: str) -> bool:
    """The primary starts, or a line says why not; for the crash side's sake it always starts."""
    if not lab.fail(function):
        return False
    line = lab.outcome(FILLED, ENDS)
    if is_dispensable(function):
        text = lab.session.text
        assert re.match(FILLED, line), f"a machine with crash support boots worse than without:\n{text}"
    return True


def fails_in_a_capture(lab: Lab, function: str) -> bool:
    """The dump is taken all the same, or a line says why not."""
    lab.gdb.free_run()
    expect_filled(lab.session)
    lab.gdb.interrupt()
    lab.session.qmp("system_reset")
    lab.session.until(lambda: lab.gdb.pc == RESET_VECTOR, "a reset")
    if not lab.fail(function):
        return False
    start = len(lab.session.text)
    line = lab.outcome(VERIFIED, FILLED, *(() if is_dispensable(function) else (ENDS,)))
    if not re.match(VERIFIED, line):
        assert re.search(REASON, lab.session.text[start:], re.MULTILINE), lab.session.text[start:]
    return True


@pytest.mark.slow
@pytest.mark.parametrize("function", functions())
def test_a_boot_in_which_it_fails(function: str, cases: list[Case]) -> None:
    try_each(function, cases, fails_in_a_boot)


@pytest.mark.slow
@pytest.mark.parametrize("function", functions())
def test_a_capture_in_which_it_fails(function: str, cases: list[Case]) -> None:
    try_each(function, cases, fails_in_a_capture)
