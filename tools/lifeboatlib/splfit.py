# SPDX-License-Identifier: BSD-2-Clause
"""Writes the FIT image that a U-Boot SPL loads: OpenSBI, the stage in U-Boot's place, an FDT and the bundle."""

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import command
from lifeboatlib.its import cells, node, text
from lifeboatlib.ui import LifeboatError

# SPL reads it from any media in blocks, the data outside of the structure since that has to fit its heap.
ALIGNMENT = 0x1000
HINT = "are all parts of the image readable?"


@dataclass(frozen=True)
class Part:
    """An image node. SPL takes the last loadable with the os "U-Boot" for the next stage: the bundle has none."""

    name: str
    path: Path
    kind: str
    load: int | None = None
    entry: int | None = None
    os: str = ""

    def properties(self) -> dict[str, str]:
        """As properties of the node."""
        found = {
            "description": text(self.name),
            "data": f"/incbin/({text(self.path.name)})",
            "type": text(self.kind),
            "arch": text("riscv"),
            "compression": text("none"),
        }
        if self.os:
            found["os"] = text(self.os)
        if self.load is not None:
            found["load"] = cells(self.load)
        if self.entry is not None:
            found["entry"] = cells(self.entry)
        return found


@dataclass(frozen=True)
class SplFit:
    """The FIT: its parts by role, the configuration's name and description, and whether parts carry a CRC-32."""

    loadables: tuple[Part, ...]
    firmware: Part | None = None
    fdt: Part | None = None
    configuration: str = "conf-1"
    description: str = "lifeboat"
    crc32: bool = False

    def parts(self) -> list[Part]:
        """All of them, in the order of their data."""
        return [part for part in (*self.loadables, self.firmware, self.fdt) if part]

    def its(self) -> str:
        """The source for mkimage."""
        lines = ["/dts-v1/;", "", "/ {", '\tdescription = "lifeboat for U-Boot SPL";']
        lines += ["\t#address-cells = <2>;", "\timages {"]
        hashes = {"hash": {"algo": text("crc32")}} if self.crc32 else {}
        for part in self.parts():
            lines += node(part.name, part.properties(), hashes)
        lines += ["\t};", "\tconfigurations {", f"\t\tdefault = {text(self.configuration)};"]
        chosen = {"description": text(self.description)}
        if self.loadables:
            chosen["loadables"] = ", ".join(text(part.name) for part in self.loadables)
        chosen |= {"firmware": text(self.firmware.name)} if self.firmware else {}
        chosen |= {"fdt": text(self.fdt.name)} if self.fdt else {}
        lines += node(self.configuration, chosen, {})
        return "\n".join([*lines, "\t};", "};", ""])

    def write(self, output: Path) -> Path:
        """Makes the FIT image."""
        with tempfile.TemporaryDirectory() as name:
            scratch = Path(name)
            for part in self.parts():
                shutil.copyfile(part.path, scratch / part.path.name)
            (scratch / "spl.its").write_text(self.its(), encoding="utf-8")
            argv = ["mkimage", "-E", "-B", f"{ALIGNMENT:#x}", "-f", "spl.its", "spl.itb"]
            command.logged(argv, "image", HINT, cwd=scratch)
            shutil.move(scratch / "spl.itb", output)
        return output


def extract(fit: Path, image: str, output: Path) -> Path:
    """Takes an image out of a FIT, by its node's name."""
    listing = command.output(["dumpimage", "-l", fit])
    found = re.search(rf"Image (\d+) \({re.escape(image)}\)", listing)
    if not found:
        raise LifeboatError(f"{fit.name} has no image {image}; is it a U-Boot FIT?")
    argv = ["dumpimage", "-T", "flat_dt", "-p", found[1], "-o", output, fit]
    command.logged(argv, "image", HINT)
    return output


def announce_bundle(fdt: Path, address: int, size: int) -> None:
    """Writes into a board's FDT where the bundle will lie: in the root's cells, as docs/abi.md has it."""
    value = []
    for number, cells_property in ((address, "#address-cells"), (size, "#size-cells")):
        count = int(command.output(["fdtget", fdt, "/", cells_property]).strip() or 0)
        if count not in (1, 2) or number >> 32 * count:
            raise LifeboatError(f"{fdt.name} can't name the bundle at {address:#x} in {count} cells")
        value += [f"{number >> 32 * i & 0xFFFFFFFF:x}" for i in reversed(range(count))]
    argv = ["fdtput", "-t", "x", "-p", fdt, "/chosen", "lifeboat,bundle", *value]
    command.logged(argv, "image", HINT)
    # SPL writes into it, and has no more room than there is.
    command.logged(["dtc", "-q", "-I", "dtb", "-O", "dtb", "-p", "4096", "-o", fdt, fdt], "image", HINT)
