"""Questions and the answers given to them. Maps one-to-one onto FHIR R4 Questionnaire and QuestionnaireResponse."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from interlock.model.address_secrets import Address
from interlock.model.base import Evidence, Model, Moment, Reference, Scope, Status

#: An item's id: dotted lower-case words, the first naming the questionnaire's area (``auth.jwks_hosting``).
ItemId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=96)]

#: The value of an answer. A ``multi_choice`` is a tuple of option values; a date is an ISO 8601 string.
AnswerValue = bool | int | str | tuple[str, ...]


class ItemType(StrEnum):
    """Types of items; ``group`` holds others and is never answered."""

    CHOICE = "choice"
    MULTI_CHOICE = "multi_choice"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DATE = "date"
    URL = "url"
    STRING = "string"
    TEXT = "text"
    GROUP = "group"


class Operator(StrEnum):
    """Comparison of an ``enable_when`` (FHIR R4 questionnaire-enable-operator)."""

    EXISTS = "exists"
    EQ = "="
    NE = "!="
    GT = ">"
    LT = "<"
    GE = ">="
    LE = "<="


class Option(Model):
    """One offered answer. ``weight`` is the option's value v in [0, 1]; none means that it is not graded."""

    value: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=64)]
    label: str
    weight: Annotated[float, Field(ge=0, le=1)] | None = None
    rationale: str | None = None
    exclusive: bool = False


class EnableWhen(Model):
    """A condition on another item's answer; undecided while that item is unanswered or unknown."""

    question: ItemId
    operator: Operator
    answer: bool | int | str

    def holds_for(self, value: AnswerValue | None) -> bool:
        """Whether an answer fulfils it: of several ``=`` needs one that is equal, and ``!=`` that none is."""
        answers = value if isinstance(value, tuple) else (value,)
        alike = [answer for answer in answers if type(answer) is type(self.answer)]
        if self.operator in {Operator.EQ, Operator.NE}:
            return (self.answer in alike) is (self.operator is Operator.EQ)
        return any(_IN_ORDER[self.operator](answer, self.answer) for answer in alike)


_IN_ORDER: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.GT: operator.gt,
    Operator.LT: operator.lt,
    Operator.GE: operator.ge,
    Operator.LE: operator.le,
}


class AutoAnswer(Model):
    """Proposes an answer from a probe fact: the first ``when`` (CEL over ``probe``) that holds gives ``value``."""

    when: str
    value: str | bool | int


class Item(Model):
    """One question, or a group of them."""

    id: ItemId
    type: ItemType
    text: str
    help: str | None = None
    why: str | None = None
    priority: Literal["core", "full"] = "full"
    scope: Scope = Scope.PRODUCT
    na: Literal["never", "with_reason"] = "never"
    options: tuple[Option, ...] = ()
    enable_when: tuple[EnableWhen, ...] = ()
    enable_behavior: Literal["all", "any"] = "all"
    source: tuple[Annotated[str, Field(pattern=r"^S\d\d$")], ...] = ()
    references: tuple[Reference, ...] = ()
    auto_answer: tuple[AutoAnswer, ...] = ()
    min: int | None = None
    max: int | None = None
    items: tuple[Item, ...] = ()

    @model_validator(mode="after")
    def _shape_fits_type(self) -> Item:
        chooses = self.type in {ItemType.CHOICE, ItemType.MULTI_CHOICE}
        if chooses and len(self.options) < 2:
            raise ValueError(f"a {self.type.value} item needs at least two options")
        if not chooses and self.options:
            raise ValueError(f"a {self.type.value} item takes no options")
        if (self.type is ItemType.GROUP) != bool(self.items):
            raise ValueError("a group, and only a group, has items")
        values = [option.value for option in self.options]
        if len(values) != len(set(values)):
            raise ValueError("option values must be unique within an item")
        return self

    def option(self, value: str) -> Option | None:
        """The option with this value, or none."""
        return next((option for option in self.options if option.value == value), None)

    def takes(self, answer: AnswerValue) -> bool:
        """Whether an answer is of this item's type and, where it offers some, one of its options."""
        if self.type is ItemType.MULTI_CHOICE:
            return isinstance(answer, tuple) and all(self.option(value) is not None for value in answer)
        if self.options:
            return isinstance(answer, str) and self.option(answer) is not None
        return type(answer) is {ItemType.BOOLEAN: bool, ItemType.INTEGER: int}.get(self.type, str)

    def as_answer(self, value: bool | int | str) -> AnswerValue:
        """A single value as an answer to this item: one that takes several takes it alone."""
        return (value,) if self.type is ItemType.MULTI_CHOICE and isinstance(value, str) else value

    def graded_value(self, answer: AnswerValue) -> float | None:
        """Value v in [0, 1] of an answer, or none when the answer is not graded.

        A choice has its option's weight; a multi_choice the sum of the weights taken, at most 1; a boolean is 1.0 or
        0.0. Other types are not graded.
        """
        if self.type is ItemType.BOOLEAN and isinstance(answer, bool):
            return 1.0 if answer else 0.0
        if self.type is ItemType.CHOICE and isinstance(answer, str):
            option = self.option(answer)
            return option.weight if option else None
        if self.type is ItemType.MULTI_CHOICE and isinstance(answer, tuple):
            taken = [option.weight for option in self.options if option.value in answer and option.weight is not None]
            graded = any(option.weight is not None for option in self.options)
            return min(1.0, sum(taken)) if graded else None
        return None


class Questionnaire(Model):
    """One YAML file of questions about one area."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    version: str
    title: str
    description: str | None = None
    items: tuple[Item, ...]

    def questions(self) -> Iterator[Item]:
        """Every item that can be answered, in reading order, groups flattened away."""
        return (item for item, _ in walk(self.items) if item.type is not ItemType.GROUP)


def walk(items: Iterable[Item], around: tuple[Item, ...] = ()) -> Iterator[tuple[Item, tuple[Item, ...]]]:
    """Every item in reading order, groups included, with the groups that it stands in, outermost first."""
    for item in items:
        yield item, around
        yield from walk(item.items, (*around, item))


def every_item(questionnaires: Iterable[Questionnaire]) -> Iterator[Item]:
    """Every item of some questionnaires in reading order, groups included."""
    return (item for questionnaire in questionnaires for item, _ in walk(questionnaire.items))


class Response(Model):
    """What a team said about one item. ``reason`` is required for ``not_applicable``."""

    status: Status
    value: AnswerValue | None = None
    evidence: Evidence = Evidence.ASSERTED
    reason: str | None = None
    note: str | None = None
    evidence_url: Address | None = None
    at: Moment | None = None

    @model_validator(mode="after")
    def _value_fits_status(self) -> Response:
        if (self.status is Status.ANSWERED) != (self.value is not None):
            raise ValueError("an answered response, and only that, has a value")
        if self.status is Status.NOT_APPLICABLE and not (self.reason or "").strip():
            raise ValueError("not_applicable needs a reason")
        return self

    @property
    def said(self) -> tuple[object, ...]:
        """The answer's content without its time: responses with equal content are the same answer."""
        return (
            self.status,
            self.value,
            self.evidence,
            self.note or None,
            self.evidence_url or None,
            self.reason or None,
        )


#: Responses of one scope: item id → response. An absent item is unanswered.
Responses = Mapping[str, Response]
