"""Exporting the report; freezing milestones and comparing with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.widgets import Button, Input, Static

from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.tui import work as job
from interlock.tui.findings_page import draw_burn_down, draw_diff
from interlock.tui.keys import bindings, key_of
from interlock.tui.page import ACCENT, DIM, OK, Page, text
from interlock.tui.report_page import draw_preview, draw_written
from interlock.tui.screens.section import Pick, Section
from interlock.tui.screens.several import PickSeveral
from interlock.tui.state import State
from interlock.tui.widgets.fields import Field, Tick, labelled
from interlock.tui.widgets.flow import ScrollingFlow, draw_problem
from interlock.tui.widgets.rows import Column, Row, Rows

if TYPE_CHECKING:
    from interlock.model.assessment import Assessment
    from interlock.model.diff import AssessmentDiff
    from interlock.usecases.load import Inputs
    from interlock.usecases.report import Format

#: Format, what it is good for, and whether it is chosen unless somebody says otherwise.
_FORMATS: tuple[tuple[Format, str, bool], ...] = (
    ("md", "Markdown, for a pull request", True),
    ("html", "HTML, one file", True),
    ("pdf", "PDF, to send", True),
    ("json", "JSON, for programs", True),
    ("xlsx", "Workbook, for spreadsheets", False),
    ("docx", "Word, to comment in", False),
    ("sarif", "SARIF, for code scanning", False),
)
_COLUMNS = (Column("#", 2, right=True), Column("Milestone", 16, grow=1), Column("Saved", 22, leaves=1))


def _newest(state: State, inputs: Inputs) -> Assessment:
    """The assessment of the newest answers, even if the plan on the screen has not caught up with them."""
    return state.assessment if state.assessment is not None and state.up_to_date else job.assessed(inputs)


class ReportSection(Section):
    """The section that writes the report and keeps milestones to compare with."""

    MODE = "report"
    ABOUT = (
        "Choose formats and a folder, for whom ({report.recipient}) and which sections ({report.sections}), then "
        "export; {report.open-folder} opens the folder. {report.preview} shows the report without writing it. A "
        "milestone freezes the assessment as it is now: Enter on one shows what has moved since, or up to another "
        "one, what was opened again and why dates moved. {report.burn-down} shows all milestones in one table: how "
        "the score's interval narrowed and what is still open."
    )
    INITIAL_FOCUS = "#export"
    PANELS = {
        "#export-form": "Report",
        "#milestone-form": "Milestones",
        "#outcome": "Result",
    }
    BINDINGS = bindings("report")

    def __init__(self) -> None:
        super().__init__()
        self._written: tuple[Path, ...] = ()
        self._recipient: str | None = None  # the organisation that the report is for; none for the product team
        self._sections: tuple[str, ...] | None = None  # those that are kept; none for each format's own

    def body(self) -> ComposeResult:
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
            yield labelled("Folder", Field(str(self.interlock.workspace.root / "reports"), id="folder", compact=True))
            with Horizontal(classes="buttons"):
                yield Button("Export", id="export", variant="primary", compact=True)
                yield Button("Contract skeletons", id="skeletons", compact=True)
            yield Static("", id="export-step", markup=False)

    def _milestone_form(self) -> ComposeResult:
        with Vertical(classes="panel", id="milestone-form"):
            yield labelled("Name", Field(placeholder="before-pilot", id="milestone-name", compact=True))
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

    def _outcome(self, title: str) -> ScrollingFlow:
        outcome = self.query_one("#outcome", ScrollingFlow)
        outcome.border_title = text(title)
        return outcome

    def _reveal_outcome(self) -> None:
        """Go to the result, and scroll to all of it where it is below the forms."""
        outcome = self.query_one("#outcome").focus(scroll_visible=False)
        self.call_after_refresh(outcome.scroll_visible, animate=False)

    # -- the report -----------------------------------------------------------------------------------------------

    def _folder(self) -> Path:
        typed = self.query_one("#folder", Field).given
        return (self.interlock.workspace.root / Path(typed or "reports").expanduser()).absolute()

    def action_recipient(self) -> None:
        """Choose for whom the report is."""
        everything = ("", text("All organisations: for the product team"))
        options = [(org, text(f"{name} alone: nothing of any other")) for org, name in self.state.names.items()]
        self.ask(Pick("For whom?", [everything, *options], self._recipient or ""), self._for)

    def _for(self, org: str) -> None:
        self._recipient = org or None
        folder = self.interlock.workspace.root / "reports" / org
        self.query_one("#folder", Field).put(str(folder))
        self._show_choice()

    def _show_choice(self) -> None:
        """Below the form: for whom it is, and how many of its sections are kept."""
        said = [f"for {self.state.name_of(self._recipient)} alone"] if self._recipient else []
        said += [words.count(len(self._sections), "section")] if self._sections is not None else []
        self.query_one("#export-form").border_subtitle = text(", ".join(said))

    def action_sections(self) -> None:
        """Choose which sections are kept; all of them are each format's own choice."""
        from interlock.usecases.report import section_titles

        titles = section_titles()
        taken = self._sections if self._sections is not None else tuple(titles)

        def chosen(sections: tuple[str, ...] | None) -> None:
            if sections is not None and not sections:
                self.notify("A report has at least one section.", severity="warning", markup=False)
            elif sections is not None:
                self._sections = sections if len(sections) < len(titles) else None
                self._show_choice()

        self.app.push_screen(PickSeveral("Which sections?", list(titles.items()), taken), chosen)

    def action_open_folder(self) -> None:
        """Show the folder with the files in the system's own browser of files."""
        folder = self._folder()
        if folder.is_dir():
            self.app.open_url(folder.as_uri())
            self.notify(str(folder), title="Opened", markup=False)
        else:
            self.notify(
                f"{folder} is not there yet: {key_of('report.export')} writes the report.",
                severity="warning",
                markup=False,
            )

    def _told(self, state: State, inputs: Inputs) -> tuple[Assessment, Inputs]:
        """What the report is made of: everything, or what one organisation may see, computed for it alone."""
        from interlock.usecases.recipient import for_recipient

        if self._recipient is None:
            return _newest(state, inputs), inputs
        own = for_recipient(inputs, self._recipient)
        return job.assessed(own), own

    @work(group="preview", exclusive=True, description="preview")
    async def action_preview(self) -> None:
        """Show the report as Markdown in the place of the result."""
        from interlock.usecases.report import preview

        state, inputs = self.state, self.state.inputs
        if inputs is None or state.assessment is None:
            self.notify("The assessment is still being worked out.", markup=False)
            return
        whose = f", for {state.name_of(self._recipient)} alone" if self._recipient else ""
        sections = self._sections
        make = lambda: preview(*self._told(state, inputs), sections)  # noqa: E731
        await self._outcome(f"Preview{whose}").work_out("Making the report…", make, draw_preview)
        self._reveal_outcome()

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
            self.query_one("#export-step", Static).update(text("… starting", ACCENT))
            self._write(partial(self._export, state, state.inputs, self._folder(), formats))

    def _export(self, state: State, inputs: Inputs, folder: Path, formats: tuple[Format, ...]) -> job.Exported:
        (assessment, own), out = self._told(state, inputs), self.interlock.workspace.output(folder)
        say = lambda name: self.app.call_later(self._say, name)  # noqa: E731
        return job.export(assessment, own, out, formats, say, self._sections)

    def _say(self, step: str) -> None:
        self.query_one("#export-step", Static).update(text(f"… making {step}" if step else "", ACCENT))

    @work(group="export", exclusive=True, description="export")
    async def _write(self, write: Callable[[], job.Exported]) -> None:
        """Write files, and list them."""
        try:
            exported, error = await job.in_thread(write), None
        except InterlockError as cause:
            exported, error = job.Exported(), cause
        self._say("")
        self._written = exported.written
        self.refresh_bindings()

        web = self.app.is_web
        self._outcome("Files").draw(lambda page: draw_written(page, exported, error, web=web))
        self._reveal_outcome()

    def action_download(self) -> None:
        """Choose one of the files that were written, for the browser to save."""
        choices = [(str(index), text(path.name)) for index, path in enumerate(self._written)]
        self.ask(Pick("Download", choices), lambda index: self.app.deliver_binary(self._written[int(index)]))

    @on(Button.Pressed, "#skeletons")
    def action_contract(self) -> None:
        """Write the contract's skeletons."""
        if self.state.inputs is None or self.state.inputs.contract is None:
            self.notify("There is no contract.yaml to make skeletons of.", severity="warning", markup=False)
            return
        self._say("the skeletons")
        self._write(partial(self._skeletons, self.state.inputs, self._folder() / "contract"))

    def _skeletons(self, inputs: Inputs, folder: Path) -> job.Exported:
        from interlock.usecases.contract import export_contract

        done = export_contract(inputs, self.interlock.workspace.output(folder), today=date.today())
        untouched = {"kept", "orphan"}
        return job.Exported(
            tuple(skeleton.path for skeleton in done if skeleton.state not in untouched),
            tuple(
                (skeleton.path.name, InterlockError(words.GENERATED[skeleton.state]))
                for skeleton in done
                if skeleton.state in {"beside", *untouched}
            ),
        )

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

    @work(group="milestone", exclusive=True, description="milestone")
    async def _freeze(self, assessment: Assessment, name: str) -> None:
        from interlock.usecases.milestone import save_milestone

        try:
            saved, error = await job.in_thread(save_milestone, self.interlock.workspace, name, assessment), None
            self.query_one("#milestone-name", Field).put(None)
        except InterlockError as cause:
            saved, error = None, cause
        self._show_milestones()

        def drawing(page: Page) -> None:
            if error is not None:
                draw_problem(page, error)
            elif saved is not None:
                page.bullet(text("✓", OK), str(saved.path))
                page.para("Enter on a milestone shows what has moved since then.", DIM)

        self._outcome("Milestone").draw(drawing)

    @on(Rows.Chosen, "#milestones")
    def _compare_with(self, event: Rows.Chosen) -> None:
        """Compare with now; where there are others, with one of them if that is chosen."""
        others = [key for key in self.query_one("#milestones", Rows).keys if key != event.key]
        if not others:
            self._compare(event.key, "")
            return
        options = [("", text("now")), *((key, text(key)) for key in others)]
        self.ask(Pick(f"Compare {event.key} with", options), lambda other: self._compare(event.key, other))

    @work(group="compare", exclusive=True, description="compare")
    async def _compare(self, first: str, other: str) -> None:
        """What changed from one milestone to another, the earlier one first, or to now."""
        from interlock.usecases.milestone import compare, compare_references, earlier_milestones, load_reference

        state, workspace = self.state, self.interlock.workspace
        if state.inputs is None:
            return
        inputs, keys = state.inputs, self.query_one("#milestones", Rows).keys
        if other and keys.index(other) > keys.index(first):  # the newest is listed first
            first, other = other, first

        def compared() -> AssessmentDiff:
            if other:
                return compare_references(workspace, first, other, today=date.today())
            before = load_reference(workspace, first, today=date.today())
            return compare(before, _newest(state, inputs), earlier_milestones(workspace, first))

        outcome = self._outcome(f"{first} → {other}" if other else f"Since {first}")
        await outcome.work_out("Comparing…", compared, lambda page, diff: draw_diff(page, diff, state.names))
        outcome.focus()

    @work(group="compare", exclusive=True, description="burn-down")
    async def action_burn_down(self) -> None:
        """Show all milestones and the assessment of now in one table."""
        from interlock.usecases.milestone import burn_down_of

        now = self.state.assessment
        if now is None:
            self.notify("The assessment is still being worked out.", markup=False)
            return
        series = partial(burn_down_of, self.interlock.workspace, today=date.today(), now=now)
        await self._outcome("Burn-down").work_out("Reading the milestones…", series, draw_burn_down)
        self._reveal_outcome()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leaving is offered in a field, a download in a browser once there is something, a folder elsewhere."""
        if action == "download":
            return self.app.is_web and bool(self._written)
        if action == "open_folder":
            return not self.app.is_web
        return isinstance(self.focused, Input) if action == "leave" else True

    def action_leave(self) -> None:
        """Out of a field, to the buttons."""
        self.query_one("#export").focus()
