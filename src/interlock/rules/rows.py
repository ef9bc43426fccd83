"""What every rule concluded about every subject: one row a subject, and the findings made from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any

from interlock.model.contract import ContractFit
from interlock.model.finding import Conclusion, Finding, Subject
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.questionnaire import Responses
from interlock.rules.answers import AnswerState
from interlock.rules.compile import ANSWER_ROOTS, CompiledRule
from interlock.rules.context import Contexts, SubjectContext, Variables
from interlock.rules.engine import finding
from interlock.rules.messages import fill, show
from interlock.rules.names import NameTable, Vector
from interlock.rules.variables import organization_variable

_NOT_YET: Any = None


@dataclass(frozen=True, eq=False, slots=True)
class Sources:
    """What a row was made from; compared by identity."""

    organization: Organization | None
    shared: Variables
    observation: Observation | None
    fit: ContractFit | None
    product: Mapping[str, AnswerState]
    own: Responses
    hidden: frozenset[str]

    def same_but_answers(self, other: Sources) -> bool:
        """Whether all but the answers is the same object."""
        return (
            self.organization is other.organization
            and self.shared is other.shared
            and self.observation is other.observation
            and self.fit is other.fit
        )

    def same_answers(self, other: Sources) -> bool:
        """Whether the answers are the same objects."""
        return self.product is other.product and self.own is other.own and self.hidden is other.hidden


@dataclass(eq=False)
class Row:
    """One subject with the conclusion of every rule that concerns it, in the order of ``names.rules``.

    Rows of the same knowledge are the same object from one evaluation to the next, and so are their conclusions and
    findings.
    """

    subject: Subject
    names: NameTable
    vector: Vector
    states: Mapping[str, AnswerState]
    about: Mapping[str, Any]
    sources: Sources
    contexts: Contexts
    conclusions: list[Conclusion] = field(default_factory=list)
    made: list[Finding | None] = field(default_factory=list)

    @property
    def rules(self) -> tuple[CompiledRule, ...]:
        """The rules that concern this subject, by id."""
        return self.names.rules

    @cached_property
    def context(self) -> SubjectContext:
        """The subject's context; built once, when something has to be decided or shown."""
        if self.sources.organization is not None:
            return self.contexts.of_states(self.sources.organization, self.states)
        return self.contexts.vendor(self.subject.id) if self.subject.id else self.contexts.product()

    def finding(self, place: int) -> Finding:
        """The finding of one rule."""
        made = self.made[place]
        if made is None:
            rule = self.names.rules[place]
            message = fill(rule.rule.message, self._shown)
            made = self.made[place] = finding(rule, self.subject, self.conclusions[place], message)
        return made

    def _shown(self, name: str) -> str:
        """A name's value in words, without the whole context where that is easy."""
        root, _, rest = name.partition(".")
        if root == "org" and self.sources.organization is not None:
            return show(organization_variable(self.sources.organization).get(rest))
        state = self.states.get(rest) if root in ANSWER_ROOTS else None
        if state is not None:
            return show(state.value if root == "responses" else state.graded)
        return self.context.shown(name)

    def findings(self) -> Iterator[Finding]:
        """The findings of all rules, in their order."""
        return (made or self.finding(place) for place, made in enumerate(self.made))


@dataclass(frozen=True, eq=False)
class Table:
    """What every rule concluded about every subject: the product, each vendor, each organisation."""

    product: Row
    vendors: Mapping[str, Row]
    organizations: Mapping[str, Row]
    layout: Layout

    @property
    def rows(self) -> Iterator[Row]:
        """Every row."""
        yield self.product
        yield from self.vendors.values()
        yield from self.organizations.values()

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, sorted by rule id and then by subject."""
        layout = self.layout
        if layout.filled is None:
            flat: list[Finding] = [_NOT_YET] * layout.size
            changed = list(self.rows)
        else:
            flat = list(layout.filled[1])
            changed = [row for row, before in zip(self.rows, layout.filled[0], strict=True) if row is not before]
        for row in changed:
            for index, made in zip(layout.places[str(row.subject)], row.findings(), strict=True):
                flat[index] = made
        found = tuple(flat)
        layout.filled = (tuple(self.rows), found)
        return found


@dataclass(eq=False)
class Layout:
    """Where each finding of a table stands in the sorted whole; the same for every table of the same subjects.

    :ivar filled: the rows of the table whose findings were made last, and those findings.
    """

    subjects: tuple[tuple[str, NameTable], ...]
    filled: tuple[tuple[Row, ...], tuple[Finding, ...]] | None = None

    @property
    def size(self) -> int:
        """How many findings there are."""
        return sum(len(names.rules) for _, names in self.subjects)

    @cached_property
    def places(self) -> Mapping[str, Sequence[int]]:
        """Subject → for each of its rules, the finding's place."""
        by_rule: dict[str, list[tuple[str, int]]] = {}
        for name, names in sorted(self.subjects, key=itemgetter(0)):
            for place, rule in enumerate(names.rules):
                by_rule.setdefault(rule.rule.id, []).append((name, place))
        places = {name: [0] * len(names.rules) for name, names in self.subjects}
        index = 0
        for rule_id in sorted(by_rule):
            for name, place in by_rule[rule_id]:
                places[name][place] = index
                index += 1
        return places
