# SPDX-License-Identifier: BSD-2-Clause
"""Deaths: from the first instruction of Linux' panic() to the crash kernel's, by each way; and what arming costs."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lifeboatlib import build, bundle, command, initramfs, target
from lifeboatlib.bench.bed import (
    HANDOFF, NEXT_STAGE, RESET_VECTOR, Bed, Row, between, debugged, entry_of, firmware_part,
)  # fmt: skip
from lifeboatlib.gdbstub import Gdb
from lifeboatlib.paths import REPO, TOOLS
from lifeboatlib.qemu import Machine, Session
from lifeboatlib.ui import LifeboatError

MIB = 1 << 20
CONSOLE = "console=ttyS0 quiet cryptomgr.notests"
BOOTARGS = f"{CONSOLE} panic=-1"
READY = "bench: ready"
FACTS = r"^bench: panic (\w+)\nbench: machine_restart (\w+)\nbench: region (\w*)\n"
REGION = r"crash: region \[(0x[0-9a-f]+)\.\."
PANIC = "echo c > /proc/sysrq-trigger\n"
REBOOT = "reboot -f\n"
PRIMARY = initramfs.PROLOGUE + r"""
{load}
for name in panic machine_restart; do
    echo "bench: $name $(sed -n "s/^\([0-9a-f]*\) T $name$/\1/p" /proc/kallsyms)"
done
echo "bench: region $(sed -n 's/^ *\([0-9a-f]*\)-.* : Crash kernel$/\1/p' /proc/iomem)"
echo "bench: memory $(sed -n 's/^MemTotal: *\(.*\) kB/\1/p' /proc/meminfo)"
echo "{ready}"
read -r order
eval "$order"
sleep 1000
"""
CALLER = Path(__file__).with_name("caller.c")
CALLER_AT = 0x84000000
FLAGS = (
    "-march=rv64imac_zicsr_zifencei", "-mabi=lp64", "-mcmodel=medany", "-std=c11", "-O2", "-ffreestanding",
    "-fno-tree-loop-distribute-patterns", "-nostdlib", "-static", f"-I{REPO}", f"-Wl,-Ttext={CALLER_AT:#x}",
    "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments",
)  # fmt: skip


def primary(bed: Bed, name: str, load: str, files: dict[str, Path | str | bytes]) -> Path:
    """An initramfs that loads a crash kernel, tells where things are, and dies when it is told to."""
    script = PRIMARY.format(load=load, ready=READY)
    return initramfs.make_initramfs(bed.scratch / f"{name}.cpio", script, files)


def by_kexec(bed: Bed) -> dict[str, Path | str | bytes]:
    """What kexec needs in the primary."""
    files: dict[str, Path | str | bytes] = {"lifeboat.bin": bed.stage}
    files["bin/lifeboat-kexec"] = TOOLS / "lifeboat-ctl/lifeboat-kexec"
    return files | target.with_libraries(target.KEXEC_TOOLS.file("usr/sbin/kexec"))


def prepared(bed: Bed) -> Path:
    """Firmware's bundle has the crash kernel."""
    kernel = bundle.linux(target.kernel())
    made = bundle.simple(kernel, primary(bed, "prepared", "", {}), BOOTARGS)
    return bundle.with_crash(made, bed.ramdisk, CONSOLE).write(bed.scratch / "prepared.itb")


def lent(bed: Bed) -> Path:
    """Userspace loads the crash kernel, packed; the primary uses its memory meanwhile."""
    kernel = bundle.linux(target.kernel(newer=True))
    packed = bundle.compress(kernel, "zstd", bed.scratch)
    loaded = bundle.with_crash(bundle.simple(packed), bed.ramdisk, CONSOLE).write(bed.scratch / "loaded.itb")
    files: dict[str, Path | str | bytes] = {"bin/lifeboat-ctl": build.build_ctl(), "crash.itb": loaded}
    made = bundle.simple(kernel, primary(bed, "lent", "lifeboat-ctl load /crash.itb", files), f"{BOOTARGS} cma=0")
    wanted = bundle.Crash(256 * MIB, kept_size=32 * MIB, lent=True)
    return bundle.with_reserve(made, wanted).write(bed.scratch / "lent.itb")


def kexec_prepared(bed: Bed) -> Path:
    """kexec -p has lifeboat only; firmware's bundle has the crash kernel."""
    first = primary(bed, "kexec", "lifeboat-kexec /lifeboat.bin", by_kexec(bed))
    made = bundle.simple(bundle.linux(target.kernel()), first, f"{BOOTARGS} crashkernel=16M")
    return bundle.with_crash(made, bed.ramdisk, CONSOLE).write(bed.scratch / "kexec.itb")


def kexec_bundle(bed: Bed) -> Path:
    """kexec -p has lifeboat and a bundle."""
    made = bundle.with_crash(bundle.simple(bundle.linux(target.kernel())), bed.ramdisk, CONSOLE)
    files = by_kexec(bed) | {"inner.itb": made.write(bed.scratch / "inner.itb")}
    first = primary(bed, "inside", "kexec -p /lifeboat.bin --initrd=/inner.itb", files)
    made = bundle.simple(bundle.linux(target.kernel()), first, f"{BOOTARGS} crashkernel=256M")
    return made.write(bed.scratch / "outer.itb")


def stock(bed: Bed) -> Path:
    """kexec -p as everybody has it."""
    files = by_kexec(bed) | {"Image": target.kernel(), "crash.cpio": bed.ramdisk}
    load = f"kexec -p /Image --initrd=/crash.cpio --command-line='{CONSOLE} nr_cpus=1'"
    made = bundle.simple(
        bundle.linux(target.kernel()), primary(bed, "stock", load, files), f"{BOOTARGS} crashkernel=256M"
    )
    return made.write(bed.scratch / "stock.itb")


@dataclass(frozen=True)
class Death:
    """Where, in a machine that was looked at once: panic() and machine_restart(), and the crash kernel's entry."""

    panic: int
    restart: int
    entry: int


def looked_at(machine: Machine, by_lifeboat: bool) -> Death:
    """Lets it die once without counting. kexec-tools' crash kernel is entered where its region begins."""
    with Session(machine) as session:
        panic, restart, region = session.expect(FACTS).groups()
        session.expect(READY)
        session.send(PANIC)
        entry = session.expect(HANDOFF)[1] if by_lifeboat else region
        return Death(int(panic, 16), int(restart, 16), int(entry, 16))




def counted(gdb: Gdb, death: Death) -> int:
    """From panic(), where it stands, to the crash kernel; a reset may lie between."""
    total = between(gdb, death.restart, death.entry)
    if gdb.pc == death.entry:
        return total
    gdb.run_to(RESET_VECTOR)
    total += firmware_part(gdb)
    gdb.step()
    return total + 1 + between(gdb, death.entry)


def dying(make: Callable[[Bed], Path], by_lifeboat: bool, bed: Bed) -> int:
    """From panic() to the crash kernel."""
    machine = Machine(kernel=bed.stage, initrd=make(bed))
    death = looked_at(machine, by_lifeboat)
    with debugged(machine) as (session, gdb):
        gdb.free_run()
        session.expect(READY)
        gdb.interrupt()
        session.send(PANIC)
        gdb.run_to(death.panic)
        return counted(gdb, death)


def arming(bed: Bed) -> dict[str, int]:
    """Both boots of a machine that is rebooted once, and then dies: measured in one run."""
    machine = Machine(kernel=bed.stage, initrd=prepared(bed))
    entry, found = entry_of(machine), {}
    death = looked_at(machine, True)
    with debugged(machine) as (session, gdb):
        gdb.run_to(NEXT_STAGE)
        gdb.step()
        found["first"] = 1 + between(gdb, entry)
        gdb.free_run()
        session.expect(READY)
        gdb.interrupt()
        session.send(REBOOT)
        gdb.run_to(RESET_VECTOR)
        gdb.run_to(NEXT_STAGE)
        gdb.step()
        found["again"] = 1 + between(gdb, entry)
        gdb.free_run()
        session.expect(READY)
        gdb.interrupt()
        session.send(PANIC)
        gdb.run_to(death.panic)
        found["panic"] = between(gdb, death.restart)
        gdb.run_to(RESET_VECTOR)
        found["firmware"] = firmware_part(gdb)
        gdb.step()
        found["stage"] = 1 + between(gdb, death.entry)
    found["death"] = found["panic"] + found["firmware"] + found["stage"]
    return found


def of_arming(name: str, bed: Bed) -> int:
    """One of them."""
    found = bed.once("arming", partial(arming, bed))
    assert isinstance(found, dict)
    return int(found[name])


def call_area(gdb: Gdb, scratch: Path) -> tuple[int, int]:
    """Address and size, as the FDT in a1 tells a system that is started."""
    at, dtb = gdb.register("a1"), scratch / "called.dtb"
    dtb.write_bytes(gdb.read_physical(at, int.from_bytes(gdb.read_physical(at + 4, 4), "big")))
    for name in command.output(["fdtget", "-l", dtb, "/reserved-memory"]).split():
        asked = ["fdtget", "-t", "x", dtb, f"/reserved-memory/{name}", "lifeboat,crash-call"]
        words = command.output(asked).split()
        if len(words) == 4:
            high, low, size_high, size_low = (int(word, 16) for word in words)
            return high << 32 | low, size_high << 32 | size_low
    raise LifeboatError("bench: the FDT tells of no call area")


def calling(bed: Bed) -> int:
    """From lifeboat_call_crash() to the crash kernel, of a program without paging."""
    elf = bed.scratch / "caller.elf"
    command.logged(["riscv64-linux-gnu-gcc", *FLAGS, "-o", elf, CALLER], "bench", "report this")
    listed = command.output(["riscv64-linux-gnu-nm", elf]).splitlines()
    symbols = {name: int(address, 16) for address, _, name in map(str.split, listed)}
    payload = bundle.linux(target.kernel())
    made = bundle.with_crash(bundle.simple(bundle.elf(elf)), bed.ramdisk, CONSOLE, payload)
    machine = Machine(kernel=bed.stage, initrd=made.write(bed.scratch / "call.itb"))
    with debugged(machine) as (session, gdb):
        gdb.run_to(symbols["_start"])
        area, size = call_area(gdb, bed.scratch)
        gdb.set_register("a0", area)
        gdb.set_register("a1", size)
        gdb.run_to(symbols["lifeboat_call_crash"])
        region = re.findall(REGION, session.text)[-1]
        return between(gdb, int(region, 16))


def rows() -> list[Row]:
    """In the order in which they are shown."""
    make = partial(Row, "crash")
    by_reset, kexec = "panic, by reset", "panic, by kexec"
    return [
        make("boot that arms", "prepared", partial(of_arming, "first")),
        make("boot that arms, after an orderly reboot", "prepared", partial(of_arming, "again")),
        make(by_reset, "prepared", partial(of_arming, "death")),
        make(by_reset, "lent", partial(dying, lent, True), note="Linux 7.2; it is checked and unpacked then"),
        make("of that OpenSBI, after the reset", "prepared", partial(of_arming, "firmware")),
        make("of that the stage", "prepared", partial(of_arming, "stage")),
        make(kexec, "prepared", partial(dying, kexec_prepared, True)),
        make(kexec, "its own bundle", partial(dying, kexec_bundle, True), note="checked and placed then"),
        make(kexec, "stock kexec -p", partial(dying, stock, False), note="unchecked, and its dump is incomplete"),
        make("call, of a system that is not Linux", "prepared", calling),
    ]
