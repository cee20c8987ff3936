"""More time for a question, agreed by both sides: with a reason and a new date, one at a time, within the rules' limits."""

from __future__ import annotations

from datetime import date, timedelta

from sqlmodel import col, select, update

from engine.authority import may_steer, user_named
from engine.book import Book
from engine.clock import local_date
from engine.deadlines import ladder_of, rung_times, times_of
from engine.dossiers import by_number
from engine.errors import Refused
from engine.office import Office, RunHandle
from engine.outbox import OFFICE, letter_facts, queue_letter
from engine.parking import note
from engine.reassigning import the_wait
from models import LedgerEntry, Role, Wait
from models.privacy import without_personal_numbers


def extend(
    office: Office, run: RunHandle, number: str, key: str | None, *, until: date, by: str, agreed_with: str, reason: str
) -> None:
    """Move the date of an open question to ``until``, and everything that hangs on it.

    ``by`` steers the case, ``agreed_with`` is the other side: who was asked, or the applicant. Raises `UnknownCase`, `NotWaiting`,
    `NotAllowed`, and `Refused` where an extension runs already, the rules allow no more, or a law gives the time.
    """
    with office.db.writing() as session:
        dossier = by_number(office, session, number, lock=True)
        wait = the_wait(dossier, key)
        question, rules, now = dossier.pipeline.questions[wait.question or ""], dossier.case.rules, office.clock.now()
        actor, other = (
            may_steer(session, user_named(session, by), dossier.case, wait.holder),
            user_named(session, agreed_with),
        )
        if other.name == actor.name:
            raise _refused(number, "two sides agree, and one was named", "sebutkan pihak lain yang menyetujui")
        if wait.due_at is None or question.due is None:
            raise _refused(number, f"{wait.key} has no date", f"{wait.key} tidak memiliki tenggat")
        due, today = local_date(wait.due_at), local_date(now)
        if rules[question.due].is_law and rules.quietly(f"{question.due}_extension") is None:
            law = rules[question.due].citation
            raise _refused(number, f"the law gives the time ({law})", f"jangka waktu ini ditetapkan hukum ({law})")
        if wait.extended_until and wait.extended_until >= today:
            raise _refused(
                number,
                f"{wait.key} is extended until {wait.extended_until} already",
                f"{wait.key} sudah diperpanjang sampai {wait.extended_until}",
            )
        longest = due + timedelta(days=rules["extension_longest"].value)
        if not max(due, today) < until <= longest:
            raise _refused(
                number,
                f"the new date must lie after {max(due, today)} and not after {longest}",
                f"tanggal baru harus sesudah {max(due, today)} dan paling lambat {longest}",
            )
        before = select(LedgerEntry.seq).where(
            LedgerEntry.case_id == dossier.row.id,
            LedgerEntry.key == "extended",
            col(LedgerEntry.reason).startswith(f"{wait.key},"),
        )
        if len(session.exec(before).all()) >= rules["extension_limit"].value:
            raise _refused(
                number, f"{wait.key} was extended as often as may be", f"{wait.key} sudah paling banyak diperpanjang"
            )
        times = times_of(office.calendar, rules, question, wait.asked_at, extended_until=until)
        moments = rung_times(office.calendar, ladder_of(rules, question), local_date(wait.asked_at), until)
        fired = sum(1 for moment in moments if moment <= now)
        times = times_of(office.calendar, rules, question, wait.asked_at, rung=fired, extended_until=until)
        session.execute(
            update(Wait)
            .where(col(Wait.case_id) == wait.case_id, col(Wait.key) == wait.key, col(Wait.settled_at).is_(None))
            .values(extended_until=until, rung=fired, **times.values())
        )
        words = without_personal_numbers(f"{wait.key}, {due} menjadi {until}, disetujui {agreed_with}: {reason}")
        note(session, dossier.row, office, run, "extended", actor.name, words, role=actor.role)
        book = Book()
        if wait.role == Role.APPLICANT:
            queue_letter(
                book,
                dossier.row,
                lambda plain: office.vault.seal(dossier.key, plain),
                now,
                key=f"{wait.key}/date_extended-{dossier.row.last_seq}",
                folder=OFFICE,
                letter="date_extended",
                whom=dossier.case.applicant,
                facts={
                    **letter_facts(office, dossier.case),
                    "question": question.title,
                    "before": due.isoformat(),
                    "after": until.isoformat(),
                },
            )
        book.insert(session)
        session.add(dossier.row)
    run.cases += 1


def _refused(number: str, english: str, indonesian: str) -> Refused:
    return Refused(
        f"{number} can't be extended so: {english}. Nothing was changed",
        for_people=f"Perpanjangan {number} tidak dapat dicatat: {indonesian}. Tidak ada yang diubah.",
        case=number,
    )
