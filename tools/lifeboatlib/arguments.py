# SPDX-License-Identifier: BSD-2-Clause
"""Checks command-line values, so that a wrong one is reported before anything is started."""

import argparse
import re
from pathlib import Path


def existing_file(value: str) -> Path:
    """A file that can be read."""
    path = Path(value)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no such file: {value}")
    return path


def address(value: str) -> int:
    """A number, decimal or 0x..., that fits into 64 bits."""
    try:
        number = int(value, 0)
    except ValueError:
        number = -1
    if not 0 <= number < 1 << 64:
        raise argparse.ArgumentTypeError(f"not an address: {value}")
    return number


def positive(value: str) -> int:
    """A number above 0."""
    if not value.isdecimal() or int(value) == 0:
        raise argparse.ArgumentTypeError(f"not a number above 0: {value}")
    return int(value)


def regex(value: str) -> str:
    """A regular expression."""
    try:
        re.compile(value)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"not a regular expression: {error}") from error
    return value
