# SPDX-License-Identifier: BSD-2-Clause
"""Builds the stage with Meson, and the unit tests for this machine."""

import argparse
import configparser
import fcntl
import filecmp
import shutil
from pathlib import Path

from lifeboatlib import command, setup
from lifeboatlib.paths import (
    REPO, SUBPROJECTS, TOOLS, build_dir, cache_dir, coverage_dir, friendly, fuzz_dir, host_dir, inspect_dir, log_file,
)  # fmt: skip
from lifeboatlib.ui import LifeboatError, say, step

HELP = "build the stage: lifeboat.bin and lifeboat.elf"
EXAMPLES = ("tools/lifeboat build", "tools/lifeboat build --compiler clang")
COMPILERS = ("gcc", "clang")
PRODUCTS = ("lifeboat.bin", "lifeboat.elf")


def _meson(directory: Path, options: list[str], what: str) -> None:
    """Configures a build directory if it is new, then builds it; shows compilers' errors. One at a time."""
    with (cache_dir() / f"lock-{directory.name}").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _refresh_overlays()
        _meson_alone(directory, options, what)


def _meson_alone(directory: Path, options: list[str], what: str) -> None:
    log = log_file(f"meson-{directory.name}")
    log.unlink(missing_ok=True)
    hint = f"mend what is reported; delete {friendly(directory)} if only its configuration is stale"
    try:
        with step(f"build: {what}"):
            if not (directory / "build.ninja").exists():
                configure = ["meson", "setup", str(directory), str(REPO), *options]
                command.logged(configure, log.stem, hint)
            command.logged(["meson", "compile", "-C", directory], log.stem, hint)
    except LifeboatError:
        say("\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]))
        raise


def _differs(file: Path, copy: Path) -> bool:
    return not (copy.is_file() and filecmp.cmp(file, copy, shallow=False))


def _refresh_overlays() -> None:
    """Brings our build files into unpacked subprojects; Meson does so only when it unpacks them."""
    for path in SUBPROJECTS.glob("*.wrap"):
        wrap = configparser.ConfigParser(interpolation=None)
        wrap.read(path, encoding="utf-8")
        unpacked = SUBPROJECTS / wrap["wrap-file"]["directory"]
        overlay = SUBPROJECTS / "packagefiles" / wrap["wrap-file"]["patch_directory"]
        if any(_differs(patch, unpacked / patch.name) for patch in overlay.glob("*.patch")):
            shutil.rmtree(unpacked, ignore_errors=True)  # Meson unpacks it again, and applies what there is now
        for file in overlay.rglob("*") if unpacked.is_dir() else ():
            copy = unpacked / file.relative_to(overlay)
            if file.is_file() and _differs(file, copy):
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)


def build_stage(compiler: str = "gcc", directory: Path | None = None) -> Path:
    """Builds the stage and gives its build directory."""
    setup.for_build()
    directory = directory or build_dir(compiler)
    cross = f"{TOOLS}/cross/riscv64-{compiler}.ini"
    _meson(directory, ["--cross-file", cross], f"the stage, with {compiler}")
    for product in PRODUCTS:
        if not (directory / product).is_file():
            raise LifeboatError(f"the build made no {product}; is meson.build whole?")
    return directory


def build_ctl() -> Path:
    """Builds lifeboat-ctl for the target, static, and gives its path."""
    directory = build_dir("ctl")
    _meson(directory, ["--cross-file", f"{TOOLS}/cross/riscv64-gcc.ini", "-Dctl=true"], "lifeboat-ctl")
    return directory / "tools/lifeboat-ctl/lifeboat-ctl"


def build_host_tests() -> None:
    """Builds the unit tests for this machine, with sanitizers."""
    setup.for_build()
    options = ["-Dhost_tests=true", "-Db_sanitize=address,undefined"]
    _meson(host_dir(), options, "the unit tests")


def build_fuzz() -> None:
    """Builds the fuzz targets, with libFuzzer and sanitizers: clang's."""
    setup.for_build()
    options = ["--native-file", f"{TOOLS}/cross/native-clang.ini", "-Dfuzz=true", "-Doptimization=1"]
    sanitize = ["-Db_sanitize=address,undefined", "-Db_lundef=false"]
    _meson(fuzz_dir(), [*options, *sanitize], "the fuzz targets")


def build_coverage() -> None:
    """Builds the unit tests and the fuzz targets so that they count what they run through."""
    setup.for_build()
    _meson(coverage_dir(), ["-Dhost_tests=true", "-Db_coverage=true", "-Doptimization=0"], "what is to be covered")


def build_inspect() -> Path:
    """Builds lifeboat-inspect for this machine, and gives it."""
    setup.for_build()
    _meson(inspect_dir(), ["-Dinspect=true", "-Doptimization=2"], "lifeboat-inspect")
    return inspect_dir() / "tools" / "lifeboat-inspect" / "lifeboat-inspect"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the build command."""
    parser.add_argument("--compiler", choices=COMPILERS, default="gcc", help="default: gcc")
    parser.add_argument(
        "--builddir", metavar="DIR", help="default: build for gcc, build-clang for clang"
    )


def main(args: argparse.Namespace) -> int:
    """Builds, and says what came out."""
    directory = build_stage(args.compiler, build_dir(args.compiler, args.builddir))
    for product in PRODUCTS:
        path = directory / product
        say(f"build: {friendly(path)}, {path.stat().st_size} bytes")
    return 0
