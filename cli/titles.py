"""Put the Indonesian titles of endings and papers in place of their codes."""

from __future__ import annotations

from typing import Any

from cli.language import language
from engine.definition.registry import Pipeline, pipeline_named
from engine.errors import Refused


def case_in_words(shown: dict[str, Any]) -> dict[str, Any]:
    """Return what ``jalur case show`` tells, with the titles of its ending and papers."""
    pipeline = _titled(shown["pipeline"], shown["pipeline_version"])
    if pipeline is None:
        return shown
    papers = [{**one, "kind": pipeline.paper(one["kind"]).title} for one in shown["documents"]]
    return {**shown, "outcome": _title(pipeline, shown["outcome"]), "documents": papers}


def history_in_words(pipeline_name: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries of a case's ledger, with the title of its ending."""
    pipelines = {version: _titled(pipeline_name, version) for version in {one["pipeline_version"] for one in entries}}
    return [{**one, "outcome": _title(pipelines[one["pipeline_version"]], one["outcome"])} for one in entries]


def _titled(name: str, version: int) -> Pipeline | None:
    """Return the pipeline that has the titles; None in English, and where its code is gone."""
    try:
        return pipeline_named(name, version) if language() == "id" else None
    except Refused:
        return None


def _title(pipeline: Pipeline | None, outcome: str | None) -> str | None:
    endings = {str(one): one.title_id for one in pipeline.outcomes} if pipeline else {}
    return endings.get(outcome or "", outcome)
