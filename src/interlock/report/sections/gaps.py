"""Open gaps in detail, one entry a rule, grouped by the wave in which work on them can start."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter

from interlock.model import words
from interlock.model.base import GapClass, RuleOutcome
from interlock.model.finding import Finding
from interlock.model.language import _
from interlock.model.rule import Rule
from interlock.report import estimates, safe
from interlock.report.elements import SEVERITY_MARK, Cite, Link, Shown
from interlock.report.sections.context import BLOCKERS, Context, Section

#: After every wave: what the target gate does not need.
_LATER = sys.maxsize


def build_gaps(context: Context) -> Shown:
    """Every rule with a gap, by the wave in which work can start; last those that the target gate does not need."""
    by_rule = context.findings_by_rule({RuleOutcome.GAP})
    waves: dict[int, list[Rule]] = defaultdict(list)
    entries = {}
    for rule_id, findings in by_rule.items():
        rule = context.assessment.rules[rule_id]
        nodes = [context.nodes[finding.key] for finding in findings if finding.key in context.nodes]
        waves[min((node.wave for node in nodes), default=0) if context.needed(rule) else _LATER].append(rule)
        entries[rule_id] = _entry(context, rule, findings)
    groups = [
        _heading(context, wave) | {"gaps": [entries[rule.id] for rule in sorted(waves[wave], key=_worst_first)]}
        for wave in sorted(waves)
    ]
    return {"children": [Link(label=group["title"], anchor=group["anchor"]) for group in groups], "groups": groups}


def _worst_first(rule: Rule) -> tuple[int, int, str]:
    return list(GapClass).index(rule.gap_class), rule.severity.rank, rule.id


def _heading(context: Context, wave: int) -> Shown:
    if wave == _LATER:
        gate = words.GATE[context.assessment.target_gate].phrase
        return {
            "anchor": "gaps-later",
            "later": True,
            "title": _("Later"),
            "note": _("Open, and not needed for the %(gate)s gate.", gate=gate),
        }
    note = _("Starts after what it waits for.") if wave else _("Waits for nothing: can start now.")
    return {"anchor": f"gaps-wave-{wave + 1}", "later": False, "title": _("Wave %(wave)s", wave=wave + 1), "note": note}


def neighbours(context: Context, keys: Iterable[str], *, before: bool) -> tuple[Link, ...]:
    """Rules directly before, or after, any of these findings in the reduced graph, each once."""
    step = context.waiting.predecessors if before else context.waiting.successors
    links = {context.finding_link(other) for key in keys if key in context.waiting for other in step(key)}
    return tuple(sorted(links, key=attrgetter("label", "anchor")))


def behind(context: Context, keys: Iterable[str]) -> str:
    """How many gates of organisations these nodes hold up, or nothing when they hold up none."""
    nodes = [context.nodes[key] for key in keys if key in context.nodes]
    total = sum(node.blocks for node in nodes)
    return words.counted(total, "holds up %(number)s gate", "holds up %(number)s gates") if total else ""


def _entry(context: Context, rule: Rule, findings: Sequence[Finding]) -> Shown:
    keys = [finding.key for finding in findings]
    rests = [(finding, context.rests_on(finding)) for finding in findings]
    remediation = rule.remediation
    source, cites = context.lead_source(remediation.lead_time)
    references: tuple[Cite, ...] = context.book.cite_all(rule.references)
    return {
        "anchor": safe.anchor("gap", rule.id),
        "id": rule.id,
        "title": safe.name(rule.title),
        "severity": SEVERITY_MARK[rule.severity],
        "severity_because": words.sentence(safe.text(rule.rationale or "")),
        "gap_class": words.GAP_CLASS[rule.gap_class].title,
        "blocker": rule.gap_class in BLOCKERS,
        "gate": words.GATE[rule.gate].title,
        "lifecycle": rule.lifecycle if rule.lifecycle != "stable" else "",
        "why": words.sentence(safe.text(rule.why)),
        "action": words.sentence(safe.text(remediation.text, 1500)),
        "owner": words.OWNER[remediation.owner].title,
        "effort": estimates.effort(remediation.effort),
        "lead_time": estimates.lead_time(remediation.lead_time),
        "lead_source": source,
        "lead_cites": cites,
        "cites": references,
        "statements": context.statement_links(rule.source),
        "behind": behind(context, keys),
        "waits_for": neighbours(context, keys, before=True),
        "opens": neighbours(context, keys, before=False),
        "subjects": tuple(
            {
                "links": [context.subject_link(finding.subject)],
                "message": context.message(finding),
                "grounds": context.grounds(lines),
            }
            for finding, lines in rests
        ),
        "rests": _rests(context, rests),
    }


def _rests(context: Context, rests: Sequence[tuple[Finding, Sequence[Link]]]) -> tuple[Shown, ...]:
    """What the findings of one rule rest on, each line once with the organisations that it is about."""
    at: dict[Link, list[Link]] = defaultdict(list)
    for finding, lines in rests:
        for line in lines:
            at[line].append(context.subject_link(finding.subject))
    return tuple({"line": line, "links": links if len(rests) > 1 else []} for line, links in at.items())


SECTION = Section("gaps", "Open gaps", build_gaps)
