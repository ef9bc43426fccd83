"""A bundle of user-access brands as facts: who runs a FHIR base, as patients know it (SMART App Launch 2.2, brands)."""

from __future__ import annotations

from typing import Any

from interlock.fhir.addresses import repair_address
from interlock.fhir.tolerant import MAX_URL, Problems, objects_at, text_at, whole_object
from interlock.model.facts import BrandFacts, BrandIdentifier
from interlock.model.text import plain

_MAX_ENTRIES = 50_000
_MAX_INSIDE = 1_000
_MAX_NAMES = 10


def parse(document: object, base: str, identifier: BrandIdentifier | None) -> BrandFacts:
    """Facts of a bundle that the SMART configuration at ``base`` names. Never raises.

    :param identifier: ``user_access_brand_identifier`` of the configuration, none where it has none.
    """
    problems = Problems()
    bundle = whole_object(document, problems)
    organizations: list[dict[str, Any]] = []
    here: set[str] = set()
    endpoints = others = 0
    own = repair_address(base).url or base
    for entry in objects_at(bundle, "entry", problems, _MAX_ENTRIES):
        resource = entry.get("resource")
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(resource, dict) or kind not in {"Organization", "Endpoint"}:
            others += 1
        elif kind == "Organization":
            organizations.append(resource)
        else:
            endpoints += 1
            if repair_address(text_at(resource, "address", problems, MAX_URL) or "").url == own:
                here |= _names_of(entry, resource, problems)
    brands = [organization for organization in organizations if _refers(organization, here, problems)]
    names = [text_at(organization, "name", problems) or "" for organization in brands]
    return BrandFacts.trusted(
        type=text_at(bundle, "type", problems),
        timestamp=text_at(bundle, "timestamp", problems) is not None,
        organizations=len(organizations),
        endpoints=endpoints,
        others=others,
        endpoints_here=bool(here),
        brands_here=len(brands),
        names_here=tuple([plain(name, 100) for name in names if name][:_MAX_NAMES]),
        matching=None
        if identifier is None or identifier.value is None
        else sum(_identified(organization, identifier, problems) for organization in organizations),
        problems=problems.notes(),
        limits=problems.limits(),
    )


def _names_of(entry: dict[str, Any], resource: dict[str, Any], problems: Problems) -> set[str]:
    """What a reference to an endpoint may say: its full address, or type and id (FHIR R4, bundle, references)."""
    names = {text_at(entry, "fullUrl", problems, MAX_URL)}
    if (identity := text_at(resource, "id", problems)) is not None:
        names.add(f"Endpoint/{identity}")
    return {name for name in names if name}


def _refers(organization: dict[str, Any], names: set[str], problems: Problems) -> bool:
    """Whether an organisation references one of these endpoints."""
    references = (
        text_at(endpoint, "reference", problems, MAX_URL) or ""
        for endpoint in objects_at(organization, "endpoint", problems, _MAX_INSIDE)
    )
    return any(reference.partition("/_history/")[0] in names for reference in references)


def _identified(organization: dict[str, Any], wanted: BrandIdentifier, problems: Problems) -> bool:
    """Whether one of its identifiers is the wanted one; a system that the configuration leaves out is any."""
    return any(
        text_at(held, "value", problems, MAX_URL) == wanted.value
        and wanted.system in {None, text_at(held, "system", problems, MAX_URL)}
        for held in objects_at(organization, "identifier", problems, _MAX_INSIDE)
    )
