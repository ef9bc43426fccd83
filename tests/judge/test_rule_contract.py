"""What conditions read of the contract beside its own keys: its schema, its hash, and names that FHIR does not have."""

from __future__ import annotations

from typing import Any

import pytest
from rule_examples import contract, inputs, organization, ruleset

from interlock.content.rulesets import load_ruleset
from interlock.contract.load import load_contract
from interlock.contract.match import match_contract
from interlock.documents.resources import data_dir
from interlock.judge.evaluate import Evaluator
from interlock.judge.variables import RuleInputs
from interlock.model.contract import WorkflowContract

pytestmark = pytest.mark.fast

RULES = {rule.id: rule for rule in load_ruleset(data_dir("rulesets") / "core").rules}
ORGS = tuple(organization(name) for name in ("riverside", "lakeshore", "pinecrest"))


def outcomes(rule_id: str, agreed: WorkflowContract | None) -> dict[str, tuple[str, str | None]]:
    """Outcome and words of one rule, by subject."""
    fits = {org.id: match_contract(agreed, org, None) for org in ORGS} if agreed else {}
    given: RuleInputs = inputs(organizations=ORGS, contract=agreed, fits=fits)
    found = Evaluator(ruleset(RULES[rule_id]), ()).findings(given)
    return {str(one.subject.id): (str(one.outcome), one.message) for one in found}


def test_an_approval_of_an_earlier_text_is_that_organisations_gap_alone() -> None:
    text: dict[str, Any] = {"schema": 2, "review": {"role": "Nurse"}}
    now = contract(**text).hash
    given = [
        {"by": "Oyelaran", "organization": "riverside", "date": "2026-11-09", "hash": "0" * 64},
        {"by": "Solheim", "organization": "lakeshore", "date": "2026-11-09", "hash": now},
    ]
    found = outcomes("WF-066", contract(**text, approvals=given))
    assert {org: outcome for org, (outcome, _) in found.items()} == {
        "riverside": "gap",
        "lakeshore": "met",
        "pinecrest": "not_applicable",
    }
    assert (found["riverside"][1] or "").startswith("Riverside Hospital: the contract has changed since its approval")
    changed = outcomes("WF-066", contract(**{**text, "review": {"role": "Physician"}}, approvals=given))
    assert changed["lakeshore"][0] == "gap"


@pytest.mark.parametrize(
    ("resource", "parameter", "outcome", "said"),
    [
        ("Encounter", "patient", "met", None),
        ("Encouter", "patient", "gap", "Not in the release that contract.yaml names: Encouter"),
        ("Encounter", "pateint", "gap", "Not in the release that contract.yaml names: Encounter.pateint"),
    ],
)
def test_a_misspelt_name_is_the_products_gap(resource: str, parameter: str, outcome: str, said: str | None) -> None:
    need = {"resource": resource, "interactions": ["search"], "search_parameters": [parameter]}
    found = outcomes("FIT-018", contract(inputs=[need]))
    assert list(found) == [""]
    assert found[""][0] == outcome and (said is None or found[""][1] == said)


def test_without_a_contract_nothing_is_said_of_its_names() -> None:
    assert outcomes("FIT-018", None)[""][0] == "unknown"


@pytest.mark.parametrize("rule_id", ["WF-060", "WF-062", "WF-063", "WF-068", "AUTH-047"])
def test_a_contract_of_the_first_schema_is_not_asked_what_only_the_second_has(rule_id: str) -> None:
    need = {"resource": "Observation", "interactions": ["create"]}
    first = {"launch": {"modes": ["backend"]}, "inputs": [{**need, "interactions": ["read"]}], "outputs": [need]}
    assert outcomes(rule_id, contract(**first))[""][0] == "not_applicable"
    assert outcomes(rule_id, contract(schema=2, **first))[""][0] == "gap"
    assert outcomes("WF-070", contract(**first))[""][0] == "gap"


HOLES = ("WF-060", "WF-063", "WF-064", "WF-065", "WF-068", "WF-069", "AUTH-047")


@pytest.mark.parametrize(("sample", "outcome"), [("fuzzy-contract", "gap"), ("sepsis", "met"), ("ready", "met")])
def test_the_samples_keep_their_stories(sample: str, outcome: str) -> None:
    agreed, _ = load_contract(data_dir("samples") / "templates" / sample / "contract.yaml")
    assert {rule_id: outcomes(rule_id, agreed)[""][0] for rule_id in HOLES} == dict.fromkeys(HOLES, outcome)
