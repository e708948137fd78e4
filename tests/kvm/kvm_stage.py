# SPDX-License-Identifier: BSD-2-Clause
"""The stage as a guest: no firmware, KVM is the SBI; the bundle and the FDT lie in the guest's memory."""

import subprocess
from pathlib import Path

from kvm_host import Guest

RAM = 0x8000_0000
STAGE = RAM + (2 << 20)
TIMEBASE = 10_000_000  # the emulated machine's, and so every guest's
ISA = "rv64imafdc_zicntr_zicsr_zifencei_sstc"

DTS = """/dts-v1/;
/ {{
    compatible = "lifeboat,kvm-guest";
    #address-cells = <2>;
    #size-cells = <2>;
    chosen {{
        bootargs = "{bootargs}";
        linux,initrd-start = <0 {bundle:#x}>;
        linux,initrd-end = <0 {bundle_end:#x}>;
    }};
    memory@{ram:x} {{ device_type = "memory"; reg = <0 {ram:#x} 0 {size:#x}>; }};
    cpus {{
        #address-cells = <1>;
        #size-cells = <0>;
        timebase-frequency = <{timebase}>;
{harts}
    }};
}};
"""
HART = """        cpu@{id} {{
            device_type = "cpu";
            compatible = "riscv";
            reg = <{id}>;
            riscv,isa = "{isa}";
            mmu-type = "riscv,sv{sv}";
            interrupt-controller {{
                compatible = "riscv,cpu-intc";
                #interrupt-cells = <1>;
                #address-cells = <0>;
                interrupt-controller;
            }};
        }};"""


def stage_guest(
    name: str,
    stage: Path,
    bundle: Path,
    scratch: Path,
    sv: int = 57,
    memory: int = 256,
    vcpus: int = 1,
    bootargs: str = "",
    **options: int,
) -> Guest:
    """A guest whose vCPU 0 starts in the stage; its FDT describes it, and allows modes up to `sv`.

    Stage, bundle and FDT lie where a machine's firmware would put them: 2 MiB into RAM, in its middle,
    and 2 MiB before its end.
    """
    size = memory << 20
    at, fdt = RAM + size // 2, RAM + size - (2 << 20)
    harts = "\n".join(HART.format(id=number, isa=ISA, sv=sv) for number in range(vcpus))
    text = DTS.format(
        bootargs=bootargs, bundle=at, bundle_end=at + bundle.stat().st_size, ram=RAM, size=size,
        timebase=TIMEBASE, harts=harts,
    )  # fmt: skip
    source, blob = scratch / f"{name}.dts", scratch / f"{name}.dtb"
    source.write_text(text, encoding="utf-8")
    subprocess.run(["dtc", "-o", blob, source], check=True)
    files = {STAGE: stage, at: bundle, fdt: blob}
    return Guest(name, files, memory, vcpus, fdt, **options)
