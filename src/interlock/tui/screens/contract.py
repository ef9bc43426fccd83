"""The workflow contract: what it says, what it leaves open, and how it fits each organisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content

from interlock.model import words
from interlock.model.contract import ContractFit, NeedMatch, WorkflowContract
from interlock.model.contract_page import UNDECIDED, Cell, Part, contract_parts, scopes_by_mode
from interlock.model.errors import InterlockError
from interlock.tui.page import ACCENT, DIM, FIT, OK, WARN, Page, line, text
from interlock.tui.screens.contract_editor import ContractEditor
from interlock.tui.screens.section import Section
from interlock.tui.state import State
from interlock.tui.widgets.flow import Flow, ScrollingFlow, draw_problem
from interlock.tui.widgets.rows import Column, Row, Rows

if TYPE_CHECKING:
    from interlock.usecases.contract import ContractRemark


_NO_CONTRACT = "Without a contract there is nothing to hold against anyone."
_NEED = Column("Need", 24, grow=3)


class ContractSection(Section):
    """The section that shows ``contract.yaml``; ``e`` edits it, and ``r`` reads what another editor changed."""

    MODE = "contract"
    LETTER = "c"
    TITLE = "Contract"
    PURPOSE = "The workflow contract and how it fits"
    ABOUT = (
        "What contract.yaml says about the workflow: the clinical event, what is read and written, what happens when "
        "something goes wrong. Points that it leaves open are listed with their line. The matrix holds each need "
        "against what every organisation declares. e changes it part by part; r reads it again."
    )
    INITIAL_FOCUS = "#contract"
    PANELS = {"#contract": "contract.yaml", "#fit-panel": "Fit"}
    BINDINGS = [
        Binding("e", "edit", "Edit", tooltip="Change the contract part by part"),
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
        fits = tuple(fit for org in new.inputs.organizations if (fit := new.inputs.fits.get(org.id)) is not None)
        self._show_contract(new.inputs.contract, fits)
        self._show_fit(fits)

    def _show_contract(self, contract: WorkflowContract | None, fits: tuple[ContractFit, ...]) -> None:
        from interlock.usecases.contract import lint_contract

        pane = self.query_one("#contract", ScrollingFlow)
        if contract is None:
            pane.draw(lambda page: page.para("There is no contract.yaml. e writes one to start from.", DIM))
            return
        try:
            remarks = lint_contract(self.interlock.workspace.root)[1]
        except InterlockError as error:  # the file has changed since it was read
            problem = error
            pane.draw(lambda page: draw_problem(page, problem))
        else:
            pane.draw(lambda page: draw_contract(page, contract, remarks, fits), keep_position=True)

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
            cells = [text(f"{_label(kind, name)}{' (optional)' if optional else ''}")]
            cells += [_sign(by_org.get(fit.org)) for fit in fits]
            rows.append(Row(f"{direction}|{resource}|{kind}|{name}", tuple(cells)))
        nobody = self.state.inputs is not None and not self.state.inputs.organizations
        empty = "No organisation yet: section 7 adds the first one." if nobody else _NO_CONTRACT
        table.set_rows(rows, empty=empty, columns=columns)

    def action_edit(self) -> None:
        """Change the contract part by part."""
        self.app.push_screen(ContractEditor())

    def action_fit(self) -> None:
        """Into the matrix."""
        self.add_class("-reading")
        self.query_one("#fit", Rows).options.focus()

    def action_says(self) -> None:
        """Back to what the contract says."""
        self.remove_class("-reading")
        self.query_one("#contract").focus()


_ASIDES = {"input": "read", "output": "written", "launch": "how a session starts", "release": "FHIR release"}


def _label(kind: str, name: str) -> str:
    """What is needed in few letters: its heading says of which type."""
    match kind:
        case "search_parameter":
            return f"by {name}"
        case "operation":
            return f"${name}"
        case "profile":
            return name.rpartition("/")[2]
        case "launch":
            return f"{name} launch"
        case _:
            return name


def _sign(match: NeedMatch | None) -> Content:
    return text(FIT[match.outcome].glyph, FIT[match.outcome].style) if match is not None else text("–", DIM)


def _draw_legend(page: Page) -> None:
    page.line(Content("   ").join(line((sign.glyph, sign.style), (f" {sign.word}", DIM)) for sign in FIT.values()))


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
        page.bullet(text("·", ACCENT), (label[0], "bold"), *((f"  {one}", DIM) for one in label[1:]))
        for column, lines in zip(part.columns[1:], cells, strict=True):
            if lines:
                page.bullet("   ", (f"{column.lower()}  ", DIM), _said(lines))


def _said(lines: Cell) -> tuple[str, str]:
    return "; ".join(lines), WARN if UNDECIDED in lines else ""
