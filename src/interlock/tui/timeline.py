"""The plan over time: an axis of months, a bar a task, what is on the critical path; drawn for any number of cells.

Where the plan has dates a cell is some days of the calendar, else some working days from its start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from textual.content import Content

from interlock.model import words
from interlock.model.plan import Plan, PlanTask
from interlock.tui.page import ACCENT, DIM, FULL, PART, REST, TASK, Page, text
from interlock.tui.plan_page import CRITICAL, shorter
from interlock.tui.widgets.rows import Column, Row

_LATER, _TRACK = "$possible", "$track"
#: Cells between two labels of the axis, and steps between them in months and in working days.
_APART, _MONTHS, _DAYS = 10, (1, 2, 3, 6, 12, 24), (10, 20, 50, 100, 200, 500)


@dataclass(frozen=True)
class Scale:
    """What a row of cells stands for.

    :ivar start: the first day, where the plan has dates.
    :ivar length: days in all: of the calendar where it has, else working days.
    """

    start: date | None
    length: float

    @classmethod
    def of(cls, plan: Plan) -> Scale:
        """The scale on which every task that is left is to be seen whole."""
        if not plan.ground.dated or any(task.starts is None for task in plan.left):
            return cls(None, max((task.finish_p80 or task.finish_p50 for task in plan.left), default=0.0))
        start = date.fromisoformat(plan.start)
        last = (date.fromisoformat(task.latest or task.ends or plan.start) for task in plan.left)
        return cls(start, max(((day - start).days + 1 for day in last), default=0))

    def span(self, task: PlanTask) -> tuple[float, float, float]:
        """Where a task begins, ends at the median, and has ended in four of five runs, in days from the start."""
        if self.start is None:
            return task.start_p50, task.finish_p50, task.finish_p80 or task.finish_p50
        begins, ends = (self._days(day) for day in (task.starts, task.ends))
        return begins, ends + 1, max(ends, self._days(task.latest)) + 1

    def _days(self, day: str | None) -> float:
        return 0.0 if day is None or self.start is None else (date.fromisoformat(day) - self.start).days

    def axis(self, width: int) -> str:
        """Labels at their cells: months, or working days."""
        cells = [" "] * width
        for at, label in self._labels(width):
            cell = round(at / self.length * width) if self.length else 0
            if cell + len(label) + 1 <= width:
                cells[cell : cell + len(label) + 1] = f"│{label}"
        return "".join(cells)

    def _labels(self, width: int) -> Iterator[tuple[float, str]]:
        most = max(1, width // _APART)
        if self.start is None:
            step = next((step for step in _DAYS if self.length / step <= most), _DAYS[-1])
            yield from ((float(day), f"day {day}") for day in range(0, int(self.length) + 1, step))
            return
        months = self.length / 30.4
        step = next((step for step in _MONTHS if months / step <= most), _MONTHS[-1])
        month = date(self.start.year, self.start.month, 1)
        while (month - self.start).days < self.length:
            if month >= self.start and (month.year * 12 + month.month - 1) % step == 0:
                yield float((month - self.start).days), words.month(month)
            month = (month.replace(day=28) + timedelta(days=4)).replace(day=1)

    def bar(self, width: int, *, task: PlanTask, critical: bool) -> Content:
        """Solid on the critical path, shaded off it; light until four of five runs have ended it."""
        if self.length <= 0 or width <= 0:
            return Content.blank(max(0, width))
        begins, ends, late = (min(width, round(day / self.length * width)) for day in self.span(task))
        begins = min(begins, width - 1)
        ends = max(ends, begins + 1)
        late = max(late, ends)
        glyph, style = (FULL, ACCENT) if critical else (PART, _LATER)
        return Content.assemble(
            ("·" * begins, _TRACK),
            (glyph * (ends - begins), style),
            (REST * (late - ends), _LATER),
            ("·" * (width - late), _TRACK),
        )


def columns(scale: Scale, width: int) -> tuple[Column, ...]:
    """The task's title and its bar, by how wide the table is."""
    return (Column("", 1), Column("Task", max(24, min(60, width // 3))), Column(scale.axis, 30, grow=1))


def rows(plan: Plan, scale: Scale, names: Mapping[str, str], *, critical_only: bool = False) -> list[Row]:
    """A row a task that is left, by whose it is, in the order of their beginning; those of the product first."""
    groups: dict[str | None, list[PlanTask]] = {None: []}
    for task in sorted(plan.left, key=lambda task: (task.start_p50, task.finish_p50, task.id)):
        groups.setdefault(task.org, []).append(task)
    listed: list[Row] = []
    for org, tasks in groups.items():
        critical = sum(task.criticality >= CRITICAL for task in tasks)
        aside = f"{words.count(len(tasks), 'task')}, {critical} on the critical path"
        if critical_only:
            tasks = [task for task in tasks if task.criticality >= CRITICAL]
        if tasks:
            listed.append(Row(f"of:{org}", heading=names.get(org, org) if org else "Product and vendors", aside=aside))
        listed += [_row(task, scale) for task in tasks]
    return listed


def _row(task: PlanTask, scale: Scale) -> Row:
    critical = task.criticality >= CRITICAL
    sign = ("◆", ACCENT) if critical else (TASK[task.kind].glyph, TASK[task.kind].style)
    title = text(shorter(task.title), "bold" if critical else "")
    return Row(task.id, (text(*sign), title, partial(scale.bar, task=task, critical=critical)))


def draw_task(page: Page, task: PlanTask | None, plan: Plan) -> None:
    """The highlighted task in words: whose, from when to when, what it waits for, how often it decides the end."""
    if task is None:
        page.para("Nothing is left on the way there.", DIM)
        return
    page.line((shorter(task.title), "bold"), (f"  {task.id}", DIM))
    when = task.when or f"working days {task.start_p50:.0f} to {task.finish_p50:.0f}"
    page.line((f"{task.whose}  ", ACCENT), when)
    titles = {other.id: shorter(other.title) for other in plan.left}
    after = [titles[other] for other in task.after if other in titles]
    if after:
        page.line(("waits for  ", DIM), words.listed(after, 3))
    page.line((f"on the critical path in {words.share(task.criticality)} of the runs", DIM))


def draw_legend(page: Page) -> None:
    """What the bars mean."""
    page.line(
        ("◆ █", ACCENT), (" decides the end in half of the runs or more   ", DIM),
        (PART, _LATER), (" other work   ", DIM), (REST, _LATER), (" until four of five runs have ended it", DIM),
    )  # fmt: skip


def told_length(scale: Scale) -> str:
    """How long it is in all, for the title."""
    if scale.start is None:
        return f"{words.count(round(scale.length), 'working day')}; there is no date yet"
    return f"{words.day(scale.start)} to {words.day(scale.start + timedelta(days=int(scale.length)))}"
