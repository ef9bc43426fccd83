"""Score, caps, gates and stages. The numbers of the worked example are computed by hand in docs/scoring.md."""

from pathlib import Path

import pytest
from gaps_factory import (
    ERROR,
    GAP,
    MET,
    NOT_APPLICABLE,
    UNKNOWN,
    at_org,
    at_vendor,
    everywhere,
    finding,
    observation,
    org,
    product_score,
    readiness,
    rule,
    rules_of,
)
from hypothesis import given
from hypothesis import strategies as st

from interlock.judge.score import NOTHING_APPLICABLE
from interlock.model.base import Evidence, GapClass, Gate, RuleOutcome, Scope, Severity, VerdictValue

pytestmark = pytest.mark.fast

ALDER, BIRCH = org("alder"), org("birch", "oracle")


def stand(findings, rules, target=Gate.PRODUCTION, who=ALDER, observed=None, accepts=None):
    return readiness([who], findings, rules, {who.id: observed}, target, accepts)[0]


@pytest.mark.parametrize(
    ("outcome", "low", "high", "caps"),
    [
        (UNKNOWN, 39, 80, ("verified at most 39: 1 integration blocker not decided",)),
        (MET, 80, 80, ()),
        (GAP, 39, 39, ("at most 39: 1 integration blocker open",)),
    ],
)
def test_the_caps_are_inside_the_interval(outcome, low, high, caps):
    """The table of docs/scoring.md: learning what was undecided never widens the interval."""
    rules = rules_of(
        rule("EX-001", severity=Severity.CRITICAL),
        rule("EX-002", severity=Severity.CRITICAL, gap_class=GapClass.INTEGRATION_BLOCKER),
        rule("EX-003", severity=Severity.MEDIUM),
    )
    outcomes = {"EX-001@alder": MET, "EX-002@alder": outcome, "EX-003@alder": GAP}
    score = stand(everywhere(rules, [ALDER], outcomes), rules).score
    assert (score.interval.low, score.interval.high, score.caps) == (low, high, caps)
    assert score.capped_by == (("EX-002@alder",) if caps else ()), "ids stand apart from the words"
    page = (Path(__file__).parents[2] / "docs" / "scoring.md").read_text(encoding="utf-8")
    assert f"| {low}" in page and f"| {high}" in page


def test_nothing_applicable_is_completely_open():
    score = product_score((), {})
    assert (score.interval.low, score.interval.high) == (0.0, 100.0)
    assert (score.completeness, score.confidence, score.not_applicable) == (0.0, 0.0, 0.0)
    assert score.caps == (NOTHING_APPLICABLE,)


def test_everything_not_applicable_says_so():
    rules = rules_of(rule("AA-001", Scope.PRODUCT))
    score = product_score(everywhere(rules, (), {"AA-001": NOT_APPLICABLE}), rules)
    assert (score.completeness, score.not_applicable, score.caps) == (0.0, 1.0, (NOTHING_APPLICABLE,))


def test_the_product_is_scored_once_and_an_organisation_by_its_own_and_its_vendors_findings():
    rules = rules_of(rule("AA-001", Scope.PRODUCT), rule("AA-002", Scope.VENDOR), rule("AA-003"))
    findings = [
        finding(rules["AA-001"], outcome=GAP),
        finding(rules["AA-002"], at_vendor("epic"), MET),
        finding(rules["AA-002"], at_vendor("oracle"), GAP),
        finding(rules["AA-003"], at_org("alder"), MET),
        finding(rules["AA-003"], at_org("birch"), MET),
    ]
    assert product_score(findings, rules).interval.high == 0.0
    assert stand(findings, rules).score.interval.low == 100.0
    assert stand(findings, rules, who=BIRCH).score.interval.high == 50.0


@pytest.mark.parametrize(
    "more", [{"gap_class": GapClass.ADVICE}, {"lifecycle": "experimental"}, {"lifecycle": "deprecated"}]
)
def test_advice_experimental_and_deprecated_rules_count_nowhere(more):
    rules = rules_of(rule("AA-001", **more), rule("AA-002"))
    own = stand(everywhere(rules, [ALDER], {"AA-002@alder": MET}), rules)
    assert own.score.interval.low == 100.0
    assert own.stage is Gate.PRODUCTION
    assert sum(gate.required for gate in own.gates) == 1


CAPS = [
    # scope, class, outcome, gate; caps of the low end for alder, for birch, for the product
    (Scope.PRODUCT, GapClass.PRODUCT_BLOCKER, GAP, Gate.PRODUCTION, 39, 39, 39),
    (Scope.ORG, GapClass.PRODUCT_BLOCKER, GAP, Gate.DESIGN, 39, 39, 39),
    (Scope.PRODUCT, GapClass.INTEGRATION_BLOCKER, GAP, Gate.DESIGN, 39, 39, 39),
    (Scope.VENDOR, GapClass.INTEGRATION_BLOCKER, GAP, Gate.DESIGN, 39, 100, 100),
    (Scope.ORG, GapClass.INTEGRATION_BLOCKER, GAP, Gate.PRODUCTION, 39, 100, 100),
    (Scope.PRODUCT, GapClass.GAP, GAP, Gate.DESIGN, 100, 100, 100),
    (Scope.PRODUCT, GapClass.GAP, UNKNOWN, Gate.PILOT, 100, 100, 100),
    (Scope.PRODUCT, GapClass.PRODUCT_BLOCKER, UNKNOWN, Gate.DESIGN, 39, 39, 39),
    (Scope.ORG, GapClass.PRODUCT_BLOCKER, ERROR, Gate.PRODUCTION, 39, 39, 39),
    (Scope.VENDOR, GapClass.INTEGRATION_BLOCKER, UNKNOWN, Gate.PRODUCTION, 39, 100, 100),
    (Scope.ORG, GapClass.INTEGRATION_BLOCKER, UNKNOWN, Gate.SANDBOX, 39, 100, 100),
    (Scope.ORG, GapClass.INTEGRATION_BLOCKER, NOT_APPLICABLE, Gate.SANDBOX, 100, 100, 100),
    (Scope.PRODUCT, GapClass.PRODUCT_BLOCKER, MET, Gate.SANDBOX, 100, 100, 100),
]


@pytest.mark.parametrize(("scope", "gap_class", "outcome", "gate", "alder", "birch", "product"), CAPS)
def test_caps(scope, gap_class, outcome, gate, alder, birch, product):
    """One finding is as said; enough met findings stand beside it for the uncapped best case to be above 95.

    An open blocker holds down both ends, an undecided one the low end alone.
    """
    met = [rule(f"OK-{n:03d}", s, severity=Severity.CRITICAL) for n in range(1, 31) for s in [list(Scope)[n % 3]]]
    special = rule("AA-001", scope, gap_class=gap_class, gate=gate, severity=Severity.LOW)
    rules = rules_of(special, *met)
    subject = {Scope.PRODUCT: "AA-001", Scope.VENDOR: "AA-001@vendor:epic", Scope.ORG: "AA-001@alder"}[scope]
    keys = [f.key for f in everywhere(rules, [ALDER, BIRCH])]
    findings = everywhere(rules, [ALDER, BIRCH], {**dict.fromkeys(keys, MET), subject: outcome})
    got = readiness([ALDER, BIRCH], findings, rules, {}, Gate.PILOT)
    scores = [got[0].score, got[1].score, product_score(findings, rules)]
    for score, cap in zip(scores, (alder, birch, product), strict=True):
        assert score.uncapped.high > 95
        assert score.interval.high == min(cap if outcome is GAP else 100, score.uncapped.high)
        assert score.interval.low == min(cap, score.uncapped.low)
        assert (cap == 100) == (score.caps == ())


STAGES = [
    # outcomes of one requirement at each gate, stage, stage if unknowns hold
    ([MET, MET, MET, MET], Gate.PRODUCTION, Gate.PRODUCTION),
    ([GAP, MET, MET, MET], None, None),
    ([MET, GAP, MET, MET], Gate.DESIGN, Gate.DESIGN),
    ([UNKNOWN, MET, MET, MET], None, Gate.PRODUCTION),
    ([MET, UNKNOWN, GAP, MET], Gate.DESIGN, Gate.SANDBOX),
    ([MET, ERROR, MET, UNKNOWN], Gate.DESIGN, Gate.PRODUCTION),
    ([NOT_APPLICABLE, MET, NOT_APPLICABLE, GAP], Gate.PILOT, Gate.PILOT),
    ([None, None, None, None], Gate.PRODUCTION, Gate.PRODUCTION),
    ([None, GAP, None, None], Gate.DESIGN, Gate.DESIGN),
]


@pytest.mark.parametrize(("outcomes", "reached", "at_best"), STAGES)
@pytest.mark.parametrize("scope", list(Scope))
def test_stages(outcomes, reached, at_best, scope):
    rules = rules_of(*(rule(f"AA-00{n}", scope, gate=gate) for n, gate in enumerate(Gate)))
    by_rule = {f"AA-00{n}": outcome for n, outcome in enumerate(outcomes)}
    findings = [
        f.model_copy(update={"outcome": by_rule[f.rule]}) for f in everywhere(rules, [ALDER]) if by_rule[f.rule]
    ]
    own = stand(findings, rules)
    assert (own.stage, own.stage_if_unknowns_hold) == (reached, at_best)


def test_gate_states_name_what_is_open_and_what_is_undecided():
    rules = rules_of(rule("AA-001", Scope.PRODUCT), rule("AA-002"), rule("AA-003"), rule("AA-004"))
    outcomes = {"AA-002@alder": UNKNOWN, "AA-003@alder": MET, "AA-004@alder": NOT_APPLICABLE}
    sandbox = stand(everywhere(rules, [ALDER], outcomes), rules).gates[1]
    assert (sandbox.gate, sandbox.holds, sandbox.required, sandbox.met) == (Gate.SANDBOX, False, 3, 1)
    assert (sandbox.open, sandbox.undecided) == (("AA-001",), ("AA-002@alder",))


ACCEPTS = {Gate.PILOT: Evidence.DOCUMENTED, Gate.PRODUCTION: Evidence.DOCUMENTED}


@pytest.mark.parametrize(
    ("sandbox", "pilot", "production", "reached"),
    [
        ("asserted", "asserted", "asserted", Gate.SANDBOX),
        ("asserted", "documented", "asserted", Gate.PILOT),
        ("documented", "observed", "documented", Gate.PILOT),  # the sandbox's rule wants an observation at production
        ("observed", "documented", "documented", Gate.PRODUCTION),
        ("observed", "documented", "asserted", Gate.PILOT),
    ],
)
def test_a_gate_holds_only_with_evidence_that_it_accepts(sandbox, pilot, production, reached):
    rules = rules_of(
        rule("AA-001", accepts={"production": "observed"}),
        rule("AA-002", gate=Gate.PILOT),
        rule("AA-003", gate=Gate.PRODUCTION),
    )
    evidence = dict(zip(rules, map(Evidence, (sandbox, pilot, production)), strict=True))
    findings = [f.model_copy(update={"outcome": MET, "evidence": evidence[f.rule]}) for f in everywhere(rules, [ALDER])]
    own = stand(findings, rules, accepts=ACCEPTS)
    assert (own.stage, own.stage_if_unknowns_hold) == (reached, reached)
    weak = {entry.key for state in own.gates for entry in state.weak}
    assert bool(weak) == (reached is not Gate.PRODUCTION) == bool(own.held)
    assert not any(state.open or state.undecided for state in own.gates)
    assert stand(findings, rules).gates[2].holds  # a set that says nothing of evidence accepts any


@pytest.mark.parametrize(
    ("observed", "state", "reason"),
    [
        (None, "never_probed", None),
        (observation("alder"), "observed", None),
        (observation("alder", "partial"), "partial", None),
        (observation("alder", "not_observed", "dns"), "not_observed", "dns"),
        (observation("alder", "not_observed"), "not_observed", "nothing was received"),
    ],
)
def test_how_an_organisation_was_observed(observed, state, reason):
    own = stand((), {}, observed=observed)
    assert (own.observed, own.not_observed_because) == (state, reason)
    assert own.observed_at == ("2026-01-02T03:04:05Z" if observed else None)


def test_an_organisations_own_verdict_is_the_earliest_of_all_that_concern_it():
    rules = rules_of(
        rule("AA-001", Scope.PRODUCT, verdict=VerdictValue.MAP_AUTH),
        rule("AA-002", Scope.VENDOR, verdict=VerdictValue.DEFINE_CONTRACT),
        rule("AA-003", verdict=VerdictValue.PROVE_OUTSIDE_EHR),
    )
    findings = everywhere(
        rules, [ALDER, BIRCH], {"AA-003@alder": UNKNOWN, "AA-002@vendor:oracle": MET, "AA-003@birch": MET}
    )
    got = [(s.verdict, s.latest_verdict) for s in readiness([ALDER, BIRCH], findings, rules, {}, Gate.PILOT)]
    assert got == [
        (VerdictValue.PROVE_OUTSIDE_EHR, VerdictValue.DEFINE_CONTRACT),
        (VerdictValue.MAP_AUTH, VerdictValue.MAP_AUTH),
    ]


@given(st.lists(st.tuples(st.sampled_from(RuleOutcome), st.sampled_from(Severity), st.floats(0, 1)), max_size=8))
def test_low_never_exceeds_high_and_completeness_is_what_lies_between(items):
    rules = rules_of(*(rule(f"AA-{n:03d}", severity=s) for n, (_, s, _) in enumerate(items)))
    findings = [
        finding(rules[f"AA-{n:03d}"], at_org("alder"), outcome, value=value if outcome in (GAP, MET) else None)
        for n, (outcome, _, value) in enumerate(items)
    ]
    score = stand(findings, rules).score
    assert 0 <= score.interval.low <= score.interval.high <= 100
    assert score.interval.low <= score.uncapped.low
    assert abs((score.uncapped.high - score.uncapped.low) / 100 - (1 - score.completeness)) < 0.0021
