"""Who signs for an owner: the owner with an own code, a companion with a mandate, or paper that an officer scans."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlmodel import select

from engine.actions.withdraw import withdraw
from engine.cases.dossier import fetch_by_number
from engine.errors import NotAllowed
from engine.people.accounts import give_own_code
from engine.people.mandates import add_mandate, revoke_mandates
from engine.people.own_codes import hash_own_code
from engine.people.permissions import user_named
from engine.runtime.office import Office
from models import LedgerEntry, OfficeEntry
from tests.engine.together import everything_stored
from tests.people import EVIDENCE, register_business

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]
SIGN: dict[str, Any] = {"decision": "sign", "k3l": True, "spatial": True, "sppl": True}


def signature(story: NibStory) -> LedgerEntry:
    """The entry of the signed statement."""
    return next(entry for entry in story.entries if entry.key == "statement#1")


def keep_hash(office: Office, name: str, hashed: str) -> None:
    """Keep that hash of an own code for an account."""
    with office.db.writing() as session:
        user_named(session, name).own_code_hash = hashed


def kept_hash(office: Office, name: str) -> str:
    """Return the hash of an account's own code."""
    with office.db.reading() as session:
        return user_named(session, name).own_code_hash or ""


def mandate(office: Office, since: str = "2026-01-01", until: str | None = None) -> None:
    """Ani may act for the owner."""
    add_mandate(
        office,
        "owner-1",
        "ani",
        paper=EVIDENCE,
        by="budi",
        since=date.fromisoformat(since),
        until=date.fromisoformat(until) if until else None,
    )


def test_an_owner_signs_with_the_own_code(nib: Nib, office: Office) -> None:
    """The right code signs; the ledger names the owner and how it was signed."""
    story = nib().to_statement()
    code = give_own_code(office, "owner-1")
    assert story.answers("owner-1", "statement#1", own_code=code, **SIGN).waits_for == ["oss_filing#1"]
    entry = signature(story)
    assert (entry.actor, entry.role, entry.on_behalf_of) == ("owner-1", "applicant", None)
    assert entry.result["signed"] == "own_code"


def test_a_wrong_or_missing_code_signs_nothing(nib: Nib, office: Office) -> None:
    """Without the right code the statement stays open, and the refusal tells the ways out."""
    story = nib().to_statement()
    with pytest.raises(NotAllowed, match="own code of owner-1 is missing") as refused:
        story.answers("owner-1", "statement#1", own_code="12345678", **SIGN)  # nobody made one yet
    assert "serahkan kertas bertanda tangan" in refused.value.for_people
    code = give_own_code(office, "owner-1")
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    with pytest.raises(NotAllowed, match="own code of owner-1 is wrong") as refused:
        story.answers("owner-1", "statement#1", own_code=wrong, **SIGN)
    assert wrong not in str(refused.value)
    with pytest.raises(NotAllowed, match="own code of owner-1 is missing"):
        story.answers("owner-1", "statement#1", **SIGN)
    assert story.waits_for == ["statement#1"]
    renewed = give_own_code(office, "owner-1")
    with pytest.raises(NotAllowed, match="is wrong"):
        story.answers("owner-1", "statement#1", own_code=code if code != renewed else wrong, **SIGN)


def test_a_code_hashed_before_argon2_still_signs_and_is_hashed_anew(nib: Nib, office: Office) -> None:
    """The old scrypt hash gives way to an Argon2 hash at the first right use; a wrong code changes nothing."""
    old = f"{bytes(16).hex()}:{hashlib.scrypt(b'00417263', salt=bytes(16), dklen=32, n=2**13, r=8, p=1).hex()}"
    story = nib().to_statement()
    keep_hash(office, "owner-1", old)
    with pytest.raises(NotAllowed, match="own code of owner-1 is wrong"):
        story.answers("owner-1", "statement#1", own_code="00417264", **SIGN)
    assert kept_hash(office, "owner-1") == old
    story.answers("owner-1", "statement#1", own_code="00417263", **SIGN)
    assert signature(story).result["signed"] == "own_code"
    renewed = kept_hash(office, "owner-1")
    assert renewed.startswith("$argon2id$")
    with office.db.reading() as session:
        told = session.exec(select(OfficeEntry.subject).where(OfficeEntry.what == "own code hashed anew")).all()
    assert told == ["owner-1"]  # else an audit would call the account changed by hand

    another = nib(national_id="3508166904956221", owner_name="Joko").to_statement()
    keep_hash(office, "owner-2", renewed)
    with pytest.raises(NotAllowed, match="own code of owner-2 is wrong"):
        another.answers("owner-2", "statement#1", own_code="00417264", **SIGN)
    another.answers("owner-2", "statement#1", own_code="00417263", **SIGN)
    assert kept_hash(office, "owner-2") == renewed


def test_a_new_code_is_hashed_by_argon2() -> None:
    """With a salt of its own, so that equal codes do not look alike."""
    assert hash_own_code("00417263").startswith("$argon2id$")
    assert hash_own_code("00417263") != hash_own_code("00417263")


def test_the_code_is_stored_nowhere(nib: Nib, office: Office, tmp_path: Path) -> None:
    """Neither in a table nor in the database's file, nor in the sealed words of the answer: it is checked and forgotten."""
    story = nib().to_statement()
    code = give_own_code(office, "owner-1")
    with pytest.raises(NotAllowed):
        story.answers("budi", "statement#1", own_code=code, **SIGN)
    story.answers("owner-1", "statement#1", own_code=code, **SIGN)
    found = [(table, column) for table, column, value in everything_stored(office) if code in str(value)]
    assert found == []
    with office.db.reading() as session:
        words, _ = fetch_by_number(office, session, story.number).past.answers["statement#1"]
    assert words["decision"] == "sign"
    assert code not in str(words)
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert code.encode() not in file.read_bytes(), file


def test_an_officer_records_a_signed_paper_and_both_names_stand_in_the_ledger(nib: Nib) -> None:
    """Most owners sign on paper: the scan is the evidence, the officer the one who recorded it."""
    story = nib().to_statement()
    with pytest.raises(NotAllowed, match="budi may record this answer of owner-1 only from a scanned paper"):
        story.answers("budi", "statement#1", **SIGN)
    story.signs_on_paper()
    entry = signature(story)
    assert (entry.actor, entry.role, entry.on_behalf_of) == ("budi", "officer", "owner-1")
    assert {name: entry.result[name] for name in ("signed", "evidence")} == {"signed": "paper", "evidence": EVIDENCE}


def test_a_companion_signs_while_the_mandate_is_in_force(nib: Nib, office: Office) -> None:
    """Not before its first day and not after its last; on both of them, yes."""
    story = nib().to_statement()
    mandate(office, "2026-01-20", "2026-01-22")
    code = give_own_code(office, "ani")
    for day in ("2026-01-19", "2026-01-23"):
        with pytest.raises(NotAllowed, match=r"ani is neither the owner .* nor holds a mandate"):
            story.on(day).answers("ani", "statement#1", own_code=code, **SIGN)
    with pytest.raises(NotAllowed, match="own code of ani is missing"):
        story.on("2026-01-20").answers("ani", "statement#1", **SIGN)
    story.on("2026-01-22").answers("ani", "statement#1", own_code=code, **SIGN)
    entry = signature(story)
    assert (entry.actor, entry.role, entry.on_behalf_of) == ("ani", "companion", "owner-1")


def test_a_revoked_mandate_is_worth_nothing_from_that_moment(nib: Nib, office: Office) -> None:
    """The owner revokes it; the companion is refused, and told how a new one is recorded."""
    story = nib().to_statement()
    mandate(office)
    code = give_own_code(office, "ani")
    assert revoke_mandates(office, "owner-1", "ani") == 1
    with pytest.raises(NotAllowed, match="jalur mandate add owner-1 ani"):
        story.answers("ani", "statement#1", own_code=code, **SIGN)
    assert story.waits_for == ["statement#1"]


def test_a_mandate_of_one_owner_is_none_of_another(nib: Nib, office: Office) -> None:
    """Ani acts for the first owner, and has no say in the second's case."""
    nib()
    other = nib(national_id="3508166904956221", owner_name="Joko").dossier("return", deficiencies=["alamat"])
    mandate(office)
    with pytest.raises(NotAllowed, match="ani is neither the owner of NIB-2026-000002"):
        other.answers("ani", "correction#1", note="sudah")


@pytest.mark.parametrize(
    ("by", "role", "for_whom"),
    [("owner-1", "applicant", None), ("ani", "companion", "owner-1"), ("budi", "officer", "owner-1")],
)
def test_owner_mandated_companion_or_told_officer_may_withdraw(
    nib: Nib, office: Office, by: str, role: str, for_whom: str | None
) -> None:
    """Who took it back, and for whom, stands in the ledger."""
    story = nib()
    mandate(office)
    story.withdraws(by, "pindah kota")
    assert story.outcome == "withdrawn"
    entry = next(entry for entry in story.entries if entry.outcome == "withdrawn" and entry.kind == "answer")
    assert (entry.actor, entry.role, entry.on_behalf_of, entry.reason) == (by, role, for_whom, "pindah kota")


def test_a_stranger_may_not_withdraw(nib: Nib, office: Office) -> None:
    """Neither another owner nor a companion without a mandate."""
    story = nib()
    register_business(office, "3508166904956221")
    for name in ("owner-2", "ani"):
        with pytest.raises(NotAllowed, match=f"{name} is neither the owner"), office.run("cli", by=name) as run:
            withdraw(office, run, story.number, by=name, reason="iri")
    assert story.waits_for == ["dossier_check#1"]
