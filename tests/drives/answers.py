"""What somebody might fill in: known good answers from the replay scripts, and values made from a form's JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st

from engine.definition.registry import Pipeline
from tests.replay.script import EVIDENCE, NATIONAL_IDS, Answers, Script
from tests.replay.scripts import scripts_of

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[T]], T]

PHONE, TAX_ID = "081162319252", "09.254.294.3-407.000"
UNKEPT = f"sha256:{'0' * 64}"
DAY = re.compile(r"\d{4}-\d\d-\d\d")
# The first is what most people write. The others hold what must not get further: markup, an applicant's own numbers.
TEXTS = (
    "sesuai catatan petugas",
    "ya",
    "",
    "<b>tebal</b> & {{ 7 * 7 }} {% raw %}",
    f"NIK saya {NATIONAL_IDS[0]}",
    f"telepon {PHONE} atau +62 811-6231-9252",
    f"NPWP {TAX_ID}",
    "baris satu\r\nbaris dua\tdan tab",
    "“kutip” — café Łódź, 5 °C",
    "enak 😀 สวัสดี",
    "panjang " * 60,
)


def good_answers(pipeline: Pipeline, question: str) -> list[Answers]:
    """Return the answers to a question that the pipeline's scripts give, in whatever round."""
    return [
        act for script in scripts_of(pipeline) for act in _answers(script) if act.question.split("#")[0] == question
    ]


def guided(script: Script, key: str) -> Answers | None:
    """Return what the script answers to ``key``, or in the last round of that question that it tells."""
    name, _, place = key.partition("#")
    told = [act for act in _answers(script) if act.question.split("#")[0] == name]
    return next((act for act in told if act.question == key), told[min(int(place), len(told)) - 1] if told else None)


def _answers(script: Script) -> list[Answers]:
    return [act for act in script.acts if isinstance(act, Answers)]


def moved(value: Any, by: timedelta) -> Any:
    """Return ``value`` with every date in it moved: a script's days become those of the drive."""
    if isinstance(value, Mapping):
        return {name: moved(inner, by) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [moved(inner, by) for inner in value]
    if isinstance(value, str) and DAY.fullmatch(value):
        return (date.fromisoformat(value) + by).isoformat()
    return value


def filled(draw: Draw[Any], form: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Return a form filled in anyhow, by its schema; a field that need not be filled in often is not."""
    data: dict[str, Any] = _object(draw, form, form.get("$defs", {}), today)
    return data


def mutated(draw: Draw[Any], form: Mapping[str, Any], data: dict[str, Any], today: date) -> dict[str, Any]:
    """Return ``data`` with one field changed, left out or invented."""
    name = draw(st.sampled_from([*sorted(form["properties"]), "tidak_ada"]))
    if name == "tidak_ada":
        return {**data, name: "x"}
    if draw(st.integers(0, 4)) == 0:
        return {known: value for known, value in data.items() if known != name}
    return {**data, name: _value(draw, form["properties"][name], form.get("$defs", {}), today)}


def _object(draw: Draw[Any], schema: Mapping[str, Any], defs: Mapping[str, Any], today: date) -> dict[str, Any]:
    required = schema.get("required", [])
    wanted = [name for name in schema.get("properties", {}) if name in required or draw(st.booleans())]
    return {name: _value(draw, schema["properties"][name], defs, today) for name in wanted if name != "own_code"}


def _value(draw: Draw[Any], schema: Mapping[str, Any], defs: Mapping[str, Any], today: date) -> Any:
    if "$ref" in schema:
        return _value(draw, defs[schema["$ref"].rsplit("/", 1)[-1]], defs, today)
    if "anyOf" in schema:
        return _value(draw, draw(st.sampled_from(schema["anyOf"])), defs, today)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    match schema.get("type"):
        case "object":
            return _object(draw, schema, defs, today)
        case "array":
            items: Sequence[Any] = range(draw(st.integers(schema.get("minItems", 0), 3)))
            return [_value(draw, schema.get("items", {"type": "string"}), defs, today) for _ in items]
        case "boolean":
            return draw(st.booleans())
        case "integer":
            return draw(
                st.sampled_from([1, 0, -1, 350_000, 10**12, schema.get("minimum", 2), schema.get("maximum", 3)])
            )
        case "number":
            return draw(st.sampled_from([1, 0, -1, 2.5, schema.get("minimum", 2), schema.get("maximum", 3)]))
        case "null":
            return None
    return _text(draw, schema, today)


def _text(draw: Draw[Any], schema: Mapping[str, Any], today: date) -> str:
    if schema.get("format") == "date":
        days = draw(st.sampled_from([0, -1, 1, -7, 30, 400, -4000]))
        return (today + timedelta(days=days)).isoformat()
    pattern = schema.get("pattern", "")
    if "sha256" in pattern:
        return UNKEPT if draw(st.integers(0, 9)) == 9 else EVIDENCE
    if pattern:
        return str(draw(st.from_regex(pattern, fullmatch=True)))
    text: str = draw(st.sampled_from(TEXTS))
    return text[: schema.get("maxLength", 4000)]
