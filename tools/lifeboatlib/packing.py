# SPDX-License-Identifier: BSD-2-Clause
"""Compressed files: what they are packed by, and how to pack one."""

import subprocess
from pathlib import Path

from lifeboatlib.ui import LifeboatError, step

# How compressed files begin; what mkimage and the stage call the compression. As the rows of kexec/image/decompress_*.c.
MAGIC = {
    b"\x1f\x8b\x08": "gzip",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x02\x21\x4c\x18": "lz4",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x50\x2a\x4d\x18": "zstd",  # pzstd's: a skippable frame comes first
}
COMPRESSORS = {
    "gzip": ["gzip", "-9nc"],
    "lz4": ["lz4", "-9qc"],
    "zstd": ["zstd", "-19", "-T0", "-qc"],
}
# Without a checksum of what is in it, which whoever unpacks has to make again. (gzip always has one.)
WITHOUT_SUM = {"lz4": ["--no-frame-crc"], "zstd": ["--no-check"]}


def packed_by(path: Path) -> str:
    """What a file is compressed with, as mkimage calls it; "none" if it is not."""
    with path.open("rb") as file:
        return named(file.read(4))


def named(begin: bytes) -> str:
    """What begins like that."""
    return next((name for magic, name in MAGIC.items() if begin.startswith(magic)), "none")


def pack(path: Path, name: str, directory: Path, is_hashed: bool = False) -> Path:
    """Compresses a file into one in a directory; without a sum of its own if what is packed is hashed."""
    packed = directory / f"{path.name}.{name}"
    with step(f"bundle: {name} of {path.name}"), packed.open("wb") as sink:
        argv = [*COMPRESSORS[name], *(WITHOUT_SUM.get(name, []) if is_hashed else []), str(path)]
        try:
            done = subprocess.run(argv, stdout=sink, stderr=subprocess.PIPE, check=False)
        except OSError as error:
            raise LifeboatError(f"cannot run {name} ({error.strerror}); apt-get install {name}") from error
    if done.returncode != 0:
        raise LifeboatError(f"{name} failed: {done.stderr.decode(errors='replace').strip()}")
    return packed
