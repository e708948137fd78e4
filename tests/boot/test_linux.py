# SPDX-License-Identifier: BSD-2-Clause
"""Debian's Linux, from the stage to userspace, which reports what it was given."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import find, stage_ran, write_noise

from lifeboatlib import bundle, initramfs
from lifeboatlib.qemu import Machine, Session

pytestmark = pytest.mark.slow

CARGO_SIZE = 1_000_003
SCRIPT = (
    initramfs.PROLOGUE
    + """echo "seen: cmdline=[$(cat /proc/cmdline)]"
echo "seen: harts=$(nproc) mmus=$(sed -n 's/^mmu[^:]*: *//p' /proc/cpuinfo | sort -u | tr '\\n' ' ')"
echo "seen: cargo=$(sha256sum < /cargo | cut -d ' ' -f 1)"
echo "seen: the end"
poweroff -f
"""
)


@dataclass(frozen=True)
class Cargo:
    """An initramfs that reports, and the checksum of the file that it carries."""

    path: Path
    digest: str


@pytest.fixture(scope="session")
def cargo(tmp_path_factory: pytest.TempPathFactory) -> Cargo:
    """The initramfs."""
    directory = tmp_path_factory.mktemp("linux")
    noise = write_noise(directory / "noise", CARGO_SIZE, seed=2)
    path = initramfs.make_initramfs(directory / "initramfs", SCRIPT, {"cargo": noise})
    return Cargo(path, hashlib.sha256(noise.read_bytes()).hexdigest())


@pytest.fixture
def boot(
    stage: Path, kernel: Path, cargo: Cargo, make_bundle: Callable[..., Path]
) -> Callable[..., str]:
    """Boots Linux on a machine to the power-off of its userspace, and gives the console."""

    def run(in_place: bool = False, **options: object) -> str:
        image = bundle.linux(kernel, in_place)
        made = make_bundle(image, initrd=cargo.path, append="own=1 panic=-1")
        with Session(Machine(kernel=stage, initrd=made, append="fdt=2", **options)) as session:
            session.expect(r"^seen: the end$")
            session.wait()
            return session.text

    return run


def judge(console: str, cargo: Cargo, sv: int, harts: int) -> None:
    """What userspace reports is what was asked for; the stage had no complaint."""
    stage_ran(console, sv=sv)
    find(rf"^seen: harts={harts} mmus=sv{sv} $", console)
    find(r"^seen: cmdline=\[own=1 panic=-1 fdt=2\]$", console)
    find(rf"^seen: cargo={cargo.digest}$", console)


@pytest.mark.parametrize(
    "sv", [pytest.param(39, marks=pytest.mark.long), 48, pytest.param(57, marks=pytest.mark.long)]
)
def test_linux_sees_the_mode_and_four_harts(
    sv: int, boot: Callable[..., str], cargo: Cargo
) -> None:
    console = boot(sv=sv, smp=4)
    find(r"plan: kernel .* from 0x", console)
    judge(console, cargo, sv, harts=4)


def test_linux_runs_where_it_lies(boot: Callable[..., str], cargo: Cargo) -> None:
    console = boot(in_place=True, sv=48)
    find(r"plan: kernel .* stays where it is$", console)
    find(r"plan: initrd .* stays where it is$", console)
    judge(console, cargo, sv=48, harts=1)


def test_linux_behind_fw_jump_with_svade_in_little_memory(
    boot: Callable[..., str], cargo: Cargo
) -> None:
    console = boot(bios="jump", cpu="rv64,svade=on", memory="256M", smp=2)
    judge(console, cargo, sv=57, harts=2)
