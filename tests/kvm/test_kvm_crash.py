# SPDX-License-Identifier: BSD-2-Clause
"""Crashes inside a KVM guest, captured inside it: the ways of kvm_crash.py."""

from collections.abc import Callable
from pathlib import Path

import pytest
from kvm_crash import WAYS, Kit
from kvm_host import Host, Outcome, newer_host, run, stable_host

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kvm crash")]

# Way, mode and vCPUs.
DEFAULT = [
    ("reset, bare", 48, 2),
    ("kexec, Linux", 57, 1),
    ("kexec, Linux, on its own", 57, 1),
]
LONG = [
    *(("reset, bare", sv, vcpus) for sv, vcpus in ((39, 1), (39, 2), (48, 1), (57, 1), (57, 2))),
    *(("reset, Linux", sv, vcpus) for sv, vcpus in ((39, 1), (48, 2), (57, 1), (57, 2))),
    *(("kexec, Linux", sv, vcpus) for sv, vcpus in ((39, 1), (48, 2), (57, 2))),
]
# One vCPU: a newer host starts the others with scounteren = 0, and there 6.12's userspace dies of
# reading the time.
NEWER = [("kexec, Linux, newer host", 57, 1), ("reset, Linux", 48, 1)]

Outcomes = dict[tuple[str, int, int], Outcome]


@pytest.fixture(scope="module")
def kit(
    stage: Path, build_payload: Callable[..., object], tmp_path_factory: pytest.TempPathFactory
) -> Kit:
    """The guests' files."""
    return Kit(stage, tmp_path_factory.mktemp("kvm-crash"), build_payload)


def run_all(host: Host, vmm: Path, kit: Kit, rows: list[tuple[str, int, int]]) -> Outcomes:
    """One host, one guest for each row."""
    guests = [WAYS[way].guest(str(number), kit, sv, vcpus) for number, (way, sv, vcpus) in enumerate(rows)]
    seen = run(host, vmm, guests, kit.scratch, smp=2, memory="2G")
    return {row: seen[str(number)] for number, row in enumerate(rows)}


@pytest.fixture(scope="module")
def default_outcomes(kit: Kit, vmm: Path) -> Outcomes:
    """One guest of each way."""
    return run_all(stable_host(), vmm, kit, DEFAULT)


@pytest.fixture(scope="module")
def long_outcomes(kit: Kit, vmm: Path) -> Outcomes:
    """The other modes and numbers of vCPUs."""
    return run_all(stable_host(), vmm, kit, LONG)


@pytest.fixture(scope="module")
def newer_outcomes(kit: Kit, vmm: Path) -> Outcomes:
    """On a host that reflects a fetch from nowhere."""
    return run_all(newer_host(), vmm, kit, NEWER)


def check(row: tuple[str, int, int], outcomes: Outcomes) -> None:
    """That a guest fared as its way says."""
    print(f"\n{outcomes[row].seconds:.1f} s")
    WAYS[row[0]].check(outcomes[row])


@pytest.mark.parametrize("row", DEFAULT, ids=str)
def test_a_crash_in_a_guest_is_captured_in_it(row: tuple[str, int, int], default_outcomes: Outcomes) -> None:
    """But for Linux' own way out of the dying kernel, which an old host does not survive."""
    check(row, default_outcomes)


@pytest.mark.long
@pytest.mark.parametrize("row", LONG, ids=str)
def test_a_crash_is_captured_in_every_mode(row: tuple[str, int, int], long_outcomes: Outcomes) -> None:
    """With one vCPU and two."""
    check(row, long_outcomes)


@pytest.mark.long
@pytest.mark.parametrize("row", NEWER, ids=str)
def test_a_crash_is_captured_on_a_newer_host(row: tuple[str, int, int], newer_outcomes: Outcomes) -> None:
    """There Linux' way to lifeboat works, too."""
    check(row, newer_outcomes)
