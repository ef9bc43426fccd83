"""What conditions read of the contract's settings at each organisation, and over all of them."""

from __future__ import annotations

from typing import Any

import pytest
from rule_examples import conclude, contract, inputs, organization, rule, ruleset

from interlock.contract.match import match_contract
from interlock.judge.evaluate import Evaluator
from interlock.judge.variables import MAX_LIST, RuleInputs, fleet_variable, settings_variable
from interlock.model.base import Evidence, RuleOutcome

pytestmark = pytest.mark.fast

SURFACE = [
    {"name": "threshold", "surface": "per_organization", "type": "number", "default": 0.6},
    {"name": "contact", "surface": "per_organization", "type": "string"},
    {"name": "models", "surface": "per_organization", "type": "list"},
    {"name": "window", "surface": "universal", "type": "integer", "default": 6},
]
MISSING = rule("settings.missing.size() > 0", applies="settings.needed > 0", message="{org.name}: {settings.missing}")


def known(*overrides: dict[str, Any], surface: list[dict[str, Any]] | None = SURFACE) -> RuleInputs:
    """Organisations with these values, under a contract with these settings; none stands for no contract."""
    names = ("riverside", "lakeshore", "harborview")
    organizations = tuple(organization(name, overrides=own) for name, own in zip(names, overrides, strict=False))
    if surface is None:
        return inputs(organizations=organizations)
    agreed = contract(organization_surface=surface)
    fits = {org.id: match_contract(agreed, org, None) for org in organizations}
    return inputs(organizations=organizations, contract=agreed, fits=fits)


def test_a_condition_reads_what_is_missing_defaulted_mistyped_and_unknown() -> None:
    given = known({"models": "adult", "modells": ["adult"], "contact": "4711", "window": 8})
    assert settings_variable(given.fits["riverside"]) == {
        "settings": {
            "missing": [],
            "defaulted": ["threshold"],
            "mistyped": ['models (a list of texts (numbers in quotes) is expected, and "adult" is there)'],
            "unknown": ["modells (did you mean 'models'?)"],
            "universal": ["window (the contract says 6)"],
            "needed": 3,
            "own": 1,
        }
    }


@pytest.mark.parametrize(
    ("own", "surface", "outcome", "says"),
    [
        ({"models": []}, SURFACE, RuleOutcome.GAP, "Riverside Hospital: contact"),
        ({"models": [], "contact": "x"}, SURFACE, RuleOutcome.MET, None),
        ({}, SURFACE[3:], RuleOutcome.NOT_APPLICABLE, None),
        ({}, [], RuleOutcome.UNKNOWN, "the contract has no settings (organization_surface)"),
        ({}, None, RuleOutcome.UNKNOWN, "the workflow contract is not written"),
    ],
)
def test_settings_that_the_contract_does_not_have_are_not_known(
    own: dict[str, Any], surface: Any, outcome: RuleOutcome, says: str | None
) -> None:
    found = conclude(MISSING, known(own, surface=surface))
    assert found.outcome is outcome
    assert says is None or says == (found.detail or found.message)
    if outcome in {RuleOutcome.GAP, RuleOutcome.MET}:
        assert found.evidence is Evidence.DOCUMENTED


def test_why_it_is_not_known_is_told_anew_when_the_contract_comes_and_goes() -> None:
    evaluator = Evaluator(ruleset(MISSING), ())
    details = [evaluator.findings(known({}, surface=surface))[0].detail for surface in ([], None, [], SURFACE)]
    assert details == [
        "the contract has no settings (organization_surface)",
        "the workflow contract is not written",
        "the contract has no settings (organization_surface)",
        None,
    ]


def test_thousands_of_unknown_names_leave_a_rule_decided() -> None:
    strange = rule("settings.unknown.size() > 0", message="{settings.unknown}")
    given = known({f"x{number}": 1 for number in range(5_000)})
    found = conclude(strange, given)
    assert found.outcome is RuleOutcome.GAP
    assert len(settings_variable(given.fits["riverside"])["settings"]["unknown"]) == MAX_LIST
    assert len(found.message) < 1_000


FULL = {"threshold": 0.5, "contact": "x", "models": ["a", "b"]}


@pytest.mark.parametrize(
    ("organizations", "alike"),
    [
        ([FULL, FULL], ["threshold", "contact", "models"]),
        ([FULL, {**FULL, "models": ["b", "a"]}], ["threshold", "contact", "models"]),
        ([FULL, {**FULL, "threshold": 0.7}], ["contact", "models"]),
        ([FULL, FULL, {**FULL, "contact": "y"}], ["threshold", "models"]),
        ([FULL, {"threshold": 0.7, "contact": "y", "models": []}], []),
        ([FULL, {"threshold": 0.7, "contact": "y"}], None),
        ([FULL, {"threshold": 0.7, "contact": "y"}, {**FULL, "models": ["c"]}], []),
        ([{**FULL, "threshold": "high"}, {**FULL, "threshold": "high"}], ["contact", "models"]),
        ([{}, {}], None),
        ([FULL], None),
    ],
)
def test_the_same_value_everywhere(organizations: list[dict[str, Any]], alike: list[str] | None) -> None:
    assert fleet_variable(known(*organizations)).get("settings_alike") == alike


@pytest.mark.parametrize("surface", [None, []])
def test_nothing_is_alike_without_settings(surface: Any) -> None:
    assert "settings_alike" not in fleet_variable(known(FULL, FULL, surface=surface))
