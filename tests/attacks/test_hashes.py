"""A file's name in an answer is a hash, in a field for evidence, asked for by who may answer; anything else is a text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.actions.lodge_appeal import lodge_appeal
from engine.errors import BadAnswer, NotAllowed, Refused
from engine.people.persons import record_certificate
from engine.runtime.file_store import Store
from engine.runtime.office import Office
from tests.people import EVIDENCE
from tests.stories.nib_legalization.conftest import NibStory
from tests.stories.nib_legalization.conftest import nib as nib

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., NibStory]

UNKEPT = f"sha256:{'0' * 64}"
# What a glob would follow: out of the store, through every folder, to a file by its first letters.
NO_HASHES = [
    "../../secret",
    "**",
    "../../**/x",
    "?" * 64,
    "[0-9a-f]" * 64,
    f"{'a' * 63}*",
    f"{'A' * 64}",
    f"{'a' * 64}\n",
    f"{'a' * 65}",
    "",
]


@pytest.mark.parametrize("named", NO_HASHES)
def test_what_is_no_hash_is_looked_for_nowhere(tmp_path: Path, named: str) -> None:
    """Not outside the store, not by a pattern, though the file that it means is there."""
    store = Store("file://store/documents", tmp_path)
    for name in ("a" * 64, "a" * 65, f"{'a' * 64}\n"):
        (tmp_path / "store" / "documents" / "aa").mkdir(parents=True, exist_ok=True)
        (tmp_path / "store" / "documents" / "aa" / f"{name}.pdf").write_bytes(b"x")
    (tmp_path / "secret.pdf").write_bytes(b"x")
    (tmp_path / "store" / "secret.pdf").write_bytes(b"x")
    assert store.find(named) is None
    assert store.find("a" * 64) == f"aa/{'a' * 64}.pdf"


def test_a_text_that_looks_like_a_file_is_a_text(nib: Nib, office: Office) -> None:
    """Whether a file is there makes no difference, so nobody learns which files there are."""
    outside = Path(office.store._root).parent / "secret.pdf"
    outside.parent.mkdir(parents=True, exist_ok=True)
    outside.write_bytes(b"x")
    for name in ("sha256:../../secret", "sha256:../../nothing", "sha256:**/x", UNKEPT):
        story = nib(national_id=f"35081669049562{len(name):02d}").dossier("return", deficiencies=[name], reason=name)
        assert story.waits_for == ["correction#1"]


@pytest.mark.parametrize("named", [*NO_HASHES, "0" * 64])
def test_in_a_field_for_evidence_only_a_hash_of_a_kept_file_is_taken(nib: Nib, named: str) -> None:
    """The form asks for its shape, the store for the file; the refusal names the field."""
    story = nib().to_statement().signs_on_paper()
    with pytest.raises(BadAnswer) as refused:
        story.filed(evidence=f"sha256:{named}")
    assert [fault["field"] for fault in refused.value.parts["fields"]] == ["evidence"]  # type: ignore[attr-defined]
    assert story.waits_for == ["oss_filing#1"]


@pytest.mark.parametrize("file", [UNKEPT, str(EVIDENCE)])
def test_who_may_not_answer_does_not_learn_whether_a_file_is_kept(nib: Nib, file: str) -> None:
    """The right to answer comes first: the refusal is the same for a file that is there and for one that is not."""
    story = nib().to_statement().signs_on_paper()
    with pytest.raises(NotAllowed, match="oss_filing#1 is for the role officer"):
        story.answers("ani", "oss_filing#1", **_issued(file))
    with pytest.raises(NotAllowed, match="nor holds a mandate"):
        nib(national_id="3508166904956221").to_statement().answers("ani", "statement#1", **_signed(file))


@pytest.mark.parametrize("named", ["../../secret", "**", "0" * 64])
def test_beside_forms_a_file_is_a_hash_as_well(nib: Nib, office: Office, named: str) -> None:
    """In objections and corrections, and with recorded certificates."""
    story = nib().dossier("reject", reason="alamat di luar wilayah")
    with pytest.raises(BadAnswer), office.run("cli", by="owner-1") as run:
        lodge_appeal(office, run, story.number, by="owner-1", reason="alamat benar", evidence=f"sha256:{named}")
    with pytest.raises(Refused, match="no kept file has this name"):
        record_certificate(office, 1, "assessor", "1", **_certificate(f"sha256:{named}"))


def _issued(evidence: str) -> dict[str, Any]:
    about = {"nib": "9120304567812", "holder_name": "Sri Purnomo", "source": "oss.go.id", "issued_on": "2026-01-14"}
    return {"decision": "issued", "evidence": evidence, **about}


def _signed(paper: str) -> dict[str, Any]:
    return {"decision": "sign", "k3l": True, "spatial": True, "sppl": True, "paper": paper}


def _certificate(evidence: str) -> dict[str, Any]:
    from datetime import date

    return {"since": date(2026, 1, 2), "until": None, "source": "BNSP", "evidence": evidence, "by": "budi"}
