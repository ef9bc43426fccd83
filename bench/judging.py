"""Speed of judging: many rules on many organisations, and again after one answer."""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring import Measured

if TYPE_CHECKING:
    from interlock.model.questionnaire import Item
    from interlock.model.rule import Ruleset
    from interlock.usecases.load import Inputs

RULES, ORGANIZATIONS = 300, 1_000
EDITED_ORGANIZATIONS, EDITS = 50, 200


def many_rules() -> Measured:
    """300 rules × 1,000 organisations: findings decided, scored, every organisation's stage and verdict.

    CEL programs are compiled before, nothing else is remembered. The base decides every rule for 20 organisations one
    by one, in one context each, and is multiplied by 50.
    """
    from interlock.rules.compile import compile_ruleset
    from interlock.rules.context import Contexts
    from interlock.rules.engine import conclude
    from interlock.usecases.judge import Judge, judge_of

    inputs = fleet(ORGANIZATIONS)
    content = inputs.content
    ruleset = _cloned(content.ruleset, RULES)
    compiled = compile_ruleset(ruleset)
    rule_inputs = judge_of(content).rule_inputs(inputs)
    few = inputs.organizations[:: ORGANIZATIONS // 20]

    def one_by_one() -> None:
        contexts = Contexts(rule_inputs, compiled.reads)
        for organization in few:
            context = contexts.organization(organization)
            for rule in compiled.rules:
                if rule.rule.scope is context.subject.scope:
                    conclude(rule, context)

    seconds = base = float("inf")
    for _ in range(3):
        judge = Judge(content.questionnaires, ruleset)
        seconds = min(seconds, timed(lambda judge=judge: judge.judge(inputs)))
        base = min(base, timed(one_by_one))
    return Measured(f"{RULES} rules x {ORGANIZATIONS:,} orgs", seconds, "one by one", base * 50, 0.25, 1.0)


def one_more_answer() -> Measured:
    """One answer at 50 organisations: every finding, score, stage and the verdict again; the 95th percentile.

    The base is judging the same inputs with nothing remembered.
    """
    from interlock.usecases.assess import judge
    from interlock.usecases.judge import Judge

    inputs = fleet(EDITED_ORGANIZATIONS)
    content = inputs.content
    chance = random.Random(1)
    base = float("inf")
    for _ in range(5):
        fresh = Judge(content.questionnaires, content.ruleset)
        base = min(base, timed(lambda fresh=fresh: (fresh.judge(inputs).findings, fresh.judge(inputs).verdict)))
    items = [item for item in content.items.values() if item.options or item.type.value == "boolean"]
    seconds = []
    for _ in range(EDITS):
        item = chance.choice(items)
        scope = chance.choice(inputs.organizations).id if item.scope.value == "org" else "product"
        inputs = inputs.with_response(scope, item.id, _answer(item, chance))
        seconds.append(timed(lambda inputs=inputs: ((judged := judge(inputs)).findings, judged.verdict)))
    p95 = sorted(seconds)[round(EDITS * 0.95)]
    return Measured(f"one answer, {EDITED_ORGANIZATIONS} orgs (p95)", p95, "judging anew", base, 0.25, 0.010)


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
    from interlock.model.questionnaire import Response

    if item.options:
        value: Any = chance.choice(item.options).value
        value = (value,) if item.type.value == "multi_choice" else value
    elif item.type.value == "boolean":
        value = chance.random() < 0.5
    else:
        return Response(status=Status.UNKNOWN)
    return Response(status=Status.ANSWERED, value=value)


def _cloned(ruleset: Ruleset, number: int) -> Ruleset:
    """As many rules of organisation scope, each with a condition of its own."""
    originals = [rule for rule in ruleset.rules if rule.scope.value == "org" and not rule.vendors]
    rules = []
    for place in range(number):
        original = originals[place % len(originals)]
        update = {
            "id": f"BENCH-{place:03d}",
            "gap_when": f"({original.gap_when}) && fleet.organizations > {place // len(originals)}",
            "depends_on": (),
        }
        rules.append(original.model_copy(update=update))
    return ruleset.model_copy(update={"rules": tuple(rules)})
