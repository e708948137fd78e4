# SPDX-License-Identifier: BSD-2-Clause
"""The way by kexec: Debian's kernel was given lifeboat as its crash image, by Debian's kexec-tools, and panics."""

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keyed
import pytest
from crash_lab import ARMED, CONSOLE, Lab, machine
from lifeboatlib.gdbstub import Gdb
from harness import find, image_that_loops
from kexec_lab import ENTERED, LOADED, PANIC, Kit, expect_good_dump
from lifeboatlib import bundle, initramfs, keys, target
from lifeboatlib.qemu import Machine, Session
from test_do_no_harm import PAGE, RAM_BASE, RAM_SIZE, changed_pages, stands_in_payload

pytestmark = pytest.mark.slow

WITH_BUNDLE = "kexec -p /lifeboat.bin --initrd=/inner.itb"
ALONE = "lifeboat-kexec /lifeboat.bin"
CRASH_OPTIONS = ["reboot=panic_warm", "nr_cpus=1", "reset_devices", "cma=0"]
KERNEL_LINK_ADDR = 0xFFFFFFFF80000000


def modes(*often: tuple[int, int]) -> list[object]:
    """Each mode with one hart and four; all but these in the long run only."""
    every = [(sv, smp) for sv in (39, 48, 57) for smp in (1, 4)]
    return [pytest.param(*each, marks=() if each in often else pytest.mark.long) for each in every]


@pytest.fixture
def kit(stage: Path, tmp_path: Path) -> Kit:
    """The tools."""
    return Kit(stage, tmp_path)


def load_and_panic(lab: Lab) -> tuple[int, int]:
    """Gives first and last byte of what crashkernel= reserved."""
    loaded = lab.expect(LOADED)
    assert loaded[1] == "1", "kexec did not load"
    lab.order(PANIC)
    lab.expect("Kernel panic")
    entered = lab.expect(ENTERED)
    assert (int(entered[1], 16), int(entered[2], 16)) == (int(loaded[2], 16), int(loaded[3], 16))
    return int(loaded[2], 16), int(loaded[3], 16)


def assert_registers(notes: list[bytes]) -> None:
    """Each hart was in the kernel, on a stack of its own; the one that panicked is among them."""
    stacks = set()
    for registers in notes:
        pc, _, sp = struct.unpack_from("<3Q", registers)
        assert pc >= KERNEL_LINK_ADDR, f"pc {pc:#x} is not in the kernel"
        assert sp >> 63 == 1, f"sp {sp:#x} is no kernel address"
        stacks.add(sp & -0x4000)
    assert len(stacks) == len(notes)


@pytest.mark.parametrize(("sv", "smp"), modes((39, 4)))
def test_a_bundle_by_kexec_captures_with_registers(sv: int, smp: int, kit: Kit, tmp_path: Path) -> None:
    made = kit.outer(WITH_BUNDLE, "crashkernel=256M", {"inner.itb": kit.inner()})
    with Session(machine(kit.stage, made, tmp_path, sv=sv, smp=smp)) as session:
        lab = Lab(session)
        load_and_panic(lab)
        assert_registers(expect_good_dump(session, smp))
        lab.expect("lifeboat: crash: no crash kernel: the bundle has no crash configuration")


@pytest.mark.long
def test_a_crash_kernel_without_bootargs_takes_the_dead_ones(kit: Kit, tmp_path: Path) -> None:
    """But for what would take its memory away."""
    inner = kit.inner(append="")
    made = kit.outer(WITH_BUNDLE, "crashkernel=256M", {"inner.itb": inner}, append="hugepages=9 some=thing")
    with Session(machine(kit.stage, made, tmp_path)) as session:
        lab = Lab(session)
        load_and_panic(lab)
        for barred in ("crashkernel=256M", "hugepages=9"):
            lab.expect(f"warning: bootargs: no crash kernel can do with {barred}: left out")
        bootargs = lab.expect("crash: bootargs (.*)")[1].split()
        assert bootargs == [*CRASH_OPTIONS, *CONSOLE.split(), "quiet", "panic=1", "some=thing"]


@pytest.mark.parametrize(("sv", "smp"), modes((48, 4)))
def test_without_a_bundle_the_staged_crash_kernel_captures(
    sv: int, smp: int, kit: Kit, tmp_path: Path
) -> None:
    """crashkernel=16M suffices, and the next boot knows that the capture is done."""
    made = kit.outer(ALONE, "crashkernel=16M", {}, staged=True)
    with Session(machine(kit.stage, made, tmp_path, sv=sv, smp=smp)) as session:
        lab = Lab(session)
        load_and_panic(lab)
        lab.expect("kexec: starting the crash kernel that is staged in the crash region")
        assert_registers(expect_good_dump(session, smp))
        lab.expect("the crash kernel ended in good order")
        lab.expect(ARMED)


@pytest.mark.long
def test_stock_kdump_fails_where_lifeboat_does_not(
    kit: Kit, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """The control: the same kernel and tools without lifeboat. That a release mends them is told, and no failure."""
    files = {"Image": target.kernel(), "crash.cpio": kit.crash_initramfs(level=31)}
    append = f"{CONSOLE} quiet nr_cpus=1 reset_devices"
    load = f"kexec -p /Image --initrd=/crash.cpio --command-line='{append}'"
    made = kit.outer(load, "crashkernel=256M", files)
    with Session(machine(kit.stage, made, tmp_path)) as session:
        lab = Lab(session)
        assert lab.expect(LOADED)[1] == "1"
        lab.order(PANIC)
        lab.expect(r"crash: vmcore \d+")
        lab.expect(r"crash: vmcore-dmesg \d+")
        lab.expect("crash: notes")
        if "crash: makedumpfile" in session.text and "crash: dump" in session.text:
            record_property("terminal", "kexec-tools is mended: makedumpfile reads the dump of a stock kdump, too")
        else:
            find("Can't get the address of mem_section", session.text)


def test_memory_outside_the_usable_range_is_unaltered(kit: Kit, tmp_path: Path) -> None:
    """From Linux's jump to the crash payload's first instruction, to the last byte."""
    (tmp_path / "loop").write_bytes(image_that_loops())
    inner = kit.inner(bundle.linux(tmp_path / "loop"))
    made = kit.outer(WITH_BUNDLE, "crashkernel=128M", {"inner.itb": inner})
    ram = tmp_path / "ram"
    backend = f"memory-backend-file,id=ram,size={RAM_SIZE},mem-path={ram},share=on"
    with Session(
        Machine(
            kernel=kit.stage, initrd=made, qmp=tmp_path / "qmp", memory=f"{RAM_SIZE >> 20}M",
            machine="virt,memory-backend=ram", extra=("-object", backend),
            gdb=f"unix:{tmp_path / 'gdb'},server=on,wait=off",
        )
    ) as session, Gdb.connect(tmp_path / "gdb") as gdb:  # fmt: skip
        lab = Lab(session)
        gdb.free_run()
        loaded = lab.expect(LOADED)
        assert loaded[1] == "1", "kexec did not load"
        usable = int(loaded[2], 16), int(loaded[3], 16) + 1
        session.expect("primary: ready")
        gdb.interrupt()
        session.send(PANIC + "\n")
        gdb.run_to(usable[0])
        before = ram.read_bytes()
        gdb.free_run()
        stands_in_payload(session)
        session.qmp("stop")
        after = ram.read_bytes()
    print(f"\nleft out: {(usable[1] - usable[0]) >> 20} MiB of {RAM_SIZE >> 20}")
    changed = changed_pages(before, after, [usable, (RAM_BASE, RAM_BASE + 0x60000)])
    assert changed == [], f"{len(changed)} pages changed, the first at {changed[0]:#x}"
    inside = slice(usable[0] - RAM_BASE, usable[0] - RAM_BASE + 64 * PAGE)
    assert before[inside] != after[inside], "nothing changed anywhere: the test is blind"


def test_a_bad_bundle_ends_in_the_staged_crash_kernel(kit: Kit, tmp_path: Path) -> None:
    """One line says what was wrong with it."""
    inner = tmp_path / "cut.itb"
    inner.write_bytes(kit.inner().read_bytes()[: 4 << 20])
    load = "lifeboat-kexec /lifeboat.bin --initrd=/inner.itb"
    made = kit.outer(load, "crashkernel=64M", {"inner.itb": inner}, staged=True)
    with Session(machine(kit.stage, made, tmp_path)) as session:
        lab = Lab(session)
        load_and_panic(lab)
        lab.expect("lifeboat: warning: bundle: .*truncated")
        lab.expect("kexec: starting the crash kernel that is staged in the crash region")
        expect_good_dump(session, 1)


@pytest.mark.long
def test_with_a_required_key_what_is_staged_is_verified_again_behind_a_reset(
    kit: Kit, keydir: Path, tmp_path: Path
) -> None:
    """It was in the dead kernel's hands. The same death is captured by reset."""
    signing = bundle.Signing(keyed.private(keydir, "rsa2048"))
    made = kit.outer(ALONE, "crashkernel=16M", {}, staged=True, signing=signing)
    fdt = keyed.virt_fdt(tmp_path, "1G", keydir, ["rsa2048"], keys.Policy(required="conf"))
    with Session(replace(machine(kit.stage, made, tmp_path), dtb=fdt)) as session:
        lab = Lab(session)
        load_and_panic(lab)
        lab.expect("lifeboat: ERROR: kexec: what is staged .* a key is required")
        lab.expect("lifeboat: ERROR: boot: resetting")
        lab.expect("signature: crash is signed by rsa2048")
        expect_good_dump(session, 0)


@pytest.mark.parametrize("size", ["crashkernel=64M", pytest.param("crashkernel=16M", marks=pytest.mark.long)])
def test_what_cannot_work_ends_in_one_line_and_a_reset(size: str, kit: Kit, tmp_path: Path) -> None:
    """Too little usable memory for the bundle's kernel; no bundle at all. Nothing is staged."""
    load, files, line = {
        "crashkernel=64M": (WITH_BUNDLE, {"inner.itb": kit.inner()}, "64 MiB are too few for this bundle: make crashkernel= larger"),
        "crashkernel=16M": ("kexec -p /lifeboat.bin --initrd=/init", {}, "lifeboat: ERROR: kexec: no bundle"),
    }[size]
    made = kit.outer(load, size, files)  # type: ignore[arg-type]
    with Session(machine(kit.stage, made, tmp_path)) as session:
        lab = Lab(session)
        load_and_panic(lab)
        lab.expect(line)
        lab.expect("lifeboat: ERROR: boot: resetting")
        lab.expect("lifeboat: crash: no crash kernel")
        lab.expect(LOADED)


@pytest.mark.long
@pytest.mark.parametrize("staged", [False, True])
def test_kexec_minus_e_is_an_ordinary_boot(staged: bool, kit: Kit, tmp_path: Path) -> None:
    """By lifeboat as a loader. With a staged crash kernel the successor is protected as its predecessor was."""
    script = initramfs.PROLOGUE + f"""
test -e /proc/vmcore && echo "successor: in a dump"
echo "lifeboat-kexec-token" > /dev/kmsg
echo "successor: up"
{PANIC if staged else "poweroff -f"}
"""
    successor = initramfs.make_initramfs(tmp_path / "successor.cpio", script)
    inner = bundle.simple(bundle.linux(target.kernel()), successor, f"{CONSOLE} quiet")
    files = {"inner.itb": inner.write(tmp_path / "next.itb")}
    load = "kexec -l /lifeboat.bin --initrd=/inner.itb --command-line="
    made = kit.outer(load, "", files, staged=staged)
    with Session(machine(kit.stage, made, tmp_path, smp=2)) as session:
        lab = Lab(session)
        lab.order("kexec -e")
        lab.expect("lifeboat: boot: lifeboat")
        if staged:
            lab.expect("started by kexec -e")
            lab.expect("bootargs: added panic=5 reboot=panic_warm")
            lab.expect(ARMED)
        lab.expect("successor: up")
        assert "successor: in a dump" not in session.text
        if staged:
            lab.expect("ended by panic")
            expect_good_dump(session, 0)
            assert session.text.count("dead: ") > 20
            lab.expect("the crash kernel ended in good order")


@pytest.mark.long
def test_what_is_lent_stays_so_over_kexec_and_no_crash_kernel_is_put_there(kit: Kit, tmp_path: Path) -> None:
    """By kexec -e to a successor with CMA; and when that one dies without a crash kernel, the reset comes first."""
    script = initramfs.PROLOGUE + f"grep CmaTotal /proc/meminfo\n{PANIC}\n"
    successor = initramfs.make_initramfs(tmp_path / "successor.cpio", script)
    inner = bundle.simple(bundle.linux(target.kernel(newer=True)), successor, f"{CONSOLE} quiet cma=0")
    files = {"inner.itb": inner.write(tmp_path / "next.itb")}
    load = f"kexec -l /lifeboat.bin --initrd=/inner.itb --command-line=; {ALONE}"
    made = kit.outer(load, "crashkernel=16M cma=0", files, lent=True)
    with Session(machine(kit.stage, made, tmp_path)) as session:
        lab = Lab(session)
        lab.order("kexec -e")
        lab.expect("started by kexec -e")
        lab.expect(r"crash: lent to the primary: 116 MiB")
        assert int(lab.expect(r"^CmaTotal: +(\d+) kB")[1]) == 116 << 10
        lab.expect("lifeboat: crash: Linux .* ended by panic")
        lab.expect("there is no crash kernel: the bundle only reserves a region")
        lab.order(PANIC)
        lab.expect("lifeboat: ERROR: kexec: what is staged .* it is lent")
        lab.expect("lifeboat: ERROR: boot: resetting")
        lab.expect("lifeboat: crash: lent to the primary")
