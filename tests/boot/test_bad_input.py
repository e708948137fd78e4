# SPDX-License-Identifier: BSD-2-Clause
"""Bad input: one line that says what is wrong, nothing started, and the machine switched off.

Each row breaks one thing. Bundles come by QEMU's -initrd. FDTs, which QEMU and OpenSBI would not let
through, come by a shim (badfdt.py).
"""

import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from badfdt import BUNDLE_AT, FDT_AT, MEMORY, RAM_AT, STAGE_AT, Shim, dump_fdt, loader
from fdtfile import Fdt
from harness import find, run_to_end

from lifeboatlib import bundle
from lifeboatlib.qemu import Machine

LOAD = 0x8020_0000
NOWHERE = 0x7000_0000  # no RAM there
JUMP_TO_SELF = struct.pack("<I", 0x0000_006F)
ERROR = "lifeboat: ERROR: "
ENDED = ERROR + "boot: nothing was started; shutting down"
LONGEST_LINE = 240


def refusal(console: str) -> str:
    """The one error of a boot that ended by itself as it should."""
    errors = [line for line in console.splitlines() if ERROR in line]
    assert len(errors) == 2 and errors[1] == ENDED, f"not one error and the end:\n{console}"
    assert console.splitlines()[-1] == ENDED, f"something comes after the end:\n{console}"
    assert console.count("lifeboat: boot: lifeboat ") == 1, f"started more than once:\n{console}"
    assert "handoff:" not in console, f"a payload was started:\n{console}"
    line = errors[0].removeprefix(ERROR)
    assert len(line) <= LONGEST_LINE and "?" not in line, f"not for a person: {line}"
    return line


def image_header(image_size: int, magic: bytes = b"RSC\x05", version: int = 2) -> bytes:
    """A Linux Image of one page that its header calls `image_size` bytes."""
    header = JUMP_TO_SELF + bytes(4) + struct.pack("<QQQI", 0x200000, image_size, 0, version)
    return (header + bytes(12) + b"RISCV\0\0\0" + magic).ljust(0x1000, b"\0")


def elf_file(*segments: tuple[int, int], entry: int = LOAD) -> bytes:
    """An ELF executable with segments (address, size) of zeros that lie at file offset 0x1000."""
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = ident + struct.pack(
        "<HHIQQQIHHHHHH", 2, 243, 1, entry, 64, 0, 0, 64, 56, len(segments), 0, 0, 0
    )
    rows = (struct.pack("<IIQQQQQQ", 1, 5, 0x1000, a, a, n, n, 0x1000) for a, n in segments)
    return (header + b"".join(rows)).ljust(0x4000, b"\0")


class Workbench:
    """Makes the bundles of one test."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def file(self, name: str, content: bytes) -> Path:
        """A file."""
        (self._directory / name).write_bytes(content)
        return self._directory / name

    def fit(self, image: bundle.Image, change: Callable[[str], str] = str) -> Path:
        """A bundle of one image, its source changed."""
        made = bundle.simple(image)

        class Changed(bundle.Bundle):
            def its(self) -> str:
                return change(made.its())

        return Changed(made.images, made.configurations).write(self._directory / "bundle.itb")

    def raw(self, load: int) -> bundle.Image:
        """A payload that wants to lie at an address."""
        return bundle.raw(self.file("loop.bin", JUMP_TO_SELF * 0x400), load, load)

    def linux(self, content: bytes) -> bundle.Image:
        """A kernel."""
        return bundle.linux(self.file("Image", content))

    def elf(self, *segments: tuple[int, int], entry: int = LOAD) -> bundle.Image:
        """An ELF program."""
        return bundle.elf(self.file("program.elf", elf_file(*segments, entry=entry)))

    def cut(self, keep: int) -> Path:
        """A good bundle of which only the first bytes are left (or all but the last, if negative)."""
        whole = self.fit(self.raw(LOAD))
        return self.file("cut.itb", whole.read_bytes()[:keep])


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """Where this test's bundles are made."""
    return Workbench(tmp_path)


def boot(stage: Path, initrd: Path | None) -> str:
    """The console of a boot that has to end by itself."""
    return run_to_end(Machine(kernel=stage, initrd=initrd, memory="256M"))


BUNDLES: dict[str, tuple[Callable[[Workbench], Path | None], str]] = {
    "none": (lambda b: None, r"^bundle: none found: .*-initrd"),
    "garbage": (
        lambda b: b.file("garbage", b"no bundle, no kernel\n" * 1000),
        r"^bundle: none found .*the initrd is none",
    ),
    "data cut off": (
        lambda b: b.cut(-0x400),
        r"^bundle: image 'payload' ends at 0x[0-9a-f]+, beyond .* truncated",
    ),
    "tree cut off": (lambda b: b.cut(300), r"^bundle: .* truncated"),
    "header cut off": (lambda b: b.cut(30), r"^bundle: .* truncated|^bundle: none found"),
    "larger than RAM": (
        lambda b: b.fit(b.linux(image_header(2 * MEMORY))),
        r"^plan: kernel needs 512 MiB .* largest free piece .* is \d+ MiB: .* more RAM",
    ),
    "absurd image_size": (
        lambda b: b.fit(b.linux(image_header((1 << 64) - 0x1000))),
        r"^kernel: image_size 0xf+000 is absurd",
    ),
    "image_size 0": (lambda b: b.fit(b.linux(image_header(0))), r"^kernel: .* image_size 0"),
    "old header": (
        lambda b: b.fit(b.linux(image_header(0x1000, version=1))),
        r"^kernel: Image header version 0.1 is too old",
    ),
    "Image without magic": (
        lambda b: b.fit(b.linux(image_header(0x1000, magic=bytes(4)))),
        r"^bundle: image 'kernel' is neither a Linux Image nor an ELF, so it needs a load address",
    ),
    "compressed": (
        lambda b: b.fit(b.linux(image_header(0x1000)), lambda its: its.replace('"none"', '"gzip"')),
        r"^gzip: the data does not begin as gzip: make it again",
    ),
    "other architecture": (
        lambda b: b.fit(b.linux(image_header(0x1000)), lambda its: its.replace('"riscv"', '"arm64"')),
        r"^bundle: image 'kernel' is for the arch 'arm64', not for 'riscv'",
    ),
    "segments overlap": (
        lambda b: b.fit(b.elf((LOAD, 0x2000), (LOAD + 0x1000, 0x2000))),
        r"^kernel: ELF segments at 0x80200000 and 0x80201000 overlap",
    ),
    "entry outside": (
        lambda b: b.fit(b.elf((LOAD, 0x2000), entry=LOAD + 0x2000)),
        r"^kernel: the ELF's entry 0x80202000 is odd or outside its segments",
    ),
    "on the firmware": (
        lambda b: b.fit(b.raw(RAM_AT)),
        r"^plan: kernel at \[0x80000000\.\.0x80000fff\] lies on firmware \(mmode_resv",
    ),
    "where no RAM is": (
        lambda b: b.fit(b.raw(NOWHERE)),
        r"^plan: kernel at \[0x70000000\.\.0x70000fff\] is not all RAM",
    ),
    "half behind RAM": (
        lambda b: b.fit(b.elf((RAM_AT + MEMORY - 0x1000, 0x2000), entry=RAM_AT + MEMORY - 0x1000)),
        r"^plan: .* is not all RAM",
    ),
    "past the last address": (
        lambda b: b.fit(b.raw((1 << 64) - 0x800)),
        r"^kernel: a raw binary of 0x1000 bytes at 0xf+800 runs past the end of memory",
    ),
}


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bad_bundle_is_refused_in_one_line(name: str, stage: Path, bench: Workbench) -> None:
    """And nothing is started."""
    make, wanted = BUNDLES[name]
    assert re.search(wanted, line := refusal(boot(stage, make(bench)))), line


@pytest.mark.parametrize(
    ("place", "who"),
    [
        (r"\[(0x\w+)\.\.0x\w+\]   the FDT", r"the FDT \(the firmware's\)"),
        (r"stage: moved to (0x\w+)", r"the stage \(.*\)"),
    ],
    ids=("the FDT", "the moved stage"),
)
def test_a_load_address_that_is_taken_is_refused(
    place: str, who: str, stage: Path, bench: Workbench
) -> None:
    """The first boot tells where it is, and fails for another reason."""
    first = boot(stage, bench.fit(bench.raw(NOWHERE)))
    address = int(find(place, first)[1], 16)
    line = refusal(boot(stage, bench.fit(bench.raw(address))))
    assert re.search(rf"^plan: kernel at \[{address:#x}\.\.\S+ lies on {who}", line), line


# FDTs


@pytest.fixture(scope="session")
def good_fdt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What QEMU would hand over."""
    return dump_fdt(tmp_path_factory.mktemp("fdt") / "good.dtb")


@pytest.fixture
def shim(stage: Path, build_payload: Callable[..., object], good_fdt: Path, tmp_path: Path) -> Shim:
    """The way past QEMU and OpenSBI."""
    return Shim(stage, build_payload, good_fdt, tmp_path)


def with_bundle(fdt: Fdt, path: Path) -> Fdt:
    """The FDT names a bundle at BUNDLE_AT."""
    fdt.put("/chosen", "linux,initrd-start", 0, BUNDLE_AT)
    return fdt.put("/chosen", "linux,initrd-end", 0, BUNDLE_AT + path.stat().st_size)


def patched(fdt: Fdt, offset: int, *words: int) -> Fdt:
    """The blob with words of it overwritten."""
    blob = bytearray(fdt.path.read_bytes())
    struct.pack_into(f">{len(words)}I", blob, offset, *words)
    fdt.path.write_bytes(blob)
    return fdt


def ram(fdt: Fdt, base: int, size: int) -> Fdt:
    """The FDT names this RAM alone, and what the bundle lies in."""
    cells = (base >> 32, base & 0xFFFF_FFFF, size >> 32, size & 0xFFFF_FFFF, 0, BUNDLE_AT, 0, 0x1_0000)
    return fdt.put(f"/memory@{RAM_AT:x}", "reg", *cells)


def reserving(fdt: Fdt, *cells: int) -> Fdt:
    """The FDT with one more reservation, called "taken"."""
    node = "/reserved-memory"
    fdt.add_node(node).put(node, "#address-cells", 2).put(node, "#size-cells", 2)
    return fdt.add_node(f"{node}/taken").put(f"{node}/taken", "reg", *cells)


# Offsets of the header's words (Devicetree Specification, "Header").
MAGIC, TOTALSIZE, OFF_STRUCT, OFF_STRINGS, OFF_RESERVE, VERSION = range(0, 24, 4)
STRUCTURE = 0x48  # some way into the structure block of what QEMU makes

FDTS: dict[str, tuple[Callable[[Fdt], Fdt], str]] = {
    "no memory": (lambda f: f.remove_node(f"/memory@{RAM_AT:x}"), r"^fdt: no memory node"),
    "memory of size 0": (lambda f: f.put(f"/memory@{RAM_AT:x}", "reg", 0, RAM_AT, 0, 0), r"^fdt: no memory node with a size"),
    "memory overflows": (
        lambda f: ram(f, (1 << 64) - 0x1000, 0x2000),
        r"^fdt: memory@80000000: range .* runs past the last address",
    ),
    "memory of 3 cells": (
        lambda f: f.put(f"/memory@{RAM_AT:x}", "reg", 0, RAM_AT, 0),
        r"^fdt: memory@80000000: 12 bytes are no list of 16-byte ranges",
    ),
    "cells of 7": (lambda f: f.put("/", "#address-cells", 7), r"^fdt: .*#address-cells"),
    "no magic": (lambda f: patched(f, MAGIC, 0xD00D_FEEE), r"^fdt: none there: magic is 0xd00dfeee"),
    "totalsize 0": (lambda f: patched(f, TOTALSIZE, 0), r"^fdt: its size cannot be 0 bytes"),
    "totalsize huge": (
        lambda f: patched(f, TOTALSIZE, 0xFFFF_FFF8),
        r"^fdt: its size cannot be 4294967288 bytes; 40 to 2 MiB",
    ),
    "totalsize too small": (lambda f: patched(f, TOTALSIZE, 0x400), r"^fdt: damaged"),
    "old version": (lambda f: patched(f, VERSION, 3, 3), r"^fdt: version 3, .* reads 17"),
    "structure misplaced": (lambda f: patched(f, OFF_STRUCT, 0x3A), r"^fdt: damaged: .* misaligned"),
    "structure outside": (lambda f: patched(f, OFF_STRUCT, 0x7FFF_FFF8), r"^fdt: damaged"),
    "strings outside": (lambda f: patched(f, OFF_STRINGS, 0x7FFF_FFFF), r"^fdt: damaged"),
    "reserve map outside": (lambda f: patched(f, OFF_RESERVE, 0x7FFF_FFF8), r"^fdt: damaged"),
    "structure damaged": (lambda f: patched(f, STRUCTURE, 0x77, 0x77, 0x77), r"^fdt: damaged"),
    "reservation overflows": (
        lambda f: reserving(f, 0xFFFF_FFFF, 0xFFFF_F000, 0, 0x10000),
        r"^fdt: .*taken: range 0xf+000 \+ 0x10000 runs past the last address",
    ),
}


@pytest.mark.parametrize("name", FDTS)
def test_a_bad_fdt_is_refused_in_one_line(name: str, shim: Shim) -> None:
    """And nothing is started."""
    spoil, wanted = FDTS[name]
    machine = shim.machine(spoil(shim.fdt()).path)
    assert re.search(wanted, line := refusal(run_to_end(machine))), line


A1S: dict[str, tuple[int, str]] = {
    "null": (0, r"^fdt: a1 = 0 can't be an FDT"),
    "odd": (FDT_AT + 4, r"^fdt: a1 = 0x88000004 can't be an FDT .*8-byte aligned"),
    "empty RAM": (FDT_AT + 0x10_0000, r"^fdt: none there: magic is 0x0, not 0xd00dfeed"),
    "no device": (NOWHERE, r"^fdt: none there: magic is 0x"),
    "a device": (0x1000_0000, r"^fdt: none there: magic is 0x"),
    "above all modes": (1 << 60, r"^fdt: cannot map the FDT at 0x1000000000000000: "),
    "the last address": ((1 << 64) - 8, r"^fdt: cannot map the FDT at 0xf+8: "),
}


@pytest.mark.parametrize("name", A1S)
def test_a_bad_a1_is_refused_in_one_line(name: str, shim: Shim) -> None:
    """Whatever firmware left in the register."""
    a1, wanted = A1S[name]
    machine = shim.machine(shim.fdt().path, a1=a1)
    assert re.search(wanted, line := refusal(run_to_end(machine))), line


MEMORIES: dict[str, tuple[Callable[[Fdt], Fdt], str]] = {
    "too small to move": (
        lambda f: ram(f, STAGE_AT, 0x10_0000),
        r"^stage: no free \d+ KiB of RAM in one piece to move to: .* more RAM",
    ),
    "of 3 MiB": (lambda f: ram(f, STAGE_AT, 3 << 20), r"^(stage|plan): .* RAM"),
    "all reserved": (
        lambda f: reserving(f, 0, RAM_AT, 0, MEMORY),
        r"^stage: .*no free",
    ),
    "payload reserved": (
        lambda f: reserving(f, 0, LOAD, 0, 0x1000),
        r"^plan: kernel at \[0x80200000\.\.0x80200fff\] lies on reserved memory \(taken\)",
    ),
    "bundle of no size": (
        lambda f: f.put("/chosen", "linux,initrd-end", 0, BUNDLE_AT),
        r"^bundle: none found",
    ),
    "bundle ends before it begins": (
        lambda f: f.put("/chosen", "linux,initrd-end", 0, BUNDLE_AT - 0x1000),
        r"^bundle: none found",
    ),
    "bundle up to the last address": (
        lambda f: f.put("/chosen", "linux,initrd-end", 0xFFFF_FFFF, 0xFFFF_FFFF),
        r"^bundle: ",
    ),
}


@pytest.mark.parametrize("name", MEMORIES)
def test_bad_memory_is_refused_in_one_line(name: str, shim: Shim, bench: Workbench) -> None:
    """The FDT is well formed, but what it says of memory leaves no room."""
    spoil, wanted = MEMORIES[name]
    image = bench.fit(bench.raw(LOAD))
    fdt = spoil(with_bundle(shim.fdt(), image))
    machine = shim.machine(fdt.path, extra=loader(image, BUNDLE_AT))
    assert re.search(wanted, line := refusal(run_to_end(machine))), line


def test_a_bundle_that_firmware_has_written_into_is_refused_as_damaged(shim: Shim, bench: Workbench) -> None:
    """By its FDT. No line says that the bundle lacks something: nobody reads it."""
    image = bench.fit(bench.raw(LOAD))
    fdt_at = BUNDLE_AT + 0x10_0000
    fdt = with_bundle(shim.fdt(), image).put("/chosen", "linux,initrd-end", 0, fdt_at + 1)
    console = run_to_end(shim.machine(fdt.path, fdt_at, fdt_at, extra=loader(image, BUNDLE_AT)))
    wanted = r"^bundle: \[0x8a000000\.\.0x8a100000\] overlaps \w.* at 0x8a100000, so it is damaged: load it elsewhere$"
    assert re.search(wanted, line := refusal(console)), line
    assert "has no crash configuration" not in console


# What firmware may say besides, and the payload starts all the same. `e` is where the bundle ends.
HARMLESS: dict[str, tuple[Callable[[Fdt, int], Fdt], str]] = {
    "nothing wrong": (lambda f, e: f, r"^lifeboat: bundle: .*/chosen linux,initrd-start"),
    "bundle reserved": (
        lambda f, e: reserving(f, 0, BUNDLE_AT, 0, e - BUNDLE_AT),
        r"^lifeboat: bundle: .*/chosen linux,initrd-start",
    ),
    "a page of the bundle reserved": (
        lambda f, e: reserving(f, 0, BUNDLE_AT, 0, 1),
        r"^lifeboat: memory: \[0x8a000000..0x8a000000\] +reserved memory: taken",
    ),
    "initrd in device space": (
        lambda f, e: beside(f, e, 0x4610_0000, 0x4C00_0000),
        r"linux,initrd-start: \[0x46100000..0x4bffffff\] is no RAM to read: not used",
    ),
    "initrd behind RAM": (
        lambda f, e: beside(f, e, 0xD000_0000, 0xD5F0_0000),
        r"linux,initrd-start: \[0xd0000000..0xd5efffff\] is no RAM to read: not used",
    ),
    "initrd in the bundle": (
        lambda f, e: beside(f, e, BUNDLE_AT + 0x800, e),
        r"^lifeboat: plan: initrd  .* from 0x8a000800$",
    ),
    "initrd around the bundle": (
        lambda f, e: beside(f, e, BUNDLE_AT - 1, e + 1),
        r"^lifeboat: plan: initrd  .* from 0x89ffffff$",
    ),
}


def beside(fdt: Fdt, end: int, initrd: int, initrd_end: int) -> Fdt:
    """The bundle has a property of its own, and this is the initrd."""
    fdt.put("/chosen", "linux,initrd-start", 0, initrd).put("/chosen", "linux,initrd-end", 0, initrd_end)
    return fdt.put("/chosen", "lifeboat,bundle", 0, BUNDLE_AT, 0, end - BUNDLE_AT)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_no_harm_starts_the_payload(
    name: str, shim: Shim, bench: Workbench, build_payload: Callable[..., object]
) -> None:
    """Else all of the above would be right for the wrong reason."""
    change, wanted = HARMLESS[name]
    program = build_payload("hop", TARGET=hex(STAGE_AT))
    image = bench.fit(bundle.raw(program.bin, LOAD, LOAD))
    fdt = change(with_bundle(shim.fdt(), image), BUNDLE_AT + image.stat().st_size)
    machine = shim.machine(fdt.path, extra=loader(image, BUNDLE_AT))
    console = run_to_end(machine)
    find(wanted, console)
    find(r"^lifeboat: handoff: to 0x80200000", console)
    assert console.count("lifeboat: boot: lifeboat ") == 2, "the payload is the stage again"
    assert ("reserved memory: taken" in console) == (name == "a page of the bundle reserved")
