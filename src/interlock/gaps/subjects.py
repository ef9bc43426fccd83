"""Which findings concern whom, and which of them count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from interlock.model.base import GapClass, Gate, RuleOutcome, Severity
from interlock.model.errors import InterlockError
from interlock.model.finding import Finding
from interlock.model.organization import Organization
from interlock.model.rule import Rule

#: Outcomes that decide nothing. An error is a rule that could not be evaluated, so its question is still open.
UNDECIDED = frozenset({RuleOutcome.UNKNOWN, RuleOutcome.ERROR})
#: Outcomes that leave work to do.
OPEN = UNDECIDED | {RuleOutcome.GAP}

#: Ranks as tables: the properties search the enumeration, which shows with 60,000 nodes.
GATE_RANK = {gate: gate.rank for gate in Gate}
SEVERITY_RANK = {severity: severity.rank for severity in Severity}


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
