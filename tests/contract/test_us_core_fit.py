"""A need with a profile of US Core against a statement, in the edition that the profile names."""

from __future__ import annotations

import copy

import pytest

from interlock.contract.match import need_matches
from interlock.contract.us_core import fit_to_us_core
from interlock.fhir import capability, us_core
from interlock.fhir.tables.us_core import PROFILES
from interlock.model.contract import Need
from interlock.model.us_core import UsCoreFacts
from us_core_statements import whole_statement

pytestmark = pytest.mark.fast


def facts(**lists: object) -> UsCoreFacts:
    document = copy.deepcopy(whole_statement("6.1.0"))
    goal = next(one for one in document["rest"][0]["resource"] if one["type"] == "Goal")
    goal.update(lists)
    if lists.get("type"):
        document["rest"][0]["resource"].remove(goal)
    found = us_core.parse(capability.tolerate(document))
    assert found is not None
    return found


def need(profile: str) -> Need:
    return Need(resource="Goal", interactions=("search",), profile=profile)


def test_rows_of_the_type_and_the_profile_are_told_and_no_others() -> None:
    fit = fit_to_us_core(
        need(f"{PROFILES}us-core-goal|6.1.0"), facts(searchParam=[{"name": "_id"}], supportedProfile=[])
    )
    assert fit is not None and (fit.edition, fit.named, fit.exists, fit.absent) == ("6.1.0", True, True, False)
    assert fit.missing == ("Goal?patient",) and fit.undeclared == ("us-core-goal",)


def test_without_a_version_it_is_the_edition_that_the_statement_claims() -> None:
    fit = fit_to_us_core(need(f"{PROFILES}us-core-goal"), facts())
    assert fit is not None and (fit.edition, fit.named, fit.missing, fit.undeclared) == ("6.1.0", False, (), ())
    gone = fit_to_us_core(need(f"{PROFILES}us-core-goal"), facts(type="gone"))
    assert gone is not None and gone.absent


def test_what_is_not_known_says_nothing() -> None:
    assert fit_to_us_core(need(f"{PROFILES}us-core-goal"), None) is None
    assert fit_to_us_core(need("http://example.org/StructureDefinition/goal"), facts()) is None
    assert fit_to_us_core(need(f"{PROFILES}us-core-goal|9.9.9"), facts()) is None
    other = fit_to_us_core(need(f"{PROFILES}us-core-gaol|7.0.0"), facts())
    assert other is not None and not other.exists


def test_what_the_edition_asks_for_besides_is_a_note_on_the_profile_alone() -> None:
    document = copy.deepcopy(whole_statement("6.1.0"))
    goal = next(one for one in document["rest"][0]["resource"] if one["type"] == "Goal")
    goal["searchParam"] = [{"name": "_id"}]
    capability_facts = capability.parse(document)
    us_core_facts = us_core.parse(capability.tolerate(document))
    matches = list(need_matches("R4", "input", need(f"{PROFILES}us-core-goal|6.1.0"), capability_facts, us_core_facts))
    notes = {match.kind: (match.outcome, match.note) for match in matches if match.note}
    assert notes == {
        "profile": ("supported", "US Core 6.1.0 asks for more of Goal: Goal?patient is not declared"),
    }
