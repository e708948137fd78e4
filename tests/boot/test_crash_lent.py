# SPDX-License-Identifier: BSD-2-Clause
"""Lent: the primary uses the crash kernel's memory until it dies, and what userspace loaded is unpacked over that."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from crash_bare import GIVEN_UP, expect_filled, expect_verified
from lifeboatlib.qemu import Session
from test_crash_kept import EMPTY, USED, WISH, Lab, crash_bundle, plain_bundle

from lifeboatlib import bundle

pytestmark = pytest.mark.slow

LENT = r"^lifeboat: crash: lent to the primary: (\d+) MiB, in no dump$"
FILLED_LENT = r"^primary: filled (\d+) bytes that are lent$"


def test_a_crash_kernel_lands_on_what_the_primary_wrote_into_what_was_lent(
    build_payload: Callable[..., object], stage: Path, tmp_path: Path
) -> None:
    """All else of the dead primary's RAM is as it left it. The region is found again by its two nodes."""
    wish = replace(WISH, lent=True)
    made = bundle.with_reserve(plain_bundle(build_payload), wish).write(tmp_path / "lent.itb")
    checker = crash_bundle(build_payload("crash_checker"), tmp_path / "checker.itb")
    lab = Lab(tmp_path)
    with Session(lab.machine(stage, made)) as session:
        lent = session.expect(LENT)
        assert int(lent[1]) == (wish.region_size - wish.kept_size >> 20) - 4
        session.expect(EMPTY)
        assert int(session.expect(FILLED_LENT)[1]) == int(lent[1]) << 20
        filled = expect_filled(session)
        lab.find_region(session.text, lent=int(lent[1]) << 20)
        assert lab.ctl("load", checker) == "loaded\n"
        session.qmp("system_reset")
        session.expect(USED)
        expect_verified(session, filled)
        session.expect(GIVEN_UP)
