# SPDX-License-Identifier: BSD-2-Clause
"""What must outlive a reset is written back from the caches, on machines with ways of their own to do that.

QEMU has no caches, but it tells of every store to SiFive's cache controller, which it has not either, and of the
registers with which T-Head's instructions are executed.
"""

import re
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from crash_bare import ARMED, bare_bundle, expect_filled, expect_verified
from harness import find
from symbols import section, symbols
from lifeboatlib.qemu import Machine, Session

LINE = 64
PHYSMAP = 0xFFFF_FFC0_0000_0000  # where Sv39's upper half begins, for pa 0
STAGE_VA = 0xFFFF_FFFF_C000_0000
FLUSH = r"l2cc: unimplemented device write +\(size 8, offset 0x0*200, value (0x[0-9a-f]+)\)"


@pytest.mark.slow
def test_the_last_level_cache_is_told_every_line_of_record_and_pieces(
    stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    """On sifive_u: both slots of the record, and each piece that the plan names."""
    log = tmp_path / "unimp.log"
    machine = Machine(
        kernel=stage, initrd=bare_bundle(build_payload, tmp_path / "b.itb"), machine="sifive_u", smp=5,
        extra=("-d", "unimp", "-D", str(log)),
    )  # fmt: skip
    with Session(machine) as session:
        session.expect(ARMED)
        session.expect(r"^lifeboat: handoff: .*\n")
        console = session.text
    assert "(platform sifive-unleashed)" in console
    flushed = {int(line, 16) for line in re.findall(FLUSH, log.read_text(encoding="utf-8"))}
    check_lines(flushed, console, build_payload("crash_checker").bin.stat().st_size)


def check_lines(flushed: set[int], console: str, kernel_size: int) -> None:
    """All lines of both slots of the record, and of the pieces that the plan names; none outside of the region."""
    assert flushed and not any(line % LINE for line in flushed)
    region = find(r"crash: region \[(0x[0-9a-f]+)\.\.(0x[0-9a-f]+)\]", console)
    end = int(region[2], 16) + 1
    wanted = set(range(end - 0x2000, end, 0x1000))
    for name, size in (("fdt", None), ("kernel", kernel_size)):
        plan = find(rf"plan: {name} +\[(0x[0-9a-f]+)\.\.(0x[0-9a-f]+)\]", console)  # the crash kernel's is first
        first, last = int(plan[1], 16), int(plan[2], 16)
        assert int(region[1], 16) <= first < end
        wanted |= set(range(first, first + size if size else last, LINE))
    missing = sorted({address & -LINE for address in wanted} - flushed)
    assert missing == [], f"{len(missing)} lines, the first at {missing[0]:#x}"
    assert all(int(region[1], 16) <= line < end for line in flushed), "lines of others were written back"


@pytest.fixture
def virt_as_unleashed(tmp_path: Path) -> Path:
    """QEMU virt's FDT under another name: where the cache controller would be a store faults."""
    tree = tmp_path / "virt.dtb"
    dump = ["qemu-system-riscv64", "-M", f"virt,dumpdtb={tree}", "-m", "1G", "-display", "none"]
    subprocess.run(dump, check=True, capture_output=True)
    rename = ["fdtput", "-t", "s", str(tree), "/", "compatible", "sifive,hifive-unleashed-a00"]
    subprocess.run(rename, check=True)
    return tree


@pytest.mark.slow
def test_firmware_may_keep_the_cache_controller(
    stage: Path, build_payload: Callable[..., object], virt_as_unleashed: Path, tmp_path: Path
) -> None:
    """A store that faults costs one warning on each boot, and nothing else."""
    made = bare_bundle(build_payload, tmp_path / "b.itb")
    with Session(Machine(kernel=stage, initrd=made, dtb=virt_as_unleashed)) as session:
        filled = expect_filled(session)
        expect_verified(session, filled)
        console = session.text
    boots = re.split(r"^lifeboat: boot: ", console, flags=re.MULTILINE)[1:]
    assert len(boots) == 2
    for boot in boots:
        assert len(re.findall(r"warning: crash: the firmware keeps a cache from us", boot)) == 1
        assert "trap:" not in boot


def instructions(elf: Path, scratch: Path, mask: int, bits: int) -> dict[int, int]:
    """Where an instruction is in the stage's code, and the number of its rs1."""
    code = section(elf, ".text", scratch)
    words = ((at, *struct.unpack_from("<I", code, at)) for at in range(0, len(code) - 3, 2))
    return {symbols(elf)["stage_start"] + at: word >> 15 & 31 for at, word in words if word & mask == bits}


def executed(log: str) -> list[tuple[int, dict[int, int]]]:
    """The pc and x0 to x31 of each instruction in a log of registers."""
    dumps = re.split(r"^ pc +([0-9a-f]+)$", log, flags=re.MULTILINE)[1:]
    pairs = zip(dumps[::2], dumps[1::2], strict=True)
    values = r"\bx(\d+)/\w+ +([0-9a-f]{16})\b"
    return [(int(pc, 16), {int(x): int(v, 16) for x, v in re.findall(values, rest)}) for pc, rest in pairs]


@pytest.mark.slow
def test_t_heads_cores_clean_every_line_of_record_and_pieces(
    stage: Path, stage_elf: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    """By th.dcache.cva, which takes an address; then th.sync.s waits for them."""
    cleans = instructions(stage_elf, tmp_path / "text", 0xFFF0_7FFF, 0x0250_000B)
    syncs = instructions(stage_elf, tmp_path / "text", 0xFFFF_FFFF, 0x0190_000B)
    assert cleans and syncs
    log = tmp_path / "cpu.log"
    watched = ",".join(f"{pc:#x}+4" for pc in (*cleans, *syncs))
    made = bare_bundle(build_payload, tmp_path / "b.itb", WAIT=1, FILL_END=1)
    machine = Machine(
        kernel=stage, initrd=made, cpu="thead-c906", memory="256M",
        extra=("-accel", "tcg,one-insn-per-tb=on", "-d", "cpu,nochain", "-dfilter", watched, "-D", str(log)),
    )  # fmt: skip
    with Session(machine) as session:
        expect_filled(session)
        console = session.text
    seen = executed(log.read_text(encoding="utf-8"))
    assert seen[-1][0] in syncs, "nothing waits for the last lines"
    flushed = {x[cleans[pc]] - PHYSMAP & -LINE for pc, x in seen if pc in cleans and x[cleans[pc]] < STAGE_VA}
    check_lines(flushed, console, build_payload("crash_checker").bin.stat().st_size)


@pytest.mark.slow
def test_a_crash_is_captured_on_a_core_with_such_instructions(
    stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    """QEMU's thead-c906 has them (and not MAEE)."""
    made = bare_bundle(build_payload, tmp_path / "b.itb")
    with Session(Machine(kernel=stage, initrd=made, cpu="thead-c906", memory="256M")) as session:
        expect_verified(session, expect_filled(session))
