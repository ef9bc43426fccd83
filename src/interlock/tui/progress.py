"""How far the answers are: counts per area, over the product and all organisations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlock.model.base import Status

if TYPE_CHECKING:
    from interlock.usecases.load import Inputs
    from interlock.usecases.questions import Asked


@dataclass(frozen=True)
class Counts:
    """Questions by status; those that do not apply are settled like answered ones."""

    answered: int = 0
    unknown: int = 0
    not_applicable: int = 0
    open: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.answered + self.unknown + self.not_applicable + self.open

    @property
    def settled(self) -> int:
        """Answered, or said not to apply."""
        return self.answered + self.not_applicable


def count(questions: Iterable[Asked]) -> Counts:
    """Counts of some questions."""
    statuses = [question.status for question in questions]
    return Counts(
        answered=statuses.count(Status.ANSWERED),
        unknown=statuses.count(Status.UNKNOWN),
        not_applicable=statuses.count(Status.NOT_APPLICABLE),
        open=statuses.count(Status.UNANSWERED),
    )


def by_area(inputs: Inputs) -> dict[str, Counts]:
    """Area title → counts, in reading order; an organisation's questions are counted once for each of them."""
    from interlock.usecases.questions import questions

    found: dict[str, list[Asked]] = {questionnaire.title: [] for questionnaire in inputs.content.questionnaires}
    for scope in ("product", *(org.id for org in inputs.organizations)):
        for question in questions(inputs, scope):
            found[question.area].append(question)
    return {title: count(asked) for title, asked in found.items() if asked}
