"""Who does each task, by when, and when it counts as accepted; and the tasks of the next weeks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from interlock.model import words
from interlock.model.base import Scope
from interlock.model.finding import Finding
from interlock.model.plan import Plan, PlanTask, finding_of
from interlock.model.questionnaire import Response
from interlock.model.rule import Rule
from interlock.plan.calendar import WorkingCalendar

#: Findings that one task names; the rest is counted.
_NAMED = 3
#: The id of a task that probes an organisation is this before the organisation's.
PROBE = "probe:"


def with_people(
    plan: Plan,
    findings: Sequence[Finding],
    rules: Mapping[str, Rule],
    responses: Mapping[str, Mapping[str, Response]],
    holidays: tuple[date, ...],
) -> Plan:
    """The plan whose tasks say who does them, by when, from which day on, and when they are accepted.

    A routine task's person and day are those of ``tasks.yaml``; those of a gap, an unknown or evidence are of whoever
    owes one of the answers that it reads.
    """
    by_key = {finding.key: finding for finding in findings}
    calendar = WorkingCalendar(date.fromisoformat(plan.start), holidays)

    def told(task: PlanTask) -> PlanTask:
        person, due = (task.progress.owner, task.progress.due) if task.progress else (None, None)
        finding = by_key.get(finding_of(task.id))
        about = [by_key[key] for key in task.about] if finding is None else [finding]
        if about and task.kind != "routine":
            person, due = _owed(about, responses)
        return task.model_copy(
            update={
                "person": person,
                "due": due,
                "starts": calendar.date_of(math.floor(task.start_p50) + 1).isoformat(),
                "accepted": _accepted(task, finding, rules),
            }
        )

    return plan.model_copy(update={"tasks": tuple(map(told, plan.tasks))})


def _owed(
    findings: Sequence[Finding], responses: Mapping[str, Mapping[str, Response]]
) -> tuple[str | None, str | None]:
    """Who owes an answer that the findings read, and by when: the first of them that is due."""
    owed = []
    for finding in findings:
        scopes = ("product", finding.subject.id) if finding.subject.scope is Scope.ORG else ("product",)
        read = [name.partition(".")[2] for name in finding.reads]  # value.auth.jwks, or what was probed
        for item in dict.fromkeys((*finding.missing_answers, *read)):
            for scope in scopes:
                response = responses.get(scope, {}).get(item)
                if response is not None and (response.assignee or response.due):
                    owed.append((response.due or "9999", response.assignee, response.due))
    _, person, due = min(owed, key=lambda entry: (entry[0], entry[1] or ""), default=("", None, None))
    return person, due


def _accepted(task: PlanTask, finding: Finding | None, rules: Mapping[str, Rule]) -> str:
    """What has to be so for the task to count as done."""
    rule = rules.get(finding.rule) if finding is not None else None
    if task.kind == "discovery":
        return "answered, or observed" if rule else "the probe has run"
    if task.kind == "evidence":
        return f"attached to the answers behind {words.listed(task.about, _NAMED)}"
    return "an answer or an observation closes it" if rule else "recorded as done"


def next_weeks(plan: Plan, days: int) -> tuple[tuple[date, tuple[PlanTask, ...]], ...]:
    """The tasks that start within so many calendar days at the median, by the Monday of their week, then by owner.

    What is done, and what only an unknown that turns out to be a gap would bring, is left out.
    """
    start = date.fromisoformat(plan.start)
    weeks: dict[date, list[PlanTask]] = {}
    for task in plan.left:
        if task.chance is None and task.starts is not None:
            day = date.fromisoformat(task.starts)
            if day <= start + timedelta(days=days):
                weeks.setdefault(day - timedelta(days=day.weekday()), []).append(task)
    order = list(type(plan.tasks[0].owner)) if plan.tasks else []
    return tuple(
        (week, tuple(sorted(tasks, key=lambda task: (order.index(task.owner), task.person or "", task.id))))
        for week, tasks in sorted(weeks.items())
    )


def alike(tasks: Sequence[PlanTask]) -> list[list[PlanTask]]:
    """The same work of the same person at several organisations together."""
    groups: dict[tuple[str, str], list[PlanTask]] = {}
    for task in tasks:
        work = finding_of(task.id).partition("@")[0]
        groups.setdefault(("probe" if work.startswith(PROBE) else work, task.whose), []).append(task)
    return list(groups.values())
