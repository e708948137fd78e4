# SPDX-License-Identifier: BSD-2-Clause
"""Bundles with several configurations: payloads that tell their name, and ones that can't be started."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from lifeboatlib import bundle

REGION = 104 << 20
BAD_ELF = b"\x7fELF" + bytes(100)  # not 64-bit
WHY_BAD = "kernel: this ELF is not 64-bit little-endian"


def started(name: str) -> str:
    """The line that a good payload of this configuration prints."""
    return rf"^named: {name}$"


def choices(
    directory: Path,
    build_payload: Callable[..., object],
    good: str,
    policy: bundle.Policy | None = None,
    then: str = "",
    crash: bundle.Crash | None = None,
    bad_crash: bool = False,
    rename: Sequence[tuple[bytes, bytes]] = (),
    boards: Sequence[str] = (),
) -> Path:
    """A bundle with the configurations of `good`, in order: "one two -three" has a bad third one.

    `then` is a macro of named.c: what a payload does after it told its name. `rename` changes bytes of the file; `boards` are
    what the configurations are for, in order.
    """
    bad = directory / "bad.elf"
    bad.write_bytes(BAD_ELF)
    images, configurations = [bundle.Image("bad", bad, "kernel", "elf")], []
    for word, board in zip_longest(good.split(), boards):
        name = word.removeprefix("-")
        if word == name:
            payload = build_payload("named", NAME=f'"{name}"', **({then: 1} if then else {}))
            images.append(replace(bundle.linux(payload.bin), name=f"k-{name}"))  # type: ignore[attr-defined]
        kernel = f"k-{name}" if word == name else "bad"
        configurations.append(bundle.Configuration(name, kernel, boards=[board] if board else []))
    made = bundle.Bundle(images, configurations, policy=policy or bundle.Policy())
    if crash:
        checker = bad if bad_crash else build_payload("crash_checker").bin  # type: ignore[attr-defined]
        made = bundle.with_crash(made, payload=bundle.linux(checker), crash=crash)
    if rename:  # it reaches into the payloads, which tell their names
        made = replace(made, images=[replace(image, hashes=()) for image in made.images])
    path = made.write(directory / "choices.itb")
    content = path.read_bytes()
    for old, new in rename:
        assert len(old) == len(new) and old in content
        content = content.replace(old, new)
    path.write_bytes(content)
    return path
