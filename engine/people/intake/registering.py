"""Registration of imported rows: `match_rows` reads, `insert_businesses` writes in bulk.

Both run in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import insert, text
from sqlmodel import Session, col, select

from engine.deadlines.clock import local_date
from engine.definition.case import handle_of
from engine.people.intake.cleaned import Note
from engine.people.intake.rows import Row
from engine.people.intake.spelling import shown_personal
from engine.runtime.encryption import Vault
from models import Business, Person, PersonIndex, PersonKey, Role, User, UserRole, metadata

T = TypeVar("T")

# SQLite takes 32,766 values in a statement; smaller batches are as fast.
BATCH = 1000
# Rows from which on PostgreSQL renews its statistics.
ANALYZE_FROM = 1000
SEALED = ("national_id", "tax_id", "phone", "email", "address")
INDEXED = ("national_id", "tax_id", "phone", "email")
OF_BUSINESS = {
    "region_code": "region_code",
    "industry_code": "industry_code",
    "industry_code_version": "industry_code_version",
    "main_product": "main_product",
    "cluster": "cluster",
    "capital_rupiah": "capital_rupiah",
    "annual_sales_rupiah": "annual_sales_rupiah",
    "existing_nib": "business_id_number",
}


@dataclass
class KnownPerson:
    """A registered person, found by national id, with their businesses."""

    person_id: int
    name: str
    sealed: bytes
    key: PersonKey
    businesses: list[Business] = field(default_factory=list)
    has_account: bool = False


@dataclass
class MatchedRow:
    """A row and its status after matching: accepted, unchanged or refused."""

    row: Row
    status: str
    known: KnownPerson | None = None
    business_id: int | None = None


def match_rows(session: Session, vault: Vault, rows: list[Row]) -> list[MatchedRow]:
    """Match rows to the register: new, registered already, or in conflict with another business.

    Mutates: ``rows``, which get a fault for a conflict and cautions for differing cells.
    """
    digests = {row.line: vault.digest("national_id", row.values["national_id"]) for row in rows if not row.faults}
    known = _known_persons(session, list(digests.values()))
    return [_matched(vault, row, known.get(digests.get(row.line, ""))) for row in rows]


def _matched(vault: Vault, row: Row, known: KnownPerson | None) -> MatchedRow:
    if row.faults:
        return MatchedRow(row, "refused")
    if known is None or not known.businesses:
        return MatchedRow(row, "accepted", known)
    named = row.values["business_name"].casefold()
    same = next((business for business in known.businesses if business.name.casefold() == named), None)
    if same is None:
        number = shown_personal(row.values["national_id"])
        row.faults.append(
            Note(
                "national_id",
                f"NIK '{number}' sudah terdaftar untuk usaha lain. Satu NIK untuk satu usaha: periksa NIK pada KTP, "
                f"atau tambahkan kegiatan baru pada usaha yang sudah terdaftar.",
                f"The national id '{number}' is already registered for another business. One national id is for one "
                f"business: check it against the identity card, or add the activity to the registered business.",
            )
        )
        return MatchedRow(row, "refused")
    row.cautions += [_changed(column) for column in _differences(vault, row, known, same)]
    return MatchedRow(row, "unchanged", known, same.id)


def _differences(vault: Vault, row: Row, known: KnownPerson, business: Business) -> Iterator[str]:
    """Yield the columns whose filled-in cell differs from the register."""
    sealed = vault.decrypt(known.key, known.sealed)
    registered = {"owner_name": known.name, **{column: sealed.get(column) for column in SEALED}}
    registered |= {column: getattr(business, ours) for column, ours in OF_BUSINESS.items()}
    for column, value in registered.items():
        if row.values[column] not in (None, "", value):
            yield column


def _changed(column: str) -> Note:
    return Note(
        column,
        f"Isi kolom {column} berbeda dari data yang sudah terdaftar, dan data terdaftar tidak diubah. "
        f"Perbaiki lewat meja layanan atau dengan: jalur case correct",
        f"The column {column} differs from what is registered, which was left as it is. "
        f"Correct it at the desk or with: jalur case correct",
    )


def insert_businesses(
    session: Session, vault: Vault, accepted: list[MatchedRow], import_id: int, now: datetime
) -> list[User | UserRole]:
    """Insert persons, look-up digests, accounts and businesses of the accepted rows.

    Return the rows of the new accounts, for the office's ledger.

    Mutates: ``accepted``, which get their person and business.
    """
    new = [one for one in accepted if one.known is None]
    _insert_persons(session, vault, new, now)
    accounts = _open_accounts(session, [one.known for one in accepted if one.known and not one.known.has_account], now)
    rows = [
        {
            "owner_id": one.known.person_id,
            "name": one.row.values["business_name"],
            **{ours: one.row.values[column] for column, ours in OF_BUSINESS.items()},
            "import_id": import_id,
            "created_at": now,
        }
        for one in accepted
        if one.known
    ]
    for one, business_id in zip(accepted, _inserted(session, Business, rows), strict=True):
        one.business_id = business_id
    _analyze_tables(session, len(rows))
    return accounts


def _insert_persons(session: Session, vault: Vault, new: list[MatchedRow], now: datetime) -> None:
    persons: list[dict[str, Any]] = []
    keys: list[PersonKey] = []
    for one in new:
        key = vault.new_key(session)
        keys.append(key)
        values = one.row.values
        persons.append(
            {
                "name": values["owner_name"],
                "language": "id",
                "key_id": key.id,
                "sealed": vault.encrypt(key, {column: values[column] for column in SEALED}),
                "created_at": now,
                "erased_at": None,
            }
        )
    session.flush()
    index: list[dict[str, Any]] = []
    for one, row, key, person_id in zip(new, persons, keys, _inserted(session, Person, persons), strict=True):
        one.known = KnownPerson(person_id, row["name"], row["sealed"], key)
        for kind in INDEXED:
            if value := one.row.values[kind]:
                folded = value.lower() if kind == "email" else value
                index.append({"kind": kind, "digest": vault.digest(kind, folded), "person_id": person_id})
    _insert(session, PersonIndex, index)


def _open_accounts(session: Session, owners: list[KnownPerson], now: datetime) -> list[User | UserRole]:
    """Insert an account with the applicant's role for each owner; return their rows."""
    users: list[dict[str, Any]] = [
        {"name": handle_of(owner.person_id), "person_id": owner.person_id, "created_at": now} for owner in owners
    ]
    ids, since = _inserted(session, User, users), local_date(now)
    roles: list[dict[str, Any]] = [{"user_id": user_id, "role": str(Role.APPLICANT), "since": since} for user_id in ids]
    _insert(session, UserRole, roles)
    accounts: list[User | UserRole] = []
    for user_id, user, role in zip(ids, users, roles, strict=True):
        accounts += [User(id=user_id, **user), UserRole(**role)]
    return accounts


def _analyze_tables(session: Session, written: int) -> None:
    """Renew PostgreSQL's statistics of the tables that have grown.

    With the statistics of an empty database a second import of 20,000 rows took an hour instead of seconds.
    """
    if written >= ANALYZE_FROM and session.get_bind().dialect.name == "postgresql":
        names = ", ".join(
            str(table.__tablename__) for table in (Person, PersonIndex, PersonKey, Business, User, UserRole)
        )
        session.execute(text(f"ANALYZE {names}"))


def _known_persons(session: Session, digests: list[str]) -> dict[str, KnownPerson]:
    known: dict[str, KnownPerson] = {}
    for batch in in_batches(digests):
        rows = session.exec(
            select(PersonIndex, Person, PersonKey)
            .join(Person, col(Person.id) == col(PersonIndex.person_id))
            .join(PersonKey, col(PersonKey.id) == col(Person.key_id))
            .where(PersonIndex.kind == "national_id", col(PersonIndex.digest).in_(batch))
        ).all()
        here = {
            found.person_id: KnownPerson(found.person_id, person.name, person.sealed, key)
            for found, person, key in rows
        }
        for business in session.exec(select(Business).where(col(Business.owner_id).in_(list(here)))).all():
            here[business.owner_id].businesses.append(business)
        for person_id in session.exec(select(User.person_id).where(col(User.person_id).in_(list(here)))).all():
            if person_id is not None:
                here[person_id].has_account = True
        known |= {found.digest: here[found.person_id] for found, _, _ in rows}
    return known


def _inserted(session: Session, table: type[Any], rows: list[dict[str, Any]]) -> list[int]:
    """Insert rows and return their new ids in the same order."""
    if not rows:
        return []
    # Core instead of the ORM: it inserts many rows twice as fast.
    core = metadata.tables[table.__tablename__]
    return list(session.scalars(insert(core).returning(core.c.id, sort_by_parameter_order=True), rows).all())


def _insert(session: Session, table: type[Any], rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(metadata.tables[table.__tablename__]), rows)


def in_batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield ``items`` in batches that fit into one statement."""
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
