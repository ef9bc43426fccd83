"""Directories as FHIR resources: whose an Endpoint is, by every way in which FHIR says so.

Read are ``Organization.endpoint``, the portals of SMART App Launch 2.2 User-access Brands, roles and services that link
an organisation with an endpoint, ``Endpoint.managingOrganization`` and contained organisations. ``Endpoint.name`` names
the interface, not an organisation: it is taken only where nothing else is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from interlock.fhir.directory import states
from interlock.fhir.directory.listed import DirectoryError, Owner, Part, Row, name_of, owners_named
from interlock.fhir.directory.references import Entry, References, contained_in
from interlock.fhir.tolerant import objects_of
from interlock.model.address_secrets import redacted_base
from interlock.model.text import plain

_PORTAL = "http://hl7.org/fhir/StructureDefinition/organization-portal"
#: Resources that link an endpoint with an organisation → their references to it, the nearer one first.
_LINKS = {
    "OrganizationAffiliation": ("participatingOrganization", "organization"),
    "HealthcareService": ("providedBy",),
    "PractitionerRole": ("organization",),
    "Location": ("managingOrganization",),
}
_READ = frozenset({"Endpoint", "Organization", *_LINKS})
_MAX_ALIASES = 20
_NAMES = 5


def entries_of(values: list[Any], notes: list[str]) -> list[Entry]:
    """The resources of a list of resources and Bundles, Bundles within Bundles included.

    :raises DirectoryError: a Bundle is a history, or nothing of it belongs to a directory.
    """
    entries: list[Entry] = []
    others: Counter[str] = Counter()
    several = len(values) > 1
    waiting: list[tuple[Any, str | None, str]] = [
        (values[number - 1], None, f"entry {number}" if several else "") for number in range(len(values), 0, -1)
    ]
    while waiting:
        value, full_url, location = waiting.pop()
        kind = value.get("resourceType") if isinstance(value, dict) else None
        if kind == "Bundle":
            _note_bundle(value, location, notes)
            listed = value.get("entry")
            for number in range(len(listed) if isinstance(listed, list) else 0, 0, -1):
                inner = listed[number - 1]
                label = ", ".join(filter(None, (location, f"entry {number}")))
                if isinstance(inner, dict):
                    url = inner.get("fullUrl")
                    waiting.append((inner.get("resource"), url if isinstance(url, str) else None, label))
                else:
                    others["no resource"] += 1
        elif isinstance(kind, str) and kind in _READ:
            entries.append(Entry(value, full_url, location))
        else:
            others[kind if isinstance(kind, str) and kind.isalpha() and len(kind) < 60 else "no resource"] += 1
    if not any(entry.resource["resourceType"] in {"Endpoint", "Organization"} for entry in entries):
        told = ", ".join(f"{count:,} {kind}" for kind, count in others.most_common(_NAMES))
        raise DirectoryError("it holds no Endpoint" + (f" but {told}" if told else ", and nothing else"))
    if others:
        told = ", ".join(f"{count:,} {kind}" for kind, count in others.most_common(_NAMES))
        notes.append(f"not read, because they belong to no directory of endpoints: {told}")
    return entries


def _note_bundle(bundle: dict[str, Any], location: str, notes: list[str]) -> None:
    """What a Bundle says of itself: its type, and whether more pages follow (FHIR R4 http.html#paging)."""
    where = f" ({location})" if location else ""
    kind = bundle.get("type")
    if kind == "history":
        raise DirectoryError(f"it is a history, which holds older versions and deletions{where}; give a collection")
    if isinstance(kind, str) and kind not in {"collection", "searchset"}:
        notes.append(f"the Bundle's type is {plain(kind[:80], 40)}, and it was read like a collection{where}")
    total, listed = bundle.get("total"), bundle.get("entry")
    held = len(listed) if isinstance(listed, list) else 0
    following = next((link.get("url") for link in objects_of(bundle, "link") if link.get("relation") == "next"), None)
    of_all = f" of {total:,}" if isinstance(total, int) and total > held else ""
    if following is not None:
        address = plain(redacted_base(following[:400]), 200) if isinstance(following, str) else "no address"
        notes.append(
            f"the file is one page with {held:,}{of_all} entries{where}; the next page was not read: {address}. "
            "Fetch the pages and give them in one file, a Bundle a line"
        )
    elif of_all and kind == "searchset":
        notes.append(f"the file holds {held:,}{of_all} entries{where}, and names no next page")


def rows_of(entries: list[Entry], today: date) -> Iterator[Row | Part]:
    """A row for each Endpoint; then, for each Organization that no row names, whose part it is or why it has none."""
    references = References(entries)
    owners = _owners(entries)
    by_endpoint: dict[int, dict[int, None]] = {}
    outside: dict[int, str] = {}
    for number, entry in enumerate(entries):
        linked = _linked(references, entry, number)
        for reference in _endpoints(entry.resource):
            endpoint = references.find(reference, entry, "Endpoint")
            if endpoint is None:
                outside.update(dict.fromkeys(linked, _outside(reference)))
            else:
                by_endpoint.setdefault(endpoint, {}).update(dict.fromkeys(linked))
    named: set[int] = set()
    for number, entry in enumerate(entries):
        if entry.resource["resourceType"] == "Endpoint":
            row = _row(references, entry, [owners[key] for key in by_endpoint.get(number, ()) if key in owners], owners)
            named.update(owner.key for owner in row.owners if owner.key is not None)
            yield _with_state(row, entry.resource, today)
    for key, owner in owners.items():
        if key not in named:
            whole = references.find(entries[key].resource.get("partOf"), entries[key], "Organization")
            yield Part(owner, whole, outside.get(key, "no endpoint is listed for it"))
    for number, entry in enumerate(entries):
        if entry.resource["resourceType"] == "Organization" and number not in owners:
            resource = entry.resource
            name = name_of(resource.get("name"))
            yield Part(
                Owner(name, location=entry.location),
                None,
                "it is no longer active" if resource.get("active") is False else "it has no name",
            )


def _owners(entries: list[Entry]) -> dict[int, Owner]:
    """The organisations by their place: those in use that have a name, or else an alias."""
    owners = {}
    for number, (resource, _, location) in enumerate(entries):
        if resource["resourceType"] != "Organization" or resource.get("active") is False:
            continue
        listed = resource.get("alias")
        aliases = [name_of(alias) for alias in (listed[:_MAX_ALIASES] if isinstance(listed, list) else ())]
        names = list(dict.fromkeys(filter(None, (name_of(resource.get("name")), *aliases))))
        if names:
            owners[number] = Owner(names[0], number, tuple(names[1:]), location)
    return owners


def _linked(references: References, entry: Entry, number: int) -> list[int]:
    """The organisations that the endpoints of a resource belong to."""
    if entry.resource["resourceType"] == "Organization":
        return [number]
    for field in _LINKS.get(entry.resource["resourceType"], ()):
        owner_number = references.find(entry.resource.get(field), entry, "Organization")
        if owner_number is not None:
            return [owner_number]
    return []


def _endpoints(resource: dict[str, Any]) -> Iterator[Any]:
    """References to endpoints: the resource's own, and those in the portals of a brand (``organization-portal``)."""
    listed = resource.get("endpoint")
    yield from listed if isinstance(listed, list) else ()
    for portal in objects_of(resource, "extension"):
        if portal.get("url") == _PORTAL:
            parts = objects_of(portal, "extension")
            yield from (part.get("valueReference") for part in parts if part.get("url") == "portalEndpoint")


def _outside(reference: Any) -> str:
    target = reference.get("reference") if isinstance(reference, dict) else None
    shown = plain(redacted_base(target[:200]), 120) if isinstance(target, str) else "nothing"
    return f"its endpoint is not in the file (like {shown})"


def _row(references: References, entry: Entry, listed: list[Owner], owners: dict[int, Owner]) -> Row:
    resource = entry.resource
    managing = resource.get("managingOrganization")
    own: list[Owner] = []
    number = references.find(managing, entry, "Organization")
    inner = contained_in(resource, managing, "Organization")
    contained = [inner] if inner else objects_of(resource, "contained")
    if number is not None and number in owners:
        own.append(owners[number])
    elif number is None and contained:
        names = [name_of(each.get("name")) for each in contained if each.get("resourceType") == "Organization"]
        own.extend(owners_named(*names))
    if not own and number is None and isinstance(managing, dict):
        own.extend(owners_named(name_of(managing.get("display"))))
    label = name_of(resource.get("name"))
    named = tuple(dict.fromkeys((*listed, *own))) or owners_named(label)
    address = resource.get("address")
    return Row(entry.location, address if isinstance(address, str) else "", named, label=label)


def _with_state(row: Row, endpoint: dict[str, Any], today: date) -> Row:
    return Row(
        row.location,
        row.address,
        row.owners,
        unfit=states.unfit(endpoint, today),
        release=states.release(endpoint),
        environment=states.environment(endpoint),
        label=row.label,
    )
