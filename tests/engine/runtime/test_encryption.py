"""Personal data: encrypted under a key of its person, masked where it might be read, lost for good with the key."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import Session

from engine.errors import Refused
from engine.runtime.encryption import Erased, Vault, vault_of
from engine.runtime.settings import Environment, Settings
from models import PersonKey
from models.privacy import masked, without_personal_numbers

PLAIN = {"national_id": "3508166904956220", "address": "Jl. Santoso №179 “belakang”"}


@pytest.fixture
def vault() -> Vault:
    """A vault with a master key of its own."""
    return Vault(os.urandom(32))


def new_key(vault: Vault) -> PersonKey:
    """A new person's key; no database is asked."""
    return vault.new_key(Session())


def test_what_is_encrypted_comes_back_and_looks_like_nothing(vault: Vault) -> None:
    """The same words encrypted twice are different bytes, and none of them can be read in either."""
    key = new_key(vault)
    one, two = vault.encrypt(key, PLAIN), vault.encrypt(key, PLAIN)
    assert vault.decrypt(key, one) == vault.decrypt(key, two) == PLAIN
    assert one != two
    assert b"3508166904956220" not in one
    assert b"Santoso" not in one


def test_a_changed_byte_or_another_persons_key_opens_nothing(vault: Vault) -> None:
    """Encrypted words that were changed, or moved to another person, are refused and not half read."""
    key, other = new_key(vault), new_key(vault)
    encrypted = vault.encrypt(key, PLAIN)
    spoiled = encrypted[:-1] + bytes([encrypted[-1] ^ 1])
    for wrong_key, bytes_ in ((key, spoiled), (other, encrypted)):
        with pytest.raises(ValueError, match="was changed afterwards") as error:
            vault.decrypt(wrong_key, bytes_)
        assert "3508" not in str(error.value)


def test_a_wrapped_key_is_worth_nothing_without_its_master_key_or_under_another_name(vault: Vault) -> None:
    """A copy of the database without the master key is only noise; a swapped key row is noticed."""
    key = new_key(vault)
    encrypted = vault.encrypt(key, PLAIN)
    with pytest.raises(ValueError, match="is JALUR_MASTER_KEY this database's"):
        Vault(os.urandom(32)).decrypt(key, encrypted)
    renamed = PersonKey(id="0" * 32, wrapped=key.wrapped)
    with pytest.raises(ValueError, match="The master key does not open key 0000"):
        vault.decrypt(renamed, encrypted)


def test_without_the_key_the_person_is_erased(vault: Vault) -> None:
    """Destroying the key is the erasure: what it encrypted says so, in words for people."""
    encrypted = vault.encrypt(new_key(vault), PLAIN)
    with pytest.raises(Erased) as erased:
        vault.decrypt(None, encrypted)
    assert "telah dihapus" in erased.value.for_people


def test_a_digest_finds_a_number_and_gives_none_away(vault: Vault) -> None:
    """The same number has the same digest under the same master key and kind, and under no other."""
    digest = vault.digest("national_id", "3508166904956220")
    assert digest == vault.digest("national_id", "3508166904956220")
    assert len(digest) == 64
    assert digest != vault.digest("phone", "3508166904956220")
    assert digest != Vault(os.urandom(32)).digest("national_id", "3508166904956220")


def test_a_master_key_has_32_bytes() -> None:
    """A shorter one is refused before anything is encrypted under it."""
    with pytest.raises(ValueError, match="must have 32 bytes, this one has 16"):
        Vault(os.urandom(16))


def test_a_masked_number_shows_its_first_six_and_last_two_digits() -> None:
    """Enough to recognise one's own, too little to use another's; a short one is no personal number."""
    assert masked("3508166904956220") == "350816********20"
    assert masked("+6281162319252") == "+62811******52"
    assert masked("12345678") == "12345678"


@pytest.mark.parametrize(
    "text",
    [
        "Rp18.400.000.000",
        "Rp 18.400.000.000",
        "Rp18.400.000.000.000 setahun",
        "omzet 18.400.000.000 dan modal 2.000.000.000",
        "modal 18400000000",
        "NIB-2026-000123",
        "NIB-2026-000123 NIB-2026-000124 LEG-2026-000001/oss_filing#1",
        "2026-11-22T10:11:12.123456+00:00",
        "2026-11-22 10:11:12, 2026-11-23 2026-11-24",
        "NIB 9120304567812 dari OSS tercatat",
        "NIB 0203260000001",
        "KBLI 10794, wilayah 3508, seq 12",
        "sha256:" + "0" * 64,
        "run 123e4567-e89b-12d3-a456-426614174000",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "UU 30/2014 Pasal 77; PP 28/2025",
    ],
)
def test_what_is_public_stays_readable(text: str) -> None:
    """Money, case numbers, NIBs, dates, hashes and ids are long, and nobody's."""
    assert without_personal_numbers(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("NIK 3508166904956220 salah", "NIK 350816********20 salah"),
        ("NIK3508166904956220", "NIK350816********20"),
        ("nik_3508166904956220-Sri", "nik_350816********20-Sri"),
        ("{'nik':'3508166904956220','hp':'081162319252'}", "{'nik':'350816********20','hp':'081162****52'}"),
        ("3508 1669 0495 6220", "350816********20"),
        ("3508.1669.0495.6220", "350816********20"),
        ("12 3508166904956220 2026-01-12", "12 350816********20 2026-01-12"),
        ("3508166904956220,3508166904956221", "350816********20,350816********21"),
        ("NPWP 01.312.166.0-091.000", "NPWP 013121*******00"),
        ("013121660091000", "013121*******00"),
        ("NITKU 0350816690495622000001", "NITKU 035081**************01"),
        ("hubungi +6281162319252", "hubungi 628116*****52"),
        ("0811-6231-9252 / 6281162319252", "081162****52 / 628116*****52"),
        ("telp (031) 8411111", "telp 031841**11"),
        ("surel sri.p@contoh.example.", "surel s***@contoh.example."),
        ("Rp18.400.000.000 untuk 3508166904956220", "Rp18.400.000.000 untuk 350816********20"),
        ("NIB-2026-000123 milik 3508166904956220", "NIB-2026-000123 milik 350816********20"),
    ],
)
def test_personal_numbers_are_masked_wherever_they_stand(text: str, shown: str) -> None:
    """Bare, grouped, glued to words, or beside something public."""
    assert without_personal_numbers(text) == shown


def test_production_starts_with_no_made_up_master_key(tmp_path: Path) -> None:
    """It says what is missing and how it is made, and makes nothing."""
    settings = Settings(home=tmp_path, env=Environment.PRODUCTION, master_key=None)
    with pytest.raises(Refused, match="JALUR_MASTER_KEY is not set"):
        vault_of(settings)
    assert list(tmp_path.iterdir()) == []


def test_demo_makes_a_master_key_that_only_its_owner_reads_and_keeps_it(tmp_path: Path) -> None:
    """The second start finds what the first one encrypted."""
    settings = Settings(home=tmp_path, env=Environment.DEMO, master_key=None)
    first = vault_of(settings)
    file = tmp_path / "var/master.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(base64.b64decode(file.read_bytes())) == 32
    key = new_key(first)
    assert vault_of(settings).decrypt(key, first.encrypt(key, PLAIN)) == PLAIN


def test_a_given_master_key_is_used_and_not_written_down(tmp_path: Path) -> None:
    """What the environment brings stays there; it is not shown by the settings either."""
    given = base64.b64encode(b"k" * 32).decode()
    settings = Settings(home=tmp_path, env=Environment.PRODUCTION, master_key=SecretStr(given))
    assert vault_of(settings).digest("phone", "1") == Vault(b"k" * 32).digest("phone", "1")
    assert list(tmp_path.iterdir()) == []
    assert given not in repr(settings)
