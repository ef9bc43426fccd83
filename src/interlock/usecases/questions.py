"""The questions of a workspace with their answers, in the order in which a person walks through them."""

from __future__ import annotations

from dataclasses import dataclass

from interlock.model import words
from interlock.model.base import Status
from interlock.model.questionnaire import Item, Response
from interlock.usecases.judge import asked
from interlock.usecases.load import Inputs


@dataclass(frozen=True)
class Asked:
    """One question in one scope (``product`` or an organisation's id), with its answer if there is one."""

    scope: str
    area: str
    item: Item
    response: Response | None

    @property
    def status(self) -> Status:
        """The response's status; unanswered without one."""
        return self.response.status if self.response else Status.UNANSWERED

    def shown_answer(self) -> str:
        """The answer in words: option labels for choices, yes or no, the value, or the status."""
        if self.response is None or self.response.value is None:
            return words.STATUS[self.status].phrase
        value = self.response.value
        if isinstance(value, bool):
            return "yes" if value else "no"
        values = value if isinstance(value, tuple) else (value,)
        labels = [option.label if (option := self.item.option(str(v))) else str(v) for v in values]
        return ", ".join(labels)


def questions(inputs: Inputs, scope: str) -> tuple[Asked, ...]:
    """Questions of one scope that are (or may be) shown, in reading order."""
    areas = {
        item.id: questionnaire for questionnaire in inputs.content.questionnaires for item in questionnaire.questions()
    }
    answers = inputs.answers(scope)
    return tuple(Asked(scope, areas[item.id].title, item, answers.get(item.id)) for item in asked(inputs, scope))
