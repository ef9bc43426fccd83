"""Appendix: how the numbers come about, and which findings speak to which statement of the method's source."""

from __future__ import annotations

from collections import Counter, defaultdict

from interlock.model import words
from interlock.model.base import RuleOutcome
from interlock.model.statements import STATEMENTS
from interlock.report import safe
from interlock.report.models import Link, MethodNote, StatementRow
from interlock.report.sections.context import UNDECIDED, Context


def build_method(context: Context) -> tuple[MethodNote, ...]:
    """A few sentences on each number of this report."""
    plan = context.assessment.plan
    return (
        MethodNote(
            title="Two kinds of evidence",
            text=(
                "Findings rest on what the team answered and on what the organisations’ own FHIR and SMART "
                "endpoints showed. Each rule is a written condition over these; it is met, open, or undecided when "
                "an answer or an observation that it needs is not there. Undecided is never counted as open. An "
                "answer that an observation contradicts is shown with both sides and is not replaced."
            ),
        ),
        MethodNote(
            title="Score",
            text=(
                "Every applicable finding has a weight by severity: critical 10, high 7.5, medium 5, low 2.5. The "
                "lower end of a score is what is verified so far; the upper end is the best case, with everything "
                "that is undecided turning out well. Completeness is one minus the distance between the two. "
                "Confidence weighs each decided finding by its evidence: an answer 0.5, a document 0.75, an "
                "observation 1. What does not apply leaves the sum, needs a reason, and its share is printed."
            ),
        ),
        MethodNote(
            title="Stage and caps",
            text=(
                "The stage of an organisation is the highest gate, of design, sandbox, pilot and production, whose "
                "requirements all hold; an average never decides it. An open product blocker caps every score at "
                "39, an open integration blocker caps that organisation’s at 39, and an undecided gate requirement "
                "caps it at 69. The product is scored once. Organisations are counted by stage and never averaged."
            ),
        ),
        MethodNote(
            title="Not observed",
            text=(
                "An endpoint that could not be reached lowers confidence and adds a task to find out. It creates no "
                "gap about what its owner publishes. In the contract’s table, “missing” means that a statement was "
                "read and leaves the need out of what it lists; “undeclared” that it was read and does not say; “not "
                "observed” that it was not read."
            ),
        ),
        MethodNote(
            title="Plan",
            text=(
                f"Each task has a lowest, expected and highest estimate. The schedule is simulated {plan.runs:,} "
                f"times with seed {plan.seed}, starting {safe.day(plan.start)}, each task starting when all that it "
                "waits for is done. P50, P80 and P90 are the dates by which half, four fifths and nine tenths of "
                "the runs have finished. Every lead time names its source and a grade; where there is none, the "
                "grade is judgement. Days are working days, Monday to Friday, unless a lead time says otherwise. "
                "Root causes are the immediate dominators of the gap graph: every path to the gates named runs "
                "through them."
            ),
        ),
    )


def build_statements(context: Context) -> tuple[StatementRow, ...]:
    """Every statement, the rules that cite it, and how their findings came out."""
    rules: dict[str, list[str]] = defaultdict(list)
    for rule_id in sorted(context.assessment.rules):
        for statement in context.assessment.rules[rule_id].source:
            rules[statement].append(rule_id)
    outcomes: dict[str, Counter[RuleOutcome]] = defaultdict(Counter)
    for finding in context.assessment.findings:
        outcomes[finding.rule][finding.outcome] += 1
    rows = []
    texts = {statement.id: statement.text for statement in STATEMENTS}
    for statement in sorted({*texts, *rules}):
        total: Counter[RuleOutcome] = Counter()
        for rule_id in rules[statement]:
            total += outcomes[rule_id]
        rows.append(
            StatementRow(
                id=statement,
                text=texts.get(statement, ""),
                rules=tuple(_link(context, rule_id, outcomes[rule_id]) for rule_id in rules[statement]),
                outcome=_outcome(total, bool(rules[statement])),
            )
        )
    return tuple(rows)


def _link(context: Context, rule_id: str, outcomes: Counter[RuleOutcome]) -> Link:
    state = RuleOutcome.GAP if outcomes[RuleOutcome.GAP] else None
    if state is None and any(outcomes[outcome] for outcome in UNDECIDED):
        state = RuleOutcome.UNKNOWN
    return Link(label=rule_id, anchor=context.rule_anchor(rule_id, state))


def _outcome(total: Counter[RuleOutcome], has_rules: bool) -> str:
    if not has_rules:
        return "no rule in this ruleset"
    parts = [
        f"{total[outcome]} {words.RULE[outcome].phrase}"
        for outcome in (RuleOutcome.MET, RuleOutcome.GAP, RuleOutcome.UNKNOWN, RuleOutcome.ERROR)
        if total[outcome]
    ]
    return ", ".join(parts) or "not applicable"
