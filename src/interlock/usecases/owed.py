"""What somebody owes: answers, their evidence, and evidence that has expired or that a gate wants."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Literal

from interlock.model import words
from interlock.model.base import Evidence, Gate, Model, RuleOutcome, Scope, Status
from interlock.model.evidence import EvidenceTask
from interlock.model.finding import Finding
from interlock.model.response import Response
from interlock.model.text import plain
from interlock.usecases.judge import Judgement, asked
from interlock.usecases.load import Inputs
from interlock.usecases.questions import scope_asked

if TYPE_CHECKING:
    from interlock.model.assessment import Assessment  # brings the plan's models, which the score does without

#: What is owed of an answer: itself, its evidence, evidence in the place of what has expired, or a decision between
#: the answers of several authors.
Want = Literal["answer", "evidence", "renewal", "decision"]
_OPEN = (Status.UNANSWERED, Status.UNKNOWN)


class OwedAnswer(Model):
    """One thing that is owed of one question.

    :ivar scope: ``product`` or the organisation's id.
    :ivar assignee: who owes it; none where nobody is named, which is the product team's.
    :ivar due: the day by which; of expired evidence the last day on which it counted.
    :ivar because: what is owed, in words.
    """

    item: str
    scope: str
    text: str
    want: Want
    assignee: str | None = None
    due: str | None = None
    overdue: bool = False
    because: str


class OwedAnswers(Model):
    """What ``interlock questions --owed --format json`` prints; schema version 1."""

    schema_version: str = "1"
    owed: tuple[OwedAnswer, ...]


def owed_answers(inputs: Inputs, scope: str | None = None, who: str | None = None) -> OwedAnswers:
    """What is owed, what is overdue first and then by day.

    :param who: only what this person owes, by a part of the name.
    """
    scopes = [scope] if scope else ["product", *(org.id for org in inputs.organizations)]
    entries = [entry for name in scopes for entry in _owed_of(inputs, name)]
    if who is not None:
        entries = [entry for entry in entries if who.casefold() in (entry.assignee or "").casefold()]
    return OwedAnswers(owed=tuple(sorted(entries, key=lambda entry: (not entry.overdue, entry.due or "9999"))))


def _owed_of(inputs: Inputs, scope: str) -> Iterator[OwedAnswer]:
    answers = inputs.answers(scope)
    for item in asked(inputs, scope):
        response = answers.get(item.id)
        if response is None:
            continue

        def owed(want: Want, because: str, due: str | None, overdue: bool, name: str | None) -> OwedAnswer:
            return OwedAnswer(
                item=item.id,  # noqa: B023  # called at once
                scope=scope,
                text=item.text_for(scope),  # noqa: B023
                want=want,
                assignee=name,
                due=due,
                overdue=overdue,
                because=because,
            )

        if response.agreed_status is not response.status:
            names = words.listed([plain(answer.by or "somebody", 60) for answer in response.answers])
            yield owed("decision", f"{names} answered differently", response.due, False, response.assignee)
        elif response.assignee or response.due:
            want: Want = "answer" if response.status in _OPEN else "evidence"
            because = "no answer yet" if want == "answer" else "evidence for the answer"
            yield owed(want, because, response.due, response.overdue(inputs.today), response.assignee)
        for record in response.expired(inputs.today):
            because = f"renew: {record.ended(inputs.today)}"
            yield owed("renewal", because, record.valid_until, True, response.assignee)


def evidence_tasks(inputs: Inputs, judged: Judgement | Assessment, org: str | None = None) -> tuple[EvidenceTask, ...]:
    """Evidence to renew or to gather, so that what is met counts at the gates that it is a requirement of.

    :param org: only what is wanted at this organisation.
    """
    findings = {finding.key: finding for finding in judged.findings}
    wanting: dict[tuple[str, Gate, Evidence], list[str]] = {}
    for readiness in judged.readiness:
        for state in readiness.gates:
            for weak in state.weak:
                wanting.setdefault((weak.key, state.gate, weak.wanted), []).append(readiness.org)
    known = {key for key, *_ in wanting}
    for finding in judged.findings if _some_expired(inputs) else ():
        if finding.outcome is RuleOutcome.MET and finding.key not in known and _expired(inputs, finding):
            counted = tuple(Evidence)[min(2, (finding.evidence or Evidence.ASSERTED).rank + 1)]
            wanting[finding.key, judged.rules[finding.rule].gate, counted] = _concerned(inputs, finding)
    tasks = (
        _task(inputs, judged, findings[key], gate, want, orgs, accepted=key not in known)
        for (key, gate, want), orgs in wanting.items()
    )
    return tuple(
        sorted((task for task in tasks if org is None or org in task.orgs), key=lambda task: (task.gate.rank, task.key))
    )


def _some_expired(inputs: Inputs) -> bool:
    """Whether any evidence has expired: where none has, no finding has to be looked through for it."""
    scopes = ("product", *(org.id for org in inputs.organizations))
    return any(response.expired(inputs.today) for scope in scopes for response in inputs.answers(scope).values())


def _task(
    inputs: Inputs,
    judged: Judgement | Assessment,
    finding: Finding,
    gate: Gate,
    wanted: Evidence,
    orgs: list[str],
    *,
    accepted: bool,
) -> EvidenceTask:
    rule, expired, has = judged.rules[finding.rule], _expired(inputs, finding), finding.evidence or Evidence.ASSERTED
    where = words.GATE[gate].phrase
    if expired:
        sentence = f"evidence expired, renew it: {words.listed(expired)}"
    else:
        also = ", or an independent test report" if wanted is Evidence.OBSERVED else ""
        sentence = f"{words.EVIDENCE[has].phrase} only; {where} wants it {words.EVIDENCE[wanted].phrase}{also}"
    return EvidenceTask(
        key=finding.key,
        rule=rule.id,
        title=rule.title,
        orgs=tuple(orgs),
        gate=gate,
        has=finding.evidence,
        wanted=wanted,
        accepted=accepted,
        items=tuple(item for item, _ in _answers_read(inputs, finding)),
        expired=expired,
        sentence=sentence,
    )


def _expired(inputs: Inputs, finding: Finding) -> tuple[str, ...]:
    """The evidence that has expired behind answers that nothing else supports."""
    lost = (
        response.expired(inputs.today)
        for _, response in _answers_read(inputs, finding)
        if response.grade(inputs.today) is not response.evidence
    )
    return tuple(ended for record in chain(*lost) if (ended := record.ended(inputs.today)) is not None)


def _answers_read(inputs: Inputs, finding: Finding) -> Iterator[tuple[str, Response]]:
    """The questions that a finding reads, with their answers."""
    for name in dict.fromkeys(name.partition(".")[2] for name in finding.reads):
        item = inputs.content.items.get(name)
        scope = scope_asked(item, finding.subject) if item else None
        response = inputs.answers(scope).get(name) if scope else None
        if response is not None:
            yield name, response


def _concerned(inputs: Inputs, finding: Finding) -> list[str]:
    subject = finding.subject
    return [
        org.id
        for org in inputs.organizations
        if subject.scope is Scope.PRODUCT or subject.id == (org.id if subject.scope is Scope.ORG else org.vendor)
    ]
