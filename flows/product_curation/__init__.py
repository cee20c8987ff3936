"""Product curation: curators judge a product; a good grade goes to the export center.

The curation house judges by its own rubric, a rule with its version; the export center and buyers decide for themselves.
ISO/IEC 17065, 7.5 and 7.6: who scored does not decide, and who decided hears no appeal.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.pipeline import Case, Ending, Silence, ask, ask_each, close, issue, pipeline
from flows.product_curation import export_steps, questions
from flows.product_curation.decisions import (
    AppealRuling,
    CenterEnd,
    Confirmation,
    MatchEnd,
    PanelDecision,
    PanelEnd,
    QualityControl,
    ReturnEnd,
    RulingEnd,
    Score,
    ScoreEnd,
    ScreeningEnd,
    Supply,
)
from flows.product_curation.facts import Passed, certificate_facts
from flows.product_curation.forms import AppealChoice, Application, ExportData, Willing
from flows.product_curation.gates import Reason
from flows.product_curation.rubric import Weighing
from flows.product_curation.steps import (
    CERTIFICATE,
    REFUSAL,
    ask_for_fixes,
    choose_curators,
    confirm_acceptance,
    confirm_appeal,
    confirm_end,
    confirm_no_curators,
    confirm_not_passed,
    confirm_receipt,
    confirm_refusal,
    confirm_withdrawn,
    draft_refusal,
    examine,
    hand_out_certificate,
    look_up,
    outside_region,
    say_that_curators_change,
    send_notes,
    summon,
    weigh,
)


class Outcome(Ending):
    """The endings of a curation case."""

    EXPORTED = "exported", "Ekspor terealisasi dan dilaporkan"
    MATCHED = "matched", "Bertemu pembeli, ekspor belum dilaporkan"
    HANDED_OVER = "handed_over", "Diterima Export Center, belum ada pembeli"
    RETURNED = "returned", "Lolos kurasi, dikembalikan Export Center"
    PASSED_LOCAL = "passed_local", "Lolos kurasi, tanpa serah terima ekspor"
    NOT_PASSED = "not_passed", "Tidak lolos kurasi"
    NO_CURATORS = "no_curators", "Tidak dapat dinilai: kurator tidak cukup"
    REFUSED = "refused", "Tidak dapat diproses"
    NOT_SUBMITTED = "not_submitted", "Gugur: permohonan tidak diisi"
    NOT_CORRECTED = "not_corrected", "Gugur: permohonan tidak diperbaiki"
    NOT_REPAIRED = "not_repaired", "Gugur: produk tidak diperbaiki"
    WITHDRAWN = "withdrawn", "Ditarik oleh pemohon"


def withdrawn(case: Case, reason: str) -> Outcome:
    """End the case because the owner withdrew the product, at whatever wait."""
    confirm_withdrawn(case, reason)
    return Outcome.WITHDRAWN


@pipeline(
    "product-curation",
    version=1,
    title="Kurasi produk sampai Export Center",
    prefix="KUR",
    subject="product",
    outcomes=Outcome,
    on_withdrawal=withdrawn,
)
def product_curation(case: Case) -> Outcome:
    """Take a product and its papers to a grade, and a good grade to a realised export."""
    known = look_up(case)
    confirm_receipt(case)
    if obstacles := outside_region(case):
        return refuse(case, obstacles)

    application = ask(questions.APPLICATION, known=known.in_the_form())
    if isinstance(application, Silence):
        return end(case, Outcome.NOT_SUBMITTED, "permohonan tidak diisi sampai batas waktu")
    while wanted := examine(case, application, known):
        corrected = correct(case, application, wanted)
        if isinstance(corrected, Outcome):
            return corrected
        application = corrected
    while (screening := ask(questions.SCREENING)).decision is not ScreeningEnd.ACCEPT:
        if screening.decision is ScreeningEnd.REJECT:
            return refuse(case, [Reason(reason=screening.reason, rule="Pemeriksaan berkas")])
        corrected = correct(case, application, [Reason(reason=one, rule="") for one in screening.deficiencies])
        if isinstance(corrected, Outcome):
            return corrected
        application = corrected
    confirm_acceptance(case)

    passed = curate(case, application)
    while isinstance(passed, Passed):
        if not passed.for_export:
            return close(case, Outcome.PASSED_LOCAL, f"Grade {passed.grade}: pasar dalam negeri")
        passed = hand_over(case, application.model_copy(update={"photo": passed.photo}), passed)
    return passed


def correct(case: Case, application: Application, wanted: list[Reason]) -> Application | Outcome:
    """Have the owner put right what is wanted, or let the case lapse."""
    ask_for_fixes(case, wanted)
    correction = ask(questions.CORRECTION)
    if isinstance(correction, Silence):
        return end(case, Outcome.NOT_CORRECTED, "permohonan tidak diperbaiki sampai batas waktu")
    return application.corrected(correction)


def curate(case: Case, application: Application) -> Passed | Outcome:
    """Have curators score blind and the panel decide.

    The owner repairs and comes again, three rounds at most, or appeals once.
    """
    round_number, appealed = 1, False
    barred: list[str] = []
    while True:
        judged = judge(case, application, barred)
        if judged is None:
            return close(case, Outcome.NO_CURATORS, confirm_no_curators(case, Outcome.NO_CURATORS.title_id))
        scores, weighing = judged
        last = round_number >= case.rules.rubric.value["rounds"]
        ruling = decide(case, weighing, barred, last)
        if ruling.decision is PanelEnd.PASS:
            certificate = issue(CERTIFICATE, certificate_facts(case, application, ruling, weighing))
            return hand_out_certificate(case, application.photo, ruling, weighing, scores, certificate)
        if ruling.decision is PanelEnd.RETURN and not last:
            send_notes(case, scores, ruling.notes, round_number)
            if isinstance(repair := ask(questions.REPAIR), Silence):
                return end(case, Outcome.NOT_REPAIRED, "produk tidak diperbaiki sampai batas waktu")
            application = application.model_copy(update={"photo": repair.photo})
            round_number += 1
            continue
        confirm_not_passed(case, scores, [*ruling.notes, ruling.reason], appealed)
        judges = [] if appealed else appeal(case, application)
        if judges is None:
            return close(case, Outcome.NO_CURATORS, confirm_no_curators(case, Outcome.NO_CURATORS.title_id))
        if not judges:
            return close(case, Outcome.NOT_PASSED, ruling.reason or "; ".join(ruling.notes))
        barred += [*(one.by for one in scores), ruling.by]
        appealed = True


def judge(case: Case, application: Application, barred: list[str]) -> tuple[list[Score], Weighing] | None:
    """Have two curators score, and a third where they are far apart; None: too few curators."""
    scores = score(case, application, case.rules.rubric.value["curators"], barred)
    if not scores:
        return None
    weighing = weigh(case, scores)
    if weighing.needs_third:
        third = score(case, application, 1, barred, scores)
        if not third:
            return None
        scores = [*scores, *third]
        weighing = weigh(case, scores)
    return scores, weighing


def score(
    case: Case, application: Application, wanted: int, barred: list[str], given: Sequence[Score] = ()
) -> list[Score] | None:
    """Ask as many curators as are wanted, blind; bar and replace the silent and the conflicted.

    None: there are too few, and an officer found no more.
    """
    scores: list[Score] = []
    while missing := wanted - len(scores):
        not_these = [*barred, *(one.by for one in [*given, *scores])]
        asked = find_curators(case, application, "score", missing, not_these, missing)
        if asked is None:
            return None
        answers = ask_each(questions.SCORE, to=asked, apart_from=not_these, note=summon(case, application))
        scored = [one for one in answers if isinstance(one, Score) and one.decision is ScoreEnd.SCORED]
        if len(scored) < missing:
            barred += [account for account in asked if account not in {one.by for one in scored}]
            say_that_curators_change(case)
        scores += scored
    return scores


def find_curators(
    case: Case, application: Application, question: str, wanted: int, barred: list[str], at_least: int
) -> list[str] | None:
    """Return the curators who may answer today, the least loaded first.

    While there are too few, an officer looks for more. None: the officer gave up.
    """
    while len(found := choose_curators(case, application, question, wanted, barred)) < at_least:
        note = f"Perlu {at_least} kurator {application.cluster} bersertifikat tanpa benturan, ada {len(found)}"
        if ask(questions.CURATORS_WANTED, note=note).decision is Supply.REJECT:
            return None
    return found


def decide(case: Case, weighing: Weighing, barred: list[str], last: bool) -> PanelDecision:
    """Have the chair decide on the scores; a grade above them needs its reason."""
    said = f"Nilai {weighing.points}, grade {weighing.grade}" + ("; putaran terakhir, lolos atau tidak" if last else "")
    note = said
    while True:
        ruling = ask(questions.PANEL_DECISION, apart_from=barred, note=note)
        if ruling.reason or ruling.grade is None or not ruling.grade.is_better_than(weighing.grade):
            return ruling
        note = f"{said}. reason: grade {ruling.grade} di atas hasil nilai; tulis alasannya"


def appeal(case: Case, application: Application) -> list[str] | None:
    """Let the owner appeal to curators who took no part; return the curators who upheld it.

    None: an officer gave up the search for curators.
    """
    wish = ask(questions.APPEAL)
    if isinstance(wish, Silence) or wish.decision is AppealChoice.ACCEPT:
        return []
    size = case.rules.appeal_panel.value
    judges = find_curators(case, application, "appeal_ruling", size, [], 1)
    if judges is None:
        return None
    rulings: list[AppealRuling] = ask_each(questions.APPEAL_RULING, to=judges, note=wish.reason)
    upheld = [ruling.by for ruling in rulings if ruling.decision is RulingEnd.UPHELD]
    upheld = upheld if 2 * len(upheld) >= len(rulings) else []
    confirm_appeal(case, [ruling.reason for ruling in rulings], bool(upheld))
    return upheld


def hand_over(case: Case, application: Application, passed: Passed) -> Passed | Outcome:
    """Pack and hand over until the export center accepts.

    Returned twice, an officer ends the hand-over or has the product curated again.
    """
    for attempt in (1, 2):
        prepared = prepare(case, application, passed)
        if isinstance(prepared, Outcome):
            return prepared
        data, quality = prepared
        page = issue(export_steps.CATALOGUE, export_steps.catalogue_facts(case, application, data, passed))
        facts = export_steps.portfolio_facts(case, application, data, quality, passed, page)
        portfolio = issue(export_steps.PORTFOLIO, facts)
        export_steps.hand_out_pack(case, facts, portfolio, page)
        while (answer := ask(questions.CENTER_ANSWER)).decision is CenterEnd.WAITLIST:
            export_steps.say_that_center_waits(case, answer)
        if answer.decision is CenterEnd.ACCEPT:
            export_steps.confirm_hand_over(case, portfolio.number)
            return meet_buyers(case)
        export_steps.record_return(case, passed, answer, attempt)
    ruling = ask(questions.RETURN_RULING, note=answer.finding)
    if ruling.decision is ReturnEnd.RECURATE:
        return curate(case, application)
    return end(case, Outcome.RETURNED, ruling.reason)


def prepare(case: Case, application: Application, passed: Passed) -> tuple[ExportData, QualityControl] | Outcome:
    """Have the owner give the export data and an officer confirm the batch's quality control.

    Nothing leaves before both are in order.
    """
    export_steps.ask_for_export_data(case, passed)
    while True:
        data = ask(questions.EXPORT_DATA)
        if isinstance(data, Silence) or data.decision is Willing.DECLINE:
            return end(case, Outcome.PASSED_LOCAL, "pemilik tidak mengisi data ekspor; sertifikat tetap berlaku")
        faults = export_steps.examine_export(case, application, data)
        if not faults:
            quality = ask(questions.QUALITY_CONTROL, note=f"Kode HS {data.hs_code}, tujuan {data.destination}")
            if quality.decision is Confirmation.CONFIRMED:
                return data, quality
            faults = [Reason(reason=one, rule="Pengendalian mutu batch") for one in quality.findings]
        export_steps.ask_for_export_fixes(case, faults)


def meet_buyers(case: Case) -> Outcome:
    """Record the export center's match with buyers; have the owner report the realised export."""
    match = ask(questions.BUYER_MATCH)
    if match.decision is MatchEnd.NO_BUYER:
        return end(case, Outcome.HANDED_OVER, match.reason)
    export_steps.confirm_match(case, match)
    realised = ask(questions.REALISATION)
    if isinstance(realised, Silence):
        return end(case, Outcome.MATCHED, f"{match.decision} dengan {match.buyer}; ekspor belum dilaporkan")
    export_steps.confirm_export(case, realised)
    return close(case, Outcome.EXPORTED, f"{realised.country}, USD {realised.usd}, {realised.quantity} {realised.unit}")


def refuse(case: Case, reasons: list[Reason]) -> Outcome:
    """Refuse by a numbered and signed decision that gives every reason."""
    refusal = issue(REFUSAL, draft_refusal(case, reasons))
    confirm_refusal(case, reasons, refusal)
    return close(case, Outcome.REFUSED, "; ".join(one.reason for one in reasons))


def end(case: Case, outcome: Outcome, reason: str) -> Outcome:
    """End the case with a letter that gives the reason, and says that applying again is free."""
    confirm_end(case, outcome.title_id, reason)
    return close(case, outcome, reason)
