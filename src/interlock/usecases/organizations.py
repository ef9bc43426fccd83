"""Adding and changing the organisations of a workspace, and taking them from a directory of endpoints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import JsonValue, ValidationError

from interlock.documents.yaml import parse_yaml
from interlock.fhir.addresses import base_key
from interlock.fhir.directory.listed import Base, ListedOrganization
from interlock.model import words
from interlock.model.address_secrets import REMEDY, SECRET_FOUND
from interlock.model.contract import SurfaceSetting
from interlock.model.errors import InterlockError
from interlock.model.fleet import ImportedOrganization, ImportResult, KnownOrganization, ListedBase
from interlock.model.organization import Organization
from interlock.model.text import forbidden, plain, slug
from interlock.usecases.directories import pick, read_directory_file, vendor_id
from interlock.usecases.trust import trust_typed_base
from interlock.workspace.store import FileChange, Workspace


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


def setting_value(setting: SurfaceSetting, typed: str) -> JsonValue:
    """An organisation's value of a setting as somebody typed it; none for nothing. A list is typed ``a, b``.

    :raises InterlockError: it is no value of the setting's type.
    """
    given = typed.strip()
    if not given:
        return None
    value: JsonValue
    if setting.type == "list":
        value = [part.strip() for part in given.strip("[]").split(",") if part.strip()]
    elif setting.type in {"boolean", "integer", "number"}:
        value = parse_yaml(given, setting.name).data
    else:
        value = given
    if not setting.takes(value):
        raise InterlockError(f"{words.SETTING_TYPE[setting.type]} is expected", remedy="nothing takes the value away")
    return value


def typed_setting(value: JsonValue) -> str:
    """A setting's value as somebody would type it; nothing where there is none."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def set_at(workspace: Workspace, org: Organization, setting: SurfaceSetting, typed: str) -> Organization:
    """Save an organisation with its own value of a setting, or without one where nothing is typed.

    :raises InterlockError: it is no value of the setting's type.
    """
    value = setting_value(setting, typed)
    others = {name: given for name, given in org.overrides.items() if name != setting.name}
    own = {setting.name: value} if value is not None else {}
    return save_organization(workspace, org.but(overrides=others | own), org)


#: More than this are added only when a limit says so: a workspace is the organisations that a product integrates with.
MANY = 200
_MAX_ID = 60


def import_organizations(
    workspace: Workspace,
    source: Path | None,
    *,
    name: str | None = None,
    vendor: str | None = None,
    environment: str | None = None,
    limit: int | None = None,
    dry_run: bool = False,
) -> ImportResult:
    """Add the organisations of a directory file (none for standard input) that the workspace does not have yet.

    Each gets one base: of the contract's FHIR release where the directory lists several, or of R4 without a contract.
    ``environment`` none takes what the directory says of it, and production where it says nothing. Nothing that exists
    is changed: ids are made unique; an organisation is known by its base, and by its name too where several share it.

    :raises InterlockError: the file cannot be read, nothing in it fits, or more than :data:`MANY` would be added
        without a limit.
    """
    directory = read_directory_file(source)
    picked = pick(directory, name, vendor)
    existing = workspace.read().organizations
    at_base = _at_base(existing)
    known = [(listed, _known_as(listed, at_base)) for listed in picked]
    fresh = [listed for listed, org in known if org is None]
    if limit is None and len(fresh) > MANY and not dry_run:
        first = words.listed([listed.name for listed in fresh if listed.name], 4)
        raise InterlockError(
            f"{words.count(len(fresh), 'organisation')} would be added" + (f": {first}" if first else ""),
            remedy="pick with --name or --vendor, or say how many with --limit; --dry-run shows them",
        )
    chosen = fresh[:limit]
    organizations, bases = listed_organizations(workspace, chosen, existing, vendor, environment)
    if not dry_run:
        for org in organizations:
            workspace.save_organization(org, new=True)
    return ImportResult(
        form=directory.form,
        listed=directory.listed,
        distinct=len(directory.bases),
        organizations=len(directory.organizations),
        picked=len(picked),
        parts=sum(listed.part_of is not None for listed in directory.organizations) if name is None else 0,
        added=tuple(map(_imported, organizations, chosen, bases)),
        known=tuple(
            KnownOrganization(id=org.id, name=org.name, fhir_base_url=org.fhir_base_url or "")
            for _, org in known
            if org is not None
        ),
        dropped=directory.dropped,
        unreached=directory.unreached,
        left_out=len(fresh) - len(chosen),
        notes=directory.notes,
        saved=not dry_run,
    )


def listed_organizations(
    workspace: Workspace,
    chosen: Sequence[ListedOrganization],
    existing: Sequence[Organization],
    vendor: str | None = None,
    environment: str | None = None,
) -> tuple[list[Organization], list[Base]]:
    """The organisations that these of a directory become, not saved yet, and the base that each gets."""
    contract = workspace.contract() if any(len(listed.bases) > 1 for listed in chosen) else None
    release = contract.fhir_release if contract is not None else "R4"
    bases = [listed.base_for(release) for listed in chosen]
    return _organizations(chosen, bases, vendor, environment, {org.id for org in existing}), bases


class Added(NamedTuple):
    """An organisation of a directory that was added: its base there, and what that made of its file."""

    org: Organization
    base: Base
    change: FileChange


def add_listed(workspace: Workspace, listed: Sequence[ListedOrganization]) -> tuple[list[Added], list[Organization]]:
    """Add these of a directory, one after the other; also the organisations here that some of them are already.

    :raises WorkspaceError: one cannot be written; those before it were added.
    """
    existing = workspace.read().organizations
    at_base = _at_base(existing)
    known = [(entry, _known_as(entry, at_base)) for entry in listed]
    organizations, bases = listed_organizations(workspace, [entry for entry, org in known if org is None], existing)
    added = []
    for org, base in zip(organizations, bases, strict=True):
        save = partial(workspace.save_organization, org, new=True)
        added.append(Added(org, base, workspace.watched(f"orgs/{org.id}.yaml", save)[1]))
    return added, [org for _, org in known if org is not None]


def _at_base(existing: Sequence[Organization]) -> dict[str, list[Organization]]:
    at_base: dict[str, list[Organization]] = {}
    for org in existing:
        if org.fhir_base_url and org.fhir_base_url.startswith(("http://", "https://")):
            at_base.setdefault(base_key(org.fhir_base_url), []).append(org)
    return at_base


def _known_as(listed: ListedOrganization, at_base: dict[str, list[Organization]]) -> Organization | None:
    """The organisation of the workspace that a listed one is, or none."""
    for base in listed.bases if at_base else ():
        for org in at_base.get(base_key(base.url), ()):
            if (
                base.shared_by + base.parts == 1
                or org.name.casefold() == listed.name.casefold()
                or org.id == slug(listed.name)
            ):
                return org
    return None


def _organizations(
    listed: Sequence[ListedOrganization],
    bases: Sequence[Base],
    vendor: str | None,
    environment: str | None,
    taken: set[str],
) -> list[Organization]:
    ids = {*taken, "product"}
    organizations = []
    next_numbers: dict[str, int] = {}
    for organization, base in zip(listed, bases, strict=True):
        name = organization.name or urlsplit(base.url).hostname or base.url
        org_id = _unique(slug(name), ids, next_numbers)
        ids.add(org_id)
        fields = {
            "id": org_id,
            "name": name,
            "vendor": vendor_id(organization.vendor or vendor or "other"),
            "environment": environment or base.environment or "production",
            "fhir_base_url": base.url,
        }
        organizations.append(make_organization(fields))
    return organizations


def _unique(wanted: str, taken: set[str], next_numbers: dict[str, int]) -> str:
    """An id that is free. Where a name comes again and again, numbers go on from the last one."""
    number, org_id = next_numbers.get(wanted, 1), wanted
    while org_id in taken:
        number += 1
        ending = f"-{number}"
        org_id = wanted[: _MAX_ID - len(ending)].rstrip("-") + ending
    next_numbers[wanted] = number
    return org_id


def _imported(org: Organization, listed: ListedOrganization, chosen: Base) -> ImportedOrganization:
    return ImportedOrganization(
        id=org.id,
        name=org.name,
        vendor=org.vendor,
        environment=org.environment,
        fhir_base_url=chosen.url,
        release=chosen.release,
        shared_by=chosen.shared_by,
        other_bases=tuple(
            ListedBase(fhir_base_url=base.url, release=base.release, kind=base.kind)
            for base in listed.bases
            if base is not chosen
        ),
        part_of=listed.part_of.name if listed.part_of is not None else None,
        repairs=chosen.repairs,
        location=listed.location,
    )
