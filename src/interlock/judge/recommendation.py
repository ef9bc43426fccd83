"""What to do at one organisation now: start, wait for others, map first, not yet, or look first (docs/scoring.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from interlock.judge.verdict import Range
from interlock.model.base import GapClass, Gate, Owner, Recommendation, Scope, VerdictValue
from interlock.model.finding import (
    OPEN,
    PRODUCT,
    SEVERITY_RANK,
    UNDECIDED,
    Finding,
    Subject,
    is_requirement,
    listed,
)
from interlock.model.organization import Organization
from interlock.model.rule import Rule
from interlock.model.words import OWNER, VERDICT, count, gate

_BLOCKERS = {GapClass.PRODUCT_BLOCKER, GapClass.INTEGRATION_BLOCKER}


class Requirement(NamedTuple):
    """A requirement that is open or undecided, and its rule."""

    finding: Finding
    rule: Rule


#: What is open or undecided on the way to the target gate, of each subject, the worst first.
Left = Mapping[Subject, Sequence[Requirement]]


def left_to_do(findings: Iterable[Finding], rules: Mapping[str, Rule], target: Gate) -> Left:
    """The requirements up to the target gate that are open or undecided."""
    left: dict[Subject, list[Requirement]] = {}
    required = {name: rule for name, rule in rules.items() if is_requirement(rule) and rule.gate.rank <= target.rank}
    for finding in findings:
        if finding.rule in required and finding.outcome in OPEN:
            left.setdefault(finding.subject, []).append(Requirement(finding, required[finding.rule]))
    for requirements in left.values():
        requirements.sort(key=lambda entry: (SEVERITY_RANK[entry.rule.severity], entry.finding.key))
    return left


def recommend(
    organization: Organization, left: Left, product: Range, stage: Gate | None, target: Gate, *, observed: bool
) -> tuple[Recommendation, str]:
    """What to do at an organisation, and why in a few words.

    :param product: the verdicts that are possible of the product alone.
    :param stage: the stage that the organisation has reached.
    :param observed: its server was seen, at least in part.
    """
    if product.latest is not VerdictValue.INTEGRATE or product.earliest is not product.latest:
        undecided = product.earliest is not product.latest
        reason = "not decided" if undecided else f"“{VERDICT[product.latest].phrase}”"
        return Recommendation.NOT_YET, f"the product's verdict is {reason}"
    own = [
        *left.get(Subject(scope=Scope.VENDOR, id=organization.vendor), ()),
        *left.get(Subject(scope=Scope.ORG, id=organization.id), ()),
    ]
    votes = [entry for entry in own if entry.rule.verdict is not None]
    unseen = [entry for entry in votes if entry.finding.missing_facts]
    if unseen and not observed and all(entry.finding.outcome in UNDECIDED for entry in votes):
        return (
            Recommendation.COULD_NOT_LOOK,
            f"{count(len(unseen), 'finding')} about signing in there cannot be decided",
        )
    if votes:
        return Recommendation.MAP_FIRST, _titles(votes)
    everything = [*left.get(PRODUCT, ()), *own]
    ours = [entry for entry in everything if entry.rule.remediation.owner is Owner.US]
    others = [entry for entry in everything if entry.rule.remediation.owner is not Owner.US]
    blockers = [entry for entry in everything if entry.rule.gap_class in _BLOCKERS]
    if others and not ours:
        owners = listed(list(dict.fromkeys(OWNER[entry.rule.remediation.owner].phrase for entry in others)))
        return Recommendation.WAIT_FOR, f"{owners}: {_titles(others)}"
    if blockers:
        return Recommendation.NOT_YET, _titles(blockers)
    if stage is None:
        return Recommendation.NOT_YET, f"the {gate(Gate.DESIGN)} is not passed"
    return Recommendation.START, f"no blocker is open or unknown up to the {gate(target)}"


def _titles(requirements: Sequence[Requirement]) -> str:
    return listed([entry.rule.title for entry in requirements], 2)
