# SPDX-License-Identifier: BSD-2-Clause
"""The makedumpfile that is built here leaves out of a dump what nobody needs, and nothing that is in use."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from kdump import Pages
from lifeboatlib import demo, makedumpfile, setup, target
from lifeboatlib.ui import Missing

pytestmark = [pytest.mark.slow, pytest.mark.long]

STORY = (demo.pack_a_crash_bundle, demo.let_it_die, demo.look_into_the_dump)


def refilter(program: Path, dump: Path, scratch: Path) -> Path:
    """A dump without what -d 31 leaves out, by a program under qemu-user."""
    setup.for_packages(("qemu-user-static",))
    scratch.mkdir()
    for name, path in target.with_libraries(program).items():
        (scratch / name).parent.mkdir(exist_ok=True)
        (scratch / name).symlink_to(path.resolve())
    loader = ["qemu-riscv64-static", scratch / "lib" / target.LOADER, "--library-path", scratch / "lib"]
    argv = [*loader, program, "-l", "-d", "31", dump, scratch / "vmcore.31"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return scratch / "vmcore.31"


@pytest.mark.parametrize("sv", [39, 48, 57])
def test_it_finds_struct_page_where_debians_does_not(
    sv: int, stage: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    try:
        mended = makedumpfile.program(tmp_path / "makedumpfile")
    except Missing as missing:
        pytest.skip(str(missing))
    story = demo.Story(tmp_path, echo=None, stage=stage, sv=sv)
    assert demo.play(story, STORY) is None and story.dump
    whole = tmp_path / "vmcore.1"
    whole.write_bytes(story.dump.kdump[1].content)
    debians = target.MAKEDUMPFILE.file("usr/bin/makedumpfile")
    right, wrong = (
        Pages(refilter(program, whole, tmp_path / name).read_bytes())
        for name, program in (("mended", mended), ("debians", debians))
    )
    in_use = (right.kept & ~wrong.kept).bit_count()
    print(f"\nSv{sv}: {right.left_out()} of {right.ram.bit_count()} pages left out; Debian's: {in_use} that are in use")
    assert right.left_out() > right.ram.bit_count() // 2, "of a machine that has hardly been used"
    assert right.has(right.mem_section())
    if not in_use:
        record_property("terminal", "Debian's makedumpfile is right by now: lifeboat-makedumpfile can go (docs/debian.md)")
