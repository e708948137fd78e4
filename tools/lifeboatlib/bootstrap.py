# SPDX-License-Identifier: BSD-2-Clause
"""Installs a Debian for riscv64 into a directory. This machine's own dpkg unpacks; only what packages run is emulated.

Unpacked by an emulated dpkg, as debootstrap and mmdebstrap do it, it would take several times as long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import command, debian
from lifeboatlib.apt import PrivateApt
from lifeboatlib.packages import CODENAME
from lifeboatlib.ui import step

HOST_PACKAGES = ("qemu-user-static",)
LOG = "distro"

# Mounts and what is in them are for these processes only. binfmt_misc is the machine's own, so the entry is taken back.
IN_ROOT = r"""
set -e
at=/proc/sys/fs/binfmt_misc
[ -e $at/register ] || mount -t binfmt_misc none $at
if [ ! -e $at/qemu-riscv64 ]; then
    elf='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00'
    mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    printf '%s' ":qemu-riscv64:M::$elf:$mask:$(command -v qemu-riscv64-static):FP" > $at/register
    trap 'echo -1 > $at/qemu-riscv64' EXIT
fi
export LC_ALL=C DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
mkdir -p "$1/proc" "$1/dev"
mount -t proc proc "$1/proc"
mount --bind /dev "$1/dev"
"""
# What Essential packages contain must be there before the first script runs, the links of a merged /usr before all.
FIRST = r"""
root=$1
shift
for deb; do dpkg-deb -x "$deb" "$root"; done
for name in passwd group; do cp "$root/usr/share/base-passwd/$name.master" "$root/etc/$name"; done
state=$root/var/lib/dpkg
mkdir -p "$state/info" "$state/updates" "$state/triggers" "$state/alternatives"
touch "$state/status" "$state/available"
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
"""
# Of the other architecture, for this machine's dpkg; of its own, for the one that is in there.
UNPACK = r"""
root=$1
shift
[ "$(dpkg --print-architecture)" = riscv64 ] || dpkg --root="$root" --add-architecture riscv64
dpkg --root="$root" --force-depends "$@"
rm -f "$root/var/lib/dpkg/arch"
"""
CONFIGURE = r"""
root=$1
shift
chroot "$root" dpkg "$@" --configure -a
rm -f "$root/usr/sbin/policy-rc.d"
"""


@dataclass(frozen=True)
class Recipe:
    """What goes into a Debian: packages, what of their files stays out or in, and what is done before and after.

    Both are scripts of sh, of which $1 is the directory.
    """

    packages: Sequence[str]
    left_out: Sequence[str] = ()
    kept: Sequence[str] = ()
    before: str = ""
    after: str = ""

    def options(self) -> list[str]:
        """For dpkg: what `before` wrote stays, and a directory that is lost half way is made again."""
        found = ["--force-confold", "--force-unsafe-io"]
        found += [f"--path-exclude={pattern}" for pattern in self.left_out]
        return found + [f"--path-include={pattern}" for pattern in self.kept]


def _run(script: str, *arguments: str | Path) -> None:
    argv = ["unshare", "--mount", "sh", "-c", IN_ROOT + script, "sh", *arguments]
    command.logged(argv, LOG, "the log has the reason")


def _packages(names: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """The archives of what is Essential, base-files first, and of all."""
    archive = debian.archive(debian.sources(), debian.codename())
    apt = PrivateApt("distro", [archive.line(suite=CODENAME)], architecture="riscv64")
    apt.update()
    apt.download_closure(["?essential", *names])
    essential, everything = apt.closure(["?essential"]), apt.closure(["?essential", *names])
    essential.sort(key=lambda deb: not deb.name.startswith("base-files_"))
    return essential, [*essential, *(deb for deb in everything if deb not in essential)]


def make(root: Path, recipe: Recipe) -> None:
    """Debian in a directory, which is made."""
    root.mkdir()
    with step("debian: fetching its packages"):
        essential, everything = _packages(recipe.packages)
    with step(f"debian: unpacking {len(everything)} packages"):
        _run(FIRST, root, *essential)
        _run(recipe.before, root)
        _run(UNPACK, root, *recipe.options(), "--unpack", *everything)
    with step("debian: setting them up, under qemu-user"):
        _run(CONFIGURE, root, "--force-confold", "--force-unsafe-io")
        _run(recipe.after, root)
