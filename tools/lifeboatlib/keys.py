# SPDX-License-Identifier: BSD-2-Clause
"""Makes control FDTs: public keys, and what is demanded of signatures, as mkimage -K writes them.

The files are PEM or DER: public keys, or certificates. RSA with 2048, 3072 or 4096 bits, or ECDSA on P-256.
The key is named after its file, up to the first dot: sign with that as key-name-hint.
"""

import argparse
import base64
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lifeboatlib.arguments import existing_file
from lifeboatlib.paths import friendly
from lifeboatlib.ui import LifeboatError, say

HELP = "make a control FDT of public keys, to build in or to check bundles with"
EXAMPLES = ("tools/lifeboat keys --required conf -o keys.dtb board.pub.pem",)

OID_RSA = bytes.fromhex("2a864886f70d010101")
OID_EC = bytes.fromhex("2a8648ce3d0201")
OID_P256 = bytes.fromhex("2a8648ce3d030107")
INTEGER, BIT_STRING, OID, SEQUENCE = 0x02, 0x03, 0x06, 0x30
RSA_BITS = (2048, 3072, 4096)
FDT_MAGIC = b"\xd0\x0d\xfe\xed"
DIGITS_PER_WORD = 8
HASHES = ("sha256", "sha512")
ANY = "any"


@dataclass(frozen=True)
class Key:
    """A public key: its name, what mkimage calls its kind, and its properties in a control FDT."""

    name: str
    crypto: str
    properties: dict[str, str]


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The tags and contents of the DER elements in a row."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise IndexError
        yield tag, data[at : at + length]
        at += length


def _key_info(data: bytes) -> tuple[list[bytes], bytes] | None:
    """The first SubjectPublicKeyInfo in DER, in a certificate too: object identifiers, and the key."""
    for tag, content in _elements(data):
        if tag != SEQUENCE:
            continue
        inside = list(_elements(content))
        if [t for t, _ in inside] == [SEQUENCE, BIT_STRING]:
            identifiers = [value for t, value in _elements(inside[0][1]) if t == OID]
            if identifiers and identifiers[0] in (OID_RSA, OID_EC):
                return identifiers, inside[1][1][1:]
        found = _key_info(content)
        if found:
            return found
    return None


def _bytes(value: int, size: int) -> str:
    """A big-endian number as a property."""
    return f"[{value.to_bytes(size, 'big').hex()}]"


def _rsa(name: str, key: bytes) -> Key:
    (_, content), *_ = _elements(key)
    modulus, exponent = (int.from_bytes(value, "big") for _, value in _elements(content))
    bits = modulus.bit_length()
    if bits not in RSA_BITS or exponent >= 1 << 64:
        raise LifeboatError(f"{name}: RSA with {bits} bits; 2048, 3072 or 4096 can be checked")
    properties = {
        "rsa,num-bits": f"<{bits}>",
        "rsa,modulus": _bytes(modulus, bits // 8),
        "rsa,exponent": _bytes(exponent, 8),
        # lifeboat computes these; U-Boot wants them.
        "rsa,r-squared": _bytes((1 << 2 * bits) % modulus, bits // 8),
        "rsa,n0-inverse": f"<{-pow(modulus, -1, 1 << 32) % (1 << 32):#x}>",
    }
    return Key(name, f"rsa{bits}", properties)


def _ecdsa(name: str, identifiers: list[bytes], key: bytes) -> Key:
    if identifiers[1:] != [OID_P256] or len(key) != 65 or key[0] != 4:
        raise LifeboatError(f"{name}: no uncompressed point on P-256, the one curve that can be checked")
    properties = {
        "ecdsa,curve": '"prime256v1"',
        "ecdsa,x-point": f"[{key[1:33].hex()}]",
        "ecdsa,y-point": f"[{key[33:].hex()}]",
    }
    return Key(name, "ecdsa256", properties)


def read_key(path: Path) -> Key:
    """Reads a public key."""
    data = path.read_bytes()
    pem = re.search(rb"-----BEGIN (PUBLIC KEY|CERTIFICATE)-----(.*?)-----END", data, re.DOTALL)
    if not pem and b"PRIVATE KEY" in data:
        raise LifeboatError(f"{path} is a private key; give the public one (openssl pkey -pubout)")
    try:
        found = _key_info(base64.b64decode(pem[2]) if pem else data)
        if not found:
            raise ValueError
        name = path.name.split(".")[0]
        return _rsa(name, found[1]) if found[0][0] == OID_RSA else _ecdsa(name, *found)
    except (IndexError, ValueError) as error:
        raise LifeboatError(f"{path} is no public RSA or EC key in PEM or DER") from error


@dataclass(frozen=True)
class Policy:
    """What is demanded of signatures by a key. Without a hash any is taken: U-Boot reads no such key."""

    required: str = "conf"
    hash: str = ""
    min_version: int = 0


def source(keys: list[Key], policy: Policy) -> str:
    """The control FDT's source."""
    lines = ["/dts-v1/;", "/ {", "\tsignature {"]
    for key in keys:
        lines += [f"\t\tkey-{key.name} {{", f'\t\t\tkey-name-hint = "{key.name}";']
        if policy.hash:
            lines.append(f'\t\t\talgo = "{policy.hash},{key.crypto}";')
        if policy.required != "no":
            lines.append(f'\t\t\trequired = "{policy.required}";')
        if policy.min_version:
            lines.append(f"\t\t\tlifeboat,min-version = <{policy.min_version}>;")
        lines += [f"\t\t\t{name} = {value};" for name, value in key.properties.items()]
        lines.append("\t\t};")
    return "\n".join([*lines, "\t};", "};", ""])


def control_fdt(files: list[Path], policy: Policy) -> bytes:
    """A control FDT: the one that is given, or one made of keys; nothing for nothing."""
    if not files:
        return b""
    first = files[0].read_bytes()
    if first.startswith(FDT_MAGIC):
        if len(files) > 1 or policy != Policy():
            raise LifeboatError(f"{files[0]} is a control FDT: it goes alone, and has its own policy")
        return first
    with tempfile.TemporaryDirectory() as name:
        made = Path(name) / "control.dtb"
        (Path(name) / "control.dts").write_text(source([read_key(f) for f in files], policy))
        argv = ["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", str(made), f"{name}/control.dts"]
        if subprocess.run(argv, check=False).returncode != 0:
            raise LifeboatError("dtc failed; do two keys have the same name?")
        return made.read_bytes()


def as_c(blob: bytes) -> str:
    """A C file that holds the control FDT; boot/load/trust.c declares what is in it."""
    rows = [blob[i : i + 16] for i in range(0, len(blob), 16)] or [b"\0"]
    body = "\n".join("\t" + " ".join(f"0x{byte:02x}," for byte in row) for row in rows)
    return (
        "#include <stddef.h>\n"
        "extern const unsigned char builtin_keys[];\n"
        "extern const size_t builtin_keys_size;\n"
        f"_Alignas(8) const unsigned char builtin_keys[] = {{\n{body}\n}};\n"
        f"const size_t builtin_keys_size = {len(blob)};\n"
    )


def _version(value: str) -> int:
    """A number of 32 bits."""
    if not value.isdecimal() or int(value) >= 1 << 32:
        raise argparse.ArgumentTypeError(f"not a version: {value}")
    return int(value)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the keys command."""
    parser.add_argument("files", nargs="*", type=existing_file, metavar="FILE")
    parser.add_argument(
        "--required",
        choices=("conf", "image", "no"),
        default="conf",
        help="what must be signed: every configuration (default), every image by itself, or nothing",
    )
    parser.add_argument(
        "--hash",
        choices=(*HASHES, ANY),
        help="of the signatures that are taken: default sha256, as U-Boot wants one; built in: any",
    )
    parser.add_argument(
        "--min-version",
        type=_version,
        default=0,
        metavar="N",
        help="refuse configurations with a lifeboat,version below N",
    )
    parser.add_argument("--as-c", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DTB")


def main(args: argparse.Namespace) -> int:
    """Makes the control FDT."""
    hash_name = args.hash or (ANY if args.as_c else HASHES[0])
    policy = Policy(args.required, "" if hash_name == ANY else hash_name, args.min_version)
    if not args.hash and args.files and args.files[0].read_bytes().startswith(FDT_MAGIC):
        policy = replace(policy, hash="")
    blob = control_fdt(args.files, policy)
    if args.as_c:
        args.output.write_text(as_c(blob), encoding="utf-8")
        return 0
    if not blob:
        raise LifeboatError("no key; name at least one file")
    args.output.write_bytes(blob)
    say(f"keys: {friendly(args.output.resolve())}, {len(blob)} bytes")
    return 0
