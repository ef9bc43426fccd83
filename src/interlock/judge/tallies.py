"""What the findings about each subject add up to: its share of scores, gates and verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from interlock.model.base import Evidence, GapClass, Gate, RuleOutcome, Scope, VerdictValue
from interlock.model.finding import Finding, in_force, is_requirement, rule_of
from interlock.model.organization import Organization
from interlock.model.readiness import WeakEvidence
from interlock.model.rule import Rule

Keys = tuple[str, ...]
_GATES = len(Gate)
_LAST = len(VerdictValue) - 1
#: Findings of one subject, each with its rule.
Judged = list[tuple[Finding, Rule]]


class Blockers(NamedTuple):
    """Keys of blockers of one class, sorted: those that are open, and those that nobody has decided."""

    open: Keys = ()
    undecided: Keys = ()


NO_BLOCKERS = Blockers()


@dataclass(frozen=True, slots=True)
class Tally:
    """One subject's share of scores and gates (the product's, a vendor's, an organisation's).

    Sums run over requirements; tuples of keys run by gate, and each is sorted.

    :ivar applicable, undecided, not_applicable: sums of weights; undecided is also what is decided while nobody knows
        how well, because the question that measures it has no answer.
    :ivar value, evidence: Σwv and Σwe.
    :ivar met: how many requirements are met at each gate, with evidence that it accepts.
    :ivar opened, unknown: keys of the open and of the undecided requirements at each gate.
    :ivar weak: the requirements that are met with less evidence than a gate accepts, by gate and key.
    :ivar earliest: rank of the earliest verdict that an open gap argues for; the last verdict's without one.
    :ivar earliest_if_gaps: the same if everything undecided were a gap.
    :ivar left: the requirements that are open or undecided, the worst first.
    :ivar advice: open gaps of mere advice that argues for a verdict.
    """

    applicable: float = 0.0
    undecided: float = 0.0
    not_applicable: float = 0.0
    value: float = 0.0
    evidence: float = 0.0
    met: tuple[int, ...] = (0,) * _GATES
    opened: tuple[Keys, ...] = ((),) * _GATES
    unknown: tuple[Keys, ...] = ((),) * _GATES
    weak: tuple[tuple[WeakEvidence, ...], ...] = ((),) * _GATES
    product_blockers: Blockers = NO_BLOCKERS
    integration_blockers: Blockers = NO_BLOCKERS
    earliest: int = _LAST
    earliest_if_gaps: int = _LAST
    left: Sequence[tuple[Finding, Rule]] = ()
    advice: Sequence[tuple[Finding, Rule]] = ()


#: A subject's findings and their tally, by the subject's scope and id.
Counted = dict[tuple[Scope, str], tuple[list[Finding], Tally]]
#: Of a subject without findings.
NO_TALLY = Tally()


@dataclass(frozen=True)
class Tallies:
    """The tallies of all subjects."""

    product: Tally
    by_vendor: Mapping[str, Tally]
    by_org: Mapping[str, Tally]

    def product_blockers(self) -> Blockers:
        """All product blockers: they hold back everyone, wherever they were found."""
        every = [t.product_blockers for t in (self.product, *self.by_vendor.values(), *self.by_org.values())]
        return Blockers(merged([own.open for own in every]), merged([own.undecided for own in every]))

    def concerning(self, organization: Organization) -> tuple[Tally, Tally, Tally]:
        """The tallies that concern an organisation: the product's, its vendor's, its own."""
        return (
            self.product,
            self.by_vendor.get(organization.vendor, NO_TALLY),
            self.by_org.get(organization.id, NO_TALLY),
        )


def tally_all(
    findings: Iterable[Finding],
    rules: Mapping[str, Rule],
    accepts: Mapping[Gate, Evidence] | None = None,
    earlier: Counted | None = None,
) -> Tallies:
    """The tally of every subject.

    :param accepts: the least evidence that each gate accepts; any where it says nothing.
    :param earlier: what was counted before, kept up to date: who still has the same findings keeps the tally. One more
        answer at 50 organisations takes three quarters of the time.
    :raises InterlockError: findings and rules come from different rulesets.
    """
    groups: dict[tuple[Scope, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.subject.scope, finding.subject.id), []).append(finding)
    counted: Counted = {} if earlier is None else earlier
    tallies = {}
    for subject, group in groups.items():
        known = counted.get(subject)  # another thread may be counting other answers of the same subject
        if known is None or known[0] != group:
            known = counted[subject] = group, _tally(group, rules, accepts or {})
        tallies[subject] = known[1]
    return Tallies(
        product=tallies.get((Scope.PRODUCT, ""), NO_TALLY),
        by_vendor={name: tally for (scope, name), tally in tallies.items() if scope is Scope.VENDOR},
        by_org={name: tally for (scope, name), tally in tallies.items() if scope is Scope.ORG},
    )


def _tally(findings: Iterable[Finding], rules: Mapping[str, Rule], accepts: Mapping[Gate, Evidence]) -> Tally:
    """The tally of one subject's findings."""
    met: Judged = []
    gaps: Judged = []
    undecided: Judged = []
    excused: Judged = []
    advice: Judged = []
    lists = {RuleOutcome.MET: met, RuleOutcome.GAP: gaps, RuleOutcome.NOT_APPLICABLE: excused}
    for finding in findings:
        rule = rule_of(finding, rules)
        if is_requirement(rule):
            lists.get(finding.outcome, undecided).append((finding, rule))
        elif rule.verdict is not None and in_force(rule) and finding.outcome is RuleOutcome.GAP:
            advice.append((finding, rule))
    decided = (*met, *gaps)
    weak = _weak(met, accepts)
    weakly_met = {entry.key for entries in weak.values() for entry in entries}
    return Tally(
        applicable=_weight(decided) + _weight(undecided),
        undecided=_weight(undecided) + _weight((f, rule) for f, rule in decided if f.value is None),
        not_applicable=_weight(excused),
        value=sum(rule.score_weight * min(1.0, max(0.0, finding.value or 0.0)) for finding, rule in decided),
        evidence=sum(rule.score_weight * finding.evidence.factor for finding, rule in decided if finding.evidence),
        met=tuple(sum(rule.gate is gate and f.key not in weakly_met for f, rule in met) for gate in Gate),
        opened=_by_gate(gaps),
        unknown=_by_gate(undecided),
        weak=tuple(weak.values()),
        product_blockers=_blockers(gaps, undecided, GapClass.PRODUCT_BLOCKER),
        integration_blockers=_blockers(gaps, undecided, GapClass.INTEGRATION_BLOCKER),
        earliest=_earliest(gaps),
        earliest_if_gaps=min(_earliest(gaps), _earliest(undecided)),
        left=sorted((*gaps, *undecided), key=lambda pair: (pair[1].severity.rank, pair[0].key)),
        advice=advice,
    )


def _weak(met: Judged, accepts: Mapping[Gate, Evidence]) -> dict[Gate, tuple[WeakEvidence, ...]]:
    """What is met with less evidence than a gate accepts, by key; an earlier gate's rule may name a later one too."""
    weak: dict[Gate, list[WeakEvidence]] = {gate: [] for gate in Gate}
    for finding, rule in met:
        if finding.evidence is None or finding.evidence is Evidence.OBSERVED:
            continue
        for gate, wanted in ({rule.gate: accepts.get(rule.gate, Evidence.ASSERTED)} | rule.accepts).items():
            if finding.evidence.rank < wanted.rank:
                entry = WeakEvidence.trusted(key=finding.key, evidence=finding.evidence, wanted=wanted)
                weak[gate].append(entry)
    return {gate: tuple(sorted(entries, key=lambda entry: entry.key)) for gate, entries in weak.items()}


def _earliest(judged: Judged) -> int:
    return min((rule.verdict.rank for _, rule in judged if rule.verdict is not None), default=_LAST)


def _weight(judged: Iterable[tuple[Finding, Rule]]) -> float:
    return sum((rule.score_weight for _, rule in judged), 0.0)


def _by_gate(judged: Judged) -> tuple[Keys, ...]:
    return tuple(tuple(sorted(finding.key for finding, rule in judged if rule.gate is gate)) for gate in Gate)


def _blockers(gaps: Judged, undecided: Judged, gap_class: GapClass) -> Blockers:
    return Blockers(
        *(
            tuple(sorted(finding.key for finding, rule in judged if rule.gap_class is gap_class))
            for judged in (gaps, undecided)
        )
    )


def merged(groups: Sequence[Keys]) -> Keys:
    """All keys, sorted."""
    return tuple(sorted(key for group in groups for key in group))
