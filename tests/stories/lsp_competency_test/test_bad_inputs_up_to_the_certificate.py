"""Bad inputs of the list (5.7) that only show after a whole test; too long for every day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stories.lsp_competency_test.conftest import NUMBER, refused

if TYPE_CHECKING:
    from tests.stories.lsp_competency_test.conftest import Begin

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("blank_papers")]
SECOND = "3508166904950001"
AK_02 = ("asih", "assessment_record#1")


def test_5_7_02_assessor_trained_the_asesi(begin: Begin) -> None:
    """Neither as assessor, nor in the plenary; a trainer whose account is misspelt is asked for again."""
    story = begin().applies(trainers=["asihh"])
    assert "akun asihh tidak dikenal" in story.letter("return_notice")["text"]
    story.to_schedule(trainers=["asih", "fajar"])
    assert "asih" not in story.note.split(": ")[1]
    assert "assessor: asih pernah melatih asesi; pilih asesor lain" in story.scheduled().note
    story.scheduled(assessor="bayu").reviewed(by="bayu").planned(by="bayu").agrees(by="bayu").on("2026-01-20")
    story.tested(by="bayu").recorded(by="bayu").says().reported(by="bayu").responds()
    assert "members: fajar tidak boleh" in story.seated(members=["fajar", "gita", "hana"]).note


def test_5_7_09_capacity_of_the_site(begin: Begin) -> None:
    """Two seats at Malang; a seat that is given back is free."""
    first, second, third = begin(), begin(), begin()
    first.to_schedule().scheduled(test_site="TUK Malang")
    second.to_schedule(national_id=SECOND).scheduled(test_site="TUK Malang")
    third.to_schedule(national_id="3508166904950002")
    assert "TUK Malang penuh pada 2026-01-20 (2 asesi sehari)" in third.scheduled(test_site="TUK Malang").note
    assert third.scheduled(assessor="bayu").waits_for == ["assessment_review#1"]
    first.withdraws(first.candidate)
    fourth = begin().to_schedule(national_id="3508166904950003").scheduled(test_site="TUK Malang")
    assert fourth.waits_for == ["assessment_review#1"]


def test_5_7_11_two_certificates_same_number(begin: Begin) -> None:
    """BNSP gives a number once: a standing of another case that bears it stands against it; so do malformed ones."""
    begin().to_vote().voted(*["competent"] * 3).numbered()
    story = begin().to_vote(national_id=SECOND).voted(*["competent"] * 3)
    assert "sudah tercatat pada sertifikat lain" in story.numbered().note
    assert "bukan nomor sertifikat BNSP" in refused(story, "numbered", "620192513600334432026")
    assert story.numbered("62019  2513 18247 2026").outcome == "certified"


def test_5_7_15_certificate_year_is_not_issue_year(begin: Begin) -> None:
    """Nor may the registration number bear another year, nor the end come before the beginning."""
    story = begin().to_vote().voted(*["competent"] * 3)
    assert "bukan tahun terbit (2026)" in refused(story, "numbered", "62019 2513 6 0033443 2025")
    told = refused(story, "numbered", registration_number="LSP.0001.00001 2025")
    assert "harus berakhir dengan tahun terbit 2026" in told
    assert "harus sesudah tanggal terbit" in refused(story, "numbered", valid_until="2026-02-10")
    assert story.numbered(NUMBER).outcome == "certified"


def test_votes_and_reports_say_why(begin: Begin) -> None:
    """A reason for BK, and the units; a recommendation where the process was not good; advice where it stops."""
    story = begin().to_schedule().scheduled()
    assert "tulis saran untuk asesi" in refused(story, "reviewed", "not_continue")
    story.reviewed().planned().agrees().on("2026-01-20").tested().recorded().says()
    assert "apa yang perlu diperbaiki" in refused(story, "reported", followed_principles=False)
    story.reported(followed_principles=False, recommendation="waktu ditambah").responds().seated()
    assert "tulis alasan" in refused(story, "voted", "return", reason="")
    assert "sebut unit yang belum kompeten" in refused(story, "voted", "not_yet_competent", units=[])
