# SPDX-License-Identifier: BSD-2-Clause
"""Where things lie: the repository, the cache and the build directories."""

import os
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
TOOLS = REPO / "tools"
SUBPROJECTS = REPO / "subprojects"
PACKAGECACHE = SUBPROJECTS / "packagecache"


def cache_dir() -> Path:
    """The directory for everything that is downloaded or made once, shared by all clones.

    LIFEBOAT_CACHE overrides the user's cache directory (XDG_CACHE_HOME, else ~/.cache).
    """
    override = os.environ.get("LIFEBOAT_CACHE")
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = Path(override).resolve() if override else user / "lifeboat"
    path.mkdir(parents=True, exist_ok=True)
    return path


def log_file(name: str) -> Path:
    """The log that the output of a long command is appended to."""
    path = cache_dir() / "log"
    path.mkdir(exist_ok=True)
    return path / f"{name}.log"


def build_dir(compiler: str = "gcc", override: str | None = None) -> Path:
    """The Meson build directory of the stage for a compiler, unless the user names another."""
    if override:
        return Path(override).resolve()
    return REPO / ("build" if compiler == "gcc" else f"build-{compiler}")


def stage_dir() -> Path:
    """Where the stage to boot lies; a test run says it in LIFEBOAT_BUILDDIR."""
    return build_dir(override=os.environ.get("LIFEBOAT_BUILDDIR"))


def object_name(source: str) -> str:
    """What Meson calls the object that it makes of a source: boot/start.c is boot_start.c.o."""
    return source.replace("/", "_") + ".o"


def host_dir() -> Path:
    """Where the unit tests for this machine are built."""
    return REPO / "build-host"


def fuzz_dir() -> Path:
    """Where the fuzz targets are built."""
    return REPO / "build-fuzz"


def coverage_dir() -> Path:
    """Where unit tests and fuzz targets are built to be measured."""
    return REPO / "build-coverage"


def inspect_dir() -> Path:
    """Where lifeboat-inspect is built."""
    return REPO / "build-inspect"


def friendly(path: Path) -> str:
    """A path as short as it can be written from the current directory."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
