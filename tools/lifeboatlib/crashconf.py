# SPDX-License-Identifier: BSD-2-Clause
"""What a crash configuration asks of the stage, and the options that say so."""

import argparse
from dataclasses import dataclass

from lifeboatlib.arguments import existing_file, positive
from lifeboatlib.its import cells as _cells
from lifeboatlib.its import text as _text


@dataclass(frozen=True)
class Crash:
    """What a crash configuration asks of the stage; 0 and "" leave it to the stage."""

    region_size: int = 0
    attempts: int = 0
    unknown_end: str = ""
    kept_size: int = 0
    lent: bool = False

    def properties(self) -> dict[str, str]:
        """As properties of the configuration node."""
        found = {"lifeboat,role": _text("crash")}
        if self.region_size:
            found["lifeboat,region-size"] = _cells(self.region_size)
        if self.kept_size:
            found["lifeboat,kept-size"] = _cells(self.kept_size)
        if self.lent:
            found["lifeboat,region"] = _text("lent")
        if self.attempts:
            found["lifeboat,attempts"] = f"<{self.attempts}>"
        if self.unknown_end:
            found["lifeboat,unknown-end"] = _text(self.unknown_end)
        return found


def add_crash_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that add a crash kernel."""
    group = parser.add_argument_group("the crash kernel (--crash-initrd, --crash-kernel or --reserve adds one)")
    group.add_argument(
        "--crash-kernel", type=existing_file, metavar="IMAGE", help="default: --kernel's image"
    )
    group.add_argument("--crash-initrd", type=existing_file, metavar="CPIO", help="its initramfs")
    group.add_argument("--crash-append", default="", metavar="ARGS", help="its bootargs")
    group.add_argument(
        "--crash-size", type=positive, default=0, metavar="MIB",
        help="of the crash region; default: what the crash kernel and its initramfs need, 128 at least",
    )
    group.add_argument(
        "--reserve",
        type=positive,
        default=0,
        metavar="MIB",
        help="no crash kernel, but a crash region of this size: lifeboat-ctl load puts one there",
    )
    group.add_argument(
        "--kept",
        type=positive,
        default=0,
        metavar="MIB",
        help="of the crash region, for the bundle that lifeboat-ctl loads; default: none, with --reserve a quarter",
    )
    group.add_argument(
        "--crash-lent",
        action="store_true",
        help="with --reserve: the primary, whose kernel must have CMA, uses meanwhile what is not kept",
    )
    group.add_argument(
        "--crash-attempts", type=positive, default=0, metavar="N", help="default: 1"
    )
    group.add_argument(
        "--unknown-end",
        choices=("capture", "boot"),
        default="",
        help="what to do about a dead kernel that left no log (default: capture)",
    )
