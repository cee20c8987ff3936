"""An old value is replaced in words and in the files of a bundle, and nowhere else."""

from __future__ import annotations

from engine.cases.replaced_documents import Change, Rewriting

WRONG, RIGHT = "3508166904956220", "3508166904956228"


def test_an_owners_name_in_a_business_name_stays() -> None:
    """Whole words only, a longer name of the facts is kept, and a fact that names somebody else is left alone."""
    known = {"name": "Sari Sri", "owner": {"name": "Sri"}}
    rewriting = Rewriting(known, [Change("owner.name", "person", "name", "Sri", "Sari")])
    assert rewriting({"note": "Sri dan Sari Sri, Sriwijaya", "list": ["Sri"]}) == {
        "note": "Sari dan Sari Sri, Sriwijaya",
        "list": ["Sari"],
    }
    same = {"name": "Sri", "owner": {"name": "Sri", "national_id": WRONG}}
    both = [
        Change("owner.name", "person", "name", "Sri", "Sari"),
        Change("owner.national_id", "person", "national_id", WRONG, RIGHT),
    ]
    words = {"applicant_name": "Sri", "business_name": "Sri", "national_id": "350816********20"}
    assert Rewriting(same, both)(words) == {
        "applicant_name": "Sari", "business_name": "Sri", "national_id": "350816********28",
    }  # fmt: skip


def test_a_bundle_that_says_nothing_wrong_itself_encloses_the_new_part() -> None:
    """By hash, or by the key of a part that was made anew before; a hash elsewhere is what somebody said."""
    rewriting = Rewriting({}, [])
    rewriting.enclose("page#1~2", "abc", "page#1~3")
    new = {"name": "page", "title": "Halaman", "document": "page#1~3"}
    for old in ({"sha256": "abc"}, {"document": "page#1~2"}):
        assert rewriting({"files": [{"name": "page", "title": "Halaman"} | old]}) == {"files": [new]}
    assert rewriting({"photo": "sha256:abc", "sha256": "abc"}) == {"photo": "sha256:abc", "sha256": "abc"}
