# SPDX-License-Identifier: BSD-2-Clause
"""A crash kernel that userspace loads: lifeboat-ctl works on the RAM of a machine, which is a file, from the host."""

import itertools
import re
import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keyed
import pytest
from checksums import checksum
from crash_bare import ARMED, GIVEN_UP, REGION, expect_filled, expect_verified

from lifeboatlib import bundle, keys
from lifeboatlib.paths import host_dir
from lifeboatlib.qemu import Machine, Session, patience

pytestmark = pytest.mark.slow

RAM_BASE, RAM_SIZE = 0x8000_0000, 256 << 20
KEPT = 2 << 20
EMPTY = r"^lifeboat: crash: armed, nothing loaded: lifeboat-ctl load has room for 2 MiB$"
USED = r"^lifeboat: crash: userspace loaded a crash kernel, \d+ KiB at (0x[0-9a-f]+)$"
UNSIGNED = r"^lifeboat: warning: crash: userspace's crash kernel is not used: signature: 'crash' is unsigned, "
OLD = r"is not used: signature: 'crash' has version 1, the key 'rsa2048' takes none before 2: "
NO_OTHER = r"^lifeboat: ERROR: crash: there is no other crash kernel: the bundle only reserves a region$"
NORMAL = r"^lifeboat: ERROR: crash: the crash kernel can't be started; booting normally$"
COMPLETE = 3  # tests/unit/torn_load.c
CRC, SIZE, KEPT_AT = 0x08, 0x0C, 0x248  # in a slot of the record (docs/abi.md)
SLOT = 4096


@dataclass
class Lab:
    """A machine, and the programs that look into it from outside."""

    directory: Path

    def machine(self, stage: Path, made: Path, dtb: Path | None = None) -> Machine:
        """A byte of its RAM lies in the file where the machine has it, as in /dev/mem."""
        memory = self.directory / "mem"
        with memory.open("wb") as file:
            file.truncate(RAM_BASE + RAM_SIZE)
        backend = f"memory-backend-file,id=ram,size={RAM_SIZE},mem-path={memory},share=on,offset={RAM_BASE}"
        return Machine(
            kernel=stage, initrd=made, memory=f"{RAM_SIZE >> 20}M", qmp=self.directory / "qmp",
            dtb=dtb, machine="virt,memory-backend=ram", extra=("-object", backend),
        )  # fmt: skip

    def find_region(self, console: str, lent: int = 0) -> None:
        """Makes a device tree as the primary's, of what the stage said."""
        found = re.search(r"crash: region \[(0x[0-9a-f]+)\.\.(0x[0-9a-f]+)\]", console)
        assert found
        base, end = int(found[1], 16), int(found[2], 16) + 1
        parent = self.directory / "device-tree" / "reserved-memory"
        nodes = {f"lifeboat-lent@{base:x}": (base, lent)} if lent else {}
        nodes[f"lifeboat-crash@{base + lent:x}"] = (base + lent, end - base - lent)
        for name, reg in nodes.items():
            (parent / name).mkdir(parents=True, exist_ok=True)
            (parent / name / "reg").write_bytes(struct.pack(">QQ", *reg))
        for name in ("#address-cells", "#size-cells"):
            (parent / name).write_bytes(struct.pack(">I", 2))

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs a program that was built for the host, on that tree and that memory."""
        argv = [host_dir() / words[0], *words[1:]]
        return subprocess.run(argv, capture_output=True, text=True, timeout=patience(), check=False)

    def ctl(self, *words: str | Path) -> str:
        """Runs lifeboat-ctl, which succeeds."""
        where = ("--devicetree", self.directory / "device-tree", "--mem", self.directory / "mem")
        done = self.run("tools/lifeboat-ctl/lifeboat-ctl", *where, *words)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def torn(self, made: Path, point: int) -> bool:
        """Loads with a reset at a point. False: it came to its end before."""
        where = (self.directory / "device-tree", self.directory / "mem")
        done = self.run("tests/unit/torn_load", *where, made, str(point))
        assert done.returncode in (0, COMPLETE), done
        return done.returncode != COMPLETE

    def flip(self, pa: int) -> None:
        """Turns a bit around."""
        with (self.directory / "mem").open("r+b") as memory:
            memory.seek(pa)
            byte = memory.read(1)[0]
            memory.seek(pa)
            memory.write(bytes([byte ^ 0x10]))

    def loaded(self) -> tuple[int, int]:
        """Where the FIT lies that was loaded: [start, end)."""
        found = re.search(r"loaded: +\[(0x[0-9a-f]+)\.\.(0x[0-9a-f]+)\]", self.ctl("status"))
        assert found
        return int(found[1], 16), int(found[2], 16) + 1

    def forge(self, console: str, old: bytes, new: bytes) -> None:
        """Changes what was loaded, and makes the record's checksums right again, as root can."""
        start, end = self.loaded()
        region = re.search(r"crash: region \[0x[0-9a-f]+\.\.(0x[0-9a-f]+)\]", console)
        assert region
        with (self.directory / "mem").open("r+b") as memory:
            memory.seek(start)
            whole = memory.read(end - start)
            forged = whole.replace(old, new)
            assert forged != whole
            memory.seek(start)
            memory.write(forged)
            for at in (int(region[1], 16) + 1 - 2 * SLOT, int(region[1], 16) + 1 - SLOT):
                memory.seek(at)
                slot = bytearray(memory.read(SLOT))
                if struct.unpack_from("<QQ", slot, KEPT_AT) != (start, end - start):
                    continue  # it is the one before
                struct.pack_into("<I", slot, KEPT_AT + 16, checksum(forged))
                (size,) = struct.unpack_from("<I", slot, SIZE)
                struct.pack_into("<I", slot, CRC, zlib.crc32(slot[SIZE:size]))
                memory.seek(at)
                memory.write(slot)


WISH = bundle.Crash(REGION + KEPT, 1, "capture", KEPT)


def plain_bundle(build_payload: Callable[..., object], **defines: int) -> bundle.Bundle:
    """One whose primary waits for the button."""
    primary = build_payload("crash_primary", WAIT=1, **defines)
    return bundle.simple(bundle.linux(primary.bin))  # type: ignore[attr-defined]


def crash_bundle(
    payload: object, path: Path, signing: bundle.Signing | None = None, version: int = 0
) -> Path:
    """A bundle to load: only its crash configuration counts."""
    made = bundle.simple(bundle.linux(payload.bin))  # type: ignore[attr-defined]
    return replace(bundle.with_crash(made), signing=signing, version=version).write(path)


def test_what_is_loaded_is_started_after_a_crash_and_what_is_not_is_not(
    build_payload: Callable[..., object], stage: Path, tmp_path: Path
) -> None:
    reserving = bundle.with_reserve(plain_bundle(build_payload), WISH).write(tmp_path / "reserve.itb")
    made = crash_bundle(build_payload("crash_checker"), tmp_path / "checker.itb")
    lab = Lab(tmp_path)
    with Session(lab.machine(stage, reserving)) as session:
        session.expect(EMPTY)
        expect_filled(session)
        lab.find_region(session.text)
        assert "crash kernel: none\n" in lab.ctl("status")
        session.qmp("system_reset")
        session.expect(r"^lifeboat: ERROR: crash: there is no crash kernel: .* userspace has loaded none$")
        session.expect(NORMAL)
        session.expect(EMPTY)

        filled = expect_filled(session)
        assert lab.ctl("load", made) == "loaded\n"
        assert "crash kernel: loaded by lifeboat-ctl\n" in lab.ctl("status")
        session.qmp("system_reset")
        session.expect(USED)
        expect_verified(session, filled)
        session.expect(GIVEN_UP)  # (a bare payload leaves no log that says it ended well)
        session.expect(EMPTY)  # it is forgotten

        expect_filled(session)
        for words in (("load", made), ("load", made), ("unload",)):
            lab.ctl(*words)
        session.qmp("system_reset")
        session.expect(NORMAL)
        session.expect(EMPTY)

        expect_filled(session)
        lab.ctl("load", made)
        found = re.search(r"loaded: +\[(0x[0-9a-f]+)\.\.", lab.ctl("status"))
        assert found
        lab.flip(int(found[1], 16) + 0x1800)
        session.qmp("system_reset")
        session.expect(r"^lifeboat: warning: crash: userspace's crash kernel is not used: it is damaged$")
        session.expect(NO_OTHER)
        session.expect(NORMAL)
        session.expect(EMPTY)


def test_a_call_goes_through_a_reset_to_what_was_loaded(
    build_payload: Callable[..., object], stage: Path, tmp_path: Path
) -> None:
    """Firmware's crash kernel, which a call enters, is not the one that counts any more."""
    caller, checker = build_payload("crash_caller", WAIT_KEY=1), build_payload("crash_checker")
    firmware = build_payload("named", NAME='"firmwares"', DIE=1)
    plain = bundle.simple(bundle.linux(caller.bin))  # type: ignore[attr-defined]
    wish = bundle.Crash(REGION + KEPT, 1, "boot", KEPT)
    payload = bundle.linux(firmware.bin)  # type: ignore[attr-defined]
    made = bundle.with_crash(plain, payload=payload, crash=wish).write(tmp_path / "call.itb")
    lab = Lab(tmp_path)
    with Session(lab.machine(stage, made)) as session:
        filled = expect_filled(session)
        session.expect("^primary: waits for a key$")
        lab.find_region(session.text)
        lab.ctl("load", crash_bundle(checker, tmp_path / "checker.itb"))
        session.send("x")
        session.expect("^lifeboat: call: userspace has loaded a crash kernel: resetting into the reset way$")
        session.expect(USED)
        session.expect(r"^lifeboat: crash: the registers of 1 of 1 harts were saved$")
        expect_verified(session, filled)


def start_again(session: Session) -> str:
    """Resets, and says which crash kernel starts: its name, or "none"."""
    session.qmp("system_reset")
    return session.expect(rf"^named: (\w+)$|{NORMAL}")[1] or "none"


@pytest.mark.long
@pytest.mark.parametrize("room", ["for both", "for one"])
def test_a_load_that_a_reset_cuts_off_leaves_the_old_one_the_new_one_or_none(
    room: str, build_payload: Callable[..., object], stage: Path, tmp_path: Path
) -> None:
    """At each of its write-backs. With room for both there is never none."""
    made = bundle.with_reserve(plain_bundle(build_payload, FILL_END=1), WISH).write(tmp_path / "reserve.itb")
    ballast = tmp_path / "ballast"
    ballast.write_bytes(bytes((5 << 18) if room == "for one" else 0x1000))

    def named(name: str) -> Path:
        payload = build_payload("named", NAME=f'"{name}"', DIE=1)
        made = bundle.simple(bundle.linux(payload.bin))  # type: ignore[attr-defined]
        return bundle.with_crash(made, initrd=ballast).write(tmp_path / f"{name}.itb")

    old, new = named("old"), named("new")
    seen = []
    lab = Lab(tmp_path)
    with Session(lab.machine(stage, made)) as session:
        session.expect(EMPTY)
        for point in itertools.count(1):
            expect_filled(session)
            lab.find_region(session.text)
            lab.ctl("load", old)
            cut = lab.torn(new, point)
            seen.append(start_again(session))
            session.expect(EMPTY)
            if not cut:
                break
    assert len(seen) == (14 if room == "for one" else 8)
    assert seen == sorted(seen, key=["old", "none", "new"].index), seen
    assert set(seen) == ({"old", "none", "new"} if room == "for one" else {"old", "new"})


def test_a_bad_one_leaves_firmwares_in_place(
    build_payload: Callable[..., object], stage: Path, tmp_path: Path
) -> None:
    """The one that was loaded comes first; firmware's is there again if that is damaged, as it was prepared."""
    names = {name: build_payload("named", NAME=f'"{name}"', DIE=1) for name in ("firmwares", "users")}
    firmware = bundle.linux(names["firmwares"].bin)  # type: ignore[attr-defined]
    made = bundle.with_crash(plain_bundle(build_payload, FILL_END=1), payload=firmware, crash=WISH)
    made.write(tmp_path / "firmware.itb")
    users = crash_bundle(names["users"], tmp_path / "users.itb")
    lab = Lab(tmp_path)
    with Session(lab.machine(stage, tmp_path / "firmware.itb")) as session:
        for harm, started in ((False, "users"), (True, "firmwares")):
            session.expect(ARMED)
            expect_filled(session)
            lab.find_region(session.text)
            assert "crash kernel: staged by lifeboat\n" in lab.ctl("status")
            lab.ctl("load", users)
            if harm:
                found = re.search(r"loaded: +\[(0x[0-9a-f]+)\.\.", lab.ctl("status"))
                assert found
                lab.flip(int(found[1], 16) + 0x1800)
            session.qmp("system_reset")
            session.expect(rf"^named: {started}$")


def test_with_a_required_key_what_is_loaded_is_signed_or_not_started(
    build_payload: Callable[..., object], stage: Path, keydir: Path, tmp_path: Path
) -> None:
    """Root of the primary may load what he likes. What is not signed, or too old, starts nothing, and a line says so."""
    signing = bundle.Signing(keyed.private(keydir, "rsa2048"))
    reserving = bundle.with_reserve(plain_bundle(build_payload), WISH)
    firmwares = replace(reserving, signing=signing, version=2).write(tmp_path / "reserve.itb")
    policy = keys.Policy(required="conf", min_version=2)
    dtb = keyed.virt_fdt(tmp_path, f"{RAM_SIZE >> 20}M", keydir, ["rsa2048"], policy)
    checker = build_payload("crash_checker")
    lab = Lab(tmp_path)
    with Session(lab.machine(stage, firmwares, dtb)) as session:
        session.expect(EMPTY)
        expect_filled(session)
        lab.find_region(session.text)
        lab.ctl("load", crash_bundle(checker, tmp_path / "unsigned.itb"))
        session.qmp("system_reset")
        session.expect(USED)
        session.expect(UNSIGNED)
        session.expect(NO_OTHER)
        session.expect(NORMAL)

        expect_filled(session)
        lab.ctl("load", crash_bundle(checker, tmp_path / "old.itb", signing, 1))
        session.qmp("system_reset")
        session.expect(OLD)
        session.expect(NORMAL)

        filled = expect_filled(session)
        assert "checker:" not in session.text, "what is not signed, or too old, was started"
        assert len(re.findall("userspace's crash kernel is not used", session.text)) == 2
        lab.ctl("load", crash_bundle(checker, tmp_path / "signed.itb", signing, 2))
        session.qmp("system_reset")
        session.expect(r"^lifeboat: signature: crash is signed by rsa2048 ")
        expect_verified(session, filled)


def test_with_a_required_key_neither_bundle_is_believed_for_the_other_s_sake(
    build_payload: Callable[..., object], stage: Path, keydir: Path, tmp_path: Path
) -> None:
    """Root has changed what firmware loads, and what he loads himself. Of that the record's checksums are right."""
    fdt = keyed.virt_fdt(tmp_path, f"{RAM_SIZE >> 20}M", keydir, ["rsa2048"], keys.Policy(required="conf"))
    verified = build_payload("named", NAME='"verified"', DIE=1)
    plain = bundle.simple(bundle.linux(build_payload("named", NAME='"primary"', STAY=1).bin))  # type: ignore[attr-defined]
    ramdisk = tmp_path / "ramdisk"
    ramdisk.write_bytes(b"a ramdisk" * 100)
    made = bundle.with_crash(plain, ramdisk, payload=bundle.linux(verified.bin), crash=WISH)  # type: ignore[attr-defined]
    good = replace(made, signing=bundle.Signing(keyed.private(keydir, "rsa2048"))).write(tmp_path / "good.itb")
    changed = tmp_path / "changed.itb"
    changed.write_bytes(good.read_bytes().replace(b"ramdiska", b"ramdisky"))
    lab = Lab(tmp_path)

    def next_life(session: Session) -> str:
        session.qmp("system_reset")
        return session.expect(r"^named: (\w+)$")[1]

    with Session(lab.machine(stage, changed, fdt)) as session:
        assert session.expect(r"^named: (\w+)$")[1] == "primary"
        lab.find_region(session.text)
        for image, old, new in (
            ("crash-ramdisk", b"ramdiska", b"ramdisky"),
            ("crash-payload", b"verified\0", b"verifies\0"),  # its ramdisk is checked before, and good
        ):
            lab.ctl("load", good)
            lab.forge(session.text, old, new)
            assert next_life(session) == "primary"
            refused = f"userspace's crash kernel is not used: bundle: the sha512 of image '{image}' does not match its bytes"
            assert session.text.count(refused) == 1, session.text
        lab.ctl("load", good)
        assert next_life(session) == "verified"
