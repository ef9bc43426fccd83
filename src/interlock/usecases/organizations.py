"""Adding, changing and removing the organisations of a workspace."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from interlock.model.address import REMEDY, SECRET_FOUND
from interlock.model.errors import InterlockError
from interlock.model.organization import Organization
from interlock.model.text import forbidden, plain, slug
from interlock.usecases.trust import trust_typed_base
from interlock.workspace.store import Workspace


def make_organization(fields: dict[str, Any]) -> Organization:
    """A validated organisation; ``id`` is made from the name when it is not given.

    :raises InterlockError: says which field is wrong and what was expected.
    """
    given = {key: value for key, value in fields.items() if value is not None}
    for name, value in given.items():
        wrong = forbidden(value) if isinstance(value, str) else None
        if wrong is not None:
            raise InterlockError(f"{name}: it holds {wrong.description}", remedy="write it again without it")
    if "id" not in given and "name" in given:
        given["id"] = slug(str(given["name"]))
    try:
        return Organization.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        remedy = REMEDY if first["type"] == SECRET_FOUND else _REMEDIES.get(name)
        raise InterlockError(f"{name}: {plain(message)}", remedy=remedy) from error


_REMEDIES = {
    "id": "an id is lower-case letters, digits and hyphens, like st-mary",
    "fhir_base_url": "give the FHIR base URL with its scheme, like https://ehr.example.org/fhir/r4",
    "environment": "one of sandbox, non-production, production",
    "vendor": "a lower-case word, like epic, oracle, athenahealth, meditech, other",
}


def save_organization(workspace: Workspace, org: Organization, before: Organization | None) -> Organization:
    """Save an organisation that the user wrote (``before`` none: a new one), and trust a base that they typed.

    :raises WorkspaceError: a new one exists already, one to change does not, or its file cannot be written.
    """
    workspace.save_organization(org, new=before is None)
    trust_typed_base(workspace, org, before)
    return org


def add_organization(workspace: Workspace, fields: dict[str, Any]) -> Organization:
    """Add one organisation; its file must not exist yet."""
    return save_organization(workspace, make_organization(fields), None)


def edit_organization(workspace: Workspace, org: Organization, changes: dict[str, Any]) -> Organization:
    """Change fields of an organisation; those that are ``None`` stay as they are, and so do those of ``auth``."""
    before = org.model_dump(mode="json", exclude_none=True)
    given = {key: value for key, value in changes.items() if value is not None}
    auth = before.get("auth", {}) | {key: value for key, value in given.pop("auth", {}).items() if value is not None}
    return save_organization(workspace, make_organization(before | given | {"auth": auth, "id": org.id}), org)
