# SPDX-License-Identifier: BSD-2-Clause
"""A machine whose primary obeys the test: it waits for a command on the console, and can die of it."""

import re
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import bundle, death, initramfs, target
from lifeboatlib.qemu import Machine, Session

# Linux' own tests of its ciphers are two fifths of its boot, in instructions.
CONSOLE = "console=ttyS0 cryptomgr.notests"
READY = "primary: ready"
ARMED = r"lifeboat: crash: armed"
ENDED = r"lifeboat: crash: Linux \S+ ended by ([\w-]+)"
CAPTURED = r"crash: vmcore (\d+)"

PRIMARY = initramfs.PROLOGUE + f"""
echo "{READY}"
read -r order
eval "$order"
sleep 1000
"""

CRASH = initramfs.PROLOGUE + """
echo "crash: vmcore $(stat -c %s /proc/vmcore)"
{order}
reboot -f
"""


def crash_bundle(
    directory: Path,
    crash_order: str = "",
    newer: bool = False,
    files: dict[str, Path | str | bytes] | None = None,
    append: str = CONSOLE,
    **wants: int | str,
) -> Path:
    """Debian's kernel in both roles, or the next Debian's; `files` and `append` are the primary's."""
    primary = initramfs.make_initramfs(directory / "primary.cpio", PRIMARY, files)
    crash = initramfs.make_initramfs(directory / "crash.cpio", CRASH.format(order=crash_order))
    kernel = bundle.linux(target.kernel(newer))
    made = bundle.simple(kernel, primary, f"{append} quiet panic=1")
    asked = bundle.Crash(**wants)  # type: ignore[arg-type]
    made = bundle.with_crash(made, crash, f"{CONSOLE} quiet panic=1", crash=asked)
    return made.write(directory / "crash.itb")


def deaths(newer: bool = False) -> dict[str, Path | str | bytes]:
    """For an initramfs: a module for each death that needs one, lib/WAY.ko."""
    return {f"lib/{way}.ko": death.module(way, newer) for way in death.WAYS}


@dataclass
class Lab:
    """A session of such a machine."""

    session: Session

    def order(self, command: str) -> None:
        """Has the primary do something, once it is up."""
        self.session.expect(READY)
        self.session.send(command + "\n")

    def expect(self, pattern: str) -> re.Match[str]:
        """Waits for a line."""
        return self.session.expect(pattern)

    def captured(self) -> None:
        """A crash kernel comes up with the dead one's memory, and the machine boots normally again."""
        assert int(self.expect(CAPTURED)[1]) > 500 << 20
        self.expect("the crash kernel ended in good order")
        self.expect(ARMED)

    def not_captured(self) -> None:
        """The next boot is a normal one."""
        start = len(self.session.text)
        self.expect(ARMED)
        assert "crash: vmcore" not in self.session.text[start:]


def lasting_ram(path: Path, mib: int) -> dict[str, object]:
    """Options for a machine whose RAM is a file, which outlives it."""
    backend = f"memory-backend-file,id=ram,size={mib}M,mem-path={path},share=on"
    return {"memory": f"{mib}M", "machine": "virt,memory-backend=ram", "extra": ("-object", backend)}


def machine(stage: Path, made: Path, directory: Path, **options: object) -> Machine:
    """One that can be reset from outside."""
    return Machine(kernel=stage, initrd=made, qmp=directory / "qmp", **options)  # type: ignore[arg-type]
