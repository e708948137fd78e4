# SPDX-License-Identifier: BSD-2-Clause
"""The example for Linux: built against Debian's headers, loaded into Debian's kernel, and seen in its dump."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from crash_lab import CONSOLE
from test_crash_call import SHOW_NOTES, prstatus

from lifeboatlib import bundle, initramfs, target
from lifeboatlib.paths import REPO
from lifeboatlib.qemu import Machine, Session

pytestmark = pytest.mark.long

EXAMPLE = REPO / "examples" / "linux"
CROSS = "riscv64-linux-gnu-"
KERNEL_VA = 0xFFFF_FFFF_8000_0000
VMCOREINFO = b"VMCOREINFO\0"
# Its last command panics on CPU 2, which is any hart.
PRIMARY = initramfs.PROLOGUE + """
insmod /lib/lifeboat_call.ko
dmesg | grep lifeboat:
echo "primary: CPU 2 is hart $(sed -n '/^processor.*: 2$/,/^$/s/^hart[^:]*: //p' /proc/cpuinfo)"
{death}
"""
DEATHS = {
    "panic": "taskset 4 sh -c 'echo c > /proc/sysrq-trigger'",
    "oops": "echo 1 > /proc/sys/kernel/panic_on_oops; insmod /lib/oops.ko",
}
# The kernel's build runs programs of its own, which are the target's.
RUN_BY_QEMU = ("scripts/basic/fixdep", "scripts/mod/modpost")
OOPS = """// Oopses with a value in s11 that is known again.
#include <linux/module.h>
static int __init oops_init(void)
{
	asm volatile("li s11, 0x5ea05ea0; ld zero, 0(zero)" ::: "s11");
	return 0;
}
module_init(oops_init);
MODULE_LICENSE("Dual BSD/GPL");
"""


def qemu_user() -> str:
    """Runs a program of the target's on this machine."""
    found = shutil.which("qemu-riscv64") or shutil.which("qemu-riscv64-static")
    if not found:
        pytest.skip("needs the package qemu-user, for the kernel's own riscv64 build programs")
    return found


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with lifeboat_call.ko and oops.ko."""
    qemu, root = qemu_user(), tmp_path_factory.mktemp("headers")
    for part in target.headers():
        subprocess.run(["cp", "-a", f"{part}/.", root], check=True)
    (root / "lib").symlink_to(next(p.root for p in target.LIBRARIES if p.name == "libc6") / "usr" / "lib")
    (kbuild,) = root.glob("usr/lib/linux-kbuild-*")
    for name in RUN_BY_QEMU:
        program = kbuild / name
        # modpost only picks the one for the target's byte order and word size.
        real = next(program.parent.glob(f"{program.name}.real-lsb-64"), None)
        if not real:
            real = program.rename(program.with_suffix(".real"))
        program.unlink(missing_ok=True)
        program.write_text(f'#!/bin/sh\nexec {qemu} -L {root} {real} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    source = tmp_path_factory.mktemp("module")
    shutil.copytree(EXAMPLE, source, dirs_exist_ok=True)
    (source / "oops.c").write_text(OOPS, encoding="utf-8")
    with (source / "Makefile").open("a", encoding="utf-8") as makefile:
        makefile.write("obj-m += oops.o\n")
    (built,) = root.glob("usr/src/linux-headers-*-riscv64")
    (common,) = root.glob("usr/src/linux-headers-*-common")
    argv = [
        "make", "-C", built, "-f", common / "Makefile", "ARCH=riscv", f"CROSS_COMPILE={CROSS}", f"CC={CROSS}gcc",
        "CONFIG_DEBUG_INFO_BTF_MODULES=", f"M={source}", f"LIFEBOAT={REPO}", "modules",
    ]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    complaints = [line for line in done.stderr.splitlines() if re.match(r"/.*: warning:", line)]
    assert complaints == []
    return source


@pytest.mark.parametrize("death", DEATHS)
def test_a_panic_leaves_its_registers_beside_vmcoreinfo(
    death: str, module: Path, stage: Path, kernel: Path, tmp_path: Path
) -> None:
    files = {f"lib/{path.name}": path.read_bytes() for path in module.glob("*.ko")}
    primary = initramfs.make_initramfs(tmp_path / "p.cpio", PRIMARY.format(death=DEATHS[death]), files)
    crash = initramfs.make_initramfs(tmp_path / "c.cpio", SHOW_NOTES)
    plain = bundle.simple(bundle.linux(kernel), primary, f"{CONSOLE} panic=1 quiet")
    made = bundle.with_crash(plain, crash, f"{CONSOLE} quiet panic=1", crash=bundle.Crash(256 << 20))
    made_path = made.write(tmp_path / "linux.itb")
    with Session(Machine(kernel=stage, initrd=made_path, memory="1G", smp=4)) as session:
        session.expect("lifeboat: a panic saves registers")
        panicking = int(session.expect(r"primary: CPU 2 is hart (\d+)")[1])
        session.expect(r"crash: Linux \S+ ended by panic")
        session.expect("crash: the registers of 1 of 4 harts were saved")
        session.expect("crash: shown")
        console = session.text
    core = bytes.fromhex("".join(re.findall(r"^vmcore: (\w+)\s*$", console, re.MULTILINE)))
    ((hart, registers),) = prstatus(core).items()
    assert VMCOREINFO in core
    if death == "panic":
        assert hart == panicking
        assert registers[1] > KERNEL_VA, "ra is not in the kernel"
    else:
        assert registers[27] == 0x5EA05EA0, "s11 is not the oops's"
    assert registers[2] >> 48 in (0xFF20, 0xFFFF), "sp is no kernel stack"
