"""What the findings about one subject amount to: the part of every score, gate and verdict that is theirs.

Scores and gates of an organisation are put together from three parts (the product's, its vendor's, its own), so a part
that did not change need not be counted again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from interlock.gaps.subjects import GATE_RANK, in_force, is_requirement
from interlock.model.base import Evidence, GapClass, Gate, RuleOutcome, Scope, VerdictValue
from interlock.model.finding import Conclusion, Subject
from interlock.model.organization import Organization
from interlock.model.rule import Rule

Keys = tuple[str, ...]
_GATES = len(Gate)
_LAST = len(VerdictValue) - 1
_BLOCKERS = (GapClass.PRODUCT_BLOCKER, GapClass.INTEGRATION_BLOCKER)
_RANK = {value: value.rank for value in VerdictValue}
_FACTOR = {evidence: evidence.factor for evidence in Evidence}
# One look-up each: these are compared for every rule of every organisation.
_GAP, _MET, _NOT_APPLICABLE = RuleOutcome.GAP, RuleOutcome.MET, RuleOutcome.NOT_APPLICABLE


@dataclass(frozen=True, slots=True)
class Part:
    """One subject's share. Sums run over requirements; tuples of keys run by gate, and each is sorted.

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


NO_PART = Part()


@dataclass(frozen=True)
class Parts:
    """The parts of all subjects, and every open product blocker, wherever it was found."""

    product: Part
    by_vendor: Mapping[str, Part]
    by_org: Mapping[str, Part]

    def product_blockers(self) -> Keys:
        """Keys of all open product blockers, sorted: they hold back everyone."""
        every = (self.product, *self.by_vendor.values(), *self.by_org.values())
        return tuple(sorted(key for part in every for key in part.product_blockers))

    def concerning(self, organization: Organization) -> tuple[Part, Part, Part]:
        """The parts that concern an organisation: the product's, its vendor's, its own."""
        return (
            self.product,
            self.by_vendor.get(organization.vendor, NO_PART),
            self.by_org.get(organization.id, NO_PART),
        )


class Weighing(NamedTuple):
    """What part_of needs of a rule, worked out once.

    :ivar verdict: rank of the verdict that an open gap argues for; none when it argues for none, or has no voice.
    :ivar blocks: its gap is a product blocker, an integration blocker, or none of them.
    """

    rule: str
    verdict: int | None
    requirement: bool
    weight: float
    gate: int
    blocks: GapClass | None


def weighing(rule: Rule) -> Weighing:
    """The weighing of a rule."""
    return Weighing(
        rule=rule.id,
        verdict=_RANK[rule.verdict] if rule.verdict is not None and in_force(rule) else None,
        requirement=is_requirement(rule),
        weight=rule.score_weight,
        gate=GATE_RANK[rule.gate],
        blocks=rule.gap_class if rule.gap_class in _BLOCKERS else None,
    )


def part_of(subject: Subject, entries: Iterable[tuple[Weighing, Conclusion]]) -> Part:
    """The part of one subject: the weighings of its rules, each with what the rule concluded."""
    applicable = undecided = not_applicable = total = evidence = 0.0
    met = [0] * _GATES
    opened: list[list[str]] = [[] for _ in range(_GATES)]
    unknown: list[list[str]] = [[] for _ in range(_GATES)]
    blockers: dict[GapClass, list[str]] = {gap_class: [] for gap_class in _BLOCKERS}
    earliest = earliest_if_gaps = _LAST
    behind = "" if subject.scope is Scope.PRODUCT else f"@{subject}"
    for (rule, verdict, requirement, weight, gate, blocks), one in entries:
        outcome = one.outcome
        if verdict is not None and outcome is not _MET and outcome is not _NOT_APPLICABLE:
            earliest_if_gaps = min(earliest_if_gaps, verdict)
            if outcome is _GAP:
                earliest = min(earliest, verdict)
        if not requirement:
            continue
        if outcome is _NOT_APPLICABLE:
            not_applicable += weight
            continue
        applicable += weight
        if outcome is _MET:
            met[gate] += 1
        elif outcome is _GAP:
            key = rule + behind
            opened[gate].append(key)
            if blocks is not None:
                blockers[blocks].append(key)
        else:
            unknown[gate].append(rule + behind)
            undecided += weight
            continue
        value = one.value
        if value is None:
            total += weight if outcome is _MET else 0.0
        else:
            total += weight * (value if 0.0 <= value <= 1.0 else min(1.0, max(0.0, value)))
        if one.evidence is not None:
            evidence += weight * _FACTOR[one.evidence]
    return Part(
        applicable,
        undecided,
        not_applicable,
        total,
        evidence,
        tuple(met),
        _sorted(opened),
        _sorted(unknown),
        tuple(sorted(blockers[GapClass.PRODUCT_BLOCKER])),
        tuple(sorted(blockers[GapClass.INTEGRATION_BLOCKER])),
        earliest,
        earliest_if_gaps,
    )


def merged(groups: Sequence[Keys]) -> Keys:
    """All keys, sorted; most groups are empty."""
    filled = [group for group in groups if group]
    if len(filled) <= 1:
        return filled[0] if filled else ()
    return tuple(sorted(key for group in filled for key in group))


def _sorted(groups: list[list[str]]) -> tuple[Keys, ...]:
    return tuple(tuple(sorted(group)) for group in groups)
