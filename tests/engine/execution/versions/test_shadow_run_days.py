"""A case that is shadowed under the rules of another day: that day is one, wherever the code looks at it."""

from __future__ import annotations

from datetime import date

from tests.engine.conftest import Begin
from tests.engine.execution.versions.test_shadow_run import Looks, visited
from tests.engine.execution.versions.test_shadow_run import looks as looks
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop


def test_under_the_rules_of_another_day_a_case_reads_that_day(begin: Begin, workshop: Workshop, looks: Looks) -> None:
    """As a case that is moved there would."""
    by_day = [
        ("    WITHDRAWN =", '    REFUSED = "refused", "Ditolak"\n    WITHDRAWN ='),
        ("    thank(case)", "    if case.opened_on.month > 1: return Outcome.REFUSED\n    thank(case)"),
    ]
    workshop.write(FARM_VISIT, "made_up", *by_day)
    visited(begin)
    assert looks(rules_on=date(2026, 1, 20))["same"] == 1
    [found] = looks(rules_on=date(2026, 3, 2))["different"]
    assert (found["was"], found["would"], found["first_difference"]) == ("done", "refused", "closed#1")
