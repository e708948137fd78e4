# SPDX-License-Identifier: BSD-2-Clause
"""The habits of CONTRIBUTING.md that a program can check. No build, no QEMU."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from house import FOLDERS, GENERATED, files, includes, name, stage_files
from lifeboatlib.paths import REPO, SUBPROJECTS

# The only places for CSRs, SBI calls and assembly.
MACHINE_CODE = ("boot/", "client/", "mm/satp.c", "kexec/leave/norelocate.S", "kexec/leave/handoff.c")
NO_CONDITIONALS = ("base", "mm", "fdt", "kexec", "platform")

MOST_LINES = 500
MOST_FUNCTION_LINES = 60
WIDTH = 110  # columns, a tab to the next eighth
CLANG_FORMAT_MAJOR = 14
SPDX = "SPDX-License-Identifier: BSD-2-Clause"
SPDX_LINES = {
    ".c": f"// {SPDX}",
    ".h": f"/* {SPDX} */",
    ".S": f"/* {SPDX} */",
    ".lds": f"/* {SPDX} */",
    ".py": f"# {SPDX}",
    ".build": f"# {SPDX}",
    ".options": f"# {SPDX}",
    ".ini": f"# {SPDX}",
}

# Where the tree may send a reader or a downloader.
HOSTS = {
    "docs.kernel.org", "fitspec.osfw.foundation", "github.com", "lore.kernel.org", "www.kernel.org",
    "www.devicetree.org", "docs.riscv.org", "riscv.org",
    "www.w3.org",  # names the SVG format
}  # fmt: skip


def code(path: Path) -> str:
    """A C or assembly file without comments and strings, its lines kept."""
    text = path.read_text(encoding="utf-8")
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"'

    def blank(match: re.Match[str]) -> str:
        return '""' if match[0][0] == '"' else "\n" * match[0].count("\n")

    return re.sub(pattern, blank, text, flags=re.DOTALL)


def lines_matching(path: Path, pattern: str) -> list[str]:
    """Where a pattern is in a file's code."""
    rows = enumerate(code(path).splitlines(), 1)
    return [f"{name(path)}:{number}: {row.strip()}" for number, row in rows if re.search(pattern, row)]


def test_includes_are_from_the_root() -> None:
    """So that a reader, and tests/test_house.py, see whose header it is."""
    for path in stage_files(".c", ".h", ".S"):
        for included in includes(path):
            assert included in GENERATED or (REPO / included).is_file(), f"{name(path)}: {included}"


def test_machine_code_stays_where_it_belongs() -> None:
    """All else compiles for the host."""
    wrong = []
    for path in stage_files(".c", ".h", ".S"):
        if name(path).startswith(MACHINE_CODE):
            continue
        assert path.suffix != ".S", f"assembly in {name(path)}"
        wrong += lines_matching(path, r"\b(__asm__|__asm|asm|ecall|sbi_\w+|csr[rwsc]\w*)\b")
    assert wrong == []


def test_libfdt_is_called_in_fdt_only() -> None:
    """fdt/ is the border where its error codes and offsets end."""
    for path in stage_files(".c", ".h"):
        if path.relative_to(REPO).parts[0] != "fdt":
            assert lines_matching(path, r"#\s*include\s*<(libfdt|fdt)\.h>") == []


def test_portable_code_has_no_conditional_compilation() -> None:
    """One build is all builds; a header has its guard and nothing else."""
    wrong = []
    for path in stage_files(".c", ".h"):
        if path.relative_to(REPO).parts[0] not in NO_CONDITIONALS:
            continue
        found = lines_matching(path, r"^\s*#\s*(if|ifdef|ifndef|elif|else)\b")
        if path.suffix == ".h":
            guard = "LIFEBOAT_" + re.sub(r"\W", "_", name(path)).upper()
            assert found and found[0].endswith(f"#ifndef {guard}"), f"{name(path)}: guard {guard}"
            found = found[1:]
        wrong += found
    assert wrong == []


def prototypes(path: Path) -> Iterator[tuple[int, str]]:
    """Line numbers and names of the functions that a header declares or defines."""
    depth = 0
    for number, line in enumerate(code(path).splitlines(), 1):
        match = re.match(r"(?!typedef\b|#|_Static_assert\b)[A-Za-z_][\w\s*]*?\b(\w+)\s*\(", line)
        if depth == 0 and match:
            yield number, match[1]
        depth += line.count("{") - line.count("}")


def has_doc_comment(lines: list[str], number: int) -> bool:
    """Whether a /** comment ends right above a line, or above a group of prototypes that it is in."""
    above = number - 2
    while above > 0 and re.match(r"[A-Za-z_].*\);$", lines[above]):
        above -= 1
    if above < 0 or not lines[above].rstrip().endswith("*/"):
        return False
    while above > 0 and "/*" not in lines[above]:
        above -= 1
    return lines[above].startswith("/**")


def test_every_public_function_is_documented() -> None:
    """By a /** comment right above it, in the header."""
    seen = 0
    wrong = []
    for path in stage_files(".h"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, function in prototypes(path):
            seen += 1
            if not has_doc_comment(lines, number):
                wrong.append(f"{name(path)}:{number}: {function}")
    assert wrong == []
    assert seen > 40, "hardly any prototype was found: the test is blind"


def test_errors_cannot_be_dropped() -> None:
    """Every public function that returns an error says LB_MUST_CHECK (diag_fail's is its caller's)."""
    for path in stage_files(".h"):
        for line in code(path).splitlines():
            assert not re.match(r"(static inline )?enum lb_err \w+\(", line) or "diag_fail" in line, (
                f"{name(path)}: {line}"
            )


@pytest.mark.parametrize("suffix", SPDX_LINES)
def test_files_begin_with_their_licence(suffix: str) -> None:
    """One line, the first (behind #! if there is one)."""
    for path in files(suffix):
        lines = path.read_text(encoding="utf-8").splitlines()
        first = lines[1] if lines and lines[0].startswith("#!") else lines[0] if lines else ""
        assert first == SPDX_LINES[suffix], f"{name(path)} begins with {first!r}"


@pytest.mark.parametrize("suffix", [".c", ".h", ".S", ".py"])
def test_files_are_short(suffix: str) -> None:
    """A file has one job."""
    long = {
        name(path): count
        for path in files(suffix)
        if (count := path.read_text(encoding="utf-8").count("\n")) > MOST_LINES
    }
    assert long == {}


def test_functions_fit_on_a_screen() -> None:
    """From the line that opens the body to the one that closes it."""
    for path in stage_files(".c"):
        opened = 0
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line == "{":
                opened = number
            elif line == "}" and opened:
                length = number - opened - 1
                assert length <= MOST_FUNCTION_LINES, f"{name(path)}:{opened}: {length} lines"
                opened = 0


def text_files() -> Iterator[tuple[Path, str]]:
    """All that is text."""
    for path in files():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_the_tree_names_no_machine() -> None:
    """No path of somebody's computer, and no host but public ones that everybody can reach."""
    wrong = []
    for path, text in [*text_files(), *((p, p.read_text()) for p in SUBPROJECTS.glob("*.wrap"))]:
        wrong += [f"{name(path)}: {found}" for found in re.findall(r"\B/(?:root|home|work|Users)/\w+", text)]
        hosts = set(re.findall(r"\b(?:https?|ftp|git|ssh)://(?:\w+@)?([\w.-]+)", text))
        wrong += [f"{name(path)}: host {host}" for host in sorted(hosts - HOSTS)]
    assert wrong == []


def test_lines_end_cleanly() -> None:
    """No blanks at ends of lines, a newline at the end of the file, no CR."""
    for path, text in text_files():
        assert not re.search(r"[ \t]+$|\r", text, re.MULTILINE), f"{name(path)}: blanks or CR at line ends"
        assert not text or text.endswith("\n"), f"{name(path)}: no newline at the end"


def test_lines_keep_to_the_width() -> None:
    """clang-format breaks code, and leaves comments as they are."""
    wide = []
    for path in files(".c", ".h", ".S"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if (columns := len(line.expandtabs(8))) > WIDTH:
                wide.append(f"{name(path)}:{number}: {columns} columns")
    assert not wide, "\n" + "\n".join(wide)


def c_files() -> list[str]:
    """What clang-format looks after."""
    return [str(path) for path in files(".c", ".h")]


def test_c_is_formatted() -> None:
    """By the pinned release: others lay some things out otherwise."""
    version = subprocess.run(["clang-format", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"version (\d+)", version.stdout)
    if not found or int(found[1]) != CLANG_FORMAT_MAJOR:
        pytest.skip(f"clang-format {CLANG_FORMAT_MAJOR} is wanted, {version.stdout.strip()} is here")
    argv = ["clang-format", "--dry-run", "-Werror", *c_files()]
    done = subprocess.run(argv, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]


@pytest.mark.slow
def test_cppcheck_is_clean() -> None:
    """It gives fewer false alarms here than clang-tidy; those it gives are listed with the reason."""
    assert shutil.which("cppcheck"), "cppcheck is not there; run tools/lifeboat setup"
    libfdt = next(SUBPROJECTS.glob("dtc-*/libfdt"), None)
    assert libfdt, "libfdt is not unpacked; run tools/lifeboat build"
    argv = [
        "cppcheck", "--quiet", "--enable=warning,performance,portability", "--error-exitcode=1",
        "--std=c11", "--platform=unix64", "--inline-suppr", '-DLIFEBOAT_VERSION="0"', "-I.", f"-I{libfdt}",
        "--suppressions-list=tests/cppcheck-suppressions.txt", *FOLDERS,
    ]  # fmt: skip
    done = subprocess.run(argv, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]
