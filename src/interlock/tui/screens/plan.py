"""The plan: what comes first and why, when each organisation is through, and the tasks by wave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from interlock.model.assessment import Assessment, Plan, PlanTask
from interlock.tui.bars import quantile_bar, span_bar
from interlock.tui.page import Page, line, text
from interlock.tui.screens.section import Section
from interlock.tui.state import State
from interlock.tui.widgets.flow import ScrollingFlow
from interlock.tui.widgets.rows import Column, Row, Rows
from interlock.tui.words import ACCENT, DIM, OWNER, PRIMARY, WARN, counted, shorter

_COLUMNS = (
    Column("Task", 40, grow=4),
    Column("Where", 12, leaves=4),
    Column("Owner", 7, leaves=3),
    Column("Starts", 6, leaves=5, right=True),
    Column("Ends", 6, leaves=2, right=True),
    Column("Critical", 8, leaves=6, right=True),
    Column("Median run", 14, grow=3, leaves=1),
)
#: A task in at least this share of runs on the critical path is drawn solid.
_CRITICAL = 0.5
#: Unknowns, drivers and behaviours that are listed.
_SHOWN = 5


class PlanSection(Section):
    """What comes first, and when it is done."""

    MODE = "plan"
    TITLE = "Plan"
    ABOUT = (
        "The schedule is simulated many times over the estimates of every task. P50 is a target, P80 a commitment. "
        "The first things are ranked by the days of P80 that one person-day saves. Dates rest on estimates, and most "
        "lead times of others are judgement: the share is printed. Enter on a task opens the gap behind it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "tasks", "Tasks", tooltip="Go to the list of tasks"),
        Binding("f", "first", "First things", tooltip="Go to the things to do first"),
        Binding("escape", "first", "Back", show=False),
    ]

    def body(self) -> Iterable[Widget]:
        """First things and dates beside the tasks."""
        with Horizontal(classes="sides"):
            with Vertical(classes="side", id="first-and-when"):
                yield ScrollingFlow(id="dates", classes="panel")
                yield ScrollingFlow(id="first-things", classes="panel")
            with Vertical(classes="panel side -wider", id="task-panel"):
                yield Rows(_COLUMNS, id="tasks", empty="No task is left on the way to the target gate.")

    def on_mount(self) -> None:
        """Titles of the panels."""
        self.query_one("#dates").border_title = "When"
        self.query_one("#first-things").border_title = "Do first"
        self.query_one("#task-panel").border_title = "Tasks by wave"

    def first(self) -> Widget:
        """What has the focus when the section opens."""
        return self.query_one("#first-things")

    def show(self, old: State | None, new: State) -> None:
        """Draw a new plan."""
        assessment = new.assessment
        if assessment is None:
            self.query_one("#dates", ScrollingFlow).draw(lambda page: page.para("Working out the plan…", DIM))
            self.query_one("#tasks", Rows).set_rows([], empty="Working out the plan…")
            return
        if old is not None and old.assessment is assessment:
            return
        self.query_one("#dates", ScrollingFlow).draw(lambda page: _draw_dates(page, assessment), keep_place=True)
        self.query_one("#first-things", ScrollingFlow).draw(lambda page: _draw_first(page, assessment.plan))
        plan = assessment.plan
        panel = self.query_one("#task-panel")
        panel.border_subtitle = text(f"start {plan.start}, {plan.runs:,} runs, seed {plan.seed}")
        self.query_one("#tasks", Rows).set_rows(list(_task_rows(plan)), empty="No task is left on the way there.")

    def action_tasks(self) -> None:
        """Into the list of tasks."""
        self.add_class("-reading")
        self.query_one("#tasks", Rows).take_focus()

    def action_first(self) -> None:
        """Back to the first things."""
        self.remove_class("-reading")
        self.query_one("#first-things").focus()

    @on(Rows.Chosen, "#tasks")
    def _open(self, event: Rows.Chosen) -> None:
        assessment = self.state.assessment
        if assessment is not None and assessment.graph.node(event.key) is not None:
            self.interlock.show_gap(event.key)
        else:
            self.notify("Work that every integration has; no gap stands behind it.", markup=False)


def _draw_first(page: Page, plan: Plan) -> None:
    if not plan.first:
        page.para("Nothing is open on the way to the target gate.", DIM)
    for number, thing in enumerate(plan.first, 1):
        page.blank()
        page.bullet(text(f"{number}", ACCENT), (shorter(thing.title), "bold"), (f"  {thing.key}", DIM))
        page.bullet(
            " ",
            (f"{thing.p80_days_saved_per_person_day:.1f}", "bold"),
            (" P80 days saved a person-day, ", DIM),
            (f"{thing.unlocks}", "bold"),
            (" unlocked, ", DIM),
            (f"{thing.criticality:.0%}", "bold"),
            (" critical", DIM),
        )
        page.bullet(" ", (f"{OWNER[thing.owner]}: ", ACCENT), thing.action)
        page.bullet(" ", (thing.because, DIM))
    if len(plan.first) > 1 and plan.first[-1].together_days > 0:
        last = plan.first[-1]
        page.blank()
        page.para(
            f"All of these together: {last.together_days:.0f} days off, through by {last.together_p80_date} (P80)."
        )
    _draw_unknowns(page, plan)
    _draw_drivers(page, plan)
    _draw_sandbox(page, plan)


def _draw_unknowns(page: Page, plan: Plan) -> None:
    things = [thing for thing in plan.unknowns if thing.p80_days or thing.score_points][:_SHOWN]
    if things:
        page.heading("Find out first", "what narrows dates and score most")
    for thing in things:
        page.bullet(text("?", WARN), (shorter(thing.title), "bold"), (f"  {thing.key}", DIM))
        page.bullet(" ", (thing.because, DIM))


def _draw_drivers(page: Page, plan: Plan) -> None:
    drivers = plan.drivers[:_SHOWN]
    if not drivers:
        return
    page.heading("What drives the P80", "days, best to worst fifth of runs")
    rows = []
    for driver in drivers:
        name = f"all at {driver.org or driver.id}" if driver.what == "party" else driver.id
        rows.append(
            (
                text(f"{driver.p80_if_well:.0f}", DIM),
                text(f"{driver.p80_if_badly:.0f}", "bold"),
                line(name, (f"  {shorter(driver.title)}" if driver.what == "task" else "", DIM)),
            )
        )
    page.columns(rows)


def _draw_sandbox(page: Page, plan: Plan) -> None:
    cost = plan.sandbox
    if cost is None or not cost.orgs:
        return
    page.heading("Shared sandboxes", f"{cost.p80_days:.0f} days of the P80")
    for behaviour in cost.behaviours[:_SHOWN]:
        saved = f"  simulated, it would save {behaviour.p80_days_saved:.0f} days"
        page.bullet(text("·", DIM), behaviour.behaviour, (saved, DIM))


def _draw_dates(page: Page, assessment: Assessment) -> None:
    plan = assessment.plan
    page.line((f"past the {plan.target_gate.value} gate", DIM), ("   █ to P50  ▒ to P80  ░ to P90", DIM))
    names = {org.id: org.name for org in assessment.organizations}
    longest = max([plan.finish.p90_days, *(forecast.finish.p90_days for forecast in plan.orgs)], default=0)
    entries = [(names.get(forecast.org, forecast.org), forecast.finish) for forecast in plan.orgs]
    for name, finish in (*entries, ("All of them", plan.finish)):
        page.blank()
        page.line((name, "bold"), (f"   {finish.p50_days:.0f}, {finish.p80_days:.0f}, {finish.p90_days:.0f} days", DIM))
        page.add(quantile_bar(finish, longest, page.width - 1))
        page.line(
            ("P50 ", DIM),
            finish.p50_date,
            ("   P80 ", DIM),
            (finish.p80_date, f"bold {PRIMARY}"),
            ("   P90 ", DIM),
            finish.p90_date,
        )
    page.blank()
    likely = f"{plan.most_likely_days:.0f} working days, kept with a chance of {plan.probability_of_most_likely:.0%}"
    page.field("Likeliest", likely, style=DIM, label_width=9)
    shares = ", ".join(f"{grade.value} {part:.0%}" for grade, part in plan.grades.items() if part)
    style = WARN if plan.judgement_share > _CRITICAL else DIM
    words = line((f"{plan.judgement_share:.0%} judgement", style), (f" of the critical path ({shares})", DIM))
    page.field("Rests on", words, label_width=9)
    for note in plan.notes:
        page.bullet(text("·", DIM), (note, DIM))


def _task_rows(plan: Plan) -> Iterator[Row]:
    longest = max((task.finish_p50 for task in plan.tasks), default=0.0)
    ordered = sorted(plan.tasks, key=lambda task: (task.wave, task.start_p50, -task.criticality, task.id))
    last = None
    for task in ordered:
        if task.wave != last:
            last = task.wave
            number = sum(other.wave == task.wave for other in ordered)
            yield Row(f"wave:{task.wave}", heading=f"Wave {task.wave + 1}", aside=counted(number, "task"))
        yield _task_row(task, longest)


def _task_row(task: PlanTask, longest: float) -> Row:
    critical = task.criticality >= _CRITICAL
    glyph = {"gap": ("■ ", PRIMARY), "discovery": ("? ", WARN), "standing": ("· ", DIM)}[task.kind]
    return Row(
        task.id,
        (
            line(glyph, (shorter(task.title), "bold" if critical else "")),
            text(task.org or "product", DIM),
            text(task.owner.value, DIM),
            text(f"{task.start_p50:.0f}"),
            text(f"{task.finish_p50:.0f}"),
            text(f"{task.criticality:.0%}", "" if critical else DIM),
            partial(span_bar, task.start_p50, task.finish_p50, longest, critical=critical),
        ),
    )
