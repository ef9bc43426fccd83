"""Names that conditions and messages read, and references between rules, items and tasks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from interlock.content.compile import ANSWER_ROOTS
from interlock.content.expression import MACROS, TOP_LEVEL, Expression
from interlock.content.messages import fields
from interlock.content.syntax import Node
from interlock.documents.names import did_you_mean
from interlock.judge.lint.literals import impossible_literals
from interlock.judge.lint.names import IN_SCOPE, unknown_field
from interlock.judge.lint.problems import LintProblem, Locations, problem
from interlock.model.base import Scope
from interlock.model.pattern import Pattern
from interlock.model.questionnaire import Item, ItemType, Questionnaire
from interlock.model.rule import Rule

#: Functions of the CEL standard library (CEL specification, List of Standard Definitions) and its macros.
FUNCTIONS = MACROS | {
    *("has", "size", "contains", "startsWith", "endsWith", "matches", "type", "dyn"),
    *("bool", "bytes", "double", "duration", "int", "string", "timestamp", "uint"),
    *("getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds"),
    *("getMinutes", "getMonth", "getSeconds"),
}


def every_item(questionnaires: Sequence[Questionnaire]) -> Iterator[Item]:
    """Every item, groups included, in reading order."""
    stack = [item for questionnaire in reversed(questionnaires) for item in reversed(questionnaire.items)]
    while stack:
        item = stack.pop()
        yield item
        stack.extend(reversed(item.items))


def is_graded(item: Item) -> bool:
    """Whether answers to the item can have a value v."""
    return item.type is ItemType.BOOLEAN or any(option.weight is not None for option in item.options)


def rule_references(
    rule: Rule | Pattern,
    conditions: Mapping[str, Expression],
    items: Mapping[str, Item],
    locations: Locations,
    check_ids: Collection[str] | None,
) -> Iterator[LintProblem]:
    """Everything that one rule's conditions, message and measured question read and that cannot be there."""
    where = rule.where if isinstance(rule, Pattern) else {}
    for key, condition in conditions.items():
        location = locations.rule(rule.id, *key.split("."))
        for name in condition.reads:
            scope = Scope.ORG if key.startswith("where.") else rule.scope
            for code, message in name_problems(name, scope, items, check_ids, where):
                yield problem(location, rule.id, code, f"{key} reads {name}: {message}")
        for code, message in _wrong_in(key, condition.tree, items):
            yield problem(location, rule.id, code, message)
    for name in fields(rule.message):
        if name == "who" and isinstance(rule, Pattern) and rule.concerns:
            continue
        for _, message in name_problems(name, rule.scope, items, check_ids, where):
            yield problem(
                locations.rule(rule.id, "message"), rule.id, "message", f"message shows {{{name}}}: {message}"
            )
    if isinstance(rule, Rule) and rule.measures:
        yield from _measured(rule, rule.measures, conditions, items, locations)


def name_problems(
    name: str,
    scope: str,
    items: Mapping[str, Item],
    check_ids: Collection[str] | None = None,
    where: Collection[str] = (),
) -> Iterator[tuple[str, str]]:
    """(code, message) of everything that is wrong with reading a dotted name in a scope.

    :param where: the names of a pattern's conditions of each organisation.
    """
    root, _, rest = name.partition(".")
    if root not in TOP_LEVEL:
        yield "variable", f"there is no {root!r}; a condition knows {', '.join(sorted(IN_SCOPE[scope]))}"
    elif root not in IN_SCOPE[scope]:
        yield "scope", f"{root} is not there in a rule of {scope} scope"
    elif root in ANSWER_ROOTS:
        yield from _item_problems(root, rest, scope, items)
    elif root == "checks" and rest and check_ids is not None and rest not in check_ids:
        yield "reference", f"there is no check {rest!r}{did_you_mean(rest, check_ids)}"
    elif root in {"anywhere", "everywhere"} and rest not in where:
        yield "reference", f"where has no condition {rest!r}{did_you_mean(rest, where)}"
    else:
        message = unknown_field(name)
        if message:
            yield "reference", message


def _wrong_in(key: str, tree: Node, items: Mapping[str, Item]) -> Iterator[tuple[str, str]]:
    """(code, message) of answers that no question offers, and of functions that do not exist, in one condition."""
    for message in impossible_literals(tree, items):
        yield "option", f"{key}: {message}"
    for node in tree.walk():
        if node.kind in {"call", "method"} and node.text not in FUNCTIONS:
            yield "function", f"{key} calls {node.text!r}, which CEL does not have"


def _item_problems(root: str, item_id: str, scope: str, items: Mapping[str, Item]) -> Iterator[tuple[str, str]]:
    item = items.get(item_id)
    if item is None:
        yield "reference", f"no questionnaire has the question {item_id!r}{did_you_mean(item_id, items)}"
        return
    if item.type is ItemType.GROUP:
        yield "reference", f"{item_id} is a group, which is never answered"
    if item.scope not in {Scope.PRODUCT, scope}:
        yield "scope", f"{item_id} is answered once per {item.scope.value}, and the rule is of {scope} scope"
    if root == "value" and not is_graded(item):
        yield "grade", f"{item_id} is not graded, so it has no value"


def _measured(
    rule: Rule, measured: str, conditions: Mapping[str, Expression], items: Mapping[str, Item], locations: Locations
) -> Iterator[LintProblem]:
    location = locations.rule(rule.id, "measures")
    for code, message in name_problems(f"value.{measured}", rule.scope, items):
        yield problem(location, rule.id, code, f"measures {measured}: {message}")
    read = {name.partition(".")[2] for name in conditions["gap_when"].reads} if "gap_when" in conditions else {measured}
    if measured not in read:
        yield problem(location, rule.id, "measures", f"measures {measured}, which gap_when does not read")
