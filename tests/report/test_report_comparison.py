"""Each area with its strongest and weakest point, and organisations compared by what is the same and what differs."""

from __future__ import annotations

from typing import Any

import assessment_factory as factory
import pytest

from interlock.model.assessment import Assessment
from interlock.model.base import Evidence, RuleOutcome
from interlock.model.contract import ContractFit, NeedMatch, SettingMatch
from interlock.report import view

pytestmark = pytest.mark.fast


def shown(assessment: Assessment, observations: Any = None, **options: Any) -> Any:
    seen = factory.observations() if observations is None else observations
    built = view.build(assessment, generated=None, interlock_version="1", observations=seen, **options)
    return factory.content(built, "comparison")


def told(rows: Any) -> dict[str, dict[str, str]]:
    return {
        row.term: {value.value: ", ".join(link.label for link in value.where) for value in row.values} for row in rows
    }


def need(name: str, outcome: Any) -> NeedMatch:
    return NeedMatch(direction="input", resource="Observation", kind="interaction", name=name, outcome=outcome)


def setting(value: str, outcome: Any = "own") -> SettingMatch:
    return SettingMatch(name="threshold", outcome=outcome, value=value, default="0.6")


# -- scorecard ------------------------------------------------------------------------------------------------------


def area(*findings: tuple[str, RuleOutcome, Evidence | None]) -> Any:
    """The row of the area whose findings are changed so; every other rule does not apply."""
    assessed = factory.sample()
    changed = {key: (outcome, evidence) for key, outcome, evidence in findings}
    own = [
        finding.but(outcome=changed[finding.key][0], evidence=changed[finding.key][1])
        if finding.key in changed
        else finding.but(outcome=RuleOutcome.NOT_APPLICABLE)
        for finding in assessed.findings
    ]
    return next(row for row in shown(assessed.but(findings=tuple(own))).areas if row.area == "Auth surface")


def keys() -> list[str]:
    return [f.key for f in factory.sample().findings if f.rule.startswith("AUTH-") and "@" in f.key][:3]


def test_an_area_counts_and_names_the_worst_gap_before_what_is_unknown() -> None:
    gap, unknown, met = keys()
    row = area(
        (gap, RuleOutcome.GAP, Evidence.ASSERTED),
        (unknown, RuleOutcome.UNKNOWN, None),
        (met, RuleOutcome.MET, Evidence.OBSERVED),
    )
    assert row.counted == "1 met, 1 open, 1 undecided"
    rules = factory.sample().rules
    assert rules[gap.partition("@")[0]].title in row.weakest
    assert "as observed" in row.strongest


def test_what_is_not_known_is_a_question_and_no_weakness_by_itself() -> None:
    unknown, met, _ = keys()
    row = area((unknown, RuleOutcome.UNKNOWN, None), (met, RuleOutcome.MET, Evidence.ASSERTED))
    assert "Not known: Does this hold?" in row.weakest


def test_where_nothing_is_open_the_weakest_is_what_holds_by_least() -> None:
    first, second, _ = keys()
    row = area((first, RuleOutcome.MET, Evidence.OBSERVED), (second, RuleOutcome.MET, Evidence.ASSERTED))
    assert row.weakest.startswith("Nothing is open. Held by least: ") and "on the team’s word" in row.weakest
    assert "as observed" in row.strongest
    (only, *_) = keys()
    assert area((only, RuleOutcome.GAP, Evidence.ASSERTED)).strongest == "Nothing is met yet."


# -- comparison -----------------------------------------------------------------------------------------------------


def test_values_are_grouped_and_what_was_not_observed_is_no_difference() -> None:
    compared = shown(factory.sample())
    rows = told(compared.differ) | told(compared.same)
    assert rows["FHIR release"]["not observed"] == "Harborview Clinics"
    alike = factory.sample().but(fit=())
    seen = {org: factory.observations()["riverside"] for org in ("riverside", "lakeshore")}
    assert "FHIR release" in told(shown(alike, seen).same)


def test_needs_that_come_out_alike_are_one_row_and_the_rest_is_counted() -> None:
    outcomes = {"riverside": "supported", "lakeshore": "missing", "harborview": "not_observed"}
    fits = tuple(
        ContractFit(
            org=org,
            observed=outcome != "not_observed",
            matches=(
                need("read", "not_observed" if outcome == "not_observed" else "supported"),
                need("search", outcome),
                need("create", outcome),
            ),
        )
        for org, outcome in outcomes.items()
    )
    compared = shown(factory.sample().but(fit=fits))
    assert told(compared.differ)["Needed: Observation (search, create)"] == {
        "supported": "Riverside Regional Medical Center",
        "missing": "Lakeshore Health System",
        "not observed": "Harborview Clinics",
    }
    (counted,) = (row for row in compared.same if row.term == "3 needs of the contract")
    assert counted.says == "1 declared wherever a statement was read."


def test_settings_say_what_is_set_what_is_a_default_and_what_is_missing() -> None:
    values = (
        ("riverside", setting("0.7")),
        ("lakeshore", setting("0.6", "defaulted")),
        ("harborview", SettingMatch(name="threshold", outcome="missing")),
    )
    fits = tuple(ContractFit(org=org, observed=False, matches=(), settings=(match,)) for org, match in values)
    row = told(shown(factory.sample().but(fit=fits)).differ)["Setting threshold"]
    assert list(row) == ["0.6 by default", "0.7", "without a value"]


def test_one_organisation_has_nothing_to_be_compared_with() -> None:
    assessed = factory.sample()
    one = assessed.but(organizations=assessed.organizations[:1], readiness=assessed.readiness[:1])
    compared = shown(one)
    assert "nothing to compare" in compared.alone and (compared.differ, compared.same) == ((), ())


def test_many_organisations_stay_a_row_each_thing() -> None:
    compared = shown(factory.large(60, rules=4), brief=True)
    assert len(compared.differ) < 20 and compared.same == () and "same wherever" in compared.same_in_words
