# SPDX-License-Identifier: BSD-2-Clause
"""The manual pages and the completion: well-formed, and they tell of all that there is; every --help has an example."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from lifeboatlib import cli, manual
from lifeboatlib.arguments import existing_file
from lifeboatlib.paths import REPO
from lifeboatlib.version import VERSION

CTL = (REPO / "tools/lifeboat-ctl/lifeboat-ctl.c").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def share(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that `tools/lifeboat manual` makes."""
    directory = tmp_path_factory.mktemp("share")
    assert len(manual.write(directory)) == 5
    return directory


def formatted(page: Path) -> str:
    """A page as a person reads it."""
    assert shutil.which("groff"), "groff is missing: run tools/lifeboat setup"
    done = subprocess.run(
        ["groff", "-man", "-Tascii", "-P-cbou", "-ww", "-rLL=200n", "-rHY=0", page],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return done.stdout


def commands_of_ctl() -> list[str]:
    """What its usage lists."""
    return re.findall(r'^\t"  (\w+(?: --\w+)?)   ', CTL, re.MULTILINE)


@pytest.mark.parametrize("name", ["lifeboat.1", "lifeboat-bundle.5", "lifeboat-ctl.8"])
def test_a_page_is_well_formed_and_of_this_version(name: str, share: Path) -> None:
    text = formatted(share / "man" / f"man{name[-1]}" / name)
    assert f"lifeboat {VERSION}" in text and "@" not in re.sub(r"\S+@\S+", "", text)
    for section in ("NAME", "SYNOPSIS" if name != "lifeboat-bundle.5" else "DESCRIPTION", "SEE ALSO"):
        assert re.search(f"^{section}$", text, re.MULTILINE), f"{name} has no {section}"


def test_every_command_and_option_is_in_its_page(share: Path) -> None:
    text = formatted(share / "man/man1/lifeboat.1")
    for name, parser in manual.parsers().items():
        assert re.search(f"^ +{name}$", text, re.MULTILINE), name
        for action in manual.shown(parser):
            for option in action.option_strings if action.dest != "help" else ():
                assert option in text, f"{name} {option}"
    text = formatted(share / "man/man8/lifeboat-ctl.8")
    assert len(commands_of_ctl()) >= 8
    for command in commands_of_ctl():
        assert re.search(rf"^ +{command}( |$)", text, re.MULTILINE), command


def test_every_property_of_ours_is_in_its_page(share: Path) -> None:
    text = formatted(share / "man/man5/lifeboat-bundle.5")
    chapter = (REPO / "docs/abi.md").read_text(encoding="utf-8").partition("\n## The bundle\n")[2].partition("\n## ")[0]
    ours = set(re.findall(r"lifeboat,[\w-]+", chapter)) | set(
        re.findall(r"lifeboat,[\w-]+", (REPO / "kexec/bundle/policy.c").read_text(encoding="utf-8"))
    )
    assert {"lifeboat,boot-limit", "lifeboat,role"} <= ours
    assert not [name for name in ours if name not in text]


def words(completion: Path, function: str, *line: str) -> set[str]:
    """What bash would offer behind a line."""
    typed = " ".join(shlex.quote(word) for word in line)
    script = f'. {completion}; COMP_WORDS=({typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); {function}; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert not done.stderr, done.stderr
    return set(done.stdout.split())


def test_the_shell_completes_commands_options_and_values(share: Path) -> None:
    made = share / "bash-completion/completions"
    lifeboat, ctl = made / "lifeboat", made / "lifeboat-ctl"
    assert words(lifeboat, "_lifeboat", "lifeboat", "") == {*cli.COMMANDS, "--help", "--version"}
    for name, parser in manual.parsers().items():
        options = {option for action in manual.shown(parser) for option in action.option_strings}
        assert words(lifeboat, "_lifeboat", "lifeboat", name, "-") == options
    assert words(lifeboat, "_lifeboat", "lifeboat", "build", "--compiler", "") == {"gcc", "clang"}
    offered = words(ctl, "_lifeboat_ctl", "lifeboat-ctl", "")
    assert {command.split()[0] for command in commands_of_ctl()} <= offered
    assert words(ctl, "_lifeboat_ctl", "lifeboat-ctl", "log", "") == {
        command.split()[1] for command in commands_of_ctl() if " " in command
    }


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_help_has_an_example_that_is_right(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a line that the command line takes, whatever files are there."""
    examples = getattr(cli.COMMANDS[name], "EXAMPLES", ())
    assert examples, f"{name}: its module lists no EXAMPLES"
    assert all(example in manual.parsers()[name].format_help() for example in examples)
    add_arguments = cli.COMMANDS[name].add_arguments

    def without_files(parser: cli.Parser) -> None:
        add_arguments(parser)
        for action in parser._actions:
            action.type = Path if action.type is existing_file else action.type

    monkeypatch.setattr(cli.COMMANDS[name], "add_arguments", without_files)
    for example in examples:
        program, *argv = shlex.split(example)
        assert program == "tools/lifeboat"
        assert cli.parse(argv).command == name


def test_ctls_help_has_examples_and_all_tell_one_version() -> None:
    assert re.search(r'Examples:\\n"\n\t"  lifeboat-ctl disarm', CTL)
    assert "LIFEBOAT_VERSION" in CTL and "LIFEBOAT_VERSION" in (REPO / "boot/report.c").read_text(encoding="utf-8")
    done = subprocess.run([REPO / "tools/lifeboat", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"lifeboat {VERSION}\n"
