# SPDX-License-Identifier: BSD-2-Clause
"""Every form in which a payload can be handed over, and every place where it can come from."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from fdtfile import Fdt
from harness import find, passed, run_to_end, stage_ran, write_noise

from lifeboatlib import bundle, command
from lifeboatlib.qemu import Machine

FIRST = 0x80200000
PAGE = 0x1000
ELF_TYPE_AT = 16
ELF_TYPE_DYN = 3
IMAGE_SIZE_AT = 16
IMAGE_MAGIC_AT = 56
IMAGE_MAGIC = b"RSC\x05"
FLASH_SIZE = 32 << 20


def boot(stage: Path, initrd: Path | None, **machine: object) -> str:
    """The console of a machine with 1 GiB and two harts; the stage has nothing to complain about."""
    console = run_to_end(Machine(kernel=stage, initrd=initrd, smp=2, **machine))
    stage_ran(console, sv=57, at=FIRST)
    return console


def loaded_at(console: str) -> int:
    """Where the payload found itself."""
    return int(passed(console)["load"], 16)


def as_raw(payload: Path) -> Path:
    """A flat payload without Image header; its bss is in the file, since nothing tells the size of it."""
    content = payload.read_bytes()
    (size,) = struct.unpack_from("<Q", content, IMAGE_SIZE_AT)
    assert content[IMAGE_MAGIC_AT:].startswith(IMAGE_MAGIC)
    headless = content.replace(IMAGE_MAGIC, bytes(len(IMAGE_MAGIC)), 1)
    path = payload.with_suffix(".raw")
    path.write_bytes(headless.ljust(size, b"\0"))
    return path


def as_shared(elf: Path) -> Path:
    """An ELF of type ET_DYN: for position-independent code without relocations that is all it takes."""
    content = bytearray(elf.read_bytes())
    struct.pack_into("<H", content, ELF_TYPE_AT, ELF_TYPE_DYN)
    path = elf.with_suffix(".dyn")
    path.write_bytes(content)
    return path


def test_bare_image_in_the_initrds_place_gets_the_fdts_bootargs(
    stage: Path, contract: Callable[..., object]
) -> None:
    payload = contract("only=fdt", harts=2)
    passed(boot(stage, payload.bin, append="only=fdt"))


def test_bare_elf_in_the_initrds_place_over_memory_that_is_not_zero(
    stage: Path, contract: Callable[..., object], tmp_path: Path
) -> None:
    base = 0x81001000
    noise = write_noise(tmp_path / "noise", 1 << 20)
    payload = contract(base=base, load=base, align=PAGE, zero_bss=1)
    assert len(payload.bin.read_bytes()) < noise.stat().st_size // 2
    loader = f"loader,file={noise},addr={base:#x},force-raw=on"
    passed(boot(stage, payload.elf, extra=("-device", loader)))


@pytest.mark.parametrize("embedded", [False, True], ids=["external", "embedded"])
def test_fit_with_image(
    stage: Path,
    contract: Callable[..., object],
    make_bundle: Callable[..., Path],
    ramdisk: Path,
    embedded: bool,
) -> None:
    payload = contract("a=1 b=2", ramdisk)
    image = bundle.linux(payload.bin)
    made = make_bundle(image, initrd=ramdisk, append="a=1", embedded=embedded)
    assert (b"data-offset" in made.read_bytes()) != embedded
    passed(boot(stage, made, append="b=2"))


def test_fit_with_image_that_runs_in_place(
    stage: Path, contract: Callable[..., object], make_bundle: Callable[..., Path], ramdisk: Path
) -> None:
    payload = contract(ramdisk=ramdisk)
    made = make_bundle(bundle.linux(payload.bin, in_place=True), initrd=ramdisk)
    console = boot(stage, made)
    start = int(find(r"bundle: primary at (0x[0-9a-f]+) ", console)[1], 16)
    find(r"plan: kernel .* stays where it is$", console)
    assert start < loaded_at(console) < start + made.stat().st_size


def test_fit_with_image_that_does_not_lie_right_is_moved(
    stage: Path, contract: Callable[..., object], make_bundle: Callable[..., Path]
) -> None:
    image = bundle.linux(contract().bin, in_place=True)
    configuration = bundle.Configuration("primary", image.name)
    made = make_bundle(bundle.Bundle([image], [configuration], alignment=PAGE))
    console = boot(stage, made)
    find(r"plan: kernel .* from 0x", console)
    passed(console)


def test_fit_with_fixed_elf(
    stage: Path, contract: Callable[..., object], make_bundle: Callable[..., Path], ramdisk: Path
) -> None:
    payload = contract("x", ramdisk, base=FIRST, load=FIRST, zero_bss=1)
    passed(boot(stage, make_bundle(bundle.elf(payload.elf), initrd=ramdisk, append="x")))


def test_fit_with_elf_that_can_lie_anywhere(
    stage: Path, contract: Callable[..., object], make_bundle: Callable[..., Path]
) -> None:
    payload = contract(align=PAGE, zero_bss=1)
    passed(boot(stage, make_bundle(bundle.elf(as_shared(payload.elf)))))


@pytest.mark.parametrize("address", [FIRST, 0x83457000], ids=["where-the-stage-was", "elsewhere"])
def test_fit_with_raw_binary(
    stage: Path,
    contract: Callable[..., object],
    make_bundle: Callable[..., Path],
    ramdisk: Path,
    address: int,
) -> None:
    payload = as_raw(contract("raw", ramdisk, load=address, align=PAGE, zero_bss=1).bin)
    made = make_bundle(bundle.raw(payload, address, address), initrd=ramdisk, append="raw")
    assert loaded_at(boot(stage, made)) == address


def test_bundle_appended_to_the_stage(
    stage: Path,
    contract: Callable[..., object],
    make_bundle: Callable[..., Path],
    ramdisk: Path,
    tmp_path: Path,
) -> None:
    made = make_bundle(bundle.linux(contract("x", ramdisk).bin), initrd=ramdisk, append="x")
    whole = tmp_path / "whole.bin"
    whole.write_bytes(stage.read_bytes() + made.read_bytes())
    console = boot(whole, None)
    find(r"bundle: primary at 0x[0-9a-f]+ \(behind the stage\)", console)
    passed(console)


def test_bundle_appended_to_the_stage_goes_with_an_initrd_beside_it(
    stage: Path,
    contract: Callable[..., object],
    make_bundle: Callable[..., Path],
    ramdisk: Path,
    tmp_path: Path,
) -> None:
    made = make_bundle(bundle.linux(contract(ramdisk=ramdisk).bin))
    whole = tmp_path / "whole.bin"
    whole.write_bytes(stage.read_bytes() + made.read_bytes())
    passed(boot(whole, ramdisk))


def test_bundle_in_flash(
    stage: Path,
    contract: Callable[..., object],
    make_bundle: Callable[..., Path],
    ramdisk: Path,
    tmp_path: Path,
) -> None:
    made = make_bundle(bundle.linux(contract(ramdisk=ramdisk).bin), initrd=ramdisk)
    flash = tmp_path / "flash.bin"
    flash.write_bytes(made.read_bytes().ljust(FLASH_SIZE, b"\xff"))
    drive = f"if=pflash,unit=1,format=raw,readonly=on,file={flash}"
    console = boot(stage, None, extra=("-drive", drive))
    find(r"bundle: primary at 0x22000000 \(flash\)", console)
    passed(console)


def test_bundle_where_chosen_says(
    stage: Path,
    contract: Callable[..., object],
    make_bundle: Callable[..., Path],
    ramdisk: Path,
    tmp_path: Path,
) -> None:
    made = make_bundle(bundle.linux(contract(ramdisk=ramdisk).bin), initrd=ramdisk)
    start = 0x90003000
    dtb = tmp_path / "virt.dtb"
    dump = ["qemu-system-riscv64", "-M", f"virt,dumpdtb={dtb}", "-smp", "2", "-m", "1G", "-bios", "none"]
    command.logged(dump, "dumpdtb", "does this QEMU know the virt machine?")
    Fdt(dtb).put("/chosen", "lifeboat,bundle", 0, start, 0, made.stat().st_size)
    loader = f"loader,file={made},addr={start:#x},force-raw=on"
    console = boot(stage, None, dtb=dtb, extra=("-device", loader))
    find(r"bundle: primary at 0x90003000 \(/chosen lifeboat,bundle\)", console)
    passed(console)
