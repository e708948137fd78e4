# SPDX-License-Identifier: BSD-2-Clause
"""What a boot costs: instructions by the stage's own count, and bytes. The figures are printed."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from harness import find, stage_ran

from lifeboatlib import build, bundle, size
from lifeboatlib.paths import REPO, TOOLS
from lifeboatlib.qemu import Machine, Session

pytestmark = pytest.mark.slow  # seconds each, under -icount

BUDGET = 600_000  # gcc 12 makes 0.50 million in place and 0.55 placed; gcc 14 a hundredth more
HART_BUDGET = 10_000


@dataclass(frozen=True)
class Cost:
    """The figures of the log, in instructions; `copied` in KiB."""

    own: int
    copying: int
    copied: int
    console: int


@pytest.fixture
def cost(
    stage: Path, kernel: Path, demo_initramfs: Path, make_bundle: Callable[..., Path]
) -> Callable[..., Cost]:
    """Hands over to Linux, by default on 1 GiB and one hart, with a counter that counts instructions."""

    def run(in_place: bool, **options: object) -> Cost:
        plain = bundle.simple(bundle.linux(kernel, in_place), initrd=demo_initramfs)
        made = make_bundle(replace(plain, images=[replace(each, hashes=()) for each in plain.images]))
        machine = Machine(kernel=stage, initrd=made, icount=True, **options)
        with Session(machine) as session:
            session.expect(r"^lifeboat: handoff: .*\n")
            console = session.text
        stage_ran(console)
        words = (
            r"^lifeboat: cost: (\d+) instructions of our own, (\d+) for (\d+) KiB copied, "
            r"(\d+) for the console$"
        )
        found = Cost(*map(int, find(words, console).groups()))
        how = "in place" if in_place else "placed"
        print(f"\ncost: Linux {how}, {machine.memory}, {machine.smp} harts, {options}: {found}")
        return found

    return run


@pytest.mark.parametrize("sv", [39, 48, 57])
def test_an_image_in_place_costs_at_most_its_budget(sv: int, cost: Callable[..., Cost]) -> None:
    found = cost(in_place=True, sv=sv)
    assert found.copied == 0
    assert 0 < found.own <= BUDGET


def test_the_same_boot_costs_the_same(cost: Callable[..., Cost]) -> None:
    # Only the FDT's random seed and QEMU's timing of console calls may differ.
    one, other = (cost(in_place=True) for _ in range(2))
    assert abs(one.own - other.own) <= one.own // 1000
    assert one.copying == other.copying


def test_copying_costs_less_than_an_instruction_a_byte(
    cost: Callable[..., Cost], kernel: Path
) -> None:
    found = cost(in_place=False)
    assert found.copied == kernel.stat().st_size // 1024
    assert 0 < found.copying < found.copied * 1024
    assert 0 < found.own <= BUDGET


@pytest.mark.parametrize(
    ("algo", "cpu", "most"),
    [
        ("crc32", "", 1.1),
        ("crc32", "rv64,zbc=false", 5.95),
        ("sha256", "rv64,v=true,zvkb=true,zvknha=true", 1.75),
        pytest.param("sha256", "rv64,zknh=true", 22.9, marks=pytest.mark.slow),
        pytest.param("sha256", "", 38.1, marks=pytest.mark.long),
        pytest.param("sha256", "rv64,zbb=false", 42.7, marks=pytest.mark.long),
        pytest.param("sha512", "", 24.4, marks=pytest.mark.long),
        pytest.param("sha512", "rv64,zbb=false", 38.1, marks=pytest.mark.long),
    ],
)
def test_a_check_and_the_copy_are_within_their_instructions(
    algo: str, cpu: str, most: float, stage: Path, kernel: Path, demo_initramfs: Path,
    make_bundle: Callable[..., Path],
) -> None:  # fmt: skip
    """By the byte, of Debian's Image and an initramfs: U-Boot takes 8.5 for CRC-32, 60.2 for SHA-256 (and copies)."""
    made = bundle.simple(bundle.linux(kernel), initrd=demo_initramfs)
    made = replace(made, images=[replace(each, hashes=[algo]) for each in made.images])
    with Session(Machine(kernel=stage, initrd=make_bundle(made), icount=True, cpu=cpu)) as session:
        session.expect(r"^lifeboat: handoff: .*\n")
        words = r"^lifeboat: cost: (\d+) instructions for (\d+) KiB checked, (.*)$"
        count, kib, by = find(words, session.text).groups()
    a_byte = int(count) / (int(kib) << 10)
    print(f"\ncost: {by}: {int(count):,} instructions, {a_byte:.2f} a byte")
    assert by.startswith(algo) and 0 < a_byte <= most


def test_memory_costs_nothing(cost: Callable[..., Cost]) -> None:
    small, large = (cost(in_place=True, memory=memory) for memory in ("512M", "8G"))
    assert large.own - small.own < small.own // 10


def test_a_hart_more_costs_a_few_reads_of_its_node(cost: Callable[..., Cost]) -> None:
    one, many = (cost(in_place=True, smp=harts) for harts in (1, 9))
    assert (many.own - one.own) // 8 <= HART_BUDGET


def check_size(elf: Path, most: int) -> None:
    """The stage is within its budget, and the budget is the one for this build."""
    link_map = elf.with_suffix(".map")
    assert size.budget(link_map) == most
    picture, used = size.report(size.table(elf, link_map), most)
    print(f"\n{picture}")
    assert 0 < used <= most


def everything(compiler: str) -> int:
    """The budget of a stage with nothing left out."""
    most = size.BUDGET + sum(size.PARTS.values())
    return most + most // size.LLD_MORE if compiler == "clang" else most


@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.slow)])
def test_the_stage_is_within_its_bytes(compiler: str) -> None:
    assert everything("gcc") == 160 * 1024
    check_size(build.build_stage(compiler) / "lifeboat.elf", everything(compiler))


@pytest.mark.slow
def test_a_plain_loader_is_within_its_bytes(tmp_path: Path) -> None:
    cross = f"--cross-file={TOOLS / 'cross' / 'riscv64-gcc.ini'}"
    subprocess.run(["meson", "setup", tmp_path, REPO, cross, *size.PLAIN], check=True)
    subprocess.run(["meson", "compile", "-C", tmp_path], check=True)
    check_size(tmp_path / "lifeboat.elf", size.BUDGET)
