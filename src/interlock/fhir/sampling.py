"""From patients' resources to counts: which fields are there, which statuses and code systems occur. Never a value.

Nothing here raises on anything that a server may send, and nothing of a resource leaves but numbers, FHIR's own status
codes and addresses of code systems.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from interlock.fhir.tolerant import is_plain, objects_of

MAX_RESOURCES = 200
_MAX_VISITED = 5_000
_MAX_SYSTEMS = 50
_MAX_SYSTEM = 200
#: A shorter text of a person is too common a syllable to be looked for inside an address.
_MIN_PERSONAL = 4

#: The codes that ``status``, ``clinicalStatus`` and ``docStatus`` may have in FHIR R4's required value sets. A server
#: that writes anything else there is counted under ``other``: a free word could be anything.
# fmt: off
_STATUS_CODES = frozenset({
    "active", "aborted", "amended", "appended", "arrived", "available", "booked", "cancelled", "cancelled-by-user",
    "checked-in", "completed", "corrected", "current", "declined", "draft", "enroute", "ended", "entered-in-error",
    "error", "final", "finished", "fulfilled", "generated", "healthchecks", "hold", "imported", "in-progress",
    "inactive", "in-review", "in-use", "intended", "introduced", "noshow", "not-done", "on-hold", "onleave",
    "partial", "pending", "planned", "preliminary", "preparation", "proposed", "rejected", "recurrence",
    "registered", "relapse", "remission", "replaced", "requested", "resolved", "retired", "revoked", "stopped",
    "suspended", "superseded", "triaged", "unknown", "unavailable", "waitlist", "waiting",
})
# fmt: on
_STATUS_FIELDS = ("status", "clinicalStatus", "docStatus")
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
#: Elements whose ``system`` names people's identifiers or telephones, no codes.
_NO_CODES = frozenset({"identifier", "telecom", "masterIdentifier"})
#: Elements whose texts belong to one person; any text does within the latter.
_PERSONAL = frozenset({"id", "family", "given", "birthDate", "line", "city", "postalCode", "reference"})
_PERSONAL_WITHIN = frozenset({"identifier", "telecom", "name", "address", "masterIdentifier"})

#: Type → a parameter that US Core requires servers to support together with ``patient``, and one value of it. Each pair
#: of parameters is a SHALL of US Core 6.1.0 (CapabilityStatement us-core-server, as Inferno's test kit has it), each
#: value one that a profile names. Which value is taken where there are several is a judgement: what many patients have.
_NARROWER = {
    "CarePlan": ("category", "assess-plan"),
    "CareTeam": ("status", "active"),
    "Condition": ("category", "problem-list-item"),
    "DiagnosticReport": ("category", "LAB"),
    "DocumentReference": ("category", "clinical-note"),
    "MedicationRequest": ("intent", "order"),
    "Observation": ("category", "vital-signs"),
    "ServiceRequest": ("category", "108252007"),  # laboratory procedure
}
#: US Core's profile → the category that its resources have instead, or one of those (judgement).
_CATEGORY_OF_PROFILE = {
    "us-core-condition-encounter-diagnosis": "encounter-diagnosis",
    "us-core-diagnosticreport-note": "LP29684-5",  # radiology
    "us-core-observation-screening-assessment": "survey",
    "us-core-smokingstatus": "social-history",
}


def narrower(resource: str, profile: str | None) -> tuple[str, str] | None:
    """A parameter and its value that, with a patient, make a search which US Core requires; none when none is known."""
    narrowing = _NARROWER.get(resource)
    if narrowing is None:
        return None
    name = (profile or "").partition("|")[0].rpartition("/")[2]
    return (narrowing[0], _CATEGORY_OF_PROFILE.get(name, narrowing[1])) if narrowing[0] == "category" else narrowing


@dataclass(frozen=True, slots=True)
class ResourceCounts:
    """In how many resources of one type each field, status and code system occurs."""

    count: int
    fields: dict[str, int]
    statuses: dict[str, int]
    systems: dict[str, int]


def count_resources(resources: Sequence[dict[str, Any]], required: Iterable[str]) -> ResourceCounts:
    """Counts over resources of one type. ``required`` are paths such as ``period.start``, ``value[x]``, ``code``."""
    looked_at = resources[:MAX_RESOURCES]
    statuses: Counter[str] = Counter()
    systems: Counter[str] = Counter()
    for resource in looked_at:
        statuses.update(dict.fromkeys(_statuses(resource), 1))
        systems.update(dict.fromkeys(_systems(resource), 1))
    return ResourceCounts(
        count=len(looked_at),
        fields={path: sum(has_field(resource, path) for resource in looked_at) for path in dict.fromkeys(required)},
        statuses=dict(sorted(statuses.items())),
        systems=dict(sorted(systems.most_common(_MAX_SYSTEMS))),
    )


def has_field(resource: Any, path: str) -> bool:
    """Whether a path leads to a value: a list counts when any of its entries has it; an absent reason is no value."""
    head, _, rest = path.partition(".")
    if isinstance(resource, list):
        return any(has_field(entry, path) for entry in resource[:_MAX_VISITED])
    if not isinstance(resource, dict):
        return False
    if head.endswith("[x]"):
        stem = head.removesuffix("[x]")
        names = [key for key in resource if key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper()]
    else:
        names = [head] if head in resource else []
    return any(has_field(resource[name], rest) if rest else _is_value(resource[name]) for name in names)


def _is_value(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_is_value, value))
    if isinstance(value, dict):
        extensions = value.get("extension")
        if value.keys() <= {"extension", "id"} and isinstance(extensions, list):
            return not any(isinstance(extension, dict) and extension.get("url") == _ABSENT for extension in extensions)
        return bool(value)
    return value is not None and value != ""


def _statuses(resource: dict[str, Any]) -> Iterator[str]:
    for name in _STATUS_FIELDS:
        value = resource.get(name)
        codes = (
            [value] if isinstance(value, str) else [coding.get("code") for coding in objects_of(value, "coding", 50)]
        )
        for code in codes:
            if isinstance(code, str):
                shown = code if code in _STATUS_CODES else "other"
                yield shown if name == "status" else f"{name} {shown}"


def _systems(resource: dict[str, Any]) -> Iterator[str]:
    """Addresses of the code systems that a resource uses, as far as nothing of its person is in them."""
    systems: dict[str, None] = {}
    personal: set[str] = set()
    queue: list[tuple[str, str, Any]] = [("", "", resource)]
    for within, name, value in queue:
        if isinstance(value, list):
            queue += [(within, name, entry) for entry in value[: max(0, _MAX_VISITED - len(queue))]]
        elif isinstance(value, dict):
            system = value.get("system")
            if name not in _NO_CODES and isinstance(system, str) and "code" in value:
                systems[system] = None
            queue += [(name, key, child) for key, child in value.items()][: max(0, _MAX_VISITED - len(queue))]
        elif isinstance(value, str) and (name in _PERSONAL or within in _PERSONAL_WITHIN):
            personal.update(part.lower() for part in (value, value.rpartition("/")[2]) if len(part) >= _MIN_PERSONAL)
    for system in systems:
        address = _address(system)
        if address is None or any(part in address.lower() for part in personal):
            yield "other"
        else:
            yield address


def _address(system: str) -> str | None:
    """A code system's URI without query and fragment, or none when it is no absolute address of an allowed kind."""
    if len(system) > _MAX_SYSTEM or not is_plain(system):
        return None
    if system.startswith("urn:oid:"):
        return system if system.removeprefix("urn:oid:").replace(".", "").isdigit() else None
    try:
        parts = urlsplit(system)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return None
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
