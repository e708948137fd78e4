# SPDX-License-Identifier: BSD-2-Clause
"""What of RAM is the dead kernel's: what the FDT only reserves is, and what it keeps off is not."""

from collections.abc import Callable
from pathlib import Path

import pytest
from badfdt import dump_fdt
from crash_bare import bare_bundle, expect_filled
from fdtfile import Fdt
from lifeboatlib.qemu import Machine, Session

POOL = 16 << 20
PLACE = 0x84000000
RAM_MIB = r"^lifeboat: crash: (\d+) MiB of the dead kernel's RAM"


def dead_mib(stage: Path, bundle: Path, dtb: Path, scratch: Path) -> int:
    """As the core header has it, of a primary that was reset."""
    with Session(Machine(kernel=stage, initrd=bundle, memory="256M", dtb=dtb, qmp=scratch / "qmp")) as session:
        expect_filled(session)
        session.qmp("system_reset")
        return int(session.expect(RAM_MIB)[1])


@pytest.mark.slow
def test_a_reusable_pool_is_the_kernels_and_a_no_map_range_is_not(
    stage: Path, build_payload: Callable[..., object], tmp_path: Path
) -> None:
    bundle = bare_bundle(build_payload, tmp_path / "bare.itb", WAIT=1)
    found = {}
    for kind in ("", "reusable", "no-map"):
        fdt = Fdt(dump_fdt(tmp_path / f"{kind or 'plain'}.dtb"))
        if kind:
            node = f"/reserved-memory/pool@{PLACE:x}"
            fdt.add_node("/reserved-memory")
            fdt.put("/reserved-memory", "#address-cells", 2).put("/reserved-memory", "#size-cells", 2)
            fdt.put("/reserved-memory", "ranges").add_node(node)
            fdt.put(node, "reg", 0, PLACE, 0, POOL).put(node, kind)
        (tmp_path / (kind or "plain")).mkdir()
        found[kind] = dead_mib(stage, bundle, fdt.path, tmp_path / (kind or "plain"))
    assert found["reusable"] == found[""]
    assert found["no-map"] == found[""] - (POOL >> 20)
