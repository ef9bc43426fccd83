"""What a workflow contract says, on a page, with what it leaves open first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel

from interlock.model import words
from interlock.model.contract import Need, WorkflowContract
from interlock.tui.page import Page, line, text
from interlock.tui.styles import ACCENT, DIM, OK, WARN

if TYPE_CHECKING:
    from interlock.usecases.contract import ContractRemark

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
    _launch(page, contract)
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


def _launch(page: Page, contract: WorkflowContract) -> None:
    launch = contract.launch
    page.heading("Launch")
    page.field("Modes", words.listed(launch.modes) or "none", label_width=_WIDTH)
    page.field("Context", words.listed(launch.context) or "none", label_width=_WIDTH)
    page.field("Client", launch.client or "undecided", style="" if launch.client else WARN, label_width=_WIDTH)


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
    for name, value in part.model_dump().items():
        shown = {True: "yes", False: "no", None: "undecided"}.get(value, value)
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
