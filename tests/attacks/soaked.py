"""A process that is there to be killed: ``python -m tests.attacks.soaked``, orders by line on its standard input.

It loads everything once and forks for each order, so that a kill costs no start. It says the fork's number at once, and how it
ended when it has. The fork opens its own office; nothing is cleaned up when it is killed.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import traceback

from engine.cases.dossier import Dossier
from engine.definition.registry import pipeline_named
from engine.execution import document_files
from engine.execution.drain import drain
from engine.letters.letter_delivery import deliver
from engine.runtime.office import Office
from engine.runtime.settings import Settings
from engine.sweeps.sweep import sweep
from models import Document
from tests.compiled import compiled_once

PIPELINE = "nib-legalization"
BLANK_PAPERS = "SOAK_BLANK_PAPERS"  # papers without words: a real one takes 50 ms, and rounds are many


def _blank(office: Office, dossier: Dossier, document: Document, paper: object) -> bytes:
    return f"%PDF-1.7\n% {dossier.case.number} {document.key}\n%%EOF\n".encode()


def carry_out(what: str, now: str) -> None:
    """Advance cases, deliver letters or sweep, once, at that moment."""
    office = Office.open(Settings(now=now))  # type: ignore[arg-type]  # read from text
    compiled_once(office)
    with office.run("flow", by=what) as run:
        if what == "advance":
            drain(office, run, pipeline_named(PIPELINE).name)
        elif what == "deliver":
            deliver(office)
        else:
            sweep(office, run)


def main() -> None:
    """Fork for each order."""
    if os.environ.get(BLANK_PAPERS):
        document_files.make_file = _blank
    logging.disable(logging.ERROR)  # an outage is what this is about
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                carry_out(**order)
                status = 0
            except BaseException:
                traceback.print_exc(limit=-3)
            finally:
                os._exit(status)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
