# SPDX-License-Identifier: BSD-2-Clause
"""tools/lifeboat bundle, keys and inspect, as a user has them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lifeboatlib import bundle, keys
from lifeboatlib.paths import TOOLS, host_dir
from lifeboatlib.ui import LifeboatError

SIGNED = host_dir() / "tests" / "unit" / "signed"
SCRIPT = TOOLS / "lifeboat"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tool(tmp_path: Path) -> Run:
    """tool("bundle", ...): runs it in this test's directory, where there are a kernel and an initramfs."""
    (tmp_path / "Image").write_bytes((SIGNED / "linux.bin").read_bytes())
    (tmp_path / "initramfs").write_bytes((SIGNED / "ramdisk.bin").read_bytes())

    def run(*argv: object) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, SCRIPT, *map(str, argv)]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def make(tool: Run, *options: object) -> None:
    """Makes out.itb."""
    done = tool("bundle", "--kernel", "Image", "--initrd", "initramfs", "-o", "out.itb", *options)
    assert done.returncode == 0, done.stderr


def inspect(tool: Run, *options: object) -> tuple[int, dict[str, object]]:
    """Exit code and JSON of inspect."""
    done = tool("inspect", "out.itb", "--json", *options)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize(
    ("private", "public", "options", "algo"),
    [
        ("rsa2048.key", "rsa2048.pub.pem", (), "sha256,rsa2048"),
        ("rsa2048.key", "rsa2048.crt", ("--pss",), "sha256,rsa2048"),
        ("rsa4096.key", "rsa4096.pub.pem", ("--sign-hash", "sha512"), "sha512,rsa4096"),
        ("ec.pem", "ec.pub.pem", (), "sha256,ecdsa256"),
    ],
)
def test_what_is_signed_is_found_signed(
    tool: Run, private: str, public: str, options: tuple[str, ...], algo: str
) -> None:
    make(tool, "--key", SIGNED / private, "--version", 7, *options)
    code, found = inspect(tool, "--key", SIGNED / public)
    config = found["configurations"][0]  # type: ignore[index]
    assert code == 0 and found["good"]
    assert config["signed_by"] == public.split(".")[0] and config["required"]
    assert config["signatures"][0]["algo"] == algo and config["lifeboat,version"] == 7
    assert config["signatures"][0]["sign-images"] == ["kernel", "ramdisk"]
    code, found = inspect(tool, "--key", SIGNED / "other.pub.pem")
    assert code == 1 and "does not hold" in found["configurations"][0]["problem"]  # type: ignore[index]


def test_the_crash_configuration_is_signed_too(tool: Run) -> None:
    make(tool, "--key", SIGNED / "rsa2048.key", "--crash-initrd", "initramfs")
    code, found = inspect(tool, "--key", SIGNED / "rsa2048.pub.pem")
    names = [(each["name"], each["signed_by"]) for each in found["configurations"]]  # type: ignore
    assert code == 0 and names == [("primary", "rsa2048"), ("crash", "rsa2048")]


def test_fdts_are_named_in_order_and_signed(tool: Run, tmp_path: Path) -> None:
    for name in ("board.dtb", "more.dtbo"):
        (tmp_path / name).write_bytes((SIGNED / "rsa2048.dtb").read_bytes())
    make(tool, "--key", SIGNED / "rsa2048.key", "--dtb", "board.dtb", "--dtb", "more.dtbo")
    _, found = inspect(tool, "--key", SIGNED / "rsa2048.pub.pem")
    config = found["configurations"][0]  # type: ignore[index]
    assert config["fdt"] == ["fdt-1", "fdt-2"] and config["signed_by"] == "rsa2048"
    assert config["signatures"][0]["sign-images"] == ["kernel", "ramdisk", "fdt"]
    kinds = {i["name"]: (i["description"], i["type"]) for i in found["images"]}  # type: ignore
    assert kinds["fdt-1"] == ("board.dtb", "flat_dt") and kinds["fdt-2"][0] == "more.dtbo"


@pytest.mark.parametrize("name", ["gzip", "lz4", "zstd"])
def test_a_kernel_is_compressed_or_known_to_be(tool: Run, tmp_path: Path, name: str) -> None:
    make(tool, "--compress", name)
    _, found = inspect(tool)
    image = next(i for i in found["images"] if i["name"] == "kernel")  # type: ignore[union-attr]
    assert image["compression"] == name and image["hashes"][0]["good"]
    packed = (tmp_path / "out.itb").read_bytes()[image["offset"] :][: image["size"]]
    (tmp_path / "Image").write_bytes(packed)
    make(tool)
    _, found = inspect(tool)
    again = next(i for i in found["images"] if i["name"] == "kernel")  # type: ignore[union-attr]
    assert (again["compression"], again["size"]) == (name, image["size"])


@pytest.mark.parametrize("name", ["sha256", "sha512", "crc32"])
def test_a_hash_that_is_wrong_is_seen(tool: Run, tmp_path: Path, name: str) -> None:
    make(tool, "--hash", name)
    code, found = inspect(tool)
    image = next(i for i in found["images"] if i["name"] == "kernel")  # type: ignore[union-attr]
    assert code == 0 and [h["algo"] for h in image["hashes"]] == [name]
    data = bytearray((tmp_path / "out.itb").read_bytes())
    data[image["offset"] + 100] ^= 1
    (tmp_path / "out.itb").write_bytes(data)
    code, found = inspect(tool)
    assert code == 1
    good = {i["name"]: i["hashes"][0]["good"] for i in found["images"]}  # type: ignore[union-attr]
    assert good == {"ramdisk": True, "kernel": False}


def test_a_person_can_read_it(tool: Run) -> None:
    make(tool, "--append", "console=hvc0", "--in-place")
    text = tool("inspect", "out.itb").stdout
    for line in ("all good", "  primary (default)", "    unsigned", "    Linux Image, in place",
                 "    bootargs: console=hvc0", "    sha256: good"):  # fmt: skip
        assert line in text.splitlines(), text


def test_what_is_no_bundle_is_refused_in_a_line(tool: Run) -> None:
    done = tool("inspect", "Image")
    assert done.returncode == 1
    assert done.stdout.startswith("REFUSED: bundle: not a FIT")


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("bundle", "--kernel", "Image", "-o", "x", "--key", "initramfs"), "is no private key"),
        (("bundle", "--kernel", "Image", "-o", "x", "--key", SIGNED / "rsa2048.pub.pem"), "is no private key"),
        (("bundle", "--kernel", "Image", "-o", "x", "--key", SIGNED / "rsa2048.key", "--hash", "crc32"), "ties no"),
        (("bundle", "--kernel", "Image", "-o", "x", "--pss"), "--pss goes with --key"),
        (("bundle", "--kernel", "Image", "-o", "x", "--compress", "zstd", "--in-place"), "without --in-place"),
        (("keys", "-o", "x", SIGNED / "rsa2048.key"), "is a private key"),
        (("keys", "-o", "x", "Image"), "is no public RSA or EC key"),
        (("keys", "-o", "x"), "no key"),
        (("keys", "-o", "x", SIGNED / "rsa2048.dtb", "--min-version", "2"), "it goes alone"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_a_line(tool: Run, argv: tuple[object, ...], why: str) -> None:
    done = tool(*argv)
    assert done.returncode == 1 and why in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_our_control_fdt_says_the_same_as_mkimages() -> None:
    """Every property that mkimage has written; r-squared and n0-inverse, too, which only U-Boot reads."""
    made = SIGNED.parent / "ours.dtb"
    made.write_bytes(keys.control_fdt([SIGNED / "rsa2048.pub.pem"], keys.Policy(hash="sha256")))
    for name in ("rsa,modulus", "rsa,exponent", "rsa,num-bits", "rsa,r-squared", "rsa,n0-inverse",
                 "required", "algo", "key-name-hint"):  # fmt: skip
        values = [
            subprocess.run(["fdtget", "-t", "bx", path, "/signature/key-rsa2048", name],
                           capture_output=True, text=True, check=True).stdout
            for path in (made, SIGNED / "rsa2048.dtb")
        ]  # fmt: skip
        assert values[0] == values[1], name


def test_a_damaged_key_is_refused() -> None:
    """Cut anywhere, it is no key, and there is no traceback."""
    text = (SIGNED / "rsa2048.pub.pem").read_text(encoding="utf-8")
    body = keys.base64.b64decode(text.split("-----")[2])
    path = SIGNED.parent / "cut.der"
    for size in range(0, len(body), 7):
        path.write_bytes(body[:size])
        with pytest.raises(LifeboatError):
            keys.read_key(path)


def test_a_key_tells_its_kind() -> None:
    kinds = {name: bundle.Signing(SIGNED / name).algo() for name in ("rsa3072.key", "ec.pem")}
    assert kinds == {"rsa3072.key": "sha256,rsa3072", "ec.pem": "sha256,ecdsa256"}
