# SPDX-License-Identifier: BSD-2-Clause
"""A real Debian for riscv64 on a disk of its own, made by mmdebstrap under qemu-user, and kept in the cache.

systemd, initramfs-tools, Debian's own kernel, ext4 on GPT; root is logged in on the console.
"""

import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import command, debian, media, setup
from lifeboatlib.packages import CODENAME
from lifeboatlib.paths import cache_dir, log_file
from lifeboatlib.ui import LifeboatError, Missing, say, step

HOST_PACKAGES = ("e2fsprogs", "fdisk", "mmdebstrap", "qemu-user-static")
PACKAGES = (
    # Debian's least that boots by itself, and a console to log in on.
    "e2fsprogs", "initramfs-tools", "iproute2", "kmod", "linux-image-riscv64", "login", "procps", "systemd",
    "systemd-sysv", "udev", "u-boot-menu",
    # What lifeboat-kdump depends on or suggests: the machine has no network.
    "age", "busybox", "device-tree-compiler", "makedumpfile", "openssh-client", "u-boot-tools", "zstd",
)  # fmt: skip
# Not unpacked: depmod would take minutes for them.
LEFT_OUT = ("drivers/gpu", "drivers/infiniband", "drivers/media", "drivers/net/wireless", "drivers/staging", "sound")
PARTITION_START = 2048  # sectors
ROOM = 3 << 30  # bytes; not stored where nothing is written
PROMPT = "guest# "
ROOT_UUID = "5a71b0a7-0001-4000-8000-000000000001"

# binfmt_misc is the machine's own, so the entry is taken back. (mmdebstrap looks for it under this name.)
UNDER_QEMU_USER = r"""
set -e
at=/proc/sys/fs/binfmt_misc
[ -e $at/register ] || mount -t binfmt_misc none $at
if [ ! -e $at/qemu-riscv64 ]; then
    elf='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00'
    mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    printf '%s' ":qemu-riscv64:M::$elf:$mask:$(command -v qemu-riscv64-static):FP" > $at/register
    trap 'echo -1 > $at/qemu-riscv64' EXIT
fi
"$@"
"""

# In the new root, before packages are set up: an initramfs of what QEMU has is made in half the time, and only once.
BEFORE = """
mkdir -p "$1/etc/initramfs-tools/conf.d"
echo MODULES=list > "$1/etc/initramfs-tools/conf.d/image"
printf '%s\\n' virtio_pci virtio_mmio virtio_blk virtio_net ext4 > "$1/etc/initramfs-tools/modules"
echo update_initramfs=no > "$1/etc/initramfs-tools/update-initramfs.conf"
"""
# The console is a shell, without login and without udev, which takes its time under emulation.
CONSOLE = f"""[Unit]
After=multi-user.target lifeboat.service
[Service]
Environment=HOME=/root TERM=dumb "PS1={PROMPT}"
WorkingDirectory=/root
ExecStart=/bin/bash --norc --noediting -i
StandardInput=tty-force
StandardOutput=tty
TTYPath=/dev/ttyS0
Restart=always
[Install]
WantedBy=graphical.target
"""
AFTER = f"""
echo update_initramfs=yes > "$1/etc/initramfs-tools/update-initramfs.conf"
units="$1/etc/systemd/system"
echo '{CONSOLE}' > "$units/console.service"
echo 'PARTUUID={ROOT_UUID} / ext4 defaults 0 1' > "$1/etc/fstab"
echo guest > "$1/etc/hostname"
# Not the first boot of a new machine, which sets up its services anew; and slow is not broken.
echo {ROOT_UUID} | tr -d - > "$1/etc/machine-id"
rm -f "$1/etc/resolv.conf"
mkdir -p "$1/etc/systemd/system.conf.d"
printf '%s\\n' '[Manager]' DefaultDeviceTimeoutSec=infinity DefaultTimeoutStartSec=infinity \\
    > "$1/etc/systemd/system.conf.d/slow.conf"
chroot "$1" systemctl mask serial-getty@ttyS0.service getty@tty1.service \
    apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer dpkg-db-backup.timer
chroot "$1" systemctl enable console.service
touch "$1/etc/.updated" "$1/var/.updated"
"""
GUID = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"  # Linux file system data


@dataclass(frozen=True)
class Distro:
    """The disk, and what a bundle needs of it."""

    folder: Path

    @property
    def disk(self) -> Path:
        """The whole disk: boot copies of it, not this."""
        return self.folder / "disk.img"

    @property
    def kernel(self) -> Path:
        """Debian's kernel."""
        return self.folder / "vmlinux"

    @property
    def initrd(self) -> Path:
        """The initramfs that Debian made for it."""
        return self.folder / "initrd.img"

    append = f"root=PARTUUID={ROOT_UUID} ro console=ttyS0 quiet"


def _recipe() -> str:
    """A name for what this file makes: another recipe, another disk."""
    recipe = repr((CODENAME, PACKAGES, LEFT_OUT, BEFORE, AFTER, ROOM))
    return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def _access() -> list[str]:
    """How this machine's apt reaches the archive, for another apt."""
    wanted = ("Acquire::http", "Acquire::https", "Acquire::Check")
    lines = command.output(["apt-config", "dump"]).splitlines()
    return [line.rstrip(";") for line in lines if line.startswith(wanted)]


def _bootstrap(root: Path) -> None:
    """Debian in a directory."""
    options = [f"--aptopt={line}" for line in (*_access(), 'APT::Install-Recommends "false"')]
    options += ["--dpkgopt=force-confold"]  # for what BEFORE wrote
    options += [f"--dpkgopt=path-exclude=/usr/lib/modules/*/kernel/{name}/*" for name in LEFT_OUT]
    argv = [
        "mmdebstrap", "--mode=root", "--architectures=riscv64", "--variant=minbase", *options,
        f"--include={','.join(PACKAGES)}", f"--essential-hook={BEFORE}", f"--customize-hook={AFTER}",
        CODENAME, str(root), debian.archive(debian.sources(), debian.codename()).line(suite=CODENAME).strip(),
    ]  # fmt: skip
    command.logged(["unshare", "--mount", "sh", "-c", UNDER_QEMU_USER, "sh", *argv], "distro", "the log has the reason")


def _make_disk(root: Path, disk: Path) -> None:
    """An ext4 of the directory in the one partition of a disk."""
    offset = PARTITION_START * media.SECTOR
    with disk.open("wb") as file:
        file.truncate(ROOM + 2 * offset)
    where = f"offset={offset}"
    argv = ["mke2fs", "-q", "-F", "-t", "ext4", "-d", root, "-E", where, disk, f"{ROOM >> 10}k"]
    command.logged(argv, "distro", "is the disk full?")
    sectors = ROOM // media.SECTOR
    table = f"label: gpt\nstart={PARTITION_START}, size={sectors}, type={GUID}, uuid={ROOT_UUID}, attrs=LegacyBIOSBootable\n"
    subprocess.run(["sfdisk", "-q", disk], input=table, text=True, check=True, capture_output=True)


def _newest(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise LifeboatError(f"the new Debian has no /boot/{pattern}; see {log_file('distro')}")
    return found[-1]


def _make(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache_dir(), prefix="distro-") as name:
        scratch = Path(name)
        root, made = scratch / "root", scratch / "made"
        made.mkdir()
        _bootstrap(root)
        shutil.copy(_newest(root / "boot", "vmlinu[xz]-*"), made / "vmlinux")
        shutil.copy(_newest(root / "boot", "initrd.img-*"), made / "initrd.img")
        _make_disk(root, made / "disk.img")
        folder.parent.mkdir(exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)


def ensure() -> Distro:
    """The disk, made if there is none of this recipe. Raises Missing where it can't be."""
    folder = cache_dir() / "distro" / _recipe()
    if folder.is_dir():
        return Distro(folder)
    if os.geteuid() != 0:
        raise Missing("a Debian for riscv64: only root can make one (chroot and binfmt_misc)")
    setup.for_packages(HOST_PACKAGES)
    say(f"debian: making a disk with Debian {CODENAME} for riscv64, once: 5 to 15 minutes (log: {log_file('distro')})")
    try:
        with step("debian: mmdebstrap under qemu-user"):
            _make(folder)
    except LifeboatError as error:
        raise Missing(f"a Debian for riscv64: {error}") from error
    return Distro(folder)


def copy(distro: Distro, disk: Path) -> Path:
    """A disk of one's own to boot from."""
    command.logged(["cp", "--sparse=always", distro.disk, disk], "distro", "is the disk full?")
    return disk


def drive(disk: Path, name: str) -> tuple[str, ...]:
    """QEMU's arguments for a disk."""
    return (
        "-drive", f"if=none,id={name},format=raw,file={disk}",
        "-device", f"virtio-blk-pci,drive={name}",
    )  # fmt: skip


def read(disk: Path, path: str, into: Path) -> Path:
    """A file of the disk's file system, copied out of it without mounting it."""
    where = f"{disk}?offset={PARTITION_START * media.SECTOR}"
    command.logged(["debugfs", "-R", f"dump {shlex.quote(path)} {into}", where], "distro", "is it there?")
    if not into.is_file() or not into.stat().st_size:
        raise LifeboatError(f"the guest's disk has no {path}")
    return into


def listed(disk: Path, path: str) -> list[str]:
    """The names in a directory of the disk's file system."""
    where = f"{disk}?offset={PARTITION_START * media.SECTOR}"
    rows = command.output(["debugfs", "-R", f"ls -p {path}", where]).splitlines()
    names = [row.split("/")[5] for row in rows if row.count("/") >= 6]
    return sorted(set(names) - {".", ".."})
