"""How far a set of questionnaires has been answered, and what to ask next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from interlock.model.base import Scope, Status
from interlock.model.questionnaire import Item, Questionnaire, Responses

Profile = Literal["core", "full"]


@dataclass(frozen=True)
class AreaCount:
    """How many questions of one questionnaire stand where. ``undecided`` ones may still turn out to be asked."""

    id: str
    title: str
    answered: int = 0
    unknown: int = 0
    not_applicable: int = 0
    unanswered: int = 0
    hidden: int = 0
    undecided: int = 0

    @property
    def asked(self) -> int:
        """Questions that are shown: neither hidden nor undecided."""
        return self.answered + self.unknown + self.not_applicable + self.unanswered

    @property
    def done(self) -> int:
        """Questions with any status but unanswered; unknown is a status that a team gave on purpose."""
        return self.answered + self.unknown + self.not_applicable


def next_question(
    questionnaires: Sequence[Questionnaire],
    responses: Responses,
    visibility: Mapping[str, bool | None],
    profile: Profile,
    scope: Scope | None = None,
) -> Item | None:
    """The first question that is shown and unanswered: core questions first, each in reading order.

    ``profile`` ``core`` asks core questions only. ``scope`` restricts to questions of one scope. None when all is done.
    """
    for priority in ("core", "full") if profile == "full" else ("core",):
        for questionnaire in questionnaires:
            for item in questionnaire.questions():
                if (
                    item.priority == priority
                    and (scope is None or item.scope is scope)
                    and visibility.get(item.id, True) is True
                    and _status(item, responses) is Status.UNANSWERED
                ):
                    return item
    return None


def counts(
    questionnaires: Sequence[Questionnaire],
    responses: Responses,
    visibility: Mapping[str, bool | None],
    profile: Profile = "full",
    scope: Scope | None = None,
) -> tuple[AreaCount, ...]:
    """Counts of every questionnaire that has a question of this profile and scope, in order."""
    result: list[AreaCount] = []
    for questionnaire in questionnaires:
        tally: dict[str, int] = {}
        for item in questionnaire.questions():
            if (profile == "full" or item.priority == "core") and (scope is None or item.scope is scope):
                shown = visibility.get(item.id, True)
                word = _status(item, responses).value if shown else "hidden" if shown is False else "undecided"
                tally[word] = tally.get(word, 0) + 1
        if tally:
            result.append(AreaCount(id=questionnaire.id, title=questionnaire.title, **tally))
    return tuple(result)


def _status(item: Item, responses: Responses) -> Status:
    response = responses.get(item.id)
    return response.status if response else Status.UNANSWERED
