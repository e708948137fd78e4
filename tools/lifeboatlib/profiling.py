# SPDX-License-Identifier: BSD-2-Clause
"""Counts the stage's instructions, function by function, from its entry until the console shows a line.

"own" are a function's instructions, "in all" those of what it calls, too. Counts are exact and repeat; what a
build inlines counts for the caller. A machine that was reset is counted from the last time that the stage began.
"""

import argparse
import bisect
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from lifeboatlib import command, run, setup
from lifeboatlib.arguments import positive, regex
from lifeboatlib.paths import TOOLS, friendly
from lifeboatlib.qemu import HANGS, ConsoleError, Machine, Session
from lifeboatlib.ui import LifeboatError, say

HELP = "count the stage's instructions by function"
EXAMPLES = ("tools/lifeboat profile --bundle bundle.itb --rows 10",)
EPILOG = """boots as run does:
  tools/lifeboat profile --bundle bundle.itb --memory 4G
  tools/lifeboat profile --bundle crash.itb --type '/ #' 'echo c > /proc/sysrq-trigger' --expect 'handoff:'"""

ENTRY = 0x80200000  # where OpenSBI starts the stage
HANDOFF = r"^lifeboat: handoff: .*\n"


@dataclass
class Chain:
    """A function, as called by a chain of others."""

    name: str
    caller: "Chain | None"
    calls: int
    own: int
    in_all: int = 0
    callees: list["Chain"] = field(default_factory=list)
    by_others: int = 0  # harts, where it is the root

    def called(self, name: str) -> "Chain | None":
        """Itself or the first one that it leads to, if that is called so."""
        found = (each.called(name) for each in self.callees)
        return self if self.name == name else next(filter(None, found), None)

    def callers(self) -> set[str]:
        """The functions that it is called by, however indirectly."""
        return ({self.caller.name} | self.caller.callers()) if self.caller else set()


@dataclass
class Function:
    """What one function takes, whoever calls it."""

    calls: int = 0
    own: int = 0
    in_all: int = 0


def _compiled(scratch: Path) -> Path:
    plugin = scratch / "calls.so"
    source = TOOLS / "profile" / "calls.c"
    argv = ["cc", "-std=c11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-o", plugin, source]
    command.logged(argv, "profile", "a C compiler for this machine is wanted: tools/lifeboat setup")
    return plugin


class Names:
    """The function that an address of the stage lies in."""

    def __init__(self, elf: Path) -> None:
        argv = ["riscv64-linux-gnu-nm", "--defined-only", elf]
        text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        rows = [(int(row[0], 16), row[2]) for row in map(str.split, text.splitlines()) if len(row) == 3]
        place = {name: address for address, name in rows}
        self.low, self.high = place["stage_start"], place["stage_end"]
        text_end = place["stage_text_end"]
        inside = {at: name for at, name in rows if self.low <= at < text_end and not name.startswith((".", "$"))}
        self._at = sorted(inside)
        self._names = [inside[at] for at in self._at]

    def name(self, pc: int) -> str:
        """Before paging the stage runs where it was loaded."""
        virtual = pc if pc >= self.low else pc - ENTRY + self.low
        return self._names[max(bisect.bisect_right(self._at, virtual) - 1, 0)]


def _life(lines: list[str], names: Names) -> Chain:
    """The chains of one life; its first line is what no call led to."""
    own, by_others = map(int, lines[0].split())
    root = Chain("(entry)", None, 1, own, by_others=by_others)
    chains = [root]
    for line in lines[1:]:
        number, caller, pc, calls, own = (int(word, 0) for word in line.split())
        assert number == len(chains)
        chain = Chain(names.name(pc), chains[caller], calls, own)
        chains[caller].callees.append(chain)
        chains.append(chain)
    for chain in reversed(chains):
        chain.in_all += chain.own
        if chain.caller:
            chain.caller.in_all += chain.in_all
    return root


def _is_of_stage(life: str, names: Names) -> bool:
    return any(int(pc, 16) >= names.low for pc in re.findall(r"^\d+ \d+ (0x\w+)", life, re.MULTILINE))


def measure(machine: Machine, elf: Path, drive: Callable[[Session], None], moved: int = 0) -> Chain:
    """Boots a machine, lets `drive` watch it until all has been seen, and gives the stage's last life.

    `moved` is where the stage moves to, if other harts are to be counted.
    """
    names = Names(elf)
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        out = Path(scratch) / "chains"
        plugin = f"{_compiled(Path(scratch))},entry={ENTRY:#x},low={names.low:#x},high={names.high:#x},moved={moved:#x},out={out}"
        counted = replace(machine, icount=True, extra=(*machine.extra, "-plugin", plugin))
        with Session(counted) as session:
            drive(session)
            session.process.terminate()
            session.wait()
            if not out.is_file():
                raise ConsoleError("QEMU took no plugin: 9.0 or later is wanted, built with plugins", session)
        lives = out.read_text(encoding="ascii").split("life ")
    of_stage = [life for life in lives if _is_of_stage(life, names)]
    if not of_stage:
        raise LifeboatError(f"the stage did not run, or is not the one of {friendly(elf)}")
    return _life(of_stage[-1].splitlines(), names)


def functions(chain: Chain, into: dict[str, Function] | None = None) -> dict[str, Function]:
    """All that a chain leads to, by function."""
    found = defaultdict(Function) if into is None else into
    function = found[chain.name]
    function.calls += chain.calls
    function.own += chain.own
    function.in_all += 0 if chain.name in chain.callers() else chain.in_all
    for callee in chain.callees:
        functions(callee, found)
    return found


def flat(root: Chain, rows: int) -> str:
    """The functions with the most instructions of their own."""
    found = sorted(functions(root).items(), key=lambda pair: -pair[1].own)
    lines = [f"{'own':>13}{'in all':>15}{'calls':>11}  function"]
    lines += [f"{f.own:>13,}{f.in_all:>15,}{f.calls:>11,}  {name}" for name, f in found[:rows]]
    return "\n".join(lines)


def tree(chain: Chain, least: int, depth: int = 0) -> list[str]:
    """Who calls what, down to so many instructions."""
    lines = [f"{chain.in_all:>13,}{chain.calls:>10,}  {'  ' * depth}{chain.name}"]
    for callee in sorted(chain.callees, key=lambda callee: -callee.in_all):
        if callee.in_all >= least:
            lines += tree(callee, least, depth + 1)
    return lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the profile command."""
    run.add_boot_arguments(parser)
    group = parser.add_argument_group("counting")
    group.add_argument(
        "--type", nargs=2, action="append", default=[], metavar=("REGEX", "TEXT"),
        help="when the console shows this, type that; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--expect", type=regex, default=HANDOFF, metavar="REGEX", help="count until then (default: the handoff)"
    )
    group.add_argument("--rows", type=positive, default=30, metavar="N", help="functions to show (default 30)")
    group.add_argument(
        "--tree", type=positive, metavar="N", help="show who calls what, too, from N instructions on"
    )


def main(args: argparse.Namespace) -> int:
    """Boots, and shows the counts."""
    setup.for_boot()
    run.check(args)

    def drive(session: Session) -> None:
        for pattern, text in args.type:
            session.expect(pattern)
            session.send(f"{text}\n")
        session.expect(args.expect, HANGS)

    with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:
        machine = run.machine(args, run.handover(args, Path(scratch)), Path(scratch))
        root = measure(machine, args.stage.with_suffix(".elf"), drive)
    say(f"profile: {root.in_all:,} instructions, from the stage's entry until {args.expect.strip()!r}")
    say(flat(root, args.rows))
    if args.tree:
        say("\n".join([f"\n{'in all':>13}{'calls':>10}  who calls what", *tree(root, args.tree)]))
    return 0
