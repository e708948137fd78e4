# SPDX-License-Identifier: BSD-2-Clause
"""Crash kernels that are compressed, and such that are damaged."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from crash_bare import REGION, expect_filled, expect_verified

from lifeboatlib import bundle
from lifeboatlib.qemu import Machine, Session


def packed_bundle(build_payload: Callable[..., object], directory: Path) -> tuple[Path, bytes]:
    """Pattern, and a packed checker; with the bytes of that."""
    primary = build_payload("crash_primary")
    checker = build_payload("crash_checker")
    path = directory / "checker.gz"
    path.write_bytes(gzip.compress(checker.bin.read_bytes(), mtime=0))  # type: ignore[attr-defined]
    payload = replace(bundle.linux(path), compression="gzip")
    plain = bundle.simple(bundle.linux(primary.bin))  # type: ignore[attr-defined]
    made = bundle.with_crash(plain, payload=payload, crash=bundle.Crash(REGION, 1, "capture"))
    return made.write(directory / "packed.itb"), path.read_bytes()


@pytest.mark.slow
def test_a_packed_crash_kernel_sees_every_word_unaltered(
    stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    made, _ = packed_bundle(build_payload, tmp_path)
    with Session(Machine(kernel=stage, initrd=made, memory="256M")) as session:
        expect_verified(session, expect_filled(session))


def test_a_damaged_crash_kernel_does_not_block_the_primary(
    stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    made, packed = packed_bundle(build_payload, tmp_path)
    content = bytearray(made.read_bytes())
    content[content.rindex(packed) + len(packed) // 2] ^= 1
    made.write_bytes(content)
    with Session(Machine(kernel=stage, initrd=made, memory="256M")) as session:
        session.expect(r"warning: crash: no crash kernel is staged: bundle: the crc32 of image")
        session.expect(r"handoff: to")
