# SPDX-License-Identifier: BSD-2-Clause
"""Firmware as the primary: it boots an OS its own way, leaves the crash region alone, and what dies is captured."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import find, image_that_loops, write_noise
from test_uboot import ask, stop_autoboot

from lifeboatlib import bundle, command, initramfs, media, target
from lifeboatlib.elsewhere import FIRST, with_firmware
from lifeboatlib.qemu import Machine, Session

MIB = 1 << 20
RAM = 0x80000000
LARGE = 60 * MIB
PRIVATE = 4 * MIB  # of the region, at its end
CRASH_LOG = r"lifeboat: crash: region \[(0x\w+)\.\.(0x\w+)\] (\d+) MiB, record (\w+)"
DAMAGED = r"warning: crash: the staged piece at (0x\w+) is damaged, by the firmware of 'primary'"
NO_LOG = "no log of a Linux can be read; a bootloader's own reset looks the same: lifeboat,unknown-end says boot"

BOOTARGS = "console=ttyS0 cryptomgr.notests panic=1 reboot=panic_warm"
PRIMARY = initramfs.PROLOGUE + """
grep -E "^[0-9a-f]+-[0-9a-f]+ : (Reserved|System RAM)" /proc/iomem
echo "primary: tree: $(ls /proc/device-tree/reserved-memory 2>/dev/null | tr '\\n' ' ')"
echo "primary: ready"
read -r token
echo "$token" > /dev/kmsg
echo c > /proc/sysrq-trigger
"""
CRASH = initramfs.PROLOGUE + """
vmcore-dmesg /proc/vmcore | grep last-words | sed 's/^/capture: /'
echo "capture: vmcore $(stat -c %s /proc/vmcore)"
reboot -f
"""
EXTLINUX = """default x
label x
linux /vmlinux
initrd /initrd
{fdt}append {bootargs}
"""
GRUB = """set timeout=0
menuentry x {{
linux /vmlinux {bootargs}
initrd /initrd
}}
"""


def region_of(text: str) -> tuple[int, int]:
    """The crash region of the last boot: base and size."""
    base, end, *_ = re.findall(CRASH_LOG, text)[-1]
    return int(base, 16), int(end, 16) + 1 - int(base, 16)


def planned(text: str) -> list[tuple[int, int]]:
    """What the stage has put into the region before firmware ran: offset and size, core header and private part, too."""
    base, size = region_of(text)
    plans = re.findall(r"plan: \w+ +\[(0x\w+)\.\.(0x\w+)\]", text)
    found = [(int(a, 16) - base, int(b, 16) + 1 - int(a, 16)) for a, b in plans]
    inside = [(a, n) for a, n in found if 0 <= a < size]
    return sorted([*inside, (size - PRIVATE - 0x5000, PRIVATE + 0x5000)])


def untouched(ram: Path, text: str) -> None:
    """Of the region all that the stage has left empty is empty. (What it has put there has a checksum.)"""
    base, _ = region_of(text)
    end = 0
    with ram.open("rb") as file:
        for offset, size in planned(text):
            file.seek(base - RAM + end)
            assert not any(file.read(offset - end)), f"the region was written below {base + offset:#x}"
            end = offset + size


def lasting(path: Path) -> dict[str, object]:
    """2 GiB of RAM that the test can look into."""
    backend = f"memory-backend-file,id=ram,size=2G,mem-path={path},share=on"
    return {"memory": "2G", "extra": ("-object", backend)}


@pytest.mark.slow
def test_uboot_as_the_primary_keeps_off_the_region_and_is_told_of_when_it_does_not(
    stage: Path, uboot: Path, tmp_path: Path
) -> None:
    """On the address that the stage is loaded to; its own reset is no crash, its harm is named."""
    (tmp_path / "loops").write_bytes(image_that_loops())
    payload = bundle.linux(tmp_path / "loops")
    made = bundle.simple(bundle.from_firmware(uboot, tmp_path))
    made = bundle.with_crash(made, payload=payload, crash=bundle.Crash(104 * MIB))
    ram = tmp_path / "ram"
    machine = Machine(
        kernel=stage, initrd=made.write(tmp_path / "b.itb"), machine="virt,memory-backend=ram", **lasting(ram)
    )  # type: ignore[arg-type]
    with Session(machine) as session:
        stop_autoboot(session)
        find(r"plan: kernel +\[0x80200000\.\.0x\w+\]", session.text)
        find(r"warning: crash: U-Boot's booti puts Linux at 0x80200000, .* at 0x83e00000 say", session.text)
        find("crash: armed", session.text)
        base, size = region_of(session.text)
        known = ask(session, "bdinfo")
        assert base + size + 64 * MIB == 1 << 32
        assert int(find(r"relocaddr += (0x\w+)", known)[1], 16) > base + size
        assert f"[{base:#x}-{base + size - 1:#x}], {size:#x} bytes, flags: no-map" in known
        tree = ask(session, f"fdt addr $fdtcontroladdr; fdt print /reserved-memory/lifeboat-lost@{FIRST:x}")
        assert "no-map" in tree
        untouched(ram, session.text)
        session.send("reset\n")
        session.expect(NO_LOG)
        stop_autoboot(session)
        assert not re.search(DAMAGED, session.text)
        ask(session, f"mw.l {base:x} 12345678")
        session.send("reset\n")
        assert int(session.expect(DAMAGED)[1], 16) == base
        session.expect("crash: armed")


@dataclass(frozen=True)
class Way:
    """How firmware comes to a Linux."""

    commands: tuple[str, ...] = ()  # of U-Boot; without any it is EDK2
    fdt: str = ""  # a line of extlinux.conf
    acpi: bool = False
    tree: bool = True  # Linux sees an FDT with the region in it


EXTLINUX_BOOT = ("setenv initrd_high", "sysboot virtio 0:0 any 0x8c200000 /extlinux/extlinux.conf")
GRUB_BOOT = (
    "load virtio 0:0 $kernel_addr_r EFI/BOOT/BOOTRISCV64.EFI",
    "bootefi $kernel_addr_r $fdtcontroladdr",
)
WAYS = {
    "uboot extlinux": Way(EXTLINUX_BOOT),
    "uboot extlinux, dtb from the disk": Way(EXTLINUX_BOOT, fdt="fdt /virt.dtb\n"),
    "uboot grub": Way(GRUB_BOOT),
    "edk2 grub, fdt": Way(),
    "edk2 grub, acpi": Way(acpi=True, tree=False),
}


def disk(way: Way, directory: Path) -> Path:
    """What firmware boots from: a FAT, with an initramfs that is large."""
    noise = write_noise(directory / "noise", LARGE)
    initrd = initramfs.make_initramfs(directory / "initrd", PRIMARY, {"noise": noise})
    dtb = directory / "virt.dtb"
    dump = ["qemu-system-riscv64", "-M", f"virt,dumpdtb={dtb}", "-smp", "2", "-m", "2G", "-bios", "none"]
    command.logged(dump, "dumpdtb", "does this QEMU know the virt machine?")
    (directory / "extlinux.conf").write_text(EXTLINUX.format(fdt=way.fdt, bootargs=BOOTARGS), encoding="utf-8")
    (directory / "grub.cfg").write_text(GRUB.format(bootargs=BOOTARGS), encoding="utf-8")
    return media.fat(
        directory / "disk",
        {
            "EFI/BOOT/BOOTRISCV64.EFI": target.grub(),
            "EFI/debian/grub.cfg": directory / "grub.cfg",
            "extlinux/extlinux.conf": directory / "extlinux.conf",
            "initrd": initrd,
            "virt.dtb": dtb,
            "vmlinux": target.kernel(),
        },
    )


def firmware_bundle(firmware: Path, directory: Path) -> Path:
    """Firmware, and a crash kernel that shows the dead one's last words."""
    tool = target.with_libraries(target.KEXEC_TOOLS.file("usr/sbin/vmcore-dmesg"))
    crash = initramfs.make_initramfs(directory / "crash.cpio", CRASH, tool)
    made = bundle.simple(bundle.from_firmware(firmware, directory))
    kernel = bundle.linux(target.kernel())
    return bundle.with_crash(made, crash, "console=ttyS0 cryptomgr.notests quiet", kernel).write(
        directory / "b.itb"
    )


def virtio(image: Path) -> tuple[str, ...]:
    """A disk."""
    return ("-drive", f"if=none,id=disk,format=raw,file={image}", "-device", "virtio-blk-device,drive=disk")


def machine_with(way: Way, stage: Path, directory: Path) -> Machine:
    """The stage where nobody puts Linux, and the firmware's disk."""
    firmware = target.uboot() if way.commands else target.edk2("CODE")
    options = lasting(directory / "ram")
    options["extra"] += virtio(disk(way, directory))  # type: ignore[operator]
    acpi = "on" if way.acpi else "off"
    machine = Machine(kernel=stage, machine=f"virt,memory-backend=ram,acpi={acpi}", smp=2, **options)  # type: ignore[arg-type]
    return with_firmware(machine, firmware, firmware_bundle(firmware, directory), directory)


def is_kept_off(text: str, base: int, size: int) -> bool:
    """Is it Reserved in what /proc/iomem says, and in no System RAM?"""
    lines = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) : (Reserved|System RAM)", text, re.MULTILINE)
    over = [kind for a, b, kind in lines if int(a, 16) < base + size and int(b, 16) >= base]
    return over == ["Reserved"]


@pytest.mark.long
@pytest.mark.parametrize("name", WAYS)
def test_what_firmware_boots_is_captured(name: str, stage: Path, tmp_path: Path) -> None:
    """An initramfs of 60 MB, loaded by that firmware, a panic, and the dead kernel's last words in the dump."""
    way = WAYS[name]
    with Session(machine_with(way, stage, tmp_path)) as session:
        if way.commands:
            stop_autoboot(session)
            for line in way.commands[:-1]:
                ask(session, line)
            session.send(f"{way.commands[-1]}\n")
        session.expect("primary: ready")
        base, size = region_of(session.text)
        assert is_kept_off(session.text, base, size)
        assert (f"lifeboat-crash@{base:x}" in find("primary: tree: (.*)", session.text)[1]) == way.tree
        untouched(tmp_path / "ram", session.text)
        session.send(f"last-words-{name.replace(' ', '-')}\n")
        session.expect(r"crash: Linux \S+ ended by panic")
        session.expect(rf"^capture: .*last-words-{name.replace(' ', '-')}")
        assert int(session.expect(r"^capture: vmcore (\d+)")[1]) > 1 << 30
        session.expect("the crash kernel ended in good order")
        session.expect("crash: armed")
        assert "warning" not in "\n".join(re.findall(r"^lifeboat: .*", session.text, re.MULTILINE))
