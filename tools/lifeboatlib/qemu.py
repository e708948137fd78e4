# SPDX-License-Identifier: BSD-2-Clause
"""Describes a RISC-V machine, starts it under QEMU and watches its console.

with Session(Machine(kernel=stage, initrd=bundle, sv=48, smp=4)) as session:
    harts = session.expect(r"([0-9]+) harts online")[1]

Time limits are for what hangs, never for what is slow: they are generous, and patience() scales all of them.
"""

import codecs
import json
import math
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from lifeboatlib import target
from lifeboatlib.ui import LifeboatError

PROGRAM = "qemu-system-riscv64"
TAIL_LINES = 40
HANGS = 300  # seconds after which a machine that should have said or done something is taken to hang
SETTLE = 2
POLL = 0.05
SCALE = "LIFEBOAT_TIMEOUT_SCALE"
CONTINUATIONS = ("\n", " ", "0", "f", "z", "-", ".")


def patience(seconds: float = HANGS) -> float:
    """A time limit as it is on this machine: so many seconds, times LIFEBOAT_TIMEOUT_SCALE if that is set."""
    text = os.environ.get(SCALE, "1")
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not 0 < scale < math.inf:
        raise LifeboatError(f"{SCALE}={text} is no factor for time limits; take a number, such as 4")
    return seconds * scale


class ConsoleError(LifeboatError):
    """What was waited for did not come; carries the end of the console and QEMU's complaints."""

    def __init__(self, summary: str, session: "Session") -> None:
        complaints = session.complaints
        self.summary = summary + (f" ({complaints.splitlines()[0]})" if complaints else "")
        self.tail = "\n".join([*session.text.splitlines()[-TAIL_LINES:], complaints])
        super().__init__(f"{self.summary}\n--- end of the console:\n{self.tail}\n---")


@dataclass(frozen=True)
class Machine:
    """A machine and what it is started with.

    `kernel` is what the firmware starts (QEMU's -kernel), normally the stage; `initrd` what the
    FDT announces as the initrd, normally the bundle; `append` the FDT's bootargs. `bios` is
    "dynamic" or "jump" (OpenSBI's) or a path. Without `cpu` it is the board's own. `sv` caps the
    CPU's paging mode. `port` is the serial port that is the console, from 0. `gdb` is where QEMU's gdbstub listens ("tcp::1234" or
    "unix:PATH,server=on,wait=off"); the CPU then waits for it. `qmp` is a Unix socket to make, for
    Session.qmp().
    """

    kernel: Path | None = None
    initrd: Path | None = None
    append: str = ""
    bios: str | Path = "dynamic"
    machine: str = "virt"
    cpu: str = ""
    sv: int | None = None
    smp: int = 1
    memory: str = "1G"
    dtb: Path | None = None
    gdb: str | None = None
    qmp: Path | None = None
    icount: bool = False
    port: int = 0
    extra: tuple[str, ...] = ()

    def argv(self, interactive: bool = False) -> list[str]:
        """The QEMU command line, the serial port on standard input and output."""
        console = ("-nographic",) if interactive else (
            "-display", "none", *(self.port * ("-serial", "null")), "-serial", "stdio", "-monitor", "none",
        )  # fmt: skip
        words = [
            PROGRAM, "-M", self.machine, "-smp", str(self.smp), "-m", self.memory,
            *console, "-bios", str(self.firmware()),
        ]  # fmt: skip
        cpu = f"{self.cpu or 'rv64'},sv{self.sv}=on" if self.sv else self.cpu
        pairs = (
            ("-cpu", cpu),
            ("-kernel", self.kernel), ("-initrd", self.initrd), ("-append", self.append),
            ("-dtb", self.dtb), ("-gdb", self.gdb),
            ("-qmp", self.qmp and f"unix:{self.qmp},server=on,wait=off"),
        )  # fmt: skip
        for option, value in pairs:
            words += [option, str(value)] if value else []
        words += ["-S"] if self.gdb else []
        words += ["-icount", "shift=0"] if self.icount else []
        return [*words, *self.extra]

    def firmware(self) -> Path:
        """The file for -bios."""
        if self.bios in ("dynamic", "jump"):
            return target.opensbi(str(self.bios))
        return Path(self.bios)


class Qmp:
    """A connection to QEMU's machine protocol."""

    def __init__(self, path: Path) -> None:
        self._link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._link.settimeout(patience())
        self._link.connect(str(path))
        self._lines = self._link.makefile("r", encoding="utf-8")
        self._lines.readline()  # the greeting
        self.run("qmp_capabilities", {})

    def run(self, command: str, arguments: dict[str, object]) -> object:
        """Runs a command; events that come before its answer are passed over."""
        request = json.dumps({"execute": command, "arguments": arguments})
        self._link.sendall(request.encode() + b"\n")
        while line := self._lines.readline():
            answer = json.loads(line)
            if "error" in answer:
                raise LifeboatError(f"QEMU refused {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise LifeboatError(f"QEMU ended before it answered {command}")

    def close(self) -> None:
        """Lets go of the connection."""
        self._lines.close()
        self._link.close()


class Session:
    """A running QEMU; a context manager that never leaves one behind.

    `echo` is called with every piece of raw console output (from another thread). An interactive
    session hands its standard input to the guest; in any other, `send` types.
    """

    def __init__(
        self,
        machine: Machine,
        echo: Callable[[bytes], None] | None = None,
        log: Path | None = None,
        interactive: bool = False,
    ) -> None:
        self._echo = echo
        self._qmp_path = machine.qmp
        self._qmp: Qmp | None = None
        self._log = log.open("wb") if log else None
        self._pieces = ""
        self._seen = 0
        self._ended = False
        self._news = threading.Condition()
        self._complaints = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                machine.argv(interactive),
                stdin=None if interactive else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None if interactive else self._complaints,
            )
        except FileNotFoundError as error:
            raise LifeboatError(f"{PROGRAM} is not there; run tools/lifeboat setup") from error
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def text(self) -> str:
        """All that the console has shown, with plain newlines."""
        with self._news:
            return self._pieces

    @property
    def complaints(self) -> str:
        """What QEMU itself has said on its standard error (nothing if interactive)."""
        size = os.fstat(self._complaints.fileno()).st_size
        return os.pread(self._complaints.fileno(), size, 0).decode(errors="replace").strip()

    def _read(self) -> None:
        """Takes the console's output until QEMU ends (runs in a thread)."""
        assert self.process.stdout is not None
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while piece := os.read(self.process.stdout.fileno(), 65536):
            if self._log:
                self._log.write(piece)
                self._log.flush()
            if self._echo:
                self._echo(piece)
            with self._news:
                self._pieces += decoder.decode(piece).replace("\r", "")
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def expect(self, pattern: str, timeout: float = HANGS) -> re.Match[str]:
        """Waits for a pattern in what came after the last match; ^ and $ are ends of lines.

        A match at the very end of what has come may be half of one; then it waits for more.
        """
        regex = re.compile(pattern, re.MULTILINE)
        limit = patience(timeout)
        deadline = time.monotonic() + limit
        with self._news:
            while True:
                match = regex.search(self._pieces, self._seen)
                left = deadline - time.monotonic()
                if match and self._settled(match, left):
                    self._seen = match.end()
                    return match
                if match:
                    continue
                if self._ended:
                    raise ConsoleError(f"QEMU ended before {pattern!r} was seen", self)
                if left <= 0:
                    raise ConsoleError(f"{pattern!r} was not seen in {limit:g} s", self)
                self._news.wait(left)

    def _settled(self, match: re.Match[str], left: float) -> bool:
        """Whether what comes next cannot change a match (nor comes at all, as with a prompt: '> $')."""
        if match.end() < len(self._pieces) or self._ended or left <= 0 or self._is_whole(match):
            return True
        return not self._news.wait(min(patience(SETTLE), left))

    def _is_whole(self, match: re.Match[str]) -> bool:
        """Whether a match at the end stays what it is, however the console goes on: (\\d+) would not."""
        longer = (match.re.search(self._pieces + more, self._seen) for more in CONTINUATIONS)
        return all(again is not None and again.regs == match.regs for again in longer)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Waits for something that the console does not tell; `what` it is, for the person."""
        deadline = time.monotonic() + patience()
        while not condition():
            if time.monotonic() > deadline:
                raise ConsoleError(f"{what}: not in {patience():g} s", self)
            time.sleep(POLL)

    def send(self, text: str) -> None:
        """Types on the guest's console."""
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def qmp(self, command: str, **arguments: object) -> object:
        """Runs a command of QEMU's machine protocol, such as system_reset, and gives its result."""
        if not self._qmp:
            assert self._qmp_path, "the machine has no qmp"
            self._qmp = Qmp(self._qmp_path)
        return self._qmp.run(command, arguments)

    def pcs(self) -> list[int]:
        """Where each hart stands; the machine is halted for the look."""
        self.qmp("stop")
        said = self.qmp("human-monitor-command", **{"command-line": "info registers -a"})
        self.qmp("cont")
        return [int(pc, 16) for pc in re.findall(r"^ pc +([0-9a-f]+)", str(said), re.MULTILINE)]

    def wait(self, timeout: float | None = HANGS) -> int:
        """Waits until QEMU ends by itself (for ever, if None), and gives its exit code."""
        limit = None if timeout is None else patience(timeout)
        try:
            code = self.process.wait(limit)
        except subprocess.TimeoutExpired as error:
            message = f"the machine did not end in {limit:g} s"
            raise ConsoleError(message, self) from error
        self._reader.join()
        return code

    def close(self) -> None:
        """Ends QEMU, if it still runs, and lets go of everything."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join()
        if self._qmp:
            self._qmp.close()
        for file in (self.process.stdin, self.process.stdout, self._log, self._complaints):
            if file:
                file.close()
