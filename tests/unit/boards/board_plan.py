# SPDX-License-Identifier: BSD-2-Clause
"""A board's FDT as the stage gets it, and the whole planning for it, by the stage's own code (plan_board.c)."""

import subprocess
from pathlib import Path

from fdts import MIB, Fdt
from lifeboatlib.paths import host_dir

HERE = Path(__file__).parent
UNIT = host_dir() / "tests" / "unit"
ROOM = 16384


def run(*argv: object) -> str:
    """A command that must succeed; what it printed."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout


def cells(tree: Path, node: str) -> tuple[int, int]:
    """How the children of a node write their reg."""
    return tuple(int(run("fdtget", tree, node, f"#{what}-cells")) for what in ("address", "size"))


def reg(tree: Path, node: str, base: int, size: int) -> list[str]:
    """A range in the cells of a node's children, for fdtput -t x."""
    words = []
    for value, count in zip((base, size), cells(tree, node), strict=True):
        words += [f"{value >> 32 * i & 0xFFFFFFFF:x}" for i in reversed(range(count))]
    return words


def write_ram(tree: Path, ram: tuple[tuple[int, int], ...]) -> None:
    """Memory nodes as U-Boot's SPL, HSS or ZSBL writes them, instead of those that are there."""
    for name in run("fdtget", "-l", tree, "/").split():
        if name.startswith("memory@"):
            run("fdtput", "-r", tree, f"/{name}")
    for base, size in ram:
        node = f"/memory@{base:x}"
        run("fdtput", "-c", tree, node)
        run("fdtput", "-t", "s", tree, node, "device_type", "memory")
        run("fdtput", "-t", "x", tree, node, "reg", *reg(tree, "/", base, size))


def as_opensbi(tree: Path, bases: tuple[int, ...]) -> None:
    """OpenSBI's fixups: its memory reserved, text and data apart; harts without an MMU disabled."""
    parent = "/reserved-memory"
    if bases and "reserved-memory" not in run("fdtget", "-l", tree, "/").split():
        run("fdtput", "-c", tree, parent)
        for what, count in zip(("address", "size"), cells(tree, "/"), strict=True):
            run("fdtput", "-t", "x", tree, parent, f"#{what}-cells", f"{count:x}")
        run("fdtput", "-t", "x", tree, parent, "ranges")
    for base in bases:
        for number, (offset, size) in enumerate(((0, 0x40000), (0x40000, 0x20000))):
            node = f"{parent}/mmode_resv{1 - number}@{base + offset:x}"
            run("fdtput", "-c", tree, node)
            run("fdtput", "-t", "x", tree, node, "reg", *reg(tree, parent, base + offset, size))
            run("fdtput", "-t", "x", tree, node, "no-map")
    for name in run("fdtget", "-l", tree, "/cpus").split():
        properties = run("fdtget", "-p", tree, f"/cpus/{name}").split()
        if name.startswith("cpu@") and "mmu-type" not in properties:
            run("fdtput", "-t", "s", tree, f"/cpus/{name}", "status", "disabled")


def as_handed_over(fdt: Fdt, published: Path, done: bool = False) -> Path:
    """A copy of a board's FDT with all that is done to it before the stage sees it; `done`: but for the bundle."""
    tree = published.with_suffix(".handed")
    tree.write_bytes(published.read_bytes())
    if fdt.ram and not done:
        write_ram(tree, fdt.ram)
    if not done:
        as_opensbi(tree, fdt.opensbi)
    run("fdtput", "-c", "-p", tree, "/chosen")
    run("fdtput", "-t", "x", tree, "/chosen", "lifeboat,bundle", *reg(tree, "/", fdt.bundle, bundle_size(fdt)))
    return tree


def bundle_size(fdt: Fdt) -> int:
    """Of a bundle with the kernel, and two initramfs."""
    return (fdt.kernel + 9) * MIB


def title(fdt: Fdt) -> str:
    """What stands above its plan in the summary."""
    return f"{fdt.name}.dts: {fdt.why}"


def reviewed(board: str, fdt: Fdt) -> list[str]:
    """The plan that was reviewed, out of the board's summary."""
    text = (HERE / f"{board}.txt").read_text(encoding="utf-8")
    return text.partition(f"{title(fdt)}\n")[2].partition("\n\n")[0].splitlines()


def compiled(fdt: Fdt, directory: Path) -> Path:
    """Our own FDT of a board."""
    tree = directory / f"{fdt.name}.dtb"
    run("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", tree, HERE / "dts" / f"{fdt.name}.dts")
    return tree


def plan_of(fdt: Fdt, tree: Path) -> list[str]:
    """What the planning comes to on a tree as it is handed over, in plain words."""
    plan = run(UNIT / "plan_board", tree, hex(fdt.address), fdt.kernel, hex(fdt.load))
    return [line.rstrip() for line in plan.splitlines()]


def planned(fdt: Fdt, directory: Path) -> list[str]:
    """The plan for our own FDT of a board."""
    tree = as_handed_over(fdt, compiled(fdt, directory))
    padded = tree.with_suffix(".padded")  # to a size that no release of dtc changes
    run("dtc", "-q", "-I", "dtb", "-O", "dtb", "-S", ROOM, "-o", padded, tree)
    return plan_of(fdt, padded)
