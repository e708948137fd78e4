# SPDX-License-Identifier: BSD-2-Clause
"""The demo's story, from death to dump: Debian's own makedumpfile on /proc/vmcore, read on the host."""

from pathlib import Path

import pytest
from lifeboatlib import demo

STORY = (demo.pack_a_crash_bundle, demo.let_it_die, demo.look_into_the_dump)
ENDINGS = {"panic": "panic", "hang": "cut", "early": "panic"}


@pytest.mark.slow
@pytest.mark.parametrize(("sv", "smp", "memory"), [(39, 4, "1G"), (48, 1, "4G"), (57, 4, "4G")])
def test_makedumpfile_works_in_every_mode(
    sv: int, smp: int, memory: str, stage: Path, tmp_path: Path
) -> None:
    """Sv39, Sv48 and Sv57, one hart and four, small and large."""
    story = demo.Story(tmp_path, echo=None, stage=stage, sv=sv, smp=smp, memory=memory)
    assert demo.play(story, STORY) is None


@pytest.mark.slow
@pytest.mark.parametrize("cause", ENDINGS)
def test_a_dead_kernels_dump_is_saved(cause: str, stage: Path, tmp_path: Path) -> None:
    """A panic, a hang with a watchdog, a death before userspace; the token is in the dump's dmesg."""
    story = demo.Story(tmp_path, cause=cause, echo=None, stage=stage)
    assert demo.play(story, STORY) is None
    assert story.facts[0] == f"ended by {ENDINGS[cause]}"
