"""The state of a case is set in one module, by declared transitions; a wait is updated in one module."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.cases import case_state
from engine.cases.case_state import IllegalTransition
from models import CaseFile, CaseStatus

ENGINE = Path(case_state.__file__).parents[1]
OPEN, PARKED, CLOSED = CaseStatus.OPEN, CaseStatus.PARKED, CaseStatus.CLOSED
MOMENT = datetime(2026, 1, 5, tzinfo=UTC)
TRANSITIONS: dict[str, tuple[Callable[[CaseFile], None], dict[CaseStatus, CaseStatus]]] = {
    "wake": (case_state.wake, {OPEN: OPEN, PARKED: PARKED}),
    "rest": (case_state.rest, {OPEN: OPEN, PARKED: PARKED, CLOSED: CLOSED}),
    "park": (lambda case: case_state.park(case, "broken"), {OPEN: PARKED, PARKED: PARKED}),
    "resume": (case_state.resume, {OPEN: OPEN, PARKED: OPEN}),
    "close": (lambda case: case_state.close(case, "done", None, MOMENT), {OPEN: CLOSED, CLOSED: CLOSED}),
    "contest": (case_state.contest, {CLOSED: OPEN}),
}


def a_case(**state: Any) -> CaseFile:
    """Return a row that is in no database."""
    return CaseFile(number="NIB-2026-000001", **state)


@pytest.mark.parametrize("source", list(CaseStatus))
@pytest.mark.parametrize("name", TRANSITIONS)
def test_a_case_goes_where_it_may_and_is_refused_elsewhere(name: str, source: CaseStatus) -> None:
    """Each transition leads from the declared states to the declared one; from another it raises, and changes nothing."""
    go, ends = TRANSITIONS[name]
    case = a_case(status=source, ready=source is OPEN, attempts=1)
    before = case.model_dump()
    if source in ends:
        go(case)
        assert case.status == ends[source]
    else:
        with pytest.raises(IllegalTransition, match=f"NIB-2026-000001 is {source}"):
            go(case)
        assert case.model_dump() == before


def test_who_frees_a_case_lets_it_begin_anew() -> None:
    """A parked case that is freed is ready, unleased, at its first attempt, and without its error."""
    case = a_case(status=OPEN, ready=True, attempts=2, leased_until=MOMENT)
    case_state.park(case, "broken")
    assert (case.ready, case.leased_until, case.error) == (False, None, "broken")
    case_state.resume(case)
    assert (case.ready, case.leased_until, case.attempts, case.error) == (True, None, 0, None)


def test_a_contested_case_has_no_end_any_more() -> None:
    """An appeal takes outcome, reason and day of the end away; the ledger keeps them."""
    case = a_case(status=OPEN, ready=False, attempts=0)
    case_state.close(case, "refused", "incomplete", MOMENT)
    assert (case.outcome, case.reason, case.closed_at) == ("refused", "incomplete", MOMENT)
    case_state.contest(case)
    assert (case.outcome, case.reason, case.closed_at, case.ready) == (None, None, None, True)


def test_no_other_module_sets_the_state_of_a_case_or_updates_a_wait() -> None:
    """Columns of the state are assigned in case_state alone, cases updated there, waits in waits."""
    found = set()
    for file in sorted(ENGINE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Assign):
                targets = {one.attr for top in node.targets for one in ast.walk(top) if isinstance(one, ast.Attribute)}
                status = "status" in targets and "CaseStatus." in ast.unparse(node.value)
                if status or targets & {"ready", "attempts", "closed_at"}:
                    found.add((file.stem, "sets the state"))
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "update":
                found.add((file.stem, f"updates {ast.unparse(node.args[0])}"))
    about = {(module, what) for module, what in found if what in ("sets the state", "updates CaseFile")}
    assert about == {("case_state", "sets the state"), ("case_state", "updates CaseFile")}
    assert {module for module, what in found if what == "updates Wait"} == {"waits"}
