#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Make the FDTs that test_fdt_read and test_fdt_fixup are run on, and what is to be read from each.

    make_dtbs.py OUTDIR [EXTRA.dtb ...]

Three sources: what QEMU makes for its machines, with and without OpenSBI's changes; our own dts/*.dts
for what no QEMU machine has; and any more blobs that are named. For each NAME.dtb there is a
NAME.expect, lines of "key value...", and OUTDIR/list names them all. Expectations never come from
lifeboat's code: those of a .dts stand in its "// expect:" comments, the others are read here with
fdtget and dtc. The tests find OUTDIR through the environment variable LIFEBOAT_DTBS.
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from lifeboatlib.qemu import patience

QEMU = "qemu-system-riscv64"
HERE = pathlib.Path(__file__).resolve().parent

NUMA = (
    "-object memory-backend-ram,id=a,size=512M -numa node,memdev=a,cpus=0-1 "
    "-object memory-backend-ram,id=b,size=1536M -numa node,memdev=b,cpus=2-3"
)

# Name, QEMU's arguments, and whether an initrd and a command line are given too.
MACHINES = [
    ("virt-128m-1", "-M virt -m 128M -smp 1", False),
    ("virt-1g-1", "-M virt -m 1G -smp 1", True),
    ("virt-8g-8", "-M virt -m 8G -smp 8", False),
    ("virt-aplic-4", "-M virt,aia=aplic -m 1G -smp 4", True),
    ("virt-imsic-4", "-M virt,aia=aplic-imsic -m 1G -smp 4", False),
    ("virt-numa-4", f"-M virt -m 2G -smp 4 {NUMA}", True),
    ("virt-sv39", "-M virt -cpu rv64,sv39=on -m 256M", False),
    ("virt-sv48-svade", "-M virt -cpu rv64,sv48=on,svade=on,svadu=off,svpbmt=on -m 256M", False),
    ("virt-no-mmu", "-M virt -cpu rv64,sv39=off,sv48=off,sv57=off -m 256M", False),
    ("virt-rva23", "-M virt -cpu rva23s64 -m 256M", False),
    ("virt-c906", "-M virt -cpu thead-c906 -m 256M", False),
    ("sifive_u-1g", "-M sifive_u -smp 5 -m 1G", True),
    ("sifive_u-8g", "-M sifive_u -smp 5 -m 8G", False),
    ("spike-1g-2", "-M spike -smp 2 -m 1G", False),
]

# As OpenSBI hands them over: its own memory reserved, harts without an MMU disabled.
OPENSBI_MACHINES = [
    ("opensbi-virt-4", "-M virt -smp 4 -m 1G"),
    ("opensbi-sifive_u", "-M sifive_u -smp 5 -m 1G"),
    ("opensbi-spike-2", "-M spike -smp 2 -m 1G"),
]

EXTENSIONS = {  # what test_fdt_read calls it: who lists one of these has it
    "zicbom": {"zicbom"},
    "zknh": {"zknh", "zkn", "zk"},
    "rotate": {"zbb", "zbkb", "b", "zkn", "zk", "zks"},
    "clmul": {"zbc", "zbkc", "zkn", "zk", "zks"},
    "v": {"v"},
    "zvkb": {"zvkb", "zvbb", "zvkn", "zvknc", "zvkng"},
    "zvknha": {"zvknha", "zvknhb", "zvkn", "zvknc", "zvkng"},
    "zvknhb": {"zvknhb", "zvkn", "zvknc", "zvkng"},
}
MMU_LEVELS = {"riscv,none": 0, "riscv,sv39": 3, "riscv,sv48": 4, "riscv,sv57": 5}
APPEND = "console=ttyS0 root=/dev/vda rw"

# Stores a1, the FDT's address, 2 MiB behind itself and stays there: auipc t0, 0x200; sd a1, (t0); j .
PAYLOAD = b"".join(word.to_bytes(4, "little") for word in (0x00200297, 0x00B2B023, 0x0000006F))
PAYLOAD_MARK = 0x80400000


class Failure(Exception):
    """One line for the person who runs this."""


def run(*command):
    """The output of a command that must succeed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience(), check=False)
    except FileNotFoundError:
        raise Failure(f"{command[0]} is not installed; tools/lifeboat setup installs it") from None
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


class Tree:
    """A blob, looked at with fdtget and dtc."""

    def __init__(self, path):
        self.path = str(path)

    def children(self, node):
        return run("fdtget", "-l", self.path, node).split("\n")[:-1]

    def properties(self, node):
        return run("fdtget", "-p", self.path, node).split("\n")[:-1]

    def raw(self, node, prop):
        """A property's bytes; None when it is absent."""
        if prop not in self.properties(node):
            return None
        return bytes(int(byte, 16) for byte in run("fdtget", "-t", "bx", self.path, node, prop).split())

    def string(self, node, prop):
        raw = self.raw(node, prop)
        return raw[: raw.index(0)].decode() if raw and raw[-1] == 0 else None

    def strings(self, node, prop):
        raw = self.raw(node, prop)
        return raw[:-1].decode().split("\0") if raw and raw[-1] == 0 else []

    def number(self, node, prop):
        raw = self.raw(node, prop)
        return int.from_bytes(raw, "big") if raw is not None else None

    def okay(self, node):
        return self.string(node, "status") in (None, "okay", "ok")

    def cells(self, node):
        return self.number(node, "#address-cells"), self.number(node, "#size-cells")

    def ranges(self, node, prop, cells):
        raw = self.raw(node, prop) or b""
        address, size = 4 * cells[0], 4 * cells[1]
        for at in range(0, len(raw), address + size):
            base = int.from_bytes(raw[at : at + address], "big")
            length = int.from_bytes(raw[at + address : at + address + size], "big")
            if length:
                yield base, length

    def memreserve(self):
        source = run("dtc", "-q", "-I", "dtb", "-O", "dts", self.path)
        for line in re.findall(r"^/memreserve/\s+(\S+)\s+(\S+?);", source, re.MULTILINE):
            yield int(line[0], 16), int(line[1], 16)


def merge(ranges):
    """Sorted ranges, those that touch made one."""
    merged = []
    for base, size in sorted(ranges):
        if merged and base <= merged[-1][0] + merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], base + size - merged[-1][0])
        else:
            merged.append([base, size])
    return merged


def hart_extensions(tree, node):
    listed = tree.strings(node, "riscv,isa-extensions")
    if not listed:
        first, *rest = (tree.string(node, "riscv,isa") or "rv64").split("_")
        listed = list(re.sub(r"[sxz].*", "", first[4:])) + re.findall(r"[sxz].*", first[4:]) + rest
    return {name for name, those in EXTENSIONS.items() if those & set(listed)}


def expect_harts(tree):
    lines, isa, blocks = [], None, []
    if "cpus" not in tree.children("/"):
        return []
    width = tree.number("/cpus", "#address-cells") * 4
    for name in tree.children("/cpus"):
        node = f"/cpus/{name}"
        if tree.string(node, "device_type") != "cpu":
            continue
        hart = int.from_bytes(tree.raw(node, "reg")[:width], "big")
        levels = MMU_LEVELS.get(tree.string(node, "mmu-type"), 255)
        lines.append(f"hart {hart:#x} {'on' if tree.okay(node) else 'off'} {levels}")
        if tree.okay(node):
            isa = hart_extensions(tree, node) & (set(EXTENSIONS) if isa is None else isa)
            blocks.append(tree.number(node, "riscv,cbom-block-size"))
    lines.append(" ".join(["isa"] + [name for name in EXTENSIONS if name in (isa or ())]))
    if any(blocks):
        lines.append(f"cbom {min(size for size in blocks if size):#x}")
    if tree.number("/cpus", "timebase-frequency"):
        lines.append(f"timebase {tree.number('/cpus', 'timebase-frequency'):#x}")
    return lines


def expect_reserved(tree):
    lines = [f"reserved {base:#x} {size:#x} map memreserve" for base, size in tree.memreserve()]
    dynamic = 0
    if "reserved-memory" in tree.children("/"):
        cells = tree.cells("/reserved-memory")
        for name in tree.children("/reserved-memory"):
            node = f"/reserved-memory/{name}"
            if not tree.okay(node):
                continue
            no_map = "nomap" if "no-map" in tree.properties(node) else "map"
            for base, size in tree.ranges(node, "reg", cells):
                lines.append(f"reserved {base:#x} {size:#x} {no_map} {name}")
            dynamic += "reg" not in tree.properties(node) and "size" in tree.properties(node)
    return lines + [f"dynamic {dynamic:#x}"]


def expect_chosen(tree):
    lines = []
    if "chosen" not in tree.children("/"):
        return lines
    if tree.string("/chosen", "bootargs"):
        lines.append(f"bootargs {tree.string('/chosen', 'bootargs')}")
    start, end = (tree.number("/chosen", f"linux,initrd-{which}") for which in ("start", "end"))
    if start is not None and end is not None and end > start:
        lines.append(f"initrd {start:#x} {end - start:#x}")
    return lines


def expect(path):
    """What is to be read from a blob, by fdtget."""
    tree = Tree(path)
    ram = []
    for name in tree.children("/"):
        if tree.string(f"/{name}", "device_type") == "memory" and tree.okay(f"/{name}"):
            ram += tree.ranges(f"/{name}", "reg", tree.cells("/"))
    if not ram:
        return ["error LB_ENOENT"]
    lines = [f"ram {base:#x} {size:#x}" for base, size in merge(ram)]
    lines += [f"compatible {name}" for name in tree.strings("/", "compatible")]
    lines += ["keys" for name in tree.children("/") if name.split("@")[0] == "signature"][:1]
    return lines + expect_reserved(tree) + expect_chosen(tree) + expect_harts(tree)


def dump(out, scratch, name, arguments, with_initrd):
    """QEMU's own FDT for a machine."""
    path = out / f"{name}.dtb"
    words = arguments.split()
    words[1] += f",dumpdtb={path}"
    if with_initrd:
        words += ["-kernel", str(scratch / "payload"), "-initrd", str(scratch / "initrd"), "-append", APPEND]
    run(QEMU, *words, "-display", "none")
    return path


def pmemsave(qemu, path, address, size):
    """Have a running QEMU write guest memory to a file; its bytes."""
    path.unlink(missing_ok=True)
    qemu.stdin.write(f'pmemsave {address:#x} {size:#x} "{path}"\n')  # not in quotes, its / would divide
    qemu.stdin.flush()
    deadline = time.monotonic() + patience()
    while time.monotonic() < deadline:
        if path.exists() and path.stat().st_size == size:
            return path.read_bytes()
        time.sleep(0.01)
    raise Failure("QEMU's monitor does not write guest memory")


def dump_behind_opensbi(out, scratch, name, arguments):
    """The FDT that QEMU's OpenSBI hands to its payload."""
    command = [QEMU, *arguments.split(), "-bios", "default", "-kernel", str(scratch / "payload")]
    # To a file: sifive_u's UART never takes a character when there is nobody behind it.
    command += ["-display", "none", "-serial", f"file:{scratch}/{name}.log", "-monitor", "stdio"]
    path, memory = out / f"{name}.dtb", scratch / f"{name}.mem"
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as qemu:
        try:
            deadline = time.monotonic() + patience()
            while not (fdt := int.from_bytes(pmemsave(qemu, memory, PAYLOAD_MARK, 8), "little")):
                if time.monotonic() > deadline:
                    raise Failure(f"{name}: OpenSBI did not start its payload within {patience():g} s")
                time.sleep(0.05)
            size = int.from_bytes(pmemsave(qemu, memory, fdt, 8)[4:], "big")
            path.write_bytes(pmemsave(qemu, memory, fdt, size))
        finally:
            qemu.kill()
    return path


def compile_source(out, source):
    """One of our own; its expectations are written in it."""
    path = out / f"{source.stem}.dtb"
    run("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", str(path), str(source))
    expected = re.findall(r"^// expect: (.*)$", source.read_text(), re.MULTILINE)
    if not expected:
        raise Failure(f"{source}: has no '// expect:' lines")
    return path, expected


def icicle(out, scratch):
    """QEMU makes no FDT for this machine, but changes the one that it is given."""
    given = out / "icicle.dtb"
    path = dump(out, scratch, "icicle-qemu", f"-M microchip-icicle-kit -m 3G -smp 5 -dtb {given}", True)
    return path, expect(path)


def make(out, extra):
    with tempfile.TemporaryDirectory() as directory, concurrent.futures.ThreadPoolExecutor() as pool:
        scratch = pathlib.Path(directory)
        (scratch / "payload").write_bytes(PAYLOAD)
        (scratch / "initrd").write_bytes(bytes(100001))
        made = [compile_source(out, source) for source in sorted((HERE / "dts").glob("*.dts"))]
        jobs = [pool.submit(dump_behind_opensbi, out, scratch, *row) for row in OPENSBI_MACHINES]
        jobs += [pool.submit(dump, out, scratch, *row) for row in MACHINES]
        jobs += [pool.submit(pathlib.Path, blob) for blob in extra]
        made.append(icicle(out, scratch))
        for job in jobs:
            made.append((job.result(), expect(job.result())))
    for path, expected in made:
        if path.parent != out:
            (out / path.name).write_bytes(path.read_bytes())
        (out / f"{path.stem}.expect").write_text("\n".join(expected) + "\n")
    (out / "list").write_text("".join(f"{path.stem}\n" for path, _ in made))
    return len(made)


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    try:
        print(f"{make(out, sys.argv[2:])} FDTs in {out}")
    except Failure as failure:
        sys.exit(f"make_dtbs: {failure}")


if __name__ == "__main__":
    main()
