"""The organisations of the workspace: add, change, remove."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button

from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.organization import Organization
from interlock.model.text import plain
from interlock.tui.page import text
from interlock.tui.screens.dialogs import Confirm
from interlock.tui.screens.section import Section
from interlock.tui.state import State
from interlock.tui.styles import DIM, WARN
from interlock.tui.widgets.rows import Column, Row, Rows

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
    LETTER = "s"
    TITLE = "Organisations"
    SHORT_TITLE = "Orgs"
    PURPOSE = "Add, change and remove organisations"
    ABOUT = (
        "The organisations whose EHR the product integrates with. Each is one file in orgs/. Credentials are named as "
        "environment variables and never written down. Removing an organisation keeps its answers and observations: "
        "they are evidence."
    )
    INITIAL_FOCUS = "#org-list Options"
    PANELS: ClassVar[Mapping[str, str]] = {"#org-panel": "Organisations"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add", tooltip="A form for a new organisation"),
        Binding("e", "edit", "Edit", tooltip="Change the highlighted organisation"),
        Binding("d,delete", "remove", "Remove", key_display="d", tooltip="Remove it; answers and observations stay"),
    ]

    def body(self) -> Iterable[Widget]:
        """A list with buttons above it."""
        with Vertical():
            with Horizontal(classes="buttons"):
                yield Button("Add", id="org-add", variant="primary", compact=True)
                yield Button("Edit", id="org-edit", compact=True)
                yield Button("Remove", id="org-remove", compact=True)
            with Vertical(classes="panel", id="org-panel"):
                yield Rows(_COLUMNS, id="org-list", empty="No organisation yet: a adds the first one.")

    def show(self, old: State | None, new: State) -> None:
        """Draw the list."""
        if new.inputs is not None and (old is None or old.inputs is not new.inputs):
            self.query_one("#org-list", Rows).set_rows([_row(org) for org in new.inputs.organizations])

    def _chosen(self) -> Organization | None:
        key = self.query_one("#org-list", Rows).key
        org = self.state.organization(key) if key else None
        if org is None:
            self.notify("There is no organisation yet: a adds the first one.", markup=False)
        return org

    @on(Button.Pressed, "#org-add")
    def action_add(self) -> None:
        """Add an organisation."""
        self.interlock.edit_organization(None)

    @on(Button.Pressed, "#org-edit")
    def action_edit(self) -> None:
        """Change the highlighted organisation."""
        org = self._chosen()
        if org is not None:
            self.interlock.edit_organization(org.id)

    @on(Rows.Chosen, "#org-list")
    def _open(self, event: Rows.Chosen) -> None:
        self.interlock.edit_organization(event.key)

    @on(Button.Pressed, "#org-remove")
    def action_remove(self) -> None:
        """Remove the highlighted organisation, after a question."""
        org = self._chosen()
        if org is None:
            return
        dialog = Confirm(
            f"Remove {org.name}?",
            f"orgs/{org.id}.yaml is deleted. Its answers and observations stay in the folder: they are evidence.",
            (("remove", "Remove"), ("keep", "Keep")),
        )

        def answered(answer: str | None) -> None:
            if answer == "remove":
                self._remove(org)

        self.app.push_screen(dialog, answered)

    @work(group="organizations", exclusive=True, description="remove")
    async def _remove(self, org: Organization) -> None:
        try:
            kept = await asyncio.to_thread(self.interlock.workspace.remove_organization, org.id)
        except InterlockError as error:
            self.notify(plain(error, 400), title="Not removed", severity="error", markup=False)
            return
        names = words.listed([path.name for path in kept])
        self.notify(
            f"Kept as evidence: {names}." if kept else "Nothing else was kept.",
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
