"""Open gaps for a reader who goes from front to back: first what holds up most, each once for all organisations."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from interlock.model import words
from interlock.model.base import Evidence, GapClass, RuleOutcome, Scope
from interlock.model.finding import Finding
from interlock.model.language import _
from interlock.model.rule import Rule
from interlock.report import estimates, safe
from interlock.report.elements import SEVERITY_MARK, Link, Shown
from interlock.report.sections.context import BLOCKERS, WHOLE, Context

#: Different things that were found of one rule, and organisations that a line names; the others are counted.
_SEEN, _TOLD, NAMED = 3, 2, 4
#: Between two sentences; not after an abbreviation in front of a small letter or a figure.
_SENTENCE_END = re.compile(r"(?<=[a-z0-9)\]][.:]) (?=[A-Z])")


def build_gaps_brief(context: Context) -> Shown:
    """Blockers with what was seen and what to do, then the other gaps of the target gate, then the titles of the rest.

    In each part the gap that holds up most gates of organisations comes first.
    """
    by_rule = context.findings_by_rule({RuleOutcome.GAP})
    rules = sorted((context.assessment.rules[rule_id] for rule_id in by_rule), key=lambda rule: _first(context, rule))
    needed = [rule for rule in rules if context.needed(rule)]
    gate = words.gate(context.assessment.target_gate)
    parts = (
        (
            "blockers",
            _("Blockers on the way to the %(gate)s", gate=gate),
            [rule for rule in needed if rule.gap_class in BLOCKERS],
        ),
        (
            "needed",
            _("Also needed for the %(gate)s", gate=gate),
            [rule for rule in needed if rule.gap_class not in BLOCKERS],
        ),
        (
            "later",
            _("Open, and not needed for the %(gate)s", gate=gate),
            [rule for rule in rules if rule not in needed],
        ),
    )
    groups = [
        {
            "anchor": f"gaps-{name}",
            "kind": name,
            "title": title,
            "rows": tuple(_row(context, rule, by_rule[rule.id], whole=name == "blockers") for rule in part),
        }
        for name, title, part in parts
        if part
    ]
    lead = words.counted(
        len(rules),
        "%(number)s requirement is open, some at several organisations: each stands here once, "
        "and first what holds up most gates. %(whole)s has of each the reason, all that is to be "
        "done, its sources and the answers behind it.",
        "%(number)s requirements are open, some at several organisations: each stands here once, "
        "and first what holds up most gates. %(whole)s has of each the reason, all that is to be "
        "done, its sources and the answers behind it.",
        whole=WHOLE,
    )
    return {
        "children": [Link(label=str(group["title"]), anchor=str(group["anchor"])) for group in groups],
        "lead": lead,
        "groups": groups,
    }


def _first(context: Context, rule: Rule) -> tuple[int, int, int, str]:
    held = sum(context.nodes[key].blocks for key in context.nodes if key.partition("@")[0] == rule.id)
    return -held, list(GapClass).index(rule.gap_class), rule.severity.rank, rule.id


def _row(context: Context, rule: Rule, findings: Sequence[Finding], *, whole: bool) -> Shown:
    held = sum(context.nodes[finding.key].blocks for finding in findings if finding.key in context.nodes)
    remediation = rule.remediation
    action = words.sentence(safe.text(remediation.text, 1500))
    return {
        "anchor": safe.anchor("gap", rule.id),
        "id": rule.id,
        "severity": SEVERITY_MARK[rule.severity],
        "title": safe.name(rule.title),
        "where": where(context, findings),
        "holds": words.counted(held, "holds up %(number)s gate", "holds up %(number)s gates") if held else "",
        "seen": _seen(context, findings) if whole else (),
        "action": _SENTENCE_END.split(action, maxsplit=1)[0],
        "cites": context.book.cite_all(rule.references[:1]) if whole else (),
        "owner": words.OWNER[remediation.owner].title,
        "gate": words.GATE[rule.gate].title,
        "effort": words.person_days(remediation.effort.expected),
        "lead_time": estimates.expected(remediation.lead_time) if remediation.lead_time else "",
    }


def where(context: Context, findings: Sequence[Finding]) -> str:
    """The organisations that findings are about, each once; beyond a few they are counted."""
    links = dict.fromkeys(context.subject_link(finding.subject).label for finding in findings)
    return words.listed(list(links), NAMED)


def _seen(context: Context, findings: Sequence[Finding]) -> tuple[str, ...]:
    """What was found, and whether it was observed or answered: each once, with where if there are several."""
    at: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        at[context.message(finding)].append(finding)
    lines = []
    for message, alike in list(at.items())[:_SEEN]:
        told = list(dict.fromkeys(known(context, finding) for finding in alike))
        names = f"{where(context, alike)}: " if len(at) > 1 else ""
        lines.append(f"{names}{message} {words.capital(words.sentence('; '.join(told[:_TOLD])))}")
        if len(told) > _TOLD:
            more = _("%(number)s more answers: in %(whole)s.", number=words.number(len(told) - _TOLD), whole=WHOLE)
            lines[-1] += f" {more}"
    if len(at) > _SEEN:
        lines.append(
            _(
                "Elsewhere it is otherwise: %(number)s more in %(whole)s.",
                number=words.number(len(at) - _SEEN),
                whole=WHOLE,
            )
        )
    return tuple(lines)


def known(context: Context, finding: Finding) -> str:
    """Whether a finding was observed, with the day, or answered, with who said it, when, and on what evidence.

    Beside an observation stands the answer that it contradicts.
    """
    own = context.readiness.get(finding.subject.id) if finding.subject.scope is Scope.ORG else None
    if finding.evidence is Evidence.OBSERVED and own is not None and own.observed_at:
        contradicted = [
            context.answered(answer)
            for answer in context.answers_read(finding)
            if any(
                each.item == answer.item and each.org in {None, finding.subject.id}
                for each in context.assessment.contradictions
            )
        ]
        day = safe.day(own.observed_at)
        if not contradicted:
            return _("observed on %(day)s", day=day)
        return _("observed on %(day)s; the team answered otherwise: %(answer)s", day=day, answer=contradicted[0])
    answers = [context.answered(answer) for answer in context.answers_read(finding)]
    if answers:
        return _("answered: %(answers)s", answers=answers[0])
    return _("from the contract or its file")
