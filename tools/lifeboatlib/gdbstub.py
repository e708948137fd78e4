# SPDX-License-Identifier: BSD-2-Clause
"""Speaks GDB's remote serial protocol with QEMU's gdbstub: just what tests and measuring need.

    with debugged(Machine(...)) as (session, gdb):
        gdb.run_to(0x80200000)
        assert gdb.register("satp") == 0

Registers, those of CSRs too, go by the names in QEMU's target description. Every wait has an end.
Breakpoints compare with the pc, so a physical alias of code has one of its own.
"""

import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from xml.etree import ElementTree

from lifeboatlib.qemu import Machine, Session, patience

CHUNK = 0x800
INTEGER = (
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "fp", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
    "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
)  # fmt: skip


class GdbError(AssertionError):
    """The stub refused, vanished, or did not answer in time."""


class Gdb:
    """A connection to a gdbstub. The machine stands still except inside cont(), step() and run_to()."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._buffer = b""
        self._numbers: dict[str, int] = {}
        self._physical = False
        self.request("qSupported:xmlRegisters=riscv;swbreak+;hwbreak+")
        self._read_description("target.xml", 0)
        self.request("Hg1", "OK")

    @classmethod
    def connect(cls, path: Path) -> "Gdb":
        """Connects to a stub's Unix socket, which may take a moment to appear."""
        deadline = time.monotonic() + patience()
        while True:
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                link.connect(str(path))
                return cls(link)
            except (FileNotFoundError, ConnectionRefusedError) as error:
                link.close()
                if time.monotonic() > deadline:
                    raise GdbError(f"no gdbstub at {path} in {patience():g} s") from error
                time.sleep(0.02)

    def __enter__(self) -> "Gdb":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._link.close()

    # Packets: $data#checksum, each answered by + when it came whole.

    def _send(self, text: str) -> None:
        data = text.encode("ascii")
        try:
            self._link.sendall(b"$%s#%02x" % (data, sum(data) & 0xFF))
        except OSError as error:
            raise GdbError(f"the gdbstub is gone ({error}); QEMU has ended") from error

    def _receive(self) -> str:
        deadline = time.monotonic() + patience()
        while True:
            start = self._buffer.find(b"$")
            end = self._buffer.find(b"#", start)
            if 0 <= start < end and len(self._buffer) >= end + 3:
                data = self._buffer[start + 1 : end]
                checksum = int(self._buffer[end + 1 : end + 3], 16)
                self._buffer = self._buffer[end + 3 :]
                if sum(data) & 0xFF != checksum:
                    raise GdbError(f"a packet with a wrong checksum: {data!r}")
                self._link.sendall(b"+")
                return _unescape(data).decode("latin-1")
            self._buffer += self._more(deadline)

    def _more(self, deadline: float) -> bytes:
        left = deadline - time.monotonic()
        self._link.settimeout(max(left, 0.001))
        try:
            piece = self._link.recv(65536)
        except TimeoutError as error:
            raise GdbError("no answer from the gdbstub in time") from error
        except OSError as error:
            raise GdbError(f"the gdbstub is gone ({error}); QEMU has ended") from error
        if not piece:
            raise GdbError("the gdbstub hung up; QEMU has ended")
        return piece

    def request(self, text: str, wanted: str | None = None) -> str:
        """Sends one packet and gives the answer, which must be `wanted` if that is said."""
        self._send(text)
        answer = self._receive()
        if wanted is not None and answer != wanted:
            raise GdbError(f"{text!r} was answered {answer!r}, not {wanted!r}")
        if answer.startswith("E") and len(answer) == 3:
            raise GdbError(f"{text!r} was refused: {answer}")
        return answer

    # The target description gives each register a number: its own, or one more than the last.

    def _read_description(self, name: str, number: int) -> int:
        text = ""
        while True:
            piece = self.request(f"qXfer:features:read:{name}:{len(text):x},{CHUNK:x}")
            text += piece[1:]
            if piece[0] == "l":
                break
        # (QEMU uses the prefix of XInclude without declaring it.)
        for element in ElementTree.fromstring(text.replace("xi:include", "include")).iter():
            if element.tag == "include":
                number = self._read_description(element.attrib["href"], number)
            elif element.tag == "reg":
                number = int(element.get("regnum", number))
                self._numbers.setdefault(element.attrib["name"], number)
                number += 1
        return number

    def register(self, name: str) -> int:
        """The value of a register or CSR."""
        if name not in self._numbers:
            raise GdbError(f"the target description has no register {name}")
        return int.from_bytes(bytes.fromhex(self.request(f"p{self._numbers[name]:x}")), "little")

    def integer_registers(self) -> dict[str, int]:
        """All of x0 to x31, by ABI name."""
        return {name: self.register(name) for name in INTEGER}

    def set_register(self, name: str, value: int) -> None:
        """Changes a 64-bit register."""
        self.request(f"P{self._numbers[name]:x}={value.to_bytes(8, 'little').hex()}", "OK")

    @property
    def pc(self) -> int:
        """Where the hart stands."""
        return self.register("pc")

    @contextmanager
    def physical(self) -> Iterator[None]:
        """Inside, memory is read and written by physical address."""
        self.request("Qqemu.PhyMemMode:1", "OK")
        try:
            yield
        finally:
            self.request("Qqemu.PhyMemMode:0", "OK")

    def read(self, address: int, size: int) -> bytes:
        """Reads memory as the hart sees it (without its permissions)."""
        data = b""
        while len(data) < size:
            count = min(CHUNK, size - len(data))
            data += bytes.fromhex(self.request(f"m{address + len(data):x},{count:x}"))
        return data

    def read_physical(self, address: int, size: int) -> bytes:
        """Reads memory by physical address."""
        with self.physical():
            return self.read(address, size)

    def write_physical(self, address: int, data: bytes) -> None:
        """Writes memory by physical address."""
        with self.physical():
            self.request(f"M{address:x},{len(data):x}:{data.hex()}", "OK")

    def set_break(self, address: int) -> None:
        """Makes the machine stop when the pc is `address`."""
        self.request(f"Z1,{address:x},2", "OK")

    def clear_break(self, address: int) -> None:
        """Undoes set_break()."""
        self.request(f"z1,{address:x},2", "OK")

    def _resume(self, how: str) -> None:
        self._send(how)
        answer = self._receive()
        if answer[0] not in "TS":
            raise GdbError(f"the machine did not stop, but {answer!r}: it has ended")

    def cont(self) -> int:
        """Runs until a breakpoint; gives the pc there."""
        self._resume("c")
        return self.pc

    def step(self) -> int:
        """Runs one instruction; gives the next pc."""
        self._resume("s")
        return self.pc

    def run_to(self, *addresses: int) -> int:
        """Runs until the pc is one of the addresses; gives which."""
        for address in addresses:
            self.set_break(address)
        try:
            stopped = self.cont()
        finally:
            for address in addresses:
                self.clear_break(address)
        if stopped not in addresses:
            raise GdbError(f"stopped at {stopped:#x}, not at {', '.join(map(hex, addresses))}")
        return stopped

    def interrupt(self) -> int:
        """Stops a machine that free_run() let go; gives the pc."""
        self._link.sendall(b"\x03")
        self._receive()
        return self.pc

    def free_run(self) -> None:
        """Lets the machine go; the next word to it must be interrupt(), or none."""
        self._send("c")


def _unescape(data: bytes) -> bytes:
    """Undoes the protocol's binary escapes and run lengths."""
    plain = bytearray()
    position = 0
    while position < len(data):
        byte = data[position]
        if byte == ord("}"):
            position += 1
            plain.append(data[position] ^ 0x20)
        elif byte == ord("*"):
            position += 1
            plain += bytes([plain[-1]]) * (data[position] - 29)
        else:
            plain.append(byte)
        position += 1
    return bytes(plain)


@contextmanager
def debugged(machine: Machine) -> Iterator[tuple[Session, Gdb]]:
    """A machine that stands still before its first instruction. It has a qmp, too."""
    with tempfile.TemporaryDirectory(prefix="lifeboat-") as scratch:  # near: a socket's path is short
        path = Path(scratch) / "gdb"
        stopped = replace(machine, qmp=Path(scratch) / "qmp", gdb=f"unix:{path},server=on,wait=off")
        with Session(stopped) as session, Gdb.connect(path) as gdb:
            yield session, gdb
