# SPDX-License-Identifier: BSD-2-Clause
"""Makes a kernel module that is the death of the kernel that loads it, as userspace alone cannot be.

It needs no kernel headers: what a module has to agree on with its kernel (the size of struct module,
where its name and its init function stand in it, the version magic) is taken from one of that kernel's own.
"""

import re
import subprocess
import tempfile
from pathlib import Path

from lifeboatlib import target
from lifeboatlib.ui import LifeboatError

CROSS = "riscv64-linux-gnu-"
EXAMPLE = "virtio_blk"
SECTION = ".gnu.linkonce.this_module"

# What init does.
WAYS = {
    "hang": "csrci sstatus, 2\n1: j 1b",  # for ever, with interrupts off
    "overflow": "1: addi sp, sp, -1024\nsd zero, 0(sp)\nj 1b",  # down the stack, to its guard page
}

# The empty sections are those that riscv's module loader insists on; the kernel puts PLT and GOT there.
SOURCE = """
.section .plt, "ax"
.byte 0
.section .got, "aw"
.byte 0
.section .got.plt, "aw"
.byte 0
.section .modinfo, "a"
.asciz "license=GPL"
.asciz "name={name}"
.asciz "{vermagic}"
.section {section}, "aw"
.balign 64
.globl __this_module
__this_module:
.org __this_module + {name_at}
.asciz "{name}"
.org __this_module + {init_at}
.dword init_module
.org __this_module + {size}
.text
.globl init_module
init_module:
{code}
"""


def _tool(name: str, *words: str | Path) -> str:
    """What one of the cross binutils says."""
    done = subprocess.run([CROSS + name, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LifeboatError(f"{CROSS}{name} failed: {done.stderr.strip()}; report this")
    return done.stdout


def _layout(example: Path) -> dict[str, object]:
    """What SOURCE needs to know of the kernel, out of a module of its own."""
    section, info = example.with_suffix(".this"), example.with_suffix(".info")
    dumps = [f"--dump-section={SECTION}={section}", f"--dump-section=.modinfo={info}"]
    _tool("objcopy", *dumps, example, example.with_suffix(".copy"))
    here = section.read_bytes()
    magic = re.search(rb"vermagic=[^\0]+", info.read_bytes())
    relocations = _tool("readelf", "-rW", example).partition(f"'.rela{SECTION}'")[2]
    init = re.search(r"^([0-9a-f]+) .*R_RISCV_64 .* init_module ", relocations, re.MULTILINE)
    name_at = here.find(EXAMPLE.encode() + b"\0")
    if not magic or not init or name_at < 0:
        raise LifeboatError(f"{EXAMPLE}.ko is not built as expected; report this")
    return {
        "vermagic": magic[0].decode(), "name_at": name_at, "init_at": int(init[1], 16), "size": len(here),
    }  # fmt: skip


def module(way: str, newer: bool = False) -> bytes:
    """The module, for Debian's kernel or the next Debian's; loading it never returns."""
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        example, made = Path(scratch) / "example.ko", Path(scratch) / "made.ko"
        example.write_bytes(target.module(EXAMPLE, newer))
        layout = _layout(example)
        source = SOURCE.format(name=f"lifeboat_{way}", section=SECTION, code=WAYS[way], **layout)
        made.with_suffix(".s").write_text(source, encoding="ascii")
        _tool("as", "-march=rv64imac_zicsr_zifencei", "-mno-relax", "-o", made, made.with_suffix(".s"))
        return made.read_bytes()
