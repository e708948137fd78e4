# SPDX-License-Identifier: BSD-2-Clause
"""The stage as a file: what its header promises, what its code may contain, and that builds repeat."""

import json
import re
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from symbols import addresses, section, symbols, tool

from lifeboatlib.build import build_stage
from lifeboatlib.paths import REPO, SUBPROJECTS

PAGE = 0x1000
STAGE_VA = 0xFFFF_FFFF_C000_0000
# All that can be written, file by file: C objects and labels, and sections without any. (CONTRIBUTING.md, habit 9.)
STATE = {
    "base/crc32.c": {"table"},  # constants, made when they are first needed
    "boot/start.c": {"the_context"},
    "boot/crash/entry.c": {"crash_entry_state"},
    "boot/entry/memory.S": {".stack", ".trap_stack", "early_pool", ".tail"},
    "boot/entry/park.S": {
        "smp_mailbox", "smp_parked", "smp_release_entry", "smp_release_fdt", "smp_left", "smp_arrived",
    },
}  # fmt: skip
STORES = re.compile(r"^(c\.)?(s[bhwd]|s[wd]sp|fs[wd]|amo\w+\.[wd]\S*|sc\.[wd]\S*)$")


@dataclass(frozen=True)
class Instruction:
    """One line of a disassembly."""

    address: int
    function: str
    name: str
    operands: str

    @property
    def target(self) -> int | None:
        """Where it goes to or reads from, if the disassembler knows."""
        known = re.search(r"([0-9a-f]{8,16}) <", self.operands)
        return int(known[1], 16) if known else None


def disassemble(elf: Path, *options: str) -> list[Instruction]:
    """All instructions of an ELF file."""
    text = tool("objdump", "-d", "--no-show-raw-insn", *options, elf)
    found, function = [], ""
    for line in text.splitlines():
        if label := re.match(r"[0-9a-f]+ <([^.$].*)>:$", line):  # (others are an assembler's own)
            function = label[1]
        elif row := re.match(r" *([0-9a-f]+):\s+(\S+)\s*(.*)$", line):
            found.append(Instruction(int(row[1], 16), function, row[2], row[3]))
    assert found, f"{elf} has no code"
    return found


# The flat image


def test_the_header_is_a_linux_images(stage: Path) -> None:
    """Linux Documentation/arch/riscv/boot-image-header.rst."""
    content = stage.read_bytes()
    code0, code1, offset, size, flags, version = struct.unpack_from("<IIQQQI", content)
    assert code0 & 0x7F == 0x6F and code1 == 0, "code0 is no jump"
    assert offset == 0x20_0000
    assert size == len(content), "image_size is not the file's size"
    assert flags == 0, "big-endian, or an unknown flag"
    assert version == 2
    assert content[0x30:0x38] == b"RISCV\0\0\0" and content[0x38:0x3C] == b"RSC\x05"
    assert content[0x3C:0x40] == bytes(4), "a PE header is announced"


def test_the_file_covers_all_of_the_stages_memory(stage: Path, stage_elf: Path) -> None:
    """U-Boot's SPL puts the FDT right behind the file: bss, stacks and work area must lie in it."""
    symbol = symbols(stage_elf)
    size = stage.stat().st_size
    assert size == symbol["stage_end"] - symbol["stage_start"] and size % PAGE == 0
    for name in ("bss_end", "stack_top", "trap_stack_top", "stage_rw_end", "early_pool"):
        assert symbol[name] - STAGE_VA < size, name
    assert stage.read_bytes()[-8:] == b"LIFEBOAT"


# The code


def test_nothing_is_left_to_relocate(stage_elf: Path) -> None:
    """Nobody would do it: the flat image is all that there is."""
    assert "There are no relocations in this file." in tool("readelf", "-r", stage_elf)
    assert "There is no dynamic section" in tool("readelf", "-d", stage_elf)
    assert tool("nm", "--undefined-only", stage_elf) == ""


def test_there_are_no_jump_tables(stage_elf: Path, tmp_path: Path) -> None:
    """They hold absolute addresses, which are wrong before paging. (Pointers to functions may be there.)"""
    symbol = symbols(stage_elf)
    start, end = symbol["stage_start"], symbol["stage_text_end"]
    content = section(stage_elf, ".rodata", tmp_path / "rodata")
    words = {word for (word,) in struct.iter_unpack("<Q", content[: len(content) & -8])}
    pointers = {word for word in words if start <= word < end}
    assert pointers, "no function pointer in .rodata? the test is blind"
    assert pointers <= addresses(stage_elf), "constants point into functions"


def routine(instruction: Instruction) -> str:
    """The function; the labels of norelocate are one."""
    return instruction.function.split("_")[0] if "norelocate" in instruction.function else instruction.function


def where_is(instruction: Instruction) -> str:
    """An instruction as a person finds it."""
    return f"{instruction.function} at {instruction.address:#x}"


def fenced_before(code: list[Instruction], at: int) -> bool:
    """Whether an sfence.vma comes before an instruction in its routine, and no store in between."""
    for i in reversed(code[:at]):
        if routine(i) != routine(code[at]) or STORES.match(i.name):
            return False
        if i.name == "sfence.vma":
            return True
    return False


def test_satp_is_fenced_on_both_sides(stage_elf: Path) -> None:
    """Before: no store may still be on its way to a table. After: no old translation may be used."""
    code = disassemble(stage_elf)
    writes = [at for at, i in enumerate(code) if i.name == "csrw" and i.operands.startswith("satp,")]
    writers = {routine(code[at]) for at in writes}
    assert writers >= {"norelocate", "stage_switch", "satp_accepts"} and len(writers) >= 4, writers
    for at in writes:
        assert fenced_before(code, at), f"no fence before: {where_is(code[at])}"
        assert code[at + 1].name == "sfence.vma", f"no fence behind: {where_is(code[at])}"


# The trampoline page


def trampoline(elf: Path) -> list[Instruction]:
    """Its instructions, without the two words at its end and the padding behind them."""
    end = symbols(elf)["norelocate_satp"]
    return [i for i in disassemble(elf, "-j", ".trampoline") if i.address < end]


def test_the_trampoline_is_one_page(stage_elf: Path) -> None:
    """Aligned, alone, and norelocate is its first instruction."""
    symbol = symbols(stage_elf)
    start, end = symbol["trampoline_start"], symbol["trampoline_end"]
    assert start % PAGE == 0 and start < end <= start + PAGE
    assert symbol["norelocate"] == start
    inside = {name for name, address in symbol.items() if start <= address < start + PAGE}
    inside = {name for name in inside if not name.startswith("$")}
    assert inside <= {
        "trampoline_start", "norelocate", "norelocate_pass_two", "norelocate_park",
        "norelocate_satp", "norelocate_pa", "trampoline_end",
    }  # fmt: skip


def test_the_trampoline_stays_in_its_page(stage_elf: Path) -> None:
    """No call, no jump out but the two that are its purpose, no memory but its own two words."""
    symbol = symbols(stage_elf)
    page = range(symbol["trampoline_start"], symbol["trampoline_start"] + PAGE)
    words = {symbol["norelocate_satp"], symbol["norelocate_pa"]}
    code = trampoline(stage_elf)
    for i in code:
        assert i.name not in ("call", "jal", "jalr", "tail"), where_is(i)
        assert not STORES.match(i.name), f"{where_is(i)} stores"
        assert i.target is None or i.target in page or i.name in ("add", "addi", "addw", "addiw"), where_is(i)
        if re.match(r"(c\.)?(l[bhwd]u?|l[wd]sp|fl[wd]|lr\.[wd]\S*)$", i.name):
            assert i.target in words, f"{where_is(i)} reads {i.operands}"
    assert [i.name for i in code if i.name in ("jr", "ret", "sret", "mret")] == ["jr", "sret"]


def test_the_trampoline_reads_before_it_switches(stage_elf: Path) -> None:
    """And sees all stores to the payload's code before it leaves translation."""
    code = trampoline(stage_elf)
    writes = [at for at, i in enumerate(code) if i.name == "csrw" and i.operands.startswith("satp")]
    loads = [at for at, i in enumerate(code) if i.name == "ld"]
    assert len(writes) == 2 and code[writes[1]].operands == "satp,zero"
    assert len(loads) == 2 and max(loads) < writes[0]
    assert "fence.i" in [i.name for i in code[writes[0] : writes[1]]]
    parked = [at for at, i in enumerate(code) if i.name == "csrw" and i.operands.startswith("stvec")]
    assert len(parked) == 2 and parked[0] < writes[0] < parked[1] < writes[1], "a trap must find the park"


# Its state


def objects(stage: Path) -> list[Path]:
    """The stage's own object files, without libraries and what an older build left."""
    commands = json.loads((stage.parent / "compile_commands.json").read_text(encoding="utf-8"))
    found = [stage.parent / row["output"] for row in commands if row["output"].startswith("lifeboat.elf.p/")]
    assert len(found) > len(STATE), "hardly any object: the test is blind"
    return found


def state(object_file: Path) -> set[str]:
    """The names of what can be written in an object file; for a section that has none, the section's."""
    sections = re.findall(
        r"^ *\[ *(\d+)\] (\S+) +\S+ +\S+ +\S+ +(\S+) +\S+ +(\w*W\w*) ", tool("readelf", "-SW", object_file), re.MULTILINE
    )
    names = {number: name for number, name, size, _ in sections if int(size, 16)}
    rows = re.findall(
        r"^ *\d+: \S+ +\S+ +(?:OBJECT|NOTYPE|TLS) +\S+ +\S+ +(\d+|COM) ([^$.]\S*)$",
        tool("readelf", "-sW", object_file), re.MULTILINE,
    )  # fmt: skip
    named = {(number, name) for number, name in rows if number in names or number == "COM"}
    bare = set(names) - {number for number, _ in named}
    return {name for _, name in named} | {names[number] for number in bare}


def test_state_is_not_hidden(stage: Path) -> None:
    """Whatever the source calls it: what the compiler put where it can be written is on the list, and nothing else."""
    found = {path.name: names for path in objects(stage) if (names := state(path))}
    assert found == {f"{name.replace('/', '_')}.o": names for name, names in STATE.items()}


# The build


def copy_tree(directory: Path) -> Path:
    """The tree as a release would have it, for Meson to unpack the libraries in."""
    for name in ("base", "boot", "fdt", "kexec", "mm", "platform", "tools"):
        shutil.copytree(REPO / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("meson.build", "meson.options", "VERSION", "CHANGELOG.md"):
        shutil.copy(REPO / name, directory / name)
    boards = Path("tests") / "unit" / "boards"  # the build asserts that each platform is in there
    shutil.copytree(REPO / boards, directory / boards, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("packagefiles", "packagecache"):
        shutil.copytree(SUBPROJECTS / name, directory / "subprojects" / name)
    for wrap in SUBPROJECTS.glob("*.wrap"):
        shutil.copy(wrap, directory / "subprojects")
    return directory


def build(tree: Path, directory: Path, compiler: str) -> tuple[bytes, str]:
    """The flat image, and all that the tools said."""
    cross = f"tools/cross/riscv64-{compiler}.ini"
    setup = ["meson", "setup", str(directory), str(tree), "--cross-file", str(tree / cross)]
    said = ""
    for argv in (setup, ["meson", "compile", "-C", str(directory)]):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        said += done.stdout + done.stderr
    return (directory / "lifeboat.bin").read_bytes(), said


@pytest.mark.slow
@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.long)])
def test_builds_repeat_and_warn_of_nothing(compiler: str, tmp_path: Path) -> None:
    """This tree, built inside, and a copy elsewhere, built beside: the same bytes, and not a warning."""
    directory = tmp_path / "out"
    image, said = build(copy_tree(tmp_path / "somewhere" / "much" / "deeper"), directory, compiler)
    warnings = [line for line in said.splitlines() if re.search(r"\bwarning:", line, re.IGNORECASE)]
    assert warnings == []
    test_there_are_no_jump_tables(directory / "lifeboat.elf", tmp_path)
    test_satp_is_fenced_on_both_sides(directory / "lifeboat.elf")
    assert image == (build_stage(compiler) / "lifeboat.bin").read_bytes()
    for place in (str(tmp_path), str(REPO)):
        assert place.encode() not in image, "the image names a directory of this machine"
