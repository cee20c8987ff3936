"""The house rule: templates hold no logic, have samples that fit them exactly, and stay light."""

import re
from pathlib import Path

import pytest
from jinja2 import meta

from documents.errors import TemplateHasLogic
from documents.letters import write_letter
from documents.preview import document_kinds, letter_kinds, sample_facts
from documents.render import RESERVED
from documents.templating import TEMPLATES, environment, fill, offences
from engine.definition.declarations import ALERT, DIGEST, OFFICE
from tests.documents.conftest import sample

SOURCES = sorted({*TEMPLATES.rglob("*.html"), *TEMPLATES.glob("*/**/*.txt")} - {*TEMPLATES.glob("fonts/*")})
COMMON = {"case_number", "applicant_name", "business_name", "region_name", "date", "office", "official"}
LETTER_COMMON = {"case_number", "applicant_name", "business_name", "office", "link"}
KINDS = document_kinds(TEMPLATES / "nib_legalization")
LETTERS = letter_kinds(TEMPLATES / "nib_legalization")
EVERY_KIND = sorted(
    str(one.parent.relative_to(TEMPLATES))
    for room in ("documents", "letters")
    for one in TEMPLATES.glob(f"*/{room}/*/sample.json")
)
OFFICE_LETTERS = letter_kinds(TEMPLATES / OFFICE)
OFFICE_COMMON = {"case_number", "applicant_name", "region_name", "office", "official", "date", "link"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_prints_facts_and_does_nothing_else(source: Path) -> None:
    """No set, no call, no comparison: a fact is finished before it gets here."""
    assert offences(source.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "logic",
    [
        "{% set x = 1 %}",
        "{% if a == b %}{% endif %}",
        "{% if a.b %}{% endif %}",
        "{% if not a %}{% endif %}",
        "{% if a and b %}{% endif %}",
        "{% if a is defined %}{% endif %}",
        "{% if a %}{% elif b %}{% endif %}",
        "{% for x in y if x %}{% endfor %}",
        "{% for x in y|sort %}{% endfor %}",
        "{% for k, v in y %}{% endfor %}",
        "{% for x in y %}{% else %}x{% endfor %}",
        "{{ f() }}",
        "{{ a.b() }}",
        "{{ a + b }}",
        "{{ a ~ b }}",
        "{{ a[0] }}",
        "{{ a|safe }}",
        "{{ a|default('x') }}",
        "{{ a|day(1) }}",
        "{{ 1 }}",
        "{{ [a] }}",
        "{{ a if b else c }}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends a %}",
        "{% with x = 1 %}{% endwith %}",
        "{% filter upper %}x{% endfilter %}",
        "{% autoescape false %}{{ a }}{% endautoescape %}",
    ],
)
def test_logic_is_refused(logic: str, tmp_path: Path) -> None:
    """By the rule, and by the renderer when it reads such a template."""
    (tmp_path / "t.html").write_text(logic)
    with pytest.raises(TemplateHasLogic):
        fill("t.html", {"a": "1", "b": "2", "y": []}, root=tmp_path)


def test_a_dot_reads_a_fact_and_never_a_method(tmp_path: Path) -> None:
    """`office.items` is the fact of that name, or an error: never the dictionary's own."""
    (tmp_path / "t.html").write_text("{{ office.items }}")
    assert fill("t.html", {"office": {"items": "tiga"}}, root=tmp_path) == "tiga"
    with pytest.raises(Exception, match="items"):
        fill("t.html", {"office": {}}, root=tmp_path)


def facts_named_by(name: str) -> set[str]:
    """Every fact that a template or what it extends prints or tests."""
    made = environment()
    source = made.loader.get_source(made, name)[0] if made.loader else ""
    tree = made.parse(source)
    named = meta.find_undeclared_variables(tree)
    for parent in meta.find_referenced_templates(tree):
        named |= facts_named_by(parent) if parent else set()
    return named - RESERVED


@pytest.mark.parametrize("kind", KINDS)
def test_a_documents_sample_is_exactly_its_facts(kind: str) -> None:
    """The sample is the contract: no name too few, and beyond the common ones none too many."""
    named = facts_named_by(f"nib_legalization/documents/{kind}/id.html")
    assert facts_named_by(f"nib_legalization/documents/{kind}/en.html") == named
    given = set(sample(kind))
    assert named - given <= {"document_number", "replaces", "provisional"}
    assert given - named <= COMMON


@pytest.mark.parametrize("letter", LETTERS)
def test_a_letters_sample_is_exactly_its_facts(letter: str) -> None:
    """In both languages."""
    named = facts_named_by(f"nib_legalization/letters/{letter}/id.txt")
    assert facts_named_by(f"nib_legalization/letters/{letter}/en.txt") == named
    assert named <= set(sample(letter, "letters")) <= named | LETTER_COMMON


@pytest.mark.parametrize("letter", OFFICE_LETTERS)
def test_a_sample_of_the_offices_letters_is_exactly_its_facts(letter: str) -> None:
    """In both languages, and whichever of its blocks are printed: every one can be written."""
    name = f"{OFFICE}/letters/{letter}"
    named, given = facts_named_by(f"{name}/id.txt"), sample_facts(TEMPLATES / name)
    assert facts_named_by(f"{name}/en.txt") == named
    assert named <= set(given) <= named | OFFICE_COMMON
    assert {write_letter(name, given, language).subject for language in ("id", "en")}


def test_the_digest_says_the_same_as_text_and_as_a_page() -> None:
    """Its sample is exactly its facts, and each of them stands in both; the warning too, and without one there is none."""
    given = sample_facts(TEMPLATES / DIGEST)
    assert facts_named_by(f"{DIGEST}/id.txt") | facts_named_by(f"{DIGEST}/id.html") - {"subject"} == set(given)
    written = write_letter(DIGEST, given, "id")
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", written.html))
    told = [str(given["warning"]), "12", "HSD-2026-000041", "Putuskan permohonan, hari ini", "Pengingat (1)"]
    told.append("Periksa kelengkapan berkas: lewat 3 hari kerja, tenggat 25 November 2026")
    assert [one for one in told if one not in written.text or one not in page] == []
    assert "ampersand &amp; <b>" in write_letter(DIGEST, {**given, "name": "ampersand & <b>"}, "id").html.replace(
        "&lt;b&gt;", "<b>"
    )
    quiet = write_letter(DIGEST, {**given, "warning": None, "due": [], "groups": []}, "id")
    assert "PERHATIAN" not in quiet.text and "alert" not in quiet.html


def test_the_alert_says_its_sample() -> None:
    """Its sample is exactly its facts; a trouble stands under its kind."""
    given = sample_facts(TEMPLATES / ALERT)
    assert facts_named_by(f"{ALERT}/id.txt") == set(given)
    text = write_letter(ALERT, given, "id").text
    assert text.index("Perkara yang tertahan (2)") < text.index("- NIB-2026-000098: terhenti karena KeyError")


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_both_languages_of_a_kind_print_the_same_facts(kind: str) -> None:
    """In every pipeline. The sample gives them all but those of the renderer, and one of a block that LSP overrides."""
    suffix = "html" if "/documents/" in kind else "txt"
    named = facts_named_by(f"{kind}/id.{suffix}")
    assert facts_named_by(f"{kind}/en.{suffix}") == named
    assert named - set(sample_facts(TEMPLATES / kind)) <= {
        "document_number",
        "replaces",
        "provisional",
        "business_name",
    }


def test_the_fonts_are_light_and_licensed() -> None:
    """Packaged, under the Open Font License, whose text lies beside them."""
    fonts = list((TEMPLATES / "fonts").iterdir())
    assert sum(file.stat().st_size for file in fonts) < 600_000
    licences = {file.name for file in fonts if file.name.startswith("OFL-")}
    families = {f"OFL-{file.name.split('-latin-')[0]}.txt" for file in fonts if file.suffix == ".woff2"}
    assert families == licences
