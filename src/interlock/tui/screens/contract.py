"""The workflow contract: what it says, what it leaves open, and how it fits each organisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget

from interlock.model.contract import ContractFit, NeedMatch
from interlock.model.errors import InterlockError
from interlock.tui.contract_page import draw_contract
from interlock.tui.page import Page, line, text
from interlock.tui.screens.section import Section
from interlock.tui.state import State
from interlock.tui.styles import DIM, FIT
from interlock.tui.widgets.flow import Flow, ScrollingFlow
from interlock.tui.widgets.problem import draw_problem
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
    PANELS: ClassVar[Mapping[str, str]] = {"#contract": "contract.yaml", "#fit-panel": "Fit"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "fit", "Fit", tooltip="Go to the fit of each organisation"),
        Binding("t", "says", "What it says", tooltip="Go to what the contract says"),
        Binding("escape", "says", "Back", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._orgs: tuple[str, ...] = ()

    def body(self) -> Iterable[Widget]:
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
        remarks, error = self._remarks()
        contract = new.inputs.contract
        pane = self.query_one("#contract", ScrollingFlow)
        if error is not None:
            problem = error
            pane.draw(lambda page: draw_problem(page, problem))
        elif contract is None:
            pane.draw(
                lambda page: page.para("There is no contract.yaml. interlock init writes one to start from.", DIM)
            )
        else:
            pane.draw(lambda page: draw_contract(page, contract, remarks), keep_position=True)
        fits = tuple(fit for org in new.inputs.organizations if (fit := new.inputs.fits.get(org.id)) is not None)
        self._show_fit(fits)

    def _remarks(self) -> tuple[tuple[ContractRemark, ...], InterlockError | None]:
        from interlock.usecases.contract import lint_contract

        if not (self.interlock.workspace.root / "contract.yaml").exists():
            return (), None
        try:
            return lint_contract(self.interlock.workspace.root)[1], None
        except InterlockError as error:
            return (), error

    def _show_fit(self, fits: tuple[ContractFit, ...]) -> None:
        table = self.query_one("#fit", Rows)
        table.set_columns([_NEED, *(Column(fit.org, max(5, min(12, len(fit.org))), grow=1) for fit in fits)])
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
        table.set_rows(rows, empty="No organisation yet: section 7 adds the first one." if nobody else _NO_CONTRACT)

    def action_fit(self) -> None:
        """Into the matrix."""
        self.add_class("-reading")
        self.query_one("#fit", Rows).take_focus()

    def action_says(self) -> None:
        """Back to what the contract says."""
        self.remove_class("-reading")
        self.query_one("#contract").focus()


_ASIDES = {"input": "read", "output": "written", "launch": "how a session starts", "release": "FHIR release"}


def _sign(match: NeedMatch | None) -> Content:
    return text(FIT[match.outcome].glyph, FIT[match.outcome].style) if match is not None else text("–", DIM)


def _draw_legend(page: Page) -> None:
    page.line(Content("   ").join(line((sign.glyph, sign.style), (f" {sign.word}", DIM)) for sign in FIT.values()))
