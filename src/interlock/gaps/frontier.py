"""Resolving ``depends_on`` across scopes: for each rule seen in each view (:mod:`interlock.gaps.views`), the open nodes
that it waits for.

A dependency that is not open (met, not applicable, no finding) is transparent: what lay behind it is linked instead,
still in the view of the one that asked. So an organisation never waits for another organisation through a product rule
that already holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from interlock.gaps.views import View, Views, key_at
from interlock.model.errors import InterlockError
from interlock.model.organization import Organization
from interlock.model.rule import Rule


def rule_order(rules: Mapping[str, Rule]) -> tuple[str, ...]:
    """Rule ids, every rule after those that it depends on; deterministic.

    :raises InterlockError: a dependency that does not exist, or a cycle (its path is in the message).
    """
    for rule in rules.values():
        for dependency in rule.depends_on:
            if dependency not in rules:
                raise InterlockError(
                    f"{rule.id} depends on {dependency}, which the ruleset does not have", remedy="run interlock lint"
                )
    try:
        return tuple(TopologicalSorter({name: sorted(rules[name].depends_on) for name in sorted(rules)}).static_order())
    except CycleError as error:
        path = " → ".join(error.args[1])
        raise InterlockError(f"rules depend on one another in a circle: {path}", remedy="run interlock lint") from error


class Frontier:
    """Open nodes behind every (rule, view), filled bottom-up in rule order, so depth is no matter.

    :param open_nodes: finding key → node number, for the nodes that something may wait for.
    """

    def __init__(
        self,
        rules: Mapping[str, Rule],
        organizations: Sequence[Organization],
        open_nodes: Mapping[str, int],
    ) -> None:
        self.order = rule_order(rules)
        self._rules = rules
        self._open = open_nodes
        self._views = Views(organizations)
        self._known: dict[str, dict[View, tuple[int, ...]]] = {}
        for rule_id in self.order:
            self._known[rule_id] = self._resolve(rules[rule_id])

    def at(self, rule_id: str, view: View) -> tuple[int, ...]:
        """The node of this rule in this view if it is open, else what lies behind it; several for a wider view."""
        table = self._known[rule_id]
        if view in table:
            return table[view]
        return _union(table.get(narrower, ()) for narrower in self._views.narrowed(self._rules[rule_id].scope, view))

    def before(self, rule_id: str, view: View) -> tuple[int, ...]:
        """The open nodes that this rule waits for, itself not included."""
        dependencies = self._rules[rule_id].depends_on
        if len(dependencies) == 1:
            return self.at(dependencies[0], view)
        return _union(self.at(dependency, view) for dependency in dependencies) if dependencies else ()

    def _resolve(self, rule: Rule) -> dict[View, tuple[int, ...]]:
        table: dict[View, tuple[int, ...]] = {}
        for view in self._views.that_meet_one(rule.scope):
            node = self._open.get(key_at(rule.id, self._views.subject(rule.scope, view)))
            table[view] = (node,) if node is not None else self.before(rule.id, view)
        return table


def _union(groups: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(node for group in groups for node in group))
