"""How far each hazard is held: from findings, patterns and the contract, never from an answer alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from interlock.model import words
from interlock.model.base import Evidence, RuleOutcome, Scope
from interlock.model.contract import SECOND_FAILURES, Need, ProductEndpoint, WorkflowContract
from interlock.model.finding import NO_CONTRACT, UNDECIDED, Finding
from interlock.model.hazard import HazardControl, HazardState, HazardStatus
from interlock.model.pattern import PatternMatch
from interlock.model.rule import Rule

_ORDER: tuple[HazardStatus, ...] = ("open", "not_known", "controlled", "does_not_arise")
#: Fields of a need that concern only some: those of writing with these interactions, and searches.
_CONCERNS: Mapping[str, frozenset[str]] = {
    "if_match": frozenset({"update", "patch"}),
    "if_none_exist": frozenset({"create"}),
    "search_parameters": frozenset({"search"}),
}
#: Fields that the contract's first schema does not have.
_SECOND = (*(f"failures.{name}" for name in SECOND_FAILURES), "safeguards.", "outputs[].writing.")


@dataclass(frozen=True)
class HazardFacts:
    """What hazards are settle_hazards from; ``contract`` is none while it is not written."""

    findings: Iterable[Finding]
    rules: Mapping[str, Rule]
    patterns: Iterable[PatternMatch]
    contract: WorkflowContract | None

    @cached_property
    def by_rule(self) -> Mapping[str, list[Finding]]:
        """Findings by the id of their rule."""
        by_rule: dict[str, list[Finding]] = defaultdict(list)
        for finding in self.findings:
            by_rule[finding.rule].append(finding)
        return by_rule

    @cached_property
    def matched(self) -> Mapping[str, PatternMatch]:
        """The patterns that hold, by id."""
        return {match.pattern: match for match in self.patterns if match.outcome == "matched"}


def settle_hazards(states: Iterable[HazardState], facts: HazardFacts) -> tuple[HazardState, ...]:
    """The same hazards with their controls and status from these facts: open first, then what is not known.

    Within a status the most severe come first, of these the hardest to notice. A hazard is controlled when each of
    its rules that applies is met and each field of the contract says something: that the controls work, its tests show.
    """
    return tuple(sorted((_settle(state, facts) for state in states), key=_worst_first))


def _worst_first(state: HazardState) -> tuple[int, int, int, str]:
    return _ORDER.index(state.status), -state.severity, -state.detectability.rank, state.hazard.id


def _settle(state: HazardState, facts: HazardFacts) -> HazardState:
    if not state.applies:
        status: HazardStatus = "not_known" if state.applies is None else "does_not_arise"
        return state.but(status=status, controls=())
    hazard = state.hazard
    controls = (
        *(_of_field(path, facts.contract) for path in hazard.contract),
        *(control for name in hazard.rules if (control := _of_rule(name, facts)) is not None),
        *(_of_pattern(facts.matched[name]) for name in hazard.patterns if name in facts.matched),
    )
    outcomes = {control.outcome for control in controls}
    if "open" in outcomes:
        return state.but(status="open", controls=controls)
    if "not_known" in outcomes or not outcomes:
        return state.but(status="not_known", controls=controls)
    if "held" in outcomes:
        return state.but(status="controlled", controls=controls)
    return state.but(status="does_not_arise", controls=controls, because="each question about it does not apply here")


def _of_rule(rule_id: str, facts: HazardFacts) -> HazardControl | None:
    """A rule as a control; none where it is about a vendor that no organisation has."""
    rule, findings = facts.rules.get(rule_id), facts.by_rule.get(rule_id, [])
    if rule is None or rule.lifecycle == "deprecated":
        return HazardControl(kind="rule", id=rule_id, outcome="not_known", says="this rule is turned off here")
    if not findings:
        if rule.vendors:
            return None
        return HazardControl(kind="rule", id=rule_id, outcome="not_known", says=f"{rule.title}: no organisation yet")
    gaps = [finding for finding in findings if finding.outcome is RuleOutcome.GAP]
    undecided = [finding for finding in findings if finding.outcome in UNDECIDED]
    met = [finding.evidence or Evidence.ASSERTED for finding in findings if finding.outcome is RuleOutcome.MET]
    if gaps or undecided:
        at = tuple(str(finding.subject) for finding in gaps or undecided if finding.subject.scope is not Scope.PRODUCT)
        outcome = "open" if gaps else "not_known"
        return HazardControl(kind="rule", id=rule_id, outcome=outcome, says=rule.title, at=at)
    if met:
        weakest = min(met, key=lambda evidence: evidence.rank)
        return HazardControl(kind="rule", id=rule_id, outcome="held", says=rule.title, evidence=weakest)
    return HazardControl(kind="rule", id=rule_id, outcome="not_applicable", says=rule.title)


def _of_pattern(match: PatternMatch) -> HazardControl:
    return HazardControl(kind="pattern", id=match.pattern, outcome="open", says=match.title, at=match.orgs)


def _of_field(path: str, contract: WorkflowContract | None) -> HazardControl:
    if contract is None:
        return HazardControl(kind="contract", id=path, outcome="not_known", says=NO_CONTRACT)
    if contract.schema_version < WorkflowContract.newest and path.startswith(_SECOND):
        says = f"a contract of schema {contract.schema_version} has no place for it: interlock contract upgrade"
        return HazardControl(kind="contract", id=path, outcome="not_known", says=says)
    said = list(_said(contract, path))
    lacking = list(dict.fromkeys(name for name, value in said if not value))
    if said and not lacking:
        says = next((value for _, value in said if isinstance(value, str)), "") if len(said) == 1 else ""
        return HazardControl(kind="contract", id=path, outcome="held", says=says, evidence=Evidence.DOCUMENTED)
    of = words.listed([name for name in lacking if name], 4)
    return HazardControl(kind="contract", id=path, outcome="open", says=f"not said of {of}" if of else "not said")


def _said(value: Any, path: str, name: str = "") -> Iterator[tuple[str, Any]]:
    """What stands at a path, of each element where it is a list, with the name of the element that it stands in."""
    head, _, rest = path.partition(".")
    field = head.removesuffix("[]")
    if isinstance(value, Need) and not _concerns(value, path):
        return
    inner = getattr(value, field, None)
    for element in inner or () if head.endswith("[]") else (inner,):
        within = element.resource if isinstance(element, Need) else name
        within = element.path if isinstance(element, ProductEndpoint) else within
        if rest:
            yield from _said(element, rest, within)
        else:
            yield within, element


def _concerns(need: Need, path: str) -> bool:
    leaf = path.rpartition(".")[2]
    if leaf == "terminology":
        return bool(need.code or need.binding) or any(name.partition(".")[0] == "code" for name in need.required_fields)
    return leaf not in _CONCERNS or not _CONCERNS[leaf].isdisjoint(need.interactions)
