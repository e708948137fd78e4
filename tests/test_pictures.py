# SPDX-License-Identifier: BSD-2-Clause
"""The pictures say what the log says: each address of RAM once, by its strongest owner."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from lifeboatlib import bootlog, memorymap, story, svg, tables, timeline
from lifeboatlib.bench import chart
from lifeboatlib.bench.bed import Figure
from lifeboatlib.paths import REPO
from lifeboatlib.ui import LifeboatError

LOG = """
OpenSBI v1.6
lifeboat: boot: lifeboat 0.1.0 at 0x80200000, hart 0
lifeboat: crash: region [0x90000000..0x97ffffff] 128 MiB, record empty, attempts 0 of 1
lifeboat: memory: [0x80000000..0x9fffffff] RAM
lifeboat: memory: [0x80000000..0x8003ffff]   firmware: mmode_resv0@80000000
lifeboat: memory: [0x80200000..0x80281fff]   the stage: as loaded
lifeboat: memory: [0x90000000..0x97ffffff]   the crash region: not for the primary
lifeboat: stage: moved to 0x97c00000, running in Sv57 on 14 tables
lifeboat: crash: lost on a reset: [0x80200000..0x80281fff] 520 KiB, the stage (as loaded)
lifeboat: plan: kernel  [0x90000000..0x91ffffff] 32768 KiB, from 0xa038e000
lifeboat: plan: kernel  [0x80400000..0x823fffff] 32768 KiB, from 0xa038e000
lifeboat: cost: 10 instructions of our own, 20 for 0 KiB copied, 30 for the console
lifeboat: cost: 40 instructions for 104170 KiB checked
lifeboat: handoff: to 0x80400000 with a0 = 0, a1 = 0x9fffd000
[    1.0] Linux
lifeboat: boot: lifeboat 0.1.0 at 0x80200000, hart 0
lifeboat: crash: region [0x90000000..0x97ffffff] 128 MiB, record armed, attempts 0 of 1
lifeboat: memory: [0x80000000..0x9fffffff] RAM
lifeboat: memory: [0x80000000..0x8003ffff]   firmware: mmode_resv0@80000000
lifeboat: stage: moved to 0x97c00000, running in Sv57 on 14 tables
lifeboat: crash: 730 MiB of the dead kernel's RAM in 4 pieces, 1 notes, core header at 0x91ffb000
lifeboat: handoff: to 0x90000000 with a0 = 0, a1 = 0x97000000
lifeboat: boot: cut off
""".replace("\n", "\r\n")
SIZE = 0x20000000


def test_a_log_has_as_many_boots_as_the_stage_ran() -> None:
    first, second, third = bootlog.boots(LOG)
    assert (first.captures, second.captures) == (False, True)
    assert first.cost == {"own work": 10, "copying": 20, "console": 30, "checking": 40}
    assert first.region == second.region and not third.handoff


@pytest.mark.parametrize("which", [0, 1])
def test_each_address_has_one_owner(which: int) -> None:
    boot = memorymap.of_interest(list(bootlog.boots(LOG)))[which]
    found = memorymap.pieces(boot)
    assert sum(piece.span.size for piece in found) == SIZE
    assert all(one.span.end == next.span.start for one, next in zip(found, found[1:], strict=False))
    owner = {piece.span.start: piece.owner for piece in found}
    assert owner[0x80200000] is memorymap.LOST and owner[0x80000000] is memorymap.FIRMWARE
    assert owner[0x90000000] is memorymap.CRASH and owner[0x97C00000] is memorymap.STAGE
    assert owner[0x98000000] is (memorymap.KEPT if which else memorymap.FREE)
    if not which:
        assert owner[0x80400000] is memorymap.PRIMARY


def test_the_pictures_are_xml_and_name_what_they_show() -> None:
    boots = list(bootlog.boots(LOG))
    figures = [("checking", "lifeboat", 12_300_000), ("booti", "U-Boot", 4_560)]
    bars = chart.draw([Figure("boot", what, who, value, "instructions", "") for what, who, value in figures])
    drawn = (bars, memorymap.draw(memorymap.of_interest(boots)), timeline.draw(timeline.told(boots)), story.draw())
    for picture, words in zip(drawn, ("12.3 M", "preserved", "checking", "Capture"), strict=True):
        assert words in "".join(ElementTree.fromstring(picture).itertext())
    assert "&lt;" in svg.text(0, 0, "<")


def test_what_is_no_log_is_said_in_a_line() -> None:
    for ask in (memorymap.of_interest, timeline.told):
        with pytest.raises(LifeboatError):
            ask(list(bootlog.boots("Linux version 6.12")))


def test_a_walk_ends_at_a_leaf_or_a_hole() -> None:
    memory = {0x1000 + 8 * 2: 0x2 << 10 | 1, 0x2000 + 8 * 1: 0x3 << 10 | 1, 0x3000: 0x80200 << 10 | 0x4B}
    walked = tables.walk("", 8 << 60 | 1, 0x80200000, lambda at, _: memory.get(at, 0).to_bytes(8, "little"))
    assert [step.index for step in walked.steps] == [2, 1, 0]
    assert walked.result == "0x80200000" and walked.steps[-1].flags == "vr-x--a-"
    assert tables.walk("", 8 << 60 | 1, 0, lambda at, _: bytes(8)).result == "not mapped"


def test_every_picture_of_the_docs_is_shown_in_a_page() -> None:
    pages = [REPO / "README.md", *(REPO / "docs").glob("*.md")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    pictures = sorted(Path(REPO / "docs" / "pictures").glob("*.svg"))
    assert pictures and [each.name for each in pictures if f"pictures/{each.name}" not in text] == []
