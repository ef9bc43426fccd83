"""Speed of judging: many rules on many organisations, and again after one answer."""

from __future__ import annotations

import gc
import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring import Measured, best_of

if TYPE_CHECKING:
    from interlock.model.questionnaire import Item
    from interlock.usecases.load import Inputs

#: At how many organisations everything is judged anew, and answers are edited.
ORGANIZATIONS = 50


def all_new() -> Measured:
    """Everything at 50 organisations: every finding, score, stage and the verdict.

    CEL programs are compiled before, nothing else is remembered. The base decides every rule for every subject one by
    one, in the subject's whole context, for a tenth of the organisations, and is multiplied by ten.
    """
    from interlock.content.compile import compile_rules
    from interlock.judge.context import Knowledge
    from interlock.judge.engine import conclude
    from interlock.usecases.judge import Judge, judge_of

    inputs = fleet(ORGANIZATIONS)
    content = inputs.content
    compiled = compile_rules(content.ruleset)
    few = replace(inputs, organizations=inputs.organizations[::10])
    known = judge_of(content).rule_inputs(few)

    def one_by_one() -> None:
        for subject in Knowledge(known, items=frozenset(content.items)):
            context = subject.context({}, content.items)
            for rule in compiled:
                vendors = rule.rule.vendors
                if rule.rule.scope is subject.subject.scope and (not vendors or subject.vendor in vendors):
                    conclude(rule, context)

    def all_at_once() -> None:
        Judge(content.questionnaires, content.ruleset).judge(inputs)

    seconds, base = best_of(5, all_at_once, one_by_one, clock=time.process_time)
    return Measured(f"all new, {ORGANIZATIONS} orgs", seconds, "one by one", base * 10, 1.0, 0.25)


def one_more_answer() -> Measured:
    """One answer at 50 organisations: every finding, score, stage and the verdict again; the 95th percentile."""
    return _one_more_answer(ORGANIZATIONS, edits=200, at_most=0.060)


def one_more_answer_of_many() -> Measured:
    """The same at 300 organisations."""
    return _one_more_answer(300, edits=60, at_most=1.0)


def _one_more_answer(organizations: int, *, edits: int, at_most: float) -> Measured:
    """The base is judging the same inputs with nothing remembered."""
    from interlock.usecases.judge import Judge

    inputs = fleet(organizations)
    content = inputs.content
    chance = random.Random(1)
    base = float("inf")
    for _ in range(3):
        judge = Judge(content.questionnaires, content.ruleset)
        base = min(base, timed(lambda judge=judge, inputs=inputs: judge.judge(inputs)))
    items = [item for item in content.items.values() if item.options or item.type.value == "boolean"]
    seconds = []
    gc.freeze()  # as the terminal UI does once it has assessed
    for _ in range(edits):
        item = chance.choice(items)
        scope = chance.choice(inputs.organizations).id if item.scope.value == "org" else "product"
        inputs = inputs.with_response(scope, item.id, _answer(item, chance))
        seconds.append(timed(lambda inputs=inputs: judge.judge(inputs)))
    gc.unfreeze()
    p95 = sorted(seconds)[round(edits * 0.95)]
    return Measured(f"one answer, {organizations} orgs (p95)", p95, "judging anew", base, 0.75, at_most)


def timed(action: Any) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def fleet(number: int) -> Inputs:
    """The sample's product with this many organisations, each of which answers at random."""
    from interlock.usecases.initialize import initialize
    from interlock.usecases.load import load_inputs

    with tempfile.TemporaryDirectory() as folder:
        inputs = load_inputs(initialize(Path(folder) / "ws", "sepsis"))
    chance = random.Random(20260101)
    known = inputs.organizations
    organizations = tuple(
        known[n % len(known)].model_copy(update={"id": f"org-{n}", "name": f"Hospital {n}"}) for n in range(number)
    )
    asked = [item for item in inputs.content.items.values() if item.scope.value == "org"]
    by_org = {
        organization.id: {item.id: _answer(item, chance) for item in asked if chance.random() < 0.9}
        for organization in organizations
    }
    return replace(inputs, organizations=organizations, by_org=by_org, observations={})


def _answer(item: Item, chance: random.Random) -> Any:
    from interlock.model.base import Status
    from interlock.model.response import Response

    if item.options:
        value: Any = chance.choice(item.options).value
        value = (value,) if item.type.value == "multi_choice" else value
    elif item.type.value == "boolean":
        value = chance.random() < 0.5
    else:
        return Response(status=Status.UNKNOWN)
    return Response(status=Status.ANSWERED, value=value)
