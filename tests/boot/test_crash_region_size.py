# SPDX-License-Identifier: BSD-2-Clause
"""The crash region that `tools/lifeboat bundle` chooses is enough for the dump; docs/crash.md has what smaller ones do."""

import random
import subprocess
from pathlib import Path

import pytest

from lifeboatlib import bundle, initramfs, regionsize, target
from lifeboatlib.qemu import Machine, Session

pytestmark = pytest.mark.long

MIB = 1 << 20
CONSOLE = "console=ttyS0 quiet panic=-1 cryptomgr.notests"
DIE = f"{initramfs.PROLOGUE}echo c > /proc/sysrq-trigger\nsleep 100\n"
DUMP = initramfs.PROLOGUE + """
sed -n 's/^MemAvailable: */crash: available /p' /proc/meminfo
makedumpfile -F -l -d 1 /proc/vmcore 2> /log | echo "crash: dumped $(wc -c)"
reboot -f
"""
NOISE, ZEROS = 7 * MIB, 17 * MIB  # of Debian's capture image: 10.3 MB that unpack to 30.7


def capture_image(directory: Path, is_large: bool) -> Path:
    """A userspace that makes a dump and throws it away; as it is, or with as much beside it as Debian's, by zstd."""
    files: dict[str, Path | str | bytes] = {**target.with_libraries(target.MAKEDUMPFILE.file("usr/bin/makedumpfile"))}
    if is_large:
        files["modules"] = random.Random(15).randbytes(NOISE) + bytes(ZEROS)
    path = initramfs.make_initramfs(directory / "crash.cpio", DUMP, files)
    if is_large:
        subprocess.run(["zstd", "-q", path, "-o", path.with_suffix(".zst")], check=True)
        return path.with_suffix(".zst")
    return path


@pytest.mark.parametrize("is_large", [False, True], ids=["small", "debian"])
@pytest.mark.parametrize("newer", [False, True], ids=["6.12", "7.2"])
def test_the_dump_is_made_in_the_region_that_bundle_chooses(
    newer: bool, is_large: bool, stage: Path, tmp_path: Path
) -> None:
    kernel, image = target.kernel(newer), capture_image(tmp_path, is_large)
    size = regionsize.region_mib(kernel, image)
    plain = bundle.simple(bundle.linux(kernel), initramfs.make_initramfs(tmp_path / "primary.cpio", DIE), CONSOLE)
    made = bundle.with_crash(plain, image, CONSOLE, crash=bundle.Crash(size * MIB)).write(tmp_path / "bundle.itb")
    with Session(Machine(kernel=stage, initrd=made)) as session:
        session.expect(r"lifeboat: crash: .* ended by panic")
        free = int(session.expect(r"^crash: available (\d+) kB")[1])
        dumped = int(session.expect(r"^crash: dumped (\d+)")[1])
        print(f"\n{kernel.name}, {image.stat().st_size} bytes, {size} MiB: {free} kB available, {dumped} bytes of dump")
        session.expect("the crash kernel ended in good order")
    assert dumped > 8 * MIB and "unpacking failed" not in session.text
