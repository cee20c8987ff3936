"""The ways in which a call to an outside body can end badly, each with its next move.

=================  ============================  ===================================
raised             what happened                 the engine's next move
=================  ============================  ===================================
`TryLater`         surely nothing                call again, not before `after`
`EndUnknown`       perhaps everything            look up, then perhaps call again
`CannotTell`       an answer that can't decide   ask an officer
`WrongPerson`      somebody else's answer        record nothing, ask an officer
`RefusedOutside`   understood and refused        tell the applicant or the officer why
`Bounced`          a letter that can't arrive    ask for another address
=================  ============================  ===================================

`str(error)` is for logs, in English; `for_people` is for letters and pages, in Indonesian.
Neither holds a personal number (UU 27/2022 on personal data; domain rule: first 6 and last 2
digits of a NIK at most), whatever text a service sent us.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from models.privacy import without_personal_numbers

_LONGEST_REASON = 500


def without_personal_data(text: str) -> str:
    """Return `text` with NIK, NPWP, phone numbers and mail addresses masked, on one line, 500 characters at most."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    text = without_personal_numbers(text)
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 1] + "…"


class OutsideError(Exception):
    """A call to an outside body did not end in an answer that can be recorded.

    `note` is for the administrator, where something of ours must be put right (a token, an address).
    """

    look_up_first: ClassVar[bool] = False
    """Whether the call may have had an effect, so that the next attempt must look up before it files."""
    in_words: ClassVar[str] = "Hubungan dengan sistem luar terganggu."

    def __init__(self, reason: str, *, for_people: str | None = None, note: str | None = None) -> None:
        """Mask all texts; without `for_people`, people read `in_words`."""
        self.reason = without_personal_data(reason)
        self.note = without_personal_data(note) if note else None
        self.for_people = without_personal_data(for_people or self.in_words)
        super().__init__(self.reason)

    def __str__(self) -> str:
        """Return reason and note."""
        return f"{self.reason} ({self.note})" if self.note else self.reason


class TryLater(OutsideError):
    """The call certainly had no effect, or only asked: try again, not before `after` where it is given."""

    in_words = "Sistem luar sedang tidak dapat melayani. Kami akan mencoba lagi; Anda tidak perlu berbuat apa-apa."

    def __init__(
        self, reason: str, after: timedelta | None = None, *, for_people: str | None = None, note: str | None = None
    ) -> None:
        """Take `after` as the service gave it; None leaves the pause to the engine."""
        super().__init__(reason, for_people=for_people, note=note)
        self.after = after


class EndUnknown(OutsideError):
    """The request may have been taken: look up before filing again, not before `after` where it is given."""

    look_up_first = True
    in_words = (
        "Permohonan sudah dikirim, tetapi jawabannya belum kami terima. "
        "Kami memeriksa dahulu apakah sudah tercatat sebelum mengirim lagi."
    )

    def __init__(
        self, reason: str, after: timedelta | None = None, *, for_people: str | None = None, note: str | None = None
    ) -> None:
        """Take `after` as the service gave it; None leaves the pause to the engine."""
        super().__init__(reason, for_people=for_people, note=note)
        self.after = after


class CannotTell(OutsideError):
    """What the service says decides nothing: an officer must look at the service itself."""

    look_up_first = True
    in_words = "Jawaban sistem luar tidak dapat dipastikan. Petugas perlu memeriksanya langsung di sistem tersebut."


class WrongPerson(OutsideError):
    """The answer is somebody else's: it is never recorded, and an officer must look."""

    look_up_first = True
    in_words = "Jawaban sistem luar ternyata atas nama orang lain, jadi tidak dicatat. Petugas perlu memeriksanya."


class RefusedOutside(OutsideError):
    """The service understood and refused; `field` names what it refused, in the service's words."""

    def __init__(
        self, reason: str, field: str | None = None, *, for_people: str | None = None, note: str | None = None
    ) -> None:
        """Tell people the service's own reason, unless `for_people` says it better."""
        where = f" (pada isian {field})" if field else ""
        super().__init__(reason, for_people=for_people or f"Ditolak oleh sistem luar{where}: {reason}", note=note)
        self.field = without_personal_data(field) if field else None


class Bounced(RefusedOutside):
    """A letter was refused for good at its address: sending it there again changes nothing."""

    def __init__(
        self, reason: str, field: str | None = "to_address", *, for_people: str | None = None, note: str | None = None
    ) -> None:
        """Ask people for another address, unless `for_people` says something better."""
        words = for_people or "Surat tidak dapat disampaikan ke alamat itu. Mohon perbarui alamat surel Anda."
        super().__init__(reason, field, for_people=words, note=note)
