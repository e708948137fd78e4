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
    ("call", 39, 2),
    ("call, after a reset", 57, 2),
]
LONG = [
    ("kexec, Linux", 57, 1),
    ("kexec, Linux, on its own", 57, 1),
    *(("reset, bare", sv, vcpus) for sv in (39, 48, 57) for vcpus in (1, 2)),
    *(("call", sv, 2) for sv in (48, 57)),
    *(("call, after a reset", sv, 2) for sv in (39, 48)),
    *(("reset, Linux", sv, vcpus) for sv, vcpus in ((39, 1), (48, 2), (57, 1), (57, 2))),
    *(("kexec, Linux", sv, vcpus) for sv, vcpus in ((39, 1), (48, 2), (57, 2))),
]
# One vCPU: a newer host starts the others with scounteren = 0, and there 6.12's userspace dies of
# reading the time.
NEWER = [("call", 39, 2), ("kexec, Linux, on its own", 57, 1), ("reset, Linux", 48, 1)]

Row = tuple[str, int, int]
Outcomes = dict[Row, Outcome]


def name(row: Row) -> str:
    """Such as reset-Linux-sv48-2."""
    way, sv, vcpus = row
    return f"{way.replace(',', '').replace(' ', '-')}-sv{sv}-{vcpus}"


@pytest.fixture(scope="module")
def kit(
    stage: Path, build_payload: Callable[..., object], tmp_path_factory: pytest.TempPathFactory
) -> Kit:
    """The guests' files."""
    return Kit(stage, tmp_path_factory.mktemp("kvm-crash"), build_payload)


def run_all(host: Host, vmm: Path, kit: Kit, rows: list[Row]) -> Outcomes:
    """One host, one guest for each row."""
    guests = [WAYS[way].guest(name((way, sv, vcpus)), kit, sv, vcpus) for way, sv, vcpus in rows]
    seen = run(host, vmm, guests, kit.scratch, smp=2, memory="2G")
    return {row: seen[name(row)] for row in rows}


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


def check(row: Row, outcomes: Outcomes) -> None:
    """That a guest fared as its way says."""
    print(f"\n{outcomes[row].seconds:.1f} s")
    WAYS[row[0]].check(outcomes[row])


@pytest.mark.parametrize("row", DEFAULT, ids=name)
def test_a_crash_in_a_guest_is_captured_in_it(row: Row, default_outcomes: Outcomes) -> None:
    """At once, and through a reset."""
    check(row, default_outcomes)


@pytest.mark.long
@pytest.mark.parametrize("row", LONG, ids=name)
def test_a_crash_is_captured_in_every_mode(row: Row, long_outcomes: Outcomes) -> None:
    """With one vCPU and two; but for Linux' own way out of the dying kernel, which an old host does not survive."""
    check(row, long_outcomes)


@pytest.mark.long
@pytest.mark.parametrize("row", NEWER, ids=name)
def test_a_crash_is_captured_on_a_newer_host(row: Row, newer_outcomes: Outcomes) -> None:
    """There Linux' way to lifeboat works, too."""
    check(row, newer_outcomes)
