"""The workflow contract: what it says, what it leaves open, and how it fits each organisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content

from interlock.model import words
from interlock.model.contract import ContractFit, Need, NeedMatch, WorkflowContract
from interlock.model.errors import InterlockError
from interlock.tui.page import ACCENT, DIM, FIT, OK, WARN, Page, line, text
from interlock.tui.screens.section import Section
from interlock.tui.state import State
from interlock.tui.widgets.flow import Flow, ScrollingFlow, draw_problem
from interlock.tui.widgets.rows import Column, Row, Rows

if TYPE_CHECKING:
    from interlock.usecases.contract import ContractRemark


_NO_CONTRACT = "Without a contract there is nothing to hold against anyone."
_NEED = Column("What the contract needs", 24, grow=3)


class ContractSection(Section):
    """The section that shows ``contract.yaml``; the file is changed in an editor and read again with ``r``."""

    MODE = "contract"
    LETTER = "c"
    TITLE = "Contract"
    PURPOSE = "The workflow contract and how it fits"
    ABOUT = (
        "What contract.yaml says about the workflow: the clinical event, what is read and written, what happens when "
        "something goes wrong. Points that it leaves open are listed with their line. The matrix holds each need "
        "against what every organisation declares. Change the file in an editor; r reads it again."
    )
    INITIAL_FOCUS = "#contract"
    PANELS = {"#contract": "contract.yaml", "#fit-panel": "Fit"}
    BINDINGS = [
        Binding("f", "fit", "Fit", tooltip="Go to the fit of each organisation"),
        Binding("t", "says", "What it says", tooltip="Go to what the contract says"),
        Binding("escape", "says", "Back", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._orgs: tuple[str, ...] = ()

    def body(self) -> ComposeResult:
        """The contract beside the matrix."""
        with Horizontal(classes="sides"):
            yield ScrollingFlow(id="contract", classes="panel side")
            with Vertical(classes="panel side", id="fit-panel"):
                yield Rows((_NEED,), id="fit", empty=_NO_CONTRACT)
                yield Flow(_draw_legend, id="fit-legend")

    def show(self, old: State | None, new: State) -> None:
        """Draw contract and matrix of new inputs."""
        if new.inputs is None or (old is not None and old.inputs is new.inputs):
            return
        self._show_contract(new.inputs.contract)
        fits = tuple(fit for org in new.inputs.organizations if (fit := new.inputs.fits.get(org.id)) is not None)
        self._show_fit(fits)

    def _show_contract(self, contract: WorkflowContract | None) -> None:
        from interlock.usecases.contract import lint_contract

        pane = self.query_one("#contract", ScrollingFlow)
        if contract is None:
            pane.draw(
                lambda page: page.para("There is no contract.yaml. interlock init writes one to start from.", DIM)
            )
            return
        try:
            remarks = lint_contract(self.interlock.workspace.root)[1]
        except InterlockError as error:  # the file has changed since it was read
            problem = error
            pane.draw(lambda page: draw_problem(page, problem))
        else:
            pane.draw(lambda page: draw_contract(page, contract, remarks), keep_position=True)

    def _show_fit(self, fits: tuple[ContractFit, ...]) -> None:
        table = self.query_one("#fit", Rows)
        columns = [_NEED, *(Column(fit.org, max(5, min(12, len(fit.org))), grow=1) for fit in fits)]
        needs: dict[tuple[str, str | None, str, str], dict[str, NeedMatch]] = {}
        for fit in fits:
            for match in fit.matches:
                needs.setdefault((match.direction, match.resource, match.kind, match.name), {})[fit.org] = match
        rows: list[Row] = []
        last = None
        for (direction, resource, kind, name), by_org in needs.items():
            if (direction, resource) != last:
                last = (direction, resource)
                rows.append(
                    Row(f"need:{direction}:{resource}", heading=resource or direction, aside=_ASIDES[direction])
                )
            optional = any(match.optional for match in by_org.values())
            label = name if kind == "resource" else f"{kind.replace('_', ' ')} {name}"
            cells = [text(f"{label}{' (optional)' if optional else ''}")]
            cells += [_sign(by_org.get(fit.org)) for fit in fits]
            rows.append(Row(f"{direction}|{resource}|{kind}|{name}", tuple(cells)))
        nobody = self.state.inputs is not None and not self.state.inputs.organizations
        empty = "No organisation yet: section 7 adds the first one." if nobody else _NO_CONTRACT
        table.set_rows(rows, empty=empty, columns=columns)

    def action_fit(self) -> None:
        """Into the matrix."""
        self.add_class("-reading")
        self.query_one("#fit", Rows).options.focus()

    def action_says(self) -> None:
        """Back to what the contract says."""
        self.remove_class("-reading")
        self.query_one("#contract").focus()


_ASIDES = {"input": "read", "output": "written", "launch": "how a session starts", "release": "FHIR release"}


def _sign(match: NeedMatch | None) -> Content:
    return text(FIT[match.outcome].glyph, FIT[match.outcome].style) if match is not None else text("–", DIM)


def _draw_legend(page: Page) -> None:
    page.line(Content("   ").join(line((sign.glyph, sign.style), (f" {sign.word}", DIM)) for sign in FIT.values()))


_WIDTH = 13


def draw_contract(page: Page, contract: WorkflowContract, remarks: Sequence[ContractRemark]) -> None:
    """Title, open points, then every part in the order of the file."""
    page.para(contract.title, "bold")
    page.line((f"version {contract.version}   FHIR {contract.fhir_release}", DIM))
    page.heading("Left open", words.count(len(remarks), "point"))
    if not remarks:
        page.bullet(text("✓", OK), "Nothing is left open.")
    for remark in remarks:
        where = f"line {remark.line}" if remark.line else remark.pointer
        page.bullet(text("?", WARN), remark.message, (f"  {where}", DIM))
    _event(page, contract)
    page.heading("Launch")
    launch = contract.launch
    page.field("Modes", words.listed(launch.modes) or "none", label_width=_WIDTH)
    page.field("Context", words.listed(launch.context) or "none", label_width=_WIDTH)
    page.field("Client", launch.client or "undecided", style="" if launch.client else WARN, label_width=_WIDTH)
    _needs(page, "Reads", contract.inputs)
    _needs(page, "Writes", contract.outputs)
    _steps(page, "When the output is wrong", contract.output_is_wrong)
    _steps(page, "When something fails", contract.failures)
    _steps(page, "Review", contract.review)
    _rest(page, contract)


def _event(page: Page, contract: WorkflowContract) -> None:
    event = contract.clinical_event
    page.heading("Clinical event")
    if event is None:
        page.line(("not written down", WARN))
        return
    for label, value in (("Trigger", event.trigger), ("Actor", event.actor), ("Setting", event.setting)):
        page.field(label, value, label_width=_WIDTH)
    page.field("States", words.listed(event.states) or "none", label_width=_WIDTH)
    page.field("Action", event.action or "undecided", style="" if event.action else WARN, label_width=_WIDTH)


def _needs(page: Page, title: str, needs: Sequence[Need]) -> None:
    page.heading(title, words.count(len(needs), "resource"))
    for need in needs:
        how = words.listed(need.interactions) or "no interaction named"
        optional = "  optional" if need.optional else ""
        where = "" if need.surface == "universal" else "  per organisation"
        page.bullet(text("·", ACCENT), (need.resource, "bold"), f"  {how}", (f"{optional}{where}", DIM))
        for label, values in (
            ("fields", need.required_fields),
            ("search", need.search_parameters),
            ("codes", need.terminology),
        ):
            if values:
                page.bullet("   ", (f"{label}  ", DIM), ", ".join(values))
        if need.when_missing:
            page.bullet("   ", ("missing  ", DIM), need.when_missing)


def _steps(page: Page, title: str, part: BaseModel) -> None:
    page.heading(title)
    for name, value in part:
        shown = {True: "yes", False: "no", None: "undecided"}.get(value, value)
        if isinstance(value, tuple):  # states of the review
            shown = "; ".join(", ".join(text for _, text in state if text) for state in value)
        if shown:
            page.field(name.replace("_", " "), shown, style=WARN if value is None else "", label_width=_WIDTH + 3)


def _rest(page: Page, contract: WorkflowContract) -> None:
    if contract.organization_surface:
        page.heading("Settings", "universal or per organisation")
        for setting in contract.organization_surface:
            where = "universal" if setting.surface == "universal" else "per organisation"
            default = "" if setting.default is None else f", default {setting.default}"
            page.bullet(text("·", ACCENT), (setting.name, "bold"), line((f"  {where}, {setting.type}{default}", DIM)))
    if contract.endpoints:
        page.heading("The product's own endpoints")
        for endpoint in contract.endpoints:
            phi = "carries patient data" if endpoint.carries_phi else "no patient data"
            auth = endpoint.authentication or "authentication undecided"
            page.bullet(text("·", ACCENT), (endpoint.path, "bold"), (f"  {endpoint.audience}, {phi}, {auth}", DIM))
    if contract.test_path:
        page.heading("Test path")
        for entry in contract.test_path:
            why = f": {entry.why}" if entry.why else ""
            page.bullet(text("·", ACCENT), (entry.behaviour, "bold"), (f"  {entry.where}{why}", DIM))
