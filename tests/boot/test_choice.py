# SPDX-License-Identifier: BSD-2-Clause
"""Which configuration is started: the one that was asked for, the default one, the next one that is good."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from harness import find, passed, run_to_end

from lifeboatlib import bundle
from lifeboatlib.qemu import Machine, Session

NAMES = ("first", "second", "third")


@pytest.fixture
def three(contract: Callable[..., object], tmp_path: Path) -> Callable[..., Path]:
    """three(bad=(), root=""): configurations first, second, third; each has its own payload; some are damaged."""

    def make(bad: tuple[str, ...] = (), root: str = "") -> Path:
        images = []
        for name in NAMES:
            path = tmp_path / f"{name}.bin"
            path.write_bytes(contract(name).bin.read_bytes() + name.encode())
            images.append(replace(bundle.linux(path), name=name))
        configurations = [bundle.Configuration(name, name, None, name) for name in NAMES]
        its = bundle.Bundle(images, configurations).its().replace("\n/ {", "\n/ {" + root, 1)
        (tmp_path / "three.its").write_text(its)
        argv = ["mkimage", "-E", "-B", "0x1000", "-f", "three.its", "three.itb"]
        subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True)
        path = tmp_path / "three.itb"
        content = bytearray(path.read_bytes())
        for name in bad:
            content[content.rindex(images[NAMES.index(name)].path.read_bytes()) + 0x9000] ^= 1
        path.write_bytes(content)
        return path

    return make


def started(console: str) -> str:
    """The configuration that was started: its payload insists on bootargs with its name."""
    passed(console)
    return [line for line in console.splitlines() if "lifeboat: bundle: " in line and " at 0x" in line][-1].split()[2]


@pytest.mark.parametrize(
    ("bad", "expected"),
    [((), "first"), (("first",), "second"), (("first", "second"), "third"), (("second",), "first")],
)
def test_the_next_one_is_started_when_one_is_bad(
    stage: Path, three: Callable[..., Path], bad: tuple[str, ...], expected: str
) -> None:
    console = run_to_end(Machine(kernel=stage, initrd=three(bad)))
    assert started(console) == expected
    tried = NAMES[: NAMES.index(expected)]
    for name in tried:
        find(rf"ERROR: bundle: the sha256 of image '{name}' does not match", console)
    assert console.count("ERROR:") == len(tried)


def test_all_bad_ends_in_a_shutdown(stage: Path, three: Callable[..., Path]) -> None:
    console = run_to_end(Machine(kernel=stage, initrd=three(NAMES)))
    for name in NAMES:
        find(rf"ERROR: bundle: the sha256 of image '{name}' does not match", console)
    find(r"ERROR: boot: nothing was started; shutting down", console)


def test_all_bad_ends_in_a_reset_where_the_bundle_wants_it(stage: Path, three: Callable[..., Path]) -> None:
    made = three(NAMES, root=' lifeboat,when-all-fail = "reset";')
    with Session(Machine(kernel=stage, initrd=made)) as session:
        session.expect(r"(?s)ERROR: boot: resetting.*ERROR: boot: resetting", timeout=60)
        assert "shutting down" not in session.text


@pytest.mark.parametrize("name", NAMES)
def test_bootargs_choose(stage: Path, three: Callable[..., Path], name: str) -> None:
    made = three()
    with Session(Machine(kernel=stage, initrd=made, append=f"lifeboat.config={name}")) as session:
        session.expect(rf"bundle: {name} at ", timeout=30)
        session.expect(r"handoff: to", timeout=30)
        assert "falling back" not in session.text


def test_what_bootargs_ask_for_falls_back_to_the_default(stage: Path, three: Callable[..., Path]) -> None:
    with Session(Machine(kernel=stage, initrd=three(), append="lifeboat.config=fourth")) as session:
        session.expect(r"handoff: to", timeout=30)
        find(r"ERROR: bundle: the configuration 'fourth' is not there", session.text)
        find(r"warning: bundle: falling back to first", session.text)


def test_the_menu_shows_and_boots_what_is_chosen(stage: Path, three: Callable[..., Path]) -> None:
    with Session(Machine(kernel=stage, initrd=three(("second",)), append="lifeboat.menu=60")) as session:
        session.expect(r"menu: press a key within 60 s", timeout=30)
        session.send(" ")
        session.expect(r"menu: 1  boot first: good", timeout=30)
        session.expect(r"menu: 2  boot second: REFUSED: bundle: the sha256 of image 'second' does not", 30)
        session.expect(r"menu: b  boot as if", timeout=30)
        session.send("m")
        session.expect(r"memory: \[0x80000000\.\.0xbfffffff\] RAM", timeout=30)
        session.send("l")
        session.expect(r"menu: there is no log of a dead kernel", timeout=30)
        session.send("3")
        session.expect(r"handoff: to", timeout=30)
        assert session.text.rindex("bundle: third at") > session.text.rindex("menu: ")


def test_the_menu_resets(stage: Path, three: Callable[..., Path]) -> None:
    with Session(Machine(kernel=stage, initrd=three(), append="lifeboat.menu=60")) as session:
        session.expect(r"menu: press a key", timeout=30)
        session.send("x")
        session.expect(r"menu: b  boot as if", timeout=30)
        session.send("r")
        session.expect(r"menu: press a key", timeout=30)


def test_without_a_key_the_boot_goes_on(stage: Path, three: Callable[..., Path]) -> None:
    with Session(Machine(kernel=stage, initrd=three(), append="lifeboat.menu=1")) as session:
        session.expect(r"(?s)menu: press a key within 1 s.*handoff: to", timeout=30)
        assert "menu: 1 " not in session.text


def test_without_the_option_there_is_no_menu(stage: Path, three: Callable[..., Path]) -> None:
    console = run_to_end(Machine(kernel=stage, initrd=three()))
    assert "menu:" not in console
    passed(console)
