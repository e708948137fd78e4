#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs commands of this tree on a bare Debian: a root made by debootstrap, a clone of HEAD in it, an empty cache.

    tests/bare.py --root DIR trixie                           # the README's two commands
    tests/bare.py --root DIR bookworm tools/lifeboat demo     # one command
    tests/bare.py --root DIR bookworm .ci/run --quick

The root has what debootstrap calls minbase and git, no more, and the kernel of the machine that this runs on. The packages come
from where this machine's apt has its own. It runs as root; DIR is made anew, or with --keep used as it is. Nothing is
left mounted: the mounts are those of a namespace that ends with the commands.
"""

import argparse
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "tools"))

from lifeboatlib import debian  # noqa: E402
from lifeboatlib.ui import LifeboatError, fail, say  # noqa: E402

README = ("tools/lifeboat demo", "tools/lifeboat test")
CLONE = "lifeboat"  # in root's home of the new root
ACCESS = re.compile(r"Acquire::(https?|Check)\b")  # of apt's settings: proxies, and what a frozen archive needs
FROM_HERE = ("resolv.conf", "hosts")
MADE_BY = ".made-by-lifeboat"

# Run in a mount and PID namespace of its own.
INSIDE = """
set -e
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/dev/shm"
exec chroot "$1" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM:-dumb}" sh -c "cd ~/lifeboat && $2"
"""


def quietly(*argv: object) -> str:
    """Runs a command, whose output is of interest only when it fails."""
    words = list(map(str, argv))
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        last = (done.stdout.strip().splitlines() or ["it says nothing"])[-1]
        raise LifeboatError(f"{shlex.join(words[:2])} failed: {last}")
    return done.stdout


def sources_list(base: debian.Source, known: list[debian.Source], suite: str) -> str:
    """The new root's sources: as this machine's, of the other release."""
    here = debian.codename()
    lines = [base.line(suite=suite)]
    for source in known:
        pocket = source.suite.removeprefix(here)
        if source.suite.startswith(here) and pocket in ("-updates", "-security"):
            lines.append(source.line(suite=suite + pocket))
    return "".join(dict.fromkeys(lines))


def make_root(root: Path, suite: str) -> None:
    """Debian's minbase in a directory that is made anew, with this machine's way to the archive."""
    if root.exists():
        if not (root / MADE_BY).exists():
            raise LifeboatError(f"{root} is there, and not made by this; name another directory")
        shutil.rmtree(root)
    known = debian.sources()
    base = debian.archive(known, debian.codename())
    quietly("debootstrap", "--variant=minbase", "--include=ca-certificates,git", suite, root, base.uri)
    (root / MADE_BY).touch()
    apt = root / "etc" / "apt"
    (apt / "sources.list").write_text(sources_list(base, known, suite), encoding="utf-8")
    settings = quietly("apt-config", "dump").splitlines(keepends=True)
    (apt / "apt.conf.d" / "10here").write_text("".join(filter(ACCESS.match, settings)), encoding="utf-8")
    for name in FROM_HERE:
        shutil.copyfile(f"/etc/{name}", root / "etc" / name)


def clone(root: Path) -> None:
    """HEAD, as a user gets it."""
    place = root / "root" / CLONE
    shutil.rmtree(place, ignore_errors=True)
    quietly("git", "clone", "--no-hardlinks", "--quiet", REPO, place)


def run(root: Path, command: str) -> int:
    """Runs a command line in the clone, in the root; what it leaves running ends with it."""
    namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    return subprocess.run([*namespaces, "sh", "-c", INSIDE, "sh", root, command], check=False).returncode


def main() -> int:
    """Makes the root, then runs the commands as long as they succeed."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="tests/bare.py", description=__doc__, formatter_class=form)
    parser.add_argument("--root", type=Path, metavar="DIR", required=True, help="where the new root is made")
    parser.add_argument("--keep", action="store_true", help="use the root that is there, its packages and cache too")
    parser.add_argument("suite", help="a release of Debian by its codename, such as trixie")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="default: the README's two commands")
    args = parser.parse_args()
    root: Path = args.root.resolve()
    try:
        if not args.keep:
            make_root(root, args.suite)
        clone(root)
    except LifeboatError as error:
        fail(str(error))
        return 1
    for command in [shlex.join(args.command)] if args.command else README:
        say(f"bare: {args.suite}$ {command}")
        code = run(root, command)
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
