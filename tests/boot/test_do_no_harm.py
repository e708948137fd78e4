# SPDX-License-Identifier: BSD-2-Clause
"""Invariant 1: on the way to the crash kernel every byte of the dead kernel's RAM stays as it was.

RAM is a file. It is looked at when the primary stands still, right before the reset, and when the crash
payload's first instruction runs (it jumps to itself, and writes nothing).
"""

import re
from pathlib import Path

import pytest
from crash_lab import ARMED, ENDED, PRIMARY, TIMEOUT, Lab
from harness import image_that_loops
from lifeboatlib import bundle, initramfs, target
from lifeboatlib.qemu import Machine, Session

RAM_BASE = 0x80000000
RAM_SIZE = 512 << 20
PAGE = 4096
RANGE = r"\[(0x[0-9a-f]+)\.\.(0x[0-9a-f]+)\]"
PATTERN = "i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo pattern-$i-$i-$i; done > /tmp/f; echo filled"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Linux as the primary, the loop as the crash payload."""
    directory = tmp_path_factory.mktemp("harm")
    primary = initramfs.make_initramfs(directory / "primary.cpio", PRIMARY)
    (directory / "loop").write_bytes(image_that_loops())
    plain = bundle.simple(bundle.linux(target.kernel()), primary, "console=ttyS0 quiet")
    loop = bundle.linux(directory / "loop")
    return bundle.with_crash(plain, payload=loop).write(directory / "crash.itb")


def ranges(pattern: str, console: str) -> list[tuple[int, int]]:
    """What the log says of ranges, as offsets into the RAM file, rounded out to pages."""
    found = re.findall(pattern, console)
    assert found, f"{pattern} is not in the log"
    return [
        ((int(first, 16) - RAM_BASE) & -PAGE, ((int(last, 16) - RAM_BASE) | (PAGE - 1)) + 1)
        for first, last in found
    ]


def differing_pages(before: bytes, after: bytes, left_out: list[tuple[int, int]]) -> list[int]:
    """Physical addresses of pages outside of the ranges whose contents changed."""
    return [
        RAM_BASE + at
        for at in range(0, RAM_SIZE, PAGE)
        if before[at : at + PAGE] != after[at : at + PAGE]
        and not any(start <= at < end for start, end in left_out)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("sv", [pytest.param(39, marks=pytest.mark.long), pytest.param(48, marks=pytest.mark.long), 57])
def test_the_dead_kernels_ram_is_unaltered(sv: int, made: Path, stage: Path, tmp_path: Path) -> None:
    """To the last byte, outside the crash region, lost memory and the firmware's own."""
    ram = tmp_path / "ram"
    backend = f"memory-backend-file,id=ram,size={RAM_SIZE},mem-path={ram},share=on"
    machine = Machine(
        kernel=stage, initrd=made, qmp=tmp_path / "qmp", sv=sv, memory=f"{RAM_SIZE >> 20}M",
        machine="virt,memory-backend=ram", extra=("-object", backend),
    )  # fmt: skip
    with Session(machine) as session:
        lab = Lab(session)
        lab.expect(ARMED)
        lab.order(PATTERN)
        lab.expect("^filled")
        session.qmp("stop")
        before = ram.read_bytes()
        session.qmp("system_reset")
        session.qmp("cont")
        assert lab.expect(ENDED)[1] == "cut"
        session.expect(r"lifeboat: handoff: to 0x[0-9a-f]+ .*\n", TIMEOUT)
        session.qmp("stop")
        after = ram.read_bytes()
        console = session.text
    left_out = [
        *ranges(rf"crash: region {RANGE}", console),
        *ranges(rf"crash: lost on a reset: {RANGE}", console),
        *ranges(rf"memory: {RANGE}   firmware", console),
    ]
    size = sum(end - start for start, end in set(left_out))
    print(f"\nleft out: {size >> 10} KiB of {RAM_SIZE >> 10}: {[f'{a:#x}..{b:#x}' for a, b in left_out]}")
    assert size < RAM_SIZE // 2
    changed = [page for page in differing_pages(before, after, left_out)]
    assert changed == [], f"{len(changed)} pages changed, the first at {changed[0]:#x}"
    assert before != after, "nothing changed anywhere: the test is blind"
