"""Errors of the engine; each message says what is wrong, in which case, and the next move.

``str(error)`` is English, for the command line and logs; ``for_people`` of a refusal is Indonesian.
"""

from __future__ import annotations


class Refused(Exception):
    """A refused request: nothing was changed.

    ``parts`` are the values in the message.
    """

    def __init__(self, message: str, *, for_people: str | None = None, **parts: object) -> None:
        super().__init__(message)
        self.for_people = for_people or message
        self.parts = parts


class UnknownCase(Refused):
    """No case has the given number."""

    def __init__(self, number: str) -> None:
        super().__init__(
            f"There is no case {number}. See: jalur inbox",
            for_people=f"Tidak ada permohonan bernomor {number}. Periksa kembali nomornya.",
            case=number,
        )


class NotWaiting(Refused):
    """The case does not wait for the answer: the question was never asked, or is settled."""

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
    """The account lacks the right: another role or region, their own case, a conflict."""


class BadAnswer(Refused):
    """The form is not filled in correctly.

    ``fields`` names the first faults, ``more`` counts those beyond.
    """

    def __init__(self, number: str, key: str, fields: list[dict[str, str]], more: int = 0) -> None:
        faults = "; ".join(f"{fault['field']}: {fault['reason']}" for fault in fields)
        rest, sisanya = (f"; and {more} more", f"; dan {more} lagi") if more else ("", "")
        super().__init__(
            f"The answer to {key} of case {number} can't be taken: {faults}{rest}. "
            f"See: jalur inbox --case {number} --json",
            for_people=f"Jawaban untuk {key} pada permohonan {number} belum dapat diterima: {faults}{sisanya}.",
            case=number,
            key=key,
            fields=fields,
            **({"more": more} if more else {}),
        )


class BadText(Refused):
    """A text or a number can't be kept or printed; ``field`` names it."""

    def __init__(self, field: str, english: str, reason: str) -> None:
        super().__init__(
            f"{field or 'What was given'} {english}",
            for_people=f"{field or 'Yang diisikan'}: {reason}.",
            field=field,
        )


class LedgerMisfit(Exception):
    """The code of a replay does not fit the ledger of its case.

    The case is parked; the others go on.
    """

    def __init__(self, number: str, pipeline: str, version: int, seq: int | None, step: str, what: str) -> None:
        where = f"entry {seq} ('{step}')" if seq else f"step '{step}'"
        super().__init__(
            f"Case {number} does not fit {pipeline} version {version} at {where}: {what}. "
            f"Restore the code of that version, or migrate the case: jalur case migrate {number}"
        )
        self.number, self.seq, self.step, self.what = number, seq, step, what


class PipelineMistake(Exception):
    """The pipeline's own code breaks a rule of the engine, e.g. asks inside a step."""
