# SPDX-License-Identifier: BSD-2-Clause
"""What must outlive a reset is written back from the caches, on machines with ways of their own to do that.

QEMU has no caches, but it tells of every store to SiFive's cache controller, which it has not either.
"""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from crash_bare import ARMED, bare_bundle, expect_filled, expect_verified
from harness import find
from lifeboatlib.qemu import Machine, Session

LINE = 64
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
    assert flushed and not any(line % LINE for line in flushed)
    region = find(r"crash: region \[(0x[0-9a-f]+)\.\.(0x[0-9a-f]+)\]", console)
    end = int(region[2], 16) + 1
    wanted = {end - 0x2000, end - 0x1000}
    for name, size in (("fdt", None), ("kernel", build_payload("crash_checker").bin.stat().st_size)):
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
        assert len(re.findall(r"warning: crash: the firmware keeps the last-level cache from us", boot)) == 1
        assert "trap:" not in boot


@pytest.mark.slow
def test_t_heads_cores_write_back_with_their_own_instructions(
    stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    """They run, on QEMU's thead-c906 (which has them, and not MAEE), and a crash is captured there."""
    made = bare_bundle(build_payload, tmp_path / "b.itb")
    log = tmp_path / "asm.log"
    machine = Machine(
        kernel=stage, initrd=made, cpu="thead-c906", extra=("-d", "in_asm", "-D", str(log)),
    )  # fmt: skip
    with Session(machine) as session:
        filled = expect_filled(session)
        expect_verified(session, filled)
    code = log.read_text(encoding="utf-8", errors="replace")
    assert re.search(r"\bth\.dcache\.cva\b", code) and re.search(r"\bth\.sync\.s\b", code)
