# SPDX-License-Identifier: BSD-2-Clause
"""Good and bad bundles before two judges: the stage's code (lifeboat-inspect) and U-Boot's fit_check_sign.

Ours is never laxer: what it takes, U-Boot takes. Where it is stricter, the row says why.
"""

import gzip
import random
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lifeboatlib import build, fitcheck, inspecting
from lifeboatlib.paths import TOOLS, host_dir

CONFIG = "conf"
CERTAINLY_BAD = "bad"
STRICTER = "stricter"
GOOD = "good"
RANDOM_CHANGES = 500


@pytest.fixture(scope="session")
def signed() -> Path:
    """The FITs that make_signed.py has made for the unit tests."""
    path = host_dir() / "tests" / "unit" / "signed"
    assert (path / "rsa2048.itb").is_file(), f"{path} is missing; run tools/lifeboat test"
    return path


@pytest.fixture(scope="session")
def inspector() -> Path:
    """lifeboat-inspect."""
    return build.build_inspect()


@pytest.fixture(scope="session")
def uboot_judge() -> Path:
    """U-Boot's fit_check_sign."""
    return fitcheck.program()


@dataclass
class Fit:
    """A FIT in a file, with what lies behind its tree, to be spoilt."""

    path: Path

    def read(self) -> bytearray:
        """All of it."""
        return bytearray(self.path.read_bytes())

    def tree_size(self) -> int:
        """Of the tree, with its padding."""
        return int(struct.unpack_from(">I", self.read(), 4)[0])

    def _edit(self, *argv: str) -> None:
        """Edits the tree alone by fdtput, and puts back what lies behind it."""
        whole = self.read()
        size = self.tree_size()
        tree = self.path.with_suffix(".tree")
        tree.write_bytes(whole[:size])
        subprocess.run([*argv[:1], *argv[1:-1], str(tree), *argv[-1].split("\0")], check=True)
        edited = bytearray(tree.read_bytes())
        if len(whole) > size:  # fdtput has packed the tree; what lies behind must stay where it is
            assert len(edited) <= size, "no room in the tree"
            struct.pack_into(">I", edited, 4, size)
        self.path.write_bytes(edited.ljust(size, b"\0") + whole[size:])

    def put(self, node: str, name: str, value: str | int, kind: str = "") -> None:
        """Sets a property to a string or to a cell."""
        kind = kind or ("x" if isinstance(value, int) else "s")
        text = f"{value:x}" if isinstance(value, int) else value
        self._edit("fdtput", "-t", kind, "\0".join([node, name, *text.split(" ")]))

    def put_text(self, node: str, name: str, value: str) -> None:
        """Sets a property to one string, spaces and all."""
        self._edit("fdtput", "-t", "s", "\0".join([node, name, value]))

    def add(self, node: str) -> None:
        """Makes a node."""
        self._edit("fdtput", "-c", node)

    def remove(self, node: str) -> None:
        """Takes a node away."""
        self._edit("fdtput", "-r", node)

    def drop(self, node: str, name: str) -> None:
        """Takes a property away."""
        self._edit("fdtput", "-d", "\0".join([node, name]))

    def get(self, node: str, name: str) -> int:
        """A property of one cell."""
        argv = ["fdtget", "-t", "x", str(self.path), node, name]
        return int(subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()[-1], 16)

    def data_at(self, image: str) -> tuple[int, int]:
        """Where an image's external data lies, and how much of it there is."""
        node = f"/images/{image}"
        return self.tree_size() + self.get(node, "data-offset"), self.get(node, "data-size")

    def flip(self, at: int, bit: int = 0) -> None:
        """Flips a bit of the file."""
        data = self.read()
        data[at] ^= 1 << bit
        self.path.write_bytes(data)

    def flip_in(self, image: str, where: float) -> None:
        """Flips a bit of an image's data: 0 is its first byte, 1 its last."""
        start, size = self.data_at(image)
        self.flip(start + round(where * (size - 1)), round(where * 7))

    def swap_data(self, one: str, other: str) -> None:
        """Swaps two images' places."""
        nodes = [f"/images/{name}" for name in (one, other)]
        for name in ("data-offset", "data-size"):
            values = [self.get(node, name) for node in nodes]
            self.put(nodes[0], name, values[1])
            self.put(nodes[1], name, values[0])

    def cut(self, size: int) -> None:
        """Keeps the first bytes (or all but the last)."""
        self.path.write_bytes(self.read()[:size])

    def header(self, offset: int, value: int) -> None:
        """Sets a word of the tree's header."""
        data = self.read()
        struct.pack_into(">I", data, offset, value)
        self.path.write_bytes(data)


SIGNATURE = f"/configurations/{CONFIG}/signature-1"
CONF = f"/configurations/{CONFIG}"
HASH = "/images/kernel/hash-1"
EXTERNAL, EMBEDDED, TWO = "rsa2048", "rsa2048-embedded", "two-configs"


def crc_for_sha(fit: Fit) -> None:
    """A weaker hash, with its right value."""
    fit.put(HASH, "algo", "crc32")
    fit.put(HASH, "value", 0xCAA10A0A)


def swap_signatures(fit: Fit) -> None:
    """The signature of another configuration of the same bundle."""
    argv = ["fdtget", "-t", "x", str(fit.path), "/configurations/second/signature-1", "value"]
    words = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    fit.put(SIGNATURE, "value", words, "x")


# name: (FIT, what is done to it, what is expected of ours, and of U-Boot where ours is stricter)
CHANGES: dict[str, tuple[str, Callable[[Fit], object], str]] = {
    **{
        f"bit {where} of the {image}": (EXTERNAL, lambda f, i=image, w=where: f.flip_in(i, w), CERTAINLY_BAD)
        for image in ("kernel", "ramdisk")
        for where in (0, 0.5, 1)
    },
    "images swapped": (EXTERNAL, lambda f: f.swap_data("kernel", "ramdisk"), CERTAINLY_BAD),
    "another kernel's data": (TWO, lambda f: f.swap_data("kernel", "other"), CERTAINLY_BAD),
    "another kernel's name": (TWO, lambda f: f.put(CONF, "kernel", "other"), CERTAINLY_BAD),
    "another signature": (TWO, swap_signatures, CERTAINLY_BAD),
    "node added to an image": (EMBEDDED, lambda f: f.add("/images/kernel/hash-2"), CERTAINLY_BAD),
    "node added to the configuration": (EMBEDDED, lambda f: f.add(f"{CONF}/more"), CERTAINLY_BAD),
    "node added to the root": (EMBEDDED, lambda f: f.add("/more"), CERTAINLY_BAD),
    "node with an @": (EMBEDDED, lambda f: f.add("/images/odd@1"), CERTAINLY_BAD),
    "twin of the kernel": (EMBEDDED, lambda f: f.add("/images/kernel@1"), CERTAINLY_BAD),
    "bootargs changed": (EMBEDDED, lambda f: f.put_text(CONF, "bootargs", "init=/bin/sh"), CERTAINLY_BAD),
    "bootargs dropped": (EMBEDDED, lambda f: f.drop(CONF, "bootargs"), CERTAINLY_BAD),
    "ramdisk dropped": (EMBEDDED, lambda f: f.drop(CONF, "ramdisk"), CERTAINLY_BAD),
    "version changed": (EMBEDDED, lambda f: f.put(CONF, "lifeboat,version", 9), CERTAINLY_BAD),
    "load changed": (EMBEDDED, lambda f: f.put("/images/kernel", "load", "0 80000000", "x"), CERTAINLY_BAD),
    "type changed": (EMBEDDED, lambda f: f.put("/images/kernel", "type", "firmware"), CERTAINLY_BAD),
    "signature removed": (EMBEDDED, lambda f: f.remove(SIGNATURE), CERTAINLY_BAD),
    "signature's value removed": (EMBEDDED, lambda f: f.drop(SIGNATURE, "value"), CERTAINLY_BAD),
    "signature's algo changed": (EMBEDDED, lambda f: f.put(SIGNATURE, "algo", "sha1,rsa2048"), CERTAINLY_BAD),
    "padding changed": (EMBEDDED, lambda f: f.put(SIGNATURE, "padding", "pss"), CERTAINLY_BAD),
    "fewer nodes hashed": (
        EMBEDDED, lambda f: f.put(SIGNATURE, "hashed-nodes", f"/ {CONF}"), CERTAINLY_BAD,
    ),
    "more nodes hashed": (
        TWO, lambda f: f.put(SIGNATURE, "hashed-strings", "0 8", "x"), CERTAINLY_BAD,
    ),
    "strings from elsewhere": (
        EMBEDDED, lambda f: f.put(SIGNATURE, "hashed-strings", "8 a4", "x"), STRICTER,
    ),
    "strings without end": (
        EMBEDDED, lambda f: f.put(SIGNATURE, "hashed-strings", "0 7fffffff", "x"), STRICTER,
    ),
    "hash changed": (EMBEDDED, lambda f: f.put(HASH, "value", 0), CERTAINLY_BAD),
    "hash made crc32": (EMBEDDED, crc_for_sha, CERTAINLY_BAD),
    "hash removed": (EMBEDDED, lambda f: f.remove(HASH), CERTAINLY_BAD),
    "data overlapping": (
        EXTERNAL, lambda f: f.put("/images/kernel", "data-offset", f.get("/images/ramdisk", "data-offset") + 8),
        CERTAINLY_BAD,
    ),
    "data in the tree": (EXTERNAL, lambda f: f.put("/images/kernel", "data-offset", 0xFFFFF000), CERTAINLY_BAD),
    "data behind the end": (EXTERNAL, lambda f: f.put("/images/kernel", "data-offset", 0x40000), CERTAINLY_BAD),
    "data too long": (EXTERNAL, lambda f: f.put("/images/kernel", "data-size", 0x7FFFFFFF), CERTAINLY_BAD),
    "data one byte short": (EXTERNAL, lambda f: f.put("/images/kernel", "data-size", 3000), CERTAINLY_BAD),
    "data of no size": (EXTERNAL, lambda f: f.put("/images/kernel", "data-size", 0), CERTAINLY_BAD),
    "cut in the data": (EXTERNAL, lambda f: f.cut(-0x1800), CERTAINLY_BAD),
    "cut in the tree": (EXTERNAL, lambda f: f.cut(0x200), CERTAINLY_BAD),
    "cut in the header": (EXTERNAL, lambda f: f.cut(0x10), CERTAINLY_BAD),
    "tree too long": (EXTERNAL, lambda f: f.header(4, 0x7FFFFFFF), CERTAINLY_BAD),
    "structure elsewhere": (EXTERNAL, lambda f: f.header(8, 0x48), CERTAINLY_BAD),
    "strings block elsewhere": (EXTERNAL, lambda f: f.header(12, 0x100), CERTAINLY_BAD),
    "strings block short": (EXTERNAL, lambda f: f.header(32, 0x20), CERTAINLY_BAD),
    "old FDT": (EXTERNAL, lambda f: f.header(20, 16), STRICTER),
    # What nobody has signed and nobody uses.
    "description of the other": (
        TWO, lambda f: f.put("/images/other", "description", "bytes"), GOOD,
    ),
    "name of the signer": (EMBEDDED, lambda f: f.put(SIGNATURE, "signer-name", "mkim0ge"), GOOD),
    "an image that nobody names": (EMBEDDED, lambda f: f.add("/images/more"), GOOD),
    "another default": (TWO, lambda f: f.put("/configurations", "default", "second"), GOOD),
    "nothing": (EXTERNAL, lambda f: None, GOOD),
}  # fmt: skip

# Whole FITs of make_signed.py, with their own keys or others.
WHOLE: dict[str, tuple[str, str, str, str]] = {
    "embedded": ("rsa2048-embedded", "rsa2048-embedded", CONFIG, GOOD),
    "tight": ("rsa2048-tight", "rsa2048-tight", CONFIG, GOOD),
    "pss": ("rsa2048-pss", "rsa2048-pss", CONFIG, GOOD),
    "sha512": ("rsa2048-sha512", "rsa2048-sha512", CONFIG, GOOD),
    "rsa3072": ("rsa3072", "rsa3072", CONFIG, GOOD),
    "rsa4096": ("rsa4096", "rsa4096", CONFIG, GOOD),
    "rsa4096 pss sha512": ("rsa4096-pss-sha512", "rsa4096-pss-sha512", CONFIG, GOOD),
    "sha512 hashes": ("sha512-hashes", "sha512-hashes", CONFIG, GOOD),
    "second configuration": ("two-configs", "two-configs", "second", GOOD),
    "unsigned configuration": ("two-configs", "two-configs", "unsigned", CERTAINLY_BAD),
    "a key of another size": ("rsa2048", "rsa4096", CONFIG, CERTAINLY_BAD),
    "ECDSA for RSA": ("ecdsa256", "rsa2048", CONFIG, CERTAINLY_BAD),
    "RSA for ECDSA": ("rsa2048", "ecdsa256", CONFIG, CERTAINLY_BAD),
    "another hash than the key's": ("rsa2048-sha512", "rsa2048", CONFIG, STRICTER),
    "ramdisk not signed": ("no-ramdisk-signed", "no-ramdisk-signed", CONFIG, STRICTER),
    "crc32 alone": ("weak-hash", "weak-hash", CONFIG, STRICTER),
    "sha1": ("sha1", "sha1", CONFIG, STRICTER),
    "an unknown property that names a signed image": ("odd-property", "odd-property", CONFIG, GOOD),
    # (This release of the other judge believes the signature's list of nodes; 2026.10 does as we do.)
    "an unknown property that names an unsigned image": (
        "odd-property-unsigned", "odd-property-unsigned", CONFIG, STRICTER,
    ),
    "cells that read as the name of an unsigned image": ("odd-cells-unsigned", "odd-cells-unsigned", CONFIG, STRICTER),
    "an unsigned image in a list": ("odd-list-unsigned", "odd-list-unsigned", CONFIG, STRICTER),
    "an unknown property that names no image": ("odd-text", "odd-text", CONFIG, GOOD),
    "an image's name as a description": ("odd-description", "odd-description", CONFIG, GOOD),
    "an unsigned dm-verity": ("dm-verity", "dm-verity", CONFIG, STRICTER),
}


@dataclass(frozen=True)
class Judges:
    """Both of them."""

    inspector: Path
    uboot: Path

    def ours(self, fit: Path, control: Path, config: str) -> tuple[bool, str]:
        """Whether the stage would start the configuration: as its own code says."""
        found = inspecting.inspect(self.inspector, fit, control.read_bytes())
        if "problem" in found:
            return False, found["problem"]
        chosen = next((each for each in found["configurations"] if each["name"] == config), None)
        if not chosen or not chosen["accepted"]:
            return False, chosen["problem"] if chosen else "no such configuration"
        return True, ""

    def theirs(self, fit: Path, control: Path, config: str) -> bool:
        """Whether fit_check_sign ends well. (It crashes on some: that is no yes.)"""
        argv = [self.uboot, "-f", fit, "-k", control, "-c", config]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def judges(inspector: Path, uboot_judge: Path) -> Judges:
    """Both of them."""
    return Judges(inspector, uboot_judge)


def check(judges: Judges, fit: Path, control: Path, config: str, expected: str) -> None:
    """Both say what is expected."""
    ours, why = judges.ours(fit, control, config)
    theirs = judges.theirs(fit, control, config)
    print(f"\ncorpus: ours {ours} ({why}), U-Boot {theirs}")
    assert ours == (expected == GOOD), f"ours: {ours} ({why})"
    assert theirs or not ours, "ours is laxer"
    if expected != STRICTER:
        assert ours == theirs


@pytest.mark.parametrize("name", CHANGES)
def test_both_judges_agree_on_what_was_changed(
    name: str, judges: Judges, signed: Path, tmp_path: Path
) -> None:
    base, change, expected = CHANGES[name]
    fit = Fit(tmp_path / "changed.itb")
    fit.path.write_bytes((signed / f"{base}.itb").read_bytes())
    change(fit)
    check(judges, fit.path, signed / f"{base}.dtb", CONFIG, expected)


@pytest.mark.parametrize("options", [(), ("--hash", "sha256"), ("--required", "image"), ("--min-version", "1")])
def test_both_judges_read_our_control_fdts(
    options: tuple[str, ...], judges: Judges, signed: Path, tmp_path: Path
) -> None:
    """A key without algo is a NULL pointer to U-Boot."""
    control = tmp_path / "control.dtb"
    argv = [sys.executable, TOOLS / "lifeboat", "keys", signed / "rsa2048.pub.pem", "-o", control, *options]
    subprocess.run(argv, check=True, capture_output=True)
    fit = "image-signed" if "image" in options else EXTERNAL
    check(judges, signed / f"{fit}.itb", control, CONFIG, GOOD)


@pytest.mark.parametrize("name", WHOLE)
def test_both_judges_agree_on_what_mkimage_makes(name: str, judges: Judges, signed: Path) -> None:
    fit, control, config, expected = WHOLE[name]
    check(judges, signed / f"{fit}.itb", signed / f"{control}.dtb", config, expected)


def test_another_key_of_the_same_kind_is_refused_by_both(
    judges: Judges, signed: Path, tmp_path: Path
) -> None:
    control = tmp_path / "other.dtb"
    control.write_bytes((signed / "rsa2048.dtb").read_bytes())
    text = subprocess.run(["fdtget", "-t", "x", control, "/signature/key-rsa2048", "rsa,modulus"],
                          capture_output=True, text=True, check=True).stdout.split()  # fmt: skip
    words = [*text[:-1], f"{int(text[-1], 16) ^ 2:x}"]
    subprocess.run(["fdtput", "-t", "x", control, "/signature/key-rsa2048", "rsa,modulus", *words], check=True)
    check(judges, signed / "rsa2048.itb", control, CONFIG, CERTAINLY_BAD)


def make_packed(signed: Path, directory: Path, packed: bytes) -> Path:
    """A signed bundle whose kernel is gzipped, or said to be."""
    (directory / "kernel.gz").write_bytes(packed)
    source = (signed / "rsa2048.its").read_text(encoding="utf-8")
    head, kernel = source.split("kernel {", 1)
    kernel = kernel.replace('compression = "none"', 'compression = "gzip"', 1)
    source = f"{head}kernel {{{kernel}".replace('"linux.bin"', f'"{directory}/kernel.gz"')
    source = source.replace('"ramdisk.bin"', f'"{signed}/ramdisk.bin"')
    (directory / "packed.its").write_text(source, encoding="utf-8")
    argv = ["mkimage", "-f", "packed.its", "-k", str(signed), "packed.itb"]
    done = subprocess.run(argv, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return directory / "packed.itb"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda packed: packed, ""),
        (lambda packed: packed[:-4] + b"\xff\xff\xff\xff", "unpacks to as much as 4095 MiB|more"),
        (lambda packed: packed[:-4] + struct.pack("<I", 100), "more|damaged|larger"),
        (lambda packed: packed[:-8] + b"\0\0\0\0" + packed[-4:], "damaged"),
        (lambda packed: packed[:500], "damaged|unpacks to as much as"),
        (lambda packed: b"no gzip at all" * 9, "gzip"),
    ],
    ids=["good", "declares 4 GiB", "is more than declared", "wrong crc", "cut", "no gzip"],
)
def test_a_signed_bomb_is_no_payload(
    change: Callable[[bytes], bytes], why: str, judges: Judges, signed: Path, tmp_path: Path
) -> None:
    """Whoever may sign may err. What unpacks to more than it says, or than can be, is refused."""
    image = (signed / "linux.bin").read_bytes() + bytes(1 << 20)
    made = make_packed(signed, tmp_path, change(gzip.compress(image, mtime=0)))
    ours, line = judges.ours(made, signed / "rsa2048.dtb", CONFIG)
    assert ours == (not why) and re.search(why, line), line


def test_an_image_of_no_size_is_refused(judges: Judges, signed: Path, tmp_path: Path) -> None:
    """It can be signed; there is nothing in it to start."""
    (tmp_path / "empty").touch()
    source = (signed / "rsa2048.its").read_text(encoding="utf-8")
    source = source.replace('"ramdisk.bin"', f'"{tmp_path}/empty"').replace('"linux.bin"', f'"{signed}/linux.bin"')
    (tmp_path / "empty.its").write_text(source, encoding="utf-8")
    argv = ["mkimage", "-f", "empty.its", "-k", str(signed), "empty.itb"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours, why = judges.ours(tmp_path / "empty.itb", signed / "rsa2048.dtb", CONFIG)
    assert not ours and re.search("'ramdisk' is empty", why), why


@pytest.mark.slow
@pytest.mark.parametrize("base", [EXTERNAL, EMBEDDED, TWO])
def test_ours_is_never_laxer_on_random_changes(
    base: str, judges: Judges, signed: Path, tmp_path: Path
) -> None:
    """Bits, words and runs of the tree, the same in each run."""
    chance = random.Random(base)
    fit = Fit(tmp_path / "changed.itb")
    fit.path.write_bytes((signed / f"{base}.itb").read_bytes())
    whole, size = fit.read(), fit.tree_size()
    taken = 0
    for _ in range(RANDOM_CHANGES):
        data = whole.copy()
        for _ in range(chance.randint(1, 3)):
            at, length = chance.randrange(size - 8), chance.randint(1, 8)
            source = chance.randrange(size - 8)
            data[at : at + length] = chance.choice(
                [data[source : source + length], bytes(length), chance.randbytes(length)]
            )
        fit.path.write_bytes(data)
        ours, why = judges.ours(fit.path, signed / f"{base}.dtb", CONFIG)
        taken += ours
        assert not ours or judges.theirs(fit.path, signed / f"{base}.dtb", CONFIG), why
    print(f"\ncorpus: {taken} of {RANDOM_CHANGES} random changes are harmless, U-Boot agrees")
