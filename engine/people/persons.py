"""Registration of single persons, products, certificates and declared conflicts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sqlmodel import select

from engine.cases.evidence import given_for, must_serve, record_uploads
from engine.definition.case import handle_of
from engine.definition.incoming import must_be_clean
from engine.errors import NotAllowed, Refused
from engine.people.accounts import institution_coded, recorded, write_account
from engine.people.intake import identity
from engine.people.intake.cleaned import Cleaned, Fault
from engine.people.permissions import user_named
from engine.people.roles import roles_of
from engine.runtime.adapters import ADDRESSED_BY, CHANNELS
from engine.runtime.office import Office, RunHandle
from engine.runtime.office_ledger import record
from models import (
    Business,
    DeclaredConflict,
    Person,
    PersonIndex,
    PersonKey,
    Product,
    RecordedCertificate,
    Role,
)
from models.base import Base

# The numbers by which a person is found; an import cleans them alike.
NUMBER_CLEANERS: dict[str, Callable[[str], Cleaned | Fault]] = {
    "national_id": identity.national_id,
    "tax_id": identity.tax_id,
    "phone": identity.phone,
    "email": identity.email,
}


def add_person(
    office: Office,
    name: str,
    *,
    national_id: str,
    language: str = "id",
    region: str = "",
    run: RunHandle | None = None,
    **contact: str | None,
) -> int:
    """Register a person (a candidate, a curator) with an account; return the person's id.

    ``national_id`` has 16 digits; ``contact`` is phone, email, address, tax_id. One national id is one person: a registered
    person's id is returned, and nothing of theirs is changed.

    Raises:
        BadText: the name or an address holds letters that can't be kept or printed.
        Refused: a number is malformed; the message names its field.
    """
    must_be_clean(name=name, language=language, region=region, **contact)
    numbers = {name: _clean_number(name, given) for name, given in {**contact, "national_id": national_id}.items()}
    national_id = numbers["national_id"] or ""
    with recorded(office, run) as run, office.work(run) as work:
        session = work.session
        digest = office.vault.digest("national_id", national_id)
        known = session.exec(
            select(PersonIndex.person_id).where(PersonIndex.kind == "national_id", PersonIndex.digest == digest)
        ).first()
        if known is not None:
            return known
        key = office.vault.new_key(session)
        sealed = {"tax_id": None, "phone": None, "email": None, "address": "", **numbers}
        person = Person(
            name=name,
            language=language,
            key_id=key.id,
            sealed=office.vault.encrypt(key, {**sealed, "region_code": region.replace(".", "")}),
            created_at=office.clock.now(),
        )
        session.add(person)
        session.flush()
        assert person.id is not None
        for kind in NUMBER_CLEANERS:
            if number := numbers.get(kind):
                digest = office.vault.digest(kind, number.lower())
                session.add(PersonIndex(kind=kind, digest=digest, person_id=person.id))
        write_account(work, handle_of(person.id), [Role.APPLICANT], person=person.id)
        return person.id


def choose_channel(office: Office, person: int, channel: str | None, *, by: str) -> str | None:
    """Record the channel that a person prefers for letters, and return it.

    ``channel`` is one of `CHANNELS`; None means the first that reaches them. Other channels are still used after a bounce.
    ``by`` is the person's own account, an officer or an administrator.

    Raises:
        Refused: channel or person do not exist, or the address for that channel is not on record.
        NotAllowed: ``by`` is some other account.
    """
    if channel is not None and channel not in CHANNELS:
        raise Refused(
            f"There is no channel {channel}; there are: {', '.join(CHANNELS)}, any",
            for_people=f"Tidak ada saluran {channel}. Pilih salah satu: {', '.join(CHANNELS)}, any.",
        )
    with office.db.writing() as session:
        found = session.get(Person, person)
        key = session.get(PersonKey, found.key_id) if found else None
        if found is None or key is None:
            raise Refused(f"There is no person {person}", for_people=f"Tidak ada orang bernomor {person}.")
        user = user_named(session, by)
        if user.person_id != person and not roles_of(session, user, office.clock.today()) & {
            Role.OFFICER,
            Role.ADMINISTRATOR,
        }:
            raise NotAllowed(
                f"{by} is neither this person nor an officer",
                for_people="Saluran dipilih oleh orangnya sendiri atau dicatat petugas.",
                user=by,
            )
        needed = ADDRESSED_BY[channel] if channel else None
        if needed and not office.vault.decrypt(key, found.sealed).get(needed):
            raise Refused(
                f"No {needed} of person {person} is on record, so {channel} can't reach them",
                for_people=f"Belum ada {_ADDRESS_NAMES[needed]} orang ini; saluran {channel} tidak dapat dipakai.",
            )
        found.channel = channel
        session.add(found)
    return channel


_ADDRESS_NAMES = {"email": "alamat surel", "phone": "nomor telepon"}


def _clean_number(name: str, given: str | None) -> str | None:
    """Return a number as an import cleans it.

    Raises:
        Refused: the number is malformed.
    """
    if name not in NUMBER_CLEANERS or given is None:
        return given
    cleaned = NUMBER_CLEANERS[name](given)
    if isinstance(cleaned, Fault):
        raise Refused(cleaned.reason_en, for_people=f"{name}: {cleaned.reason_id}")
    value: str | None = cleaned.value
    return value


def add_product(office: Office, business: int, name: str, cluster: str, *, run: RunHandle | None = None) -> int:
    """Register a product of a business, unless it has one of that name; return the product's id.

    Raises:
        Refused: there is no such business.
    """
    must_be_clean(name=name, cluster=cluster)
    with recorded(office, run) as run, office.work(run) as work:
        session = work.session
        if session.get(Business, business) is None:
            raise Refused(f"There is no business {business}", for_people=f"Tidak ada usaha nomor {business}.")
        wanted = select(Product).where(Product.business_id == business, Product.name == name)
        product = session.exec(wanted).first()
        if product is None:
            product = Product(business_id=business, name=name, cluster=cluster, created_at=office.clock.now())
            session.add(product)
            session.flush()
        assert product.id is not None
        return product.id


def record_certificate(
    office: Office,
    person: int,
    what: str,
    number: str,
    *,
    since: date,
    until: date | None,
    source: str,
    evidence: str,
    by: str,
    run: RunHandle | None = None,
) -> int:
    """Record a certificate that another body gave a person; return the record's id.

    ``what`` is the standing that the certificate gives ("assessor", "curator:makanan"); ``evidence`` is the kept file
    (``sha256:…``).

    Raises:
        BadText: a text holds letters that can't be kept or printed.
        Refused: the person does not exist, the file can't serve, or the number is recorded already, for anybody.
    """
    must_be_clean(what=what, number=number, source=source)
    with recorded(office, run) as run, office.work(run) as work:
        session = work.session
        if session.get(Person, person) is None:
            raise Refused(f"There is no person {person}", for_people=f"Tidak ada orang bernomor {person}.")
        recorder = user_named(session, by)
        given = given_for(str(RecordedCertificate.__tablename__), "evidence", evidence, by=by)
        must_serve(session, office.store, given)
        now = office.clock.now()
        taken = select(RecordedCertificate.id).where(
            RecordedCertificate.what == what, RecordedCertificate.number == number
        )
        if session.exec(taken).first() is not None:
            raise Refused(
                f"Certificate {number} ({what}) is recorded already",
                for_people=f"Sertifikat {number} ({what}) sudah tercatat; periksa nomor dan pemegangnya.",
            )
        certificate = RecordedCertificate(
            person_id=person,
            what=what,
            number=number,
            since=since,
            until=until,
            source=source,
            evidence_sha256=evidence.removeprefix("sha256:"),
            recorded_by_id=recorder.id or 0,
            recorded_at=now,
        )
        session.add(certificate)
        session.flush()
        told = {"certificate": certificate.id, "person": person, "what": what}
        actor = None if run.on_behalf_of else by
        assert certificate.id is not None
        record_uploads(session, [given], at=now, run_id=run.id, used_by=certificate.id)
        record(work, "certificate recorded", f"person {person}", told, rows=[certificate], actor=actor)
        return certificate.id


CONFLICTS = ("family", "employer", "trainer", "consultant", "association", "other")


def declare_conflict(
    office: Office,
    name: str,
    kind: str,
    *,
    by: str,
    business: int | None = None,
    person: int | None = None,
    institution: str | None = None,
    until: date | None = None,
    run: RunHandle | None = None,
) -> int:
    """Record an account's conflict of interest with a subject; return the record's id.

    The subject is one business, person or institution; ``kind`` is one of `CONFLICTS`. From this day on the account decides
    nothing about that subject.

    Raises:
        Refused: the kind is unknown, or not exactly one existing subject is named.
    """
    if kind not in CONFLICTS:
        raise Refused(
            f"{kind} is no kind of conflict; there are: {', '.join(CONFLICTS)}",
            for_people=f"Tidak ada jenis benturan kepentingan {kind}. Yang ada: {', '.join(CONFLICTS)}.",
        )
    must_be_clean(institution=institution)
    with recorded(office, run) as run, office.work(run) as work:
        session, added = work.session, list[Base]()
        towards = {
            "business": business if business and session.get(Business, business) else None,
            "person": person if person and session.get(Person, person) else None,
            "institution": institution_coded(session, institution, added) if institution else None,
        }
        named = [(what, number) for what, number in towards.items() if number is not None]
        if len(named) != 1:
            raise Refused(
                "Name one business, person or institution that exists",
                for_people="Sebutkan satu usaha, orang atau lembaga yang terdaftar.",
            )
        declared = DeclaredConflict(
            user_id=user_named(session, name).id or 0,
            subject_kind=named[0][0],
            subject_id=named[0][1],
            kind=kind,
            declared_on=office.clock.today(),
            until=until,
            declared_by_id=user_named(session, by).id or 0,
        )
        session.add(declared)
        session.flush()
        told = {"conflict": declared.id, "with": named[0][0], "kind": kind}
        actor = None if run.on_behalf_of else by
        record(work, "conflict declared", name, told, rows=[declared, *added], actor=actor)
        assert declared.id is not None
        return declared.id
