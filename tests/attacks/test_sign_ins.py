"""Guessed codes and tokens, forged cookies, foreign hosts: each guess costs more, and nobody pays for another's."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from engine.deadlines.clock import TurnedClock
from engine.people import own_codes
from engine.people.accounts import give_own_code, give_token
from engine.people.attempts import TooManyAttempts
from engine.people.own_codes import proved
from engine.runtime.office import Office
from engine.runtime.settings import Environment
from models import Attempt, CaseFile
from tests.people import hire_staff, register_business
from tests.stories.nib_legalization.conftest import NibStory
from web.app import create_app
from web.common.pauses import MOST, Pauses

pytestmark = pytest.mark.usefixtures("blank_papers")
SIGN: dict[str, Any] = {"decision": "sign", "k3l": True, "spatial": True, "sppl": True}
HOME, THIEF = "198.51.100.7", "203.0.113.9"
OWNER = "owner-1"


class Guessing:
    """Somebody with a stolen token who guesses the code to it."""

    def __init__(self, office: Office, clock: TurnedClock) -> None:
        self.office, self.clock = office, clock
        self.code = give_own_code(office, OWNER)
        self.wrong = f"{(int(self.code) + 1) % 10**8:08d}"

    def is_right(self, code: str, address: str) -> bool:
        """Give a code from an address; return whether it is proved."""
        return proved(self.office, OWNER, {"own_code": code}, address=address)["own_code"] not in (code, "wrong")

    def guess(self, address: str) -> int:
        """Give a wrong code; return the seconds to wait where it was not even looked at."""
        try:
            assert not self.is_right(self.wrong, address)
        except TooManyAttempts as error:
            return error.seconds
        return 0


@pytest.fixture
def guessing(office: Office, clock: TurnedClock) -> Guessing:
    """An owner with a code, and a thief with the owner's token."""
    hire_staff(office)
    register_business(office)
    return Guessing(office, clock)


@pytest.fixture
def client(office: Office) -> Iterator[TestClient]:
    """A browser, whose requests a trusted proxy hands on."""
    office.settings = office.settings.model_copy(update={"trusted_proxies": "127.0.0.1"})
    app = create_app(office, advance=False)
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False, client=("127.0.0.1", 5000)) as client:
        yield client


def test_each_wrong_code_waits_twice_as_long(guessing: Guessing, clock: TurnedClock) -> None:
    """Five are looked at; then 30 s, 60 s, … an hour, also for the right code, and also after a restart."""
    waited = []
    for _ in range(5):
        assert guessing.guess(THIEF) == 0
    for _ in range(10):
        again = Office.open(guessing.office.settings, clock)
        guessing.office, office = again, guessing.office
        waited.append(guessing.guess(THIEF))
        with pytest.raises(TooManyAttempts):
            guessing.is_right(guessing.code, THIEF)
        clock.turn(seconds=waited[-1] - 1)
        assert guessing.guess(THIEF) == 1
        clock.turn(seconds=1)
        assert guessing.guess(THIEF) == 0
        guessing.office = office
        again.close()
    assert waited == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    clock.turn(hours=1)
    assert guessing.is_right(guessing.code, THIEF)
    assert [guessing.guess(THIEF) for _ in range(5)] == [0] * 5  # the right one began the count anew


def test_nobody_locks_anothers_account(guessing: Guessing, clock: TurnedClock) -> None:
    """Fifty guesses from one address and from twenty: the owner signs at once where they never failed."""
    for address in [THIEF] * 30 + [f"203.0.113.{number}" for number in range(20)]:
        guessing.guess(address)
    assert guessing.is_right(guessing.code, HOME)
    for _ in range(10):
        guessing.guess(THIEF)
    # Where the owner signed before, their own slips count alone.
    assert guessing.guess(HOME) == guessing.guess(HOME) == 0
    assert guessing.is_right(guessing.code, HOME)


def test_many_addresses_are_one_guess_each(guessing: Guessing) -> None:
    """A thief with a thousand addresses has a thousand guesses at a hundred million codes, not five thousand."""
    addresses = [f"203.0.{part}.{number}" for part in range(2) for number in range(20)]
    looked_at = sum(guessing.guess(address) == 0 for _ in range(5) for address in addresses)
    assert looked_at == len(addresses)


def test_one_household_has_one_address_in_ipv6(guessing: Guessing) -> None:
    """Its provider gives it 2^64 of them."""
    looked_at = sum(guessing.guess(f"2001:db8:1:2:{number:x}::1") == 0 for number in range(50))
    assert looked_at == 5


@pytest.mark.both_databases
def test_a_burst_of_guesses_is_five_guesses(guessing: Guessing) -> None:
    """Thirty at the same moment do not all slip in before the first is counted."""
    with ThreadPoolExecutor(10) as many:
        waited = list(many.map(lambda _: guessing.guess(THIEF), range(30)))
    assert waited.count(0) == 5


def test_a_new_code_begins_anew_and_old_attempts_go(guessing: Guessing, clock: TurnedClock, office: Office) -> None:
    """The way out for an owner; what is a day old is forgotten, and no address is kept as such."""
    for _ in range(6):
        guessing.guess(THIEF)
    assert guessing.guess(THIEF) > 0
    guessing.code = give_own_code(office, OWNER)
    assert guessing.is_right(guessing.code, THIEF)
    for number in range(20):
        guessing.guess(f"203.0.113.{number}")
    clock.turn(days=1, seconds=1)
    guessing.guess(HOME)
    with office.db.reading() as session:
        kept = session.exec(select(Attempt)).all()
    assert len(kept) == 2  # this one, and the place where the owner signed
    assert not any(address in str(one) for one in kept for address in (THIEF, HOME))


@pytest.mark.both_databases
def test_a_code_is_hashed_before_anything_is_locked(
    office: Office, clock: TurnedClock, client: TestClient, guessing: Guessing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the slow hash is made, another answer can be written to the very same case."""
    story = NibStory(office, clock, "nib-legalization", register_business(office, national_id="3508166904956221"))
    story.to_statement()
    code = give_own_code(office, "owner-2")
    looked: list[bool] = []

    def lock_the_case() -> None:
        with office.db.writing() as session:
            wanted = select(CaseFile).where(CaseFile.number == story.number).with_for_update(nowait=True)
            looked.append(session.exec(wanted).first() is not None)

    def while_hashing(*given: str) -> tuple[bool, str | None]:
        other = threading.Thread(target=lock_the_case, daemon=True)
        other.start()
        other.join(2)
        assert looked == [True]
        return really(*given)

    really = own_codes.verify_own_code
    monkeypatch.setattr(own_codes, "verify_own_code", while_hashing)
    monkeypatch.setattr("engine.people.permissions.verify_own_code", while_hashing)
    headers = {"Authorization": f"Bearer {give_token(office, 'owner-2')}"}
    path = f"/api/v1/cases/{story.number}/answers/statement%231"
    answer = client.post(path, json={**SIGN, "own_code": code}, headers=headers)
    assert (answer.status_code, looked) == (201, [True])


def test_a_proof_can_not_be_typed(office: Office, clock: TurnedClock, client: TestClient, guessing: Guessing) -> None:
    """What stands for a right code inside is a wrong code from outside; guesses over the API end in 429, with a time."""
    story = NibStory(office, clock, "nib-legalization", register_business(office, national_id="3508166904956221"))
    story.to_statement()
    code = give_own_code(office, "owner-2")
    inside = proved(office, "owner-2", {"own_code": code}, address=HOME)["own_code"]
    headers = {"Authorization": f"Bearer {give_token(office, 'owner-2')}", "X-Forwarded-For": THIEF}
    path = f"/api/v1/cases/{story.number}/answers/statement%231"
    answers = [client.post(path, json={**SIGN, "own_code": inside}, headers=headers) for _ in range(6)]
    assert [one.status_code for one in answers] == [403] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "30"
    assert "30 detik" in answers[-1].json()["detail"]
    owner = {**headers, "X-Forwarded-For": HOME}
    assert client.post(path, json={**SIGN, "own_code": code}, headers=owner).status_code == 201


@pytest.mark.both_databases
def test_wrong_tokens_are_told_later_each_time_and_right_ones_at_once(
    office: Office, client: TestClient, guessing: Guessing
) -> None:
    """By the form and by the API, counted together for an address; another address, and a right token, never wait."""
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    client.app.state.pauses = Pauses(wait)  # type: ignore[attr-defined]
    token, thief = give_token(office, OWNER), {"X-Forwarded-For": THIEF}
    for number in range(9):
        if number % 2:
            answer = client.post("/login", data={"token": "wrong"}, headers=thief)
        else:
            answer = client.get("/api/v1/inbox", headers={**thief, "Authorization": "Bearer wrong"})
        assert answer.status_code == 401
    assert waited == [1, 2, 4, 5, 5]
    assert client.post("/login", data={"token": token}, headers=thief).status_code == 303
    assert client.get("/api/v1/inbox", headers={**thief, "Authorization": f"Bearer {token}"}).status_code == 200
    assert client.post("/login", data={"token": "wrong"}, headers={"X-Forwarded-For": HOME}).status_code == 401
    assert client.get("/api/v1/inbox", headers=thief).status_code == 401  # no token is no attempt
    assert waited == [1, 2, 4, 5, 5]
    for _ in range(40):
        client.get("/api/v1/inbox", headers={**thief, "Authorization": "Bearer wrong"})
    with office.db.reading() as session:
        counted = session.exec(select(Attempt.failures).where(Attempt.subject == "sign_in")).all()
    assert sorted(counted) == [1, 20]  # a flood writes nothing more


def test_no_more_than_a_hundred_wait_at_a_time() -> None:
    """Whoever gives wrong tokens by the thousand holds no connection for long."""

    async def flood() -> int:
        open_door = asyncio.Event()
        pauses = Pauses(lambda _: open_door.wait())
        waiting = [asyncio.create_task(pauses.take(5)) for _ in range(MOST + 50)]
        await asyncio.sleep(0)
        told = sum(one.done() for one in waiting)
        open_door.set()
        await asyncio.gather(*waiting)
        await asyncio.wait_for(pauses.take(5), 1)
        return told

    assert asyncio.run(flood()) == 50


MALFORMED = (
    "",
    ".",
    "..",
    "1.99999999999.",
    "1.99999999999.0000",
    f"{'9' * 5000}.99999999999.{'0' * 64}",
    f"{'9' * 30}.99999999999.{'0' * 64}",
    f"1.{'9' * 5000}.{'0' * 64}",
    f"-1.99999999999.{'0' * 64}",
    f"1.99999999999.{'0' * 64}",
    f"0.99999999999.{'0' * 64}",
    f"1.99999999999.{'0' * 64}.x",
    "\xb2.\xb3.x",
    "\xff\xfe\xfd",
    '"1.99999999999.\\000"',
    "1.99999999999." + "%00" * 10,
    "x" * 3000,
    "1;jalur=2",
)


@pytest.mark.parametrize("value", MALFORMED, ids=range(len(MALFORMED)))
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_malformed_cookie_leads_to_the_sign_in(
    client: TestClient, value: str, scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    """303 to the form; the log has one line of it, and no traceback."""
    with caplog.at_level(logging.INFO):
        name = "jalur" if scheme == "http" else "__Host-jalur"
        answer = client.get(f"{scheme}://testserver/desk", headers={"Cookie": f"{name}={value}".encode("latin-1")})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    [line] = [one for one in caplog.records if not one.name.startswith("http")]
    assert line.levelno == logging.INFO


@pytest.mark.parametrize(
    ("env", "scheme", "private"),
    [
        (Environment.PRODUCTION, "https", True),
        (Environment.PRODUCTION, "http", True),
        (Environment.TEST, "https", True),
        (Environment.DEMO, "https", False),
        (Environment.DEMO, "http", False),
    ],
)
def test_cookies_and_addresses_are_for_https_alone_outside_of_a_demo(
    office: Office, client: TestClient, guessing: Guessing, env: Environment, scheme: str, private: bool
) -> None:
    """`__Host-` and Secure bind the cookie to this very host; HSTS keeps browsers from ever asking in the clear."""
    token = give_token(office, OWNER)
    office.settings = office.settings.model_copy(update={"env": env, "public_url": "https://testserver"})
    with TestClient(create_app(office, advance=False), follow_redirects=False) as browser:
        signed_in = browser.post(f"{scheme}://testserver/login", data={"token": token})
        cookie = signed_in.headers["set-cookie"]
        assert cookie.startswith("__Host-jalur=" if private else "jalur=")
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"path=/", "httponly", "samesite=strict"} <= parts
        assert not any(part.startswith("domain") for part in parts)
        assert ("secure" in parts) is private
        known = {"Cookie": cookie.split(";")[0]}
        assert browser.get(f"{scheme}://testserver/desk", headers=known).status_code == 200
        assert ("strict-transport-security" in signed_in.headers) is private
        forgotten = browser.post(f"{scheme}://testserver/logout", headers=known).headers["set-cookie"]
        assert forgotten.startswith("__Host-jalur=" if private else "jalur=")
        assert ("secure" in forgotten.lower()) is private
        other = "jalur" if private else "__Host-jalur"
        swapped = {"Cookie": f"{other}={known['Cookie'].partition('=')[2]}"}
        assert browser.get(f"{scheme}://testserver/desk", headers=swapped).status_code == 303


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "testserver.evil.example", "", "a b", "@evil"])
def test_a_foreign_host_is_served_nothing(client: TestClient, host: str) -> None:
    """Whatever the address; a name that the other side made up stands in none of our answers."""
    for path in ("/desk", "/login", "/health", "/api/v1/inbox", "/nowhere"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 400
        assert "evil" not in answer.text + str(answer.headers)
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_our_own_names_are_served(office: Office) -> None:
    """The public name, the one it listens on, and this machine's."""
    changes = {"public_url": "https://jalur.example:8443/", "web_host": "192.0.2.1"}
    office.settings = office.settings.model_copy(update=changes)
    with TestClient(create_app(office, advance=False)) as client:
        for host in ("jalur.example", "JALUR.example:8443", "192.0.2.1:8000", "127.0.0.1", "localhost:8000", "[::1]"):
            assert client.get("/login", headers={"Host": host}).status_code == 200
        assert client.get("/login", headers={"Host": "www.jalur.example"}).status_code == 400


@pytest.mark.parametrize(
    "path", ["//evil.example/desk", "//evil.example/desk/", "/desk/", "/login/", "/%5Cevil.example/", "/desk//", "///x"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_redirects_to_a_foreign_host(client: TestClient, path: str, method: str) -> None:
    """A slash too many is an unknown address, and every way on is one of our own paths."""
    elsewhere = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}
    answer = client.request(method, f"http://testserver{path}", headers=elsewhere)
    location = answer.headers.get("location", "/login")
    assert location in ("/login", "/desk")
    assert answer.status_code in (303, 404, 405)


def test_an_endless_address_is_told_to_be_one(client: TestClient) -> None:
    """It is neither looked up nor masked nor written to the log as a whole."""
    for path in ("/check/" + "9" * 9000, "/api/v1/inbox?case=" + "a" * 9000):
        assert client.get(path).status_code == 414
