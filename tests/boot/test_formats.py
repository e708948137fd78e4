# SPDX-License-Identifier: BSD-2-Clause
"""Every format and compression: a small payload in each, Debian's kernel in those that differ in what is done."""

import re
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from harness import find, passed, run_to_end, stage_ran

from lifeboatlib import bundle
from lifeboatlib.qemu import Machine, Session

LOAD = 0x81000000
USERSPACE = r"lifeboat demo: userspace reached"

# In two members, or frames: the last one does not tell what comes out of all.
HALVES = "f=$(mktemp); cat > $f; head -c 3000 $f | {0}; tail -c +3001 $f | {0}; rm $f"

# Container: (what makes it of a file, what mkimage calls it).
PACKERS = {
    "none": (None, "none"),
    "gzip": (["gzip", "-9nc"], "gzip"),
    "gzip-twice": (["sh", "-c", HALVES.format("gzip -9nc") + "; head -c 700 /dev/zero"], "gzip"),
    "lz4": (["lz4", "-9c"], "lz4"),
    "lz4-legacy": (["lz4", "-lc"], "lz4"),
    "zstd": (["zstd", "-qc"], "zstd"),
}
ZBOOTS = {"zboot-gzip": ("gzip", "gzip"), "zboot-zstd": ("zstd", "zstd22")}
OFTEN = ("none", "gzip", "zstd", "zboot-zstd")  # in a whole boot of Linux; the others in the long run only


def pack(path: Path, packer: str, output: Path) -> Path:
    """A file, packed; from a pipe, so that nothing tells its size beforehand."""
    argv = PACKERS[packer][0]
    if not argv:
        return path
    with path.open("rb") as source, output.open("wb") as target:
        subprocess.run(argv, stdin=source, stdout=target, check=True)
    return output


def zboot(path: Path, kind: str, output: Path) -> Path:
    """An EFI zboot image as Linux's build lays it out; all but gzip have their length behind them."""
    packer, name = ZBOOTS[kind]
    packed = pack(path, packer, output).read_bytes()
    header = struct.pack("<4s4sIIQ32s", b"MZ\0\0", b"zimg", 0x200, len(packed), 0, name.encode())
    trailer = b"" if packer == "gzip" else struct.pack("<I", path.stat().st_size)
    output.write_bytes(header.ljust(0x200, b"\0") + packed + trailer)
    return output


def packed_image(image: bundle.Image, packer: str, directory: Path) -> bundle.Image:
    """An image node with what a packer makes of its file."""
    if packer in ZBOOTS:
        return replace(image, path=zboot(image.path, packer, directory / "packed"))
    packed = pack(image.path, packer, directory / "packed")
    return replace(image, path=packed, compression=PACKERS[packer][1])


def is_packed(packer: str) -> bool:
    return packer != "none"


@pytest.mark.parametrize("packer", [*PACKERS, *ZBOOTS])
@pytest.mark.parametrize("form", ["bare", "external", "embedded"])
def test_an_image_in_every_container(
    stage: Path,
    contract: Callable[..., object],
    make_bundle: Callable[..., Path],
    tmp_path: Path,
    form: str,
    packer: str,
) -> None:
    image = packed_image(bundle.linux(contract().bin), packer, tmp_path)
    made = image.path if form == "bare" else make_bundle(image, embedded=form == "embedded")
    console = run_to_end(Machine(kernel=stage, initrd=made))
    stage_ran(console)
    passed(console)
    stays = bool(find(r"plan: kernel .*", console)[0].endswith("stays where it is"))
    assert stays == is_packed(packer), "what is packed is unpacked to its place; what is not is copied"


@pytest.mark.parametrize("packer", PACKERS)
def test_an_elf_in_every_container(
    stage: Path,
    contract: Callable[..., object],
    make_bundle: Callable[..., Path],
    tmp_path: Path,
    packer: str,
) -> None:
    payload = contract(base=LOAD, load=LOAD, zero_bss=1)
    made = make_bundle(packed_image(bundle.elf(payload.elf), packer, tmp_path))
    console = run_to_end(Machine(kernel=stage, initrd=made))
    stage_ran(console)
    passed(console)


@pytest.mark.parametrize("packer", PACKERS)
def test_a_raw_binary_in_every_container_is_unpacked_to_its_load_address(
    stage: Path,
    contract: Callable[..., object],
    make_bundle: Callable[..., Path],
    tmp_path: Path,
    packer: str,
) -> None:
    payload = contract(base=LOAD, load=LOAD).bin
    content = payload.read_bytes()
    (size,) = struct.unpack_from("<Q", content, 16)
    flat = tmp_path / "raw"
    flat.write_bytes(content.replace(b"RSC\x05", bytes(4), 1).ljust(size, b"\0"))
    made = make_bundle(packed_image(bundle.raw(flat, LOAD, LOAD), packer, tmp_path))
    console = run_to_end(Machine(kernel=stage, initrd=made))
    stage_ran(console)
    passed(console)
    if packer in ("gzip",):  # its size is declared, so it fits before what follows
        find(rf"unpack: {packer}, .* at {LOAD:#x}$", console)


@pytest.mark.slow
@pytest.mark.parametrize(
    "packer",
    [pytest.param(name, marks=() if name in OFTEN else pytest.mark.long) for name in (*PACKERS, *ZBOOTS)],
)
def test_debians_kernel_in_every_container(
    stage: Path,
    kernel: Path,
    demo_initramfs: Path,
    make_bundle: Callable[..., Path],
    tmp_path: Path,
    packer: str,
) -> None:
    image = packed_image(bundle.linux(kernel), packer, tmp_path)
    made = make_bundle(image, initrd=demo_initramfs, append="console=ttyS0")
    with Session(Machine(kernel=stage, initrd=made)) as session:
        session.expect(USERSPACE, timeout=120)
        console = session.text
    stage_ran(console)
    if is_packed(packer):
        find(rf"unpack: .* to {kernel.stat().st_size // 1024} KiB at 0x80200000$", console)
        find(r"plan: kernel .* stays where it is$", console)


@pytest.mark.parametrize("packer", ["gzip", "lz4", "zstd"])
def test_a_truncated_kernel_is_refused_with_one_line(
    stage: Path, contract: Callable[..., object], tmp_path: Path, packer: str
) -> None:
    packed = pack(contract().bin, packer, tmp_path / "packed")
    packed.write_bytes(packed.read_bytes()[:-9])
    console = run_to_end(Machine(kernel=stage, initrd=packed))
    assert console.count("ERROR") == 2, console
    find(rf"ERROR: {packer}: |ERROR: bundle: kernel 'bare' unpacks to as much as", console)
    find(r"ERROR: boot: nothing was started", console)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ([], "bundle: kernel 'kernel' unpacks to as much as 262144 KiB; the largest free piece"),
        (["-"], r"zstd: it holds more than the \d{8} bytes that there is room for: give the machine more RAM"),
    ],
    ids=["tells", "stream"],
)
def test_a_bomb_is_refused_with_one_line(
    source: list[str], said: str, stage: Path, make_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    zeros = tmp_path / "zeros"
    with zeros.open("wb") as file:
        file.truncate(256 << 20)
    with zeros.open("rb") as stream:
        argv = ["zstd", "-q", *(source or [zeros]), "-o", tmp_path / "packed"]
        subprocess.run(argv, stdin=stream, check=True)
    image = replace(bundle.linux(tmp_path / "packed"), compression="zstd")
    console = run_to_end(Machine(kernel=stage, initrd=make_bundle(image), memory="128M"))
    find(rf"ERROR: {said}", console)
    assert console.count("ERROR") == 2, console


@pytest.mark.parametrize(
    ("algo", "cpu", "way"),
    [
        ("crc32", "", "crc32 (Zbc)"),
        ("crc32", "rv64,zbc=false", "crc32"),
        ("sha256", "", "sha256 (Zbb)"),
        ("sha256", "rv64,zbb=false", "sha256"),
        ("sha256", "rv64,zknh=true", "sha256 (Zknh)"),
        ("sha256", "rv64,v=true,zvkb=true,zvknha=true", "sha256 (Zvknha)"),
        ("sha512", "", "sha512 (Zbb)"),
        ("sha512", "rv64,zbb=false", "sha512"),
        ("sha512", "rv64,v=true,zvkb=true,zvknhb=true", "sha512 (Zvknhb)"),
    ],
)
@pytest.mark.parametrize("packer", ["none", "gzip"])
@pytest.mark.parametrize("victim", ["kernel", "ramdisk"])
def test_a_flipped_bit_is_refused(
    stage: Path,
    contract: Callable[..., object],
    make_bundle: Callable[..., Path],
    ramdisk: Path,
    tmp_path: Path,
    algo: str,
    cpu: str,
    way: str,
    packer: str,
    victim: str,
) -> None:
    """And what is whole is not, with each way to compute the hash."""
    image = packed_image(bundle.linux(contract(ramdisk=ramdisk).bin), packer, tmp_path)
    made = bundle.simple(image, initrd=ramdisk)
    made = replace(made, images=[replace(each, hashes=[algo]) for each in made.images])
    path = make_bundle(made)
    console = run_to_end(Machine(kernel=stage, initrd=path, cpu=cpu))
    passed(console)
    find(rf"cost: \d+ instructions for \d+ KiB checked, {re.escape(way)}$", console)
    content = bytearray(path.read_bytes())
    part = (image.path if victim == "kernel" else ramdisk).read_bytes()
    content[content.rindex(part) + len(part) // 2] ^= 4
    path.write_bytes(content)
    console = run_to_end(Machine(kernel=stage, initrd=path, cpu=cpu))
    find(rf"ERROR: bundle: the {algo} of image '{victim}' does not match its bytes", console)
    find(r"ERROR: boot: nothing was started", console)
    assert "contract:" not in console
