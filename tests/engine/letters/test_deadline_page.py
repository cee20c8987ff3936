"""The page that counts the days to a passed deadline is one page, even where a case took all the time that its rules allow."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from documents.enclosure import JSON
from documents.formats import LANGUAGES
from documents.preview import sample_facts
from documents.render import render
from documents.templating import TEMPLATES
from engine.deadlines.calendar import Calendar
from engine.letters.deadline_page import counted_days, crowding, grouped_lines
from rules import Rule
from tests.conftest import START

SERVICE_TIME = Rule("service_time", 30, "working_days", date(2021, 1, 1), None, "Usulan", "policy")
PAGE = "office/documents/deadline_computation"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.slow
def test_sixty_days_of_which_thirty_stood_still_are_one_page(language: str) -> None:
    """Over New Year, into a year without a decree; neighbours that do not count for one reason are one line."""
    text, lines = page(language, date(2026, 11, 30), 60, range(5, 35), provisional=["2027"])
    assert [place for place in range(1, 31) if f"{place}" not in text] == []
    assert {"id": "7–11 Desember 2026 berhenti", "en": "7–11 December 2026 stopped"}[language] in text
    assert {"id": "hitungan ini sementara", "en": "this count is provisional"}[language] in text
    assert [line["place"] for line in lines][-1] == "30"


@pytest.mark.parametrize("language", LANGUAGES)
def test_three_stops_over_lebaran_in_a_long_count_are_one_page(language: str) -> None:
    """Fifty working days from January to May, more than any rule gives, three stops of ten, and a dozen holidays."""
    stops = [*range(8, 18), *range(25, 35), *range(40, 50)]
    text, lines = page(language, date(2026, 1, 19), 80, stops)
    assert len(lines) == 89
    assert [place for place in range(1, 51) if f"{place}" not in text] == []
    assert [name for name in ("Idulfitri", "Hari Suci Nyepi", "Hari Buruh") if name not in text] == []


def page(
    language: str, start: date, days: int, stops: Iterable[int], provisional: Iterable[str] = ()
) -> tuple[str, list[dict[str, Any]]]:
    """Return the words of the page for a count of so many working days, those of ``stops`` stopped, and its lines."""
    calendar = Calendar([])
    due, stopped = calendar.after(start, days), {calendar.after(start, place) for place in stops}
    lines = list(grouped_lines(counted_days(calendar, SERVICE_TIME, start, due, language, stopped), language))
    facts: dict[str, JSON] = {
        **sample_facts(TEMPLATES / PAGE),
        "days": [*lines],
        "crowding": crowding(len(lines)),
        "stopped": True,
        "provisional": [*provisional],
        "started_on": start.isoformat(),
        "due_on": due.isoformat(),
        "used": days - len(stopped),
    }
    pages = PdfReader(BytesIO(render(PAGE, facts, language=language, at=START, check_url=None, title=None))).pages
    assert len(pages) == 1
    return " ".join(pages[0].extract_text().split()), lines
