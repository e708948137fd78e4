# SPDX-License-Identifier: BSD-2-Clause
"""The demo's story, from death to dump: Debian's own programs on /proc/vmcore, read on the host."""

from collections.abc import Callable
from pathlib import Path

import pytest
from kdump import Pages
from lifeboatlib import demo

STORY = (demo.pack_a_crash_bundle, demo.let_it_die, demo.look_into_the_dump)
ENDINGS = {"panic": "panic", "hang": "cut", "early": "panic"}
MODES = [
    pytest.param(sv, smp, memory, marks=[] if (sv, smp, memory) in often else [pytest.mark.long])
    for often in [{(39, 4, "1G")}]
    for sv in (39, 48, 57)
    for smp in (1, 4)
    for memory in ("1G", "4G")
]


@pytest.mark.slow
@pytest.mark.parametrize(("sv", "smp", "memory"), MODES)
def test_the_log_and_a_dump_are_read_in_every_mode(
    sv: int, smp: int, memory: str, stage: Path, tmp_path: Path
) -> None:
    """By vmcore-dmesg and makedumpfile, in Sv39, Sv48 and Sv57, with one hart and four, little RAM and much."""
    story = demo.Story(tmp_path, echo=None, stage=stage, sv=sv, smp=smp, memory=memory)
    assert demo.play(story, STORY) is None
    print(f"\nSv{sv}, {smp} harts, {memory}: {story.facts}")


@pytest.mark.slow
@pytest.mark.parametrize("cause", [*(pytest.param(cause, marks=pytest.mark.long) for cause in ("panic", "hang")), "early"])
def test_a_dead_kernels_dump_is_saved(cause: str, stage: Path, tmp_path: Path) -> None:
    """A panic, a hang with a watchdog, a death before userspace; the token is in the dump's dmesg."""
    story = demo.Story(tmp_path, cause=cause, echo=None, stage=stage, keep=tmp_path / "kept")
    assert demo.play(story, STORY) is None
    assert story.facts[0] == f"ended by {ENDINGS[cause]}"
    assert story.dump and (tmp_path / "kept/vmcore.1").read_bytes() == story.dump.kdump[1].content


@pytest.mark.slow
@pytest.mark.long
def test_what_makedumpfile_leaves_out(
    stage: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Pages of zeroes, rightly; but of the kinds that it looks up in the page structs, pages in use, too.

    Once a release of makedumpfile changes that, it is told, and is no failure.
    """
    story = demo.Story(tmp_path, echo=None, stage=stage, levels=(1, 31))
    assert demo.play(story, STORY) is None
    assert story.dump
    for level, kdump in story.dump.kdump.items():
        print(f"\n-d {level}: {len(kdump.content) >> 10} KiB; left out: {kdump.left_out}")
    zeroes, filtered = (Pages(story.dump.kdump[level].content) for level in (1, 31))
    assert [kind for kind, count in story.dump.kdump[1].left_out.items() if count] == ["Pages filled with zero"]
    assert zeroes.left_out() == 0, "pages of zeroes are said to be so, and can be read"
    assert zeroes.has(zeroes.mem_section())
    assert filtered.left_out() > 0
    if filtered.has(filtered.mem_section()):
        record_property("terminal", "makedumpfile is mended: a dump by -d 31 is worth having (capture.py, docs/crash.md)")
