# SPDX-License-Identifier: BSD-2-Clause
"""Opens riscv64 dumps with crash(8), on this machine: built once from Debian's source, with the debug package.

Debian's own crash for riscv64 wants a riscv64 machine. It reads all debug information of the kernel, which takes
minutes here, and an hour under qemu-user.
"""

import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lifeboatlib import command, kernels, packages, setup, tarballs
from lifeboatlib.paths import cache_dir, friendly, log_file
from lifeboatlib.ui import LifeboatError, Missing, say, step

RELEASE = tarballs.Tarball(
    "crash",
    "crash_8.0.6.orig.tar.gz",
    "097c6c94ded7e24db4af58de24744bd28276d6f5bae0828bc6b6a02664c4282a",
)
HOST_PACKAGES = ("bison", "g++", "liblzo2-dev", "libncurses-dev", "make", "patch", "zlib1g-dev")
# lzo: how makedumpfile -l packs. Nobody debugs this gdb, nor reads its manual.
MAKE = ("env", "CXXFLAGS=-O1", "make", "lzo", "target=RISCV64", "MAKEINFO=true", f"-j{os.cpu_count() or 1}")
# 8.0.6 does not know Linux 7's slabs and modules, and would not open the dump. (By its source 9.0.2 knows the slabs only.)
UNKNOWN_FROM, WITHOUT = 7, ("--no_kmem_cache", "--no_modules")
# A reset leaves no registers, so bt has nowhere to begin: bt -T shows all that is on the panicked task's stack.
COMMANDS = "sys\nlog | tail -n 45\nbt -T | tail -n 40\nquit\n"
SYMBOLS = "./usr/lib/debug/*vmlinux*"


def _first_match(deb: Path, into: Path) -> None:
    """The vmlinux out of a debug package; tar stops behind it, and leaves gigabytes packed."""
    with into.open("wb") as file:
        unpack = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        argv = ["tar", "-x", "-O", "--wildcards", "--occurrence=1", SYMBOLS]
        subprocess.run(argv, stdin=unpack.stdout, stdout=file, stderr=subprocess.DEVNULL, check=False)
        unpack.kill()
        unpack.wait()
    if into.stat().st_size < (1 << 20):
        raise Missing(f"{deb.name}: no vmlinux with debug information in it")


def vmlinux(release: str) -> Path:
    """The kernel of a release with its debug information, fetched once. Raises Missing."""
    kept = cache_dir() / "vmlinux" / release
    if kept.is_file():
        return kept
    name = f"linux-image-{release}-dbg"
    kept.parent.mkdir(exist_ok=True)
    with step(f"debian: fetching {name}, 1 GB, of which 300 MB are kept"), tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        apt = next((apt for apt in map(packages.updated_apt, kernels.SUITES) if apt.field(name, "Package")), None)
        if not apt:
            raise Missing(f"{name}: the archive does not have it")
        apt.download([name], Path(scratch))
        _first_match(next(Path(scratch).glob("*.deb")), Path(scratch) / "vmlinux")
        (Path(scratch) / "vmlinux").rename(kept)
    return kept


def program() -> Path:
    """crash(8) for riscv64's dumps, built once. Raises Missing."""
    kept = cache_dir() / "crash8" / RELEASE.filename.removesuffix(".orig.tar.gz")
    if kept.is_file():
        return kept
    if platform.machine() != "x86_64":
        raise Missing("crash(8) that opens riscv64's dumps: it builds on x86-64 only (--no-debug-package: without)")
    setup.for_packages(HOST_PACKAGES)
    source = tarballs.source(RELEASE)
    kept.parent.mkdir(exist_ok=True)
    say(f"debian: crash(8) has a gdb in it, which takes a while to build, once (log: {friendly(log_file('crash8'))})")
    with step(f"debian: building {kept.name}"), tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        command.logged(["tar", "-xf", source, "-C", scratch, "--strip-components=1"], "crash8", "is the disk full?")
        command.logged(MAKE, "crash8", "see the log", cwd=Path(scratch))
        command.logged(["strip", "crash"], "crash8", "see the log", cwd=Path(scratch))
        shutil.move(Path(scratch) / "crash", kept)
    return kept


def look(dump: Path, release: str) -> str:
    """What crash(8) says of a dump: sys, the log's end, the stack. Raises Missing, or LifeboatError if it can't."""
    without = WITHOUT if int(release.partition(".")[0]) >= UNKNOWN_FROM else ()
    argv = [str(program()), "-s", "--no_scroll", *without, str(vmlinux(release)), str(dump)]
    with step("debian: crash(8) reads the kernel's debug information, and the dump"), tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        environment = os.environ | {"TERM": "dumb", "HOME": scratch}
        done = subprocess.run(argv, input=COMMANDS, env=environment, cwd=scratch, capture_output=True, text=True, check=False)
    if not re.search("^ *PANIC: ", done.stdout, re.MULTILINE):
        last = (done.stdout + done.stderr).strip().splitlines()[-1:]
        raise LifeboatError(f"crash(8) can't open {dump.name}: {''.join(last) or 'it says nothing'}")
    return done.stdout
