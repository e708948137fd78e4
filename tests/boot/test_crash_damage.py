# SPDX-License-Identifier: BSD-2-Clause
"""Bits that flip while the primary runs, and a bundle that is another one after the reset.

RAM is a file, so that a test changes it behind the machine's back, and so that it outlives QEMU.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from crash_bare import (
    FILLED, GIVEN_UP, REGION, VERIFIED, assert_verified, bare_bundle, expect_filled,
    expect_verified,
)  # fmt: skip
from harness import write_noise
from lifeboatlib import bundle
from lifeboatlib.qemu import Machine, Session

pytestmark = pytest.mark.slow

RAM_BASE = 0x80000000
RAM_SIZE = 256 << 20
PAGE = 4096
# docs/abi.md: in a slot of the record.
GENERATION, STATE, PIECES, PIECE_SIZE = 0x14, 0x18, 0x160, 24
CORE, FDT, INITRD, IMAGE = range(4)
ARMED = 1
RESTAGED = r"^lifeboat: warning: crash: the staged piece at (0x[0-9a-f]+) is damaged"


class Ram:
    """The file, and what is in it."""

    def __init__(self, path: Path, region_end: int) -> None:
        self.path = path
        slots = [region_end - 2 * PAGE, region_end - PAGE]
        numbers = [struct.unpack("<I", self.read(slot + GENERATION, 4))[0] for slot in slots]
        assert abs(numbers[0] - numbers[1]) == 1, f"no two slots, but generations {numbers}"
        self.newest, self.older = sorted(slots, key=lambda slot: -numbers[slots.index(slot)])
        assert struct.unpack("<I", self.read(self.newest + STATE, 4))[0] == ARMED

    def read(self, pa: int, size: int) -> bytes:
        """Reads by physical address."""
        with self.path.open("rb") as ram:
            ram.seek(pa - RAM_BASE)
            return ram.read(size)

    def piece(self, index: int) -> int:
        """Where a piece is staged."""
        pa, size = struct.unpack("<QQ", self.read(self.newest + PIECES + index * PIECE_SIZE, 16))
        assert size
        return int(pa)

    def flip(self, pa: int) -> None:
        """Turns one bit around."""
        byte = self.read(pa, 1)[0]
        with self.path.open("r+b") as ram:
            ram.seek(pa - RAM_BASE)
            ram.write(bytes([byte ^ 0x10]))


PLACES: dict[str, Callable[[Ram], list[int]]] = {
    "staged FDT": lambda ram: [ram.piece(FDT) + 0x60],
    "staged kernel": lambda ram: [ram.piece(IMAGE) + 0x48],
    "newest slot": lambda ram: [ram.newest + 0x38],
    "older slot": lambda ram: [ram.older + 0x38],
    "both slots": lambda ram: [ram.newest + 0x38, ram.older + 0x38],
}


def machine(stage: Path, made: Path, directory: Path, size: int = RAM_SIZE) -> Machine:
    """Its RAM is a file, its button the test's."""
    path = directory / "ram"
    backend = f"memory-backend-file,id=ram,size={size},mem-path={path},share=on"
    return Machine(
        kernel=stage, initrd=made, memory=f"{size >> 20}M", qmp=directory / "qmp",
        machine="virt,memory-backend=ram", extra=("-object", backend),
    )  # fmt: skip


def damage(place: str, session: Session, directory: Path) -> re.Match[str]:
    """Flips bits when the primary is up, and resets; the match tells what the primary wrote."""
    filled = expect_filled(session)
    found = re.search(r"crash: region \[0x[0-9a-f]+\.\.(0x[0-9a-f]+)\]", session.text)
    assert found
    session.qmp("stop")
    ram = Ram(directory / "ram", int(found[1], 16) + 1)
    for pa in PLACES[place](ram):
        ram.flip(pa)
    session.qmp("system_reset")
    session.qmp("cont")
    return filled


@pytest.fixture
def made(build_payload: Callable[..., object], tmp_path: Path) -> Path:
    """The bundle; its primary waits for the button."""
    return bare_bundle(build_payload, tmp_path / "bare.itb", WAIT=1)


@pytest.mark.parametrize("place", ["staged FDT", "staged kernel"])
def test_what_is_damaged_is_staged_again(place: str, made: Path, stage: Path, tmp_path: Path) -> None:
    with Session(machine(stage, made, tmp_path)) as session:
        filled = damage(place, session, tmp_path)
        session.expect(RESTAGED)
        expect_verified(session, filled)


@pytest.mark.parametrize("place", ["newest slot", "older slot"])
def test_one_damaged_slot_does_not_cost_the_dump(
    place: str, made: Path, stage: Path, tmp_path: Path
) -> None:
    with Session(machine(stage, made, tmp_path)) as session:
        filled = damage(place, session, tmp_path)
        verdict = session.expect(f"{VERIFIED}|{FILLED}")
        assert verdict[0].startswith("checker"), "the primary was started again"
        assert_verified(session.text, verdict, filled)


def test_two_damaged_slots_are_a_normal_boot_with_a_reason(
    made: Path, stage: Path, tmp_path: Path
) -> None:
    with Session(machine(stage, made, tmp_path)) as session:
        damage("both slots", session, tmp_path)
        session.expect(r"^lifeboat: warning: crash record: none to trust: .*: not used$")
        expect_filled(session)


def test_what_the_old_bundle_covered_is_left_out_when_the_new_one_is_smaller(
    build_payload: Callable[..., object], stage: Path, tmp_path: Path
) -> None:
    """It was lost when the dead kernel booted, so it was never that kernel's."""
    noise = write_noise(tmp_path / "noise", 3_000_000)
    large = bare_bundle(build_payload, tmp_path / "large.itb", ramdisk=noise, WAIT=1)
    small = bare_bundle(build_payload, tmp_path / "small.itb", WAIT=1)
    with Session(machine(stage, large, tmp_path)) as session:
        filled = expect_filled(session)
    with Session(machine(stage, small, tmp_path)) as session:
        expect_verified(session, filled)
        session.expect(GIVEN_UP)


def test_a_changed_region_size_does_not_hide_the_dead_kernel(
    build_payload: Callable[..., object], stage: Path, tmp_path: Path
) -> None:
    """It is captured where it was armed; then one more reset makes the region that is asked for."""
    old = bare_bundle(build_payload, tmp_path / "old.itb", WAIT=1)
    new = bare_bundle(build_payload, tmp_path / "new.itb", region=REGION - (2 << 20), WAIT=1)
    with Session(machine(stage, old, tmp_path)) as session:
        filled = expect_filled(session)
    with Session(machine(stage, new, tmp_path)) as session:
        session.expect(r"warning: crash: the record is of another crash region, .*: not used")
        expect_verified(session, filled)
        session.expect(GIVEN_UP)
        session.expect("the bundle wants another crash region: resetting once")
        size = session.expect(r"crash: region \S+ (\d+) MiB, record empty")[1]
        assert int(size) << 20 == REGION - (2 << 20)
        expect_filled(session)


def test_a_bundle_without_crash_configuration_captures_once_and_gives_the_region_up(
    build_payload: Callable[..., object], stage: Path, tmp_path: Path
) -> None:
    old = bare_bundle(build_payload, tmp_path / "old.itb", WAIT=1)
    primary = build_payload("crash_primary", WAIT=1)
    plain = bundle.simple(bundle.linux(primary.bin)).write(tmp_path / "plain.itb")  # type: ignore[attr-defined]
    with Session(machine(stage, old, tmp_path)) as session:
        filled = expect_filled(session)
    with Session(machine(stage, plain, tmp_path)) as session:
        expect_verified(session, filled)
        session.expect(GIVEN_UP)
        session.expect("no crash configuration any more: the old region is given up")
        expect_filled(session)
        session.qmp("system_reset")
        session.expect("no crash kernel: the bundle has no crash configuration")
        expect_filled(session)


@pytest.mark.parametrize(
    ("kind", "end"), [("kernel", "0xffffffff"), pytest.param("firmware", "0xfbffffff", marks=pytest.mark.long)]
)
def test_an_old_region_below_4_gib_is_found_in_the_middle_of_ram(
    kind: str, end: str, build_payload: Callable[..., object], stage: Path, tmp_path: Path
) -> None:
    """RAM goes on behind it there, so no end of a free piece leads to it. Beside firmware it lies lower."""
    stays = build_payload("named", NAME='"loop"', STAY=1)
    loop = bundle.linux(stays.bin)  # type: ignore[attr-defined]
    plain = bundle.simple(loop)
    primary = bundle.simple(replace(loop, kind=kind))
    crash = bundle.with_crash(primary, payload=loop, crash=bundle.Crash(REGION, 1, "capture"))
    armed = machine(stage, crash.write(tmp_path / "crash.itb"), tmp_path, size=5 << 30)
    with Session(armed) as session:
        session.expect(rf"crash: region \[0x\w+\.\.{end}\]")
        session.expect("crash: armed")
        session.expect("^named: loop")
    with Session(machine(stage, plain.write(tmp_path / "plain.itb"), tmp_path, size=5 << 30)) as session:
        session.expect(rf"crash: region \[0x\w+\.\.{end}\].* record armed")
        session.expect("crash: \\d+ MiB of the dead kernel's RAM")
