# SPDX-License-Identifier: BSD-2-Clause
"""The package in a real Debian: its kernel dies in several ways, the dumps are on its disk, and the next crash is prepared for."""

import re
import shlex
from pathlib import Path

import pytest

from lifeboatlib import aboard, apt, command, distro, packages
from lifeboatlib.aboard import GOOD_END, SLOW, Act, Story, die, install, is_armed_again, reboot, run
from lifeboatlib.qemu import Session
from lifeboatlib.ui import Missing

pytestmark = [pytest.mark.slow, pytest.mark.long]

WATCHDOG = "softdog"  # Debian's kernel for riscv64 has no driver of a watchdog that QEMU has


def doctor(_: Story, session: Session) -> None:
    """A warm reset keeps RAM, and the status tells that afterwards."""
    run(session, "lifeboat-ctl test")
    reboot(session)
    assert re.search("^verdict: +RAM is kept over this reset$", run(session, "lifeboat-ctl test --report"), re.M)
    assert re.search("^last test: .*: RAM is kept over this reset$", run(session, "lifeboat-ctl status"), re.M)


def install_again(_: Story, session: Session) -> None:
    """An upgrade keeps what is loaded until the new crash kernel is."""
    run(session, "dpkg -i /tmp/lifeboat-kdump_*.deb")
    assert re.search("^next crash: +would be captured$", run(session, "lifeboat-ctl status"), re.M)


def saves(session: Session, end: str) -> None:
    """The dump of a death that was not a plain panic is saved, and the machine is up again."""
    session.expect(rf"lifeboat: crash: Linux \S+ ended by {end}", SLOW)
    session.expect("lifeboat-kdump: saved the dump", SLOW)
    session.expect(GOOD_END, SLOW)


def keep_one(story: Story, session: Session) -> None:
    """Of two dumps the older one goes."""
    run(session, "echo LIFEBOAT_KEEP=1 >> /etc/default/lifeboat && lifeboat-kdump reload")
    assert len(run(session, "ls /var/crash").split()) == 1
    story.token += "-again"
    die(story, session)
    is_armed_again(story, session)
    run(session, f"ls /var/crash && [ $(ls /var/crash | wc -l) = 1 ] && grep {story.token} /var/crash/*/dmesg.txt")


def die_on_request(story: Story, session: Session) -> None:
    """The doctor's second step: a real crash, and a look at the dump."""
    session.send("lifeboat-kdump test\n")
    saves(session, "panic")
    is_armed_again(story, session)
    report = run(session, "lifeboat-kdump test --report")
    assert re.search("^verdict: +a crash is captured: log and dump were saved$", report, re.M)


def stop_feeding(_: Story, session: Session) -> None:
    """A watchdog that nobody feeds resets the machine, which is a crash as any."""
    run(session, f"modprobe {WATCHDOG} soft_margin=10 && echo 1 > /dev/watchdog")
    saves(session, "cut")


def die_in_secret(story: Story, session: Session) -> None:
    """With age's recipients nothing is saved in the clear, and the key's owner can read all of it."""
    run(session, "age-keygen -o /var/tmp/key && age-keygen -y /var/tmp/key > /var/tmp/recipients")
    run(session, "echo LIFEBOAT_RECIPIENTS=/var/tmp/recipients >> /etc/default/lifeboat && lifeboat-kdump reload")
    die(story, session)
    session.expect(re.escape(distro.PROMPT), SLOW)
    run(session, "cd /var/crash/$(ls /var/crash | tail -n 1) && ls && ! ls | grep -v 'age$'")
    run(session, f"age -d -i /var/tmp/key dmesg.txt.age | grep {story.token}")
    run(session, "age -d -i /var/tmp/key vmcore.flat.age | head -c 12 | grep makedumpfile; cd")


def purge(_: Story, session: Session) -> None:
    """The package leaves nothing behind but the dumps."""
    run(session, "rm -f /tmp/lifeboat-kdump_*.deb; dpkg -P lifeboat-kdump")
    assert not run(session, "find / -xdev -name '*lifeboat*'").split()


def spare(story: Story) -> Path:
    """A disk of nothing, for what a test brings into the machine: /dev/vdc."""
    return story.scratch / "spare.img"


def another_kernel(story: Story) -> Path:
    """A kernel of another release than the disk's, out of the same suite."""
    known: apt.PrivateApt = packages.updated_apt(packages.CODENAME)
    names = [name for name in known.package_names("linux-image-") if re.fullmatch(r"linux-image-\d\S+-riscv64", name)]
    others = [name for name in names if story.release not in name]
    if not others:
        raise Missing(f"{packages.CODENAME} has no kernel but {story.release}")
    known.download(others[:1], story.scratch / "kernel")
    return next((story.scratch / "kernel").glob("*.deb"))


def change_kernel(story: Story, session: Session) -> None:
    """With another kernel comes its crash kernel; what is loaded stays, until that kernel runs."""
    deb = another_kernel(story)
    command.logged(["dd", f"if={deb}", f"of={spare(story)}", "conv=notrunc"], "deb", "see the log")
    spared = [option.removeprefix("--") for option in distro.RECIPE.options() if "path-" in option]
    run(session, f"printf '%s\\n' {shlex.join(spared)} > /etc/dpkg/dpkg.cfg.d/spared")
    run(session, f"head -c {deb.stat().st_size} /dev/vdc > /var/tmp/kernel.deb && dpkg -i /var/tmp/kernel.deb")
    release = deb.name.removeprefix("linux-image-").partition("_")[0]
    assert "would be captured" in run(session, "lifeboat-ctl status")
    run(session, f"ls /var/lib/lifeboat/crash-{release}.itb")
    label = run(session, f"grep -B 2 'linux .*{release}' /boot/extlinux/extlinux.conf | sed -n 's/^label //p'").strip()
    run(session, f"sed -i 's/^default .*/default {label}/' /boot/extlinux/extlinux.conf")
    reboot(session)
    assert run(session, "uname -r").strip() == release
    story.release = release


def remove_first_kernel(_: Story, session: Session) -> None:
    """A kernel that goes takes its crash kernel with it."""
    run(session, "dpkg -P linux-image-riscv64 $(ls /boot/vmlinu* | sed 's/.*vmlinu.-/linux-image-/' | grep -v $(uname -r))")
    assert run(session, "ls /var/lib/lifeboat").split() == [f"crash-{run(session, 'uname -r').strip()}.itb"]


LIVES: dict[str, tuple[str, tuple[Act, ...]]] = {
    "linux": ("linux", (install, install_again, die, is_armed_again, keep_one, doctor, die_on_request, purge)),
    "uboot": ("uboot", (install, stop_feeding, is_armed_again, die_in_secret, purge)),
    "uboot-grub": ("uboot-grub", (install, die, is_armed_again)),
    "edk2-grub": ("edk2-grub", (install, die, is_armed_again)),
    "edk2-grub-acpi": ("edk2-grub-acpi", (install, die, is_armed_again)),
    "another kernel": ("uboot", (install, change_kernel, die, is_armed_again, remove_first_kernel)),
}


@pytest.mark.parametrize("name", LIVES)
def test_a_debian_dies_and_goes_on(name: str, tmp_path: Path) -> None:
    by, acts = LIVES[name]
    story = Story(tmp_path, echo=None, by=by, extra=distro.drive(tmp_path / "spare.img", "spare"))
    with spare(story).open("wb") as file:
        file.truncate(256 << 20)
    try:
        aboard.prepare(story)
        aboard.reserve(story)
        aboard.play(story, acts)
    except Missing as missing:
        pytest.skip(str(missing))


def test_a_debian_dies_and_crash_opens_its_dump(tmp_path: Path) -> None:
    story = Story(tmp_path, echo=None)
    try:
        for step in aboard.STEPS:
            step(story)
    except Missing as missing:
        pytest.skip(str(missing))
    assert "opened by crash(8)" in story.facts
