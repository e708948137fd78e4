# SPDX-License-Identifier: BSD-2-Clause
"""A machine whose firmware demands signatures: keys in its FDT, so that one build of the stage serves most tests."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from lifeboatlib import keys
from lifeboatlib.paths import host_dir
from lifeboatlib.qemu import PROGRAM, patience


def directory() -> Path:
    """Where the keys are that the unit tests have made."""
    path = host_dir() / "tests" / "unit" / "signed"
    assert (path / "rsa2048.key").is_file(), f"{path} is missing; run tools/lifeboat test"
    return path


def private(keydir: Path, name: str) -> Path:
    """A private key."""
    found = [keydir / f"{name}{suffix}" for suffix in (".key", ".pem")]
    return next(path for path in found if path.is_file())


def virt_fdt(
    directory: Path, memory: str, keydir: Path, names: Iterable[str], policy: keys.Policy
) -> Path:
    """virt's FDT, with the public keys of these names in it."""
    dtb = directory / "virt.dtb"
    argv = [PROGRAM, "-M", f"virt,dumpdtb={dtb}", "-m", memory, "-display", "none"]
    subprocess.run(argv, capture_output=True, check=True, timeout=patience())
    text = subprocess.run(["dtc", "-q", "-O", "dts", dtb], capture_output=True, text=True, check=True)
    found = [keys.read_key(keydir / f"{name}.pub.pem") for name in names]
    more = keys.source(found, policy).replace("/dts-v1/;", "")
    with_keys = directory / "keys.dtb"
    argv = ["dtc", "-q", "-O", "dtb", "-o", str(with_keys)]
    subprocess.run(argv, input=text.stdout + more, text=True, check=True)
    return with_keys
