# SPDX-License-Identifier: BSD-2-Clause
"""lifeboat aboard a real Debian: lifeboat-kdump is installed, the kernel dies, its dump is in /var/crash."""

import argparse
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lifeboatlib import build, bundle, command, deb, distro, setup
from lifeboatlib.qemu import ConsoleError, Machine, Session
from lifeboatlib.run import show
from lifeboatlib.ui import LifeboatError, Missing, say

HELP = "show a Debian that installs lifeboat-kdump, dies, and has its dump in /var/crash"
EXAMPLES = (
    "tools/lifeboat debian",
)

SLOW = 900  # seconds: systemd under emulation, beside other work
GOOD_END = "lifeboat: crash: the crash kernel ended in good order"
REGION, KEPT = 256 << 20, 64 << 20


@dataclass
class Story:
    """What the steps hand on to each other."""

    scratch: Path
    echo: Callable[[bytes], None] | None = show
    memory: str = "1G"
    smp: int = 2
    token: str = field(default_factory=lambda: f"lifeboat-token-{secrets.token_hex(6)}")
    stage: Path = Path()
    bundle: Path = Path()
    debian: distro.Distro = distro.Distro(Path())
    facts: list[str] = field(default_factory=list)

    @property
    def disk(self) -> Path:
        """The machine's disk."""
        return self.scratch / "disk.img"

    @property
    def debs(self) -> Path:
        """A tar archive of the packages, as a disk."""
        return self.scratch / "debs.tar"


@contextmanager
def booted(story: Story) -> Iterator[Session]:
    """The machine, booted as far as the prompt of its root."""
    machine = Machine(
        kernel=story.stage, initrd=story.bundle, smp=story.smp, memory=story.memory,
        extra=(*distro.drive(story.disk, "disk"), *distro.drive(story.debs, "debs")),
    )  # fmt: skip
    with Session(machine, echo=story.echo) as session:
        session.expect(re.escape(distro.PROMPT), SLOW)
        yield session


def run(session: Session, line: str) -> str:
    """Runs a command in the guest, which must succeed, and gives what it said."""
    begin = len(session.text)
    session.send(f"{line}; echo =$?=\n")
    code = int(session.expect(r"^=(\d+)=$", SLOW)[1])
    session.expect(re.escape(distro.PROMPT), SLOW)
    said = session.text[begin:].partition("\n")[2].rpartition("\n=")[0]
    if code != 0:
        raise LifeboatError(f"in the guest {line!r} ended with {code}: {said.strip().splitlines()[-1:]}")
    return said


def prepare(story: Story) -> None:
    """The stage, the packages and the Debian."""
    setup.for_boot()
    story.stage = build.build_stage("gcc") / "lifeboat.bin"
    made = deb.build(story.scratch / "debs")
    names = [path.name for path in made if path.name.startswith("lifeboat-kdump_")]
    command.logged(["tar", "-cf", story.debs, "-C", story.scratch / "debs", *names], "deb", "see the log")
    story.debian = distro.ensure()
    distro.copy(story.debian, story.disk)


def reserve(story: Story) -> None:
    """What firmware loads: Debian's kernel and initramfs, and a region for the crash kernel that Debian will load."""
    plain = bundle.simple(bundle.linux(story.debian.kernel), story.debian.initrd, story.debian.append)
    made = bundle.with_reserve(plain, bundle.Crash(REGION, kept_size=KEPT))
    story.bundle = made.write(story.scratch / "bundle.itb")


def install(session: Session) -> None:
    """The package makes the crash kernel and loads it."""
    run(session, "tar -xf /dev/vdb -C /tmp")
    run(session, "dpkg -i /tmp/lifeboat-kdump_*.deb")
    said = run(session, "lifeboat-ctl status")
    if not re.search("^next crash: +would be captured$", said, re.MULTILINE):
        raise LifeboatError(f"after its installation the next crash would not be captured: {said.splitlines()[:3]}")


def die(story: Story, session: Session) -> None:
    """It dies, the dump is saved, and it is up again."""
    run(session, f"echo {story.token} > /dev/kmsg")
    begin = time.monotonic()
    session.send("echo c > /proc/sysrq-trigger\n")
    session.expect(r"lifeboat: crash: Linux \S+ ended by panic", SLOW)
    session.expect("lifeboat-kdump: the crash kernel is up", SLOW)
    session.expect("lifeboat-kdump: saved the dump", SLOW)
    session.expect(GOOD_END, SLOW)
    story.facts.append(f"{time.monotonic() - begin:.0f} s from the panic to the reset behind the dump")


def is_armed_again(session: Session) -> None:
    """The service has loaded the crash kernel, and the dump is there."""
    session.expect(re.escape(distro.PROMPT), SLOW)
    said = run(session, "systemctl --no-pager status lifeboat")
    if "would be captured" not in said:
        raise LifeboatError(f"after the crash the next one would not be captured: {said.splitlines()[-3:]}")


def purge(session: Session) -> None:
    """The package leaves nothing behind but the dump."""
    run(session, "rm /tmp/lifeboat-kdump_*.deb; dpkg -P lifeboat-kdump")
    left = run(session, "find / -xdev -name '*lifeboat*'").split()
    if left:
        raise LifeboatError(f"the package has left {' '.join(left)}")


def crash_and_back(story: Story) -> None:
    """The whole of it, in the machine."""
    with booted(story) as session:
        install(session)
        die(story, session)
        is_armed_again(session)
        purge(session)
        session.send("poweroff\n")
        session.wait(SLOW)


def look(story: Story) -> None:
    """The dump, on the host."""
    where = f"/var/crash/{distro.listed(story.disk, '/var/crash')[-1]}"
    log = distro.read(story.disk, f"{where}/dmesg.txt", story.scratch / "dmesg.txt").read_text(errors="replace")
    dump = distro.read(story.disk, f"{where}/vmcore", story.scratch / "vmcore")
    if story.token not in log or "Kernel panic - not syncing" not in log:
        raise LifeboatError(f"the log in {where} is not the dead kernel's")
    with dump.open("rb") as file:
        if file.read(8) != b"KDUMP   ":
            raise LifeboatError(f"{where}/vmcore is no dump")
    story.facts.append(f"{dump.stat().st_size >> 20} MiB of dump, {len(log.splitlines())} lines of log")


STEPS: tuple[Callable[[Story], None], ...] = (prepare, reserve, crash_and_back, look)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the debian command."""
    parser.add_argument("--memory", default="1G", metavar="SIZE", help="of the machine; default 1G")


def main(args: argparse.Namespace) -> int:
    """Plays the story and gives the verdict."""
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        story = Story(Path(scratch), memory=args.memory)
        try:
            for step in STEPS:
                step(story)
        except Missing:
            raise
        except LifeboatError as error:
            say(f"\ndebian: FAIL — {error.summary if isinstance(error, ConsoleError) else error}")
            return 1
    say(f"\ndebian: PASS — the dead Debian's dump is in its /var/crash: {', '.join(story.facts)}")
    return 0
