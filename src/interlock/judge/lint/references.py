"""Whether what conditions and messages name can ever be there: variables, questions, checks, functions and answers."""

from __future__ import annotations

import types
import typing
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from interlock.content.compile import ANSWER_ROOTS, MACROS, TOP_LEVEL, Expression, dotted, macro_variable
from interlock.content.messages import fields
from interlock.content.syntax import Node, string_value
from interlock.documents.names import did_you_mean
from interlock.judge.lint.problems import LintProblem, Locations, problem
from interlock.model.base import Scope
from interlock.model.contract import WorkflowContract
from interlock.model.facts import Facts
from interlock.model.pattern import Pattern, Site
from interlock.model.questionnaire import Item, ItemType
from interlock.model.rule import Rule
from interlock.model.statements import STATEMENTS

#: Functions of the CEL standard library (CEL specification, List of Standard Definitions) and its macros.
FUNCTIONS = MACROS | {
    *("has", "size", "contains", "startsWith", "endsWith", "matches", "type", "dyn"),
    *("bool", "bytes", "double", "duration", "int", "string", "timestamp", "uint"),
    *("getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds"),
    *("getMinutes", "getMonth", "getSeconds"),
}
_STATEMENTS = frozenset(statement.id for statement in STATEMENTS)
_EVERYWHERE = frozenset({"responses", "value", "contract", "fleet"})
#: The top-level names of each scope.
IN_SCOPE: Mapping[str, frozenset[str]] = {
    Scope.PRODUCT: _EVERYWHERE,
    "fleet": _EVERYWHERE | {"anywhere", "everywhere"},
    Scope.VENDOR: _EVERYWHERE | {"vendor", "organizations"},
    Scope.ORG: _EVERYWHERE | {"probe", "checks", "fit", "settings", "compared", "contradictions", "org", "site"},
}
FIT = {
    "missing": list,
    "undeclared": list,
    "missing_optional": list,
    "launch_missing": list,
    "scopes_missing": list,
    "not_observed": int,
    "supported": int,
    "release_matches": bool,
}
#: Beside the fields of the contract itself.
CONTRACT: dict[str, type] = {"hash": str, "not_fhir": list}
SETTINGS = {
    "missing": list,
    "defaulted": list,
    "mistyped": list,
    "unknown": list,
    "universal": list,
    "needed": int,
    "own": int,
}
ORG = {"id": str, "name": str, "vendor": str, "environment": str, "has_url": bool}
FLEET = {
    "organizations": int,
    "observed": int,
    "releases": list,
    "vendors": list,
    "shared_base_urls": bool,
    "settings_alike": list,
}
_FLAT: dict[str, dict[str, type]] = {"fit": FIT, "settings": SETTINGS, "org": ORG, "fleet": FLEET}
_MODELS: dict[str, type[BaseModel]] = {"contract": WorkflowContract, "probe": Facts, "site": Site}
#: Names that are known of every organisation, and of all of them, whatever was answered or observed.
ALWAYS_KNOWN = frozenset(
    {
        *("org", "vendor", "organizations", "anywhere", "everywhere"),
        *(f"fleet.{name}" for name in FLEET if name != "settings_alike"),
        *("site.observed", "site.overrides", "site.same", "site.across", "site.vendor_group"),
    }
)
_LEFT_OUT = "probe.capability.resources"
Bound = dict[str, Item | None]


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
    for message in unknown_statements(rule.source):
        yield problem(locations.rule(rule.id, "source"), rule.id, "reference", message)
    for key, condition in conditions.items():
        location = locations.rule(rule.id, *key.split("."))
        for name in condition.reads:
            scope = Scope.ORG if key.startswith("where.") else rule.scope
            for code, message in name_problems(name, scope, items, check_ids, where):
                yield problem(location, rule.id, code, f"{key} reads {name}: {message}")
        for code, message in wrong_in(key, condition.tree, items):
            yield problem(location, rule.id, code, message)
    for name in (name for message in rule.messages for name in fields(message)):
        if name == "who" and isinstance(rule, Pattern) and rule.concerns:
            continue
        for _, message in name_problems(name, rule.scope, items, check_ids, where):
            yield problem(
                locations.rule(rule.id, "message"), rule.id, "message", f"message shows {{{name}}}: {message}"
            )
    if isinstance(rule, Rule) and rule.measures:
        yield from _measured(rule, rule.measures, conditions, items, locations)


def unknown_statements(source: Collection[str]) -> Iterator[str]:
    """What is wrong with the statements of the method that a rule or question names."""
    for name in source:
        if name not in _STATEMENTS:
            yield f"source names {name}, which the method has not (docs/traceability.md lists its statements)"


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


def wrong_in(key: str, tree: Node, items: Mapping[str, Item]) -> Iterator[tuple[str, str]]:
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


def unknown_field(name: str) -> str | None:
    """Why a name can never be there, or none. Answers and checks are not this module's business."""
    root, *path = name.split(".")
    if not path:
        return None
    if root in _FLAT:
        return _in_fields(root, path, list(_FLAT[root]))
    if root in {"vendor", "organizations", "compared", "contradictions"}:
        return f"{root} has no fields"
    if root not in _MODELS:
        return None
    if name == _LEFT_OUT or name.startswith(_LEFT_OUT + "."):
        return f"{_LEFT_OUT} is not handed to conditions; read fit.missing"
    if root == "contract" and path[0] in CONTRACT:
        return _in_fields(root, path, list(CONTRACT))
    return _in_model(root, path, _MODELS[root])


def _in_fields(root: str, path: list[str], fields: list[str]) -> str | None:
    if path[0] not in fields:
        return f"{root} has no {path[0]!r}{_close(path[0], fields)}"
    return f"{root}.{path[0]} has no fields" if len(path) > 1 else None


def _in_model(at: str, path: list[str], model: type[BaseModel]) -> str | None:
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    head, *rest = path
    if head not in fields:
        return f"{at} has no {head!r}{_close(head, list(fields))}"
    here = f"{at}.{head}"
    if not rest:
        return None
    inner = _without_none(fields[head])
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return _in_model(here, rest, inner)
    return None if typing.get_origin(inner) is dict else f"{here} has no fields"


def _without_none(annotation: Any) -> Any:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        parts = [part for part in typing.get_args(annotation) if part is not type(None)]
        return parts[0] if len(parts) == 1 else annotation
    return annotation


def _close(name: str, known: list[str]) -> str:
    return did_you_mean(name, known) or f"; it has {', '.join(sorted(known))}"


def impossible_literals(tree: Node, items: Mapping[str, Item]) -> Iterator[str]:
    """A sentence for every comparison of an answer with a literal that it never equals."""
    yield from _walk(tree, items, {})


def _walk(node: Node, items: Mapping[str, Item], bound: Bound) -> Iterator[str]:
    if node.kind == "binary":
        yield from _comparison(node, items, bound)
    variable = macro_variable(node)
    if variable is None:
        for child in node.children:
            yield from _walk(child, items, bound)
        return
    receiver = _answer(node.children[0], items, bound)
    element = receiver if receiver and receiver.type is ItemType.MULTI_CHOICE else None
    yield from _walk(node.children[0], items, bound)
    for child in node.children[2:]:
        yield from _walk(child, items, {**bound, variable: element})


def _comparison(node: Node, items: Mapping[str, Item], bound: Bound) -> Iterator[str]:
    left, right = node.children
    if node.text in {"==", "!="}:
        for answer, literal in ((left, right), (right, left)):
            item = _answer(answer, items, bound)
            if item and literal.kind in {"literal", "list"}:
                yield from _mismatch(item, literal, single=answer.kind != "ident")
    elif node.text == "in":
        item = _answer(left, items, bound)
        if item and right.kind == "list":
            for element in right.children:
                yield from _mismatch(item, element, single=left.kind != "ident")
        item = _answer(right, items, bound)
        if item and left.kind == "literal":
            if item.type is not ItemType.MULTI_CHOICE:
                yield f"{item.id} is a {item.type}, and in needs a multi_choice"
            else:
                yield from _mismatch(item, left, single=False)


def _answer(node: Node, items: Mapping[str, Item], bound: Bound) -> Item | None:
    if node.kind == "ident" and node.text in bound:
        return bound[node.text]
    name = dotted(node, frozenset(bound))
    return items.get(name.removeprefix("responses.")) if name and name.startswith("responses.") else None


def _mismatch(item: Item, literal: Node, *, single: bool) -> Iterator[str]:
    """``single`` says that the whole answer is compared, not one of several."""
    if single and item.type is ItemType.MULTI_CHOICE and literal.kind == "literal":
        yield f"{item.id} is a multi_choice: write {literal.text} in responses.{item.id}"
        return
    if literal.kind != "literal":
        return
    text = string_value(literal.text)
    if item.options:
        if text is None or item.option(text) is None:
            offered = ", ".join(option.value for option in item.options)
            yield f"{item.id} never has the answer {literal.text}; it offers {offered}"
    elif item.type is ItemType.BOOLEAN:
        if literal.text not in {"true", "false"}:
            yield f"{item.id} is a boolean and is never {literal.text}"
    elif item.type is ItemType.INTEGER:
        if not literal.text.lstrip("+-").isdigit():
            yield f"{item.id} is an integer and is never {literal.text}"
    elif text is None and not literal.text.startswith(("'", '"', "r", "R")):
        yield f"{item.id} is a {item.type} and is never {literal.text}"
