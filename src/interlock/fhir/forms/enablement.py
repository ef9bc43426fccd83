"""Which items of a form are enabled, as a FHIR renderer decides it: two-valued, and within one form only.

FHIR R4 knows no undecided condition and no question of another form (Questionnaire.item.enableWhen), so a form can tell
less than a questionnaire here can ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from interlock.fhir.forms.names import per_organization
from interlock.model import words
from interlock.model.questionnaire import EnableWhen, Item, ItemType, Operator, Questionnaire, walk
from interlock.model.response import Responses


@dataclass(frozen=True)
class FormItem:
    """An item of a form, the group that holds it, and the conditions that the form can tell."""

    item: Item
    parent: str | None
    conditions: tuple[EnableWhen, ...]


def form_items(questionnaire: Questionnaire) -> dict[str, FormItem]:
    """Every item of a form by its id, groups included, in reading order."""
    items = {item.id: item for item, _ in walk(questionnaire.items)}
    return {
        item.id: FormItem(item, around[-1].id if around else None, _told(item, items))
        for item, around in walk(questionnaire.items)
    }


def _told(item: Item, items: Mapping[str, Item]) -> tuple[EnableWhen, ...]:
    """The conditions that a form can tell.

    One that it cannot tell is left out, so that too much is asked, not too little: with ``any``, all are left out.
    """
    told = tuple(condition for condition in item.enable_when if _can_tell(item, condition, items))
    return () if item.enable_behavior == "any" and len(told) < len(item.enable_when) else told


def _can_tell(item: Item, condition: EnableWhen, items: Mapping[str, Item]) -> bool:
    """The other question is in the same response, and its answers can be compared: R4 has no ``answerUri``."""
    control = items.get(condition.question)
    if control is None or sides(item) != {per_organization(control)}:
        return False
    return control.type is not ItemType.URL or condition.operator is Operator.EXISTS


def sides(item: Item) -> set[bool]:
    """Whose responses an item is part of: ``True`` an organisation's, ``False`` the product's; a group, its items'."""
    if item.type is ItemType.GROUP:
        return set().union(*(sides(child) for child in item.items))
    return {per_organization(item)}


def untold_conditions(questionnaire: Questionnaire) -> Iterator[tuple[Item, EnableWhen]]:
    """The conditions that a form cannot tell, with their items, in reading order."""
    for form_item in form_items(questionnaire).values():
        for condition in form_item.item.enable_when:
            if condition not in form_item.conditions:
                yield form_item.item, condition


def enabled_items(questionnaire: Questionnaire, responses: Responses) -> dict[str, bool]:
    """Item id (groups included) → enabled. Only a value is an answer: an unknown and a not applicable one have none.

    A disabled question has no answer, and a disabled group disables what it holds.
    """
    form = form_items(questionnaire)
    enabled = dict.fromkeys(form, True)
    while True:  # conditions form no circle, so this ends once the longest chain of them is decided
        decided = {
            item_id: (entry.parent is None or enabled[entry.parent]) and _holds(entry, enabled, responses)
            for item_id, entry in form.items()
        }
        if decided == enabled:
            return decided
        enabled = decided


def disabling_item(form: Mapping[str, FormItem], enabled: Mapping[str, bool], item_id: str) -> Item:
    """The item whose own conditions disable ``item_id``: itself, or the outermost disabled group around it."""
    disabled = current = item_id
    while (parent := form[current].parent) is not None:
        current = parent
        if not enabled[current]:
            disabled = current
    return form[disabled].item


def condition_words(item: Item, items: Mapping[str, Item] | None = None) -> str:
    """An item's conditions as one line: ``auth.launch_modes is backend and auth.jwks has an answer``.

    :param items: questions by id; with them, ids and codes become the questions' texts and the options' labels.
    """
    either = item.enable_behavior == "any"
    groups: dict[tuple[str, Operator, int], list[str]] = {}
    for number, condition in enumerate(item.enable_when):
        control = items.get(condition.question) if items is not None else None
        alike = either and condition.operator is Operator.EQ
        key = (condition.question, condition.operator, -1 if alike else number)
        groups.setdefault(key, []).append(_answer_words(condition, control))
    phrases = []
    for (question, comparison, _), answers in groups.items():
        control = items.get(question) if items is not None else None
        listed = words.listed(answers, limit=len(answers), last="or")
        phrases.append(f"{f'“{control.text}”' if control else question} {_VERBS[comparison]} {listed}")
    return (" or " if either else " and ").join(phrases)


_VERBS = {
    Operator.EXISTS: "has",
    Operator.EQ: "is",
    Operator.NE: "is not",
    Operator.GT: "is more than",
    Operator.LT: "is less than",
    Operator.GE: "is at least",
    Operator.LE: "is at most",
}


def _answer_words(condition: EnableWhen, control: Item | None) -> str:
    if condition.operator is Operator.EXISTS:
        return "an answer" if condition.answer else "no answer"
    if isinstance(condition.answer, bool):
        return "yes" if condition.answer else "no"
    option = control.option(str(condition.answer)) if control else None
    return f"“{option.label}”" if option else str(condition.answer)


def _holds(entry: FormItem, enabled: Mapping[str, bool], responses: Responses) -> bool:
    if not entry.conditions:
        return True
    held = [_condition_holds(condition, enabled, responses) for condition in entry.conditions]
    return all(held) if entry.item.enable_behavior == "all" else any(held)


def _condition_holds(condition: EnableWhen, enabled: Mapping[str, bool], responses: Responses) -> bool:
    """FHIR R4 questionnaire-enable-operator: ``!=`` holds when no answer is equal, so without an answer too."""
    response = responses.get(condition.question) if enabled[condition.question] else None
    value = response.value if response else None
    if condition.operator is Operator.EXISTS:
        return (value is not None and value != ()) is condition.answer
    return condition.holds_for(value)
