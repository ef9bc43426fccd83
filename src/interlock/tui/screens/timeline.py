"""The plan over time, a page of its own: every task's bar at the width that the terminal has, and the one in words."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from interlock.model.plan import finding_of
from interlock.tui.keys import bindings, key_of
from interlock.tui.page import text
from interlock.tui.screens.section import Section
from interlock.tui.state import State
from interlock.tui.timeline import Scale, columns, draw_legend, draw_task, rows, told_length
from interlock.tui.widgets.flow import Flow
from interlock.tui.widgets.rows import Column, Rows, first_rows


class TimelinePage(Section):
    """The page of the plan over time, on top of the section of the plan."""

    TITLE = "Timeline"
    ABOUT = (
        "Every task that is left, over time: a bar from its median begin to its median end, then lighter to the day "
        "by which four of five runs have ended it. A diamond and a solid bar are on the critical path in at least "
        "half of the runs; {timeline.critical} lists these alone. Below is the highlighted task in words; Enter opens "
        "the gap behind it."
    )
    INITIAL_FOCUS = "#timeline Options"
    PANELS = {"#timeline-panel": "Timeline"}
    BINDINGS = bindings("timeline")

    def __init__(self) -> None:
        super().__init__()
        self._critical_only = False

    def body(self) -> ComposeResult:
        """The bars above the highlighted task in words."""
        with Vertical():
            with Vertical(classes="panel", id="timeline-panel"):
                yield Rows((Column("Task", 24),), id="timeline", empty="Working out the plan…")
                yield Flow(draw_legend, id="timeline-legend")
            yield Flow(id="timeline-task")

    def show(self, old: State | None, new: State) -> None:
        """Draw a new plan."""
        if new.assessment is None or (old is not None and old.assessment is new.assessment):
            return
        plan, table = new.assessment.plan, self.query_one("#timeline", Rows)
        scale = Scale.of(plan)
        self.query_one("#timeline-panel").border_subtitle = text(told_length(scale))
        table.set_rows(
            first_rows(
                rows(plan, scale, new.names, critical_only=self._critical_only),
                f"{key_of('timeline.critical')} lists the critical path alone",
            ),
            empty="No task is left on the way there.",
            columns=columns(scale, self.app.size.width),
        )
        self._tell()

    def on_resize(self) -> None:
        """Other widths, where there is other room."""
        if self.state.assessment is not None:
            self.show(None, self.state)

    @on(Rows.Moved)
    def _tell(self) -> None:
        key, assessment = self.query_one("#timeline", Rows).key, self.state.assessment
        if assessment is not None:
            plan = assessment.plan
            task = next((task for task in plan.left if task.id == key), None)
            self.query_one("#timeline-task", Flow).draw(lambda page: draw_task(page, task, plan))

    @on(Rows.Chosen)
    def _open(self, event: Rows.Chosen) -> None:
        assessment = self.state.assessment
        if assessment is not None and assessment.graph.node(finding_of(event.key)) is not None and self.is_current:
            self.app.pop_screen()
            self.interlock.show_gap(finding_of(event.key))

    def action_critical(self) -> None:
        """List the critical path alone, or everything again."""
        self._critical_only = not self._critical_only
        if self.state.assessment is not None:
            self.show(None, self.state)

    def action_back(self) -> None:
        """Back to the plan; pressed twice, the second time does nothing."""
        if self.is_current:
            self.app.pop_screen()
