"""The verdict: whose vote counts, when it is settled, what comes next, and what would change it."""

import re
from itertools import combinations

import pytest
from gaps_factory import (
    ERROR,
    GAP,
    MET,
    NOT_APPLICABLE,
    UNKNOWN,
    at_org,
    at_vendor,
    decide,
    everywhere,
    finding,
    org,
    readiness,
    rule,
    rules_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.model.base import GapClass, Gate, Owner, Scope, Severity, VerdictValue
from interlock.model.words import VERDICT
from tiers import rounds

pytestmark = pytest.mark.fast

ALDER, BIRCH, CEDAR = org("alder"), org("birch"), org("cedar", "oracle")
FIRST, OUTSIDE, CONTRACT, AUTH, BUILD = VerdictValue


def verdict_of(findings, rules, orgs=()):
    return decide(findings, rules, readiness(orgs, findings, rules, {}, Gate.PILOT), orgs)


def voters(**values):
    """Rules named after their place: ``P1`` product, ``V1`` vendor, ``O1`` organisation."""
    scopes = {"P": Scope.PRODUCT, "V": Scope.VENDOR, "O": Scope.ORG}
    return rules_of(*(rule(f"{n[0]}{n[0]}-00{n[1]}", scopes[n[0]], verdict=v) for n, v in values.items()))


VERDICTS = [
    # rules, outcomes that are no gap, organisations, earliest and latest verdict
    ({}, {}, (), BUILD, BUILD),
    ({"P1": AUTH, "P2": FIRST, "P3": CONTRACT}, {}, (), FIRST, FIRST),
    ({"P1": AUTH, "P2": FIRST}, {"PP-002": MET}, (), AUTH, AUTH),
    ({"P1": AUTH, "P2": FIRST}, {"PP-002": NOT_APPLICABLE}, (), AUTH, AUTH),
    ({"P1": AUTH, "P2": FIRST}, {"PP-002": UNKNOWN}, (), FIRST, AUTH),
    ({"P1": AUTH, "P2": FIRST}, {"PP-002": ERROR}, (), FIRST, AUTH),
    ({"P1": CONTRACT, "P2": AUTH}, {"PP-002": UNKNOWN}, (), CONTRACT, CONTRACT),
    ({"P1": OUTSIDE}, {"PP-001": UNKNOWN}, (), OUTSIDE, BUILD),
    ({"P1": FIRST, "P2": AUTH}, {"PP-001": UNKNOWN, "PP-002": UNKNOWN}, (), FIRST, BUILD),
    ({"O1": AUTH}, {"OO-001@alder": MET}, (ALDER, BIRCH), BUILD, BUILD),
    ({"O1": AUTH}, {"OO-001@alder": UNKNOWN}, (ALDER, BIRCH), AUTH, BUILD),
    ({"O1": AUTH, "O2": CONTRACT}, {"OO-002@alder": MET}, (ALDER, BIRCH), CONTRACT, CONTRACT),
    ({"V1": AUTH}, {"VV-001@vendor:oracle": MET}, (ALDER, CEDAR), BUILD, BUILD),
    ({"V1": AUTH}, {}, (ALDER, CEDAR), AUTH, AUTH),
    ({"P1": AUTH, "O1": CONTRACT}, {}, (ALDER,), CONTRACT, CONTRACT),
    ({"O1": AUTH, "O2": FIRST}, {"OO-002@alder": UNKNOWN, "OO-002@birch": MET}, (ALDER, BIRCH), FIRST, AUTH),
]


@pytest.mark.parametrize(("rules", "outcomes", "orgs", "earliest", "latest"), VERDICTS)
def test_verdicts(rules, outcomes, orgs, earliest, latest):
    rules = voters(**rules)
    verdict = verdict_of(everywhere(rules, orgs, outcomes), rules, orgs)
    assert (verdict.value, verdict.latest) == (earliest, latest)
    assert verdict.settled == (earliest is latest) == (not verdict.undecided)
    assert all(reason.outcome in (UNKNOWN, ERROR) for reason in verdict.undecided)


def test_experimental_rules_and_advice_do_not_vote_and_advice_stands_beside_a_requirement():
    rules = rules_of(
        rule("AA-001", Scope.PRODUCT, verdict=FIRST, lifecycle="experimental"),
        rule("AA-002", Scope.PRODUCT, verdict=OUTSIDE, gap_class=GapClass.ADVICE),
        rule("AA-003", Scope.PRODUCT, verdict=OUTSIDE),
    )
    assert verdict_of(everywhere(rules, (), {"AA-003": MET}), rules).value is BUILD
    verdict = verdict_of(everywhere(rules, ()), rules)
    assert verdict.value is OUTSIDE
    assert [reason.key for reason in verdict.reasons] == ["AA-003", "AA-002"]


def test_a_verdict_that_is_not_decided_says_between_what_and_what_settles_it():
    rules = voters(P1=FIRST, P2=OUTSIDE, P3=AUTH, O1=AUTH)
    findings = [
        finding(rules["PP-001"], outcome=UNKNOWN, missing_answers=("a.one", "a.two")),
        finding(rules["PP-002"], outcome=UNKNOWN, missing_answers=("a.two",)),
        finding(rules["PP-003"], outcome=MET),
        finding(rules["OO-001"], at_org("alder"), outcome=UNKNOWN, missing_facts=("smart",)),
    ]
    verdict = verdict_of(findings, rules, (ALDER,))
    assert verdict.headline == "Not decided: product first … integrate; 2 answers settle it."
    assert verdict.settled_by == ("a.one", "a.two")
    assert verdict.organizations == "Not yet at Alder Hospital."
    known = [finding(rules[f"PP-00{n}"], outcome=MET) for n in (1, 2, 3)] + findings[3:]
    verdict = verdict_of(known, rules, (ALDER,))
    assert verdict.headline == "Not decided: map the auth surface … integrate; a look at Alder Hospital settles it."
    assert verdict.organizations == "Could not look at Alder Hospital."


def test_rules_without_a_verdict_do_not_vote():
    rules = rules_of(rule("AA-001", Scope.PRODUCT, gap_class=GapClass.PRODUCT_BLOCKER))
    assert verdict_of(everywhere(rules, ()), rules).value is BUILD


def test_reasons_are_the_findings_that_argued_worst_first():
    rules = rules_of(
        rule("AA-001", Scope.PRODUCT, verdict=FIRST, severity=Severity.MEDIUM),
        rule("AA-002", Scope.PRODUCT, verdict=FIRST, severity=Severity.CRITICAL),
        rule("AA-003", Scope.PRODUCT, verdict=AUTH, severity=Severity.CRITICAL),
    )
    verdict = verdict_of(everywhere(rules, ()), rules)
    assert [reason.key for reason in verdict.reasons] == ["AA-002", "AA-001"]
    assert verdict.reasons[0].message == "AA-002 is open at product"
    assert verdict.headline.endswith("calls the EHR vendor the blocker: “Title of AA-002” and “Title of AA-001”.")


def test_undecided_reasons_never_claim_the_gap():
    rules = voters(P1=FIRST)
    doubtful = finding(rules["PP-001"], outcome=UNKNOWN, missing_answers=("boundary.output_stable",))
    [doubt] = verdict_of([doubtful], rules).undecided
    assert doubt.message == "not decided yet; no answer to boundary.output_stable"


def test_when_only_organisations_object_the_headline_counts_them():
    rules = voters(O1=AUTH, O2=CONTRACT)
    verdict = verdict_of(everywhere(rules, (ALDER, BIRCH), {"OO-002@birch": MET}), rules, (ALDER, BIRCH))
    assert verdict.value is CONTRACT
    assert "(at 1 of 2 organisations; no organisation is ready to integrate)" in verdict.headline
    assert [reason.key for reason in verdict.reasons] == ["OO-002@alder"]


def test_the_headline_does_not_lay_one_organisations_reason_on_all():
    rules = voters(O1=CONTRACT, O2=CONTRACT)
    alike = verdict_of(everywhere(rules, (ALDER, BIRCH)), rules, (ALDER, BIRCH))
    assert "(at 2 of 2 organisations; no organisation is ready to integrate)" in alike.headline
    signed = verdict_of(everywhere(rules, (ALDER, BIRCH), {"OO-002@birch": MET}), rules, (ALDER, BIRCH))
    assert "(at 2 of 2 organisations, not all of it at each; no organisation" in signed.headline


def test_a_vendors_reason_is_quoted_once():
    rules = voters(V1=AUTH)
    verdict = verdict_of(everywhere(rules, (ALDER, BIRCH)), rules, (ALDER, BIRCH))
    assert [reason.key for reason in verdict.reasons] == ["VV-001@vendor:epic"]


@pytest.mark.parametrize("value", [FIRST, OUTSIDE, CONTRACT, AUTH])
def test_before_integration_the_next_step_is_to_assess_with_an_owner(value):
    rules = rules_of(rule("AA-001", Scope.PRODUCT, verdict=value, owner=Owner.VENDOR))
    verdict = verdict_of(everywhere(rules, ()), rules)
    assert verdict.next_step.startswith("Start with an AI technical assessment of architecture and workflow risk")
    assert verdict.next_step.endswith("Start here: Do AA-001.")
    assert verdict.next_step_owner is Owner.VENDOR


def test_to_integrate_the_next_step_is_to_build_with_whom_is_furthest():
    rules = rules_of(rule("AA-001", gate=Gate.SANDBOX), rule("AA-002", verdict=AUTH))
    outcomes = {"AA-002@alder": MET, "AA-002@birch": MET, "AA-001@birch": MET}
    orgs = (ALDER, BIRCH, CEDAR)
    verdict = verdict_of(everywhere(rules, orgs, outcomes), rules, orgs)
    assert verdict.next_step == "Build the AI workflow integration, starting with Birch Hospital."
    assert verdict.organizations == "Start at Alder Hospital and Birch Hospital; map first at Cedar Hospital."
    assert verdict.next_step_owner is Owner.US
    assert verdict_of((), {}).next_step == "Build the AI workflow integration."


COUNTERFACTUALS = [
    ({}, {}, (), "Nothing that is open or undecided would change it; only a new gap would."),
    ({"P1": FIRST}, {}, (), "Closing “Title of PP-001” would make the verdict “integrate”."),
    (
        {"P1": FIRST, "P2": FIRST, "P3": AUTH},
        {},
        (),
        "Closing “Title of PP-001” and “Title of PP-002” would make the verdict “map the auth surface”.",
    ),
    (
        {"P1": OUTSIDE},
        {"PP-001": UNKNOWN},
        (),
        "If everything undecided turns out met, the verdict is “integrate”; if “Title of PP-001” turns out to be a "
        "gap, it is “prove it outside the EHR”.",
    ),
    (
        {"P1": AUTH, "P2": FIRST},
        {"PP-002": UNKNOWN},
        (),
        "If everything undecided turns out met, the verdict is “map the auth surface”; if “Title of PP-002” turns "
        "out to be a gap, it is “product first”.",
    ),
    (
        {"P1": CONTRACT, "P2": AUTH},
        {"PP-002": UNKNOWN},
        (),
        "Closing “Title of PP-001” would leave the verdict not decided, between “map the auth surface” and "
        "“integrate”.",
    ),
    (  # one organisation needs one closure, the other two
        {"O1": AUTH, "O2": CONTRACT},
        {"OO-002@birch": MET},
        (ALDER, BIRCH),
        "Closing “Title of OO-001” at Birch Hospital would make the verdict “integrate”.",
    ),
    (
        {"O1": AUTH},
        {"OO-001@alder": UNKNOWN, "OO-001@birch": UNKNOWN},
        (ALDER, BIRCH),
        "If everything undecided turns out met, the verdict is “integrate”; if “Title of OO-001” at Alder Hospital and "
        "Birch Hospital all turn out to be gaps, it is “map the auth surface”.",
    ),
    (  # the vendor's unknown is enough for both of its organisations
        {"O1": AUTH, "V1": AUTH},
        {"OO-001@alder": UNKNOWN, "OO-001@birch": UNKNOWN, "VV-001@vendor:epic": UNKNOWN},
        (ALDER, BIRCH),
        "If everything undecided turns out met, the verdict is “integrate”; if “Title of VV-001” turns out to be a "
        "gap, it is “map the auth surface”.",
    ),
]


@pytest.mark.parametrize(("rules", "outcomes", "orgs", "sentence"), COUNTERFACTUALS)
def test_counterfactuals(rules, outcomes, orgs, sentence):
    rules = voters(**rules)
    verdict = verdict_of(everywhere(rules, orgs, outcomes), rules, orgs)
    assert verdict.counterfactual == sentence
    assert {key.partition("@")[0] for key in verdict.counterfactual_keys} == set(
        re.findall(r"[A-Z]{2}-\d{3}", sentence)
    )


@st.composite
def ballots(draw):
    values = st.sampled_from([FIRST, OUTSIDE, CONTRACT, AUTH])
    names = draw(st.sets(st.sampled_from(["P1", "P2", "P3", "V1", "O1", "O2"])))
    rules = voters(**{name: draw(values) for name in sorted(names)})
    orgs = draw(st.sampled_from([(), (ALDER,), (ALDER, BIRCH, CEDAR)]))
    findings = [
        judged.model_copy(update={"outcome": draw(st.sampled_from([GAP, GAP, MET, UNKNOWN]))})
        for judged in everywhere(rules, orgs)
    ]
    return findings, rules, orgs


def with_outcome(findings, keys, outcome):
    return [f.model_copy(update={"outcome": outcome}) if f.key in keys else f for f in findings]


@settings(max_examples=rounds(30, 80))
@given(ballots())
def test_no_smaller_set_of_closures_moves_the_verdict_on(ballot):
    findings, rules, orgs = ballot
    verdict = verdict_of(findings, rules, orgs)
    if not verdict.settled or verdict.value is BUILD:
        return
    gaps = [judged.key for judged in findings if judged.outcome is GAP]
    size = 0
    for size in range(1, len(gaps) + 1):
        moved = {verdict_of(with_outcome(findings, keys, MET), rules, orgs).latest for keys in combinations(gaps, size)}
        better = [value for value in moved if value.rank > verdict.value.rank]
        if better:
            break
    assert f"“{VERDICT[max(better, key=lambda value: value.rank)].phrase}”" in verdict.counterfactual
    assert len(set(verdict.counterfactual_keys) & set(gaps)) == len(verdict.counterfactual_keys) == size


@settings(max_examples=rounds(30, 80))
@given(ballots())
def test_the_verdicts_named_are_exactly_the_ends_of_what_is_possible(ballot):
    findings, rules, orgs = ballot
    verdict = verdict_of(findings, rules, orgs)
    unknown = [judged.key for judged in findings if judged.outcome is UNKNOWN]
    possible = {
        verdict_of(with_outcome(with_outcome(findings, unknown, MET), keys, GAP), rules, orgs).value
        for size in range(len(unknown) + 1)
        for keys in combinations(unknown, size)
    }
    assert (min(possible, key=lambda v: v.rank), max(possible, key=lambda v: v.rank)) == (verdict.value, verdict.latest)


@settings(max_examples=rounds(30, 80), deadline=None)
@given(ballots(), st.sampled_from([GAP, MET]))
def test_learning_an_unknown_never_widens_what_is_possible_and_closing_a_gap_never_sets_back(ballot, learnt):
    findings, rules, orgs = ballot
    verdict = verdict_of(findings, rules, orgs)
    for judged in findings:
        if judged.outcome is UNKNOWN:
            after = verdict_of(with_outcome(findings, {judged.key}, learnt), rules, orgs)
            assert verdict.value.rank <= after.value.rank <= after.latest.rank <= verdict.latest.rank
        if judged.outcome is GAP:
            after = verdict_of(with_outcome(findings, {judged.key}, MET), rules, orgs)
            assert after.value.rank >= verdict.value.rank and after.latest.rank >= verdict.latest.rank


def test_subjects_that_are_not_in_the_list_do_not_vote():
    rules = voters(O1=AUTH, V1=AUTH)
    findings = [finding(rules["OO-001"], at_org("elm")), finding(rules["VV-001"], at_vendor("meditech"))]
    assert verdict_of(findings, rules, (ALDER,)).value is BUILD
