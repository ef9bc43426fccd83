"""Outcomes, evidence, values and what an undecided rule waits for."""

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
    contract,
    fit,
    form,
    inputs,
    observation,
    organization,
    rule,
    ruleset,
    several,
)

from interlock.content.compile import compile_rule
from interlock.judge.context import SubjectContext
from interlock.judge.engine import conclude as conclude_rule
from interlock.judge.evaluate import evaluate
from interlock.judge.variables import RuleInputs
from interlock.model.base import Evidence, RuleOutcome, Scope, Status
from interlock.model.finding import Finding, Subject

pytestmark = pytest.mark.fast

A, B = choice("x.a"), choice("x.b")
NONE, ALL = answered("none"), answered("all")


@pytest.mark.parametrize(
    ("condition", "own", "expected"),
    [
        ("responses.x.a == 'none'", {"x.a": NONE}, "gap"),
        ("responses.x.a == 'none'", {"x.a": ALL}, "met"),
        ("responses.x.a == 'none'", {}, "unknown"),
        ("responses.x.a == 'none'", {"x.a": UNKNOWN}, "unknown"),
        ("!(responses.x.a == 'none')", {"x.a": UNKNOWN}, "unknown"),
        ("responses.x.a == 'none' || responses.x.b == 'none'", {"x.a": NONE}, "gap"),
        ("responses.x.a == 'none' || responses.x.b == 'none'", {"x.b": NONE}, "gap"),
        ("responses.x.a == 'none' || responses.x.b == 'none'", {"x.a": ALL}, "unknown"),
        ("responses.x.a == 'none' || responses.x.b == 'none'", {"x.a": ALL, "x.b": ALL}, "met"),
        ("responses.x.a == 'none' && responses.x.b == 'none'", {"x.a": ALL}, "met"),
        ("responses.x.a == 'none' && responses.x.b == 'none'", {"x.b": ALL}, "met"),
        ("responses.x.a == 'none' && responses.x.b == 'none'", {"x.a": NONE}, "unknown"),
        ("value.x.a < 0.5", {"x.a": NONE}, "gap"),
        ("value.x.a < 0.5", {"x.a": answered("some")}, "met"),
        ("has(responses.x.a)", {"x.a": NONE}, "gap"),
        ("has(responses.x.a)", {"x.b": NONE}, "met"),
        ("has(responses.x.a)", {}, "unknown"),
        ("has(contract.clinical_event)", {}, "unknown"),
        ("fit.missing.size() > 0", {}, "unknown"),
        ("probe.smart.pkce_s256", {}, "unknown"),
        ("checks['SMART-001'] == 'fail'", {}, "unknown"),
        ("colour == 'red'", {}, "error"),
        ("colour(responses.x.a)", {"x.a": NONE}, "error"),
        ("responses.x.a < 1", {"x.a": NONE}, "error"),
        ("responses.x.a", {"x.a": NONE}, "error"),
        ("1 / 0 == 1", {}, "error"),
        ("colour == 'red' || responses.x.a == 'none'", {"x.a": NONE}, "gap"),
    ],
)
def test_outcomes(condition: str, own: dict[str, Any], expected: str) -> None:
    finding = conclude(rule(condition), inputs(A, B, own=own))
    assert finding.outcome.value == expected
    assert (finding.value is None) is (expected not in {"gap", "met"})
    assert (finding.evidence is None) is (expected not in {"gap", "met"})


@pytest.mark.parametrize(
    ("applies", "own", "expected"),
    [
        ("responses.x.b == 'all'", {"x.a": NONE, "x.b": ALL}, "gap"),
        ("responses.x.b == 'all'", {"x.a": NONE, "x.b": NONE}, "not_applicable"),
        ("responses.x.b == 'all'", {"x.a": NONE}, "unknown"),
        ("responses.x.b == 'all'", {"x.a": NONE, "x.b": NOT_APPLICABLE}, "not_applicable"),
        ("responses.x.b", {"x.a": NONE, "x.b": ALL}, "error"),
        ("contract.launch.browser", {"x.a": NONE}, "unknown"),
    ],
)
def test_applicability_comes_first(applies: str, own: dict[str, Any], expected: str) -> None:
    assert conclude(rule("responses.x.a == 'none'", applies=applies), inputs(A, B, own=own)).outcome.value == expected


@pytest.mark.parametrize(
    ("condition", "own", "hidden", "expected"),
    [
        ("responses.x.a == 'none'", {"x.a": NOT_APPLICABLE}, (), "not_applicable"),
        ("responses.x.a == 'none'", {"x.a": NONE}, ("x.a",), "not_applicable"),
        ("responses.x.a == 'none' || value.x.b < 0.5", {"x.a": NOT_APPLICABLE, "x.b": ALL}, (), "not_applicable"),
        ("responses.x.a == 'none' || value.x.b < 0.5", {"x.a": NOT_APPLICABLE, "x.b": NONE}, (), "gap"),
        ("responses.x.a == 'none' || value.x.b < 0.5", {"x.a": NOT_APPLICABLE}, (), "unknown"),
        ("responses.x.a == 'none' && value.x.b < 0.5", {"x.a": NOT_APPLICABLE, "x.b": ALL}, (), "met"),
        ("responses.x.a == 'none' && value.x.b < 0.5", {"x.b": NONE}, ("x.a",), "not_applicable"),
        ("responses.x.a == 'none' || probe.smart.pkce_s256", {"x.a": NOT_APPLICABLE}, (), "unknown"),
        ("responses.x.a == 'none' || contract.launch.browser", {"x.a": NOT_APPLICABLE}, (), "unknown"),
    ],
)
def test_what_rests_on_nothing_but_questions_that_do_not_apply(
    condition: str, own: dict[str, Any], hidden: tuple[str, ...], expected: str
) -> None:
    given = inputs(A, B, own=own, hidden={"riverside": frozenset(hidden)})
    assert conclude(rule(condition), given).outcome.value == expected


def test_the_reason_for_not_applicable_is_told() -> None:
    finding = conclude(rule("responses.x.a == 'none'"), inputs(A, own={"x.a": NOT_APPLICABLE}))
    assert finding.detail == "rests on questions that do not apply: x.a (we have none)"
    assert finding.missing_answers == ()


def test_a_hostile_reason_is_one_bounded_line() -> None:
    reason = "\x1b[2J\ud800\n" + "x" * 5_000
    excuse = type(NONE).model_construct(status=Status.NOT_APPLICABLE, value=None, reason=reason)
    detail = conclude(rule("responses.x.a == 'none'"), inputs(A, own={"x.a": excuse})).detail
    assert detail is not None and len(detail) < 300
    assert detail.isprintable() and detail.encode("utf-8")


def test_only_what_would_help_is_missing() -> None:
    condition = "(responses.x.a == 'none' && responses.x.c) || value.x.b < 0.5 || probe.smart.pkce_s256 == false"
    asked = inputs(A, B, boolean("x.c"), own={"x.a": ALL})
    finding = conclude(rule(condition), asked)
    assert finding.missing_answers == ("x.b",)  # x.c no longer matters: x.a is not none
    assert finding.missing_facts == ("probe.smart.pkce_s256",)
    assert finding.detail == "not answered: x.b; not observed: probe.smart.pkce_s256 (never probed)"
    assert finding.reads == ("responses.x.a", "responses.x.c", "value.x.b", "probe.smart.pkce_s256")


def test_an_undecided_premise_asks_for_the_condition_too() -> None:
    checked = rule("responses.x.b == 'none'", applies="responses.x.a == 'all'")
    assert conclude(checked, inputs(A, B)).missing_answers == ("x.a", "x.b")


def test_what_is_decided_asks_for_nothing() -> None:
    finding = conclude(rule("responses.x.a == 'none' || responses.x.b == 'none'"), inputs(A, B, own={"x.a": NONE}))
    assert (finding.missing_answers, finding.missing_facts, finding.detail) == ((), (), None)


def test_why_nothing_was_observed_is_told() -> None:
    request = {"method": "GET", "url": "https://x", "elapsed_ms": 1, "failure": "dns", "detail": "no such host\x1b[0m"}
    seen = observation(outcome="not_observed", requests=[request])
    checked = rule("!probe.smart.pkce_s256")
    detail = conclude(checked, inputs(observations={"riverside": seen})).detail
    assert detail == "not observed: probe.smart.pkce_s256 (no such host\N{REPLACEMENT CHARACTER}[0m)"
    nowhere = organization(fhir_base_url=None)
    assert "no address to probe is known" in str(conclude(checked, inputs(organizations=(nowhere,))).detail)


def test_a_missing_contract_is_told() -> None:
    checked = rule("contract.outputs.size() > 0 && contract.launch.browser", scope="product")
    assert conclude(checked, inputs()).detail == "the workflow contract is not written"


def test_an_answer_that_its_question_no_longer_offers_counts_as_unanswered() -> None:
    finding = conclude(rule("responses.x.a != 'none'"), inputs(A, own={"x.a": answered("removed")}))
    assert finding.outcome is RuleOutcome.UNKNOWN
    assert finding.missing_answers == ("x.a",)
    wrong_type = conclude(rule("responses.x.c"), inputs(boolean("x.c"), own={"x.c": answered("yes")}))
    assert wrong_type.missing_answers == ("x.c",)


def test_several_answers_are_a_list() -> None:
    condition = "'none' in responses.x.m && responses.x.m.exists(v, v == 'some') && value.x.m == 0.5"
    given = inputs(several("x.m"), own={"x.m": answered(("none", "some"))})
    assert conclude(rule(condition), given).outcome is RuleOutcome.GAP


# Evidence

FAILED = {"checks": {"A-001": "fail"}}


@pytest.mark.parametrize(
    ("condition", "own", "facts", "expected"),
    [
        ("responses.x.a == 'none'", {"x.a": NONE}, {}, "asserted"),
        ("responses.x.a == 'none'", {"x.a": answered("none", "documented")}, {}, "documented"),
        ("responses.x.a == 'none'", {"x.a": answered("none", "observed")}, {}, "observed"),
        ("value.x.a + value.x.b < 1.0", {"x.a": answered("none", "observed"), "x.b": NONE}, {}, "asserted"),
        ("checks['A-001'] == 'fail'", {}, {"checks": {"A-001": "fail"}}, "observed"),
        ("checks['A-001'] == 'fail' || value.x.a < 0.5", {"x.a": ALL}, {"checks": {"A-001": "fail"}}, "observed"),
        ("checks['A-001'] == 'fail' || value.x.a < 0.5", {"x.a": ALL}, {"checks": {"A-001": "pass"}}, "asserted"),
        ("(has(probe.jwks) && !probe.jwks.valid) || value.x.a < 0.5", {"x.a": NONE}, {}, "asserted"),
        ("has(probe.jwks) && !probe.jwks.valid", {}, {}, "documented"),
        ("has(responses.x) && value.x.a < 0.5 && checks['A-001'] == 'fail'", {"x.a": NONE}, FAILED, "asserted"),
        ("contract.outputs.size() == 0", {}, {}, "documented"),
        ("contract.outputs.size() == 0 && value.x.a < 0.5", {"x.a": NONE}, {}, "asserted"),
        ("fleet.organizations == 1", {}, {}, "documented"),
        ("fit.missing.size() == 0", {}, {"fit": ()}, "observed"),
    ],
)
def test_evidence(condition: str, own: dict[str, Any], facts: dict[str, Any], expected: str) -> None:
    more: dict[str, Any] = {"contract": contract()}
    if "fit" in facts:
        more["fits"] = {"riverside": fit()}
    elif facts:
        more["observations"] = {"riverside": observation(**facts)}
    finding = conclude(rule(condition), inputs(A, B, own=own, **more))
    assert finding.outcome in {RuleOutcome.GAP, RuleOutcome.MET}
    assert finding.evidence is Evidence(expected)


# Value


@pytest.mark.parametrize(
    ("answer", "check", "outcome", "value"),
    [
        ("all", "pass", "met", 1.0),
        ("some", "pass", "met", 0.5),
        ("none", "pass", "gap", 0.0),
        ("some", "fail", "gap", 0.0),  # what was observed decides alone
        ("all", "fail", "gap", 0.0),
    ],
)
def test_value_of_a_measured_question(answer: str, check: str, outcome: str, value: float) -> None:
    checked = rule("value.x.a < 0.5 || checks['A-001'] == 'fail'", measures="x.a")
    seen = {"riverside": observation(checks={"A-001": check})}
    finding = conclude(checked, inputs(A, own={"x.a": answered(answer)}, observations=seen))
    assert (finding.outcome.value, finding.value) == (outcome, value)


def test_a_value_that_nobody_has_measured_is_not_known() -> None:
    """The contract decides that there is a gap; how far the product has come, the question would tell."""
    checked = rule("contract.inputs.size() == 0 || value.x.a < 0.5", measures="x.a")
    nothing = contract(inputs=[])
    assert conclude(checked, inputs(A, contract=nothing)).value is None
    assert conclude(checked, inputs(A, contract=nothing, own={"x.a": answered("some")})).value == 0.5
    assert conclude(checked, inputs(A, contract=nothing, own={"x.a": NOT_APPLICABLE})).value == 0.0


def test_value_without_a_measured_answer() -> None:
    checked = rule("checks['A-001'] == 'fail'", measures="x.a")
    for check, value in (("fail", 0.0), ("warn", 1.0)):
        seen = {"riverside": observation(checks={"A-001": check})}
        assert conclude(checked, inputs(A, observations=seen)).value == value


# What each scope sees


def test_product_rules_have_one_finding_and_org_rules_one_each() -> None:
    rules = ruleset(
        rule("fleet.organizations == 2", "TEST-002", scope="product"),
        rule("org.has_url", "TEST-001"),
        rule("vendor == 'epic' && organizations.size() == 1", "TEST-003", scope="vendor"),
    )
    given = RuleInputs(
        organizations=(
            organization("zeta"),
            organization("alpha", fhir_base_url=None, vendor="other"),
        )
    )
    found = evaluate(rules, given)
    assert [(finding.key, finding.outcome.value) for finding in found] == [
        ("TEST-001@alpha", "met"),
        ("TEST-001@zeta", "gap"),
        ("TEST-002", "gap"),
        ("TEST-003@vendor:epic", "gap"),
        ("TEST-003@vendor:other", "met"),
    ]


def test_a_product_rule_sees_no_organisation() -> None:
    given = inputs(
        A, choice("p.a", "product"), own={"x.a": NONE}, observations={"riverside": observation(smart={"issuer": "i"})}
    )
    for condition in ("responses.x.a == 'none'", "probe.smart.issuer == 'i'", "org.id == 'riverside'"):
        assert conclude(rule(condition, scope="product"), given).outcome is RuleOutcome.UNKNOWN


def test_answers_of_the_product_and_of_the_organisation_are_merged() -> None:
    both = (A, choice("p.a", "product"))
    checked = rule("responses.x.a == 'none' && responses.p.a == 'all'")
    assert conclude(checked, inputs(*both, own={"x.a": NONE}, product={"p.a": ALL})).outcome is RuleOutcome.GAP
    unanswered = type(ALL).model_validate({"status": "unanswered"})
    still = inputs(*both, own={"x.a": NONE, "p.a": unanswered}, product={"p.a": ALL})
    assert conclude(checked, still).outcome is RuleOutcome.GAP
    hidden = inputs(*both, own={"x.a": NONE}, product={"p.a": ALL}, hidden={"": frozenset({"p.a"})})
    assert conclude(checked, hidden).outcome is RuleOutcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    "condition",
    [
        "contract.title == 'Contract'",
        "contract.inputs.size() == 0",
        "!has(contract.clinical_event)",
        "contract.launch.modes.exists(m, m == 'backend')",
        "contract.outputs.exists(o, o.resource == 'Observation' && o.interactions.exists(i, i == 'create'))",
        "probe.smart.capabilities.exists(c, c == 'launch-ehr')",
        "!has(probe.smart.jwks_uri)",
        "probe.smart.scopes_supported.size() == 3",
        "!has(probe.openid)",
        "probe.capability.fhir_release == 'R4'",
        "!has(probe.capability.resources)",
        "probe.capability.security.oauth_uris.register == 'https://r'",
        "probe.tls.negotiated == 'TLSv1.3'",
        "checks['A-001'] == 'pass' && checks['A-002'] == 'warn' && checks['A-003'] == 'fail'",
        "!('A-004' in checks) && !('A-005' in checks)",
        "fit.missing == ['Observation.create', 'DocumentReference']",
        "fit.undeclared == ['Patient.birthdate']",
        "fit.missing_optional == ['Task.read']",
        "fit.launch_missing == ['ehr']",
        "fit.scopes_missing == []",
        "fit.release_matches",
        "fit.supported == 2 && fit.not_observed == 0",
        "org == {'id': 'riverside', 'name': 'Riverside Hospital', 'vendor': 'epic',"
        " 'environment': 'non-production', 'has_url': true}",
        "fleet == {'organizations': 1, 'observed': 1, 'releases': ['R4'], 'vendors': ['epic'],"
        " 'shared_base_urls': false}",
    ],
)
def test_what_a_condition_of_an_organisation_sees(condition: str) -> None:
    seen = observation(
        smart={"capabilities": ["launch-ehr"], "scopes_supported": ["a", "b", "c"]},
        capability={
            "fhir_release": "R4",
            "resources": {"Patient": {"interactions": ["read"]}},
            "security": {"oauth_uris": {"register": "https://r"}},
        },
        tls={"negotiated": "TLSv1.3"},
        checks={
            "A-001": "pass",
            "A-002": "warn",
            "A-003": "fail",
            "A-004": "not_observed",
            "A-005": "not_applicable",
        },
    )
    matched = fit(
        "riverside",
        ("interaction", "Observation.create", "missing"),
        ("resource", "DocumentReference.DocumentReference", "missing"),
        ("search_parameter", "Patient.birthdate", "undeclared"),
        ("interaction", "Task.read", "missing?"),
        ("launch", "ehr", "missing"),
        ("scope", "openid", "supported"),
        ("release", "R4", "supported"),
    )
    given = inputs(
        observations={"riverside": seen},
        fits={"riverside": matched},
        contract=contract(
            launch={"modes": ["backend"]}, outputs=[{"resource": "Observation", "interactions": ["create"]}]
        ),
    )
    finding = conclude(rule(condition), given)
    assert (finding.outcome, finding.detail) == (RuleOutcome.GAP, None)


@pytest.mark.parametrize(
    ("matches", "condition", "expected"),
    [
        ((("launch", "ehr", "not_observed"),), "fit.launch_missing.size() > 0", "unknown"),
        ((("launch", "ehr", "not_observed"), ("launch", "x", "missing")), "fit.launch_missing.size() > 0", "gap"),
        ((("launch", "ehr", "supported"),), "fit.launch_missing.size() > 0", "met"),
        ((("release", "R4", "not_observed"),), "!fit.release_matches", "unknown"),
        ((("release", "R4", "missing"),), "!fit.release_matches", "gap"),
        ((("scope", "openid", "not_observed"),), "fit.scopes_missing.size() > 0", "unknown"),
        ((("scope", "openid", "not_observed"),), "fit.not_observed == 1", "gap"),
    ],
)
def test_what_could_not_be_looked_at_is_not_missing(
    matches: tuple[tuple[str, str, str], ...], condition: str, expected: str
) -> None:
    given = inputs(fits={"riverside": fit("riverside", *matches)})
    assert conclude(rule(condition), given).outcome.value == expected


def test_a_fit_without_an_observed_statement_is_absent() -> None:
    given = inputs(fits={"riverside": fit("riverside", ("launch", "ehr", "missing"), observed=False)})
    assert conclude(rule("fit.launch_missing.size() > 0"), given).outcome is RuleOutcome.UNKNOWN


def test_a_name_read_whole_is_handed_over_whole() -> None:
    seen = {"riverside": observation(tls={"verified": False, "error": "expired"})}
    checked = rule("probe.tls.error == 'expired' && probe.tls.size() == 4", applies="has(probe.tls.chain)")
    assert conclude(checked, inputs(observations=seen)).outcome is RuleOutcome.GAP


def test_shared_addresses_are_noticed() -> None:
    checked = rule("fleet.shared_base_urls", scope="product")
    same = (
        organization("a", fhir_base_url="https://One.example/r4"),
        organization("b", fhir_base_url="https://one.example/r4/"),
    )
    assert conclude(checked, RuleInputs(organizations=same)).outcome is RuleOutcome.GAP
    assert (
        conclude(checked, RuleInputs(organizations=(organization("a"), organization("b")))).outcome is RuleOutcome.MET
    )


def test_deprecated_rules_are_kept_out() -> None:
    rules = ruleset(
        rule("org.has_url", lifecycle="deprecated"), rule("org.has_url", "TEST-002", lifecycle="experimental")
    )
    assert [finding.rule for finding in evaluate(rules, inputs())] == ["TEST-002"]


# Hostile observations


HOSTILE: list[Any] = [
    {"deep": None},
    {"huge": 10**400, "small": -(10**30), "float": 1e308},
    {"surrogate": "\ud800", "\udfff": "x", "nul": "\x00", "escape": "\x1b]0;x\x07"},
    {"set": {1, 2}, "object": object(), "bytes": b"\xff"},
    {"list": [None, {"a": [10**400]}, "\ud800"]},
]


@pytest.mark.parametrize("family", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_a_server_sends_decides_nothing_and_breaks_nothing(family: dict[Any, Any]) -> None:
    if "deep" in family:
        deep: Any = "end"
        for _ in range(50_000):
            deep = [deep]
        family = {"deep": deep}
    subject = Subject(scope=Scope.ORG, id="riverside")
    context = SubjectContext(subject, {"probe": {"tls": family, "smart": {"issuer": "https://ok"}}}, {})
    conditions = (
        "probe.tls.exists(k, k == 'no such key')",
        "probe.smart.issuer == 'https://ok'",
        "probe.tls.deep == 1 && probe.tls.huge == 1",
    )
    concluded = [conclude_rule(compile_rule(rule(condition)), context) for condition in conditions]
    assert [one.outcome.value for one in concluded] == ["met", "gap", "unknown"]


def test_a_list_too_long_to_search_is_undecided() -> None:
    scopes = tuple(f"patient/R{number}.read" for number in range(20_000))
    given = inputs(observations={"riverside": observation(smart={"scopes_supported": scopes})})
    condition = "!probe.smart.scopes_supported.exists(s, probe.smart.scopes_supported.exists(t, s + t == 'x'))"
    assert conclude(rule(condition), given).outcome is RuleOutcome.UNKNOWN


def test_an_error_of_the_library_is_one_bounded_line() -> None:
    seen = observation(smart={"issuer": "(\x1b[31m\n" + "x" * 5_000})
    finding = conclude(rule("'text'.matches(probe.smart.issuer)"), inputs(observations={"riverside": seen}))
    assert finding.outcome is RuleOutcome.ERROR
    assert finding.detail is not None and finding.detail.isprintable() and len(finding.detail) < 250


# As a whole


def fleet_of(count: int) -> tuple[RuleInputs, list[Any]]:
    items = [choice(f"x.q{number}", "org" if number % 2 else "product") for number in range(60)]
    answers = {
        item["id"]: answered(("none", "some", "all")[index % 3]) for index, item in enumerate(items) if index % 4
    }
    organizations = tuple(organization(f"org-{number}") for number in range(count))
    smart = {"capabilities": ["launch-ehr"], "scopes_supported": [f"s/{number}" for number in range(300)]}
    given = RuleInputs(
        questionnaires=(form(*items),),
        product=answers,
        by_org={organization.id: answers for organization in organizations},
        organizations=organizations,
        observations={
            organization.id: observation(organization.id, smart=smart, checks={"A-001": "fail"})
            for organization in organizations[::2]
        },
        contract=contract(launch={"modes": ["backend"]}),
        fits={organizations[0].id: fit(organizations[0].id, ("interaction", "Observation.create", "missing"))},
    )
    conditions = [
        "value.x.q{n} < 0.5",
        "responses.x.q{n} == 'none' || (has(probe.jwks) && !probe.jwks.valid)",
        "!probe.smart.capabilities.exists(c, c == 'launch-ehr') && value.x.q{n} < 0.5",
        "fit.missing.size() > 0 || value.x.q{n} < 0.3",
        "checks['A-001'] == 'fail' && value.x.q{n} < 0.9",
    ]
    rules = [
        rule(
            conditions[number % 5].format(n=number),
            f"TEST-{number:03}",
            message="{org.name}: {fit.missing}",
            measures=f"x.q{number}",
        )
        for number in range(60)
    ]
    return given, rules


def test_findings_are_sorted_equal_to_validated_ones_and_the_same_every_time() -> None:
    given, rules = fleet_of(12)
    found = evaluate(ruleset(*reversed(rules)), given)
    assert len(found) == 60 * 12
    assert [(finding.rule, str(finding.subject)) for finding in found] == sorted(
        (finding.rule, str(finding.subject)) for finding in found
    )
    assert found == evaluate(ruleset(*rules), given)
    assert all(Finding.model_validate(finding.model_dump()) == finding for finding in found)
    assert {finding.outcome for finding in found} >= {RuleOutcome.GAP, RuleOutcome.MET, RuleOutcome.UNKNOWN}
