"""Open gaps in detail, one entry a rule, grouped by the wave in which work on them can start."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from operator import itemgetter

from interlock.model import words
from interlock.model.base import GapClass, Model, RuleOutcome
from interlock.model.finding import Finding
from interlock.model.rule import Rule
from interlock.report import estimates, safe
from interlock.report.elements import SEVERITY_MARK, Cite, Content, Link, Mark, SubjectLine
from interlock.report.sections.context import BLOCKERS, Context, Section

#: Gaps that a brief report tells in full.
BRIEF_ENTRIES = 6
#: Between two sentences; not after an abbreviation in front of a small letter or a figure.
_SENTENCE_END = re.compile(r"(?<=[a-z0-9)\]][.:]) (?=[A-Z])")


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


class Gaps(Content):
    """Open gaps, grouped by the wave in which work on them can start."""

    groups: tuple[GapGroup, ...]


def build_gaps(context: Context) -> Gaps:
    """Every rule with an open gap; the last group holds those that the target gate does not need.

    In a brief report only the worst blockers that the target gate needs get an entry, at most :data:`BRIEF_ENTRIES`;
    the others get a row with the first sentence of what to do.
    """
    by_rule: dict[str, list[Finding]] = defaultdict(list)
    for finding in context.assessment.findings:
        if finding.outcome is RuleOutcome.GAP:
            by_rule[finding.rule].append(finding)
    neighbours = Neighbours(context)
    groups: dict[int | None, list[tuple[tuple[int, int, str], GapEntry]]] = defaultdict(list)
    for rule_id, findings in by_rule.items():
        rule = context.rule(rule_id)
        if rule is None or rule.lifecycle == "deprecated":
            continue
        nodes = [context.nodes[finding.key] for finding in findings if finding.key in context.nodes]
        wave = min((node.wave for node in nodes), default=0) if context.needed(rule) else None
        order = (list(GapClass).index(rule.gap_class), rule.severity.rank, rule_id)
        groups[wave].append((order, _entry(context, rule, findings, neighbours)))
    ordered = sorted(groups, key=lambda wave: (wave is None, wave or 0))
    blockers = sorted(
        (order, entry.id) for wave in ordered if wave is not None for order, entry in groups[wave] if entry.blocker
    )
    told = {rule_id for _, rule_id in blockers[: BRIEF_ENTRIES if context.brief else None]}
    shown = tuple(
        _group(context, wave, [entry for _, entry in sorted(groups[wave], key=itemgetter(0))], told) for wave in ordered
    )
    return Gaps(children=tuple(Link(label=group.title, anchor=group.anchor) for group in shown), groups=shown)


def _group(context: Context, wave: int | None, entries: Sequence[GapEntry], told: Set[str]) -> GapGroup:
    gate = words.GATE[context.assessment.target_gate].phrase
    if wave is None:
        title, note = "Later", f"Open, and not needed for the {gate} gate."
    elif wave == 0:
        title, note = "Wave 1", "Waits for nothing: can start now."
    else:
        title, note = f"Wave {wave + 1}", "Can start once what it waits for is closed."
    anchor = "gaps-later" if wave is None else f"gaps-wave-{wave + 1}"
    full = [entry for entry in entries if not context.brief or entry.id in told]
    return GapGroup(
        anchor=anchor,
        title=title,
        note=note,
        gaps=tuple(full),
        rows=tuple(_short(entry) for entry in entries if entry not in full),
    )


def _short(entry: GapEntry) -> GapEntry:
    """For a row: of what to do only the first sentence."""
    return entry.model_copy(update={"action": _SENTENCE_END.split(entry.action, maxsplit=1)[0]})


class Neighbours:
    """Rules directly before and after each rule in the reduced graph, as links."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._before: dict[str, list[str]] = defaultdict(list)
        self._after: dict[str, list[str]] = defaultdict(list)
        for edge in context.assessment.graph.reduced:
            self._before[edge.after].append(edge.before)
            self._after[edge.before].append(edge.after)

    def before(self, keys: Iterable[str]) -> tuple[Link, ...]:
        """What any of these findings waits for, each rule once."""
        return self._links(keys, self._before)

    def after(self, keys: Iterable[str]) -> tuple[Link, ...]:
        """What waits for any of these findings, each rule once."""
        return self._links(keys, self._after)

    def _links(self, keys: Iterable[str], table: dict[str, list[str]]) -> tuple[Link, ...]:
        links = {}
        for key in keys:
            for other in table.get(key, ()):
                link = self._context.finding_link(other)
                links[link.label, link.anchor] = link
        return tuple(links[pair] for pair in sorted(links))


def behind(context: Context, keys: Iterable[str]) -> str:
    """How many gates of organisations these nodes hold up, or nothing when they hold up none."""
    nodes = [context.nodes[key] for key in keys if key in context.nodes]
    total = sum(node.blocks for node in nodes)
    return f"holds up {words.count(total, 'gate')}" if total else ""


def _entry(context: Context, rule: Rule, findings: Sequence[Finding], neighbours: Neighbours) -> GapEntry:
    keys = [finding.key for finding in findings]
    remediation = rule.remediation
    source, cites = context.lead_source(remediation.lead_time)
    references: tuple[Cite, ...] = context.book.cite_all(rule.references)
    return GapEntry(
        anchor=safe.anchor("gap", rule.id),
        id=rule.id,
        title=safe.name(rule.title),
        severity=SEVERITY_MARK[rule.severity],
        severity_because=words.sentence(safe.text(rule.rationale or "")),
        gap_class=words.GAP_CLASS[rule.gap_class].title,
        blocker=rule.gap_class in BLOCKERS,
        gate=words.GATE[rule.gate].title,
        lifecycle=rule.lifecycle if rule.lifecycle != "stable" else "",
        why=words.sentence(safe.text(rule.why)),
        action=words.sentence(safe.text(remediation.text, 1500)),
        owner=words.OWNER[remediation.owner].title,
        effort=estimates.effort(remediation.effort),
        lead_time=estimates.lead_time(remediation.lead_time),
        lead_source=source,
        lead_cites=cites,
        cites=references,
        statements=", ".join(rule.source),
        behind=behind(context, keys),
        waits_for=neighbours.before(keys),
        opens=neighbours.after(keys),
        subjects=context.subject_lines(
            (context.subject_link(finding.subject), context.message(finding)) for finding in findings
        ),
    )


SECTION = Section("gaps", "Open gaps", build_gaps)
