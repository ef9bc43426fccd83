"""Rules as data: a CEL condition, what it means when it holds, and what it takes to close it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from interlock.model.base import Evidence, GapClass, Gate, Grade, Model, Owner, Reference, Scope, Severity, VerdictValue
from interlock.model.questionnaire import ItemId

RuleId = Annotated[str, Field(pattern=r"^[A-Z]{2,10}-\d{3}$")]
StatementId = Annotated[str, Field(pattern=r"^S\d\d$")]


class ThreePoint(Model):
    """An estimate; its unit is what each kind of estimate says."""

    low: Annotated[float, Field(ge=0, le=10_000)]
    expected: Annotated[float, Field(ge=0, le=10_000)]
    high: Annotated[float, Field(ge=0, le=10_000)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.expected <= self.high:
            raise ValueError("an estimate must satisfy low <= expected <= high")
        return self


class Effort(ThreePoint):
    """Touch effort of the owner, three-point, in person-days."""

    unit: Literal["person_days"] = "person_days"

    @property
    def mean(self) -> float:
        """The mean of its PERT-beta distribution: the one number that is told wherever one is."""
        return (self.low + 4.0 * self.expected + self.high) / 6.0


class LeadTime(ThreePoint):
    """Elapsed time that others need, three-point. ``days`` are calendar days, ``working_days`` Monday to Friday.

    ``grade`` says how good the source is; ``source`` is an address or the word ``judgement``; ``as_of`` is YYYY-MM.
    """

    unit: Literal["days", "working_days"] = "days"
    source: Annotated[str, Field(min_length=1)]
    grade: Grade
    as_of: Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]


class Remediation(Model):
    """What to do, who does it, and what it takes.

    :ivar task: the same as one short imperative sentence, where the first sentence of ``text`` does not say it alone.
    :ivar decides: who decides, where closing it is a decision: ``the product lead: a second mapping, or leave it out``.
        ``decided_by`` is on whose side they are.
    """

    text: str
    task: Annotated[str, Field(max_length=160)] | None = None
    decides: Annotated[str, Field(max_length=200)] | None = None
    decided_by: Owner = Owner.ORG
    owner: Owner
    effort: Effort
    lead_time: LeadTime | None = None


class RuleTest(Model):
    """A rule's own test. ``given`` is the CEL context; ``responses`` and ``value`` may be written flat with dots."""

    given: dict[str, Any]
    expect: Literal["gap", "met", "unknown", "not_applicable"]


class Rule(Model):
    """One rule.

    ``applies`` and ``gap_when`` are CEL. ``measures`` names the graded question whose option value is this rule's
    value v in the score; without it v is 1 when met and 0 when a gap. ``verdict`` is the verdict that an open gap of
    this rule argues for. ``why`` is one sentence for a product lead. ``rationale`` argues severity and gate where
    they are not obvious. ``vendors`` empty means every vendor; a rule with vendors has findings only for those.
    ``weight`` is the score's weight w where it is not the severity's (dimensionless; docs/scoring.md). ``accepts`` is
    the least evidence with which it counts as met at a gate, its own or a later one, where that is not the gate's.
    ``tried``: it is found out by doing it there, such as a write that is read back, and not by asking. ``message`` says
    what was seen, and ``message_answered`` the same where it was not seen and rests on an answer. ``question``
    is what is asked while it is undecided; by default that of the question that it measures.
    """

    id: RuleId
    title: str
    lifecycle: Literal["experimental", "stable", "deprecated"] = "stable"
    scope: Scope
    gap_class: GapClass = Field(alias="class")
    gate: Gate
    severity: Severity
    rationale: str | None = None
    weight: Annotated[float, Field(gt=0, le=1000)] | None = None
    accepts: dict[Gate, Evidence] = {}
    chance: Annotated[float, Field(ge=0, le=1)] | None = None
    vendors: tuple[str, ...] = ()
    applies: str | None = None
    gap_when: str
    measures: ItemId | None = None
    tried: bool = False
    verdict: VerdictValue | None = None
    message: str
    message_answered: str | None = None
    why: str
    question: str | None = None
    depends_on: tuple[RuleId, ...] = ()
    source: Annotated[tuple[StatementId, ...], Field(min_length=1)]
    references: tuple[Reference, ...] = ()
    remediation: Remediation
    tests: Annotated[tuple[RuleTest, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _accepts_from_its_gate_on(self) -> Self:
        early = [gate.value for gate in self.accepts if gate.rank < self.gate.rank]
        if early:
            raise ValueError(f"accepts names {', '.join(early)}, a gate before the rule's own")
        return self

    @property
    def messages(self) -> tuple[str, ...]:
        """Its message, and the one for what rests on an answer."""
        return (self.message, *filter(None, (self.message_answered,)))

    @property
    def score_weight(self) -> float:
        """The score's weight w: the rule's own, else its severity's."""
        return self.severity.weight if self.weight is None else self.weight


class RoutineTask(Model):
    """Work that every integration has, whether or not a gap is open.

    ``vendors`` empty means every vendor. ``replaces`` names a general task that this vendor's own one stands for.
    ``gate`` is the gate that cannot be passed before the task is done; that it is done, the workspace's ``tasks.yaml``
    says and nothing else does. ``waits_in_freeze``: the work stands still in a change freeze. ``unless`` names what
    makes the task superfluous once it is stated. ``applies``: only for a product whose contract writes (or is not
    written yet), or only for one whose contract is known to read alone. ``shared_environment``: the time goes by in
    windows of an environment that others use too (S41).
    ``verdict`` is the verdict that the task belongs to: it is planned only while something argues for that verdict, and
    what the verdict postpones waits for it. ``before`` names rules whose gaps are closed after it, and, unless the task
    is a verdict's, found out after it too: it makes the thing possible (no client is activated that the vendor has not
    registered), for what it ``replaces`` as well. ``postponed_by`` is the last verdict that postpones the task, where
    its place in the order does not say so (:mod:`interlock.model.postponed`). ``closes`` names rules whose gaps are
    closed by this very work: what is left of them is to try it and to write it down. ``record`` says what shows that it
    is done. ``decides`` says who decides, where the task is a decision, and ``decided_by`` on whose side they are.
    """

    id: Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z0-9-]+)+$")]
    title: str
    scope: Scope
    owner: Owner
    vendors: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    gate: Gate
    effort: Effort | None = None
    lead_time: LeadTime | None = None
    waits_in_freeze: bool = False
    unless: Literal["freezes_stated"] | None = None
    applies: Literal["writes", "reads_only"] | None = None
    shared_environment: bool = False
    verdict: VerdictValue | None = None
    before: tuple[RuleId, ...] = ()
    postponed_by: VerdictValue | None = None
    closes: tuple[RuleId, ...] = ()
    record: Annotated[str, Field(max_length=160)] | None = None
    decides: Annotated[str, Field(max_length=160)] | None = None
    decided_by: Owner = Owner.ORG
    references: tuple[Reference, ...] = ()

    @model_validator(mode="after")
    def _of_a_verdict(self) -> Self:
        if VerdictValue.INTEGRATE in {self.verdict, self.postponed_by}:
            raise ValueError("the verdict integrate has no tasks of its own and postpones nothing")
        if self.verdict is not None and self.scope is not Scope.PRODUCT:
            raise ValueError("a task of a verdict is about the product: write scope: product")
        if self.verdict is not None and self.postponed_by is not None:
            raise ValueError("a task of a verdict is postponed by every earlier one: leave out postponed_by")
        return self


class Ruleset(Model):
    """A set of rules and routine tasks, in id order.

    :ivar sets: id → version of every set that it is composed of, this one included, bases first.
    :ivar weights: the score's weight of the severities whose weight a set changes.
    :ivar accepts: the least evidence that a gate accepts for its requirements; any where nothing is said.
    :ivar chances: how likely a rule that is not decided is a gap, by its class.
    """

    id: str
    version: str
    title: str
    rules: tuple[Rule, ...]
    tasks: tuple[RoutineTask, ...] = ()
    sets: dict[str, str] = {}
    weights: dict[Severity, float] = {}
    accepts: dict[Gate, Evidence] = {}
    chances: dict[GapClass, float] = {}

    def rule(self, rule_id: str) -> Rule | None:
        """The rule with this id, or none."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)
