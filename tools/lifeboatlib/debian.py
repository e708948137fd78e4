# SPDX-License-Identifier: BSD-2-Clause
"""Reads which Debian this machine runs, and where it gets its packages from."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib.ui import LifeboatError

ETC_APT = Path("/etc/apt")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True)
class Source:
    """One suite of one archive that the machine's apt knows."""

    uri: str
    suite: str
    components: tuple[str, ...]

    def line(self, kind: str = "deb", suite: str | None = None) -> str:
        """This source, or another suite of the same archive, as a line of a sources.list."""
        signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
        return f"{kind} {signed}{self.uri} {suite or self.suite} main\n"


def codename() -> str:
    """The release that runs here, such as bookworm."""
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        text = ""
    pairs = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if pairs.get("ID") != "debian" or "VERSION_CODENAME" not in pairs:
        raise LifeboatError("this is not Debian 12 or newer; use a Debian container")
    return pairs["VERSION_CODENAME"].strip('"')


def _one_line_sources(text: str) -> Iterator[Source]:
    """The binary sources in a file of one-line style (*.list)."""
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words or words[0] != "deb":
            continue
        if len(words) > 1 and words[1].startswith("["):
            end = next((i for i, word in enumerate(words) if word.endswith("]")), len(words))
            words = words[:1] + words[end + 1 :]
        if len(words) > 3:
            yield Source(words[1].rstrip("/"), words[2], tuple(words[3:]))


def _stanza_fields(stanza: str) -> dict[str, list[str]]:
    """The fields of one deb822 stanza, their values split at white space."""
    fields: dict[str, list[str]] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            fields.setdefault(name, []).extend(line.split())
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip().lower()
            fields[name] = value.split()
    return fields


def _deb822_sources(text: str) -> Iterator[Source]:
    """The binary sources in a file of deb822 style (*.sources)."""
    blank_as_empty = "\n".join(line.rstrip() for line in text.splitlines())
    for stanza in blank_as_empty.split("\n\n"):
        fields = _stanza_fields(stanza)
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        for uri in fields.get("uris", []):
            for suite in fields.get("suites", []):
                yield Source(uri.rstrip("/"), suite, tuple(fields.get("components", [])))


def sources(etc: Path = ETC_APT) -> list[Source]:
    """Every source of binary packages that the machine's apt reads."""
    found: list[Source] = []
    parts = sorted((etc / "sources.list.d").glob("*"))
    for path in [etc / "sources.list", *parts]:
        if not path.is_file() or path.suffix not in (".list", ".sources"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += _deb822_sources(text) if path.suffix == ".sources" else _one_line_sources(text)
    return found


def archive(known: list[Source], release: str) -> Source:
    """The Debian archive among the known sources, as opposed to third parties' ones."""
    updates = {source.uri for source in known if source.suite == f"{release}-updates"}

    def rank(source: Source) -> int:
        return 2 * (source.uri in updates) + source.uri.endswith("/debian")

    candidates = [s for s in known if s.suite == release and "main" in s.components]
    if not candidates:
        raise LifeboatError(
            f"no Debian archive with suite {release} in /etc/apt; add the usual sources"
        )
    return max(candidates, key=rank)


def archive_with_updates(known: list[Source], release: str) -> list[Source]:
    """The Debian archive with the suites of updates and security fixes that the machine uses."""
    base = archive(known, release)
    suites = (release, f"{release}-updates")
    keep = [s for s in known if s.uri == base.uri and s.suite in suites]
    return keep + [s for s in known if s.suite == f"{release}-security"]
