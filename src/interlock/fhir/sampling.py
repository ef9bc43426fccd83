"""From patients' resources to counts: which fields are there, which statuses and code systems occur. Never a value.

Nothing here raises on anything that a server may send, and nothing of a resource leaves but numbers, FHIR's own status
codes and addresses of code systems.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args
from urllib.parse import urlsplit

from interlock.fhir.searchset import codes_in
from interlock.fhir.tables import Unknown, release
from interlock.fhir.tolerant import is_plain, objects_of
from interlock.model.facts import FhirRelease
from interlock.model.sample import Absence

MAX_RESOURCES = 200
_MAX_VISITED = 5_000
_MAX_SYSTEMS = 50
_MAX_SYSTEM = 200
#: A shorter text of a person is too common a syllable to be looked for inside an address.
_MIN_PERSONAL = 4

#: Elements whose codes are counted. A word that the release's own value set does not have is counted under ``other``:
#: a free word could be anything.
_STATUS_FIELDS = ("status", "clinicalStatus", "verificationStatus", "docStatus", "lifecycleStatus")
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
#: Code systems that say why there is no code (FHIR R4, data-absent-reason and v3 NullFlavor, in the spellings of each
#: release); the extension's own address is written in their place too.
_NO_VALUE = frozenset(
    {
        _ABSENT,
        "http://terminology.hl7.org/CodeSystem/data-absent-reason",
        "http://hl7.org/fhir/data-absent-reason",
        "http://terminology.hl7.org/CodeSystem/v3-NullFlavor",
        "http://hl7.org/fhir/v3/NullFlavor",
    }
)
#: The URNs that FHIR names as code systems (FHIR R4, terminologies-systems.html), besides OIDs.
_URNS = frozenset(
    {
        "urn:ietf:bcp:13",
        "urn:ietf:bcp:47",
        "urn:iso:std:iso:3166",
        "urn:iso:std:iso:3166:-2",
        "urn:iso:std:iso:4217",
        "urn:iso-astm:E1762-95:2013",
    }
)
_UNITS = "http://unitsofmeasure.org"
_OID = re.compile(r"[0-2](?:\.\d{1,40}){3,30}", re.ASCII)
#: A reference to what has the code, where the type has a choice (R4 MedicationRequest, DeviceRequest, SupplyRequest).
_BY_REFERENCE = ("medicationReference", "codeReference", "itemReference")
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


class Wanted(NamedTuple):
    """What the contract reads of a type, and by which releases its names and the server's codes are understood."""

    kind: str
    fields: tuple[str, ...] = ()
    terminology: tuple[str, ...] = ()
    written: FhirRelease = "R4"
    held: FhirRelease = "R4"


@dataclass(frozen=True, slots=True)
class ResourceCounts:
    """In how many resources of one type each field, status and code system occurs (see ``InputSample``)."""

    count: int
    void: int
    fields: dict[str, int]
    absent: dict[str, dict[Absence, int]]
    statuses: dict[str, int]
    systems: dict[str, int]
    expected: int
    uncoded: int
    referenced: int


def count_resources(resources: Sequence[dict[str, Any]], wanted: Wanted) -> ResourceCounts:
    """Counts over resources of one type. Fields are paths such as ``period.start``, ``value[x]``, ``code``.

    What was entered in error counts among the statuses alone: nobody reads its fields, and FHIR forbids some of them
    there (R4 ``con-5``, ``ait-2``).
    """
    looked_at = resources[:MAX_RESOURCES]
    valid = [resource for resource in looked_at if not _is_void(resource, wanted)]
    codes = {name: _codes_of(wanted, name) for name in _STATUS_FIELDS}
    statuses: Counter[str] = Counter()
    systems: Counter[str] = Counter()
    for resource in looked_at:
        statuses.update(dict.fromkeys(_statuses(resource, codes), 1))
    expected = uncoded = referenced = 0
    for resource in valid:
        used = dict.fromkeys(_systems(resource, wanted.terminology), 1)
        systems.update(used)
        if any(system in used for system in alternatives(wanted.terminology)):
            expected += 1
        elif _has_no_code(resource):
            uncoded += 1
        else:
            referenced += _is_coded_elsewhere(resource)
    fields: dict[str, int] = {}
    absent: dict[str, dict[Absence, int]] = {}
    for path in dict.fromkeys(wanted.fields):
        if (steps := _steps(wanted, path)) is not None:
            presences = Counter(presence(resource, steps) for resource in valid)
            fields[path] = presences["present"]
            if lacking := {why: presences[why] for why in get_args(Absence) if presences[why]}:
                absent[path] = lacking
    return ResourceCounts(
        count=len(looked_at),
        void=len(looked_at) - len(valid),
        fields=fields if valid else {},
        absent=absent,
        statuses=dict(sorted(statuses.items())),
        systems=dict(sorted(systems.most_common(_MAX_SYSTEMS))),
        expected=expected,
        uncoded=uncoded,
        referenced=referenced,
    )


def alternatives(terminology: Sequence[str]) -> Sequence[str]:
    """The code systems of a contract of which one is enough: UCUM, of units, only where no other is named."""
    return [system for system in terminology if system != _UNITS] or terminology


def _has_no_code(resource: dict[str, Any]) -> bool:
    """Whether a resource says of one of its codes why it is not there."""
    return any(
        isinstance(value, dict) and _leaf(value) == "reason"
        for name, value in resource.items()
        if name != "dataAbsentReason"
    )


def _is_coded_elsewhere(resource: dict[str, Any]) -> bool:
    """Whether what a resource is about is another resource that it refers to, whose code says what it is."""
    if any(isinstance(resource.get(name), dict) for name in _BY_REFERENCE):
        return True
    about = resource.get("medication")  # of R5: a concept or a reference
    return isinstance(about, dict) and isinstance(about.get("reference"), dict)


def _is_void(resource: dict[str, Any], wanted: Wanted) -> bool:
    """Whether a resource says that it was entered in error, in any element that its type has for that."""
    for state in release(wanted.held).void_states(wanted.kind):
        name = state.path.removeprefix(f"{wanted.kind}.")
        if state.kind == "error-code" and "." not in name and set(codes_in(resource.get(name))) & set(state.codes):
            return True
    return False


class Step(NamedTuple):
    """One step of a path in JSON: the members that hold the element, and those of other types of the same choice."""

    names: tuple[str, ...]
    others: tuple[str, ...] = ()


def _steps(wanted: Wanted, path: str) -> tuple[Step, ...] | None:
    """A path as members of JSON; none where FHIR does not have it, which the contract's own checks tell."""
    tables = release(wanted.written)
    trail = tables.elements(f"{wanted.kind}.{path}")
    if isinstance(trail, Unknown):
        return None
    steps = []
    for element in trail[1:]:
        names = element.json_names
        others: tuple[str, ...] = ()
        if element.path.endswith("[x]") and not isinstance(whole := tables.element(element.path), Unknown):
            others = tuple(name for name in whole.json_names if name not in names)
        steps.append(Step(names, others))
    return tuple(steps)


def presence(resource: dict[str, Any], steps: Sequence[Step]) -> Literal["present"] | Absence:
    """Whether a path leads to a value in a resource, or why not: a list counts when any of its entries has it."""
    result = _look(resource, steps)
    if result != "present" and steps and steps[0].names[0].startswith("value"):
        inner = [_look(component, steps) for component in objects_of(resource, "component", 100)]
        if "present" in inner or objects_of(resource, "hasMember", 1):
            return "components"
        if result == "nothing" and (_has_reason(resource) or (inner and "reason" in inner)):
            return "reason"
    return result


def _has_reason(parent: dict[str, Any]) -> bool:
    """Whether an observation or a component says why it has no value."""
    return isinstance(parent.get("dataAbsentReason"), dict) and bool(parent["dataAbsentReason"])


_RANK: tuple[Literal["present"] | Absence, ...] = ("present", "components", "reason", "other_type", "nothing")


def _look(value: Any, steps: Sequence[Step]) -> Literal["present"] | Absence:
    if isinstance(value, list):
        return min((_look(entry, steps) for entry in value[:_MAX_VISITED]), key=_RANK.index, default="nothing")
    if not steps:
        return _leaf(value)
    if not isinstance(value, dict):
        return "nothing"
    if _says_no_value(value):
        return "reason"
    step, rest = steps[0], steps[1:]
    states = [_look(value[name], rest) for name in step.names if name in value]
    if "present" not in states:
        beside = [value[f"_{name}"] for name in step.names if f"_{name}" in value]
        if _is_explained(value) or any(_is_explained(entry) for entry in beside) or _has_reason(value):
            states.append("reason")
        elif any(_leaf(value[name]) == "present" for name in step.others if name in value):
            states.append("other_type")
    return min(states, key=_RANK.index, default="nothing")


def _leaf(value: Any) -> Literal["present", "reason", "nothing"]:
    if isinstance(value, list):
        states = [_leaf(entry) for entry in value[:_MAX_VISITED]]
        return "present" if "present" in states else "reason" if "reason" in states else "nothing"
    if not isinstance(value, dict):
        return "present" if value is not None and value != "" else "nothing"
    codings = objects_of(value, "coding", 50)
    if _says_no_value(value) or (codings and all(map(_says_no_value, codings)) and not value.get("text")):
        return "reason"
    if value.keys() <= {"extension", "id"} and _is_explained(value):
        return "reason"
    return "present" if value else "nothing"


def _says_no_value(coding: dict[str, Any]) -> bool:
    """Whether a coding says why there is no code instead of being one."""
    return isinstance(system := coding.get("system"), str) and system in _NO_VALUE


def _is_explained(value: Any) -> bool:
    """Whether an extension says why there is no value, of an element or of any in a list."""
    return any(
        extension.get("url") == _ABSENT
        for entry in (value[:100] if isinstance(value, list) else [value])
        for extension in objects_of(entry, "extension", 50)
    )


def _codes_of(wanted: Wanted, name: str) -> frozenset[str]:
    """The codes that an element may have in the server's release."""
    element = release(wanted.held).element(f"{wanted.kind}.{name}")
    return frozenset() if isinstance(element, Unknown) or element.binding is None else frozenset(element.binding.codes)


def _statuses(resource: dict[str, Any], known: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for name, allowed in known.items():
        for code in codes_in(resource.get(name)):
            shown = code if code in allowed else "other"
            yield shown if name == "status" else f"{name} {shown}"


def _systems(resource: dict[str, Any], expected: Sequence[str]) -> Iterator[str]:
    """Addresses of the code systems that a resource uses, as far as nothing of its person is in them.

    What the contract itself names is told as it stands there.
    """
    systems: dict[str, None] = {}
    personal: set[str] = set()
    queue: list[tuple[str, str, Any]] = [("", "", resource)]
    for within, name, value in queue:
        if isinstance(value, list):
            queue += [(within, name, entry) for entry in value[: max(0, _MAX_VISITED - len(queue))]]
        elif isinstance(value, dict):
            system = value.get("system")
            if name not in _NO_CODES and isinstance(system, str) and "code" in value and not _says_no_value(value):
                systems[system] = None
            queue += [(name, key, child) for key, child in value.items()][: max(0, _MAX_VISITED - len(queue))]
        elif isinstance(value, str) and (name in _PERSONAL or within in _PERSONAL_WITHIN):
            personal.update(part.lower() for part in (value, value.rpartition("/")[2]) if len(part) >= _MIN_PERSONAL)
    for system in systems:
        address = system if system in expected else _address(system)
        if address is None or (system not in expected and any(part in address.lower() for part in personal)):
            yield "other"
        else:
            yield address


def _address(system: str) -> str | None:
    """A code system's URI without query and fragment, or a bare OID; none for all else, which could be any text."""
    if len(system) > _MAX_SYSTEM or not is_plain(system):
        return None
    if system in _URNS or _OID.fullmatch(system.removeprefix("urn:oid:")):
        return system
    try:
        parts = urlsplit(system)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return None
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def is_bare_oid(system: str) -> bool:
    """Whether a code system is named by an OID without ``urn:oid:``, which is no URI."""
    return _OID.fullmatch(system) is not None
