"""Adding and changing the organisations of a workspace, and taking them from a directory of endpoints."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from interlock.fhir.directory import DirectoryEntry
from interlock.model import words
from interlock.model.address_secrets import REMEDY, SECRET_FOUND
from interlock.model.errors import InterlockError
from interlock.model.fleet import ImportedOrganization, ImportResult
from interlock.model.organization import Organization
from interlock.model.text import forbidden, plain, slug
from interlock.usecases.directories import pick, read_directory_file, vendor_id
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


#: More than this are added only when a limit says so: a workspace is the organisations that a product integrates with.
MANY = 200
_MAX_ID = 60


def import_organizations(
    workspace: Workspace,
    source: Path | None,
    *,
    name: str | None = None,
    vendor: str | None = None,
    environment: str = "production",
    limit: int | None = None,
    dry_run: bool = False,
) -> ImportResult:
    """Add the organisations of a directory file (none for standard input) whose base URL the workspace has not yet.

    Nothing that exists is changed: ids are made unique, and known base URLs are left as they are.

    :raises InterlockError: the file cannot be read, nothing in it fits, or more than :data:`MANY` would be added
        without a limit.
    """
    directory = read_directory_file(source)
    picked = pick(directory.entries, name, vendor)
    existing = workspace.read().organizations
    known = {_comparable(org.fhir_base_url): org.id for org in existing if org.fhir_base_url}
    fresh = [entry for entry in picked if _comparable(entry.url) not in known]
    if limit is None and len(fresh) > MANY and not dry_run:
        raise InterlockError(
            f"{words.count(len(fresh), 'organisation')} would be added",
            remedy="pick with --name or --vendor, or say how many with --limit; --dry-run shows them",
        )
    chosen = fresh[:limit]
    organizations = _organizations(chosen, vendor, environment, {org.id for org in existing})
    if not dry_run:
        for org in organizations:
            workspace.save_organization(org, new=True)
    return ImportResult(
        form=directory.form,
        listed=directory.listed,
        distinct=len(directory.entries),
        picked=len(picked),
        added=tuple(map(_imported, organizations, chosen)),
        known={entry.url: known[_comparable(entry.url)] for entry in picked if _comparable(entry.url) in known},
        dropped=directory.dropped,
        left_out=len(fresh) - len(chosen),
        saved=not dry_run,
    )


def _organizations(
    entries: Sequence[DirectoryEntry], vendor: str | None, environment: str, taken: Collection[str]
) -> list[Organization]:
    ids = {*taken, "product"}
    organizations = []
    for entry in entries:
        name = entry.name or urlsplit(entry.url).hostname or entry.url
        org_id = _unique(slug(name), ids)
        ids.add(org_id)
        fields = {
            "id": org_id,
            "name": name,
            "vendor": vendor_id(entry.vendor or vendor or "other"),
            "environment": environment,
            "fhir_base_url": entry.url,
        }
        organizations.append(make_organization(fields))
    return organizations


def _unique(wanted: str, taken: Collection[str]) -> str:
    number, org_id = 1, wanted
    while org_id in taken:
        number += 1
        ending = f"-{number}"
        org_id = wanted[: _MAX_ID - len(ending)].rstrip("-") + ending
    return org_id


def _comparable(url: str) -> str:
    """The same for addresses that differ in scheme, the case of the host or a trailing slash only."""
    scheme, mark, rest = url.partition("://")
    if scheme.lower() not in {"http", "https"} or not mark:
        return url
    host, _, path = rest.partition("/")
    return f"{host.lower()}/{path}".rstrip("/")


def _imported(org: Organization, entry: DirectoryEntry) -> ImportedOrganization:
    return ImportedOrganization(
        id=org.id,
        name=org.name,
        vendor=org.vendor,
        fhir_base_url=entry.url,
        other_names=entry.names[1:],
        repairs=entry.repairs,
        location=entry.location,
    )
