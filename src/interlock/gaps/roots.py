"""Root causes: the one gap that every path to an organisation's gate passes through.

Picture a virtual source before everything that waits for nothing, and a virtual sink an organisation behind all that it
must close up to the target gate. The sink's immediate dominator, when it is a real node, is a root cause: nothing of
that organisation's can be finished before it. Where the sink of the target gate has none, the sink of the next gate
that the organisation has not passed is asked instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from interlock.documents.text import plain
from interlock.gaps.dag import SOURCE, common_dominator
from interlock.gaps.subjects import GATE_RANK
from interlock.gaps.wording import gate_words
from interlock.model.base import Gate, Scope
from interlock.model.gap_graph import GapNode, RootCause
from interlock.model.organization import Organization


@dataclass
class _Group:
    nodes: dict[str, GapNode] = field(default_factory=dict)
    orgs: list[str] = field(default_factory=list)


def root_causes(
    nodes: Sequence[GapNode],
    requirement: Sequence[bool],
    immediate: Sequence[int],
    organizations: Sequence[Organization],
    target_gate: Gate,
) -> tuple[RootCause, ...]:
    """Root causes grouped by rule and by the first gate not held, those that hold back most organisations first.

    :param nodes: in topological order; ``requirement`` and ``immediate`` (dominators) run along with them.
    """
    groups: dict[tuple[str, Gate], _Group] = {}
    names = {organization.id: organization.name for organization in organizations}
    for org, numbers in _sinks(nodes, requirement, names, target_gate).items():
        if not numbers:
            continue
        gate = min((nodes[number].gate for number in numbers), key=GATE_RANK.__getitem__)
        cause = common_dominator(immediate, numbers)
        if cause == SOURCE:
            cause = common_dominator(immediate, [number for number in numbers if nodes[number].gate is gate])
        if cause == SOURCE:
            continue
        group = groups.setdefault((nodes[cause].rule, gate), _Group())
        group.nodes[nodes[cause].key] = nodes[cause]
        if org:
            group.orgs.append(org)
    causes = [_cause(rule, gate, group, names) for (rule, gate), group in groups.items()]
    return tuple(sorted(causes, key=lambda cause: (-len(cause.orgs), cause.gate.rank, cause.key)))


def _sinks(
    nodes: Sequence[GapNode], requirement: Sequence[bool], names: dict[str, str], target_gate: Gate
) -> dict[str, list[int]]:
    """Organisation → what it must close up to the target gate; the empty id stands for the product without any."""
    last = GATE_RANK[target_gate]
    shared: list[int] = []
    sinks: dict[str, list[int]] = {org: [] for org in names}
    for number, node in enumerate(nodes):
        if not requirement[number] or GATE_RANK[node.gate] > last:
            continue
        if node.subject.scope is Scope.PRODUCT:
            shared.append(number)
        else:
            for org in node.orgs:
                sinks[org].append(number)
    return {org: shared + own for org, own in sinks.items()} if sinks else {"": shared}


def _cause(rule: str, gate: Gate, group: _Group, names: dict[str, str]) -> RootCause:
    undecided = sum(node.kind == "discovery" for node in group.nodes.values())
    key = next(iter(group.nodes)) if len(group.nodes) == 1 else rule
    aside = ""
    if undecided == len(group.nodes):
        aside = ", not decided yet,"
    elif undecided:
        aside = f", not decided yet at {undecided} of them,"
    if not group.orgs:
        between = f"the product and its {gate_words(gate)}"
    elif len(group.orgs) == 1:
        between = f"{plain(names[group.orgs[0]], 120)} and its {gate_words(gate)}"
    else:
        between = f"{len(group.orgs):,} of {len(names):,} organisations and their {gate_words(gate)}"
    return RootCause(
        key=key,
        orgs=tuple(group.orgs),
        gate=gate,
        sentence=f"{rule}{aside} stands between {between}",
        nodes=tuple(sorted(group.nodes)),
    )
