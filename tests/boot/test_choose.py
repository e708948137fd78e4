# SPDX-License-Identifier: BSD-2-Clause
"""Which configuration is started: the one that is wanted, or the next one that is any good."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from choose_lab import REGION, WHY_BAD, choices, started
from harness import find, run_to_end

from lifeboatlib import bundle
from lifeboatlib.qemu import Machine, Session

BAD = rf"^lifeboat: warning: choose: '%s' is bad: {WHY_BAD}$"
Build = Callable[..., object]
BUNDLE_AT = 0xA0200000  # QEMU puts the initrd of a 1 GiB machine there


@pytest.mark.parametrize(
    ("good", "append", "comes"),
    [
        ("one two three", "", "one"),
        ("-one two three", "", "two"),
        ("-one -two three", "quiet", "three"),
        ("one two three", "lifeboat.config=three", "three"),
        ("one -two three", "a lifeboat.config=two b", "one"),
    ],
)
def test_the_first_good_one_is_started_and_each_bad_one_told(
    good: str, append: str, comes: str, stage: Path, build_payload: Build, tmp_path: Path
) -> None:
    made = choices(tmp_path, build_payload, good)
    console = run_to_end(Machine(kernel=stage, initrd=made, append=append))
    find(started(comes), console)
    told = re.findall(r"^lifeboat: (?:warning|ERROR): .*", console, re.MULTILINE)
    tried = re.findall(r"config=(\w+)", append) + [w.removeprefix("-") for w in good.split()]
    bad = [name for name in tried[: tried.index(comes)] if f"-{name}" in good.split()]
    assert len(told) == len(bad), console
    for name in bad:
        find(BAD % name, console)


@pytest.mark.parametrize(
    ("boards", "append", "comes", "foreign"),
    [
        (["acme,other", "riscv-virtio", ""], "", "two", ""),
        (["acme,other", "acme,board", ""], "", "one", "acme,other"),
        (["acme,other", "riscv-virtio"], "lifeboat.config=one", "one", "acme,other"),
        (["acme,other", "acme,board"], "", "one", "acme,other"),
    ],
)
def test_the_boards_own_comes_before_a_default_for_another(
    boards: list[str], append: str, comes: str, foreign: str, stage: Path, build_payload: Build, tmp_path: Path
) -> None:
    made = choices(tmp_path, build_payload, " ".join(["one", "two", "three"][: len(boards)]), boards=boards)
    console = run_to_end(Machine(kernel=stage, initrd=made, append=append))
    find(started(comes), console)
    told = re.findall(r"^lifeboat: warning: bundle: '(\w+)' or its FDT is for (\S+), but this is riscv-virtio: ",
                      console, re.MULTILINE)  # fmt: skip
    assert told == ([(comes, foreign)] if foreign else [])


def test_an_unknown_name_is_one_warning_and_the_default(
    stage: Path, build_payload: Build, tmp_path: Path
) -> None:
    made = choices(tmp_path, build_payload, "one two")
    console = run_to_end(Machine(kernel=stage, initrd=made, append="lifeboat.config=tw"))
    find(started("one"), console)
    told = re.findall(r"^lifeboat: (?:warning|ERROR): .*", console, re.MULTILINE)
    assert told == [
        "lifeboat: warning: bootargs: lifeboat.config=tw names no configuration: the default one is taken"
    ]


def test_a_bad_one_that_would_lie_over_the_bundle_is_found_before_it_does(
    stage: Path, build_payload: Build, tmp_path: Path
) -> None:
    """Its hash is wrong, and where it is linked the next one's bytes lie."""
    over = build_payload("named", base=BUNDLE_AT + 0x1000, NAME='"over"')
    good = build_payload("named", NAME='"good"')
    images = [
        bundle.Image("k-over", over.elf, "kernel", "elf"),  # type: ignore[attr-defined]
        replace(bundle.linux(good.bin), name="k-good"),  # type: ignore[attr-defined]
    ]
    configurations = [bundle.Configuration(name, f"k-{name}") for name in ("over", "good")]
    made = bundle.Bundle(images, configurations).write(tmp_path / "over.itb")
    console = run_to_end(Machine(kernel=stage, initrd=made))
    find(rf"^lifeboat: bundle: over at {BUNDLE_AT:#x} ", console)
    find(started("over"), console)
    content = bytearray(made.read_bytes())
    content[content.index(b"\x7fELF") + 0x1100] ^= 1
    made.write_bytes(content)
    console = run_to_end(Machine(kernel=stage, initrd=made))
    find(r"^lifeboat: warning: choose: 'over' is bad: bundle: the crc32 of image 'k-over' does not match", console)
    find(started("good"), console)


def test_when_all_are_bad_the_machine_is_switched_off(
    stage: Path, build_payload: Build, tmp_path: Path
) -> None:
    made = choices(tmp_path, build_payload, "-one -two")
    console = run_to_end(Machine(kernel=stage, initrd=made))
    find(BAD % "one", console)
    assert console.endswith(
        f"lifeboat: ERROR: {WHY_BAD}\nlifeboat: ERROR: boot: nothing was started; shutting down\n"
    )
    assert console.count("lifeboat: boot: lifeboat ") == 1


def test_when_all_are_bad_a_bundle_may_want_a_reset(
    stage: Path, build_payload: Build, tmp_path: Path
) -> None:
    made = choices(tmp_path, build_payload, "-one -two", bundle.Policy(all_bad="reset"))
    with Session(Machine(kernel=stage, initrd=made)) as session:
        for _ in range(3):
            session.expect(rf"^lifeboat: ERROR: {WHY_BAD}$")
            session.expect(r"^lifeboat: ERROR: boot: resetting$")


def test_the_crash_kernel_is_no_fallback(stage: Path, build_payload: Build, tmp_path: Path) -> None:
    made = choices(tmp_path, build_payload, "-one", crash=bundle.Crash(REGION))
    console = run_to_end(Machine(kernel=stage, initrd=made))
    find(rf"^lifeboat: ERROR: {WHY_BAD}$", console)
    assert "handoff:" not in console
    assert console.count("lifeboat: boot: lifeboat ") == 1


def test_a_bad_crash_kernel_stops_nobody(stage: Path, build_payload: Build, tmp_path: Path) -> None:
    made = choices(tmp_path, build_payload, "-one two", crash=bundle.Crash(REGION), bad_crash=True)
    console = run_to_end(Machine(kernel=stage, initrd=made))
    find(rf"^lifeboat: warning: crash: no crash kernel is staged: {WHY_BAD}$", console)
    find(started("two"), console)


def test_names_from_outside_do_nothing_to_a_terminal(
    stage: Path, build_payload: Build, tmp_path: Path
) -> None:
    odd = [(b"first\0", b"\x1b[2J\xff\0"), (b"second", b"\x9b1;1H\x7f")]
    made = choices(tmp_path, build_payload, "-first second", rename=odd)
    with Session(Machine(kernel=stage, initrd=made, append="lifeboat.menu=600")) as session:
        session.expect(r"^lifeboat: menu: press a key within 600 s$")
        session.send("x")
        session.expect(r"^  1  \?\[2J\?  +BAD: ")
        session.expect(r"^> 2  \?1;1H\?  +Linux Image")
        session.send("\r")
        end = session.expect(r"^lifeboat: handoff: ").start()
        text = session.text[session.text.index("lifeboat:") : end]  # (the payload tells its name as it is)
    assert all(c == "\n" or " " <= c <= "~" for c in text), repr(text)


# ---- The boot counter ----


def counted(session: Session, name: str, death: int) -> None:
    """A payload started, died, was captured, and counted."""
    session.expect(started(name))
    if death < 3:
        session.expect(rf"^lifeboat: warning: crash: '{name}' died 0 s after .*: {death} of 3 early")
    else:
        session.expect(rf"^lifeboat: warning: crash: '{name}' died .*: it is demoted$")
    session.expect(r"^checker: ")


@pytest.mark.slow
def test_who_dies_early_too_often_is_demoted_for_the_next(
    stage: Path, build_payload: Build, tmp_path: Path
) -> None:
    policy = bundle.Policy(boot_limit=3)
    crash = bundle.Crash(REGION, 1, "capture")
    made = choices(tmp_path, build_payload, "one two", policy, "DIE", crash)
    with Session(Machine(kernel=stage, initrd=made, memory="512M")) as session:
        for name in ("one", "two", "one"):  # when all are demoted, all get another chance
            for death in (1, 2, 3):
                counted(session, name, death)
        session.expect(r"^lifeboat: warning: choose: 'one' died early too often: it comes last$")


@pytest.mark.slow
def test_without_a_limit_nobody_is_demoted(stage: Path, build_payload: Build, tmp_path: Path) -> None:
    crash = bundle.Crash(REGION, 1, "capture")
    made = choices(tmp_path, build_payload, "one two", None, "DIE", crash)
    with Session(Machine(kernel=stage, initrd=made, memory="512M")) as session:
        for _ in range(5):
            session.expect(started("one"))
        assert "early" not in session.text
