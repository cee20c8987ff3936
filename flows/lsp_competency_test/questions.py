"""Questions of a competency test, in the order of the process; BNSP's blank is in blanks.py.

The questions keep apart (ISO/IEC 17024, 5.2 and 9.4) the assessor from the candidate's institution, the appeal panel and the
plenary from whoever assessed, the plenary from the panel. Trainers are kept apart by the process.
"""

from __future__ import annotations

from engine.pipeline import Question, Role
from flows.lsp_competency_test.application import (
    Agreement,
    Application,
    Feedback,
    ResultResponse,
    Retest,
    SelfAssessment,
)
from flows.lsp_competency_test.assessment import (
    AssessmentRecord,
    AssessmentReport,
    AssessmentReview,
    AssessorAgreement,
    Plan,
    TestRecord,
)
from flows.lsp_competency_test.decisions import AdminCheck, AppealSeats, AppealVote, PlenarySeats, PlenaryVote, Schedule

ASSESSED = ("assessment_review", "test_record", "assessment_record")

APPLICATION = Question(
    Application,
    of=Role.APPLICANT,
    due="application_time",
    silent_after="application_limit",
    title="Isi FR.APL.01: permohonan sertifikasi",
)
ADMIN_CHECK = Question(AdminCheck, of=Role.LSP_OFFICER, due="check_time", title="Periksa FR.APL.01 dan buktinya")
SELF_ASSESSMENT = Question(
    SelfAssessment,
    of=Role.APPLICANT,
    due="self_assessment_time",
    silent_after="self_assessment_limit",
    title="Isi FR.APL.02: asesmen mandiri",
)
SCHEDULE = Question(Schedule, of=Role.LSP_OFFICER, due="schedule_time", title="Jadwalkan uji: TUK, tanggal, asesor")
ASSESSMENT_REVIEW = Question(
    AssessmentReview,
    of=Role.ASSESSOR,
    due="review_time",
    holds="assessor",
    other_institution=True,
    apart_from=("appeal_vote", "plenary_vote"),
    title="Tinjau FR.APL.02 asesi",
)
PLAN = Question(Plan, of=Role.ASSESSOR, due="plan_time", title="Susun FR.MAPA.01 dan FR.MAPA.02")
AGREEMENT = Question(
    Agreement,
    of=Role.APPLICANT,
    due="agreement_time",
    silent_after="agreement_limit",
    signed=True,
    title="Tanda tangani FR.AK.01: persetujuan dan kerahasiaan",
)
ASSESSOR_AGREEMENT = Question(
    AssessorAgreement, of=Role.ASSESSOR, due="agreement_time", title="Tanda tangani FR.AK.01 sebagai asesor"
)
TEST_RECORD = Question(
    TestRecord, of=Role.ASSESSOR, due="test_time", other_institution=True, title="Catat uji dan rekaman FR.IA"
)
ASSESSMENT_RECORD = Question(
    AssessmentRecord,
    of=Role.ASSESSOR,
    due="record_time",
    other_institution=True,
    title="Isi FR.AK.02: K atau BK tiap unit",
)
FEEDBACK = Question(
    Feedback,
    of=Role.APPLICANT,
    due="feedback_time",
    silent_after="feedback_limit",
    title="Isi FR.AK.03: umpan balik Anda",
)
ASSESSMENT_REPORT = Question(AssessmentReport, of=Role.ASSESSOR, due="report_time", title="Isi FR.AK.05 dan FR.AK.06")
RESULT_RESPONSE = Question(
    ResultResponse,
    of=Role.APPLICANT,
    due="response_time",
    silent_after="appeal_window",
    title="Terima hasil, atau ajukan banding (FR.AK.04)",
)
APPEAL_SEATS = Question(AppealSeats, of=Role.LSP_OFFICER, due="seats_time", title="Tunjuk tim banding")
APPEAL_VOTE = Question(
    AppealVote,
    of=Role.ASSESSOR,
    due="appeal_resolution",
    holds="assessor",
    other_institution=True,
    apart_from=(*ASSESSED, "plenary_vote"),
    title="Putuskan banding",
)
PLENARY_SEATS = Question(PlenarySeats, of=Role.LSP_OFFICER, due="seats_time", title="Tunjuk anggota pleno")
PLENARY_VOTE = Question(
    PlenaryVote,
    of=Role.PLENARY,
    due="plenary_time",
    other_institution=True,
    apart_from=(*ASSESSED, "appeal_vote"),
    title="Putuskan dalam pleno: K, BK, atau kembali ke asesor",
)
RETEST = Question(
    Retest,
    of=Role.APPLICANT,
    due="retest_time",
    silent_after="retest_limit_of_silence",
    title="Pilih: uji ulang unit yang belum kompeten, atau berhenti",
)
