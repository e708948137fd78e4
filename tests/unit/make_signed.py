#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Make keys, signatures and signed FITs for the tests, by openssl and mkimage: the tools that users have.

Usage: make_signed.py DIRECTORY. Nothing that is there already is made again, so the keys stay the same.

    NAME.key, NAME.crt  a private key, and the certificate that mkimage wants beside it; NAME.pub.pem, the public key
    FIT.itb, FIT.dtb    a signed FIT, and the control FDT that mkimage -K has made
    vectors/            bare RSA signatures: NUMBER.{modulus,exponent,digest,signature}, and a list of them
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from make_fits import PAYLOADS

SOURCE_DATE_EPOCH = "1700000000"
RSA_KEYS = {"rsa2048": (2048, 65537), "rsa3072": (3072, 65537), "rsa4096": (4096, 65537)}
EXTRA_KEYS = {"other": (2048, 65537), "small-exponent": (2048, 3)}
PREFIX = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}


def run(directory, *argv, data=None):
    """Run a program; its output in bytes. A failure ends it all."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH}
    done = subprocess.run(argv, cwd=directory, env=environment, capture_output=True, input=data, check=False)
    if done.returncode != 0:
        sys.exit(f"make_signed: {' '.join(argv)} failed:\n{done.stdout.decode()}{done.stderr.decode()}")
    return done.stdout


def make_rsa(directory, name, bits, exponent):
    if (directory / f"{name}.pub.pem").exists():
        return
    options = ["-pkeyopt", f"rsa_keygen_bits:{bits}", "-pkeyopt", f"rsa_keygen_pubexp:{exponent}"]
    run(directory, "openssl", "genpkey", "-algorithm", "RSA", *options, "-out", f"{name}.key")
    run(
        directory, "openssl", "req", "-batch", "-new", "-x509", "-days", "36500",
        "-subj", f"/CN={name}", "-key", f"{name}.key", "-out", f"{name}.crt",
    )  # fmt: skip
    run(directory, "openssl", "pkey", "-in", f"{name}.key", "-pubout", "-out", f"{name}.pub.pem")


def make_ec(directory, name):
    if (directory / f"{name}.pub.pem").exists():
        return
    curve = ["-pkeyopt", "ec_paramgen_curve:P-256"]
    run(directory, "openssl", "genpkey", "-algorithm", "EC", *curve, "-out", f"{name}.pem")
    run(directory, "openssl", "pkey", "-in", f"{name}.pem", "-pubout", "-out", f"{name}.pub.pem")


# ---- Signed FITs ----


def image(name, data, kind, algo="sha256", more=""):
    hashes = "".join(f'hash-{i} {{ algo = "{a}"; }}; ' for i, a in enumerate(algo.split(), 1))
    load = "load = <0 0>; entry = <0 0>;" if kind == "kernel" else ""
    return (
        f'{name} {{ description = "{name}"; data = /incbin/("{data}"); type = "{kind}"; arch = "riscv";'
        f' os = "linux"; compression = "none"; {load} {hashes} {more} }};'
    )


def signature(algo, key, sign='"kernel", "ramdisk"', padding=""):
    pad = f'padding = "{padding}";' if padding else ""
    images = f"sign-images = {sign};" if sign else ""
    return f'signature-1 {{ algo = "{algo}"; key-name-hint = "{key}"; {pad} {images} }};'


def config(name, inside, kernel="kernel", ramdisk="ramdisk", version=3, more=""):
    disk = f'ramdisk = "{ramdisk}";' if ramdisk else ""
    return (
        f'{name} {{ description = "{name}"; kernel = "{kernel}"; {disk} bootargs = "console=hvc0 {name}";'
        f" lifeboat,version = <{version}>; {more} {inside} }};"
    )


def tree(images, configs):
    return (
        '/dts-v1/; / { description = "signed"; #address-cells = <2>;'
        f" images {{ {' '.join(images)} }};"
        f' configurations {{ default = "conf"; {" ".join(configs)} }}; }};'
    )


KERNEL = image("kernel", "linux.bin", "kernel")
RAMDISK = image("ramdisk", "ramdisk.bin", "ramdisk")


def signed(algo, key, padding=""):
    return tree([RAMDISK, KERNEL], [config("conf", signature(algo, key, padding=padding))])


RSA = ("sha256,rsa2048", "rsa2048")
LOGO = image("logo", "board.bin", "ramdisk")


def with_logo(sign, more, logo=LOGO):
    """A configuration with a property that a loader may not know."""
    return tree([RAMDISK, KERNEL, logo], [config("conf", signature(*RSA, sign=sign), more=more)])


ALL = '"kernel", "ramdisk"'

# name: (source, further arguments of mkimage)
FITS = {
    "rsa2048": (signed(*RSA), ["-E", "-B", "0x1000"]),
    "rsa2048-embedded": (signed(*RSA), []),
    "rsa2048-tight": (signed(*RSA), ["-E"]),
    "rsa2048-pss": (signed(*RSA, padding="pss"), ["-E"]),
    "rsa2048-sha512": (signed("sha512,rsa2048", "rsa2048"), ["-E"]),
    "rsa3072": (signed("sha256,rsa3072", "rsa3072"), []),
    "rsa4096": (signed("sha256,rsa4096", "rsa4096"), ["-E"]),
    "rsa4096-pss-sha512": (signed("sha512,rsa4096", "rsa4096", padding="pss"), []),
    "ecdsa256": (signed("sha256,ecdsa256", "ec"), ["-E", "-B", "0x1000"]),
    "sha1": (signed("sha1,rsa2048", "rsa2048"), []),
    "no-ramdisk-signed": (tree([RAMDISK, KERNEL], [config("conf", signature(*RSA, sign=None))]), []),
    "weak-hash": (
        tree([image("ramdisk", "ramdisk.bin", "ramdisk", "crc32"), KERNEL], [config("conf", signature(*RSA))]),
        [],
    ),
    "sha512-hashes": (
        tree(
            [image("ramdisk", "ramdisk.bin", "ramdisk", "sha512"),
             image("kernel", "linux.bin", "kernel", "crc32 sha512")],
            [config("conf", signature(*RSA))],
        ),  # fmt: skip
        ["-E"],
    ),
    "two-configs": (
        tree(
            [
                RAMDISK,
                KERNEL,
                image("other", "linux2.bin", "kernel"),
                image("other-ramdisk", "board.bin", "ramdisk"),
            ],
            [
                config("conf", signature(*RSA)),
                config("second", signature(*RSA), "other", "other-ramdisk", version=5),
                config("unsigned", "", "other", "ramdisk"),
            ],
        ),
        ["-E"],
    ),
    # U-Boot 2026.10: any property can name images, but three; what it names must be signed.
    "odd-property": (with_logo(f'{ALL}, "vendor,logo"', 'vendor,logo = "logo";'), ["-E"]),
    "odd-property-unsigned": (with_logo(ALL, 'vendor,logo = "logo";'), ["-E"]),
    "odd-cells-unsigned": (with_logo(ALL, 'vendor,cells = <0x6c6f676f 0>;'), []),  # "logo", too
    "odd-list-unsigned": (with_logo(ALL, 'vendor,logo = "kernel", "no such image", "logo";'), []),
    "odd-text": (with_logo(ALL, 'vendor,logo = "no such image"; vendor,cells = <0x6c6f676f>;'), []),
    "odd-description": (with_logo(ALL, 'compatible = "logo", "ramdisk";').replace('description = "conf"', 'description = "logo"'), []),
    "dm-verity": (
        with_logo(
            f'{ALL}, "vendor,logo"', 'vendor,logo = "logo";',
            image("logo", "board.bin", "ramdisk", more='dm-verity { algo = "sha256"; digest = <1>; };'),
        ),
        [],
    ),
    "image-signed": (
        tree(
            [
                image("ramdisk", "ramdisk.bin", "ramdisk", more=signature(*RSA, sign=None)),
                image("kernel", "linux.bin", "kernel", more=signature(*RSA, sign=None)),
            ],
            [config("conf", "")],
        ),
        ["-E"],
    ),
}


def make_fit(directory, name, source, arguments):
    its, dtb = directory / f"{name}.its", directory / f"{name}.dtb"
    if its.exists() and its.read_text() == source and (directory / f"{name}.itb").exists():
        return
    # (Older mkimages make /signature themselves for RSA only.)
    empty = b"/dts-v1/; / { signature { }; };"
    dtb.write_bytes(run(directory, "dtc", "-q", "-I", "dts", "-O", "dtb", data=empty))
    work = directory / f"{name}.work.its"
    work.write_text(source)
    run(directory, "mkimage", *arguments, "-f", work.name, "-k", ".", "-K", dtb.name, "-r", f"{name}.itb")
    if "ecdsa256" in source:  # (mkimage of 2023.01 makes an ECDSA key, but does not say that it is required)
        run(directory, "fdtput", "-t", "s", dtb.name, "/signature/ec", "required", "conf")
    work.rename(its)


# ---- Bare RSA signatures ----


def raw_sign(directory, key, message):
    """message ^ d mod n, for messages that no honest signer makes."""
    found = numbers(directory, key)
    value = pow(int.from_bytes(message, "big"), found["privateExponent"], found["modulus"])
    return value.to_bytes(len(message), "big")


def digest_sign(directory, key, hash_name, digest, *options):
    (directory / "raw.in").write_bytes(digest)
    words = [word for option in (f"digest:{hash_name}", *options) for word in ("-pkeyopt", option)]
    return run(directory, "openssl", "pkeyutl", "-sign", "-inkey", f"{key}.key", "-in", "raw.in", *words)


def pkcs1(size, prefix, digest, begin=b"\0\1", fill=b"\xff", separator=b"\0", behind=b""):
    tail = separator + prefix + digest + behind
    return begin + fill * (size - len(begin) - len(tail)) + tail


def numbers(directory, key):
    """The numbers of a key, as openssl prints them."""
    text = run(directory, "openssl", "rsa", "-in", f"{key}.key", "-noout", "-text").decode()
    rows = re.findall(r"^(modulus|privateExponent):\n((?: +[0-9a-f:]+\n)+)", text, re.MULTILINE)
    found = {name: int(re.sub(r"[^0-9a-f]", "", value), 16) for name, value in rows}
    return {**found, "publicExponent": int(re.search(r"publicExponent: (\d+)", text)[1])}


def forged(size, hash_name, digest):
    """PKCS#1 messages that a sloppy check takes."""
    prefix = PREFIX[hash_name]
    short = bytes([prefix[0], prefix[1] - 2]) + prefix[2:3] + bytes([prefix[3] - 2]) + prefix[4:15] + prefix[17:]
    yield "garbage-behind", pkcs1(size, prefix, digest, behind=bytes(40))
    yield "short-fill", b"\0\1" + b"\xff" * 8 + b"\0" + prefix + digest + bytes(size - 11 - 19 - len(digest))
    yield "type-2", pkcs1(size, prefix, digest, begin=b"\0\2")
    yield "no-separator", pkcs1(size, prefix, digest, separator=b"\xff")
    yield "no-null", pkcs1(size, short, digest)
    yield "zero-fill", pkcs1(size, prefix, digest, fill=b"\0")
    yield "other-hash", pkcs1(size, PREFIX["sha512" if hash_name == "sha256" else "sha256"], digest)
    yield "wrong-digest", pkcs1(size, prefix, bytes(len(digest)))


def vectors_of(directory, key, size):
    """(what, padding, hash, digest, signature, whether it is good)"""
    for hash_name in PREFIX:
        digest = hashlib.new(hash_name, key.encode()).digest()
        salts = {"max": -3, "digest": -1, "0": 0, "7": 7}
        yield "honest", "pkcs", hash_name, digest, digest_sign(directory, key, hash_name, digest), True
        for what, salt in salts.items():
            options = ("rsa_padding_mode:pss", f"rsa_pss_saltlen:{salt}")
            value = digest_sign(directory, key, hash_name, digest, *options)
            yield f"salt-{what}", "pss", hash_name, digest, value, True
            yield f"salt-{what}-as-pkcs", "pkcs", hash_name, digest, value, False
        if size == 256:
            for what, message in forged(size, hash_name, digest):
                yield what, "pkcs", hash_name, digest, raw_sign(directory, key, message), False


def make_vectors(directory):
    vectors = directory / "vectors"
    if (vectors / "list").exists():
        return
    vectors.mkdir(exist_ok=True)
    rows = []
    for key, (bits, _) in {**RSA_KEYS, "small-exponent": (2048, 3)}.items():
        found = numbers(directory, key)
        for what, padding, hash_name, digest, value, good in vectors_of(directory, key, bits // 8):
            name = f"{len(rows)}"
            (vectors / f"{name}.modulus").write_bytes(found["modulus"].to_bytes(bits // 8, "big"))
            (vectors / f"{name}.exponent").write_bytes(found["publicExponent"].to_bytes(8, "big"))
            (vectors / f"{name}.digest").write_bytes(digest)
            (vectors / f"{name}.signature").write_bytes(value)
            rows.append(f"{name} {padding} {hash_name} {int(good)} {key}/{what}")
    (vectors / "list").write_text("\n".join(rows) + "\n")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for tool in ("openssl", "mkimage", "dtc"):
        if not shutil.which(tool):
            sys.exit(f"make_signed: {tool} is not installed: run tools/lifeboat setup")
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in PAYLOADS.items():
        (directory / name).write_bytes(data)
    for name, (bits, exponent) in {**RSA_KEYS, **EXTRA_KEYS}.items():
        make_rsa(directory, name, bits, exponent)
    make_ec(directory, "ec")
    make_ec(directory, "other-ec")
    for name, (source, arguments) in FITS.items():
        make_fit(directory, name, source, arguments)
    make_vectors(directory)


if __name__ == "__main__":
    main()
