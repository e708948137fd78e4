# SPDX-License-Identifier: BSD-2-Clause
"""The command line: one subcommand a module, every expected failure one line.

A module has HELP, EXAMPLES, add_arguments() and main(); its own first words are what --help says. EPILOG is for more.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType, ModuleType
from typing import NoReturn

from lifeboatlib import (
    aboard, bench, build, bundle, coverage, deb, demo, fuzzing, image, inspecting, keys, manual, memorymap,
    pictures, profiling, run, sbom, setup, size, soak, tables, targets, testing, timeline,
)  # fmt: skip
from lifeboatlib.ui import LifeboatError, fail
from lifeboatlib.version import VERSION

DESCRIPTION = "Builds, boots and tests lifeboat."

COMMANDS: dict[str, ModuleType] = {
    "setup": setup,
    "build": build,
    "run": run,
    "demo": demo,
    "test": testing,
    "fuzz": fuzzing,
    "coverage": coverage,
    "soak": soak,
    "bundle": bundle,
    "image": image,
    "deb": deb,
    "debian": aboard,
    "inspect": inspecting,
    "keys": keys,
    "size": size,
    "profile": profiling,
    "manual": manual,
    "sbom": sbom,
    "bench": bench,
    "targets": targets,
    "map": memorymap,
    "tables": tables,
    "timeline": timeline,
    "pictures": pictures,
}

# These hand on what follows "--" to another program.
PASSING_ON = ("run", "profile", "test")


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise LifeboatError(f"{message}; see {self.prog} --help")


def epilog(module: ModuleType) -> str:
    """What a command's --help ends with: examples, and what else there is to say."""
    more = getattr(module, "EPILOG", None)
    parts = ["examples:", *(f"  {line}" for line in getattr(module, "EXAMPLES", ()))]
    return "\n".join([*parts, "", more] if more else parts)


def parser() -> argparse.ArgumentParser:
    """The parser with all its subcommands."""
    top = Parser(prog="tools/lifeboat", description=DESCRIPTION)
    top.add_argument("--version", action="version", version=f"lifeboat {VERSION}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=epilog(module),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(sub)
    return top


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parses the command line; what follows "--" is kept apart as `passed_on`."""
    words = list(argv)
    cut = words.index("--") if "--" in words else len(words)
    args = parser().parse_args(words[:cut])
    args.passed_on = words[cut + 1 :]
    if args.passed_on and args.command not in PASSING_ON:
        raise LifeboatError(f"nothing can follow -- in {args.command}")
    return args


def _end(number: int, _: FrameType | None) -> NoReturn:
    """Turns a signal into an exit that runs all clean-up."""
    sys.exit(128 + number)


def main(argv: Sequence[str]) -> int:
    """Runs the tool and gives its exit code."""
    signal.signal(signal.SIGTERM, _end)
    try:
        args = parse(argv)
        code: int = COMMANDS[args.command].main(args)
        return code
    except LifeboatError as error:
        fail(str(error).splitlines()[0])
        return 1
    except KeyboardInterrupt:
        fail("stopped")
        return 130
    except BrokenPipeError:
        # Whoever read the output has enough; keep the interpreter from complaining about it.
        sys.stderr.close()
        return 141
    except OSError as error:
        what = error.filename or "input/output"
        fail(f"{what}: {error.strerror}; is it there, and yours to use?")
        return 1
