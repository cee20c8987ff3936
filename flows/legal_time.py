"""The start of a case's legal clock, as a line in a process."""

from __future__ import annotations

from engine.pipeline import Case, dossier_complete, step


@step
def start_legal_time(case: Case) -> None:
    """Start the case's legal clock today: the dossier is complete.

    UU 33/2014 Pasal 30 sebagaimana diubah UU 6/2023.
    """
    dossier_complete()
