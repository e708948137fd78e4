# SPDX-License-Identifier: BSD-2-Clause
"""Builds a makedumpfile that finds struct page on riscv64, as a Debian package beside Debian's own.

Up to 1.7.9 it reads the wrong ones, so that its -d 31 leaves out pages in use (docs/crash.md). This is the source
of Debian's package with one patch, for the time until Debian has a release that is right.
"""

import os
import shutil
import tempfile
from pathlib import Path

from lifeboatlib import command, packages, setup, tarballs
from lifeboatlib.packages import CODENAME
from lifeboatlib.paths import REPO, cache_dir
from lifeboatlib.ui import step
from lifeboatlib.version import VERSION

RELEASE = tarballs.Tarball(
    "makedumpfile",
    "makedumpfile_1.7.8.orig.tar.gz",
    "b54e88bef256c589eb4adce17bc856da898a762626fe54f76a77a7f22ad9a844",
)
UPSTREAM = RELEASE.filename.removeprefix("makedumpfile_").removesuffix(".orig.tar.gz")
PATCH = REPO / "tools/lifeboat-kdump/makedumpfile-riscv64.patch"
# What makedumpfile -v says, and by which lifeboat-kdump knows that its -d 31 is right.
MENDED = f"{UPSTREAM}+lifeboat"
OPTIONS = ("TARGET=riscv64", "LINKTYPE=dynamic", "USELZO=on", "USEZSTD=on", f"VERSION={MENDED}")
HOST_PACKAGES = ("dpkg-dev", "patch")
# For the compiler and the linker only: the machine has the libraries, on which Debian's makedumpfile depends.
LIBRARIES = (
    "libbz2-1.0", "libbz2-dev", "libdw-dev", "libdw1t64", "libelf-dev", "libelf1t64", "liblzo2-2", "liblzo2-dev",
    "libzstd-dev", "libzstd1", "zlib1g", "zlib1g-dev",
)  # fmt: skip
HINT = "see the log"
LOG = "makedumpfile"

CONTROL = f"""Package: lifeboat-makedumpfile
Version: {MENDED}{VERSION}
Architecture: riscv64
Maintainer: the lifeboat authors <lifeboat@localhost>
Depends: makedumpfile
Enhances: lifeboat-kdump
Section: kernel
Priority: optional
Description: makedumpfile that finds struct page on riscv64
 Up to 1.7.9 makedumpfile -d 31 leaves out pages that are in use, on riscv64.
 This is Debian's source with one patch, for lifeboat-kdump, which takes it
 in the place of Debian's own.
"""
COPYRIGHT = f"""makedumpfile {UPSTREAM}, as in Debian's source package, with the patch beside this file.
Copyright NEC Corporation, FUJITSU LIMITED, IBM Corp., Red Hat, Inc. and others.
GPL-2.0: /usr/share/common-licenses/GPL-2
Source: Debian's makedumpfile {UPSTREAM}, the patch; "tools/lifeboat deb --makedumpfile" of lifeboat {VERSION} builds it.
"""
# Where there is a capture image it is made anew, with what is there now.
REBUILD = """#!/bin/sh
set -e
case $1 in
configure | remove) ! ls /var/lib/lifeboat/crash-*.itb > /dev/null 2>&1 || lifeboat-kdump reload || true ;;
esac
"""


def _libraries(scratch: Path) -> Path:
    """Headers and shared libraries for riscv64, unpacked."""
    apt = packages.updated_apt(CODENAME)
    apt.download(LIBRARIES, scratch / "libraries")
    for package in sorted((scratch / "libraries").glob("*.deb")):
        command.logged(["dpkg-deb", "-x", package, scratch / "root"], LOG, HINT)
    return scratch / "root/usr"


def _source(scratch: Path) -> Path:
    """The source, patched."""
    tree = scratch / "source"
    tree.mkdir()
    command.logged(["tar", "-xf", tarballs.source(RELEASE), "-C", tree, "--strip-components=1"], LOG, HINT)
    command.logged(["patch", "-p1", "-F0", "-i", PATCH], LOG, HINT, cwd=tree)
    return tree


def _compile(tree: Path, usr: Path) -> Path:
    """The program. What the libraries want of a libc is for the machine's own to have."""
    headers = f"-I{usr}/include -I{usr}/include/riscv64-linux-gnu -ffile-prefix-map={tree}=."
    libraries = f"-L{usr}/lib/riscv64-linux-gnu -Wl,--allow-shlib-undefined"
    argv = ("env", f"CFLAGS={headers}", "CC=riscv64-linux-gnu-gcc", "make", f"-j{os.cpu_count() or 1}")
    command.logged([*argv, *OPTIONS, f"LDFLAGS={libraries}", "makedumpfile"], LOG, HINT, cwd=tree)
    command.logged(["riscv64-linux-gnu-strip", "makedumpfile"], LOG, HINT, cwd=tree)
    return tree / "makedumpfile"


def program(output: Path) -> Path:
    """The program, built into a file. Raises Missing where the archive has not its source any more."""
    setup.for_packages(HOST_PACKAGES)
    with step(f"deb: building makedumpfile {MENDED}"), tempfile.TemporaryDirectory(dir=cache_dir()) as name:
        made = _compile(_source(Path(name)), _libraries(Path(name)))
        shutil.move(made, output)
    return output


def _fill(root: Path) -> None:
    """What is in the package."""
    doc = root / "usr/share/doc/lifeboat-makedumpfile"
    for folder in (root / "DEBIAN", root / "usr/lib/lifeboat", doc):
        folder.mkdir(parents=True)
    program(root / "usr/lib/lifeboat/makedumpfile")
    (root / "DEBIAN/control").write_text(CONTROL, encoding="utf-8")
    for script in ("postinst", "postrm"):
        (root / "DEBIAN" / script).write_text(REBUILD, encoding="utf-8")
        (root / "DEBIAN" / script).chmod(0o755)
    (doc / "copyright").write_text(COPYRIGHT, encoding="utf-8")
    shutil.copy(PATCH, doc)


def build(output: Path) -> Path:
    """The package, in a directory."""
    made = output / f"lifeboat-makedumpfile_{MENDED}{VERSION}_riscv64.deb"
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as name:
        Path(name).chmod(0o755)
        _fill(Path(name))
        command.logged(["dpkg-deb", "--root-owner-group", "--build", name, made], LOG, HINT)
    return made
