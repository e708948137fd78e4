# SPDX-License-Identifier: BSD-2-Clause
"""lifeboat-ctl's answers for people: would the next crash be captured, and does a reset keep RAM?"""

import re
import struct
import zlib
from pathlib import Path

import pytest

from test_ctl import (  # noqa: F401 (program is what target is made of)
    ARMED, BASE, DISARMED, KEPT, RECORD, SLOT, Target, program, refused, slot, target,
)  # fmt: skip


PAGE = 0x1000
MOST = 0x200_0000  # of a pattern
# The slot's pieces are the first page of usable memory, and two at 240 MiB.
ROOM = BASE + PAGE


def changed(made: bytes, old: bytes, new: bytes) -> bytes:
    """A slot of which some bytes are others, with a good checksum."""
    other = made.replace(old, new, 1)
    assert other != made and len(other) == len(made)
    return other[:8] + struct.pack("<I", zlib.crc32(other[12:])) + other[12:]


def a_kernel(root: Path, differs: dict[str, str | None]) -> Path:
    """What /proc and /sys say on a machine that is well, but for some files; None: there is no such file."""
    well = {"proc/sys/kernel/panic": "5", "sys/kernel/reboot/mode": "warm", "sys/kernel/vmcoreinfo": "0x1000 1024"}
    for name, content in {**well, **differs}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_text(content + "\n", encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("state", "kernel", "said"),
    [
        (ARMED, {}, []),
        (DISARMED, {}, ["not armed"]),
        (ARMED, {"proc/sys/kernel/panic": "0"}, ["panic=0"]),
        (ARMED, {"proc/sys/kernel/panic": "-1", "sys/kernel/reboot/mode": "warm"}, []),
        (ARMED, {"sys/kernel/reboot/mode": "cold"}, ["warning: a panic resets cold"]),
        (ARMED, {"sys/kernel/vmcoreinfo": None}, ["warning: the kernel has no VMCOREINFO"]),
        (DISARMED, {"proc/sys/kernel/panic": "0"}, ["not armed", "panic=0"]),
    ],
)
def test_status_says_whether_the_next_crash_would_be_captured(
    state: int, kernel: dict[str, str | None], said: list[str], target: Target, tmp_path: Path
) -> None:
    target.write(RECORD - SLOT, slot(state, 5))
    root = a_kernel(tmp_path / "root", kernel)
    lines = target.run("--root", str(root), "status").stdout.splitlines()
    bad = [words for words in said if not words.startswith("warning")]
    assert lines[0] == "next crash:   would " + ("NOT be captured" if bad else "be captured")
    reasons = [" ".join(line.split()) for line in lines[1:] if line.startswith("  ")]
    assert len(reasons) == len(said)
    for line, words in zip(reasons, said, strict=True):
        assert words in line


def test_status_says_that_no_crash_kernel_is_there(target: Target, tmp_path: Path) -> None:
    entry = struct.pack("<QQ", BASE, 7)
    target.write(RECORD - SLOT, changed(slot(ARMED, 5), entry, struct.pack("<QQ", 0, 7)))
    root = a_kernel(tmp_path / "root", {})
    lines = target.run("--root", str(root), "status").stdout.splitlines()
    assert lines[0].endswith("would NOT be captured") and "no crash kernel" in lines[1]


def pattern(seed: int, index: int) -> bytes:
    """A word of the pattern: splitmix64, as its author published it."""
    bits = 2**64 - 1
    z = (seed + (index + 1) * 0x9E3779B97F4A7C15) & bits
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & bits
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & bits
    return struct.pack("<Q", z ^ z >> 31)


def harm(target: Target, at: int, content: bytes) -> None:
    with target.memory.open("r+b") as file:
        file.seek(at)
        file.write(content)


def report(target: Target, note: Path) -> tuple[int, dict[str, str]]:
    done = target.run("--test", str(note), "test", "--report")
    assert done.stderr == ""
    rows = dict(line.split(":", 1) for line in done.stdout.splitlines())
    return done.returncode, {key: value.strip() for key, value in rows.items()}


def test_the_doctor_counts_what_a_reset_left(target: Target, tmp_path: Path) -> None:
    (target.devicetree / "model").write_bytes(b"riscv-virtio,qemu\0")
    note = tmp_path / "note"
    assert target.run("--test", str(note), "test").returncode == 0
    base, size, seed = (int(word, 16) for word in note.read_text(encoding="utf-8").split())
    assert (base, size) == (ROOM, MOST)
    with target.memory.open("rb") as file:
        file.seek(ROOM)
        assert file.read(16) == pattern(seed, 0) + pattern(seed, 1)
        file.seek(ROOM + MOST - 8)
        assert file.read(16) == pattern(seed, MOST // 8 - 1) + bytes(8)
    assert "state:        disarmed" in target.run("status").stdout

    code, said = report(target, note)
    assert (code, said["pages"]) == (0, "8192 whole, 0 damaged, 0 lost")
    assert (said["machine"], said["bits kept"]) == ("riscv-virtio,qemu", "100.0000 %")
    assert ": RAM is kept over this reset\n" in target.run("--test", str(note), "status").stdout
    assert re.search(r"^last test: +none", target.run("--test", str(tmp_path / "no"), "status").stdout, re.M)
    harm(target, ROOM + PAGE, bytes(byte ^ 1 for byte in pattern(seed, PAGE // 8)))
    harm(target, ROOM + 5 * PAGE, bytes(PAGE))
    code, said = report(target, note)
    assert (code, said["pages"]) == (1, "8190 whole, 1 damaged, 1 lost")
    assert "harmed" in said["verdict"]
    harm(target, ROOM, bytes(MOST))
    code, said = report(target, note)
    assert (code, said["pages"]) == (1, "0 whole, 0 damaged, 8192 lost")
    assert "is lost" in said["verdict"]
    assert re.search(r"^last test: +\d{4}-\d\d-\d\d: RAM is lost", target.run("--test", str(note), "status").stdout, re.M)


def test_the_doctor_keeps_off_what_is_prepared(target: Target, tmp_path: Path) -> None:
    # From the third page to the end of usable memory but for half a page: the second page is left.
    piece = struct.pack("<QQ", BASE + 2 * PAGE, KEPT - BASE - 2 * PAGE - PAGE // 2)
    target.write(RECORD, changed(slot(ARMED, 6), struct.pack("<QQ", BASE + 0xF00_0000, 0x2000), piece))
    note = tmp_path / "note"
    assert target.run("--test", str(note), "test").returncode == 0
    assert [int(word, 16) for word in note.read_text(encoding="utf-8").split()][:2] == [ROOM, PAGE]
    for at in (BASE, BASE + 2 * PAGE):
        with target.memory.open("rb") as file:
            file.seek(at)
            assert file.read(PAGE) == bytes(PAGE)


@pytest.mark.parametrize(
    "note", ["", "1 2", "0xafff0000 0x20000 1", "0xb0000000 0x2001000 1", "0xb0000000 0 1", "0xb0000001 0x1000 1",
             "0xbfc00000 0x1000 1", "0xfffffffffffff000 0x2000 1"],
)  # fmt: skip
def test_a_doctors_note_of_elsewhere_is_refused(note: str, target: Target, tmp_path: Path) -> None:
    (tmp_path / "note").write_text(note, encoding="utf-8")
    refused(target.run("--test", str(tmp_path / "note"), "test", "--report"), "no test of the crash region")


def test_a_doctor_without_a_note_says_so(target: Target, tmp_path: Path) -> None:
    refused(target.run("--test", str(tmp_path / "none"), "test", "--report"), "no test was begun")
    refused(target.run("--test", str(tmp_path / "no" / "folder"), "test"), "cannot write")
