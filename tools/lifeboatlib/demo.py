# SPDX-License-Identifier: BSD-2-Clause
"""The demonstration: a kernel dies, and its dump is saved; step by step, with a verdict."""

import argparse
import re
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lifeboatlib import build, bundle, capture, initramfs, setup, target
from lifeboatlib.paths import friendly
from lifeboatlib.qemu import ConsoleError, Machine, Session
from lifeboatlib.run import show
from lifeboatlib.ui import LifeboatError, Missing, say

HELP = "show a kernel that dies and how its dump is saved (or --plain: just boot Linux)"
EXAMPLES = ("tools/lifeboat demo", "tools/lifeboat demo --hang", "tools/lifeboat demo --keep dump")

BOOT_TIMEOUT = 240
WATCHDOG = 2  # seconds
USERSPACE = r"lifeboat demo: userspace reached, (kernel \S+), (mode \S+), (\d+ harts online)"
ENDED = r"lifeboat: crash: Linux \S+ ended by (\w+)"


@dataclass
class Story:
    """What the steps of the demo hand on to each other."""

    scratch: Path
    compiler: str = "gcc"
    cause: str = "panic"
    echo: Callable[[bytes], None] | None = show
    sv: int | None = None
    smp: int = 2
    memory: str = "1G"
    levels: tuple[int, ...] = (capture.DUMP_LEVEL,)
    newer: bool = False
    token: str = field(default_factory=lambda: f"lifeboat-token-{secrets.token_hex(6)}")
    stage: Path = Path()
    bundle: Path = Path()
    dump: capture.Dump | None = None
    keep: Path | None = None  # where the dump's files are left
    facts: list[str] = field(default_factory=list)

    @property
    def disk(self) -> Path:
        """Where the crash kernel saves the dump."""
        return self.scratch / "disk.img"


def prepare(_: Story) -> None:
    """Installs what is missing."""
    setup.for_build()
    setup.for_boot()


def build_the_stage(story: Story) -> None:
    """Builds lifeboat."""
    story.stage = build.build_stage(story.compiler) / "lifeboat.bin"


def pack_a_plain_bundle(story: Story) -> None:
    """Packs Debian's kernel and the initramfs."""
    packed = bundle.simple(bundle.linux(target.kernel()), initramfs.demo_path())
    story.bundle = packed.write(story.scratch / "demo.itb")
    say(f"demo: bundle of {target.kernel().name} and an initramfs")


def boot_to_userspace(story: Story) -> None:
    """Boots OpenSBI, lifeboat and Linux, and waits for the line that userspace prints."""
    say("demo: booting OpenSBI, lifeboat and Linux under QEMU")
    machine = Machine(kernel=story.stage, initrd=story.bundle, smp=2)
    with Session(machine, echo=story.echo) as session:
        match = session.expect(USERSPACE, BOOT_TIMEOUT)
        story.facts += match.groups()
        session.wait(60)


def pack_a_crash_bundle(story: Story) -> None:
    """Packs Debian's kernel once, for both roles, with the initramfs of either."""
    append = "console=ttyS0 quiet panic=1"
    initrd = None
    if story.cause == "early":
        append += f" {capture.EARLY_APPEND} {story.token}"
    else:
        path = story.scratch / "primary.cpio"
        initrd = capture.primary_initramfs(path, story.token, story.cause, story.newer)
    crash_initrd = capture.crash_initramfs(story.scratch / "crash.cpio", story.levels, story.newer)
    kernel = target.kernel(story.newer)
    primary = bundle.simple(bundle.linux(kernel), initrd, append)
    packed = bundle.with_crash(primary, crash_initrd, "console=ttyS0 quiet")
    story.bundle = packed.write(story.scratch / "demo.itb")
    say(f"demo: bundle of {kernel.name}, once as the primary and once as the crash kernel")


def let_it_die(story: Story) -> None:
    """Boots the primary, lets it die, and watches until the machine boots normally again."""
    say(f"demo: an unpatched kernel, no crashkernel=, no kexec; it will die of: {story.cause}")
    extra = capture.make_disk(story.disk)
    qmp = story.scratch / "qmp"
    machine = Machine(
        kernel=story.stage, initrd=story.bundle, extra=extra, qmp=qmp,
        sv=story.sv, smp=story.smp, memory=story.memory,
    )  # fmt: skip
    with Session(machine, echo=story.echo) as session:
        session.expect(r"lifeboat: crash: armed", BOOT_TIMEOUT)
        if story.cause == "hang":
            session.expect("lifeboat demo: hanging", BOOT_TIMEOUT)
            time.sleep(WATCHDOG)
            say("demo: the watchdog bites (system_reset)")
            session.qmp("system_reset")
        story.facts.append(f"ended by {session.expect(ENDED, BOOT_TIMEOUT)[1]}")
        session.expect("lifeboat demo: the crash kernel is up", BOOT_TIMEOUT)
        session.expect("lifeboat demo: saved", BOOT_TIMEOUT)
        session.expect("lifeboat: crash: the crash kernel ended in good order", BOOT_TIMEOUT)
        session.expect(r"lifeboat: crash: armed", BOOT_TIMEOUT)


def find_in_log(story: Story, program: str, log: str) -> list[str]:
    """The lines of the dead kernel that its log must have, out of what a program made of it."""
    token = next((line for line in log.splitlines() if story.token in line), None)
    if not token:
        raise LifeboatError(f"{story.token} is not in {program}'s output")
    panic = re.search(r"Kernel panic - not syncing: .*", log)
    if story.cause != "hang" and not panic:
        raise LifeboatError(f"the panic's line is not in {program}'s output")
    return [token, panic[0]] if panic else [token]


def look_into_the_dump(story: Story) -> None:
    """The dead kernel's own words, out of the files on the host."""
    story.dump = capture.read_disk(story.disk)
    find_in_log(story, "vmcore-dmesg", story.dump.vmcore_dmesg)
    say("")
    for line in find_in_log(story, "makedumpfile", story.dump.dmesg):
        say(f"demo: out of the dump: {line}")
    story.facts.append(f"{len(story.dump.dmesg.splitlines())} lines of log")
    size = len(story.dump.kdump[story.levels[0]].content)
    story.facts.append(f"{size // 1024} KiB of dump on the host")
    if story.keep:
        capture.keep(story.disk, story.keep)
        story.facts.append(f"kept in {friendly(story.keep)}")


Step = Callable[[Story], None]

PLAIN_STEPS: tuple[Step, ...] = (prepare, build_the_stage, pack_a_plain_bundle, boot_to_userspace)
CRASH_STEPS: tuple[Step, ...] = (
    prepare, build_the_stage, pack_a_crash_bundle, let_it_die, look_into_the_dump,
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the demo command."""
    parser.add_argument("--compiler", choices=build.COMPILERS, default="gcc", help="default: gcc")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--hang", action="store_true", help="the kernel hangs with interrupts off; a watchdog bites")
    what.add_argument("--early", action="store_true", help="it dies before userspace")
    what.add_argument("--plain", action="store_true", help="no crash: just boot to userspace")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the dump and its logs there")


def play(story: Story, steps: tuple[Step, ...]) -> str | None:
    """Plays the steps; why it failed, or None. What is not there says nothing of the stage: raises Missing."""
    try:
        for step in steps:
            step(story)
    except Missing:
        raise
    except LifeboatError as error:
        return error.summary if isinstance(error, ConsoleError) else str(error)
    return None


def main(args: argparse.Namespace) -> int:
    """Plays the story that was asked for and gives the verdict."""
    cause = "hang" if args.hang else "early" if args.early else "panic"
    happy = "Linux reached userspace through lifeboat" if args.plain else "the dead kernel's dump is saved"
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        story = Story(Path(scratch), args.compiler, cause, keep=args.keep)
        why = play(story, PLAIN_STEPS if args.plain else CRASH_STEPS)
    if why:
        say(f"\ndemo: FAIL — {why}")
        return 1
    say(f"\ndemo: PASS — {happy}: {', '.join(story.facts)}")
    return 0
