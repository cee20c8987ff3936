"""Parts of a workbook, looked through before openpyxl reads them: rows, cells and entities."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from typing import Any
from xml.parsers import expat

from engine.people.intake.bounds import LONGEST_CELL, MOST_LINES, too_long_cell, too_many_lines
from engine.people.intake.cleaned import Unreadable
from engine.people.intake.spelling import plain, shown

BLOCK = 1 << 20
UTF_16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\0")


def look_through(archive: zipfile.ZipFile, parts: Iterable[zipfile.ZipInfo]) -> None:
    """Look through every part, whatever its name: a sheet may be called anything.

    Raises:
        Unreadable: a row number, the rows of all sheets or a cell pass a bound, or a part holds XML entities.
    """
    look = _Look()
    for part in parts:
        unpacked, tail = 0, b""
        look.begin()
        with archive.open(part) as source:
            while block := source.read(BLOCK):
                unpacked += len(block)
                is_xml = part.filename.endswith((".xml", ".rels"))
                # The sizes in the archive's directory may be false, so the unpacked bytes are counted.
                if unpacked > part.file_size:
                    raise broken()
                # No spreadsheet needs entities, and a few lines of them can fill the memory.
                if is_xml and (b"<!DOCTYPE" in tail + block or b"<!ENTITY" in tail + block):
                    raise broken()
                if is_xml and unpacked == len(block) and block.startswith(UTF_16_OR_32):
                    raise broken()
                tail = block[-16:]
                look.on(block)


class _Look:
    """Counts rows, and the characters of a cell or a shared text, while XML is parsed."""

    def __init__(self) -> None:
        self._rows = 0

    def begin(self) -> None:
        """Begin a part; it may be no XML."""
        self._cell, self._letters, self._begins = "", 0, ""
        self._has_cells = self._in_text = False
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        self._parser: expat.XMLParserType | None = parser

    def on(self, block: bytes) -> None:
        """Go on with a block, up to the end of what is XML: openpyxl reads no further either."""
        if self._parser is None:
            return
        try:
            self._parser.Parse(block, False)
        except expat.ExpatError:
            self._parser = None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        self._in_text = local in ("t", "v")
        if local == "row":
            self._rows += 1
            number = _number(attributes.get("r"))
            if self._rows > MOST_LINES or number > MOST_LINES:
                raise too_many_lines(int(number) if number > MOST_LINES else None)
        elif local in ("c", "si"):
            self._has_cells = True
            self._cell, self._letters, self._begins = attributes.get("r", "") if local == "c" else "", 0, ""

    def _text(self, text: str) -> None:
        if not (self._in_text and self._has_cells):  # comments and drawings have texts, too
            return
        self._begins = self._begins or text[:40]
        self._letters += len(text)
        if self._letters > LONGEST_CELL:
            raise too_long_cell(self._cell[:10], shown(plain(self._begins)))

    def _doctype(self, *_: Any) -> None:
        raise broken()


def _number(written: str | None) -> float:
    """Return a row's number as openpyxl reads it; 0 for one that it can't read."""
    try:
        number = float(written or 0)
    except ValueError:
        return 0
    return number if number < 1e18 else 1e18


def broken() -> Unreadable:
    """Return the refusal of a file that is damaged, or no XLSX."""
    return Unreadable(
        "Berkas ini rusak atau bukan XLSX. Buka di lembar sebar, simpan sebagai XLSX yang baru, lalu unggah lagi.",
        "The file is damaged or no XLSX. Open it in a spreadsheet, save it as a new XLSX, and upload it again.",
    )
