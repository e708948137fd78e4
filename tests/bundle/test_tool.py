# SPDX-License-Identifier: BSD-2-Clause
"""tools/lifeboat bundle, keys and inspect, as a user has them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lifeboatlib import build, bundle, inspecting, keys
from lifeboatlib.paths import TOOLS, host_dir, inspect_dir
from lifeboatlib.ui import LifeboatError

SIGNED = host_dir() / "tests" / "unit" / "signed"
SCRIPT = TOOLS / "lifeboat"

Run = Callable[..., subprocess.CompletedProcess[str]]
Inspect = Callable[..., tuple[bool, dict[str, Any]]]


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


@pytest.fixture
def inspect(tmp_path: Path) -> Callable[..., tuple[bool, dict[str, Any]]]:
    """inspect(key, ...): whether out.itb is good, and the JSON, without the tool's way of building first."""
    program = inspect_dir() / "tools" / "lifeboat-inspect" / "lifeboat-inspect"
    if not program.is_file():
        build.build_inspect()

    def run(*files: Path) -> tuple[bool, dict[str, Any]]:
        control = keys.control_fdt(list(files), keys.Policy())
        found = inspecting.inspect(program, tmp_path / "out.itb", control)
        return found["good"], found

    return run


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
    tool: Run, inspect: Inspect, private: str, public: str, options: tuple[str, ...], algo: str
) -> None:
    make(tool, "--key", SIGNED / private, "--version", 7, *options)
    good, found = inspect(SIGNED / public)
    config = found["configurations"][0]
    assert good
    assert config["signed_by"] == public.split(".")[0] and config["required"]
    assert config["signatures"][0]["algo"] == algo and config["lifeboat,version"] == 7
    assert config["signatures"][0]["sign-images"] == ["kernel", "ramdisk"]
    good, found = inspect(SIGNED / "other.pub.pem")
    assert not good and "does not hold" in found["configurations"][0]["problem"]


def test_the_crash_configuration_is_signed_too(tool: Run, inspect: Inspect) -> None:
    make(tool, "--key", SIGNED / "rsa2048.key", "--crash-initrd", "initramfs")
    good, found = inspect(SIGNED / "rsa2048.pub.pem")
    names = [(each["name"], each["signed_by"]) for each in found["configurations"]]
    assert good and names == [("primary", "rsa2048"), ("crash", "rsa2048")]


def test_fdts_are_named_in_order_and_signed(tool: Run, inspect: Inspect, tmp_path: Path) -> None:
    for name in ("board.dtb", "more.dtbo"):
        (tmp_path / name).write_bytes((SIGNED / "rsa2048.dtb").read_bytes())
    make(tool, "--key", SIGNED / "rsa2048.key", "--dtb", "board.dtb", "--dtb", "more.dtbo")
    _, found = inspect(SIGNED / "rsa2048.pub.pem")
    config = found["configurations"][0]
    assert config["fdt"] == ["fdt-1", "fdt-2"] and config["signed_by"] == "rsa2048"
    assert config["signatures"][0]["sign-images"] == ["kernel", "ramdisk", "fdt"]
    kinds = {i["name"]: (i["description"], i["type"]) for i in found["images"]}
    assert kinds["fdt-1"] == ("board.dtb", "flat_dt") and kinds["fdt-2"][0] == "more.dtbo"


def test_boards_are_named_and_shown(tool: Run, inspect: Inspect, tmp_path: Path) -> None:
    make(tool, "--compatible", "acme,special", "--compatible", "acme,board", "--crash-initrd", "initramfs")
    good, found = inspect()
    assert good and [c["boards"] for c in found["configurations"]] == [["acme,special", "acme,board"]] * 2
    source = '/dts-v1/; / { compatible = "acme,fdt", "acme,soc"; };'
    argv = ["dtc", "-q", "-O", "dtb", "-o", tmp_path / "board.dtb"]
    subprocess.run(argv, input=source, text=True, check=True)
    make(tool, "--dtb", "board.dtb")
    assert "    for: acme,fdt, acme,soc" in tool("inspect", "out.itb").stdout.splitlines()
    make(tool)
    _, found = inspect()
    assert "boards" not in found["configurations"][0]


def firmware_image(tool: Run, inspect: Inspect, tmp_path: Path, *options: object) -> tuple[dict[str, Any], bytes]:
    """The firmware of a bundle with a crash kernel: its node, and its bytes."""
    crash = ("--crash-kernel", "Image", "--crash-initrd", "initramfs", "-o", "out.itb")
    done = tool("bundle", "--firmware", *options, *crash)
    assert done.returncode == 0, done.stderr
    _, found = inspect()
    image = next(i for i in found["images"] if i["name"] == "firmware")
    return image, (tmp_path / "out.itb").read_bytes()[image["offset"] :][: image["size"]]


def test_firmware_is_told_from_a_kernel(tool: Run, inspect: Inspect, tmp_path: Path) -> None:
    (tmp_path / "u-boot.bin").write_bytes(b"\x13" * 4096)
    image, data = firmware_image(tool, inspect, tmp_path, "u-boot.bin")
    assert image["type"] == "firmware" and data == b"\x13" * 4096
    its = tool("bundle", "--firmware", "u-boot.bin", "--load", "0x84000000", "-o", "x.its", "--its-only")
    assert its.returncode == 0 and "load = <0x0 0x84000000>" in (tmp_path / "x.its").read_text(encoding="utf-8")
    (tmp_path / "code.fd").write_bytes(bytes(40) + b"_FVH" + bytes(4096))
    image, data = firmware_image(tool, inspect, tmp_path, "code.fd", "--entry", "0x123456789abcdef0")
    assert image["type"] == "kernel" and image["size"] < 128, "a jump, and not what lies in the flash"
    assert data[0x38:0x3C] == b"RSC\x05" and data.endswith((0x123456789ABCDEF0).to_bytes(8, "little"))


@pytest.mark.parametrize("name", ["gzip", "lz4", "zstd"])
def test_a_kernel_is_compressed_or_known_to_be(tool: Run, inspect: Inspect, tmp_path: Path, name: str) -> None:
    make(tool, "--compress", name)
    _, found = inspect()
    image = next(i for i in found["images"] if i["name"] == "kernel")
    assert image["compression"] == name and image["hashes"][0]["good"]
    packed = (tmp_path / "out.itb").read_bytes()[image["offset"] :][: image["size"]]
    (tmp_path / "Image").write_bytes(packed)
    make(tool)
    _, found = inspect()
    again = next(i for i in found["images"] if i["name"] == "kernel")
    assert (again["compression"], again["size"]) == (name, image["size"])


@pytest.mark.parametrize(("name", "flag"), [("lz4", 0x04), ("zstd", 0x04)])
def test_what_is_hashed_has_no_second_sum(tool: Run, inspect: Inspect, tmp_path: Path, name: str, flag: int) -> None:
    """The byte behind the magic has the bit, in both formats."""
    for options, has_sum in (((), False), (("--hash", "none"), True)):
        make(tool, "--compress", name, *options)
        image = next(i for i in inspect()[1]["images"] if i["name"] == "kernel")
        assert bool((tmp_path / "out.itb").read_bytes()[image["offset"] + 4] & flag) == has_sum


@pytest.mark.parametrize("name", ["sha256", "sha512", "crc32"])
def test_a_hash_that_is_wrong_is_seen(tool: Run, inspect: Inspect, tmp_path: Path, name: str) -> None:
    make(tool, "--hash", name)
    good, found = inspect()
    image = next(i for i in found["images"] if i["name"] == "kernel")
    assert good and [h["algo"] for h in image["hashes"]] == [name]
    data = bytearray((tmp_path / "out.itb").read_bytes())
    data[image["offset"] + 100] ^= 1
    (tmp_path / "out.itb").write_bytes(data)
    good, found = inspect()
    assert not good
    hashes = {i["name"]: i["hashes"][0]["good"] for i in found["images"]}
    assert hashes == {"ramdisk": True, "kernel": False}


def test_a_policy_is_written_down(tool: Run, tmp_path: Path) -> None:
    make(tool, "--its-only", "--all-bad", "reset", "--boot-limit", "3", "--boot-seconds", "90")
    its = (tmp_path / "out.itb").read_text()
    configurations = its[its.index("configurations {") :]
    for line in ('lifeboat,all-bad = "reset";', "lifeboat,boot-limit = <3>;", "lifeboat,boot-seconds = <90>;"):
        assert line in configurations


def test_a_person_can_read_it(tool: Run) -> None:
    make(tool, "--append", "console=hvc0", "--in-place")
    text = tool("inspect", "out.itb").stdout
    assert json.loads(tool("inspect", "out.itb", "--json").stdout)["good"]
    for line in ("all good", "  primary (default)", "    unsigned", "    Linux Image, in place",
                 "    bootargs: console=hvc0", "    crc32: good"):  # fmt: skip
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
        (("bundle", "--firmware", "Image", "-o", "x", "--crash-initrd", "initramfs"), "firmware is no crash kernel"),
        (("bundle", "--firmware", SIGNED / "elf.bin", "-o", "x"), "is an ELF: give the raw binary"),
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
