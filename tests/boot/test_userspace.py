# SPDX-License-Identifier: BSD-2-Clause
"""lifeboat-ctl for real: Linux' userspace tells the stage that the next reset is meant."""

import subprocess
from pathlib import Path

import pytest
from crash_lab import ARMED, CRASH, PRIMARY, Lab, machine
from lifeboatlib import bundle, initramfs, target
from lifeboatlib.paths import REPO, TOOLS
from lifeboatlib.qemu import Session


@pytest.fixture(scope="module")
def ctl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, static, for riscv64 Linux."""
    directory = tmp_path_factory.mktemp("ctl")
    cross = f"--cross-file={TOOLS / 'cross' / 'riscv64-gcc.ini'}"
    subprocess.run(["meson", "setup", directory, REPO, cross, "-Dctl=true"], check=True)
    subprocess.run(["meson", "compile", "-C", directory], check=True)
    return directory / "tools" / "lifeboat-ctl" / "lifeboat-ctl"


@pytest.mark.slow
def test_a_disarmed_record_makes_any_reset_orderly(ctl: Path, stage: Path, tmp_path: Path) -> None:
    """And one that is armed again does not."""
    primary = initramfs.make_initramfs(
        tmp_path / "primary.cpio", PRIMARY, {"bin/lifeboat-ctl": ctl}
    )
    crash = initramfs.make_initramfs(tmp_path / "crash.cpio", CRASH.format(order=""))
    plain = bundle.simple(bundle.linux(target.kernel()), primary, "console=ttyS0 quiet panic=1")
    made = bundle.with_crash(plain, crash, "console=ttyS0 quiet").write(tmp_path / "ctl.itb")
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        lab.expect(ARMED)
        lab.order("lifeboat-ctl status; lifeboat-ctl disarm; echo b > /proc/sysrq-trigger")
        lab.expect("^state: *armed$")
        lab.expect("^disarmed$")
        lab.expect("lifeboat: crash: userspace disarmed the record")
        lab.not_captured()
        lab.order("lifeboat-ctl disarm; lifeboat-ctl arm; echo b > /proc/sysrq-trigger")
        lab.expect("lifeboat: crash: Linux .* ended by forced")
        lab.captured()
