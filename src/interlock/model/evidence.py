"""Evidence behind an answer: what it is, where it is, who reviewed it, and for how long it holds."""

from __future__ import annotations

import datetime
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from interlock.model import words
from interlock.model.base import Address, Evidence, EvidenceKind, Gate, IsoDay, Model, Owner
from interlock.model.text import plain, wrong_with_line

#: For how many days an independent test report counts as an observation (a judgement: security teams ask for the last
#: twelve months).
REPORT_DAYS = 365
#: Longest name of a person, in characters.
MAX_NAME = 200
#: Most pieces of evidence behind one answer.
MAX_RECORDS = 50


def _one_line(text: str, limit: int) -> str:
    if (wrong := wrong_with_line(text, limit)) is not None:
        raise ValueError(wrong)
    return text


def _relative(path: str) -> str:
    parts = path.split("/")
    if "\\" in path or ":" in path or any(part in {"", ".", ".."} for part in parts):
        raise ValueError("names a file in the workspace by its path there, with forward slashes")
    return path


#: A person: a name, with an e-mail address where git has one.
Person = Annotated[str, AfterValidator(partial(_one_line, limit=MAX_NAME))]
_Title = Annotated[str, AfterValidator(partial(_one_line, limit=300))]
_File = Annotated[str, AfterValidator(partial(_one_line, limit=300)), AfterValidator(_relative)]


class EvidenceRecord(Model):
    """One piece of evidence behind an answer: where it is, who reviewed it, and for how long it holds.

    :ivar link: an address, or the evidence named in words, such as a ticket.
    :ivar file: its path in the workspace, with forward slashes.
    :ivar independent: made by somebody who does not work on the product.
    :ivar date: the day that it is of.
    :ivar valid_until: the last day on which it supports the answer.
    """

    kind: EvidenceKind = EvidenceKind.DOCUMENT
    title: _Title | None = None
    link: Annotated[Address, Field(max_length=10_000)] | None = None
    file: _File | None = None
    reviewer: Person | None = None
    independent: bool = False
    date: IsoDay | None = None
    valid_until: IsoDay | None = None

    @model_validator(mode="after")
    def _names_something(self) -> EvidenceRecord:
        if not (self.title or self.link or self.file):
            raise ValueError("a piece of evidence has a title, a link or a file")
        if self.date and self.valid_until and self.valid_until < self.date:
            until, of = words.iso_day(self.valid_until), words.iso_day(self.date)
            raise ValueError(f"this evidence is of {of} and valid until {until}, which is earlier")
        return self

    @property
    def name(self) -> str:
        """What it is called: its title, link or file."""
        return self.title or self.link or self.file or ""

    def told(self, today: datetime.date) -> str:
        """One line: what it is, where it is, who reviewed it, and until when it holds."""
        parts = [f"{words.EVIDENCE_KIND[self.kind].title}: {self.name}"]
        parts += [where for where in (self.link, self.file) if where and where != self.name]
        parts += [f"of {words.iso_day(self.date)}"] if self.date else []
        parts += [f"reviewed by {self.reviewer}"] if self.reviewer else []
        parts += ["independent"] if self.independent else []
        if self.valid_until:
            parts.append(f"{'expired on' if self.expired(today) else 'valid until'} {words.iso_day(self.valid_until)}")
        return plain("; ".join(parts), 400)

    def is_independent_report(self, today: datetime.date) -> bool:
        """Whether it is a reviewed test report of the last :data:`REPORT_DAYS` by somebody else, and still holds."""
        if self.kind is not EvidenceKind.TEST_REPORT or not self.independent or self.reviewer is None:
            return False
        oldest, newest = (today - datetime.timedelta(days=REPORT_DAYS)).isoformat(), today.isoformat()
        return self.date is not None and oldest <= self.date <= newest and not self.expired(today)

    def expired(self, today: datetime.date) -> bool:
        """Whether it no longer supports the answer on a day."""
        return self.valid_until is not None and self.valid_until < today.isoformat()

    def dated_ahead(self, today: datetime.date) -> str | None:
        """That it is of a day to come, in words; none when it is not. Somewhere on earth tomorrow has begun."""
        if self.date is None or self.date <= (today + datetime.timedelta(days=1)).isoformat():
            return None
        return f"the evidence “{plain(self.name, 80)}” is dated {words.iso_day(self.date)}, which is in the future"

    def ended(self, today: datetime.date) -> str | None:
        """That it has expired, in words; none when it has not. A review expires with what was reviewed."""
        if self.valid_until is None or not self.expired(today):
            return None
        review = f"the review by {plain(self.reviewer, 80)} of " if self.reviewer else "the evidence "
        return f"{review}“{plain(self.name, 80)}” was valid until {words.iso_day(self.valid_until)}"


class EvidenceTask(Model):
    """A finding that is met, and whose evidence has expired or is less than a gate accepts.

    :ivar orgs: the organisations where it is wanted.
    :ivar has: what it rests on now.
    :ivar wanted: what the gate accepts; of expired evidence, what it counted as.
    :ivar accepted: the gate accepts what it rests on now all the same.
    :ivar items: the questions whose answers it rests on.
    :ivar expired: each piece of evidence that has expired, in words.
    """

    key: str
    rule: str
    title: str
    orgs: tuple[str, ...]
    gate: Gate
    has: Evidence | None
    wanted: Evidence
    accepted: bool = False
    items: tuple[str, ...]
    expired: tuple[str, ...] = ()
    owner: Owner = Owner.US
    sentence: str
