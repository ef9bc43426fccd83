"""What the findings about each subject add up to: its share of scores, gates and verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from interlock.model.base import Evidence, GapClass, Gate, RuleOutcome, Scope, VerdictValue
from interlock.model.finding import GATE_RANK, OPEN, Finding, in_force, is_requirement, rule_of
from interlock.model.organization import Organization
from interlock.model.rule import Rule

Keys = tuple[str, ...]
_GATES = len(Gate)
_LAST = len(VerdictValue) - 1
_RANK = {value: value.rank for value in VerdictValue}
_FACTOR = {evidence: evidence.factor for evidence in Evidence}


@dataclass(frozen=True, slots=True)
class Tally:
    """One subject's share of scores and gates (the product's, a vendor's, an organisation's).

    Sums run over requirements; tuples of keys run by gate, and each is sorted.

    :ivar applicable, undecided, not_applicable: sums of weights.
    :ivar value, evidence: Σwv and Σwe.
    :ivar met: how many requirements are met at each gate.
    :ivar opened, unknown: keys of the open and of the undecided requirements at each gate.
    :ivar product_blockers, integration_blockers: keys of open blockers.
    :ivar earliest: rank of the earliest verdict that an open gap argues for; the last verdict's without one.
    :ivar earliest_if_gaps: the same if everything undecided were a gap.
    """

    applicable: float = 0.0
    undecided: float = 0.0
    not_applicable: float = 0.0
    value: float = 0.0
    evidence: float = 0.0
    met: tuple[int, ...] = (0,) * _GATES
    opened: tuple[Keys, ...] = ((),) * _GATES
    unknown: tuple[Keys, ...] = ((),) * _GATES
    product_blockers: Keys = ()
    integration_blockers: Keys = ()
    earliest: int = _LAST
    earliest_if_gaps: int = _LAST


#: Of a subject without findings.
NO_TALLY = Tally()


@dataclass(frozen=True)
class Tallies:
    """The tallies of all subjects."""

    product: Tally
    by_vendor: Mapping[str, Tally]
    by_org: Mapping[str, Tally]

    def product_blockers(self) -> Keys:
        """Keys of all open product blockers, sorted: they hold back everyone, wherever they were found."""
        every = (self.product, *self.by_vendor.values(), *self.by_org.values())
        return tuple(sorted(key for tally in every for key in tally.product_blockers))

    def concerning(self, organization: Organization) -> tuple[Tally, Tally, Tally]:
        """The tallies that concern an organisation: the product's, its vendor's, its own."""
        return (
            self.product,
            self.by_vendor.get(organization.vendor, NO_TALLY),
            self.by_org.get(organization.id, NO_TALLY),
        )


def tally_all(findings: Iterable[Finding], rules: Mapping[str, Rule]) -> Tallies:
    """The tally of every subject.

    :raises InterlockError: findings and rules come from different rulesets.
    """
    groups: dict[tuple[Scope, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.subject.scope, finding.subject.id), []).append(finding)
    tallies = {subject: _tally(group, rules) for subject, group in groups.items()}
    return Tallies(
        product=tallies.get((Scope.PRODUCT, ""), NO_TALLY),
        by_vendor={name: tally for (scope, name), tally in tallies.items() if scope is Scope.VENDOR},
        by_org={name: tally for (scope, name), tally in tallies.items() if scope is Scope.ORG},
    )


def _tally(findings: Iterable[Finding], rules: Mapping[str, Rule]) -> Tally:
    """The tally of one subject's findings."""
    applicable = undecided = not_applicable = total = evidence = 0.0
    met = [0] * _GATES
    opened: list[list[str]] = [[] for _ in range(_GATES)]
    unknown: list[list[str]] = [[] for _ in range(_GATES)]
    product_blockers: list[str] = []
    integration_blockers: list[str] = []
    earliest = earliest_if_gaps = _LAST
    for finding in findings:
        rule, outcome = rule_of(finding, rules), finding.outcome
        if rule.verdict is not None and outcome in OPEN and in_force(rule):
            rank = _RANK[rule.verdict]
            earliest_if_gaps = min(earliest_if_gaps, rank)
            if outcome is RuleOutcome.GAP:
                earliest = min(earliest, rank)
        if not is_requirement(rule):
            continue
        weight, gate = rule.score_weight, GATE_RANK[rule.gate]
        if outcome is RuleOutcome.NOT_APPLICABLE:
            not_applicable += weight
            continue
        applicable += weight
        if outcome is RuleOutcome.MET:
            met[gate] += 1
        elif outcome is RuleOutcome.GAP:
            opened[gate].append(finding.key)
            if rule.gap_class is GapClass.PRODUCT_BLOCKER:
                product_blockers.append(finding.key)
            elif rule.gap_class is GapClass.INTEGRATION_BLOCKER:
                integration_blockers.append(finding.key)
        else:
            unknown[gate].append(finding.key)
            undecided += weight
            continue
        value = finding.value
        if value is None:
            value = 1.0 if outcome is RuleOutcome.MET else 0.0
        total += weight * min(1.0, max(0.0, value))
        if finding.evidence is not None:
            evidence += weight * _FACTOR[finding.evidence]
    return Tally(
        applicable,
        undecided,
        not_applicable,
        total,
        evidence,
        tuple(met),
        tuple(tuple(sorted(keys)) for keys in opened),
        tuple(tuple(sorted(keys)) for keys in unknown),
        tuple(sorted(product_blockers)),
        tuple(sorted(integration_blockers)),
        earliest,
        earliest_if_gaps,
    )


def merged(groups: Sequence[Keys]) -> Keys:
    """All keys, sorted."""
    return tuple(sorted(key for group in groups for key in group))
