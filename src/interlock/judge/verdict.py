"""Product or integration? The verdict, its reasons, the next step, and what would change it (S04 to S08).

Rules may name a verdict that their open gap argues for; each such gap votes. How the votes are counted is in
:func:`_tally` and in docs/scoring.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from interlock.judge.tallies import Tally
from interlock.model.base import Owner, RuleOutcome, Scope, VerdictValue
from interlock.model.finding import (
    OPEN,
    PRODUCT,
    SEVERITY_RANK,
    Finding,
    Subject,
    first_sentence,
    in_force,
    listed,
    rule_of,
    statement,
)
from interlock.model.organization import Organization
from interlock.model.readiness import OrgReadiness, Verdict, VerdictReason
from interlock.model.rule import Rule
from interlock.model.text import plain
from interlock.model.words import VERDICT

#: Headline (``{titles}`` are the reasons' titles) and what the next step is, before the first thing to do is named.
#: S08: the answer names the next step, which is either to build or to assess architecture and workflow risk first.
_TEXTS: dict[VerdictValue, tuple[str, str]] = {
    VerdictValue.PRODUCT_FIRST: (
        "The blocker is the product, not the EHR vendor: {titles}",
        "Assess architecture and workflow risk first, and settle the product before any integration work",
    ),
    VerdictValue.PROVE_OUTSIDE_EHR: (
        "Prove the value outside the EHR before taking on the full integration surface: {titles}",
        "Assess architecture and workflow risk first, and prove adoption with the shallowest embedding that works",
    ),
    VerdictValue.DEFINE_CONTRACT: (
        "The workflow contract is still fuzzy, so the integration is not ready: {titles}",
        "Assess architecture and workflow risk first, and write the workflow contract down",
    ),
    VerdictValue.MAP_AUTH: (
        "The auth path is not understood yet: {titles}",
        "Assess architecture and workflow risk first, and map the auth surface organisation by organisation",
    ),
    VerdictValue.INTEGRATE: (
        "The workflow is real and the auth path is understood: build the integration",
        "Build the integration",
    ),
}


_IN_ORDER = tuple(VerdictValue)


@dataclass(frozen=True, slots=True)
class Vote:
    """One finding of a rule that names a verdict, open or undecided: what the verdict is counted from."""

    finding: Finding
    rule: Rule
    value: VerdictValue
    undecided: bool


@dataclass(frozen=True)
class _Ballot:
    """All votes: the product's, and each organisation's own (its vendor's included)."""

    product: tuple[Vote, ...]
    by_org: Mapping[str, tuple[Vote, ...]]


def own_verdict(concerning: Sequence[Tally]) -> tuple[VerdictValue, bool]:
    """One organisation's verdict, and whether it is provisional, by the tallies that concern it.

    It is the earliest that an open gap of the product, its vendor or itself argues for, and provisional when something
    undecided argues for an earlier one.
    """
    decided = min(tally.earliest for tally in concerning)
    return _IN_ORDER[decided], min(tally.earliest_if_gaps for tally in concerning) < decided


def decide(
    findings: Iterable[Finding],
    rules: Mapping[str, Rule],
    readiness: Sequence[OrgReadiness],
    organizations: Sequence[Organization],
) -> Verdict:
    """The verdict over all.

    :param readiness: where each organisation stands; they decide with whom the next step starts.
    """
    ballot = _ballot(findings, rules, organizations)
    value = _tally(ballot, _is_gap)
    provisional = _earliest_possible(ballot).rank < value.rank
    reasons = _reasons(ballot, value)
    doubts = _doubts(ballot, value) if provisional else ()
    if provisional and value is VerdictValue.INTEGRATE:
        headline, step, owner = _find_out_first(doubts)
    else:
        headline = _headline(ballot, value, reasons)
        step, owner = _next_step(value, reasons, readiness, organizations)
    return Verdict(
        value=value,
        headline=headline,
        reasons=tuple(map(_reason, reasons)),
        provisional=provisional,
        undecided=tuple(map(_reason, doubts)),
        next_step=step,
        next_step_owner=owner,
        counterfactual=_counterfactual(ballot, value, doubts),
    )


def verdict_value(
    findings: Iterable[Finding], rules: Mapping[str, Rule], organizations: Sequence[Organization]
) -> VerdictValue:
    """The verdict's value alone; findings of rules that name no verdict make no difference."""
    return _tally(_ballot(findings, rules, organizations), _is_gap)


def may_vote(rule: Rule) -> bool:
    """Whether an open gap of the rule argues for a verdict."""
    return rule.verdict is not None and in_force(rule)


def _ballot(findings: Iterable[Finding], rules: Mapping[str, Rule], organizations: Sequence[Organization]) -> _Ballot:
    """The votes: open and undecided findings of stable rules that name a verdict."""
    votes: dict[Subject, list[Vote]] = {}
    for finding in findings:
        rule = rule_of(finding, rules)
        if rule.verdict is not None and finding.outcome in OPEN and in_force(rule):
            vote = Vote(finding, rule, rule.verdict, finding.outcome is not RuleOutcome.GAP)
            votes.setdefault(finding.subject, []).append(vote)
    by_org = {}
    for organization in organizations:
        shared = votes.get(Subject(scope=Scope.VENDOR, id=organization.vendor), [])
        own = votes.get(Subject(scope=Scope.ORG, id=organization.id), [])
        by_org[organization.id] = _in_order([*shared, *own])
    return _Ballot(_in_order(votes.get(PRODUCT, [])), by_org)


def _in_order(votes: Iterable[Vote]) -> tuple[Vote, ...]:
    """Worst first, then by key."""
    return tuple(sorted(votes, key=lambda vote: (SEVERITY_RANK[vote.rule.severity], vote.finding.key)))


def _is_gap(vote: Vote) -> bool:
    return not vote.undecided


def _earliest(votes: Iterable[Vote], taken: Callable[[Vote], bool]) -> VerdictValue:
    earliest = VerdictValue.INTEGRATE
    for vote in votes:
        if vote.value.rank < earliest.rank and taken(vote):
            earliest = vote.value
    return earliest


def _tally(ballot: _Ballot, taken: Callable[[Vote], bool]) -> VerdictValue:
    """The overall verdict when the votes that ``taken`` accepts are open gaps.

    The product's earliest vote decides. Without one it is ``integrate`` as long as some organisation's own verdict is,
    or there is no organisation; else it is the earliest of the organisations' verdicts.
    """
    product = _earliest(ballot.product, taken)
    if product is not VerdictValue.INTEGRATE or not ballot.by_org:
        return product
    own = [_earliest(votes, taken) for votes in ballot.by_org.values()]
    if VerdictValue.INTEGRATE in own:
        return VerdictValue.INTEGRATE
    return min(own, key=lambda value: value.rank)


def _earliest_possible(ballot: _Ballot) -> VerdictValue:
    """The earliest verdict that some of the undecided findings, found to be gaps, could lead to.

    A product's vote hides the organisations', so what is undecided about the product and about them is tried apart.
    """
    product = {vote.finding.key for vote in ballot.product}
    if_product = _tally(ballot, lambda vote: _is_gap(vote) or vote.finding.key in product)
    if_organizations = _tally(ballot, lambda vote: _is_gap(vote) or vote.finding.key not in product)
    return min(if_product, if_organizations, key=lambda value: value.rank)


def _reasons(ballot: _Ballot, value: VerdictValue) -> tuple[Vote, ...]:
    """The open gaps that argued for ``value``: the product's, or where it had none the organisations'."""
    product = tuple(vote for vote in ballot.product if _is_gap(vote) and vote.value is value)
    if product or value is VerdictValue.INTEGRATE:
        return product
    return _unique(v for votes in ballot.by_org.values() for v in votes if _is_gap(v) and v.value is value)


def _doubts(ballot: _Ballot, value: VerdictValue) -> tuple[Vote, ...]:
    """Undecided findings that argue for something earlier than ``value``: the product's, else the organisations'."""
    product = tuple(vote for vote in ballot.product if vote.undecided and vote.value.rank < value.rank)
    if product:
        return product
    own = (vote for votes in ballot.by_org.values() for vote in votes)
    return _unique(vote for vote in own if vote.undecided and vote.value.rank < value.rank)


def _unique(votes: Iterable[Vote]) -> tuple[Vote, ...]:
    """A vendor's vote reaches several organisations: keep each finding once, worst first."""
    return _in_order({vote.finding.key: vote for vote in votes}.values())


def _reason(vote: Vote) -> VerdictReason:
    finding = vote.finding
    return VerdictReason(key=finding.key, title=vote.rule.title, message=statement(finding), outcome=finding.outcome)


def _headline(ballot: _Ballot, value: VerdictValue, reasons: Sequence[Vote]) -> str:
    titles = listed(list(dict.fromkeys(vote.rule.title for vote in reasons)))
    headline = _TEXTS[value][0].format(titles=titles)
    if value is VerdictValue.INTEGRATE or any(_is_gap(v) and v.value is value for v in ballot.product):
        return headline + "."
    held = sum(_earliest(votes, _is_gap) is value for votes in ballot.by_org.values())
    return f"{headline} (at {held:,} of {len(ballot.by_org):,} organisations; no organisation is ready to integrate)."


def _find_out_first(doubts: Sequence[Vote]) -> tuple[str, str, Owner]:
    """Headline, next step and owner of an ``integrate`` that rests on unknowns: an unknown is no pass (S07, S08)."""
    rules = {vote.rule.id: vote.rule for vote in doubts}
    titles = [f"“{rule.title}” ({rule.id})" for rule in rules.values()]
    hold = "this holds" if len(titles) == 1 else "these hold"
    headline = f"Nothing that is known argues against integrating; still to find out is whether {hold}: "
    headline += f"{listed(titles)}."
    return headline, f"Find out first whether {listed(list(rules))} {'holds' if len(rules) == 1 else 'hold'}.", Owner.US


def _next_step(
    value: VerdictValue,
    reasons: Sequence[Vote],
    readiness: Sequence[OrgReadiness],
    organizations: Sequence[Organization],
) -> tuple[str, Owner]:
    text = _TEXTS[value][1]
    if reasons:
        remediation = reasons[0].rule.remediation
        return f"{text}. Start here: {first_sentence(remediation.text)}", remediation.owner
    names = {organization.id: organization.name for organization in organizations}
    ready = sorted(
        (own for own in readiness if own.verdict is VerdictValue.INTEGRATE),
        key=lambda own: (-(own.stage.rank if own.stage else -1), -own.score.interval.low),
    )
    if ready and ready[0].org in names:
        return f"{text}, starting with {plain(names[ready[0].org], 120)}.", Owner.US
    return f"{text}.", Owner.US


def _counterfactual(ballot: _Ballot, value: VerdictValue, doubts: Sequence[Vote]) -> str:
    """One sentence: the fewest closures that move the verdict on, and the fewest answers that would move it back."""
    parts = []
    if value is not VerdictValue.INTEGRATE:
        keys, then = _smallest_closure(ballot, value)
        parts.append(f"closing {listed(keys, 4)} would make the verdict “{VERDICT[then].phrase}”")
    if doubts:
        keys, then = _smallest_setback(ballot, value)
        outcome = "turns out to be a gap" if len(keys) == 1 else "all turn out to be gaps"
        subject = f"{listed(keys, 4)} (not decided yet)"
        parts.append(f"if {subject} {outcome}, the verdict becomes “{VERDICT[then].phrase}”")
    if not parts:
        return "No open or undecided finding argues for another verdict; only a new gap would change it."
    sentence = "; ".join(parts)
    return sentence[0].upper() + sentence[1:] + "."


def _smallest_closure(ballot: _Ballot, value: VerdictValue) -> tuple[list[str], VerdictValue]:
    """The fewest open gaps whose closing makes the verdict later than ``value``, and that verdict.

    All of the product's votes for ``value`` have to go. When that leaves the decision to the organisations, either one
    organisation is cleared completely, or what argues for ``value`` or earlier is closed at every organisation.
    """
    base = {vote.finding.key for vote in ballot.product if _is_gap(vote) and vote.value is value}
    gaps = [[vote for vote in votes if _is_gap(vote)] for votes in ballot.by_org.values()]
    early = {v.finding.key for votes in gaps for v in votes if v.value.rank <= value.rank}
    options = [base, base | early]
    if gaps:
        # Whichever organisation is cleared, the verdict is the same: the cheapest one is enough to look at.
        cleared = (base | {vote.finding.key for vote in votes} for votes in gaps)
        options.append(min(cleared, key=lambda keys: (len(keys), sorted(keys))))
    moved = [
        (len(keys), -then.rank, sorted(keys), then)
        for keys in options
        if (then := _tally(ballot, _open_without(keys))).rank > value.rank
    ]
    _, _, closed, then = min(moved, key=lambda entry: entry[:3])
    return closed, then


def _open_without(closed: Set[str]) -> Callable[[Vote], bool]:
    return lambda vote: _is_gap(vote) and vote.finding.key not in closed


def _smallest_setback(ballot: _Ballot, value: VerdictValue) -> tuple[list[str], VerdictValue]:
    """The fewest undecided findings that, found to be gaps, make the verdict earlier than ``value``, and that verdict.

    One of the product's is enough, and so is one of any organisation's where the organisations decide. While some are
    ready to integrate, each of those needs one; a vendor's counts for all its organisations and is taken first.
    """
    product = [vote for vote in ballot.product if vote.undecided and vote.value.rank < value.rank]
    groups = (
        [product]
        if product
        else [
            [vote for vote in votes if vote.undecided and vote.value.rank < value.rank]
            for votes in ballot.by_org.values()
            if value is not VerdictValue.INTEGRATE or _earliest(votes, _is_gap) is value
        ]
    )
    if value is not VerdictValue.INTEGRATE:
        groups = [[vote for group in groups for vote in group]]
    chosen = {min(group, key=_widest_first).finding.key for group in groups if group}
    return sorted(chosen), _tally(ballot, lambda vote: _is_gap(vote) or vote.finding.key in chosen)


def _widest_first(vote: Vote) -> tuple[bool, int, str]:
    return vote.finding.subject.scope is Scope.ORG, vote.value.rank, vote.finding.key
