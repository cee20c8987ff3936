"""Who must differ from whom (the office's impartiality matrix, after ISO/IEC 17024 and 17065), held against what is declared.

What a declared constraint does, when somebody is asked and when they answer, is told in tests/engine/people/test_impartiality.py.
"""

from __future__ import annotations

import pytest

from engine.definition.registry import current, pipeline_named

ASSESSED = ("assessment_review", "test_record", "assessment_record")
# pipeline, who decides, on what they must have had no part in
APART = [
    ("nib-legalization", "nib_record", ("oss_filing",)),
    ("nib-legalization", "deadline_ruling", ("verification",)),
    ("halal-self-declare", "body_check", ("visit",)),
    ("halal-self-declare", "receipt_letter", ("visit",)),
    ("halal-self-declare", "fatwa", ("visit",)),
    ("halal-regular", "facilitation", ("application",)),
    ("halal-regular", "fatwa", ("audit",)),
    ("halal-regular", "committee_ruling", ("audit",)),
    ("lsp-competency-test", "plenary_vote", (*ASSESSED, "appeal_vote")),
    ("lsp-competency-test", "appeal_vote", (*ASSESSED, "plenary_vote")),
    ("product-curation", "panel_decision", ("score",)),
    ("product-curation", "appeal_ruling", ("score", "panel_decision")),
    ("nib-legalization", "administrative_appeal_ruling", ("objection_ruling",)),
    ("halal-self-declare", "administrative_appeal_ruling", ("objection_ruling",)),
    ("product-curation", "administrative_appeal_ruling", ("objection_ruling",)),
]
CERTIFIED = [
    ("lsp-competency-test", "assessment_review", "assessor"),
    ("lsp-competency-test", "appeal_vote", "assessor"),
    ("product-curation", "score", "curator"),
    ("product-curation", "appeal_ruling", "curator"),
]
OTHER_INSTITUTION = [
    ("halal-self-declare", ("visit",)),
    ("lsp-competency-test", (*ASSESSED, "appeal_vote", "plenary_vote")),
    ("product-curation", ("score", "appeal_ruling")),
]


@pytest.mark.parametrize(("pipeline", "decides", "evaluated"), APART)
def test_who_evaluated_does_not_decide(pipeline: str, decides: str, evaluated: tuple[str, ...]) -> None:
    """Review and decision by persons who were not involved in the evaluation."""
    assert set(evaluated) <= set(pipeline_named(pipeline).questions[decides].apart_from)


@pytest.mark.parametrize(("pipeline", "question", "standing"), CERTIFIED)
def test_who_judges_is_certified_on_that_day(pipeline: str, question: str, standing: str) -> None:
    """An expired curator may not score, nor an expired assessor assess."""
    assert pipeline_named(pipeline).questions[question].holds == standing


@pytest.mark.parametrize(("pipeline", "questions"), OTHER_INSTITUTION)
def test_who_judges_works_elsewhere(pipeline: str, questions: tuple[str, ...]) -> None:
    """Not the candidate's employer, nor the owner's own association."""
    declared = pipeline_named(pipeline).questions
    assert all(declared[name].other_institution for name in questions)


def test_what_is_kept_apart_is_a_question_of_the_same_pipeline() -> None:
    """A name that is misspelt would keep nobody apart."""
    for pipeline in current():
        for question in pipeline.questions.values():
            assert set(question.apart_from) <= set(pipeline.questions), f"{pipeline.name}: {question.name}"
            assert question.name not in question.apart_from
