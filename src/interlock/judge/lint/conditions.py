"""What can be wrong within one condition, whether a rule or a pattern has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interlock.content.expression import MACROS, Expression
from interlock.content.syntax import Node
from interlock.judge.answers import Answers
from interlock.judge.context import SubjectContext
from interlock.judge.lint.literals import impossible_literals
from interlock.model.finding import PRODUCT
from interlock.model.questionnaire import Item

#: Functions of the CEL standard library (CEL specification, List of Standard Definitions) and its macros.
FUNCTIONS = MACROS | {
    *("has", "size", "contains", "startsWith", "endsWith", "matches", "type", "dyn"),
    *("bool", "bytes", "double", "duration", "int", "string", "timestamp", "uint"),
    *("getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds"),
    *("getMinutes", "getMonth", "getSeconds"),
}


def wrong_in(key: str, tree: Node, items: Mapping[str, Item]) -> Iterator[tuple[str, str]]:
    """(code, message) of answers that no question offers, and of functions that do not exist, in one condition."""
    for message in impossible_literals(tree, items):
        yield "option", f"{key}: {message}"
    for node in tree.walk():
        if node.kind in {"call", "method"} and node.text not in FUNCTIONS:
            yield "function", f"{key} calls {node.text!r}, which CEL does not have"


def constant(key: str, condition: Expression) -> str | None:
    """Why a condition comes to the same whatever is known, or none."""
    value, error = condition.evaluate(SubjectContext(PRODUCT, {}, Answers()).context)
    if value is not None:
        return f"{key} is always {str(value).lower()}, whatever is known"
    return f"{key} always fails ({error}), whatever is known" if error and not condition.reads else None
