# SPDX-License-Identifier: BSD-2-Clause
"""The crash story on other boards than virt: the reset way, and the dead kernel's RAM to the last byte."""

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from board_machines import unleashed
from crash_bare import FILLED, FIRST_LINE, GIVEN_UP, REGION, bare_bundle, expect_filled, expect_verified
from harness import find, image_that_loops
from test_do_no_harm import PAGE, RAM_BASE, RAM_SIZE, stands_in_payload

from lifeboatlib import bundle, target
from lifeboatlib.qemu import Machine, Session



def sifive_u(stage: Path, made: Path, **options: object) -> Machine:
    """OpenSBI resets it by a GPIO."""
    return Machine(kernel=stage, initrd=made, machine="sifive_u", smp=5, memory="512M", **options)  # type: ignore[arg-type]


def microchip_icicle_kit(stage: Path, made: Path, **options: object) -> Machine:
    """There is no SRST at all with OpenSBI's generic firmware: only a reset from outside."""
    dtb = target.LINUX.fdt("microchip/mpfs-icicle-kit.dtb")
    return Machine(
        kernel=stage, initrd=made, machine="microchip-icicle-kit", smp=5, memory="3G", port=1, dtb=dtb, **options
    )  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.boards("sifive_u", "crash")
def test_sifive_u_three_cycles(stage: Path, build_payload: Callable[..., object], tmp_path: Path) -> None:
    """Dies by SRST, is captured whole, boots normally; three times over, on whichever hart comes."""
    made = bare_bundle(build_payload, tmp_path / "bare.itb")
    with Session(sifive_u(stage, made)) as session:
        for _ in range(3):
            filled = expect_filled(session)
            print(f"\n{expect_verified(session, filled)} bytes verified")
            session.expect(GIVEN_UP)
        expect_filled(session)
        boots = session.text.count(FIRST_LINE)
        find(r"^lifeboat: crash: lost on a reset: ", session.text)
    assert boots == 7, f"{boots} boots for three crashes, three captures and the boot behind them"


@pytest.mark.long
@pytest.mark.boards("microchip_icicle_kit", "crash")
def test_icicle_reset_from_outside(stage: Path, build_payload: Callable[..., object], tmp_path: Path) -> None:
    """Both banks of RAM, one of them above 4 GiB, are captured whole."""
    made = bare_bundle(build_payload, tmp_path / "bare.itb", WAIT=1)
    with Session(microchip_icicle_kit(stage, made, qmp=tmp_path / "qmp")) as session:
        filled = session.expect(FILLED)
        assert int(filled[1]) > 1 << 30
        session.qmp("system_reset")
        print(f"\n{expect_verified(session, filled)} bytes verified")


def looping_bundle(build_payload: Callable[..., object], path: Path, **defines: object) -> Path:
    """The pattern in RAM, and a crash payload that stands still at its first instruction."""
    loop = path.with_suffix(".loop")
    loop.write_bytes(image_that_loops())
    primary = build_payload("crash_primary", WAIT=1, **defines)
    plain = bundle.simple(bundle.linux(primary.bin))  # type: ignore[attr-defined]
    crash = bundle.Crash(REGION, 1, "capture")
    return bundle.with_crash(plain, payload=bundle.linux(loop), crash=crash).write(path)


def pattern(pa: int) -> int:
    """As in tests/payloads/crash_pattern.h: the word at an address that the primary wrote."""
    return (pa * 0x9E3779B97F4A7C15 & (1 << 64) - 1) ^ 0x6C696665626F6174


def words(ram: bytes, pa: int) -> tuple[int, ...]:
    """A page."""
    return struct.unpack_from(f"<{PAGE // 8}Q", ram, pa - RAM_BASE)


def is_the_primarys(page: tuple[int, ...], pa: int) -> bool:
    """Whether the primary wrote it, or its first or last part."""
    return page[0] == pattern(pa) or page[-1] == pattern(pa + PAGE - 8)


def changed_pages(before: bytes, after: bytes) -> list[int]:
    """Physical addresses of pages in which a word changed that the primary wrote."""
    changed = []
    for pa in range(RAM_BASE, RAM_BASE + len(before), PAGE):
        at = pa - RAM_BASE
        if before[at : at + PAGE] == after[at : at + PAGE] or not is_the_primarys(page := words(before, pa), pa):
            continue
        pairs = enumerate(zip(page, words(after, pa), strict=True))
        if any(old != new and old == pattern(pa + 8 * i) for i, (old, new) in pairs):
            changed.append(pa)
    return changed


def assert_unaltered(plain: Machine, directory: Path) -> None:
    """RAM is a file, of which the first 512 MiB are looked at: what the primary wrote, which was all that it was given."""
    ram = directory / "ram"
    backend = f"memory-backend-file,id=ram,size={plain.memory},mem-path={ram},share=on"
    extra = (*plain.extra, "-object", backend)
    machine = replace(plain, machine=f"{plain.machine},memory-backend=ram", extra=extra, qmp=directory / "qmp")

    def look() -> bytes:
        with ram.open("rb") as file:
            return file.read(RAM_SIZE)

    with Session(machine) as session:
        session.expect(r"^primary: filled (\d+) bytes")
        session.qmp("stop")
        before = look()
        session.qmp("system_reset")
        session.qmp("cont")
        session.expect(r"^lifeboat: boot: ")
        stands_in_payload(session)
        session.qmp("stop")
        after = look()
        console = session.text
    ram.unlink()
    written = sum(is_the_primarys(words(before, pa), pa) for pa in range(RAM_BASE, RAM_BASE + RAM_SIZE, PAGE))
    assert written * PAGE > RAM_SIZE // 2, "hardly anything was the primary's: the test is blind"
    changed = changed_pages(before, after)
    assert changed == [], f"{len(changed)} pages changed, the first at {changed[0]:#x}\n{console}"
    assert before != after, "nothing changed anywhere: the test is blind"


@pytest.mark.boards("{make.__name__}", "RAM unaltered")
@pytest.mark.parametrize(
    "make", [pytest.param(sifive_u, marks=pytest.mark.slow), pytest.param(microchip_icicle_kit, marks=pytest.mark.long)]
)
def test_the_dead_kernels_ram_is_unaltered(
    make: Callable[..., Machine], stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    assert_unaltered(make(stage, looping_bundle(build_payload, tmp_path / "loop.itb")), tmp_path)


@pytest.mark.long
@pytest.mark.boards("chain sifive_u SPI-NOR, SPL, OpenSBI", "RAM unaltered")
def test_all_that_spl_writes_is_declared_lost(
    make_image: Callable[..., Path], build_payload: Callable[..., object], tmp_path: Path
) -> None:
    """SPL runs again before us, and has its heap, its bss and what it loads in the middle of RAM."""
    made = looping_bundle(build_payload, tmp_path / "loop.itb", FILL_END=f"{RAM_BASE + RAM_SIZE:#x}u")
    image = make_image("sifive-unleashed", "nor", bundle=made)
    assert_unaltered(unleashed(f"file={image},if=mtd,format=raw", msel=6), tmp_path)
