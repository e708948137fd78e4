# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures for conftest.py of whoever boots the contract payload: it, and the ramdisk that it looks for."""

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import write_noise

# No whole number of pages, words or halfwords.
RAMDISK_SIZE = 300_001
FILLER = 0x40000


@pytest.fixture(scope="session")
def ramdisk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ramdisk of noise."""
    return write_noise(tmp_path_factory.mktemp("ramdisk") / "noise", RAMDISK_SIZE)


@pytest.fixture(scope="session")
def contract(build_payload: Callable[..., object]) -> Callable[..., object]:
    """contract(bootargs="", ramdisk=None, base=0, **wants): the contract payload as a Payload.

    It then insists on these bootargs and this ramdisk (or none), and on what the WANT_ macros of
    contract.c name: harts=4, memory=BYTES, load=ADDRESS, align=BYTES, zero_bss=1.
    """

    def build(
        bootargs: str = "", ramdisk: Path | None = None, base: int = 0, **wants: int
    ) -> object:
        content = ramdisk.read_bytes() if ramdisk else b""
        defines: dict[str, object] = {f"WANT_{key.upper()}": value for key, value in wants.items()}
        return build_payload(
            "contract",
            base,
            FILLER=FILLER,
            WANT_BOOTARGS=f'"{bootargs}"',
            WANT_INITRD_SIZE=len(content),
            WANT_INITRD_CRC=f"{zlib.crc32(content)}u",
            **defines,
        )

    return build
