# SPDX-License-Identifier: BSD-2-Clause
"""Makes the manual pages and the shell completion; lifeboat(1) and its completion are read off the command line."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from lifeboatlib import cli  # which lists this module, too
from lifeboatlib.paths import REPO, friendly
from lifeboatlib.ui import say
from lifeboatlib.version import VERSION

HELP = "make the manual pages and the shell completion"
EXAMPLES = ("tools/lifeboat manual -o debian/share",)

PAGES = REPO / "docs/man"
CTL_COMPLETION = REPO / "tools/lifeboat-ctl/completion.bash"
SEE_ALSO = ("lifeboat-bundle (5)", "lifeboat-ctl (8)", "mkimage (1)", "qemu-system-riscv64 (1)")

COMPLETION = """# bash completion for lifeboat, made by tools/lifeboat manual. In zsh: autoload -U bashcompinit && bashcompinit.
_lifeboat() {
    local word=${COMP_WORDS[COMP_CWORD]} options i
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -- ]] && { COMPREPLY=($(compgen -f -- "$word")); return; }
    done
    case ${COMP_WORDS[1]} in
%s
        *) options="%s" ;;
    esac
    if [[ $word == -* || $COMP_CWORD == 1 ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$word"))
    else
        COMPREPLY=($(compgen -W "$(_lifeboat_values "${COMP_WORDS[1]}" "${COMP_WORDS[COMP_CWORD - 1]}")" -- "$word"))
        [[ ${COMPREPLY[*]} ]] || COMPREPLY=($(compgen -f -- "$word"))
    fi
}
_lifeboat_values() {
    case $1$2 in
%s
        *) ;;
    esac
}
complete -o filenames -F _lifeboat lifeboat tools/lifeboat
"""


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    actions = cli.parser()._actions  # argparse has no other way to ask
    found = next(action for action in actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


def shown(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """What its --help shows."""
    return (action for action in parser._actions if action.help != argparse.SUPPRESS)


def _roff(text: str) -> str:
    """A text that roff shows as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", r"\\&", escaped, flags=re.MULTILINE)


def _option(action: argparse.Action) -> list[str]:
    """One paragraph."""
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    named = "" if action.nargs == 0 or not action.option_strings else f" {value}"
    term = ", ".join(action.option_strings) + named if action.option_strings else str(value)
    return [".TP", f"\\fB{_roff(term)}\\fP", _roff(re.sub(r"%\((\w+)\)s", "", action.help or "as it says"))]


def _command(name: str, parser: argparse.ArgumentParser) -> list[str]:
    """What lifeboat(1) says of a command."""
    module = cli.COMMANDS[name]
    page = [f".SS {_roff(name)}", _roff((module.__doc__ or "").strip())]
    for action in shown(parser):
        page += [] if action.dest == "help" else _option(action)
    if cli.epilog(module):
        page += [".PP", ".EX", *map(_roff, cli.epilog(module).splitlines()), ".EE"]
    return page


def lifeboat_1() -> str:
    """The page lifeboat(1)."""
    page = [
        f'.TH LIFEBOAT 1 "" "lifeboat {VERSION}" "User Commands"',
        ".SH NAME", "lifeboat \\- build, boot and test an S\\-mode boot stage that captures crashes",
        ".SH SYNOPSIS", ".B lifeboat", "\\fICOMMAND\\fP [\\fIOPTIONS\\fP]",
        ".SH DESCRIPTION", _roff(cli.DESCRIPTION), "Each command tells its options by \\fB\\-\\-help\\fP.",
        ".SH COMMANDS",
    ]  # fmt: skip
    for name, parser in parsers().items():
        page += _command(name, parser)
    page += [".SH EXIT STATUS", "0: done. 1: not done, and one line on standard error says why. 130: stopped."]
    page += [".SH ENVIRONMENT", ".TP", ".B LIFEBOAT_CACHE", "Where downloads are kept, in place of ~/.cache/lifeboat."]
    return "\n".join([*page, ".SH SEE ALSO", *(f".BR {each} ," for each in SEE_ALSO[:-1]), f".BR {SEE_ALSO[-1]}", ""])


def _choices(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """What may follow an option, where that is a list."""
    for action in shown(parser):
        for option in action.option_strings if action.choices else ():
            yield f'        {name}{option}) echo "{" ".join(map(str, action.choices or ()))}" ;;'


def lifeboat_completion() -> str:
    """For bash."""
    commands = parsers()
    rows = [
        f'        {name}) options="{" ".join(option for action in shown(parser) for option in action.option_strings)}" ;;'
        for name, parser in commands.items()
    ]
    values = [row for name, parser in commands.items() for row in _choices(name, parser)]
    return COMPLETION % ("\n".join(rows), " ".join([*commands, "--help", "--version"]), "\n".join(values))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the manual command."""
    parser.add_argument("-o", "--output", type=Path, default=REPO / "build/share", metavar="DIR", help="default: build/share")


def write(directory: Path) -> list[Path]:
    """All of them, where Debian's share/ has them."""
    made = {"man/man1/lifeboat.1": lifeboat_1(), "bash-completion/completions/lifeboat": lifeboat_completion()}
    for page in sorted(PAGES.iterdir()):
        made[f"man/man{page.suffix[1:]}/{page.name}"] = page.read_text(encoding="utf-8").replace("@VERSION@", VERSION)
    made["bash-completion/completions/lifeboat-ctl"] = CTL_COMPLETION.read_text(encoding="utf-8")
    for name, content in made.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(content, encoding="utf-8")
    return [directory / name for name in made]


def main(args: argparse.Namespace) -> int:
    """Makes them."""
    for path in write(args.output):
        say(f"manual: {friendly(path)}")
    return 0
