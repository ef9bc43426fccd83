"""Findings: a rule's conclusion about one subject, what it says in words, and which of them count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from interlock.model import words
from interlock.model.base import Evidence, GapClass, Gate, Model, RuleOutcome, Scope, Severity
from interlock.model.errors import InterlockError
from interlock.model.organization import Organization
from interlock.model.rule import Rule
from interlock.model.text import plain

#: Outcomes that decide nothing. An error is a rule that could not be evaluated, so its question is still open.
UNDECIDED = frozenset({RuleOutcome.UNKNOWN, RuleOutcome.ERROR})
#: Outcomes that leave work to do.
OPEN = UNDECIDED | {RuleOutcome.GAP}

#: Ranks as tables: the properties search the enumeration, which shows with 60,000 nodes.
GATE_RANK = {gate: gate.rank for gate in Gate}
SEVERITY_RANK = {severity: severity.rank for severity in Severity}


class Subject(Model):
    """The product (``id`` empty), a vendor, or an organisation: whom a finding is about."""

    scope: Scope
    id: str = ""

    def __str__(self) -> str:
        if self.scope is Scope.PRODUCT:
            return "product"
        return f"vendor:{self.id}" if self.scope is Scope.VENDOR else self.id


PRODUCT = Subject(scope=Scope.PRODUCT)


#: Why a rule that reads the contract is not decided while nothing is written in it; part of a finding's ``detail``.
NO_CONTRACT = "the workflow contract is not written"


class Finding(Model):
    """One rule, one subject, one outcome. The rule's own texts stay with the rule.

    :ivar key: ``AUTH-003`` for the product, ``AUTH-003@vendor:epic``, ``AUTH-003@riverside``.
    :ivar message: the rule's message with its fields filled in.
    :ivar value: v in [0, 1] when decided (met or gap), else none.
    :ivar evidence: what the decision rests on; none while undecided.
    :ivar reads: dotted names that the condition reads (``responses.auth.jwks``, ``probe.smart``).
    :ivar missing_answers: item ids whose answer would help to decide.
    :ivar missing_facts: dotted probe names that were not observed.
    :ivar detail: why it is undecided, not applicable, or in error; for a person.
    """

    key: str
    rule: str
    subject: Subject
    outcome: RuleOutcome
    message: str
    value: float | None = None
    evidence: Evidence | None = None
    reads: tuple[str, ...] = ()
    missing_answers: tuple[str, ...] = ()
    missing_facts: tuple[str, ...] = ()
    detail: str | None = None


class Contradiction(Model):
    """An answer that an observation contradicts, both sides: the file keeps the answer, what was observed is judged."""

    item: str
    org: str | None
    answered: str
    observed: str
    evidence: str


def finding_key(rule: str, subject: Subject) -> str:
    """The finding's key: the rule's id, with ``@subject`` outside product scope."""
    return rule if subject.scope is Scope.PRODUCT else f"{rule}@{subject}"


def in_force(rule: Rule) -> bool:
    """True for stable rules. Experimental rules are shown and decide nothing; deprecated ones are left out."""
    return rule.lifecycle == "stable"


def is_requirement(rule: Rule) -> bool:
    """True when the rule counts in score, gates and plan: stable, and not mere advice."""
    return in_force(rule) and rule.gap_class is not GapClass.ADVICE


def rule_of(finding: Finding, rules: Mapping[str, Rule]) -> Rule:
    """The rule behind a finding.

    :raises InterlockError: findings and rules come from different rulesets.
    """
    try:
        return rules[finding.rule]
    except KeyError:
        raise InterlockError(
            f"the finding {finding.key} names the rule {finding.rule}, which the ruleset does not have",
            remedy="assess again with the ruleset that made these findings",
        ) from None


def by_vendor(organizations: Iterable[Organization]) -> dict[str, tuple[str, ...]]:
    """Vendor → ids of its organisations, vendors sorted, organisations in the order given."""
    groups: dict[str, list[str]] = {}
    for organization in organizations:
        groups.setdefault(organization.vendor, []).append(organization.id)
    return {vendor: tuple(groups[vendor]) for vendor in sorted(groups)}


def listed(names: Sequence[str], limit: int = 3) -> str:
    """``A``, ``A and B``, ``A, B, C and 2 more``, of names that somebody else may have chosen."""
    return words.listed([plain(name, 120) for name in names], limit)


def statement(finding: Finding) -> str:
    """What a finding says about its subject: the rule's message for a gap, what is missing while undecided.

    The rule's message claims a gap. An unknown is never "no", so an undecided finding is never shown with it.
    """
    if finding.outcome not in {RuleOutcome.UNKNOWN, RuleOutcome.ERROR}:
        return plain(finding.message, 500)
    prefix = "could not be evaluated" if finding.outcome is RuleOutcome.ERROR else "not decided yet"
    return f"{prefix}; {plain(finding.detail, 400) if finding.detail else _what_is_missing(finding)}"


def _what_is_missing(finding: Finding) -> str:
    lacking = []
    if finding.missing_answers:
        lacking.append(f"no answer to {listed(finding.missing_answers)}")
    if finding.missing_facts:
        lacking.append(f"{listed(finding.missing_facts)} not observed")
    return " and ".join(lacking) or "what it reads is not known"


def first_sentence(text: str) -> str:
    """The first sentence of a longer text, with its full stop; at most 240 characters."""
    sentence, stop, _ = plain(text, 2_000).partition(". ")
    return plain(sentence + ("." if stop else ""), 240)
