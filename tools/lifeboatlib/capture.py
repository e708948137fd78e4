# SPDX-License-Identifier: BSD-2-Clause
"""The userspace of the crash story: a primary that dies, and a crash kernel that saves its dump.

The dump leaves the machine as a tar archive on a raw virtio disk, whose file the host reads.
"""

import tarfile
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import initramfs, target
from lifeboatlib.ui import LifeboatError

DISK_SIZE = 512 * 1024 * 1024
DUMP_MAGIC = b"KDUMP   "

# How a primary dies. The token makes its log one of a kind; --early gets it by the command line.
CAUSES = {
    "panic": "echo c > /proc/sysrq-trigger",
    "hang": "echo 'lifeboat demo: hanging'; while :; do :; done",
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
echo "lifeboat demo: makedumpfile saves the log and a filtered dump"
makedumpfile --dump-dmesg /proc/vmcore dmesg.txt > makedumpfile.log 2>&1 || echo "dmesg failed"
makedumpfile -l -d 31 /proc/vmcore vmcore.kdump >> makedumpfile.log 2>&1 || echo "dump failed"
tail -n 5 makedumpfile.log
busybox tar -cf /dev/vda . && sync
echo "lifeboat demo: saved $(ls -s | tr '\\n' ' ')"
reboot -f
"""


@dataclass(frozen=True)
class Dump:
    """What the crash kernel left on the disk."""

    dmesg: str
    kdump_size: int
    log: str


def primary_initramfs(path: Path, token: str, cause: str) -> Path:
    """A userspace that says the token in the kernel log and dies."""
    script = PRIMARY.format(token=token, cause=cause, death=CAUSES[cause])
    return initramfs.make_initramfs(path, initramfs.PROLOGUE + script)


def crash_initramfs(path: Path) -> Path:
    """A userspace that runs Debian's makedumpfile on /proc/vmcore."""
    makedumpfile = target.MAKEDUMPFILE.file("usr/bin/makedumpfile")
    files: dict[str, Path | str | bytes] = {**target.with_libraries(makedumpfile)}
    files["lib/virtio_blk.ko"] = target.module("virtio_blk")
    return initramfs.make_initramfs(path, initramfs.PROLOGUE + CRASH, files)


def make_disk(path: Path) -> tuple[str, ...]:
    """An empty disk for the dump, and QEMU's arguments for it."""
    with path.open("wb") as file:
        file.truncate(DISK_SIZE)
    return (
        "-drive", f"if=none,id=dump,format=raw,file={path}",
        "-device", "virtio-blk-pci,drive=dump",
    )  # fmt: skip


def read_disk(path: Path) -> Dump:
    """The dump on the disk; fails if it is not whole."""
    try:
        with tarfile.open(path) as archive:
            parts = {}
            for name in ("dmesg.txt", "makedumpfile.log", "vmcore.kdump"):
                member = archive.extractfile(f"./{name}")
                assert member
                parts[name] = member.read()
    except (tarfile.TarError, KeyError, AssertionError) as error:
        raise LifeboatError("the crash kernel left no dump on its disk; see the console") from error
    if not parts["vmcore.kdump"].startswith(DUMP_MAGIC):
        raise LifeboatError("what makedumpfile wrote is no dump; see the console")
    return Dump(
        parts["dmesg.txt"].decode(errors="replace"),
        len(parts["vmcore.kdump"]),
        parts["makedumpfile.log"].decode(errors="replace"),
    )
