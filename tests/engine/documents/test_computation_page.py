"""The page that counts the days to a passed deadline is one page, even where a case took all the time that its rules allow."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pytest
from pypdf import PdfReader

from engine.calendar import Calendar
from engine.computing import ON_TWO_COLUMNS, counted, together
from engine.documents.facts import JSON
from engine.documents.preview import sample_facts
from engine.documents.render import render
from engine.documents.templating import TEMPLATES
from engine.documents.words import LANGUAGES
from rules import Rule
from tests.conftest import START

SERVICE_TIME = Rule("service_time", 30, "working_days", date(2021, 1, 1), None, "Usulan", "policy")
PAGE = "office/documents/deadline_computation"


@pytest.mark.parametrize("language", LANGUAGES)
def test_sixty_days_of_which_thirty_stood_still_are_one_page(language: str) -> None:
    """Over New Year, into a year without a decree; neighbours that do not count for one reason are one line."""
    calendar, start = Calendar([]), date(2026, 11, 30)
    due, stopped = calendar.after(start, 60), {calendar.after(start, place) for place in range(5, 35)}
    days = list(counted(calendar, SERVICE_TIME, start, due, language, stopped))
    lines = list(together(days, language))
    facts: dict[str, JSON] = {
        **sample_facts(TEMPLATES / PAGE),
        "days": [*lines],
        "many": len(lines) > ON_TWO_COLUMNS,
        "stopped": True,
        "provisional": ["2027"],
        "started_on": start.isoformat(),
        "due_on": due.isoformat(),
        "used": 30,
    }
    pages = PdfReader(BytesIO(render(PAGE, facts, language=language, at=START, check_url=None, title=None))).pages
    assert len(pages) == 1
    text = " ".join(pages[0].extract_text().split())
    assert [place for place in range(1, 31) if f"{place}" not in text] == []
    assert {"id": "7–11 Desember 2026 berhenti", "en": "7–11 December 2026 stopped"}[language] in text
    assert {"id": "hitungan ini sementara", "en": "this count is provisional"}[language] in text
    assert [line["place"] for line in lines][-1] == "30"
