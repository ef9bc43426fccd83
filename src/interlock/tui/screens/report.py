"""Exporting the report; freezing milestones and comparing with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from interlock.model import words
from interlock.tui import messages as tell
from interlock.tui import work as job
from interlock.tui.diff_page import draw_burn_down, draw_diff
from interlock.tui.page import Page, text
from interlock.tui.screens.dialogs import Pick
from interlock.tui.screens.section import Section
from interlock.tui.state import State
from interlock.tui.styles import ACCENT, DIM, OK, WARN
from interlock.tui.widgets.fields import Field
from interlock.tui.widgets.flow import ScrollingFlow
from interlock.tui.widgets.problem import draw_problem
from interlock.tui.widgets.rows import Column, Row, Rows
from interlock.tui.widgets.switches import Tick

if TYPE_CHECKING:
    from interlock.model.assessment import Assessment
    from interlock.usecases.load import Inputs
    from interlock.usecases.report import Format

#: Format, what it is good for, and whether it is chosen unless somebody says otherwise.
_FORMATS: tuple[tuple[Format, str, bool], ...] = (
    ("md", "Markdown, for a pull request", True),
    ("html", "HTML, one file", True),
    ("pdf", "PDF, to send", True),
    ("json", "JSON, for programs", True),
    ("xlsx", "Workbook, for spreadsheets", False),
    ("sarif", "SARIF, for code scanning", False),
)
_COLUMNS = (Column("#", 2, right=True), Column("Milestone", 16, grow=1), Column("Saved", 22, leaves=1))


def _newest(state: State, inputs: Inputs) -> Assessment:
    """The assessment of the newest answers, even if the plan on the screen has not caught up with them."""
    return state.assessment if state.assessment is not None and state.up_to_date else job.assessed(inputs)


class ReportSection(Section):
    """The section that writes the report and keeps milestones to compare with."""

    MODE = "report"
    LETTER = "r"
    TITLE = "Report"
    PURPOSE = "Export the report; milestones"
    ABOUT = (
        "Choose formats and a folder, then export. A milestone freezes the assessment as it is now, so that a later "
        "one can be compared with it: Enter on a milestone shows what has moved since, what was opened again and why "
        "dates moved. b shows all milestones in one table: how the score's interval narrowed and what is still open."
    )
    INITIAL_FOCUS = "#export"
    PANELS: ClassVar[Mapping[str, str]] = {
        "#export-form": "Report",
        "#milestone-form": "Milestones",
        "#outcome": "Result",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "export", "Export", tooltip="Write the report in the chosen formats"),
        Binding("k", "contract", "Skeletons", tooltip="Write the contract's skeletons: statement, scopes, settings"),
        Binding("m", "milestone", "Milestone", tooltip="Freeze the assessment as it is now"),
        Binding("b", "burn_down", "Burn-down", tooltip="How score, gaps and dates moved from milestone to milestone"),
        Binding("d", "download", "Download", tooltip="Hand a file that was written to the browser"),
        Binding("escape", "leave", "Leave the field", tooltip="Out of a field, to the buttons"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._written: tuple[Path, ...] = ()

    def body(self) -> Iterable[Widget]:
        """Two forms on the left and their result on the right; below each other where it is narrow."""
        with Container(id="report-grid"):
            yield from self._export_form()
            yield ScrollingFlow(
                lambda page: page.para("The files that were written are listed here.", DIM),
                id="outcome",
                classes="panel",
            )
            yield from self._milestone_form()

    def _export_form(self) -> ComposeResult:
        with Vertical(classes="panel", id="export-form"):
            for name, label, chosen in _FORMATS:
                yield Tick(label, chosen, id=f"format-{name}")
            with Horizontal(classes="field"):
                yield Static("Folder", classes="label", markup=False)
                yield Field(str(self.interlock.workspace.root / "reports"), id="folder", compact=True)
            with Horizontal(classes="buttons"):
                yield Button("Export", id="export", variant="primary", compact=True)
                yield Button("Contract skeletons", id="skeletons", compact=True)
            yield Static("", id="export-step", markup=False)

    def _milestone_form(self) -> ComposeResult:
        with Vertical(classes="panel", id="milestone-form"):
            with Horizontal(classes="field"):
                yield Static("Name", classes="label", markup=False)
                yield Field(placeholder="before-pilot", id="milestone-name", compact=True)
            with Horizontal(classes="buttons"):
                yield Button("Save milestone", id="save-milestone", compact=True)
            yield Rows(_COLUMNS, id="milestones", empty="No milestone yet.")

    def show(self, old: State | None, new: State) -> None:
        """Milestones once; exporting waits for an assessment that is up to date."""
        ready = new.assessment is not None
        self.query_one("#export", Button).disabled = not ready
        self.query_one("#skeletons", Button).disabled = new.inputs is None or new.inputs.contract is None
        self.query_one("#save-milestone", Button).disabled = not ready
        if old is None or old.inputs is not new.inputs:
            self._show_milestones()

    def on_screen_resume(self) -> None:
        """Milestones may have been added meanwhile."""
        if self.is_mounted:
            self._show_milestones()

    def _show_milestones(self) -> None:
        from interlock.usecases.milestone import milestones

        if self.state.inputs is None:
            return
        self.query_one("#milestones", Rows).set_rows(
            [
                Row(
                    entry.path.stem,
                    (text(entry.number, DIM), text(entry.name, "bold"), text(words.moment(entry.saved), DIM)),
                )
                for entry in reversed(milestones(self.interlock.workspace))
            ]
        )

    def _outcome(self) -> ScrollingFlow:
        return self.query_one("#outcome", ScrollingFlow)

    # -- the report -----------------------------------------------------------------------------------------------

    def _folder(self) -> Path:
        typed = self.query_one("#folder", Field).given
        return (self.interlock.workspace.root / Path(typed or "reports").expanduser()).absolute()

    @on(Button.Pressed, "#export")
    @on(Input.Submitted, "#folder")
    def action_export(self) -> None:
        """Write the report in the chosen formats."""
        state = self.state
        formats = tuple(name for name, _, _ in _FORMATS if self.query_one(f"#format-{name}", Tick).value)
        if state.assessment is None or state.inputs is None:
            self.notify("The assessment is still being worked out.", markup=False)
        elif not formats:
            self.notify("Choose at least one format.", severity="warning", markup=False)
        else:
            self._say("… starting")
            self._export(state, state.inputs, self._folder(), formats)

    @work(thread=True, group="export", exclusive=True, description="export")
    def _export(self, state: State, inputs: Inputs, folder: Path, formats: tuple[Format, ...]) -> None:
        def exported() -> tell.Exported:
            assessment, out = _newest(state, inputs), self.interlock.workspace.output(folder)
            return tell.Exported(
                *job.export(assessment, inputs, out, formats, lambda name: self.post_message(tell.ExportStep(name)))
            )

        self.post_message(job.message_of(exported, lambda error: tell.Exported(error=error)))

    def _say(self, step: str) -> None:
        self.query_one("#export-step", Static).update(text(step, ACCENT))

    @on(tell.ExportStep)
    def _step(self, message: tell.ExportStep) -> None:
        self._say(f"… making {message.name}")

    @on(tell.Exported)
    def _exported(self, message: tell.Exported) -> None:
        self._say("")
        self._written = message.written
        self.refresh_bindings()

        def drawing(page: Page) -> None:
            if message.error is not None:
                draw_problem(page, message.error)
            if message.written:
                page.heading("Written")
            for path in message.written:
                page.bullet(text("✓", OK), str(path))
            if message.written and self.app.is_web:
                page.para("They are where Interlock runs; d downloads one of them to where the browser runs.", DIM)
            if message.skipped:
                page.heading("Left out")
            for name, error in message.skipped:
                page.bullet(text("–", WARN), (f"{name}: ", "bold"), error.message)
                if error.remedy:
                    page.bullet(" ", ("do  ", DIM), error.remedy)

        self._outcome().border_title = "Files"
        self._outcome().draw(drawing)
        self._outcome().focus(scroll_visible=False)
        self.call_after_refresh(self._outcome().scroll_visible, animate=False)

    def action_download(self) -> None:
        """Choose one of the files that were written, for the browser to save."""

        def chosen(index: str | None) -> None:
            if index is not None:
                self.app.deliver_binary(self._written[int(index)])

        choices = [(str(index), text(path.name)) for index, path in enumerate(self._written)]
        self.app.push_screen(Pick("Download", choices), chosen)

    @on(Button.Pressed, "#skeletons")
    def action_contract(self) -> None:
        """Write the contract's skeletons."""
        if self.state.inputs is None or self.state.inputs.contract is None:
            self.notify("There is no contract.yaml to make skeletons of.", severity="warning", markup=False)
            return
        self._say("… making the skeletons")
        self._skeletons(self.state.inputs, self._folder() / "contract")

    @work(thread=True, group="export", exclusive=True, description="export")
    def _skeletons(self, inputs: Inputs, folder: Path) -> None:
        from interlock.usecases.contract import export_contract

        def exported() -> tell.Exported:
            return tell.Exported(export_contract(inputs, self.interlock.workspace.output(folder), today=date.today()))

        self.post_message(job.message_of(exported, lambda error: tell.Exported(error=error)))

    # -- milestones -----------------------------------------------------------------------------------------------

    def action_milestone(self) -> None:
        """Into the name of a new milestone."""
        self.query_one("#milestone-name").focus()

    @on(Button.Pressed, "#save-milestone")
    @on(Input.Submitted, "#milestone-name")
    def _save_milestone(self) -> None:
        field = self.query_one("#milestone-name", Field)
        name = field.given
        if not name:
            self.notify("Give the milestone a name.", severity="warning", markup=False)
            field.focus()
        elif self.state.assessment is None or not self.state.up_to_date:
            self.notify("The assessment is being brought up to date; try again in a moment.", markup=False)
        else:
            self._freeze(self.state.assessment, name)

    @work(thread=True, group="milestone", exclusive=True, description="milestone")
    def _freeze(self, assessment: Assessment, name: str) -> None:
        from interlock.usecases.milestone import save_milestone

        self.post_message(
            job.message_of(
                lambda: tell.MilestoneSaved(save_milestone(self.interlock.workspace, name, assessment).path),
                lambda error: tell.MilestoneSaved(error=error),
            )
        )

    @on(tell.MilestoneSaved)
    def _frozen(self, message: tell.MilestoneSaved) -> None:
        self._show_milestones()
        path, error = message.path, message.error

        def drawing(page: Page) -> None:
            if error is not None:
                draw_problem(page, error)
            elif path is not None:
                page.bullet(text("✓", OK), str(path))
                page.para("Enter on a milestone shows what has moved since then.", DIM)

        self._outcome().border_title = "Milestone"
        self._outcome().draw(drawing)
        if error is None:
            self.query_one("#milestone-name", Field).put(None)

    @on(Rows.Chosen, "#milestones")
    def _chosen(self, event: Rows.Chosen) -> None:
        self._outcome().border_title = text(f"Since {event.key}")
        self._outcome().draw(lambda page: page.para("Comparing…", DIM))
        self._compare(self.state, event.key)

    @work(thread=True, group="compare", exclusive=True, description="compare")
    def _compare(self, state: State, name: str) -> None:
        from interlock.usecases.milestone import compare, earlier_milestones, load_reference

        if state.inputs is None:
            return
        inputs, workspace = state.inputs, self.interlock.workspace

        def compared() -> tell.Compared:
            before = load_reference(workspace, name, today=date.today())
            return tell.Compared(name, compare(before, _newest(state, inputs), earlier_milestones(workspace, name)))

        self.post_message(job.message_of(compared, lambda error: tell.Compared(name, error=error)))

    @on(tell.Compared)
    def _compared(self, message: tell.Compared) -> None:
        names = {org.id: org.name for org in self.state.inputs.organizations} if self.state.inputs else {}

        def drawing(page: Page) -> None:
            if message.error is not None:
                draw_problem(page, message.error)
            elif message.diff is not None:
                draw_diff(page, message.diff, names)

        self._outcome().draw(drawing)
        self._outcome().focus()

    def action_burn_down(self) -> None:
        """Show all milestones and the assessment of now in one table."""
        if self.state.assessment is None:
            self.notify("The assessment is still being worked out.", markup=False)
            return
        self._outcome().border_title = "Burn-down"
        self._outcome().draw(lambda page: page.para("Reading the milestones…", DIM))
        self._burn_down(self.state.assessment)

    @work(thread=True, group="compare", exclusive=True, description="burn-down")
    def _burn_down(self, now: Assessment) -> None:
        from interlock.usecases.milestone import burn_down_of

        self.post_message(
            job.message_of(
                lambda: tell.BurnedDown(burn_down_of(self.interlock.workspace, today=date.today(), now=now)),
                lambda error: tell.BurnedDown(error=error),
            )
        )

    @on(tell.BurnedDown)
    def _burned_down(self, message: tell.BurnedDown) -> None:
        series, error = message.series, message.error

        def drawing(page: Page) -> None:
            if error is not None:
                draw_problem(page, error)
            elif series is not None:
                draw_burn_down(page, series)

        self._outcome().draw(drawing)
        self._outcome().focus(scroll_visible=False)
        self.call_after_refresh(self._outcome().scroll_visible, animate=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leaving is offered in a field, a download in a browser once there is something."""
        if action == "download":
            return self.app.is_web and bool(self._written)
        return isinstance(self.focused, Input) if action == "leave" else True

    def action_leave(self) -> None:
        """Out of a field, to the buttons."""
        self.query_one("#export").focus()
