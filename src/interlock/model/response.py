"""What was said about a question: by whom, when, on what evidence; and what others said to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import Field, model_validator

from interlock.model import words
from interlock.model.base import (
    Evidence,
    IsoDay,
    Model,
    Moment,
    Owner,
    Status,
)
from interlock.model.evidence import MAX_RECORDS, EvidenceRecord, Person
from interlock.model.text import plain

#: The value of an answer. A ``multi_choice`` is a tuple of option values; a date is an ISO 8601 string.
AnswerValue = bool | int | str | tuple[str, ...]

#: Most answers of others beside one answer.
MAX_OTHERS = 20


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
        debt = "the answer" if self.agreed_status in {Status.UNANSWERED, Status.UNKNOWN} else "evidence"
        by = f" by {words.iso_day(self.due)}" if self.due else ""
        return f"{who} owes {debt}{by}{', overdue' if self.overdue(today) else ''}"

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
