"""Questions and the answers given to them. Maps one-to-one onto FHIR R4 Questionnaire and QuestionnaireResponse."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from interlock.model import words
from interlock.model.base import (
    Evidence,
    IsoDay,
    Model,
    Moment,
    Owner,
    ProductKind,
    Reference,
    Scope,
    Status,
)
from interlock.model.evidence import MAX_RECORDS, EvidenceRecord, Person
from interlock.model.text import plain

#: An item's id: dotted lower-case words, the first naming the questionnaire's area (``auth.jwks_hosting``).
ItemId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=96)]

#: The value of an answer. A ``multi_choice`` is a tuple of option values; a date is an ISO 8601 string.
AnswerValue = bool | int | str | tuple[str, ...]

#: Most answers of others beside one answer.
MAX_OTHERS = 20


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


class Response(Model):
    """What a team said about one item. ``reason`` is required for ``not_applicable``.

    :ivar evidence: how well the answer is supported, as whoever gave it says.
    :ivar documents: the evidence itself.
    :ivar by: who said it: a name, with an e-mail address where git has one.
    :ivar at: when.
    :ivar assignee, due: who owes an answer or its evidence, and by when.
    :ivar others: what others answered to the same question, until somebody settles it.
    """

    status: Status
    value: AnswerValue | None = None
    evidence: Evidence = Evidence.ASSERTED
    documents: Annotated[tuple[EvidenceRecord, ...], Field(max_length=MAX_RECORDS)] = ()
    reason: str | None = None
    note: str | None = None
    by: Person | None = None
    at: Moment | None = None
    assignee: Person | None = None
    due: IsoDay | None = None
    others: Annotated[tuple[Response, ...], Field(max_length=MAX_OTHERS)] = ()

    @model_validator(mode="before")
    @classmethod
    def _of_an_earlier_version(cls, data: Any) -> Any:
        """An answer used to have one link, ``evidence_url``."""
        if not isinstance(data, dict) or "evidence_url" not in data:
            return data
        kept = {key: value for key, value in data.items() if key != "evidence_url"}
        if not data["evidence_url"]:
            return kept
        return kept | {"documents": [*kept.get("documents", ()), {"link": data["evidence_url"]}]}

    @model_validator(mode="after")
    def _value_fits_status(self) -> Response:
        if (self.status is Status.ANSWERED) != (self.value is not None):
            raise ValueError("an answered response, and only that, has a value")
        if self.status is Status.NOT_APPLICABLE and not (self.reason or "").strip():
            raise ValueError("not_applicable needs a reason")
        return self

    @model_validator(mode="after")
    def _one_answer_each(self) -> Response:
        before = [self]
        for other in self.others:
            if other.by is None or other.others or other.status is Status.UNANSWERED:
                raise ValueError("each of the others is an answer with its author, and has no others of its own")
            if (same := next((answer for answer in before if answer.by == other.by), None)) is not None:
                times = [words.moment(at) if at else "a time that is not told" for at in (same.at, other.at)]
                when = f"twice at {times[0]}" if same.at == other.at else f"at {times[0]} and at {times[1]}"
                raise ValueError(f"{other.by} answered {when}; keep one of the two")
            before.append(other)
        return self

    @property
    def said(self) -> tuple[object, ...]:
        """The answer's content without its author and time: responses with equal content are the same answer."""
        return (
            self.status,
            self.value,
            self.evidence,
            self.documents,
            self.note or None,
            self.reason or None,
            self.assignee,
            self.due,
            tuple((other.by, other.said) for other in self.others),
        )

    @property
    def answers(self) -> tuple[Response, ...]:
        """Everybody's answer to the question, each alone."""
        return (self.but(others=()), *self.others) if self.others else (self,)

    @property
    def agreed_status(self) -> Status:
        """What counts: while two authors differ in status or value, nobody knows."""
        if self.others and len({_decided(answer) for answer in self.answers}) > 1:
            return Status.UNKNOWN
        return self.status

    def beside(self, other: Response) -> Response:
        """This with another author's answer beside it; the same author's takes the place of his earlier one.

        Where the other says nothing that this does not say, this stays as it is.
        """
        if other.by == self.by or self.status is Status.UNANSWERED:
            return other.but(others=tuple(answer for answer in self.others if answer.by != other.by))
        if other.status is Status.UNANSWERED or any(answer.said == other.said for answer in self.answers):
            return self
        return self.but(others=(*(answer for answer in self.others if answer.by != other.by), other.but(others=())))

    @property
    def link(self) -> str | None:
        """Where the first piece of evidence is."""
        return self.documents[0].link if self.documents else None

    def overdue(self, today: date) -> bool:
        """Whether the day by which an answer or its evidence was owed has passed."""
        return self.due is not None and self.due < today.isoformat()

    def owes(self, today: date) -> str | None:
        """Who owes something and by when, in words: ``Ada owes the answer by 14 Dec 2026, overdue``; none if nobody."""
        if not (self.assignee or self.due):
            return None
        who = plain(self.assignee, 80) if self.assignee else words.OWNER[Owner.US].phrase
        what = "the answer" if self.agreed_status in {Status.UNANSWERED, Status.UNKNOWN} else "evidence"
        by = f" by {words.iso_day(self.due)}" if self.due else ""
        return f"{who} owes {what}{by}{', overdue' if self.overdue(today) else ''}"

    def expired(self, today: date) -> tuple[EvidenceRecord, ...]:
        """The evidence that no longer supports the answer."""
        return tuple(record for record in self.documents if record.expired(today))

    def independently_tested(self, today: date) -> bool:
        """Whether an independent test report of the last twelve months supports the answer."""
        return any(record.is_independent_report(today) for record in self.documents)

    def grade(self, today: date) -> Evidence:
        """How well the answer is supported on a day: one grade less when all of its evidence has expired."""
        expired = self.documents and all(record.expired(today) for record in self.documents)
        return self.evidence.weaker if expired else self.evidence


def _decided(response: Response) -> tuple[object, ...]:
    """What two answers differ in when they contradict each other; the order of several options says nothing."""
    value = response.value
    return response.status, type(value), frozenset(value) if isinstance(value, tuple) else value


#: Responses of one scope: item id → response. An absent item is unanswered.
Responses = Mapping[str, Response]
