# SPDX-License-Identifier: BSD-2-Clause
"""A machine whose primary obeys the test: it waits for a command on the console, and can die of it."""

import re
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib import bundle, initramfs, target
from lifeboatlib.qemu import Machine, Session

TIMEOUT = 120
READY = "primary: ready"
ARMED = r"lifeboat: crash: armed"
ENDED = r"lifeboat: crash: Linux \S+ ended by (\w+)"
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


def crash_bundle(directory: Path, crash_order: str = "", **wants: int | str) -> Path:
    """Debian's kernel in both roles."""
    primary = initramfs.make_initramfs(directory / "primary.cpio", PRIMARY)
    crash = initramfs.make_initramfs(directory / "crash.cpio", CRASH.format(order=crash_order))
    made = bundle.simple(bundle.linux(target.kernel()), primary, "console=ttyS0 quiet panic=1")
    asked = bundle.Crash(**wants)  # type: ignore[arg-type]
    made = bundle.with_crash(made, crash, "console=ttyS0 quiet panic=1", crash=asked)
    return made.write(directory / "crash.itb")


@dataclass
class Lab:
    """A session of such a machine."""

    session: Session

    def order(self, command: str) -> None:
        """Has the primary do something, once it is up."""
        self.session.expect(READY, TIMEOUT)
        self.session.send(command + "\n")

    def expect(self, pattern: str) -> re.Match[str]:
        """Waits for a line."""
        return self.session.expect(pattern, TIMEOUT)

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


def machine(stage: Path, made: Path, directory: Path, **options: object) -> Machine:
    """One that can be reset from outside."""
    return Machine(kernel=stage, initrd=made, qmp=directory / "qmp", **options)  # type: ignore[arg-type]
