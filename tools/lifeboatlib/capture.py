# SPDX-License-Identifier: BSD-2-Clause
"""The userspace of the crash story: a primary that dies, and a crash kernel that saves its dump.

The dump leaves the machine as a tar archive on a raw virtio disk, whose file the host reads.
"""

import re
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import death, initramfs, target
from lifeboatlib.ui import LifeboatError

DISK_SIZE = 512 * 1024 * 1024
DUMP_MAGIC = b"KDUMP   "

# What makedumpfile leaves out: 1 pages of zeroes, 31 also what it takes for caches, user data and free pages.
# For those it must find struct page, and up to 1.7.9 it does not on riscv64: it reads the vmemmap, which Linux
# maps in huge pages, as if each were its first 4 KiB over and over, and so leaves out pages in use.
DUMP_LEVEL = 1

# How a primary dies. The token makes its log one of a kind; --early gets it by the command line.
CAUSES = {
    "panic": "echo c > /proc/sysrq-trigger",
    "hang": "echo 'lifeboat demo: hanging'; insmod /lib/death.ko",
}
EARLY_APPEND = "root=/dev/none"

PRIMARY = """
echo "lifeboat demo: the primary is up, kernel $(uname -r), $(nproc) harts"
echo "{token}" > /dev/kmsg
for n in 1 2 3 4; do seq 1 100000 > /tmp/file$n; done
echo "lifeboat demo: it dies of {cause}"
sleep 1
{death}
"""

CRASH = """
echo "lifeboat demo: the crash kernel is up, $(stat -c %s /proc/vmcore) bytes of /proc/vmcore"
insmod /lib/virtio_blk.ko
mkdir -p /tmp/dump && cd /tmp/dump
echo "lifeboat demo: vmcore-dmesg and makedumpfile save the log, and makedumpfile a dump"
vmcore-dmesg /proc/vmcore > vmcore-dmesg.txt || echo "vmcore-dmesg failed"
makedumpfile --dump-dmesg /proc/vmcore dmesg.txt > makedumpfile.log 2>&1 || echo "dmesg failed"
for level in {levels}; do
    makedumpfile -l -d $level --message-level 31 /proc/vmcore vmcore.$level > level.$level 2>&1 ||
        echo "dump failed"
    sed -n '/^Original pages/,/reduced/p' level.$level
done
busybox tar -cf /dev/vda . && sync
echo "lifeboat demo: saved $(ls -s | tr '\\n' ' ')"
reboot -f
"""


@dataclass(frozen=True)
class Kdump:
    """A dump by makedumpfile, and the pages that it says it left out, by their kind."""

    content: bytes
    left_out: dict[str, int]


@dataclass(frozen=True)
class Dump:
    """What the crash kernel left on the disk: the log, as two programs read it, and dumps by their level."""

    dmesg: str
    vmcore_dmesg: str
    kdump: dict[int, Kdump]


def primary_initramfs(path: Path, token: str, cause: str, newer: bool = False) -> Path:
    """A userspace that says the token in the kernel log and dies."""
    script = PRIMARY.format(token=token, cause=cause, death=CAUSES[cause])
    files = {"lib/death.ko": death.module(cause, newer)} if cause in death.WAYS else {}
    return initramfs.make_initramfs(path, initramfs.PROLOGUE + script, files)


def crash_initramfs(path: Path, levels: Sequence[int] = (DUMP_LEVEL,), newer: bool = False) -> Path:
    """A userspace that runs Debian's makedumpfile and vmcore-dmesg on /proc/vmcore."""
    files: dict[str, Path | str | bytes] = {
        **target.with_libraries(target.MAKEDUMPFILE.file("usr/bin/makedumpfile")),
        **target.with_libraries(target.KEXEC_TOOLS.file("usr/sbin/vmcore-dmesg")),
        "lib/virtio_blk.ko": target.module("virtio_blk", newer),
    }
    script = CRASH.replace("{levels}", " ".join(map(str, levels)))
    return initramfs.make_initramfs(path, initramfs.PROLOGUE + script, files)


def make_disk(path: Path) -> tuple[str, ...]:
    """An empty disk for the dump, and QEMU's arguments for it."""
    with path.open("wb") as file:
        file.truncate(DISK_SIZE)
    return (
        "-drive", f"if=none,id=dump,format=raw,file={path}",
        "-device", "virtio-blk-pci,drive=dump",
    )  # fmt: skip


def _left_out(report: str) -> dict[str, int]:
    """The pages by kind, as makedumpfile reports them."""
    rows = re.findall(r"^    (\w[^:]*?) *: 0x([0-9a-f]+)$", report, re.MULTILINE)
    return {kind: int(number, 16) for kind, number in rows}


def read_disk(path: Path) -> Dump:
    """The dump on the disk; fails if it is not whole."""
    try:
        with tarfile.open(path) as archive:
            parts = {}
            for member in archive.getmembers():
                file = archive.extractfile(member)
                parts[member.name.removeprefix("./")] = file.read() if file else b""
        levels = [int(name.partition(".")[2]) for name in parts if name.startswith("level.")]
        kdump = {
            level: Kdump(parts[f"vmcore.{level}"], _left_out(parts[f"level.{level}"].decode()))
            for level in levels
        }
        dump = Dump(
            parts["dmesg.txt"].decode(errors="replace"),
            parts["vmcore-dmesg.txt"].decode(errors="replace"),
            kdump,
        )
    except (tarfile.TarError, KeyError) as error:
        raise LifeboatError("the crash kernel left no dump on its disk; see the console") from error
    if not kdump or not all(one.content.startswith(DUMP_MAGIC) for one in kdump.values()):
        raise LifeboatError("what makedumpfile wrote is no dump; see the console")
    return dump


def keep(path: Path, directory: Path) -> None:
    """Leaves the files on the disk in a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member)
            if file:
                (directory / Path(member.name).name).write_bytes(file.read())
