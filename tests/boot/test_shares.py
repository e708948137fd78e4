# SPDX-License-Identifier: BSD-2-Clause
"""Large images are hashed by several harts at once: by SHA-2 only, and no hart that fails costs more than its share.

QEMU counts instructions, so that the harts take turns in the same way each time. The contract payload wants all others stopped.
"""

import subprocess
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fdtfile import Fdt
from harness import PAGE, find, passed, run_to_end, stage_ran, write_noise
from lifeboatlib import bundle
from lifeboatlib.qemu import Machine, Session
from symbols import symbols

MIB = 1 << 20
OWN, SHARE = 3 * MIB // 2, MIB + 1001  # bytes of the kernel, which the boot hart hashes, and of the initramfs
LONG = 5 * MIB
VECTORS = "rv64,v=true,zvkb=true,zvknha=true"
SHARED = r"cost: \d+ instructions for \d+ KiB checked, sha\d+.*, by several harts$"
HANDOFF = r"^lifeboat: handoff: .* a1 = (0x[0-9a-f]+)\n"
STARTED, START_PENDING = 0, 2  # HSM's states
FDT_SIZE = 12 * 1024
# A timer of this period, in microseconds, ends each turn: or else one hart goes on for 100 million instructions.
TURNS = ("-netdev", "hubport,hubid=0,id=none", "-object", "filter-buffer,id=turns,netdev=none,interval=50")
JUMP_TO_SELF, ILLEGAL = bytes.fromhex("6f000000"), bytes(4)


@pytest.fixture(scope="session")
def large_ramdisk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initramfs that is worth a hart."""
    return write_noise(tmp_path_factory.mktemp("shares") / "noise", SHARE)


@pytest.fixture(scope="session")
def large_kernel(build_payload: Callable[..., object], large_ramdisk: Path) -> Callable[[int], bundle.Image]:
    """large_kernel(harts): the contract payload, larger still, for a machine with so many."""

    def build(harts: int) -> bundle.Image:
        ramdisk = large_ramdisk.read_bytes()
        payload = build_payload(
            "contract", FILLER=OWN, WANT_BOOTARGS='""', WANT_HARTS=harts,
            WANT_INITRD_SIZE=len(ramdisk), WANT_INITRD_CRC=f"{zlib.crc32(ramdisk)}u",
        )  # fmt: skip
        return bundle.linux(payload.bin)  # type: ignore[attr-defined]

    return build


def hashed(made: bundle.Bundle, algo: str) -> bundle.Bundle:
    """With this hash in each image."""
    return replace(made, images=[replace(each, hashes=[algo]) for each in made.images])


@pytest.fixture
def machine(
    stage: Path, large_kernel: Callable[[int], bundle.Image], large_ramdisk: Path, make_bundle: Callable[..., Path]
) -> Callable[..., Machine]:
    """machine(harts, algo, ...): one that boots both images."""

    def make(harts: int, algo: str = "sha512", **options: object) -> Machine:
        made = make_bundle(hashed(bundle.simple(large_kernel(harts), large_ramdisk), algo))
        settings = {"kernel": stage, "initrd": made, "smp": harts, "icount": True, "extra": TURNS, **options}
        return Machine(**settings)  # type: ignore[arg-type]

    return make


@pytest.mark.parametrize(
    ("harts", "algo", "cpu"),
    [
        (2, "sha512", ""),
        (4, "sha256", VECTORS),
        pytest.param(8, "sha256", "rv64,zbb=false", marks=pytest.mark.long),
        pytest.param(2, "sha256", "rv64,zknh=true", marks=pytest.mark.long),
    ],
)
def test_another_hart_hashes_the_initramfs(harts: int, algo: str, cpu: str, machine: Callable[..., Machine]) -> None:
    console = run_to_end(machine(harts, algo, cpu=cpu))
    passed(console)
    stage_ran(console)
    find(SHARED, console)


@pytest.mark.parametrize(("harts", "algo"), [(1, "sha512"), (2, "crc32")], ids=["one hart", "CRC-32"])
def test_where_it_does_not_pay_no_other_hart_starts(harts: int, algo: str, machine: Callable[..., Machine]) -> None:
    console = run_to_end(machine(harts, algo))
    passed(console)
    assert "by several harts" not in console


def flip(made: Path, part: bytes) -> None:
    """One bit in the middle of an image."""
    content = bytearray(made.read_bytes())
    content[content.rindex(part) + len(part) // 2] ^= 4
    made.write_bytes(content)


def test_a_flipped_bit_in_a_share_is_refused(machine: Callable[..., Machine], large_ramdisk: Path) -> None:
    boots = machine(2)
    flip(boots.initrd, large_ramdisk.read_bytes())
    console = run_to_end(boots)
    find(r"ERROR: bundle: the sha512 of image 'ramdisk' does not match its bytes: it is damaged, copy it again$", console)
    find(r"ERROR: boot: nothing was started", console)
    assert "contract:" not in console


def test_a_share_that_is_not_wanted_any_more_keeps_nobody_waiting(
    stage: Path, contract: Callable[..., object], large_kernel: Callable[[int], bundle.Image],
    make_bundle: Callable[..., Path], tmp_path: Path,
) -> None:  # fmt: skip
    """The kernel is bad, while another hart has the initramfs in hand: when the next configuration starts it is stopped."""
    good = bundle.linux(contract(harts=2).bin)  # type: ignore[attr-defined]
    bad = replace(large_kernel(2), name="bad")
    ramdisk = bundle.Image("ramdisk", write_noise(tmp_path / "long", LONG, seed=2), "ramdisk", "linux")
    configurations = [bundle.Configuration("primary", "bad", "ramdisk"), bundle.Configuration("older", "kernel")]
    made = make_bundle(hashed(bundle.Bundle([ramdisk, bad, good], configurations), "sha512"))
    flip(made, bad.path.read_bytes())
    console = run_to_end(Machine(kernel=stage, initrd=made, smp=2, icount=True, extra=TURNS))
    find(r"warning: choose: 'primary' is bad: bundle: the sha512 of image 'bad'", console)
    passed(console)
    assert "warning: smp" not in console
    assert "by several harts" not in console


def patched(stage: Path, elf: Path, at: str, instruction: bytes, to: Path) -> Path:
    """The stage with another instruction there."""
    known = symbols(elf)
    content = bytearray(stage.read_bytes())
    offset = known[at] - known["stage_start"]
    content[offset : offset + len(instruction)] = instruction
    to.write_bytes(content)
    return to


def test_a_hart_that_traps_costs_its_share(
    machine: Callable[..., Machine], stage: Path, stage_elf: Path, tmp_path: Path
) -> None:
    console = run_to_end(machine(2, kernel=patched(stage, stage_elf, "share_run", ILLEGAL, tmp_path / "traps")))
    passed(console)
    stage_ran(console)
    assert "by several harts" not in console


def check_lost_hart(boots: Machine, state: int, tmp_path: Path) -> None:
    """The boot hart, which may be either, does all by itself, and says so. What the other one will run, should it come, is kept."""
    boots = replace(boots, qmp=tmp_path / "qmp", icount=False, extra=("-no-shutdown",))
    with Session(boots) as session:
        fdt = int(session.expect(HANDOFF)[1], 16)
        session.expect(rf"^contract: FAIL hart [01] got HSM state {state} .*\n")  # and nothing before that
        session.qmp("pmemsave", val=fdt, size=FDT_SIZE, filename=str(tmp_path / "fdt"))
        console = session.text
    find(rf"warning: smp: hart [01] is not stopped \(HSM state {state}\): the payload can't start it", console)
    assert "by several harts" not in console
    stage_at = int(find(r"stage: moved to (0x[0-9a-f]+),", console)[1], 16)
    (start, end), = Fdt(tmp_path / "fdt").ranges(f"/reserved-memory/lifeboat-stage@{stage_at:x}")
    assert (start, end > start + len(boots.kernel.read_bytes()) - 2 * PAGE) == (stage_at, True)


def test_a_hart_that_hangs_costs_its_share(
    machine: Callable[..., Machine], stage: Path, stage_elf: Path, tmp_path: Path
) -> None:
    hangs = patched(stage, stage_elf, "smp_help", JUMP_TO_SELF, tmp_path / "hangs")
    check_lost_hart(machine(2, kernel=hangs), STARTED, tmp_path)


def test_a_hart_that_never_comes_costs_its_share(machine: Callable[..., Machine], tmp_path: Path) -> None:
    """The FDT lists one that the machine does not have. OpenSBI promises it all the same."""
    dtb = tmp_path / "two.dtb"
    boots = machine(2)
    subprocess.run(replace(boots, machine=f"virt,dumpdtb={dtb}").argv(), capture_output=True, check=True)
    check_lost_hart(replace(boots, smp=1, dtb=dtb), START_PENDING, tmp_path)
