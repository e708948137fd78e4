# SPDX-License-Identifier: BSD-2-Clause
"""Shows what is in a bundle, and checks its hashes and signatures by the stage's own code.

Ends with 0 if a stage with these keys would take every configuration, and every hash is right.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from lifeboatlib import build, keys
from lifeboatlib.arguments import existing_file
from lifeboatlib.ui import LifeboatError, say, step

HELP = "show what is in a bundle, and check its hashes and signatures"
EXAMPLES = ("tools/lifeboat inspect bundle.itb", "tools/lifeboat inspect --key board.pub.pem bundle.itb")

GOOD, BAD = 0, 1
MIB = 1 << 20

Json = dict[str, Any]


def inspect(program: Path, bundle: Path, control: bytes = b"") -> Json:
    """What lifeboat-inspect says of a bundle, with the keys of a control FDT."""
    with tempfile.NamedTemporaryFile(suffix=".dtb") as file:
        file.write(control)
        file.flush()
        argv = [program, bundle, *([file.name] if control else [])]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode not in (GOOD, BAD):
        complaint = (done.stderr.splitlines() or ["no word why"])[0]
        raise LifeboatError(f"{complaint} ({bundle}, exit code {done.returncode})")
    found: Json = json.loads(done.stdout)
    return found


def _size(count: int) -> str:
    return f"{count / MIB:.1f} MiB" if count >= MIB else f"{count} bytes"


def _hash_line(found: Json) -> str:
    verdict = "good" if found["good"] else "BAD" if found["known"] else "UNKNOWN, so it is not checked"
    return f"    {found['algo']}: {verdict}"


def _image_lines(image: Json) -> list[str]:
    kind = ", ".join(image[key] for key in ("type", "arch", "compression") if image.get(key))
    lines = [f"  {image['name']}: {kind}"]
    if "problem" in image:
        return [*lines, f"    PROBLEM: {image['problem']}"]
    where = "behind the tree" if image["external"] else "in the tree"
    lines.append(f"    {_size(image['size'])} at {image['offset']:#x}, {where}")
    lines += [f"    {key}: {image[key]:#x}" for key in ("load", "entry") if image.get(key)]
    return lines + ([_hash_line(each) for each in image["hashes"]] or ["    no hash"])


def _signature_text(config: Json) -> str:
    made = [f"{s.get('key-name-hint', '?')} ({s.get('algo', '?')})" for s in config["signatures"]]
    if config.get("signed_by"):
        return f"signed by {config['signed_by']}: holds" + (", required" if config["required"] else "")
    if not made:
        return "unsigned"
    return f"signed by {', '.join(made)}: not checked, or by no key that was given"


def _config_lines(config: Json) -> list[str]:
    role = ", the crash kernel" if config.get("lifeboat,role") == "crash" else ""
    lines = [f"  {config['name']}{' (default)' if config['default'] else ''}{role}"]
    for key in ("kernel", "ramdisk", "fdt", "loadables"):
        if config.get(key):
            lines.append(f"    {key}: {', '.join(config[key])}")
    if config.get("boards"):
        lines.append(f"    for: {', '.join(config['boards'])}")
    for key in ("bootargs", "lifeboat,version"):
        if config.get(key):
            lines.append(f"    {key}: {config[key]}")
    lines.append(f"    {_signature_text(config)}")
    if not config["accepted"]:
        return [*lines, f"    REFUSED: {config['problem']}"]
    packed = f", {config['packed']}" if config.get("packed") else ""
    return [*lines, f"    {config['format']}{packed}{', in place' if config['in_place'] else ''}"]


def report(found: Json) -> str:
    """The same for a person."""
    if "problem" in found:
        return f"REFUSED: {found['problem']}"
    lines = [f"{found.get('description', 'a bundle')}, {_size(found['size'])}", "images"]
    lines += [line for image in found["images"] for line in _image_lines(image)]
    lines.append("configurations")
    lines += [line for config in found["configurations"] for line in _config_lines(config)]
    return "\n".join([*lines, "all good" if found["good"] else "NOT all good"])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the inspect command."""
    parser.add_argument("bundle", type=existing_file, metavar="FILE")
    parser.add_argument(
        "--key",
        type=existing_file,
        action="append",
        default=[],
        metavar="FILE",
        help="a public key (PEM, DER) or a control FDT to check with; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def main(args: argparse.Namespace) -> int:
    """Inspects."""
    control = keys.control_fdt(args.key, keys.Policy())
    with redirect_stdout(sys.stderr):  # what is printed there is for people only
        program = build.build_inspect()
        with step(f"inspect: {_size(args.bundle.stat().st_size)}"):
            found = inspect(program, args.bundle, control)
    say(json.dumps(found, indent=2) if args.json else report(found))
    return GOOD if found["good"] else BAD
