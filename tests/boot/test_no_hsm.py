# SPDX-License-Identifier: BSD-2-Clause
"""Firmware without HSM starts all harts at once: one boots, the others wait and enter the payload, too."""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import find
from lifeboatlib import bundle
from lifeboatlib.qemu import Machine, Session

STAGE = 0x80200000
ENTRY = 0x80600000
FOR_EVER, SHORTLY = 1 << 62, 200_000_000  # looks


@pytest.fixture(scope="module")
def firmware(build_payload: Callable[..., object]) -> Path:
    """A -bios of SBI 0.1."""
    return build_payload("allharts", base=0x80000000, NEXT=STAGE).bin  # type: ignore[attr-defined]


@pytest.mark.parametrize("harts", [1, 2, 4])
@pytest.mark.parametrize("expected", [0, 1], ids=["all come", "one too few"])
def test_all_harts_enter_the_payload(
    harts: int,
    expected: int,
    firmware: Path,
    stage: Path,
    build_payload: Callable[..., object],
    make_bundle: Callable[..., Path],
) -> None:
    """Each with its own id, the same FDT and a clean state; a payload that waits for one more fails."""
    payload = build_payload("spinwait", HARTS=harts + expected, PATIENCE=SHORTLY if expected else FOR_EVER)
    image = bundle.raw(payload.bin, ENTRY, ENTRY)  # type: ignore[attr-defined]
    machine = Machine(kernel=stage, initrd=make_bundle(image), bios=firmware, smp=harts)
    with Session(machine) as session:
        session.wait()
        verdict = "FAIL" if expected else "PASS"
        find(rf"^spinwait: {verdict}", session.text)
        assert "lifeboat: warning" not in session.text
        if harts > 1:
            find(rf"^lifeboat: smp: no HSM: {harts - 1} other harts enter the payload", session.text)


def test_an_error_stands_still_and_says_so(firmware: Path, stage: Path) -> None:
    """There is no SRST to switch off with."""
    with Session(Machine(kernel=stage, bios=firmware, smp=2)) as session:
        session.expect("crash: no crash kernel: there is no bundle")
        session.expect("bundle: none found")
        session.expect("reset the machine by hand")
