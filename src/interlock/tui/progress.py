"""How far the answers are: counts per area, over the product and all organisations, and what the next one settles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlock.model import words
from interlock.model.base import Gate, Status

if TYPE_CHECKING:
    from interlock.usecases.load import Inputs
    from interlock.usecases.next import NextQuestion
    from interlock.usecases.questions import Asked


@dataclass(frozen=True)
class Counts:
    """How many questions have which status; a question that does not apply counts as settled, like an answered one."""

    answered: int = 0
    unknown: int = 0
    not_applicable: int = 0
    open: int = 0

    @property
    def total(self) -> int:
        """All questions."""
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

    areas: dict[str, list[Asked]] = {questionnaire.title: [] for questionnaire in inputs.content.questionnaires}
    for scope in ("product", *(org.id for org in inputs.organizations)):
        for question in questions(inputs, scope):
            areas[question.area].append(question)
    return {title: count(asked) for title, asked in areas.items() if asked}


def worth_of(question: NextQuestion, names: Mapping[str, str]) -> str:
    """Why a question is worth answering: ``decides the sandbox gate of Harborview; settles 3.7 points``."""
    gates: dict[Gate, list[str]] = {}
    for stake in question.gates:
        gates.setdefault(stake.gate, []).append(names.get(stake.org, stake.org))
    reasons = [
        f"decides the {words.GATE[gate].phrase} gate of "
        f"{orgs[0] if len(orgs) == 1 else words.count(len(orgs), 'organisation')}"
        for gate, orgs in gates.items()
    ]
    points = words.number(question.points)
    if points != "0":
        reasons.append(f"settles {points} {'point' if points == '1' else 'points'}")
    if question.rules:
        rules = len(question.rules)
        reasons.append(f"{words.count(rules, 'rule')} {words.agree(rules, 'waits', 'wait')} for it")
    return "; ".join(reasons) or "no rule waits for it"
