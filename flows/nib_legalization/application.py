"""The application as it stands, and the risk that the rules propose for it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from engine.pipeline import Case
from flows.facts import scale_of
from flows.nib_legalization.forms import Classification, Correction, RiskLevel


class Application(BaseModel):
    """The application as it stands: the opening's facts, corrected and classified so far."""

    model_config = ConfigDict(frozen=True)

    owner_name: str
    business_name: str
    address: str
    industry_code: str
    industry_code_version: str
    stated_nib: str | None = None
    risk: RiskLevel | None = None

    @property
    def risk_level(self) -> RiskLevel:
        """Return the risk level of a classified application.

        Raises:
            ValueError: The application is not classified yet.
        """
        if self.risk is None:
            raise ValueError("this application was not classified yet")
        return self.risk

    def corrected(self, correction: Correction) -> Application:
        """Return the application with the owner's corrections."""
        changes = correction.model_dump(include={"owner_name", "business_name", "address", "industry_code"})
        return self.model_copy(update={name: value for name, value in changes.items() if value})

    def classified(self, classification: Classification) -> Application:
        """Return the application with the settled industry code and risk level."""
        return self.model_copy(
            update={
                "industry_code": classification.industry_code,
                "industry_code_version": classification.industry_code_version,
                "risk": classification.risk_level,
            }
        )


class Reason(BaseModel):
    """A reason why an application can't go on, and the rule that says so."""

    model_config = ConfigDict(frozen=True)

    reason: str
    rule: str


def application_of(case: Case) -> Application:
    """Return the application as it was registered."""
    return Application(
        owner_name=case.facts.owner.name,
        business_name=case.facts.name,
        address=case.facts.owner.address,
        industry_code=case.facts.industry_code,
        industry_code_version=case.facts.industry_code_version,
        stated_nib=case.facts.business_id_number,
    )


def proposed_risk(case: Case, industry_code: str) -> RiskLevel | None:
    """Return the risk level that the office's working table proposes; None where it has no row."""
    level = case.rules.risk_by_industry.value.get(industry_code, {}).get(scale_of(case))
    return RiskLevel(level) if level else None
