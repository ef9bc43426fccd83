"""The questions of a workspace with their answers, in reading order; and which to answer next.

What settles most comes first. Three things count, in this order. *Gates*: at how many gates everything else is settled,
so that this answer alone decides whether the gate holds. *Points*: by how much the answer shrinks the intervals of the
scores. Each undecided rule that waits for it holds 100·w/Σw points of its subject's interval open (docs/scoring.md);
where a rule waits for more than one thing, each gets an equal part. *Order*: the questionnaires' own. A question that
may not have to be asked comes after those that certainly are, and hands its points to the open question on which that
depends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from interlock.model import words
from interlock.model.base import Gate, Model, Scope, Status
from interlock.model.finding import GATE_RANK, UNDECIDED, Finding, Subject, is_requirement
from interlock.model.questionnaire import AnswerValue, Item, Response
from interlock.model.readiness import OrgReadiness
from interlock.usecases.judge import Judgement, asked, judge
from interlock.usecases.load import Inputs


@dataclass(frozen=True)
class Asked:
    """One question in one scope (``product`` or an organisation's id), with its answer if there is one."""

    scope: str
    area: str
    item: Item
    response: Response | None

    @property
    def status(self) -> Status:
        """The response's status; unanswered without one."""
        return self.response.status if self.response else Status.UNANSWERED

    def shown_answer(self) -> str:
        """The answer in words: option labels for choices, yes or no, the value, or the status."""
        value = self.response.value if self.response else None
        return words.STATUS[self.status].phrase if value is None else value_words(self.item, value)


def value_words(item: Item, value: AnswerValue) -> str:
    """A question's answer in words: option labels for choices, yes or no, or the value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    values = value if isinstance(value, tuple) else (value,)
    return ", ".join(option.label if (option := item.option(str(entry))) else str(entry) for entry in values)


def questions(inputs: Inputs, scope: str) -> tuple[Asked, ...]:
    """Questions of one scope that are (or may be) shown, in reading order."""
    areas = {
        item.id: questionnaire for questionnaire in inputs.content.questionnaires for item in questionnaire.questions()
    }
    answers = inputs.answers(scope)
    return tuple(Asked(scope, areas[item.id].title, item, answers.get(item.id)) for item in asked(inputs, scope))


class GateAtStake(Model):
    """A gate of an organisation at which only this answer is missing."""

    org: str
    gate: Gate


class NextQuestion(Model):
    """One unanswered question and why it is next.

    :ivar scope: ``product`` or the organisation's id.
    :ivar points: of all score intervals together, how many of their 100 points this answer settles.
    :ivar rules: ids of the undecided rules that wait for it; ``alone`` those that wait for nothing else.
    :ivar because: the same in words.
    """

    item: str
    scope: str
    text: str
    priority: str
    points: float
    rules: tuple[str, ...]
    alone: tuple[str, ...]
    gates: tuple[GateAtStake, ...]
    because: str


class NextQuestions(Model):
    """What ``interlock next --format json`` prints; schema version 1.

    :ivar unanswered: how many questions of the profile have no answer.
    """

    schema_version: str = "1"
    unanswered: int
    questions: tuple[NextQuestion, ...]


@dataclass
class Ranked:
    """An unanswered question with what it settles."""

    asked: Asked
    certain: bool
    points: float = 0.0
    waiting: set[str] = field(default_factory=set)
    alone: set[str] = field(default_factory=set)
    gates: list[GateAtStake] = field(default_factory=list)

    def told(self) -> NextQuestion:
        """As data."""
        return NextQuestion(
            item=self.asked.item.id,
            scope=self.asked.scope,
            text=self.asked.item.text,
            priority=self.asked.item.priority,
            points=round(self.points, 1),
            rules=tuple(sorted(self.waiting)),
            alone=tuple(sorted(self.alone)),
            gates=tuple(self.gates),
            because=self._because(),
        )

    def _because(self) -> str:
        parts = []
        if self.gates:
            shown = ", ".join(f"{stake.gate.value} at {stake.org}" for stake in self.gates[:3])
            more = f" and {len(self.gates) - 3} more" if len(self.gates) > 3 else ""
            parts.append(f"the last thing open at the gate {shown}{more}")
        if self.points >= 0.05:
            parts.append(f"settles {self.points:.1f} points")
        if self.waiting:
            named = ", ".join(sorted(self.waiting)[:3]) + (" …" if len(self.waiting) > 3 else "")
            alone = f", {len(self.alone)} of them for nothing else" if self.alone else ""
            parts.append(
                f"{len(self.waiting)} {'rule waits' if len(self.waiting) == 1 else 'rules wait'} ({named}){alone}"
            )
        return "; ".join(parts) or "no rule waits for it; next in the questionnaire"


def next_questions(inputs: Inputs, scope: str | None = None, limit: int = 1) -> NextQuestions:
    """The questions to answer next, of all scopes or of one."""
    ranked = rank_questions(inputs, scope)
    return NextQuestions(unanswered=len(ranked), questions=tuple(question.told() for question in ranked[:limit]))


def rank_questions(inputs: Inputs, scope: str | None = None) -> tuple[Ranked, ...]:
    """Unanswered questions, of all scopes or of one, what settles most first."""
    scopes = [scope] if scope else ["product", *(org.id for org in inputs.organizations)]
    ranked: dict[tuple[str, str], Ranked] = {}
    for name in scopes:
        unanswered = [question for question in questions(inputs, name) if question.status is Status.UNANSWERED]
        shown = inputs.visible(name) if unanswered else {}
        ranked |= {
            (name, question.item.id): Ranked(question, certain=shown.get(question.item.id) is True)
            for question in unanswered
        }
    judged = judge(inputs)
    undecided = [finding for finding in judged.findings if finding.outcome in UNDECIDED and finding.missing_answers]
    for finding in undecided:
        _credit(finding, judged, inputs, ranked)
    _gates(undecided, judged, inputs, ranked)
    _hand_over(inputs, ranked)
    # Sorting is stable: what settles equally much stays in the order of the questionnaires.
    return tuple(
        sorted(
            ranked.values(),
            key=lambda question: (not question.certain, -len(question.gates), -round(question.points, 6)),
        )
    )


def scope_asked(item: Item, subject: Subject) -> str | None:
    """Where a finding's subject has its answer to a question; none where an organisation's is no answer about it."""
    if item.scope is not Scope.ORG:
        return "product"
    return subject.id if subject.scope is Scope.ORG else None


def _waits_for(finding: Finding, inputs: Inputs, ranked: Mapping[tuple[str, str], Ranked]) -> Iterable[Ranked]:
    for name in finding.missing_answers:
        item = inputs.content.items.get(name)
        scope = scope_asked(item, finding.subject) if item else None
        if scope is not None and (scope, name) in ranked:
            yield ranked[scope, name]


def _credit(finding: Finding, judged: Judgement, inputs: Inputs, ranked: Mapping[tuple[str, str], Ranked]) -> None:
    rule = judged.rules[finding.rule]
    things = len(finding.missing_answers) + len(finding.missing_facts)
    points = _points(finding, judged, inputs) / things if is_requirement(rule) else 0.0
    for question in _waits_for(finding, inputs, ranked):
        question.points += points
        question.waiting.add(rule.id)
        if things == 1:
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
    """What may not have to be asked lends its weight to the open question that decides whether it is."""
    for (scope, _), question in ranked.items():
        if question.certain:
            continue
        for condition in question.asked.item.enable_when:
            control = ranked.get((scope, condition.question)) or ranked.get(("product", condition.question))
            if control is not None and control.certain:
                control.points += question.points
                control.waiting |= question.waiting
                break
