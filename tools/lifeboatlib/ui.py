# SPDX-License-Identifier: BSD-2-Clause
"""What the user sees: progress lines for long steps, and errors of one line that say what to do."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class LifeboatError(Exception):
    """An expected failure; its text is the one line that the user gets."""


class Missing(LifeboatError):
    """Something that the archive does not have, or no longer; a test that needs it is left out."""


def say(text: str) -> None:
    """Prints a line at once, also into a pipe."""
    print(text, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announces a long step, and when it ends how it went and how long it took."""
    print(f"{text} ...", end="", flush=True)
    begin = time.monotonic()
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" done ({time.monotonic() - begin:.0f} s)", flush=True)


def fail(text: str) -> None:
    """Prints an error line."""
    print(f"lifeboat: {text}", file=sys.stderr, flush=True)


def short(count: int) -> str:
    """Three digits and a unit."""
    for unit, factor in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return str(count)
