"""Several files as one: every file in the pack is in its manifest with its hash, and the same files are the same bytes."""

import hashlib
import json
from io import BytesIO
from zipfile import ZipFile

from pyhanko.pdf_utils.reader import PdfFileReader

from documents.packing import Enclosed, pack
from documents.render import FACTS_FILE, render
from documents.verifying import read_enclosed
from tests.documents.conftest import AT, read, sample

FILES = [Enclosed("nib.pdf", "NIB", b"%PDF-1.4 a"), Enclosed("photo.jpg", "Photo", b"\xff\xd8 b")]


def test_a_pack_lists_the_hash_of_every_file_in_it() -> None:
    """The index, the files in their order, the facts; the manifest is the only one that is not in itself."""
    packed = pack(b"%PDF index", {"b": 1, "a": "ä"}, FILES, AT)
    assert packed == pack(b"%PDF index", {"a": "ä", "b": 1}, FILES, AT)
    with ZipFile(BytesIO(packed)) as archive:
        listed = json.loads(archive.read("manifest.json"))["files"]
        assert [file["name"] for file in listed] == ["index.pdf", "nib.pdf", "photo.jpg", "facts.json"]
        assert archive.namelist() == [*(file["name"] for file in listed), "manifest.json"]
        for file in listed:
            content = archive.read(file["name"])
            assert (file["size"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_files_are_embedded_beside_the_facts() -> None:
    """The facts are found as before, and each file under its name; the same files are the same bytes."""

    def made() -> bytes:
        template = "nib_legalization/documents/receipt"
        return render(template, sample("receipt"), language="id", at=AT, check_url=None, title=None, files=FILES)

    pdf = made()
    assert pdf == made()
    assert sorted(read(pdf).attachments) == sorted([FACTS_FILE, "nib.pdf", "photo.jpg"])
    assert read_enclosed(PdfFileReader(BytesIO(pdf))) is not None
