"""Steps from a good grade to an export: pack, center's answer, buyer, realised export."""

from __future__ import annotations

from typing import Any

from engine.pipeline import Case, Issued, Letter, Paper, paper, stand, step, tell, this_step
from flows.facts import common, lasting, words
from flows.product_curation.decisions import BuyerMatch, CenterAnswer, QualityControl
from flows.product_curation.facts import Passed, enclosed, offered, returned, standard
from flows.product_curation.forms import Application, ExportData, Realisation
from flows.product_curation.gates import Reason, before_export
from flows.product_curation.steps import RETURN_NOTICE, RETURNED

CATALOGUE = Paper("export_catalogue", "Halaman katalog ekspor", series="KAT", language="en")
PORTFOLIO = Paper("export_portfolio", "Portofolio serah terima ekspor", series="PFO", bundle="pdf")
PACK = Paper("handover_pack", "Paket serah terima ekspor", bundle="zip")
FINDING_REPORT = Paper("finding_report", "Laporan perbedaan temuan Export Center")

EXPORT_WANTED = Letter("export_wanted")
HANDED_OVER = Letter("handed_over")
CENTER_WAITS = Letter("center_waits")
CENTER_RETURNED = Letter("center_returned")
CENTER_ACCEPTED = Letter("center_accepted")
MATCHED = Letter("matched")
EXPORTED = Letter("exported")


@step
def ask_for_export_data(case: Case, passed: Passed) -> None:
    """Ask the owner of a product with a good grade for what a buyer abroad must know."""
    facts = common(case) | {
        "grade": passed.grade,
        "due_on": this_step.due_date(case.rules.export_time),
        "closes_on": this_step.due_date(case.rules.export_limit),
    }
    tell(case.applicant, EXPORT_WANTED, facts)


@step
def examine_export(case: Case, application: Application, data: ExportData) -> list[Reason]:
    """Apply the gates of the destination and of the export center."""
    return before_export(case, application, data)


@step
def ask_for_export_fixes(case: Case, wanted: list[Reason]) -> None:
    """Send the export data back: nothing is handed over before this is in order."""
    facts = returned(case, wanted, "export_time", "export_limit")
    tell(case.applicant, RETURNED, facts, attach=[paper(RETURN_NOTICE, facts)])


def catalogue_facts(case: Case, application: Application, data: ExportData, passed: Passed) -> dict[str, Any]:
    """Return the facts of the English catalogue page."""
    picture = {"cluster": case.rules.clusters_in_english.value[application.cluster]}
    return {**lasting(case), **standard(case), **offered(application, data), **picture, "grade": passed.grade}


def portfolio_facts(
    case: Case,
    application: Application,
    data: ExportData,
    quality: QualityControl,
    passed: Passed,
    page: Issued,
) -> dict[str, Any]:
    """Return the facts of the portfolio, with the files that are embedded in it."""
    names = words(case)["files"]
    ours = [
        {"name": "certificate_of_curation", "title": names["certificate_of_curation"], "sha256": passed.sha256},
        {"name": "export_catalogue", "title": names["export_catalogue"], "sha256": page.sha256},
    ]
    return {
        **lasting(case),
        **standard(case),
        **offered(application, data),
        "grade": passed.grade,
        "points": passed.points,
        "plan": passed.plan or None,
        "certificate_number": passed.certificate,
        "batch": quality.batch,
        "batch_checked_on": quality.checked_on,
        "files": [*ours, *enclosed(case, application, data, quality)],
    }


@step
def hand_out_pack(case: Case, facts: dict[str, Any], portfolio: Issued, page: Issued) -> None:
    """Pack the portfolio and all that it names into one ZIP; tell the owner.

    The owner's letter bears the catalogue page only: the pack may be larger than a mail server takes.
    """
    own = {"name": "export_portfolio", "title": words(case)["files"]["export_portfolio"], "sha256": portfolio.sha256}
    packed = facts | common(case) | {"portfolio_number": portfolio.number, "files": [own, *facts["files"]]}
    paper(PACK, packed)
    letter = common(case) | {"document_number": portfolio.number, "due_on": this_step.due_date(case.rules.center_time)}
    tell(case.applicant, HANDED_OVER, letter, attach=[page.key])


@step
def say_that_center_waits(case: Case, answer: CenterAnswer) -> None:
    """Tell the owner that the export center keeps the product on its list."""
    tell(case.applicant, CENTER_WAITS, common(case) | {"finding": answer.finding or words(case)["no_finding"]})


@step
def record_return(case: Case, passed: Passed, answer: CenterAnswer, attempt: int) -> None:
    """Hand on the finding.

    Where its grade differs from ours, that is recorded against the version of the standard.
    """
    attached = []
    about = standard(case)
    if answer.grade_found and answer.grade_found is not passed.grade:
        stand(
            f"differs:{about['rubric']}:{passed.certificate}:{attempt}",
            reference=f"{about['rubric']} {passed.grade}>{answer.grade_found}",
        )
        report = {"grade": passed.grade, "grade_found": answer.grade_found, "points": passed.points}
        source = {"finding": answer.finding, "source": answer.source, "certificate_number": passed.certificate}
        attached = [paper(FINDING_REPORT, common(case) | about | report | source)]
    facts = common(case) | {"finding": answer.finding, "source": answer.source}
    tell(case.applicant, CENTER_RETURNED, facts, attach=attached)


@step
def confirm_hand_over(case: Case, portfolio: str) -> None:
    """Record that the export center took the product over."""
    stand("handed_over", reference=portfolio)
    tell(case.applicant, CENTER_ACCEPTED, common(case) | {"document_number": portfolio})


@step
def confirm_match(case: Case, match: BuyerMatch) -> None:
    """Tell the owner the buyer, and that the realised export is to be reported."""
    facts = common(case) | {
        "buyer": match.buyer,
        "country": match.country,
        "what": words(case)["matches"][match.decision],
        "due_on": this_step.due_date(case.rules.realisation_time),
    }
    tell(case.applicant, MATCHED, facts)


@step
def confirm_export(case: Case, realised: Realisation) -> None:
    """Record the export: country, value and quantity."""
    stand("exported", reference=f"{realised.country} USD {realised.usd} {realised.quantity} {realised.unit}"[:64])
    facts = common(case) | {
        "country": realised.country,
        "usd": str(realised.usd),
        "quantity": f"{realised.quantity} {realised.unit}",
        "declaration_number": realised.declaration_number,
        "declared_on": realised.declared_on,
    }
    tell(case.applicant, EXPORTED, facts)
