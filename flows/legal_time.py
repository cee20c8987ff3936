"""The moment from which the law counts, as a line in a process."""

from __future__ import annotations

from engine.pipeline import Case, dossier_complete, step


@step
def start_legal_time(case: Case) -> None:
    """The dossier is complete: the case's legal clock runs from today (UU 33/2014 Pasal 30 sebagaimana diubah UU 6/2023)."""
    dossier_complete()
