# SPDX-License-Identifier: BSD-2-Clause
"""What the tests boot: the stage, Debian's programs, payloads built on demand, and bundles."""

import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from lifeboatlib import bundle, initramfs, target
from lifeboatlib.paths import REPO, stage_dir

pytest_plugins = ["matrix", "left_out", "progress"]  # files beside this one

PAYLOADS = REPO / "tests" / "payloads"
TERMINAL = "terminal"  # a property of a test: text for the person, shown when all are done
CROSS = "riscv64-linux-gnu-"
FLAGS = (
    "-march=rv64imac_zicsr_zifencei", "-mabi=lp64", "-mcmodel=medany", "-std=c11", "-O1", "-g",
    "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-pic", "-fno-jump-tables",
    "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-fno-tree-loop-distribute-patterns",
    "-mno-relax", f"-I{REPO}", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments",
    "-Wl,--fatal-warnings",
)  # fmt: skip

# What payload.lds puts behind the Image header: the CRC-32 of all that follows it.
CRC_AT = 64


@dataclass(frozen=True)
class Payload:
    """A payload in both its forms: flat with an Image header, and ELF."""

    bin: Path
    elf: Path


def _sources(name: str) -> list[Path]:
    """<name>.c goes with its <name>_*.c, the entry and the helpers of all; <name>.S stands alone."""
    if (PAYLOADS / f"{name}.c").is_file():
        parts = sorted(PAYLOADS.glob(f"{name}_*.c"))
        return [PAYLOADS / f"{name}.c", *parts, *(PAYLOADS / part for part in ("start.S", "common.c", "fdt.c"))]
    return [PAYLOADS / f"{name}.S"]


def _sign(payload: Payload) -> None:
    """Lets the payload know its own CRC-32, in both forms."""
    image = payload.bin.read_bytes()
    crc = struct.pack("<Q", zlib.crc32(image[CRC_AT + 8 :]))
    for path in (payload.bin, payload.elf):
        content = bytearray(path.read_bytes())
        at = content.index(image[: CRC_AT + 8]) + CRC_AT
        content[at : at + 8] = crc
        path.write_bytes(content)


def compile_flat(elf: Path, script: Path, base: int, *words: object) -> Payload:
    """Links a program with a linker script at `base`, and flattens it; `words` are sources and options."""
    payload = Payload(elf.with_suffix(".bin"), elf)
    layout = [f"-Wl,--defsym=BASE={base:#x}", f"-Wl,-T,{script}"]
    argv = [f"{CROSS}gcc", *FLAGS, *layout, "-o", payload.elf, *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{elf.stem} does not compile:\n{done.stderr}"
    subprocess.run([f"{CROSS}objcopy", "-O", "binary", payload.elf, payload.bin], check=True)
    return payload


def compile_payload(directory: Path, name: str, base: int, defines: dict[str, object]) -> Payload:
    """Builds tests/payloads/<name>.c or .S, linked at `base`, into a directory."""
    macros = [f"-D{key}={value}" for key, value in defines.items()]
    script = PAYLOADS / "payload.lds"
    payload = compile_flat(directory / f"{name}.elf", script, base, *macros, *_sources(name))
    if (PAYLOADS / f"{name}.c").is_file():
        _sign(payload)
    return payload


@pytest.fixture(scope="session")
def stage() -> Path:
    """The flat stage, from LIFEBOAT_BUILDDIR or build/."""
    path = stage_dir() / "lifeboat.bin"
    assert path.is_file(), f"{path} is missing; run tools/lifeboat build"
    return path


@pytest.fixture(scope="session")
def stage_elf(stage: Path) -> Path:
    """The stage's symbols."""
    return stage.with_suffix(".elf")


@pytest.fixture(scope="session")
def kernel() -> Path:
    """Debian's riscv64 Image."""
    return target.kernel()


@pytest.fixture(scope="session")
def uboot() -> Path:
    """Debian's U-Boot for S-mode, a raw binary for 0x80200000."""
    return target.uboot()


@pytest.fixture(scope="session")
def opensbi() -> Callable[[str], Path]:
    """opensbi("dynamic") or opensbi("jump"): the firmware file."""
    return target.opensbi


@pytest.fixture(scope="session")
def demo_initramfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initramfs that prints the demo's line ("lifeboat demo: userspace reached, ...")."""
    path = tmp_path_factory.mktemp("initramfs") / "demo.cpio"
    return initramfs.make_initramfs(path, initramfs.DEMO_SCRIPT)


@pytest.fixture(scope="session")
def build_payload(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Payload]:
    """build_payload(name, base=0, **defines): a Payload (.bin, .elf), each compiled once.

    The flat form runs at any address; the ELF is linked for `base`. A define that is to be a C
    string brings its own quotes: WANT_BOOTARGS='"a=1"'.
    """
    made: dict[str, Payload] = {}

    def build(name: str, base: int = 0, **defines: object) -> Payload:
        key = repr((name, base, sorted(defines.items())))
        if key not in made:
            made[key] = compile_payload(tmp_path_factory.mktemp(name), name, base, defines)
        return made[key]

    return build


@pytest.fixture(scope="session")
def link_flat() -> Callable[..., Payload]:
    """link_flat(elf, script, base, *words): a Payload of any sources, by the payloads' compiler and flags."""
    return compile_flat


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[..., Path]:
    """make_bundle(image, initrd=None, append="", embedded=False): a FIT's path.

    `image` is lifeboatlib.bundle's linux(path), raw(path, load, entry), elf(path) or any Image.
    A whole lifeboatlib.bundle.Bundle is taken as well.
    """
    numbers = count()

    def make(image: bundle.Image | bundle.Bundle, **options: object) -> Path:
        if isinstance(image, bundle.Image):
            image = bundle.simple(image, **options)  # type: ignore[arg-type]
        return image.write(tmp_path / f"bundle{next(numbers)}.itb")

    return make


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Shows what tests recorded for the person (record_property), wherever they ran."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "user_properties", ()):
                if name == TERMINAL and report.when == "call":
                    terminalreporter.write_line(f"\n{text}")
