"""The workflow contract: what it says, what it leaves open, and how it fits each organisation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from interlock.model import words
from interlock.model.contract import ContractFit, WorkflowContract
from interlock.model.contract_page import UNDECIDED, Cell, Part, contract_parts, scopes_by_mode
from interlock.model.errors import InterlockError
from interlock.model.text import plain
from interlock.tui.against import Table, draw_told, fit_table, settings_table
from interlock.tui.keys import bindings, keyed
from interlock.tui.page import ACCENT, BAD, DIM, OK, SETTING, WARN, Page, line, text
from interlock.tui.screens.contract_editor import ContractEditor
from interlock.tui.screens.section import AskText, Pick, Review, Section
from interlock.tui.state import State
from interlock.tui.undo import Step
from interlock.tui.widgets.flow import Flow, ScrollingFlow, draw_problem
from interlock.tui.widgets.rows import Column, Rows
from interlock.tui.work import in_thread

if TYPE_CHECKING:
    from interlock.usecases.contract import ContractRemark
    from interlock.workspace.generated import Generated


_NO_CONTRACT = "Without a contract there is nothing to hold against anyone."
_NO_NEED = "The contract reads and writes nothing yet: e edits it."
_NO_SETTING = "The contract has no setting: e edits it, under organisation surface."


class ContractSection(Section):
    """The section that shows ``contract.yaml``; ``e`` edits it, and ``r`` reads what another editor changed."""

    MODE = "contract"
    ABOUT = (
        "What contract.yaml says about the workflow: the clinical event, what is read and written, what happens when "
        "something goes wrong. Points that it leaves open are listed with their line. The table holds each need "
        "against what every organisation declares, or with {contract.settings} each setting against what every "
        "organisation says for itself; Enter on a setting sets it at one of them. {contract.edit} changes the "
        "contract part by part; {contract.export} shows what its export would change, and writes it."
    )
    INITIAL_FOCUS = "#contract"
    PANELS = {"#contract": "contract.yaml"}
    BINDINGS = bindings("contract")

    def __init__(self) -> None:
        super().__init__()
        self._table = Table((), (), {})
        self._settings = False

    def body(self) -> ComposeResult:
        """The contract beside the matrix."""
        with Horizontal(classes="sides"):
            yield ScrollingFlow(id="contract", classes="panel side")
            with Vertical(classes="panel side", id="fit-panel"):
                yield Rows((Column("Need", 24),), id="fit", empty=_NO_CONTRACT)
                yield Flow(id="fit-told")

    def show(self, old: State | None, new: State) -> None:
        """Draw contract and matrix of new inputs."""
        if new.inputs is None or (old is not None and old.inputs is new.inputs):
            return
        fits = tuple(fit for org in new.inputs.organizations if (fit := new.inputs.fits.get(org.id)) is not None)
        self._show_contract(new.inputs.contract, fits)
        self._show_table(fits)

    def _show_contract(self, contract: WorkflowContract | None, fits: tuple[ContractFit, ...]) -> None:
        from interlock.usecases.contract import lint_contract

        pane = self.query_one("#contract", ScrollingFlow)
        if contract is None:
            pane.draw(
                lambda page: page.para(
                    keyed("There is no contract.yaml. {contract.edit} writes one to start from."), DIM
                )
            )
            return
        try:
            remarks = lint_contract(self.interlock.workspace.root)[1]
        except InterlockError as error:  # the file has changed since it was read
            problem = error
            pane.draw(lambda page: draw_problem(page, problem))
        else:
            pane.draw(lambda page: draw_contract(page, contract, remarks, fits), keep_position=True)

    def _show_table(self, fits: tuple[ContractFit, ...]) -> None:
        make, title = (settings_table, "Settings") if self._settings else (fit_table, "Fit")
        self._table = make(fits, self.state.names)
        self.query_one("#fit-panel").border_title = title
        inputs = self.state.inputs
        if inputs is not None and not inputs.organizations:
            empty = "No organisation yet: 7 leads to where one is added."
        elif inputs is not None and inputs.contract is None:
            empty = _NO_CONTRACT
        else:
            empty = _NO_SETTING if self._settings else _NO_NEED
        self.query_one("#fit", Rows).set_rows(self._table.rows, empty=empty, columns=self._table.columns)
        self._tell()

    @on(Rows.Moved, "#fit")
    def _tell(self) -> None:
        """Say of the highlighted row who ended in which way."""
        told = self._table.told.get(self.query_one("#fit", Rows).key or "", ())
        self.query_one("#fit-told", Flow).draw(lambda page: draw_told(page, told))

    @on(Rows.Chosen, "#fit")
    def _chosen(self, event: Rows.Chosen) -> None:
        if self._settings:
            self._set(event.key)

    @work(group="contract", exclusive=True, description="setting")
    async def _set(self, name: str) -> None:
        """Ask at which organisation, and for the value; it is saved in the organisation's file."""
        from interlock.usecases.organizations import set_at, setting_value, typed_setting

        inputs = self.state.inputs
        surface = inputs.contract.organization_surface if inputs is not None and inputs.contract is not None else ()
        setting = next((entry for entry in surface if entry.name == name), None)
        if inputs is None or setting is None:
            self.notify("The contract has no such setting: remove it in the organisation's file.", markup=False)
            return
        lines = []
        for org in inputs.organizations:
            fit = inputs.fits.get(org.id)
            match = next((match for match in fit.settings if match.name == name), None) if fit is not None else None
            said = f"  {match.value or match.default or SETTING[match.outcome].word}" if match is not None else ""
            lines.append((org.id, line((plain(org.name, 80), "bold"), (said, DIM))))
        chosen = await self.answer_to(Pick(f"{name}: at which organisation?", lines))
        at = self.state.organization(chosen) if chosen is not None else None
        if at is None:
            return
        about = f"{words.capital(words.SETTING_TYPE[setting.type])}. Nothing: what the contract says for everybody."
        ask = AskText(
            f"{name} at {plain(at.name, 80)}",
            about,
            value=typed_setting(at.overrides.get(name)),
            check=lambda typed: setting_value(setting, typed),
        )
        typed = await self.answer_to(ask)
        if typed is None:
            return
        workspace = self.interlock.workspace
        try:
            save = partial(set_at, workspace, at, setting, typed)
            _, change = await in_thread(workspace.watched, f"orgs/{at.id}.yaml", save)
        except InterlockError as error:
            self.notify(plain(error, 400), title="Not saved", severity="error", markup=False)
            return
        self.interlock.changed(Step(f"{name} at {plain(at.name, 80)}", files=(change,)))
        self.interlock.action_reload()

    def action_edit(self) -> None:
        """Change the contract part by part."""
        self.app.push_screen(ContractEditor())

    def action_fit(self) -> None:
        """Into the table of needs."""
        self._turn_to(settings=False)

    def action_settings(self) -> None:
        """Into the table of settings."""
        self._turn_to(settings=True)

    def _turn_to(self, *, settings: bool) -> None:
        self._settings = settings
        inputs = self.state.inputs
        if inputs is not None:
            fits = (inputs.fits.get(org.id) for org in inputs.organizations)
            self._show_table(tuple(fit for fit in fits if fit is not None))
        self.add_class("-reading")
        self.query_one("#fit", Rows).options.focus()

    @work(group="contract", exclusive=True, description="export")
    async def action_export(self) -> None:
        """Show what the export would change, and write it if somebody wants it."""
        from interlock.usecases.contract import export_contract

        inputs, workspace = self.state.inputs, self.interlock.workspace
        if inputs is None or inputs.contract is None:
            self.notify(
                keyed("There is no contract.yaml to export. {contract.edit} writes one to start from."), markup=False
            )
            return
        folder = workspace.output(workspace.root / "reports" / "contract")
        export = partial(export_contract, inputs, folder, today=date.today())
        try:
            would = await in_thread(partial(export, check=True))
            review = Review(
                "Export the contract",
                lambda page: draw_export(page, would, folder),
                (("write", "Write"), ("leave", "Close")) if any(f.state in _WRITTEN for f in would) else _CLOSE,
            )
            if await self.answer_to(review) == "write":
                done = await in_thread(export)
                written = sum(file.state in _WRITTEN for file in done)
                self.notify(f"{words.count(written, 'file')} in {plain(folder, 300)}.", title="Written", markup=False)
        except InterlockError as error:
            self.notify(plain(error, 400), title="Not exported", severity="error", timeout=8, markup=False)

    def action_says(self) -> None:
        """Back to what the contract says."""
        self.remove_class("-reading")
        self.query_one("#contract").focus()


#: What is written of a generated file.
_WRITTEN = frozenset({"new", "renewed", "beside"})
_CLOSE = (("leave", "Close"),)


def draw_export(page: Page, files: Sequence[Generated], folder: Path) -> None:
    """What would become of each generated file, with the lines that would change."""
    page.para(str(folder), DIM)
    same = sum(file.state == "same" for file in files)
    if same:
        page.line((f"{words.count(same, 'file')} {words.agree(same, 'is', 'are')} up to date.", DIM))
    for file in files:
        if file.state == "same":
            continue
        sign = text("+", OK) if file.state in _WRITTEN else text("·", DIM)
        page.bullet(sign, (str(file.path.relative_to(folder)), "bold"), (f"  {words.GENERATED[file.state]}", DIM))
        for changed in file.difference[2:]:
            page.line(("    ", ""), (changed, OK if changed[:1] == "+" else BAD if changed[:1] == "-" else DIM))


def draw_contract(
    page: Page, contract: WorkflowContract, remarks: Sequence[ContractRemark], fits: Sequence[ContractFit]
) -> None:
    """Title, open points, then every part as the page to sign has it."""
    page.para(contract.title, "bold")
    page.line((f"version {contract.version}   FHIR {contract.fhir_release}", DIM))
    page.heading("Left open", words.count(len(remarks), "point"))
    if not remarks:
        page.bullet(text("✓", OK), "Nothing is left open.")
    for remark in remarks:
        where = f"line {remark.line}" if remark.line else remark.pointer
        page.bullet(text("?", WARN), remark.message, (f"  {where}", DIM))
    for part in contract_parts(contract, scopes_by_mode(contract, fits)):
        _draw_part(page, part)


def _draw_part(page: Page, part: Part) -> None:
    """Labels with what is said; of a table each row's label, and below it a line a column."""
    page.heading(part.title, str(len(part.rows)) if part.columns else "")
    if not part.rows:
        page.line(("none", DIM))
    for label, *cells in part.rows:
        if not part.columns:
            page.bullet(text("·", ACCENT), (f"{label[0]}  ", DIM), *(_said(lines) for lines in cells))
            continue
        page.bullet(text("·", ACCENT), (label[0], "bold"), *((f"  {part}", DIM) for part in label[1:]))
        for column, lines in zip(part.columns[1:], cells, strict=True):
            if lines:
                page.bullet("   ", (f"{column.lower()}  ", DIM), _said(lines))


def _said(lines: Cell) -> tuple[str, str]:
    return "; ".join(lines), WARN if UNDECIDED in lines else ""
