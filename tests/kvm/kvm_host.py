# SPDX-License-Identifier: BSD-2-Clause
"""A real Linux KVM host inside QEMU's emulation, and guests that run on it, one after the other.

Three layers: QEMU emulates a hart with the H extension; Debian's kernel on it is the KVM host; in it
the small virtual machine monitor of vmm/ runs a guest, in VS-mode, under two-stage translation.
"""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lifeboatlib import initramfs, target
from lifeboatlib.qemu import HANGS, Machine, Session, patience

CPU = "rv64,h=on"
BOOTARGS = "console=ttyS0 quiet loglevel=0 cryptomgr.notests"  # the kernel's lines are asked for, guest by guest
READY = r"^kvm-host: ready, Linux (\S+)$"
LOADED = "hypervisor extension available"

# The monitor's exit codes: enum vm_end (vmm/vm.h).
ENDS = ("shutdown", "reset", "unsupported", "watchdog", "mmio", "failed")

BOOT = (
    initramfs.PROLOGUE
    + """for module in irqbypass kvm; do [ -f $module.ko ] && insmod $module.ko; done
dmesg -c | grep 'kvm \\['
[ -c /dev/kvm ] && echo "kvm-host: ready, Linux $(uname -r)"
"""
)
GUEST = """echo "kvm-host: begin {name}"
start=$(cut -d ' ' -f 1 /proc/uptime)
{command}
echo "kvm-host: code $? $start $(cut -d ' ' -f 1 /proc/uptime)"
dmesg -c | grep 'kvm \\['
echo "kvm-host: end"
"""


@dataclass(frozen=True)
class Host:
    """A kernel with KVM as a module."""

    kernel: Path
    modules: dict[str, bytes]

    @property
    def release(self) -> tuple[int, int]:
        """The first two numbers of its release, out of the Image itself."""
        match = re.search(rb"Linux version (\d+)\.(\d+)", self.kernel.read_bytes())
        assert match, f"{self.kernel} does not say its version"
        return int(match[1]), int(match[2])

    @property
    def name(self) -> str:
        """As a person calls it."""
        return "KVM {}.{}".format(*self.release)


def _host(newer: bool) -> Host:
    """A kernel with those of KVM's modules that it has as modules."""
    linux = target.linux(newer)
    return Host(linux.image(), linux.modules("irqbypass", "kvm"))


def stable_host() -> Host:
    """Debian stable's kernel."""
    return _host(newer=False)


def newer_host() -> Host:
    """The kernel of Debian's next release."""
    return _host(newer=True)


@dataclass(frozen=True)
class Guest:
    """What a guest is made of: files at physical addresses, and the monitor's options (vmm/vmm.c)."""

    name: str
    files: dict[int, Path]
    memory: int = 16  # MiB
    vcpus: int = 1
    fdt: int = 0
    resets: int = 0
    seconds: int = 60  # for each life, before the monitor's watchdog ends it; patience() scales them
    reflect: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a guest fared: its console, the monitor's verdict, the host kernel's lines, the time it took."""

    console: str
    end: str
    registers: dict[str, int]
    host_log: str
    seconds: float

    def host_value(self, name: str) -> int:
        """A value in the host kernel's error lines, such as SCAUSE."""
        match = re.search(rf"\b{name}=(0x[0-9a-f]+)", self.host_log)
        assert match, f"the host's kernel says nothing of {name}:\n{self.host_log}"
        return int(match[1], 16)


@dataclass
class _Script:
    """The host's init script, and the files that it needs, each once."""

    text: str
    files: dict[str, Path | bytes | str] = field(default_factory=dict)

    def store(self, path: Path) -> str:
        """A file's name in the host; the same file has one name."""
        for name, known in self.files.items():
            if known == path:
                return f"/{name}"
        name = f"guest/{len(self.files)}-{path.name}"
        self.files[name] = path
        return f"/{name}"

    def add(self, guest: Guest) -> None:
        """Runs a guest."""
        words = ["/vmm", "-m", guest.memory, "-c", guest.vcpus, "-f", guest.fdt]
        words += ["-r", guest.resets, "-t", round(patience(guest.seconds)), "-x", int(guest.reflect)]
        words += [f"{address:#x}={self.store(path)}" for address, path in guest.files.items()]
        command = shlex.join(str(word) for word in words)
        self.text += GUEST.format(name=guest.name, command=command)


def _outcome(text: str) -> Outcome:
    """Reads what stands between a guest's begin and its end."""
    code_line = r"^kvm-host: code (\d+) ([\d.]+) ([\d.]+)\n"
    console, code, start, stop, log = re.split(code_line, text, flags=re.MULTILINE)
    end = ENDS[int(code)]
    last = re.findall(r"^vmm: end=(\w+)(.*)$", console, re.MULTILINE)
    assert last and last[-1][0] == end, f"code {code}, and the monitor says otherwise:\n{text}"
    pairs = re.findall(r" (\w+)=(0x[0-9a-f]+|\d+)", last[-1][1])
    registers = {name: int(value, 0) for name, value in pairs}
    return Outcome(console, end, registers, log, float(stop) - float(start))


def run(
    host: Host,
    vmm: Path,
    guests: Iterable[Guest],
    scratch: Path,
    smp: int = 1,
    memory: str = "1G",
) -> dict[str, Outcome]:
    """Boots the host, has it run the guests, and gives their outcomes by name.

    A host without KVM is an error: nothing was tested.
    """
    script = _Script(BOOT, {"vmm": vmm, **host.modules})
    names = []
    timeout = HANGS  # without guests
    for guest in guests:
        script.add(guest)
        names.append(guest.name)
        timeout += guest.seconds * (1 + guest.resets)
    script.text += "poweroff -f\n"
    packed = initramfs.make_initramfs(scratch / "kvm-host.cpio", script.text, script.files)
    machine = Machine(host.kernel, packed, BOOTARGS, cpu=CPU, smp=smp, memory=memory)
    with Session(machine) as session:
        session.wait(timeout)
        text = session.text
    assert re.search(READY, text, re.MULTILINE) and LOADED in text, f"no KVM, so nothing was tested:\n{text}"
    parts = re.findall(r"^kvm-host: begin (\S+)\n(.*?)^kvm-host: end$", text, re.DOTALL | re.MULTILINE)
    assert [name for name, _ in parts] == names, f"not every guest was run:\n{text}"
    return {name: _outcome(part) for name, part in parts}
