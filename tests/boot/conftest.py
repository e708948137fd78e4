# SPDX-License-Identifier: BSD-2-Clause
"""What the boot tests share."""

from pathlib import Path

import keyed
import pytest
from contract_fixtures import contract, ramdisk  # noqa: F401


@pytest.fixture(scope="session")
def keydir() -> Path:
    """Keys of all kinds, public and private."""
    return keyed.directory()
