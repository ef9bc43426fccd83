"""What a question offers to choose from, in words: its options, typing an answer, unknown, not applicable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from interlock.model import words
from interlock.model.base import Status
from interlock.model.questionnaire import Item, ItemType

#: Types of questions whose answer is typed, with a hint of what is expected.
TYPED = {
    ItemType.INTEGER: "a whole number",
    ItemType.DATE: "a date as YYYY-MM-DD",
    ItemType.URL: "an address, https://…",
    ItemType.STRING: "one line",
    ItemType.TEXT: "in your own words",
}

Kind = Literal["value", "typed", "status"]


@dataclass(frozen=True)
class Choice:
    """One line: an offered value, the way to the line to type in, or a status.

    :ivar value: the option's value, ``yes``/``no``, the status, or nothing for what is typed.
    """

    kind: Kind
    value: str
    label: str
    detail: str = ""


def choices_of(item: Item) -> tuple[Choice, ...]:
    """The choices that a question offers; the number of each, from 1, is the key that takes it."""
    offered = [Choice("value", option.value, option.label, option.rationale or "") for option in item.options]
    if item.type is ItemType.BOOLEAN:
        offered = [Choice("value", "yes", "Yes"), Choice("value", "no", "No")]
    if item.type in TYPED:
        offered = [Choice("typed", "", f"Type the answer: {TYPED[item.type]}")]
    unknown = Choice(
        "status",
        Status.UNKNOWN.value,
        words.STATUS[Status.UNKNOWN].title,
        "It becomes something to find out, never a no.",
    )
    not_applicable = words.STATUS[Status.NOT_APPLICABLE].title
    exempt = Choice("status", Status.NOT_APPLICABLE.value, not_applicable, "Needs a reason; leaves the score.")
    return (*offered, unknown, *([exempt] if item.na == "with_reason" else []))
