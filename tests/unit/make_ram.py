#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the RAM of dead Linux kernels, for tests/unit/dead_kernels.c: real ones, each dead in its own way.

Usage: make_ram.py DIRECTORY [NAME...] [--kernel IMAGE]

Debian's kernel boots under QEMU, its RAM a file; it logs lines that stand nowhere else and ends as the
name says. Each leaves three files: NAME.ram is the RAM after its death (sparse, about 100 MB), NAME.log what
the kernel itself printed on its console, NAME.facts what else is known of it, without a look into its RAM.
"""

import argparse
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from lifeboatlib import initramfs, target
from lifeboatlib.qemu import Machine, Session

MEMORY_MIB = 256
RAM_BASE = 0x80000000
KERNEL_PA = 0x80200000  # where OpenSBI's fw_dynamic and QEMU put it
BOOTARGS = "console=ttyS0 ignore_loglevel printk.devkmsg=on panic=1"
FACTS = r"^facts: (\S+) mmu sv(\d+)$"


@dataclass(frozen=True)
class Death:
    """How a kernel comes to its end.

    `last_act` is shell code for its init; `ending` the name that the stage should give it, `said` a
    part of its log's telling line. One that cannot end by itself is killed with its machine.
    """

    sv: int
    last_act: str
    ending: str
    said: str = ""
    lines: int = 40
    smp: int = 1
    bootargs: str = ""
    hangs: bool = False


HANG = "while :; do :; done"
DEATHS = {
    "panic": Death(39, "echo c >/proc/sysrq-trigger", "panic", "sysrq triggered crash"),
    # 5000 lines: round the ring of descriptors as well as that of texts. Another panic with a message
    # of its own; the ring is not in the kernel's image but in the linear map.
    "big-log": Death(57, "exit 3", "panic", "Attempted to kill init", 100, 2, "log_buf_len=1M"),
    "wrapped": Death(48, "reboot -f", "restart", "Restarting system", 5000),
    "poweroff": Death(57, "poweroff -f", "power-off", "Power down"),
    "sysrq-b": Death(48, "echo b >/proc/sysrq-trigger", "forced", "Resetting", smp=2),
    "hang": Death(39, HANG, "cut", hangs=True),
}


def script(name: str, death: Death) -> str:
    """The init of a kernel that is about to die."""
    return (
        initramfs.PROLOGUE
        + "mmu=$(sed -n 's/^mmu[^:]*: *//p' /proc/cpuinfo | head -n 1)\n"
        + 'echo; echo "facts: $(uname -r) mmu $mmu"\n'
        # What a kernel says of itself, userspace can write into the log as well.
        + 'echo "<6>reboot: Restarting system" >/dev/kmsg\n'
        + f"i=0; while [ $i -lt {death.lines} ]; do i=$((i + 1))\n"
        + f'echo "<5>{name}: line $i of {death.lines}, as no other" >/dev/kmsg; done\n'
        + f"{death.last_act}\n"
    )


def die(session: Session, name: str, death: Death) -> re.Match[str]:
    """Waits for the end of a kernel, and gives what it said of itself."""
    facts = session.expect(FACTS)
    if death.hangs:
        session.expect(rf"{name}: line {death.lines} of ")
        session.close()
    else:
        session.wait()
    return facts


def make(directory: Path, name: str, kernel: Path) -> None:
    """Boots one kernel and lets it die."""
    death = DEATHS[name]
    ram = directory / f"{name}.ram"
    ram.unlink(missing_ok=True)
    backend = f"memory-backend-file,id=ram,size={MEMORY_MIB}M,mem-path={ram},share=on"
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        machine = Machine(
            kernel=kernel,
            initrd=initramfs.make_initramfs(Path(scratch) / "init.cpio", script(name, death)),
            append=f"{BOOTARGS} {death.bootargs}",
            machine="virt,memory-backend=ram",
            memory=f"{MEMORY_MIB}M",
            sv=death.sv,
            smp=death.smp,
            extra=("-object", backend, "-no-reboot"),
        )
        with Session(machine) as session:
            facts = die(session, name, death)
            console = session.text
    log = re.findall(r"^\[ *\d+\.\d{6}\].*$", console, re.MULTILINE)
    (directory / f"{name}.log").write_text("\n".join(log) + "\n", encoding="ascii")
    (directory / f"{name}.facts").write_text(
        f"{facts[1]}\n{facts[2]}\n{death.ending}\n{RAM_BASE:#x}\n{KERNEL_PA:#x}\n{death.said}\n",
        encoding="ascii",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(DEATHS))
    parser.add_argument("--kernel", type=Path, help="another Image than Debian's")
    args = parser.parse_args()
    args.directory.mkdir(parents=True, exist_ok=True)
    for name in args.names or DEATHS:
        make(args.directory, name, args.kernel or target.kernel())


if __name__ == "__main__":
    main()
