"""Routine tasks: what the ruleset says every integration has, once for the product, each vendor or each organisation.

A task that names ``vendors`` exists only for those. A task that ``replaces`` a general one stands for it at its own
vendors: the general one is not planned there, and whatever comes after the general one comes after the replacement.
A task that a met rule shows to be done (``done_when``) is not planned. A task that is not planned for a subject is
transparent: what lay behind it is linked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cached_property

from interlock.model.base import Scope
from interlock.model.errors import InterlockError
from interlock.model.finding import is_requirement
from interlock.model.gap_graph import GapGraph
from interlock.model.organization import Organization
from interlock.model.rule import RoutineTask, Rule
from interlock.plan.dependencies import PRODUCT_VIEW, Dependencies, View, Views, key_at


class RoutineTasks:
    """The routine tasks to plan for one fleet, and what each of them comes after.

    :param met: keys of the findings that are met.
    :param freezes_stated: organisations whose change freezes are known, for tasks that only stand for unknown ones.
    :ivar instances: the tasks to plan, by instance id, each with the subject that it stands for.
    :ivar done: ids of the instances that are done.
    """

    def __init__(
        self,
        tasks: Sequence[RoutineTask],
        graph: GapGraph,
        rules: Mapping[str, Rule],
        organizations: Sequence[Organization],
        met: Set[str],
        freezes_stated: Set[str] = frozenset(),
    ) -> None:
        self._by_id = {task.id: task for task in tasks}
        self._graph = graph
        self._rules = rules
        self._organizations = organizations
        self._views = Views(organizations)
        self._replaced_by: dict[str, list[RoutineTask]] = {}
        for task in tasks:
            for general in task.replaces:
                if general != task.id:
                    self._replaced_by.setdefault(general, []).append(task)
        self._met = met
        everything = {
            key_at(task.id, view): (task, view)
            for task in tasks
            for view in self._views_of(task)
            if not (task.unless == "freezes_stated" and view[1] in freezes_stated)
        }
        self.done = frozenset(key for key, (task, view) in everything.items() if self._is_done(task, view))
        self.instances: dict[str, tuple[RoutineTask, View]] = {
            key: instance for key, instance in everything.items() if key not in self.done
        }

    def before(self, key: str) -> tuple[str, ...]:
        """Ids of the tasks and keys of the open findings that an instance comes after.

        :raises InterlockError: ``after`` names neither a routine task nor a rule.
        """
        task, view = self.instances[key]
        firsts: dict[str, None] = {}
        for name in task.after:
            firsts.update(dict.fromkeys(self._resolve(name, view, task.id, frozenset())))
        return tuple(first for first in firsts if first != key)

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
        if task.scope is Scope.PRODUCT:
            if any(self._stands_for(task, vendor) for vendor in self._views.orgs_of) or not (
                self._views.orgs_of or task.vendors
            ):
                yield PRODUCT_VIEW
            return
        for vendor, orgs in self._views.orgs_of.items():
            if self._stands_for(task, vendor):
                yield from (
                    [(Scope.VENDOR, vendor)] if task.scope is Scope.VENDOR else [(Scope.ORG, org) for org in orgs]
                )

    def _is_done(self, task: RoutineTask, view: View) -> bool:
        """True when a rule of ``done_when`` is met in this view; in a wider one, for one of its organisations."""
        return any(
            key_at(name, self._views.subject(self._rules[name].scope, narrower)) in self._met
            for name in task.done_when
            if name in self._rules
            for narrower in self._views.narrowed(self._rules[name].scope, view)
        )

    def _meant_for(self, task: RoutineTask, vendor: str) -> bool:
        return not task.vendors or vendor in task.vendors

    def _stands_for(self, task: RoutineTask, vendor: str) -> bool:
        return self._meant_for(task, vendor) and not self._replacements(task, vendor)

    def _replacements(self, task: RoutineTask, vendor: str) -> list[RoutineTask]:
        return [other for other in self._replaced_by.get(task.id, ()) if self._meant_for(other, vendor)]

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
