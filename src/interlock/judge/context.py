"""What is known about each subject, and what of it a condition is evaluated on."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Set
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from interlock.content.cel import cel
from interlock.content.compile import ANSWER_ROOTS, COMPARED_ROOTS, TOP_LEVEL
from interlock.content.messages import line, show
from interlock.judge.answers import NOT_KNOWN, Causes, States, nested, state_of
from interlock.judge.contradictions import (
    as_observed,
    automatic_items,
    automatic_reads,
    comparison,
    observed_answers,
)
from interlock.judge.sites import sites
from interlock.judge.variables import (
    RuleInputs,
    Wanted,
    cleaned,
    contract_variable,
    fact_variables,
    fleet_variable,
    kept,
    organization_variable,
    settings_variable,
    state_at,
    value_at,
    wanted_names,
)
from interlock.model.base import Scope, Status
from interlock.model.finding import PRODUCT, Subject
from interlock.model.organization import Organization
from interlock.model.response import Response

Variables = dict[str, Any]
#: Names that are the same for every subject.
SHARED_ROOTS = frozenset({"contract", "fleet"})


class NameStates(dict[str, Hashable]):
    """States of names that are no answers', each worked out when it is first asked for.

    :ivar shared: those of names that are the same for every subject, worked out once for all of them.
    """

    def __init__(self, variables: Variables, shared: NameStates | None = None) -> None:
        super().__init__()
        self._variables, self._shared = variables, shared

    def __missing__(self, name: str) -> Hashable:
        if self._shared is not None and name.partition(".")[0] in SHARED_ROOTS:
            state = self._shared[name]
        else:
            state = state_at(self._variables, name)
        self[name] = state
        return state


@dataclass(frozen=True, eq=False)
class SubjectContext:
    """One subject as conditions see it: its variables, and the contexts built from them once.

    ``unobserved`` is the reason why nothing was observed of the subject, in words; ``unknown`` says of names about all
    organisations what they wait for.
    """

    subject: Subject
    variables: Variables
    answers: States
    wanted: Wanted = field(default_factory=dict)
    unobserved: str | None = None
    unknown: Mapping[str, Causes] = field(default_factory=dict)

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


@dataclass(frozen=True, eq=False)
class Known:
    """All that is known about one subject.

    :ivar vendor: the vendor that the subject is, or that its organisation has; none for the product.
    :ivar answers: what is known about each item, by its id.
    :ivar variables: every variable that conditions read but ``responses`` and ``value``, which are made of ``answers``.
    :ivar unobserved: why nothing was observed of the subject, in words.
    :ivar named: the organisation's id, if the contract names it somewhere.
    :ivar states: the states of names that are no answers'.
    """

    subject: Subject
    vendor: str | None
    answers: States
    variables: Variables
    unobserved: str | None
    named: str | None
    states: NameStates
    _shown: dict[str, str] = field(default_factory=dict)

    @cached_property
    def name(self) -> str:
        """The subject in words."""
        return str(self.subject)

    def shown(self, name: str) -> str:
        """The value of a dotted name in words, as a message shows it."""
        if name not in self._shown:
            root, _, rest = name.partition(".")
            if root not in ANSWER_ROOTS:
                value = value_at(self.variables, name)
            else:
                answer = self.answers.get(rest, NOT_KNOWN)
                value = answer.value if root == "responses" else answer.graded
            self._shown[name] = show(value)
        return self._shown[name]

    def context(self, wanted: Wanted, items: Iterable[str]) -> SubjectContext:
        """What a condition is evaluated on: these names, and the answers to these items."""
        known = self.answers
        answers = {item: known[item] for item in items if item in known}
        return SubjectContext(self.subject, {**self.variables, **nested(answers)}, answers, wanted, self.unobserved)


class Knowledge:
    """What is known about every subject: the product, each vendor, each organisation.

    :param roots: the top-level names that will be read, by default all.
    :param items: ids of the items whose answers will be read; all of them where answers are compared with observations.
    """

    def __init__(self, inputs: RuleInputs, roots: Set[str] = TOP_LEVEL, items: Set[str] = frozenset()) -> None:
        self._compares = bool(roots & COMPARED_ROOTS)
        questions = (item for questionnaire in inputs.questionnaires for item in questionnaire.questions())
        self._items = {item.id: item for item in questions if self._compares or item.id in items}
        self._sites = sites(inputs) if "site" in roots else {}
        self._automatic = automatic_items(self._items.values())
        self._automatic_reads = wanted_names(automatic_reads(self._automatic))
        self._variables: Variables = {"fleet": fleet_variable(inputs)} if "fleet" in roots else {}
        if inputs.contract is not None and "contract" in roots:
            alone = () if inputs.fit_to_fhir is None else (inputs.fit_to_fhir,)
            self._variables["contract"] = contract_variable(inputs.contract, (*inputs.fits.values(), *alone))
        self._named = frozenset(_organizations_in(self._variables.get("contract")))
        self._states = NameStates(self._variables)
        self._answer(inputs)

    def _answer(self, inputs: RuleInputs) -> None:
        self.inputs = inputs
        self._hidden = inputs.hidden.get("", frozenset())
        asked = [item.id for item in self._items.values() if item.scope is not Scope.ORG]
        answered = self._answers({}, {item: inputs.product.get(item) for item in asked}, frozenset())
        looked_at = {item: inputs.rehearsed[item] for item in inputs.rehearsed.keys() & answered.keys()}
        self._product = {**answered, **{item: said.state(answered[item]) for item, said in looked_at.items()}}

    def answered(self, inputs: RuleInputs) -> Knowledge:
        """What is known of inputs that differ from these in answers, and in what is asked, alone."""
        after = copy(self)
        after._answer(inputs)
        return after

    def __iter__(self) -> Iterator[Known]:
        yield self.product()
        for vendor in sorted({organization.vendor for organization in self.inputs.organizations}):
            yield self.vendor(vendor)
        yield from map(self.organization, self.inputs.organizations)

    def product(self) -> Known:
        """What is known about the product."""
        return Known(PRODUCT, None, self._product, self._variables, None, None, self._states)

    def vendor(self, vendor: str) -> Known:
        """What is known about a vendor."""
        members = [organization_variable(entry) for entry in self.inputs.organizations if entry.vendor == vendor]
        variables = {**self._variables, "vendor": vendor, "organizations": members}
        states = NameStates(variables, self._states)
        return Known(Subject(scope=Scope.VENDOR, id=vendor), vendor, self._product, variables, None, None, states)

    def organization(self, organization: Organization) -> Known:
        """What is known about an organisation: its own responses over the product's, and what was observed of it.

        Where an observation says something else than an answer, or the same, the observation counts.
        """
        inputs, org = self.inputs, organization.id
        own, hidden = inputs.by_org.get(org, {}), inputs.hidden.get(org, frozenset())
        given = {item: own.get(item) for item in self._items.keys() & (own.keys() | hidden)}
        answers = self._answers(self._product, given, hidden)
        facts = fact_variables(inputs, org)
        variables = {
            **self._variables,
            **facts,
            **settings_variable(inputs.fits.get(org)),
            "org": organization_variable(organization),
        }
        observation = inputs.observations.get(org)
        if self._automatic and observation is not None and observation.outcome != "not_observed":
            context = cel.Context(variables=cleaned(kept(facts, self._automatic_reads)))
            observed = observed_answers(self._automatic, context, answers)
            if self._compares:
                variables |= comparison(self._automatic, observed, answers)
            answers = {
                **answers,
                **{item: as_observed(self._items[item], answers[item], value) for item, value in observed.items()},
            }
        if self._sites:
            variables["site"] = self._sites[org]
        subject, reason = Subject(scope=Scope.ORG, id=org), unobserved(organization, inputs)
        named = org if org in self._named else None
        states = NameStates(variables, self._states)
        return Known(subject, organization.vendor, answers, variables, reason, named, states)

    def _answers(self, before: States, given: Mapping[str, Response | None], hidden: frozenset[str]) -> States:
        """What is known when these responses are given, and these items hidden, on top of what was known before."""
        states = dict(before)
        for item_id, response in given.items():
            concealed = item_id in hidden or item_id in self._hidden
            if not concealed and (response is None or response.status is Status.UNANSWERED):
                continue
            state = state_of(self._items[item_id], response, concealed, self.inputs.today)
            if state is None:
                states.pop(item_id, None)
            else:
                states[item_id] = state
        return states


def unobserved(organization: Organization, inputs: RuleInputs) -> str | None:
    """Why nothing was observed of an organisation, in words; none when something was."""
    observation = inputs.observations.get(organization.id)
    if observation is None:
        return "never probed" if organization.fhir_base_url else "no address to probe is known"
    reason = observation.reason_not_observed()
    return line(reason, 200) if reason else None


def _organizations_in(value: Any) -> Iterator[str]:
    """Every organisation that the contract names somewhere."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "organization" and isinstance(inner, str):
                yield inner
            is_list = key in {"organizations", "not_at"} and isinstance(inner, (list, tuple))
            yield from inner if is_list else _organizations_in(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _organizations_in(inner)
