# SPDX-License-Identifier: BSD-2-Clause
"""Tells what is linked into the stage, as SPDX: read off the linker's map, versions and hashes off the wraps."""

import argparse
import configparser
import json
import re
import uuid
from dataclasses import dataclass
from pathlib import Path

from lifeboatlib.arguments import existing_file
from lifeboatlib.linkmap import pieces
from lifeboatlib.paths import REPO, SUBPROJECTS
from lifeboatlib.ui import LifeboatError
from lifeboatlib.version import VERSION

HELP = "tell what is linked into the stage (SPDX)"
EXAMPLES = ("tools/lifeboat sbom -o lifeboat.spdx.json build/lifeboat.map",)

# As their authors say it, of the files that are linked in.
LICENCES = {
    "dtc": "GPL-2.0-or-later OR BSD-2-Clause",  # libfdt
    "libdeflate": "MIT",
    "lz4": "BSD-2-Clause",  # lib/
    "mbedtls": "Apache-2.0 OR GPL-2.0-or-later",
    "picolibc": "LicenseRef-picolibc",
    "zstd": "BSD-3-Clause OR GPL-2.0-only",
}
PICOLIBC = "Permissive, without copyleft; file by file, as in COPYING.picolibc of the release."


@dataclass(frozen=True)
class Library:
    """A release that a wrap pins."""

    name: str
    directory: str
    url: str
    filename: str
    sha256: str

    @property
    def version(self) -> str:
        """As its directory has it."""
        return self.directory.removeprefix(f"{self.name}-")

    def package(self) -> dict[str, object]:
        """As SPDX has it."""
        if self.name not in LICENCES:
            raise LifeboatError(f"subprojects/{self.name}.wrap has no licence: add it to {Path(__file__).name}")
        return {
            "SPDXID": f"SPDXRef-{self.name}",
            "name": self.name,
            "versionInfo": self.version,
            "downloadLocation": self.url,
            "packageFileName": self.filename,
            "checksums": [{"algorithm": "SHA256", "checksumValue": self.sha256}],
            "licenseConcluded": LICENCES[self.name],
            "licenseDeclared": LICENCES[self.name],
            "copyrightText": "NOASSERTION",
            "filesAnalyzed": False,
        }


def libraries() -> dict[str, Library]:
    """All that have a wrap, by directory."""
    found = {}
    for path in sorted(SUBPROJECTS.glob("*.wrap")):
        wrap = configparser.ConfigParser(interpolation=None)
        wrap.read(path, encoding="utf-8")
        section = wrap["wrap-file"]
        made = Library(
            path.stem, section["directory"], section["source_url"], section["source_filename"], section["source_hash"]
        )
        found[made.directory] = made
    return found


def linked(link_map: Path) -> list[Library]:
    """Those of which an object is in the stage."""
    known = libraries()
    origins = {piece.origin for piece in pieces(link_map) if piece.origin and piece.size}
    names = {match[1] for origin in origins if (match := re.search(r"\bsubprojects/([^/]+)/", origin))}
    unknown = names - set(known)
    if unknown:
        raise LifeboatError(f"{link_map}: {', '.join(sorted(unknown))} has no wrap; is the map of this tree?")
    return [known[name] for name in sorted(names)]


def released() -> str:
    """The day of this version, by the changelog: no build's own time."""
    text = (REPO / "CHANGELOG.md").read_text(encoding="utf-8")
    match = re.search(rf"^## \[{re.escape(VERSION)}\] - (\d{{4}}-\d\d-\d\d)$", text, re.MULTILINE)
    if not match:
        raise LifeboatError(f"CHANGELOG.md says nothing of {VERSION}: add its day")
    return match[1]


def document(found: list[Library]) -> dict[str, object]:
    """SPDX 2.3."""
    own = {
        "SPDXID": "SPDXRef-lifeboat",
        "name": "lifeboat",
        "versionInfo": VERSION,
        "downloadLocation": "NOASSERTION",
        "licenseConcluded": "BSD-2-Clause",
        "licenseDeclared": "BSD-2-Clause",
        "copyrightText": "Copyright (c) 2026, the lifeboat authors",
        "filesAnalyzed": False,
    }
    packages = [own, *(each.package() for each in found)]
    content = json.dumps(packages, sort_keys=True)
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"lifeboat-{VERSION}",
        "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}",
        "creationInfo": {"created": f"{released()}T00:00:00Z", "creators": [f"Tool: lifeboat-{VERSION}"]},
        "packages": packages,
        "hasExtractedLicensingInfos": [{"licenseId": "LicenseRef-picolibc", "extractedText": PICOLIBC}],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": own["SPDXID"]},
            *(
                {
                    "spdxElementId": own["SPDXID"],
                    "relationshipType": "STATIC_LINK",
                    "relatedSpdxElement": f"SPDXRef-{each.name}",
                }
                for each in found
            ),
        ],
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the sbom command."""
    parser.add_argument("map", type=existing_file, metavar="MAP", help="the linker's map, build/lifeboat.map")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")


def main(args: argparse.Namespace) -> int:
    """Writes it."""
    text = json.dumps(document(linked(args.map)), indent=2) + "\n"
    args.output.write_text(text, encoding="utf-8")
    return 0
