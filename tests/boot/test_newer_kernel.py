# SPDX-License-Identifier: BSD-2-Clause
"""The next Debian's kernel in both roles: another printk_info, KERNELOFFSET and satp in its VMCOREINFO."""

from pathlib import Path

import pytest
from crash_lab import ENDED, Lab, crash_bundle, machine
from lifeboatlib import demo
from lifeboatlib.qemu import Session
from test_demo import STORY

pytestmark = pytest.mark.slow
LONG = pytest.mark.long


@pytest.mark.parametrize(
    ("sv", "smp"),
    [pytest.param(39, 4, marks=LONG), (48, 1), pytest.param(57, 4, marks=LONG)],
)
def test_its_log_and_a_dump_are_read(sv: int, smp: int, stage: Path, tmp_path: Path) -> None:
    """By vmcore-dmesg and makedumpfile."""
    story = demo.Story(tmp_path, echo=None, stage=stage, sv=sv, smp=smp, newer=True)
    assert demo.play(story, STORY) is None
    print(f"\nSv{sv}, {smp} harts: {story.facts}")


@LONG
@pytest.mark.parametrize("sv", [39, 48, 57])
def test_its_ends_are_told_apart(sv: int, stage: Path, tmp_path: Path) -> None:
    """Orderly, forced and by panic, one after the other."""
    made = crash_bundle(tmp_path, newer=True)
    with Session(machine(stage, made, tmp_path, sv=sv)) as session:
        lab = Lab(session)
        lab.order("reboot -f")
        assert lab.expect(ENDED)[1] == "restart"
        lab.not_captured()
        for order, ending in (("b", "forced"), ("c", "panic")):
            lab.order(f"echo {order} > /proc/sysrq-trigger")
            assert lab.expect(ENDED)[1] == ending
            lab.captured()
