"""The way against each ending of each pipeline: an appeal, an appeal elsewhere, or none.

UU 30/2014 is open against what this office refused, and the LSP's own appeal against what the LSP decided: FR.AK.04 inside the test
is against the assessor's result, which the plenary may still overturn. The result of a curation is appealed inside its process;
what BPJPH, MUI, DPMPTSP or the export center decided is contested there.
"""

from __future__ import annotations

from engine.pipeline import NoAppeal, declare_appeals
from flows import halal_regular, halal_self_declare, lsp_competency_test, nib_legalization, product_curation
from flows.lsp_appeal import lsp_appeal
from flows.objection import objection

GRANTED = NoAppeal(
    "nothing was refused", "Permohonan ini tidak ditolak. Bila ada data yang keliru, hubungi petugas untuk koreksi."
)
WENT_ON = NoAppeal(
    "it refused nobody and went on elsewhere",
    "Permohonan ini tidak ditolak, tetapi dialihkan; kelanjutannya disebut dalam surat kami.",
)
LAPSED = NoAppeal(
    "it lapsed and was not refused; applying again is open at any time",
    "Permohonan ini gugur, bukan ditolak. Anda boleh mengajukan lagi kapan saja, tanpa biaya.",
)
BY_APPLICANT = NoAppeal(
    "the applicant ended it", "Permohonan ini Anda akhiri sendiri. Anda boleh mengajukan lagi kapan saja."
)


def decided_by(body: str, where: str) -> NoAppeal:
    """Return that another body decided, and where to object to it."""
    return NoAppeal(
        f"{body} decided it; the objection goes there ({where})",
        f"Keputusan ini dibuat oleh {body}, bukan oleh dinas ini. Ajukan keberatan kepada {body}: {where}. "
        "Petugas kami bersedia membantu.",
    )


def in_the_process(window: str) -> NoAppeal:
    """Return that the pipeline asked about an appeal under its own rules, before its end."""
    return NoAppeal(
        f"its appeal was open in the process itself ({window}), before it ended",
        f"Banding atas hasil ini dibuka di dalam prosesnya ({window}) sebelum perkara ditutup. "
        "Anda boleh mengajukan permohonan baru kapan saja.",
    )


declare_appeals(
    "nib-legalization",
    {
        nib_legalization.Outcome.LEGALIZED: GRANTED,
        nib_legalization.Outcome.ALREADY_LEGAL: GRANTED,
        nib_legalization.Outcome.REFUSED: objection,
        nib_legalization.Outcome.REFUSED_BY_DPMPTSP: decided_by(
            "DPMPTSP", "alamat dan batas waktunya disebut dalam surat penolakan"
        ),
        nib_legalization.Outcome.REROUTED: WENT_ON,
        nib_legalization.Outcome.NOT_CORRECTED: LAPSED,
        nib_legalization.Outcome.NOT_SIGNED: LAPSED,
        nib_legalization.Outcome.DECLINED: BY_APPLICANT,
        nib_legalization.Outcome.WITHDRAWN: BY_APPLICANT,
    },
)
declare_appeals(
    "halal-self-declare",
    {
        halal_self_declare.Outcome.CERTIFIED: GRANTED,
        halal_self_declare.Outcome.REROUTED: WENT_ON,
        halal_self_declare.Outcome.REFUSED: objection,
        halal_self_declare.Outcome.NOT_HALAL: decided_by(
            "Komite Fatwa Produk Halal", "melalui BPJPH, ptsp.halal.go.id"
        ),
        halal_self_declare.Outcome.NO_SLOT: objection,
        halal_self_declare.Outcome.NOT_SUBMITTED: LAPSED,
        halal_self_declare.Outcome.NOT_CORRECTED: LAPSED,
        halal_self_declare.Outcome.WITHDRAWN: BY_APPLICANT,
    },
    carries="application",
)
declare_appeals(
    "halal-regular",
    {
        halal_regular.Outcome.CERTIFIED: GRANTED,
        halal_regular.Outcome.NOT_HALAL: decided_by("BPJPH", "ptsp.halal.go.id, atas ketetapan MUI atau Komite Fatwa"),
        halal_regular.Outcome.NOT_SUBMITTED: LAPSED,
        halal_regular.Outcome.NOT_CORRECTED: LAPSED,
        halal_regular.Outcome.NOT_PAID: LAPSED,
        halal_regular.Outcome.STOPPED: decided_by(
            "LPH", "lembaga pemeriksa halal yang dipilih; atau BPJPH, ptsp.halal.go.id"
        ),
        halal_regular.Outcome.REROUTED: WENT_ON,
        halal_regular.Outcome.WITHDRAWN: BY_APPLICANT,
    },
    inside={"own_cost": objection},
)
declare_appeals(
    "lsp-competency-test",
    {
        lsp_competency_test.Outcome.CERTIFIED: GRANTED,
        lsp_competency_test.Outcome.NOT_YET_COMPETENT: lsp_appeal,
        lsp_competency_test.Outcome.NOT_READY: lsp_appeal,
        lsp_competency_test.Outcome.ABSENT: LAPSED,
        lsp_competency_test.Outcome.REFUSED: lsp_appeal,
        lsp_competency_test.Outcome.NOT_COMPLETED: LAPSED,
        lsp_competency_test.Outcome.WITHDRAWN: BY_APPLICANT,
    },
    carries="application",
)
declare_appeals(
    "product-curation",
    {
        product_curation.Outcome.EXPORTED: GRANTED,
        product_curation.Outcome.MATCHED: GRANTED,
        product_curation.Outcome.HANDED_OVER: GRANTED,
        product_curation.Outcome.RETURNED: decided_by("Export Center Surabaya", "setelah catatannya diperbaiki"),
        product_curation.Outcome.PASSED_LOCAL: GRANTED,
        product_curation.Outcome.NOT_PASSED: in_the_process("banding kurasi"),
        product_curation.Outcome.NO_CURATORS: objection,
        product_curation.Outcome.REFUSED: objection,
        product_curation.Outcome.NOT_SUBMITTED: LAPSED,
        product_curation.Outcome.NOT_CORRECTED: LAPSED,
        product_curation.Outcome.NOT_REPAIRED: LAPSED,
        product_curation.Outcome.WITHDRAWN: BY_APPLICANT,
    },
)
