# SPDX-License-Identifier: BSD-2-Clause
"""For drgn: what each hart of a dead riscv64 Linux ran, and the calls that led there.

    drgn -c vmcore -s vmlinux harts.py

It needs no saved registers, which a reset clears: it follows the frame pointers that lie on each hart's two stacks. On the
hart that panicked the deepest chain counts; on one that was stopped by it the one through the IPI. On a hart that did
neither the first lines may be of calls that had just returned.
"""

import re
import struct
from functools import partial

from drgn import Object, Program
from drgn.helpers.linux import for_each_possible_cpu, per_cpu

STACK = 16384
WORD = 8
NEAR = 1024  # to the top of a stack: the registers of whoever was interrupted lie there
STOPPED = "handle_IPI"


def words_of(prog: Program, base: int) -> dict[int, int]:
    """A stack, by address."""
    content = struct.unpack(f"<{STACK // WORD}Q", prog.read(base, STACK))
    return {base + WORD * index: word for index, word in enumerate(content)}


def chain(words: dict[int, int], frame: int) -> list[tuple[int, int]]:
    """The frames from one on, as long as they lie on a stack: each with the address that it returns to."""
    found: dict[int, int] = {}
    while {frame - 2 * WORD, frame - WORD} <= words.keys() and frame not in found:
        found[frame] = words[frame - WORD]
        frame = words[frame - 2 * WORD]
    return list(found.items())


def chains(prog: Program, task: Object, first: int) -> list[list[int]]:
    """The return addresses of all chains that begin on a stack and lead to the top of the task's, the deepest first."""
    own = words_of(prog, task.stack.value_())
    begin = words_of(prog, first)
    both = own | begin
    all_of_them = (chain(both, at + 2 * WORD) for at in begin)
    return [[back for _, back in each] for each in all_of_them if each and 0 <= max(own) + WORD - each[-1][0] < NEAR]


def name(prog: Program, address: int) -> str:
    """The function that a call was in; empty if it was in none. (The address is the one behind the call.)"""
    try:
        return prog.symbol(address - 1).name
    except (LookupError, ValueError):
        return ""


def calls(prog: Program, cpu: int, task: Object) -> list[int]:
    """The calls that led to where the hart was."""
    if cpu != prog["panic_cpu"].counter.value_():
        for found in chains(prog, task, per_cpu(prog["irq_stack_ptr"], cpu).value_()):
            if any(name(prog, address) == STOPPED for address in found):
                return found
    return next((found for found in chains(prog, task, task.stack.value_()) if len(found) > 2), [])


def main(prog: Program) -> None:
    """All harts that the kernel could have had."""
    for cpu in for_each_possible_cpu(prog):
        task = per_cpu(prog["runqueues"], cpu).curr
        print(f"CPU {cpu}: {task.comm.string_().decode()}, process {task.pid.value_()}")
        for address in filter(partial(name, prog), calls(prog, cpu, task)):
            for line in str(prog.source_location(address - 1)).splitlines():
                print("    " + re.sub(r"^#\d+ +", "", line))


if "prog" in globals():  # set by drgn
    main(globals()["prog"])
