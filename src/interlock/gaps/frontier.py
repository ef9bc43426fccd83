"""Resolving ``depends_on`` across scopes: for each rule seen by each subject, the open nodes that it waits for.

A *view* is the subject that asks. Dependencies widen or narrow with it:

====================  =================  ==========================  ==========================
the view              product dependency  vendor dependency           organisation dependency
====================  =================  ==========================  ==========================
an organisation       the product's node  its vendor's node           its own node
a vendor              the product's node  its own node                every one of its organisations
the product           the product's node  every vendor's node         every organisation's node
====================  =================  ==========================  ==========================

A dependency that is not open (met, not applicable, no finding) is transparent: what lay behind it is linked instead,
still in the view of the one that asked. So an organisation never waits for another organisation through a product rule
that already holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from interlock.gaps.subjects import by_vendor
from interlock.model.base import Scope
from interlock.model.errors import InterlockError
from interlock.model.organization import Organization
from interlock.model.rule import Rule

#: Who asks: ``(scope, id)``; the product's id is empty.
View = tuple[Scope, str]
PRODUCT_VIEW: View = (Scope.PRODUCT, "")


def key_at(rule: str, view: View) -> str:
    """The finding key of a rule at a subject (see :func:`interlock.model.finding.finding_key`)."""
    scope, name = view
    if scope is Scope.PRODUCT:
        return rule
    return f"{rule}@{name}" if scope is Scope.ORG else f"{rule}@vendor:{name}"


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
        self._vendor_of = {organization.id: organization.vendor for organization in organizations}
        self._orgs = tuple(self._vendor_of)
        self._orgs_of = by_vendor(organizations)
        self._known: dict[str, dict[View, tuple[int, ...]]] = {}
        for rule_id in self.order:
            self._known[rule_id] = self._resolve(rules[rule_id])

    def at(self, rule_id: str, view: View) -> tuple[int, ...]:
        """The node of this rule in this view if it is open, else what lies behind it; several for a wider view."""
        table = self._known[rule_id]
        if view in table:
            return table[view]
        return _union(table[narrower] for narrower in self._narrower(self._rules[rule_id].scope, view))

    def before(self, rule_id: str, view: View) -> tuple[int, ...]:
        """The open nodes that this rule waits for, itself not included."""
        dependencies = self._rules[rule_id].depends_on
        if len(dependencies) == 1:
            return self.at(dependencies[0], view)
        return _union(self.at(dependency, view) for dependency in dependencies) if dependencies else ()

    def _resolve(self, rule: Rule) -> dict[View, tuple[int, ...]]:
        table: dict[View, tuple[int, ...]] = {}
        for view in self._views(rule.scope):
            node = self._open.get(key_at(rule.id, self._subject(rule.scope, view)))
            table[view] = (node,) if node is not None else self.before(rule.id, view)
        return table

    def _views(self, scope: Scope) -> list[View]:
        """Views that need no narrowing before they meet a rule of this scope."""
        views: list[View] = [(Scope.ORG, org) for org in self._orgs]
        if scope is not Scope.ORG:
            views += [(Scope.VENDOR, vendor) for vendor in self._orgs_of]
        if scope is Scope.PRODUCT:
            views.append(PRODUCT_VIEW)
        return views

    def _subject(self, scope: Scope, view: View) -> View:
        if scope is Scope.PRODUCT:
            return PRODUCT_VIEW
        if scope is Scope.VENDOR and view[0] is Scope.ORG:
            return (Scope.VENDOR, self._vendor_of[view[1]])
        return view

    def _narrower(self, scope: Scope, view: View) -> list[View]:
        if scope is Scope.VENDOR and view == PRODUCT_VIEW:
            return [(Scope.VENDOR, vendor) for vendor in self._orgs_of]
        orgs = self._orgs if view == PRODUCT_VIEW else self._orgs_of.get(view[1], ()) if view[0] is Scope.VENDOR else ()
        return [(Scope.ORG, org) for org in orgs] if scope is Scope.ORG else []


def _union(groups: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(node for group in groups for node in group))
