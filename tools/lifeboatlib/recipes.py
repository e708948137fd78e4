# SPDX-License-Identifier: BSD-2-Clause
"""The ways to give the stage to a board's previous stage. boards.py says which board takes which, with what numbers.

A way is a const object: make(job) writes job.out, a file or a directory, and gives the steps for the person at the board.
One that `places` has the stage loaded where job.memory says; any other's loader decides that, or OpenSBI as it is built.
"""

import shutil
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path

from lifeboatlib import command, media, opensbi, splfit, target
from lifeboatlib.media import MIB, Partition
from lifeboatlib.packages import Package
from lifeboatlib.splfit import Part, SplFit
from lifeboatlib.ui import LifeboatError

IMAGE_SIZE_AT = 0x10  # of the Image header
PAGE = 4096
TO_CARD = "Insert the card, find its name with lsblk, and: tools/lifeboat image ... --write /dev/X --yes (or dd)."
# The GUIDs that firmware looks for, and that of a plain data partition.
GUID_DATA = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"


@dataclass(frozen=True)
class Memory:
    """Where things go in a board's RAM: firmware, the stage, the bundle, an FDT (0: where the loader likes)."""

    opensbi: int
    stage: int
    bundle: int
    fdt: int = 0


@dataclass(frozen=True)
class Sources:
    """Whence Debian's parts for a board: a U-Boot package and its directory, an FDT of the kernel, or the next's."""

    uboot: Package | None = None
    folder: str = ""
    dtb: str = ""
    newer: bool = False

    def kernel_fdt(self) -> Path:
        """The FDT that comes with the kernel."""
        return target.linux(self.newer).fdt(self.dtb)

    def packages(self) -> list[Package]:
        """What of Debian's has to be there."""
        fdts = [target.linux(self.newer)] if self.dtb else []
        return [target.OPENSBI, *fdts, *([self.uboot] if self.uboot else [])]


@dataclass(frozen=True)
class Job:
    """What is to be made, of what, and a directory for what lies between."""

    name: str
    memory: Memory
    sources: Sources
    stage: Path
    out: Path
    scratch: Path
    bundle: Path | None = None
    dtb: Path | None = None

    def uboot_file(self, name: str) -> Path:
        """A file of the board's U-Boot."""
        assert self.sources.uboot
        return self.sources.uboot.file(f"usr/lib/u-boot/{self.sources.folder}/{name}")

    def fdt(self) -> Path:
        """A copy of the board's FDT: the one that was given, U-Boot's own, or Linux'."""
        copy = self.scratch / "board.dtb"
        if not self.dtb and self.sources.uboot:
            return splfit.extract(self.uboot_file("u-boot.itb"), "fdt-1", copy)
        if not self.dtb and not self.sources.dtb:
            raise LifeboatError(f"Debian has no FDT of {self.name}; give --dtb FILE, from Linux or from U-Boot")
        shutil.copyfile(self.dtb or self.sources.kernel_fdt(), copy)
        return copy

    def stage_with_bundle(self) -> Path:
        """The stage and the bundle behind it as one Image: its header covers both, so `booti` moves both."""
        if not self.bundle:
            return self.stage
        image = bytearray(self.stage.read_bytes()) + self.bundle.read_bytes()
        struct.pack_into("<Q", image, IMAGE_SIZE_AT, len(image))
        joined = self.scratch / "lifeboat.img"
        joined.write_bytes(image)
        return joined

    def folder(self) -> Path:
        """The directory `out`, made."""
        self.out.mkdir(parents=True, exist_ok=True)
        return self.out


def spl_fit(job: Job) -> Path:
    """The FIT for U-Boot's SPL, the stage in the place of U-Boot."""
    fdt = job.fdt()
    loadables = [Part("lifeboat", job.stage, "standalone", job.memory.stage, os="U-Boot")]
    if job.bundle:
        splfit.announce_bundle(fdt, job.memory.bundle, job.bundle.stat().st_size)
        loadables.append(Part("bundle", job.bundle, "standalone", job.memory.bundle))
    at = job.memory.opensbi
    firmware = Part("opensbi", target.opensbi(), "firmware", at, at, "opensbi")
    tree = Part("fdt-1", fdt, "flat_dt", job.memory.fdt or None)
    return SplFit(tuple(loadables), firmware, tree).write(job.scratch / "lifeboat.itb")


@dataclass(frozen=True)
class SplDisk:
    """A card with U-Boot's SPL and the FIT in partitions of their own."""

    spl: str
    spl_part: Partition
    fit_part: Partition
    note: str = ""

    summary = "SD card with U-Boot's SPL, OpenSBI and lifeboat"
    writable = True
    places = True

    def make(self, job: Job) -> list[str]:
        """Makes the card's image."""
        media.disk(job.out, [(self.spl_part, job.uboot_file(self.spl)), (self.fit_part, spl_fit(job))])
        return [TO_CARD, *([self.note] if self.note else []), "Switch on; lifeboat's log comes after SPL's two lines."]


@dataclass(frozen=True)
class SplFlash:
    """The whole SPI-NOR with U-Boot's SPL and the FIT."""

    spl: str
    size: int
    spl_at: int
    fit_at: int
    note: str

    summary = "SPI-NOR with U-Boot's SPL, OpenSBI and lifeboat"
    writable = False
    places = True

    def make(self, job: Job) -> list[str]:
        """Makes the flash's image."""
        media.flash(job.out, self.size, [(self.spl_at, job.uboot_file(self.spl)), (self.fit_at, spl_fit(job))])
        return [
            f"Put {job.out.name} on a card or a TFTP server that the board's own U-Boot reads.",
            f"In U-Boot: sf probe; load mmc 0:1 $loadaddr {job.out.name}; sf update $loadaddr 0 $filesize",
            f"Or from the board's Linux: flashcp -v {job.out.name} /dev/mtd0 (look into /proc/mtd first).",
            self.note,
        ]


@dataclass(frozen=True)
class Booti:
    """A card for a U-Boot that is there already: an extlinux entry and a script, both of which call booti."""

    summary = "card with an extlinux entry and boot.scr, for the U-Boot that is on the board"
    writable = True
    places = False

    def make(self, job: Job) -> list[str]:
        """Makes the card's image."""
        entry = job.scratch / "extlinux.conf"
        entry.write_text("default lifeboat\ntimeout 20\nlabel lifeboat\n\tkernel /lifeboat.img\n", encoding="utf-8")
        script = job.scratch / "boot.txt"
        script.write_text(
            "load ${devtype} ${devnum}:${distro_bootpart} ${kernel_addr_r} /lifeboat.img\n"
            "booti ${kernel_addr_r} - ${fdtcontroladdr}\n",
            encoding="utf-8",
        )
        compiled = job.scratch / "boot.scr"
        argv = ["mkimage", "-A", "riscv", "-T", "script", "-n", "lifeboat", "-d", script, compiled]
        command.logged(argv, "image", media.SETUP)
        files = {"lifeboat.img": job.stage_with_bundle(), "boot.scr": compiled, "extlinux/extlinux.conf": entry}
        system = media.fat(job.scratch / "fat.img", files)
        part = Partition("lifeboat", 2048, GUID_DATA, attributes="LegacyBIOSBootable")
        media.disk(job.out, [(part, system)])
        return [
            TO_CARD,
            "Switch on; U-Boot finds /extlinux/extlinux.conf by itself.",
            "By hand, in U-Boot: load mmc 0:1 $kernel_addr_r lifeboat.img; booti $kernel_addr_r - $fdtcontroladdr",
            "U-Boot rewrites much RAM on each reset: for crashes choose a way without it (docs/crash.md).",
        ]


@dataclass(frozen=True)
class FwPayload:
    """OpenSBI, built from its source, with the stage inside."""

    fit: bool = False  # packed into a FIT of one node, as StarFive's SPL takes it

    summary = "OpenSBI fw_payload.bin with lifeboat inside"
    writable = False
    places = False

    def make(self, job: Job) -> list[str]:
        """Builds it."""
        firmware = opensbi.Firmware(payload=job.stage_with_bundle(), fdt=job.dtb)
        made = opensbi.build(firmware, job.scratch / "fw_payload.bin")
        at = f"{job.memory.opensbi:#x}"
        if not self.fit:
            shutil.move(made, job.out)
            return [f"Have the board's loader put {job.out.name} at {at} and start it there, in M-mode, with an FDT in a1."]
        node = Part("firmware", made, "firmware", job.memory.opensbi, job.memory.opensbi, "u-boot")
        SplFit((), node, Part("fdt-1", job.fdt(), "flat_dt"), "config-1").write(job.out)
        return [
            f"From the vendor's Linux: flashcp -v {job.out.name} /dev/mtdN, N the partition at 0x100000 (/proc/mtd).",
            f"Or in its U-Boot: sf probe; load mmc 0:1 $loadaddr {job.out.name}; sf update $loadaddr 0x100000 $filesize",
        ]


@dataclass(frozen=True)
class Pflash:
    """QEMU virt's two flash banks as one file: lifeboat, which copies itself to RAM, and the bundle."""

    bank: int = 32 * MIB

    summary = "both flash banks of QEMU's virt machine"
    writable = False
    places = True

    def make(self, job: Job) -> list[str]:
        """Makes the file."""
        stage = media.shim("copy", job.stage, job.scratch / "stage.bin", TARGET=job.memory.stage)
        contents = [(0, stage)] + ([(self.bank, job.bundle)] if job.bundle else [])
        media.flash(job.out, 2 * self.bank, contents)
        return ["qemu-system-riscv64 -M virt -m 1G -nographic -bios fw_dynamic.bin " + " ".join(self.drives(job.out))]

    def drives(self, image: Path) -> list[str]:
        """The options for QEMU."""
        words: list[str] = []
        for unit in (0, 1):
            where = f"offset={unit * self.bank},size={self.bank}"
            words += ["-drive", f"if=pflash,unit={unit},format=raw,readonly=on,{where},file={image}"]
        return words


@dataclass(frozen=True)
class SplFitOnly:
    """The FIT alone, for an SPL that is not Debian's; with addresses of its own."""

    memory: Memory
    steps: tuple[str, ...]

    summary = "FIT with OpenSBI, lifeboat and an FDT, for U-Boot's SPL"
    writable = False
    places = False

    def make(self, job: Job) -> list[str]:
        """Makes the FIT."""
        shutil.move(spl_fit(replace(job, memory=self.memory)), job.out)
        return [step.format(out=job.out.name) for step in self.steps]


@dataclass(frozen=True)
class UbootPartition:
    """The FIT that a vendor's SPL loads by its partition's name, behind an OpenSBI of its own."""

    configuration: str
    steps: tuple[str, ...]

    summary = "FIT for the partition that holds U-Boot"
    writable = False
    places = True

    def make(self, job: Job) -> list[str]:
        """Makes the FIT."""
        fdt = job.fdt()
        parts = [Part("uboot", job.stage, "standalone", job.memory.stage, os="U-Boot")]
        if job.bundle:
            splfit.announce_bundle(fdt, job.memory.bundle, job.bundle.stat().st_size)
            parts.append(Part("bundle", job.bundle, "standalone", job.memory.bundle))
        tree = Part("fdt_1", fdt, "flat_dt", job.memory.fdt or None)
        SplFit(tuple(parts), None, tree, self.configuration, job.name, crc32=True).write(job.out)
        return [step.format(out=job.out.name) for step in self.steps]


@dataclass(frozen=True)
class RawFiles:
    """A directory of files for a loader that reads them by name: lifeboat (with the bundle behind it) for its kernel."""

    kernel: str
    steps: tuple[str, ...]
    texts: dict[str, str] = field(default_factory=dict)
    with_opensbi: bool = False
    dtb: str = ""

    summary = "directory of the files that the board's loader reads"
    writable = False
    places = False

    def make(self, job: Job) -> list[str]:
        """Makes the directory."""
        folder = job.folder()
        shutil.copyfile(job.stage_with_bundle(), folder / self.kernel)
        if self.with_opensbi:
            shutil.copyfile(target.opensbi(), folder / "fw_dynamic.bin")
        if self.dtb:
            shutil.copyfile(job.fdt(), folder / self.dtb)
        for name, content in self.texts.items():
            (folder / name).write_text(content, encoding="utf-8")
        return [step.format(out=job.out) for step in self.steps]


@dataclass(frozen=True)
class Toc1:
    """The parts of Allwinner's TOC1 and the list of them; no released mkimage packs it."""

    sector: int
    fdt_at: int

    summary = "OpenSBI, an FDT and lifeboat, and the list that makes a TOC1 of them"
    writable = False
    places = True

    def make(self, job: Job) -> list[str]:
        """Makes the directory."""
        folder = job.folder()
        items = (
            ("opensbi", target.opensbi(), job.memory.opensbi),
            ("dtb", job.fdt(), self.fdt_at),
            ("u-boot", job.stage_with_bundle(), job.memory.stage),
        )
        lines = []
        for name, path, at in items:
            shutil.copyfile(path, folder / f"{name}.bin")
            lines.append(f"[{name}]\nfile = {name}.bin\naddr = {at:#x}\n")
        (folder / "toc1.cfg").write_text("\n".join(lines), encoding="utf-8")
        return [
            "Get boot0 or the SPL (the part that trains the DRAM) from the board's vendor image, and a U-Boot tree "
            "for the D1, whose mkimage knows sunxi_toc1; Debian's does not.",
            f"In {folder}: mkimage -A riscv -T sunxi_toc1 -d toc1.cfg toc1.img",
            f"dd if=toc1.img of=/dev/X bs=512 seek={self.sector} conv=fsync, with boot0 at sector 16 (256 with a GPT).",
            "The FDT needs a memory node; boot0 fills it in. If lifeboat says that there is none, add it with fdtput.",
        ]


@dataclass(frozen=True)
class SophgoFip:
    """The LOADER_2ND for a fip, and an OpenSBI with the FDT built in, since nothing else brings one."""

    summary = "OpenSBI with an FDT, and lifeboat as LOADER_2ND, for fiptool"
    writable = False
    places = True

    def make(self, job: Job) -> list[str]:
        """Makes the two."""
        folder = job.folder()
        at = job.memory.stage
        media.shim("loader2nd", job.stage_with_bundle(), folder / "loader_2nd.bin", RUN=at)
        opensbi.build(opensbi.Firmware(fdt=job.fdt()), folder / "fw_dynamic.bin")
        return [
            "Get FSBL, DDR parameters and the RTOS (or a blank one) of your board from its vendor's SDK, and fiptool (Python).",
            f"fiptool ... --opensbi {folder}/fw_dynamic.bin --uboot {folder}/loader_2nd.bin fip.bin, the rest as the SDK has it.",
            "Copy fip.bin to the first FAT partition of the card (mcopy, or as root: mount).",
        ]
