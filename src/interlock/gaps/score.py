"""The score: an interval, never one number (DESIGN, section Score; worked examples in docs/scoring.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from interlock.gaps.stages import gate_states, stage
from interlock.gaps.subjects import GATE_RANK, UNDECIDED, FindingIndex, is_requirement, rule_of
from interlock.gaps.verdict import own_verdict
from interlock.gaps.wording import count, gate_words, listed
from interlock.model.assessment import Interval, OrgStanding, Score
from interlock.model.base import GapClass, Gate, RuleOutcome, Scope
from interlock.model.finding import Finding
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.rule import Rule

#: An open blocker caps the score here (DESIGN, section Score).
BLOCKER_CAP = 39.0
#: An undecided gate requirement caps the score here (DESIGN, section Score).
UNKNOWN_CAP = 69.0
NOTHING_APPLICABLE = "nothing applicable: no finding to score"


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums over items: weights of the applicable, the undecided and the not applicable; Σwv and Σwe."""

    applicable: float = 0.0
    undecided: float = 0.0
    not_applicable: float = 0.0
    value: float = 0.0
    evidence: float = 0.0


def product_score(findings: Sequence[Finding], rules: Mapping[str, Rule], target_gate: Gate = Gate.PRODUCTION) -> Score:
    """The product's own score, over product-scope findings only: it is scored once, whoever integrates it.

    :param target_gate: undecided requirements up to this gate cap the score.
    """
    product = FindingIndex.of(findings).product
    binding = [
        blocker
        for blocker in _blockers(findings, rules)
        if _blocks_all(blocker, rules) or blocker.subject.scope is Scope.PRODUCT
    ]
    return _score(product, product, binding, rules, target_gate)


def standing(
    org: Organization,
    findings: Sequence[Finding],
    rules: Mapping[str, Rule],
    observation: Observation | None,
    target_gate: Gate,
) -> OrgStanding:
    """Where one organisation stands. For many organisations :func:`standings` groups the findings only once."""
    index = FindingIndex.of(findings)
    return _standing(org, index, _blockers(findings, rules), rules, observation, target_gate)


def standings(
    organizations: Sequence[Organization],
    findings: Sequence[Finding],
    rules: Mapping[str, Rule],
    observations: Mapping[str, Observation],
    target_gate: Gate,
) -> tuple[OrgStanding, ...]:
    """Where every organisation stands, in the order given.

    :param observations: organisation id → latest observation; absent means that it was never probed.
    """
    index = FindingIndex.of(findings)
    blockers = _blockers(findings, rules)
    return tuple(_standing(org, index, blockers, rules, observations.get(org.id), target_gate) for org in organizations)


def _standing(
    org: Organization,
    index: FindingIndex,
    blockers: Sequence[Finding],
    rules: Mapping[str, Rule],
    observation: Observation | None,
    target_gate: Gate,
) -> OrgStanding:
    concerning = tuple(index.concerning(org))
    gates = gate_states(concerning, rules)
    verdict, provisional = own_verdict(org, index, rules)
    binding = [blocker for blocker in blockers if _blocks_all(blocker, rules) or _concerns(blocker, org)]
    return OrgStanding(
        org=org.id,
        observed=observation.outcome if observation else "never_probed",
        observed_at=observation.started.isoformat().replace("+00:00", "Z") if observation else None,
        not_observed_because=observation.reason_not_observed() if observation else None,
        score=_score(tuple(index.own(org)), concerning, binding, rules, target_gate),
        stage=stage(gates),
        stage_if_unknowns_hold=stage(gates, unknowns_hold=True),
        gates=gates,
        verdict=verdict,
        verdict_provisional=provisional,
    )


def _blockers(findings: Iterable[Finding], rules: Mapping[str, Rule]) -> list[Finding]:
    """Open product and integration blockers."""
    blocking = {GapClass.PRODUCT_BLOCKER, GapClass.INTEGRATION_BLOCKER}
    return [
        finding
        for finding in findings
        if finding.outcome is RuleOutcome.GAP
        and is_requirement(rule := rule_of(finding, rules))
        and rule.gap_class in blocking
    ]


def _blocks_all(blocker: Finding, rules: Mapping[str, Rule]) -> bool:
    """An open product blocker holds back everyone, wherever it was found."""
    return rules[blocker.rule].gap_class is GapClass.PRODUCT_BLOCKER


def _concerns(finding: Finding, org: Organization) -> bool:
    subject = finding.subject
    return subject.scope is Scope.PRODUCT or subject.id == (org.vendor if subject.scope is Scope.VENDOR else org.id)


def _score(
    items: Sequence[Finding],
    concerning: Sequence[Finding],
    blockers: Sequence[Finding],
    rules: Mapping[str, Rule],
    target_gate: Gate,
) -> Score:
    """Score ``items``; blockers, and undecided requirements among ``concerning``, cap the interval."""
    sums = _sums(items, rules)
    low = sums.value / sums.applicable if sums.applicable else 0.0
    width = sums.undecided / sums.applicable if sums.applicable else 1.0
    uncapped = Interval(low=round(100 * low, 1), high=round(100 * min(1.0, low + width), 1))
    cap, reasons = _cap(concerning, blockers, rules, target_gate)
    everything = sums.applicable + sums.not_applicable
    return Score(
        interval=Interval(low=min(uncapped.low, cap), high=min(uncapped.high, cap)),
        uncapped=uncapped,
        completeness=round(1.0 - width, 4),
        confidence=round(sums.evidence / sums.applicable, 4) if sums.applicable else 0.0,
        not_applicable=round(sums.not_applicable / everything, 4) if everything else 0.0,
        caps=tuple(reasons) if sums.applicable else (NOTHING_APPLICABLE, *reasons),
    )


def _sums(items: Iterable[Finding], rules: Mapping[str, Rule]) -> _Sums:
    applicable = undecided = not_applicable = value = evidence = 0.0
    for finding in items:
        rule = rule_of(finding, rules)
        if not is_requirement(rule):
            continue
        weight = rule.severity.weight
        if finding.outcome is RuleOutcome.NOT_APPLICABLE:
            not_applicable += weight
            continue
        applicable += weight
        if finding.outcome in UNDECIDED:
            undecided += weight
            continue
        value += weight * _value(finding)
        evidence += weight * (finding.evidence.factor if finding.evidence else 0.0)
    return _Sums(applicable, undecided, not_applicable, value, evidence)


def _value(finding: Finding) -> float:
    """v in [0, 1] of a decided finding; without a graded answer 1 when met, 0 when a gap."""
    if finding.value is None:
        return 1.0 if finding.outcome is RuleOutcome.MET else 0.0
    return min(1.0, max(0.0, finding.value))


def _cap(
    concerning: Iterable[Finding], blockers: Sequence[Finding], rules: Mapping[str, Rule], target_gate: Gate
) -> tuple[float, list[str]]:
    """The lowest cap that applies (100 for none), and a sentence for each cap."""
    cap, reasons = 100.0, []
    for gap_class, words in (
        (GapClass.PRODUCT_BLOCKER, "product blocker"),
        (GapClass.INTEGRATION_BLOCKER, "integration blocker"),
    ):
        keys = [blocker.key for blocker in blockers if rules[blocker.rule].gap_class is gap_class]
        if keys:
            cap = BLOCKER_CAP
            reasons.append(f"at most {BLOCKER_CAP:.0f}: open {words} {listed(sorted(keys))}")
    unknown = sorted(
        finding.key
        for finding in concerning
        if finding.outcome in UNDECIDED
        and is_requirement(rule := rule_of(finding, rules))
        and GATE_RANK[rule.gate] <= GATE_RANK[target_gate]
    )
    if unknown:
        cap = min(cap, UNKNOWN_CAP)
        reasons.append(
            f"at most {UNKNOWN_CAP:.0f}: {count(len(unknown), 'requirement')} up to the {gate_words(target_gate)} "
            f"not decided ({listed(unknown)})"
        )
    return cap, reasons
