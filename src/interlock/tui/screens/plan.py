"""The plan: what comes first and why, when each organisation is through, and the tasks by wave."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import TaskState
from interlock.model.errors import InterlockError
from interlock.model.plan import Plan, PlanTask, finding_of
from interlock.model.text import plain
from interlock.tui import work as job
from interlock.tui.keys import bindings, key_of
from interlock.tui.page import ACCENT, DIM, TASK, TASK_STATE, line, span_bar, text
from interlock.tui.plan_page import (
    CRITICAL,
    Supposing,
    Suppositions,
    changes_of,
    choices,
    draw_chances,
    draw_dates,
    draw_first,
    draw_supposing,
    named,
    shorter,
    still_possible,
    summary,
    turned,
)
from interlock.tui.screens.section import AskText, Pick, Section
from interlock.tui.screens.timeline import TimelinePage
from interlock.tui.state import State
from interlock.tui.undo import Step, shortened
from interlock.tui.widgets.flow import ScrollingFlow
from interlock.tui.widgets.rows import Column, Row, Rows, first_rows

if TYPE_CHECKING:
    from interlock.usecases.load import Inputs
    from interlock.usecases.routine import Said
    from interlock.workspace.routine import TaskChange

_COLUMNS = (
    Column("Task", 40, grow=4),
    Column("Where", 12, leaves=1),
    Column("Owner", 12, leaves=3),
    Column("Starts", 6, leaves=6, right=True),
    Column("Ends", 6, leaves=2, right=True),
    Column("Critical", 8, leaves=5, right=True),
    Column("Median run", 14, grow=3, leaves=4),
)


class PlanSection(Section):
    """The section of the plan: what comes first, when it is done, and what-if."""

    MODE = "plan"
    ABOUT = (
        "The schedule is simulated many times over the estimates of every task. Until every organisation was observed "
        "and the verdict is to integrate, the dates are a range. First comes what argues for the verdict, then what "
        "saves most days of P80 for a person-day. Enter on a task opens the gap behind it. What if it were done? "
        "{plan.suppose} marks the highlighted task as if it were; {plan.what-if} offers the first things, leaving an "
        "organisation out, one more person, another way to launch, and simulating what is tested in a sandbox. The "
        "dates are shown before and after, with the same random numbers. A routine task has begun, or is done, when "
        "somebody says so: {plan.begin} and {plan.done} on it ask for the day and who says it. {plan.timeline} shows "
        "every task over time, with the critical path; {plan.chance} how likely it is by a day that you type."
    )
    INITIAL_FOCUS = "#first-things"
    PANELS = {
        "#dates": "When",
        "#first-things": "Do first",
        "#task-panel": "Tasks by wave",
    }
    BINDINGS = bindings("plan")

    def __init__(self) -> None:
        super().__init__()
        self._supposing = Supposing(())
        self._working = False
        self._only: str | None = None
        self._ahead = False
        self._chosen: str | None = None

    def body(self) -> ComposeResult:
        """First things and dates beside the tasks."""
        with Horizontal(classes="sides"):
            with Vertical(classes="side", id="first-and-when"):
                yield ScrollingFlow(id="dates", classes="panel")
                yield ScrollingFlow(id="first-things", classes="panel")
            tasks = Rows(_COLUMNS, id="tasks", empty="No task is left on the way to the target gate.")
            yield Vertical(tasks, classes="panel side -wider", id="task-panel")

    def show(self, old: State | None, new: State) -> None:
        """Draw a new plan."""
        assessment = new.assessment
        if assessment is None:
            self.query_one("#dates", ScrollingFlow).draw(lambda page: page.para("Working out the plan…", DIM))
            self.query_one("#tasks", Rows).set_rows([], empty="Working out the plan…")
            return
        fresh = old is None or old.assessment is not assessment
        if not fresh and old is not None and old.supposed == new.supposed:
            return
        if fresh:
            self.query_one("#first-things", ScrollingFlow).draw(
                lambda page: draw_first(page, assessment.plan, new.names), keep_position=old is not None
            )
        contract = new.inputs.contract if new.inputs is not None else None
        self._suppose(still_possible(new.supposed, assessment.plan, contract))

    def _show_dates(self, assessment: Assessment) -> None:
        panel, supposing = self.query_one("#dates", ScrollingFlow), self._supposing
        plan = assessment.plan
        self.set_class(bool(supposing.supposed), "-supposing")
        self.query_one("#task-panel").border_subtitle = text(
            summary(supposing)
            if supposing.supposed
            else f"start {words.iso_day(plan.start)}, {plan.runs:,} runs, seed {plan.seed}"
        )
        if supposing.supposed:
            panel.draw(
                lambda page: draw_supposing(page, assessment, supposing), "What if: before → after", keep_position=True
            )
        else:
            panel.draw(lambda page: draw_dates(page, assessment), "When", keep_position=True)

    def _show_tasks(self, plan: Plan) -> None:
        panel = self.query_one("#task-panel")
        where = f", {self.state.name_of(self._only)} only ({key_of('plan.clear')} lists all)" if self._only else ""
        panel.border_title = text(f"{'The next 90 days, by week' if self._ahead else 'Tasks by wave'}{where}")
        listing = _week_rows if self._ahead else _task_rows
        listed = listing(plan, self._only, named(self._supposing.supposed, "done"))
        rows = first_rows(listed, f"{key_of('plan.only')} lists those of one organisation")
        self.query_one("#tasks", Rows).set_rows(rows, empty="No task is left on the way there.")

    # -- what if --------------------------------------------------------------------------------------------------

    def _suppose(self, supposed: Suppositions) -> None:
        """Suppose this, and draw anew; the dates are worked out in a thread."""
        assessment = self.state.assessment
        if assessment is None:
            return
        self._supposing = Supposing(supposed)
        if supposed:
            self._work_out()
        self._show_dates(assessment)
        self._show_tasks(assessment.plan)

    @work(group="what-if", description="what-if")
    async def _work_out(self) -> None:
        """The dates of what is supposed, and again while something else is marked meanwhile, or the plan changes."""
        while not self._working and self._supposing.supposed and self._supposing.is_open:
            supposed, assessment, inputs = self._supposing.supposed, self.state.assessment, self.state.inputs
            if assessment is None or inputs is None:
                return
            self._working = True
            try:
                worked_out = Supposing(
                    supposed, await job.in_thread(job.supposed, inputs, assessment, changes_of(supposed))
                )
            except InterlockError as error:
                worked_out = Supposing(supposed, error=error)
            finally:
                self._working = False
            if self._supposing.supposed == supposed and self.state.assessment is assessment:
                self._supposing = worked_out
                self._show_dates(assessment)

    def action_suppose(self) -> None:
        """Suppose that the highlighted task is done, or no longer; away from the list, offer the suppositions."""
        rows = self.query_one("#tasks", Rows)
        if not rows.options.has_focus or rows.key is None:
            self.action_what_if()
        elif self.state.assessment is not None:
            self.interlock.suppose(turned(self._supposing.supposed, f"done:{rows.key}"))

    def action_what_if(self) -> None:
        """Choose what to suppose."""
        assessment = self.state.assessment
        if assessment is None:
            return
        contract = self.state.inputs.contract if self.state.inputs is not None else None
        offered = choices(assessment.plan, contract, self._supposing.supposed, self.state.names)
        if not offered:
            self.notify(assessment.plan.first_note or "There is nothing to suppose.", markup=False)
            return
        lines = [(key, line(("[x] " if taken else "[ ] ", ACCENT), label)) for key, label, taken in offered]

        def chosen(key: str) -> None:
            self._chosen = key
            self.interlock.suppose(turned(self._supposing.supposed, key))

        self.ask(Pick("What if?", lines, self._chosen), chosen)

    def action_chance(self) -> None:
        """Ask for a day, and show how likely everything is through by then."""
        from interlock.usecases.plan import planned_day

        inputs = self.state.inputs
        if inputs is not None and self.state.assessment is not None and self.state.assessment.plan.ground.dated:
            about = "A day, such as 2027-03-31. The plan is simulated again, with the same random numbers."
            self.ask(AskText("By which day?", about, check=planned_day), lambda typed: self._chance(planned_day(typed)))
        else:
            self.notify("There is no date yet: the plan says why.")

    @work(group="chance", exclusive=True, description="chance")
    async def _chance(self, day: date) -> None:
        panel, inputs, names = self.query_one("#dates", ScrollingFlow), self.state.inputs, self.state.names
        if inputs is not None:
            panel.border_title = text(f"By {words.day(day)}")
            show = lambda page, plan: draw_chances(page, plan, names)  # noqa: E731
            await panel.work_out("Simulating…", partial(job.chances, inputs, day), show)

    def action_clear(self) -> None:
        """Drop every supposition and list every task."""
        self._only = None
        self.interlock.suppose(())
        self._suppose(())

    def action_ahead(self) -> None:
        """The tasks of the next 90 days by week, or all by wave again."""
        self._ahead = not self._ahead
        if self.state.assessment is not None:
            self._show_tasks(self.state.assessment.plan)
            self.action_tasks()

    def action_timeline(self) -> None:
        """Every task over time, on a page of its own."""
        self.app.push_screen(TimelinePage())

    def action_only(self) -> None:
        """List one organisation's tasks, or all."""
        assessment = self.state.assessment
        if assessment is None:
            return
        options = [("", text("All", "bold")), *((org.id, text(org.name)) for org in assessment.organizations)]

        def chosen(key: str) -> None:
            self._only = key or None
            self._show_tasks((self.state.assessment or assessment).plan)
            self.action_tasks()

        self.ask(Pick("Whose tasks?", options, self._only or ""), chosen)

    # -- routine tasks --------------------------------------------------------------------------------------------

    def action_begin(self) -> None:
        """Ask since when the highlighted routine task has been under way, and who says so."""
        from interlock.usecases.routine import begin_tasks

        self._ask_day("On which day did it begin, and who says so?", begin_tasks)

    def action_done(self) -> None:
        """Ask on which day the highlighted routine task was done, and who says so."""
        from interlock.usecases.routine import finish_tasks

        self._ask_day("On which day was it done, and who says so?", finish_tasks)

    def _ask_day(self, question: str, change: Callable[[Inputs, Sequence[str], Said], list[TaskChange]]) -> None:
        from interlock.usecases.routine import Said, as_typed

        rows, inputs, by = self.query_one("#tasks", Rows), self.state.inputs, self.interlock.author
        task = self._planned(rows.key) if rows.options.has_focus and rows.key is not None else None
        if inputs is None:
            return
        if task is None or task.kind != "routine":
            self.notify(
                "This is no routine task: those begin and end by being said so. An answer closes a gap, and evidence "
                "with it what lacks evidence."
            )
            return
        try:
            change(inputs, [task.id], Said(by))
        except InterlockError as error:
            self.notify(plain(f"{error.message}; {error.remedy}", 400), severity="warning", markup=False)
            return

        def changes(typed: str) -> list[TaskChange]:
            return change(inputs, [task.id], as_typed(typed, by))

        today = date.today().isoformat()
        about = f"{task.title}. A day, and behind a comma a name."
        self.ask(
            AskText(question, about, value=f"{today}, {by}", check=changes), lambda typed: self._say(changes(typed))
        )

    @work(group="task", description="task")
    async def _say(self, changes: Sequence[TaskChange]) -> None:
        """Save how far a task has come; the plan is worked out anew."""
        try:
            await job.in_thread(self.interlock.workspace.save_tasks, changes)
        except InterlockError as error:
            self.notify(plain(error, 400), title="Not saved", severity="error", timeout=8, markup=False)
        else:
            planned = [task.title for task in map(self._planned, (change.task for change in changes)) if task]
            told = f"what was said of “{shortened(planned[0])}”" if planned else "what was said of a task"
            self.interlock.changed(Step(told, tasks=tuple(changes)))
        self.interlock.action_reload()

    def _planned(self, key: str) -> PlanTask | None:
        plan = self.state.assessment.plan if self.state.assessment is not None else None
        return next((task for task in plan.tasks if task.id == key), None) if plan is not None else None

    # -- going ----------------------------------------------------------------------------------------------------

    def action_tasks(self) -> None:
        """Into the list of tasks."""
        self.add_class("-reading")
        self.query_one("#tasks", Rows).options.focus()

    def action_first(self) -> None:
        """Back to the first things."""
        self.remove_class("-reading")
        self.query_one("#first-things").focus()

    @on(Rows.Chosen, "#tasks")
    def _open(self, event: Rows.Chosen) -> None:
        assessment = self.state.assessment
        if assessment is not None and assessment.graph.node(finding_of(event.key)) is not None:
            self.interlock.show_gap(finding_of(event.key))
        elif event.key.startswith("probe:"):
            self.interlock.action_go("probe")
        elif (task := self._planned(event.key)) is not None and task.kind == "evidence":
            self.notify(plain(f"Evidence: done when {task.accepted}.", 400), markup=False)
        else:
            told = task.progress.told if task is not None and task.progress is not None else "not begun"
            self.notify(f"Work that every integration has; no gap stands behind it. It is {told}.", markup=False)


def _task_rows(plan: Plan, only: str | None, done: Collection[str]) -> Iterator[Row]:
    longest = max((task.finish_p50 for task in plan.tasks), default=0.0)
    listed = [task for task in plan.tasks if only is None or task.org == only]
    ordered = sorted(listed, key=lambda task: (task.is_done, task.wave, task.start_p50, -task.criticality, task.id))
    finished = sum(task.is_done for task in ordered)
    last = None
    for at, task in enumerate(ordered):
        if task.is_done:
            if at == len(ordered) - finished:
                yield Row("done", heading="Done", aside=words.count(finished, "task"))
        elif task.wave != last:
            last = task.wave
            number = sum(other.wave == task.wave and not other.is_done for other in ordered)
            yield Row(f"wave:{task.wave}", heading=f"Wave {task.wave + 1}", aside=words.count(number, "task"))
        yield _task_row(task, longest, done=task.id in done)


def _week_rows(plan: Plan, only: str | None, done: Collection[str]) -> Iterator[Row]:
    """The next 90 days: under each task whose it is, by when, and when it is accepted."""
    from interlock.usecases.plan import next_weeks

    longest = max((task.finish_p50 for task in plan.left), default=0.0)
    for week, tasks in next_weeks(plan, 90):
        listed = [task for task in tasks if only is None or task.org == only]
        if listed:
            aside = words.count(len(listed), "task")
            yield Row(f"week:{week}", heading=f"Week of {words.day(week)}", aside=aside)
        for task in listed:
            below = line((f"{task.whose}, {task.by_said}  ", ACCENT), (f"done when {task.accepted}", DIM))
            yield replace(_task_row(task, longest, done=task.id in done), below=below)


def _task_row(task: PlanTask, longest: float, *, done: bool) -> Row:
    critical = task.criticality >= CRITICAL
    sign = TASK[task.kind]
    state = TASK_STATE[task.progress.status] if task.progress is not None else None
    if state is not None and state is not TASK_STATE[TaskState.NOT_BEGUN]:
        sign = state
    glyph = ("× ", f"bold {ACCENT}") if done else (f"{sign.glyph} ", sign.style)
    said = "as if done: " if done else f"{sign.word}: " if sign is state else ""
    return Row(
        task.id,
        (
            line(glyph, (said, ACCENT if done else sign.style), (shorter(task.title), "bold" if critical else "")),
            text(task.org or "product", DIM),
            text((task.progress and task.progress.owner) or words.OWNER[task.owner].title, DIM),
            text(f"{task.start_p50:.0f}"),
            text(f"{task.finish_p50:.0f}"),
            text(words.share(task.criticality), "" if critical else DIM),
            partial(span_bar, task.start_p50, task.finish_p50, longest, critical=critical),
        ),
    )
