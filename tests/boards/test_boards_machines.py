# SPDX-License-Identifier: BSD-2-Clause
"""Machines and firmware that the boot tests don't have: other releases of OpenSBI, the Icicle, made-up FDTs of virt."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fdtfile import Fdt
from harness import find, passed, run_to_end, stage_ran

from lifeboatlib import bundle, command, target
from lifeboatlib.qemu import Machine, Session

MIB = 1 << 20
RAM = 0x80000000


@pytest.fixture
def contract_with(
    contract: Callable[..., object], make_bundle: Callable[..., Path], ramdisk: Path
) -> Callable[..., Path]:
    """contract_with(**wants): the contract payload and its ramdisk."""

    def make(**wants: int) -> Path:
        return make_bundle(bundle.linux(contract("", ramdisk, **wants).bin), initrd=ramdisk)

    return make


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dynamic", "jump"])
@pytest.mark.parametrize("suite", target.OPENSBIS)
@pytest.mark.boards("firmware OpenSBI of {suite}, fw_{kind}", "contract")
def test_opensbi(
    suite: str, kind: str, parts: None, stage: Path, contract_with: Callable[..., Path]
) -> None:
    """It is found out and named, whichever release the suite has today."""
    # 1.5's fw_jump loses hart starts by itself: with a payload that does nothing else, and no lifeboat, 24 of 60.
    harts = 1 if (suite, kind) == ("bookworm-backports", "jump") else 2
    machine = Machine(
        kernel=stage, initrd=contract_with(harts=harts), bios=target.opensbi(kind, suite), smp=harts
    )
    console = run_to_end(machine)
    (release,) = find(r"^OpenSBI v(\d+\.\d+)", console).groups()
    find(rf"^lifeboat: boot: .*, OpenSBI {release} ", console)
    stage_ran(console)
    passed(console)


def icicle_fdt() -> Path:
    """Linux' own FDT of the board; QEMU has none."""
    return target.LINUX.fdt("microchip/mpfs-icicle-kit.dtb")


@pytest.mark.slow
@pytest.mark.boards("microchip_icicle_kit", "contract")
def test_icicle(stage: Path, contract_with: Callable[..., Path]) -> None:
    """Four harts and a monitor without an MMU; the console is the second UART."""
    machine = Machine(
        kernel=stage, initrd=contract_with(harts=4), machine="microchip-icicle-kit", dtb=icicle_fdt(), smp=5,
        memory="3G", port=1,
    )  # fmt: skip
    with Session(machine) as session:  # this board can't switch off
        session.expect(r"^contract: .*\n")
        console = session.text
    stage_ran(console, sv=39)
    find(r"^lifeboat: machine: .*, 4 of 5 harts enabled", console)
    assert int(passed(console)["hart"]) in range(1, 5)


def virt_fdt(path: Path, smp: int, memory: str) -> Path:
    """QEMU's FDT of the virt machine."""
    dump = ["qemu-system-riscv64", "-M", f"virt,dumpdtb={path}", "-smp", str(smp), "-m", memory, "-bios", "none"]
    command.logged(dump, "dumpdtb", "does this QEMU know the virt machine?")
    return path


def put(dtb: Path, *words: object) -> None:
    """Changes a property of an FDT."""
    command.logged(["fdtput", *map(str, words[:2]), dtb, *map(str, words[2:])], "fdtput", "is fdtput installed?")


@pytest.mark.slow
@pytest.mark.boards("virt RAM in three banks", "contract")
def test_ram_in_several_banks(tmp_path: Path, stage: Path, contract_with: Callable[..., Path]) -> None:
    """One memory node with holes between its ranges; what QEMU put into the holes is out of reach."""
    dtb = virt_fdt(tmp_path / "virt.dtb", 1, "1G")
    banks = ((0, 128), (192, 256), (512, 512))
    cells = [f"{word:x}" for at, size in banks for word in (0, RAM + at * MIB, 0, size * MIB)]
    assert f"memory@{RAM:x}" in Fdt(dtb).children("/")
    put(dtb, "-t", "x", f"/memory@{RAM:x}", "reg", *cells)
    wants = {"memory": sum(size for _, size in banks) * MIB}
    console = run_to_end(Machine(kernel=stage, initrd=contract_with(**wants), dtb=dtb))
    assert len(set(ram_lines(console))) == len(banks)
    stage_ran(console)
    passed(console)


def ram_lines(console: str) -> list[str]:
    """The lines of RAM in the stage's log."""
    return [line for line in console.splitlines() if line.startswith("lifeboat: memory: [") and line.endswith("] RAM")]


@pytest.mark.slow
@pytest.mark.boards("virt 8 harts, three of them disabled", "contract")
def test_eight_harts_of_which_some_are_disabled(
    tmp_path: Path, stage: Path, contract_with: Callable[..., Path]
) -> None:
    """OpenSBI then starts on another than hart 0."""
    dtb = virt_fdt(tmp_path / "virt.dtb", 8, "1G")
    for hart in (0, 1, 6):
        put(dtb, "-t", "s", f"/cpus/cpu@{hart}", "status", "disabled")
    console = run_to_end(Machine(kernel=stage, initrd=contract_with(harts=5), dtb=dtb, smp=8))
    find(r"lifeboat: machine: .*, 5 of 8 harts enabled", console)
    stage_ran(console)
    assert int(passed(console)["hart"]) not in (0, 1, 6)
