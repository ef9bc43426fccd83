"""The questions of a workspace with their answers, in reading order."""

from __future__ import annotations

from dataclasses import dataclass, replace

from interlock.content.visibility import denying
from interlock.judge.answers import counts_as
from interlock.model import words
from interlock.model.base import Scope, Status
from interlock.model.finding import Subject
from interlock.model.questionnaire import Item
from interlock.model.response import AnswerValue, Response
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
    def text(self) -> str:
        """What is asked."""
        return self.item.text_for(self.scope)

    @property
    def status(self) -> Status:
        """What the response counts as; unanswered without one."""
        return self.response.agreed_status if self.response else Status.UNANSWERED

    @property
    def counts_as(self) -> Status:
        """The status as it is judged: what the question does not take counts as no answer (see ``state_of``)."""
        return counts_as(self.item, self.response)

    def shown_answer(self) -> str:
        """The answer in words: option labels for choices, yes or no, the value, or the status. All that differ."""
        if self.response is None:
            return words.STATUS[Status.UNANSWERED].phrase
        differ = self.response.agreed_status is not self.response.status
        said = [
            words.STATUS[answer.status].phrase if answer.value is None else value_words(self.item, answer.value)
            for answer in (self.response.answers if differ else (self.response,))
        ]
        return " or ".join(said)


def value_words(item: Item, value: AnswerValue) -> str:
    """A question's answer in words: option labels for choices, yes or no, or the value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    values = value if isinstance(value, tuple) else (value,)
    return ", ".join(option.label if (option := item.option(str(entry))) else str(entry) for entry in values)


def questions(inputs: Inputs, scope: str) -> tuple[Asked, ...]:
    """Questions of one scope that are (or may be) shown, in reading order."""
    areas = {
        item.id: questionnaire for questionnaire in inputs.content.questionnaires for item in questionnaire.questions()
    }
    answers = inputs.answers(scope)
    return tuple(Asked(scope, areas[item.id].title, item, answers.get(item.id)) for item in asked(inputs, scope))


def kind_words(inputs: Inputs) -> str:
    """What kind of product it is, and how many questions that leaves, in words."""
    kind = inputs.settings.kind
    if kind is None:
        return "What kind of product it is was not said, so everything is asked."
    said = f"The product is {words.PRODUCT_KIND[kind].phrase}"
    if inputs.kind is None or denying(kind, inputs.content.items.values(), inputs.product):
        return f"{said}, but the contract or an answer says otherwise (see interlock lint): everything is asked."
    anything = replace(inputs, settings=inputs.settings.model_copy(update={"kind": None}))
    left, every = ([len(asked(of, scope)) for scope in ("product", "")] for of in (inputs, anything))
    shares = [f"{n} of {m}" if n < m else f"all {m}" for n, m in zip(left, every, strict=True)]
    return f"{said}: {shares[0]} questions about it apply, and {shares[1]} about each organisation."


def scope_asked(item: Item, subject: Subject) -> str | None:
    """Where a finding's subject has its answer to a question; none where an organisation's is no answer about it."""
    if item.scope is not Scope.ORG:
        return "product"
    return subject.id if subject.scope is Scope.ORG else None
