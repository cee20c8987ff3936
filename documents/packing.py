"""Several files as one ZIP, with an index, the facts, and a manifest of their hashes.

Equal facts and files at the same second give equal bytes: entries are ordered, uncompressed, and dated `at`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from zipfile import ZipFile, ZipInfo

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Enclosed:
    """A file that is embedded in another: its name with its ending, its title, its bytes."""

    name: str
    title: str
    content: bytes


def pack(index: bytes, facts: Mapping[str, Any], files: Sequence[Enclosed], at: datetime) -> bytes:
    """Pack the files into a ZIP, with an index and the facts.

    `manifest.json` lists name, title, size and SHA-256 of every other file, in the order of the ZIP.
    """
    said = json.dumps(facts, ensure_ascii=False, sort_keys=True, indent=1).encode()
    whole = [Enclosed("index.pdf", "Index", index), *files, Enclosed("facts.json", "Facts, for machines", said)]
    listed = [
        {
            "name": file.name,
            "title": file.title,
            "size": len(file.content),
            "sha256": hashlib.sha256(file.content).hexdigest(),
        }
        for file in whole
    ]
    manifest = json.dumps({"files": listed}, ensure_ascii=False, indent=1).encode()
    made = BytesIO()
    with ZipFile(made, "w") as archive:
        for file in [*whole, Enclosed(MANIFEST, "", manifest)]:
            archive.writestr(ZipInfo(file.name, at.astimezone(UTC).timetuple()[:6]), file.content)
    return made.getvalue()
