# SPDX-License-Identifier: BSD-2-Clause
"""What is not ours changes: kernels under other names, packages that are gone. Before a small archive of our own, by apt."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lifeboatlib import kernels, packages
from lifeboatlib.kernels import Kernel
from lifeboatlib.packages import Package
from lifeboatlib.paths import REPO
from lifeboatlib.ui import Missing

pytestmark = pytest.mark.slow

OLD, NEW = "6.12.9+deb13-riscv64", "6.12.107+deb13-riscv64"
NEXT = "7.2.12+deb14-riscv64"
FDT = "acme/one.dtb"


def whole(release: str) -> dict[str, Mapping[str, str]]:
    """A kernel as Debian 13 has it, in one package."""
    modules = f"usr/lib/modules/{release}/kernel"
    content = {f"boot/vmlinux-{release}": release, f"{modules}/kvm.ko": "kvm", f"usr/lib/linux-image-{release}/{FDT}": ""}
    return {f"linux-image-{release}": content}


def split(release: str) -> dict[str, Mapping[str, str]]:
    """A kernel as testing and sid have it."""
    folder = f"usr/lib/modules/{release}"
    return {
        f"linux-image-{release}": {},
        f"linux-binary-{release}": {f"{folder}/vmlinuz": release},
        f"linux-modules-{release}": {f"{folder}/kernel/kvm.ko": "kvm"},
        f"linux-base-{release}": {f"{folder}/dtb/{FDT}": ""},
    }


@dataclass
class Archive:
    """Suites of packages for riscv64 in a directory, which apt reads like any other."""

    root: Path
    depends: dict[str, str] = field(default_factory=dict)

    def line(self, kind: str = "deb", suite: str = "") -> str:
        """As debian.Source has it."""
        return f"{kind} [trusted=yes] file:{self.root} {suite} main\n"

    def suite(self, codename: str, content: dict[str, Mapping[str, str]]) -> None:
        """Makes a suite: its packages, each with its files."""
        stanzas = [self._package(name, files) for name, files in content.items()]
        folder = self.root / "dists" / codename
        lists = folder / "main" / "binary-riscv64" / "Packages"
        lists.parent.mkdir(parents=True, exist_ok=True)
        lists.write_text("\n".join(stanzas), encoding="utf-8")
        digest, size = hashlib.sha256(lists.read_bytes()).hexdigest(), lists.stat().st_size
        (folder / "Release").write_text(
            f"Suite: {codename}\nCodename: {codename}\nArchitectures: riscv64\nComponents: main\n"
            f"SHA256:\n {digest} {size} main/binary-riscv64/Packages\n", encoding="utf-8",
        )  # fmt: skip

    def _package(self, name: str, files: Mapping[str, str]) -> str:
        """Makes a package; its stanza of the list."""
        tree = self.root / "trees" / name
        fields = f"Package: {name}\nVersion: 1\nArchitecture: riscv64\nMaintainer: nobody <nobody@example.org>\n"
        fields += f"Description: none\n{self.depends.get(name, '')}"
        for path, content in {"DEBIAN/control": fields, **files}.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(content, encoding="utf-8")
        deb = self.root / f"{name}.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, deb], check=True, capture_output=True)
        digest = hashlib.sha256(deb.read_bytes()).hexdigest()
        return f"{fields}Filename: {deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """An archive instead of Debian's, and an empty cache."""
    made = Archive(tmp_path / "archive")
    monkeypatch.setenv("LIFEBOAT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(kernels.PIN, raising=False)
    monkeypatch.setattr(packages.debian, "archive", lambda *_: made)
    monkeypatch.setattr(packages.debian, "sources", list)
    monkeypatch.setattr("lifeboatlib.apt.UPDATE_PAUSES", ())
    return made


def newest(archive: Archive, release: str) -> dict[str, Mapping[str, str]]:
    """The meta package, which depends on a release's."""
    archive.depends[kernels.META] = f"Depends: linux-base-riscv64 (= 1), linux-image-{release} (= 1)\n"
    return {kernels.META: {}}


def assert_is(kernel: Kernel, release: str) -> None:
    """All of it is there, and of that release."""
    assert kernel.image().read_text() == kernel.release() == release
    assert kernel.modules("irqbypass", "kvm") == {"kvm.ko": b"kvm"}
    assert kernel.fdt(FDT).is_file()


@pytest.mark.parametrize("names", [whole, split])
@pytest.mark.parametrize("meta", [True, False], ids=["meta", "no meta"])
def test_a_kernel_is_found_under_each_releases_names(names: object, meta: bool, archive: Archive) -> None:
    """With the meta package that names the newest, and without it by the numbers."""
    content = {**names(OLD), **names(NEW)}  # type: ignore[operator]
    archive.suite("trixie", {**content, **(newest(archive, NEW) if meta else {})})
    packages.fetch([kernels.stable()])
    assert_is(kernels.stable(), NEW)


def test_without_a_kernel_in_stable_the_next_one_serves(archive: Archive) -> None:
    archive.suite("trixie", {"busybox-static": {}})
    archive.suite("forky", {**split(NEXT), **newest(archive, NEXT)})
    packages.fetch([kernels.stable()])
    assert_is(kernels.stable(), NEXT)


@pytest.mark.parametrize(("pin", "release"), [(OLD, OLD), ("forky", NEXT), (NEXT, NEXT)])
def test_a_kernel_is_pinned_by_hand(
    pin: str, release: str, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its release, in whichever suite, or by its suite; beside the one that is there."""
    archive.suite("trixie", {**whole(OLD), **whole(NEW), **newest(archive, NEW)})
    archive.suite("forky", {**split(NEXT), **newest(archive, NEXT)})
    packages.fetch([kernels.stable()])
    monkeypatch.setenv(kernels.PIN, pin)
    packages.fetch([kernels.stable()])
    assert_is(kernels.stable(), release)
    monkeypatch.delenv(kernels.PIN)
    assert_is(kernels.stable(), NEW)


def test_what_is_not_there_is_one_line_and_the_rest_is_fetched(
    archive: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    """A package that is gone, one whose suite is gone, and one without a file that was in it."""
    busybox = Package("busybox-static", ("usr/bin/busybox",))
    thin = Package("opensbi", ("usr/lib/fw_dynamic.bin", "usr/lib/fw_jump.bin"))
    gone, unheard = Package("makedumpfile", ("*",)), Package("kexec-tools", ("*",), ("forky",))
    archive.suite("trixie", {"busybox-static": {"usr/bin/busybox": ""}, "opensbi": {"usr/lib/fw_jump.bin": ""}})
    packages.fetch([busybox, thin, gone, unheard])
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if "left out" in line] == [
        "setup: the archive has no makedumpfile in trixie; what needs it is left out",
        "setup: the archive has no kexec-tools in forky; what needs it is left out",
    ]
    assert busybox.file("usr/bin/busybox") and thin.file("usr/lib/fw_jump.bin")
    assert thin.is_whole(), "it would be fetched again each time"
    for package, pattern in ((thin, "usr/lib/fw_dynamic.bin"), (gone, "*"), (unheard, "*")):
        with pytest.raises(Missing, match=f"^{package.name}: "):
            package.file(pattern)


LEFT_OUT = """
import pytest
from lifeboatlib.ui import Missing

@pytest.fixture
def part():
    raise Missing("makedumpfile: not there")

def test_given(part): pass
def test_asking(): raise Missing("makedumpfile: not there")
def test_other(): raise Missing("kvm: none of the modules")
def test_good(): pass
def test_bad(): assert False
"""


@pytest.mark.parametrize("spread", [False, True], ids=["alone", "spread"])
def test_tests_that_miss_something_are_skipped_and_told(spread: bool, tmp_path: Path) -> None:
    """One line for each thing, with how many tests it took; a failure stays one."""
    (tmp_path / "test_made.py").write_text(LEFT_OUT, encoding="utf-8")
    argv = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "--rootdir", tmp_path, "-p", "left_out"]
    argv += ["-p", "no:cacheprovider", *(["-n", "2"] if spread else []), tmp_path]
    environment = {**os.environ, "PYTHONPATH": f"{REPO / 'tests'}:{REPO / 'tools'}"}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert "1 failed, 1 passed, 3 skipped" in done.stdout, done.stdout + done.stderr
    assert "left out for want of makedumpfile: not there: 2 tests\n" in done.stdout
    assert "left out for want of kvm: none of the modules: 1 tests\n" in done.stdout
    assert "Traceback" not in done.stdout
