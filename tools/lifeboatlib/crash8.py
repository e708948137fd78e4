# SPDX-License-Identifier: BSD-2-Clause
"""Opens a dump with crash(8): Debian's for riscv64, under qemu-user, with the vmlinux of the kernel's debug package."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from lifeboatlib import packages, setup, target
from lifeboatlib.packages import CODENAME, Package
from lifeboatlib.paths import cache_dir
from lifeboatlib.ui import LifeboatError, Missing, step

HOST_PACKAGES = ("qemu-user-static",)
CRASH = Package("crash", ("usr/bin/crash",))
LIBRARIES = tuple(
    Package(name, ("usr/lib/riscv64-linux-gnu/*.so*",))
    for name in ("libgcc-s1", "libncursesw6", "libsnappy1v5", "libstdc++6", "libtinfo6")
)
COMMANDS = "sys\nlog | tail -n 45\nbt\nquit\n"
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
        apt = packages.updated_apt(CODENAME)
        if not apt.field(name, "Package"):
            raise Missing(f"{name}: the archive does not have it")
        apt.download([name], Path(scratch))
        _first_match(next(Path(scratch).glob("*.deb")), Path(scratch) / "vmlinux")
        (Path(scratch) / "vmlinux").rename(kept)
    return kept


def _argv(scratch: Path) -> list[str]:
    """crash(8) and its libraries, on this machine."""
    packages.fetch((CRASH, *LIBRARIES))
    for name, path in target.with_libraries(CRASH.file("usr/bin/crash"), LIBRARIES).items():
        (scratch / name).parent.mkdir(exist_ok=True)
        (scratch / name).symlink_to(path.resolve())
    return ["qemu-riscv64-static", str(scratch / "lib" / target.LOADER), "--library-path", str(scratch / "lib"), str(scratch / "bin/crash")]


def look(dump: Path, release: str) -> str:
    """What crash(8) says of a dump: sys, the end of the log, bt. Raises Missing, or LifeboatError if it can't open it."""
    setup.for_packages(HOST_PACKAGES)
    symbols = vmlinux(release)
    with step("debian: crash(8) opens the dump"), tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        argv = [*_argv(Path(scratch)), "-s", "--no_scroll", str(symbols), str(dump)]
        environment = os.environ | {"TERM": "dumb", "HOME": scratch}
        done = subprocess.run(argv, input=COMMANDS, env=environment, cwd=scratch, capture_output=True, text=True, check=False)
    if not re.search("^ *PANIC: ", done.stdout, re.MULTILINE):
        last = (done.stdout + done.stderr).strip().splitlines()[-1:]
        raise LifeboatError(f"crash(8) can't open {dump.name}: {''.join(last) or 'it says nothing'}")
    return done.stdout
