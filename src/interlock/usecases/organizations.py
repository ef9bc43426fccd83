"""Adding, changing and removing the organisations of a workspace."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from interlock.documents.text import plain, slug
from interlock.model.errors import InterlockError
from interlock.model.organization import Organization
from interlock.workspace.store import Workspace


def make_organization(fields: dict[str, Any]) -> Organization:
    """A validated organisation; ``id`` is made from the name when it is not given.

    :raises InterlockError: says which field is wrong and what was expected.
    """
    given = {key: value for key, value in fields.items() if value is not None}
    if "id" not in given and "name" in given:
        given["id"] = slug(str(given["name"]))
    try:
        return Organization.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise InterlockError(f"{name}: {plain(message)}", remedy=_REMEDIES.get(name)) from error


_REMEDIES = {
    "id": "an id is lower-case letters, digits and hyphens, like st-mary",
    "fhir_base_url": "give the FHIR base URL with its scheme, like https://ehr.example.org/fhir/r4",
    "environment": "one of sandbox, non-production, production",
    "vendor": "a lower-case word, like epic, oracle, athenahealth, meditech, other",
}


def add_organization(workspace: Workspace, fields: dict[str, Any]) -> Organization:
    """Add one organisation; its file must not exist yet."""
    org = make_organization(fields)
    workspace.save_organization(org, new=True)
    return org


def edit_organization(workspace: Workspace, org: Organization, changes: dict[str, Any]) -> Organization:
    """Change fields of an organisation; those that are ``None`` stay as they are."""
    changed = make_organization(
        org.model_dump(mode="json", exclude_none=True)
        | {k: v for k, v in changes.items() if v is not None}
        | {"id": org.id}
    )
    workspace.save_organization(changed, new=False)
    return changed
