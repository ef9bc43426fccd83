"""Answers that an observation proposes or contradicts."""

from __future__ import annotations

from typing import Any

import pytest
from rule_examples import (
    NOT_APPLICABLE,
    UNKNOWN,
    answered,
    boolean,
    choice,
    conclude,
    form,
    inputs,
    observation,
    organization,
    rule,
    ruleset,
    several,
)

from interlock.content.cel import cel
from interlock.judge.contradictions import find, observed_answer
from interlock.judge.evaluate import Evaluator
from interlock.judge.variables import cleaned, fact_variables
from interlock.model.base import Evidence, RuleOutcome
from interlock.model.observation import Observation
from interlock.model.questionnaire import Item
from interlock.model.response import Response

pytestmark = pytest.mark.fast

PKCE = boolean(
    "x.pkce",
    auto_answer=[
        {"when": "probe.smart.pkce_s256", "value": True},
        {"when": "!probe.smart.pkce_s256", "value": False},
    ],
)
HOSTING = choice(
    "x.hosting",
    auto_answer=[
        {"when": "checks['JWKS-001'] == 'fail'", "value": "none"},
        {"when": "probe.jwks.keys > 1", "value": "all"},
    ],
)


def given(*items: dict[str, Any], own: dict[str, Response] | None = None, **facts: Any) -> Any:
    seen = {"riverside": observation(**facts)} if facts else {}
    return inputs(*items, own=own or {}, observations=seen)


def proposed(item: dict[str, Any], org: str, known: Any) -> Any:
    """The answer that the organisation's observation gives to the item, or none."""
    context = cel.Context(variables=cleaned(fact_variables(known, org)))
    decided = observed_answer(Item.model_validate(item), context)
    return decided[0] if decided else None


@pytest.mark.parametrize(
    ("item", "facts", "expected"),
    [
        (PKCE, {"smart": {"pkce_s256": True}}, True),
        (PKCE, {"smart": {"pkce_s256": False}}, False),
        (PKCE, {"smart": {}}, None),
        (PKCE, {}, None),
        (HOSTING, {"checks": {"JWKS-001": "fail"}, "jwks": {"valid": True, "keys": 2}}, "none"),
        (HOSTING, {"checks": {"JWKS-001": "pass"}, "jwks": {"valid": True, "keys": 2}}, "all"),
        (HOSTING, {"checks": {"JWKS-001": "pass"}, "jwks": {"valid": True, "keys": 1}}, None),
        (HOSTING, {"jwks": {"valid": True, "keys": 2}}, None),
        (boolean("x.a", auto_answer=[{"when": "probe.smart ==", "value": True}]), {"smart": {}}, None),
        (boolean("x.a", auto_answer=[{"when": "probe.smart < 1", "value": True}]), {"smart": {}}, None),
        (boolean("x.a"), {"smart": {}}, None),
        (several("x.a", auto_answer=[{"when": "has(probe.smart)", "value": "some"}]), {"smart": {}}, ("some",)),
    ],
)
def test_proposals(item: dict[str, Any], facts: dict[str, Any], expected: Any) -> None:
    assert proposed(item, "riverside", given(item, **facts)) == expected


def test_an_organisation_that_was_never_probed_gets_no_proposal() -> None:
    assert proposed(PKCE, "elsewhere", given(PKCE, smart={"pkce_s256": True})) is None


def test_a_contradiction_names_both_sides_and_the_evidence() -> None:
    contradicted = given(HOSTING, own={"x.hosting": answered("all")}, checks={"JWKS-001": "fail"})
    (found,) = find(contradicted)
    assert (found.item, found.org) == ("x.hosting", "riverside")
    assert (found.answered, found.observed) == ("All", "None")
    assert found.evidence == "https://riverside.example/r4 on 31 Jan 2026, 12:00 UTC: checks.JWKS-001 = fail"


@pytest.mark.parametrize(
    ("response", "facts"),
    [
        (answered(True), {"smart": {"pkce_s256": True}}),
        (answered(True), {"smart": {}}),
        (answered(True), {}),
        (UNKNOWN, {"smart": {"pkce_s256": False}}),
        (NOT_APPLICABLE, {"smart": {"pkce_s256": False}}),
        (None, {"smart": {"pkce_s256": False}}),
    ],
)
def test_what_contradicts_nothing(response: Response | None, facts: dict[str, Any]) -> None:
    own = {"x.pkce": response} if response else {}
    assert find(given(PKCE, own=own, **facts)) == ()


def test_booleans_contradict() -> None:
    (found,) = find(given(PKCE, own={"x.pkce": answered(True)}, smart={"pkce_s256": False}))
    assert (found.answered, found.observed) == ("yes", "no")


def test_several_answers_are_contradicted_by_one_that_is_missing() -> None:
    item = several("x.a", auto_answer=[{"when": "has(probe.smart)", "value": "some"}])
    assert find(given(item, own={"x.a": answered(("none", "some"))}, smart={})) == ()
    (found,) = find(given(item, own={"x.a": answered(("none", "all"))}, smart={}))
    assert (found.answered, found.observed) == ("None, All", "Some")


def test_a_hidden_question_is_not_contradicted() -> None:
    shown = given(PKCE, own={"x.pkce": answered(True)}, smart={"pkce_s256": False})
    hidden = inputs(
        PKCE,
        own={"x.pkce": answered(True)},
        observations=shown.observations,
        hidden={"riverside": frozenset({"x.pkce"})},
    )
    assert len(find(shown)) == 1
    assert find(hidden) == ()


def test_only_the_organisation_that_was_observed_is_contradicted() -> None:
    both = inputs(
        PKCE,
        organizations=(organization("riverside"), organization("lakeshore")),
        by_org={org: {"x.pkce": answered(True)} for org in ("riverside", "lakeshore")},
        observations={"lakeshore": observation("lakeshore", smart={"pkce_s256": False})},
    )
    assert [found.org for found in find(both)] == ["lakeshore"]


def test_hostile_facts_are_shown_on_one_bounded_line() -> None:
    item = choice("x.a", auto_answer=[{"when": "probe.smart.issuer != 'https://ok'", "value": "none"}])
    issuer = "\x1b[2J\n" + "x" * 5_000
    (found,) = find(given(item, own={"x.a": answered("all")}, smart={"issuer": issuer}))
    assert "\x1b" not in found.evidence and "\n" not in found.evidence
    assert len(found.evidence) <= 400


# What conditions read of it


SSO = boolean("x.sso", auto_answer=[{"when": "probe.smart.capabilities.exists(c, c == 'sso')", "value": True}])
KINDS = several("x.kinds", auto_answer=[{"when": "checks['A-001'] == 'fail'", "value": "none"}])
CONTRADICTED = rule("contradictions.size() > 0", applies="compared > 0", message="{org.name}: {contradictions}")


@pytest.mark.parametrize(
    ("own", "seen", "expected"),
    [
        ({"x.sso": answered(False)}, observation(smart={"capabilities": ["sso"]}), RuleOutcome.GAP),
        ({"x.sso": answered(True)}, observation(smart={"capabilities": ["sso"]}), RuleOutcome.MET),
        ({"x.kinds": answered(("all",))}, observation(checks={"A-001": "fail"}), RuleOutcome.GAP),
        ({"x.kinds": answered(("all", "none"))}, observation(checks={"A-001": "fail"}), RuleOutcome.MET),
        ({"x.sso": UNKNOWN}, observation(smart={"capabilities": ["sso"]}), RuleOutcome.NOT_APPLICABLE),
        ({"x.sso": answered(False)}, observation(), RuleOutcome.NOT_APPLICABLE),
        ({"x.sso": answered(False)}, observation(outcome="not_observed"), RuleOutcome.UNKNOWN),
        ({"x.sso": answered(False)}, None, RuleOutcome.UNKNOWN),
    ],
)
def test_a_rule_reads_what_is_contradicted(own: Any, seen: Observation | None, expected: RuleOutcome) -> None:
    given = inputs(SSO, KINDS, own=own, observations={"riverside": seen} if seen else {})
    found = conclude(CONTRADICTED, given)
    assert found.outcome is expected
    if expected is RuleOutcome.GAP:
        assert found.message == f"Riverside Hospital: {next(iter(own))}"
        assert found.evidence is Evidence.OBSERVED
    if seen is None:
        assert found.missing_facts == ("compared", "contradictions")
        assert found.detail == "not observed: anything to compare the answers with (never probed)"


# An observation beats an answer

SAYS_NO = rule("responses.x.sso == false", measures="x.sso", message="{org.name}: {responses.x.sso}")
OFFERED = observation(smart={"capabilities": ["sso"]})
NOT_SHOWN = boolean(
    "x.sso",
    auto_answer=[
        {"when": "probe.smart.capabilities.exists(c, c == 'sso')", "value": True},
        {"when": "!probe.smart.capabilities.exists(c, c == 'sso')", "value": False},
    ],
)


@pytest.mark.parametrize(
    ("response", "capabilities", "expected"),
    [
        (answered(True), ["other"], (RuleOutcome.GAP, 0.0, Evidence.OBSERVED)),
        (answered(False, "documented"), ["sso"], (RuleOutcome.MET, 1.0, Evidence.OBSERVED)),
        (answered(True), ["sso"], (RuleOutcome.MET, 1.0, Evidence.OBSERVED)),
        (answered(False), ["other"], (RuleOutcome.GAP, 0.0, Evidence.OBSERVED)),
        (answered(True), None, (RuleOutcome.MET, 1.0, Evidence.ASSERTED)),
        (None, ["other"], (RuleOutcome.UNKNOWN, None, None)),
        (UNKNOWN, ["sso"], (RuleOutcome.UNKNOWN, None, None)),
        (NOT_APPLICABLE, ["other"], (RuleOutcome.NOT_APPLICABLE, None, None)),
    ],
)
def test_what_was_observed_is_judged_and_no_answer_stays_none(
    response: Response | None, capabilities: list[str] | None, expected: tuple[Any, ...]
) -> None:
    seen = {} if capabilities is None else {"riverside": observation(smart={"capabilities": capabilities})}
    found = conclude(SAYS_NO, inputs(NOT_SHOWN, own={"x.sso": response} if response else {}, observations=seen))
    assert (found.outcome, found.value, found.evidence) == expected


def test_a_message_shows_what_is_judged_and_the_contradiction_what_was_given() -> None:
    known = inputs(
        NOT_SHOWN, own={"x.sso": answered(True)}, observations={"riverside": observation(smart={"capabilities": []})}
    )
    assert conclude(SAYS_NO, known).message == "Riverside Hospital: no"
    assert [(one.answered, one.observed) for one in find(known)] == [("yes", "no")]
    assert conclude(CONTRADICTED, known).outcome is RuleOutcome.GAP


def test_of_several_answers_only_what_was_observed_counts_as_observed() -> None:
    reads = rule('!("none" in responses.x.kinds)', message="{responses.x.kinds}")
    fails = {"riverside": observation(checks={"A-001": "fail"})}
    more = conclude(reads, inputs(KINDS, own={"x.kinds": answered(("all", "none"))}, observations=fails))
    assert (more.outcome, more.evidence, more.message) == (RuleOutcome.MET, Evidence.ASSERTED, "all, none")
    other = conclude(reads, inputs(KINDS, own={"x.kinds": answered(("all",))}, observations=fails))
    assert (other.outcome, other.evidence, other.message) == (RuleOutcome.MET, Evidence.OBSERVED, "none")


def test_the_same_answers_are_judged_anew_when_somebody_looks() -> None:
    """The memo of an evaluator holds no conclusion that rested on the answer alone."""
    evaluator = Evaluator(ruleset(SAYS_NO), (form(NOT_SHOWN),))
    own = {"x.sso": answered(False)}
    outcomes = [
        evaluator.findings(inputs(NOT_SHOWN, own=own, observations=seen))[0].outcome
        for seen in ({}, {"riverside": OFFERED}, {"riverside": observation(outcome="not_observed")})
    ]
    assert outcomes == [RuleOutcome.GAP, RuleOutcome.MET, RuleOutcome.GAP]
