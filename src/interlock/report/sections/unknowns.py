"""What we do not know: rules that could not be decided, and the questions and observations that would decide them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from interlock.model import words
from interlock.model.base import Owner, RuleOutcome, Scope
from interlock.model.finding import Finding
from interlock.model.rule import Rule
from interlock.report import safe
from interlock.report.elements import SEVERITY_MARK, Link, Shown
from interlock.report.sections.context import UNDECIDED, Context, Section, worst_first
from interlock.report.sections.gaps import behind
from interlock.report.sections.summary import question, why_undecided

#: Questions to answer that a brief report lists: those that decide most.
BRIEF_ITEMS = 8
#: Rules that one row of counted findings names, worst first.
BRIEF_RULES = 12


def build_unknowns(context: Context) -> Shown:
    """Undecided findings, one entry a rule, worst first; then the questions still to answer."""
    by_rule = context.findings_by_rule(UNDECIDED)
    rules = sorted((context.assessment.rules[rule_id] for rule_id in by_rule), key=worst_first)
    known = [(rule, by_rule[rule.id]) for rule in rules]
    told = [pair for pair in known if context.told(pair[0])]
    rest = [pair for pair in known if not context.told(pair[0])]
    needed = [finding for rule, findings in known if not context.brief or context.needed(rule) for finding in findings]
    items = _items(context, needed)
    left = sum(len(findings) for _, findings in rest)
    return {
        "lead": (*_lead(sum(len(findings) for _, findings in known), len(items)), *_left(left)),
        "questions": tuple(_question(context, rule, findings) for rule, findings in told),
        "counted": _counted(context, [finding for _, findings in rest for finding in findings]),
        "to_answer": items[: BRIEF_ITEMS if context.brief else None],
    }


def _lead(undecided: int, items: int) -> tuple[str, ...]:
    if not undecided:
        return ("Every finding is decided.",)
    has = "could not be decided" if undecided != 1 else "could not be decided either way"
    lead = [f"{words.count(undecided, 'finding')} {has}. Each is an open question and not a gap."]
    if items:
        lead.append(f"{words.count(items, 'question')} of the questionnaires would help, if answered.")
    return tuple(lead)


def _left(count: int) -> tuple[str, ...]:
    if not count:
        return ()
    return (
        "Only the worst are told one by one here; "
        f"{count:,} others are counted by reason, and the HTML and Markdown reports tell all of them.",
    )


def _counted(context: Context, findings: Sequence[Finding]) -> tuple[Shown, ...]:
    """One row for each reason and kind of subject, that with most findings first; ``findings`` come worst first."""
    groups: dict[tuple[str, Scope], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[_reason(finding), finding.subject.scope].append(finding)
    rows = []
    for (reason, scope), alike in sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        at = Counter(context.subject_link(finding.subject).label for finding in alike)
        rules = {finding.rule: context.finding_link(finding.key) for finding in alike}
        shown = tuple(rules.values())[:BRIEF_RULES]
        names = [label if scope is Scope.PRODUCT else f"{label} ({count:,})" for label, count in at.most_common()]
        rows.append(
            {
                "reason": reason,
                "where": words.listed(names, 6),
                "findings": len(alike),
                "rules": shown,
                "more": f" and {len(rules) - len(shown):,} more" if len(rules) > len(shown) else "",
            }
        )
    return tuple(rows)


def _reason(finding: Finding) -> str:
    """Why the finding is undecided, in words that many findings share."""
    if finding.outcome is RuleOutcome.ERROR:
        return "The rule could not be evaluated"
    if finding.missing_facts:
        return "Not observed and not answered" if finding.missing_answers else "Not observed"
    return "Not answered" if finding.missing_answers else "Not decided"


def _question(context: Context, rule: Rule, findings: Sequence[Finding]) -> Shown:
    nodes = [context.nodes[finding.key] for finding in findings if finding.key in context.nodes]
    return {
        "anchor": safe.anchor("open", rule.id),
        "id": rule.id,
        "question": question(rule),
        "severity": SEVERITY_MARK[rule.severity],
        "gap_class": words.GAP_CLASS[rule.gap_class].title,
        "gate": words.GATE[rule.gate].title,
        "owner": words.OWNER[next((node.owner for node in nodes), Owner.US)].title,
        "behind": behind(context, (finding.key for finding in findings)),
        "subjects": context.subject_lines(
            (context.subject_link(finding.subject), words.capital(why_undecided(context, finding)))
            for finding in findings
        ),
        "help": _help(context, findings),
    }


def _help(context: Context, findings: Sequence[Finding]) -> str:
    """What to look at where nothing could be looked at; elsewhere the subject's own line names it."""
    facts = [
        safe.text(fact, 96)
        for finding in findings
        if finding.subject.scope is Scope.ORG and context.unseen(finding.subject.id)
        for fact in finding.missing_facts
    ]
    return f"Would be decided by observing {words.listed(list(dict.fromkeys(facts)), 6)}." if facts else ""


def _items(context: Context, findings: Iterable[Finding]) -> tuple[Shown, ...]:
    rules: dict[str, dict[str, Link]] = defaultdict(dict)
    who: dict[str, dict[str, None]] = defaultdict(dict)
    for finding in findings:
        for item in finding.missing_answers:
            rules[item][finding.rule] = context.finding_link(finding.key)
            who[item][context.subject_link(finding.subject).label] = None
    order = sorted(rules, key=lambda item: (-len(rules[item]), item))
    return tuple(
        {
            "item": safe.text(item, 96),
            "who": words.listed(list(who[item]), 4),
            "rules": tuple(rules[item][rule] for rule in sorted(rules[item])),
        }
        for item in order
    )


SECTION = Section("unknowns", "What we do not know", build_unknowns)
