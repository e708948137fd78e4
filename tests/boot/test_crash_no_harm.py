# SPDX-License-Identifier: BSD-2-Clause
"""With a crash configuration a machine boots as well as without it: odd machines and bad inputs, each with and without.

Where there can't be a crash kernel one line says why, and the primary starts all the same.
"""

import gzip
import re
import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from checksums import checksum
from lifeboatlib import bundle
from lifeboatlib.qemu import Machine, Session

MIB = 1 << 20
RAM_BASE = 0x80000000
REGION = 104 * MIB
STAGE_AT = 0x80200000
SPINWAIT_AT = 0x80600000
FOR_EVER = 1 << 62  # looks
STARTED = r"^(named: primary|spinwait: PASS)$"
ARMED = "lifeboat: crash: armed"
NO_CRASH_KERNEL = "lifeboat: warning: crash: no crash kernel: "

Edit = Callable[[str], str]


@dataclass(frozen=True)
class Odd:
    """An odd machine, or a bad input, and how it ends with a crash configuration."""

    says: str = ARMED  # a line of the stage's log
    options: dict[str, object] = field(default_factory=dict)  # of Machine
    edit: Edit | None = None  # of the FDT's source
    load: int = 0  # of a primary that is linked for an address
    room: int = 0  # bytes that the primary wants to have from its start on
    packed: bool = False
    no_hsm: bool = False  # all harts enter the primary: it is one that waits for them
    record: dict[int, int] = field(default_factory=dict)  # forged 64-bit words of an armed record


def reserved(*children: str, cells: int = 2, ranges: str = "ranges;") -> Edit:
    """Adds a /reserved-memory."""
    head = f"#address-cells = <{cells}>; #size-cells = <{cells}>; {ranges}" if cells else ranges
    node = f"reserved-memory {{ {head} {' '.join(children)} }};\n"
    # (RAM begins behind OpenSBI, which then reserves nothing: it would add ranges.)
    return lambda text: text.replace("chosen {", f"{node} chosen {{", 1).replace(
        "reg = <0x00 0x80000000 0x00 0x40000000>", "reg = <0x00 0x80200000 0x00 0x3fe00000>"
    )


def child(name: str, at: int, size: int = 0x2000) -> str:
    """A node of /reserved-memory, two cells each."""
    return f"{name}@{at:x} {{ reg = <0x0 {at:#x} 0x0 {size:#x}>; no-map; }};"


def with_a_bank_too_many(text: str) -> str:
    """1 GiB more, far from what there is."""
    there = "0x00 0x80000000 0x00 0x40000000"
    return text.replace(f"reg = <{there}>", f"reg = <{there} 0x01 0x00 0x00 0x40000000>", 1)


def with_zicbom(text: str) -> str:
    """What QEMU's own hart has; to S-mode a hart without is as one whose firmware has not enabled cbo.clean."""
    assert "zicbom" in text
    return text + "\n"


POOL = 'pool { compatible = "shared-dma-pool"; size = <0x0 0x100000>; };'
LOG = child("log", 0x90000000)
NEITHER = f"{NO_CRASH_KERNEL}fdt: Linux ignores"
FORMER = 'was@90000000 { compatible = "lifeboat,crash-region"; reg = <0 0x90000000 0 0x6800000>; no-map; };'
NO_RECORD = f"{NO_CRASH_KERNEL}crash: there is no record in the crash region that the FDT has, at 0x90000000\n"
BEYOND = ("-object", "memory-backend-ram,id=ram,size=300G,reserve=off")
END = 0xBFE00000  # of the crash region in 1 GiB: OpenSBI puts the FDT behind it
REGION_AT = END - REGION
STAGE_IN_IT = END - 4 * MIB
ZEROS = checksum(bytes(4096))
# A crash kernel of zeros, with good checksums.
KERNEL = {0x178: REGION_AT + MIB, 0x180: 4096, 0x188: ZEROS, 0x1A8: REGION_AT, 0x1B0: 4096, 0x1B8: ZEROS}
FIT = {0x240: 2 * MIB, 0x248: STAGE_IN_IT - 2 * MIB, 0x250: 4096, 0x258: ZEROS}
NOT_USED = "crash: userspace's crash kernel is not used: "
OUT_OF_THE_WAY = 0x180000000

ODD = {
    "plain": Odd(),
    "45 reservations": Odd(edit=reserved(*(child(f"fw{i}", 0x90000000 + i * 4 * MIB) for i in range(45)))),
    "RAM out of reach": Odd(
        options={"memory": "300G", "machine": "virt,memory-backend=ram", "sv": 39, "extra": BEYOND}
    ),
    "RAM that is not there": Odd(f"{NO_CRASH_KERNEL}trap: load access fault", edit=with_a_bank_too_many),
    "no HSM, 2 harts": Odd(no_hsm=True, options={"smp": 2}),
    "no ranges": Odd(edit=reserved(LOG, ranges="")),
    "no ranges, a pool": Odd(NEITHER, edit=reserved(POOL, ranges="")),
    "other cells": Odd(NEITHER, edit=reserved("log@90000000 { reg = <0x90000000 0x1000>; };", cells=1)),
    "no cells": Odd(edit=reserved(LOG, cells=0)),
    "a crash region without a record": Odd(NO_RECORD, edit=reserved(FORMER)),
    "cbo.clean traps": Odd("the firmware keeps a cache from us", {"cpu": "rv64,zicbom=off"}, with_zicbom),
    "primary where the stage was": Odd(f"{NO_CRASH_KERNEL}plan: .* lies on the stage", load=STAGE_AT),
    "packed primary where the stage was": Odd(
        f"{NO_CRASH_KERNEL}plan: .* lies on the stage", load=STAGE_AT, packed=True
    ),
    "large primary": Odd(f"{NO_CRASH_KERNEL}plan: ", options={"memory": "512M"}, room=255 * MIB),
    "no room for a region": Odd(f"{NO_CRASH_KERNEL}crash: no 104 MiB", options={"memory": "96M"}),
    "record: a region of 2 MiB": Odd(record={0x20: END - 2 * MIB, 0x28: 2 * MIB}),
    "record: a region that wraps": Odd(record={0x28: -REGION_AT % (1 << 64)}),
    "record: no core header": Odd(record=KERNEL),
    "record: no core header, but somewhere": Odd(record=KERNEL | {0x160: OUT_OF_THE_WAY}),
    "record: a core header in the stage": Odd(record=KERNEL | {0x160: STAGE_IN_IT, 0x168: 0x5000}),
    "record: a core header of one byte": Odd(record=KERNEL | {0x160: END - 1, 0x168: 1}),
    "record: an FDT in the stage": Odd(record=KERNEL | {0x178: STAGE_IN_IT}),
    "record: an image of all there is": Odd(record={0x1A8: REGION_AT, 0x1B0: REGION}),
    "record: an entry in nowhere": Odd(record={0x48: OUT_OF_THE_WAY}),
    "record: a crash kernel ran in nowhere": Odd(record={0x18: 3, 0x1F0: 0x7FFF000000, 0x1F8: 0x1000000}),
    "record: a kept FIT of zeros": Odd(f"{NOT_USED}bundle: ", record=FIT),
    "record: a kept FIT that is damaged": Odd(f"{NOT_USED}it is damaged", record=FIT | {0x258: 0}),
    "record: a kept FIT in the stage": Odd(record=FIT | {0x248: STAGE_IN_IT}),
    "record: all RAM was lost": Odd(
        "crash: no log of a Linux can be read; a bootloader's own reset looks the same: lifeboat,unknown-end says capture\n"
        "[^#]*crash: none of the RAM is a dead kernel's: the dump will be empty", record={0x58: 1 | 6 << 32, 0x60: RAM_BASE, 0x68: 1 << 30}
    ),
    "record: for ever": Odd(record={0x50: (1 << 64) - 1, 0x18: 3 | (1 << 64) - (1 << 32)}),
}  # fmt: skip


def fnv(*numbers: int) -> int:
    """FNV-1a of 64-bit numbers, as docs/abi.md has map_hash."""
    value = 0xCBF29CE484222325
    for byte in b"".join(struct.pack("<Q", number) for number in numbers):
        value = (value ^ byte) * 0x100000001B3 % (1 << 64)
    return value


def write_ram(path: Path, forged: dict[int, int]) -> tuple[str, ...]:
    """1 GiB of RAM with an armed crash record in it, of a death without a log; what QEMU is to be told."""
    slot = bytearray(608)
    words = {
        0x00: 0x64726F636572424C, 0x10: 4 | 1 << 32, 0x18: 1, 0x20: REGION_AT, 0x28: REGION,
        0x30: fnv(RAM_BASE, 1 << 30), 0x48: REGION_AT, 0x58: 6 << 32,
    }  # fmt: skip
    for at, word in (words | forged).items():
        slot[at : at + 8] = struct.pack("<Q", word)
    slot[0x0C:0x10] = struct.pack("<I", len(slot))
    slot[0x08:0x0C] = struct.pack("<I", zlib.crc32(slot[0x0C:]))
    with path.open("wb") as ram:
        ram.truncate(1 << 30)
        ram.seek(END - RAM_BASE - 8192)
        ram.write(slot)
        ram.seek(END - RAM_BASE - 692 * 1024 + 0xA8)  # docs/abi.md: the primary was started
        ram.write(b"\1")
    return ("-object", f"memory-backend-file,id=ram,size=1G,mem-path={path},share=on")


def edited_fdt(path: Path, edit: Edit) -> Path:
    """The FDT of QEMU's machine of 1 GiB and one hart, with another source."""
    plain = path.with_suffix(".plain")
    dump = ["qemu-system-riscv64", "-M", f"virt,dumpdtb={plain}", "-m", "1G", "-bios", "none", "-display", "none"]
    subprocess.run(dump, check=True, capture_output=True)
    source = subprocess.run(["dtc", "-q", "-O", "dts", plain], check=True, capture_output=True, text=True).stdout
    changed = edit(source)
    assert changed != source
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o", path, "-"], input=changed, text=True, check=True)
    return path


def with_room(image: Path, path: Path, room: int) -> Path:
    """An Image whose header asks for so much memory; 0: as it is."""
    content = bytearray(image.read_bytes())
    if room:
        content[16:24] = struct.pack("<Q", room)
    path.write_bytes(content)
    return path


def primary_of(odd: Odd, build_payload: Callable[..., object], path: Path) -> bundle.Image:
    """What the machine shall boot."""
    if odd.no_hsm:
        waiting = build_payload("spinwait", HARTS=odd.options["smp"], PATIENCE=FOR_EVER)
        return bundle.raw(waiting.bin, SPINWAIT_AT, SPINWAIT_AT)  # type: ignore[attr-defined]
    built = build_payload("named", base=odd.load, NAME='"primary"', STAY=1)
    if odd.packed:
        path.write_bytes(gzip.compress(built.elf.read_bytes()))  # type: ignore[attr-defined]
        return replace(bundle.elf(path), compression="gzip")
    if odd.load:
        return bundle.elf(built.elf)  # type: ignore[attr-defined]
    return bundle.linux(with_room(built.bin, path, odd.room))  # type: ignore[attr-defined]


@pytest.fixture
def console(
    stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> Callable[[Odd, bool], str]:
    """console(odd, crash): what the machine says until the primary has started."""

    def boot(odd: Odd, crash: bool) -> str:
        options = dict(odd.options)
        made = bundle.simple(primary_of(odd, build_payload, tmp_path / "primary"))
        if crash:
            checker = bundle.linux(build_payload("named", NAME='"crash kernel"', DIE=1).bin)  # type: ignore[attr-defined]
            made = bundle.with_crash(made, payload=checker, crash=bundle.Crash(REGION, 1, "capture"))
        if odd.edit:
            options["dtb"] = edited_fdt(tmp_path / "machine.dtb", odd.edit)
        if odd.no_hsm:
            options["bios"] = build_payload("allharts", base=RAM_BASE, NEXT=STAGE_AT).bin  # type: ignore[attr-defined]
        if odd.record:
            options |= {"machine": "virt,memory-backend=ram", "extra": write_ram(tmp_path / "ram", odd.record)}
        machine = Machine(kernel=stage, initrd=made.write(tmp_path / "b.itb"), **options)  # type: ignore[arg-type]
        with Session(machine) as session:
            session.expect(f"{STARTED}|lifeboat: ERROR: ")
            return session.text

    return boot


# One of each kind; the others are long.
USUAL = (
    "45 reservations", "RAM that is not there", "no HSM, 2 harts", "other cells", "a crash region without a record", "cbo.clean traps", "large primary",
    "record: a core header in the stage",
)  # fmt: skip
MARKS = {"record: a core header in the stage": pytest.mark.slow}  # seconds; the others take tenths


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS.get(name, ()) if name in USUAL else pytest.mark.long) for name in ODD])
def test_a_machine_boots_as_well_with_a_crash_configuration(name: str, console: Callable[[Odd, bool], str]) -> None:
    odd = ODD[name]
    text = console(odd, True)
    assert re.search(STARTED, text, re.MULTILINE), text
    assert re.search(odd.says, text), text
    assert text.count(NO_CRASH_KERNEL) == (NO_CRASH_KERNEL in odd.says), text
    assert (ARMED in text) != (NO_CRASH_KERNEL in odd.says), text


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name, odd in ODD.items() if not odd.record])
def test_and_so_it_does_without(name: str, console: Callable[[Odd, bool], str]) -> None:
    text = console(ODD[name], False)
    assert re.search(STARTED, text, re.MULTILINE), text
    assert "crash configuration" in text
