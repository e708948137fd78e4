# SPDX-License-Identifier: BSD-2-Clause
"""Signatures in the stage: what is started, what is refused, what it says, and what it costs.

The keys come from the firmware's FDT, so that one build of the stage serves most tests.
"""

import random
import re
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keyed
import pytest
from harness import find, passed, run_to_end, stage_ran

from lifeboatlib import bundle, keys
from lifeboatlib.qemu import Machine, Session

MOST_RSA_2048 = 1_500_000
MUTATIONS = 200
VERDICT = r"^lifeboat: signature: primary is (.*)$"


@dataclass(frozen=True)
class Lab:
    """Boots signed bundles on a machine whose FDT has keys."""

    directory: Path
    keydir: Path
    stage: Path
    payload: bundle.Image
    ramdisk: Path
    memory: str = "256M"

    def bundle(self, signer: str | None = "rsa2048", version: int = 3, **how: str) -> Path:
        """A bundle, signed by a key or not at all."""
        made = bundle.simple(self.payload, self.ramdisk, "contract=signed")
        signing = bundle.Signing(keyed.private(self.keydir, signer), **how) if signer else None
        return replace(made, signing=signing, version=version).write(self.directory / "signed.itb")

    def two_configurations(self) -> Path:
        """A signed bundle with a second configuration, of an image of its own."""
        first = bundle.simple(self.payload, self.ramdisk, "contract=signed")
        image = replace(self.payload, name="second-kernel")
        second = replace(first.configurations[0], name="second", kernel=image.name)
        made = replace(
            first,
            images=[*first.images, image],
            configurations=[*first.configurations, second],
            signing=bundle.Signing(keyed.private(self.keydir, "rsa2048")),
        )
        return made.write(self.directory / "two.itb")

    def fdt(self, *names: str, **policy: str | int) -> Path:
        """virt's FDT with keys."""
        return keyed.virt_fdt(self.directory, self.memory, self.keydir, names, keys.Policy(**policy))

    def machine(self, made: Path, dtb: Path | None) -> Machine:
        """The machine."""
        return Machine(kernel=self.stage, initrd=made, dtb=dtb, memory=self.memory, icount=True)

    def boot(self, made: Path, dtb: Path | None = None) -> str:
        """The console of a boot to its end."""
        return run_to_end(self.machine(made, dtb))


@pytest.fixture
def lab(
    tmp_path: Path, keydir: Path, stage: Path, contract: Callable[..., object], ramdisk: Path
) -> Lab:
    """The lab, with the contract payload."""
    payload = contract(bootargs="contract=signed", ramdisk=ramdisk)
    return Lab(tmp_path, keydir, stage, bundle.linux(payload.bin), ramdisk)  # type: ignore[attr-defined]


def accepted(console: str) -> str:
    """The verdict of a boot that has gone well."""
    passed(console)
    stage_ran(console)
    return find(VERDICT, console)[1]


def refused(console: str) -> str:
    """Why nothing was started."""
    assert "handoff:" not in console, f"a payload was started:\n{console}"
    find(r"^lifeboat: ERROR: boot: nothing was started; shutting down$", console)
    return find(r"^lifeboat: ERROR: (signature: .*)$", console)[1]


def cost(console: str) -> int:
    """Instructions for signatures."""
    return int(find(r"^lifeboat: cost: (\d+) instructions for signatures$", console)[1])


def test_without_a_key_the_log_says_unsigned(lab: Lab) -> None:
    assert accepted(lab.boot(lab.bundle(None))) == "unsigned: there is no key to check it with"
    assert accepted(lab.boot(lab.bundle())) == "unsigned: there is no key to check it with"


@pytest.mark.parametrize(
    ("key", "how", "algo"),
    [
        ("rsa2048", {}, "sha256,rsa2048"),
        ("rsa2048", {"padding": "pss"}, "sha256,rsa2048"),
        ("rsa4096", {}, "sha256,rsa4096"),
        ("rsa4096", {"hash": "sha512", "padding": "pss"}, "sha512,rsa4096"),
        ("ec", {}, "sha256,ecdsa256"),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else None,
)
def test_a_signed_bundle_starts(lab: Lab, key: str, how: dict[str, str], algo: str) -> None:
    console = lab.boot(lab.bundle(key, **how), lab.fdt(key))
    assert accepted(console) == f"signed by {key} ({algo}), version 3"
    print(f"\nsignature: {algo} {how}: {cost(console)} instructions")
    if key == "rsa2048":
        assert cost(console) < MOST_RSA_2048


REFUSED: dict[str, tuple[dict[str, object], tuple[str, ...], dict[str, object], str]] = {
    "unsigned": ({"signer": None}, ("rsa2048",), {}, "'primary' is unsigned, and the key 'rsa2048'"),
    "another key": ({"signer": "other"}, ("rsa2048",), {}, "does not hold with key 'rsa2048'"),
    "another kind": ({"signer": "ec"}, ("rsa2048",), {}, "does not hold with key 'rsa2048'"),
    "one of two": ({}, ("rsa2048", "ec"), {}, "does not hold with key 'ec'"),
    "old": ({"version": 2}, ("rsa2048",), {"min_version": 3}, "has version 2, .* none before 3"),
    "without version": ({"version": 0}, ("rsa2048",), {"min_version": 1}, "has version 0"),
    "another hash": ({}, ("rsa2048",), {"hash": "sha512"}, "the key 'rsa2048' is for 'sha512,rsa2048'"),
    "no signed image": ({}, ("rsa2048",), {"required": "image"}, "'kernel' is unsigned"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_policy_forbids_does_not_start(lab: Lab, name: str) -> None:
    made, names, policy, why = REFUSED[name]
    line = refused(lab.boot(lab.bundle(**made), lab.fdt(*names, **policy)))  # type: ignore[arg-type]
    assert re.search(why, line), line


def test_the_menu_tells_what_is_not_signed(lab: Lab) -> None:
    """Before it is chosen; and what would be started by itself is the one that is."""
    made = lab.two_configurations()
    content = made.read_bytes()  # of the first one's signed properties
    made.write_bytes(content.replace(b"contract=signed\0", b"contract=forged\0", 1))
    machine = replace(lab.machine(made, lab.fdt("rsa2048", required="conf")), append="lifeboat.menu=600")
    with Session(machine) as session:
        session.expect(r"^lifeboat: menu: press a key")
        session.send("x")
        session.expect(r"^  1  primary +BAD: signature: ")
        session.expect(r"^> 2  second +Linux Image")


def test_an_optional_key_forbids_nothing(lab: Lab) -> None:
    dtb = lab.fdt("rsa2048", required="no")
    assert accepted(lab.boot(lab.bundle(), dtb)).startswith("signed by rsa2048")
    assert accepted(lab.boot(lab.bundle(None), dtb)) == (
        "unsigned: no key's signature holds, and none is required"
    )


def test_a_bare_payload_does_not_start_where_signatures_are_required(lab: Lab) -> None:
    line = refused(lab.boot(lab.payload.path, lab.fdt("rsa2048")))
    assert "no bundle but a bare payload" in line


def test_an_initrd_beside_a_signed_bundle_is_not_used(lab: Lab, contract: Callable[..., object]) -> None:
    """Nobody has signed it. The payload insists that there is none."""
    payload = contract(bootargs="contract=signed")
    made = bundle.simple(bundle.linux(payload.bin), append="contract=signed")  # type: ignore[attr-defined]
    signing = bundle.Signing(keyed.private(lab.keydir, "rsa2048"))
    path = replace(made, signing=signing).write(lab.directory / "behind.itb")
    whole = lab.directory / "whole.bin"
    whole.write_bytes(lab.stage.read_bytes() + path.read_bytes())
    console = replace(lab, stage=whole).boot(lab.ramdisk, lab.fdt("rsa2048", required="conf"))
    find(r"^lifeboat: warning: signature: the initrd beside the bundle is not signed, so it is not used$", console)
    passed(console)


def test_a_key_that_makes_no_sense_stops_the_boot(lab: Lab) -> None:
    dtb = lab.fdt("rsa2048")
    argv = ["fdtput", "-t", "s", dtb, "/signature/key-rsa2048", "required", "config"]
    subprocess.run(argv, check=True)
    console = lab.boot(lab.bundle(), dtb)
    assert "handoff:" not in console
    find(r"^lifeboat: ERROR: keys: 'key-rsa2048' is required for 'config'", console)


def test_a_crash_configuration_that_is_refused_takes_nothing_down(lab: Lab) -> None:
    """Its bootargs are changed; the primary's signature still holds."""
    lab = replace(lab, memory="1G")
    made = bundle.simple(lab.payload, lab.ramdisk, "contract=signed")
    made = bundle.with_crash(made, lab.ramdisk, "crash=good")
    signing = bundle.Signing(keyed.private(lab.keydir, "rsa2048"))
    path = replace(made, signing=signing).write(lab.directory / "crash.itb")
    good, whole = lab.boot(path, lab.fdt("rsa2048")), path.read_bytes()
    find(r"^lifeboat: signature: crash is signed by rsa2048 ", good)
    find(r"^lifeboat: crash: armed: ", good)
    path.write_bytes(whole.replace(b"crash=good\0", b"crash=evil\0"))
    bad = lab.boot(path, lab.fdt("rsa2048"))
    find(r"^lifeboat: warning: crash: no crash kernel: signature: .* does not hold", bad)
    find(r"^lifeboat: signature: primary is signed by rsa2048 ", bad)
    find(r"^lifeboat: handoff: ", bad)


@pytest.mark.slow
def test_a_built_in_key_is_required(lab: Lab, stage_with: Callable[..., Path]) -> None:
    """The FDT's keys are demanded besides, and take nothing back."""
    public = lab.keydir / "rsa2048.pub.pem"
    lab = replace(lab, stage=stage_with(f"-Dkeys={public}", "-Dkey_min_version=3", "-Dsignatures=rsa"))
    assert accepted(lab.boot(lab.bundle())) == "signed by rsa2048 (sha256,rsa2048), version 3"
    assert "has version 2" in refused(lab.boot(lab.bundle(version=2)))
    assert "is unsigned" in refused(lab.boot(lab.bundle(None)))
    assert "does not hold" in refused(lab.boot(lab.bundle("other"), lab.fdt("other", required="no")))
    # ECDSA is not in this build, so a key for it can't be content.
    assert "can not check" in refused(lab.boot(lab.bundle("ec"), lab.fdt("ec")))


@pytest.mark.slow
def test_a_build_without_signatures_says_so(lab: Lab, stage_with: Callable[..., Path]) -> None:
    lab = replace(lab, stage=stage_with("-Dsignatures=[]"))
    verdict = accepted(lab.boot(lab.bundle(), lab.fdt("other")))
    assert verdict == "unsigned: this build checks no signatures"


def mutate(chance: random.Random, whole: bytes) -> bytes:
    """Changes a few bits, words or runs: of the tree, or of all that is there."""
    data = bytearray(whole)
    (tree,) = struct.unpack_from(">I", data, 4)
    limit = chance.choice([tree, len(data)]) - 8
    for _ in range(chance.randint(1, 3)):
        at, length = chance.randrange(limit), chance.randint(1, 8)
        source = chance.randrange(limit)
        run = chance.choice([data[source : source + length], bytes(length), chance.randbytes(length)])
        data[at : at + length] = run
        data[chance.randrange(limit)] ^= 1 << chance.randrange(8)
    return bytes(data[: chance.choice([limit, *[len(data)] * 9])])


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_every_mutation_ends_in_a_message_or_changes_nothing(lab: Lab, seed: int) -> None:
    """Two signed configurations. The payload itself says whether it, its bootargs and its ramdisk are what they were."""
    chance = random.Random(seed)
    whole = lab.two_configurations().read_bytes()
    dtb = lab.fdt("rsa2048")
    ends = {"as if nothing was": 0, "fell back": 0, "refused": 0}
    for _ in range(MUTATIONS // 4):
        mutant = lab.directory / "mutant.itb"
        mutant.write_bytes(mutate(chance, whole))
        console = lab.boot(mutant, dtb)
        if "handoff:" not in console:
            find(r"^lifeboat: ERROR: (signature|bundle|keys|plan): ", console)
            assert "lifeboat: ERROR: trap" not in console, console
            find(r"^lifeboat: ERROR: boot: nothing was started; ", console)
            ends["refused"] += 1
            continue
        passed(console)
        find(r"^lifeboat: signature: (primary|second) is signed by rsa2048 ", console)
        fell = "lifeboat: warning: choose: 'primary' is bad: " in console
        assert "lifeboat: ERROR: " not in console, console
        ends["fell back" if fell else "as if nothing was"] += 1
    print(f"\nsignature: {ends}")
    assert ends["refused"] + ends["fell back"] > MUTATIONS // 8
