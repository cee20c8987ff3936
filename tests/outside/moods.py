"""The moods of an office that misbehaves: how the next call is treated."""

from __future__ import annotations

import enum


class Mood(enum.Enum):
    """How the next call is treated. Those marked (filed) have filed when the client loses patience."""

    HONEST = "honest"
    LATE = "answers after the client's time-out (filed)"
    HANG = "takes the request, never files, never answers"
    FAIL_BEFORE = "500, not filed"
    FAIL_AFTER = "500 (filed)"
    CUT_OFF = "half an answer, then the line breaks (filed)"
    DRIP = "an answer byte by byte, without end (filed)"
    HUGE = "an answer without end, quickly (filed)"
    TWICE = "answers, then the same request is delivered again by some gateway (filed)"
    STRANGER = "another person's number (filed)"
    NAMESAKE = "the number of somebody of the same name, with another NIK (filed)"
    OTHER_NAME = "the right NIK, another name (filed)"
    CROSSED = "another request's answer (filed)"
    BAD_NUMBER = "a number that can't be one (filed)"
    TORN_PDF = "a PDF that doesn't fit its hash (filed)"
    GARBAGE = "an HTML page with status 200 (filed)"
    CHATTY = "an answer with a field that nobody knows (filed)"
    PENDING = "202, decides later (filed)"
    REDIRECT = "sends the client elsewhere (not filed)"
    BUSY = "429 with Retry-After (not filed)"
    CLOSED = "503 with Retry-After (not filed)"
    LOCKED = "401 (not filed)"
    LOST = "404 of a proxy, in HTML (not filed)"
    MISSHAPEN = "400: the request has a wrong form (not filed)"
    REFUSE = "422, quoting the NIK (not filed)"


SPOILED = frozenset(mood for mood in Mood if mood.value.endswith("(filed)")) - {Mood.TWICE}
DECLINED: dict[Mood, tuple[int, dict[str, str]]] = {
    Mood.FAIL_BEFORE: (500, {}),
    Mood.REDIRECT: (307, {"Location": "/elsewhere"}),
    Mood.BUSY: (429, {"Retry-After": "120"}),
    Mood.CLOSED: (503, {"Retry-After": "Mon, 02 Mar 2026 01:30:00 GMT"}),
    Mood.LOCKED: (401, {}),
    Mood.LOST: (404, {}),
    Mood.MISSHAPEN: (400, {}),
}
