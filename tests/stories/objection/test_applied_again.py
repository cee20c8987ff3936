"""An objection is granted when the owner has applied again meanwhile: the application that is open is the fresh examination."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.cases.opening import open_cases
from engine.errors import NotAllowed
from engine.runtime.office import Office
from tests.stories.objection.conftest import again, ended, objects

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory


@pytest.mark.usefixtures("blank_papers")
def test_who_refused_does_not_decide_in_the_application_that_was_open_already(
    refused: NibStory, office: Office
) -> None:
    """The letter promises other officers: nothing is opened twice, and who refused is kept out of the open one from then on."""
    with office.run("cli", by="tuti") as run:
        [number] = open_cases(office, run, refused.pipeline, [refused.case.subject_id], by="tuti").opened
    refused.advance()
    objects(refused.on("2026-03-16"))
    refused.answers("ratna", "objection_ruling#1", decision="grant", reason="RT 3 memang ada")
    assert ended(refused)[1].endswith(f"diperiksa ulang dalam {number}")
    anew = again(refused, number)
    remark = anew.entries[-1]
    assert (remark.kind, remark.key, remark.reason) == ("remark", "examines_anew", f"dilanjutkan dari {refused.number}")
    with pytest.raises(NotAllowed, match=f"decided dossier_check in the case that {number} examines anew"):
        anew.answers("budi", "dossier_check#1", decision="reject", reason="tetap")
    assert anew.answers("tuti", "dossier_check#1", decision="complete").waits_for == ["classification#1"]
    assert anew.is_whole()
