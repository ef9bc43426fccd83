"""The organisations of the workspace: add, import, change, remove; their sheets of questions out and in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.organization import Organization
from interlock.model.text import plain
from interlock.tui.keys import bindings, keyed
from interlock.tui.page import DIM, WARN, text
from interlock.tui.screens.organization_import import import_from_directory
from interlock.tui.screens.section import Confirm, Section
from interlock.tui.screens.sheets import send_sheet, take_sheet
from interlock.tui.state import State
from interlock.tui.undo import Step
from interlock.tui.widgets.rows import Column, Row, Rows
from interlock.tui.work import in_thread

if TYPE_CHECKING:
    pass


_COLUMNS = (
    Column("Organisation", 20, grow=3),
    Column("Id", 14, grow=1),
    Column("Vendor", 14, leaves=3),
    Column("Environment", 14, leaves=4),
    Column("FHIR base URL", 26, grow=4, leaves=1),
    Column("Credentials", 14, grow=1, leaves=5),
)


class OrganizationsSection(Section):
    """The section of the organisations whose EHR the product integrates with."""

    MODE = "organizations"
    ABOUT = (
        "The organisations whose EHR the product integrates with. Each is one file in orgs/. Enter opens one: its "
        "gates, what its endpoints show, its settings. Credentials are named as environment variables and are never "
        "written down. {organizations.sheet-out} writes an organisation's questions as a sheet to mail; "
        "{organizations.sheet-in} takes the answers of one that came back. Removing an organisation keeps its answers "
        "and observations: they are evidence."
    )
    INITIAL_FOCUS = "#org-list Options"
    PANELS = {"#org-panel": "Organisations"}
    BINDINGS = bindings("organizations")

    def body(self) -> ComposeResult:
        """A list with buttons above it."""
        with Vertical():
            with Horizontal(classes="buttons"):
                yield Button("Add", id="org-add", variant="primary", compact=True)
                yield Button("Import", id="org-import", compact=True)
                yield Button("Edit", id="org-edit", compact=True)
                yield Button("Remove", id="org-remove", compact=True)
            with Vertical(classes="panel", id="org-panel"):
                yield Rows(
                    _COLUMNS, id="org-list", empty=keyed("No organisation yet: {organizations.add} adds the first one.")
                )

    def show(self, old: State | None, new: State) -> None:
        """Draw the list."""
        if new.inputs is not None and (old is None or old.inputs is not new.inputs):
            self.query_one("#org-list", Rows).set_rows([_row(org) for org in new.inputs.organizations])

    def _chosen(self) -> Organization | None:
        key = self.query_one("#org-list", Rows).key
        org = self.state.organization(key) if key else None
        if org is None:
            self.notify(keyed("There is no organisation yet: {organizations.add} adds the first one."), markup=False)
        return org

    @on(Button.Pressed, "#org-add")
    def action_add(self) -> None:
        """Add an organisation."""
        self.interlock.edit_organization(None)

    @on(Button.Pressed, "#org-import")
    @work(group="organizations", exclusive=True, description="import")
    async def action_import(self) -> None:
        """Add organisations that a directory lists, until the list is closed."""
        await import_from_directory(self)

    @work(group="organizations", exclusive=True, description="sheet")
    async def action_sheet_out(self) -> None:
        """Write the highlighted organisation's questions as a sheet to mail."""
        org = self._chosen()
        if org is not None:
            await send_sheet(self, org)

    @work(group="organizations", exclusive=True, description="sheet")
    async def action_sheet_in(self) -> None:
        """Take the answers of a sheet that came back."""
        await take_sheet(self)

    def action_probe(self) -> None:
        """Probe the highlighted organisation; the section of probes shows how far it is."""
        org = self._chosen()
        if org is not None:
            self.interlock.action_go("probe")
            self.interlock.probe([org.id])

    @on(Rows.Chosen, "#org-list")
    def _open(self, event: Rows.Chosen) -> None:
        self.interlock.show_organization(event.key)

    @on(Button.Pressed, "#org-edit")
    def action_edit(self) -> None:
        """Change the highlighted organisation."""
        org = self._chosen()
        if org is not None:
            self.interlock.edit_organization(org.id)

    @on(Button.Pressed, "#org-remove")
    @work(group="organizations", exclusive=True, description="remove")
    async def action_remove(self) -> None:
        """Remove the highlighted organisation, after a question."""
        org = self._chosen()
        if org is None:
            return
        dialog = Confirm(
            f"Remove {org.name}?",
            f"orgs/{org.id}.yaml is deleted. Its answers and observations stay in the folder: they are evidence.",
            (("remove", "Remove"), ("keep", "Keep")),
        )
        if await self.app.push_screen_wait(dialog) != "remove":
            return
        workspace = self.interlock.workspace
        try:
            remove = partial(workspace.remove_organization, org.id)
            kept, change = await in_thread(workspace.watched, f"orgs/{org.id}.yaml", remove)
        except InterlockError as error:
            self.notify(plain(error, 400), title="Not removed", severity="error", markup=False)
            return
        self.interlock.changed(Step(f"removing {plain(org.name, 80)}", files=(change,)))
        names = words.listed([path.name for path in kept])
        self.notify(
            keyed(f"{f'Kept as evidence: {names}' if kept else 'Nothing else was kept'}. {{app.undo}} brings it back."),
            title=f"Removed {plain(org.name, 80)}",
            markup=False,
        )
        self.interlock.action_reload()


def _row(org: Organization) -> Row:
    names = [name for name in org.auth.model_dump().values() if name]
    return Row(
        org.id,
        (
            text(org.name, "bold"),
            text(org.id, DIM),
            text(words.capital(words.vendor(org.vendor))),
            text(org.environment),
            text(org.fhir_base_url or "none yet", "" if org.fhir_base_url else WARN),
            text(words.listed(names) or "none named", DIM),
        ),
    )
