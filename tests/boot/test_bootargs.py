# SPDX-License-Identifier: BSD-2-Clause
"""A payload's bootargs: of the bundle's FDT, its configuration and firmware, within what Linux takes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from crash_lab import CONSOLE, ENDED, PRIMARY, Lab
from harness import find, image_that_loops, passed, run_to_end
from lifeboatlib import bundle, initramfs, target
from lifeboatlib.qemu import Machine, Session
from test_board_fdt import dtc, machine_dts, with_fdts  # noqa: F401

LINUX_TAKES = 1023
OVERLAY = '/dts-v1/; /plugin/; &{/chosen} { bootargs = "from=bundle own=0 -- one"; };'
POOL = """
	reserved-memory {
		#address-cells = <2>; #size-cells = <2>; ranges;
		pool: engine { compatible = "shared-dma-pool"; no-map; size = <0x0 0x0a000000>; };
	};
"""


@pytest.mark.parametrize("kind", ["base", "overlay"])
def test_fdt_configuration_and_firmware_are_joined_by_linux_rules(
    kind: str,
    stage: Path,
    contract: Callable[..., object],
    make_bundle: Callable[..., Path],
    machine_dts: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    """What comes later overrides; options come before `--`, arguments of init behind it."""
    base = machine_dts.replace("chosen {", 'chosen { bootargs = "from=bundle own=0 -- one";', 1)
    fdt = dtc(base if kind == "base" else OVERLAY, tmp_path / "fdt.dtb")
    wanted = "from=bundle own=0 own=1 fdt=2 -- one two"
    payload = contract(wanted, memory=1 << 30)
    made = make_bundle(with_fdts(bundle.linux(payload.bin), [fdt], append="own=1 -- two"))
    passed(run_to_end(Machine(kernel=stage, initrd=made, append="fdt=2")))


def test_what_linux_would_cut_is_left_out_by_words_and_named(
    stage: Path, contract: Callable[..., object], make_bundle: Callable[..., Path]
) -> None:
    words = [f"word={n:04}" for n in range(200)]
    fits = words[: (LINUX_TAKES + 1) // 10]
    payload = contract(" ".join([*fits]), memory=1 << 30)
    made = make_bundle(bundle.linux(payload.bin), append=" ".join(words))
    console = run_to_end(Machine(kernel=stage, initrd=made))
    passed(console)
    find(rf"^lifeboat: warning: bootargs: no room in 1023 characters for: {words[len(fits)]} ", console)


def test_what_a_crash_kernel_can_not_have_is_told_and_what_it_needs_is_never_cut(
    stage: Path, tmp_path: Path
) -> None:
    (tmp_path / "loop").write_bytes(image_that_loops())
    loop = bundle.linux(tmp_path / "loop")
    barred = "crashkernel=160M hugepages=120 log_buf_len=64M cma=64M"
    plain = bundle.simple(loop, append="panic=0 -- single")
    crash = bundle.with_crash(plain, None, f"{barred} nr_cpus=2 {'x' * 900} tail -- init", payload=loop)
    with Session(Machine(kernel=stage, initrd=crash.write(tmp_path / "crash.itb"))) as session:
        for option in barred.split():
            session.expect(f"^lifeboat: warning: bootargs: no crash kernel can do with {option}: left out$")
        added = "panic=5 reboot=panic_warm reset_devices cma=0"
        session.expect(f"^lifeboat: bootargs: added {added}, as a crash kernel needs$")
        # With panic=0 nothing is so that a panic ends in a reset.
        session.expect("^lifeboat: bootargs: added reboot=panic_warm, for a Linux that reads them$")
        session.expect("^lifeboat: warning: bootargs: panic=0: after a panic it stands still until ")
        session.expect("crash: armed")


@pytest.mark.long
def test_a_crash_kernel_that_panics_resets_and_has_its_memory_for_itself(
    stage: Path,
    machine_dts: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Both have bootargs with arguments for init; a device refers to a pool that the crash kernel lacks."""
    free = 'echo "crash: $(sed -n "s/MemFree: *//p" /proc/meminfo) $(ls /proc/device-tree/reserved-memory)"'
    report = f"{free}\nexit 1\n"
    primary = initramfs.make_initramfs(tmp_path / "primary.cpio", PRIMARY)
    crash = initramfs.make_initramfs(tmp_path / "crash.cpio", initramfs.PROLOGUE + report)
    made = bundle.simple(bundle.linux(target.kernel()), primary, f"{CONSOLE} quiet -- single")
    made = bundle.with_crash(made, crash, f"{CONSOLE} quiet -- single")
    dts = machine_dts.replace("serial@10000000 {", "serial@10000000 { memory-region = <&pool>;", 1)
    end = dts.rindex("};")
    dtb = dtc(dts[:end] + POOL + dts[end:], tmp_path / "machine.dtb")
    with Session(Machine(kernel=stage, initrd=made.write(tmp_path / "crash.itb"), dtb=dtb)) as session:
        lab = Lab(session)
        lab.order("echo c > /proc/sysrq-trigger")
        assert lab.expect(ENDED)[1] == "panic"
        seen = lab.expect(r"crash: (\d+) kB (.*)")
        assert int(seen[1]) > 100 << 10, seen[0]
        assert "engine" not in seen[2]
        lab.expect("the crash kernel died, too")
