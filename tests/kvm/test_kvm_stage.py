# SPDX-License-Identifier: BSD-2-Clause
"""The stage as a KVM guest, from its first instruction through both passes to a payload."""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import find, passed, stage_ran
from kvm_host import Outcome, run, stable_host
from kvm_stage import RAM, STAGE, stage_guest

from lifeboatlib import bundle, initramfs

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kvm stage")]

MODES = {39: "no4lvl", 48: "no5lvl", 57: ""}  # and what has Linux keep to it
BOOTARGS = "earlycon=sbi keep_bootcon quiet"  # Debian has no other console that is SBI's
INIT = initramfs.PROLOGUE + """
mmu=$(sed -n 's/^mmu[^:]*: *//p' /proc/cpuinfo | head -n 1)
echo "<1>guest: userspace of $(uname -r), $mmu, $(nproc) harts" > /dev/kmsg
poweroff -f
"""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For bundles and FDTs."""
    return tmp_path_factory.mktemp("kvm-stage")


@pytest.fixture(scope="module")
def outcomes(
    vmm: Path, stage: Path, kernel: Path, build_payload: Callable[..., object], scratch: Path
) -> dict[str, Outcome]:
    """All guests, on one host: the contract payload and Linux, in each mode, with one vCPU and two."""
    ramdisk = initramfs.make_initramfs(scratch / "guest.cpio", INIT)
    linux = bundle.simple(bundle.linux(kernel), ramdisk, BOOTARGS).write(scratch / "linux.itb")
    guests = [
        stage_guest(f"linux-sv{sv}", stage, linux, scratch, sv, bootargs=option, seconds=60)
        for sv, option in MODES.items()
    ]
    guests.append(stage_guest("linux-2", stage, linux, scratch, vcpus=2, seconds=60))
    for harts in (1, 2):
        wants = {"WANT_HARTS": harts, "WANT_MEMORY": 256 << 20, "WANT_LOAD": RAM}
        payload = build_payload("contract", FILLER=0x40000, WANT_BOOTARGS='"a=1"', **wants)
        made = bundle.simple(bundle.linux(payload.bin), append="a=1").write(scratch / f"contract{harts}.itb")
        guests += [
            stage_guest(f"contract{harts}-sv{sv}", stage, made, scratch, sv, vcpus=harts) for sv in MODES
        ]
    return run(stable_host(), vmm, guests, scratch, smp=2)


@pytest.mark.parametrize("sv", MODES)
@pytest.mark.parametrize("harts", [1, 2])
def test_the_stage_hands_over_as_a_guest(harts: int, sv: int, outcomes: dict[str, Outcome]) -> None:
    """To a payload that checks all that it may rely on; it finds the second vCPU stopped, and starts it by HSM."""
    seen = outcomes[f"contract{harts}-sv{sv}"]
    stage_ran(seen.console, sv, STAGE)
    find(r"^lifeboat: boot: .*, KVM \S+ \(SBI \S+\)$", seen.console)
    passed(seen.console)
    find(rf", other harts {harts - 1}$", seen.console)
    assert seen.end == "shutdown" and "VCPU exit error" not in seen.host_log


@pytest.mark.parametrize(("name", "sv", "harts"), [*((f"linux-sv{sv}", sv, 1) for sv in MODES), ("linux-2", 57, 2)])
def test_linux_boots_through_the_stage_as_a_guest(
    name: str, sv: int, harts: int, outcomes: dict[str, Outcome]
) -> None:
    """Debian's kernel, which reads the FDT's bootargs, to its userspace and down again."""
    seen = outcomes[name]
    stage_ran(seen.console, sv, STAGE)
    find(rf"guest: userspace of \S+, sv{sv}, {harts} harts$", seen.console)
    assert seen.end == "shutdown" and "VCPU exit error" not in seen.host_log
