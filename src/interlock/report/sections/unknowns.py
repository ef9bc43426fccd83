"""What we do not know: rules that could not be decided, and the questions and observations that would decide them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from interlock.model import words
from interlock.model.base import Owner, Scope
from interlock.model.finding import Finding
from interlock.model.language import _
from interlock.model.rule import Rule
from interlock.report import safe
from interlock.report.elements import SEVERITY_MARK, Link, Shown
from interlock.report.sections.context import UNDECIDED, Context, Section, worst_first
from interlock.report.sections.gaps import behind
from interlock.report.sections.summary import question, why_undecided

#: Answers that say “unknown”, of the organisations that a question is open at, that its row leads to.
_GIVEN = 4


def build_unknowns(context: Context) -> Shown:
    """Undecided findings, one entry a rule, worst first; then the questions still to answer."""
    by_rule = context.findings_by_rule(UNDECIDED)
    rules = sorted((context.assessment.rules[rule_id] for rule_id in by_rule), key=worst_first)
    known = [(rule, by_rule[rule.id]) for rule in rules]
    items = _items(context, [finding for _, findings in known for finding in findings])
    return {
        "lead": (*_lead(sum(len(findings) for _, findings in known), len(items)), *_unseen(context, known)),
        "questions": tuple(_question(context, rule, findings) for rule, findings in known),
        "to_answer": items,
    }


def _lead(undecided: int, items: int) -> tuple[str, ...]:
    if not undecided:
        return (_("Every finding is decided."),)
    has = _("could not be decided") if undecided != 1 else _("could not be decided either way")
    lead = [
        words.counted(
            undecided,
            "%(number)s finding %(has)s. Each is an open question and not a gap.",
            "%(number)s findings %(has)s. Each is an open question and not a gap.",
            has=has,
        )
    ]
    if items:
        lead.append(
            words.counted(
                items,
                "%(number)s question of the questionnaires would help, if answered.",
                "%(number)s questions of the questionnaires would help, if answered.",
            )
        )
    return tuple(lead)


def _unseen(context: Context, known: Iterable[tuple[Rule, Sequence[Finding]]]) -> Iterator[str]:
    """Why nothing was observed at an organisation, once for all questions about it."""
    every = (finding for _rule, findings in known for finding in findings)
    orgs = {each.subject.id for each in every if each.subject.scope is Scope.ORG and each.missing_facts}
    for org, name in context.names.items():
        if org in orgs and context.unseen(org):
            why = context.why_unseen(org)
            yield words.sentence(_("Nothing was observed at %(name)s: %(why)s", name=name, why=why))


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
        "subjects": tuple(
            {
                "links": [context.subject_link(finding.subject)],
                "message": words.capital(why_undecided(context, finding, reason=False)),
                "lacks": context.lacks(finding),
            }
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
    return (
        _("Would be decided by observing %(list)s.", list=words.listed(list(dict.fromkeys(facts)), 6)) if facts else ""
    )


def _items(context: Context, findings: Iterable[Finding]) -> tuple[Shown, ...]:
    rules: dict[str, dict[str, Link]] = defaultdict(dict)
    who: dict[str, dict[str, None]] = defaultdict(dict)
    given: dict[str, dict[Link, None]] = defaultdict(dict)
    for finding in findings:
        for item in finding.missing_answers:
            rules[item][finding.rule] = context.finding_link(finding.key)
            who[item][context.subject_link(finding.subject).label] = None
            given[item] |= dict.fromkeys(context.given(item, finding.subject))
    order = sorted(rules, key=lambda item: (-len(rules[item]), item))
    return tuple(
        {
            "item": safe.text(item, 96),
            "who": words.listed(list(who[item]), 4),
            "given": tuple(given[item])[:_GIVEN],
            "rules": tuple(rules[item][rule] for rule in sorted(rules[item])),
        }
        for item in order
    )


SECTION = Section("unknowns", "What we do not know", build_unknowns)
