"""What can be refused, each with what is wrong, where, and the next move.

``str(error)`` is English for officers of the command line and logs; ``for_people`` is Indonesian.
"""

from __future__ import annotations


class Refused(Exception):
    """Somebody asked for what may not be done. Nothing was changed."""

    def __init__(self, message: str, *, for_people: str | None = None, **parts: object) -> None:
        super().__init__(message)
        self.for_people = for_people or message
        self.parts = parts


class UnknownCase(Refused):
    """There is no case of that number."""

    def __init__(self, number: str) -> None:
        super().__init__(
            f"There is no case {number}. See: jalur inbox",
            for_people=f"Tidak ada permohonan bernomor {number}. Periksa kembali nomornya.",
            case=number,
        )


class NotWaiting(Refused):
    """The case does not wait for that answer: never asked, or already settled."""

    def __init__(self, number: str, key: str, waiting_for: list[str], settled_as: str | None = None) -> None:
        why = {
            None: "is not waiting for",
            "answered": "has already been answered at",
            "silent": "is no longer waiting: the time has passed for",
            "passed": "is no longer waiting: the time has passed for",
            "withdrawn": "was withdrawn before",
            "recalled": "no longer asks what an answer that was taken back led to:",
        }[settled_as]
        mengapa = {
            None: "tidak sedang menunggu",
            "answered": "sudah menerima jawaban untuk",
            "silent": "tidak lagi menunggu karena tenggat telah lewat untuk",
            "passed": "tidak lagi menunggu karena tenggat telah lewat untuk",
            "withdrawn": "telah ditarik sebelum",
            "recalled": "tidak lagi menanyakan, karena jawaban sebelumnya dicabut,",
        }[settled_as]
        what, apa = (f"'{key}'", f"'{key}'") if key else ("a person", "siapa pun")
        waiting = ", ".join(waiting_for)
        super().__init__(
            f"Case {number} {why} {what}; it is waiting for: {waiting or 'nothing'}. See: jalur case show {number}",
            for_people=f"Permohonan {number} {mengapa} {apa}. Yang sedang ditunggu: {waiting or 'tidak ada'}.",
            case=number,
            key=key,
            settled_as=settled_as,
            waiting_for=waiting_for,
        )


class NotAllowed(Refused):
    """The person may not do this: another role, another region, their own case, or a declared conflict."""


class BadAnswer(Refused):
    """The form is not filled in as it must be; ``fields`` names each fault."""

    def __init__(self, number: str, key: str, fields: list[dict[str, str]]) -> None:
        faults = "; ".join(f"{fault['field']}: {fault['reason']}" for fault in fields)
        super().__init__(
            f"The answer to {key} of case {number} can't be taken: {faults}. See: jalur inbox --case {number} --json",
            for_people=f"Jawaban untuk {key} pada permohonan {number} belum dapat diterima: {faults}.",
            case=number,
            key=key,
            fields=fields,
        )


class LedgerMisfit(Exception):
    """A replay met a ledger that its code does not fit. That case alone is parked; nobody guesses."""

    def __init__(self, number: str, pipeline: str, version: int, seq: int | None, step: str, what: str) -> None:
        where = f"entry {seq} ('{step}')" if seq else f"step '{step}'"
        super().__init__(
            f"Case {number} does not fit {pipeline} version {version} at {where}: {what}. "
            f"Restore the code of that version, or migrate the case: jalur case migrate {number}"
        )
        self.number, self.seq, self.step, self.what = number, seq, step, what


class PipelineMistake(Exception):
    """The pipeline's own code breaks a rule of the house, e.g. asks inside a step."""
