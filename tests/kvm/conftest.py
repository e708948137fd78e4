# SPDX-License-Identifier: BSD-2-Clause
"""What the KVM tests share: the virtual machine monitor."""

import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import kvm_handoff
import pytest

VMM = Path(__file__).parent / "vmm"
FLAGS = (
    "-static", "-pthread", "-O2", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wshadow",
    "-Wmissing-prototypes", "-Wstrict-prototypes", "-Werror",
)  # fmt: skip


@pytest.fixture(scope="session")
def vmm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The monitor, a static program for the host."""
    program = tmp_path_factory.mktemp("vmm") / "vmm"
    argv = ["riscv64-linux-gnu-gcc", *FLAGS, "-o", program, *VMM.glob("*.c")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"the monitor does not compile:\n{done.stderr}"
    return program


@pytest.fixture(scope="session")
def handoff(
    tmp_path_factory: pytest.TempPathFactory, link_flat: Callable[..., object]
) -> Callable[..., object]:
    """handoff(way, sv): a program of kvm_handoff.py as a Payload (.bin, .elf), each linked once."""

    @cache
    def link(way: str, sv: int) -> object:
        elf = tmp_path_factory.mktemp("handoff") / f"{way}-sv{sv}.elf"
        script = kvm_handoff.SOURCES / "guest.lds"
        return link_flat(elf, script, kvm_handoff.VIRTUAL, *kvm_handoff.sources(way, sv))

    return link
