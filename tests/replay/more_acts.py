"""Which scripts are played in one office, and what happens there beside them: a recall, a correction, a ladder, a renewal."""

from __future__ import annotations

from dataclasses import replace

from tests.replay.command_line import Does
from tests.replay.script import OWNER, Act, Answers, Passes, Script, Withdraws
from tests.replay.scripts import script_named

# As many as are played in two minutes, and between them every kind of ending.
IN_ONE_OFFICE = {
    "nib-legalization": (
        "has a NIB",
        "objected, examined anew, and refused again by another officer",
        "too large for the programme",
        "DPMPTSP rejects",
        "rerouted",
        "declined",
        "never mended",
        "letters reach nobody",
    ),
    "halal-self-declare": ("waits for a place, returned twice", "by the criteria", "haram", "withdrawn at the fatwa"),
    "halal-regular": (
        "refused a slot, findings, another product, and the committee",
        "over to self-declare, the slot given back",
        "refused a slot, contested, decided anew and refused again",
        "never handed in",
    ),
    "lsp-competency-test": ("outside the scope", "missed twice", "never handed in"),
    "product-curation": (
        "exported",
        "a third curator, a repair, and grade C",
        "an appeal in vain",
        "not their product",
    ),
}
WITH_A_MACHINE = ("OSS refuses first", "OSS files and fails", "withdrawn while OSS is closed")


def in_one_office() -> list[Script]:
    """Return scripts of people, and those with more acts. None of them wants OSS or a mail server to be in a mood."""
    chosen = [script_named(pipeline, name) for pipeline, names in IN_ONE_OFFICE.items() for name in names]
    return [*chosen, *with_more_acts()]


def with_a_machine() -> list[Script]:
    """Return scripts in which a machine files with OSS."""
    return [script_named("nib-legalization", name) for name in WITH_A_MACHINE]


def with_more_acts() -> list[Script]:
    """Return scripts of NIB legalization with acts that only the command line has, and one that is renewed years later."""
    by_hand = script_named("nib-legalization", "filed by hand")
    passed = script_named("nib-legalization", "DPMPTSP returns it, and lets its time pass")
    mended = script_named("nib-legalization", "mended, refused by OSS, and a stranger's NIB")
    certified = script_named("lsp-competency-test", "competent at the first test")
    dossier, classified, signed, filed, recorded = by_hand.acts
    returned, corrected, checked, *rest = mended.acts
    assert isinstance(filed, Answers) and isinstance(checked, Answers)
    late = [
        on_another_day(act, day)
        for act, day in zip(passed.acts[7:], ("2026-03-10", "2026-03-11", "2026-03-12", "2026-03-13"), strict=True)
    ]
    return [
        _more(
            by_hand,
            "recalled and corrected",
            dossier,
            classified,
            _case("2026-01-14", "recall", "salah tekan", by="ani"),
            classified,
            signed,
            _case("2026-01-19", "correct", "salah ketik", "--data", '{"owner.name": "Sri Rejeki"}', by="tuti"),
            on_another_day(replace(filed, data={**filed.data, "holder_name": "Sri Rejeki"}), "2026-01-22"),
            on_another_day(recorded, "2026-01-23"),
            _case(
                "2026-01-26", "correct", "salah ketik", "--data", '{"address": "Jl. Melati No. 5, Lumajang"}', by="tuti"
            ),
        ),
        _more(
            mended,
            "more time, another officer, and a day off",
            returned,
            _case("2026-01-13", "extend", "cuti", "--until", "2026-01-27", "--agreed-with", "{owner}", by="budi"),
            corrected,
            _case("2026-01-14", "reassign", "cuti", "--to", "tuti", by="rini"),
            Does("2026-01-14", ("calendar", "add", "2026-02-13", "Hari jadi kantor"), "rini"),
            replace(checked, by="tuti"),
            *rest,
        ),
        _more(passed, "nobody at DPMPTSP answers", *passed.acts[:7], Passes("2026-03-09"), *late),
        _more(
            by_hand,
            "a dossier that lies for weeks",
            *(Passes(day) for day in ("2026-01-19", "2026-01-26", "2026-02-02", "2026-02-09", "2026-02-23")),
            Withdraws("2026-02-24", OWNER, "terlalu lama"),
        ),
        _more(certified, "certified, and renewed", *certified.acts, Does("2028-09-04", ("renew",))),
    ]


def _case(on: str, verb: str, reason: str, *words: str, by: str) -> Act:
    return Does(on, ("case", verb, "{number}", *words, "--reason", reason), by)


def _more(script: Script, name: str, *acts: Act) -> Script:
    return replace(script, name=name, acts=acts)


def on_another_day(act: Act, day: str) -> Act:
    """Return the same act on that day."""
    return replace(act, on=day)
