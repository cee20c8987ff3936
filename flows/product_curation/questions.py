"""Questions from application to realised export.

Budgets are rules; each question says who must be kept apart from it.
"""

from __future__ import annotations

from engine.pipeline import Question, Role
from flows.product_curation.decisions import (
    AppealRuling,
    BuyerMatch,
    CenterAnswer,
    CuratorsWanted,
    PanelDecision,
    QualityControl,
    ReturnRuling,
    Score,
    Screening,
)
from flows.product_curation.forms import Appeal, Application, Correction, ExportData, Realisation, Repair

EXPORT_CENTER = "Export Center Surabaya"

APPLICATION = Question(
    Application,
    of=Role.APPLICANT,
    due="application_time",
    silent_after="application_limit",
    signed=True,
    title="Isi permohonan kurasi produk",
)
CORRECTION = Question(
    Correction,
    of=Role.APPLICANT,
    due="correction_time",
    silent_after="correction_limit",
    title="Perbaiki permohonan Anda",
)
SCREENING = Question(Screening, of=Role.OFFICER, due="screening_time", title="Periksa berkas, foto dan contoh produk")
CURATORS_WANTED = Question(
    CuratorsWanted, of=Role.OFFICER, due="supply_time", title="Kurator kurang: cari kurator atau tolak"
)
SCORE = Question(
    Score,
    of=Role.CURATOR,
    due="score_time",
    silent_after="score_limit",
    apart_from=("screening", "panel_decision", "appeal_ruling"),
    other_institution=True,
    holds="curator",
    title="Nilai produk menurut rubrik",
)
PANEL_DECISION = Question(
    PanelDecision,
    of=Role.PANEL_CHAIR,
    due="panel_time",
    apart_from=("score", "appeal_ruling"),
    other_institution=True,
    title="Putuskan hasil kurasi",
)
REPAIR = Question(
    Repair, of=Role.APPLICANT, due="repair_time", silent_after="repair_limit", title="Perbaiki produk menurut catatan"
)
APPEAL = Question(
    Appeal, of=Role.APPLICANT, due="appeal_time", silent_after="appeal_time", title="Terima hasil, atau ajukan banding"
)
APPEAL_RULING = Question(
    AppealRuling,
    of=Role.CURATOR,
    due="appeal_ruling_time",
    apart_from=("score", "panel_decision", "screening"),
    other_institution=True,
    holds="curator",
    title="Putuskan banding atas hasil kurasi",
)
EXPORT_DATA = Question(
    ExportData, of=Role.APPLICANT, due="export_time", silent_after="export_limit", title="Isi data ekspor produk"
)
QUALITY_CONTROL = Question(
    QualityControl, of=Role.OFFICER, due="quality_time", title="Konfirmasi pengendalian mutu batch"
)
CENTER_ANSWER = Question(
    CenterAnswer,
    of=Role.OFFICER,
    due="center_time",
    recorded_for=EXPORT_CENTER,
    title="Catat jawaban Export Center",
)
RETURN_RULING = Question(
    ReturnRuling, of=Role.OFFICER, due="ruling_time", title="Putuskan setelah dua kali dikembalikan Export Center"
)
BUYER_MATCH = Question(
    BuyerMatch, of=Role.OFFICER, due="match_time", recorded_for=EXPORT_CENTER, title="Catat hasil pencarian pembeli"
)
REALISATION = Question(
    Realisation,
    of=Role.APPLICANT,
    due="realisation_time",
    silent_after="realisation_limit",
    title="Laporkan ekspor yang terjadi",
)
