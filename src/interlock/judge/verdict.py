"""Product or integration? What the verdict is, or lies between, why, and what would change it (S04 to S08).

Requirements may name a verdict that their open gap argues for: each such gap votes, and each that is undecided may
still. How the votes are counted is in :func:`_tally` and in docs/scoring.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from interlock.judge.tallies import Tallies, Tally
from interlock.model.base import Owner, Recommendation, RuleOutcome, Scope, VerdictValue
from interlock.model.finding import (
    NO_CONTRACT,
    SEVERITY_RANK,
    Finding,
    first_sentence,
    is_requirement,
    listed,
    statement,
)
from interlock.model.organization import Organization
from interlock.model.readiness import OrgReadiness, Verdict, VerdictReason
from interlock.model.rule import Rule
from interlock.model.text import plain
from interlock.model.words import RECOMMENDATION, VERDICT, agree, capital, count, sentence, verdict

#: S08: the answer names the next step, which is to build, or this, in the article's words.
_ASSESS = "Start with an AI technical assessment of architecture and workflow risk, and "
#: For each verdict its headline (``{titles}`` are the reasons' titles), and the next step before the first thing to do.
_TEXTS: dict[VerdictValue, tuple[str, str]] = {
    VerdictValue.PRODUCT_FIRST: (
        "The product comes first, before anybody calls the EHR vendor the blocker: {titles}",
        f"{_ASSESS}settle the product before any integration work",
    ),
    VerdictValue.PROVE_OUTSIDE_EHR: (
        "Prove the value outside the EHR before taking on the full integration surface: {titles}",
        f"{_ASSESS}prove adoption with the shallowest embedding that works",
    ),
    VerdictValue.DEFINE_CONTRACT: (
        "The workflow contract is still fuzzy, so the integration is not ready: {titles}",
        f"{_ASSESS}write the workflow contract down",
    ),
    VerdictValue.MAP_AUTH: (
        "The auth path is not understood yet: {titles}",
        f"{_ASSESS}map the auth surface organisation by organisation",
    ),
    VerdictValue.INTEGRATE: (
        "The workflow is real and the auth path is understood: build the integration",
        "Build the AI workflow integration",
    ),
}
START = Recommendation.START
_IN_ORDER = tuple(VerdictValue)
_rank = attrgetter("rank")


class Range(NamedTuple):
    """The earliest and the latest verdict that are still possible: the same when it is settled."""

    earliest: VerdictValue
    latest: VerdictValue


class Step(NamedTuple):
    """The next step in words, at length and without names of files, and apart from them what it is about."""

    at_length: str
    in_short: str
    owner: Owner = Owner.US
    rules: tuple[str, ...] = ()
    org: str | None = None


class Otherwise(NamedTuple):
    """What would change the verdict, in words, and the keys of the findings that it is about."""

    told: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vote:
    """One finding of a rule that names a verdict, open or undecided: what the verdict is counted from."""

    finding: Finding
    rule: Rule
    value: VerdictValue
    undecided: bool


@dataclass(frozen=True)
class Ballot:
    """All votes: the product's, and each organisation's own (its vendor's included); advice only argues."""

    product: tuple[Vote, ...]
    by_org: Mapping[str, tuple[Vote, ...]]
    advice: tuple[Vote, ...] = ()

    def without(self, closed: Set[str]) -> Ballot:
        """The votes that are left when the findings with these keys are closed."""

        def left(votes: Iterable[Vote]) -> tuple[Vote, ...]:
            return tuple(vote for vote in votes if vote.finding.key not in closed)

        return Ballot(left(self.product), {org: left(votes) for org, votes in self.by_org.items()})

    def range(self) -> Range:
        """The verdicts over all that are possible, whatever the undecided findings turn out to be."""
        return Range(_tally(self, lambda _: True), _tally(self, _is_gap))


def range_of(concerning: Sequence[Tally]) -> Range:
    """The verdicts that are possible where these tallies concern somebody (the product, its vendor, itself)."""
    return Range(
        _IN_ORDER[min(tally.earliest_if_gaps for tally in concerning)],
        _IN_ORDER[min(tally.earliest for tally in concerning)],
    )


def ballot_of(tallies: Tallies, organizations: Sequence[Organization]) -> Ballot:
    """The votes: open and undecided findings of stable rules that name a verdict."""
    by_org = {}
    for organization in organizations:
        _, vendor, own = tallies.concerning(organization)
        by_org[organization.id] = _in_order(_votes((*vendor.left, *own.left)))
    everybody = (tallies.product, *tallies.by_vendor.values(), *tallies.by_org.values())
    advice = (judged for tally in everybody for judged in tally.advice)
    return Ballot(tuple(_votes(tallies.product.left)), by_org, _in_order(_votes(advice)))


def _votes(judged: Iterable[tuple[Finding, Rule]]) -> Iterator[Vote]:
    for finding, rule in judged:
        if rule.verdict is not None:
            yield Vote(finding, rule, rule.verdict, finding.outcome is not RuleOutcome.GAP)


def decide(ballot: Ballot, readiness: Sequence[OrgReadiness], organizations: Sequence[Organization]) -> Verdict:
    """The verdict over all.

    :param readiness: where each organisation stands, and what is recommended there.
    """
    earliest, latest = ballot.range()
    reasons = _reasons(ballot, latest)
    doubts = _doubts(ballot, latest) if earliest is not latest else ()
    names = {organization.id: plain(organization.name, 120) for organization in organizations}
    settled_by = tuple(sorted({item for vote in doubts for item in vote.finding.missing_answers}))
    if earliest is not latest:
        headline, step = _find_out_first(Range(earliest, latest), reasons, doubts, settled_by, names)
    else:
        headline, step = _headline(ballot, latest, reasons, readiness), _next_step(latest, reasons, readiness, names)
    otherwise = _counterfactual(ballot, Range(earliest, latest), names)
    return Verdict(
        value=earliest,
        latest=latest,
        headline=headline,
        organizations=_organizations(readiness, names),
        reasons=tuple(map(_reason, reasons)),
        undecided=tuple(map(_reason, doubts)),
        settled_by=settled_by,
        next_step=step.at_length,
        next_in_words=step.in_short,
        next_rules=step.rules,
        next_org=step.org,
        next_step_owner=step.owner,
        counterfactual=otherwise.told,
        counterfactual_keys=otherwise.keys,
    )


def may_vote(rule: Rule) -> bool:
    """Whether an open gap of the rule decides a verdict: advice only argues."""
    return rule.verdict is not None and is_requirement(rule)


def _in_order(votes: Iterable[Vote]) -> tuple[Vote, ...]:
    """Worst first, then by key."""
    return tuple(sorted(votes, key=lambda vote: (SEVERITY_RANK[vote.rule.severity], vote.finding.key)))


def _is_gap(vote: Vote) -> bool:
    return not vote.undecided


def _earliest(votes: Iterable[Vote], taken: Callable[[Vote], bool]) -> VerdictValue:
    return min((vote.value for vote in votes if taken(vote)), key=_rank, default=VerdictValue.INTEGRATE)


def _tally(ballot: Ballot, taken: Callable[[Vote], bool]) -> VerdictValue:
    """The overall verdict when the votes that ``taken`` accepts are open gaps.

    The product's earliest vote decides, or where all organisations are held back the earliest vote of one of them.
    Closing a gap never makes it earlier.
    """
    own = [_earliest(votes, taken) for votes in ballot.by_org.values()]
    held = [] if VerdictValue.INTEGRATE in own else own
    return min((_earliest(ballot.product, taken), *held), key=_rank)


def _reasons(ballot: Ballot, value: VerdictValue) -> tuple[Vote, ...]:
    """The open gaps that argue for ``value``: the product's, or where it has none the organisations', then advice."""
    if value is VerdictValue.INTEGRATE:
        return ()
    product = [vote for vote in ballot.product if _is_gap(vote) and vote.value is value]
    own = (v for votes in ballot.by_org.values() for v in votes if _is_gap(v) and v.value is value)
    return (*(product or _unique(own)), *(vote for vote in ballot.advice if vote.value is value))


def _doubts(ballot: Ballot, latest: VerdictValue) -> tuple[Vote, ...]:
    """Undecided findings that could make the verdict earlier than ``latest``: the product's, else the organisations'.

    Of an organisation that nothing holds back, whatever could: the verdict is theirs only while all are held back.
    """
    product = tuple(vote for vote in ballot.product if vote.undecided and vote.value.rank < latest.rank)
    return product or _unique(
        vote
        for votes in ballot.by_org.values()
        for vote in votes
        if vote.undecided and (vote.value.rank < latest.rank or not any(map(_is_gap, votes)))
    )


def _unique(votes: Iterable[Vote]) -> tuple[Vote, ...]:
    """A vendor's vote reaches several organisations: keep each finding once, worst first."""
    return _in_order({vote.finding.key: vote for vote in votes}.values())


def _reason(vote: Vote) -> VerdictReason:
    finding = vote.finding
    return VerdictReason(key=finding.key, title=vote.rule.title, message=statement(finding), outcome=finding.outcome)


def _titles(votes: Iterable[Vote]) -> str:
    titles = list(dict.fromkeys(vote.rule.title for vote in votes))
    return listed([f"“{title}”" for title in titles] if len(titles) > 1 else titles)


def _headline(ballot: Ballot, value: VerdictValue, reasons: Sequence[Vote], readiness: Sequence[OrgReadiness]) -> str:
    """The headline of a settled verdict."""
    if value is VerdictValue.INTEGRATE and readiness and all(own.recommendation is not START for own in readiness):
        return "Integration comes next, but no organisation can start yet."
    headline = _TEXTS[value][0].format(titles=_titles(vote for vote in reasons if is_requirement(vote.rule)))
    if value is VerdictValue.INTEGRATE or any(_is_gap(v) and v.value is value for v in ballot.product):
        return headline + "."
    held = [
        {vote.rule.id for vote in votes if _is_gap(vote) and vote.value is value}
        for votes in ballot.by_org.values()
        if _earliest(votes, _is_gap) is value
    ]
    where = f"at {len(held):,} of {len(ballot.by_org):,} organisations"
    if any(rules != held[0] for rules in held):
        where += ", not all of it at each"
    return f"{headline} ({where}; no organisation is ready to integrate)."


def _find_out_first(
    now: Range, reasons: Sequence[Vote], doubts: Sequence[Vote], settled_by: Sequence[str], names: Mapping[str, str]
) -> tuple[str, Step]:
    """Headline and next step of a verdict that is not decided: an unknown is no pass (S07, S08)."""
    unseen = {str(vote.finding.subject) for vote in doubts if vote.finding.missing_facts} & names.keys()
    means = [count(len(settled_by), "answer")] if settled_by else []
    means += [f"a look at {listed([names[org] for org in sorted(unseen)])}"] if unseen else []
    unwritten = any(NO_CONTRACT in (vote.finding.detail or "") for vote in doubts)
    means += ["the workflow contract"] if unwritten else []
    settles = agree(len(settled_by) + len(unseen) + unwritten, "settles", "settle")
    headline = verdict(*now) + (f"; {listed(means)} {settles} it." if means else ".")
    if reasons:
        open_ = listed(list(dict.fromkeys(f"“{vote.rule.title}”" for vote in reasons)))
        headline += f" Already open: {open_}."
    rules = {vote.rule.id: vote.rule for vote in doubts}
    step = f"Rule out first: {listed([f'“{rule.title}”' for rule in rules.values()], 1)}."
    return headline, Step(step, step, rules=tuple(rules)[:1])


def _organizations(readiness: Sequence[OrgReadiness], names: Mapping[str, str]) -> str:
    """``Start at Riverside; map first at Lakeshore and Harbour.``"""
    groups: dict[Recommendation, list[str]] = {recommendation: [] for recommendation in Recommendation}
    for own in readiness:
        groups[own.recommendation].append(names.get(own.org, own.org))
    parts = [
        f"{RECOMMENDATION[recommendation].phrase} at "
        + (f"all {len(group)} organisations" if len(group) == len(readiness) > 2 else listed(group))
        for recommendation, group in groups.items()
        if group
    ]
    return capital("; ".join(parts)) + "." if parts else ""


def _next_step(
    value: VerdictValue,
    reasons: Sequence[Vote],
    readiness: Sequence[OrgReadiness],
    names: Mapping[str, str],
) -> Step:
    """What comes next under a settled verdict, and who does it."""
    text = _TEXTS[value][1]
    if reasons:
        remediation = reasons[0].rule.remediation
        step = f"{text}. Start here: {first_sentence(remediation.text)}"
        short = f"{text}. Start here: {sentence(remediation.task)}" if remediation.task else step
        return Step(step, short, remediation.owner, (reasons[0].rule.id,))
    nearest = sorted(
        (own for own in readiness if own.org in names),
        key=lambda own: (
            own.recommendation is not START,
            -(own.stage.rank if own.stage else -1),
            -own.score.interval.low,
        ),
    )
    if not nearest:
        return Step(f"{text}.", f"{text}.")
    name = names[nearest[0].org]
    if nearest[0].recommendation is START:
        step = f"{text}, starting with {name}."
    else:
        step = sentence(f"Take up first what holds {name} back: {nearest[0].because}")
    return Step(step, step, org=nearest[0].org)


def _counterfactual(ballot: Ballot, now: Range, names: Mapping[str, str]) -> Otherwise:
    """What settles an undecided verdict either way, or the fewest closures that move a settled one on."""
    if now.earliest is not now.latest:
        keys, then = _smallest_setback(ballot, now.latest)
        gaps = agree(len(keys), "turns out to be a gap", "all turn out to be gaps")
        earlier = "" if then is now.earliest else " or an earlier one"
        told = (
            f"If everything undecided turns out met, the verdict is “{VERDICT[now.latest].phrase}”; "
            f"if {_named(ballot, keys, names)} {gaps}, it is “{VERDICT[then].phrase}”{earlier}."
        )
        return Otherwise(told, tuple(keys))
    if now.latest is VerdictValue.INTEGRATE:
        return Otherwise("Nothing that is open or undecided would change it; only a new gap would.")
    keys = _smallest_closure(ballot, now.latest)
    closing, closed = f"Closing {_named(ballot, keys, names)}", ballot.without(set(keys)).range()
    if closed.earliest is closed.latest:
        return Otherwise(f"{closing} would make the verdict “{VERDICT[closed.latest].phrase}”.", tuple(keys))
    between = f"between “{VERDICT[closed.earliest].phrase}” and “{VERDICT[closed.latest].phrase}”"
    return Otherwise(f"{closing} would leave the verdict not decided, {between}.", tuple(keys))


def _named(ballot: Ballot, keys: Collection[str], names: Mapping[str, str]) -> str:
    """Findings by their rules' titles, each with the organisations that it is about: ``“Title” at A and B``."""
    at: dict[str, dict[str, None]] = {}
    for votes in (ballot.product, *ballot.by_org.values()):
        for vote in votes:
            subject = vote.finding.subject
            where = at.setdefault(vote.rule.title, {}) if vote.finding.key in keys else {}
            if subject.scope is Scope.ORG:
                where[names.get(subject.id, subject.id)] = None
    return listed([f"“{title}”" + (f" at {listed(list(where))}" if where else "") for title, where in at.items()], 4)


def _smallest_closure(ballot: Ballot, value: VerdictValue) -> list[str]:
    """The fewest open gaps whose closing makes a verdict later than ``value`` possible.

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
        (len(keys), -then.rank, sorted(keys))
        for keys in options
        if (then := ballot.without(keys).range().latest).rank > value.rank
    ]
    return min(moved)[2]


def _smallest_setback(ballot: Ballot, value: VerdictValue) -> tuple[list[str], VerdictValue]:
    """A few undecided findings that, found to be gaps, make the verdict earlier than ``value``, and that verdict.

    One of the product's is enough. Else each organisation that nothing holds back needs one, and if that is not enough
    one more argues for something earlier; a vendor's counts for all its organisations and is taken first.
    """
    undecided = [[vote for vote in votes if vote.undecided] for votes in (ballot.product, *ballot.by_org.values())]
    earlier = [[vote for vote in votes if vote.value.rank < value.rank] for votes in undecided]
    if earlier[0]:
        chosen = [min(earlier[0], key=_widest_first)]
    else:
        free = [_earliest(votes, _is_gap) is VerdictValue.INTEGRATE for votes in ballot.by_org.values()]
        chosen = [min(votes, key=_widest_first) for votes, alone in zip(undecided[1:], free, strict=True) if alone]
    keys = {vote.finding.key for vote in chosen}
    then = _tally(ballot, lambda vote: _is_gap(vote) or vote.finding.key in keys)
    if then is value:
        keys.add(min((vote for votes in earlier for vote in votes), key=_widest_first).finding.key)
        then = _tally(ballot, lambda vote: _is_gap(vote) or vote.finding.key in keys)
    return sorted(keys), then


def _widest_first(vote: Vote) -> tuple[bool, int, str]:
    return vote.finding.subject.scope is Scope.ORG, vote.value.rank, vote.finding.key
