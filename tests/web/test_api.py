"""The API: who may see and do what, and how it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from httpx import Response
from sqlmodel import col, select, update

from engine.actions.delegate import delegate
from engine.deadlines.clock import JAKARTA, TurnedClock
from engine.people.accounts import add_user
from engine.reports.case_views import case_history, case_view
from engine.reports.inbox import inbox
from engine.reports.pipeline_views import pipeline_list
from models import CaseFile, Mandate, Run, User, Wait
from tests.scheduling.small_office import NATIONAL_ID, SmallOffice
from tests.web.conftest import advance
from web.api.v1 import router

COMPLETE = {"decision": "complete"}


def test_without_a_token_nothing_is_shown(client: TestClient, case: str) -> None:
    """401 as a problem (RFC 9457), with the way in."""
    for headers in ({}, {"Authorization": "Bearer nobody's"}, {"Authorization": "Basic YTpi"}):
        answer = client.get(f"/api/v1/cases/{case}", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["status"] == 401


def test_a_token_works_until_a_new_one_is_made(small: SmallOffice, client: TestClient, case: str) -> None:
    """One account, one token."""
    old = small.token("budi")
    assert client.get(f"/api/v1/cases/{case}", headers=old).status_code == 200
    new = small.token("budi")
    assert client.get(f"/api/v1/cases/{case}", headers=old).status_code == 401
    assert client.get(f"/api/v1/cases/{case}", headers=new).status_code == 200


def test_an_answer_is_recorded_as_a_run_of_its_giver(small: SmallOffice, client: TestClient, case: str) -> None:
    """The ledger's entry names the officer, and its run is of the kind web."""
    budi = small.token("budi")
    answer = client.post(f"/api/v1/cases/{case}/answers/dossier_check%231", json=COMPLETE, headers=budi)
    assert answer.status_code == 201
    assert answer.json() == {"case": case, "question": "dossier_check#1", "entry": 4}
    entry = client.get(f"/api/v1/cases/{case}/history", headers=budi).json()[3]
    assert (entry["actor"], entry["role"], entry["outcome"]) == ("budi", "officer", "complete")
    with small.office.db.reading() as session:
        run = session.get_one(Run, entry["run"])
    assert (run.kind, run.by, run.state, run.cases) == ("web", "budi", "completed", 1)


def test_each_accepted_post_is_a_run_of_its_caller(small: SmallOffice, client: TestClient, case: str) -> None:
    """Whatever changes something: one run of the kind web. Reading leaves none."""
    budi, owner = small.token("budi"), small.token("owner-1")
    business = Path("examples/businesses.csv").read_bytes()
    posts: dict[str, tuple[str, Callable[[], Response]]] = {
        "/cases/{number}/answers/{key}": (
            "budi",
            lambda: client.post(f"/api/v1/cases/{case}/answers/dossier_check", json=COMPLETE, headers=budi),
        ),
        "/cases/{number}/withdrawal": (
            "owner-1",
            lambda: client.post(f"/api/v1/cases/{case}/withdrawal", json={"reason": "tidak jadi"}, headers=owner),
        ),
        "/imports": ("budi", lambda: client.post("/api/v1/imports", files={"file": ("a.csv", business)}, headers=budi)),
    }
    taking = {route.path for route in router.routes if isinstance(route, APIRoute) and route.methods != {"GET"}}
    assert taking == {f"/api/v1{path}" for path in posts}
    for by, post in posts.values():
        known = runs(small)
        assert post().is_success
        assert [run for number, run in runs(small).items() if number not in known] == [("web", by, "completed")]
    known = runs(small)
    assert client.get(f"/api/v1/cases/{case}", headers=budi).is_success
    assert runs(small) == known


def runs(small: SmallOffice) -> dict[str, tuple[str, str | None, str]]:
    """Kind, caller and end of each run."""
    with small.office.db.reading() as session:
        return {run.id: (run.kind, run.by, run.state) for run in session.exec(select(Run))}


def test_the_api_shows_what_the_command_line_shows(small: SmallOffice, client: TestClient, case: str) -> None:
    """One shape for both, but for the places of files."""
    legal, budi = f"/api/v1/cases/{case}", small.token("budi")
    with small.office.db.reading() as session:
        shown, history = case_view(small.office, session, case), case_history(session, case)
        waiting = inbox(small.office, session, whom="budi")
    without_paths = [{key: value for key, value in one.items() if key != "path"} for one in shown["documents"]]
    assert client.get(legal, headers=budi).json() == {**shown, "documents": without_paths}
    assert client.get(f"{legal}/history", headers=budi).json() == history
    assert client.get("/api/v1/inbox", headers=budi).json() == waiting
    assert client.get("/api/v1/pipelines", headers=budi).json() == pipeline_list(small.office.clock.today())


def test_a_second_answer_is_refused_by_name(small: SmallOffice, client: TestClient, case: str) -> None:
    """409, in Indonesian for people and with the parts for programs; the attempt is on record as refused."""
    budi, tuti = small.token("budi"), small.token("tuti")
    client.post(f"/api/v1/cases/{case}/answers/dossier_check%231", json=COMPLETE, headers=budi)
    answer = client.post(f"/api/v1/cases/{case}/answers/dossier_check%231", json=COMPLETE, headers=tuti)
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["title"] == "Not waiting for that answer"
    assert "sudah menerima jawaban" in problem["detail"]
    assert problem["case"] == case
    assert problem["settled_as"] == "answered"
    with small.office.db.reading() as session:
        newest = session.exec(select(Run).order_by(col(Run.started_at).desc())).first()
    assert newest is not None
    assert (newest.by, newest.state) == ("tuti", "refused")


def test_a_form_that_is_filled_in_wrongly_names_its_fields(small: SmallOffice, client: TestClient, case: str) -> None:
    """422 with field and reason; what was typed in is not repeated."""
    wrong = {"decision": NATIONAL_ID}
    answer = client.post(f"/api/v1/cases/{case}/answers/dossier_check", json=wrong, headers=small.token("budi"))
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["fields"]] == ["decision"]
    assert NATIONAL_ID not in answer.text


@pytest.mark.parametrize("body", ["[]", "not json", '"text"'])
def test_a_body_that_is_no_object_is_a_problem(small: SmallOffice, client: TestClient, case: str, body: str) -> None:
    """422, not a traceback."""
    headers = small.token("budi") | {"Content-Type": "application/json"}
    answer = client.post(f"/api/v1/cases/{case}/answers/dossier_check", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_another_role_may_not_answer(small: SmallOffice, client: TestClient, case: str) -> None:
    """A supervisor sees the case and does not check dossiers."""
    add_user(small.office, "sari", ["supervisor"], region="35.08")
    answer = client.post(f"/api/v1/cases/{case}/answers/dossier_check", json=COMPLETE, headers=small.token("sari"))
    assert answer.status_code == 403
    assert "hanya dapat dijawab oleh peran officer" in answer.json()["detail"]


def test_an_owner_sees_their_own_case_only(small: SmallOffice, client: TestClient, case: str) -> None:
    """To another owner the case does not exist, on every path."""
    assert client.get(f"/api/v1/cases/{case}", headers=small.token("owner-1")).status_code == 200
    other = small.token("owner-2")
    assert client.get(f"/api/v1/cases/{case}", headers=other).status_code == 404
    assert client.get(f"/api/v1/cases/{case}/history", headers=other).status_code == 404
    assert client.get("/api/v1/inbox", params={"case": case}, headers=other).status_code == 404
    assert client.post(f"/api/v1/cases/{case}/withdrawal", json={"reason": "batal"}, headers=other).status_code == 404
    assert client.post(f"/api/v1/cases/{case}/answers/dossier_check", json={}, headers=other).status_code == 404


def test_a_mandate_opens_the_case_until_it_is_revoked(small: SmallOffice, client: TestClient, case: str) -> None:
    """Somebody who acts for the owner sees what the owner sees."""
    office = small.office
    with office.db.writing() as session:
        mandated = session.exec(select(User).where(User.name == "owner-2")).one()
        mandate = Mandate(
            owner_id=1,
            user_id=mandated.id or 0,
            since=office.clock.today(),
            paper_sha256="0" * 64,
            recorded_by_id=1,
            recorded_at=office.clock.now(),
        )
        session.add(mandate)
    headers = small.token("owner-2")
    assert client.get(f"/api/v1/cases/{case}", headers=headers).status_code == 200
    with office.db.writing() as session:
        mandate.revoked_at = office.clock.now()
        session.add(mandate)
    assert client.get(f"/api/v1/cases/{case}", headers=headers).status_code == 404


def test_an_officer_of_another_region_does_not_see_it(small: SmallOffice, client: TestClient, case: str) -> None:
    """Regions are kept apart in lists, too."""
    with small.office.db.writing() as session:
        tuti = session.exec(select(User).where(User.name == "tuti")).one()
        tuti.region_code = "3574"
        session.add(tuti)
    headers = small.token("tuti")
    assert client.get(f"/api/v1/cases/{case}", headers=headers).status_code == 404
    assert client.get("/api/v1/inbox", headers=headers).json() == []


def test_the_inbox_holds_what_is_for_who_asks(small: SmallOffice, client: TestClient, case: str) -> None:
    """An officer's check is not in the companion's inbox."""
    [waiting] = client.get("/api/v1/inbox", headers=small.token("budi")).json()
    assert (waiting["case"], waiting["question"], waiting["role"]) == (case, "dossier_check#1", "officer")
    assert waiting["form"]["properties"]["decision"]
    assert client.get("/api/v1/inbox", headers=small.token("ani")).json() == []


def test_who_stands_in_finds_it_on_every_page_and_answers(small: SmallOffice, client: TestClient, case: str) -> None:
    """tuti, of another region, is away; ani, a companion of a third, answers for her on Monday and sees nothing on Tuesday."""
    office = small.office
    office.clock = clock = TurnedClock(datetime(2026, 11, 23, 9, tzinfo=JAKARTA))
    for name, region in (("ani", "3574"), ("budi", "3574"), ("tuti", "3508")):
        with office.db.writing() as session:
            user = session.exec(select(User).where(User.name == name)).one()
            user.region_code = region
            session.add(user)
    ani, path = small.token("ani"), f"/api/v1/cases/{case}"
    assert client.get(path, headers=ani).status_code == 404
    with office.run("cli", by="tuti") as run:
        today = office.clock.today()
        delegate(office, run, "tuti", "ani", until=today, reason="cuti tahunan", by="tuti")
    [waiting] = client.get("/api/v1/inbox", headers=ani).json()
    assert (waiting["question"], waiting["on_behalf_of"]) == ("dossier_check#1", "tuti")
    assert [one["case"] for one in client.get("/api/v1/inbox", params={"case": case}, headers=ani).json()] == [case]
    client.post("/login", data={"token": ani["Authorization"].removeprefix("Bearer ")})
    assert f"{case} · sampai" in client.get("/desk").text and "atas nama tuti" in client.get("/desk").text
    clock.turn(hours=15)
    assert client.get("/api/v1/inbox", headers=ani).json() == []
    assert client.post(f"{path}/answers/dossier_check%231", json=COMPLETE, headers=ani).status_code == 404
    clock.turn(seconds=-1)
    assert client.post(f"{path}/answers/dossier_check%231", json=COMPLETE, headers=ani).status_code == 201
    entry = client.get(f"{path}/history", headers=ani).json()[3]
    assert (entry["actor"], entry["role"], entry["on_behalf_of"]) == ("ani", "officer", "tuti")


def test_what_a_colleague_holds_is_in_nobody_elses_inbox(small: SmallOffice, client: TestClient, case: str) -> None:
    """It was given to budi by name, and tuti could not answer it."""
    with small.office.db.writing() as session:
        session.execute(update(Wait).values(holder="budi"))
    assert client.get("/api/v1/inbox", headers=small.token("tuti")).json() == []
    assert len(client.get("/api/v1/inbox", headers=small.token("budi")).json()) == 1


def test_a_withdrawal_ends_the_case(small: SmallOffice, client: TestClient, case: str) -> None:
    """The owner takes it back; the next run closes it."""
    headers = small.token("owner-1")
    answer = client.post(f"/api/v1/cases/{case}/withdrawal", json={"reason": "tidak jadi"}, headers=headers)
    assert answer.status_code == 200
    advance(small)
    with small.office.db.reading() as session:
        assert session.exec(select(CaseFile.outcome).where(CaseFile.number == case)).one() == "withdrawn"
    again = client.post(f"/api/v1/cases/{case}/withdrawal", json={"reason": "tidak jadi"}, headers=headers)
    assert again.status_code == 409


def test_pipelines_are_listed(small: SmallOffice, client: TestClient) -> None:
    """As `jalur pipelines` shows them."""
    [nib] = [
        one for one in client.get("/api/v1/pipelines", headers=small.token("ani")).json() if one["name"][:3] == "nib"
    ]
    assert "dossier_check" in [question["name"] for question in nib["questions"]]


def test_a_file_of_businesses_is_taken_over_once(small: SmallOffice, client: TestClient) -> None:
    """The same file again changes nothing."""
    with open("examples/businesses.csv", "rb") as example:
        content = example.read()
    budi = small.token("budi")
    first = client.post("/api/v1/imports", files={"file": ("usaha.csv", content)}, headers=budi)
    assert first.status_code == 201
    assert first.json()["accepted"] > 0
    second = client.post("/api/v1/imports", files={"file": ("usaha.csv", content)}, headers=budi)
    assert second.json()["accepted"] == 0


def test_who_may_not_import_is_refused(small: SmallOffice, client: TestClient) -> None:
    """A companion registers nobody."""
    answer = client.post("/api/v1/imports", files={"file": ("usaha.csv", b"x")}, headers=small.token("ani"))
    assert answer.status_code == 403


def test_a_file_that_is_too_large_is_refused_unread(small: SmallOffice, client: TestClient) -> None:
    """413 before it is parsed."""
    large = {"file": ("usaha.csv", b"0" * (11 * 2**20))}
    answer = client.post("/api/v1/imports", files=large, headers=small.token("budi"))
    assert answer.status_code == 413
    assert "10 MiB" in answer.json()["detail"]
