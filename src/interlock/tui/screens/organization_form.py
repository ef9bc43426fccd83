"""The form of one organisation, which says at its field what is wrong."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Select, Static

from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.organization import Organization
from interlock.model.text import slug
from interlock.tui.page import text
from interlock.tui.screens.form import Form
from interlock.tui.widgets.fields import Field, Segments, labelled
from interlock.tui.work import in_thread

if TYPE_CHECKING:
    from interlock.workspace.store import FileChange, Workspace

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


class OrganizationForm(Form["Organization | None"]):
    """Dismissed with the saved organisation, or none when cancelled."""

    def __init__(self, workspace: Workspace, org: Organization | None = None) -> None:
        """``org`` none adds one."""
        super().__init__(f"Edit {org.name}" if org else "Add an organisation")
        self._workspace, self._org = workspace, org
        self.change: FileChange | None = None  # what saving made of the organisation's file

    def fields(self) -> ComposeResult:
        """A labelled line for each field, with room for what is wrong with it."""
        given = self._org.model_dump(mode="json") if self._org else {}
        auth = given.get("auth", {})
        for name, label, hint in _TEXTS[:2]:
            yield from _line(name, label, hint, given.get(name), disabled=name == "id" and self._org is not None)
        vendor = str(given.get("vendor") or "other")
        choices = [(words.capital(words.vendor(name)), name) for name in dict.fromkeys((*_VENDORS, vendor))]
        yield labelled("Vendor", Select(choices, value=vendor, allow_blank=False, id="vendor", compact=True))
        current = str(given.get("environment") or "non-production")
        segments = Segments([(name, name) for name in _ENVIRONMENTS], current, id="environment")
        yield labelled("Environment", segments)
        for name, label, hint in _TEXTS[2:]:
            yield from _line(name, label, hint, given.get(name))
        yield Static("Credentials are named, never written down.", classes="hint", markup=False)
        for name, label, hint in _AUTH:
            yield from _line(name, label, hint, auth.get(name))

    @on(Input.Changed, "#name")
    def _suggest_id(self, event: Input.Changed) -> None:
        if self._org is None:
            self.query_one("#id", Input).placeholder = (
                slug(event.value) if event.value.strip() else "made from the name"
            )

    def _given(self) -> dict[str, Any]:
        fields: dict[str, Any] = self._org.model_dump(mode="json", exclude_none=True) if self._org else {}
        for name, _, _ in _TEXTS:
            fields[name] = self.query_one(f"#{name}", Field).given or None
        fields["vendor"] = self.query_one("#vendor", Select).value
        fields["environment"] = self.query_one("#environment", Segments).value
        values = {name: self.query_one(f"#{name}", Field).given for name, _, _ in _AUTH}
        fields["auth"] = {name: value for name, value in values.items() if value}
        return fields

    async def save(self) -> None:
        """Check and save."""
        from interlock.usecases.organizations import make_organization, save_organization

        self.query(".error").set(display=False)
        if not self.query_one("#name", Field).given:
            self._wrong("name", "an organisation needs a name")
            return
        org = make_organization(self._given())
        # Another process may hold the workspace's lock for seconds: wait for it away from the screen.
        save = partial(save_organization, self._workspace, org, self._org)
        _, self.change = await in_thread(self._workspace.watched, f"orgs/{org.id}.yaml", save)
        self.dismiss(org)

    def refuse(self, error: InterlockError) -> None:
        """Say at its field what is wrong."""
        name, _, message = error.message.partition(": ")
        field = name.split(".")[-1]
        if message and field.isidentifier() and self.query(f"#{field}-error"):
            self._wrong(field, error.remedy or message)
        elif self._org is None and "exists already" in error.message:
            self._wrong("id", error.message)
        else:
            super().refuse(error)

    def _wrong(self, field: str, message: str) -> None:
        shown = self.query_one(f"#{field}-error", Static)
        shown.display = True
        shown.update(text(f"! {message}"))
        self.query_one(f"#{field}").focus()


def _line(name: str, label: str, hint: str, value: object, *, disabled: bool = False) -> ComposeResult:
    shown = None if value is None else str(value)
    field = Field(shown, placeholder=hint, lines=name == "note", id=name, compact=True, disabled=disabled)
    yield labelled(label, field)
    yield Static("", id=f"{name}-error", classes="error field-error", markup=False)
