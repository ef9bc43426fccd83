"""An organisation's answers beside what was observed of it: the file keeps the answer, what was observed is judged.

Conditions read ``compared``, how many of its answers an observation speaks about, and ``contradictions``, the ids of
those that it contradicts. Both are absent while nothing was observed: not observed is never "no contradiction". What an
observation says is decided by the first condition of an automatic answer that holds; while an earlier condition is
undecided, none of the later ones counts, so that half an observation never accuses anybody. It decides nothing where
there is no answer: there it is only proposed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from interlock.content.cel import cel
from interlock.content.compile import Expression, compile_expression
from interlock.content.messages import line, show
from interlock.content.syntax import CelSyntaxError
from interlock.judge.answers import NOT_KNOWN, AnswerState, States, state_of
from interlock.judge.variables import RuleInputs, cleaned, fact_variables, value_at
from interlock.model import words
from interlock.model.base import Evidence, Scope, Status
from interlock.model.finding import Contradiction
from interlock.model.observation import Observation
from interlock.model.questionnaire import AutoAnswer, Item, ItemType
from interlock.model.rehearsal import BrokenCheck, ProductObservation, RehearsalCheck, RehearsalTold, SettledQuestion
from interlock.model.response import AnswerValue

_MAX_EVIDENCE = 400


def find(inputs: RuleInputs) -> tuple[Contradiction, ...]:
    """Every answer that an observation contradicts: of the product's by a rehearsal, then of the organisations'."""
    questions = (item for questionnaire in inputs.questionnaires for item in questionnaire.questions())
    observed = [org.id for org in inputs.organizations if org.id in inputs.observations]
    facts = {org: cleaned(fact_variables(inputs, org)) for org in observed}
    contexts = {org: cel.Context(variables=variables) for org, variables in facts.items()}
    contradictions = list(_rehearsed(inputs))
    for item in automatic_items(questions):
        for org, context in contexts.items():
            response = inputs.by_org.get(org, {}).get(item.id)
            hidden = item.id in inputs.hidden.get(org, ())
            if response is None or response.agreed_status is not Status.ANSWERED or response.value is None or hidden:
                continue
            decided = observed_answer(item, context)
            if decided and differs(item, response.value, decided[0]):
                contradictions.append(
                    Contradiction(
                        item=item.id,
                        org=org,
                        answered=_in_words(item, response.value),
                        observed=_in_words(item, decided[0]),
                        evidence=_evidence(decided[1], inputs.observations[org], facts[org]),
                    )
                )
    return tuple(contradictions)


def _rehearsed(inputs: RuleInputs) -> Iterator[Contradiction]:
    """The product's answers that its latest rehearsal contradicts."""
    for name, said in inputs.rehearsed.items():
        response = inputs.product.get(name)
        if response is None or name in inputs.hidden.get("", ()):
            continue
        given = state_of(said.item, response, today=inputs.today)
        if given is None or given.value is None or (value := said.value(given.value)) == given.value:
            continue
        answered, observed = (_in_words(said.item, each) for each in (given.value, value))
        yield Contradiction(item=name, org=None, answered=answered, observed=observed, evidence=said.evidence)


def rehearsal_told(
    observation: ProductObservation, checks: Iterable[RehearsalCheck], inputs: RuleInputs
) -> RehearsalTold:
    """A rehearsal as it is told: how many checks showed what, what broke worst first, and what that settles."""
    by_id = {check.id: check for check in checks}
    settled = []
    for name, said in inputs.rehearsed.items():
        response = inputs.product.get(name)
        given = state_of(said.item, response, today=inputs.today) if response is not None else None
        answered = given.value if given is not None else None
        if answered is not None and not said.rows and not said.supports(answered):
            continue
        observed = said.value(answered) if answered is not None else said.best
        settled.append(
            SettledQuestion(
                item=name,
                text=said.item.text,
                observed=_in_words(said.item, observed),
                answered=None if answered is None else _in_words(said.item, answered),
                contradicted=answered is not None and observed != answered,
                checks=tuple(dict.fromkeys(row.id for row in said.rows)),
            )
        )
    decides = [(row, name) for name, said in inputs.rehearsed.items() for row in said.rows]
    return RehearsalTold(
        app=observation.app,
        started=observation.started,
        driver=observation.driver,
        layout=observation.layout,
        organizations=observation.organizations,
        left_out=observation.left_out,
        stopped=observation.stopped,
        aged=any(said.aged for said in inputs.rehearsed.values()),
        counts=dict(Counter(observation.outcomes.values())),
        hooks=observation.hooks,
        broke=tuple(
            BrokenCheck(
                result=row, check=by_id[row.id], questions=tuple(name for other, name in decides if other is row)
            )
            for row in observation.broken
            if row.id in by_id
        ),
        settled=tuple(settled),
    )


def automatic_items(items: Iterable[Item]) -> tuple[Item, ...]:
    """The items that an observation may answer, in their order."""
    return tuple(item for item in items if item.auto_answer and item.scope is Scope.ORG)


def automatic_reads(items: Iterable[Item]) -> frozenset[str]:
    """The dotted names that decide what an observation answers."""
    conditions = [_condition(automatic) for item in items for automatic in item.auto_answer]
    return frozenset(name for condition in conditions if condition is not None for name in condition.reads)


def observed_answer(item: Item, context: cel.Context) -> tuple[AnswerValue, Expression] | None:
    """The answer that observed facts give to an item, and the condition that gave it; none when they decide nothing."""
    for automatic in item.auto_answer:
        condition = _condition(automatic)
        if condition is None:
            return None
        holds, _ = condition.evaluate(context)
        if holds is None:
            return None
        if holds:
            return item.as_answer(automatic.value), condition
    return None


def differs(item: Item, answered: AnswerValue, observed: AnswerValue) -> bool:
    """Whether an observation contradicts an answer; of several options it names one that must be among them."""
    if item.type is ItemType.MULTI_CHOICE and isinstance(answered, tuple) and isinstance(observed, tuple):
        return not set(observed) <= set(answered)
    return type(answered) is not type(observed) or answered != observed


def observed_answers(items: Iterable[Item], context: cel.Context, states: States) -> dict[str, AnswerValue]:
    """What an observation says about the answered ones among some items, where it decides anything."""
    answered = (item for item in items if states.get(item.id, NOT_KNOWN).value is not None)
    decided = ((item.id, observed_answer(item, context)) for item in answered)
    return {item: observed[0] for item, observed in decided if observed is not None}


def comparison(items: Iterable[Item], observed: Mapping[str, AnswerValue], states: States) -> dict[str, Any]:
    """``compared`` and ``contradictions`` of one organisation that was observed: of its answers as they were given."""
    contradicted = [
        item.id
        for item in items
        if item.id in observed
        and (given := states[item.id].value) is not None
        and differs(item, given, observed[item.id])
    ]
    return {"compared": len(observed), "contradictions": contradicted}


def as_observed(item: Item, given: AnswerState, observed: AnswerValue) -> AnswerState:
    """What is judged of an answered item of which an observation says something.

    Of several options an observation may confirm some; the others stand as they were given, and so does the grade.
    """
    if given.value is not None and given.value != observed and not differs(item, given.value, observed):
        return given
    graded = item.graded_value(observed)
    return AnswerState(observed, None if graded is None else float(graded), Evidence.OBSERVED)


def _evidence(condition: Expression, observation: Observation, facts: dict[str, Any]) -> str:
    """When and where it was observed, and the facts that the condition reads, on one line."""
    shown = ", ".join(f"{name} = {_shown(value_at(facts, name))}" for name in condition.reads)
    return line(f"{observation.target.base_url} on {words.moment(observation.started)}: {shown}", _MAX_EVIDENCE)


def _shown(value: Any) -> str:
    if value is None:
        return "absent"
    return "present" if type(value) is dict else show(value)


def _in_words(item: Item, value: AnswerValue) -> str:
    values = value if isinstance(value, tuple) else (value,)
    labels = [
        option.label if isinstance(entry, str) and (option := item.option(entry)) else show(entry) for entry in values
    ]
    return line(", ".join(labels), 300)


def _condition(automatic: AutoAnswer) -> Expression | None:
    """When an answer is given; none when it is not CEL, which lint reports."""
    try:
        return compile_expression(automatic.when)
    except CelSyntaxError:
        return None
