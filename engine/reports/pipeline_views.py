"""The pipelines and their rules, in the shapes of the command line's JSON."""

from __future__ import annotations

from datetime import date
from typing import Any

from engine.definition.forms import Question
from engine.definition.registry import Pipeline, current, pipeline_named
from rules import RulesAt


def pipeline_list(on: date) -> list[dict[str, Any]]:
    """Return the pipelines as ``jalur pipelines`` prints them, with the budgets of ``on``."""
    return [
        {
            "name": pipeline.name,
            "title": pipeline.title,
            "version": pipeline.version,
            "steps": list(pipeline.steps),
            "questions": [
                {"name": question.name, "role": str(question.of), "budget": _budget(pipeline, question, on)}
                for question in pipeline.questions.values()
            ],
            "documents": [*pipeline.papers, *(kind for appeal in pipeline.appeals for kind in appeal.papers)],
            "outcomes": [{"code": str(outcome), "title": outcome.title_id} for outcome in pipeline.outcomes],
        }
        for pipeline in current()
    ]


def rule_list(pipeline: str | None, on: date | None) -> list[dict[str, Any]]:
    """Return the rows of the rule books as ``jalur rules`` prints them.

    With ``on``, return only the rows in force on that day.
    A row's remark (on an uncertain date, for example) follows its citation here; applicants are shown the citation alone.

    Raises:
        Refused: there is no such pipeline.
    """
    return [
        {
            "pipeline": one.name,
            "name": rule.name,
            "value": rule.value,
            "unit": rule.unit,
            "since": rule.since.isoformat(),
            "until": rule.until.isoformat() if rule.until else None,
            "citation": f"{rule.citation}. {rule.remark}" if rule.remark else rule.citation,
            "standing": rule.standing,
        }
        for one in ([pipeline_named(pipeline)] if pipeline else current())
        for rule in (one.rules.in_force(on) if on else one.rules.rows())
    ]


def _budget(pipeline: Pipeline, question: Question[Any], on: date) -> dict[str, Any] | None:
    rule = RulesAt(pipeline.rules, on).peek(question.due) if question.due else None
    return {"days": rule.value, "unit": rule.unit} if rule else None
