"""The command line contract of `person channel`, and of `deliver` in the morning."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

from engine.letters.notices import notify
from engine.runtime.office import Office
from tests.cli.test_contract import Jalur
from tests.cli.test_contract import jalur as jalur
from tests.cli.test_contract import run as run


def test_a_channel_is_chosen_and_given_back(jalur: Jalur, run: Callable[..., Result]) -> None:
    """It prints person and channel; a wrong one is refused with the reason, and nothing is changed."""
    about = json.dumps({"national_id": "3508166904956220", "phone": "081162319252"})
    person = jalur("person", "add", "Sri Purnomo", "--data", about)["person"]
    jalur("user", "add", "budi", "--role", "officer")
    chosen = jalur("person", "channel", person, "whatsapp", "--by", "budi")
    assert chosen == {"person": person, "channel": "whatsapp"}
    assert "alamat surel" in jalur("person", "channel", person, "mail", "--by", "budi", code=1)["for_people"]
    assert "There is no channel pigeon" in jalur("person", "channel", person, "pigeon", "--by", "budi", code=1)["error"]
    assert jalur("person", "channel", person, "any", "--by", "budi") == {"person": person, "channel": None}
    assert run("person", "channel", person, "sms").exit_code == 2


def test_deliver_counts_digests_among_what_it_sent(jalur: Jalur, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for letters: the officer with an address has a digest there, the one without has it at the desk."""
    about = json.dumps({"national_id": "3508166904956220", "email": "budi@dinkop.example"})
    person = jalur("person", "add", "Budi", "--data", about)["person"]
    jalur("user", "add", "budi", "--role", "officer", "--person", person)
    jalur("user", "add", "tuti", "--role", "officer")
    office = Office.open()
    with office.db.writing() as session:
        notify(session, office, ["budi", "tuti"], what="a", kind="reminder", case_number=None, words="satu")
    office.close()
    monkeypatch.setenv("JALUR_NOW", "2026-01-12T06:30:00+07:00")
    assert set(jalur("deliver").values()) == {0}
    monkeypatch.setenv("JALUR_NOW", "2026-01-12T07:00:00+07:00")
    assert jalur("deliver") == {"sent": 1, "bounced": 0, "later": 0, "given_up": 0, "by_hand": 1}
    assert set(jalur("deliver").values()) == {0}
