# SPDX-License-Identifier: BSD-2-Clause
"""Damage and bad luck: bit flips in what is retained, and resets in the middle of the stage's own work."""

import re
from pathlib import Path

import pytest
from crash_lab import ARMED, CAPTURED, ENDED, READY, Lab, crash_bundle
from lifeboatlib.qemu import Machine, Session

pytestmark = pytest.mark.long  # test_crash_damage.py does the like without Linux, in the default suite

RAM_BASE = 0x80000000
RAM_SIZE = 768 << 20
PANIC = "echo c > /proc/sysrq-trigger"
# As soon as such a line comes: from the stage that arms, and from the one that captures.
RESETS = (
    ("stage: moved", ENDED),
    ("crash: lost on a reset", "lifeboat: dead: "),
    ("plan: kernel", "of the dead kernel's RAM"),
    (ARMED, "lifeboat: cost: "),
    ("lifeboat: handoff: ", "lifeboat: handoff: "),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle."""
    return crash_bundle(tmp_path_factory.mktemp("faults"))


def machine(stage: Path, made: Path, tmp_path: Path) -> Machine:
    """Its RAM is a file."""
    backend = f"memory-backend-file,id=ram,size={RAM_SIZE},mem-path={tmp_path / 'ram'},share=on"
    return Machine(
        kernel=stage, initrd=made, qmp=tmp_path / "qmp", memory=f"{RAM_SIZE >> 20}M",
        machine="virt,memory-backend=ram", extra=("-object", backend),
    )  # fmt: skip


def flip(tmp_path: Path, pa: int) -> None:
    """Turns one bit of RAM around, behind the machine's back."""
    with (tmp_path / "ram").open("r+b") as ram:
        ram.seek(pa - RAM_BASE)
        byte = ram.read(1)[0]
        ram.seek(pa - RAM_BASE)
        ram.write(bytes([byte ^ 0x10]))


def region(console: str) -> tuple[int, int]:
    """First and last byte of the crash region."""
    match = re.search(r"crash: region \[(0x[0-9a-f]+)\.\.(0x[0-9a-f]+)\]", console)
    assert match
    return int(match[1], 16), int(match[2], 16)


def die_with_flips(session: Session, tmp_path: Path, *addresses: int) -> None:
    """Flips bits while the primary runs, then has it panic."""
    lab = Lab(session)
    session.expect(READY)
    session.qmp("stop")
    for pa in addresses:
        flip(tmp_path, pa)
    session.qmp("cont")
    session.send(PANIC + "\n")
    lab.expect("Kernel panic")


def test_a_damaged_staged_kernel_is_loaded_again(made: Path, stage: Path, tmp_path: Path) -> None:
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        lab.expect(ARMED)
        base, _ = region(session.text)
        die_with_flips(session, tmp_path, base + (5 << 20))
        lab.expect("is damaged: staging from the bundle again")
        lab.captured()


@pytest.mark.parametrize("number", [0, 1])
def test_one_damaged_slot_of_the_record_leaves_the_other(
    number: int, made: Path, stage: Path, tmp_path: Path
) -> None:
    """Either slot says armed, so whichever is hit, the crash is captured."""
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        lab.expect(ARMED)
        _, last = region(session.text)
        die_with_flips(session, tmp_path, last + 1 - 8192 + number * 4096 + 0x30)
        lab.expect(r"lifeboat: crash: region .* record armed")
        lab.captured()


def test_two_damaged_slots_are_refused_with_a_reason(made: Path, stage: Path, tmp_path: Path) -> None:
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        lab.expect(ARMED)
        _, last = region(session.text)
        die_with_flips(session, tmp_path, last + 1 - 8192 + 0x30, last + 1 - 4096 + 0x30)
        lab.expect("lifeboat: warning: .*: not used")
        lab.not_captured()
        lab.expect(READY)


@pytest.mark.parametrize(("arming", "capturing"), RESETS)
def test_a_reset_in_the_middle_of_the_stage_is_survived(
    arming: str, capturing: str, made: Path, stage: Path, tmp_path: Path
) -> None:
    """While it arms, and while it captures: the next boots end in a capture or a reason, and a primary."""
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        lab.expect(arming)
        session.qmp("system_reset")
        lab.order(PANIC)
        lab.expect("Kernel panic")
        lab.expect("lifeboat: boot: ")
        lab.expect(capturing)
        session.qmp("system_reset")
        found = lab.expect(f"{CAPTURED}|given up, booting normally|the crash kernel died")
        assert found
        lab.expect(ARMED)
        lab.expect(READY)
