"""The way against each ending of each pipeline: an appeal, an appeal elsewhere, or none.

UU 30/2014 is open against what this office refused, and the LSP's own appeal against what the LSP decided: FR.AK.04 inside the test
is against the assessor's result, which the plenary may still overturn. The result of a curation is appealed inside its process;
what BPJPH, MUI, DPMPTSP or the export center decided is contested there.
"""

from __future__ import annotations

from engine.pipeline import NoAppeal, contest
from flows.halal_regular import Outcome as Regular
from flows.halal_self_declare import Outcome as SelfDeclare
from flows.lsp_appeal import lsp_appeal
from flows.lsp_competency_test import Outcome as Test
from flows.nib_legalization import Outcome as Nib
from flows.objection import objection
from flows.product_curation import Outcome as Curation

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


contest(
    "nib-legalization",
    {
        Nib.LEGALIZED: GRANTED,
        Nib.ALREADY_LEGAL: GRANTED,
        Nib.REFUSED: objection,
        Nib.REFUSED_BY_DPMPTSP: decided_by("DPMPTSP", "alamat dan batas waktunya disebut dalam surat penolakan"),
        Nib.REROUTED: WENT_ON,
        Nib.NOT_CORRECTED: LAPSED,
        Nib.NOT_SIGNED: LAPSED,
        Nib.DECLINED: BY_APPLICANT,
        Nib.WITHDRAWN: BY_APPLICANT,
    },
)
contest(
    "halal-self-declare",
    {
        SelfDeclare.CERTIFIED: GRANTED,
        SelfDeclare.REROUTED: WENT_ON,
        SelfDeclare.REFUSED: objection,
        SelfDeclare.NOT_HALAL: decided_by("Komite Fatwa Produk Halal", "melalui BPJPH, ptsp.halal.go.id"),
        SelfDeclare.NO_SLOT: objection,
        SelfDeclare.NOT_SUBMITTED: LAPSED,
        SelfDeclare.NOT_CORRECTED: LAPSED,
        SelfDeclare.WITHDRAWN: BY_APPLICANT,
    },
    carries="application",
)
contest(
    "halal-regular",
    {
        Regular.CERTIFIED: GRANTED,
        Regular.NOT_HALAL: decided_by("BPJPH", "ptsp.halal.go.id, atas ketetapan MUI atau Komite Fatwa"),
        Regular.NOT_SUBMITTED: LAPSED,
        Regular.NOT_CORRECTED: LAPSED,
        Regular.NOT_PAID: LAPSED,
        Regular.STOPPED: decided_by("LPH", "lembaga pemeriksa halal yang dipilih; atau BPJPH, ptsp.halal.go.id"),
        Regular.REROUTED: WENT_ON,
        Regular.WITHDRAWN: BY_APPLICANT,
    },
    inside={"own_cost": objection},
)
contest(
    "lsp-competency-test",
    {
        Test.CERTIFIED: GRANTED,
        Test.NOT_YET_COMPETENT: lsp_appeal,
        Test.NOT_READY: lsp_appeal,
        Test.ABSENT: LAPSED,
        Test.REFUSED: lsp_appeal,
        Test.NOT_COMPLETED: LAPSED,
        Test.WITHDRAWN: BY_APPLICANT,
    },
    carries="application",
)
contest(
    "product-curation",
    {
        Curation.EXPORTED: GRANTED,
        Curation.MATCHED: GRANTED,
        Curation.HANDED_OVER: GRANTED,
        Curation.RETURNED: decided_by("Export Center Surabaya", "setelah catatannya diperbaiki"),
        Curation.PASSED_LOCAL: GRANTED,
        Curation.NOT_PASSED: in_the_process("banding kurasi"),
        Curation.NO_CURATORS: objection,
        Curation.REFUSED: objection,
        Curation.NOT_SUBMITTED: LAPSED,
        Curation.NOT_CORRECTED: LAPSED,
        Curation.NOT_REPAIRED: LAPSED,
        Curation.WITHDRAWN: BY_APPLICANT,
    },
)
