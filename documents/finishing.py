"""Additions to WeasyPrint's PDF: frame, signature field, accessibility claims.

The signature field is made here because a tagged document (PDF/UA-1, 7.18) needs it in the structure tree, where
pyHanko does not put it; the frame is added here because a shared form XObject costs nothing per document.
"""

from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import fromstring, register_namespace, tostring
from zlib import compress

import pydyf
from weasyprint import Document

from documents.ornament import Drawing, guilloche

SIGNATURE_FIELD = "JalurSignature"

_PDFUA = """
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"><pdfuaid:part>1</pdfuaid:part>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of the PDF/UA standard that the file follows</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
</rdf:RDF>
"""

for _prefix, _uri in (
    ("pdfaExtension", "http://www.aiim.org/pdfa/ns/extension/"),
    ("pdfaSchema", "http://www.aiim.org/pdfa/ns/schema#"),
    ("pdfaProperty", "http://www.aiim.org/pdfa/ns/property#"),
):
    register_namespace(_prefix, _uri)


class _CompressedStream(pydyf.Stream):  # type: ignore[misc]  # pydyf is untyped
    """A stream that is compressed already: pydyf would compress it again at each access."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = data

    @property
    def data(self) -> bytes:
        """The bytes as they stand in the file."""
        return self._data


@lru_cache(maxsize=16)
def _compressed(operators: bytes) -> bytes:
    """Compress the frame's operators, once per process."""
    return compress(operators, 9)


def _compressed_stream(operators: bytes, extra: dict[str, Any]) -> _CompressedStream:
    packed = _compressed(operators)
    head: bytes = pydyf.Dictionary({**extra, "Filter": "/FlateDecode", "Length": len(packed)}).data
    return _CompressedStream(b"\n".join((head, b"stream", packed, b"endstream")))


class Finisher:
    """WeasyPrint's finisher: draws a guilloche (`frame`) and adds a signature field (`field`)."""

    def __init__(self, *, frame: bool, field: str | None) -> None:
        self._frame = frame
        self._field = field

    def __call__(self, _document: Document, pdf: pydyf.PDF) -> None:
        """Write frame, signature field and header scopes into the PDF.

        Mutates: ``pdf``.
        """
        _drop_repeated_attachments(pdf)
        _set_header_scopes(pdf)
        if self._frame:
            _frame_pages(pdf)
        if self._field is not None:
            _add_signature_field(pdf, self._field)
        _compress_streams(pdf)


def claim_accessibility(document: Document) -> None:
    """Let the metadata say PDF/UA-1 too, with its extension schema (ISO 19005-3, 6.6.2.3).

    Mutates: ``document``.
    """
    write = document.metadata.generate_rdf_metadata

    def with_pdfua(*args: Any) -> bytes:
        rdf = fromstring(write(*args))  # noqa: S314 - our own metadata, written this moment
        rdf.extend(fromstring(_PDFUA))  # noqa: S314 - a constant
        merged: bytes = tostring(rdf, encoding="utf-8")
        return merged

    document.metadata.generate_rdf_metadata = with_pdfua


def _compress_streams(pdf: pydyf.PDF) -> None:
    """Compress each stream once: pydyf writes it twice, for the file's /ID and for the file."""
    for place, stream in enumerate(pdf.objects):
        if isinstance(stream, pydyf.Stream):
            ready = _CompressedStream(stream.data)
            ready.number = stream.number
            pdf.objects[place] = ready


def _object(pdf: pydyf.PDF, reference: bytes | str) -> Any:
    return pdf.objects[int(reference.split()[0])]


def _drop_repeated_attachments(pdf: pydyf.PDF) -> None:
    if "AF" in pdf.catalog:
        pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(pdf.catalog["AF"]))


def _set_header_scopes(pdf: pydyf.PDF) -> None:
    """Set each header cell's scope (PDF/UA-1, 7.5): row if it heads data cells, else column."""
    for header in pdf.objects:
        if isinstance(header, dict) and header.get("S") == "/TH":
            row = [_object(pdf, cell) for cell in _object(pdf, header["P"])["K"]]
            beside_data = any(cell["S"] == "/TD" for cell in row)
            header["A"]["Scope"] = "/Row" if beside_data else "/Column"


def _add_drawing(pdf: pydyf.PDF, drawing: Drawing) -> bytes:
    parts = {name: _add_drawing(pdf, part) for name, part in drawing.parts}
    extra = {
        "Type": "/XObject",
        "Subtype": "/Form",
        "BBox": pydyf.Array([round(side, 2) for side in drawing.box]),
        "Resources": pydyf.Dictionary({"XObject": pydyf.Dictionary(parts)} if parts else {}),
    }
    stream = _compressed_stream(drawing.operators, extra)
    pdf.add_object(stream)
    return bytes(stream.reference)


def _frame_pages(pdf: pydyf.PDF) -> None:
    for reference in pdf.page_references:
        page = _object(pdf, reference)
        _, _, width, height = page["MediaBox"]
        _object(pdf, page["Resources"])["XObject"]["Frame"] = _add_drawing(pdf, guilloche(width, height))
        under = _compressed_stream(b"/Artifact BMC q /Frame Do Q EMC", {})
        pdf.add_object(under)
        page["Contents"] = pydyf.Array([under.reference, page["Contents"]])


def _add_signature_field(pdf: pydyf.PDF, label: str) -> None:
    """Add an empty, invisible signature field to first page, form and structure tree."""
    page_reference = pdf.page_references[0]
    page = _object(pdf, page_reference)
    tree = _object(pdf, pdf.catalog["StructTreeRoot"])
    numbers = _object(pdf, tree["ParentTree"])["Nums"]
    key = max(numbers[::2]) + 1
    field = pydyf.Dictionary(
        {
            "Type": "/Annot",
            "Subtype": "/Widget",
            "FT": "/Sig",
            "T": pydyf.String(SIGNATURE_FIELD),
            "TU": pydyf.String(label),
            "Rect": pydyf.Array([0, 0, 0, 0]),
            "F": 4 + 128,
            "P": page_reference,
            "StructParent": key,
        }
    )
    pdf.add_object(field)
    whole = tree["K"][0]
    link = pydyf.Dictionary({"Type": "/OBJR", "Obj": field.reference, "Pg": page_reference})
    element = pydyf.Dictionary(
        {"Type": "/StructElem", "S": "/Form", "P": whole, "Pg": page_reference, "K": pydyf.Array([link])}
    )
    pdf.add_object(element)
    _object(pdf, whole)["K"].append(element.reference)
    numbers.extend([key, element.reference])
    page.setdefault("Annots", pydyf.Array()).append(field.reference)
    pdf.catalog["AcroForm"] = pydyf.Dictionary({"Fields": pydyf.Array([field.reference]), "SigFlags": 1})
