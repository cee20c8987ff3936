"""Requests that a machine makes up from the API's own description, with a token of each role, on an office with cases."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from engine.runtime.office import Office
from models import Document, Role, User, UserRole
from tests.people import EVIDENCE, PAPER
from tests.scheduling.small_office import NATIONAL_ID, TO_THE_END, SmallOffice
from tests.web.conftest import advance
from tests.web.conftest import client as client
from web.common.pauses import Pauses

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("blank_papers")]

# Requests of each role in one run; with eleven roles and more this is far above the floor.
OF_EACH_ROLE = 60
FLOOR = 600
ODD = (
    "",
    " ",
    "0",
    "null",
    "../../etc/passwd",
    "a\x00b",
    "sha256:*",
    f"sha256:{'0' * 64}",
    NATIONAL_ID,
    "a" * 5_000,
    "\u202e",
    "😀",
)
WORDS = st.one_of(st.sampled_from(ODD), st.text(max_size=40))
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.just(10**30), st.floats(allow_nan=False, allow_infinity=False), WORDS
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)
Schema = dict[str, Any]


@dataclass
class Ground:
    """The office with cases in several states, and what its API says of itself."""

    client: TestClient
    described: Schema
    numbers: list[str]
    forms: dict[str, list[tuple[str, str, Schema]]]
    tokens: dict[str, dict[str, str]]
    ends: Counter[tuple[str, int]] = field(default_factory=Counter)

    @property
    def operations(self) -> list[tuple[str, str, Schema]]:
        """List method, path and description of every operation, and of the form that signs in."""
        listed = [
            (method.upper(), path, operation)
            for path, methods in self.described["paths"].items()
            for method, operation in methods.items()
        ]
        return [*listed, ("POST", "/login", {}), ("POST", "/logout", {}), ("GET", "/desk", {})]

    @property
    def drawn(self) -> list[tuple[str, str, Schema]]:
        """List the operations as often as they are drawn: what takes most apart, most."""
        return [
            one for one in self.operations for _ in range(6 if "{key}" in one[1] else 2 if "/api/" in one[1] else 1)
        ]


@pytest.fixture
def small(office: Office) -> Iterator[SmallOffice]:
    """The small office on each of the two databases, with an account of every role."""
    office.store.put(PAPER)
    small = SmallOffice(office)
    small._settle_in(12)
    with office.db.writing() as session:
        for role in Role:
            user = User(name=f"a-{role}", region_code="35", created_at=office.clock.now())
            session.add(user)
            session.flush()
            session.add(UserRole(user_id=user.id or 0, role=role))
    yield small


async def at_once(seconds: float) -> None:
    """Wait no time after a wrong token: test_sign_ins.py has the pauses."""


@pytest.fixture
def ground(small: SmallOffice, client: TestClient) -> Ground:
    """Twelve cases: at their end, withdrawn, and at each of the first four questions."""
    client.app.state.pauses = Pauses(at_once)  # type: ignore[attr-defined]  # FastAPI's app, as `create_app` made it
    numbers = small.open(12)
    advance(small)
    for place, steps in enumerate((len(TO_THE_END), 0, *[0, 1, 2, 3] * 2, 1, 1)):
        for key, by, data in TO_THE_END[:steps]:
            small.answer(numbers[place], key, by, data)
            advance(small)
    tokens = {role: small.token(f"a-{role}") for role in Role} | {
        name: small.token(name) for name in ("owner-1", "owner-2")
    }
    reason = {"reason": "tidak jadi"}
    assert client.post(f"/api/v1/cases/{numbers[1]}/withdrawal", json=reason, headers=tokens["owner-2"]).is_success
    advance(small)
    with small.office.db.reading() as session:
        documents = session.exec(select(Document.number).where(col(Document.number).is_not(None))).all()
    inboxes = {whose: client.get("/api/v1/inbox", headers=token).json() for whose, token in tokens.items()}
    forms = {
        whose: [(one["case"], one["question"], one["form"]) for one in waiting] for whose, waiting in inboxes.items()
    }
    described = client.get("/openapi.json").json()
    return Ground(
        client=client,
        described=described,
        numbers=[*numbers, *map(str, documents), "NIB-2026-999999"],
        forms=forms,
        tokens=tokens,
    )


def fitting(schema: Schema, defined: Schema) -> st.SearchStrategy[Any]:
    """Make values that fit a JSON schema, as far as pydantic's schemas go."""
    if "$ref" in schema:
        return fitting(defined[schema["$ref"].rpartition("/")[2]], defined)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if choices := schema.get("anyOf", schema.get("oneOf")):
        return st.one_of([fitting(one, defined) for one in choices])
    match schema.get("type"):
        case "object":
            required = schema.get("required", [])
            fields = {name: fitting(one, defined) for name, one in schema.get("properties", {}).items()}
            needed = {name: value for name, value in fields.items() if name in required}
            more = {name: value for name, value in fields.items() if name not in required}
            return st.fixed_dictionaries(needed) | st.fixed_dictionaries(needed, optional=more)
        case "array":
            return st.lists(fitting(schema.get("items", {}), defined), max_size=3)
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum", -(10**6)), schema.get("maximum", 10**12))
        case "null":
            return st.none()
        case "string" if "sha256" in schema.get("pattern", ""):
            return st.sampled_from([EVIDENCE, f"sha256:{'0' * 64}"])
        case "string" if "pattern" in schema:
            return st.from_regex(schema["pattern"], fullmatch=True, alphabet=st.characters(max_codepoint=126))
        case "string" if schema.get("format") == "date":
            return st.dates().map(str)
        case "string":
            return st.one_of(*[st.sampled_from(["cukup", "sudah diperiksa", "10794"])] * 4, WORDS)
    return ANYTHING


def request_of(draw: Any, ground: Ground, whose: str) -> tuple[str, str, str, dict[str, Any]]:
    """Make up one request: its method, the operation's path, the address, and what goes with it."""
    method, path, operation = draw(st.sampled_from(ground.drawn))
    number = draw(st.one_of(*[st.sampled_from(ground.numbers)] * 3, WORDS))
    key, body = draw(st.sampled_from(["dossier_check#1", "statement#1"]) | WORDS), ANYTHING
    forms = ground.forms.get(whose) or [one for listed in ground.forms.values() for one in listed]
    if path.endswith("{key}") and draw(st.integers(0, 3)):
        number, key, form = draw(st.sampled_from(forms))
        fits = fitting(form, form.get("$defs", {}))
        body = st.one_of(*[fits] * 4, st.dictionaries(WORDS, ANYTHING, max_size=3))
    elif path.endswith("/withdrawal"):
        fits = st.fixed_dictionaries({"reason": st.one_of(st.just("tidak jadi"), st.just("pindah kota"), WORDS)})
        body = st.one_of(*[fits] * 4, ANYTHING)
    address = path.replace("{number}", quoted(number)).replace("{key}", quoted(key))
    more: dict[str, Any] = {"params": draw(arguments(ground, operation))}
    if path.endswith("/imports"):
        content = draw(st.sampled_from([b"", b"PK\x03\x04", b"nama;nik\n1;2\n"]) | st.binary(max_size=200))
        more["files"] = {"file": (draw(st.sampled_from(["a.csv", "../x", ""])), content)}
    elif path == "/login":
        more["data"] = {"token": draw(WORDS)}
    elif method != "GET":
        whole = st.builds(lambda value: json.dumps(value).encode(), body)
        more["content"] = draw(st.one_of(*[whole] * 12, st.binary(max_size=60)))
        kinds = ["application/json"] * 15 + ["text/plain", "application/xml", "multipart/form-data; boundary=x"]
        more["headers"] = {"Content-Type": draw(st.sampled_from(kinds))}
    return method, path, address, more


def arguments(ground: Ground, operation: Schema) -> st.SearchStrategy[dict[str, Any]]:
    """Make up the arguments of an operation, right ones and odd ones."""
    named = {one["name"]: one["schema"] for one in operation.get("parameters", []) if one["in"] == "query"}
    defined = ground.described["components"]["schemas"]
    right = {
        name: st.sampled_from(ground.numbers) if name == "case" else fitting(schema, defined)
        for name, schema in named.items()
    }
    return st.fixed_dictionaries({}, optional={name: st.one_of(value, WORDS) for name, value in right.items()})


def quoted(text: str) -> str:
    """Return a part of an address, with all that is not plain in percent signs; never nothing."""
    return (
        "".join(
            sign
            if sign.isalnum() and sign.isascii()
            else "".join(f"%{byte:02x}" for byte in sign.encode("utf-8", "surrogatepass"))
            for sign in text
        )
        or "%20"
    )


def judge(answer: Response, path: str) -> None:
    """Fail where an answer is a fault of ours, or shows some of the inside."""
    assert answer.status_code < 500, (path, answer.status_code, answer.text[:500])
    assert "Traceback" not in answer.text and 'File "' not in answer.text
    if path.startswith("/api/") and answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


def ask_as(ground: Ground, whose: str, place: int) -> None:
    """Make up requests of one account, others at each ``place`` but always the same there, and judge each answer."""

    @seed(place)
    @settings(
        max_examples=OF_EACH_ROLE,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        method, path, address, more = request_of(data.draw, ground, whose)
        headers = {**more.pop("headers", {}), **ground.tokens.get(whose, {})}
        ground.client.cookies.clear()
        answer = ground.client.request(method, address, headers=headers, **more)
        judge(answer, path)
        ground.ends[f"{method} {path}", answer.status_code // 100] += 1

    ask()


def test_no_made_up_request_is_answered_by_a_fault(ground: Ground, caplog: pytest.LogCaptureFixture) -> None:
    """Every operation with every role: refused in words or done, never a fault; each is done for somebody, too."""
    for place, whose in enumerate([*ground.tokens, "nobody"]):
        with caplog.at_level(logging.ERROR):
            ask_as(ground, whose, place)
        assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [], whose
    asked = sum(ground.ends.values())
    done = {operation for operation, hundred in ground.ends if hundred in (2, 3)}
    print(
        f"{asked} requests to {len(ground.operations)} operations with {len(ground.tokens) + 1} tokens: {dict(ground.ends)}"
    )
    assert asked >= FLOOR
    assert {f"{method} {path}" for method, path, _ in ground.operations} - done == {"POST /login"}, (
        "no token was guessed"
    )
