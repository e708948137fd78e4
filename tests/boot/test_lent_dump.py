# SPDX-License-Identifier: BSD-2-Clause
"""A machine that fills what was lent to it dies: its dump has all that the kernel had, and crash(8) opens it.

The next Debian's kernel, which has CMA. Whose a page is that the dump lacks, examples/drgn/absent.py tells.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from crash_lab import CONSOLE, PRIMARY, Lab, machine
from kdump import PAGE, Pages
from lifeboatlib import bundle, capture, crash8, drgn, initramfs, target
from lifeboatlib.paths import REPO
from lifeboatlib.qemu import Session

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("lent dump")]

MIB = 1 << 20
SIZE, KEPT, OWN = 256 * MIB, 32 * MIB, 4 * MIB
LENT = SIZE - KEPT - OWN
TOKEN = "lent-and-gone"

# What CMA may lend is pages that can be moved: those of tmpfs, and of a program that grows when that is full.
# (While there is much else that is free, Linux takes that.)
FILL = f"""insmod /lib/virtio_blk.ko; mkdir /fill; mount -t tmpfs -o size=900m none /fill
grep -E 'MemTotal|MemAvailable|Cma' /proc/meminfo; dd if=/dev/zero of=/fill/all bs=1M count=560
{{ awk 'BEGIN {{ s = "x"; while (length(s) < 2e7) s = s s; system("touch /grown; sleep 1000") }}' & }}
until [ -e /grown ]; do sleep 1; done
grep CmaFree /proc/meminfo; dmesg | grep 'CMA memory pool'; lifeboat-ctl load /crash.itb
echo {TOKEN} > /dev/kmsg; echo c > /proc/sysrq-trigger""".replace("\n", "; ")

RESERVED = r"map reusable lifeboat-lent"
ABSENT = r"^absent: \[0x([0-9a-f]+)\.\.0x([0-9a-f]+)\] (.*)$"
COUNT = r"(\d+) ([\w ()]+)"
BY_FDT, FREE, PROGRAM, FILE = "reserved by the FDT", "free", "of a program", "of a file"
WALKED = r"^walked: (\d+) tasks, (\d+) modules, (\d+) lines of log, (\d+) slab caches with (\d+) objects$"
OWN_PAGES = r"^absent of the kernel's own: (\d+) pages"


@dataclass(frozen=True)
class Death:
    """What is left of the machine."""

    console: str
    dump: Path
    dmesg: str
    vmcore_dmesg: str

    def lent(self) -> tuple[int, int]:
        """The first and the last byte that was lent, as the dead kernel had it."""
        found = re.search(rf"0x([0-9a-f]+)\.\.0x([0-9a-f]+) \(\d+ KiB\) {RESERVED}", self.dmesg)
        assert found
        return int(found[1], 16), int(found[2], 16)


@pytest.fixture(scope="module")
def death(ctl: Path, stage: Path, tmp_path_factory: pytest.TempPathFactory) -> Death:
    """It fills what it was lent, dies, and is captured."""
    directory = tmp_path_factory.mktemp("lent")
    crash = capture.crash_initramfs(directory / "crash.cpio", newer=True)
    kernel = bundle.linux(target.kernel(newer=True))
    packed = bundle.simple(bundle.compress(kernel, "gzip", directory))
    loaded = bundle.with_crash(packed, crash, f"{CONSOLE} quiet").write(directory / "crash.itb")
    module = target.module("virtio_blk", newer=True)
    files = {"bin/lifeboat-ctl": ctl, "crash.itb": loaded, "lib/virtio_blk.ko": module}
    primary = initramfs.make_initramfs(directory / "primary.cpio", PRIMARY, files)
    plain = bundle.simple(kernel, primary, f"{CONSOLE} quiet panic=1 cma=0")
    region = bundle.Crash(SIZE, kept_size=KEPT, lent=True)
    made = bundle.with_reserve(plain, region).write(directory / "lent.itb")
    disk = capture.make_disk(directory / "disk")
    with Session(machine(stage, made, directory, memory="1G", extra=disk)) as session:
        lab = Lab(session)
        lab.expect(rf"lifeboat: crash: lent to the primary: {LENT // MIB} MiB")
        lab.order(FILL)
        assert int(lab.expect(r"^CmaTotal: +(\d+) kB")[1]) == LENT >> 10
        assert int(lab.expect(r"^CmaFree: +(\d+) kB")[1]) > (LENT >> 10) * 0.9
        assert int(lab.expect(r"^CmaFree: +(\d+) kB")[1]) < (LENT >> 10) * 0.6
        lab.expect("^loaded$")
        lab.expect("lifeboat: crash: userspace loaded a crash kernel")
        lab.expect("lifeboat demo: saved")
        lab.expect("the crash kernel ended in good order")
        console = session.text
    dump = capture.read_disk(directory / "disk")
    kept = directory / "vmcore"
    kept.write_bytes(dump.kdump[capture.DUMP_LEVEL].content)
    return Death(console, kept, dump.dmesg, dump.vmcore_dmesg)


def asked(death: Death, dump: Path) -> tuple[dict[tuple[int, int], dict[str, int]], str]:
    """Pages by kind of each range that a dump lacks, and all that was said."""
    vmlinux = crash8.vmlinux(target.linux(newer=True).release())
    said = drgn.ask(dump, vmlinux, REPO / "examples/drgn/absent.py")
    print(said)
    ranges = {
        (int(start, 16), int(end, 16)): {kind: int(number) for number, kind in re.findall(COUNT, counts)}
        for start, end, counts in re.findall(ABSENT, said, re.MULTILINE)
    }
    return ranges, said


def test_its_log_is_saved_and_there_is_no_word_of_doubt(death: Death) -> None:
    assert TOKEN in death.dmesg and TOKEN in death.vmcore_dmesg
    assert "its log does not say" not in death.console


def test_what_the_dump_lacks_is_nothing_of_the_kernel(death: Death) -> None:
    """What was lent, to the page, was programs', files' or free. All else that is absent is the FDT's."""
    ranges, said = asked(death, death.dump)
    lent = ranges.pop(death.lent())
    assert lent.keys() <= {FREE, PROGRAM, FILE} and sum(lent.values()) == LENT // PAGE
    assert lent[FILE] + lent[PROGRAM] > LENT // PAGE / 3 and lent[PROGRAM] > 1000
    assert ranges and all(kinds.keys() == {BY_FDT} for kinds in ranges.values())
    own, walked = (re.search(line, said, re.MULTILINE) for line in (OWN_PAGES, WALKED))
    assert own and own[1] == "0" and walked
    tasks, modules, lines, caches, objects = map(int, walked.groups())
    assert tasks > 20 and modules == 1 and caches > 50 and objects > 10_000
    assert lines >= len(death.dmesg.splitlines())


def test_a_page_of_the_kernel_that_is_not_there_is_told_of(death: Death, tmp_path: Path) -> None:
    """As the other test would, if one had been lent."""
    content = bytearray(death.dump.read_bytes())
    pages = Pages(bytes(content))
    pfn = pages.mem_section() // PAGE
    content[pages.ram_at + pfn // 8] &= ~(1 << pfn % 8)
    poorer = tmp_path / "vmcore"
    poorer.write_bytes(content)
    ranges, said = asked(death, poorer)
    assert ranges[pfn * PAGE, pfn * PAGE + PAGE - 1] == {"of the kernel": 1}
    assert f"absent of the kernel's own: 1 pages {pfn * PAGE:#x}\n" in said


def test_crash8_opens_the_dump(death: Death) -> None:
    said = crash8.look(death.dump, target.linux(newer=True).release())
    assert TOKEN in said and " sysrq_handle_crash at " in said
