"""Whether the items of a set of questionnaires fit together: unique ids, ``enable_when`` conditions that can hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from interlock.documents.names import did_you_mean, find_circle
from interlock.documents.yaml import Path_, YamlDocument
from interlock.model.base import Scope
from interlock.model.errors import DocumentError, Location
from interlock.model.questionnaire import EnableWhen, Item, ItemType, Operator

#: Types whose answers have an order (FHIR R4 questionnaire-enable-operator: ``>``, ``<``, ``>=`` and ``<=``).
ORDERED = frozenset({ItemType.INTEGER, ItemType.DATE})


@dataclass(frozen=True)
class Located:
    """An item, its document, and the path to it there."""

    item: Item
    document: YamlDocument
    path: Path_

    def at(self, *keys: str | int) -> Location:
        """Where something of the item stands, by default its id."""
        return self.document.location((*self.path, *(keys or ("id",))))


def reference_problems(located: Sequence[Located]) -> Iterator[DocumentError]:
    """Everything that is wrong between items, in file order; nothing when they fit together."""
    by_id: dict[str, Located] = {}
    for entry in located:
        earlier = by_id.setdefault(entry.item.id, entry)
        if earlier is not entry:
            yield DocumentError(
                f"the item id {entry.item.id!r} is already used at {earlier.at()}",
                location=entry.at(),
                remedy="give one of them another id",
            )
    yield from _nested_ids(by_id)
    broken = False
    for entry in by_id.values():
        for number, condition in enumerate(entry.item.enable_when):
            message = _condition_problem(entry.item, condition, by_id)
            if message:
                broken = True
                location = entry.at("enable_when", number, "question")
                yield DocumentError(f"{entry.item.id}: {message}", location=location)
    if not broken:
        yield from _circles(by_id)


def _nested_ids(by_id: Mapping[str, Located]) -> Iterator[DocumentError]:
    """A rule reads ``responses.a.b``; if that is an answer it cannot also hold ``responses.a.b.c``."""
    for entry in by_id.values():
        parts = entry.item.id.split(".")
        for end in range(2, len(parts)):
            parent = by_id.get(".".join(parts[:end]))
            if parent and parent.item.type is not ItemType.GROUP and entry.item.type is not ItemType.GROUP:
                yield DocumentError(
                    f"the item id {entry.item.id!r} continues {parent.item.id!r}, a question at {parent.at()}",
                    location=entry.at(),
                    remedy="only a group's id may be continued by another id",
                )


def _condition_problem(item: Item, condition: EnableWhen, by_id: Mapping[str, Located]) -> str | None:
    entry = by_id.get(condition.question)
    if entry is None:
        hint = did_you_mean(condition.question, by_id)
        return f"enable_when names {condition.question!r}, which no questionnaire has{hint}"
    control = entry.item
    if control.type is ItemType.GROUP:
        return f"enable_when names {control.id!r}, a group, which is never answered"
    if control.id == item.id:
        return "enable_when names the item itself"
    if item.scope is Scope.PRODUCT and control.scope is not Scope.PRODUCT:
        return f"a product question cannot depend on {control.id!r}, which is answered once per {control.scope.value}"
    return _answer_problem(condition, control)


def _answer_problem(condition: EnableWhen, control: Item) -> str | None:
    answer, operator = condition.answer, condition.operator
    if operator is Operator.EXISTS:
        return None if isinstance(answer, bool) else "enable_when with operator exists takes answer: true or false"
    if operator not in {Operator.EQ, Operator.NE} and control.type not in ORDERED:
        order = f"the operator {operator.value!r} needs a question with an order"
        return f"{order}, and {control.id!r} is of type {control.type}"
    if control.options:
        if isinstance(answer, str) and control.option(answer):
            return None
        offered = ", ".join(option.value for option in control.options)
        return f"{control.id!r} does not offer the answer {answer!r}; it offers {offered}"
    expected: type = {ItemType.BOOLEAN: bool, ItemType.INTEGER: int}.get(control.type, str)
    if isinstance(answer, expected) and (expected is bool or not isinstance(answer, bool)):
        return None
    return f"{control.id!r} is of type {control.type}, and {answer!r} is not"


def _circles(by_id: Mapping[str, Located]) -> Iterator[DocumentError]:
    circle = find_circle(
        {name: [condition.question for condition in entry.item.enable_when] for name, entry in by_id.items()}
    )
    if circle:
        yield DocumentError(
            f"the enable_when conditions form a circle: {' → '.join(circle)}", location=by_id[circle[0]].at()
        )
