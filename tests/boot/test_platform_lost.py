# SPDX-License-Identifier: BSD-2-Clause
"""What a platform declares lost is nobody's: not the primary's, not the dump's. On sifive_u, behind OpenSBI."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from crash_bare import bare_bundle, expect_filled, expect_verified
from harness import find
from lifeboatlib.qemu import Machine, Session

LOST = r"^lifeboat: crash: lost on a reset: \[(0x[0-9a-f]+)\.\.(0x[0-9a-f]+)\] \d+ KiB, lost memory \((.*)\)$"
DECLARED = [("0x80060000", "0x801fffff", "OpenSBI"), ("0x85000000", "0x858fffff", "SPL heap")]


@pytest.mark.slow
def test_lost_memory_is_kept_from_the_primary_and_out_of_the_dump(
    stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    """The primary fills all that its FDT gives it; the core header has just that, unaltered."""
    made = bare_bundle(build_payload, tmp_path / "b.itb")
    with Session(Machine(kernel=stage, initrd=made, machine="sifive_u", smp=5)) as session:
        filled = expect_filled(session)
        assert re.findall(LOST, session.text, re.MULTILINE) == DECLARED
        expect_verified(session, filled)
    # All RAM but: the region, what is lost (the two above, stage, bundle, FDT) and OpenSBI's 384 KiB.
    lost = re.findall(r"lost on a reset: .* (\d+) KiB, ", session.text[: filled.start()])
    region = find(r"crash: region \S+ (\d+) MiB", session.text)
    own = int(filled[3], 16) - int(filled[2], 16)
    given = (1 << 30) - (int(region[1]) << 20) - (sum(map(int, lost)) << 10) - 0x60000
    assert int(filled[1]) + own == given
