# SPDX-License-Identifier: BSD-2-Clause
"""What is released: a tarball that builds without a network, to the same bytes anywhere, and says what is in it."""

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from lifeboatlib import sbom
from lifeboatlib.paths import REPO
from lifeboatlib.tarballs import pinned
from lifeboatlib.version import VERSION

NAME = f"lifeboat-{VERSION}"


def text(name: str) -> str:
    """A file of the tree."""
    return (REPO / name).read_text(encoding="utf-8")


def test_the_changelog_has_this_version_on_top() -> None:
    versions = re.findall(r"^## \[(.*?)\](?: - (\d{4}-\d\d-\d\d))?$", text("CHANGELOG.md"), re.MULTILINE)
    assert versions[0] == ("Unreleased", "")
    assert versions[1] == (VERSION, sbom.released())
    days = [day for _, day in versions[1:]]
    assert days == sorted(days, reverse=True)
    parts = re.findall(r"^### (.*)$", text("CHANGELOG.md"), re.MULTILINE)
    assert set(parts) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_packages_have_this_version() -> None:
    assert text("debian/changelog").startswith(f"lifeboat ({VERSION}) ")


def test_the_build_tells_what_is_linked_in(stage: Path) -> None:
    """Each library of the map, by the wrap that pins it; asked of the objects' names, and not of sbom.py."""
    made = json.loads((stage.parent / "lifeboat.spdx.json").read_text(encoding="utf-8"))
    packages = {package["name"]: package for package in made["packages"]}
    objects = re.findall(r"subprojects/(\w+)-[\d.]+/", (stage.parent / "lifeboat.map").read_text(encoding="utf-8"))
    assert set(packages) == {"lifeboat", *objects}
    assert packages["lifeboat"]["versionInfo"] == VERSION
    for tarball in pinned():
        if tarball.wrap in packages:
            assert packages[tarball.wrap]["checksums"] == [{"algorithm": "SHA256", "checksumValue": tarball.sha256}]
            assert packages[tarball.wrap]["licenseDeclared"]
    linked = {row["relatedSpdxElement"] for row in made["relationships"] if row["relationshipType"] == "STATIC_LINK"}
    assert linked == {package["SPDXID"] for name, package in packages.items() if name != "lifeboat"}


def test_every_wrap_has_a_licence() -> None:
    """(u-boot's and opensbi's are never linked in.)"""
    assert {each.name for each in sbom.libraries().values()} <= set(sbom.LICENCES)


def test_the_forge_runs_what_everybody_runs() -> None:
    workflow = text(".github/workflows/ci.yml")
    assert re.search(r"^ +- run: \.ci/run\b", workflow, re.MULTILINE)
    assert os.access(REPO / ".ci/run", os.X_OK)
    assert "debian: [bookworm, trixie]" in workflow


def test_the_index_names_every_page_and_no_other() -> None:
    """Three for each kind of reader."""
    index = text("docs/README.md")
    rows = re.findall(r"^\| an? .*|^\| the author .*", index, re.MULTILINE)
    assert len(rows) == 6
    for row in rows:
        pages = re.findall(r"\]\(([\w./-]+)\)", row)
        assert len(pages) == 3 and all((REPO / "docs" / page).is_file() for page in pages), row
    named = set(re.findall(r"\]\(([\w-]+\.md)\)", index))
    assert named == {path.name for path in (REPO / "docs").glob("*.md")} - {"README.md"}


def dist(directory: Path) -> Path:
    """What meson makes of HEAD, in a build directory of its own."""
    setup = ["meson", "setup", directory, "--cross-file", REPO / "tools/cross/riscv64-gcc.ini"]
    subprocess.run(setup, cwd=REPO, check=True, capture_output=True)
    argv = ["meson", "dist", "-C", directory, "--no-tests", "--allow-dirty", "--formats", "xztar"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory / f"meson-dist/{NAME}.tar.xz"


def unpacked(tarball: Path, directory: Path) -> Path:
    """The tree out of a tarball; it is no git clone."""
    with tarfile.open(tarball) as packed:
        packed.extractall(directory)
    return directory / NAME


def alone(source: Path, *argv: str | Path) -> str:
    """Runs a program in a tree, where there is no network; gives its output."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]  # which is forbidden in a chroot
    words = ["unshare", "--net", *as_root, *argv]
    done = subprocess.run(words, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return done.stdout


def build(tarball: Path, directory: Path) -> Path:
    """A stage out of a tarball."""
    source = unpacked(tarball, directory)
    alone(source, "meson", "setup", "build", "--cross-file", "tools/cross/riscv64-gcc.ini")
    alone(source, "meson", "compile", "-C", "build", "-j", "2")
    return source / "build/lifeboat.bin"


@pytest.mark.long
def test_the_tarball_is_reproducible_and_builds_offline_to_the_same_bytes(tmp_path: Path) -> None:
    first, second = (dist(tmp_path / name) for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    stages = [build(first, tmp_path / name) for name in ("here", "a-longer-name")]
    assert stages[0].read_bytes() == stages[1].read_bytes()
    sboms = [(path.parent / "lifeboat.spdx.json").read_bytes() for path in stages]
    assert sboms[0] == sboms[1]
    print(f"\nrelease: {first.stat().st_size} bytes of tarball, {stages[0].stat().st_size} of stage")


@pytest.mark.long
def test_the_tarball_tests_itself_offline(tmp_path: Path) -> None:
    """Its unit tests; tests/bare.py is for all others."""
    source = unpacked(dist(tmp_path / "made"), tmp_path)
    alone(source, "meson", "setup", "build-host", "-Dhost_tests=true", "-Db_sanitize=address,undefined")
    alone(source, "meson", "compile", "-C", "build-host", "-j", "2")
    said = alone(source, sys.executable, "-m", "pytest", "-q", "-m", "not slow and not long", "tests/unit")
    programs = len(list((source / "tests/unit").glob("test_*.c")))
    assert int(re.search(r"^(\d+) passed", said, re.MULTILINE)[1]) > programs // 2, said
    print("\nrelease: offline:", said.splitlines()[-1])
