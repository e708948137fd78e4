# SPDX-License-Identifier: BSD-2-Clause
"""Guests that die, and are captured by the stage inside the same guest: one row of WAYS for each way."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crash_bare import ARMED, FILLED, VERIFIED, assert_verified, bare_bundle
from crash_bare import REGION as BARE_REGION
from harness import find
from kvm_host import Guest, Outcome
from kvm_stage import stage_guest
from test_crash_call import ARGUMENTS, CALLED, PC, RESET_FIRST, SAVED, T6, notes

from lifeboatlib import bundle, initramfs, target

TOKEN = "lifeboat-kvm-token"
REGION = 128 << 20
# Debian has no other console that is SBI's; ciphers' own tests are two fifths of its boot.
BOOTARGS = "earlycon=sbi keep_bootcon quiet panic=1 cryptomgr.notests"
SAY = 'say() { while read -r line; do echo "<1>$1: $line" > /dev/kmsg; done; }\n'
PRIMARY = initramfs.PROLOGUE + SAY + f"echo '{TOKEN}' > /dev/kmsg\n"
KEXEC = """kexec -p /lifeboat.bin --initrd=/inner.itb 2>&1 | say primary
echo "loaded $(cat /sys/kernel/kexec_crash_loaded)" | say primary
"""
PANIC = "echo c > /proc/sysrq-trigger\n"
CRASH = initramfs.PROLOGUE + SAY + f"""
stat -c 'vmcore %s' /proc/vmcore | say crash
vmcore-dmesg /proc/vmcore 2>&1 | grep -e '{TOKEN}' -e 'Kernel panic' | say crash
poweroff -f
"""
ENTERED = r"^lifeboat: kexec: started by a dying kernel, in "
LOADED = r"primary: loaded 1$"
CAPTURED = r"crash: vmcore (\d+)$"
LOG_READ = (rf"crash: .*{TOKEN}$", r"crash: .*Kernel panic - not syncing: sysrq triggered crash$")


class Kit:
    """Makes the files of the guests, each once."""

    def __init__(self, stage: Path, scratch: Path, build_payload: Callable[..., object]) -> None:
        self.stage = stage
        self.scratch = scratch
        self._build_payload = build_payload
        self._made: dict[str, Path] = {}

    def once(self, name: str, make: Callable[[Path], Path]) -> Path:
        """The file of that name, made if it is not there yet."""
        if name not in self._made:
            self._made[name] = make(self.scratch / name)
        return self._made[name]

    def calling(self, sv: int, flags: int) -> Path:
        """A program at a high address in that mode, which dies by client/lifeboat_call.h; and the one that looks.

        Without INTERRUPTS, and with all harts' registers: what else can be is tried natively (test_crash_call.py).
        """
        wants = {"LEVELS": (sv - 12) // 9, "SHARED": 1, "FLAGS": flags, "DYING_HART": 0}
        caller = self._build_payload("crash_caller", **wants)
        checker = self._build_payload("crash_checker")
        crash = bundle.Crash(BARE_REGION, 1, "boot")  # a bundle that does not capture what it does not know
        made = bundle.with_crash(
            bundle.simple(bundle.linux(caller.bin)), payload=bundle.linux(checker.bin), crash=crash
        )
        return self.once(f"call-{sv}-{flags}.itb", made.write)

    def bare(self) -> Path:
        """Programs in both roles: one fills RAM with a pattern and resets, one looks for it and resets."""
        return self.once("bare.itb", lambda path: bare_bundle(self._build_payload, path))

    def crash_initramfs(self) -> Path:
        """A userspace that reads the dead kernel's log out of /proc/vmcore."""
        tools = target.with_libraries(target.KEXEC_TOOLS.file("usr/sbin/vmcore-dmesg"))
        return self.once("crash.cpio", lambda path: initramfs.make_initramfs(path, CRASH, {**tools}))

    def linux(self) -> Path:
        """Debian's kernel in both roles; the primary panics."""
        primary = self.once("primary.cpio", lambda path: initramfs.make_initramfs(path, PRIMARY + PANIC))
        made = bundle.simple(bundle.linux(target.kernel()), primary, BOOTARGS)
        made = bundle.with_crash(made, self.crash_initramfs(), BOOTARGS, crash=bundle.Crash(REGION))
        return self.once("linux.itb", made.write)

    def kexec(self) -> Path:
        """Debian's kernel with lifeboat as its crash image, and a bundle for that; it panics."""
        inner = bundle.simple(bundle.linux(target.kernel()), self.crash_initramfs(), BOOTARGS)
        inner = bundle.with_crash(inner, self.crash_initramfs(), BOOTARGS)
        files = {
            **target.with_libraries(target.KEXEC_TOOLS.file("usr/sbin/kexec")),
            "lifeboat.bin": self.stage, "inner.itb": self.once("inner.itb", inner.write),
        }  # fmt: skip
        script = PRIMARY + KEXEC + PANIC
        primary = self.once("kexec.cpio", lambda path: initramfs.make_initramfs(path, script, files))
        made = bundle.simple(bundle.linux(target.kernel()), primary, f"{BOOTARGS} crashkernel=192M")
        return self.once("kexec.itb", made.write)


def captured_bare(seen: Outcome) -> str:
    """Every word of the dead program's RAM; gives the console from the crash to the verdict."""
    filled = find(FILLED, seen.console)
    verified = find(VERIFIED, seen.console)
    assert_verified(seen.console, verified, filled)
    assert seen.end == "reset"  # the checker's
    return seen.console[filled.end() : verified.end()]


def check_bare(seen: Outcome) -> None:
    """Captured, with one reset between the crash and that."""
    assert captured_bare(seen).count("vmm: end=reset") == 1


def check_call(seen: Outcome) -> None:
    """At once, with no reset on the way."""
    assert "vmm: end=reset" not in captured_call(seen)


def check_call_after_reset(seen: Outcome) -> None:
    """The registers were saved before it."""
    console = captured_call(seen)
    assert console.count("vmm: end=reset") == 1
    find(CALLED, console)
    assert find(SAVED, console).groups() == ("2", "2")


def captured_call(seen: Outcome) -> str:
    """Every word of RAM, and the registers of both harts; gives the console from the crash to the verdict."""
    console = captured_bare(seen)
    wanted = T6 | ARGUMENTS | PC  # (a call in C: its arguments are there, and pc is where it returns)
    assert {hart: mask for hart, (mask, _) in notes(console).items()} == {0: wanted, 1: wanted}
    return console


def check_linux(seen: Outcome) -> None:
    """A real /proc/vmcore, with the dead kernel's log in it."""
    find(ARMED, seen.console)
    find(r"^lifeboat: crash: Linux \S+ ended by panic: ", seen.console)
    check_captured(seen)


def check_captured(seen: Outcome) -> None:
    """The crash kernel has read the dead one's memory, and switched off."""
    assert int(find(CAPTURED, seen.console)[1]) > 200 << 20
    for line in LOG_READ:
        find(line, seen.console)
    assert seen.end == "shutdown"


def check_kexec(seen: Outcome) -> None:
    """At most one fault was reflected: in Linux' own jump to lifeboat. Lifeboat's to the crash kernel needs none.

    A host whose kernel does it by itself leaves nothing to the monitor.
    """
    find(LOADED, seen.console)
    find(ENTERED, seen.console)
    check_captured(seen)
    assert seen.registers["reflected"] <= 1


def check_kexec_dies(seen: Outcome) -> None:
    """Debian's kernel leaves in the old way, so it never reaches lifeboat, or any other crash image."""
    find(LOADED, seen.console)
    find("Kernel panic", seen.console)
    assert "lifeboat: kexec:" not in seen.console
    assert seen.end == "unsupported" and seen.host_value("SCAUSE") == 0x14
    assert seen.host_value("STVAL") == seen.registers["pc"] and not seen.registers["satp"]


def check_kexec_by_host(seen: Outcome) -> None:
    """A host that reflects the fault itself."""
    find(ENTERED, seen.console)
    check_captured(seen)
    assert seen.registers["reflected"] == 0


def check_kexec_on_its_own(seen: Outcome) -> None:
    """It is the host's kernel that decides which of the two it is."""
    check = check_kexec_dies if seen.end == "unsupported" else check_kexec_by_host
    check(seen)


@dataclass(frozen=True)
class Way:
    """A guest that dies in some way: its bundle, what must be seen of it, its MiB, the monitor's options."""

    bundle: Callable[[Kit, int], Path]
    check: Callable[[Outcome], None]
    memory: int
    options: dict[str, int]

    def guest(self, name: str, kit: Kit, sv: int, vcpus: int) -> Guest:
        """In a mode."""
        made = self.bundle(kit, sv)
        return stage_guest(
            name, kit.stage, made, kit.scratch, sv, self.memory, vcpus, seconds=240, **self.options
        )


def bare(kit: Kit, sv: int) -> Path:
    """Its programs have no paging of their own."""
    return kit.bare()


def linux(kit: Kit, sv: int) -> Path:
    """Linux chooses its mode itself."""
    return kit.linux()


def kexec(kit: Kit, sv: int) -> Path:
    """Linux chooses its mode itself."""
    return kit.kexec()


def call(kit: Kit, sv: int) -> Path:
    """The caller is in the guest's mode."""
    return kit.calling(sv, 0)


def call_after_reset(kit: Kit, sv: int) -> Path:
    """The caller is in the guest's mode."""
    return kit.calling(sv, RESET_FIRST)


# A further way is a further row.
WAYS = {
    "reset, bare": Way(bare, check_bare, 256, {"resets": 1}),
    "reset, Linux": Way(linux, check_linux, 384, {"resets": 1}),
    "kexec, Linux": Way(kexec, check_kexec, 512, {"reflect": True}),
    "kexec, Linux, on its own": Way(kexec, check_kexec_on_its_own, 512, {}),
    "call": Way(call, check_call, 256, {}),
    "call, after a reset": Way(call_after_reset, check_call_after_reset, 256, {"resets": 1}),
}
