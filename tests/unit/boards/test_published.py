# SPDX-License-Identifier: BSD-2-Clause
"""For every board, on the FDTs that packages and QEMU have of it today: the plan is sound, by an oracle of its own.

The oracle reads the FDT with fdtget and the plan as plan_board prints it. Nothing is compared with a reviewed text,
since the FDTs change with releases that are not ours. Where they drift from our own FDT's facts is told when all the
tests are done, and is no failure: look whether dts/*.dts should follow.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from board_plan import UNIT, as_handed_over, bundle_size, plan_of, reviewed
from fdts import FDTS, MIB, NEWER, QEMU, Fdt
from lifeboatlib import target
from make_dtbs import Tree, merge

PAGE = 4096
TERMINAL = "terminal"  # tests/conftest.py
LINE = re.compile(r" *(\w+) +\[ *(\w+)\.\. *(\w+)\] +\d+ KiB *(.*)")
LEAST_REGION = 100 * MIB
ROWS = [
    pytest.param(board, fdt, who, path, id=f"{board}-{who}-{path.split('/')[-1]}-{number}")
    for board, fdts in FDTS.items()
    for number, fdt in enumerate(fdts)
    for who, path in fdt.published
]


@dataclass(frozen=True)
class Piece:
    """A range of a plan: what it is for, and the words behind it."""

    what: str
    base: int
    end: int
    words: str = ""

    def meets(self, other: "Piece") -> bool:
        """Whether they overlap."""
        return self.base < other.end and other.base < self.end

    def lies_in(self, others: Iterable["Piece"]) -> bool:
        """Whether other ranges, taken together, cover it."""
        joined = merge((each.base, each.end - each.base) for each in others)
        return any(base <= self.base and self.end <= base + size for base, size in joined)


def published(who: str, path: str, directory: Path) -> Path:
    """A copy of the file as it is published. Raises Missing if it is not any more."""
    found = UNIT / "dtbs" / f"{path}.dtb" if who == QEMU else target.linux(who == NEWER).fdt(f"{path}.dtb")
    copy = directory / "published.dtb"
    copy.write_bytes(found.read_bytes())
    return copy


def pieces(plan: list[str], what: str, words: str = "") -> list[Piece]:
    """The plan's ranges of a kind, those whose words begin so."""
    matches = [match for line in plan if (match := LINE.fullmatch(line)) and match[1] == what]
    found = [Piece(match[1], int(match[2], 0), int(match[3], 0) + 1, match[4]) for match in matches]
    return [each for each in found if each.words.startswith(words)]


def sized(what: str, ranges: Iterable[tuple[int, int]]) -> list[Piece]:
    """Ranges with a base and a size."""
    return [Piece(what, base, base + size) for base, size in ranges]


def ram_of(tree: Tree) -> list[Piece]:
    """What the memory nodes say, in one piece where it is."""
    nodes = [f"/{name}" for name in tree.children("/") if tree.string(f"/{name}", "device_type") == "memory"]
    return sized("RAM", merge(each for node in nodes for each in tree.ranges(node, "reg", tree.cells("/"))))


def reserved_in(tree: Tree) -> list[Piece]:
    """What the FDT keeps from everybody."""
    found = list(tree.memreserve())
    if "reserved-memory" in tree.children("/"):
        parent = "/reserved-memory"
        nodes = [f"{parent}/{name}" for name in tree.children(parent)]
        found += [each for node in nodes if tree.okay(node) for each in tree.ranges(node, "reg", tree.cells(parent))]
    return sized("reserved", found)


def assert_apart(items: list[Piece], others: list[Piece]) -> None:
    """No item on another, nor on what somebody else has."""
    for number, item in enumerate(items):
        for other in [*items[number + 1 :], *others]:
            assert not item.meets(other), f"{item} lies on {other}"


def assert_items(fdt: Fdt, items: list[Piece], room: list[Piece]) -> None:
    """A kernel, an initramfs and an FDT, in the room that there is and aligned as Linux wants it."""
    by_name = {item.words: item for item in items}
    assert sorted(by_name) == ["fdt", "initrd", "kernel"]
    kernel = by_name["kernel"]
    assert kernel.base % (2 * MIB) == 0
    assert kernel.end - kernel.base >= fdt.kernel * MIB * 9 // 8, "no room for its bss"
    assert all(item.base % PAGE == 0 for item in items)
    assert all(item.lies_in(room) for item in items)


def assert_sound(fdt: Fdt, tree: Path, plan: list[str], reviewed_lost: list[Piece]) -> None:
    """All that a plan has to keep to on a tree as it was handed over."""
    blob = Tree(tree)
    ram, reserved = ram_of(blob), reserved_in(blob)
    told = pieces(plan, "RAM")
    assert [(each.base, each.end) for each in told] == [(each.base, each.end) for each in ram]
    kept = pieces(plan, "reserved")
    ranges = {(each.base, each.end) for each in kept}
    assert {(each.base, each.end) for each in reserved} <= ranges, "the primary's FDT lacks a reservation"
    (stage,) = pieces(plan, "taken", "the stage")
    (bundle,) = sized("bundle", [(fdt.bundle, bundle_size(fdt))])
    (given,) = sized("given", [(fdt.address, tree.stat().st_size)])
    regions, lost = pieces(plan, "region"), pieces(plan, "taken", "lost memory")
    primary, crash = pieces(plan, "primary"), pieces(plan, "crash")
    assert_items(fdt, primary, ram)
    # Without a region nothing is retained, and what lies in the bundle may be used there.
    stay = [] if regions else [item for item in primary if item.words == "initrd" and item.lies_in([bundle])]
    moved = [item for item in primary if item not in stay]
    assert_apart(moved, [*reserved, *regions, *lost, stage, bundle, given])
    assert_apart(stay, reserved)
    if regions:
        (region,) = regions
        assert region.lies_in(ram) and region.base % (2 * MIB) == 0 and region.end - region.base >= LEAST_REGION
        assert_apart(regions, [*reserved, *lost, stage, bundle, given])
        assert_items(fdt, crash, regions)
        assert_apart(crash, [])
        for each in (*lost, *reviewed_lost, stage, bundle, given, region):
            assert each.lies_in(kept), f"the primary gets {each}, which does not outlive a reset or is not its own"


def facts(plan: list[str]) -> set[str]:
    """What a plan says of the board, apart from what follows from the FDT's size."""
    told = re.compile(r"(platform|quirk|RAM|region) |taken .*(firmware|reserved memory): ")
    return {" ".join(line.split()).lower() for line in plan if told.match(line)}


@pytest.mark.parametrize(("board", "fdt", "who", "path"), ROWS)
def test_the_plan_of_a_published_fdt_is_sound(
    board: str, fdt: Fdt, who: str, path: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Nothing overlaps, all is in RAM and aligned, reservations and lost memory are kept from the primary."""
    tree = as_handed_over(fdt, published(who, path, tmp_path), done=who == QEMU)
    plan, ours = plan_of(fdt, tree), reviewed(board, fdt)
    assert_sound(fdt, tree, plan, pieces(ours, "taken", "lost memory"))
    assert plan[0].startswith(f"platform  {board} for ")
    drift = [f"  - {line}" for line in sorted(facts(ours) - facts(plan))]
    drift += [f"  + {line}" for line in sorted(facts(plan) - facts(ours))]
    if drift:
        record_property(TERMINAL, "\n".join([f"{path} ({who}) differs from {fdt.name}.dts:", *drift]))


@pytest.mark.parametrize("what", ["lost memory", "the crash region", "a reservation", "the given FDT"])
def test_the_oracle_sees_a_plan_that_is_not_sound(what: str, tmp_path: Path) -> None:
    """An initramfs laid on what is not the primary's is seen."""
    fdt = FDTS["milkv-duo"][-1]
    tree = as_handed_over(fdt, published(*fdt.published[0], tmp_path))
    plan = plan_of(fdt, tree)
    lost = pieces(plan, "taken", "lost memory")
    assert_sound(fdt, tree, plan, lost)
    (initrd,) = pieces(plan, "primary", "initrd")
    places = {
        "lost memory": lost[0].base, "the crash region": pieces(plan, "region")[0].base,
        "a reservation": reserved_in(Tree(tree))[-1].base, "the given FDT": fdt.address,
    }  # fmt: skip
    line = f"primary   [{places[what]:#x}..{places[what] + initrd.end - initrd.base - 1:#x}] 4096 KiB  initrd"
    spoilt = [line if each.startswith("primary") and each.endswith("initrd") else each for each in plan]
    with pytest.raises(AssertionError, match="lies on"):
        assert_sound(fdt, tree, spoilt, lost)


def test_the_oracle_sees_lost_memory_that_the_primary_gets(tmp_path: Path) -> None:
    """A reservation that is not made is seen."""
    fdt = FDTS["milkv-duo"][-1]
    tree = as_handed_over(fdt, published(*fdt.published[0], tmp_path))
    plan = plan_of(fdt, tree)
    lost = pieces(plan, "taken", "lost memory")
    spoilt = [line for line in plan if not line.endswith(f"lifeboat-lost@{lost[-1].base:x}")]
    assert len(spoilt) == len(plan) - 1
    with pytest.raises(AssertionError, match="does not outlive"):
        assert_sound(fdt, tree, spoilt, lost)
