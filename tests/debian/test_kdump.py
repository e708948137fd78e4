# SPDX-License-Identifier: BSD-2-Clause
"""lifeboat-kdump, run by this machine's sh: how it packs a kernel, and its report of a crash that was asked for."""

import gzip
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from lifeboatlib.paths import TOOLS

SCRIPT = TOOLS / "lifeboat-kdump" / "lifeboat-kdump"
MAIN = 'main "$@"\n'
KERNEL = b"MZ" + bytes(range(256)) * 4096
TOKEN = "lifeboat-test-0123456789abcdef"
MAKEDUMPFILE = """#!/bin/sh
[ "$1" = --dump-dmesg ] && cp "$2" "$3"
"""


@dataclass
class Machine:
    """A machine that is up again: its dumps, and what it remembers."""

    folder: Path

    def begun(self) -> None:
        """A test was begun."""
        (self.folder / "state" / "token").write_text(f"{TOKEN}\n", encoding="utf-8")

    def saved(self, day: str, **files: str) -> None:
        """A dump of that day; the dump is its log alone."""
        death = self.folder / "crash" / day
        death.mkdir(parents=True)
        for name, text in files.items():
            (death / name.replace("_", ".")).write_text(f"{text}\n", encoding="utf-8")

    def report(self, **settings: str) -> tuple[int, dict[str, str], str]:
        """What lifeboat-kdump test --report says: its lines by their names."""
        defaults = {"LIFEBOAT_TARGET": f"{self.folder}/crash", "LIFEBOAT_RECIPIENTS": ""} | settings
        lines = "".join(f"{name}={value}\n" for name, value in defaults.items())
        (self.folder / "defaults").write_text(lines, encoding="utf-8")
        environment = {
            **os.environ, "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "LIFEBOAT_STATE": f"{self.folder}/state",
            "LIFEBOAT_SHARE": str(self.folder), "LIFEBOAT_SETTINGS": f"{self.folder}/none",
        }  # fmt: skip
        argv = ["dash", SCRIPT, "test", "--report"]
        done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False, timeout=300)
        pairs = (line.partition(":") for line in done.stdout.splitlines())
        return done.returncode, {name: value.strip() for name, _, value in pairs}, done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One on which an older death was saved, too."""
    for name in ("bin", "state"):
        (tmp_path / name).mkdir()
    (tmp_path / "bin" / "makedumpfile").write_text(MAKEDUMPFILE, encoding="utf-8")
    (tmp_path / "bin" / "makedumpfile").chmod(0o755)
    made = Machine(tmp_path)
    made.saved("20261101000000", dmesg_txt="of another day", result="dump 20 s", vmcore="of another day")
    return made


def test_a_dump_that_holds_the_token_is_a_good_one(machine: Machine) -> None:
    machine.begun()
    machine.saved("20261102000000", dmesg_txt=f"[1.0] {TOKEN}", result="dump 31 s", vmcore=f"[1.0] {TOKEN}")
    machine.saved("20261103000000", dmesg_txt="one more death", result="dump 20 s", vmcore="one more death")
    code, said, error = machine.report()
    assert code == 0 and error == "" and list(said) == ["machine", "kernel", "dump", "result", "verdict"]
    assert said["dump"].endswith("/20261102000000/vmcore") and said["result"] == "dump 31 s"
    assert said["verdict"] == "a crash is captured: log and dump were saved"


BAD = {
    "nothing was saved in ": {},
    "the log was saved, but no dump": {"dmesg_txt": TOKEN, "result": "log 3 s"},
    "makedumpfile does not find the log in the dump": {"dmesg_txt": TOKEN, "result": "dump 9 s", "vmcore": "of another day"},
}


@pytest.mark.parametrize("verdict", BAD)
def test_what_is_missing_is_told(verdict: str, machine: Machine) -> None:
    machine.begun()
    if BAD[verdict]:
        machine.saved("20261102000000", **BAD[verdict])
    code, said, _ = machine.report()
    assert code == 1 and said["verdict"].startswith(verdict)


@pytest.mark.parametrize("setting", ["LIFEBOAT_TARGET=nfs:server:/export", "LIFEBOAT_RECIPIENTS=/etc/keys"])
def test_of_a_dump_that_cannot_be_read_here_nothing_is_said(setting: str, machine: Machine) -> None:
    machine.begun()
    name, _, value = setting.partition("=")
    code, said, _ = machine.report(**{name: value})
    assert code == 0 and said["verdict"].startswith(f"not to be seen from here: look for {TOKEN} ")


def test_a_report_without_a_test_says_what_to_do(machine: Machine) -> None:
    code, _, error = machine.report()
    assert code == 1 and error == "lifeboat-kdump: no test was begun: run lifeboat-kdump test\n"


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
