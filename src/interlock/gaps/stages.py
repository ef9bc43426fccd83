"""Gates and stages: what each gate of one organisation requires, and the highest gate that it has reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from interlock.gaps.subjects import UNDECIDED, is_requirement, rule_of
from interlock.model.assessment import GateState
from interlock.model.base import Gate, RuleOutcome
from interlock.model.finding import Finding
from interlock.model.rule import Rule


def gate_states(findings: Iterable[Finding], rules: Mapping[str, Rule]) -> tuple[GateState, ...]:
    """The four gates of the subject that ``findings`` concern (product, vendor and organisation together).

    A gate's requirements are the findings of stable rules other than advice at that gate. It holds when every one is
    met or not applicable, so a gate without requirements holds. ``required`` counts the applicable ones.
    """
    met = dict.fromkeys(Gate, 0)
    opened: dict[Gate, list[str]] = {gate: [] for gate in Gate}
    undecided: dict[Gate, list[str]] = {gate: [] for gate in Gate}
    for finding in findings:
        rule = rule_of(finding, rules)
        if not is_requirement(rule):
            continue
        if finding.outcome is RuleOutcome.GAP:
            opened[rule.gate].append(finding.key)
        elif finding.outcome in UNDECIDED:
            undecided[rule.gate].append(finding.key)
        elif finding.outcome is RuleOutcome.MET:
            met[rule.gate] += 1
    return tuple(
        GateState(
            gate=gate,
            holds=not opened[gate] and not undecided[gate],
            required=met[gate] + len(opened[gate]) + len(undecided[gate]),
            met=met[gate],
            open=tuple(sorted(opened[gate])),
            undecided=tuple(sorted(undecided[gate])),
        )
        for gate in Gate
    )


def stage(gates: Iterable[GateState], *, unknowns_hold: bool = False) -> Gate | None:
    """The highest gate that holds together with all before it; none when not even the first holds.

    :param unknowns_hold: treat every undecided requirement as met.
    """
    reached = None
    for state in gates:
        if not (state.holds or (unknowns_hold and not state.open)):
            break
        reached = state.gate
    return reached
