# SPDX-License-Identifier: BSD-2-Clause
"""tools/lifeboat profile: the stage's instructions by function add up to what the stage itself counts."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from harness import find, image_that_loops

from lifeboatlib import bundle, profiling
from lifeboatlib.qemu import Machine, Session


@pytest.mark.slow
def test_the_functions_instructions_add_up_to_what_the_stage_counts(
    stage: Path, stage_elf: Path, make_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "loop").write_bytes(image_that_loops())
    console = ""

    def drive(session: Session) -> None:
        nonlocal console
        session.expect(profiling.HANDOFF)
        console = session.text

    plain = bundle.simple(bundle.linux(tmp_path / "loop", in_place=True))
    made = make_bundle(replace(plain, images=[replace(each, hashes=()) for each in plain.images]))
    root = profiling.measure(Machine(kernel=stage, initrd=made), stage_elf, drive)
    found = profiling.functions(root)
    print(f"\n{profiling.flat(root, 20)}")
    own = int(find(r"cost: (\d+) instructions of our own", console)[1])
    assert sum(function.own for function in found.values()) == root.in_all
    assert abs(root.in_all - own) < own // 20  # what console and counter themselves take
    assert found["start"].calls == found["fdt_read_machine"].calls == found["load_carry_out"].calls == 1
    assert 0 < found["fdt_read_machine"].own < found["fdt_read_machine"].in_all < found["start"].in_all
    assert found["log_line"].in_all >= found["vsnprintf"].in_all
    assert found["early_build_tables"].calls == 1, "what runs before paging has its name, too"
