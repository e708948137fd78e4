# SPDX-License-Identifier: BSD-2-Clause
"""Makes the pictures of docs/pictures anew: the story, and what one crash in QEMU shows of memory, tables and cost."""

import argparse
import tempfile
from pathlib import Path

from lifeboatlib import bootlog, build, bundle, initramfs, memorymap, setup, story, tables, target, timeline
from lifeboatlib.paths import REPO, friendly
from lifeboatlib.qemu import Machine, Session
from lifeboatlib.ui import say, step

HELP = "make the pictures of docs/pictures anew"
EXAMPLES = (
    "tools/lifeboat pictures",
    "tools/lifeboat pictures --into drawn",
)

PANIC = initramfs.PROLOGUE + "echo c > /proc/sysrq-trigger\n"
APPEND = "console=ttyS0 quiet panic=1 cryptomgr.notests"
MODES = (39, 48, 57)


def crash_log(stage: Path, scratch: Path) -> str:
    """The console of a boot that arms, a death, and the capture."""
    dying = initramfs.make_initramfs(scratch / "dying.cpio", PANIC)
    made = bundle.simple(bundle.linux(target.kernel()), dying, APPEND)
    made = bundle.with_crash(made, initramfs.demo_path(), "console=ttyS0 quiet")
    machine = Machine(kernel=stage, initrd=made.write(scratch / "crash.itb"), icount=True)
    with Session(machine) as session:
        session.expect(r"core header at")
        session.expect(r"^lifeboat: handoff: .*\n")
        return session.text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the pictures command."""
    where = REPO / "docs" / "pictures"
    parser.add_argument("--into", type=Path, default=where, metavar="DIR", help="default: docs/pictures")


def main(args: argparse.Namespace) -> int:
    """Makes them all."""
    setup.for_build()
    setup.for_boot()
    directory = build.build_stage("gcc")
    stage, elf = directory / "lifeboat.bin", directory / "lifeboat.elf"
    drawn = {"story": story.draw()}
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as name:
        scratch = Path(name)
        with step("pictures: a boot, a death and its capture"):
            found = list(bootlog.boots(crash_log(stage, scratch)))
        drawn["map"] = memorymap.draw(memorymap.of_interest(found))
        drawn["timeline"] = timeline.draw(timeline.told(found))
        plain = bundle.simple(bundle.linux(target.kernel()), initramfs.demo_path(), APPEND).write(scratch / "plain.itb")
        for sv in MODES:
            with step(f"pictures: both passes in Sv{sv}"):
                drawn[f"tables-sv{sv}"] = tables.draw(tables.look(Machine(kernel=stage, initrd=plain, sv=sv), elf))
    args.into.mkdir(parents=True, exist_ok=True)
    for name, content in drawn.items():
        path = args.into / f"{name}.svg"
        path.write_text(content, encoding="utf-8")
        say(f"pictures: {friendly(path)}")
    return 0
