"""Answers that an observation contradicts; none is ever replaced.

What an observation says is decided by the first condition of an automatic answer that holds; while an earlier condition
is undecided, none of the later ones counts, so that half an observation never accuses anybody.
"""

from __future__ import annotations

from collections.abc import Iterator

from interlock.content.cel import cel
from interlock.content.expression import Expression
from interlock.content.messages import line, show
from interlock.judge.comparison import automatic_items, differs, observed_answer
from interlock.judge.context import Variables, fact_variables
from interlock.judge.inputs import RuleInputs
from interlock.judge.variables import cleaned
from interlock.model.base import Status
from interlock.model.finding import Contradiction
from interlock.model.questionnaire import AnswerValue, Item

_MAX_EVIDENCE = 400


def find(inputs: RuleInputs) -> tuple[Contradiction, ...]:
    """Every answer of an organisation that its observation contradicts, by item and organisation in their order."""
    questions = (item for questionnaire in inputs.questionnaires for item in questionnaire.questions())
    return tuple(_find(automatic_items(questions), inputs))


def _find(items: tuple[Item, ...], inputs: RuleInputs) -> Iterator[Contradiction]:
    observed = {organization.id: _Observed(organization.id, inputs) for organization in inputs.organizations}
    for item in items:
        for org, facts in observed.items():
            response = inputs.by_org.get(org, {}).get(item.id)
            hidden = item.id in inputs.hidden.get(org, frozenset())
            if response is None or response.status is not Status.ANSWERED or response.value is None or hidden:
                continue
            decided = observed_answer(item, facts.context)
            if decided and differs(item, response.value, decided[0]):
                yield Contradiction(
                    item=item.id,
                    org=org,
                    answered=_in_words(item, response.value),
                    observed=_in_words(item, decided[0]),
                    evidence=facts.evidence(decided[1]),
                )


class _Observed:
    """What was observed of one organisation, as conditions read it."""

    def __init__(self, org: str, inputs: RuleInputs) -> None:
        self.variables: Variables = cleaned(fact_variables(inputs, org))
        self.context = cel.Context(variables=self.variables)
        self.observation = inputs.observations.get(org)

    def evidence(self, condition: Expression) -> str:
        """When and where it was observed, and the facts that the condition reads, on one line."""
        shown = ", ".join(f"{name} = {self._shown(name)}" for name in condition.reads)
        if self.observation is None:
            return line(shown, _MAX_EVIDENCE)
        moment = self.observation.started.strftime("%Y-%m-%d %H:%M")
        return line(f"{self.observation.target.base_url} on {moment} UTC: {shown}", _MAX_EVIDENCE)

    def _shown(self, name: str) -> str:
        value = self.variables
        for part in name.split("."):
            if type(value) is not dict or part not in value:
                return "absent"
            value = value[part]
        return "present" if type(value) is dict else show(value)


def _in_words(item: Item, value: AnswerValue) -> str:
    values = value if isinstance(value, tuple) else (value,)
    labels = [
        option.label if isinstance(entry, str) and (option := item.option(entry)) else show(entry) for entry in values
    ]
    return line(", ".join(labels), 300)
