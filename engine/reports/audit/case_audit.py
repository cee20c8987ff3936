"""The audit of one case: all its rows against its entries, whose chain is checked apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.cases.issued_documents import issued_by, replaced_by
from engine.cases.ledger import CORRECTED, LODGED, RECALLED, breaks, salted_hash
from engine.deadlines.clock import local_date
from engine.execution.versions.case_migration import MIGRATED, UNDONE
from engine.reports.audit import sentences
from engine.reports.audit.case_records import CaseRecords, Values
from engine.reports.audit.findings import Finding, found
from engine.runtime.bound_rows import OF_A_CASE, bound_hash, is_bound, reference
from engine.runtime.encryption import Vault
from engine.runtime.hash_chain import as_object
from models import Answer, CaseFile, CaseStatus, Document, DocumentStatus, EntryKind
from models.base import Base

_EVIDENCE = re.compile(r"sha256:([0-9a-f]{64})")
HANDED_OUT = (DocumentStatus.READY, DocumentStatus.REPLACED, DocumentStatus.VOIDED)


def audit_case(vault: Vault, records: CaseRecords, evidence: set[str]) -> Iterator[Finding]:
    """Yield everything in a case that is not as its entries say.

    Mutates: ``evidence``, with the hashes of the files that its answers and entries name.
    """
    evidence.update(hashed for entry in records.entries for hashed in _named_files(entry["result"]))
    findings = {
        **_of_the_case(records),
        **_of_documents(records),
        **_of_answers(vault, records, evidence),
    }
    # What is known more closely is not said twice.
    for name, finding in _of_rows(records):
        findings.setdefault(name, finding)
    yield from findings.values()


def audit_document(records: CaseRecords, key: str) -> list[Finding]:
    """Return what is wrong with one document of a case, or with the chain that issued it."""
    case, name = records.case, f"{Document.__tablename__}/{key}"
    chain = breaks(records.number, records.entries, case["last_seq"], case["head"])
    wrong = [Finding("entry", records.number, broken.words, broken.facts) for broken in chain]
    wrong += [finding for named, finding in _of_documents(records).items() if named == name]
    return wrong or [finding for named, finding in _of_rows(records) if named == name]


def _of_the_case(records: CaseRecords) -> dict[str, Finding]:
    """Return what of a case is not as its entries say: version, dates, subject, status, end."""
    case, entries, number = records.case, records.entries, records.number
    if not entries or entries[0]["kind"] != EntryKind.OPENED:
        return {}
    opened = entries[0]
    told: dict[str, Any] = {"version": opened["pipeline_version"], "rule_date": local_date(opened["at"])}
    told |= {"status": CaseStatus.OPEN, "outcome": None, "reason": None, "closed_at": None, "corrected_seq": 0}
    for entry in entries:
        if entry["key"] in (MIGRATED, UNDONE) and entry["kind"] == EntryKind.REMARK:
            moved = as_object(entry["result"])
            told |= {"version": moved.get("to"), "rule_date": moved.get("rules_to")}
        elif entry["kind"] == EntryKind.CLOSED:
            told |= {"status": CaseStatus.CLOSED, "closed_at": entry["at"]}
            told |= {name: entry[name] for name in ("outcome", "reason")}
        elif entry["key"] == LODGED:
            told |= {"status": CaseStatus.OPEN, "outcome": None, "reason": None, "closed_at": None}
        elif entry["outcome"] == CORRECTED:
            told["corrected_seq"] = entry["seq"]
        elif entry["key"] == "parked":
            told["status"] = CaseStatus.PARKED
        elif entry["key"] == "retried" or entry["outcome"] == RECALLED:
            told["status"] = CaseStatus.OPEN
    wrong = {
        f"case_file {name}": found(
            "case",
            number,
            sentences.CASE_COLUMN,
            column=name,
            is_now=case[name],
            told=said,
        )
        for name, said in told.items()
        if case[name] != said and str(case[name]) != said
    }
    if opened["arguments_hash"] != salted_hash(case["salt"], case["subject_id"]):
        wrong["case_file subject"] = found("case", number, sentences.CASE_SUBJECT)
    if records.key is None and not records.erased:
        wrong["case_file key"] = found("case", number, sentences.CASE_KEY)
    return wrong


def _of_documents(records: CaseRecords) -> dict[str, Finding]:
    """Return the documents whose number, hash or status is not what the ledger says."""
    number, issued, replaced = records.number, issued_by(records.entries), replaced_by(records.entries)
    wrong = {}
    for document in records.rows[Document]:
        fault = _fault_of(document, issued.pop(document["key"], None), replaced)
        if fault is not None:
            words, facts = fault
            facts = {"key": document["key"], "number": document["number"], **facts}
            wrong[reference(Document, document)] = found("document", number, words, **facts)
    for key, entry in issued.items():
        gone = found("document", number, sentences.DOCUMENT_GONE, key=key, issued=entry["number"])
        wrong[f"{Document.__tablename__}/{key}"] = gone
    return wrong


def _fault_of(
    document: Values, entry: Mapping[str, Any] | None, replaced: set[str]
) -> tuple[str, dict[str, Any]] | None:
    """Return what is wrong with a document, whose entry is None where none issued it."""
    number, status = document["number"], document["status"]
    told = DocumentStatus.REPLACED if (number or document["key"]) in replaced else DocumentStatus.READY
    if entry and number != entry["number"]:
        return sentences.DOCUMENT_NUMBER, {"issued": entry["number"]}
    if entry and document["sha256"] != entry["sha256"]:
        return sentences.DOCUMENT_FILE, {}
    if number and status in HANDED_OUT and not entry:
        return sentences.DOCUMENT_UNISSUED, {}
    if status != told and (entry or status in HANDED_OUT):
        return sentences.DOCUMENT_STATUS, {"status": status, "expected": str(told)}
    return None


def _of_answers(vault: Vault, records: CaseRecords, evidence: set[str]) -> dict[str, Finding]:
    """Return the answers that are not what the ledger keeps the salted hash of."""
    hashes = {
        entry["key"]: as_object(entry["result"])["answer"]
        for entry in records.entries
        if entry["kind"] != EntryKind.STEP and "answer" in as_object(entry["result"])
    }
    number, wrong = records.number, {}
    for answer in records.rows[Answer]:
        key, name = answer["key"], reference(Answer, answer)
        hashed = hashes.pop(key, None)
        if records.key is None:
            continue  # nobody can read it any more; its row is bound all the same
        try:
            plain = vault.decrypt(records.key, answer["sealed"])
        except ValueError:
            wrong[name] = found("answer", number, sentences.ANSWER_UNREADABLE, key=key)
            continue
        evidence.update(_named_files(plain))
        if hashed is None:
            wrong[name] = found("answer", number, sentences.ANSWER_UNKNOWN, key=key)
        elif hashed != salted_hash(records.case["salt"], plain):
            wrong[name] = found("answer", number, sentences.ANSWER_CHANGED, key=key)
    for key in hashes:
        wrong[f"answer/{key}"] = found("answer", number, sentences.ANSWER_GONE, key=key)
    return wrong


def _of_rows(records: CaseRecords) -> Iterator[tuple[str, Finding]]:
    """Yield the rows that are not what the case's entries bind."""
    number = records.number
    recorded: dict[str, tuple[str | None, int]] = {}
    for entry in records.entries:
        for name, hashed in as_object(entry["rows"]).items():
            recorded[name] = hashed, entry["seq"]
    for name, hashed in as_object(records.case["pending_rows"]).items():
        recorded[name] = hashed, records.case["last_seq"] + 1
    for table in OF_A_CASE:
        rows = [records.case] if table is CaseFile else records.rows[table]
        for row in rows:
            if not is_bound(table, row):
                continue
            name = reference(table, row)
            hashed, seq = recorded.pop(name, (None, 0))
            if hashed is None:
                words = sentences.ROW_UNKNOWN if seq == 0 else sentences.ROW_BACK
                yield name, found(what_of(table), number, words, row=name, seq=seq)
            elif hashed != bound_hash(table, row):
                words = sentences.ROW_CHANGED
                if seq > records.case["last_seq"]:
                    words = sentences.ROW_CHANGED_SINCE
                yield name, found(what_of(table), number, words, row=name, seq=seq)
    for name, (hashed, seq) in recorded.items():
        if hashed is not None:
            yield name, found(name.split("/")[0], number, sentences.ROW_GONE, row=name, seq=seq)


def what_of(table: type[Base]) -> str:
    """Return the code of a table's findings."""
    return "case" if table is CaseFile else str(table.__tablename__)


def _named_files(value: Any) -> Iterator[str]:
    """Yield the hashes of the kept files that a JSON value names."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _named_files(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named_files(inner)
    elif isinstance(value, str) and (named := _EVIDENCE.fullmatch(value)):
        yield named[1]
