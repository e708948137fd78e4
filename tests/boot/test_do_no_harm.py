# SPDX-License-Identifier: BSD-2-Clause
"""Invariant 1: on the way to the crash kernel every byte of the dead kernel's RAM stays as it was.

RAM is a file. It is looked at when the primary stands still, right before the reset, and when the crash
payload's first instruction runs (it jumps to itself, and writes nothing). What was the dead kernel's is said by the
FDT that it was given, out of that RAM: all but the reservations there.
"""

import re
from pathlib import Path

import pytest
from crash_lab import ARMED, ENDED, PRIMARY, Lab
from fdtfile import Fdt, Range, subtract
from harness import image_that_loops
from lifeboatlib import bundle, initramfs, target
from lifeboatlib.qemu import Machine, Session

RAM_BASE = 0x80000000
RAM_SIZE = 512 << 20
PAGE = 4096
MOST_FDT = 2 << 20
HANDOFF = r"lifeboat: handoff: to (0x[0-9a-f]+) with a0 = \d+, a1 = (0x[0-9a-f]+)\n"
NAMED = r"(mmode_resv\d+|lifeboat-crash|lifeboat-lost)@[0-9a-f]+"
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


def given_fdt(ram: bytes, console: str, path: Path) -> Fdt:
    """The FDT that the first payload was handed, from where the kernel keeps it."""
    handed = re.search(HANDOFF, console)
    assert handed
    at = int(handed[2], 16) - RAM_BASE
    path.write_bytes(ram[at : at + int.from_bytes(ram[at + 4 : at + 8], "big")])
    return Fdt(path)


def changed_pages(before: bytes, after: bytes, left_out: list[Range]) -> list[int]:
    """Physical addresses of pages in which a byte outside of the ranges changed."""
    changed = []
    for pa in range(RAM_BASE, RAM_BASE + len(before), PAGE):
        page = slice(pa - RAM_BASE, pa - RAM_BASE + PAGE)
        if before[page] != after[page]:
            pieces = [slice(a - RAM_BASE, b - RAM_BASE) for a, b in subtract([(pa, pa + PAGE)], left_out)]
            changed += [pa] if any(before[piece] != after[piece] for piece in pieces) else []
    return changed


def stands_in_payload(session: Session) -> None:
    """Waits until the payload that loops has been reached."""
    entry = int(session.expect(HANDOFF)[1], 16)
    session.until(lambda: entry in session.pcs(), f"a hart at {entry:#x}")


@pytest.mark.slow
@pytest.mark.parametrize("sv", [pytest.param(39, marks=pytest.mark.long), pytest.param(48, marks=pytest.mark.long), 57])
def test_the_dead_kernels_ram_is_unaltered(sv: int, made: Path, stage: Path, tmp_path: Path) -> None:
    """To the last byte, outside of what its FDT reserved: crash region, lost memory and the firmware's own."""
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
        fdt = given_fdt(before, session.text, tmp_path / "given.dtb")
        session.qmp("system_reset")
        session.qmp("cont")
        assert lab.expect(ENDED)[1] == "cut"
        stands_in_payload(session)
        session.qmp("stop")
        after = ram.read_bytes()
    names = fdt.children("/reserved-memory")
    assert all(re.fullmatch(NAMED, name) for name in names), names
    lost = [fdt.ranges(f"/reserved-memory/{name}")[0] for name in names if "-lost@" in name]
    size = sum(end - start for start, end in lost)
    print(f"\nleft out: {names}; {size >> 10} KiB of lost memory")
    assert size < made.stat().st_size + stage.stat().st_size + MOST_FDT, "harm is no harm if all is called lost"
    assert (changed := changed_pages(before, after, fdt.reserved())) == [], (
        f"{len(changed)} pages changed, the first at {changed[0]:#x}"
    )
    assert before != after, "nothing changed anywhere: the test is blind"
