"""Name the heads of tables and the coded values in them, by their names in ``--json``."""

from __future__ import annotations

from cli.language import in_context, language


def _each(words: str) -> tuple[str, ...]:
    return tuple(words.split())


# Every key of a result that people read. In English a head is its key with spaces.
HEADS = _each("""
    accepted account actor advanced applicant_days at before bounced breaches budget_days by by_hand by_office
    by_officer case cases certificate channel checks citation clock closed cluster column conflict date days
    delegation detail different documents due due_on entries entry error escalated expected_on failed files
    findings first_bad first_difference flow_run_id flow_runs from given_up ground holder imported intact key
    kind late later letter letters line mandate movable moved name note number office office_days officer
    offices on_behalf_of open opened outcome outcomes outside_days own_code owner pace_days passed path person
    pipeline pipeline_version pipelines product provisional question questions reason reassigned refused
    reminded revision revoked role roles run running same seals seconds sent seq sha256 signed_by silent since
    skipped standing started_at state status stretches subject title to token unit until used_days valid value
    version waiting waiting_for warnings was what will_breach would ended_at freed region reports_to revoked_at token_until
""")

# Every code that stands in a column, with its Indonesian in the catalogue; roles and endings have their titles elsewhere.
VALUES = {
    "status": _each("""
        ready waiting parked closed pending reserved replaced voided queued sent bounced given_up by_hand handed_over
        said_before unknown
    """),
    "state": _each("running completed refused failed crashed"),
    "kind": _each("public joint_leave office cli flow web"),
    "what": _each("""
        entry case answer document letter wait clock_segment standing number trigger file run account account_role mandate
        declared_conflict delegation recorded_certificate institution calendar_day office_entry
    """),
    "check": _each("signature_intact signer_trusted unchanged_since_signing facts_readable recorded file"),
    "standing": _each("law policy unconfirmed provisional"),
    "holder": _each("office applicant outside"),
    "subject": _each("business person product"),
    # What the machinery writes into the ledger, and the choices of those who decide.
    "outcome": _each("""
        opened answered reassigned recalled withdrawn silent reminded escalated extended delegated corrected moved
        handed_on lodged issued
        reject rejected refused not_eligible not_halal not_continue not_yet_competent stop end accept approve grant granted
        pass complete confirmed competent halal valid upheld recommend forward proceed continue match contract
        letter_of_intent test_market already_registered granted_in_oss held scored recurate try_again keep_waiting return
        returned reroute findings extension needs_data waitlist waiting_list conflict other_companion mismatch mistaken
        not_found not_theirs not_confirmed absent no_buyer deadline_passed time_exceeded
    """),
    "unit": _each("""
        authority business_scales calendar_days calendar_days_before_the_end candidates_a_day curators days_and_answers
        days_by_scale duty effect_of_deadline first_day gate hour_of_day hours_of_day identity industry_codes
        ingredients_by_destination licence limits lp3h_and_last_day_by_number methods minutes people product_names
        region_code_prefixes risk_level_by_scale rungs rupiah rupiah_a_year rupiah_by_scale rupiah_by_scale_and_kind
        schemes_with_units scopes_and_region_code_prefixes sites_with_capacity_a_day slots_and_rupiah_a_year standard
        stops_and_days texts times titles what_oss_issues words working_days years
    """),
}


def head(key: str) -> str:
    """Return how a column or line is headed."""
    return in_context("head", key.replace("_", " "))


def value_of(column: str, code: str) -> str:
    """Return a coded value as people read it; what is no code of that column stays as it is."""
    if language() == "en":
        return code
    if column in ("role", "roles"):
        return role_title(code)
    if column == "officer":  # an account, or a role or outside body with the code of its office
        return " ".join(map(role_title, code.split(" ")))
    return in_context(column, code) if code in VALUES.get(column, ()) else code


def subject_in_words(subject: str) -> str:
    """Return a subject, such as ``business 12``, as people read it."""
    kind, _, number = subject.partition(" ")
    return f"{value_of('subject', kind)} {number}"


def role_title(code: str) -> str:
    """Return the Indonesian title of a role; what is no role stays as it is."""
    from models.base import ROLE_TITLES, Role

    return ROLE_TITLES[Role(code)] if code in list(Role) else code
