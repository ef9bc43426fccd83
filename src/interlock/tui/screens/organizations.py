"""The organisations of the workspace: add, change (with a form that says at its field what is wrong), remove."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Select, Static

from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.organization import Organization
from interlock.model.text import plain, slug
from interlock.tui.keys import bindings
from interlock.tui.page import DIM, WARN, line, text
from interlock.tui.screens.search import Entry, Search
from interlock.tui.screens.section import AskText, Confirm, Dialog, Section
from interlock.tui.state import State
from interlock.tui.undo import Step
from interlock.tui.widgets.fields import Field, Segments, labelled
from interlock.tui.widgets.rows import Column, Row, Rows
from interlock.tui.work import in_thread

if TYPE_CHECKING:
    from interlock.fhir.directory.listed import ListedOrganization
    from interlock.workspace.store import FileChange, Workspace


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

    @on(Button.Pressed, "#org-import")
    @work(group="organizations", exclusive=True, description="import")
    async def action_import(self) -> None:
        """Add organisations that a directory lists, one after the other, until the list is closed."""
        from interlock.usecases.directories import read_directory_file

        dialog = AskText(
            "Which directory?",
            "A file: a FHIR Bundle of Endpoints as vendors publish it, a CSV, or an address a line.",
            placeholder="epic-r4.json",
            check=_readable_file,
        )
        typed = await self.answer_to(dialog)
        if typed is None:
            return
        self.notify("Reading the directory…")
        try:
            directory = await in_thread(lambda: read_directory_file(Path(typed).expanduser()))
        except InterlockError as error:
            self.notify(plain(error, 400), title="Not read", severity="error", markup=False)
            return
        entries = [_entry(str(index), listed) for index, listed in enumerate(directory.organizations)]
        while True:
            search = Search("Add which?", "a name, a vendor or a host", entries)
            chosen = await self.answer_to(search)
            if chosen is None:
                return
            await self._add_listed(directory.organizations[int(chosen)])

    async def _add_listed(self, listed: ListedOrganization) -> None:
        """Add one, unless its base is here already."""
        from interlock.usecases.organizations import known_organization, listed_organizations

        workspace = self.interlock.workspace
        existing = (await in_thread(workspace.read)).organizations
        if (known := known_organization(listed, existing)) is not None:
            self.notify(f"It is here already: {plain(known.name, 80)}.", severity="warning", markup=False)
            return
        try:
            (org,), (base,) = await in_thread(listed_organizations, workspace, [listed], existing)
            save = partial(workspace.save_organization, org, new=True)
            _, change = await in_thread(workspace.watched, f"orgs/{org.id}.yaml", save)
        except InterlockError as error:
            self.notify(plain(error, 400), title="Not added", severity="error", markup=False)
            return
        self.interlock.changed(Step(f"adding {plain(org.name, 80)}", files=(change,)))
        shared = f" {words.count(base.shared_by, 'listed organisation')} share this base." if base.shared_by > 1 else ""
        self.notify(f"{base.url} ({org.environment}).{shared}", title=f"Added {plain(org.name, 80)}", markup=False)
        self.interlock.action_reload()

    @on(Button.Pressed, "#org-edit")
    @on(Rows.Chosen, "#org-list")
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
            f"{f'Kept as evidence: {names}' if kept else 'Nothing else was kept'}. ctrl+z brings it back.",
            title=f"Removed {plain(org.name, 80)}",
            markup=False,
        )
        self.interlock.action_reload()


def _readable_file(typed: str) -> None:
    """:raises InterlockError: there is no such file."""
    if not Path(typed).expanduser().is_file():
        raise InterlockError(f"there is no file {plain(typed, 200)!r}", remedy="give its path, such as ~/epic-r4.json")


def _entry(key: str, listed: ListedOrganization) -> Entry:
    hosts = " ".join(base.url for base in listed.bases)
    searched = " ".join((listed.name, *listed.aliases, *listed.vendors, hosts)).casefold()
    return Entry(key, searched, partial(_listed, listed))


def _listed(listed: ListedOrganization) -> Content:
    base = listed.bases[0]
    more = f", {words.count(len(listed.bases), 'base')}" if len(listed.bases) > 1 else ""
    shared = f", shared by {base.shared_by}" if base.shared_by > 1 else ""
    aside = f"  {plain(listed.vendor or 'vendor not named', 40)}, {base.release or 'release not named'}{more}{shared}"
    return line((plain(listed.name or base.url, 100), "bold"), (aside, DIM))


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


_VENDORS = ("epic", "oracle", "athenahealth", "meditech", "other")
_ENVIRONMENTS = ("sandbox", "non-production", "production")
#: (field, label, hint). A field of ``auth`` names an environment variable; secrets are never written down.
_TEXTS: tuple[tuple[str, str, str], ...] = (
    ("name", "Name", "St. Mary Hospital"),
    ("id", "Id", "made from the name"),
    ("fhir_base_url", "FHIR base URL", "https://ehr.example.org/fhir/r4"),
    ("note", "Note", "anything a reader should know"),
)
_AUTH: tuple[tuple[str, str, str], ...] = (
    ("client_id_env", "Client id in", "name of an environment variable"),
    ("client_secret_env", "Secret in", "name of an environment variable"),
    ("private_key_env", "Private key in", "name of an environment variable"),
    ("key_id_env", "Key id in", "only for a PEM key, which carries no kid of its own"),
    ("bearer_token_env", "Token in", "name of an environment variable"),
    ("refresh_token_env", "Refresh token in", "best of a test user: an active probe with a sample spends it"),
)


class OrganizationForm(Dialog["Organization | None"]):
    """Dismissed with the saved organisation, or none when cancelled."""

    BINDINGS = bindings("form")
    FRAME = "dialog -wide"

    def __init__(self, workspace: Workspace, org: Organization | None = None) -> None:
        """``org`` none adds one."""
        super().__init__(f"Edit {org.name}" if org else "Add an organisation")
        self._workspace, self._org = workspace, org
        self.change: FileChange | None = None  # what saving made of the organisation's file

    def body(self) -> ComposeResult:
        """A labelled line for each field, with room for what is wrong with it."""
        given = self._org.model_dump(mode="json") if self._org else {}
        auth = given.get("auth", {})
        with VerticalScroll(classes="form", can_focus=False):
            for name, label, hint in _TEXTS[:2]:
                yield from _line(name, label, hint, given.get(name), disabled=name == "id" and self._org is not None)
            vendor = str(given.get("vendor") or "other")
            choices = [(words.capital(words.vendor(name)), name) for name in dict.fromkeys((*_VENDORS, vendor))]
            select = Select(choices, value=vendor, allow_blank=False, id="vendor", compact=True)
            yield labelled("Vendor", select)
            current = str(given.get("environment") or "non-production")
            segments = Segments([(name, name) for name in _ENVIRONMENTS], current, id="environment")
            yield labelled("Environment", segments)
            for name, label, hint in _TEXTS[2:]:
                yield from _line(name, label, hint, given.get(name))
            yield Static("Credentials are named, never written down.", classes="hint", markup=False)
            for name, label, hint in _AUTH:
                yield from _line(name, label, hint, auth.get(name))
        yield Static("", id="form-problem", classes="error", markup=False)
        with Horizontal(classes="dialog--buttons"):
            yield Button("Save", id="save", variant="primary", compact=True)
            yield Button("Cancel", id="cancel", compact=True)
            yield Static("ctrl+s saves   escape cancels", classes="hint", markup=False)

    @on(Input.Changed, "#name")
    def _suggest_id(self, event: Input.Changed) -> None:
        if self._org is None:
            self.query_one("#id", Input).placeholder = (
                slug(event.value) if event.value.strip() else "made from the name"
            )

    def _fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = self._org.model_dump(mode="json", exclude_none=True) if self._org else {}
        for name, _, _ in _TEXTS:
            fields[name] = self.query_one(f"#{name}", Field).given or None
        fields["vendor"] = self.query_one("#vendor", Select).value
        fields["environment"] = self.query_one("#environment", Segments).value
        values = {name: self.query_one(f"#{name}", Field).given for name, _, _ in _AUTH}
        fields["auth"] = {name: value for name, value in values.items() if value}
        return fields

    @on(Button.Pressed, "#save")
    @on(Input.Submitted)
    async def action_save(self) -> None:
        """Check and save; what is wrong is said at its field, and the form stays."""
        from interlock.usecases.organizations import make_organization, save_organization

        self.query(".error").set(display=False)
        if not self.query_one("#name", Field).given:
            self._wrong("name", "an organisation needs a name")
            return
        try:
            org = make_organization(self._fields())
            # Another process may hold the workspace's lock for seconds: wait for it away from the screen.
            save = partial(save_organization, self._workspace, org, self._org)
            _, self.change = await in_thread(self._workspace.watched, f"orgs/{org.id}.yaml", save)
        except InterlockError as error:
            self._explain(error)
        else:
            self.dismiss(org)

    def _explain(self, error: InterlockError) -> None:
        name, _, message = error.message.partition(": ")
        field = name.split(".")[-1]
        if message and field.isidentifier() and self.query(f"#{field}-error"):
            self._wrong(field, error.remedy or message)
        elif self._org is None and "exists already" in error.message:
            self._wrong("id", error.message)
        else:
            problem = self.query_one("#form-problem", Static)
            problem.display = True
            problem.update(text(f"! {error}"))

    def _wrong(self, field: str, message: str) -> None:
        shown = self.query_one(f"#{field}-error", Static)
        shown.display = True
        shown.update(text(f"! {message}"))
        self.query_one(f"#{field}").focus()

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)


def _line(name: str, label: str, hint: str, value: object, *, disabled: bool = False) -> ComposeResult:
    shown = None if value is None else str(value)
    field = Field(shown, placeholder=hint, lines=name == "note", id=name, compact=True, disabled=disabled)
    yield labelled(label, field)
    yield Static("", id=f"{name}-error", classes="error field-error", markup=False)
