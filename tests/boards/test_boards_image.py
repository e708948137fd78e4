# SPDX-License-Identifier: BSD-2-Clause
"""tools/lifeboat image: what it makes for each board, and which block devices it does not write to."""

import json
import re
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from harness import image_that_loops

from lifeboatlib import blockdev, bundle, cli, media, opensbi
from lifeboatlib.blockdev import System
from lifeboatlib.boards import BOARDS
from lifeboatlib.media import MIB, SECTOR, Partition
from lifeboatlib.recipes import Sources
from lifeboatlib.ui import LifeboatError

BUILDS_OPENSBI = ("payload", "vendor", "fip")


@pytest.fixture
def small(tmp_path: Path, make_bundle: Callable[..., Path]) -> Path:
    """A bundle of a few pages."""
    (tmp_path / "loop").write_bytes(image_that_loops())
    return make_bundle(bundle.linux(tmp_path / "loop"))


WAYS = [(name, way) for name, board in BOARDS.items() for way in board.ways]


@pytest.mark.parametrize(
    ("board", "way"),
    [pytest.param(*way, marks=pytest.mark.slow if way[1] in BUILDS_OPENSBI else ()) for way in WAYS],
)
def test_every_way_makes_something(
    board: str, way: str, make_image: Callable[..., Path], small: Path, stage: Path
) -> None:
    """And the stage and the bundle are in it, to the byte."""
    out = make_image(board, way, bundle=small)
    whole = b"".join(path.read_bytes() for path in (sorted(out.iterdir()) if out.is_dir() else [out]))
    # (The header of a stage with an appended bundle says another size.)
    for part in (stage.read_bytes()[64:], small.read_bytes()):
        assert part in whole
    assert not list(out.parent.glob("tmp*")), "scratch files are left"


def test_a_board_without_an_fdt_says_so(
    make_image: Callable[..., Path], small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = replace(BOARDS["bananapi-f3"], sources=Sources())
    monkeypatch.setitem(BOARDS, "new-board", unknown)
    with pytest.raises(LifeboatError, match="new-board; give --dtb FILE"):
        make_image("new-board", bundle=small)


@pytest.mark.parametrize("board", ["sifive-unleashed", "sifive-unmatched", "starfive-visionfive2"])
def test_a_bundle_too_large_for_the_flash_is_refused(
    board: str, make_image: Callable[..., Path], make_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "loop").write_bytes(image_that_loops() + bytes(32 * MIB))
    with pytest.raises(LifeboatError, match=r"the flash has room for \d+ at 0x10.*make an SD image"):
        make_image(board, "nor", bundle=make_bundle(bundle.linux(tmp_path / "loop")))


def table(image: Path) -> list[dict[str, object]]:
    """The partitions that sfdisk reads."""
    done = subprocess.run(["sfdisk", "-J", image], capture_output=True, text=True, check=True)
    assert "backup" not in done.stderr, done.stderr
    parts: list[dict[str, object]] = json.loads(done.stdout)["partitiontable"]["partitions"]
    return parts


def test_the_sifive_card_is_as_the_rom_and_spl_want_it(make_image: Callable[..., Path], small: Path) -> None:
    """SPL by GUID; the FIT at the sector that SPL knows."""
    image = make_image("sifive-unmatched", "sd", bundle=small)
    spl, fit = table(image)
    assert (spl["type"], spl["start"]) == ("5B193300-FC78-40CD-8002-E86C45580B47", 34)
    assert (fit["type"], fit["start"]) == ("2E54B353-1271-4842-806F-E436D6AF6985", 2082)
    content = image.read_bytes()
    package = BOARDS["sifive-unmatched"].sources.uboot
    assert package
    first = package.file("usr/lib/u-boot/sifive_unmatched/u-boot-spl.bin").read_bytes()
    assert content[34 * SECTOR :].startswith(first)
    assert content[2082 * SECTOR :].startswith(b"\xd0\x0d\xfe\xed")


def test_the_fit_for_spl_starts_the_stage_and_not_the_bundle(
    make_image: Callable[..., Path], small: Path, stage: Path, tmp_path: Path
) -> None:
    """SPL takes the last loadable with the os U-Boot; its FDT names the bundle where SPL puts it."""
    image = make_image("starfive-visionfive2", "nor", bundle=small)
    fit = tmp_path / "lifeboat.itb"
    fit.write_bytes(image.read_bytes()[0x100000:])

    def get(node: str, name: str, kind: str = "s", file: Path = fit) -> str:
        argv = ["fdtget", "-t", kind, file, node, name]
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()

    assert get("/configurations/conf-1", "loadables") == "lifeboat bundle"
    assert get("/images/lifeboat", "os") .lower() == "u-boot" and get("/images/bundle", "os") == ""
    assert get("/images/lifeboat", "load", "x") == "0 40200000"
    assert get("/images/bundle", "load", "x") == "0 50000000"
    tree = tmp_path / "board.dtb"
    listing = subprocess.run(["dumpimage", "-l", fit], capture_output=True, text=True, check=True).stdout
    number = re.search(r"Image (\d+) \(fdt-1\)", listing)
    assert number
    argv = ["dumpimage", "-T", "flat_dt", "-p", number[1], "-o", tree, fit]
    subprocess.run(argv, check=True, capture_output=True)
    want = f"0 50000000 0 {small.stat().st_size:x}"
    assert get("/chosen", "lifeboat,bundle", "x", tree) == want


def test_the_stage_is_loaded_where_it_is_told(make_image: Callable[..., Path], small: Path, tmp_path: Path) -> None:
    """As firmware in the bundle may want it, and only where the way can."""
    image = make_image("starfive-visionfive2", "nor", bundle=small, at=0x43E0_0000)
    fit = tmp_path / "lifeboat.itb"
    fit.write_bytes(image.read_bytes()[0x100000:])
    argv = ["fdtget", "-t", "x", fit, "/images/lifeboat", "load"]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == "0 43e00000\n"
    with pytest.raises(LifeboatError, match="the board's loader says where"):
        make_image("sifive-unmatched", "booti", at=0x83E0_0000)
    with pytest.raises(LifeboatError, match="a multiple of 0x1000"):
        make_image("sifive-unmatched", "sd", at=0x83E0_0800)


def test_an_appended_bundle_is_covered_by_the_header(make_image: Callable[..., Path], small: Path, stage: Path) -> None:
    """So that whoever moves the Image moves the bundle along."""
    image = (make_image("sipeed-licheepi4a", "vendor", bundle=small) / "Image").read_bytes()
    assert struct.unpack_from("<Q", image, 0x10)[0] == len(image) == stage.stat().st_size + small.stat().st_size


def test_loader_2nd_enters_the_stage_on_a_page(stage: Path, tmp_path: Path) -> None:
    """At 0x20 a jump to the page where the stage begins; the fields that fiptool looks at."""
    made = media.shim("loader2nd", stage, tmp_path / "loader_2nd.bin", RUN=0x80200000).read_bytes()
    jump, magic, _, _, run = struct.unpack_from("<I4sIIQ", made)
    assert (magic, run) == (b"BL33", 0x80200000)

    def target(at: int, word: int) -> int:
        assert word & 0xFFF == 0x6F, "no j"
        bits = (word >> 31 & 1, word >> 12 & 0xFF, word >> 20 & 1, word >> 21 & 0x3FF)
        offset = bits[0] << 20 | bits[1] << 12 | bits[2] << 11 | bits[3] << 1
        return at + offset - (bits[0] << 21)

    assert target(0, jump) == 0x20
    assert target(0x20, struct.unpack_from("<I", made, 0x20)[0]) == 0x1000
    assert made[0x1000:] == stage.read_bytes()


def test_partitions_do_not_overlap(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(MIB))
    guid = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
    parts = [(Partition("a", 2048, guid), big), (Partition("b", 3000, guid), big)]
    with pytest.raises(LifeboatError, match="partition a is larger than its"):
        media.disk(tmp_path / "disk", parts)


def test_fw_payload_keeps_its_fdt_off_the_payload() -> None:
    """At the usual place while that is behind the payload."""
    for size in (0, 31 * MIB, 32 * MIB, 32 * MIB + 1, 100 * MIB):
        offset = opensbi.fdt_offset(size)
        assert offset >= opensbi.PAYLOAD_OFFSET + size and offset % (2 * MIB) == 0
    assert opensbi.fdt_offset(MIB) == opensbi.FDT_OFFSET


class FakeSystem:
    """A made-up /sys and /proc."""

    def __init__(self, root: Path) -> None:
        self.system = System(root / "sys", root / "proc")
        (root / "proc" / "self").mkdir(parents=True)
        self.put(root / "proc" / "self" / "mountinfo", "20 1 254:1 / / rw - ext4 /dev/vda1 rw\n")
        self.put(root / "proc" / "swaps", "Filename\tType\tSize\tUsed\tPriority\n")
        self.add("vda", "254:0", removable="0")
        self.add("vda1", "254:1", under="vda")
        self.add("sdb", "8:16", removable="1")
        self.add("sdb1", "8:17", under="sdb")
        self.add("mmcblk0", "179:0", removable="0")
        self.put(self.block("mmcblk0") / "device" / "type", "SD")
        self.add("mmcblk1", "179:8", removable="0")
        self.put(self.block("mmcblk1") / "device" / "type", "MMC")

    def block(self, name: str) -> Path:
        """A device's directory."""
        return self.system.sys / "class" / "block" / name

    @staticmethod
    def put(path: Path, text: str) -> None:
        """Writes a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def add(self, name: str, number: str, removable: str = "", under: str = "") -> None:
        """Adds a device; a partition is also in its disk's directory, as in the real one."""
        place = self.block(under) / name if under else self.block(name)
        self.put(place / "dev", number)
        self.put(place / "size", str(64 * MIB // SECTOR))
        self.put(place / "ro", "0")
        (place / "holders").mkdir()
        if removable:
            self.put(place / "removable", removable)
        if under:
            self.put(place / "partition", "1")
            self.block(name).symlink_to(place)

    def mount(self, number: str, source: str) -> None:
        """Mounts a file system."""
        with (self.system.proc / "self" / "mountinfo").open("a", encoding="utf-8") as file:
            file.write(f"30 20 {number} / /media/card rw,nosuid shared:1 - vfat {source} rw\n")

    def objection(self, name: str, size: int = MIB) -> str:
        """What is said against a device."""
        return blockdev.objection(name, size, self.system)


@pytest.fixture
def fake(tmp_path: Path) -> FakeSystem:
    """With the machine's own disk, a USB stick, an SD card and an eMMC."""
    return FakeSystem(tmp_path)


@pytest.mark.parametrize("name", ["sdb", "mmcblk0"])
def test_a_free_card_may_be_written(name: str, fake: FakeSystem) -> None:
    assert fake.objection(name) == ""


@pytest.mark.parametrize(
    ("name", "reason"),
    [("vda", "not removable"), ("mmcblk1", "not removable"), ("sdb1", "a partition"), ("sdz", "no block device"),
     ("../block/sdb", "no block device"), ("", "no block device")],
)  # fmt: skip
def test_what_is_no_free_card_is_refused(name: str, reason: str, fake: FakeSystem) -> None:
    assert reason in fake.objection(name)


@pytest.mark.parametrize(
    ("number", "source"), [("8:16", "/dev/sdb"), ("8:17", "/dev/sdb1"), ("0:45", "/dev/sdb1"), ("8:17", "/dev/disk/x")]
)
def test_a_mounted_card_is_refused(number: str, source: str, fake: FakeSystem) -> None:
    """By device number, and by name for file systems that have numbers of their own."""
    fake.mount(number, source)
    assert "is mounted on /media/card" in fake.objection("sdb")
    assert fake.objection("mmcblk0") == ""


def test_a_card_in_use_otherwise_is_refused(fake: FakeSystem) -> None:
    (fake.block("sdb") / "sdb1" / "holders" / "dm-0").mkdir()
    assert "sdb1 belongs to dm-0" in fake.objection("sdb")
    fake.put(fake.system.proc / "swaps", "Filename\tType\n/dev/mmcblk0 partition 1 0 -2\n")
    assert "swapped to" in fake.objection("mmcblk0")


def test_a_small_or_protected_card_is_refused(fake: FakeSystem) -> None:
    assert "it has 67108864 bytes, the image 67108865" in fake.objection("sdb", 64 * MIB + 1)
    fake.put(fake.block("sdb") / "ro", "1")
    assert "write-protected" in fake.objection("sdb")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--write", "/dev/null"), "say --yes, too"),
        (("--yes",), "--yes goes with --write"),
        (("--write", "/dev/null", "--yes"), "nothing is written: it is no block device"),
        (("--way", "nor", "--write", "/dev/null", "--yes"), "--write is for whole disks"),
        (("--way", "wrong"), "has no way wrong; it has sd, nor, booti"),
    ],
)
def test_the_command_refuses(words: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["image", "--board", "sifive-unleashed", *words]) == 1
    assert complaint in capsys.readouterr().err


def test_the_command_prints_what_to_do(
    stage: Path, small: Path, parts: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "card.img"
    words = ["image", "--board", "sifive-unleashed", "--stage", str(stage), "--bundle", str(small), "--out", str(out)]
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert out.stat().st_size % MIB == 0
    assert re.search(r"^  1\. .*\n  2\. .*\n  3\. ", said, re.MULTILINE)
