# SPDX-License-Identifier: BSD-2-Clause
"""Machines that several of the board tests start."""

from lifeboatlib import target
from lifeboatlib.qemu import Machine


def unleashed(*drive: str, msel: int) -> Machine:
    """The board as its ROM would start it: with Debian's SPL. SPL has the size of the memory from its FDT."""
    spl = target.UBOOT_SIFIVE.file("usr/lib/u-boot/sifive_unleashed/u-boot-spl.bin")
    return Machine(machine=f"sifive_u,msel={msel}", smp=5, memory="8G", bios=spl, extra=("-drive", *drive))
