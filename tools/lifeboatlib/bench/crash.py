# SPDX-License-Identifier: BSD-2-Clause
"""Deaths: from the first instruction of Linux' panic() to the crash kernel's, by each way; and what arming costs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lifeboatlib import build, bundle, command, initramfs, target
from lifeboatlib.bench.bed import (
    HANDOFF, NEXT_STAGE, RESET_VECTOR, Bed, Row, between, clocked, counting, entry_of, firmware_part,
)  # fmt: skip
from lifeboatlib.gdbstub import Gdb
from lifeboatlib.paths import REPO, TOOLS
from lifeboatlib.qemu import Machine, Session
from lifeboatlib.ui import LifeboatError

MIB = 1 << 20
CONSOLE = "console=ttyS0 quiet cryptomgr.notests"
BOOTARGS = f"{CONSOLE} panic=-1"
READY = "bench: ready"
FACTS = r"^bench: panic (\w+)\nbench: machine_restart (\w+)\nbench: region (\w*)\nbench: memory (\d+)\n"
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
PREPARED, LENT = "lifeboat, prepared", "lifeboat, lent"
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
    packed = bundle.compress(kernel, "gzip", bed.scratch)
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
class Primary:
    """What a primary says of itself: panic() and machine_restart(), what crashkernel= reserved, and its MemTotal."""

    panic: int
    restart: int
    region: int
    memory: int

    @classmethod
    def of(cls, session: Session) -> "Primary":
        """As it is up, and waits for its order."""
        panic, restart, region, memory = session.expect(FACTS).groups()
        session.expect(READY)
        return cls(int(panic, 16), int(restart, 16), int(region or "0", 16), int(memory) << 10)


def up(session: Session, gdb: Gdb, order: str) -> Primary:
    """Lets the primary come up, and halts it with an order on its console."""
    gdb.free_run()
    found = Primary.of(session)
    gdb.interrupt()
    session.send(order)
    return found


def through_reset(gdb: Gdb) -> int:
    """From machine_restart() to the stage's second instruction. (The few to the reset itself are not counted.)"""
    gdb.run_to(RESET_VECTOR)
    found = firmware_part(gdb)
    gdb.step()
    return found + 1


def through_stage(bed: Bed, session: Session, gdb: Gdb) -> int:
    """From somewhere in front of the stage's handoff to the crash kernel, whose place the handoff tells."""
    leaving = symbols_of(bed.elf)["trampoline_start"]
    before = clocked(gdb, leaving)
    return before + clocked(gdb, int(session.expect(HANDOFF)[1], 16))


def symbols_of(elf: Path) -> dict[str, int]:
    """Names and addresses."""
    lines = command.output(["riscv64-linux-gnu-nm", elf]).splitlines()
    return {name: int(address, 16) for address, _, name in map(str.split, lines)}


def dying(make: Callable[[Bed], Path], by_reset: bool, bed: Bed) -> int:
    """From panic() to the crash kernel that lifeboat starts."""
    with counting(Machine(kernel=bed.stage, initrd=make(bed))) as (session, gdb):
        told = up(session, gdb, PANIC)
        bed.kept[memory_of(make)] = told.memory
        gdb.run_to(told.panic)
        before = clocked(gdb, told.restart) + through_reset(gdb) if by_reset else 0
        return before + through_stage(bed, session, gdb)


def dying_alone(bed: Bed) -> int:
    """From panic() to the crash kernel that kexec-tools have loaded: it is entered where its region begins."""
    with counting(Machine(kernel=bed.stage, initrd=stock(bed))) as (session, gdb):
        told = up(session, gdb, PANIC)
        bed.kept[memory_of(stock)] = told.memory
        gdb.run_to(told.panic)
        return clocked(gdb, told.region)


def memory_of(make: Callable[[Bed], Path]) -> str:
    """The name under which a primary's MemTotal is kept."""
    return f"memory, {make.__name__}"


def arming(bed: Bed) -> dict[str, int]:
    """Both boots of a machine that is rebooted once, and then dies: measured in one run."""
    machine = Machine(kernel=bed.stage, initrd=prepared(bed))
    entry, found = entry_of(machine), {}
    with counting(machine) as (session, gdb):
        gdb.run_to(NEXT_STAGE)
        gdb.step()
        found["first"] = 1 + between(gdb, entry)
        up(session, gdb, REBOOT)
        found["firmware"] = through_reset(gdb) - 1
        found["again"] = 1 + between(gdb, entry)
        told = up(session, gdb, PANIC)
        bed.kept[memory_of(prepared)] = told.memory
        gdb.run_to(told.panic)
        linux = clocked(gdb, told.restart)
        through_reset(gdb)
        found["stage"] = 1 + through_stage(bed, session, gdb)
    found["death"] = linux + found["firmware"] + found["stage"]
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
    symbols = symbols_of(elf)
    payload = bundle.linux(target.kernel())
    made = bundle.with_crash(bundle.simple(bundle.elf(elf)), bed.ramdisk, CONSOLE, payload)
    machine = Machine(kernel=bed.stage, initrd=made.write(bed.scratch / "call.itb"))
    with counting(machine) as (session, gdb):
        gdb.run_to(symbols["_start"])
        area, size = call_area(gdb, bed.scratch)
        gdb.set_register("a0", area)
        gdb.set_register("a1", size)
        gdb.run_to(symbols["lifeboat_call_crash"])
        region = session.expect(REGION)[1]
        return between(gdb, int(region, 16))


def rows() -> list[Row]:
    """In the order in which they are shown."""
    make = partial(Row, "crash")
    by_reset, kexec = "panic, by reset", "panic, by kexec"
    return [
        make("boot that arms", PREPARED, partial(of_arming, "first")),
        make("boot that arms, after an orderly reboot", PREPARED, partial(of_arming, "again")),
        make(by_reset, PREPARED, partial(of_arming, "death")),
        make(by_reset, LENT, partial(dying, lent, True), note="Linux 7.2; it is checked and unpacked then"),
        make("of that OpenSBI, after the reset", PREPARED, partial(of_arming, "firmware")),
        make("of that the stage", PREPARED, partial(of_arming, "stage")),
        make(kexec, PREPARED, partial(dying, kexec_prepared, False)),
        make(kexec, "lifeboat, its own bundle", partial(dying, kexec_bundle, False), note="checked and placed then"),
        make(kexec, "stock kexec -p", dying_alone, note="unchecked, and its dump is incomplete"),
        make("call, of a system that is not Linux", PREPARED, calling),
    ]
