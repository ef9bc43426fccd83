"""What stated days and change freezes do to the days that are told: nothing is told to begin before them.

The simulation draws how long a task takes, also where somebody has said by when it will be there, so in some of its
runs what follows begins before that day. Nobody plans on those runs. This changes what is told, and no run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from interlock.model import words
from interlock.model.forecast import OrgForecast, Quantiles
from interlock.model.organization import Freeze
from interlock.model.plan import Plan, PlanTask
from interlock.plan.calendar import Span, WorkingCalendar

#: From so many working days on it is told that stated days put an organisation later than the middle of the runs.
_TOLD = 5
_QUANTILES = ("p10", "p50", "p80", "p90")


def with_stated_days(
    plan: Plan,
    frozen: Collection[str],
    freezes: Sequence[Freeze],
    holidays: tuple[date, ...],
    names: Mapping[str, str],
) -> Plan:
    """The plan in which no task begins before the stated day of what it waits for, nor in a freeze that stops it.

    What begins later for that ends later by as much, less the freezes that it no longer meets; the day by which four of
    five runs have it done stays, unless it would come before that end. No organisation is told to be through before
    the first day on which the last of its tasks can then begin.

    Where those days put an organisation's last task well after the middle of the runs, a note says so.

    :param frozen: routine tasks that stand still in a change freeze, by their ids without the organisation.
    :param names: of organisations, by id.
    """
    calendar = WorkingCalendar(date.fromisoformat(plan.start), holidays)
    orgs = {task.org for task in plan.tasks}
    spans = {org: calendar.spans(each for each in freezes if each.org in {None, org}) for org in orgs}
    told = {task.id: task for task in plan.tasks}
    floors: dict[str, float] = {}  # task → working days that have to be over before it begins, by what is stated
    through: dict[str, float] = defaultdict(float)  # organisation → the latest of its tasks' floors
    for task in sorted(plan.left, key=lambda task: task.wave):
        if task.progress is not None and task.progress.begun is not None:
            continue
        waits = [told[name] for name in task.after if name in told and not told[name].is_done]
        stops = spans[task.org] if task.id.partition("@")[0] in frozen else ()
        stated = [_stated(first, calendar) for first in waits]
        floor = _thawed(max((*stated, *(floors.get(first.id, 0.0) for first in waits)), default=0.0), stops)
        moved = [first.finish_p50 for first in waits if first.id in floors]
        starts = _thawed(max(task.start_p50, floor, *moved), stops)
        if floor:
            floors[task.id] = floor
            if task.org is not None and task.chance is None:
                through[task.org] = max(through[task.org], floor)
        if starts > task.start_p50:
            told[task.id] = _moved(task, starts, stops)
    held = {own.org: own for own in plan.orgs}
    for org in held.keys() & through.keys():
        own = held[org]
        ends = {
            name: _not_before(finish, through[org], calendar)
            for name in ("finish", "if_no_gaps", "if_all_gaps")
            if (finish := getattr(own, name)) is not None
        }
        held[org] = own.model_copy(update=ends)
    last = max(through.values(), default=0.0)
    update = {
        name: _not_before(finish, last, calendar)
        for name in ("finish", "if_no_gaps", "if_all_gaps")
        if (finish := getattr(plan, name)) is not None
    }
    tasks = tuple(told[task.id] for task in plan.tasks)
    notes = (*plan.notes, *_later(tasks, tuple(held.values()), calendar, names))
    return plan.model_copy(update={"tasks": tasks, "orgs": tuple(held.values()), "notes": notes, **update})


def _later(
    tasks: Sequence[PlanTask], orgs: Sequence[OrgForecast], calendar: WorkingCalendar, names: Mapping[str, str]
) -> Iterator[str]:
    """Where the days told of tasks end later than half of the runs, because of what is stated."""
    told = []
    ends: dict[str | None, float] = {}  # of each organisation the end of its last task
    for task in tasks:
        if task.chance is None:
            ends[task.org] = max(ends.get(task.org, 0.0), task.finish_p50)
    for own in orgs:
        days = ends.get(own.org, 0.0) - own.finish.p50_days
        if days >= _TOLD:
            day = words.iso_day(calendar.date_of(ends[own.org]).isoformat())
            told.append(f"{names.get(own.org, own.org)} {day}, {words.days(round(days))} after half of the runs")
    if told:
        yield (
            "Stated days: each task is told to begin after the days that were stated for what it waits for; the runs "
            f"reckon with estimates alone. So the days of the tasks end later than the middle of the runs: {told[0]}"
            f"{''.join(f'; {each}' for each in told[1:])}. Quote no day before that."
        )


def _stated(task: PlanTask, calendar: WorkingCalendar) -> float:
    """Working days up to the end of the day that was stated for a task; 0 where none was, or it is over."""
    due = task.progress.due if task.progress is not None else None
    return max(0.0, calendar.days_through(date.fromisoformat(due))) if due else 0.0


def _thawed(day: float, spans: Sequence[Span]) -> float:
    """The same day, or the end of the freeze that it lies in."""
    for first, last in spans:
        if first <= day < last:
            return last
    return day


def _moved(task: PlanTask, starts: float, stops: Sequence[Span]) -> PlanTask:
    """A task that begins later than in the middle of the runs."""
    stood = sum(max(0.0, min(task.finish_p50, last) - max(task.start_p50, first)) for first, last in stops)
    ends = max(task.finish_p50, starts + max(0.0, task.finish_p50 - task.start_p50 - stood))
    late = None if task.finish_p80 is None else max(task.finish_p80, ends)
    queue = max(0.0, task.queue_days - (starts - task.start_p50))
    days = {"start_p50": starts, "finish_p50": ends, "finish_p80": late, "queue_days": queue}
    return task.model_copy(update={name: None if day is None else round(day, 1) for name, day in days.items()})


def _not_before(finish: Quantiles, floor: float, calendar: WorkingCalendar) -> Quantiles:
    """A finish of which no quantile comes before the first working day after so many."""
    first = calendar.date_of(floor + 1.0)
    update: dict[str, object] = {}
    for name in _QUANTILES:
        days, day = getattr(finish, f"{name}_days"), getattr(finish, f"{name}_date")
        if days is not None and day is not None and day < first.isoformat():
            update |= {f"{name}_days": floor + 1.0, f"{name}_date": first.isoformat()}
    return finish.model_copy(update=update)
