# SPDX-License-Identifier: BSD-2-Clause
"""A machine with bare-metal payloads in both roles: a pattern in all of RAM, and one that looks for it."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lifeboatlib import bundle
from lifeboatlib.qemu import Session

REGION = 104 << 20
FILLED = r"^primary: filled (\d+) bytes around (0x[0-9a-f]+)\.\.(0x[0-9a-f]+)\n"
VERIFIED = r"^checker: verified (\d+) of (\d+) bytes, (\d+) differences$"
GIVEN_UP = r"^lifeboat: .*the crash kernel died, too \(\d+ tries\): given up, booting normally$"
ARMED = r"^lifeboat: crash: armed"
FIRST_LINE = "lifeboat: boot: "


def bare_bundle(
    build_payload: Callable[..., object],
    path: Path,
    attempts: int = 1,
    ramdisk: Path | None = None,
    region: int = REGION,
    boot_limit: int = 0,
    **defines: int,
) -> Path:
    """Pattern and checker; without a log to read, the bundle's policy decides: capture."""
    primary = build_payload("crash_primary", **defines)
    checker = build_payload("crash_checker")
    crash = bundle.Crash(region, attempts, "capture")
    plain = bundle.simple(bundle.linux(primary.bin), ramdisk)  # type: ignore[attr-defined]
    payload = bundle.linux(checker.bin)  # type: ignore[attr-defined]
    made = bundle.with_crash(plain, payload=payload, crash=crash)
    return replace(made, policy=bundle.Policy(boot_limit=boot_limit)).write(path)


def expect_filled(session: Session) -> re.Match[str]:
    """The primary has run."""
    return session.expect(FILLED)


def expect_verified(session: Session, filled: re.Match[str]) -> int:
    """The checker has seen all that the primary wrote, and nothing but the primary differs; in bytes."""
    match = session.expect(VERIFIED)
    assert_verified(session.text, match, filled)
    return int(match[1])


def assert_verified(console: str, match: re.Match[str], filled: re.Match[str]) -> None:
    """As expect_verified(), of a verdict that has come."""
    console = console[console.rindex(FIRST_LINE, 0, match.start()) : match.end()]
    written, own_start, own_end = int(filled[1]), int(filled[2], 16), int(filled[3], 16)
    same, total = int(match[1]), int(match[2])
    assert total == written + own_end - own_start, "the PT_LOADs are not what the primary was given"
    assert same >= written, f"{written - same} bytes are not as they were:\n{console}"
    differs = re.findall(r"^checker: differs (0x[0-9a-f]+)\.\.(0x[0-9a-f]+)$", console, re.MULTILINE)
    for start, end in differs:
        assert own_start <= int(start, 16) < int(end, 16) <= own_end, f"{start}..{end}:\n{console}"
