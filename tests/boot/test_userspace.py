# SPDX-License-Identifier: BSD-2-Clause
"""lifeboat-ctl for real: Linux' userspace tells the stage that the next reset is meant."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from crash_lab import ARMED, CONSOLE, CRASH, PRIMARY, Lab, machine
from lifeboatlib import bundle, capture, initramfs, target
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


# tmpfs has what CMA may lend: pages that can be moved.
FILL = """mkdir /fill; mount -t tmpfs -o size=900m none /fill
grep -E 'MemTotal|MemAvailable|Cma' /proc/meminfo; dd if=/dev/zero of=/fill/all bs=1M count=600
grep CmaFree /proc/meminfo; dmesg | grep 'CMA memory pool'; lifeboat-ctl load /crash.itb
echo {token} > /dev/kmsg; echo c > /proc/sysrq-trigger""".replace("\n", "; ")


@pytest.mark.long
def test_a_machine_that_is_lent_the_crash_region_fills_it_dies_and_is_captured(
    ctl: Path, stage: Path, tmp_path: Path
) -> None:
    """The next Debian's kernel, which has CMA. The kernel's own data are all in the dump; so is no word of doubt."""
    size, kept, token = 256 << 20, 32 << 20, "lent-and-gone"
    crash = capture.crash_initramfs(tmp_path / "crash.cpio", newer=True)
    packed = bundle.compress(bundle.linux(target.kernel(newer=True)), "zstd", tmp_path)
    loaded = bundle.with_crash(bundle.simple(packed), crash, f"{CONSOLE} quiet").write(tmp_path / "crash.itb")
    primary = initramfs.make_initramfs(
        tmp_path / "primary.cpio", PRIMARY, {"bin/lifeboat-ctl": ctl, "crash.itb": loaded}
    )
    kernel = bundle.linux(target.kernel(newer=True))
    plain = bundle.simple(kernel, primary, f"{CONSOLE} quiet panic=1 cma=0")
    made = bundle.with_reserve(plain, bundle.Crash(size, kept_size=kept, lent=True)).write(tmp_path / "lent.itb")
    disk = capture.make_disk(tmp_path / "disk")
    lent_kib = (size - kept - (4 << 20)) >> 10
    with Session(machine(stage, made, tmp_path, memory="1G", extra=disk)) as session:
        lab = Lab(session)
        lab.expect(rf"lifeboat: crash: lent to the primary: {lent_kib >> 10} MiB")
        lab.order(FILL.format(token=token))
        assert int(lab.expect(r"^CmaTotal: +(\d+) kB")[1]) == lent_kib
        assert int(lab.expect(r"^CmaFree: +(\d+) kB")[1]) > lent_kib * 0.9
        assert int(lab.expect(r"^CmaFree: +(\d+) kB")[1]) < lent_kib / 2
        lab.expect("^loaded$")
        lab.expect("lifeboat: crash: userspace loaded a crash kernel")
        lab.expect("lifeboat demo: saved")
        lab.expect("the crash kernel ended in good order")
        assert "its log does not say" not in session.text
    dump = capture.read_disk(tmp_path / "disk")
    assert token in dump.dmesg and token in dump.vmcore_dmesg


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
