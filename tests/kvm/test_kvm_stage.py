# SPDX-License-Identifier: BSD-2-Clause
"""The stage as a KVM guest, from its first instruction through both passes to a payload."""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import find, passed, stage_ran
from kvm_host import Guest, Outcome, newer_host, run, stable_host
from kvm_stage import RAM, STAGE, stage_guest

from lifeboatlib import bundle, initramfs

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kvm stage")]

MODES = {39: "no4lvl", 48: "no5lvl", 57: ""}  # and what has Linux keep to it
# Debian has no other console that is SBI's; ciphers' own tests are two fifths of its boot.
BOOTARGS = "earlycon=sbi keep_bootcon quiet cryptomgr.notests"
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
def contract_guests(stage: Path, build_payload: Callable[..., object], scratch: Path) -> list[Guest]:
    """The contract payload in each mode, with one vCPU and two."""
    guests = []
    for harts in (1, 2):
        wants = {"WANT_HARTS": harts, "WANT_MEMORY": 256 << 20, "WANT_LOAD": RAM}
        payload = build_payload("contract", FILLER=0x40000, WANT_BOOTARGS='"a=1"', **wants)
        made = bundle.simple(bundle.linux(payload.bin), append="a=1")
        path = made.write(scratch / f"contract{harts}.itb")
        guests += [
            stage_guest(f"contract{harts}-sv{sv}", stage, path, scratch, sv, vcpus=harts) for sv in MODES
        ]
    return guests


def asked_for(request: pytest.FixtureRequest, guests: list[Guest]) -> list[Guest]:
    """Those that a test which will run looks at, by this module's fixture that asks.

    Other modules have fixtures of the same name.
    """
    here = [item for item in request.session.items if getattr(item, "module", None) is request.module]
    users = [item for item in here if request.fixturename in getattr(item, "fixturenames", ())]
    names = {item.callspec.params["guest"] for item in users}  # type: ignore[attr-defined]
    return [guest for guest in guests if guest.name in names]


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, vmm: Path, stage: Path, kernel: Path, contract_guests: list[Guest], scratch: Path
) -> dict[str, Outcome]:
    """The contract payload, and Linux in each mode, with one vCPU and two."""
    ramdisk = initramfs.make_initramfs(scratch / "guest.cpio", INIT)
    linux = bundle.simple(bundle.linux(kernel), ramdisk, BOOTARGS).write(scratch / "linux.itb")
    guests = [
        stage_guest(f"linux-sv{sv}", stage, linux, scratch, sv, bootargs=option, seconds=120)
        for sv, option in MODES.items()
    ]
    guests.append(stage_guest("linux-2", stage, linux, scratch, vcpus=2, seconds=120))
    asked = asked_for(request, [*guests, *contract_guests])
    return run(stable_host(), vmm, asked, scratch, smp=2)


@pytest.fixture(scope="module")
def newer_outcomes(
    request: pytest.FixtureRequest, vmm: Path, contract_guests: list[Guest], scratch: Path
) -> dict[str, Outcome]:
    """The contract payload's guests on a host of the next release."""
    return run(newer_host(), vmm, asked_for(request, contract_guests), scratch, smp=2)


def check_contract(seen: Outcome, harts: int, sv: int) -> None:
    """The payload has checked all that it may rely on."""
    stage_ran(seen.console, sv, STAGE)
    find(r"^lifeboat: boot: .*, KVM \S+ \(SBI \S+\)$", seen.console)
    passed(seen.console)
    find(rf", other harts {harts - 1}$", seen.console)
    assert seen.end == "shutdown" and "VCPU exit error" not in seen.host_log


def rows(*often: str) -> list[object]:
    """Each guest of the contract payload, its mode and vCPUs; all but these in the long run only."""
    every = [(f"contract{harts}-sv{sv}", sv, harts) for harts in (1, 2) for sv in MODES]
    return [pytest.param(*row, id=row[0], marks=() if row[0] in often else pytest.mark.long) for row in every]


@pytest.mark.parametrize(("guest", "sv", "harts"), rows("contract1-sv39", "contract1-sv48", "contract2-sv57"))
def test_the_stage_hands_over_as_a_guest(
    guest: str, sv: int, harts: int, outcomes: dict[str, Outcome]
) -> None:
    """In each mode; the payload finds the second vCPU stopped, and starts it by HSM."""
    check_contract(outcomes[guest], harts, sv)


@pytest.mark.parametrize(("guest", "sv", "harts"), rows("contract2-sv39", "contract1-sv57"))
def test_the_stage_hands_over_on_a_newer_host(
    guest: str, sv: int, harts: int, newer_outcomes: dict[str, Outcome]
) -> None:
    """The same on the next release's KVM."""
    check_contract(newer_outcomes[guest], harts, sv)


LINUX = [
    ("linux-sv39", 39, 1),
    pytest.param("linux-sv48", 48, 1, marks=pytest.mark.long),
    pytest.param("linux-sv57", 57, 1, marks=pytest.mark.long),
    ("linux-2", 57, 2),
]


@pytest.mark.parametrize(("guest", "sv", "harts"), LINUX)
def test_linux_boots_through_the_stage_as_a_guest(
    guest: str, sv: int, harts: int, outcomes: dict[str, Outcome]
) -> None:
    """Debian's kernel, which reads the FDT's bootargs, to its userspace and down again."""
    seen = outcomes[guest]
    stage_ran(seen.console, sv, STAGE)
    find(rf"guest: userspace of \S+, sv{sv}, {harts} harts$", seen.console)
    assert seen.end == "shutdown" and "VCPU exit error" not in seen.host_log
