"""What one subject's conditions are evaluated on: its variables, and why each answer that is absent is absent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from interlock.model.base import Scope, Status
from interlock.model.finding import PRODUCT, Subject
from interlock.model.organization import Organization
from interlock.model.questionnaire import Item, Responses
from interlock.rules.answers import Answers, AnswerState, Memory, collect_answers, state_of
from interlock.rules.comparison import Observed, automatic_items, comparison, observed_answer
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

__all__ = [
    "Answers",
    "Contexts",
    "SubjectContext",
    "Variables",
    "Wanted",
    "collect_answers",
    "fact_variables",
    "subject_contexts",
    "wanted_names",
]

Variables = dict[str, Any]
#: Names to keep of a map: a name without names below it is kept whole.
Wanted = dict[str, "Wanted"]
#: Item id → what is known about it; what is not known is not there.
States = dict[str, AnswerState]


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

    @property
    def vendor(self) -> str | None:
        """The vendor that the subject is, or that its organisation has; none for the product."""
        if self.subject.scope is Scope.VENDOR:
            return self.subject.id
        found: str | None = self.lookup("org.vendor")
        return found

    @cached_property
    def context(self) -> cel.Context:
        """Everything that is known."""
        return cel.Context(variables=cleaned(kept(self.variables, self.wanted)))

    @cached_property
    def without_answers(self) -> cel.Context:
        """Everything but the answers: what still holds here was observed or documented."""
        bare = {**self.variables, "responses": {}, "value": {}}
        return cel.Context(variables=cleaned(kept(bare, self.wanted)))

    def lookup(self, name: str) -> Any:
        """The value of a dotted name, or none when it is not there."""
        return value_at(self.variables, name)

    def shown(self, name: str) -> str:
        """The value of a dotted name in words, as a message shows it."""
        text = self._shown.get(name)
        if text is None:
            text = self._shown[name] = show(self.lookup(name))
        return text


class Contexts:
    """Every subject's context, each built when it is asked for, from states and variables that all of them share.

    :param reads: the names worth handing over; without them everything is.
    :param memory: answer states met earlier, so that equal ones are the same object.
    :param before: contexts of earlier inputs: what has not changed since is the same object here.
    """

    def __init__(
        self,
        inputs: RuleInputs,
        reads: Iterable[str] = (),
        memory: Memory | None = None,
        before: Contexts | None = None,
    ) -> None:
        self.inputs = inputs
        self.items: dict[str, Item] = (
            before.items
            if before is not None and before.inputs.questionnaires is inputs.questionnaires
            else {item.id: item for questionnaire in inputs.questionnaires for item in questionnaire.questions()}
        )
        self.hidden = inputs.hidden.get("", frozenset())
        self._memory: Memory = {} if memory is None else memory
        self._wanted: Wanted = wanted_names(reads) if before is None else before._wanted
        self.automatic: tuple[Item, ...] = (
            before.automatic if before is not None else automatic_items(self.items.values())
        )
        self._observed: dict[tuple[int, int], tuple[Any, Any, Observed]] = {} if before is None else before._observed
        self.product_states: States = self._product_states(before)
        self.shared: Variables = self._shared(before)
        self.named: frozenset[str] = (
            before.named
            if before is not None and before.shared is self.shared
            else frozenset(_organizations_in(self.shared.get("contract")))
        )

    def _shared(self, before: Contexts | None) -> Variables:
        """``fleet`` and, when there is one, ``contract``."""
        contract = self.inputs.contract
        shared: Variables = {"fleet": fleet_variable(self.inputs)}
        if contract is not None:
            same = before is not None and before.inputs.contract is contract
            shared["contract"] = before.shared["contract"] if same and before else contract_variable(contract)
        return before.shared if before is not None and before.shared == shared else shared

    def _product_states(self, before: Contexts | None) -> States:
        """What is known about every item from the product's responses alone."""
        product = self.inputs.product
        found: States = {}
        for item_id, item in self.items.items():
            if item_id in product or item_id in self.hidden:
                state = state_of(item, product.get(item_id), item_id in self.hidden, self._memory)
                if state is not None:
                    found[item_id] = state
        return before.product_states if before is not None and before.product_states == found else found

    def states(self, own: Responses, hidden: frozenset[str]) -> States:
        """What is known for one organisation: its own responses over the product's, and what is hidden for it."""
        return self.changed_states(self.product_states, self.items.keys() & (own.keys() | hidden), own, hidden)

    def changed_states(
        self, before: Mapping[str, AnswerState], changed: Iterable[str], own: Responses, hidden: frozenset[str]
    ) -> States:
        """What is known for one organisation, of which only these items' answers may have changed."""
        found = dict(before)
        for item_id in changed:
            response = own.get(item_id)
            if response is not None and response.status is Status.UNANSWERED:
                response = None
            concealed = item_id in hidden or item_id in self.hidden
            if response is None and not concealed:
                state = self.product_states.get(item_id)
            else:
                state = state_of(self.items[item_id], response, concealed, self._memory)
            if state is None:
                found.pop(item_id, None)
            else:
                found[item_id] = state
        return found

    def product(self) -> SubjectContext:
        """The product's."""
        return self._context(PRODUCT, self.product_states, {})

    def vendor(self, vendor: str) -> SubjectContext:
        """A vendor's."""
        return self._context(Subject(scope=Scope.VENDOR, id=vendor), self.product_states, self.about_vendor(vendor))

    def organization(self, organization: Organization) -> SubjectContext:
        """An organisation's."""
        own = self.inputs.by_org.get(organization.id, {})
        states = self.states(own, self.inputs.hidden.get(organization.id, frozenset()))
        return self.of_states(organization, states)

    def of_states(self, organization: Organization, states: Mapping[str, AnswerState]) -> SubjectContext:
        """An organisation's, when its answers' states are known already."""
        about = {
            **fact_variables(self.inputs, organization.id),
            **self.compared(organization.id, states),
            "org": organization_variable(organization),
        }
        subject = Subject(scope=Scope.ORG, id=organization.id)
        return self._context(subject, states, about, unobserved(organization, self.inputs))

    def narrow(
        self,
        organization: Organization,
        states: Mapping[str, AnswerState],
        need: tuple[Iterable[str], Wanted, bool, bool],
    ) -> SubjectContext:
        """An organisation's, with no more in it than one rule reads.

        :param need: items, names, whether any of them are facts, and whether any compare answers with facts.
        """
        items, wanted, facts, compared = need
        about: Variables = {"org": organization_variable(organization)}
        if facts:
            about |= fact_variables(self.inputs, organization.id)
        if compared:
            about |= self.compared(organization.id, states)
        answers = Answers.of({item: state for item in items if (state := states.get(item)) is not None})
        variables = {**self.shared, **about, "responses": answers.responses, "value": answers.value}
        subject = Subject(scope=Scope.ORG, id=organization.id)
        return SubjectContext(subject, variables, answers, wanted, unobserved(organization, self.inputs))

    def compared(self, org: str, states: Mapping[str, AnswerState]) -> Variables:
        """``compared`` and ``contradictions`` of an organisation; nothing when it was not observed."""
        observation = self.inputs.observations.get(org)
        if observation is None or observation.outcome == "not_observed" or not self.automatic:
            return {}
        fit = self.inputs.fits.get(org)
        key = (id(observation), id(fit))
        known = self._observed.get(key)
        if known is None:
            context = cel.Context(variables=cleaned(fact_variables(self.inputs, org)))
            pairs = ((item.id, observed_answer(item, context)) for item in self.automatic)
            seen = {name: answer for name, answer in pairs if answer is not None}
            # Keeping what the ids belong to keeps the ids from being given to something else.
            known = self._observed[key] = (observation, fit, seen)
        return comparison(self.automatic, known[2], states)

    def about_vendor(self, vendor: str) -> Variables:
        """``vendor`` and ``organizations``."""
        members = [organization_variable(entry) for entry in self.inputs.organizations if entry.vendor == vendor]
        return {"vendor": vendor, "organizations": members}

    def _context(
        self, subject: Subject, states: Mapping[str, AnswerState], about: Variables, reason: str | None = None
    ) -> SubjectContext:
        answers = Answers.of(states)
        variables = {**self.shared, **about, "responses": answers.responses, "value": answers.value}
        return SubjectContext(subject, variables, answers, self._wanted, reason)


def subject_contexts(inputs: RuleInputs, reads: Iterable[str] = ()) -> Iterator[SubjectContext]:
    """Every subject: the product, each vendor, each organisation. ``reads`` are the names worth handing over."""
    contexts = Contexts(inputs, reads)
    yield contexts.product()
    for vendor in sorted({organization.vendor for organization in inputs.organizations}):
        yield contexts.vendor(vendor)
    for organization in inputs.organizations:
        yield contexts.organization(organization)


def fact_variables(inputs: RuleInputs, org: str) -> Variables:
    """``probe``, ``checks`` and, when the organisation's statement was observed, ``fit``."""
    observation = inputs.observations.get(org)
    result: Variables = {
        "probe": probe_variable(observation.facts) if observation else {},
        "checks": checks_variable(observation.checks) if observation else {},
    }
    fit = fit_variable(inputs.fits.get(org))
    return result if fit is None else {**result, "fit": fit}


def unobserved(organization: Organization, inputs: RuleInputs) -> str | None:
    """Why nothing was observed of an organisation, in words; none when something was."""
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


def _organizations_in(value: Any) -> Iterator[str]:
    """Every organisation that the contract names somewhere."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from (
                inner if key == "organizations" and isinstance(inner, (list, tuple)) else _organizations_in(inner)
            )
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _organizations_in(inner)


def value_at(variables: Mapping[str, Any], name: str) -> Any:
    """The value of a dotted name, or none when it is not there."""
    value: Any = variables
    for part in name.split("."):
        value = value.get(part) if type(value) is dict else None
    return value


def kept(value: Any, wanted: Wanted) -> Any:
    """What is wanted of a value: those of its names, at every level."""
    if not wanted or type(value) is not dict:
        return value
    return {name: kept(value[name], below) for name, below in wanted.items() if name in value}
