# SPDX-License-Identifier: BSD-2-Clause
"""lifeboat-ctl for real: Linux' userspace tells the stage that the next reset is meant."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from crash_lab import ARMED, CONSOLE, CRASH, PRIMARY, Lab, machine
from lifeboatlib import bundle, initramfs, target
from lifeboatlib.qemu import Session


@pytest.mark.slow
def test_a_disarmed_record_makes_any_reset_orderly(ctl: Path, stage: Path, tmp_path: Path) -> None:
    """And one that is armed again does not."""
    primary = initramfs.make_initramfs(
        tmp_path / "primary.cpio", PRIMARY, {"bin/lifeboat-ctl": ctl}
    )
    crash = initramfs.make_initramfs(tmp_path / "crash.cpio", CRASH.format(order=""))
    plain = bundle.simple(bundle.linux(target.kernel()), primary, f"{CONSOLE} quiet panic=1")
    made = bundle.with_crash(plain, crash, f"{CONSOLE} quiet").write(tmp_path / "ctl.itb")
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


def last_started(session: Session) -> str:
    """The configuration that was started last, as the stage says."""
    return re.findall(r"^lifeboat: bundle: (\w+) at ", session.text, re.MULTILINE)[-1]


@pytest.mark.slow
@pytest.mark.long
def test_an_early_death_demotes_unless_the_boot_was_confirmed(
    ctl: Path, stage: Path, tmp_path: Path
) -> None:
    """How long the dead kernel lived is told by its own log; what it was when it died, by lifeboat-ctl."""
    primary = initramfs.make_initramfs(
        tmp_path / "primary.cpio", PRIMARY, {"bin/lifeboat-ctl": ctl}
    )
    crash = initramfs.make_initramfs(tmp_path / "crash.cpio", CRASH.format(order=""))
    plain = bundle.simple(bundle.linux(target.kernel()), primary, f"{CONSOLE} quiet panic=1")
    older = replace(plain.configurations[0], name="older")
    policy = bundle.Policy(boot_limit=1, boot_seconds=3600)
    plain = replace(plain, configurations=[*plain.configurations, older], policy=policy)
    made = bundle.with_crash(plain, crash, f"{CONSOLE} quiet").write(tmp_path / "count.itb")
    with Session(machine(stage, made, tmp_path)) as session:
        lab = Lab(session)
        lab.order("lifeboat-ctl confirm; lifeboat-ctl status; echo c > /proc/sysrq-trigger")
        lab.expect("^confirmed$")
        lab.expect("^started: +primary, confirmed$")
        lab.captured()
        assert "' died " not in session.text and last_started(session) == "primary"
        lab.order("sleep 2; echo c > /proc/sysrq-trigger")
        died = r"crash: 'primary' died (\d+) s after its start, the 1\. early death in a row: it is demoted"
        assert int(lab.expect(died)[1]) >= 2
        lab.captured()
        assert "choose: 'primary' died early too often: it comes last" in session.text
        assert last_started(session) == "older"
        lab.order("lifeboat-ctl status; lifeboat-ctl retry; reboot -f")
        lab.expect(r"^demoted: +1 \(as the menu numbers them\)$")
        lab.expect("^every configuration has another chance$")
        lab.not_captured()
        assert last_started(session) == "primary"


@pytest.mark.long
def test_a_crash_kernel_that_linux_loads_captures_its_death(ctl: Path, stage: Path, tmp_path: Path) -> None:
    """Firmware's bundle only reserves a region. What was unloaded again, or is not there, is not started."""
    crash = initramfs.make_initramfs(tmp_path / "crash.cpio", CRASH.format(order=""))
    packed = bundle.compress(bundle.linux(target.kernel()), "zstd", tmp_path)
    loaded = bundle.with_crash(bundle.simple(packed), crash, f"{CONSOLE} quiet").write(tmp_path / "crash.itb")
    primary = initramfs.make_initramfs(
        tmp_path / "primary.cpio", PRIMARY, {"bin/lifeboat-ctl": ctl, "crash.itb": loaded}
    )
    plain = bundle.simple(bundle.linux(target.kernel()), primary, f"{CONSOLE} quiet panic=1")
    made = bundle.with_reserve(plain, bundle.Crash(256 << 20, kept_size=64 << 20))
    made.write(tmp_path / "ctl.itb")
    with Session(machine(stage, tmp_path / "ctl.itb", tmp_path)) as session:
        lab = Lab(session)
        lab.expect(r"lifeboat: crash: armed, nothing loaded: lifeboat-ctl load has room for 64 MiB")
        lab.order("lifeboat-ctl load /crash.itb; lifeboat-ctl status; echo c > /proc/sysrq-trigger")
        lab.expect("^loaded$")
        lab.expect("^crash kernel: loaded by lifeboat-ctl$")
        lab.expect("lifeboat: crash: userspace loaded a crash kernel")
        lab.expect("lifeboat: unpack: zstd")
        lab.captured()
        lab.order("for i in 1 2 3; do lifeboat-ctl load /crash.itb; done; lifeboat-ctl unload; echo c > /proc/sysrq-trigger")
        lab.expect("^unloaded$")
        lab.expect("lifeboat: crash: Linux .* ended by panic")
        lab.expect("crash: there is no crash kernel: the bundle only reserves a region")
        lab.not_captured()


@pytest.mark.long
def test_a_kernel_without_cma_is_told_of_after_its_death(stage: Path, tmp_path: Path) -> None:
    """This Debian's: it takes what is lent as ordinary RAM, and may have its own pages there."""
    primary = initramfs.make_initramfs(tmp_path / "primary.cpio", PRIMARY)
    plain = bundle.simple(bundle.linux(target.kernel()), primary, f"{CONSOLE} quiet panic=1")
    made = bundle.with_reserve(plain, bundle.Crash(256 << 20, kept_size=32 << 20, lent=True))
    made.write(tmp_path / "lent.itb")
    with Session(machine(stage, tmp_path / "lent.itb", tmp_path)) as session:
        lab = Lab(session)
        lab.order("echo c > /proc/sysrq-trigger")
        lab.expect("lifeboat: warning: crash: its log does not say that what was lent to it is CMA")
        lab.not_captured()
