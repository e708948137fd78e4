# SPDX-License-Identifier: BSD-2-Clause
"""The dead kernel's RAM as a crash payload sees it through the core header: whole, and unaltered."""

from collections.abc import Callable
from pathlib import Path

import pytest
from crash_bare import FIRST_LINE, GIVEN_UP, bare_bundle, expect_filled, expect_verified
from lifeboatlib.qemu import Machine, Session

# The last has RAM above 4 GiB.
MODES = [(39, 1, "512M"), (48, 4, "512M"), pytest.param(57, 1, "512M", marks=pytest.mark.long), (57, 4, "3G")]


@pytest.mark.slow
@pytest.mark.parametrize(("sv", "smp", "memory"), MODES)
def test_every_word_of_ram_is_there_and_unaltered(
    sv: int,
    smp: int,
    memory: str,
    stage: Path,
    build_payload: Callable[..., object],
    tmp_path: Path,
) -> None:
    """All that the primary may write, no more and no less, is in the PT_LOADs."""
    made = bare_bundle(build_payload, tmp_path / "bare.itb")
    with Session(Machine(kernel=stage, initrd=made, sv=sv, smp=smp, memory=memory)) as session:
        filled = expect_filled(session)
        print(f"\n{expect_verified(session, filled)} bytes verified of {memory}")


@pytest.mark.slow
def test_a_reset_from_outside_leaves_every_word(
    stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    made = bare_bundle(build_payload, tmp_path / "bare.itb", WAIT=1)
    machine = Machine(kernel=stage, initrd=made, memory="256M", qmp=tmp_path / "qmp")
    with Session(machine) as session:
        filled = expect_filled(session)
        session.qmp("system_reset")
        expect_verified(session, filled)


@pytest.mark.slow
def test_ten_cycles_are_decided_right_without_a_log(
    stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    """Crash, capture, normal boot: each boot does one of the three, in turn."""
    made = bare_bundle(build_payload, tmp_path / "bare.itb")
    with Session(Machine(kernel=stage, initrd=made, memory="256M")) as session:
        for _ in range(10):
            filled = expect_filled(session)
            expect_verified(session, filled)
            session.expect(GIVEN_UP)
        expect_filled(session)
        boots = session.text.count(FIRST_LINE)
        assert boots == 21, f"{boots} boots for ten crashes, ten captures and the boot behind them"
