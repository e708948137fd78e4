# SPDX-License-Identifier: BSD-2-Clause
"""Why there are two passes: each way out of an address space, natively and in a guest, in each mode.

Natively the ways can't be told apart by where they arrive. In a guest the old one dies, unless the host is so
new that it hands the guest a fault that was never the guest's.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import run_to_end
from kvm_handoff import BEGINS, MODES, PHYSICAL, arrival, fate, guest
from kvm_host import Host, Outcome, newer_host, run, stable_host
from symbols import symbols

from lifeboatlib.qemu import Machine
from lifeboatlib.ui import Missing

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kvm handoff")]

NATIVE = "native"
DEAD = "dead: errno 95, SCAUSE 0x14"
BY_FAULT = "reached, scause 1"
CLEANLY = "reached, scause 0"
# What becomes of the old way on a host is its kernel's doing: 6.12 lets the guest die, 7.2 makes a fetch from
# nowhere the guest's own access fault. A release in between may do either.
FATES = {("legacy", True): {BY_FAULT}, ("legacy", False): {DEAD, BY_FAULT}}

FETCH_ACCESS_FAULT = 1
FETCH_PAGE_FAULT = 12
GUEST_FETCH_PAGE_FAULT = 20
EOPNOTSUPP = 95


def expected(way: str, native: bool) -> set[str]:
    """What the cell of a way and a place may be."""
    return FATES.get((way, native), {CLEANLY})


def native_fate(program: Path) -> str:
    """As kvm_handoff.fate(), without KVM: OpenSBI starts the program."""
    console = run_to_end(Machine(kernel=program, memory="128M"))
    reached = arrival(console)
    return str(reached) if reached else f"ended:\n{console}"


Cells = dict[tuple[str, str, int], tuple[str, set[str]]]


def all_cells(
    outcomes: dict[str, dict[str, Outcome]], hosts: list[Host], handoff: Callable[..., object]
) -> Cells:
    """(way, place, mode) -> (seen, expected)."""
    cells = {}
    for way in ("legacy", "two-pass"):
        for sv in MODES:
            cells[way, NATIVE, sv] = (native_fate(handoff(way, sv).bin), expected(way, native=True))
            for host in hosts:
                seen = fate(outcomes[host.name][f"{way}-sv{sv}"])
                cells[way, host.name, sv] = (seen, expected(way, native=False))
    return cells


def table(cells: Cells) -> str:
    """The cells as a person reads them; what was expected instead is in brackets."""
    rows = [("handoff", "on", *(f"Sv{sv}" for sv in MODES))]
    for way, place in dict.fromkeys((way, place) for way, place, _ in cells):
        texts = []
        for sv in MODES:
            seen, wanted = cells[way, place, sv]
            texts.append(seen if seen in wanted else f"{seen} [expected: {' or '.join(sorted(wanted))}]")
        rows.append((way, place, *texts))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return "\n".join("  ".join(row).rstrip() for row in padded)


@pytest.fixture(scope="module")
def hosts() -> list[Host]:
    """One that leaves the guest alone with its fault, one that does not; as far as the archive has such."""
    return [stable_host(), newer_host()]


def host_whose_guest(wanted: str, outcomes: dict[str, dict[str, Outcome]]) -> str:
    """The name of a host on which the old way has a fate in every mode. Raises Missing if there is none today."""
    fates = {name: {fate(seen[f"legacy-sv{sv}"]) for sv in MODES} for name, seen in outcomes.items()}
    found = next((name for name, seen in fates.items() if seen == {wanted}), None)
    if not found:
        raise Missing(f"a KVM host on which the old way is '{wanted}': only {', '.join(fates)}")
    return found


@pytest.fixture(scope="module")
def outcomes(
    hosts: list[Host], vmm: Path, handoff: Callable[..., object], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Outcome]]:
    """By host and guest: every way in every mode."""
    guests = [
        guest(lambda way, sv: handoff(way, sv).bin, way, sv)
        for way in ("legacy", "two-pass", "no-identity")
        for sv in MODES
    ]
    scratch = tmp_path_factory.mktemp("kvm")
    return {host.name: run(host, vmm, guests, scratch) for host in hosts}


def test_every_cell_of_the_table(
    outcomes: dict[str, dict[str, Outcome]],
    hosts: list[Host],
    handoff: Callable[..., object],
    record_property: Callable[[str, object], None],
) -> None:
    """{legacy, two-pass} x {native, KVM} x {Sv39, Sv48, Sv57}, on a host of each kind."""
    cells = all_cells(outcomes, hosts, handoff)
    record_property("terminal", table(cells))
    assert {key for key, (seen, wanted) in cells.items() if seen not in wanted} == set(), "\n" + table(cells)


@pytest.mark.parametrize("sv", MODES)
def test_the_old_way_dies_as_recorded(
    sv: int, outcomes: dict[str, dict[str, Outcome]], handoff: Callable[..., object]
) -> None:
    """The negative control. If it does not fail like this, the other tests here prove nothing."""
    seen = outcomes[host_whose_guest(DEAD, outcomes)][f"legacy-sv{sv}"]
    fetch = symbols(handoff("legacy", sv).elf)["legacy_fetch"]
    blind = f"the environment tests nothing: the old way did not die as it should:\n{seen}"
    assert seen.end == "unsupported" and seen.registers["errno"] == EOPNOTSUPP, blind
    assert BEGINS in seen.console and not arrival(seen.console), blind
    assert seen.host_value("SCAUSE") == GUEST_FETCH_PAGE_FAULT, blind
    assert seen.host_value("STVAL") == seen.registers["pc"] == fetch, blind
    # The guest itself never saw a trap, though its stvec was set for one.
    assert seen.registers["scause"] == seen.registers["sepc"] == seen.registers["satp"] == 0, blind
    assert PHYSICAL < seen.registers["stvec"] < PHYSICAL + (1 << 20), blind


@pytest.mark.parametrize("sv", MODES)
def test_a_newer_host_reflects_the_fault(
    sv: int, outcomes: dict[str, dict[str, Outcome]], handoff: Callable[..., object]
) -> None:
    """There the control is expected to pass, by the guest's own access fault."""
    seen = arrival(outcomes[host_whose_guest(BY_FAULT, outcomes)][f"legacy-sv{sv}"].console)
    assert seen and seen.scause == FETCH_ACCESS_FAULT
    assert seen.sepc == symbols(handoff("legacy", sv).elf)["legacy_fetch"]


@pytest.mark.parametrize("sv", MODES)
def test_two_passes_arrive_without_a_trap(
    sv: int, outcomes: dict[str, dict[str, Outcome]], hosts: list[Host]
) -> None:
    """At the physical address with paging off. A trap on the way would have ended in norelocate_park."""
    for host in hosts:
        seen = outcomes[host.name][f"two-pass-sv{sv}"]
        reached = arrival(seen.console)
        assert reached and seen.end == "shutdown", seen
        assert reached.satp == reached.scause == 0
        assert reached.pc == reached.sepc and PHYSICAL < reached.pc < PHYSICAL + (1 << 20)
        assert "VCPU exit error" not in seen.host_log


@pytest.mark.parametrize("sv", MODES)
def test_two_passes_need_the_identity_leaf(
    sv: int, outcomes: dict[str, dict[str, Outcome]], hosts: list[Host], handoff: Callable[..., object]
) -> None:
    """A mutation: with the page at its virtual address only, pass one's jump is a page fault, and parks."""
    symbol = symbols(handoff("no-identity", sv).elf)
    for host in hosts:
        seen = outcomes[host.name][f"no-identity-sv{sv}"]
        assert seen.end == "watchdog" and not arrival(seen.console), seen
        assert seen.registers["scause"] == FETCH_PAGE_FAULT
        assert seen.registers["sepc"] == PHYSICAL + symbol["norelocate"] - symbol["text_start"]
        assert seen.registers["stvec"] == symbol["norelocate_park"]
