"""Every rule on every subject, and again after a change, without deciding twice what is known already.

A rule's conclusion depends on nothing but the states of the names that it reads (:mod:`interlock.rules.names`), so it
is remembered under them: a thousand organisations that answer alike are decided once. Between two evaluations of the
same :class:`Evaluator` a subject of which nothing changed keeps its row, and in a row that changed only the rules are
looked at that read what changed. What comes out is the same as deciding everything anew; the tests hold both together.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from interlock.model.base import Scope
from interlock.model.finding import PRODUCT, Conclusion, Finding, Subject
from interlock.model.organization import Organization
from interlock.model.questionnaire import Item, Questionnaire, Responses
from interlock.model.rule import Ruleset
from interlock.rules.answers import AnswerState, Memory
from interlock.rules.compile import CompiledRuleset, compile_ruleset
from interlock.rules.context import Contexts, fact_variables, unobserved
from interlock.rules.engine import conclude
from interlock.rules.inputs import RuleInputs
from interlock.rules.names import NameTable, State, Vector, name_table, path_state
from interlock.rules.rows import Layout, Row, Sources, Table
from interlock.rules.variables import organization_variable

#: Conclusions and states to remember; beyond it everything is forgotten, which costs one slow evaluation.
MAX_REMEMBERED = 500_000
#: From how many undecided rules on a subject's whole context is built; for fewer each gets what it reads.
MANY = 40


@dataclass
class _Remembered:
    """What one evaluation leaves for the next."""

    answers: Memory = field(default_factory=dict)
    states: dict[State, int] = field(default_factory=dict)
    conclusions: dict[str, dict[Hashable, Conclusion]] = field(default_factory=dict)
    memories: dict[NameTable, list[dict[Hashable, Conclusion]]] = field(default_factory=dict)
    tables: dict[tuple[Scope, str], NameTable] = field(default_factory=dict)
    facts: dict[tuple[int, int, int], tuple[Any, list[State]]] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    shared: dict[int, tuple[Any, list[State]]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.answers) + len(self.states) + sum(map(len, self.conclusions.values()))


class Evaluator:
    """Evaluates one ruleset, again and again. Not for two threads at a time.

    :raises DocumentError: a condition of the ruleset is not CEL. Inputs never raise, whatever a server put into them.
    """

    def __init__(self, ruleset: Ruleset | CompiledRuleset) -> None:
        self.compiled = ruleset if isinstance(ruleset, CompiledRuleset) else compile_ruleset(ruleset)
        self._reads = self.compiled.reads
        self._questionnaires: tuple[Questionnaire, ...] = ()
        self._known = _Remembered()
        self._contexts: Contexts | None = None
        self._changed_product: frozenset[str] = frozenset()
        self._layout: Layout | None = None

    def evaluate(self, inputs: RuleInputs) -> Table:
        """What every rule in force concludes about every subject of its scope and vendors."""
        if inputs.questionnaires is not self._questionnaires or self._known.size > MAX_REMEMBERED:
            self._known = _Remembered()
            self._questionnaires = inputs.questionnaires
            self._contexts = None
        contexts = Contexts(inputs, self._reads, self._known.answers, self._contexts)
        if self._contexts is None or contexts.shared is not self._contexts.shared:
            self._known.shared = {}
        before = self._contexts.product_states if self._contexts else {}
        now = contexts.product_states
        self._changed_product = frozenset(
            item for item in before.keys() | now.keys() if before.get(item) is not now.get(item)
        )
        vendors = sorted({organization.vendor for organization in inputs.organizations})
        product = self._shared_row(contexts, PRODUCT, {})
        by_vendor = {
            vendor: self._shared_row(contexts, Subject(scope=Scope.VENDOR, id=vendor), contexts.about_vendor(vendor))
            for vendor in vendors
        }
        by_org = {one.id: self._organization(contexts, one) for one in inputs.organizations}
        rows = {str(row.subject): row for row in (product, *by_vendor.values(), *by_org.values())}
        subjects = tuple((name, row.names) for name, row in rows.items())
        if self._layout is None or self._layout.subjects != subjects:
            self._layout = Layout(subjects)
        self._known.rows = rows
        self._contexts = contexts
        return Table(product, by_vendor, by_org, self._layout)

    # -- one subject --------------------------------------------------------------------------------------------------

    def _organization(self, contexts: Contexts, organization: Organization) -> Row:
        inputs, name = contexts.inputs, organization.id
        sources = Sources(
            organization=organization,
            shared=contexts.shared,
            observation=inputs.observations.get(name),
            fit=inputs.fits.get(name),
            product=contexts.product_states,
            own=inputs.by_org.get(name, _NO_RESPONSES),
            hidden=inputs.hidden.get(name, _NOTHING_HIDDEN),
        )
        before = self._known.rows.get(name)
        if before is None or not before.sources.same_but_answers(sources):
            states = contexts.states(sources.own, sources.hidden)
            return self._anew(contexts, Subject(scope=Scope.ORG, id=name), states, {}, sources)
        if before.sources.same_answers(sources):
            return before
        changed = self._changed_items(contexts, before.sources, sources)
        states = contexts.changed_states(before.states, changed, sources.own, sources.hidden)
        return self._again(contexts, before, states, changed, sources)

    def _shared_row(self, contexts: Contexts, subject: Subject, about: Mapping[str, Any]) -> Row:
        """The row of the product or of a vendor."""
        sources = Sources(None, contexts.shared, None, None, contexts.product_states, _NO_RESPONSES, _NOTHING_HIDDEN)
        before = self._known.rows.get(str(subject))
        if before is None or before.sources.shared is not contexts.shared or before.about != about:
            return self._anew(contexts, subject, contexts.product_states, about, sources)
        if before.sources.same_answers(sources):
            return before
        return self._again(contexts, before, contexts.product_states, self._changed_product, sources)

    def _anew(
        self,
        contexts: Contexts,
        subject: Subject,
        states: Mapping[str, AnswerState],
        about: Mapping[str, Any],
        sources: Sources,
    ) -> Row:
        """A row of which more than answers may have changed."""
        organization = sources.organization
        names = self._names(subject.scope, organization.vendor if organization else subject.id, contexts.items)
        vector: Vector = [None] * (names.size + 1)
        if organization is not None:
            named = organization.id if organization.id in contexts.named else None
            about = {"org": {**organization_variable(organization), "named": named}}
            vector[-1] = unobserved(organization, contexts.inputs)
            self._put(vector, names.facts, self._facts(contexts, names, organization))
            self._put_compared(contexts, names, organization, states, vector)
        self._put(vector, names.shared, self._shared(contexts, names))
        self._put(vector, names.about, [self._interned(path_state(about, path)) for _, path in names.about])
        names.answer_states(states, vector)
        before = self._known.rows.get(str(subject))
        row = Row(subject, names, vector, states, about, sources, contexts)
        return self._concluded(
            row, before if before is not None and before.names is names else None, range(names.size + 1)
        )

    def _again(
        self,
        contexts: Contexts,
        before: Row,
        states: Mapping[str, AnswerState],
        changed: frozenset[str],
        sources: Sources,
    ) -> Row:
        """A row of which only these items' answers may have changed."""
        names = before.names
        numbers = sorted({number for item in changed for number in names.by_item.get(item, ())})
        touched = [names.answers[number] for number in numbers]
        vector = list(before.vector)
        names.answer_states(states, vector, touched)
        organization = sources.organization
        compared = [index for index, _ in names.compared]
        if compared and organization is not None and any(item.id in changed for item in contexts.automatic):
            self._put_compared(contexts, names, organization, states, vector)
        row = Row(before.subject, names, vector, states, before.about, sources, contexts)
        return self._concluded(row, before, [*(name.index for name in touched), *compared])

    def _concluded(self, row: Row, before: Row | None, touched: Iterable[int]) -> Row:
        """The row with its conclusions; the one from before when every name that is read has the same state."""
        names, vector = row.names, row.vector
        if before is None:
            row.made = [None] * len(names.rules)
            self._fill(row, range(len(names.rules)), [_NONE] * len(names.rules))
            return row
        changed = [index for index in touched if vector[index] != before.vector[index]]
        if not changed:
            before.states, before.sources, before.about = row.states, row.sources, row.about
            return before
        if names.size in changed:  # no name: why nothing was observed, which any rule may quote
            places: Sequence[int] = range(len(names.rules))
        else:
            places = sorted({place for index in changed for place in names.readers[index]})
        row.made = list(before.made)
        self._fill(row, places, list(before.conclusions))
        for place in places:
            row.made[place] = None
        return row

    def _fill(self, row: Row, places: Sequence[int], conclusions: list[Conclusion]) -> None:
        """Conclude the rules in these places: what is remembered, and what has to be decided."""
        names, vector, memories = row.names, row.vector, self._memories(row.names)
        unknown = []
        for place in places:
            found = memories[place].get(names.decides[place](vector))
            if found is None:
                unknown.append(place)
            else:
                conclusions[place] = found
        organization = row.sources.organization
        narrow = organization is not None and len(unknown) < MANY
        for place in unknown:
            need = names.needs[place]
            context = (
                row.contexts.narrow(organization, row.states, (need.items, need.wanted, need.facts, need.compared))
                if narrow and organization is not None
                else row.context
            )
            conclusion = conclude(names.rules[place], context)
            conclusions[place] = memories[place][names.decides[place](vector)] = conclusion
        row.conclusions = conclusions

    def _changed_items(self, contexts: Contexts, before: Sources, now: Sources) -> frozenset[str]:
        """Items whose answer may differ for an organisation."""
        found: set[str] = set()
        if before.product is not now.product:
            found |= self._changed_product
        if before.own is not now.own:
            names = before.own.keys() | now.own.keys()
            found |= {name for name in names if before.own.get(name) is not now.own.get(name)}
        if before.hidden is not now.hidden:
            found |= before.hidden ^ now.hidden
        return frozenset(found & contexts.items.keys())

    def _memories(self, names: NameTable) -> list[dict[Hashable, Conclusion]]:
        """For each rule, what it concluded under which states; a rule has one memory, whoever it is about."""
        found = self._known.memories.get(names)
        if found is None:
            memories = [self._known.conclusions.setdefault(rule.rule.id, {}) for rule in names.rules]
            found = self._known.memories[names] = memories
        return found

    # -- states -------------------------------------------------------------------------------------------------------

    def _names(self, scope: Scope, vendor: str, items: Mapping[str, Item]) -> NameTable:
        key = (scope, vendor)
        found = self._known.tables.get(key)
        if found is None:
            rules = [
                rule
                for rule in self.compiled.of_scope(scope)
                if not rule.rule.vendors or (scope is not Scope.PRODUCT and vendor in rule.rule.vendors)
            ]
            found = self._known.tables[key] = name_table(rules, items)
        return found

    def _shared(self, contexts: Contexts, names: NameTable) -> list[State]:
        found = self._known.shared.get(id(names))
        if found is None:
            states = [self._interned(path_state(contexts.shared, path)) for _, path in names.shared]
            found = self._known.shared[id(names)] = (names, states)
        return found[1]

    def _facts(self, contexts: Contexts, names: NameTable, organization: Organization) -> list[State]:
        inputs = contexts.inputs
        observation, fit = inputs.observations.get(organization.id), inputs.fits.get(organization.id)
        looked = fit if fit is not None and fit.observed else None
        key = (id(names), id(observation), id(looked))
        found = self._known.facts.get(key)
        if found is None:
            variables = fact_variables(inputs, organization.id)
            states = [self._interned(path_state(variables, path)) for _, path in names.facts]
            # Keeping what the ids belong to keeps the ids from being given to something else.
            found = self._known.facts[key] = ((names, observation, looked), states)
        return found[1]

    def _put_compared(
        self,
        contexts: Contexts,
        names: NameTable,
        organization: Organization,
        states: Mapping[str, AnswerState],
        vector: Vector,
    ) -> None:
        if names.compared:
            variables = contexts.compared(organization.id, states)
            found = [self._interned(path_state(variables, path)) for _, path in names.compared]
            self._put(vector, names.compared, found)

    @staticmethod
    def _put(vector: Vector, names: Sequence[tuple[int, tuple[str, ...]]], states: Sequence[State]) -> None:
        for (index, _), state in zip(names, states, strict=True):
            vector[index] = state

    def _interned(self, state: State) -> State:
        return self._known.states.setdefault(state, len(self._known.states))


_NO_RESPONSES: Responses = {}
_NOTHING_HIDDEN: frozenset[str] = frozenset()
_NONE: Any = None


def evaluate(ruleset: Ruleset | CompiledRuleset, inputs: RuleInputs) -> tuple[Finding, ...]:
    """A finding for every rule in force and every subject of its scope and vendors, by rule id and subject.

    :raises DocumentError: a condition of the ruleset is not CEL. Inputs never raise, whatever a server put into them.
    """
    return Evaluator(ruleset).evaluate(inputs).findings
