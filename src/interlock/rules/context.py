"""What one subject's conditions are evaluated on: its variables, and why each answer that is absent is absent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from interlock.model.base import Evidence, Scope, Status
from interlock.model.finding import PRODUCT, Subject
from interlock.model.organization import Organization
from interlock.model.questionnaire import AnswerValue, Item, ItemType, Response, Responses
from interlock.rules.inputs import RuleInputs
from interlock.rules.library import cel
from interlock.rules.messages import line, show
from interlock.rules.variables import (
    checks_variable,
    cleaned,
    contract_variable,
    fit_variable,
    fleet_variable,
    organization_variable,
    probe_variable,
)

Variables = dict[str, Any]
#: Names to keep of a map: a name without names below it is kept whole.
Wanted = dict[str, "Wanted"]
#: (item id, type, value) → whether the item can have that answer, and v in [0, 1] if it is graded.
Judged = dict[tuple[str, type, AnswerValue], tuple[bool, float | None]]


@dataclass(frozen=True)
class Answers:
    """The answers that one subject's conditions see, and what stands in place of the others.

    :ivar responses: nested by the words of the item's id; answered items only.
    :ivar value: the same shape, v in [0, 1], graded items only.
    :ivar graded: item id → v.
    :ivar evidence: item id → evidence, of answered items.
    :ivar excused: item id → why it needs no answer: hidden, or the reason given for not applicable.
    """

    responses: Variables = field(default_factory=dict)
    value: Variables = field(default_factory=dict)
    graded: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    excused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SubjectContext:
    """One subject, its variables, and the contexts built from them once.

    ``unobserved`` is the reason why nothing was observed of the subject, in words.
    """

    subject: Subject
    variables: Variables
    answers: Answers
    wanted: Wanted = field(default_factory=dict)
    unobserved: str | None = None
    _shown: dict[str, str] = field(default_factory=dict)

    @cached_property
    def context(self) -> cel.Context:
        """Everything that is known."""
        return cel.Context(variables=cleaned(_kept(self.variables, self.wanted)))

    @cached_property
    def without_answers(self) -> cel.Context:
        """Everything but the answers: what still holds here was observed or documented."""
        bare = {**self.variables, "responses": {}, "value": {}}
        return cel.Context(variables=cleaned(_kept(bare, self.wanted)))

    def lookup(self, name: str) -> Any:
        """The value of a dotted name, or none when it is not there."""
        value: Any = self.variables
        for part in name.split("."):
            value = value.get(part) if type(value) is dict else None
        return value

    def shown(self, name: str) -> str:
        """The value of a dotted name in words, as a message shows it."""
        text = self._shown.get(name)
        if text is None:
            text = self._shown[name] = show(self.lookup(name))
        return text


def subject_contexts(inputs: RuleInputs, reads: Iterable[str] = ()) -> Iterator[SubjectContext]:
    """Every subject: the product, each vendor, each organisation. ``reads`` are the names worth handing over."""
    items = [item for questionnaire in inputs.questionnaires for item in questionnaire.questions()]
    wanted = wanted_names(reads)
    product_hidden = inputs.hidden.get("", frozenset())
    judged: Judged = {}
    answers = collect_answers(items, inputs.product, product_hidden, judged)
    shared: Variables = {"fleet": fleet_variable(inputs)}
    if inputs.contract is not None:
        shared["contract"] = contract_variable(inputs.contract)
    product = {**shared, "responses": answers.responses, "value": answers.value}
    yield SubjectContext(PRODUCT, product, answers, wanted)
    for vendor in sorted({organization.vendor for organization in inputs.organizations}):
        members = [organization_variable(entry) for entry in inputs.organizations if entry.vendor == vendor]
        variables = {**product, "vendor": vendor, "organizations": members}
        yield SubjectContext(Subject(scope=Scope.VENDOR, id=vendor), variables, answers, wanted)
    for organization in inputs.organizations:
        own = inputs.by_org.get(organization.id, {})
        merged = {**inputs.product, **{key: one for key, one in own.items() if one.status is not Status.UNANSWERED}}
        hidden = product_hidden | inputs.hidden.get(organization.id, frozenset())
        answers = collect_answers(items, merged, hidden, judged)
        variables = {**shared, **fact_variables(inputs, organization.id)}
        variables |= {
            "responses": answers.responses,
            "value": answers.value,
            "org": organization_variable(organization),
        }
        subject = Subject(scope=Scope.ORG, id=organization.id)
        yield SubjectContext(subject, variables, answers, wanted, _unobserved(organization, inputs))


def fact_variables(inputs: RuleInputs, org: str) -> Variables:
    """``probe``, ``checks`` and, when the organisation's statement was observed, ``fit``."""
    observation = inputs.observations.get(org)
    result: Variables = {
        "probe": probe_variable(observation.facts) if observation else {},
        "checks": checks_variable(observation.checks) if observation else {},
    }
    fit = fit_variable(inputs.fits.get(org))
    return result if fit is None else {**result, "fit": fit}


def collect_answers(
    items: Iterable[Item], responses: Responses, hidden: frozenset[str], judged: Judged | None = None
) -> Answers:
    """The answers to these items; a value that its item no longer offers counts as not answered.

    ``judged`` remembers what an answer is worth, for callers with many organisations that answer alike.
    """
    answers = Answers()
    judged = {} if judged is None else judged
    for item in items:
        response = responses.get(item.id)
        if item.id in hidden:
            answers.excused[item.id] = "not asked"
        elif response is None:
            continue
        elif response.status is Status.NOT_APPLICABLE:
            answers.excused[item.id] = line(response.reason or "not applicable", 200)
        elif response.status is Status.ANSWERED and response.value is not None:
            value = response.value
            key = (item.id, type(value), value)  # the type, because 1 == True
            if key not in judged:
                judged[key] = (_possible(item, value), item.graded_value(value))
            possible, graded = judged[key]
            if possible:
                _answered(answers, item, response, graded)
    return answers


def nest(target: Variables, name: str, value: Any) -> None:
    """Put a value under a dotted name, level by level."""
    *path, last = name.split(".")
    for part in path:
        inner = target.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        target = inner
    target[last] = value


def _answered(answers: Answers, item: Item, response: Response, graded: float | None) -> None:
    value = response.value
    nest(answers.responses, item.id, list(value) if isinstance(value, tuple) else value)
    answers.evidence[item.id] = response.evidence
    if graded is not None:
        answers.graded[item.id] = float(graded)
        nest(answers.value, item.id, float(graded))


def _possible(item: Item, value: AnswerValue) -> bool:
    if item.type is ItemType.CHOICE:
        return isinstance(value, str) and item.option(value) is not None
    if item.type is ItemType.MULTI_CHOICE:
        return isinstance(value, tuple) and all(item.option(one) is not None for one in value)
    if item.type is ItemType.BOOLEAN:
        return isinstance(value, bool)
    if item.type is ItemType.INTEGER:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str)


def _unobserved(organization: Organization, inputs: RuleInputs) -> str | None:
    observation = inputs.observations.get(organization.id)
    if observation is None:
        return "never probed" if organization.fhir_base_url else "no address to probe is known"
    reason = observation.reason_not_observed()
    return line(reason, 200) if reason else None


def wanted_names(reads: Iterable[str]) -> Wanted:
    """Dotted names as a tree. A name read whole covers every name below it."""
    tree: Wanted = {}
    for name in sorted(reads, key=len):
        node = tree
        parts = name.split(".")
        for index, part in enumerate(parts):
            if index < len(parts) - 1 and part in node and not node[part]:
                break
            node = node.setdefault(part, {})
    return tree


def _kept(value: Any, wanted: Wanted) -> Any:
    if not wanted or type(value) is not dict:
        return value
    return {name: _kept(value[name], below) for name, below in wanted.items() if name in value}
