# SPDX-License-Identifier: BSD-2-Clause
"""Kills random machines in random ways, and checks each of the stage's decisions: tests/boot/test_soak.py.

The same seed makes the same machines, causes and moments.
"""

import argparse
import os
import random
import subprocess
import sys

from lifeboatlib import build, setup
from lifeboatlib.paths import REPO, build_dir
from lifeboatlib.ui import say

HELP = "kill random machines in random ways, and check each decision"
EXAMPLES = (
    "tools/lifeboat soak --cycles 200",
)
CYCLES = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the soak command."""
    parser.add_argument("--cycles", type=int, default=CYCLES, metavar="N", help=f"deaths; default: {CYCLES}")
    parser.add_argument("--seed", type=int, metavar="N", help="default: another one each time; it is printed")
    parser.add_argument("--linux", action="store_true", help="Debian's kernel, not small payloads; a minute a death")


def main(args: argparse.Namespace) -> int:
    """Builds the stage, and soaks it."""
    (setup.for_boot if args.linux else setup.for_build)()
    stage = build.build_stage("gcc", build_dir())
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1 << 32)
    say(f"soak: {args.cycles} cycles from seed {seed}")
    environment = {
        **os.environ,
        "LIFEBOAT_BUILDDIR": str(stage),
        "LIFEBOAT_SOAK_CYCLES": str(args.cycles),
        "LIFEBOAT_SOAK_SEED": str(seed),
        "LIFEBOAT_SOAK_LINUX": str(int(args.linux)),
    }
    argv = [sys.executable, "-m", "pytest", "-q", "-s", "-m", "", "tests/boot/test_soak.py"]
    return subprocess.run(argv, cwd=REPO, env=environment, check=False).returncode
