"""Dates, times and rupiah as people read them, in Indonesian and English.

Templates may use the filters `day`, `moment` and `rupiah` and no others.
"""

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import pass_context
from jinja2.runtime import Context

JAKARTA = ZoneInfo("Asia/Jakarta")
LANGUAGES = ("id", "en")
_DAY_PATTERN = "d MMMM y"


def day_in_words(value: str | date, language: str) -> str:
    """Format a calendar day: `2026-08-17` becomes '17 Agustus 2026' (en: '17 August 2026')."""
    day = value if isinstance(value, date) else date.fromisoformat(value)
    return format_date(day, _DAY_PATTERN, locale=language)


def days_in_words(first: str, last: str, language: str) -> str:
    """Format a range of days: '12–13 Desember 2026', '30 Desember 2026–2 Januari 2027'."""
    if first[:7] == last[:7] and first != last:
        return f"{int(first[8:])}–{day_in_words(last, language)}"
    return "–".join(day_in_words(day, language) for day in dict.fromkeys((first, last)))


def moment_in_words(value: str | datetime, language: str) -> str:
    """Format an instant in Jakarta time: '22 November 2026 pukul 10.15 WIB'.

    Raises:
        ValueError: the time has no time zone.
    """
    instant = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    local = instant.astimezone(JAKARTA)
    day = format_date(local.date(), _DAY_PATTERN, locale=language)
    return f"{day} at {local:%H:%M} WIB" if language == "en" else f"{day} pukul {local:%H.%M} WIB"


def rupiah_in_words(value: int, language: str) -> str:
    """Format whole rupiah: 1500000 becomes 'Rp1.500.000' (id) and 'Rp1,500,000' (en).

    Raises:
        TypeError: the value is no integer.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"rupiah are whole numbers, not {value!r}")
    digits = format_decimal(abs(value), format="#,##0", locale=language)
    return f"{'−' if value < 0 else ''}Rp{digits}"


def _filter(format_value: Callable[..., str]) -> Callable[[Context, object], str]:
    """Make a template filter of `format_value(value, language)` in the document's language."""

    @pass_context
    def apply(context: Context, value: object) -> str:
        return format_value(value, context["language"])

    return apply


FILTERS: dict[str, Callable[..., str]] = {
    "day": _filter(day_in_words),
    "moment": _filter(moment_in_words),
    "rupiah": _filter(rupiah_in_words),
}
