# SPDX-License-Identifier: BSD-2-Clause
"""A real Debian for riscv64 on a disk of its own, made once, and kept in the cache.

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

from lifeboatlib import bootstrap, command, media, setup
from lifeboatlib.packages import CODENAME
from lifeboatlib.paths import cache_dir, log_file
from lifeboatlib.ui import LifeboatError, Missing, say, step

HOST_PACKAGES = ("e2fsprogs", "fdisk", *bootstrap.HOST_PACKAGES)
PACKAGES = (
    # Debian's least that boots by itself, and a console to log in on.
    "apt", "e2fsprogs", "initramfs-tools", "iproute2", "kmod", "linux-image-riscv64", "login", "procps", "systemd",
    "systemd-sysv", "udev", "u-boot-menu",
    # What lifeboat-kdump depends on or suggests: the machine has no network.
    "age", "busybox", "device-tree-compiler", "makedumpfile", "openssh-client", "u-boot-tools", "zstd",
)  # fmt: skip
# Not unpacked: what QEMU has no device for (depmod would take minutes for it), and what nobody reads here.
LEFT_OUT = (
    "/usr/lib/modules/*/kernel/sound/*", "/usr/lib/modules/*/kernel/drivers/*",
    "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*",
)  # fmt: skip
DRIVERS = ("block/*", "char/*", "net/net_failover*", "net/virtio_net*", "virtio/*", "watchdog/*")
KEPT = tuple(f"/usr/lib/modules/*/kernel/drivers/{name}" for name in DRIVERS)
FEATURES = "^metadata_csum_seed,^orphan_file"  # newer than U-Boot's ext4
PARTITION_START = 2048  # sectors
ROOM = 3 << 30  # bytes; not stored where nothing is written
PROMPT = "guest# "
ROOT_UUID = "5a71b0a7-0001-4000-8000-000000000001"

# Before packages are set up: an initramfs of what QEMU has is made in half the time, and only once; extlinux.conf has
# the root of fstab.
BEFORE = f"""
echo guest > "$1/etc/hostname"
echo 'PARTUUID={ROOT_UUID} / ext4 defaults 0 1' > "$1/etc/fstab"
mkdir -p "$1/etc/initramfs-tools/conf.d"
echo MODULES=list > "$1/etc/initramfs-tools/conf.d/image"
printf '%s\\n' virtio_pci virtio_mmio virtio_blk virtio_net ext4 > "$1/etc/initramfs-tools/modules"
echo update_initramfs=no > "$1/etc/initramfs-tools/update-initramfs.conf"
mkdir -p "$1/etc/u-boot-menu/conf.d"
printf '%s\\n' 'U_BOOT_PARAMETERS="ro console=ttyS0 quiet"' U_BOOT_PROMPT=0 U_BOOT_ALTERNATIVES=default \\
    > "$1/etc/u-boot-menu/conf.d/image.conf"
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
ESP_GUID = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
GRUB = """search --no-floppy --set=root --file /boot/{kernel}
linux /boot/{kernel} {append}
initrd /boot/initrd.img-{release}
boot
"""


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


RECIPE = bootstrap.Recipe(PACKAGES, LEFT_OUT, KEPT, BEFORE, AFTER)


def _name() -> str:
    """A name for what this file makes: another recipe, another disk."""
    return hashlib.sha256(repr((CODENAME, RECIPE, ROOM)).encode()).hexdigest()[:12]


def _make_disk(root: Path, disk: Path) -> None:
    """An ext4 of the directory in the one partition of a disk."""
    offset = PARTITION_START * media.SECTOR
    with disk.open("wb") as file:
        file.truncate(ROOM + 2 * offset)
    where = f"offset={offset}"
    argv = ["mke2fs", "-q", "-F", "-t", "ext4", "-O", FEATURES, "-d", root, "-E", where, disk, f"{ROOM >> 10}k"]
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
        bootstrap.make(root, RECIPE)
        shutil.copy(_newest(root / "boot", "vmlinu[xz]-*"), made / "vmlinux")
        shutil.copy(_newest(root / "boot", "initrd.img-*"), made / "initrd.img")
        with step("debian: making the disk"):
            _make_disk(root, made / "disk.img")
        folder.parent.mkdir(exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)


def ensure() -> Distro:
    """The disk, made if there is none of this recipe. Raises Missing where it can't be."""
    folder = cache_dir() / "distro" / _name()
    if folder.is_dir():
        return Distro(folder)
    if os.geteuid() != 0:
        raise Missing("a Debian for riscv64: only root can make one (chroot and binfmt_misc)")
    setup.for_packages(HOST_PACKAGES)
    say(f"debian: making a disk with Debian {CODENAME} for riscv64, once (log: {log_file('distro')})")
    try:
        _make(folder)
    except LifeboatError as error:
        raise Missing(f"a Debian for riscv64: {error}") from error
    return Distro(folder)


def copy(distro: Distro, disk: Path) -> Path:
    """A disk of one's own to boot from."""
    command.logged(["cp", "--sparse=always", distro.disk, disk], "distro", "is the disk full?")
    return disk


def esp(disk: Path, grub: Path, scratch: Path) -> Path:
    """A disk that EFI firmware boots, by GRUB, into the Debian on the other one: esp.img."""
    kernel = [name for name in listed(disk, "/boot") if name.startswith("vmlinu")][-1]
    config, files = scratch / "grub.cfg", scratch / "esp.fat"
    config.write_text(GRUB.format(kernel=kernel, release=kernel.partition("-")[2], append=Distro.append), encoding="ascii")
    media.fat(files, {"EFI/BOOT/BOOTRISCV64.EFI": grub, "EFI/debian/grub.cfg": config})
    return media.disk(scratch / "esp.img", [(media.Partition("esp", PARTITION_START, ESP_GUID), files)])


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
