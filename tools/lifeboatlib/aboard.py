# SPDX-License-Identifier: BSD-2-Clause
"""lifeboat aboard a real Debian: lifeboat-kdump is installed, the kernel dies, and crash(8) opens its dump."""

import argparse
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lifeboatlib import build, bundle, command, crash8, deb, distro, makedumpfile, setup, target
from lifeboatlib.elsewhere import with_firmware
from lifeboatlib.qemu import ConsoleError, Machine, Session
from lifeboatlib.run import show
from lifeboatlib.ui import LifeboatError, Missing, say

HELP = "show a Debian that installs lifeboat-kdump, dies, and has a dump that crash(8) opens"
EXAMPLES = ("tools/lifeboat debian", "tools/lifeboat debian --by edk2-grub --no-debug-package")

SLOW = 900  # seconds: systemd under emulation, beside other work
GOOD_END = "lifeboat: crash: the crash kernel ended in good order"
REGION, KEPT = 208 << 20, 48 << 20  # docs/crash.md has what a Debian needs


@dataclass(frozen=True)
class Way:
    """What lifeboat starts, Debian's kernel if no firmware, and if GRUB comes between that and Debian."""

    firmware: Callable[[], Path] | None = None
    grub: bool = False
    machine: str = "virt"


WAYS = {
    "uboot": Way(target.uboot),
    "linux": Way(),
    "uboot-grub": Way(target.uboot, grub=True),
    "edk2-grub": Way(lambda: target.edk2("CODE"), grub=True, machine="virt,acpi=off"),
    "edk2-grub-acpi": Way(lambda: target.edk2("CODE"), grub=True),
}


@dataclass
class Story:
    """What the steps hand on to each other."""

    scratch: Path
    echo: Callable[[bytes], None] | None = show
    by: str = "uboot"
    opens: bool = True
    filters: bool = False  # lifeboat-makedumpfile is installed, too
    memory: str = "1G"
    smp: int = 2
    extra: tuple[str, ...] = ()
    token: str = field(default_factory=lambda: f"lifeboat-token-{secrets.token_hex(6)}")
    stage: Path = Path()
    bundle: Path = Path()
    debian: distro.Distro = distro.Distro(Path())
    release: str = ""
    facts: list[str] = field(default_factory=list)

    @property
    def disk(self) -> Path:
        """The machine's disk."""
        return self.scratch / "disk.img"

    @property
    def way(self) -> Way:
        """How that comes to Debian."""
        return WAYS[self.by]

    @property
    def debs(self) -> Path:
        """A tar archive of the packages, as a disk."""
        return self.scratch / "debs.tar"

    def disks(self) -> dict[str, Path]:
        """By their names in the guest, in the order that firmware looks through them."""
        files = [self.scratch / "esp.img"] * self.way.grub + [self.disk, self.debs]
        return dict(zip(("vda", "vdb", "vdc"), files, strict=False))


Act = Callable[[Story, Session], None]  # what is done at the prompt


@contextmanager
def booted(story: Story) -> Iterator[Session]:
    """The machine, booted as far as the prompt of its root."""
    disks = [word for name, file in story.disks().items() for word in distro.drive(file, name)]
    machine = Machine(
        kernel=story.stage, initrd=story.bundle, machine=story.way.machine, smp=story.smp, memory=story.memory,
        extra=(*disks, *story.extra),
    )  # fmt: skip
    if story.way.firmware:
        machine = with_firmware(machine, story.way.firmware(), story.bundle, story.scratch)
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


def reboot(session: Session) -> None:
    """Reboots in good order, as far as the prompt; the old shell has one more to show before it goes."""
    session.send("reboot\n")
    session.expect("^lifeboat: boot: ", SLOW)
    session.expect(re.escape(distro.PROMPT), SLOW)


def prepare(story: Story) -> None:
    """The stage, the packages and the Debian."""
    setup.for_boot()
    story.stage = build.build_stage("gcc") / "lifeboat.bin"
    debs = story.scratch / "debs"
    names = [path.name for path in deb.build(debs, deb.FOR_MACHINES)]
    if story.filters:
        names.append(makedumpfile.build(debs).name)
    command.logged(["tar", "-cf", story.debs, "-C", debs, *names], "deb", "see the log")
    story.debian = distro.ensure()
    distro.copy(story.debian, story.disk)
    if story.way.grub:
        setup.for_image()
        distro.esp(story.disk, target.grub(), story.scratch)


def reserve(story: Story) -> None:
    """What firmware loads: U-Boot or a kernel, and a region for the crash kernel that Debian will load."""
    if story.way.firmware:
        plain = bundle.simple(bundle.from_firmware(story.way.firmware(), story.scratch))
    else:
        plain = bundle.simple(bundle.linux(story.debian.kernel), story.debian.initrd, story.debian.append)
    made = bundle.with_reserve(plain, bundle.Crash(REGION, kept_size=KEPT))
    story.bundle = made.write(story.scratch / "bundle.itb")


def install(story: Story, session: Session) -> None:
    """The package makes the crash kernel and loads it."""
    story.release = run(session, "uname -r").strip()
    device = next(name for name, file in story.disks().items() if file == story.debs)
    run(session, f"tar -xf /dev/{device} -C /tmp")
    for name in ["makedumpfile"] * story.filters + ["kdump"]:
        run(session, f"dpkg -i /tmp/lifeboat-{name}_*.deb")
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
    session.expect(f"lifeboat-kdump: saving the dump by makedumpfile -d {31 if story.filters else 1}$", SLOW)
    session.expect("lifeboat-kdump: saved the dump", SLOW)
    session.expect(GOOD_END, SLOW)
    story.facts.append(f"{time.monotonic() - begin:.0f} s from the panic to the reset behind the dump")


def is_armed_again(_: Story, session: Session) -> None:
    """The service has loaded the crash kernel of the kernel that runs now."""
    session.expect(re.escape(distro.PROMPT), SLOW)
    said = run(session, "systemctl --no-pager status lifeboat")
    if "would be captured" not in said:
        raise LifeboatError(f"after the crash the next one would not be captured: {said.splitlines()[-3:]}")


ACTS: tuple[Act, ...] = (install, die, is_armed_again)


def play(story: Story, acts: Sequence[Act] = ACTS) -> None:
    """What is done in the machine, from its boot until it is switched off."""
    with booted(story) as session:
        for act in acts:
            act(story, session)
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


def open_dump(story: Story) -> None:
    """crash(8) makes sense of it."""
    if not story.opens:
        return
    said = crash8.look(story.scratch / "vmcore", story.release)
    say(said)
    panic = 'PANIC: "Kernel panic - not syncing: sysrq'
    for what in (story.token, f"RELEASE: {story.release}\n", panic, " sysrq_handle_crash at "):
        if what not in said:
            raise LifeboatError(f"crash(8) has opened the dump, but there is no {what.strip()!r} in what it says")
    story.facts.append("opened by crash(8)")


STEPS: tuple[Callable[[Story], None], ...] = (prepare, reserve, play, look, open_dump)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the debian command."""
    parser.add_argument("--memory", default="1G", metavar="SIZE", help="of the machine; default 1G")
    parser.add_argument(
        "--by", choices=list(WAYS), default="uboot",
        help="what lifeboat starts: U-Boot, which boots by extlinux (default), the kernel, or firmware that starts GRUB",
    )  # fmt: skip
    parser.add_argument(
        "--makedumpfile", action="store_true", help="with lifeboat-makedumpfile, and so a dump by -d 31"
    )
    parser.add_argument(
        "--no-debug-package", action="store_true", help="leave out crash(8), which needs 1 GB of debug information"
    )


def main(args: argparse.Namespace) -> int:
    """Plays the story and gives the verdict."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        opens = not args.no_debug_package
        story = Story(Path(scratch), memory=args.memory, by=args.by, opens=opens, filters=args.makedumpfile)
        try:
            for step in STEPS:
                step(story)
        except Missing:
            raise
        except LifeboatError as error:
            say(f"\ndebian: FAIL — {error.summary if isinstance(error, ConsoleError) else error}")
            return 1
    minutes = (time.monotonic() - begin) / 60
    say(f"\ndebian: PASS — {', '.join(story.facts)}; {minutes:.0f} min in all")
    return 0
