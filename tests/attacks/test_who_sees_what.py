"""Who sees what: every route of the web app, for every role, with the accounts that should and should not see a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from httpx import Response
from sqlmodel import select

from engine.actions.delegate import delegate
from engine.actions.end_account import end_account
from engine.actions.reassign import reassign
from engine.cases.opening import open_cases
from engine.deadlines.clock import TurnedClock
from engine.definition.registry import pipeline_named
from engine.errors import NotAllowed
from engine.execution.drain import drain
from engine.people.accounts import add_user, give_token
from engine.people.intake.importing import Imported, import_file, take_over, upload
from engine.people.mandates import add_mandate
from engine.people.permissions import user_ever_named
from engine.people.roles import roles_of
from engine.people.sight import visible_numbers
from engine.runtime.office import Office
from engine.runtime.settings import Environment, Settings
from models import CaseFile, Role, Wait
from tests.conftest import DATABASES, MASTER_KEY, MATRIX, START, named, on_server
from tests.engine.conftest import Begin
from tests.engine.conftest import begin as begin
from tests.engine.conftest import workshop as workshop
from tests.engine.people.intake.listing import as_csv, row
from tests.people import EVIDENCE, PAPER, register_business
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.story import Story
from web.app import create_app
from web.common.pauses import Pauses

PIPELINE = "nib-legalization"
HERE, FAR = "3508", "3578"
WHY = "serangan percobaan"

# The accounts of each role. HERE: of the region 3508; NOWHERE: without a region; AWAY: a companion without a region who stands
# in for HERE; ENDED: an ended one of 3508 whose token and cookie were kept. Applicants: the owner, another, one with a mandate.
KINDS = ("here", "nowhere", "stand-in", "ended")
STAFF = [role for role in Role if role is not Role.APPLICANT]
PARTNERS = {Role.COMPANION, Role.ASSESSOR, Role.CURATOR, Role.PLENARY, Role.PANEL_CHAIR}
EVERYWHERE = {Role.OFFICE_HEAD, Role.ADMINISTRATOR, Role.AUDITOR}
MAY_IMPORT = {Role.OFFICER, Role.SUPERVISOR, Role.ADMINISTRATOR}
# The cases, by their owner and region: near and far, one in the far region of which every account held a question, and the
# same three once more for the acts that would change them.
CASES = ("near", "far", "held", "near-2", "far-2", "held-2")
# The one case that each applicant may see; trusted holds a mandate of owner-1, and owner-4 has ended.
OWN = {"owner-1": "near", "owner-2": "far", "trusted": "near"}
# Of so many calls the turn of one account consists.
CALLS_OF_ONE = 38
# Every day these; the others in CI.
EVERY_DAY = {Role.COMPANION, Role.OFFICER, Role.ADMINISTRATOR}


def sees(role: Role, kind: str, case: str) -> bool:
    """Return whether an account may see a case: the rule, told once more and in other words."""
    case = case.removesuffix("-2")
    if kind == "ended":
        return False
    if case == "held":
        return True
    if role in PARTNERS:
        return False
    if kind == "nowhere":
        return role in EVERYWHERE
    return case == "near"


async def at_once(seconds: float) -> None:
    """Wait no time after the token of an ended account: test_sign_ins.py has the pauses."""


@dataclass
class World:
    """An office on one database, its app, the number of each case, and how each account signs in."""

    office: Office
    app: FastAPI
    cases: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)


@pytest.fixture(scope="module", params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated and empty database of this module's own."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("sight") / "jalur.db"
        file.write_bytes(Path(request.getfixturevalue("sqlite_template")).read_bytes())
        return f"sqlite:///{file}"
    server, template = request.getfixturevalue("postgres"), request.getfixturevalue("postgres_template")
    name = f"sight_{uuid4().hex[:8]}"
    on_server(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    return named(server, name)


@pytest.fixture(scope="module")
def world(url: str, tmp_path_factory: pytest.TempPathFactory, signer_folder: Path) -> Iterator[World]:
    """Cases here and there, and an account of each kind for each role."""
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        env=Environment.TEST,
        database_url=url,
        master_key=MASTER_KEY,
        signer_key=signer_folder / "office-demo.key.pem",
        signer_certificate=signer_folder / "office-demo.cert.pem",
    )
    office = Office.open(settings, TurnedClock(START))
    office.store.put(PAPER)
    regions = {case: HERE if case.startswith("near") else FAR for case in CASES}
    subjects = [
        register_business(office, f"35081669049562{place:02d}", region_code=regions[case])
        for place, case in enumerate(CASES, start=20)
    ]
    with office.run("cli", by="test") as run:
        numbers = open_cases(office, run, pipeline_named(PIPELINE), subjects, by="test").opened
        drain(office, run, PIPELINE)
    app = create_app(office, advance=False)
    app.state.pauses = Pauses(at_once)
    world = World(office, app, dict(zip(CASES, numbers, strict=True)))
    for role in STAFF:
        _hire(world, role)
    _hire_applicants(world)
    yield world
    office.close()


def _hire(world: World, role: Role) -> None:
    office = world.office
    for kind in KINDS:
        name = f"{role}-{kind}"
        region = HERE if kind in ("here", "ended") else None
        add_user(office, name, [Role.COMPANION if kind == "stand-in" else role], region=region)
        _sign_in(world, name)
    with office.run("cli", by="test") as run:
        until = office.clock.today() + timedelta(days=30)
        stand_in, away = f"{role}-stand-in", f"{role}-here"
        delegate(office, run, away, stand_in, until=until, reason=WHY, by=away)
        for kind in ("here", "nowhere", "ended"):
            _let_hold(world, f"{role}-{kind}", role)
        end_account(office, run, f"{role}-ended", reason=WHY)


def _hire_applicants(world: World) -> None:
    """Let two owners, one with a mandate of the first, and an owner who has ended sign in."""
    office = world.office
    add_user(office, "trusted", ["applicant"])
    add_user(office, "recorder", ["officer"], region=HERE)
    add_mandate(office, "owner-1", "trusted", paper=EVIDENCE, by="recorder", since=office.clock.today())
    for name in ("owner-1", "owner-2", "owner-4", "trusted"):
        _sign_in(world, name)
    with office.run("cli", by="test") as run:
        end_account(office, run, "owner-4", reason=WHY)


def _sign_in(world: World, name: str) -> None:
    """Keep the account's token, and the cookies of a sign-in with it."""
    world.tokens[name] = give_token(world.office, name)
    with TestClient(world.app, follow_redirects=False) as browser:
        browser.post("/login", data={"token": world.tokens[name]})
        world.cookies[name] = dict(browser.cookies)


def _let_hold(world: World, name: str, role: Role) -> None:
    """Write that the account once held a question of the held cases."""
    with world.office.db.writing() as session:
        for case in ("held", "held-2"):
            row = session.exec(select(CaseFile).where(CaseFile.number == world.cases[case])).one()
            now = world.office.clock.now()
            held: dict[str, Any] = {"case_id": row.id, "key": f"held_by_{name}#1", "pipeline": PIPELINE}
            ended: dict[str, Any] = {"asked_at": now, "settled_at": now, "settled_as": "answered"}
            session.add(Wait(**held, **ended, kind="person", role=role, holder=name, arguments_hash=""))


@dataclass(frozen=True)
class Caller:
    """One account at the web app; every call is counted."""

    world: World
    name: str
    role: Role
    kind: str
    calls: list[str] = field(default_factory=list)

    def call(self, method: str, path: str, **how: Any) -> Response:
        """Call with the account's token."""
        self.calls.append(f"{method} {path}")
        headers = {"Authorization": f"Bearer {self.world.tokens[self.name]}"}
        answer: Response = self.browser().request(method, path, headers=headers, **how)
        return answer

    def browse(self, method: str, path: str, **how: Any) -> Response:
        """Call with the account's cookies, as a browser does."""
        self.calls.append(f"{method} {path}")
        browser = self.browser()
        browser.cookies.update(self.world.cookies[self.name])
        answer: Response = browser.request(method, path, **how)
        return answer

    def browser(self) -> TestClient:
        """Return a browser without anything."""
        return TestClient(self.world.app, raise_server_exceptions=False, follow_redirects=False)

    def sees(self, case: str) -> bool:
        """Return whether the account should see that case."""
        if self.role is Role.APPLICANT:
            return case == OWN.get(self.name)
        return sees(self.role, self.kind, case)

    @property
    def is_ended(self) -> bool:
        """Return whether the account has ended."""
        return self.kind == "ended"


def shows_only(caller: Caller, text: str) -> None:
    """Hold what is shown against what the account may see: no other case's number stands there."""
    shown = {case for case, number in caller.world.cases.items() if number in text}
    assert {case for case in shown if not caller.sees(case)} == set(), caller.name


def public(method: str, path: str, status: int = 200) -> Callable[[Caller], None]:
    """Return a try of a route that answers everybody alike."""

    def tried(caller: Caller) -> None:
        answer = caller.call(method, path)
        assert answer.status_code == status, (caller.name, path)
        assert not any(number in answer.text for number in caller.world.cases.values())

    return tried


def check(caller: Caller) -> None:
    """The public check says the same to everybody."""
    for case in ("near", "far"):
        said = caller.call("GET", f"/check/{caller.world.cases[case]}")
        stranger = caller.browser().get(f"/check/{caller.world.cases[case]}")
        assert (said.status_code, said.text) == (stranger.status_code, stranger.text)


def sign_in(caller: Caller) -> None:
    """A token in force signs in; that of an ended account does not."""
    answer = caller.call("POST", "/login", data={"token": caller.world.tokens[caller.name]})
    assert answer.status_code == (401 if caller.is_ended else 303), caller.name


def desk(caller: Caller) -> None:
    """The desk lists cases that the account may see; to an ended one it is shut."""
    answer = caller.browse("GET", "/desk")
    assert answer.status_code == (303 if caller.is_ended else 200), caller.name
    shows_only(caller, answer.text)


def inbox(caller: Caller) -> None:
    """The inbox too; asked for one case that is not theirs, it knows of none."""
    answer = caller.call("GET", "/api/v1/inbox")
    assert answer.status_code == (401 if caller.is_ended else 200), caller.name
    shows_only(caller, answer.text)
    for case, number in caller.world.cases.items():
        one = caller.call("GET", f"/api/v1/inbox?case={number}")
        assert one.status_code == (401 if caller.is_ended else 200 if caller.sees(case) else 404), (caller.name, case)


def reading(path: str) -> Callable[[Caller], None]:
    """Return a try of a route that shows one case: there, or as if it did not exist."""

    def tried(caller: Caller) -> None:
        for case, number in caller.world.cases.items():
            answer = caller.call("GET", path.format(number=number))
            wanted = 401 if caller.is_ended else 200 if caller.sees(case) else 404
            assert answer.status_code == wanted, (caller.name, case, path)
        assert caller.call("GET", path.format(number="NIB-2026-999999")).status_code == (
            401 if caller.is_ended else 404
        )

    return tried


def acting(path: str, body: dict[str, Any]) -> Callable[[Caller], None]:
    """Return a try of a route that changes one case: an unseen one does not exist for it."""

    def tried(caller: Caller) -> None:
        for case in ("near-2", "far-2", "held-2"):
            answer = caller.call("POST", path.format(number=caller.world.cases[case]), json=body)
            if caller.is_ended:
                assert answer.status_code == 401, (caller.name, case)
            elif caller.sees(case):
                assert answer.status_code in (200, 201, 403, 409, 422), (caller.name, case, answer.text)
            else:
                assert answer.status_code == 404, (caller.name, case, answer.text)

    return tried


def importing(caller: Caller) -> None:
    """An importer's region bounds the import; without a region, and in other roles, nothing comes in."""
    listed = as_csv(row(1, region_code=HERE), row(2, region_code=FAR)).encode()
    answer = caller.call("POST", "/api/v1/imports?dry_run=true", files={"file": ("usaha.csv", listed)})
    if caller.is_ended:
        assert answer.status_code == 401
    elif (
        caller.role not in MAY_IMPORT
        or caller.kind == "stand-in"
        or (caller.kind == "nowhere" and caller.role is not Role.ADMINISTRATOR)
    ):
        assert answer.status_code == 403, caller.name
    else:
        assert answer.status_code == 201, answer.text
        outside = [] if caller.kind == "nowhere" else [(3, "region_code")]
        assert [(one["line"], one["column"]) for one in answer.json()["refused"]] == outside


# Each route of the app and how it is tried. A route that is missing here fails the first test.
TRIES: dict[tuple[str, str], Callable[[Caller], None]] = {
    ("GET", "/openapi.json"): public("GET", "/openapi.json"),
    ("GET", "/health"): lambda caller: public("GET", "/health")(caller),
    ("GET", "/static/page.css"): public("GET", "/static/page.css"),
    ("GET", "/check/{number}"): check,
    ("GET", "/login"): public("GET", "/login"),
    ("POST", "/login"): sign_in,
    ("POST", "/logout"): public("POST", "/logout", 303),
    ("GET", "/desk"): desk,
    ("GET", "/api/v1/pipelines"): lambda caller: public("GET", "/api/v1/pipelines", 401 if caller.is_ended else 200)(
        caller
    ),
    ("GET", "/api/v1/cases/{number}"): reading("/api/v1/cases/{number}"),
    ("GET", "/api/v1/cases/{number}/history"): reading("/api/v1/cases/{number}/history"),
    ("GET", "/api/v1/inbox"): inbox,
    ("POST", "/api/v1/cases/{number}/answers/{key}"): acting("/api/v1/cases/{number}/answers/no_such%231", {}),
    ("POST", "/api/v1/cases/{number}/withdrawal"): acting("/api/v1/cases/{number}/withdrawal", {"reason": WHY}),
    ("POST", "/api/v1/imports"): importing,
}


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    """Return each route of the app that takes a method, with the methods that it takes; HEAD is GET without a body."""
    found = set()
    for route in iter_route_contexts(app.routes):
        taken = set(route.methods or ()) - {"HEAD", "OPTIONS"}
        found |= {(method, route.path or "") for method in taken}
    return found


def test_every_route_of_the_app_is_tried(world: World) -> None:
    """A new route stands in the table above, or this fails."""
    assert routes_of(world.app) == set(TRIES)


def take_turn(caller: Caller, record: Callable[[str, object], None]) -> None:
    """Try every route for one account, and count the calls."""
    for tried in TRIES.values():
        tried(caller)
    assert len(caller.calls) >= CALLS_OF_ONE
    record(MATRIX, len(caller.calls))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "role", [pytest.param(role, marks=() if role in EVERY_DAY else pytest.mark.slow) for role in STAFF]
)
def test_staff_and_partners_see_what_is_theirs(
    world: World, role: Role, kind: str, record_property: Callable[[str, object], None]
) -> None:
    """Every route, for cases near, far and held, and for such as the call may change."""
    take_turn(Caller(world, f"{role}-{kind}", role, kind), record_property)


@pytest.mark.parametrize(
    ("name", "kind"), [("owner-1", "own"), ("owner-2", "other"), ("trusted", "mandated"), ("owner-4", "ended")]
)
def test_applicants_see_their_own(
    world: World, name: str, kind: str, record_property: Callable[[str, object], None]
) -> None:
    """The owner and who holds a mandate see the owner's case; another owner sees another, an ended one none."""
    take_turn(Caller(world, name, Role.APPLICANT, kind), record_property)


def seen(story: Story, name: str) -> bool:
    """Return whether the account sees the story's case."""
    office = story.office
    with office.db.reading() as session:
        user, today = user_ever_named(session, name), office.clock.today()
        return story.number in visible_numbers(session, user, roles_of(session, user, today), {story.number}, today)


@pytest.fixture
def companions(office: Office) -> None:
    """Companions of Lumajang, of Surabaya, and of nowhere."""
    for name, region in (("lusi", "35.08"), ("susi", "35.78"), ("yusi", None), ("tina", "3508")):
        add_user(office, name, ["companion"], region=region)


def test_partners_see_what_waits_for_their_whole_role(begin: Begin, companions: None, workshop: Workshop) -> None:
    """In their region and while it waits; afterwards it stays with who took it, and with nobody else."""
    workshop.write(FARM_VISIT, "made_up")
    story = begin()
    everybody = ("lusi", "tina", "susi", "yusi")
    assert [seen(story, name) for name in everybody] == [False, False, False, False], "it waits for an officer"
    story.answers("budi", "visit#1", decision="fine")
    assert [seen(story, name) for name in everybody] == [True, True, False, False]
    story.answers("lusi", "sample#1", decision="fine")
    assert [seen(story, name) for name in everybody] == [True, False, False, False]


def test_partners_see_on_what_was_taken_from_them(
    begin: Begin, office: Office, companions: None, workshop: Workshop, clock: TurnedClock
) -> None:
    """Who held it may still look, who is asked now as well, others not."""
    workshop.write(FARM_VISIT, "made_up", ("ask(SAMPLE)", 'ask(SAMPLE, to="susi")'))
    story = begin(region_code="3578")
    story.answers("budi", "visit#1", decision="fine")
    assert [seen(story, name) for name in ("susi", "yusi", "lusi")] == [True, False, False]
    with office.run("cli", by="admin") as run:
        reassign(office, run, story.number, None, to="yusi", by="admin", reason=WHY)
    assert [seen(story, name) for name in ("susi", "yusi", "lusi")] == [True, True, False]


def test_an_import_takes_only_the_importers_region(office: Office) -> None:
    """A row of another region is refused alone, and what the register knows of its person stays unsaid."""
    add_user(office, "lusi", ["officer"], region="35.08")
    add_user(office, "kadis", ["administrator"])
    listed = as_csv(row(1, region_code=HERE), row(2, region_code=FAR)).encode()
    by_all = taken(office, "kadis", listed)
    assert (by_all.accepted, by_all.refused) == (2, [])
    again = taken(
        office, "lusi", as_csv(row(2, region_code=FAR, business_name="Lain"), row(3, region_code=HERE)).encode()
    )
    assert again.accepted == 1
    [remark] = again.refused
    assert (remark.line, remark.column) == (2, "region_code")
    assert "di luar wilayah tugas Anda (3508)" in remark.reason and "terdaftar" not in remark.reason


def test_who_uploaded_a_file_bounds_it_whoever_takes_it_over(office: Office) -> None:
    """The intake flow runs as nobody in particular."""
    add_user(office, "lusi", ["officer"], region="35.08")
    listed = as_csv(row(1, region_code=HERE), row(2, region_code=FAR)).encode()
    with office.run("web", by="lusi") as run:
        number = upload(office, run, name="usaha.csv", content=listed)
    with office.run("flow", by="unattributed") as run:
        imported = take_over(office, run, number)
    assert (imported.accepted, [remark.column for remark in imported.refused]) == (1, ["region_code"])


@pytest.mark.parametrize(("role", "region"), [("companion", "3508"), ("officer", None), ("auditor", None)])
def test_who_may_not_import_or_has_no_region_imports_nothing(office: Office, role: str, region: str | None) -> None:
    """Refused before the file is looked into."""
    add_user(office, "lusi", [role], region=region)
    with pytest.raises(NotAllowed):
        taken(office, "lusi", as_csv(row(1)).encode())


def taken(office: Office, by: str, content: bytes) -> Imported:
    """Import a file in a run of ``by``."""
    with office.run("web", by=by) as run:
        return import_file(office, run, name="usaha.csv", content=content)
