# SPDX-License-Identifier: BSD-2-Clause
"""The contract on other CPUs, boards and shapes of machines, and with the mode that the user asks for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fdtfile import Fdt
from harness import find, passed, run_to_end, stage_ran

from lifeboatlib import bundle, command
from lifeboatlib.qemu import Machine, Session

GIB = 1 << 30

# The widest mode of each, from facts/boards.md section 5.
CPUS = {
    "sifive-u54": 39,
    "thead-c906": 39,
    "xiangshan-nanhu": 39,
    "rva22s64": 39,
    "rva23s64": 39,
    "rva23s64,sv48=on": 48,
    "veyron-v1": 48,
    "tt-ascalon": 57,
    "max": 57,
}


@pytest.fixture
def boot(
    stage: Path, contract: Callable[..., object], make_bundle: Callable[..., Path], ramdisk: Path
) -> Callable[..., str]:
    """Boots the contract payload with a ramdisk on a machine, and gives the console."""

    def run(wants: dict[str, int] | None = None, append: str = "", **options: object) -> str:
        payload = contract(append, ramdisk, **(wants or {}))
        made = make_bundle(bundle.linux(payload.bin), initrd=ramdisk)
        return run_to_end(Machine(kernel=stage, initrd=made, append=append, **options))

    return run


@pytest.mark.boards("cpu {cpu}", "contract")
@pytest.mark.parametrize(("cpu", "sv"), CPUS.items(), ids=CPUS)
def test_cpu(cpu: str, sv: int, boot: Callable[..., str]) -> None:
    console = boot({"harts": 2}, cpu=cpu, smp=2)
    stage_ran(console, sv=sv)
    passed(console)


@pytest.mark.parametrize("asked", [39, 48, 57])
@pytest.mark.parametrize("able", [39, 48, 57])
def test_bootargs_lower_the_mode_but_never_raise_it(
    asked: int, able: int, boot: Callable[..., str]
) -> None:
    console = boot(append=f"quiet lifeboat.mode=sv{asked}", sv=able)
    stage_ran(console, sv=min(asked, able))
    passed(console)


@pytest.mark.boards("virt {mebibytes} MiB", "contract")
@pytest.mark.parametrize("mebibytes", [64, 96, 128, 2048, 3072, 4096, 16384])
def test_memory_size(mebibytes: int, boot: Callable[..., str]) -> None:
    console = boot({"memory": mebibytes << 20}, memory=f"{mebibytes}M")
    stage_ran(console)
    passed(console)


@pytest.mark.boards("virt {options}", "contract")
@pytest.mark.parametrize("options", ["aia=aplic", "aia=aplic-imsic", "aclint=on", "acpi=off"])
def test_virt_with(options: str, boot: Callable[..., str]) -> None:
    console = boot({"harts": 4}, machine=f"virt,{options}", smp=4)
    stage_ran(console, sv=57)
    passed(console)


@pytest.mark.boards("virt NUMA, 3 nodes", "contract")
def test_memory_in_several_nodes(boot: Callable[..., str]) -> None:
    nodes = 3
    extra: tuple[str, ...] = ()
    for node in range(nodes):
        extra += ("-object", f"memory-backend-ram,id=m{node},size=512M")
        extra += ("-numa", f"node,nodeid={node},memdev=m{node},cpus={node}")
    wants = {"harts": nodes, "memory": nodes * GIB // 2}
    console = boot(wants, smp=f"{nodes},sockets={nodes}", memory="1536M", extra=extra)
    stage_ran(console, sv=57)
    passed(console)


@pytest.fixture
def without_hart_0(tmp_path: Path) -> Path:
    """The virt machine's FDT for four harts, of which the first is disabled."""
    dtb = tmp_path / "virt.dtb"
    dump = ["qemu-system-riscv64", "-M", f"virt,dumpdtb={dtb}", "-smp", "4", "-m", "1G", "-bios", "none"]
    command.logged(dump, "dumpdtb", "does this QEMU know the virt machine?")
    assert "cpu@0" in Fdt(dtb).children("/cpus")
    disable = ["fdtput", "-t", "s", dtb, "/cpus/cpu@0", "status", "disabled"]
    command.logged(disable, "fdtput", "is device-tree-compiler installed?")
    return dtb


@pytest.mark.boards("virt 4 harts, the first disabled", "contract")
def test_boot_hart_is_not_0(without_hart_0: Path, boot: Callable[..., str]) -> None:
    console = boot({"harts": 3}, dtb=without_hart_0, smp=4)
    stage_ran(console, sv=57)
    find(r"lifeboat: machine: .*, 3 of 4 harts enabled", console)
    assert int(passed(console)["hart"]) != 0


@pytest.mark.boards("spike", "contract")
def test_spike(boot: Callable[..., str]) -> None:
    # QEMU's own Sstc does not work on this board (OpenSBI dies of it), and its FDT promises only Sv48.
    console = boot({"harts": 2}, machine="spike", cpu="rv64,sstc=off", smp=2)
    stage_ran(console, sv=48)
    passed(console)


@pytest.mark.boards("sifive_u", "contract")
def test_sifive_u(
    stage: Path, contract: Callable[..., object], make_bundle: Callable[..., Path], ramdisk: Path
) -> None:
    payload = contract("a b", ramdisk, harts=4)
    made = make_bundle(bundle.linux(payload.bin), initrd=ramdisk, append="a")
    machine = Machine(kernel=stage, initrd=made, append="b", machine="sifive_u", smp=5)
    with Session(machine) as session:  # this board can't switch off
        session.expect(r"^contract: .*\n")
        console = session.text
    stage_ran(console, sv=39)
    assert int(passed(console)["hart"]) in range(1, 5)
