# SPDX-License-Identifier: BSD-2-Clause
"""A dump leaves the machine by the network: a real Debian dies, and the dump is on this host, which is its server.

QEMU's user network hands each connection of the guest to a server of this host's that is made for the test.
"""

import getpass
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lifeboatlib import aboard, command, distro
from lifeboatlib.aboard import Act, Story, die, install, is_armed_again, run
from lifeboatlib.qemu import Session
from lifeboatlib.ui import Missing

pytestmark = [pytest.mark.slow, pytest.mark.long]

SERVER = "10.0.2.100"
PROGRAMS = {"ganesha.nfsd": "nfs-ganesha-vfs", "rpcbind": "rpcbind", "socat": "socat"}
SBIN = "/usr/sbin:/sbin:/usr/bin:/bin"


def tool(name: str, package: str) -> str:
    """A server's program, where its package is installed; the tests install no servers."""
    found = shutil.which(name, path=SBIN)
    if not found:
        pytest.skip(f"{name} is not on this machine: install {package} to run this")
    return found


def netdev(*forwarded: str) -> tuple[str, ...]:
    """QEMU's arguments for a network that has nothing but what is forwarded."""
    ways = "".join(f",guestfwd=tcp:{SERVER}:{way.replace(',', ',,')}" for way in forwarded)
    return ("-netdev", f"user,id=net,restrict=on{ways}", "-device", "virtio-net-pci,netdev=net,romfile=")


@dataclass(frozen=True)
class Ssh:
    """An sshd that takes one key, and runs for one connection at a time."""

    folder: Path

    @property
    def target(self) -> Path:
        """Where the dumps come."""
        return self.folder / "dumps"

    def command(self, sshd: str) -> str:
        """What is run for a connection, which is its standard input and output."""
        for name in ("host", "client"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        config = self.folder / "sshd_config"
        config.write_text(
            f"HostKey {self.folder}/host\nAuthorizedKeysFile {self.folder}/client.pub\nStrictModes no\n"
            "PasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        )
        return f"{sshd} -i -f {config}"

    def for_the_guest(self, tar: Path) -> None:
        """Its key and its server's, in an archive."""
        public = (self.folder / "host.pub").read_text(encoding="utf-8")
        (self.folder / "ssh_known_hosts").write_text(f"{SERVER} {public}", encoding="utf-8")
        shutil.copy(self.folder / "client", self.folder / "ssh_key")
        command.logged(["tar", "-cf", tar, "-C", self.folder, "ssh_key", "ssh_known_hosts"], "deb", "see the log")


GANESHA = """
NFS_CORE_PARAM {{
	Protocols = 3; Enable_NLM = false; Enable_RQUOTA = false; NFS_Port = 2049; MNT_Port = 20048;
}}
EXPORT {{
	Export_Id = 1; Path = {path}; Pseudo = /dumps; Access_Type = RW; Squash = No_root_squash;
	SecType = sys; Transports = TCP; FSAL {{ Name = VFS; }}
}}
"""
# In a network of its own, since a portmapper has a port that others may have; and with a /run of its own.
SERVE_NFS = """
mount -t tmpfs none /run
mkdir /run/ganesha
ip link set lo up
rpcbind -f -w &
until rpcinfo -p > /dev/null 2>&1; do sleep 1; done
exec ganesha.nfsd -F -f "$1" -L "$2" -p /run/ganesha.pid
"""


@dataclass(frozen=True)
class Nfs:
    """An NFS server in user space, in namespaces of its own."""

    folder: Path

    @property
    def target(self) -> Path:
        """Where the dumps come: what is exported."""
        return self.folder / "dumps"

    @contextmanager
    def serving(self) -> Iterator[tuple[str, ...]]:
        """Gives what is to be forwarded to the server, as long as it runs."""
        self.target.mkdir()
        config, log = self.folder / "ganesha.conf", self.folder / "ganesha.log"
        config.write_text(GANESHA.format(path=self.target), encoding="utf-8")
        apart = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", SERVE_NFS, "sh"]
        with subprocess.Popen([*apart, config, log], env={"PATH": SBIN}) as server:
            inside = f"nsenter --net=/proc/{server.pid}/ns/net socat - TCP:127.0.0.1"
            try:
                yield tuple(f"{port}-cmd:{inside}:{port}" for port in (111, 2049, 20048))
            finally:
                server.kill()  # unshare blocks what is gentler; its child goes with it


def target(where: str) -> Act:
    """Has dumps go there."""

    def act(_: Story, session: Session) -> None:
        run(session, f"echo LIFEBOAT_TARGET={where} >> /etc/default/lifeboat && lifeboat-kdump reload")
        assert "would be captured" in run(session, "lifeboat-ctl status")

    return act


def take_keys(_: Story, session: Session) -> None:
    """Where /etc/default/lifeboat has them."""
    run(session, "mkdir -p /etc/lifeboat && tar -xf /dev/vdc -C /etc/lifeboat && chmod 600 /etc/lifeboat/ssh_key")


def play(story: Story, *acts: Act) -> None:
    """From the packages to the machine's end."""
    try:
        aboard.prepare(story)
    except Missing as missing:
        pytest.skip(str(missing))
    aboard.reserve(story)
    aboard.play(story, acts)


def saved(folder: Path) -> dict[str, Path]:
    """The files of the one dump that came, by name."""
    (death,) = folder.iterdir()
    return {path.name: path for path in death.iterdir()}


def check(files: dict[str, Path], token: str, dump: tuple[str, bytes]) -> None:
    """The log and the dump came, whole, and nobody but their owner can read them."""
    name, magic = dump
    assert set(files) == {"dmesg.txt", name, "result"}
    assert token in files["dmesg.txt"].read_text(encoding="utf-8")
    with files[name].open("rb") as file:
        assert file.read(len(magic)) == magic
    assert files["result"].read_text(encoding="utf-8").startswith("dump ")
    assert not any(path.stat().st_mode & 0o077 for path in files.values())


def test_a_dump_goes_to_another_machine_by_ssh(tmp_path: Path) -> None:
    server = Ssh(tmp_path)
    spare = tmp_path / "keys.tar"
    network = netdev(f"22-cmd:{server.command(tool('sshd', 'openssh-server'))}")
    server.for_the_guest(spare)
    story = Story(tmp_path, echo=None, by="linux", extra=(*distro.drive(spare, "keys"), *network))
    play(story, install, take_keys, target(f"ssh:{getpass.getuser()}@{SERVER}:{server.target}"), die, is_armed_again)
    check(saved(server.target), story.token, ("vmcore.flat", b"makedumpfile"))


def test_a_dump_goes_to_another_machine_by_nfs(tmp_path: Path) -> None:
    for name, package in PROGRAMS.items():
        tool(name, package)
    server = Nfs(tmp_path)
    with server.serving() as forwarded:
        story = Story(tmp_path, echo=None, by="linux", extra=netdev(*forwarded))
        play(story, install, target(f"nfs:{SERVER}:{server.target}"), die, is_armed_again)
    check(saved(server.target), story.token, ("vmcore", b"KDUMP   "))
