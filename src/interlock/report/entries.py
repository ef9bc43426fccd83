"""View models of the report's details: gaps, unknowns, contract fit, organisations, appendix."""

from __future__ import annotations

from pydantic import computed_field

from interlock.model.base import Model
from interlock.report.marks import Cite, Link, Mark, Pair, Picture


class RootCauseRow(Model):
    """One gap that every path to the gates named passes through."""

    mark: Mark
    id: Link
    where: str
    sentence: str
    gate: str
    organizations: str


class GraphSection(Model):
    """The gap graph. ``note`` says what the picture leaves out, if anything."""

    lead: str
    picture: Picture | None
    mermaid: str
    note: str
    root_causes: tuple[RootCauseRow, ...]


class SubjectLine(Model):
    """One subject of a rule, and what was found there; ``others`` are subjects of which the very same is to be said."""

    link: Link
    message: str
    others: tuple[Link, ...] = ()

    @computed_field  # type: ignore[prop-decorator]  # templates see fields only
    @property
    def links(self) -> tuple[Link, ...]:
        """Every subject of the line."""
        return (self.link, *self.others)


class GapEntry(Model):
    """One open gap in detail; the same rule at several organisations is one entry."""

    anchor: str
    id: str
    title: str
    severity: Mark
    severity_because: str
    gap_class: str
    blocker: bool
    gate: str
    scope: str
    lifecycle: str
    why: str
    action: str
    owner: str
    effort: str
    lead_time: str
    lead_source: str
    lead_cites: tuple[Cite, ...]
    cites: tuple[Cite, ...]
    statements: str
    behind: str
    waits_for: tuple[Link, ...]
    opens: tuple[Link, ...]
    subjects: tuple[SubjectLine, ...]


class GapGroup(Model):
    """Open gaps of one wave: those told in full, and those that get one row."""

    anchor: str
    title: str
    note: str
    gaps: tuple[GapEntry, ...]
    rows: tuple[GapEntry, ...]


class OpenQuestion(Model):
    """One rule that could not be decided. ``question`` never states the gap as a fact."""

    anchor: str
    id: str
    question: str
    severity: Mark
    gap_class: str
    gate: str
    owner: str
    behind: str
    subjects: tuple[SubjectLine, ...]
    help: str


class UnansweredItem(Model):
    """One question of the questionnaires whose answer would decide findings."""

    item: str
    who: str
    rules: tuple[Link, ...]


class CountedUnknowns(Model):
    """Undecided findings without an entry of their own, by reason; ``more`` counts the rules that are not listed."""

    reason: str
    where: str
    findings: int
    rules: tuple[Link, ...]
    more: str


class Unknowns(Model):
    """What we do not know. ``counted`` has the undecided findings that have no entry among ``questions``."""

    lead: tuple[str, ...]
    questions: tuple[OpenQuestion, ...]
    counted: tuple[CountedUnknowns, ...]
    to_answer: tuple[UnansweredItem, ...]


class FitRow(Model):
    """One need of the contract."""

    group: str
    need: str
    kind: str
    optional: bool
    cells: tuple[Mark, ...]


class FitGroup(Model):
    """Needs of one direction."""

    title: str
    rows: tuple[FitRow, ...]


class FitTable(Model):
    """The matrix for a handful of organisations; many organisations need several tables."""

    caption: str
    organizations: tuple[Link, ...]
    groups: tuple[FitGroup, ...]
    totals: tuple[str, ...]


class FitSection(Model):
    """Contract fit of every organisation."""

    lead: str
    legend: tuple[Mark, ...]
    tables: tuple[FitTable, ...]


class ContradictionRow(Model):
    """An answer that an observation contradicts: both sides."""

    item: str
    where: Link
    answered: str
    observed: str
    evidence: str


class PatternEntry(Model):
    """One pattern that holds here. ``seen`` has what was found, one line an organisation in org scope."""

    anchor: str
    id: str
    title: str
    where: tuple[Link, ...]
    messages: tuple[str, ...]
    means: str
    action: str
    owner: str
    cites: tuple[Cite, ...]


class OpenPattern(Model):
    """One pattern that too little is known about."""

    id: str
    title: str
    detail: str


class Patterns(Model):
    """Patterns of trouble: those that hold, and those that may."""

    lead: str
    entries: tuple[PatternEntry, ...]
    undecided: tuple[OpenPattern, ...]


class GateRow(Model):
    """One gate of one organisation, or of the product. The words ``more`` count what is not listed."""

    gate: str
    target: bool
    mark: Mark
    met: str
    open: tuple[Link, ...]
    undecided: tuple[Link, ...]
    open_more: str = ""
    undecided_more: str = ""


class FindingRow(Model):
    """One open or undecided finding of one organisation."""

    severity: Mark
    id: Link
    title: str
    gate: str
    message: str


class CheckRow(Model):
    """One check that failed or warned."""

    mark: Mark
    id: str
    title: str
    severity: str
    message: str
    evidence: str
    cites: tuple[Cite, ...]


class NeedRow(Model):
    """Needs of the contract that a statement does not support or declare, for one and the same reason."""

    mark: Mark
    needs: str
    note: str


class OrganizationPage(Model):
    """Everything about one organisation. ``callout`` says what could not be looked at."""

    anchor: str
    name: str
    subtitle: str
    picture: str
    score: str
    stage: Mark
    facts: tuple[Pair, ...]
    callout: str
    caps: tuple[str, ...]
    gates: tuple[GateRow, ...]
    open: tuple[FindingRow, ...]
    open_note: str
    undecided: tuple[FindingRow, ...]
    undecided_note: str
    probe: tuple[Pair, ...]
    probe_note: str
    checks: tuple[CheckRow, ...]
    checks_note: str
    needs: tuple[NeedRow, ...]
    needs_note: str


class MethodNote(Model):
    """One paragraph of the method, with its heading."""

    title: str
    text: str


class ReferenceEntry(Model):
    """One numbered reference. ``url`` is empty unless it is an http or https address."""

    number: int
    anchor: str
    title: str
    url: str


class StatementRow(Model):
    """One statement of the method's source and the findings that speak to it."""

    id: str
    text: str
    rules: tuple[Link, ...]
    outcome: str
