"""Whom the office talks to, as the settings say."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.runtime.adapters import adapters_of
from engine.runtime.settings import Environment, Settings
from outside.bnsp import ManualBnsp
from outside.bnsp_http import HttpBnsp
from outside.gateway_http import HttpSms, HttpWhatsApp
from outside.oss import ManualOss
from outside.oss_http import HttpOss
from outside.sihalal import ManualSiHalal
from outside.sihalal_http import HttpSiHalal


def test_without_an_address_officers_do_it_by_hand(tmp_path: Path) -> None:
    """No office is spoken to by machine unless somebody said where."""
    contacts = adapters_of(Settings(home=tmp_path, env=Environment.TEST))
    kinds = [type(office) for office in (contacts.oss, contacts.sihalal, contacts.bnsp)]
    assert kinds == [ManualOss, ManualSiHalal, ManualBnsp]
    assert (contacts.sms, contacts.whatsapp) == (None, None)


def test_each_office_has_an_address_and_a_token_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JALUR_SIHALAL_URL and JALUR_SIHALAL_TOKEN, and so on for each."""
    for name in ("OSS", "SIHALAL", "BNSP"):
        monkeypatch.setenv(f"JALUR_{name}_URL", f"https://{name.lower()}.example.id")
        monkeypatch.setenv(f"JALUR_{name}_TOKEN", "a-token")
    contacts = adapters_of(Settings(home=tmp_path, env=Environment.TEST))
    offices: tuple[object, ...] = (contacts.oss, contacts.sihalal, contacts.bnsp)
    assert [type(office).__name__ for office in offices] == ["HttpOss", "HttpSiHalal", "HttpBnsp"]
    for office, name in zip(offices, ("oss", "sihalal", "bnsp"), strict=True):
        assert isinstance(office, HttpOss | HttpSiHalal | HttpBnsp)
        assert f"https://{name}.example.id" in repr(office)
        office.close()


def test_each_gateway_has_an_address_and_a_token_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JALUR_SMS_URL and JALUR_SMS_TOKEN, likewise for WhatsApp; without a token there is no channel, and no token is shown."""
    monkeypatch.setenv("JALUR_SMS_URL", "https://sms.example.id")
    monkeypatch.setenv("JALUR_WHATSAPP_URL", "https://whatsapp.example.id")
    monkeypatch.setenv("JALUR_WHATSAPP_TOKEN", "a-secret")
    settings = Settings(home=tmp_path, env=Environment.TEST)
    contacts = adapters_of(settings)
    assert contacts.sms is None
    assert isinstance(contacts.whatsapp, HttpWhatsApp)
    assert "https://whatsapp.example.id" in repr(contacts.whatsapp)
    assert "a-secret" not in repr(contacts) + repr(settings)
    contacts.whatsapp.close()
    monkeypatch.setenv("JALUR_SMS_TOKEN", "another-secret")
    assert isinstance(adapters_of(Settings(home=tmp_path, env=Environment.TEST)).sms, HttpSms)


@pytest.mark.parametrize("name", ["OSS", "SIHALAL", "BNSP", "SMS", "WHATSAPP"])
def test_production_needs_the_token_of_each_address(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address without its token is refused at the start, with the name of what is missing."""
    monkeypatch.setenv(f"JALUR_{name}_URL", "https://office.example.id")
    with pytest.raises(ValidationError, match=f"JALUR_{name}_URL needs JALUR_{name}_TOKEN"):
        Settings(home=tmp_path, env=Environment.PRODUCTION)
