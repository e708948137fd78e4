# SPDX-License-Identifier: BSD-2-Clause
"""The boot protocol, kept to the letter on every machine of a matrix.

The contract payload (tests/payloads/contract.c) checks what it finds on entry. By default it runs on
few points of the matrix, so chosen that any two properties meet; the whole matrix is marked long.
"""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pairwise
import pytest
from harness import passed, run_to_end, stage_ran

from lifeboatlib import bundle
from lifeboatlib.qemu import Machine

FIRST = 0x80200000
ELSEWHERE = 0x84503000
MIB = 1 << 20

AXES: dict[str, tuple[object, ...]] = {
    "sv": (39, 48, 57),
    "harts": (1, 4, 8),
    "bios": ("jump", "dynamic"),
    "cpu": ("rv64", "rv64,svade=on"),
    "memory": (128, 1024, 8192),
    "load": (FIRST, ELSEWHERE),
}
SUBSET = pairwise.cover(AXES)
WHOLE = pairwise.points(AXES)


def name_of(point: pairwise.Point) -> str:
    """A readable test id."""
    ad = "svade" if "svade" in str(point["cpu"]) else "svadu"
    return (
        f"sv{point['sv']}-{point['harts']}harts-{point['bios']}-{ad}-"
        f"{point['memory']}M-{point['load']:#x}"
    )


def test_the_subset_covers_every_pair_of_values() -> None:
    met = [set(point.items()) for point in SUBSET]
    for (one, ones), (other, others) in combinations(AXES.items(), 2):
        for pair in ({(one, a), (other, b)} for a in ones for b in others):
            assert any(pair <= point for point in met), f"nothing covers {pair}"


def test_the_subset_is_much_smaller_than_the_matrix() -> None:
    assert len(SUBSET) <= len(WHOLE) // 10


@pytest.fixture
def check(
    stage: Path,
    contract: Callable[..., object],
    build_payload: Callable[..., object],
    make_bundle: Callable[..., Path],
    ramdisk: Path,
) -> Callable[[pairwise.Point], None]:
    """Boots one point of the matrix and judges it."""

    def load(address: int) -> dict[str, object]:
        """Has the stage entered at an address; OpenSBI itself always starts what lies at FIRST."""
        if address == FIRST:
            return {"kernel": stage}
        hop = build_payload("hop", TARGET=f"{address:#x}").bin
        return {"kernel": hop, "extra": ("-device", f"loader,file={stage},addr={address:#x}")}

    def boot(point: pairwise.Point) -> None:
        harts, memory = point["harts"], point["memory"] * MIB
        payload = contract("own=1 fdt=2", ramdisk, harts=harts, memory=memory)
        machine = Machine(
            **load(point["load"]),
            initrd=make_bundle(bundle.linux(payload.bin), initrd=ramdisk, append="own=1"),
            append="fdt=2",
            bios=point["bios"],
            cpu=point["cpu"],
            sv=point["sv"],
            smp=harts,
            memory=f"{point['memory']}M",
        )
        console = run_to_end(machine)
        passed(console)
        stage_ran(console, sv=point["sv"], at=point["load"])

    return boot


@pytest.mark.parametrize("point", SUBSET, ids=name_of)
def test_contract_is_kept(point: pairwise.Point, check: Callable[..., None]) -> None:
    check(point)


@pytest.mark.long
@pytest.mark.parametrize("point", [p for p in WHOLE if p not in SUBSET], ids=name_of)
def test_contract_is_kept_everywhere(point: pairwise.Point, check: Callable[..., None]) -> None:
    check(point)
