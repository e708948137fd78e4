# SPDX-License-Identifier: BSD-2-Clause
"""A primary with Debian's kexec-tools that takes lifeboat as its crash image, and crash kernels that look at the dump."""

import gzip
import struct
from dataclasses import dataclass, replace
from pathlib import Path

from crash_lab import CONSOLE, Lab
from lifeboatlib import bundle, initramfs, target
from lifeboatlib.paths import TOOLS
from lifeboatlib.qemu import Session

TOKEN = "lifeboat-kexec-token"
LOADED = r"primary: loaded (\d), crashkernel ([0-9a-f]+)-([0-9a-f]+)"
PANIC = "echo c > /proc/sysrq-trigger"
ENTERED = r"lifeboat: kexec: started by a dying kernel, in \[(0x[0-9a-f]+)\.\.(0x[0-9a-f]+)\]"
NOTES_BYTES = 16384  # of /proc/vmcore: its header, and the notes of as many CPUs as the tests have

PRIMARY = initramfs.PROLOGUE + f"""
echo "{TOKEN}" > /dev/kmsg
{{load}}
echo "primary: loaded $(cat /sys/kernel/kexec_crash_loaded), crashkernel $(sed -n 's/^ *\\(.*\\) : Crash kernel/\\1/p' /proc/iomem)"
echo "primary: ready"
read -r order
eval "$order"
sleep 1000
"""

# What a dump is worth: the tools' verdicts, and the notes for the host to read. makedumpfile is asked for a level
# that it is right about (docs/crash.md): whether it can do more depends on what it takes for struct page.
CRASH = initramfs.PROLOGUE + f"""
echo "crash: vmcore $(stat -c %s /proc/vmcore)"
echo "crash: bootargs $(cat /proc/cmdline)"
vmcore-dmesg /proc/vmcore > /tmp/vmcore-dmesg.txt && echo "crash: vmcore-dmesg $(grep -c -e {TOKEN} -e 'Kernel panic' /tmp/vmcore-dmesg.txt)"
makedumpfile --dump-dmesg /proc/vmcore /tmp/dmesg.txt > /tmp/log 2>&1 && echo "crash: makedumpfile $(grep -c -e {TOKEN} -e 'Kernel panic' /tmp/dmesg.txt)"
dump=$( (makedumpfile -F -l -d {{level}} /proc/vmcore || echo > /tmp/failed) 2>> /tmp/log | wc -c)
[ -e /tmp/failed ] || echo "crash: dump $dump"
cat /tmp/log
echo "crash: notes $(head -c {NOTES_BYTES} /proc/vmcore | gzip | xxd -p | tr -d '\\n')"
reboot -f
"""


@dataclass(frozen=True)
class Kit:
    """What is loaded by kexec, and what the dump is looked at with."""

    stage: Path
    directory: Path

    def tools(self) -> dict[str, Path | str | bytes]:
        """Debian's programs."""
        programs = (
            target.KEXEC_TOOLS.file("usr/sbin/kexec"),
            target.KEXEC_TOOLS.file("usr/sbin/vmcore-dmesg"),
            target.MAKEDUMPFILE.file("usr/bin/makedumpfile"),
        )
        found: dict[str, Path | str | bytes] = {}
        for program in programs:
            found |= target.with_libraries(program)
        return found

    def crash_initramfs(self, level: int = 1) -> Path:
        """The userspace that looks, and makes a dump by a level of makedumpfile."""
        return initramfs.make_initramfs(self.directory / "crash.cpio", CRASH.format(level=level), self.tools())

    def inner(self, payload: bundle.Image | None = None, append: str = f"{CONSOLE} quiet panic=1") -> Path:
        """The bundle that goes with lifeboat by kexec: a crash configuration (and one that is never started)."""
        made = bundle.simple(bundle.linux(target.kernel()), self.crash_initramfs(), "panic=-1 nothing")
        if payload:
            made = bundle.with_crash(made, payload=payload)
        else:
            made = bundle.with_crash(made, self.crash_initramfs(), append)
        return made.write(self.directory / "inner.itb")

    def outer(
        self, load: str, crashkernel: str, files: dict[str, Path], staged: bool = False, append: str = "",
        signing: bundle.Signing | None = None, lent: bool = False,
    ) -> Path:  # fmt: skip
        """The bundle that firmware loads: a primary that loads by kexec, with or without a staged crash kernel."""
        content: dict[str, Path | str | bytes] = {
            **self.tools(), "lifeboat.bin": self.stage,
            "bin/lifeboat-kexec": TOOLS / "lifeboat-ctl" / "lifeboat-kexec", **files,
        }  # fmt: skip
        primary = initramfs.make_initramfs(
            self.directory / "primary.cpio", PRIMARY.format(load=load), content
        )
        append = f"{CONSOLE} quiet panic=1 {crashkernel} {append}"
        made = bundle.simple(bundle.linux(target.kernel(newer=lent)), primary, append)
        if lent:
            made = bundle.with_reserve(made, bundle.Crash(128 << 20, kept_size=8 << 20, lent=True))
        if staged:
            made = bundle.with_crash(made, self.crash_initramfs(), f"{CONSOLE} quiet panic=1")
        return replace(made, signing=signing).write(self.directory / "outer.itb")


def expect_good_dump(session: Session, harts: int) -> list[bytes]:
    """The crash kernel's tools find both lines in the log, and a dump is made; gives the notes' bytes."""
    lab = Lab(session)
    assert int(lab.expect(r"crash: vmcore (\d+)")[1]) > 500 << 20
    for tool in ("vmcore-dmesg", "makedumpfile"):
        assert int(lab.expect(rf"crash: {tool} (\d+)")[1]) >= 2
    assert int(lab.expect(r"crash: dump (\d+)")[1]) > 4 << 20
    head = bytes.fromhex(lab.expect(r"crash: notes ([0-9a-f]+)")[1])
    return head_notes(head, harts)


def head_notes(packed: bytes, harts: int) -> list[bytes]:
    """The registers of each NT_PRSTATUS note in the head of a vmcore: 32 of 8 bytes, pc first."""
    head = gzip.decompress(packed)
    kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", head, 64)
    assert kind == 4, "the first program header is no PT_NOTE"
    found, at = [], offset
    while at + 12 <= min(offset + size, len(head)):
        name_size, desc_size, note_type = struct.unpack_from("<III", head, at)
        if not name_size:
            break
        name = head[at + 12 : at + 12 + name_size]
        desc_at = at + 12 + (name_size + 3 & -4)
        if name == b"CORE\0" and note_type == 1:
            found.append(head[desc_at + 112 : desc_at + 112 + 256])
        at = desc_at + (desc_size + 3 & -4)
    assert len(found) == harts, f"{len(found)} notes of {harts} harts"
    return found
