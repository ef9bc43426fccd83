"""The one frozen result. Screens, commands and reports only ever show what is here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from interlock.model.base import GapClass, Gate, Grade, IsoDate, Model, Owner, RuleOutcome, Severity, VerdictValue
from interlock.model.content import ContentChange
from interlock.model.contract import ContractFit
from interlock.model.finding import Contradiction, Finding, Subject
from interlock.model.organization import Organization
from interlock.model.pattern import PatternMatch
from interlock.model.questionnaire import AnswerValue
from interlock.model.rule import Effort, LeadTime, Rule


class Interval(Model):
    """A score interval on 0 to 100: ``low`` is verified so far, ``high`` the best case once unknowns are answered."""

    low: float
    high: float


class Score(Model):
    """The score of one organisation, or of the product alone (DESIGN, section Score).

    :ivar interval: after caps, on 0 to 100.
    :ivar uncapped: before caps, on 0 to 100.
    :ivar completeness: 1 - (U - L), share in [0, 1].
    :ivar confidence: sum(w e) / sum(w), share in [0, 1]; an undecided finding contributes no evidence.
    :ivar not_applicable: weight share left out as not applicable, in [0, 1].
    :ivar caps: why the interval was capped, one sentence each.
    """

    interval: Interval
    uncapped: Interval
    completeness: float
    confidence: float
    not_applicable: float
    caps: tuple[str, ...] = ()


class GateState(Model):
    """One gate of one organisation: it holds when nothing is open and nothing is undecided."""

    gate: Gate
    holds: bool
    required: int
    met: int
    open: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()


class OrgReadiness(Model):
    """Where one organisation stands. ``stage`` none means that not even the design gate holds.

    ``stage_if_unknowns_hold`` is the stage if every undecided requirement turned out met: the two differ exactly where
    "we could not look" matters. ``verdict_provisional``: something undecided here argues for an earlier verdict.
    """

    org: str
    observed: Literal["observed", "partial", "not_observed", "never_probed"]
    observed_at: str | None = None
    not_observed_because: str | None = None
    score: Score
    stage: Gate | None
    stage_if_unknowns_hold: Gate | None
    gates: tuple[GateState, ...]
    verdict: VerdictValue
    verdict_provisional: bool = False


def open_question(title: str) -> str:
    """A rule's title, which states a gap, as the question that it is while undecided."""
    return f"Does it hold? {title}"


class GapNode(Model):
    """One open gap or discovery task of the working graph.

    :ivar kind: ``gap`` (the rule's outcome) or ``discovery`` (the rule is undecided).
    :ivar wave: 0-based generation; everything in a wave can start together.
    :ivar blocks: how many ``organisation × gate`` requirements lie behind this node (itself included).
    :ivar orgs: organisations concerned.
    """

    key: str
    rule: str
    subject: Subject
    kind: Literal["gap", "discovery"]
    title: str
    message: str
    severity: Severity
    gap_class: GapClass
    gate: Gate
    owner: Owner
    wave: int
    blocks: int
    orgs: tuple[str, ...]
    outcome: RuleOutcome

    @property
    def label(self) -> str:
        """The title of a gap; of what is not decided the question, so that nobody takes it for a gap."""
        return self.title if self.kind == "gap" else open_question(self.title)


class GapEdge(Model):
    """``before`` has to be closed first; ``after`` waits for it."""

    before: str
    after: str


class RootCause(Model):
    """An immediate dominator: every path to the gates named passes through this gap.

    :ivar key: the node's key, or the rule's id when several organisations' nodes of one rule are grouped.
    :ivar gate: the first gate that these organisations have not passed.
    :ivar nodes: keys of the nodes grouped here.
    """

    key: str
    orgs: tuple[str, ...]
    gate: Gate
    sentence: str
    nodes: tuple[str, ...] = ()


class GapGraph(Model):
    """The working graph: nodes in order of wave, severity and key; ``reduced`` is the transitive reduction's edges."""

    nodes: tuple[GapNode, ...] = ()
    edges: tuple[GapEdge, ...] = ()
    reduced: tuple[GapEdge, ...] = ()
    waves: tuple[tuple[str, ...], ...] = ()
    root_causes: tuple[RootCause, ...] = ()

    def node(self, key: str) -> GapNode | None:
        """The node with this key, or none."""
        return next((node for node in self.nodes if node.key == key), None)


class VerdictReason(Model):
    """One finding that argued for the verdict, quoted."""

    key: str
    title: str
    message: str
    outcome: RuleOutcome


class AnswerChange(Model):
    """One answer that would be different; ``before`` and ``after`` in words, ``value`` as it would be given.

    :ivar org: the organisation that is asked; none for a question about the product.
    """

    item: str
    org: str | None
    before: str
    after: str
    value: AnswerValue


class VerdictChange(Model):
    """The smallest set of answers that would make the verdict another one, and which.

    :ivar direction: ``later`` (nearer to integrating) or ``earlier``.
    """

    direction: Literal["later", "earlier"]
    answers: tuple[AnswerChange, ...]
    verdict: VerdictValue


class Verdict(Model):
    """Product or integration? (S04 to S08).

    :ivar provisional: an undecided finding argues for an earlier verdict than this one.
    :ivar counterfactual: what would have to change for the next verdict; one sentence.
    :ivar changes: the answers that would change it, at most one entry a direction; empty when no set of few would.
    """

    value: VerdictValue
    headline: str
    reasons: tuple[VerdictReason, ...]
    provisional: bool
    undecided: tuple[VerdictReason, ...] = ()
    next_step: str
    next_step_owner: Owner
    counterfactual: str
    changes: tuple[VerdictChange, ...] = ()


class Quantiles(Model):
    """Working days from the start, and the calendar date of each, of one finish."""

    p50_days: float
    p80_days: float
    p90_days: float
    p50_date: IsoDate
    p80_date: IsoDate
    p90_date: IsoDate


class PlanTask(Model):
    """One task of the plan, in working days from the start.

    :ivar kind: ``gap``, ``discovery`` or ``routine``.
    :ivar criticality: share of runs in which the task lies on the critical path of its finish, in [0, 1].
    :ivar start_p50, finish_p50: median start and finish, working days from the plan's start.
    :ivar queue_days: mean working days that it waits, ready to start, for somebody of its owner to be free.
    :ivar shared_environment: its time goes by in windows of an environment that others use too.
    """

    id: str
    title: str
    kind: Literal["gap", "discovery", "routine"]
    org: str | None
    owner: Owner
    gate: Gate
    wave: int
    after: tuple[str, ...]
    effort: Effort | None
    lead_time: LeadTime | None
    start_p50: float
    finish_p50: float
    criticality: float
    queue_days: float = 0.0
    shared_environment: bool = False


class OrgForecast(Model):
    """When one organisation passes the target gate, given the plan."""

    org: str
    finish: Quantiles
    most_likely_days: float
    probability_of_most_likely: float


class FirstThing(Model):
    """One of the things to do first, with the three numbers behind its rank: those above it are taken as closed.

    :ivar p80_days_saved: working days off the organisations' P80s, summed, that closing this takes beyond those above.
    :ivar together_days: the same for this and all above it.
    :ivar together_p80_date: P80 of the whole plan once this and all above it are closed.
    """

    key: str
    title: str
    owner: Owner
    action: str
    p80_days_saved_per_person_day: float
    unlocks: int
    criticality: float
    because: str
    p80_days_saved: float = 0.0
    together_days: float = 0.0
    together_p80_date: str = ""


class UnknownThing(Model):
    """One unknown as work: what finding out costs, and how much it narrows score and date.

    :ivar person_days: mean effort of finding out.
    :ivar score_points: points by which the score's interval gets narrower, summed over the scores that it is part of.
    :ivar p80_days: working days that the P80 moves out if it turns out to be a gap, summed over the organisations.
    """

    key: str
    title: str
    owner: Owner
    action: str
    person_days: float
    score_points: float
    p80_days: float
    because: str


class Driver(Model):
    """One bar of the tornado: the plan's P80 over the fifth of runs in which this went best, and worst.

    :ivar what: ``task``, or ``party`` for the luck that all tasks of one organisation, vendor or product share.
    :ivar p80_if_well, p80_if_badly: working days from the plan's start.
    """

    id: str
    title: str
    what: Literal["task", "party"]
    org: str | None = None
    p80_if_well: float
    p80_if_badly: float


class Behaviour(Model):
    """One behaviour of the test path that needs a shared sandbox, and what simulating it would save.

    :ivar share: its part of the time in shared environments, by runs a week.
    :ivar p80_days_saved: working days off the plan's P80. ``org_days_saved`` sums over the organisations' own P80s.
    """

    behaviour: str
    why: str | None = None
    runs_per_week: float
    share: float
    p80_days_saved: float
    org_days_saved: float


class SandboxOrg(Model):
    """What shared environments cost at one organisation.

    :ivar days: mean working days of its tasks that go by in shared environments.
    :ivar p80_days: working days that its P80 would be earlier if none of them had to wait there.
    :ivar stated: its access windows are stated; otherwise the time is the ruleset's estimate.
    """

    org: str
    days: float
    p80_days: float
    stated: bool


class SandboxCost(Model):
    """S41, S46: what the plan spends on waiting for shared environments.

    :ivar p80_days: working days that the plan's P80 would be earlier without them.
    """

    p80_days: float
    orgs: tuple[SandboxOrg, ...]
    behaviours: tuple[Behaviour, ...]


class DateChance(Model):
    """How likely the target gate is passed by a day. ``org`` none stands for all of them."""

    org: str | None
    date: str
    probability: float


class Plan(Model):
    """The schedule's result. ``judgement_share`` is the share of the critical path's time that rests on judgement.

    :ivar most_likely: what the path of most likely times alone would have said, and how unlikely it is.
    :ivar capacity: persons by owner, as stated; an owner without a number never makes a task wait.
    :ivar if_unknowns_are_gaps: the finish if every unknown turned out to be a gap; none without unknowns.
    """

    start: str
    seed: int
    runs: int
    target_gate: Gate
    finish: Quantiles
    most_likely_days: float
    probability_of_most_likely: float
    orgs: tuple[OrgForecast, ...]
    tasks: tuple[PlanTask, ...]
    first: tuple[FirstThing, ...]
    grades: dict[Grade, float]
    judgement_share: float
    notes: tuple[str, ...] = ()
    most_likely: str = ""
    most_likely_date: str = ""
    capacity: dict[Owner, float] = {}
    drivers: tuple[Driver, ...] = ()
    unknowns: tuple[UnknownThing, ...] = ()
    if_unknowns_are_gaps: Quantiles | None = None
    sandbox: SandboxCost | None = None
    chances: tuple[DateChance, ...] = ()


class PlanChange(Model):
    """One finish before and after. ``org`` none stands for all; ``after`` is none for an organisation left out."""

    org: str | None
    before: Quantiles
    after: Quantiles | None


class WhatIf(Model):
    """``interlock plan --what-if …``: the same luck, before and after the changes named.

    :ivar changes: what was changed, one sentence each.
    :ivar opened, closed: keys of the gaps and unknowns that a change of the contract opens or closes.
    """

    schema_version: Literal["1"] = "1"
    seed: int
    runs: int
    target_gate: Gate
    changes: tuple[str, ...]
    finishes: tuple[PlanChange, ...]
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Totals(Model):
    """Counts for the summary: organisations per stage (never averaged), findings per outcome."""

    organizations: int
    observed: int
    by_stage: dict[str, int]
    findings: dict[RuleOutcome, int]
    questions: int
    answered: int
    unknown: int
    not_applicable: int


class Assessment(Model):
    """Everything that is shown, and nothing that is stored except in a milestone. Same inputs, same bytes.

    :ivar as_of: ISO 8601, the day that the assessment is of.
    :ivar ruleset: id and version of the ruleset in use; ``rulesets`` has every set that it is composed of.
    :ivar shipped_ruleset: id and version of the ruleset that Interlock ships, which ``content_changes`` differ from.
    :ivar content_changes: how the workspace's questions and rules differ from the shipped ones, blockers first.
    """

    schema_version: Literal["2"] = "2"
    as_of: str = ""
    name: str
    product: str
    description: str | None
    target_gate: Gate
    ruleset: str
    rulesets: dict[str, str] = {}
    shipped_ruleset: str = ""
    content_changes: tuple[ContentChange, ...] = ()
    questionnaires: dict[str, str]
    organizations: tuple[Organization, ...]
    rules: dict[str, Rule]
    findings: tuple[Finding, ...]
    fit: tuple[ContractFit, ...]
    contradictions: tuple[Contradiction, ...]
    product_score: Score
    readiness: tuple[OrgReadiness, ...]
    graph: GapGraph
    verdict: Verdict
    plan: Plan
    totals: Totals
    patterns: tuple[PatternMatch, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _of_version_1(cls, data: Any) -> Any:
        """A milestone of version 1 calls readiness ``standings``, and a routine task ``standing``."""
        if not isinstance(data, dict) or data.get("schema_version", "1") != "1" or "standings" not in data:
            return data
        changed = {key: value for key, value in data.items() if key != "standings"}
        changed |= {"schema_version": "2", "readiness": data["standings"]}
        plan = data.get("plan")
        if isinstance(plan, dict) and isinstance(plan.get("tasks"), list):
            changed["plan"] = plan | {"tasks": [_renamed(task) for task in plan["tasks"]]}
        return changed

    def readiness_of(self, org: str) -> OrgReadiness:
        """How far an organisation is; raises :class:`KeyError` when there is none."""
        for readiness in self.readiness:
            if readiness.org == org:
                return readiness
        raise KeyError(org)


def _renamed(task: Any) -> Any:
    return task | {"kind": "routine"} if isinstance(task, dict) and task.get("kind") == "standing" else task
