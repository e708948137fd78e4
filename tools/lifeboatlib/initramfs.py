# SPDX-License-Identifier: BSD-2-Clause
"""Makes initramfs images (cpio "newc") around busybox, without needing root for device nodes."""

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lifeboatlib import target
from lifeboatlib.paths import cache_dir

# The applets that scripts may call by name.
APPLETS = (
    "awk", "cat", "chmod", "cmp", "cp", "cut", "dd", "devmem", "dmesg", "echo", "find", "grep",
    "gzip", "halt", "head", "hexdump", "hostname", "insmod", "kill", "ln", "ls", "md5sum", "mkdir",
    "mknod", "mktemp", "modprobe", "mount", "mv", "nproc", "od", "poweroff", "ps", "reboot", "rm", "rmmod",
    "sed", "seq", "sh", "sha256sum", "sleep", "sort", "stat", "strings", "switch_root", "sync",
    "tail", "taskset", "tee", "touch", "tr", "umount", "uname", "wc", "xxd", "zcat",
)  # fmt: skip

DIRECTORIES = ("bin", "dev", "etc", "mnt", "proc", "root", "run", "sys", "tmp")

# The start of every init script: the mounts, and a line that stands clear of kernel messages.
PROLOGUE = """#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
"""

DEMO_SCRIPT = (
    PROLOGUE
    + """mmu=$(sed -n 's/^mmu[^:]*: *//p' /proc/cpuinfo | head -n 1)
harts=$(grep -c ^processor /proc/cpuinfo)
echo "lifeboat demo: userspace reached, kernel $(uname -r), mode $mmu, $harts harts online"
poweroff -f
"""
)


class Cpio:
    """Writes entries of a newc archive; their order is the order of creation."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._inode = 0

    def add(
        self, name: str, mode: int, content: bytes = b"", node: tuple[int, int] = (0, 0)
    ) -> None:
        """Appends an entry: file, directory, symbolic link (content is its target) or node."""
        self._inode += 1
        encoded = name.encode() + b"\0"
        fields = (
            self._inode, mode, 0, 0, 1, 0, len(content), 0, 0, *node,
            len(encoded), 0,
        )  # fmt: skip
        self._data += b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        self._align()
        self._data += content
        self._align()

    def _align(self) -> None:
        """Fills up to the next multiple of four, as the format wants it."""
        self._data += bytes(-len(self._data) % 4)

    def finish(self) -> bytes:
        """The finished archive."""
        self.add("TRAILER!!!", 0)
        return bytes(self._data)


def _parents(names: list[str]) -> list[str]:
    """Every directory above the names, outermost first."""
    found = {str(parent) for name in names for parent in Path(name).parents}
    return sorted(found - {"."})


def make_initramfs(
    path: Path, init_script: str, extra_files: Mapping[str, Path | str | bytes] | None = None
) -> Path:
    """Writes an initramfs whose /init is `init_script`.

    `extra_files` maps names inside (such as "bin/tool") to a file to take, or to the content as
    text or bytes. Programs keep their executable bit, given content is executable too.
    """
    extra = {name.strip("/"): content for name, content in (extra_files or {}).items()}
    cpio = Cpio()
    for name in sorted({*DIRECTORIES, *_parents(list(extra))}):
        cpio.add(name, stat.S_IFDIR | 0o755)
    cpio.add("dev/console", stat.S_IFCHR | 0o600, node=(5, 1))
    cpio.add("bin/busybox", stat.S_IFREG | 0o755, target.busybox().read_bytes())
    for applet in APPLETS:
        cpio.add(f"bin/{applet}", stat.S_IFLNK | 0o777, b"busybox")
    cpio.add("init", stat.S_IFREG | 0o755, init_script.encode())
    for name, content in extra.items():
        mode = stat.S_IFREG | 0o755
        if isinstance(content, Path):
            mode = content.stat().st_mode
            content = content.read_bytes()
        cpio.add(name, mode, content.encode() if isinstance(content, str) else content)
    _write_whole(path, cpio.finish())
    return path


def _write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that another process sees either the old or the new content."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    os.replace(file.name, path)


def demo_path() -> Path:
    """Where the initramfs of the demo lies."""
    return cache_dir() / "initramfs-demo.cpio"


def ensure_demo() -> Path:
    """The initramfs of the demo, made anew (which takes no time) so that it is never stale."""
    return make_initramfs(demo_path(), DEMO_SCRIPT)
