"""What of a ruleset waits for what: names that do not exist, and circles, each with file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from interlock.documents.names import did_you_mean, find_circle
from interlock.model.errors import DocumentError, Location
from interlock.model.postponed import waiting
from interlock.model.rule import RoutineTask, Rule


class _Locate(Protocol):
    """Where a field of a rule stands."""

    def __call__(self, rule_id: str, *path: str | int) -> Location: ...


def order_problems(
    rules: Mapping[str, Rule],
    tasks: Mapping[str, RoutineTask],
    location: _Locate,
    task_locations: Mapping[str, Callable[[], Location]],
) -> list[DocumentError]:
    """Everything that is wrong with the order of rules and routine tasks.

    Whether what settles a verdict waits for what that verdict postpones is asked when nothing else is wrong.
    """
    problems = [*_of_rules(rules, location), *_of_tasks(rules, tasks, task_locations)]
    return problems or list(_of_verdicts(rules, tasks, location, task_locations))


def _of_rules(rules: Mapping[str, Rule], location: _Locate) -> Iterator[DocumentError]:
    for rule in rules.values():
        for index, needed in enumerate(rule.depends_on):
            if needed not in rules:
                yield DocumentError(
                    f"{rule.id}: depends_on names {needed!r}, which is no rule{did_you_mean(needed, rules)}",
                    location=location(rule.id, "depends_on", index),
                )
    circle = find_circle({rule.id: rule.depends_on for rule in rules.values()})
    if circle:
        yield DocumentError(
            f"the dependencies form a circle: {' → '.join(circle)}", location=location(circle[0], "depends_on")
        )


def _of_tasks(
    rules: Mapping[str, Rule], tasks: Mapping[str, RoutineTask], locations: Mapping[str, Callable[[], Location]]
) -> Iterator[DocumentError]:
    both = {*tasks, *rules}
    for task in tasks.values():
        named = (
            ("after", task.after, both),
            ("replaces", task.replaces, set(tasks)),
            ("before", task.before, set(rules)),
            ("closes", task.closes, set(rules)),
        )
        for key, names, known in named:
            for name in names:
                if name not in known:
                    yield DocumentError(
                        f"{task.id}: {key} names {name!r}, which does not exist{did_you_mean(name, known)}",
                        location=locations[task.id](),
                    )
    circle = find_circle({task.id: task.after for task in tasks.values()})
    if circle:
        yield DocumentError(f"the tasks form a circle: {' → '.join(circle)}", location=locations[circle[0]]())


def _of_verdicts(
    rules: Mapping[str, Rule],
    tasks: Mapping[str, RoutineTask],
    location: _Locate,
    task_locations: Mapping[str, Callable[[], Location]],
) -> Iterator[DocumentError]:
    circle = find_circle(waiting(rules, tasks))
    if circle:
        where = [task_locations[name]() for name in circle if name in task_locations]
        where += [location(name, "depends_on") for name in circle if name in rules]
        yield DocumentError(
            f"what settles a verdict waits for what that verdict postpones: {' → '.join(circle)}",
            location=where[0],
            remedy="correct after, before, postponed_by or depends_on of one of these",
        )
