# SPDX-License-Identifier: BSD-2-Clause
"""The demonstration: from nothing to Linux userspace, step by step, with a verdict."""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lifeboatlib import build, bundle, initramfs, setup, target
from lifeboatlib.qemu import ConsoleError, Machine, Session
from lifeboatlib.run import show
from lifeboatlib.ui import LifeboatError, say

HELP = "build everything and boot Debian's Linux through the stage"

BOOT_TIMEOUT = 180
USERSPACE = r"lifeboat demo: userspace reached, (kernel \S+), (mode \S+), (\d+ harts online)"


@dataclass
class Story:
    """What the steps of the demo hand on to each other."""

    scratch: Path
    compiler: str
    stage: Path = Path()
    bundle: Path = Path()
    facts: list[str] = field(default_factory=list)


def prepare(_: Story) -> None:
    """Installs what is missing."""
    setup.everything()


def build_the_stage(story: Story) -> None:
    """Builds lifeboat."""
    story.stage = build.build_stage(story.compiler) / "lifeboat.bin"


def pack_the_bundle(story: Story) -> None:
    """Packs Debian's kernel and the initramfs."""
    packed = bundle.simple(bundle.linux(target.kernel()), initramfs.demo_path())
    story.bundle = packed.write(story.scratch / "demo.itb")
    say(f"demo: bundle of {target.kernel().name} and an initramfs")


def boot_to_userspace(story: Story) -> None:
    """Boots OpenSBI, lifeboat and Linux, and waits for the line that userspace prints."""
    say("demo: booting OpenSBI, lifeboat and Linux under QEMU")
    machine = Machine(kernel=story.stage, initrd=story.bundle, smp=2)
    with Session(machine, echo=show) as session:
        match = session.expect(USERSPACE, BOOT_TIMEOUT)
        story.facts += match.groups()
        session.wait(60)


STEPS: tuple[Callable[[Story], None], ...] = (
    prepare,
    build_the_stage,
    pack_the_bundle,
    boot_to_userspace,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the demo command."""
    parser.add_argument("--compiler", choices=build.COMPILERS, default="gcc", help="default: gcc")


def main(args: argparse.Namespace) -> int:
    """Plays the steps and gives the verdict."""
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        story = Story(Path(scratch), args.compiler)
        try:
            for play in STEPS:
                play(story)
        except LifeboatError as error:
            why = error.summary if isinstance(error, ConsoleError) else str(error)
            say(f"\ndemo: FAIL — {why}")
            return 1
    say(f"\ndemo: PASS — Linux reached userspace through lifeboat: {', '.join(story.facts)}")
    return 0
