"""The command line under attack: who acts is proven by a token outside demo and test, and on record with its way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select
from typer.testing import CliRunner, Result

from cli import app
from engine.execution.drain import drain
from engine.people.accounts import add_user, end_token, give_token
from engine.people.persons import declare_conflict
from engine.runtime.office import Office
from engine.runtime.proofs import machine_user
from engine.runtime.settings import Environment
from models import LedgerEntry, OfficeEntry, Run, User
from tests.conftest import MASTER_KEY
from tests.engine.people.intake.listing import as_csv, row
from tests.people import PAPER

WHY = ("--reason", "akunnya terkunci")
CHECK = ("--data", '{"decision": "complete"}')


class CommandLine:
    """The command line of one office, in production or in test, with a token or without."""

    def __init__(self, office: Office, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        self.office, self.home, self._patch, self.number = office, home, monkeypatch, ""
        settings = office.settings
        assert settings.signer_key and settings.signer_certificate
        for name, value in {
            "JALUR_HOME": str(home),
            "JALUR_LANGUAGE": "en",
            "JALUR_DATABASE_URL": settings.database_url,
            "JALUR_MASTER_KEY": MASTER_KEY.get_secret_value(),
            "JALUR_PUBLIC_URL": "https://jalur.example",
            "JALUR_SIGNER_KEY": str(settings.signer_key),
            "JALUR_SIGNER_CERTIFICATE": str(settings.signer_certificate),
        }.items():
            monkeypatch.setenv(name, value)
        self.of(Environment.PRODUCTION)

    def of(self, environment: Environment) -> None:
        """Choose the environment."""
        self._patch.setenv("JALUR_ENV", str(environment))

    def signed_in(self, token: str | None) -> None:
        """Keep a token in the file that JALUR_TOKEN_FILE names; None: name no file."""
        if token is None:
            self._patch.delenv("JALUR_TOKEN_FILE", raising=False)
            return
        file = self.home / "token"
        file.write_text(f"{token}\n")
        self._patch.setenv("JALUR_TOKEN_FILE", str(file))

    def run(self, *words: object) -> Result:
        """Run a command."""
        return CliRunner().invoke(app, [str(word) for word in words])

    def refusal(self, *words: object) -> str:
        """Run a command that is refused; return the reason."""
        result = self.run(*words, "--json")
        assert result.exit_code == 1, result.output
        reason: str = json.loads(result.stdout)["error"]
        return reason

    def __call__(self, *words: object) -> Any:
        """Run a command and return its one JSON value."""
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def jalur(office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    """A command line in production, on an office with five accounts and an open case; signed in as nobody."""
    office.store.put(PAPER)
    office.clock.moment = datetime.now(UTC)  # type: ignore[attr-defined] # production has no clock to turn
    roles = {"adi": "administrator", "budi": "officer", "tuti": "officer", "ani": "companion"}
    for name, role in roles.items():
        add_user(office, name, [role], region="35")
    give_token(office, "adi")
    line = CommandLine(office, monkeypatch, tmp_path)
    line.of(Environment.TEST)
    listed = tmp_path / "usaha.csv"
    listed.write_text(as_csv(row(1), row(2)))
    line("import", listed)
    [line.number] = line("open", "nib-legalization", "--business", 1)["opened"]
    with office.run("flow", by="test") as run:
        drain(office, run, "nib-legalization")
    line.of(Environment.PRODUCTION)
    return line


@pytest.fixture
def number(jalur: CommandLine) -> str:
    """The open case, which waits for its dossier to be checked."""
    return jalur.number


def token(jalur: CommandLine, name: str) -> None:
    """Sign in on the command line as that account."""
    jalur.signed_in(give_token(jalur.office, name))


def newest_run(office: Office) -> tuple[str, str | None, str | None, str | None]:
    """Return by whom the newest run is, the way by which that is known, for whom, and why."""
    with office.db.reading() as session:
        run = session.exec(select(Run).order_by(col(Run.started_at).desc(), col(Run.id))).first()
    assert run is not None
    return run.by, run.way, run.on_behalf_of, run.reason


def answer_entry(office: Office) -> LedgerEntry:
    """Return the ledger's entry of the check."""
    with office.db.reading() as session:
        return session.exec(select(LedgerEntry).where(LedgerEntry.key == "dossier_check#1")).one()


# Every command by which somebody acts, with words that are right but for the proof.
ACTS: dict[str, tuple[object, ...]] = {
    "import": ("import", "{file}"),
    "open": ("open", "nib-legalization", "--business", 2),
    "advance": ("advance", "nib-legalization"),
    "answer": ("answer", "{number}", "dossier_check#1", "--by", "budi", *CHECK),
    "reassign": ("reassign", "--from", "budi", "--to", "tuti", "--by", "budi", "--reason", "cuti"),
    "delegate": ("delegate", "budi", "tuti", "--until", "2030-01-01", "--by", "budi", "--reason", "cuti"),
    "retry": ("case", "retry", "{number}"),
    "withdraw": ("case", "withdraw", "{number}", "--by", "budi", "--reason", "batal"),
    "case reassign": ("case", "reassign", "{number}", "--to", "tuti", "--by", "budi", "--reason", "cuti"),
    "recall": ("case", "recall", "{number}", "--by", "budi", "--reason", "keliru"),
    "correct": ("case", "correct", "{number}", "--by", "budi", "--reason", "keliru", "--data", '{"owner.name": "Sri"}'),
    "appeal": ("case", "appeal", "{number}", "--by", "owner-1", "--reason", "keberatan saya"),
    "migrate": ("case", "migrate", "{number}", "--by", "adi", "--reason", "versi baru"),
    "user add": ("user", "add", "eko", "--role", "administrator"),
    "user end": ("user", "end", "ani", "--reason", "pindah"),
    "user code": ("user", "code", "ani"),
    "user token": ("user", "token", "ani"),
    "mandate revoke": ("mandate", "revoke", "owner-1", "ani"),
    "person add": ("person", "add", "Wati", "--data", "@{data}"),
    "product add": ("product", "add", 1, "Keripik", "--cluster", "makanan"),
    "conflict": ("conflict", "declare", "ani", "--kind", "family", "--business", 1, "--by", "ani"),
    "channel": ("person", "channel", 1, "mail", "--by", "budi"),
    "calendar": ("calendar", "add", "2030-01-07", "Rapat kerja"),
}


@pytest.mark.parametrize("act", ACTS)
def test_in_production_nobody_is_believed(jalur: CommandLine, number: str, act: str, tmp_path: Path) -> None:
    """Without a token, with nobody's, with one that ended, and with somebody else's: refused, and nothing was begun."""
    data = tmp_path / "person.json"
    data.write_text('{"national_id": "3578016904500101"}')
    places = {"{number}": number, "{file}": str(tmp_path / "usaha.csv"), "@{data}": f"@{data}"}
    words = [places.get(str(word), word) for word in ACTS[act]]
    office = jalur.office
    before = counts(office)
    assert "Nothing proves that" in jalur.refusal(*words)
    jalur.signed_in("x" * 43)
    assert "is no account's" in jalur.refusal(*words)
    assert counts(office) == before
    ended = give_token(office, "ani")
    end_token(office, "ani")
    before = counts(office)
    jalur.signed_in(ended)
    assert "is no account's" in jalur.refusal(*words)
    assert counts(office) == before
    if "--by" in words and "ani" not in words[words.index("--by") :]:
        token(jalur, "ani")
        before = counts(office)
        assert "only an administrator acts on behalf" in jalur.refusal(*words)
        assert counts(office) == before


def counts(office: Office) -> tuple[int, ...]:
    """Count what an act would leave: runs, entries of cases and of the office, accounts."""
    with office.db.reading() as session:
        return tuple(len(session.exec(select(table)).all()) for table in (Run, LedgerEntry, OfficeEntry, User))


def test_a_token_proves_who_acts(jalur: CommandLine, number: str) -> None:
    """budi answers as budi; the run, and the office's ledger with it, say by which way that is known."""
    token(jalur, "budi")
    jalur("answer", number, "dossier_check#1", "--by", "budi", *CHECK)
    entry = answer_entry(jalur.office)
    assert (entry.actor, entry.role, entry.on_behalf_of) == ("budi", "officer", None)
    assert newest_run(jalur.office) == ("budi", "token", None, None)
    with jalur.office.db.reading() as session:
        said = session.exec(select(OfficeEntry).where(OfficeEntry.run_id == entry.run_id)).one()
    assert (said.actor, said.facts["way"]) == ("budi", "token")


def test_an_administrator_acts_on_behalf_of_somebody_with_a_reason(jalur: CommandLine, number: str) -> None:
    """Both names stand in the case's ledger, as with a delegation; the reason stands in the run and the office's ledger."""
    token(jalur, "adi")
    words = ("answer", number, "dossier_check#1", "--by", "budi", *CHECK)
    assert "Say why adi acts on behalf of budi" in jalur.refusal(*words)
    jalur(*words, *WHY)
    entry = answer_entry(jalur.office)
    assert (entry.actor, entry.role, entry.on_behalf_of) == ("adi", "officer", "budi")
    assert newest_run(jalur.office) == ("adi", "on_behalf", "budi", "akunnya terkunci")
    with jalur.office.db.reading() as session:
        said = session.exec(select(OfficeEntry).where(OfficeEntry.run_id == entry.run_id)).one()
    assert {"way": "on_behalf", "on_behalf_of": "budi", "reason": "akunnya terkunci"}.items() <= said.facts.items()


def test_on_behalf_gives_no_right_that_the_other_lacks(jalur: CommandLine, number: str) -> None:
    """ani may not check dossiers, whoever types; an ended account lends nothing; nobody stands for the unknown."""
    token(jalur, "adi")
    words = ("answer", number, "dossier_check#1", *CHECK, *WHY)
    assert "is for the role officer" in jalur.refusal(*words, "--by", "ani")
    jalur("user", "end", "tuti", *WHY)
    assert "The account tuti was ended" in jalur.refusal(*words, "--by", "tuti")
    assert "There is no user joko" in jalur.refusal(*words, "--by", "joko")


def test_an_administrator_does_not_decide_their_own_case_in_anothers_name(jalur: CommandLine, number: str) -> None:
    """A declared conflict bars who types as well as in whose name."""
    declare_conflict(jalur.office, "adi", "family", by="adi", business=1)
    token(jalur, "adi")
    words = ("answer", number, "dossier_check#1", "--by", "budi", *CHECK, *WHY)
    assert "adi declared a conflict of interest" in jalur.refusal(*words)


def test_only_until_somebody_can_sign_in_the_machine_adds_the_first_administrator(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A new office begins somewhere; with the administrator's token the door is shut."""
    jalur = CommandLine(office, monkeypatch, tmp_path)
    assert "Nothing proves" in jalur.refusal("user", "end", "adi", *WHY)
    jalur("user", "add", "adi", "--role", "administrator")
    assert newest_run(office)[:2] == (machine_user(), "first")
    made = jalur("user", "token", "adi")["token"]
    assert "Nothing proves" in jalur.refusal("user", "add", "eko", "--role", "administrator")
    assert "Nothing proves" in jalur.refusal("user", "token", "adi")
    jalur.signed_in(made)
    jalur("user", "add", "eko", "--role", "officer", "--region", "35")
    assert newest_run(office)[:2] == ("adi", "token")


def test_in_test_and_demo_a_claim_is_enough_and_said_to_be_one(jalur: CommandLine, number: str) -> None:
    """--by is believed; where nobody is named, the machine's user is on record; a token that is there is minded."""
    for environment in (Environment.TEST, Environment.DEMO):
        jalur.of(environment)
        jalur("user", "add", "eko", "--role", "officer")
        assert newest_run(jalur.office) == (machine_user(), "machine", None, None)
    jalur.of(Environment.TEST)
    jalur("answer", number, "dossier_check#1", "--by", "budi", *CHECK)
    assert newest_run(jalur.office) == ("budi", "claimed", None, None)
    assert jalur("import", jalur.home / "usaha.csv", "--by", "tuti")["accepted"] == 0
    assert newest_run(jalur.office)[:2] == ("tuti", "claimed")
    token(jalur, "ani")
    assert "only an administrator acts on behalf" in jalur.refusal("case", "withdraw", number, "--by", "budi", *WHY)


def test_a_token_file_that_is_not_there_is_named(jalur: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal says which file, and nothing of what stands in another."""
    monkeypatch.setenv("JALUR_TOKEN_FILE", "/nowhere/token")
    assert "/nowhere/token can't be read" in jalur.refusal("user", "code", "ani")


def test_import_obeys_the_region_of_who_is_named(jalur: CommandLine, tmp_path: Path) -> None:
    """An officer of Lumajang brings in Lumajang; a companion nothing."""
    add_user(jalur.office, "lusi", ["officer"], region="35.08")
    listed = tmp_path / "dua.csv"
    listed.write_text(as_csv(row(11), row(12, region_code="3578")))
    token(jalur, "lusi")
    taken = jalur("import", listed)
    assert (taken["accepted"], [one["column"] for one in taken["refused"]]) == (1, ["region_code"])
    token(jalur, "ani")
    assert "ani may not import" in jalur.refusal("import", listed)


def test_accounts_and_mandates_are_listed(jalur: CommandLine) -> None:
    """One JSON value for programs, a table for people, whatever has ended."""
    token(jalur, "adi")
    jalur("user", "end", "tuti", *WHY)
    listed: dict[str, Any] = {one["name"]: one for one in jalur("user", "list")}
    assert {"adi", "budi", "tuti", "ani", "owner-1"} <= set(listed)
    assert (listed["budi"]["roles"], listed["budi"]["region"]) == (["officer"], "35")
    assert (listed["tuti"]["roles"], listed["tuti"]["reason"]) == ([], "akunnya terkunci")
    assert jalur("mandate", "list") == []
    assert "tuti" in jalur.run("user", "list").output
