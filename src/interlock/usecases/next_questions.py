"""Which question to answer next, and why.

*The verdict* comes first. While it is not decided, what can still change it is asked before everything else: what could
make it earliest, because an early gap settles it and all later votes no longer matter; then what alone decides a
rule that votes, what several such rules wait for, and what belongs to the core. Of questions that can do the same to it
the one that is read first, and the product's: what an event or a path is, is asked before who agreed to it somewhere.
Once it is settled, *gates*: at how many gates everything else is settled, so that this answer alone decides whether the
gate holds. Then *points*: by how much the answer shrinks the intervals of the scores. Each undecided rule that waits
for it holds 100·w/Σw points of its subject's interval open (docs/scoring.md); where a rule waits for more than one
thing, each gets an equal part. Then the questionnaires' own *order*.

A question that may not have to be asked comes after those that certainly are, and hands what it is worth to the open
question on which that depends; so does an organisation's question to the product's proposal, while there is none. What
was answered with unknown comes last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from interlock.judge.settling import doubts
from interlock.judge.verdict import Vote, ballot_of
from interlock.model import words
from interlock.model.base import Gate, Model, Scope, Status, VerdictValue
from interlock.model.finding import GATE_RANK, PRODUCT, UNDECIDED, Finding, is_requirement
from interlock.model.plan import FirstThing
from interlock.model.readiness import OrgReadiness
from interlock.model.rule import Rule
from interlock.model.text import plain
from interlock.usecases.judge import Judgement, judge
from interlock.usecases.load import Inputs
from interlock.usecases.questions import Asked, questions, scope_asked, value_words

_OPEN = frozenset({Status.UNANSWERED, Status.UNKNOWN})


class GateAtStake(Model):
    """A gate of an organisation at which only this answer is missing."""

    org: str
    gate: Gate


class NextQuestion(Model):
    """One question without an answer and why it is next.

    :ivar scope: ``product`` or the organisation's id.
    :ivar unknown: it was answered with unknown; nobody is asked again at once.
    :ivar verdict: ids of the undecided rules that wait for it and could still change the verdict.
    :ivar points: of all score intervals together, how many of their 100 points this answer settles.
    :ivar rules: ids of the undecided rules that wait for it; ``alone`` those that wait for nothing else.
    :ivar because: the same in words.
    :ivar assignee, due: who owes the answer, and by when.
    """

    item: str
    scope: str
    text: str
    priority: str
    unknown: bool = False
    verdict: tuple[str, ...] = ()
    points: float
    rules: tuple[str, ...]
    alone: tuple[str, ...]
    gates: tuple[GateAtStake, ...]
    because: str
    assignee: str | None = None
    due: str | None = None


class NextQuestions(Model):
    """What ``interlock next --format json`` prints; schema version 1.

    :ivar unanswered: how many questions of the profile have no answer.
    :ivar unknown: how many were answered with unknown; they stand at the end.
    :ivar first: the first thing to do, as the plan of all organisations has it, where that was asked for.
    """

    schema_version: str = "1"
    unanswered: int
    unknown: int = 0
    questions: tuple[NextQuestion, ...]
    first: FirstThing | None = None


class Stake(NamedTuple):
    """A vote that a question can decide.

    :ivar later: it only matters once another organisation turns out to be held back.
    :ivar shared: the rule waits for something else too.
    """

    vote: Vote
    later: bool
    shared: bool

    @property
    def order(self) -> tuple[bool, int, bool]:
        """What sorts it among others."""
        return self.later, self.vote.value.rank, self.shared


@dataclass
class Ranked:
    """A question without an answer, with what it settles.

    :ivar certain: it has to be asked as things stand, whatever is answered elsewhere.
    """

    asked: Asked
    certain: bool
    points: float = 0.0
    waiting: dict[str, Rule] = field(default_factory=dict)
    alone: set[str] = field(default_factory=set)
    gates: list[GateAtStake] = field(default_factory=list)
    stakes: list[Stake] = field(default_factory=list)

    @property
    def unknown(self) -> bool:
        """Whether it was answered, with unknown."""
        return self.asked.counts_as is Status.UNKNOWN

    @property
    def order(self) -> tuple[object, ...]:
        """What sorts it among others; those that settle equally much stay in the order of the questionnaires."""
        points = 0.0 if self.stakes else self.points
        return self.unknown, not self.certain, *self._verdict_order(), -len(self.gates), -round(points, 6)

    def _verdict_order(self) -> tuple[object, ...]:
        if not self.stakes:
            return True, True, 0, False, 0, False
        first = min(stake.order for stake in self.stakes)
        alike = sum(stake.order == first for stake in self.stakes)
        return False, *first, -alike, self.asked.item.priority != "core"

    def take(self, other: Ranked) -> None:
        """Take over what another question settles, which waits for this one."""
        self.points += other.points
        self.waiting |= other.waiting
        self.gates += [stake for stake in other.gates if stake not in self.gates]
        known = {stake.vote.finding.key for stake in self.stakes}
        self.stakes += [s._replace(shared=True) for s in other.stakes if s.vote.finding.key not in known]


def next_questions(inputs: Inputs, scope: str | None = None, limit: int = 1) -> NextQuestions:
    """The questions to answer next, of all scopes or of one."""
    judged = judge(inputs)
    ranked = rank_questions(inputs, scope, judged)
    unknown = sum(question.unknown for question in ranked)
    return NextQuestions(
        unanswered=len(ranked) - unknown,
        unknown=unknown,
        questions=tuple(_told(question, inputs, judged) for question in ranked[:limit]),
    )


def rank_questions(inputs: Inputs, scope: str | None = None, judged: Judgement | None = None) -> tuple[Ranked, ...]:
    """Questions without an answer, of all scopes or of one, the one to answer next first."""
    judged = judged or judge(inputs)
    # What the product proposes is worth what the organisations' questions are, so that they are ranked with it.
    scopes = [scope] if scope not in {None, "product"} else ["product", *(org.id for org in inputs.organizations)]
    ranked: dict[tuple[str, str], Ranked] = {}
    for name in scopes:
        left = [question for question in questions(inputs, name) if question.counts_as in _OPEN]
        shown = inputs.visible(name) if left else {}
        ranked |= {
            (name, question.item.id): Ranked(question, certain=shown.get(question.item.id) is True) for question in left
        }
    undecided = [finding for finding in judged.findings if finding.outcome in UNDECIDED and finding.missing_answers]
    for finding in undecided:
        _credit(finding, judged, inputs, ranked)
    _votes(judged, inputs, ranked)
    _gates(undecided, judged, inputs, ranked)
    _hand_over(inputs, ranked)
    shown_here = [question for (name, _), question in ranked.items() if scope in {None, name}]
    return tuple(sorted(shown_here, key=lambda question: question.order))


def _waits_for(finding: Finding, inputs: Inputs, ranked: Mapping[tuple[str, str], Ranked]) -> Iterator[Ranked]:
    for name in finding.missing_answers:
        item = inputs.content.items.get(name)
        scope = scope_asked(item, finding.subject) if item else None
        if scope is not None and (scope, name) in ranked:
            yield ranked[scope, name]


def _things(finding: Finding) -> int:
    """How many answers and facts it waits for."""
    return len(finding.missing_answers) + len(finding.missing_facts)


def _credit(finding: Finding, judged: Judgement, inputs: Inputs, ranked: Mapping[tuple[str, str], Ranked]) -> None:
    rule = judged.rules[finding.rule]
    points = _points(finding, judged, inputs) / _things(finding) if is_requirement(rule) else 0.0
    for question in _waits_for(finding, inputs, ranked):
        question.points += points
        question.waiting[rule.id] = rule
        if _things(finding) == 1:
            question.alone.add(rule.id)


def _points(finding: Finding, judged: Judgement, inputs: Inputs) -> float:
    """100·w/Σw of every score that the finding is in: the product's, or its organisations'."""
    weight, tallies = judged.rules[finding.rule].score_weight, judged.tallies
    subject = finding.subject
    if subject.scope is Scope.PRODUCT:
        return 100 * weight / tallies.product.applicable
    orgs = [
        org
        for org in inputs.organizations
        if subject.id in {org.id, org.vendor if subject.scope is Scope.VENDOR else ""}
    ]
    return sum(
        100 * weight / (own.applicable + vendor.applicable)
        for org in orgs
        for _, vendor, own in [tallies.concerning(org)]
    )


def _votes(judged: Judgement, inputs: Inputs, ranked: Mapping[tuple[str, str], Ranked]) -> None:
    """What each question can do to the verdict."""
    left = doubts(ballot_of(judged.tallies, inputs.organizations))
    for later, votes in ((False, left.now), (True, left.later)):
        for vote in votes:
            for question in _waits_for(vote.finding, inputs, ranked):
                question.stakes.append(Stake(vote, later, shared=_things(vote.finding) > 1))


def _gates(
    undecided: Iterable[Finding], judged: Judgement, inputs: Inputs, ranked: Mapping[tuple[str, str], Ranked]
) -> None:
    """At each organisation, the first gate that only one open question keeps from holding or failing."""
    last = GATE_RANK[inputs.settings.target_gate]
    by_key = {finding.key: finding for finding in undecided}
    for readiness in judged.readiness:
        keys = _first_gate(readiness, last)
        if keys is None:
            continue
        findings = [by_key.get(key) for key in keys[1]]
        waiting = [
            list(_waits_for(finding, inputs, ranked)) if finding and not finding.missing_facts else []
            for finding in findings
        ]
        if all(len(waiters) == 1 for waiters in waiting) and len({id(waiters[0]) for waiters in waiting}) == 1:
            waiting[0][0].gates.append(GateAtStake(org=readiness.org, gate=keys[0]))


def _first_gate(readiness: OrgReadiness, last: int) -> tuple[Gate, tuple[str, ...]] | None:
    """The first gate that does not hold, and what is undecided there; none when something is open at it."""
    for state in readiness.gates:
        if not state.holds:
            return None if state.open or GATE_RANK[state.gate] > last else (state.gate, state.undecided)
    return None


def _hand_over(inputs: Inputs, ranked: Mapping[tuple[str, str], Ranked]) -> None:
    """What may not have to be asked lends its worth to the open question that decides whether it is.

    An organisation confirms what the product proposes, so the proposal comes before.
    """
    behind = [question for question in ranked.values() if not question.certain]
    for (scope, name), question in ranked.items():
        proposal = ranked.get(("product", name)) if scope != "product" else None
        if proposal is not None and proposal.certain and not proposal.unknown and question.certain:
            question.certain = False
            proposal.take(question)
    for question in behind:
        scope = question.asked.scope
        for condition in question.asked.item.enable_when:
            control = ranked.get((scope, condition.question)) or ranked.get(("product", condition.question))
            if control is not None and control.certain:
                control.take(question)
                break


def _told(question: Ranked, inputs: Inputs, judged: Judgement) -> NextQuestion:
    """A ranked question as data."""
    item, response = question.asked.item, question.asked.response
    return NextQuestion(
        item=item.id,
        scope=question.asked.scope,
        text=question.asked.text,
        priority=item.priority,
        unknown=question.unknown,
        verdict=tuple(sorted({stake.vote.rule.id for stake in question.stakes})),
        points=round(question.points, 1),
        rules=tuple(sorted(question.waiting)),
        alone=tuple(sorted(question.alone)),
        gates=tuple(question.gates),
        because=_because(question, inputs, judged),
        assignee=response.assignee if response else None,
        due=response.due if response else None,
    )


def _because(question: Ranked, inputs: Inputs, judged: Judgement) -> str:
    """Why a question is next, in words."""
    names = {org.id: plain(org.name, 80) for org in inputs.organizations}
    verdict = judged.verdict
    parts = ["it was answered with unknown"] if question.unknown else []
    parts += _proposal_words(question.asked, inputs)
    response = question.asked.response
    if response is not None and (owes := response.owes(inputs.today)) is not None:
        parts.append(owes)
    if question.stakes:
        parts.append(_verdict_words(question, names, judged))
    elif verdict.value is verdict.latest is not VerdictValue.INTEGRATE:
        parts.append(f"the verdict is settled as “{words.VERDICT[verdict.value].phrase}”")
    gates: dict[Gate, list[str]] = {}
    for stake in question.gates:
        gates.setdefault(stake.gate, []).append(names.get(stake.org, stake.org))
    for gate, orgs in gates.items():
        at = orgs[0] if len(orgs) == 1 else words.count(len(orgs), "organisation")
        parts.append(f"it alone decides the {words.GATE[gate].phrase} gate of {at}")
    points = words.number(question.points)
    if points != "0":
        parts.append(f"settles {points} {'point' if points == '1' else 'points'} of the score")
    rules = list(question.waiting.values())
    if len(rules) == 1 and not question.stakes:
        parts.append(f"“{plain(rules[0].title, 120)}” waits for it")
    elif len(rules) != 1:
        waiting = words.count(len(rules), "rule") if rules else "no rule"
        parts.append(f"{waiting} {words.agree(max(1, len(rules)), 'waits', 'wait')} for it")
    return "; ".join(parts)


def _proposal_words(asked: Asked, inputs: Inputs) -> list[str]:
    """What the product proposes for all organisations, or that it may."""
    if not asked.item.proposable:
        return []
    if asked.scope == "product":
        left = sum(asked.item.id not in inputs.answers(org.id) for org in inputs.organizations)
        every = "all " if left == len(inputs.organizations) else ""
        return [f"one answer is proposed to {every}{left} organisations, and each confirms it (or answers with --org)"]
    proposed = inputs.product.get(asked.item.id)
    if proposed is None or proposed.value is None:
        return []
    return [f"the product proposes “{plain(value_words(asked.item, proposed.value), 120)}”, to be confirmed here"]


def _verdict_words(question: Ranked, names: Mapping[str, str], judged: Judgement) -> str:
    """What a question can do to the verdict: ``it can settle the verdict: “The output changes” makes it …``."""
    vote, _, shared = min(question.stakes, key=lambda stake: stake.order)
    subject = vote.finding.subject
    makes = f"“{plain(vote.rule.title, 120)}” would make it “{words.VERDICT[vote.value].phrase}”"
    if subject == PRODUCT and vote.value is judged.verdict.value and not shared:
        return f"it can settle the verdict alone: {makes}"
    at = f" at {names[subject.id]}" if subject.id in names else ""
    return f"the verdict waits for it{at}: {makes}"
