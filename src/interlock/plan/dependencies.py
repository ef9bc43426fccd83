"""What waits for what: ``depends_on`` of rules and ``after`` of routine tasks, resolved across the scopes of one fleet.

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

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property

import networkx as nx

from interlock.model.base import Scope, VerdictValue
from interlock.model.errors import InterlockError
from interlock.model.finding import by_vendor, is_requirement
from interlock.model.gap_graph import GapGraph
from interlock.model.organization import Freeze, Organization
from interlock.model.rule import RoutineTask, Rule

#: Who asks: ``(scope, id)``; the product's id is empty.
View = tuple[Scope, str]
PRODUCT_VIEW: View = (Scope.PRODUCT, "")
EVERY_VERDICT = frozenset(VerdictValue)


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


class Dependencies:
    """The open findings behind every rule in every view.

    :param open_keys: keys of the findings that something may wait for.
    :raises InterlockError: a dependency that does not exist, or rules that depend on one another in a circle.
    """

    def __init__(self, rules: Mapping[str, Rule], organizations: Sequence[Organization], open_keys: Set[str]) -> None:
        generations(_rule_graph(rules), "rules depend on one another")
        self._rules = rules
        self._views = Views(organizations)
        self._open_keys = open_keys
        self._at: dict[tuple[str, View], tuple[str, ...]] = {}

    def at(self, rule_id: str, view: View) -> tuple[str, ...]:
        """The key of this rule in this view if it is open, else what lies behind it; several for a wider view."""
        known = self._at.get((rule_id, view))
        if known is None:
            scope = self._rules[rule_id].scope
            views = self._views.narrowed(scope, view)
            if views == [view]:
                key = key_at(rule_id, self._views.subject(scope, view))
                known = (key,) if key in self._open_keys else self.before(rule_id, view)
            else:
                known = _union(self.at(rule_id, narrower) for narrower in views)
            self._at[rule_id, view] = known
        return known

    def before(self, rule_id: str, view: View) -> tuple[str, ...]:
        """Keys of the open findings that this rule waits for, itself not included."""
        return _union(self.at(dependency, view) for dependency in self._rules[rule_id].depends_on)


class RoutineInstances:
    """The routine tasks of one fleet: once for the product, for each vendor or for each organisation.

    A task that names ``vendors`` exists only for those. A task that ``replaces`` a general one stands for it at its own
    vendors: the general one does not exist there.

    :param freezes_stated: organisations whose change freezes are known, for tasks that only stand for unknown ones.
    :param argued: the verdicts that something argues for: a task of another one does not exist.
    :param reads_only: the contract is known to write nothing, for tasks that only stand for one of the two.
    :ivar instances: the tasks by instance id, each with the subject that it stands for.
    """

    def __init__(
        self,
        tasks: Sequence[RoutineTask],
        organizations: Sequence[Organization],
        freezes_stated: Set[str] = frozenset(),
        argued: Set[VerdictValue] = EVERY_VERDICT,
        reads_only: bool = False,
    ) -> None:
        self._reads_only = reads_only
        self._by_id = {task.id: task for task in tasks}
        self._views = Views(organizations)
        self._replaced_by: dict[str, list[RoutineTask]] = defaultdict(list)
        for task in tasks:
            for general in {*task.replaces} - {task.id}:
                self._replaced_by[general].append(task)
        self.instances: dict[str, tuple[RoutineTask, View]] = {
            key_at(task.id, view): (task, view)
            for task in tasks
            for view in self._views_of(task)
            if not (task.unless == "freezes_stated" and view[1] in freezes_stated)
            and (task.verdict is None or task.verdict in argued)
        }

    def orgs_of(self, key: str) -> tuple[str, ...]:
        """Organisations whose finish waits for an instance."""
        task, (scope, name) = self.instances[key]
        if scope is Scope.ORG:
            return (name,)
        if scope is Scope.VENDOR:
            return self._views.orgs_of[name]
        return tuple(org for org, vendor in self._views.vendor_of.items() if self._stands_for(task, vendor))

    def _views_of(self, task: RoutineTask) -> Iterator[View]:
        """Subjects for which the task is planned."""
        vendors = [vendor for vendor in self._views.orgs_of if self._stands_for(task, vendor)]
        if task.scope is not Scope.PRODUCT:
            for vendor in vendors:
                yield from self._views.narrowed(task.scope, (Scope.VENDOR, vendor))
        elif vendors or not (self._views.orgs_of or task.vendors):
            yield PRODUCT_VIEW

    def _meant_for(self, task: RoutineTask, vendor: str) -> bool:
        applies = task.applies is None or (task.applies == "reads_only") is self._reads_only
        return applies and (not task.vendors or vendor in task.vendors)

    def _stands_for(self, task: RoutineTask, vendor: str) -> bool:
        return self._meant_for(task, vendor) and not self._replacements(task, vendor)

    def _replacements(self, task: RoutineTask, vendor: str) -> list[RoutineTask]:
        return [other for other in self._replaced_by.get(task.id, ()) if self._meant_for(other, vendor)]


class RoutineTasks(RoutineInstances):
    """The routine tasks to plan for one fleet, and what each of them comes after.

    Whatever comes after a general task comes after what replaces it. A task that does not exist for a subject is
    transparent: what lay behind it is linked.
    """

    def __init__(
        self,
        tasks: Sequence[RoutineTask],
        graph: GapGraph,
        rules: Mapping[str, Rule],
        organizations: Sequence[Organization],
        freezes_stated: Set[str] = frozenset(),
        argued: Set[VerdictValue] = EVERY_VERDICT,
        reads_only: bool = False,
    ) -> None:
        super().__init__(tasks, organizations, freezes_stated, argued, reads_only)
        self._graph = graph
        self._rules = rules
        self._organizations = organizations

    def before(self, key: str) -> tuple[str, ...]:
        """Ids of the tasks and keys of the open findings that an instance comes after.

        :raises InterlockError: ``after`` names neither a routine task nor a rule.
        """
        task, view = self.instances[key]
        firsts = _union(self._resolve(name, view, task.id, frozenset()) for name in task.after)
        return tuple(first for first in firsts if first != key)

    def makes_possible(self) -> Iterator[tuple[str, str]]:
        """Key of a rule's finding and the instance that it comes after, which makes it possible there (``before``).

        What stands for a general task makes possible what that one does. A verdict's own tasks are left out.
        """
        for key, (task, view) in self.instances.items():
            stood_for = [self._by_id[general].before for general in task.replaces if general in self._by_id]
            names = dict.fromkeys(name for names in (task.before, *stood_for) for name in names)
            if task.verdict is not None:
                continue
            for name in (name for name in names if name in self._rules):  # a workspace may have a rule of ours off
                scope = self._rules[name].scope
                for narrower in self._views.narrowed(scope, view):
                    yield key_at(name, self._views.subject(scope, narrower)), key

    def _resolve(self, name: str, view: View, asked_by: str, passed: Set[str]) -> Iterator[str]:
        if name in self._rules:
            yield from self._dependencies.at(name, view)
            return
        if name not in self._by_id:
            raise InterlockError(
                f"the routine task {asked_by} comes after {name}, which is neither a routine task nor a rule",
                remedy="correct its after list",
            )
        if name in passed:
            return
        task = self._by_id[name]
        for narrower in self._views.narrowed(task.scope, view):
            yield from self._at(task, narrower, passed | {name})

    def _at(self, task: RoutineTask, view: View, passed: Set[str]) -> Iterator[str]:
        """The task's own instance, what replaces it, or what lies behind it, in one view."""
        linked = False
        for vendor in self._vendors_in(view):
            for other in self._replacements(task, vendor):
                linked = True
                yield from self._resolve(
                    other.id, view if view != PRODUCT_VIEW else (Scope.VENDOR, vendor), task.id, passed
                )
        key = key_at(task.id, self._views.subject(task.scope, view))
        if key in self.instances and (not linked or view == PRODUCT_VIEW):
            linked = True
            yield key
        if not linked:
            for name in task.after:
                yield from self._resolve(name, view, task.id, passed)

    def _vendors_in(self, view: View) -> tuple[str, ...]:
        scope, name = view
        if scope is Scope.PRODUCT:
            return tuple(self._views.orgs_of)
        return (name,) if scope is Scope.VENDOR else (self._views.vendor_of[name],)

    @cached_property
    def _dependencies(self) -> Dependencies:
        """Only needed when a routine task comes after a rule."""
        requirements = {node.key for node in self._graph.nodes if is_requirement(self._rules[node.rule])}
        return Dependencies(self._rules, self._organizations, requirements)


def with_stated_freezes(organizations: Sequence[Organization], freezes: Sequence[Freeze]) -> frozenset[str]:
    """The organisations whose change freezes are stated: all of them where one names no organisation."""
    if any(freeze.org is None for freeze in freezes):
        return frozenset(org.id for org in organizations)
    return frozenset(freeze.org for freeze in freezes if freeze.org)


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


def _union(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for group in groups for key in group))
