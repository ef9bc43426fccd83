"""Questions and the answers given to them. Maps one-to-one onto FHIR R4 Questionnaire and QuestionnaireResponse."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from interlock.model.base import (
    Model,
    ProductKind,
    Reference,
    Scope,
)
from interlock.model.response import AnswerValue

#: An item's id: dotted lower-case words, the first naming the questionnaire's area (``auth.jwks_hosting``).
ItemId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=96)]


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
    """One offered answer. ``weight`` is the option's value v in [0, 1]; none means that it is not graded.

    :ivar kinds: the kinds of product of which it can be true; empty for every kind. Whoever takes it all the same says
        that the product is of another kind.
    :ivar unknown: it says that nobody knows or has looked, which is judged as the status ``unknown`` is: it has no
        weight, and excludes every other option.
    """

    value: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=64)]
    label: str
    weight: Annotated[float, Field(ge=0, le=1)] | None = None
    rationale: str | None = None
    exclusive: bool = False
    unknown: bool = False
    kinds: tuple[ProductKind, ...] = ()

    @model_validator(mode="after")
    def _unknown_is_not_graded(self) -> Option:
        if self.unknown and self.weight is not None:
            raise ValueError("an option that says unknown has no weight: it is judged as an unknown is")
        return self


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


class Ask(Model):
    """A question as the organisation itself is asked, on a sheet that is mailed to it: "we" is the product's team.

    :ivar why: why it is asked and what to say; without it the question's own ``why``.
    :ivar labels: by an option's value its label, where ours speaks from the team's side.
    """

    text: str
    why: str | None = None
    labels: dict[str, str] = {}


class Item(Model):
    """One question, or a group of them.

    :ivar ask: how the organisation itself is asked.
    :ivar kinds: the kinds of product that it is asked of; empty for every kind.
    :ivar propose: asked at each organisation, and the product may answer it once for all, where it is asked this: its
        answer is a proposal, which counts as unknown at an organisation until somebody confirms it there.
    """

    id: ItemId
    type: ItemType
    text: str
    help: str | None = None
    why: str | None = None
    priority: Literal["core", "full"] = "full"
    scope: Scope = Scope.PRODUCT
    na: Literal["never", "with_reason"] = "never"
    kinds: tuple[ProductKind, ...] = ()
    propose: str | None = None
    ask: Ask | None = None
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
        if self.propose is not None and self.scope is not Scope.ORG:
            raise ValueError("only what is asked at each organisation can be proposed for all of them")
        if self.ask is not None:
            if self.scope is not Scope.ORG:
                raise ValueError("only what is asked at each organisation can be asked in its words: leave ask out")
            if other := next((value for value in self.ask.labels if value not in values), None):
                raise ValueError(f"ask has a label for {other!r}, which is no option of this item")
        return self

    @property
    def proposable(self) -> bool:
        """Whether the product may answer once for all organisations."""
        return self.propose is not None

    def text_for(self, scope: str) -> str:
        """The question as ``product`` is asked it, where it can only propose an answer, or as an organisation is."""
        return self.propose if self.propose is not None and scope == "product" else self.text

    def option(self, value: str) -> Option | None:
        """The option with this value, or none."""
        for option in self.options:  # not by next(): every judging asks for thousands
            if option.value == value:
                return option
        return None

    def known(self, answer: AnswerValue) -> bool:
        """Whether an answer says more than that nobody knows."""
        values = answer if isinstance(answer, tuple) else (answer,)
        return not any(option.unknown and option.value in values for option in self.options)

    def denies(self, answer: AnswerValue, kind: ProductKind) -> tuple[Option, ...]:
        """The options taken in an answer that cannot be true of this kind of product."""
        values = answer if isinstance(answer, tuple) else (answer,)
        return tuple(
            option for option in self.options if option.value in values and option.kinds and kind not in option.kinds
        )

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
    """One YAML file of questions about one area.

    :ivar ask: its ``text`` is the heading of those of its questions that an organisation is asked, where no group is.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    version: str
    title: str
    description: str | None = None
    ask: Ask | None = None
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
