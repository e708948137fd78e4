# SPDX-License-Identifier: BSD-2-Clause
"""With a required key nothing that outlived a reset is executed or believed: a machine that was taken over before.

RAM is a file. Whoever owned the running system has left a record that is armed, and a crash kernel of his own beside it. Then
the same RAM comes up under a stage that wants signatures.
"""

import random
import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keyed
import pytest
from harness import find

from lifeboatlib import bundle, keys
from lifeboatlib.qemu import Machine, Session

pytestmark = pytest.mark.slow

MEMORY = "256M"
REGION = 104 << 20
EVIL = r"^named: evil$"
NORMAL = r"^named: primary$"
VERIFIED = r"^named: verified$"
NOT_BELIEVED = r"^lifeboat: warning: crash: the record at 0x8fdfe000 is not believed: a key is required, "


@dataclass(frozen=True)
class Lab:
    """Machines on the same RAM, without a key and with one."""

    directory: Path
    stage: Path
    keydir: Path
    build: Callable[..., object]

    def image(self, name: str, **how: int) -> bundle.Image:
        """A payload that says its name."""
        made = self.build("named", NAME=f'"{name}"', **how)
        return bundle.linux(made.bin)  # type: ignore[attr-defined]

    def primary(self) -> bundle.Bundle:
        """A bundle without a crash configuration; its primary stays."""
        return bundle.simple(self.image("primary", STAY=1))

    def with_crash(self, name: str, region: int = REGION) -> bundle.Bundle:
        """The same with a crash kernel that says its name, and switches off."""
        crash = bundle.Crash(region, 1, "capture")
        return bundle.with_crash(self.primary(), payload=self.image(name), crash=crash)

    def signed(self, made: bundle.Bundle, name: str = "signed") -> Path:
        """Every configuration of it."""
        signing = bundle.Signing(keyed.private(self.keydir, "rsa2048"))
        return replace(made, signing=signing).write(self.directory / f"{name}.itb")

    def machine(self, made: Path, wants_signatures: bool = True) -> Machine:
        """On the RAM that is there."""
        policy = keys.Policy(required="conf")
        fdt = keyed.virt_fdt(self.directory, MEMORY, self.keydir, ["rsa2048"], policy)
        backend = f"memory-backend-file,id=ram,size={MEMORY},mem-path={self.directory / 'ram'},share=on"
        return Machine(
            kernel=self.stage, initrd=made, memory=MEMORY, dtb=fdt if wants_signatures else None,
            qmp=self.directory / "qmp", machine="virt,memory-backend=ram", extra=("-object", backend),
        )  # fmt: skip

    def take_over(self) -> None:
        """Leave what an owner of the machine would: an armed record, and his own crash kernel."""
        made = self.with_crash("evil").write(self.directory / "evil.itb")
        with Session(self.machine(made, wants_signatures=False)) as session:
            session.expect("^lifeboat: crash: armed")
            session.expect(NORMAL)

    def boot(self, made: Path, end: str) -> str:
        """The console of a stage that wants signatures, until this line, or until something evil runs."""
        with Session(self.machine(made)) as session:
            match = session.expect(f"{end}|{EVIL}")
            assert "evil" not in match[0], f"an unsigned crash kernel was started:\n{session.text}"
            return session.text


@pytest.fixture(scope="module")
def taken_over(
    tmp_path_factory: pytest.TempPathFactory, stage: Path, keydir: Path, build_payload: Callable[..., object]
) -> Path:
    """RAM that somebody else has had before."""
    lab = Lab(tmp_path_factory.mktemp("taken-over"), stage, keydir, build_payload)
    lab.take_over()
    return lab.directory / "ram"


@pytest.fixture
def lab(
    tmp_path: Path, stage: Path, keydir: Path, build_payload: Callable[..., object], taken_over: Path
) -> Lab:
    """The lab, with that RAM."""
    subprocess.run(["cp", "--sparse=always", taken_over, tmp_path / "ram"], check=True)
    return Lab(tmp_path, stage, keydir, build_payload)


def test_an_unsigned_crash_kernel_in_ram_is_not_started_when_the_bundle_has_none(lab: Lab) -> None:
    console = lab.boot(lab.signed(lab.primary()), NORMAL)
    find(NOT_BELIEVED, console)
    find(r"^lifeboat: crash: no crash kernel: the bundle has no crash configuration$", console)


def test_what_is_captured_with_is_what_was_verified_in_this_life(lab: Lab) -> None:
    """The region is the one that the signed configuration asks for. Its entry is not the record's, which leads astray."""
    lead_astray(lab.directory / "ram")
    console = lab.boot(lab.signed(lab.with_crash("verified")), VERIFIED)
    find(r"^lifeboat: crash: region .*, record armed, ", console)
    find(r"^lifeboat: signature: crash is signed by rsa2048 ", console)


@pytest.mark.parametrize(
    "spoilt", ["bytes", *(pytest.param(how, marks=pytest.mark.long) for how in ("properties", "region size"))]
)
def test_without_a_good_crash_configuration_it_is_an_ordinary_boot(lab: Lab, spoilt: str) -> None:
    made = lab.with_crash("verified", REGION - (2 << 20) if spoilt == "region size" else REGION)
    path = lab.signed(made)
    content = path.read_bytes()
    change = {"properties": (b"capture\0", b"captura\0"), "bytes": (b"verified\0", b"verifies\0")}
    if spoilt in change:
        path.write_bytes(content.replace(*change[spoilt]))
    console = lab.boot(path, NORMAL)
    find({"bytes": "the crash kernel can't be started; booting normally"}.get(spoilt, NOT_BELIEVED), console)
    assert bool(find("lifeboat: handoff", console)) and ("armed: a reset" in console) == (spoilt == "region size")


def test_an_unsigned_crash_configuration_does_not_mask_the_signed_one(lab: Lab) -> None:
    """It comes first, and nothing else is wrong with it."""
    path = lab.signed(replace(lab.with_crash("verified"), embedded=True))
    node = "/configurations/a-mask"
    subprocess.run(["fdtput", "-c", path, node], check=True)
    for name, value in {"lifeboat,role": "crash", "kernel": "kernel"}.items():
        subprocess.run(["fdtput", "-t", "s", path, node, name, value], check=True)
    console = lab.boot(path, VERIFIED)
    find(r"^lifeboat: warning: crash: 'a-mask' is bad: signature: 'a-mask' is unsigned", console)


def test_a_call_goes_through_the_reset_where_a_key_is_required(
    lab: Lab, build_payload: Callable[..., object]
) -> None:
    """Though the caller does not ask for it: what is prepared is verified again."""
    caller = bundle.linux(build_payload("crash_caller").bin)  # type: ignore[attr-defined]
    crash = bundle.Crash(REGION, 1, "boot")
    made = bundle.with_crash(bundle.simple(caller), payload=lab.image("verified"), crash=crash)
    (lab.directory / "ram").unlink()
    console = lab.boot(lab.signed(made), VERIFIED)
    find(r"^lifeboat: crash: so does a call, .*, through a reset, since a key is required$", console)
    find(r"^lifeboat: call: a key is required: resetting into the reset way$", console)
    find(r"^lifeboat: crash: the last system called for the crash kernel$", console)


# A forged record. (docs/abi.md has the offsets in a slot.)

PAGE = 4096
RAM_BASE, RAM_END = 0x80000000, 0x90000000
REGION_END = 0x8FE00000
CRC, SIZE, ENTRY = 0x08, 0x0C, 0x48
USABLE = (REGION_END - REGION, REGION_END - (4 << 20))
WILD = (0, 1, 0x1000, RAM_BASE, RAM_END - PAGE, 1 << 38, 1 << 47, 1 << 56, (1 << 64) - PAGE)


def somewhere(chance: random.Random, start: int = RAM_BASE, end: int = RAM_END) -> tuple[int, int]:
    """Base and size of pages in a range of memory."""
    base = chance.randrange(start, end, PAGE)
    return base, chance.randrange(PAGE, end - base + 1, PAGE)


def forge(chance: random.Random, slot: bytearray) -> None:
    """Other sound contents, under a right checksum: fields that its reader can't know to be wrong."""

    def put(at: int, form: str, *values: int) -> None:
        struct.pack_into(f"<{form}", slot, at, *values)

    put(0x18, "II", chance.choice([1, 1, 1, 3, 3, 0, 2, 4]), chance.choice([0, 0, 0, 1, 0xFFFFFFFF]))
    put(0x38, "QQ", *chance.choice([somewhere(chance), (chance.choice(WILD), chance.choice(WILD))]))
    put(0x50, "Q", chance.choice([0, 0, 0, 1, 2, 3, (1 << 64) - 1]))
    put(0x58, "I", chance.randrange(17))
    for at in range(0x60, 0x160, 16):
        put(at, "QQ", *somewhere(chance, RAM_BASE, chance.choice([RAM_END, USABLE[0]])))
    if chance.randrange(2):  # or else what is named there is there, and sound
        put(0x48, "Q", chance.randrange(*USABLE))
        put(0x5C, "I", chance.randrange(7))
        for at in range(0x160, 0x1F0, 24):
            put(at, "QQII", *somewhere(chance, *USABLE), chance.getrandbits(32), 0)
    put(0x1F0, "QQ", *chance.choice([(0, 0), somewhere(chance), (USABLE[0], USABLE[1] - USABLE[0])]))
    put(0x200, "QII", chance.getrandbits(64), chance.randrange(32), chance.getrandbits(32))
    put(0x210, "IIII", *(chance.choice([0, 1, chance.getrandbits(32)]) for _ in range(4)))
    slot[0x220:0x240] = chance.randbytes(31) + b"\0"


def forge_record(ram: Path, change: Callable[[bytearray], None]) -> None:
    """Both slots, under right checksums: the newest counts."""
    with ram.open("r+b") as file:
        file.seek(REGION_END - 2 * PAGE - RAM_BASE)
        slots = [bytearray(file.read(PAGE)) for _ in range(2)]
        for slot in slots:
            assert slot.startswith(b"LBrecord")
            change(slot)
            (size,) = struct.unpack_from("<I", slot, SIZE)
            struct.pack_into("<I", slot, CRC, zlib.crc32(slot[SIZE:size]))
        file.seek(REGION_END - 2 * PAGE - RAM_BASE)
        file.write(b"".join(slots))


def lead_astray(ram: Path) -> None:
    """The record's entry is a second copy of the evil crash kernel, where nobody will put anything."""
    astray = (USABLE[0] + USABLE[1]) // 2

    def change(slot: bytearray) -> None:
        (entry,) = struct.unpack_from("<Q", slot, ENTRY)
        if entry:
            with ram.open("r+b") as file:
                file.seek(entry - RAM_BASE)
                code = file.read(16 * PAGE)
                assert b"evil" in code
                file.seek(astray - RAM_BASE)
                file.write(code)
        struct.pack_into("<Q", slot, ENTRY, astray)

    forge_record(ram, change)


def seeds(often: int, count: int = 24) -> list[object]:
    """One that tells a stage that believes what is named in the record; the others are long."""
    rest = (pytest.param(seed, marks=pytest.mark.long) for seed in range(count) if seed != often)
    return [often, *rest]


@pytest.mark.parametrize("seed", seeds(4))
def test_a_forged_record_ends_in_an_ordinary_boot_or_in_a_verified_capture(lab: Lab, seed: int) -> None:
    chance = random.Random(seed)
    forge_record(lab.directory / "ram", lambda slot: forge(chance, slot))
    console = lab.boot(lab.signed(lab.with_crash("verified")), f"{NORMAL}|{VERIFIED}")
    find(r"^lifeboat: crash: region .*, record (armed|capturing|empty|disarmed|done), ", console)
    assert "lifeboat: ERROR: " not in console, console


# What it costs: Debian's kernel is the crash kernel, and the primary just stays.

COST = (
    r"^lifeboat: cost: (\d+) instructions of our own, (\d+) for \d+ KiB copied, (\d+) for the console\n"
    r"lifeboat: cost: (\d+) instructions for \d+ KiB checked.*\n"
    r"(?:lifeboat: cost: (\d+) instructions for signatures\n)?"
)
# Of all: of the boot that arms, and of the capture; without a key and with one. Some percent above what was measured.
COST_BUDGET = {False: (58_000_000, 21_000_000), True: (830_000_000, 830_000_000)}


@pytest.mark.long
@pytest.mark.parametrize("has_key", COST_BUDGET)
def test_a_key_costs_a_hash_of_the_crash_kernel_in_each_life(
    has_key: bool, lab: Lab, kernel: Path, demo_initramfs: Path
) -> None:
    """By sha512, on a hart with Zbb. Without one: by CRC-32, and in the capture only what was prepared is compared."""
    crash = bundle.Crash(160 << 20, 1, "capture")
    made = bundle.with_crash(lab.primary(), demo_initramfs, payload=bundle.linux(kernel), crash=crash)
    path = lab.signed(made) if has_key else made.write(lab.directory / "plain.itb")
    fdt = keyed.virt_fdt(lab.directory, "1G", lab.keydir, ["rsa2048"], keys.Policy(required="conf"))
    machine = Machine(
        kernel=lab.stage, initrd=path, memory="1G", dtb=fdt if has_key else None, icount=True,
        qmp=lab.directory / "qmp",
    )  # fmt: skip
    told = []
    with Session(machine) as session:
        for _ in COST_BUDGET[has_key]:
            found = session.expect(COST + r"lifeboat: handoff: .*\n")
            told.append([int(count or 0) for count in found.groups()])
            if len(told) == 1:
                session.expect(NORMAL)
                session.qmp("system_reset")
    for name, counts in zip(("the boot that arms", "the capture"), told, strict=True):
        print(f"\ncost: {'with a key' if has_key else 'without'}: {name}: {sum(counts):,} {counts}")
    for counts, most in zip(told, COST_BUDGET[has_key], strict=True):
        assert 0 < sum(counts) <= most
