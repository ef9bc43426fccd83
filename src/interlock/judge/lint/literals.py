"""Literals that an answer is compared with: each must be a value that the question can have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interlock.content.expression import dotted, macro_variable
from interlock.content.syntax import Node, string_value
from interlock.model.questionnaire import Item, ItemType

Bound = dict[str, Item | None]


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
