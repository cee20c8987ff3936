"""Letters in plain words; what somebody writes into a name stays where it belongs."""

import pytest

from documents.errors import LetterWithoutSubject, MissingFact
from documents.letters import write_letter
from documents.preview import sample_facts
from documents.templating import TEMPLATES
from engine.definition.declarations import OFFICE
from engine.definition.registry import pipeline_named
from tests.documents.conftest import sample
from tests.documents.test_templates import LETTERS

FROM_THE_RULE_BOOK = {
    "receipt": "Permohonan NIB Anda telah kami terima",
    "legalized": "Selamat, NIB Anda telah terbit",
    "refused": "Permohonan NIB tidak dapat diproses, ini alasannya",
    "verification_started": "Kode KBLI Anda memerlukan verifikasi teknis",
}

REMINDER = f"{OFFICE}/letters/reminder"


def letter(name: str, language: str = "id", **facts: str) -> str:
    return write_letter(f"nib_legalization/letters/{name}", {**sample(name, "letters"), **facts}, language).text


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("name", [*(f"nib_legalization/letters/{name}" for name in LETTERS), REMINDER])
def test_each_letter_is_whole_and_fits_an_old_phone(name: str, language: str) -> None:
    """Greeting, link, case number; short; nothing of the template left over; the same words in HTML."""
    written = write_letter(name, sample_facts(TEMPLATES / name), language)
    assert "Sri Purnomo" in written.text and "NIB-2026-000123" in written.text
    assert len(written.subject) <= 70 and len(written.text) < 1500
    assert not {"{", "}", "\t"} & set(written.subject + written.text) and "\n\n\n" not in written.text
    assert written.subject in written.html and 'href="https://jalur.contoh.example' in written.html


@pytest.mark.parametrize(("name", "subject"), sorted(FROM_THE_RULE_BOOK.items()))
def test_subjects_are_those_of_the_rule_book(name: str, subject: str) -> None:
    """domain.md, section 9."""
    assert write_letter(f"nib_legalization/letters/{name}", sample(name, "letters"), "id").subject == subject


def test_the_reminder_names_the_statement_that_waits_and_until_when() -> None:
    """Every pipeline has the one reminder of the office; its subject says what is to be done, in which case."""
    title = pipeline_named("nib-legalization").questions["statement"].title
    written = write_letter(REMINDER, {**sample_facts(TEMPLATES / REMINDER), "question": title}, "id")
    assert written.subject == "Pengingat: Tanda tangani pernyataan mandiri (NIB-2026-000123)"
    assert "Kami menunggunya sampai 2 Desember 2026." in written.text
    assert "Bila sampai 8 Januari 2027 belum ada jawaban, perkara kami tutup." in written.text


def test_a_name_cannot_add_a_paragraph_a_header_or_a_mark() -> None:
    """Line breaks and direction marks in a fact become spaces or nothing."""
    text = letter("receipt", applicant_name="Sri\r\nBcc: x@y.example\n\n- beli \u202eini")
    assert "Bapak/Ibu Sri Bcc: x@y.example - beli ini," in text


def test_html_escapes_and_only_the_real_link_is_a_link() -> None:
    """A business called like an address is not clickable; a script is text; a javascript link is no link."""
    name = "nib_legalization/letters/receipt"
    facts = {**sample("receipt", "letters"), "business_name": "<script>https://jahat.example</script>"}
    html = write_letter(name, facts, "id").html
    assert "<script>" not in html and html.count("href=") == 1
    assert "href=" not in write_letter(name, {**facts, "link": "javascript:alert(1)"}, "id").html


def test_a_missing_fact_stops_the_letter() -> None:
    """Nobody gets a letter with a hole in it."""
    facts = sample("legalized", "letters")
    del facts["nib"]
    with pytest.raises(MissingFact, match="nib"):
        write_letter("nib_legalization/letters/legalized", facts, "id")


def test_a_letter_without_a_subject_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The first line is the subject, the second is blank."""
    root = tmp_path_factory.mktemp("letters")
    (root / "x").mkdir()
    (root / "x" / "id.txt").write_text("Halo\n\nApa kabar")
    with pytest.raises(LetterWithoutSubject):
        write_letter("x", {}, "id", root=root)


def test_the_right_to_object_is_told_only_where_it_is_given() -> None:
    """As in the decision itself."""
    name = "nib_legalization/letters/refused"
    assert "Pasal 77" in write_letter(name, sample("refused", "letters"), "id").text
    assert "Pasal 77" not in write_letter(name, {**sample("refused", "letters"), "objection": None}, "id").text
