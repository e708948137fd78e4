# SPDX-License-Identifier: BSD-2-Clause
"""Uses apt with a private configuration, so that nothing of the machine's own is edited."""

import re
import time
from collections.abc import Sequence
from pathlib import Path

from lifeboatlib import command
from lifeboatlib.paths import cache_dir
from lifeboatlib.ui import LifeboatError

RETRY = "check the network and the machine's apt sources, then run tools/lifeboat setup again"
UPDATE_PAUSES = (5, 15)
LEAST = ("-o", "APT::Install-Recommends=false")


class PrivateApt:
    """An apt with its own sources, lists and download cache in the cache directory.

    One that is `installing` knows what is installed on the machine. Any other only downloads: it
    believes that nothing is installed, and may be one for another architecture.
    """

    def __init__(
        self,
        name: str,
        sources: Sequence[str],
        installing: bool = False,
        architecture: str | None = None,
    ) -> None:
        self.root = cache_dir() / "apt" / name
        for part in ("lists/partial", "cache/archives/partial"):
            (self.root / part).mkdir(parents=True, exist_ok=True)
        (self.root / "sources.list").write_text("".join(dict.fromkeys(sources)), encoding="utf-8")
        settings = self._common_settings()
        if not installing:
            settings |= self._download_settings()
        if architecture:
            settings |= {"APT::Architecture": architecture, "APT::Architectures::": architecture}
        pairs = [("-o", f"{key}={value}") for key, value in settings.items()]
        self._options = [word for pair in pairs for word in pair]

    def _common_settings(self) -> dict[str, str]:
        """Where this apt finds and keeps its things."""
        return {
            "Dir::Etc::sourcelist": f"{self.root}/sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State::lists": f"{self.root}/lists",
            "Dir::Cache": f"{self.root}/cache",
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "DPkg::Lock::Timeout": "600",
        }

    def _download_settings(self) -> dict[str, str]:
        """What keeps this apt from seeing the machine's own packages and preferences."""
        (self.root / "status").touch()
        return {
            "Dir::State::status": f"{self.root}/status",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
        }

    def argv(self, tool: str, *arguments: str) -> list[str]:
        """The command line for apt-get or apt-cache under this configuration."""
        return [tool, *self._options, *arguments]

    def update(self) -> None:
        """Fetches the package lists; with a mirror that is being synchronised, older ones serve."""
        argv = self.argv("apt-get", "-o", "APT::Update::Error-Mode=any", "update")
        for pause in UPDATE_PAUSES:
            try:
                command.logged(argv, "setup", RETRY)
                return
            except LifeboatError:
                time.sleep(pause)
        try:
            command.logged(argv, "setup", RETRY)
        except LifeboatError:
            if not any((self.root / "lists").glob("*_Packages*")):
                raise

    def codename(self) -> str:
        """The codename of the suite whose lists were fetched last, or an empty string."""
        releases = list((self.root / "lists").glob("*Release"))
        text = releases[0].read_text(encoding="utf-8") if len(releases) == 1 else ""
        match = re.search(r"^Codename: (\S+)", text, re.MULTILINE)
        return match[1] if match else ""

    def field(self, package: str, name: str) -> str:
        """One field of the newest version of a package, or an empty string."""
        text = command.output(self.argv("apt-cache", "--no-all-versions", "show", package))
        lines = (line.split(": ", 1) for line in text.splitlines() if ": " in line)
        return next((value for key, value in lines if key == name), "")

    def package_names(self, prefix: str) -> list[str]:
        """The names of all packages that begin with a prefix."""
        return command.output(self.argv("apt-cache", "pkgnames", prefix)).split()

    def download(self, packages: Sequence[str], directory: Path) -> None:
        """Downloads binary packages into a directory; apt checks their hashes."""
        directory.mkdir(parents=True, exist_ok=True)
        command.logged(self.argv("apt-get", "download", *packages), "setup", RETRY, cwd=directory)

    def closure(self, packages: Sequence[str]) -> list[Path]:
        """Where packages, or apt's patterns of them, and all that they depend on lie once they are downloaded."""
        nowhere = self.root / "nowhere"  # apt lists what is in no cache
        (nowhere / "partial").mkdir(parents=True, exist_ok=True)
        options = ("--print-uris", "-qq", "-y", "-o", f"Dir::Cache::archives={nowhere}", *LEAST)
        listed = command.output(self.argv("apt-get", *options, "install", *packages)).splitlines()
        return [self.root / "cache/archives" / line.split()[1] for line in listed if line.startswith("'")]

    def download_closure(self, packages: Sequence[str]) -> None:
        """Downloads packages and all that they depend on into this apt's cache."""
        argv = self.argv("apt-get", "--download-only", "-y", *LEAST, "install", *packages)
        command.logged(argv, "setup", RETRY)

    def download_source(self, package: str, suite: str, directory: Path) -> None:
        """Downloads the upstream tarballs of a source package into a directory."""
        directory.mkdir(parents=True, exist_ok=True)
        options = ("--only-source", "--tar-only", "--download-only")
        argv = self.argv("apt-get", "source", *options, f"{package}/{suite}")
        command.logged(argv, "setup", RETRY, cwd=directory)
