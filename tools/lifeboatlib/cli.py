# SPDX-License-Identifier: BSD-2-Clause
"""The command line: one subcommand a module, every expected failure one line."""

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType, ModuleType
from typing import NoReturn

from lifeboatlib import (
    build, bundle, coverage, demo, fuzzing, image, inspecting, keys, run, setup, size, soak, testing,
)  # fmt: skip
from lifeboatlib.ui import LifeboatError, fail

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
    "inspect": inspecting,
    "keys": keys,
    "size": size,
}

# These hand on what follows "--" to another program.
PASSING_ON = ("run", "test")


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise LifeboatError(f"{message}; see {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """The parser with all its subcommands."""
    top = Parser(prog="tools/lifeboat", description="Builds, boots and tests lifeboat.")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=getattr(module, "EPILOG", None),
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
