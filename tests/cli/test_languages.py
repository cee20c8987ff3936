"""What a person reads of the command line in Indonesian and in English, and that programs read the same in both."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.core import TyperArgument
from typer.testing import Result

from cli import app
from cli.help import TITLES, TYPES, argument
from cli.labels import HEADS, VALUES
from cli.language import LANGUAGES, _, language, language_of_the_locale
from cli.tables import NOT_FOR_A_TABLE
from engine.runtime.settings import Environment
from models import CaseStatus, DocumentStatus, Holder, LetterStatus, Role
from models.base import ROLE_TITLES
from tests.cli.test_contract import ROOT, Jalur, advance
from tests.cli.test_contract import jalur as jalur
from tests.cli.test_contract import opened as opened
from tests.cli.test_contract import run as run
from tests.refusals import GOES_ON, REFUSES

Run = Callable[..., Result]

# Each with words that are wrong, the reason in English and in Indonesian.
WRONG = [
    (("sago",), "No such command 'sago'", "Perintah 'sago' tidak ada. Mungkin maksud Anda 'shadow'?"),
    (("xyzxyz",), "No such command 'xyzxyz'.", "Perintah 'xyzxyz' tidak ada."),
    (("case", "show"), "Missing argument 'number'.", "Argumen 'nomor' belum diisi."),
    (("case", "withdraw", "X"), "Missing option '--by'.", "Opsi '--by' belum diisi."),
    (("inbox", "--rol", "x"), "No such option: --rol", "Opsi --rol tidak ada. Mungkin maksud Anda --for, --role?"),
    (("inbox", "--xyzxyz"), "No such option: --xyzxyz", "Opsi --xyzxyz tidak ada."),
    (("inbox", "--role"), "Option '--role' requires an argument.", "Opsi '--role' memerlukan nilai."),
    (("inbox", "--json=1"), "Option '--json' does not take a value.", "Opsi '--json' tidak memakai nilai."),
    (("inbox", "lagi"), "Got unexpected extra argument(s) (lagi)", "Ada argumen berlebih (lagi)"),
    (("calendar", "--year", "x"), "valid integer", "Isian '--year' salah: isinya harus bilangan bulat"),
    (("calendar", "--year", "0"), "greater than or equal to 1", "isinya paling sedikit 1"),
    (("calendar", "--year", "10000"), "less than or equal to 9999", "isinya paling banyak 9999"),
    (("import", "/nowhere.csv"), "'/nowhere.csv' does not exist.", "Isian 'berkas' salah: Berkas '/nowhere.csv' tidak ada."),
    (("import", "/"), "'/' is a directory.", "'/' adalah folder, bukan berkas."),
    (("calendar", "add", "besok", "x"), "DATE is no date", "DATE bukan tanggal: tulis YYYY-MM-DD, bukan besok"),
    (("answer", "X", "y#1", "--by", "b", "--data", "{"), "--data is not JSON", "--data bukan JSON yang benar"),
    (("open", "x"), "name one of --business", "sebutkan salah satu: --business"),
]  # fmt: skip


def commands(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command and group of the command line with the words that call it."""
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, *words, name)


EVERY = list(commands(typer.main.get_command(app)))


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Choose the reader's language."""
    return lambda language: monkeypatch.setenv("JALUR_LANGUAGE", language)


def flat(text: str) -> str:
    """Return what is printed without the frames and line ends that typer puts around it."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


def squeezed(text: str) -> str:
    """Return words without their spaces: a help page breaks its lines anywhere."""
    return re.sub(r"\s", "", flat(text))


@pytest.mark.parametrize("words", [words for words, _command in EVERY], ids=" ".join)
def test_every_help_page_is_in_the_readers_language(
    run: Run, speak: Callable[[str], None], words: tuple[str, ...]
) -> None:
    """Each sentence of the page stands there in Indonesian, and nothing of it in English; in English it is as in the code."""
    [command] = [one for name, one in EVERY if name == words]
    parameters = [one for one in command.params if one.help]
    sentences = [command.help, *(one.help for one in parameters), *(one.help for one in _listed(command))]
    speak("en")
    english = squeezed(run(*words, "--help").stdout)
    assert english.startswith("Usage:")
    assert [one for one in sentences if squeezed(one) not in english] == []
    speak("id")
    page = run(*words, "--help")
    indonesian = squeezed(page.stdout)
    assert (page.exit_code, indonesian[:9]) == (0, "Carapakai")
    assert [one for one in sentences if squeezed(_(one)) not in indonesian] == []
    names = [one.display_name_raw for one in parameters if isinstance(one, TyperArgument)]
    assert [name for name in names if squeezed(argument(name)) not in indonesian] == []
    left = [*sentences, *TITLES.values(), *TYPES, "[OPTIONS]", "COMMAND [ARGS]", "Show this message"]
    same_in_both = [one for one in left if _(one) == one]
    assert [one for one in left if squeezed(one) in indonesian and one not in same_in_both] == []


def _listed(command: Any) -> list[Any]:
    return list(getattr(command, "commands", {}).values())


@pytest.mark.parametrize(
    ("words", "english", "indonesian"), WRONG, ids=lambda one: " ".join(one) if isinstance(one, tuple) else ""
)
def test_wrong_usage_is_told_in_the_readers_language(
    run: Run, speak: Callable[[str], None], words: tuple[str, ...], english: str, indonesian: str
) -> None:
    """Typer's, click's and pydantic's own words, and ours: exit code 2, nothing on standard output."""
    for spoken, reason, title in (("en", english, "Usage:"), ("id", indonesian, "Cara pakai:")):
        speak(spoken)
        result = run(*words)
        told = flat(result.stderr)
        assert (result.exit_code, result.stdout) == (2, ""), told
        assert squeezed(reason).lower() in squeezed(told).lower(), told
        if title in told:
            assert ("Kesalahan" in told) == (spoken == "id")


def test_an_unknown_language_is_wrong_usage_by_name(run: Run, speak: Callable[[str], None]) -> None:
    """Exit code 2 before anything else is looked at; the setting and its value are named; a program reads nothing."""
    for value in ("xx", "ID", "en_US", "id,en"):
        speak(value)
        for words in (("inbox", "--json"), ("--help",), ("case", "show", "--help"), ("pipelines",)):
            result = run(*words)
            assert (result.exit_code, result.stdout) == (2, "")
            assert "JALUR_LANGUAGE" in result.stderr and value in result.stderr


@pytest.mark.parametrize(
    ("variables", "spoken"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "id_ID.UTF-8"}, "id"),
        ({"LANG": "id"}, "id"),
        ({"LANG": "id_ID@euro"}, "id"),
        ({"LANG": "idx_ID"}, "en"),
        ({"LANG": "id_ID.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LANG": "id_ID.UTF-8", "LC_MESSAGES": ""}, "id"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "en_US", "LC_ALL": "id_ID"}, "id"),
        ({"LANG": "id_ID.UTF-8", "LC_ALL": "C"}, "en"),
    ],
)
def test_the_locale_decides_where_the_setting_does_not(
    run: Run, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], spoken: str
) -> None:
    """The first variable that is set counts, as POSIX has it; JALUR_LANGUAGE overrules them all."""
    for name in ("JALUR_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language() == language_of_the_locale() == spoken
    assert ("Perintah" in run("--help").stdout) == (spoken == "id")
    for named in LANGUAGES:
        monkeypatch.setenv("JALUR_LANGUAGE", named)
        assert language() == named


def test_a_refusal_is_told_in_one_language_and_to_programs_in_both(run: Run, speak: Callable[[str], None]) -> None:
    """On standard error the reader's alone; the JSON keeps its two keys, whatever the language."""
    said = {}
    for spoken in LANGUAGES:
        speak(spoken)
        said[spoken] = run("case", "show", "NIB-2026-999999")
        assert said[spoken].exit_code == 1
        assert json.loads(run("case", "show", "NIB-2026-999999", "--json").stdout) == {
            "error": "There is no case NIB-2026-999999. See: jalur inbox",
            "for_people": "Tidak ada permohonan bernomor NIB-2026-999999. Periksa kembali nomornya.",
        }
    assert said["id"].stderr == "Tidak ada permohonan bernomor NIB-2026-999999. Periksa kembali nomornya.\n"
    assert said["en"].stderr == "There is no case NIB-2026-999999. See: jalur inbox\n"


def test_a_wrong_setting_is_refused_in_the_readers_language(
    run: Run, speak: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What pydantic says of a setting, in Indonesian too, with the setting's name."""
    speak("id")
    for name, value, reason in (
        ("JALUR_WEB_PORT", "delapan", "JALUR_WEB_PORT: isinya harus bilangan bulat\n"),
        ("JALUR_NOW", "kemarin", "JALUR_NOW: isinya harus tanggal dan jam, misalnya 2026-01-12T09:00:00+07:00\n"),
        ("JALUR_ENV", "rumah", "JALUR_ENV: isinya harus salah satu dari 'production', 'demo' or 'test'\n"),
        ("JALUR_OSS_TIMEOUT", "lama", "JALUR_OSS_TIMEOUT: isinya harus angka\n"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            result = run("inbox")
            assert (result.exit_code, result.stderr) == (1, reason)
    monkeypatch.setenv("JALUR_ENV", Environment.PRODUCTION)
    assert run("inbox").stderr.startswith("JALUR_NOW ditolak pada lingkungan production")


def test_tables_have_heads_and_values_in_the_readers_language(
    run: Run, jalur: Jalur, opened: list[str], database_url: str, tmp_path: Path, speak: Callable[[str], None]
) -> None:
    """Roles, states, kinds, standings, endings and papers by their titles; what is typed again stays as it is typed."""
    jalur("user", "add", "budi", "--role", "officer")
    advance(database_url, tmp_path)
    number = opened[0]
    asked = ("inbox", "--case", number)
    speak("en")
    assert all(word in run(*asked).stdout for word in ("due on", "officer", "dossier_check#1", "2026-01-15"))
    speak("id")
    assert all(word in run(*asked).stdout for word in ("tenggat", "Petugas dinas", "dossier_check#1", "2026-01-15"))
    assert not re.search(r"\b(case|question|role|due|holder)\b", run(*asked).stdout)
    shown = run("case", "show", number).stdout
    assert all(word in shown for word in ("status: menunggu", "Tanda terima", "siap", "pemegang kantor"))
    assert "libur nasional" in run("calendar", "--year", "2026").stdout
    rules = run("rules", "nib-legalization", "--on", "2026-01-12").stdout
    assert all(word in rules for word in ("hari kerja", "kebijakan dinas", "belum pasti"))
    assert "selesai" in run("runs").stdout and "Tidak ada." in run("runs", "--failed").stdout
    rejected = '{"decision": "reject", "reason": "tidak berada di alamat"}'
    jalur("answer", number, "dossier_check#1", "--by", "budi", "--data", rejected)
    advance(database_url, tmp_path)
    ended = next(one for one in jalur("pipelines") if one["name"] == "nib-legalization")["outcomes"]
    [title] = [one["title"] for one in ended if one["code"] == jalur("case", "show", number)["outcome"]]
    assert f"hasil: {title}" in run("case", "show", number).stdout
    assert "tolak" in run("case", "history", number).stdout
    made = run("delegate", "budi", "budi-2", "--until", "2026-01-16", "--by", "budi", "--reason", "cuti")
    assert made.exit_code == 1
    jalur("user", "add", "tuti", "--role", "officer")
    made = run("delegate", "budi", "tuti", "--until", "2026-01-16", "--by", "budi", "--reason", "cuti")
    assert "sampai: 16 Januari 2026" in made.stdout


def test_programs_read_the_same_in_both_languages(
    run: Run, jalur: Jalur, opened: list[str], database_url: str, tmp_path: Path, speak: Callable[[str], None]
) -> None:
    """Every key and value; and each key that people read has its head in the catalogue."""
    advance(database_url, tmp_path)
    number, keys = opened[0], set()
    for words in (
        ("inbox",),
        ("pipelines",),
        ("rules",),
        ("runs",),
        ("calendar", "--year", 2027),
        ("case", "show", number),
        ("case", "history", number),
        ("case", "migrate", number, "--dry-run"),
        ("report", "time"),
        ("report", "time", "--by-office"),
        ("report", "time", "--case", number),
        ("report", "forecast"),
        ("audit", "verify"),
        ("shadow", "nib-legalization"),
        ("open", "nib-legalization", "--business", 1),
        ("import", tmp_path / "few.csv"),
        ("case", "show", "NIB-2026-999999"),
    ):
        told = set()
        for spoken in LANGUAGES:
            speak(spoken)
            told.add(run(*words, "--json").stdout)
        assert len(told) == 1, words
        found = json.loads(told.pop())
        if words[0] not in ("pipelines",) and words[1:2] != ("history",) and "for_people" not in found:
            keys |= _keys(found)
    assert keys - {*NOT_FOR_A_TABLE, *HEADS, "region_code"} == set()


def _keys(found: Any) -> set[str]:
    """Return the keys of records and of the rows within them."""
    if isinstance(found, list):
        return set().union(*(_keys(one) for one in found if isinstance(one, dict)))
    nested = (
        _keys(one) for key, one in found.items() if isinstance(one, (dict, list)) and key not in ("value", "form")
    )
    return set(found).union(*nested)


def test_every_code_that_people_read_has_its_words() -> None:
    """Whoever adds a state, a unit or a role finds here that it has no Indonesian."""
    assert {*CaseStatus, *DocumentStatus, *LetterStatus, "ready", "waiting"} - {"open"} <= {*VALUES["status"]}
    assert set(Holder) == set(VALUES["holder"])
    assert set(Role) == set(ROLE_TITLES)
    rows = [
        row
        for file in (ROOT / "rules").glob("*.toml")
        for row in tomllib.loads(file.read_text("utf-8")).get("rule", [])
    ]
    assert {row["unit"] for row in rows} == set(VALUES["unit"])
    assert {row["standing"] for row in rows} < set(VALUES["standing"])
    assert {*REFUSES, *GOES_ON} <= set(VALUES["outcome"])
