"""Records of people in the form of FHIR STU3: what R4 renamed, moved or turned from a code into a concept."""

from __future__ import annotations

from typing import Any

#: A JSON object, as :func:`json.loads` returns it.
Document = dict[str, Any]

#: Elements of a type that STU3 calls otherwise (hl7.org/fhir/R4/diff.html).
_RENAMED = {
    "MedicationRequest": {"encounter": "context"},
    "Observation": {"encounter": "context"},
    "DiagnosticReport": {"encounter": "context"},
    "Condition": {"encounter": "context", "recordedDate": "assertedDate"},
    "AllergyIntolerance": {"recordedDate": "assertedDate"},
    "DocumentReference": {"date": "indexed", "category": "class"},
    "ProcedureRequest": {"encounter": "context"},
    "ImagingStudy": {"subject": "patient", "encounter": "context"},
    "Task": {"encounter": "context"},
    "Encounter": {"reasonCode": "reason"},
}
#: Elements that STU3 does not have, by type.
_ABSENT = {
    "MedicationRequest": ("reportedBoolean",),
    "ImagingStudy": ("status", "modality", "identifier"),
}
#: Concepts that are plain codes in STU3.
_CODES = ("clinicalStatus", "verificationStatus")
#: Code systems that moved to terminology.hl7.org after STU3.
_MOVED = {
    "http://terminology.hl7.org/CodeSystem/observation-category": "http://hl7.org/fhir/observation-category",
    "http://terminology.hl7.org/CodeSystem/condition-category": "http://hl7.org/fhir/condition-category",
    "http://terminology.hl7.org/CodeSystem/data-absent-reason": "http://hl7.org/fhir/data-absent-reason",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode": "http://hl7.org/fhir/v3/ActCode",
    "http://terminology.hl7.org/CodeSystem/v3-RoleCode": "http://hl7.org/fhir/v3/RoleCode",
    "http://terminology.hl7.org/CodeSystem/v2-0074": "http://hl7.org/fhir/v2/0074",
}


def as_stu3(record: Document) -> Document:
    """One record of :mod:`interlock.sandbox.people` in the form of STU3."""
    kind = record["resourceType"]
    if kind == "ServiceRequest":
        kind = "ProcedureRequest"
    told: Document = _moved(record) | {"resourceType": kind}
    for name in _ABSENT.get(kind, ()):
        told.pop(name, None)
    for old, new in _RENAMED.get(kind, {}).items():
        if old in told:
            told[new] = told.pop(old)
    for name in _CODES:
        if name in told:
            told[name] = told[name]["coding"][0]["code"]
    match kind:
        case "Binary":
            told["content"] = told.pop("data")
        case "Location":
            told["type"] = told["type"][0]
        case "ProcedureRequest" | "MedicationRequest":
            told["requester"] = {"agent": told["requester"]}
        case "DiagnosticReport":
            told["category"] = told["category"][0]
            told["performer"] = [{"actor": actor} for actor in told["performer"]]
        case "DocumentReference":
            told["class"] = told["class"][0]
            told["context"]["encounter"] = told["context"]["encounter"][0]
        case "ImagingStudy":
            _as_stu3_study(told, record)
    return told


def _as_stu3_study(told: Document, record: Document) -> None:
    """STU3 has the study's UID in an element of its own, and UIDs as addresses."""
    told["uid"] = record["identifier"][0]["value"]
    told["availability"] = "ONLINE"
    for series in told["series"]:
        series["uid"] = f"urn:oid:{series['uid']}"
        for instance in series["instance"]:
            instance["uid"] = f"urn:oid:{instance['uid']}"
            instance["sopClass"] = instance["sopClass"]["code"]


def _moved(value: Any) -> Any:
    """A copy with the addresses that code systems had then."""
    if isinstance(value, dict):
        return {name: _moved(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner) for inner in value]
    if isinstance(value, str) and value.startswith("ServiceRequest/"):
        return f"ProcedureRequest/{value.partition('/')[2]}"
    return _MOVED.get(value, value) if isinstance(value, str) else value
