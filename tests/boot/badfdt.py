# SPDX-License-Identifier: BSD-2-Clause
"""Starts the stage with an FDT that QEMU and OpenSBI have not seen: they would refuse it, or mend it."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fdtfile import Fdt
from lifeboatlib.qemu import PROGRAM, Machine, patience

STAGE_AT = 0x8400_0000
FDT_AT = 0x8800_0000
BUNDLE_AT = 0x8A00_0000
RAM_AT = 0x8000_0000
MEMORY = 256 << 20


def dump_fdt(path: Path) -> Path:
    """QEMU's own FDT of a machine with MEMORY bytes of RAM, without OpenSBI's additions."""
    argv = [PROGRAM, "-M", f"virt,dumpdtb={path}", "-m", "256M", "-display", "none"]
    subprocess.run(argv, capture_output=True, check=True, timeout=patience())
    return path


def loader(path: Path, address: int) -> tuple[str, str]:
    """QEMU's options to put a file at an address as it is."""
    return ("-device", f"loader,file={path},addr={address:#x},force-raw=on")


@dataclass(frozen=True)
class Shim:
    """What it takes to start the stage with any a1 and any memory content."""

    stage: Path
    build_payload: Callable[..., object]
    good: Path
    scratch: Path

    def fdt(self) -> Fdt:
        """A good FDT, for the test to spoil. It names no initrd."""
        shutil.copy(self.good, self.scratch / "test.dtb")
        return Fdt(self.scratch / "test.dtb")

    def machine(self, fdt: Path | None, a1: int = FDT_AT, fdt_at: int = FDT_AT, **options: object) -> Machine:
        """The machine: OpenSBI, the shim, and the stage with `a1`; `fdt` lies at `fdt_at`."""
        shim = self.build_payload("shim", STAGE=hex(STAGE_AT), FDT=hex(a1))
        extra = loader(self.stage, STAGE_AT)
        if fdt:
            extra += loader(fdt, fdt_at)
        extra += tuple(options.pop("extra", ()))
        return Machine(kernel=shim.bin, extra=extra, **{"memory": "256M", **options})
