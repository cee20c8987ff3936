"""Every kind, in both languages, as people will see it: on one page, nothing lost, nothing on top of another."""

import re
import subprocess
from itertools import combinations
from pathlib import Path

import pytest
import segno
from PIL import Image

from documents.enclosure import JSON
from documents.preview import document_kinds, previews, sample_check_url
from documents.render import render
from tests.documents.conftest import AT, CHECK, PIPELINE, Facts, read, sample
from tests.documents.test_rendering import fonts_in, text_of

KINDS = document_kinds(PIPELINE)
LONG_BUSINESS = "Paguyuban Wirausaha Keripik Singkong Rahayu Makmur Sentosa 7"
LONG_TITLE = (
    "Industri pengolahan dan pengawetan lainnya untuk sayur-sayuran, kacang-kacangan "
    "dan umbi-umbian selain tempe dan tahu"
)
LONG_OWNER = "Raden Ajeng Siti Nurhalimah Kusumaningrum Wiryodiningrat, S.E"
SAFE = 5 / 25.4 * 72  # what a plain printer leaves blank

Word = tuple[float, float, float, float, str]


def rendered(kind: str, facts: Facts, language: str = "id") -> bytes:
    url = sample_check_url(facts)
    name = f"nib_legalization/documents/{kind}"
    return render(name, facts, language=language, at=AT, check_url=url, title=None)


def leaves(value: JSON) -> list[str]:
    """Every text in the facts but dates, which are printed in words."""
    if isinstance(value, str):
        return [] if re.match(r"\d{4}-\d\d-\d\d", value) else [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [leaf for child in children for leaf in leaves(child)]


def unbroken(text: str) -> str:
    """The letters without spaces and capitals: a line may break after a stroke, a letterhead is in capitals."""
    return "".join(text.split()).casefold()


def words_on(pdf: bytes, tmp_path: Path) -> tuple[tuple[float, float], list[Word]]:
    """The page's size and every word's box, in points."""
    file = tmp_path / "page.pdf"
    file.write_bytes(pdf)
    out = subprocess.run(["pdftotext", "-bbox", str(file), "-"], capture_output=True, text=True, check=True).stdout
    page = re.search(r'<page width="([\d.]+)" height="([\d.]+)"', out)
    assert page is not None
    box = r'xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>'
    words = [(float(a), float(b), float(c), float(d), text) for a, b, c, d, text in re.findall(box, out)]
    return (float(page[1]), float(page[2])), words


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_tells_its_facts_on_one_page(kind: str, language: str) -> None:
    """All that the sample says can be read in the paper, in fonts of our own."""
    pdf = rendered(kind, sample(kind), language)
    assert len(read(pdf).pages) == 1
    shown = unbroken(text_of(pdf))
    unseen = {"certificate_of_legalization": {"case_number"}, "statement": {"official"}}.get(kind, set())
    for name, value in sample(kind).items():
        if name not in unseen:
            assert [leaf for leaf in leaves(value) if unbroken(leaf) not in shown] == [], name
    assert all(font.split("+")[1].startswith("Jalur-") for font in fonts_in(pdf))


@pytest.mark.slow
@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_long_names_neither_overflow_nor_collide(kind: str, language: str, tmp_path: Path) -> None:
    """Sixty letters of business and owner: still one page, within what a printer prints, no word over another."""
    facts = {
        **sample(kind),
        "business_name": LONG_BUSINESS,
        "applicant_name": LONG_OWNER,
        "region_name": "Kabupaten Banyuwangi",
    }
    if "industry_title" in facts:
        facts["industry_title"] = LONG_TITLE
    pdf = rendered(kind, facts, language)
    assert len(read(pdf).pages) == 1
    shown = text_of(pdf)
    assert LONG_BUSINESS in shown and LONG_OWNER in shown
    (width, height), words = words_on(pdf, tmp_path)
    assert [w for w in words if w[0] < SAFE or w[1] < SAFE or w[2] > width - SAFE or w[3] > height - SAFE] == []
    assert [(a[4], b[4]) for a, b in combinations(words, 2) if overlap(a, b)] == []


def overlap(a: Word, b: Word) -> bool:
    """Whether two words' boxes share more than the slack that line boxes have."""
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = min(a[3], b[3]) - max(a[1], b[1])
    return across > 1 and down > 0.35 * min(a[3] - a[1], b[3] - b[1])


@pytest.mark.slow
def test_the_printed_code_is_the_check_address(certificate: bytes, tmp_path: Path) -> None:
    """Module by module: the only pure black on the page is the code, and it is the one that stands for the address."""
    (tmp_path / "c.pdf").write_bytes(certificate)
    subprocess.run(["pdftoppm", "-r", "300", "-png", "-singlefile", tmp_path / "c.pdf", tmp_path / "c"], check=True)
    black = Image.open(tmp_path / "c.png").convert("L").point(lambda light: 255 if light == 0 else 0)
    box = black.getbbox()
    assert box is not None
    expected = [[bool(module) for module in row] for row in segno.make(CHECK, error="m", boost_error=False).matrix]
    step = (box[2] - box[0]) / len(expected)
    places = [(index + 0.5) * step for index in range(len(expected))]
    printed = [[bool(black.getpixel((int(box[0] + x), int(box[1] + y)))) for x in places] for y in places]
    assert printed == expected


@pytest.mark.slow
def test_previews_are_marked_so_that_none_passes_for_the_real_paper() -> None:
    """Each kind in each language, with CONTOH or SAMPLE across the page."""
    seen = []
    for kind, language, pdf in previews(PIPELINE):
        seen.append((kind, language))
        assert {"id": "CONTOH", "en": "SAMPLE"}[language] in text_of(pdf)
    assert seen == [(kind, language) for kind in KINDS for language in ("id", "en")]


def test_the_certificate_says_whose_number_it_is_and_what_it_is_not(certificate: bytes) -> None:
    """The NIB comes from OSS; this paper is neither NIB nor permit."""
    shown = text_of(certificate)
    assert "NIB diterbitkan oleh Lembaga OSS, bukan oleh kantor ini" in shown
    assert "bukan NIB, bukan izin usaha" in shown


def test_the_right_to_object_is_told_only_where_it_is_given() -> None:
    """UU 30/2014 Pasal 77 appears with its day, or not at all."""
    with_right = text_of(rendered("refusal", sample("refusal")))
    without = text_of(rendered("refusal", {**sample("refusal"), "objection": None}))
    assert "Pasal 77" in with_right and "23 Desember 2026" in with_right
    assert "Pasal 77" not in without


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"signed_with_code": "0811******52"}, "kode pribadi yang dikirim ke 0811******52"),
        ({"signed_on_paper": "sidik berkas 9f2c"}, "Tanda tangan basah di kertas, dipindai (sidik berkas 9f2c)"),
        (
            {"signed_by_companion": "Ani Lestari", "mandate": "Surat kuasa 20 November 2026"},
            "Melalui pendamping Ani Lestari, atas nama Sri Purnomo",
        ),
    ],
)
def test_the_statement_tells_who_signed_and_how(how: Facts, told: str) -> None:
    """In person, on paper, or through a companion, with both names and the mandate."""
    nobody: Facts = dict.fromkeys(("signed_with_code", "signed_on_paper", "signed_by_companion", "mandate"))
    shown = text_of(rendered("statement", {**sample("statement"), **nobody, **how}))
    assert told in shown
    assert ("Dasar kuasa" in shown) is ("mandate" in how)


@pytest.mark.parametrize("level", ["R", "MR", "MT", "T"])
def test_the_risk_ladder_lights_the_rung_of_the_fact(level: str) -> None:
    """The picture follows the fact through the style sheet, without a comparison in the template."""
    others = [rendered("risk_sheet", {**sample("risk_sheet"), "risk_level": other}) for other in ("R", "MR", "MT", "T")]
    assert len({bytes(pdf) for pdf in others}) == 4
    assert f"({level})" in text_of(rendered("risk_sheet", {**sample("risk_sheet"), "risk_level": level}))
