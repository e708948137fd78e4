# SPDX-License-Identifier: BSD-2-Clause
"""Machines in which a function of the stage is made to fail: the debugger returns an error in its place.

They differ in what the stage has to do, so that each function that can fail has one that calls it.
"""

import re
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import keyed
from badfdt import STAGE_AT, Shim, dump_fdt, loader
from crash_bare import REGION, bare_bundle, expect_filled
from lifeboatlib.gdbstub import Gdb, debugged

from house import stage_files
from lifeboatlib import bundle, keys
from lifeboatlib.paths import REPO
from lifeboatlib.qemu import Machine, Session

Build = Callable[..., object]

MEMORY = "256M"
RESET_VECTOR = 0x1000
LAST = "trampoline_start"  # the page that norelocate begins
NO_SPACE, SBI_FAILED = -4, -1  # LB_ENOSPC; SBI_ERR_FAILED
HARM = r"^lifeboat: trap.*|^(checker|primary): (FAIL|trap).*"
OVERLAY = '/dts-v1/; /plugin/; &{/} { overlaid { compatible = "lifeboat,overlaid"; }; };'
POOL = """reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;
    pool { size = <0 0x100000>; alloc-ranges = <0 0x80000000 0 0x8000000>; };
};"""
ELF_AT = 0x84000000  # where the primary is that is one
# What kexec leaves: the stage, FDT, core header and bundle in usable memory; and a crash region elsewhere.
USABLE, USABLE_SIZE = STAGE_AT, 64 << 20
FDT_AT, CORE_AT, BUNDLE_AT = STAGE_AT + 0x100_0000, STAGE_AT + 0x110_0000, STAGE_AT + 0x120_0000
FORMER_REGION = 0x88000000
RAM_AT, RAM_SIZE = 0x80200000, 254 << 20  # behind OpenSBI, of which this FDT has no reservation


def fallible() -> dict[str, tuple[str, int]]:
    """By name: which file defines it, and what it returns when it fails."""
    found = {}
    for path in stage_files(".c"):
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r"^(?:static )?enum lb_err (\w+)\(", text, re.MULTILINE):
            found[name] = (str(path.relative_to(REPO)), NO_SPACE)
        for name in re.findall(r"^struct sbi_result (sbi_\w+)\(", text, re.MULTILINE):
            found[name] = (str(path.relative_to(REPO)), SBI_FAILED)
    return found


FALLIBLE = fallible()


class Lab:
    """A machine that stands still between the methods' calls."""

    def __init__(self, session: Session, gdb: Gdb, known: dict[str, int]) -> None:
        self.session = session
        self.gdb = gdb
        self.known = known

    def fail(self, function: str) -> None:
        """Runs to the function's first call and makes that fail."""
        assert self.gdb.run_to(self.known[function], self.known[LAST]) != self.known[LAST], "it is not called"
        self.gdb.set_register("a0", FALLIBLE[function][1] & (1 << 64) - 1)
        self.gdb.set_register("pc", self.gdb.register("ra"))

    def watch(self) -> frozenset[str]:
        """Runs to the end of the stage's life, and of this lab; which functions that can fail it has called."""
        waiting = {self.known[name]: name for name in FALLIBLE if name in self.known}
        called = set()
        for address in (*waiting, self.known[LAST]):
            self.gdb.set_break(address)
        while (at := self.gdb.cont()) != self.known[LAST]:
            called.add(waiting.pop(at))
            self.gdb.clear_break(at)
        return frozenset(called)

    def die(self) -> None:
        """Lets the primary do its work, and presses the button: the stage's next life is about to begin."""
        self.gdb.free_run()
        expect_filled(self.session)
        self.gdb.interrupt()
        self.session.qmp("system_reset")
        self.session.until(lambda: self.gdb.pc == RESET_VECTOR, "a reset")

    def outcome(self, *patterns: str) -> str:
        """Lets the machine go until the console has one of these; which line."""
        start = len(self.session.text)
        self.gdb.free_run()
        found = self.session.expect("|".join(f"(?:{pattern})" for pattern in patterns))
        harm = re.search(HARM, self.session.text[start:], re.MULTILINE)
        assert not harm, harm
        return found[0]


Life = Callable[[Lab], None]  # brings a machine to where the life begins that is looked at


@dataclass(frozen=True, eq=False)
class Case:
    """A machine, and where the stage's functions are."""

    known: dict[str, int]
    machine: Machine

    @contextmanager
    def begin(self, life: Life) -> Iterator[Lab]:
        """The machine, at the beginning of a life."""
        with debugged(self.machine) as (session, gdb):
            lab = Lab(session, gdb, self.known)
            life(lab)
            yield lab


@cache
def calls(case: Case, life: Life) -> frozenset[str]:
    """The functions that can fail and are called in that life."""
    with case.begin(life) as lab:
        return lab.watch()


# The machines.


def plain(build_payload: Build, stage: Path, directory: Path) -> Machine:
    """Pattern and checker; the second try is for a first that fails."""
    made = bare_bundle(build_payload, directory / "bare.itb", attempts=2, WAIT=1)
    return Machine(kernel=stage, initrd=made, memory=MEMORY)


def rich(build_payload: Build, stage: Path, directory: Path, keydir: Path) -> Machine:
    """The same, but signed, packed, with an initramfs and an overlay; and the machine demands the signature."""
    overlay, ramdisk = directory / "overlay.dtbo", directory / "ramdisk"
    subprocess.run(["dtc", "-q", "-@", "-O", "dtb", "-o", overlay], input=OVERLAY, text=True, check=True)
    ramdisk.write_bytes(bytes(8192))
    primary = bundle.linux(build_payload("crash_primary", WAIT=1).bin)  # type: ignore[attr-defined]
    checker = bundle.linux(build_payload("crash_checker").bin)  # type: ignore[attr-defined]
    made = bundle.simple(bundle.compress(primary, "gzip", directory), ramdisk)
    made = bundle.with_fdts(made, [overlay])
    crash = bundle.Crash(REGION, 2, "capture")
    made = bundle.with_crash(made, payload=bundle.compress(checker, "zstd", directory), crash=crash)
    made = replace(made, signing=bundle.Signing(keyed.private(keydir, "rsa2048")))
    dtb = keyed.virt_fdt(directory, MEMORY, keydir, ["rsa2048"], keys.Policy(required="conf"))
    return Machine(kernel=stage, initrd=made.write(directory / "rich.itb"), memory=MEMORY, dtb=dtb)


def other(build_payload: Build, stage: Path, directory: Path) -> Machine:
    """Behind the stage, an ELF in lz4, under an FDT of the bundle's; a pool is still to be placed. A menu waits."""
    plain_fdt, with_pool = dump_fdt(directory / "virt.dtb"), directory / "pool.dtb"
    source = subprocess.run(["dtc", "-q", "-O", "dts", plain_fdt], check=True, capture_output=True, text=True)
    text = source.stdout.replace("chosen {", f"{POOL}\n chosen {{", 1)
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o", with_pool], input=text, text=True, check=True)
    primary = bundle.elf(build_payload("crash_primary", base=ELF_AT, WAIT=1).elf)  # type: ignore[attr-defined]
    checker = bundle.linux(build_payload("crash_checker").bin)  # type: ignore[attr-defined]
    made = bundle.with_fdts(bundle.simple(bundle.compress(primary, "lz4", directory)), [plain_fdt])
    packed = bundle.compress(checker, "lz4", directory)
    made = bundle.with_crash(made, payload=packed, crash=bundle.Crash(REGION, 2, "capture"))
    whole = directory / "whole.bin"
    whole.write_bytes(stage.read_bytes() + made.write(directory / "other.itb").read_bytes())
    return Machine(kernel=whole, memory=MEMORY, dtb=with_pool, append="lifeboat.menu=1")


def dying(build_payload: Build, stage: Path, directory: Path) -> Machine:
    """As a Linux leaves it that has panicked with the stage as its crash kernel."""
    shim = Shim(stage, build_payload, dump_fdt(directory / "good.dtb"), directory)
    core, made = directory / "core", directory / "dying.itb"
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    core.write_bytes(ident + struct.pack("<HHIQQQIHHHHHH", 4, 243, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0))
    bundle.simple(bundle.linux(build_payload("crash_checker").bin)).write(made)  # type: ignore[attr-defined]
    fdt = shim.fdt().put("/chosen", "linux,usable-memory-range", 0, USABLE, 0, USABLE_SIZE)
    fdt.put("/memory@80000000", "reg", 0, RAM_AT, 0, RAM_SIZE)
    fdt.put("/chosen", "linux,elfcorehdr", 0, CORE_AT, 0, 0x1000)
    fdt.put("/chosen", "lifeboat,bundle", 0, BUNDLE_AT, 0, made.stat().st_size)
    node = f"/reserved-memory/was@{FORMER_REGION:x}"
    fdt.add_node("/reserved-memory").put("/reserved-memory", "ranges")
    fdt.put("/reserved-memory", "#address-cells", 2).put("/reserved-memory", "#size-cells", 2)
    fdt.add_node(node).put(node, "reg", 0, FORMER_REGION, 0, REGION).put(node, "no-map")
    subprocess.run(["fdtput", "-t", "s", fdt.path, node, "compatible", "lifeboat,crash-region"], check=True)
    extra = loader(core, CORE_AT) + loader(made, BUNDLE_AT)
    return shim.machine(fdt.path, FDT_AT, FDT_AT, extra=extra)
