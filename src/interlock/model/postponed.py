"""Which verdicts postpone which work: of every rule's gap and every routine task, the last verdict that postpones it.

An earlier verdict postpones whatever a later one does. What a verdict postpones waits for all that settles it: the gaps
that argue for it, and the routine tasks that belong to it. The whole rule is argued in docs/scheduling.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from interlock.model.base import Gate, Scope, VerdictValue
from interlock.model.finding import is_requirement
from interlock.model.rule import RoutineTask, Rule

_IN_ORDER = tuple(VerdictValue)
#: The verdicts that postpone something, in order; under the last one there is nothing to wait for.
POSTPONING = _IN_ORDER[:-1]
_WIDEST_FIRST = (Scope.PRODUCT, Scope.VENDOR, Scope.ORG)


def heard_by(scope: Scope) -> tuple[Scope, ...]:
    """Scopes of what settles a verdict for something of this scope: never narrower than itself.

    One organisation's open gap holds up that organisation alone.
    """
    return _WIDEST_FIRST[: _WIDEST_FIRST.index(scope) + 1]


def argues_for(rule: Rule) -> VerdictValue | None:
    """The verdict that an open gap of this rule argues for: advice and experimental rules settle nothing."""
    return rule.verdict if is_requirement(rule) else None


def last_postponing(rules: Mapping[str, Rule], tasks: Mapping[str, RoutineTask]) -> dict[str, VerdictValue]:
    """Rule or routine task → the last verdict that postpones it; what no verdict postpones is not in it.

    What we decide on paper (gate design) never waits; what others have to decide with us there waits until the product
    is settled. Everything else waits until the product is settled and proven, and what builds on a part of the contract
    until the whole contract is defined. What argues for a verdict, or belongs to it, is postponed by earlier ones only.
    """
    waits_for: dict[str, tuple[str, ...]] = {rule.id: rule.depends_on for rule in rules.values()}
    waits_for |= {task.id: task.after for task in tasks.values()}
    contract = {name for name, rule in rules.items() if argues_for(rule) is VerdictValue.DEFINE_CONTRACT}
    builds_on = _behind(contract, waits_for)
    last = {}
    for rule in rules.values():
        if rule.gate is not Gate.DESIGN:
            last[rule.id] = _before(argues_for(rule), _by_order(rule.id, builds_on))
        elif rule.scope is not Scope.PRODUCT:
            last[rule.id] = _before(argues_for(rule), VerdictValue.PRODUCT_FIRST)
    for task in tasks.values():
        last[task.id] = _before(task.verdict, task.postponed_by or _by_order(task.id, builds_on))
    return {name: verdict for name, verdict in last.items() if verdict is not None}


def waiting(rules: Mapping[str, Rule], tasks: Mapping[str, RoutineTask]) -> dict[str, list[str]]:
    """Everything that the content waits for, the verdict's arrows among it: one circle in it is a circle in a plan.

    A verdict stands in it by its name, once for each scope: ``define_contract at org``.
    """
    following = {rule.id: list(rule.depends_on) for rule in rules.values()}
    following |= {task.id: list(task.after) for task in tasks.values()}
    for task in tasks.values():
        for general in task.replaces:
            following.setdefault(general, []).append(task.id)
        stood_for = [tasks[general].before for general in task.replaces if general in tasks]
        for rule_id in (*task.before, *task.closes, *(name for names in stood_for for name in names)):
            following.setdefault(rule_id, []).append(task.id)
    settles = [(rule.id, rule.scope, argues_for(rule)) for rule in rules.values()]
    settles += [(task.id, task.scope, task.verdict) for task in tasks.values()]
    for name, scope, verdict in settles:
        if verdict is not None:
            following.setdefault(_at(verdict, scope), []).append(name)
    scopes = {rule.id: rule.scope for rule in rules.values()} | {task.id: task.scope for task in tasks.values()}
    for name, last in last_postponing(rules, tasks).items():
        for verdict in POSTPONING[: last.rank + 1]:
            following[name] += [at for wide in heard_by(scopes[name]) if (at := _at(verdict, wide)) in following]
    return following


def _at(verdict: VerdictValue, scope: Scope) -> str:
    return f"{verdict.value} at {scope.value}"


def _by_order(name: str, builds_on: set[str]) -> VerdictValue:
    return VerdictValue.DEFINE_CONTRACT if name in builds_on else VerdictValue.PROVE_OUTSIDE_EHR


def _before(settles: VerdictValue | None, last: VerdictValue) -> VerdictValue | None:
    """``last``, or the verdict before the one that is settled here, whichever is earlier; none before the first."""
    if settles is None or settles.rank > last.rank:
        return last
    return _IN_ORDER[settles.rank - 1] if settles.rank else None


def _behind(names: set[str], waits_for: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Whatever waits for one of these, directly or not."""
    waiters: dict[str, list[str]] = {}
    for name, firsts in waits_for.items():
        for first in firsts:
            waiters.setdefault(first, []).append(name)
    waiting: set[str] = set()
    stack = list(names)
    while stack:
        for waiter in waiters.get(stack.pop(), ()):
            if waiter not in waiting:
                waiting.add(waiter)
                stack.append(waiter)
    return waiting
