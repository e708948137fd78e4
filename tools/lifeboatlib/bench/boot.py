# SPDX-License-Identifier: BSD-2-Clause
"""Boots: from a program's first instruction to the kernel's, with the same kernel and initramfs in memory already."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from lifeboatlib import bundle, command, elsewhere, initramfs, keys, media, target
from lifeboatlib.bench.bed import (
    BOOTARGS, NEXT_STAGE, RESET_VECTOR, Bed, Row, at, between, counting, entry_of, firmware_part, linux_at,
)  # fmt: skip
from lifeboatlib.firmware import FLASH_AT
from lifeboatlib.qemu import Machine, Session
from lifeboatlib.ui import LifeboatError

KERNEL_AT = 0x84000000
FIT_AT = 0x90000000
RAMDISK_AT = 0xA0000000
HASHES = ("crc32", "sha256", "sha512")
UBOOT_HASHES = HASHES[:2]  # of Debian's build
KEY = "bench"
FOUND = r"^bench: _text at ([0-9a-f]+), to ([0-9a-f]+) from ([0-9a-f]+)"
# Where Linux lies, and where in it EFI enters it: at _start_kernel.
WHERE = initramfs.PROLOGUE + r"""
code=$(sed -n 's/^ *\([0-9a-f]*\)-.* : Kernel code$/\1/p' /proc/iomem)
symbol() { sed -n "s/^\([0-9a-f]*\) . $1$/\1/p" /proc/kallsyms | head -n 1; }
echo "bench: _text at $code, to $(symbol _start_kernel) from $(symbol _text)"
sleep 1000
"""
GRUB = f"set timeout=0\nmenuentry x {{\nlinux /vmlinux {BOOTARGS}\ninitrd /initrd\n}}\n"


def opensbi(bed: Bed) -> int:
    """What comes before all of them."""
    with counting(Machine(kernel=bed.stage)) as (_, gdb):
        gdb.run_to(RESET_VECTOR)
        return firmware_part(gdb)


def plain(bed: Bed) -> bundle.Bundle:
    """What is booted: Debian's kernel, to be copied, and the initramfs."""
    return bundle.simple(linux_at(NEXT_STAGE), bed.ramdisk)


def lifeboat(make: Callable[[Bed], Path], bed: Bed, **options: object) -> int:
    """From the stage's first instruction to the kernel's."""
    machine = Machine(kernel=bed.stage, initrd=make(bed), append=BOOTARGS, **options)  # type: ignore[arg-type]
    entry = entry_of(machine)
    with counting(machine) as (_, gdb):
        gdb.run_to(NEXT_STAGE)
        # The stage has moved away by the time that the kernel lies at its address.
        gdb.step()
        return 1 + between(gdb, entry)


def in_place(bed: Bed) -> Path:
    """A bundle whose kernel need not be copied."""
    return bed.fit("place", bundle.simple(bundle.linux(target.kernel(), in_place=True), bed.ramdisk), ())


def hashed(name: str, bed: Bed) -> Path:
    """A bundle with this hash, or with none."""
    return bed.fit(name or "none", plain(bed), (name,) if name else ())


def run(*words: str | Path) -> None:
    """A program that must succeed."""
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise LifeboatError(f"bench: {words[0]} failed: {done.stderr.strip() or 'it says nothing'}")


def dumped_dtb(machine: Machine, path: Path) -> Path:
    """QEMU's own FDT of a machine."""
    argv = machine.argv()
    argv[argv.index("-M") + 1] = f"{machine.machine},dumpdtb={path}"
    run(*argv)
    return path


def signed(bed: Bed) -> int:
    """RSA-2048, by a key that firmware's FDT requires; bench makes the key."""
    key, public = bed.scratch / f"{KEY}.key", bed.scratch / f"{KEY}.pub.pem"
    run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
    run("openssl", "pkey", "-in", key, "-pubout", "-out", public)
    made = replace(plain(bed), signing=bundle.Signing(key, bundle.STRONG_HASH))
    fit = bed.fit("signed", made, (bundle.STRONG_HASH,))
    dtb = dumped_dtb(Machine(kernel=bed.stage, initrd=fit), bed.scratch / "signed.dtb")
    source = command.output(["dtc", "-q", "-O", "dts", dtb])
    more = keys.source([keys.read_key(public)], keys.Policy()).replace("/dts-v1/;", "")
    (bed.scratch / "keys.dts").write_text(source + more, encoding="utf-8")
    run("dtc", "-q", "-O", "dtb", "-o", dtb, bed.scratch / "keys.dts")
    return lifeboat(lambda _: fit, bed, dtb=dtb)


def uboot_dtb(bed: Bed, wanted: str, machine: Machine) -> Path:
    """That machine's FDT, which has U-Boot run one command without delay (its /config node)."""
    path = dumped_dtb(machine, bed.scratch / "uboot.dtb")
    run("fdtput", "-c", path, "/config")
    run("fdtput", "-t", "i", path, "/config", "bootdelay", "0")
    run("fdtput", "-t", "s", path, "/config", "bootcmd", wanted)
    run("fdtput", "-t", "s", path, "/chosen", "bootargs", BOOTARGS)
    return path


def uboot_with(bed: Bed, wanted: str, files: dict[int, Path], **options: object) -> Machine:
    """U-Boot with files in RAM, which runs one command."""
    extra = tuple(word for address, file in files.items() for word in at(address, file))
    machine = Machine(kernel=target.uboot(), extra=extra, **options)  # type: ignore[arg-type]
    return replace(machine, dtb=uboot_dtb(bed, wanted, machine))


def uboot_of_fit(bed: Bed, fit: Path, **options: object) -> Machine:
    """U-Boot that boots a FIT."""
    return uboot_with(bed, f"bootm {FIT_AT:#x} {FIT_AT:#x} ${{fdtcontroladdr}}", {FIT_AT: fit}, **options)


def uboot_of_files(bed: Bed) -> Machine:
    """U-Boot that boots the two files as they are."""
    wanted = f"booti {KERNEL_AT:#x} {RAMDISK_AT:#x}:{bed.ramdisk.stat().st_size:#x} ${{fdtcontroladdr}}"
    return uboot_with(bed, wanted, {KERNEL_AT: target.kernel(), RAMDISK_AT: bed.ramdisk})


def uboot(hash_name: str, bed: Bed) -> int:
    """From U-Boot's first instruction to the kernel's, which goes where U-Boot itself was loaded."""
    machine = uboot_of_fit(bed, hashed(hash_name, bed)) if hash_name else uboot_of_files(bed)
    with counting(machine) as (_, gdb):
        gdb.run_to(NEXT_STAGE)
        gdb.step()
        return 1 + between(gdb, NEXT_STAGE)


def edk2_machine(bed: Bed, **options: object) -> Machine:
    """EDK2 in flash; a disk with GRUB, which has the kernel and the initramfs from there."""
    (bed.scratch / "grub.cfg").write_text(GRUB, encoding="utf-8")
    ramdisk = initramfs.make_initramfs(bed.scratch / "where.cpio", WHERE)
    disk = media.fat(bed.scratch / "edk2.img", {
        "EFI/BOOT/BOOTRISCV64.EFI": target.grub(), "EFI/debian/grub.cfg": bed.scratch / "grub.cfg",
        "vmlinux": target.kernel(), "initrd": ramdisk,
    })  # fmt: skip
    extra = (
        *elsewhere.flash(target.edk2("CODE"), bed.scratch),
        "-drive", f"if=none,id=disk,format=raw,file={disk}", "-device", "virtio-blk-device,drive=disk",
        *options.pop("extra", ()),  # type: ignore[misc]
    )  # fmt: skip
    return Machine(machine="virt,acpi=off", extra=extra, **options)  # type: ignore[arg-type]


def edk2(bed: Bed) -> int:
    """From EDK2's first instruction to that of Linux proper, behind its EFI stub."""
    machine = edk2_machine(bed)
    with Session(machine) as session:
        text, entry, base = (int(number, 16) for number in session.expect(FOUND).groups())
    with counting(machine) as (_, gdb):
        gdb.run_to(FLASH_AT)
        return between(gdb, text + entry - base)


def rows() -> list[Row]:
    """In the order in which they are shown."""
    make = partial(Row, "boot")
    names = {name: f"FIT, {name} of kernel and initramfs" for name in HASHES}
    return [
        make("from the reset on, before any of them", "OpenSBI", opensbi),
        make("the kernel runs where it lies, nothing is checked", "lifeboat", partial(lifeboat, in_place)),
        make("the kernel is copied, nothing is checked", "lifeboat", partial(lifeboat, partial(hashed, ""))),
        make("the kernel is copied, nothing is checked", "U-Boot", partial(uboot, ""), note="booti"),
        *(
            row for name, what in names.items() for row in (
                make(what, "lifeboat", partial(lifeboat, partial(hashed, name))),
                *((make(what, "U-Boot", partial(uboot, name), note="bootm"),) if name in UBOOT_HASHES else ()),
            )
        ),
        make("FIT, signed: RSA-2048, sha512", "lifeboat", signed),
        make("from a disk by GRUB, nothing is checked", "EDK2", edk2, note="reads files, which the others need not"),
    ]  # fmt: skip
