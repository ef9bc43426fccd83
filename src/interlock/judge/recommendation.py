"""What to do at one organisation now: start, wait for others, map first, not yet, or look first (docs/scoring.md)."""

from __future__ import annotations

from collections.abc import Sequence

from interlock.judge.tallies import Tally
from interlock.judge.verdict import range_of
from interlock.model.base import GapClass, Gate, Owner, Recommendation, RuleOutcome, VerdictValue
from interlock.model.finding import UNDECIDED, Finding, listed
from interlock.model.rule import Rule
from interlock.model.words import OWNER, VERDICT, count, gate

_BLOCKERS = {GapClass.PRODUCT_BLOCKER, GapClass.INTEGRATION_BLOCKER}


def recommend(
    concerning: Sequence[Tally], stage: Gate | None, target: Gate, *, observed: bool
) -> tuple[Recommendation, str]:
    """What to do at an organisation, and why in a few words.

    :param concerning: the tallies of the product, of the organisation's vendor and its own.
    :param stage: the stage that the organisation has reached.
    :param observed: its server was seen, at least in part.
    """
    product = range_of(concerning[:1])
    if product.latest is not VerdictValue.INTEGRATE or product.earliest is not product.latest:
        undecided = product.earliest is not product.latest
        reason = "not decided" if undecided else f"“{VERDICT[product.latest].phrase}”"
        return Recommendation.NOT_YET, f"the product's verdict is {reason}"
    everything, own = (
        [pair for tally in tallies for pair in tally.left if pair[1].gate.rank <= target.rank]
        for tallies in (concerning, concerning[1:])
    )
    votes = [(finding, rule) for finding, rule in own if rule.verdict is not None]
    unseen = [finding for finding, _ in votes if finding.missing_facts]
    if unseen and not observed and all(finding.outcome in UNDECIDED for finding, _ in votes):
        return (
            Recommendation.COULD_NOT_LOOK,
            f"{count(len(unseen), 'finding')} about signing in there cannot be decided",
        )
    if votes:
        return Recommendation.MAP_FIRST, _titles(votes)
    if everything and all(map(_is_theirs, everything)):
        owners = listed(list(dict.fromkeys(OWNER[rule.remediation.owner].phrase for _, rule in everything)))
        return Recommendation.WAIT_FOR, f"{owners}: {_titles(everything)}"
    blockers = [(finding, rule) for finding, rule in everything if rule.gap_class in _BLOCKERS]
    if blockers:
        return Recommendation.NOT_YET, _titles(blockers)
    if stage is None:
        return Recommendation.NOT_YET, f"the {gate(Gate.DESIGN)} is not passed"
    return Recommendation.START, f"no blocker is open or unknown up to the {gate(target)}"


def _is_theirs(requirement: tuple[Finding, Rule]) -> bool:
    """Whether others have the next step; where not even the first rung is reached, somebody has to ask them: us."""
    finding, rule = requirement
    return rule.remediation.owner is not Owner.US and not (rule.measures and finding.value == 0.0)


def _titles(requirements: Sequence[tuple[Finding, Rule]]) -> str:
    """What is open, each by its title as a quotation; what is only undecided is counted, or told as undecided."""
    gaps = [f"“{rule.title}”" for finding, rule in requirements if finding.outcome is RuleOutcome.GAP]
    undecided = [f"“{rule.title}”" for finding, rule in requirements if finding.outcome in UNDECIDED]
    if not gaps:
        return f"not decided: {listed(undecided, 2)}"
    return listed(gaps, 2) + (f"; {len(undecided):,} not decided" if undecided else "")
