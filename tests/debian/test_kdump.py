# SPDX-License-Identifier: BSD-2-Clause
"""lifeboat-kdump, run by this machine's sh: how it packs a kernel."""

import gzip
import subprocess
from pathlib import Path

import pytest
from lifeboatlib.paths import TOOLS

SCRIPT = TOOLS / "lifeboat-kdump" / "lifeboat-kdump"
MAIN = 'main "$@"\n'
KERNEL = b"MZ" + bytes(range(256)) * 4096


def pack(kernel: Path, scratch: Path) -> str:
    """Has the script's own function pack a kernel; what the FIT would call the compression."""
    functions = SCRIPT.read_text(encoding="utf-8")
    assert functions.endswith(MAIN)
    argv = ["dash", "-c", f'{functions.removesuffix(MAIN)}kernel=$1 scratch=$2; pack_kernel; echo "$compression"']
    done = subprocess.run([*argv, "sh", kernel, scratch], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_an_image_is_packed_and_comes_out_as_it_was(tmp_path: Path) -> None:
    image = tmp_path / "vmlinuz"
    image.write_bytes(KERNEL)
    assert pack(image, tmp_path) == "gzip"
    packed = (tmp_path / "kernel").read_bytes()
    assert len(packed) < len(KERNEL) and gzip.decompress(packed) == KERNEL


@pytest.mark.parametrize("packer", ["gzip", "zstd"])
def test_what_is_packed_already_stays_as_it_is(packer: str, tmp_path: Path) -> None:
    packed = tmp_path / "vmlinux"
    packed.write_bytes(subprocess.run([packer, "-qc"], input=KERNEL, capture_output=True, check=True).stdout)
    assert pack(packed, tmp_path) == packer
    assert (tmp_path / "kernel").read_bytes() == packed.read_bytes()
