"""Which rules and findings speak to which statement of the method's source."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from interlock.model import words
from interlock.model.base import RuleOutcome
from interlock.model.finding import Finding
from interlock.model.language import _
from interlock.model.rule import Rule
from interlock.model.statements import STATEMENTS
from interlock.report import safe
from interlock.report.elements import Shown
from interlock.report.sections.comparison import by_area
from interlock.report.sections.context import Context, Section


class Spoken(NamedTuple):
    """A statement, the rules that cite it with how often their findings came out how, and that in words."""

    id: str
    text: str
    rules: dict[str, Counter[RuleOutcome]]
    outcome: str


def build_statements(context: Context) -> Shown:
    """Every statement, the rules that cite it, and how their findings came out."""
    return {
        "rows": [
            said._asdict()
            | {
                "anchor": safe.anchor("statement", said.id),
                "rules": [context.rule_link(rule) for rule in said.rules],
            }
            for said in spoken(context)
        ],
        "areas": [
            {"anchor": f"area-{number}", "area": area, "rules": tuple(_rules(context, judged))}
            for number, (area, judged) in enumerate(by_area(context).items(), start=1)
        ],
    }


def _rules(context: Context, judged: Sequence[tuple[Rule, Finding]]) -> Iterator[Shown]:
    """The requirements of an area, each with how its findings came out."""
    outcomes: dict[str, Counter[RuleOutcome]] = defaultdict(Counter)
    for rule, finding in judged:
        outcomes[rule.id][finding.outcome] += 1
    for rule_id in sorted(outcomes):
        yield {"link": context.rule_link(rule_id), "outcome": _outcome([outcomes[rule_id]])}


def spoken(context: Context) -> Iterator[Spoken]:
    """Every statement in order."""
    rules: dict[str, list[str]] = defaultdict(list)
    for rule_id in sorted(context.assessment.rules):
        for statement in context.assessment.rules[rule_id].source:
            rules[statement].append(rule_id)
    outcomes: dict[str, Counter[RuleOutcome]] = defaultdict(Counter)
    for finding in context.assessment.findings:
        outcomes[finding.rule][finding.outcome] += 1
    texts = {statement.id: statement.text for statement in STATEMENTS}
    for statement in sorted({*texts, *rules}):
        citing = {rule_id: outcomes[rule_id] for rule_id in rules[statement]}
        yield Spoken(statement, texts.get(statement, ""), citing, _outcome(list(citing.values())))


def _outcome(of_rules: Sequence[Counter[RuleOutcome]]) -> str:
    if not of_rules:
        return _("no rule in this ruleset")
    total = sum(of_rules, Counter[RuleOutcome]())
    counts = [
        f"{total[outcome]} {words.RULE[outcome].phrase}"
        for outcome in (RuleOutcome.MET, RuleOutcome.GAP, RuleOutcome.UNKNOWN, RuleOutcome.ERROR)
        if total[outcome]
    ]
    return ", ".join(counts) or _("not applicable")


SECTION = Section("statements", "Statements and findings", build_statements, appendix=True)
