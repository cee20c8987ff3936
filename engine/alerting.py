"""Troubles leave at once: at any hour of any day, every administrator gets one letter with all that broke since the last one."""

from __future__ import annotations

from sqlmodel import col, select

from engine.declared import ALERT, OFFICE
from engine.documents.letters import write
from engine.office import Office
from engine.telling import for_each, grouped, put, untold
from engine.watching import report_troubles
from models import Notice
from rules import book

HEADINGS = {
    "stale": "Pengawasan tenggat berhenti",
    "failed": "Proses yang gagal",
    "parked": "Perkara yang tertahan",
    "skipped": "Tenggat yang dilewati",
}


def write_alerts(office: Office) -> int:
    """Look for troubles and write an alert for each account that is to be told of one; return how many were written.

    What an alert told is not in the morning's digest. One that can't be written leaves its news for the next look.
    """
    report_troubles(office)
    with office.db.reading() as session:
        urgent = select(Notice.account_id).where(col(Notice.told_at).is_(None), col(Notice.kind).in_(HEADINGS))
        accounts = sorted(session.exec(urgent.distinct()))
    return for_each(accounts, lambda account: _write(office, account))


def _write(office: Office, account: int) -> bool:
    with office.db.writing() as session:
        user, news = untold(session, account, HEADINGS)
        if not news:
            return False  # another worker was first
        facts = {
            "name": user.name,
            "at": office.clock.now().isoformat(),
            "count": len(news),
            "groups": grouped(news, HEADINGS),
            "office": book(OFFICE).at("office", office.clock.today()).value,
        }
        return put(session, office, user, f"alert-{max(one.id or 0 for one in news)}", write(ALERT, facts, "id"), news)
