"""Errors of a call to an outside body, each with the engine's next move.

`str(error)` is for logs, in English; `for_people` is for letters and pages, in Indonesian. Neither holds a personal
number (UU 27/2022: first 6 and last 2 digits of a NIK at most), whatever text a service sent.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from models.privacy import without_personal_numbers

_LONGEST_REASON = 500


def without_personal_data(text: str) -> str:
    """Return `text` on one line (500 characters at most), personal numbers and addresses masked."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    text = without_personal_numbers(text)
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 1] + "…"


class OutsideError(Exception):
    """A call to an outside body did not end in an answer that can be recorded.

    =================  ============================  ======================================
    raised             effect of the call            the engine's next move
    =================  ============================  ======================================
    `TryLater`         surely none                   call again, not before `after`
    `EndUnknown`       perhaps done                  look up, then perhaps call again
    `CannotTell`       an answer decides nothing     ask an officer
    `WrongPerson`      somebody else's answer        record nothing, ask an officer
    `RefusedOutside`   understood and refused        tell the applicant or officer why
    `Bounced`          a letter can't arrive         ask for another address
    =================  ============================  ======================================

    `note` is for the administrator, where a setting of ours must be corrected (a token, an address).
    """

    look_up_first: ClassVar[bool] = False
    """Whether the call may have had an effect, so that the next attempt must look up before it files."""
    in_words: ClassVar[str] = "Hubungan dengan sistem luar terganggu."

    def __init__(self, reason: str, *, for_people: str | None = None, note: str | None = None) -> None:
        """Mask all texts; `in_words` is the default of `for_people`."""
        self.reason = without_personal_data(reason)
        self.note = without_personal_data(note) if note else None
        self.for_people = without_personal_data(for_people or self.in_words)
        super().__init__(self.reason)

    def __str__(self) -> str:
        """Return reason and note."""
        return f"{self.reason} ({self.note})" if self.note else self.reason


class TryLater(OutsideError):
    """The call had no effect, or was a look-up: try again, not before `after` where given."""

    in_words = "Sistem luar sedang tidak dapat melayani. Kami akan mencoba lagi; Anda tidak perlu berbuat apa-apa."

    def __init__(
        self, reason: str, after: timedelta | None = None, *, for_people: str | None = None, note: str | None = None
    ) -> None:
        """Take the service's pause `after`; None leaves the pause to the engine."""
        super().__init__(reason, for_people=for_people, note=note)
        self.after = after


class EndUnknown(OutsideError):
    """The request may have been taken: look up before filing again, not before `after`."""

    look_up_first = True
    in_words = (
        "Permohonan sudah dikirim, tetapi jawabannya belum kami terima. "
        "Kami memeriksa dahulu apakah sudah tercatat sebelum mengirim lagi."
    )

    def __init__(
        self, reason: str, after: timedelta | None = None, *, for_people: str | None = None, note: str | None = None
    ) -> None:
        """Take the service's pause `after`; None leaves the pause to the engine."""
        super().__init__(reason, for_people=for_people, note=note)
        self.after = after


class CannotTell(OutsideError):
    """The answer decides nothing: an officer must look at the service itself."""

    look_up_first = True
    in_words = "Jawaban sistem luar tidak dapat dipastikan. Petugas perlu memeriksanya langsung di sistem tersebut."


class WrongPerson(OutsideError):
    """The answer is another person's: it is not recorded, and an officer must look."""

    look_up_first = True
    in_words = "Jawaban sistem luar ternyata atas nama orang lain, jadi tidak dicatat. Petugas perlu memeriksanya."


class RefusedOutside(OutsideError):
    """The service understood and refused; `field` names what it refused, in the service's words."""

    def __init__(
        self, reason: str, field: str | None = None, *, for_people: str | None = None, note: str | None = None
    ) -> None:
        """Take the service's reason; people read it too, unless `for_people` is given."""
        where = f" (pada isian {field})" if field else ""
        super().__init__(reason, for_people=for_people or f"Ditolak oleh sistem luar{where}: {reason}", note=note)
        self.field = without_personal_data(field) if field else None


class Bounced(RefusedOutside):
    """A letter was refused for good at its address: do not send it there again."""

    def __init__(
        self, reason: str, field: str | None = "to_address", *, for_people: str | None = None, note: str | None = None
    ) -> None:
        """Take the reason; people are asked for another address, unless `for_people` is given."""
        words = for_people or "Surat tidak dapat disampaikan ke alamat itu. Mohon perbarui alamat surel Anda."
        super().__init__(reason, field, for_people=words, note=note)
