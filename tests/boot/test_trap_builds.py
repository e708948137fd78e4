# SPDX-License-Identifier: BSD-2-Clause
"""The stage as compilers build it to find bugs (-Dtraps=): it traps where a function has written beyond its
frame, or has done what C leaves undefined. Such a stage boots, checks signatures, unpacks, captures by reset and by
call, and does not trap. If it does, that ends as any trap: without a crash kernel, or with a line that says why.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import keyed
import pytest
from crash_bare import FILLED, REGION, VERIFIED, assert_verified, bare_bundle, expect_filled, expect_verified
from lifeboatlib.gdbstub import Gdb, debugged
from pagewalk import walk
from symbols import symbols

from lifeboatlib import bundle, keys
from lifeboatlib.qemu import Machine, Session

pytestmark = pytest.mark.long

Build = Callable[..., object]

MEMORY = "256M"
RESET_VECTOR = 0x1000
BUILDS = [(traps, compiler) for compiler in ("gcc", "clang") for traps in ("stack", "undefined")]
OVERRUN = r"trap: a function has written beyond its frame \(scause 0x3\) at "
ENDED = r"^lifeboat: ERROR: boot: nothing was started; shutting down\n"
OTHER_GUARD = b"overrun!"


@pytest.fixture(scope="module", params=BUILDS, ids="-".join)
def trapping(request: pytest.FixtureRequest, stage_with: Callable[..., Path]) -> Path:
    """The stage, built so."""
    traps, compiler = request.param
    return stage_with(f"-Dtraps={traps}", compiler=compiler)


@pytest.fixture(scope="module")
def guarded(stage_with: Callable[..., Path]) -> Path:
    """The stage that looks after its frames."""
    return stage_with("-Dtraps=stack")


def packed(payload: object, compression: str, directory: Path) -> bundle.Image:
    """A payload in a packed form."""
    return bundle.compress(bundle.linux(payload.bin), compression, directory)  # type: ignore[attr-defined]


@pytest.mark.parametrize("compression", ["none", "gzip", "lz4", "zstd"])
def test_it_boots_and_captures(
    trapping: Path, compression: str, keydir: Path, build_payload: Build, tmp_path: Path
) -> None:
    """By reset, of a signed bundle; then it gives up, and boots again."""
    key = "rsa2048" if compression == "none" else "ec"
    primary = packed(build_payload("crash_primary", WAIT=1), compression, tmp_path)
    checker = packed(build_payload("crash_checker"), compression, tmp_path)
    crash = bundle.Crash(REGION, 1, "capture")
    made = bundle.with_crash(bundle.simple(primary), payload=checker, crash=crash)
    made = replace(made, signing=bundle.Signing(keyed.private(keydir, key)))
    dtb = keyed.virt_fdt(tmp_path, MEMORY, keydir, [key], keys.Policy(required="conf"))
    path = made.write(tmp_path / "signed.itb")
    machine = Machine(kernel=trapping, initrd=path, memory=MEMORY, dtb=dtb, qmp=tmp_path / "qmp")
    with Session(machine) as session:
        filled = expect_filled(session)
        session.qmp("system_reset")
        expect_verified(session, filled)
        session.expect("given up, booting normally$")
        expect_filled(session)
        assert "lifeboat: ERROR" not in session.text


def test_it_captures_by_call(trapping: Path, build_payload: Build, tmp_path: Path) -> None:
    caller = bundle.linux(build_payload("crash_caller", LEVELS=3, SHARED=1).bin)  # type: ignore[attr-defined]
    checker = bundle.linux(build_payload("crash_checker").bin)  # type: ignore[attr-defined]
    made = bundle.with_crash(bundle.simple(caller), payload=checker, crash=bundle.Crash(REGION, 1, "boot"))
    path = made.write(tmp_path / "call.itb")
    with Session(Machine(kernel=trapping, initrd=path, memory=MEMORY)) as session:
        expect_verified(session, expect_filled(session))
        assert "lifeboat: ERROR" not in session.text


# An overrun frame: the debugger changes the word that frames are compared with, while some are in use.


def before_it_begins(stage: Path, made: Path) -> AbstractContextManager[tuple[Session, Gdb]]:
    """A machine that has not yet begun."""
    return debugged(Machine(kernel=stage, initrd=made, memory=MEMORY))


def overrun(gdb: Gdb, stage: Path, inside: str) -> None:
    """Goes to a function, and lets it seem that those that called it have written beyond their frames."""
    known = symbols(stage.with_suffix(".elf"))
    gdb.run_to(known[inside])
    guard = walk(gdb.register("satp"), gdb.read_physical).translate(known["__stack_chk_guard"])
    gdb.write_physical(guard, OTHER_GUARD)
    gdb.free_run()


def test_an_overrun_frame_ends_a_boot_with_a_report(
    guarded: Path, build_payload: Build, tmp_path: Path
) -> None:
    made = bare_bundle(build_payload, tmp_path / "bare.itb", WAIT=1)
    with before_it_begins(guarded, made) as (session, gdb):
        overrun(gdb, guarded, "fdt_read_machine")
        session.expect("^lifeboat: ERROR: " + OVERRUN)
        session.expect(ENDED)


def test_an_overrun_frame_of_the_crash_side_costs_the_crash_kernel_alone(
    guarded: Path, build_payload: Build, tmp_path: Path
) -> None:
    made = bare_bundle(build_payload, tmp_path / "bare.itb", WAIT=1)
    with before_it_begins(guarded, made) as (session, gdb):
        overrun(gdb, guarded, "load_machine")
        session.expect("^lifeboat: warning: crash: no crash kernel: " + OVERRUN)
        expect_filled(session)


def test_an_overrun_frame_in_a_capture_costs_a_boot_and_not_the_dump(
    guarded: Path, build_payload: Build, tmp_path: Path
) -> None:
    made = bare_bundle(build_payload, tmp_path / "bare.itb", WAIT=1)
    with before_it_begins(guarded, made) as (session, gdb):
        gdb.free_run()
        filled = expect_filled(session)
        gdb.interrupt()
        session.qmp("system_reset")
        session.until(lambda: gdb.pc == RESET_VECTOR, "a reset")
        overrun(gdb, guarded, "dead_open")
        session.expect("^lifeboat: ERROR: " + OVERRUN)
        session.expect("^lifeboat: ERROR: boot: resetting$")
        found = session.expect(f"{VERIFIED}|{FILLED}")
        assert found[0].startswith("checker: "), "the dump is lost"
        assert_verified(session.text, found, filled)
