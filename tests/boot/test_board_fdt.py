# SPDX-License-Identifier: BSD-2-Clause
"""FDTs and overlays out of the bundle: what the payload sees, and what must survive of the firmware's."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from harness import find, passed, run_to_end, stage_ran

from lifeboatlib import bundle, initramfs
from lifeboatlib.qemu import Machine, Session

OVERLAY = """/dts-v1/; /plugin/;
&{/chosen} { lifeboat,overlaid = "yes"; };
&{/} { overlaid-node { compatible = "lifeboat,overlaid"; }; };
"""


def dtc(source: str, output: Path) -> Path:
    argv = ["dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", output, "-"]
    subprocess.run(argv, input=source, text=True, check=True)
    return output


@pytest.fixture(scope="session")
def machine_dts(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What QEMU tells about its machine, as a source."""
    dtb = tmp_path_factory.mktemp("machine") / "virt.dtb"
    argv = ["qemu-system-riscv64", "-M", f"virt,dumpdtb={dtb}", "-m", "1G", "-display", "none"]
    subprocess.run(argv, check=True, capture_output=True)
    argv = ["dtc", "-q", "-I", "dtb", "-O", "dts", dtb]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


# OpenSBI's two reservations by name, but less: Linux would write into the firmware.
LESS = """reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;
    mmode_resv1@80000000 { reg = <0 0x80000000 0 0x1000>; no-map; };
    mmode_resv0@80040000 { reg = <0 0x80040000 0 0x20000>; no-map; status = "disabled"; };
};
chosen {"""


def other_base(machine_dts: str) -> str:
    """The machine's, with another model, a tenth of the memory (which has no type), and names that are taken."""
    dts = machine_dts.replace('model = "riscv-virtio,qemu"', 'model = "other"')
    assert dts != machine_dts
    typed = '\t\tdevice_type = "memory";\n\t\treg = <0x00 0x80000000 0x00 0x40000000>'
    assert typed in dts
    return dts.replace(typed, "\t\treg = <0x00 0x80000000 0x00 0x6400000>").replace("chosen {", LESS, 1)


def long_symbols(count: int) -> str:
    """An overlay that adds far more than its size to __symbols__: each is as long as its target's path."""
    deep = [f"a-node-whose-name-is-as-long-as-it-may-be-{level}" for level in range(8)]
    nest = " { ".join(deep) + " { deepest: x { " + "}; " * len(deep) + "};"
    leaves = " ".join(f"s{number}: n{number} {{}};" for number in range(count))
    return f"/dts-v1/; /plugin/; &{{/}} {{ {nest} }}; &{{/{'/'.join(deep)}}} {{ {leaves} }};"


def with_fdts(image: bundle.Image, fdts: list[Path], **options: object) -> bundle.Bundle:
    return bundle.with_fdts(bundle.simple(image, **options), fdts)


def test_memory_and_reservations_are_the_firmwares_under_a_base_of_the_bundle(
    stage: Path,
    contract: Callable[..., object],
    make_bundle: Callable[..., Path],
    machine_dts: str,
    tmp_path: Path,
) -> None:
    base = dtc(other_base(machine_dts), tmp_path / "base.dtb")
    made = make_bundle(with_fdts(bundle.linux(contract(memory=1 << 30).bin), [base]))
    console = run_to_end(Machine(kernel=stage, initrd=made))
    stage_ran(console)
    find(r"fdt: fdt-1 instead of the firmware's$", console)
    passed(console)


RESERVING = """reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;
npu@80200000 { reg = <0 0x80200000 0 0x2000000>; no-map; };
dsp@bc000000 { reg = <0 0xbc000000 0 0x4000000>; no-map; };
pool { size = <0 0x1000000>; alloc-ranges = <0 0xb0000000 0 0x10000000>; };
};
chosen {"""


def test_the_plan_and_the_crash_region_are_by_the_fdt_that_the_payload_gets(
    stage: Path, contract: Callable[..., object], make_bundle: Callable[..., Path], machine_dts: str, tmp_path: Path
) -> None:
    """The base reserves the lowest and the highest RAM, of which firmware knows nothing; and 16 MiB will be a pool."""
    base = dtc(machine_dts.replace("chosen {", RESERVING, 1), tmp_path / "base.dtb")
    primary = with_fdts(bundle.linux(contract().bin), [base])
    crash = bundle.Crash(104 << 20)
    made = make_bundle(bundle.with_crash(primary, payload=bundle.linux(contract().bin), crash=crash))
    console = run_to_end(Machine(kernel=stage, initrd=made))
    passed(console)
    region = find(r"crash: region \[(0x\w+)\.\.(0x\w+)\]", console)
    assert int(region[2], 16) == 0xBFDF_FFFF, "by the firmware's FDT, which is there first"
    find(r"warning: crash: not armed: in the FDT from the bundle the crash region .* is dsp@bc000000", console)
    assert "crash: armed" not in console
    find(r"plan: kernel  \[0x82200000\.\.", console)
    fdt = find(r"plan: fdt     \[0x\w+\.\.(0x\w+)\] .*made here\n.*plan: kernel  \[0x82200000", console)
    assert int(fdt[1], 16) < int(region[1], 16)


def test_a_fixed_image_may_lie_where_its_fdt_is_made(
    stage: Path, build_payload: Callable[..., object], make_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    """At the top of RAM, which is also where there is room for a bundle's FDT."""
    load = 0xBFF0_0000
    overlay = dtc(OVERLAY, tmp_path / "over.dtbo")
    program = build_payload("hop", TARGET="0x80200000")
    (tmp_path / "large").write_bytes(program.bin.read_bytes().ljust(1 << 20, b"\0"))  # type: ignore[attr-defined]
    made = make_bundle(with_fdts(bundle.raw(tmp_path / "large", load, load), [overlay]))
    console = run_to_end(Machine(kernel=stage, initrd=made))
    find(r"fdt: fdt-1 is laid over it$", console)
    find(rf"handoff: to {load:#x}", console)


@pytest.mark.slow
@pytest.mark.parametrize("on_firmware", [False, True], ids=["base", "firmware"])
def test_linux_sees_base_and_overlays(
    stage: Path,
    kernel: Path,
    make_bundle: Callable[..., Path],
    machine_dts: str,
    tmp_path: Path,
    on_firmware: bool,
) -> None:
    script = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
cd /proc/device-tree
echo "overlaid $(cat chosen/lifeboat,overlaid) $(cat overlaid-node/compatible) model $(cat model)"
echo "seed $(ls chosen | grep -c seed) reserved $(ls reserved-memory | grep -c mmode)"
echo "end of the list"
sleep 99999 # the panic when init ends would cut off what the console has not printed yet
"""
    ramdisk = initramfs.make_initramfs(tmp_path / "look.cpio", script)
    fdts = [dtc(OVERLAY, tmp_path / "over.dtbo")]
    if not on_firmware:
        fdts.insert(0, dtc(other_base(machine_dts), tmp_path / "base.dtb"))
    made = make_bundle(with_fdts(bundle.linux(kernel), fdts, initrd=ramdisk, append="console=ttyS0"))
    with Session(Machine(kernel=stage, initrd=made)) as session:
        session.expect(r"end of the list")
        console = session.text
    stage_ran(console)
    model = "riscv-virtio,qemu" if on_firmware else "other"
    find(rf"overlaid yes\x00? ?lifeboat,overlaid\x00? model {model}", console)
    find(rf"reserved {2 if on_firmware else 4}$", console)
    find(r"reserved mem: 0x0*80000000\.\.0x0*8003ffff \(256 KiB\) nomap", console)
    find(r"reserved mem: 0x0*80040000\.\.0x0*8005ffff \(128 KiB\) nomap", console)
    find(r"Memory: \d+K/1048\d\d\dK available", console)


def test_an_overlay_that_does_not_fit_is_refused(
    stage: Path, contract: Callable[..., object], make_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    overlay = dtc('/dts-v1/; /plugin/; &no_such_label { a = "b"; };', tmp_path / "over.dtbo")
    made = make_bundle(with_fdts(bundle.linux(contract().bin), [overlay]))
    console = run_to_end(Machine(kernel=stage, initrd=made))
    find(r"ERROR: fdt: 'fdt-1' is no overlay for this FDT", console)


def test_room_for_overlays_grows_with_what_they_add(
    stage: Path, contract: Callable[..., object], make_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    """The first guess is about three times their size."""
    overlay = dtc(long_symbols(300), tmp_path / "over.dtbo")
    assert 300 * 8 * 40 > 3 * overlay.stat().st_size
    made = make_bundle(with_fdts(bundle.linux(contract().bin), [overlay]))
    console = run_to_end(Machine(kernel=stage, initrd=made))
    find(r"fdt: fdt-1 is laid over it$", console)
    passed(console)


def test_what_is_no_fdt_is_refused(
    stage: Path, contract: Callable[..., object], make_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "noise").write_bytes(b"noise" * 99)
    made = make_bundle(with_fdts(bundle.linux(contract().bin), [tmp_path / "noise"]))
    console = run_to_end(Machine(kernel=stage, initrd=made))
    find(r"ERROR: fdt: 'fdt-1' is no whole FDT", console)


@pytest.mark.slow
def test_ramdisks_are_put_behind_each_other(
    stage: Path, kernel: Path, make_bundle: Callable[..., Path], demo_initramfs: Path, tmp_path: Path
) -> None:
    """Two archives whose sizes are no multiples of 4: the init of the first, a file of the second."""
    first = tmp_path / "first.cpio"
    first.write_bytes(demo_initramfs.read_bytes() + b"\0")
    made = bundle.simple(bundle.linux(kernel), initrd=first, append="console=ttyS0")
    listing = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet"], cwd=tmp_path, input=b"first.cpio\n", capture_output=True, check=True
    )
    second = tmp_path / "second.cpio"
    second.write_bytes(listing.stdout)
    images = [*made.images, bundle.Image("more", second, "ramdisk", "linux")]
    its = replace(made, images=images).its().replace('ramdisk = "ramdisk"', 'ramdisk = "ramdisk", "more"')
    (tmp_path / "two.its").write_text(its)
    argv = ["mkimage", "-E", "-B", "0x1000", "-f", "two.its", "two.itb"]
    subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True)
    with Session(Machine(kernel=stage, initrd=tmp_path / "two.itb")) as session:
        session.expect(r"lifeboat demo: userspace reached")
        console = session.text
    stage_ran(console)
    size = (first.stat().st_size + 3) // 4 * 4 + second.stat().st_size
    find(rf"plan: initrd .* {(size + 4095) // 4096 * 4} KiB, from 0x", console)
    assert "Initramfs unpacking failed" not in console
    assert "invalid magic" not in console


@pytest.mark.parametrize("load", [0x90000000, 0x80000000, 0x100000], ids=["free", "firmware", "no-ram"])
def test_loadables(
    stage: Path, contract: Callable[..., object], make_bundle: Callable[..., Path], tmp_path: Path, load: int
) -> None:
    (tmp_path / "extra").write_bytes(b"loadable" * 1000)
    made = bundle.simple(bundle.linux(contract().bin))
    images = [*made.images, bundle.Image("extra", tmp_path / "extra", "firmware", "u-boot", load, 0)]
    its = replace(made, images=images).its().replace('kernel = "kernel";', 'kernel = "kernel"; loadables = "extra";')
    (tmp_path / "load.its").write_text(its)
    argv = ["mkimage", "-E", "-f", "load.its", "load.itb"]
    subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True)
    console = run_to_end(Machine(kernel=stage, initrd=tmp_path / "load.itb"))
    if load == 0x90000000:
        stage_ran(console)
        passed(console)
        find(r"plan: load    \[0x90000000..0x90001f3f\] 7 KiB, extra$", console)
    else:
        find(r"ERROR: plan: loadable 'extra' at .* is not in free RAM", console)
