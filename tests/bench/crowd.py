"""A million cases for the bench of legal time, made inside PostgreSQL: what a sweep, a report and a calendar change look at.

The engine opens a few cases, one a person; all others are copies of these with numbers, ledgers and clocks of their own. Each
has one ledger entry, whose hash PostgreSQL computes from the engine's canonical words, so that every chain can be verified. The
times of the waits are what the engine derives for the day of asking, after a sweep of yesterday evening.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from sqlalchemy import Connection, text
from sqlmodel import insert, select

from engine.cases.opening import open_cases
from engine.deadlines.clock import JAKARTA, morning_of
from engine.deadlines.due_dates import ladder_of, next_due, rung_times, times_of
from engine.definition.case import handle_of
from engine.definition.forms import Question
from engine.definition.registry import pipeline_named
from engine.execution.drain import drain
from engine.runtime.hash_chain import canonical
from engine.runtime.office import Office
from models import CaseFile, Role, Run, User, UserRole
from rules import RulesAt
from rules.regions import regions
from tests.bench import waiting
from tests.bench.ground import OPENED_BY

NOW = datetime(2026, 9, 18, 7, 30, tzinfo=JAKARTA)  # a Friday, 31 days after a working day: silences end on it, too
PATTERNS = 100  # cases that the engine opens, to be copied
OFFICERS = 5  # in each of the 38 offices
YESTERDAY = NOW - timedelta(hours=12)
ROUNDS, FIRST_DUE = 3, 4


@dataclass(frozen=True)
class Crowd:
    """How many cases there are, how many of them are open, and in how many of these something is due at each of ROUNDS hours."""

    cases: int
    open: int
    due: int

    @property
    def each_open(self) -> int:
        """Return which one is open: every so many."""
        return self.cases // self.open

    @property
    def each_due(self) -> int:
        """Return which open one is due: every so many, from the fourth, so that none is a pattern."""
        return self.open // (self.due * ROUNDS + FIRST_DUE)


def fill(office: Office, crowd: Crowd) -> None:
    """Make the crowd. The owners are those of the businesses that `Ground.new_office` made, PATTERNS in number."""
    _hire(office)
    pipeline = pipeline_named(waiting.NAME)
    with office.run("cli", by=OPENED_BY, pipeline=pipeline.name) as run:
        open_cases(office, run, pipeline, range(1, PATTERNS + 1), by=OPENED_BY)
        drain(office, run, pipeline.name)
    with office.db.engine.begin() as connection:
        # What is copied refers to what is there: a million look-ups less for each reference.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        _ages(connection, office)
        _copies(connection, crowd)
    with office.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))  # as autovacuum will have done


def _hire(office: Office) -> None:
    """Give each office its officers and their supervisor, the province its heads, and the owners their accounts."""
    chain: list[tuple[str, Role, str | None, str | None]] = [
        ("kepala-dinas", Role.OFFICE_HEAD, None, None),
        ("kepala-bidang", Role.DIVISION_HEAD, None, "kepala-dinas"),
    ]
    for code in regions():
        chain.append((f"penyelia-{code}", Role.SUPERVISOR, code, "kepala-bidang"))
        chain += [(f"petugas-{code}-{n}", Role.OFFICER, code, f"penyelia-{code}") for n in range(1, OFFICERS + 1)]
    chain += [(handle_of(person), Role.APPLICANT, None, None) for person in range(1, PATTERNS + 1)]
    ids: dict[str | None, int] = {}
    with office.db.writing() as session:
        for name, role, region, above in chain:
            values = {"name": name, "region_code": region, "reports_to_id": ids.get(above), "created_at": NOW}
            ids[name] = session.scalars(insert(User).values(**values).returning(User.id)).one()  # type: ignore[call-overload]
            session.execute(insert(UserRole).values(user_id=ids[name], role=role))


def _ages(connection: Connection, office: Office) -> None:
    """List the days on which what waits now was asked, each with the times that the engine gives such a wait."""
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE age (is_due boolean, place int, question text, role text, asked_at timestamptz, "
            "due_at timestamptz, silent_at timestamptz, rung int, next_due_at timestamptz) ON COMMIT DROP"
        )
    )
    rows = list(_asked(office))
    for is_due in (True, False):
        numbered = [{**row, "place": n} for n, row in enumerate(row for row in rows if row["is_due"] is is_due)]
        names = ", ".join(f":{name}" for name in COLUMNS)
        connection.execute(text(f"INSERT INTO age ({', '.join(COLUMNS)}) VALUES ({names})"), numbered)


COLUMNS = ("is_due", "place", "question", "role", "asked_at", "due_at", "silent_at", "rung", "next_due_at")


def _asked(office: Office) -> Iterator[dict[str, Any]]:
    pipeline = pipeline_named(waiting.NAME)
    questions: list[Question[Any]] = list(pipeline.questions.values())
    for question, days in product(questions, range(40)):
        asked_at = NOW - timedelta(days=days, hours=1)
        if not office.calendar.is_working_day(asked_at.date()):
            continue
        rules = RulesAt(pipeline.rules, asked_at.date())
        times = times_of(office.calendar, rules, question, asked_at)
        assert times.due_at
        ladder, due_on = ladder_of(rules, question), times.due_at.astimezone(JAKARTA).date()
        rung = sum(at <= YESTERDAY for at in rung_times(office.calendar, ladder, asked_at.date(), due_on))
        coming = next_due(office.calendar, ladder, asked_at.date(), due_on, times.silent_at, rung)
        if coming is None or coming <= YESTERDAY:
            continue
        values = {**times.values(), "next_due_at": coming, "rung": rung, "is_due": coming <= NOW}
        yield {"question": question.name, "role": str(question.of), "asked_at": asked_at.astimezone(UTC), **values}


# What a copy's own columns say, by the number ``n`` of the case; all others are its pattern's.
OF_A_CASE = {
    "id": "n",
    "number": "number",
    "region_code": "region",
    "status": "CASE WHEN is_open THEN 'open' ELSE 'closed' END",
    "outcome": "CASE WHEN NOT is_open THEN 'done' END",
    "rule_date": "(opened AT TIME ZONE 'Asia/Jakarta')::date",
    "opened_at": "opened",
    "complete_at": "opened",
    "closed_at": "CASE WHEN NOT is_open THEN opened + interval '14 days' END",
    "holder": "CASE WHEN is_open THEN CASE role WHEN 'applicant' THEN 'applicant' ELSE 'office' END END",
    "segments": "CASE WHEN role = 'applicant' THEN 2 ELSE 3 END",
    "ready": "false",
    "last_seq": "1",
    "head": "hash",
    "pending_rows": "NULL",
}
OF_A_WAIT = {
    "case_id": "n",
    "key": "question || '#1'",
    "pipeline": f"'{waiting.NAME}'",
    "kind": "'person'",
    "question": "question",
    "role": "role",
    "holder": f"CASE role WHEN 'applicant' THEN 'owner-' || 1 + n % {PATTERNS} "
    f"ELSE 'petugas-' || region || '-' || 1 + n / 38 % {OFFICERS} END",
    "apart_from": "'[]'",
    "arguments_hash": "''",
    "asked_at": "CASE WHEN is_open THEN asked_at ELSE opened + interval '11 days' END",
    "due_at": "CASE WHEN is_open THEN due_at ELSE opened + interval '16 days' END",
    "silent_at": "CASE WHEN is_open THEN silent_at END",
    "rung": "rung",
    "next_due_at": "CASE WHEN is_due THEN :morning + place_due % :rounds * interval '1 hour' WHEN is_open THEN next_due_at END",
    "settled_at": "CASE WHEN NOT is_open THEN opened + interval '13 days' END",
    "settled_as": "CASE WHEN NOT is_open THEN 'answered' END",
    "attempt": "0",
    "end_unknown": "false",
}
OF_AN_ENTRY = {
    "case_id": "n",
    "seq": "1",
    "kind": "'opened'",
    "key": "'opened#1'",
    "actor": ":actor",
    "at": ":at",
    "run_id": ":run_id",
    "arguments_hash": "''",
    "rule_versions": "'{}'",
    "pipeline_version": "1",
    "previous_hash": "''",
    "hash": "hash",
}
# The office, then the applicant, then the office again or nobody.
SEGMENTS = (
    {"seq": "1", "since": "opened", "holder": "'office'", "running": "true"},
    {
        "seq": "2",
        "since": "CASE WHEN role = 'applicant' AND is_open THEN asked_at ELSE opened + interval '1 day' END",
        "holder": "'applicant'",
        "running": "false",
    },
    {
        "seq": "3",
        "since": "CASE WHEN is_open THEN asked_at ELSE opened + interval '14 days' END",
        "holder": "CASE WHEN is_open THEN 'office' END",
        "running": "is_open",
    },
)


def _copies(connection: Connection, crowd: Crowd) -> None:
    facts = _numbers(connection, crowd)
    columns = {column.name: f"pattern.{column.name}" for column in CaseFile.__table__.c}  # type: ignore[attr-defined]
    joined = f"crowd JOIN case_file pattern ON pattern.id = 1 + n % {PATTERNS}"
    connection.execute(text(_insert("case_file", {**columns, **_of_crowd(OF_A_CASE)}, joined)))
    times = {"morning": morning_of(NOW.date()), "rounds": ROUNDS}
    connection.execute(text(_insert("wait", OF_A_WAIT, "crowd")), times)
    connection.execute(text(_insert("ledger_entry", OF_AN_ENTRY, "crowd")), facts)
    for segment in SEGMENTS:
        only = "crowd WHERE NOT is_open OR role <> 'applicant'" if segment["seq"] == "3" else "crowd"
        ground = {"ground": "'PP 5/2021'", "key": "question || '#1'"}
        connection.execute(text(_insert("clock_segment", {"case_id": "n", **segment, **ground}, only)))
    connection.execute(text("SELECT setval(pg_get_serial_sequence('case_file', 'id'), :last)"), {"last": crowd.cases})


def _numbers(connection: Connection, crowd: Crowd) -> dict[str, Any]:
    """List the copies: number, office, age and hash of each; return what their ledger entries have in common."""
    run_id = connection.scalar(select(Run.id).limit(1))
    facts = {"actor": OPENED_BY, "at": NOW.astimezone(UTC), "run_id": run_id}
    none = dict.fromkeys(("role", "on_behalf_of", "outcome", "reason", "result"))
    fixed = {
        "seq": 1,
        "kind": "opened",
        "key": "opened#1",
        "arguments_hash": "",
        "rule_versions": {},
        "pipeline_version": 1,
    }
    words = canonical({"case": "@", **facts, **none, **fixed}).decode()
    assert words.count("@") == 1
    counted = connection.execute(text("SELECT is_due, count(*) FROM age GROUP BY is_due"))
    ages = {is_due: count for is_due, count in counted}
    codes, each = list(regions()), crowd.each_open * crowd.each_due
    connection.execute(
        text(
            f"""CREATE TEMPORARY TABLE crowd ON COMMIT DROP AS
            SELECT n, number, encode(sha256(convert_to(replace(:words, '@', number), 'UTF8')), 'hex') AS hash,
                   (CAST(:codes AS text[]))[1 + n % {len(codes)}] AS region, is_open, place_due, age.*,
                   CASE WHEN is_open THEN asked_at - interval '3 days' ELSE asked_at - (40 + n % 600) * interval '1 day' END
                   AS opened
            FROM (SELECT n, 'WAK-2025-' || lpad(n::text, 7, '0') AS number, n % {crowd.each_open} = 0 AS is_open,
                         n / {crowd.each_open} AS place_open, n / {each} AS place_due,
                         n % {each} = 0 AND n / {each} BETWEEN {FIRST_DUE} AND {FIRST_DUE - 1 + crowd.due * ROUNDS} AS due_now
                  FROM generate_series({PATTERNS + 1}, {crowd.cases}) AS s(n)) AS made
            JOIN age ON age.is_due = due_now AND age.place = CASE WHEN due_now THEN place_due / {ROUNDS} % {ages[True]}
                                                                  ELSE place_open % {ages[False]} END"""
        ),
        {"words": words, "codes": codes},
    )
    return facts


def _of_crowd(values: dict[str, str]) -> dict[str, str]:
    """Say of which table a column is where the pattern has it too."""
    ours = {"number": "crowd.number"}
    return {name: ours.get(value, value) for name, value in values.items()}


def _insert(table: str, values: dict[str, str], source: str) -> str:
    return f'INSERT INTO "{table}" ({", ".join(values)}) SELECT {", ".join(values.values())} FROM {source}'
