# SPDX-License-Identifier: BSD-2-Clause
"""lifeboat-ctl, built for this machine, on a device tree and a memory that are files.

The oracle makes records and logs by docs/abi.md's numbers and Python's zlib, not by the stage's code.
"""

import shutil
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from checksums import checksum

from lifeboatlib import bundle
from lifeboatlib.paths import host_dir
from lifeboatlib.qemu import patience
from lifeboatlib.version import VERSION

BASE, SIZE = 0xB000_0000, 0x1000_0000
END = BASE + SIZE
NODE = "lifeboat-crash@b0000000"
SLOT = 0x1000
RECORD_SIZE = 0x260
EMPTY, ARMED, DISARMED, CAPTURING, DONE = range(5)
COUNT = (2, 0b101, 0)  # early deaths, demoted configurations, confirmed
# Distance of the start of each part from the region's end, and its size.
RECORD, RUN_LOG, PREVIOUS_LOG, DEAD_LOG = 0x2000, 0x6000, 0xA000, 0x8A000
RUN_LOG_SIZE, DEAD_LOG_SIZE = 0x4000, 0x80000
PRIVATE = 0x40_0000
ROOM = 0x20_0000  # that is kept, before what is private
KEPT = END - PRIVATE - ROOM

Piece = tuple[int, int, int]  # address, size, checksum
NOTHING: Piece = (0, 0, 0)


def slot(
    state: int,
    generation: int,
    version: int = 4,
    base: int = BASE,
    count: tuple[int, ...] = COUNT,
    room: int = ROOM,
    kept: Piece = NOTHING,
) -> bytes:
    """A record's slot as docs/abi.md has it."""
    record = struct.pack("<II", state, 1) + struct.pack(
        "<QQQQQQQ", base, SIZE, 0x1234, 0x8040_0000, 0x1E6_B000, base, 7
    )
    record += struct.pack("<II", 1, 2)
    record += struct.pack("<QQ", 0x8020_0000, 0x2000).ljust(0x100, b"\0")
    record += struct.pack("<QQIIQQII", base + 0xF00_0000, 0x2000, 0, 0, base, 0x1000, 5, 0).ljust(0x90, b"\0")
    record += struct.pack("<QQ", 0x8800_0000, 0x100_0000)
    record += struct.pack("<QIIIIII", 0x5678, 1, *count, 3, 60) + b"spare".ljust(32, b"\0")
    record += struct.pack("<QQQII", room, *kept, 0)
    checked = struct.pack("<III", RECORD_SIZE, version, generation) + record
    made = b"LBrecord" + struct.pack("<I", zlib.crc32(checked)) + checked
    assert len(made) == RECORD_SIZE
    return made


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

    def kept(self) -> bytes:
        """What lies in the kept room, and behind it."""
        with self.memory.open("rb") as file:
            file.seek(KEPT)
            return file.read()

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
def program() -> Path:
    """lifeboat-ctl for this machine, with sanitizers: it is built beside the unit tests."""
    path = host_dir() / "tools" / "lifeboat-ctl" / "lifeboat-ctl"
    assert path.is_file(), f"{path} is not built: run tools/lifeboat test"
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


def test_it_tells_which_lifeboat_it_came_with(program: Path) -> None:
    assert execute(program, "--version").stdout == f"lifeboat-ctl {VERSION}\n"


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
    assert shown["crash kernel"] == "staged by lifeboat"
    assert shown["room to load"] == "2048 KiB" and "loaded" not in shown
    assert shown["region"] == "[0xb0000000..0xbfffffff] 262144 KiB"
    assert shown["lost"] == "[0x80200000..0x80201fff] 8 KiB"
    assert shown["boots"] == "7"
    assert shown["started"] == "spare"
    assert shown["early deaths"] == "2 in a row; 3 within 60 s demote"
    assert shown["demoted"] == "1 3 (as the menu numbers them)"


def test_disarm_and_arm_change_the_state_and_nothing_else(target: Target) -> None:
    for command, state, generation in (("disarm", DISARMED, 6), ("arm", ARMED, 8), ("disarm", DISARMED, 10)):
        done = target.run(command)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == ("armed\n" if state == ARMED else "disarmed\n")
        # Both slots: whichever RAM forgets, the other says the same.
        assert target.slots() == [slot(state, generation), slot(state, generation + 1)]


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
        assert target.slots() == [slot(state, 6, count=count), slot(state, 7, count=count)]
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


@pytest.mark.parametrize("command", ["arm", "disarm", "confirm", "retry", "load /dev/null", "unload"])
@pytest.mark.parametrize("state", [EMPTY, CAPTURING, DONE])
def test_other_states_are_the_stages_alone(command: str, state: int, target: Target) -> None:
    target.write(RECORD - SLOT, slot(state, 5))
    before = target.slots()
    refused(target.run(*command.split()), "nothing was changed")
    assert target.slots() == before


@pytest.mark.parametrize("command", ["status", "arm", "disarm", "confirm", "load /dev/null", "unload"])
def test_a_record_that_cannot_be_trusted_is_left_alone(command: str, target: Target) -> None:
    nothing = bytes(RECORD_SIZE)
    damaged = bytearray(slot(ARMED, 5))
    damaged[0x40] ^= 1
    cases = {
        "no crash record": (nothing, nothing),
        "damaged": (nothing, bytes(damaged)),
        "another version": (slot(ARMED, 4), slot(ARMED, 5, version=3)),
        "0xa0000000": (nothing, slot(ARMED, 5, base=0xA000_0000)),
    }
    for word, slots in cases.items():
        target.write(RECORD, slots[0])
        target.write(RECORD - SLOT, slots[1])
        refused(target.run(*command.split()), word)
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


def test_what_is_lent_belongs_to_the_region(target: Target) -> None:
    """If it lies right below it; else what is left is too small for a region."""
    nodes = target.devicetree / "reserved-memory"
    own = PRIVATE + ROOM
    (nodes / NODE / "reg").write_bytes(struct.pack(">QQ", END - own, own))
    refused(target.run("status"), "no crash region")
    target.node(f"lifeboat-lent@{BASE:x}", reg=struct.pack(">QQ", BASE, SIZE - own))
    assert f"{BASE:#x}..{END - 1:#x}" in target.run("status").stdout
    assert target.run("disarm").returncode == 0
    (nodes / f"lifeboat-lent@{BASE:x}" / "reg").write_bytes(struct.pack(">QQ", BASE, SIZE - own - 0x20_0000))
    refused(target.run("status"), NODE)


def test_a_machine_without_a_region_is_told(target: Target) -> None:
    compatible = target.devicetree / "reserved-memory" / NODE / "compatible"
    for other in (b"lifeboat,crash-region2\0", b"lifeboat,crash-regio\0", b"", b"\0" * 300):
        compatible.write_bytes(other)
        refused(target.run("status"), "no crash region", "bundle")


def test_a_region_is_known_by_its_name_where_a_bootloader_dropped_the_rest(target: Target) -> None:
    nodes = target.devicetree / "reserved-memory"
    (nodes / NODE / "compatible").unlink()
    assert "0xb0000000..0xbfffffff" in target.run("status").stdout
    assert target.run("disarm").returncode == 0
    (nodes / NODE).rename(nodes / "lifeboat-lost@b0000000")
    refused(target.run("disarm"), "no crash region")


IOMEM = """00000000-0007ffff : Reserved
80000000-afffffff : System RAM
  80200000-81ffffff : Kernel code
{range} : {owner}
"""


@pytest.mark.parametrize(
    ("range_", "owner", "found"),
    [(f"{BASE:08x}-{END - 1:08x}", "Reserved", True), (f"{BASE:08x}-{END - 1:08x}", "ACPI Tables", False),
     (f"{BASE - SLOT:08x}-{END - 1:08x}", "Reserved", False), (f"  {BASE:08x}-{END - 1:08x}", "Reserved", False),
     ("00000000-00000000", "Reserved", False)],
)  # fmt: skip
def test_without_a_device_tree_the_record_tells_the_region(
    range_: str, owner: str, found: bool, target: Target, tmp_path: Path
) -> None:
    shutil.rmtree(target.devicetree)
    iomem = tmp_path / "root" / "proc" / "iomem"
    iomem.parent.mkdir(parents=True)
    iomem.write_text(IOMEM.format(range=range_, owner=owner), encoding="utf-8")
    done = target.run("--root", f"{tmp_path}/root", "status")
    if found:
        assert done.returncode == 0 and f"[{BASE:#x}..{END - 1:#x}]" in done.stdout
    else:
        refused(done, "no crash region", "/proc/iomem")


def test_no_device_tree_and_no_memory_are_told(program: Path, target: Target) -> None:
    nowhere = str(target.memory.parent / "nowhere")
    refused(execute(program, "--devicetree", nowhere, "status"), nowhere, "/proc")
    refused(execute(program, "--devicetree", "x" * 600, "status"), "too long")
    tree = ("--devicetree", str(target.devicetree))
    refused(execute(program, *tree, "--mem", nowhere, "status"), nowhere[:72], "be root")  # of long names no more
    with target.memory.open("r+b") as file:
        file.truncate(END - 1)
    refused(target.run("status"), "cannot map")


@pytest.mark.parametrize(
    "arguments",
    [
        "", "reboot", "status --dead", "disarm now", "confirm all", "log --all", "log --dead --previous", "--mem",
        "--mem x", "--wrong x status", "statu", "-x", "load", "load a b", "unload a",
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


# ---- A crash kernel from userspace ----


@dataclass(frozen=True)
class Maker:
    """Makes bundles with a crash configuration."""

    directory: Path

    def make(self, size: int, load: int = BASE) -> Path:
        """Its kernel has `size` bytes, for `load`, which lies in usable memory."""
        return self.write(bundle.with_crash(self.plain(size, load)), f"{size:x}-{load:x}.itb")

    def plain(self, size: int, load: int = BASE) -> bundle.Bundle:
        """The same without a crash configuration."""
        kernel = self.directory / f"{size:x}.bin"
        kernel.write_bytes(bytes(at * 5 % 251 for at in range(size)))
        return bundle.simple(bundle.raw(kernel, load, load))

    def write(self, made: bundle.Bundle, name: str) -> Path:
        """A file of it."""
        return made.write(self.directory / name)


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    """For bundles of one test."""
    return Maker(tmp_path)


def piece(made: Path, place: int) -> Piece:
    """What the record says of a bundle that was loaded there."""
    content = made.read_bytes()
    return place, len(content), checksum(content)


def at_the_end(made: Path) -> int:
    """Where it goes if another one is at the room's start."""
    return (KEPT + ROOM - made.stat().st_size) & -0x1000


def check_loaded(target: Target, made: Path, place: int, generation: int) -> None:
    """It lies there, and both slots say so."""
    wanted = [slot(ARMED, made_by, kept=piece(made, place)) for made_by in (generation, generation - 1)]
    assert sorted(target.slots()) == sorted(wanted)
    with target.memory.open("rb") as file:
        file.seek(place)
        assert file.read(made.stat().st_size) == made.read_bytes()


def test_load_puts_a_bundle_in_place_and_unload_forgets_it(target: Target, maker: Maker) -> None:
    for made, place, generation in (
        (first := maker.make(0x8_0000), KEPT, 7),
        (second := maker.make(0x9_0000), at_the_end(second), 9),  # beside the first one
        (first, KEPT, 11),
        (large := maker.make(0x18_0000), KEPT, 15),  # there is no room beside it: twice none was loaded
        (second, KEPT, 19),
    ):
        done = target.run("load", str(made))
        assert (done.returncode, done.stdout, done.stderr) == (0, "loaded\n", "")
        check_loaded(target, made, place, generation)
    shown = target.run("status").stdout
    assert "crash kernel: loaded by lifeboat-ctl\n" in shown
    assert f"loaded:       [{KEPT:#x}..{KEPT + second.stat().st_size - 1:#x}]" in shown
    for _ in range(2):  # the second time there is nothing to do
        assert target.run("unload").stdout == "unloaded\n"
        assert sorted(target.slots()) == sorted([slot(ARMED, 20), slot(ARMED, 21)])
    assert "crash kernel: staged by lifeboat\n" in target.run("status").stdout
    assert large.stat().st_size < ROOM


def test_what_the_stage_would_refuse_is_not_loaded(target: Target, maker: Maker) -> None:
    good = maker.make(0x1000)
    damaged = maker.directory / "damaged.itb"
    damaged.write_bytes(good.read_bytes()[:-1] + b"!")
    cut = maker.directory / "cut.itb"
    cut.write_bytes(good.read_bytes()[:-1])
    empty = maker.directory / "empty.itb"
    empty.write_bytes(b"")
    assert target.run("load", str(good)).returncode == 0
    cases = {
        maker.directory / "nowhere.itb": ("cannot read", "No such file"),
        maker.directory: ("cannot read",),
        empty: ("cannot read", "nothing in it"),
        maker.directory / "1000.bin": ("no FIT",),
        damaged: ("crc32",),
        cut: ("bundle:",),
        maker.write(maker.plain(0x1000), "plain.itb"): ("no crash configuration",),
        maker.write(bundle.with_reserve(maker.plain(0x1000), bundle.Crash()), "r.itb"): ("has no kernel",),
        maker.make(ROOM): ("2048 are kept", "lifeboat,kept-size"),
        maker.make(0x1000, KEPT): ("plan:",),  # behind usable memory
        maker.make(0x1000, BASE - 0x1000): ("plan:",),
    }
    before = target.kept()
    for made, words in cases.items():
        refused(target.run("load", str(made)), *words)
        assert target.kept() == before, made


def test_without_room_nothing_is_loaded(target: Target, maker: Maker) -> None:
    target.write(RECORD - SLOT, slot(ARMED, 5, room=0))
    refused(target.run("load", str(maker.make(0x1000))), "no room is kept", "--reserve")
    assert target.slots() == [slot(EMPTY, 4), slot(ARMED, 5, room=0)]
