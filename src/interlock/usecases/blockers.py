"""What blocks the product, and what blocks its integration: each open or undecided blocker once, with where it is."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from interlock.model import words
from interlock.model.base import GapClass, Model, Scope, Severity
from interlock.model.finding import OPEN, SEVERITY_RANK, UNDECIDED, Subject, is_requirement
from interlock.model.gap_graph import open_question

if TYPE_CHECKING:
    from interlock.model.assessment import Assessment
    from interlock.usecases.judge import Judgement


class Blocker(Model):
    """One rule that blocks, at all the subjects where it is open, or where it is undecided.

    :ivar title: what is open; of what is not decided the question.
    :ivar keys: of its findings, those of the product and of vendors first.
    """

    rule: str
    title: str
    undecided: bool
    severity: Severity
    keys: tuple[str, ...]
    subjects: tuple[Subject, ...]

    def where(self, names: dict[str, str], limit: int = 3) -> str:
        """Where it is, by name; empty for the product."""
        told = [
            words.capital(words.vendor(subject.id))
            if subject.scope is Scope.VENDOR
            else names.get(subject.id, subject.id)
            for subject in self.subjects
            if subject.scope is not Scope.PRODUCT
        ]
        return words.listed(told, limit) if told else ""


def blockers(judged: Judgement | Assessment, gap_class: GapClass) -> tuple[Blocker, ...]:
    """Blockers of one class: what is open before what is not decided, then the graver, then what is at most places."""
    groups = defaultdict(list)
    for finding in judged.findings:
        rule = judged.rules[finding.rule]
        if finding.outcome in OPEN and rule.gap_class is gap_class and is_requirement(rule):
            groups[finding.rule, finding.outcome in UNDECIDED].append(finding)
    blockers = []
    for (rule_id, undecided), findings in groups.items():
        rule = judged.rules[rule_id]
        in_order = sorted(findings, key=lambda finding: finding.subject.scope is Scope.ORG)
        blockers.append(
            Blocker(
                rule=rule_id,
                title=open_question(rule.title, rule.question) if undecided else rule.title,
                undecided=undecided,
                severity=rule.severity,
                keys=tuple(finding.key for finding in in_order),
                subjects=tuple(finding.subject for finding in in_order),
            )
        )
    return tuple(sorted(blockers, key=lambda b: (b.undecided, SEVERITY_RANK[b.severity], -len(b.keys), b.rule)))
