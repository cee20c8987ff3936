"""Which choices refuse, and whether the way against an ending denies that one of them led there.

Every story is held to it (tests/stories/story.py), and every choice has a story (tests/house): each choice of each decision
is driven.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.definition.registry import Pipeline, appeal_options
from flows.appeals import GRANTED, LAPSED
from models import LedgerEntry, Role

# The choices of those who decide on somebody else's application. A choice that stands in neither turns the house's test red.
REFUSES = {
    *("reject", "rejected", "refused", "not_eligible", "not_halal", "not_continue", "not_yet_competent"),
    *("stop", "end"),
}
GOES_ON = {
    *(
        "accept",
        "approve",
        "grant",
        "granted",
        "pass",
        "complete",
        "confirmed",
        "competent",
        "halal",
        "issued",
        "valid",
    ),
    *("upheld", "recommend", "forward", "proceed", "continue", "match", "contract", "letter_of_intent", "test_market"),
    *("already_registered", "granted_in_oss", "held", "scored", "recurate", "try_again", "keep_waiting"),
    *("return", "returned", "reroute", "findings", "extension", "needs_data", "waitlist", "waiting_list"),
    *("conflict", "other_companion", "mismatch", "mistaken", "not_found", "not_theirs", "not_confirmed"),
    *("absent", "no_buyer", "deadline_passed", "time_exceeded"),
}


def refusal_behind(pipeline: Pipeline, entries: Iterable[LedgerEntry]) -> str:
    """Return the decision on which the case ended, where it refused; else "". An applicant's silence or answer is none."""
    last = ""
    for entry in sorted(entries, key=lambda one: one.seq):
        if entry.key == "closed#1":
            break
        question = pipeline.questions.get(entry.key.split("#")[0])
        if question and entry.key.count("#") == 1 and entry.kind in ("answer", "machine"):
            refused = question.of != Role.APPLICANT and entry.outcome in REFUSES
            last = f"{question.name}:{entry.outcome}" if refused else ""
    return last


def must_not_be_denied(pipeline: Pipeline, ended_in: str, refusal: str) -> None:
    """Fail where flows/appeals.py says that nothing was refused, or that it lapsed, and a refusal led there."""
    denied = appeal_options(pipeline.name)[ended_in] in (GRANTED, LAPSED)
    assert not (refusal and denied), f"{pipeline.name}: {refusal} led to {ended_in}, and flows/appeals.py denies it"
