# SPDX-License-Identifier: BSD-2-Clause
"""The example of docs/integration.md, as it is printed there: it compiles, and its system's death is captured."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from crash_bare import REGION
from test_crash_call import NOTE

from lifeboatlib import bundle
from lifeboatlib.paths import REPO
from lifeboatlib.qemu import Machine, Session

HARTS = 4
CLIENT = '#define LIFEBOAT_CALL_IMPLEMENTATION\n#include "client/lifeboat_call.h"\n'
FREESTANDING = (
    "-mabi=lp64", "-fno-pic", "-mcmodel=medany", "-ffreestanding", "-nostdinc",
    "-std=c11", "-Wall", "-Wextra", "-Werror", "-c", f"-I{REPO}",
)  # fmt: skip


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The one block of C in the document."""
    text = (REPO / "docs" / "integration.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```c\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    shutil.copy(REPO / "tests" / "payloads" / "rtos.h", tmp_path)
    (tmp_path / "example.c").write_text(code, encoding="utf-8")
    return tmp_path / "example.c"


def test_the_example_captures_its_own_death(
    example: Path, stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    system = build_payload("crash_example", EXAMPLE=f'"{example}"')
    checker = build_payload("crash_checker")
    made = bundle.with_crash(
        bundle.simple(bundle.linux(system.bin)),  # type: ignore[attr-defined]
        payload=bundle.linux(checker.bin),  # type: ignore[attr-defined]
        crash=bundle.Crash(REGION, 1, "boot"),
    ).write(tmp_path / "example.itb")
    with Session(Machine(kernel=stage, initrd=made, smp=HARTS, memory="256M", sv=39)) as session:
        session.expect("^checker: on hart 2$")
        session.expect("^checker: 4 notes, 4 of them registers$")
        found = re.findall(NOTE, session.text, re.MULTILINE)
    assert sorted(int(hart) for hart, _, _ in found) == list(range(HARTS))
    assert {int(mask, 16) & ~1 << 31 for _, mask, _ in found} == {0}, found


@pytest.mark.parametrize("compiler", ["riscv64-linux-gnu-gcc", "clang"])
@pytest.mark.parametrize("optimize", ["-O0", "-O2", "-Os"])
def test_the_library_needs_nothing_but_a_compiler(compiler: str, optimize: str, tmp_path: Path) -> None:
    """Only headers of the compiler, no function but memset() and memcpy(), no data that is written."""
    assert shutil.which(compiler), f"{compiler} is not there; run tools/lifeboat setup"
    (tmp_path / "client.c").write_text(CLIENT, encoding="utf-8")
    flags = [*FREESTANDING, optimize, *own_headers(compiler)]
    # (Old clang counts Zicsr and Zifencei to I and rejects their names.)
    target = ["--target=riscv64-linux-gnu", "-march=rv64ima", "-mno-relax"]
    flags += target if compiler == "clang" else ["-march=rv64ima_zicsr_zifencei"]
    argv = [compiler, *flags, "-o", tmp_path / "client.o", tmp_path / "client.c"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = ["riscv64-linux-gnu-nm", tmp_path / "client.o"]
    rows = [
        line.split() for line in subprocess.run(names, capture_output=True, text=True, check=True).stdout.splitlines()
    ]
    wanted = {row[-1] for row in rows if row[-2] == "U"}
    assert wanted <= {"memset", "memcpy"}, wanted
    assert [row for row in rows if row[-2] in "bBdDC"] == []
    assert all(row[-1].startswith("lifeboat_") for row in rows if row[-2] in "TR"), rows


def own_headers(compiler: str) -> list[str]:
    """The flag for the folder of stddef.h and its like, which -nostdinc has hidden."""
    argv = [compiler, "-print-file-name=include"]
    folder = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    return ["-isystem", folder]
