"""A new answer after an earlier one: what of the earlier one stays, and whose the new one is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypedDict

from interlock.content.answer import parse_answer
from interlock.model.base import Evidence, Status
from interlock.model.evidence import EvidenceRecord
from interlock.model.questionnaire import Item
from interlock.model.response import Response
from interlock.usecases.answer import Raw, make_response
from interlock.usecases.evidence import attached, day_given, detached

#: A name, and behind a comma a day; or the day alone.
_WITH_DAY = re.compile(r"(?:(.*),)?\s*(\d{4}-\d\d-\d\d)\s*")
_OPEN = (Status.UNANSWERED, Status.UNKNOWN)


@dataclass(frozen=True)
class Given:
    """What somebody says about one question; none is what is not spoken of, and an empty text takes away.

    :ivar link: where the first piece of evidence is.
    :ivar attach: a piece of evidence more; ``detach`` the number of one less.
    """

    value: Raw | None = None
    status: Status | None = None
    evidence: Evidence | None = None
    reason: str | None = None
    note: str | None = None
    link: str | None = None
    attach: EvidenceRecord | None = None
    detach: int | None = None
    assign: str | None = None
    due: str | None = None

    @property
    def is_beside(self) -> bool:
        """Whether something stands beside an answer, and no answer is given."""
        if self.value is not None or self.status is not None:
            return False
        beside = (self.evidence, self.note, self.link, self.attach, self.detach, self.assign, self.due)
        return any(part is not None for part in beside)


class Assignment(TypedDict):
    """Who owes an answer or its evidence, and by when."""

    assignee: str | None
    due: str | None


def assignment_after(earlier: Response | None, status: Status) -> Assignment:
    """Who still owes something once a question has this status: what was owed is no longer owed once it is given."""
    stays = earlier is not None and (status is Status.UNKNOWN or (status not in _OPEN and earlier.status not in _OPEN))
    return (
        Assignment(assignee=earlier.assignee, due=earlier.due)
        if earlier and stays
        else Assignment(assignee=None, due=None)
    )


def revised(item: Item, earlier: Response | None, given: Given, by: str) -> Response | None:
    """The answer to save, none to remove it.

    Who changes only what stands beside an answer does not become its author, and settles nothing between others. With
    the same answer its evidence and note stay; another answer needs evidence of its own.

    :param by: who says it.
    :raises InterlockError: the value is not offered, or something does not fit.
    """
    base = earlier or Response(status=Status.UNANSWERED)
    again = given.is_beside
    status = base.status if again else given.status or Status.ANSWERED
    value = base.value if again else given.value
    if status is Status.ANSWERED and value is not None:
        value = parse_answer(item, value)
    same = again or (status, value) == (base.status, base.value)
    records = base.documents if same else ()
    if given.detach is not None:
        records = detached(records, given.detach)
    if given.attach is not None:
        records = attached(records, given.attach)
    first = records[0].link if records else None
    owed = Assignment(assignee=base.assignee, due=base.due) if again else assignment_after(base, status)
    response = make_response(
        item,
        value,
        status=status,
        evidence=given.evidence or (base.evidence if again else Evidence.ASSERTED),
        reason=given.reason or (base.reason if same else None),
        note=(base.note if same else None) if given.note is None else given.note or None,
        link=first if given.link is None else given.link or None,
        documents=records,
        by=by,
        assignee=owed["assignee"] if given.assign is None else given.assign or None,
        due=owed["due"] if given.due is None else day_given(given.due, "due date"),
        others=base.others if again else (),
    )
    if response is None or not again or base.status is Status.UNANSWERED:
        return response
    return response.but(by=base.by, at=base.at)


def assigned(item: Item, earlier: Response | None, typed: str, by: str) -> Response | None:
    """The answer with who owes it and by when, typed as ``Ada, 2026-12-14``; either may be left out.

    :raises InterlockError: this is no name, or no day.
    """
    match = _WITH_DAY.fullmatch(typed)
    name, due = ((match[1] or "").strip(), match[2]) if match else (typed.strip(), "")
    return revised(item, earlier, Given(assign=name, due=due), by)
