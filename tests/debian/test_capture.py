# SPDX-License-Identifier: BSD-2-Clause
"""The capture image's script, run by this machine's sh with programs that pretend: what it saves, and what it leaves."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lifeboatlib.paths import TOOLS

SCRIPT = TOOLS / "lifeboat-kdump" / "initramfs" / "scripts" / "lifeboat"
SHELL = "dash"

MAKEDUMPFILE = """#!/bin/sh
echo "$@" >> "$CALLS"
case " $* " in
*" -v "*) echo "makedumpfile: version $VERSION (released on some day)" ;;
*" --dump-dmesg "*) echo "the log" > "$3" ;;
*" --dry-run "*) echo "Write bytes     : $NEED" ;;
*" -F "*) echo "the dump"; exit "$DUMP_FAILS" ;;
*) for last; do :; done; echo "the dump" > "$last"; exit "$DUMP_FAILS" ;;
esac
"""
AGE = """#!/bin/sh
echo "encrypted for $2"
tr a-z n-za-m
"""
REBOOT = """#!/bin/sh
echo reboot >> "$CALLS"
"""
DATE = """#!/bin/sh
echo "$NOW"
"""


@dataclass
class Capture:
    """A crash kernel that is this machine."""

    folder: Path
    settings: dict[str, str] = field(
        default_factory=lambda: {
            "LIFEBOAT_TARGET": "/var/crash", "LIFEBOAT_KEEP": "2", "LIFEBOAT_TIMEOUT": "1000", "LIFEBOAT_SPARE": "1",
            "LIFEBOAT_LEVEL": "auto", "LIFEBOAT_RECIPIENTS": "", "VERSION": "1.7.6", "NEED": "1000", "DUMP_FAILS": "0",
            "NOW": "20261127120000",
        }
    )  # fmt: skip

    @property
    def crash(self) -> Path:
        """The directory for dumps."""
        return self.folder / "crash"

    def run(self, command: str = 'ssh_host=; save_to "$CRASH"', **settings: str) -> str:
        """Runs a function of the script, and gives what it said."""
        environment = {
            **os.environ, **self.settings, **settings, "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "VMCORE": str(self.folder / "vmcore"), "SCRATCH": str(self.folder / "scratch"),
            "WATCHDOG": str(self.folder / "watchdog"), "CALLS": str(self.folder / "calls"), "CRASH": str(self.crash),
        }  # fmt: skip
        argv = [SHELL, "-euc", f'set +e; . "{SCRIPT}"; {command}; echo "status $?"']
        done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False, timeout=300)
        assert done.returncode == 0 and done.stderr == "", done
        return done.stdout

    def calls(self) -> list[str]:
        """How the programs were called."""
        return (self.folder / "calls").read_text(encoding="utf-8").splitlines()

    def saved(self) -> dict[str, str]:
        """All that lies in the directory for dumps."""
        files = sorted(path for path in self.crash.rglob("*") if path.is_file())
        return {str(path.relative_to(self.crash)): path.read_text(encoding="utf-8").strip() for path in files}


@pytest.fixture
def capture(tmp_path: Path) -> Capture:
    """A machine whose memory is 1 MiB."""
    (tmp_path / "bin").mkdir()
    programs = {"makedumpfile": MAKEDUMPFILE, "age": AGE, "reboot": REBOOT, "date": DATE, "sleep": "#!/bin/sh\n"}
    for name, script in programs.items():
        path = tmp_path / "bin" / name
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)
    (tmp_path / "vmcore").write_bytes(bytes(1 << 20))
    (tmp_path / "calls").touch()
    return Capture(tmp_path)


def test_the_log_and_the_dump_are_saved(capture: Capture) -> None:
    said = capture.run()
    saved = capture.saved()
    assert saved.pop("20261127120000/result").startswith("dump ")
    assert saved == {"20261127120000/dmesg.txt": "the log", "20261127120000/vmcore": "the dump"}
    assert "saved the log: 1 lines" in said and "saved the dump" in said and said.endswith("status 0\n")
    assert not any("--dry-run" in call for call in capture.calls())


@pytest.mark.parametrize(
    ("version", "level"), [("1.7.6", 1), ("1.7.9", 1), ("1.7.8+lifeboat", 31), ("1.7.9++", 1), ("1.7.10", 31), ("1.8.0", 31), ("1.10.2", 31), ("", 1)]
)
def test_pages_are_left_out_only_by_a_makedumpfile_that_finds_them(version: str, level: int, capture: Capture) -> None:
    capture.run(VERSION=version)
    assert any(call.startswith(f"-l -d {level} ") for call in capture.calls())
    capture.run(VERSION=version, LIFEBOAT_LEVEL="17")
    assert capture.calls()[-1].startswith("-l -d 17 ")


def test_where_there_is_no_room_the_log_is_saved(capture: Capture) -> None:
    spare = {"LIFEBOAT_SPARE": str(1 << 40)}
    said = capture.run(**spare)
    assert "no room: the dump needs 0 KiB" in said and said.endswith("status 0\n")
    saved = capture.saved()
    assert saved.pop("20261127120000/result").startswith("log ")
    assert saved == {"20261127120000/dmesg.txt": "the log"}


def test_a_dump_that_is_smaller_than_memory_may_fit(capture: Capture) -> None:
    fits = 'ssh_host=; level=1; kib_free() { echo 1500; }; fits'
    assert capture.run(fits, NEED=str(400 << 10)).endswith("status 0\n")  # 476 KiB to spare for 1024
    assert capture.run(fits, NEED=str(500 << 10)).endswith("status 1\n")


@pytest.mark.parametrize("recipients", ["", "/etc/keys"])
def test_half_a_dump_does_not_stay(recipients: str, capture: Capture) -> None:
    said = capture.run(DUMP_FAILS="1", LIFEBOAT_RECIPIENTS=recipients)
    assert "cannot save the dump" in said
    names = [name.partition("/")[2].removesuffix(".age") for name in capture.saved()]
    assert names == ["dmesg.txt", "result"]


def test_the_oldest_dumps_go_and_only_after_a_new_one_is_whole(capture: Capture) -> None:
    (capture.crash / "20260101-mine").mkdir(parents=True)
    for day in range(1, 4):
        capture.run(NOW=f"2026110{day}000000")
    capture.run(NOW="20261104000000", DUMP_FAILS="1")
    there = sorted(path.name for path in capture.crash.iterdir())
    assert there == ["20260101-mine", "20261102000000", "20261103000000", "20261104000000"]
    capture.run(NOW="20261105000000")
    assert sorted(path.name for path in capture.crash.iterdir())[1:] == ["20261104000000", "20261105000000"]


def test_a_machine_without_a_clock_overwrites_nothing(capture: Capture) -> None:
    for _ in range(3):
        capture.run(LIFEBOAT_KEEP="0")
    assert sorted(path.name for path in capture.crash.iterdir()) == [
        "20261127120000", "20261127120000-1", "20261127120000-2",
    ]  # fmt: skip


def test_with_recipients_nothing_is_saved_in_the_clear(capture: Capture) -> None:
    capture.run(LIFEBOAT_RECIPIENTS="/etc/keys")
    saved = capture.saved()
    assert sorted(saved) == [f"20261127120000/{name}.age" for name in ("dmesg.txt", "result", "vmcore.flat")]
    assert all(content.startswith("encrypted for /etc/lifeboat/recipients") for content in saved.values())
    assert saved["20261127120000/vmcore.flat.age"].endswith("gur qhzc")


@pytest.mark.parametrize("recipients", ["", "/etc/keys"])
def test_only_root_can_read_what_is_saved(recipients: str, capture: Capture) -> None:
    """A dump holds everybody's secrets."""
    capture.run('umask 022; mkdir "$CRASH"; ssh_host=; save_to "$CRASH"', LIFEBOAT_RECIPIENTS=recipients)
    made = sorted(capture.crash.rglob("*"))
    assert len(made) == 4 and not any(path.stat().st_mode & 0o077 for path in made)


def test_over_nfs_a_dump_is_a_file_as_ever(capture: Capture) -> None:
    capture.run(LIFEBOAT_TARGET="nfs:server:/export")
    assert "20261127120000/vmcore" in capture.saved()


def test_a_disk_that_takes_nothing_is_told(capture: Capture) -> None:
    capture.crash.write_text("no directory", encoding="utf-8")
    said = capture.run('ssh_host=; save_to "$CRASH" 2>/dev/null')
    assert "cannot write to" in said and said.endswith("status 1\n")


@pytest.mark.parametrize("fails", ["true", "false"])
def test_the_machine_is_reset_whatever_came(fails: str, capture: Capture) -> None:
    said = capture.run(f"capture() {{ {fails}; }}; guard() {{ :; }}; reset() {{ echo reset; }}; mountroot; true")
    assert said.count("reset\n") == 1
    assert ("nothing was saved" in said) == (fails == "false")


def test_a_capture_that_hangs_is_ended_by_the_guard(capture: Capture) -> None:
    said = capture.run("uptime_seconds() { n=$(($(cat $CALLS.n) + 4)); echo $n | tee $CALLS.n; }; "
                       "reset() { echo reset; }; echo 0 > $CALLS.n; guard", LIFEBOAT_TIMEOUT="20")  # fmt: skip
    assert "not done after 20 s" in said and said.count("reset\n") == 1
    assert int((capture.folder / "calls.n").read_text(encoding="utf-8")) >= 24
