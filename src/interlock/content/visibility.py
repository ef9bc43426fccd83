"""Which questions are asked: ``enable_when``, three-valued.

FHIR R4 knows shown and hidden (Questionnaire.item.enableWhen). Here a condition on a question that is not answered yet,
or whose answer is not known, is undecided: the item might still have to be asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from interlock.model.base import ProductKind, Scope, Status
from interlock.model.questionnaire import EnableWhen, Item, Operator, Option, Questionnaire, every_item, walk
from interlock.model.response import Response, Responses

_MAX_REMEMBERED = 10_000


def visible(
    questionnaires: Sequence[Questionnaire], responses: Responses, kind: ProductKind | None = None
) -> dict[str, bool | None]:
    """Item id (groups included) → True shown, False hidden, None undecided.

    What is not asked of the product's kind is hidden. Without a kind everything is asked, and so it is when an answer
    says that the product is of another kind: what somebody says that it does is never passed over.

    A hidden group hides its children, and a hidden question counts as not answered (FHIR R4: an item that is not
    enabled has no answers). ``exists`` is decided by whether there is an answer; the other operators are undecided
    while their question is unanswered or unknown, and false when it is not applicable. With several answers ``=``
    holds when any of them is equal, ``!=`` when none is.

    For an organisation, pass its answers and the product's merged.
    """
    items: dict[str, tuple[Item, tuple[Item, ...]]] = {}
    for questionnaire in questionnaires:
        for item, around in walk(questionnaire.items):
            items.setdefault(item.id, (item, around))
    if kind is not None and denying(kind, (item for item, _ in items.values()), responses):
        kind = None
    shown: dict[str, bool | None] = dict.fromkeys(items)
    while True:  # what is decided once stays so, and a circle, which no loaded set has, stays undecided
        decided = {
            item_id: _and(
                shown[around[-1].id] if around else True,
                _enabled(item, responses, shown, items) if _of_kind(item, kind) else False,
            )
            for item_id, (item, around) in items.items()
        }
        if decided == shown:
            return decided
        shown = decided


class Hiding:
    """Which items are certainly hidden, remembered by the answers that decide it.

    Only the questions that some ``enable_when`` names decide, and those whose options say of what kind a product is, so
    organisations that answer those alike share the result (the same object).
    """

    def __init__(self, questionnaires: Sequence[Questionnaire]) -> None:
        self._questionnaires = questionnaires
        items = tuple(every_item(questionnaires))
        controls = {control.question for item in items for control in item.enable_when}
        controls |= {item.id for item in items if any(option.kinds for option in item.options)}
        self._controls = sorted(controls)
        self._of_org = frozenset(item.id for item in items if item.scope is Scope.ORG)
        self._known: dict[tuple[Any, ...], frozenset[str]] = {}

    def of(self, responses: Responses, own: Responses | None = None, kind: ProductKind | None = None) -> frozenset[str]:
        """Ids of hidden items.

        :param responses: the product's; what it says of an organisation's questions is only a proposal.
        :param own: an organisation's responses.
        """
        deciding = {
            control: response
            for control in self._controls
            if (response := (own or {}).get(control) or (None if control in self._of_org else responses.get(control)))
        }
        states = ((name, answer.agreed_status, type(answer.value), answer.value) for name, answer in deciding.items())
        key = (kind, *states)
        hidden_items = self._known.get(key)
        if hidden_items is None:
            if len(self._known) >= _MAX_REMEMBERED:
                self._known.clear()
            hidden_items = self._known[key] = hidden(visible(self._questionnaires, deciding, kind))
        return hidden_items


def denying(
    kind: ProductKind, items: Iterable[Item], responses: Responses
) -> tuple[tuple[Item, tuple[Option, ...]], ...]:
    """The questions whose answers say that a product is of another kind, with the options taken that say so."""
    return tuple(
        (item, options)
        for item in items
        if (response := responses.get(item.id)) is not None
        and response.value is not None
        and (options := item.denies(response.value, kind))
    )


def _of_kind(item: Item, kind: ProductKind | None) -> bool:
    return kind is None or not item.kinds or kind in item.kinds


def hidden(visibility: Mapping[str, bool | None]) -> frozenset[str]:
    """The ids that are certainly hidden."""
    return frozenset(item_id for item_id, shown in visibility.items() if shown is False)


def _enabled(
    item: Item, responses: Responses, shown: Mapping[str, bool | None], items: Mapping[str, tuple[Item, Any]]
) -> bool | None:
    if not item.enable_when:
        return True
    held = [
        _holds(condition, items[condition.question][0], responses.get(condition.question), shown[condition.question])
        if condition.question in items
        else None
        for condition in item.enable_when
    ]
    wanted = item.enable_behavior == "any"
    if wanted in held:
        return wanted
    return None if None in held else not wanted


def _and(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _holds(condition: EnableWhen, control: Item, response: Response | None, shown: bool | None) -> bool | None:
    if shown is None:
        return None
    status = response.agreed_status if response else Status.UNANSWERED
    answered = shown and status is Status.ANSWERED and response is not None and response.value is not None
    if condition.operator is Operator.EXISTS:
        return answered is condition.answer
    if not answered:
        return False if not shown or status is Status.NOT_APPLICABLE else None
    assert response is not None and response.value is not None
    return condition.holds_for(response.value) if control.known(response.value) else None
