# SPDX-License-Identifier: BSD-2-Clause
"""What the boot tests share."""

from contract_fixtures import contract, ramdisk  # noqa: F401
