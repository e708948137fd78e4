# SPDX-License-Identifier: BSD-2-Clause
"""lifeboat-ctl, built for this machine, on a device tree and a memory that are files.

The oracle makes records and logs by docs/abi.md's numbers and Python's zlib, not by the stage's code.
"""

import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from lifeboatlib.paths import REPO, SUBPROJECTS, host_dir
from lifeboatlib.qemu import patience

SOURCES = (
    "tools/lifeboat-ctl/doctor.c", "tools/lifeboat-ctl/find_region.c", "tools/lifeboat-ctl/lifeboat-ctl.c",
    "tools/lifeboat-ctl/ready.c", "base/crc32.c", "base/error.c", "kexec/crash/record.c", "kexec/crash/region.c", "mm/region.c",
)  # fmt: skip
FLAGS = (
    "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-Wshadow",
    "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
)  # fmt: skip

BASE, SIZE = 0xB000_0000, 0x1000_0000
END = BASE + SIZE
NODE = "lifeboat-crash@b0000000"
SLOT = 0x1000
RECORD_SIZE = 0x240
EMPTY, ARMED, DISARMED, CAPTURING, DONE = range(5)
COUNT = (2, 0b101, 0)  # early deaths, demoted configurations, confirmed
# Distance of the start of each part from the region's end, and its size.
RECORD, RUN_LOG, PREVIOUS_LOG, DEAD_LOG = 0x2000, 0x6000, 0xA000, 0x8A000
RUN_LOG_SIZE, DEAD_LOG_SIZE = 0x4000, 0x80000


def slot(state: int, generation: int, version: int = 3, base: int = BASE, count: tuple[int, ...] = COUNT) -> bytes:
    """A record's slot as docs/abi.md has it."""
    record = struct.pack("<II", state, 1) + struct.pack(
        "<QQQQQQQ", base, SIZE, 0x1234, 0x8040_0000, 0x1E6_B000, base, 7
    )
    record += struct.pack("<II", 1, 2)
    record += struct.pack("<QQ", 0x8020_0000, 0x2000).ljust(0x100, b"\0")
    record += struct.pack("<QQIIQQII", base + 0xF00_0000, 0x2000, 0, 0, base, 0x1000, 5, 0).ljust(0x90, b"\0")
    record += struct.pack("<QQ", 0x8800_0000, 0x100_0000)
    record += struct.pack("<QIIIIII", 0x5678, 1, *count, 3, 60) + b"spare".ljust(32, b"\0")
    checked = struct.pack("<III", RECORD_SIZE, version, generation) + record
    made = b"LBrecord" + struct.pack("<I", zlib.crc32(checked)) + checked
    assert len(made) == RECORD_SIZE
    return made


def with_image(made: bytes) -> bytes:
    """The record with four pieces, the last a kernel's image."""
    changed = bytearray(made)
    at = made.index(struct.pack("<QQ", BASE + 0xF00_0000, 0x2000))
    struct.pack_into("<QQII", changed, at + 3 * 24, BASE + 0x20_0000, 0x20_0000, 0, 0)
    count = made.index(struct.pack("<QQ", 0x8020_0000, 0x2000)) - 4
    struct.pack_into("<I", changed, count, 4)
    struct.pack_into("<I", changed, 8, zlib.crc32(bytes(changed[12:])))
    return bytes(changed)


def a_kernel(root: Path, differs: dict[str, str | None]) -> Path:
    """What /proc and /sys say on a machine that is well, but for some files; None: there is no such file."""
    well = {"proc/sys/kernel/panic": "5", "sys/kernel/reboot/mode": "warm", "sys/kernel/vmcoreinfo": "0x1000 1024"}
    for name, content in {**well, **differs}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_text(content + "\n", encoding="utf-8")
    return root


def text(content: bytes) -> bytes:
    """A log as docs/abi.md has it."""
    magic = 0x316C_7478_6554_42FF
    return struct.pack("<QQQ", magic, len(content), magic ^ len(content)) + content


@dataclass(frozen=True)
class Target:
    """A machine that is files, and the program."""

    program: Path
    devicetree: Path
    memory: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the program on it."""
        where = ("--devicetree", str(self.devicetree), "--mem", str(self.memory))
        return execute(self.program, *where, *arguments)

    def node(self, name: str, **properties: bytes) -> None:
        """Adds a reserved-memory node."""
        directory = self.devicetree / "reserved-memory" / name
        directory.mkdir()
        for key, value in properties.items():
            (directory / key).write_bytes(value)

    def write(self, before_end: int, content: bytes) -> None:
        """Puts bytes into memory, at a distance from the region's end."""
        with self.memory.open("r+b") as file:
            file.seek(END - before_end)
            file.write(content)

    def slots(self) -> list[bytes]:
        """The record's two slots."""
        with self.memory.open("rb") as file:
            file.seek(END - RECORD)
            return [file.read(SLOT)[:RECORD_SIZE] for _ in range(2)]


def execute(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the program as it is."""
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=patience(), check=False, errors="replace"
    )


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """lifeboat-ctl for this machine, with sanitizers."""
    path = tmp_path_factory.mktemp("ctl") / "lifeboat-ctl"
    libdeflate = next(host_dir().glob("subprojects/libdeflate-*/libdeflate.a"), None)
    assert libdeflate, "libdeflate is not built for this machine: run tools/lifeboat test"
    argv = ["gcc", *FLAGS, f"-I{REPO}", f"-isystem{SUBPROJECTS / libdeflate.parent.name}", "-o", path]
    argv += [*(REPO / source for source in SOURCES), libdeflate]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def target(program: Path, tmp_path: Path) -> Target:
    """A machine with a crash region and an armed record."""
    made = Target(program, tmp_path / "device-tree", tmp_path / "mem")
    parent = made.devicetree / "reserved-memory"
    parent.mkdir(parents=True)
    (parent / "#address-cells").write_bytes(struct.pack(">I", 2))
    (parent / "#size-cells").write_bytes(struct.pack(">I", 2))
    (parent / "ranges").write_bytes(b"")
    made.node("mmode_resv0@80000000", reg=struct.pack(">QQ", 0x8000_0000, 0x40000))
    made.node(NODE, compatible=b"lifeboat,crash-region\0", reg=struct.pack(">QQ", BASE, SIZE))
    with made.memory.open("wb") as file:
        file.truncate(END)
    made.write(RECORD, slot(EMPTY, 4))
    made.write(RECORD - SLOT, slot(ARMED, 5))
    return made


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """It failed with one line that has these words."""
    assert done.returncode == 1, done
    assert done.stdout == ""
    assert done.stderr.startswith("lifeboat-ctl: ") and done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


def test_status_shows_the_newest_record(target: Target) -> None:
    done = target.run("status")
    assert (done.returncode, done.stderr) == (0, "")
    rows = dict(line.split(":", 1) for line in done.stdout.splitlines())
    shown = {key: value.strip() for key, value in rows.items()}
    assert shown["state"] == "armed"
    assert shown["region"] == "[0xb0000000..0xbfffffff] 262144 KiB"
    assert shown["lost"] == "[0x80200000..0x80201fff] 8 KiB"
    assert shown["boots"] == "7"
    assert shown["started"] == "spare"
    assert shown["early deaths"] == "2 in a row; 3 within 60 s demote"
    assert shown["demoted"] == "1 3 (as the menu numbers them)"


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
    target.write(RECORD - SLOT, with_image(slot(state, 5)))
    root = a_kernel(tmp_path / "root", kernel)
    lines = target.run("--root", str(root), "status").stdout.splitlines()
    bad = [words for words in said if not words.startswith("warning")]
    assert lines[0] == "next crash:   would " + ("NOT be captured" if bad else "be captured")
    reasons = [" ".join(line.split()) for line in lines[1:] if line.startswith("  ")]
    assert len(reasons) == len(said)
    for line, words in zip(reasons, said, strict=True):
        assert words in line


def test_status_says_that_no_crash_kernel_is_there(target: Target, tmp_path: Path) -> None:
    root = a_kernel(tmp_path / "root", {})
    lines = target.run("--root", str(root), "status").stdout.splitlines()
    assert lines[0].endswith("would NOT be captured") and "no crash kernel" in lines[1]


def test_disarm_and_arm_change_the_state_and_nothing_else(target: Target) -> None:
    for command, state, generation in (("disarm", DISARMED, 6), ("arm", ARMED, 7), ("disarm", DISARMED, 8)):
        before = target.slots()
        done = target.run(command)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == ("armed\n" if state == ARMED else "disarmed\n")
        slots = target.slots()
        written = generation % 2
        assert slots[written] == slot(state, generation)
        assert slots[1 - written] == before[1 - written]


@pytest.mark.parametrize("state", [ARMED, DISARMED])
@pytest.mark.parametrize(
    ("command", "count"), [("confirm", (0, 0b101, 1)), ("retry", (0, 0, 0))]
)
def test_the_boot_counter_is_changed_and_nothing_else(
    command: str, count: tuple[int, ...], state: int, target: Target
) -> None:
    target.write(RECORD - SLOT, slot(state, 5))
    for _ in range(2):  # the second time there is nothing to do
        done = target.run(command)
        assert (done.returncode, done.stderr) == (0, "") and done.stdout
        assert target.slots() == [slot(state, 6, count=count), slot(state, 5)]
    shown = target.run("status").stdout
    assert ("started:      spare, confirmed\n" in shown) == (command == "confirm")


@pytest.mark.parametrize(("command", "state"), [("disarm", DISARMED), ("arm", ARMED)])
def test_a_state_that_is_there_already_is_not_written_again(
    command: str, state: int, target: Target
) -> None:
    target.write(RECORD - SLOT, slot(state, 5))
    before = target.slots()
    assert target.run(command).returncode == 0
    assert target.slots() == before


@pytest.mark.parametrize("command", ["arm", "disarm", "confirm", "retry"])
@pytest.mark.parametrize("state", [EMPTY, CAPTURING, DONE])
def test_other_states_are_the_stages_alone(command: str, state: int, target: Target) -> None:
    target.write(RECORD - SLOT, slot(state, 5))
    before = target.slots()
    refused(target.run(command), "nothing was changed")
    assert target.slots() == before


@pytest.mark.parametrize("command", ["status", "arm", "disarm", "confirm"])
def test_a_record_that_cannot_be_trusted_is_left_alone(command: str, target: Target) -> None:
    nothing = bytes(RECORD_SIZE)
    damaged = bytearray(slot(ARMED, 5))
    damaged[0x40] ^= 1
    cases = {
        "no crash record": (nothing, nothing),
        "damaged": (nothing, bytes(damaged)),
        "another version": (slot(ARMED, 4), slot(ARMED, 5, version=1)),
        "0xa0000000": (nothing, slot(ARMED, 5, base=0xA000_0000)),
    }
    for word, slots in cases.items():
        target.write(RECORD, slots[0])
        target.write(RECORD - SLOT, slots[1])
        refused(target.run(command), word)
        assert target.slots() == list(slots)


LOGS = ([], RUN_LOG, RUN_LOG_SIZE), (["--previous"], PREVIOUS_LOG, RUN_LOG_SIZE), (
    ["--dead"],
    DEAD_LOG,
    DEAD_LOG_SIZE,
)


@pytest.mark.parametrize(("option", "place", "room"), LOGS)
def test_a_log_is_shown_whole_or_not_at_all(
    option: list[str], place: int, room: int, target: Target
) -> None:
    refused(target.run("log", *option), "no log" if option != ["--dead"] else "no dead kernel")
    for content in (b"one line\n", b"x" * (room - 24)):
        target.write(place, text(content))
        done = target.run("log", *option)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == content.decode()
    target.write(place, text(b"x" * (room - 23))[:24])
    refused(target.run("log", *option))
    torn = bytearray(text(b"torn"))
    torn[8] ^= 1
    target.write(place, bytes(torn))
    refused(target.run("log", *option))


@pytest.mark.parametrize(("cells", "form"), [(1, ">II"), (2, ">QQ")])
def test_the_region_is_read_in_its_parents_cells(cells: int, form: str, target: Target) -> None:
    parent = target.devicetree / "reserved-memory"
    for name in ("#address-cells", "#size-cells"):
        (parent / name).write_bytes(struct.pack(">I", cells))
    (parent / NODE / "reg").write_bytes(struct.pack(form, BASE, SIZE))
    (parent / NODE / "compatible").write_bytes(b"other,one\0lifeboat,crash-region\0")
    assert "0xb0000000..0xbfffffff" in target.run("status").stdout


@pytest.mark.parametrize(
    "reg",
    [
        b"", struct.pack(">QQ", BASE, SIZE)[:-1], struct.pack(">QQQQ", BASE, SIZE, 0, 0),
        struct.pack(">QQ", BASE + 0x1000, SIZE), struct.pack(">QQ", BASE, SIZE + 0x1000),
        struct.pack(">QQ", BASE, 0), struct.pack(">QQ", BASE, 0x40_0000),
        struct.pack(">QQ", 2**64 - 0x20_0000, SIZE),
    ],
    ids=["empty", "short", "two", "base", "size", "none", "tiny", "wraps"],
)  # fmt: skip
def test_a_region_that_makes_no_sense_is_refused(reg: bytes, target: Target) -> None:
    (target.devicetree / "reserved-memory" / NODE / "reg").write_bytes(reg)
    refused(target.run("status"), NODE)


def test_a_machine_without_a_region_is_told(target: Target) -> None:
    compatible = target.devicetree / "reserved-memory" / NODE / "compatible"
    for other in (b"lifeboat,crash-region2\0", b"lifeboat,crash-regio\0", b"", b"\0" * 300):
        compatible.write_bytes(other)
        refused(target.run("status"), "no crash region", "bundle")
    compatible.unlink()
    refused(target.run("disarm"), "no crash region")


def test_no_device_tree_and_no_memory_are_told(program: Path, target: Target) -> None:
    nowhere = str(target.memory.parent / "nowhere")
    refused(execute(program, "--devicetree", nowhere, "status"), nowhere, "/proc")
    refused(execute(program, "--devicetree", "x" * 600, "status"), "too long")
    tree = ("--devicetree", str(target.devicetree))
    refused(execute(program, *tree, "--mem", nowhere, "status"), nowhere, "be root")
    with target.memory.open("r+b") as file:
        file.truncate(END - 1)
    refused(target.run("status"), "cannot map")


@pytest.mark.parametrize(
    "arguments",
    [
        "", "reboot", "status --dead", "disarm now", "confirm all", "log --all", "log --dead --previous", "--mem",
        "--mem x", "--wrong x status", "statu", "-x",
    ],
)  # fmt: skip
def test_what_is_no_command_gets_the_usage(arguments: str, target: Target) -> None:
    before = target.slots()
    done = target.run(*arguments.split())
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ") and done.stdout == ""
    assert target.slots() == before


def test_help_is_no_error(program: Path) -> None:
    done = execute(program, "--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: ")


def test_a_log_that_cannot_be_written_is_told(target: Target) -> None:
    target.write(RUN_LOG, text(b"words\n"))
    where = ("--devicetree", str(target.devicetree), "--mem", str(target.memory))
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [target.program, *where, "log"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1 and "cannot write" in done.stderr


PAGE = 0x1000
MOST = 0x200_0000  # of a pattern
# The slot's pieces are the first page of usable memory, and two at 240 MiB.
ROOM = BASE + PAGE


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
    harm(target, ROOM + PAGE, bytes(byte ^ 1 for byte in pattern(seed, PAGE // 8)))
    harm(target, ROOM + 5 * PAGE, bytes(PAGE))
    code, said = report(target, note)
    assert (code, said["pages"]) == (1, "8190 whole, 1 damaged, 1 lost")
    assert "harmed" in said["verdict"]
    harm(target, ROOM, bytes(MOST))
    code, said = report(target, note)
    assert (code, said["pages"]) == (1, "0 whole, 0 damaged, 8192 lost")
    assert "is lost" in said["verdict"]


def test_the_doctor_keeps_off_what_is_prepared(target: Target, tmp_path: Path) -> None:
    pieces = bytearray(slot(ARMED, 6))
    at = pieces.index(struct.pack("<QQ", BASE + 0xF00_0000, 0x2000))
    # From the third page to the end of usable memory but for half a page: the second page is left.
    struct.pack_into("<QQ", pieces, at, BASE + 2 * PAGE, SIZE - 0x40_0000 - 2 * PAGE - PAGE // 2)
    struct.pack_into("<I", pieces, 8, zlib.crc32(bytes(pieces[12:])))
    target.write(RECORD, bytes(pieces))
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
