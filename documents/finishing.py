"""What WeasyPrint leaves for us to write into the PDF, just before its trailer: frame, signature field, claims.

The field is made here and not by the signer, because a tagged document (PDF/UA-1, 7.18) wants it in the structure
tree, where pyHanko would not put it; and the pages' art is added here because here it costs nothing per document.
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


class _Ready(pydyf.Stream):  # type: ignore[misc]  # pydyf is untyped
    """A stream whose bytes are finished: pydyf would compress it again each time it looks."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = data

    @property
    def data(self) -> bytes:
        """The stream as it stands in the file."""
        return self._data


@lru_cache(maxsize=16)
def _packed(operators: bytes) -> bytes:
    """The frame's operators, compressed once per process."""
    return compress(operators, 9)


def _ready(operators: bytes, extra: dict[str, Any]) -> _Ready:
    packed = _packed(operators)
    head: bytes = pydyf.Dictionary({**extra, "Filter": "/FlateDecode", "Length": len(packed)}).data
    return _Ready(b"\n".join((head, b"stream", packed, b"endstream")))


class Finisher:
    """Called by WeasyPrint with the document and its PDF. `frame` draws the guilloche; `field` makes room to sign."""

    def __init__(self, *, frame: bool, field: str | None) -> None:
        self._frame = frame
        self._field = field

    def __call__(self, _document: Document, pdf: pydyf.PDF) -> None:
        """Write what was asked for into the PDF."""
        _list_each_attachment_once(pdf)
        _say_what_headers_head(pdf)
        if self._frame:
            _frame_pages(pdf)
        if self._field is not None:
            _make_room_to_sign(pdf, self._field)
        _compress_once(pdf)


def claim_accessibility(document: Document) -> None:
    """Let the metadata say PDF/UA-1 beside PDF/A-3a, with the extension schema for it (ISO 19005-3, 6.6.2.3)."""
    write = document.metadata.generate_rdf_metadata

    def with_pdfua(*args: Any) -> bytes:
        rdf = fromstring(write(*args))  # noqa: S314 - our own metadata, written this moment
        rdf.extend(fromstring(_PDFUA))  # noqa: S314 - a constant
        merged: bytes = tostring(rdf, encoding="utf-8")
        return merged

    document.metadata.generate_rdf_metadata = with_pdfua


def _compress_once(pdf: pydyf.PDF) -> None:
    """pydyf writes each stream twice, once for the file's /ID and once for the file: compress it for both."""
    for place, stream in enumerate(pdf.objects):
        if isinstance(stream, pydyf.Stream):
            ready = _Ready(stream.data)
            ready.number = stream.number
            pdf.objects[place] = ready


def _object(pdf: pydyf.PDF, reference: bytes | str) -> Any:
    return pdf.objects[int(reference.split()[0])]


def _list_each_attachment_once(pdf: pydyf.PDF) -> None:
    if "AF" in pdf.catalog:
        pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(pdf.catalog["AF"]))


def _say_what_headers_head(pdf: pydyf.PDF) -> None:
    """A header cell names its row or its column (PDF/UA-1, 7.5): its row where that has data cells too."""
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
    stream = _ready(drawing.operators, extra)
    pdf.add_object(stream)
    return bytes(stream.reference)


def _frame_pages(pdf: pydyf.PDF) -> None:
    for reference in pdf.page_references:
        page = _object(pdf, reference)
        _, _, width, height = page["MediaBox"]
        _object(pdf, page["Resources"])["XObject"]["Frame"] = _add_drawing(pdf, guilloche(width, height))
        under = _ready(b"/Artifact BMC q /Frame Do Q EMC", {})
        pdf.add_object(under)
        page["Contents"] = pydyf.Array([under.reference, page["Contents"]])


def _make_room_to_sign(pdf: pydyf.PDF, label: str) -> None:
    """An empty, invisible signature field on the first page: in the form, in the page, and in the structure tree."""
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
