"""Findings, scores, stages and verdict of a workspace, and again after every answer.

A :class:`Judge` belongs to one set of questions and rules. What it returns depends on the inputs alone; what it
remembers only saves work: rows, parts and readiness that an answer does not touch are the same objects as before.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from interlock.documents.timing import timed
from interlock.gaps.parts import Part, Parts, Weighing, part_of, weighing
from interlock.gaps.score import org_readiness, product_score
from interlock.gaps.subjects import OPEN
from interlock.gaps.verdict import Vote, decide, in_order, votes_of
from interlock.model.base import Gate
from interlock.model.finding import Finding
from interlock.model.organization import Organization
from interlock.model.questionnaire import Questionnaire
from interlock.model.readiness import OrgReadiness, Score, Verdict
from interlock.model.rule import Rule, Ruleset
from interlock.questionnaire.visibility import Hiding
from interlock.rules.inputs import RuleInputs
from interlock.rules.names import NameTable
from interlock.rules.rows import Row, Table
from interlock.rules.table import Evaluator

if TYPE_CHECKING:
    from interlock.usecases.load import Content, Inputs


@dataclass(frozen=True, eq=False)
class Judgement:
    """What the answers and observations amount to, without graph and plan: quick enough for every keystroke."""

    table: Table
    parts: Parts
    product_score: Score
    readiness: tuple[OrgReadiness, ...]
    rules: Mapping[str, Rule]
    organizations: tuple[Organization, ...]
    voted: MutableMapping[Row, tuple[Vote, ...]] = field(repr=False)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, sorted by rule id and then by subject."""
        return self.table.findings

    @cached_property
    def verdict(self) -> Verdict:
        """Product or integration?"""
        rows = self.table
        vendors = {vendor: self._votes(row) for vendor, row in rows.vendors.items()}
        own = {}
        for org in self.organizations:
            shared, votes = vendors.get(org.vendor, ()), self._votes(rows.organizations[org.id])
            own[org.id] = in_order((*shared, *votes)) if shared else votes
        return decide(self._votes(rows.product), own, self.readiness, self.organizations)

    def _votes(self, row: Row) -> tuple[Vote, ...]:
        """A row's votes; those of a row that an answer did not touch are known already."""
        votes = self.voted.get(row)
        if votes is None:
            voters = (place for place, rule in enumerate(row.rules) if rule.rule.verdict is not None)
            open_ = (row.finding(place) for place in voters if row.conclusions[place].outcome in OPEN)
            votes = self.voted[row] = votes_of(open_, self.rules)
        return votes


class Judge:
    """Judges the inputs of one content, again and again; safe to share between threads."""

    def __init__(self, questionnaires: Sequence[Questionnaire], ruleset: Ruleset) -> None:
        self.hiding = Hiding(questionnaires)
        self.rules: Mapping[str, Rule] = {rule.id: rule for rule in ruleset.rules}
        self._evaluator = Evaluator(ruleset)
        self._weighings: dict[NameTable, tuple[Weighing, ...]] = {}
        self._parts: dict[str, tuple[Row, Part]] = {}
        self._readiness: dict[str, tuple[tuple[Any, ...], OrgReadiness]] = {}
        self._voted: MutableMapping[Row, tuple[Vote, ...]] = WeakKeyDictionary()
        self._lock = Lock()

    def hidden(self, inputs: Inputs) -> dict[str, frozenset[str]]:
        """Item ids that ``enable_when`` hides: ``""`` for the product, each organisation's id for it."""
        hiding, product = self.hiding, inputs.product
        return {"": hiding.of(product)} | {
            org.id: hiding.of(product, inputs.answers(org.id)) for org in inputs.organizations
        }

    def rule_inputs(self, inputs: Inputs) -> RuleInputs:
        """What the rules room needs of the inputs."""
        return RuleInputs(
            questionnaires=inputs.content.questionnaires,
            product=inputs.product,
            by_org=inputs.by_org,
            organizations=inputs.organizations,
            observations=inputs.observations,
            contract=inputs.contract,
            fits=inputs.fits,
            hidden=self.hidden(inputs),
        )

    @timed("judge")
    def judge(self, inputs: Inputs) -> Judgement:
        """Findings and scores of the inputs."""
        with self._lock:
            table = self._evaluator.evaluate(self.rule_inputs(inputs))
            parts = self._counted(table)
            target = inputs.settings.target_gate
            return Judgement(
                table=table,
                parts=parts,
                product_score=product_score(parts, target),
                readiness=self._stood(inputs, parts, target),
                rules=self.rules,
                organizations=inputs.organizations,
                voted=self._voted,
            )

    def _counted(self, table: Table) -> Parts:
        known = self._parts
        self._parts = {}
        for row in table.rows:
            name = str(row.subject)
            before = known.get(name)
            self._parts[name] = before if before and before[0] is row else (row, self._part(row, before))
        return Parts(
            product=self._parts[str(table.product.subject)][1],
            by_vendor={vendor: self._parts[str(row.subject)][1] for vendor, row in table.vendors.items()},
            by_org={org: self._parts[str(row.subject)][1] for org, row in table.organizations.items()},
        )

    def _part(self, row: Row, before: tuple[Row, Part] | None) -> Part:
        """The row's part; the one from before when it is equal."""
        weighings = self._weighings.get(row.names)
        if weighings is None:
            weighings = self._weighings[row.names] = tuple(weighing(rule.rule) for rule in row.rules)
        part = part_of(row.subject, zip(weighings, row.conclusions, strict=True))
        return before[1] if before is not None and before[1] == part else part

    def _stood(self, inputs: Inputs, parts: Parts, target: Gate) -> tuple[OrgReadiness, ...]:
        blockers = parts.product_blockers()
        known = self._readiness
        self._readiness = {}
        for org in inputs.organizations:
            observation = inputs.observations.get(org.id)
            made_of = (*parts.concerning(org), org, observation)
            before = known.get(org.id)
            if before is not None and before[0][-2:] == (blockers, target) and all(map(_same, before[0], made_of)):
                self._readiness[org.id] = before
            else:
                made = org_readiness(org, parts, blockers, observation, target)
                self._readiness[org.id] = ((*made_of, blockers, target), made)
        return tuple(self._readiness[org.id][1] for org in inputs.organizations)


def _same(one: object, other: object) -> bool:
    return one is other


@lru_cache(maxsize=8)
def judge_of(content: Content) -> Judge:
    """The judge of one content: always the same, so that one more answer is quick."""
    return Judge(content.questionnaires, content.ruleset)


@lru_cache(maxsize=8)
def verdict_judge_of(content: Content) -> Judge:
    """Judges by the rules alone that may argue for a verdict: much quicker, for trying many answers."""
    voting = tuple(rule for rule in content.ruleset.rules if rule.verdict is not None)
    return Judge(content.questionnaires, content.ruleset.model_copy(update={"rules": voting}))
