"""What the templates are given: frozen, every string prepared, every list in reading order.

Strings are plain text. They are free of control characters and bounded in length, and not escaped: each renderer
escapes for its own medium. The only markup is :attr:`Picture.svg`, which ``report.charts`` builds and escapes.
"""

from __future__ import annotations

from interlock.model.base import Model
from interlock.report.brand import Brand
from interlock.report.entries import (
    CheckRow,
    ContradictionRow,
    CountedUnknowns,
    FindingRow,
    FitGroup,
    FitRow,
    FitSection,
    FitTable,
    GapEntry,
    GapGroup,
    GateRow,
    GraphSection,
    MethodNote,
    NeedRow,
    OpenPattern,
    OpenQuestion,
    OrganizationPage,
    PatternEntry,
    Patterns,
    ReferenceEntry,
    RootCauseRow,
    StatementRow,
    SubjectLine,
    UnansweredItem,
    Unknowns,
)
from interlock.report.marks import Cite, Figure, Link, Mark, Pair, Picture, SectionTitle, Tone

__all__ = [
    "CheckRow",
    "Cite",
    "ContradictionRow",
    "CountedUnknowns",
    "Cover",
    "Figure",
    "FindingRow",
    "FirstStep",
    "FitGroup",
    "FitRow",
    "FitSection",
    "FitTable",
    "ForecastRow",
    "GapEntry",
    "GapGroup",
    "GateRow",
    "Glance",
    "GlanceRow",
    "GraphSection",
    "Link",
    "Mark",
    "MethodNote",
    "NeedRow",
    "NotSeen",
    "OpenPattern",
    "OpenQuestion",
    "OrganizationPage",
    "Pair",
    "PatternEntry",
    "Patterns",
    "Picture",
    "PlanSection",
    "Reason",
    "ReferenceEntry",
    "ReportView",
    "RootCauseRow",
    "SandboxRow",
    "SandboxSection",
    "SectionTitle",
    "SimulationRow",
    "StatementRow",
    "SubjectLine",
    "Summary",
    "TaskRow",
    "Tone",
    "UnansweredItem",
    "UnknownStep",
    "Unknowns",
    "Wave",
]


class Cover(Model):
    """The first page. ``date`` is empty when no date was given.

    :ivar changes_note: how many things the workspace changes of what Interlock judges by; empty when nothing.
    :ivar changes: the first of them by title, blockers turned off first, and how many more there are.
    """

    product: str
    name: str
    description: tuple[str, ...]
    date: str
    headline: str
    verdict: str
    provisional: bool
    facts: tuple[Pair, ...]
    changes_note: str
    changes: tuple[str, ...]
    running: str
    footer: str
    created: str


class Reason(Model):
    """One quoted finding."""

    mark: Mark
    id: Link
    title: str
    message: str


class NotSeen(Model):
    """One organisation that was not observed, or only in part, and why."""

    link: Link
    state: str
    why: str


class Summary(Model):
    """Executive summary: verdict, reasons, next step, and how sure we are.

    :ivar changes: each smallest set of answers that would make the verdict another one, and which one.
    """

    verdict: str
    headline: str
    provisional: bool
    lead: tuple[str, ...]
    reasons: tuple[Reason, ...]
    next_step: str
    next_owner: str
    counterfactual: str
    changes: tuple[Pair, ...]
    figures: tuple[Figure, ...]
    sure: tuple[str, ...]
    undecided: tuple[Reason, ...]
    not_seen: tuple[NotSeen, ...]
    not_seen_note: str
    caps: tuple[str, ...]


class GlanceRow(Model):
    """One organisation in the overview."""

    link: Link
    vendor: str
    environment: str
    observed: Mark
    stage: Mark
    if_unknowns_hold: str
    score: str
    bar: str
    verdict: str


class Glance(Model):
    """Organisations at a glance; ``product`` is the product's own score, scored once."""

    stages: tuple[Pair, ...]
    product: GlanceRow
    rows: tuple[GlanceRow, ...]


class FirstStep(Model):
    """One thing to do first, with the three numbers behind its rank."""

    rank: str
    id: Link
    title: str
    where: str
    owner: str
    action: str
    because: str
    numbers: tuple[Figure, ...]


class ForecastRow(Model):
    """One finish at three levels of confidence, each a date and days; and the single-path estimate with its odds."""

    link: Link
    p50: Pair
    p80: Pair
    p90: Pair
    most_likely: Pair
    note: str


class TaskRow(Model):
    """One task of the plan; the same rule at several organisations is one row."""

    id: Link
    kind: str
    title: str
    where: str
    owner: str
    gate: str
    effort: str
    lead_time: str
    source: str
    cites: tuple[Cite, ...]
    when: str
    critical: str


class Wave(Model):
    """Tasks that can start together."""

    number: str
    note: str
    tasks: tuple[TaskRow, ...]


class UnknownStep(Model):
    """One unknown that is worth finding out first, with what it costs and what it narrows."""

    id: Link
    title: str
    where: str
    action: str
    numbers: tuple[Figure, ...]


class SandboxRow(Model):
    """What shared environments cost at one organisation, in working days."""

    link: Link
    days: str
    p80: str
    stated: str


class SimulationRow(Model):
    """One behaviour tested in shared environments, and what simulating it would save."""

    behaviour: str
    why: str
    runs: str
    saved: str


class SandboxSection(Model):
    """What the plan spends on waiting for shared environments (S41, S46)."""

    lead: str
    organizations: tuple[SandboxRow, ...]
    behaviours: tuple[SimulationRow, ...]


class PlanSection(Model):
    """The schedule."""

    lead: tuple[str, ...]
    forecasts: tuple[ForecastRow, ...]
    pictures: tuple[Picture, ...]
    judgement: str
    grades: tuple[Pair, ...]
    notes: tuple[str, ...]
    deciding: tuple[TaskRow, ...]
    deciding_note: str
    drivers: Picture | None
    unknowns: tuple[UnknownStep, ...]
    sandbox: SandboxSection | None


class ReportView(Model):
    """The whole report. A section that was not asked for is none."""

    lang: str
    title: str
    brand: Brand
    contents: tuple[SectionTitle, ...]
    headings: dict[str, SectionTitle]
    cover: Cover
    summary: Summary | None
    glance: Glance | None
    first: tuple[FirstStep, ...] | None
    first_note: str
    first_together: str
    plan: PlanSection | None
    graph: GraphSection | None
    gaps: tuple[GapGroup, ...] | None
    unknowns: Unknowns | None
    fit: FitSection | None
    contradictions: tuple[ContradictionRow, ...] | None
    patterns: Patterns | None
    organizations: tuple[OrganizationPage, ...] | None
    product_gates: tuple[GateRow, ...]
    method: tuple[MethodNote, ...] | None
    tasks: tuple[Wave, ...] | None
    references: tuple[ReferenceEntry, ...] | None
    statements: tuple[StatementRow, ...] | None
