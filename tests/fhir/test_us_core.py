"""US Core in a statement: which edition is claimed, and what of each is declared, missing or not spoken of."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from interlock.fhir import capability, certification, smart, us_core
from interlock.fhir.tables.us_core import BASE, EDITIONS, PROFILES, UsCoreEdition
from interlock.fhir.us_core import SERVER
from interlock.model.us_core import CertificationFacts, UsCoreFacts
from us_core_statements import whole_statement

pytestmark = pytest.mark.fast


def read(document: dict[str, Any]) -> UsCoreFacts:
    statement = capability.decode(json.dumps(document))
    assert statement is not None
    facts = us_core.parse(statement)
    assert facts is not None
    return facts


def entry(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in document["rest"][0]["resource"] if one["type"] == name)


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_statement_of_all_that_an_edition_requires_meets_it_whole(edition: UsCoreEdition) -> None:
    facts = read(whole_statement(edition))
    counts = facts.editions[edition]
    assert counts.whole and counts.supported == counts.required and counts.combinations == 0
    assert facts.closest == edition and list(facts.claimed) == [edition]
    assert edition in facts.summary().partition("fully meets ")[2]


def test_combinations_that_nobody_speaks_of_are_neither_there_nor_missing() -> None:
    counts = read(whole_statement("6.1.0", combinations=False)).editions["6.1.0"]
    assert counts.whole and counts.combinations == 21 and counts.supported == counts.required - 21


def _cuts(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement that lacks one row of a list that has another, with the row's label."""
    for index, resource in enumerate(document["rest"][0]["resource"]):
        name = resource["type"]
        for key, label in (
            ("interaction", lambda one, name=name: f"{name}.{one['code']}"),
            ("supportedProfile", lambda one: one.partition("|")[0].rpartition("/")[2]),
        ):
            for position, one in enumerate(resource.get(key, ())):
                if len(resource[key]) < 2:
                    continue
                cut = copy.deepcopy(document)
                del cut["rest"][0]["resource"][index][key][position]
                yield label(one), cut


def test_each_row_that_a_list_leaves_out_is_the_one_that_is_missing() -> None:
    cuts = list(_cuts(whole_statement("6.1.0")))
    assert len(cuts) > 60
    for label, document in cuts[::4]:
        facts = read(document)
        assert facts.missing_of("6.1.0") == [label]
        assert facts.editions["6.1.0"].lacking == 1 and not facts.editions["6.1.0"].undeclared


def test_a_list_that_is_not_there_says_nothing() -> None:
    document = whole_statement("6.1.0")
    for key in ("interaction", "searchParam", "searchRevInclude", "supportedProfile", "extension"):
        del entry(document, "Condition")[key]
    facts = read(document)
    assert facts.missing_of("6.1.0") == [] and facts.types_of("6.1.0") == []
    assert set(facts.undeclared_of("6.1.0")) == {
        "Condition.read",
        "Condition.search-type",
        "Condition?patient",
        "Condition?patient&category",
        "Condition?_revinclude=Provenance:target",
        "us-core-condition-encounter-diagnosis",
        "us-core-condition-problems-health-concerns",
    }
    assert "0 of" in facts.summary() and "7 more are not said either way" in facts.summary()


def test_a_type_that_is_left_out_is_one_line_and_all_its_rows() -> None:
    document = whole_statement("6.1.0")
    document["rest"][0]["resource"] = [one for one in document["rest"][0]["resource"] if one["type"] != "Specimen"]
    facts = read(document)
    # The type, read, search-type, _id, Provenance:target and its profile.
    assert facts.types_of("6.1.0") == ["Specimen"] and facts.missing_of("6.1.0") == []
    assert facts.editions["6.1.0"].lacking == rows_of("Specimen", "6.1.0")
    said = facts.summary()
    assert f"missing: {facts.editions['6.1.0'].lacking} by leaving out 1 type (Specimen)" in said
    assert "3.1.1" not in facts.types.get("Specimen", ()), "3.1.1 has no such type"


def rows_of(name: str, edition: UsCoreEdition) -> int:
    """Number of SHALL rows of a type, itself included, counted from the statement that has them all."""
    one = entry(whole_statement(edition), name)
    table = us_core.us_core(edition).resources[name]
    parameters = sum(parameter.verb == "SHALL" for parameter in table.parameters)
    lists = ("interaction", "searchRevInclude", "supportedProfile", "extension")
    return 1 + parameters + sum(len(one.get(key, ())) for key in lists)


def test_a_parameter_of_a_combination_that_is_left_out_takes_the_combination_with_it() -> None:
    document = whole_statement("6.1.0", combinations=False)
    plan = entry(document, "CarePlan")
    plan["searchParam"] = [one for one in plan["searchParam"] if one["name"] != "category"]
    assert read(document).missing_of("6.1.0") == ["CarePlan?patient&category"]


def test_what_is_read_in_part_lacks_nothing() -> None:
    document = whole_statement("6.1.0") | {"meta": {"tag": [{"code": "SUBSETTED"}]}}
    document["rest"][0]["resource"] = document["rest"][0]["resource"][:2]
    facts = read(document)
    assert facts.missing == {} and facts.types == {} and facts.editions["6.1.0"].undeclared > 20


def test_claims_are_read_wherever_they_stand() -> None:
    document = whole_statement("6.1.0", version=False) | {
        "instantiates": [f"{SERVER}|3.1.1", "http://example.org/CapabilityStatement/other|7.0.0"],
        "implementationGuide": [f"{BASE}ImplementationGuide/hl7.fhir.us.core|7.0.0", 5, None],
        "meta": {"profile": [f"{BASE}StructureDefinition/x|5.0.1"]},
    }
    entry(document, "Patient")["supportedProfile"] = [f"{PROFILES}us-core-patient|9.9.9"]
    facts = read(document)
    assert facts.claimed == {
        "9.9.9": ("supportedProfile",),
        "3.1.1": ("instantiates",),
        "5.0.1": ("meta",),
        "7.0.0": ("implementationGuide",),
    }
    assert facts.closest == "7.0.0" and facts.compared == ("3.1.1", "5.0.1", "7.0.0")


def test_profiles_without_a_version_leave_the_edition_open() -> None:
    facts = read(whole_statement("6.1.0", version=False))
    assert facts.claimed == {} and facts.named and facts.possible == ("6.1.0", "7.0.0", "8.0.0")
    assert facts.closest == "6.1.0" and facts.summary().startswith(
        "names no edition; going by what it declares, it fully meets 3.1.1 and 6.1.0"
    )


def test_a_profile_in_another_version_is_neither_declared_nor_missing() -> None:
    counts = read(whole_statement("6.1.0")).editions["7.0.0"]
    assert counts.other_versions > 40 and not counts.whole
    assert "us-core-patient" not in read(whole_statement("6.1.0")).missing


def test_the_rule_of_a_type_claims_no_profile_and_leaves_none_out() -> None:
    document = whole_statement("6.1.0")
    one = entry(document, "Goal")
    one["profile"], one["supportedProfile"] = f"{PROFILES}us-core-goal", ["http://example.org/StructureDefinition/goal"]
    facts = read(document)
    assert "us-core-goal" in facts.undeclared and "us-core-goal" not in facts.missing


def test_another_release_and_another_guide_have_nothing_of_it() -> None:
    statement = capability.decode(json.dumps(whole_statement("6.1.0") | {"fhirVersion": "4.3.0"}))
    assert statement is not None and us_core.parse(statement) is None
    bare = whole_statement("3.1.1") | {"instantiates": []}
    for resource in bare["rest"][0]["resource"]:
        resource.pop("supportedProfile", None)
    assert not read(bare).named and read(bare).summary().startswith(
        "does not name US Core; going by what it declares, it fully meets 3.1.1"
    )


@pytest.mark.parametrize("bad", [5, "x", [], {}, [[]], [{"url": 5}], [{"url": "x", "extension": 5}], {"profile": 5}])
def test_whatever_is_sent_is_read(bad: object) -> None:
    document = whole_statement("6.1.0") | {"implementationGuide": bad, "meta": bad}
    for key in ("extension", "searchRevInclude"):
        entry(document, "Patient")[key] = bad
    assert read(document).closest == "6.1.0"


# -- certification -----------------------------------------------------------------------------------------------------


def certified(edition: UsCoreEdition, **fields: Any) -> CertificationFacts | None:
    statement = capability.tolerate(whole_statement(edition))
    guide = us_core.parse(statement)
    assert guide is not None
    return certification.parse(smart.parse(fields, "https://ehr.example.org/fhir"), statement.facts, guide)


def test_capabilities_are_those_of_both_launches_and_unpublished_ones_are_undeclared() -> None:
    facts = certified("6.1.0", capabilities=["permission-v2", "launch-ehr"])
    assert facts is not None and (facts.required, facts.smart_version) == (17, "2.0")
    assert len(facts.missing) == 15 and "context-ehr-encounter" in facts.missing and not facts.undeclared
    silent = certified("3.1.1", token_endpoint="https://ehr.example.org/token")
    assert silent is not None and silent.missing == () and len(silent.undeclared) == silent.required == 12
    assert silent.smart_version == "1.0" and silent.granular_unlisted == ()


@pytest.mark.parametrize(
    "scope",
    [
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history",
        "user/Observation.crs?category=http://terminology.hl7.org/CodeSystem/observation-category%7Csocial-history",
        "system/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category|social-history",
    ],
)
def test_a_granular_scope_is_listed_in_any_spelling(scope: str) -> None:
    facts = certified("8.0.0", scopes_supported=[scope, "patient/Condition.rs"])
    assert facts is not None and len(facts.granular_unlisted) == 7
    assert [one.rpartition("|")[2] for one in facts.granular_listed] == ["social-history"]


@pytest.mark.parametrize("scope", ["patient/Observation.r?category=a|survey", "patient/Observation.rs", "junk?x"])
def test_less_than_a_granular_scope_is_none(scope: str) -> None:
    facts = certified("7.0.0", scopes_supported=[scope])
    assert facts is not None and facts.granular_listed == () and len(facts.granular_unlisted) == 8


def test_the_parts_of_what_is_missing_add_up_to_the_number_that_is_told() -> None:
    document = whole_statement("6.1.0", combinations=False)
    left_out = ("Specimen", "Endpoint")
    document["rest"][0]["resource"] = [one for one in document["rest"][0]["resource"] if one["type"] not in left_out]
    plan = entry(document, "CarePlan")
    plan["searchParam"] = [one for one in plan["searchParam"] if one["name"] != "category"]
    entry(document, "Condition")["interaction"] = [{"code": "read"}]
    facts = read(document)
    said = facts.distance("6.1.0")
    declared, spoken_of, total = map(int, re.findall(r"\d+", said)[:3])
    assert declared + total == spoken_of, said
    parts = said.partition("missing: ")[2]
    numbers = [
        int(number) for number in re.findall(r"(\d+) (?:by leaving out \d+ types?|interactions?|search(?:es)?) ", parts)
    ]
    assert total == facts.editions["6.1.0"].lacking == sum(numbers), said
    assert len(numbers) == 3, said
