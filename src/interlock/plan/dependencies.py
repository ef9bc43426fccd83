"""What waits for what: the rules' ``depends_on``, resolved across scopes to the open findings of one fleet.

A *view* is the subject that asks for a rule or a routine task. What it asks for widens or narrows with it:

====================  =================  ==========================  ==========================
the view              of product scope   of vendor scope             of organisation scope
====================  =================  ==========================  ==========================
an organisation       the product's      its vendor's                its own
a vendor              the product's      its own                     every one of its organisations'
the product           the product's      every vendor's              every organisation's
====================  =================  ==========================  ==========================

A dependency that is not open (met, not applicable, no finding) is transparent: what lies behind it is linked instead,
in the same view. So an organisation never waits for another organisation through a product rule that already holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

import networkx as nx

from interlock.model.base import Scope
from interlock.model.errors import InterlockError
from interlock.model.finding import by_vendor
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


def generations(graph: nx.DiGraph, waiting: str) -> list[list[str]]:
    """Topological generations of a graph, each sorted by name: everything in one waits only for earlier ones.

    :param waiting: who waits, for the error: ``tasks wait for one another``.
    :raises InterlockError: a circle; its path is in the message.
    """
    try:
        return [sorted(generation) for generation in nx.topological_generations(graph)]
    except nx.NetworkXUnfeasible:
        circle = [first for first, _ in nx.find_cycle(graph)]
        path = " → ".join([*circle, circle[0]])
        raise InterlockError(f"{waiting} in a circle: {path}", remedy="run interlock lint") from None


class Views:
    """The views of one fleet.

    :ivar vendor_of: organisation → its vendor, in the order given.
    :ivar orgs_of: vendor → its organisations, vendors sorted.
    """

    def __init__(self, organizations: Sequence[Organization]) -> None:
        self.vendor_of = {organization.id: organization.vendor for organization in organizations}
        self.orgs_of = by_vendor(organizations)

    def subject(self, scope: Scope, view: View) -> View:
        """The subject of this scope that is meant by a view which is not wider than the scope."""
        if scope is Scope.PRODUCT:
            return PRODUCT_VIEW
        if scope is Scope.VENDOR and view[0] is Scope.ORG:
            return (Scope.VENDOR, self.vendor_of[view[1]])
        return view

    def narrowed(self, scope: Scope, view: View) -> list[View]:
        """The views through which a wider view meets something of this scope; the view itself when it is not wider."""
        if scope is Scope.PRODUCT or view[0] is Scope.ORG:
            return [view]
        if scope is Scope.VENDOR:
            return [view] if view != PRODUCT_VIEW else [(Scope.VENDOR, vendor) for vendor in self.orgs_of]
        orgs = self.vendor_of if view == PRODUCT_VIEW else self.orgs_of.get(view[1], ())
        return [(Scope.ORG, org) for org in orgs]

    def no_wider_than(self, scope: Scope) -> list[View]:
        """Every view that meets exactly one subject of this scope."""
        views: list[View] = [(Scope.ORG, org) for org in self.vendor_of]
        if scope is not Scope.ORG:
            views += [(Scope.VENDOR, vendor) for vendor in self.orgs_of]
        if scope is Scope.PRODUCT:
            views.append(PRODUCT_VIEW)
        return views


class Dependencies:
    """The open findings behind every rule in every view, resolved rule by rule in topological order.

    :param open_keys: keys of the findings that something may wait for.
    :raises InterlockError: a dependency that does not exist, or rules that depend on one another in a circle.
    """

    def __init__(self, rules: Mapping[str, Rule], organizations: Sequence[Organization], open_keys: Set[str]) -> None:
        self._rules = rules
        self._views = Views(organizations)
        self._open_at: dict[str, dict[View, tuple[str, ...]]] = {}
        for generation in generations(_rule_graph(rules), "rules depend on one another"):
            for rule_id in generation:
                self._open_at[rule_id] = self._resolve(rules[rule_id], open_keys)

    def at(self, rule_id: str, view: View) -> tuple[str, ...]:
        """The key of this rule in this view if it is open, else what lies behind it; several for a wider view."""
        resolved = self._open_at[rule_id]
        if view in resolved:
            return resolved[view]
        return _union(resolved.get(narrower, ()) for narrower in self._views.narrowed(self._rules[rule_id].scope, view))

    def before(self, rule_id: str, view: View) -> tuple[str, ...]:
        """Keys of the open findings that this rule waits for, itself not included."""
        depends_on = self._rules[rule_id].depends_on
        if len(depends_on) == 1:
            return self.at(depends_on[0], view)
        return _union(self.at(dependency, view) for dependency in depends_on) if depends_on else ()

    def _resolve(self, rule: Rule, open_keys: Set[str]) -> dict[View, tuple[str, ...]]:
        resolved: dict[View, tuple[str, ...]] = {}
        for view in self._views.no_wider_than(rule.scope):
            key = key_at(rule.id, self._views.subject(rule.scope, view))
            resolved[view] = (key,) if key in open_keys else self.before(rule.id, view)
        return resolved


def _rule_graph(rules: Mapping[str, Rule]) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(rules))
    for rule_id in sorted(rules):
        for dependency in rules[rule_id].depends_on:
            if dependency not in rules:
                raise InterlockError(
                    f"{rule_id} depends on {dependency}, which the ruleset does not have", remedy="run interlock lint"
                )
            graph.add_edge(dependency, rule_id)
    return graph


def _union(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for group in groups for key in group))
