"""Where in a resource the values of a search parameter are.

FHIR defines an expression for each parameter and type (R4, search parameter registry, CC0). Most of them are the
element of the same name; the table has the others, of all releases from DSTU2 to R5: a path that a release lacks finds
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from interlock.sandbox.organizations import Document

# Paths are separated by blanks; ``x[x]`` is an element of several types; a name of a type comes before those for all.
# fmt: off
_EVERYWHERE = {
    "_id": "id", "_lastUpdated": "meta.lastUpdated", "_profile": "meta.profile", "_tag": "meta.tag",
    "_security": "meta.security", "_source": "meta.source",
    "patient": "patient subject", "subject": "subject patient",
    "encounter": "encounter context context.encounter",
    "identifier": "identifier masterIdentifier",
    "date": "effective[x] date period occurrence[x] performed[x] performedPeriod actualPeriod start indexed created "
            "recordedDate assertedDate",
    "authoredon": "authoredOn", "authored": "authoredOn", "birthdate": "birthDate", "onset-date": "onset[x]",
    "onset": "onset[x] lastOccurrence", "abatement-date": "abatement[x]", "effective-time": "effective[x]",
    "whenhandedover": "whenHandedOver", "whenprepared": "whenPrepared", "start-date": "start[x]",
    "target-date": "target.dueDate target.dueDateTime", "death-date": "deceasedDateTime",
    "family": "name.family", "given": "name.given", "phonetic": "name", "phone": "telecom", "email": "telecom",
    "address-city": "address.city", "address-state": "address.state", "address-country": "address.country",
    "address-postalcode": "address.postalCode", "address-use": "address.use", "status-reason": "statusReason",
    "participant": "participant.member participant.individual participant.actor", "location": "location.location",
    "diagnosis": "diagnosis.condition", "medication": "medicationReference medication.reference",
    "value-quantity": "valueQuantity", "value-concept": "valueCodeableConcept", "value-string": "valueString",
    "value-date": "valueDateTime valuePeriod", "component-code": "component.code",
    "component-value-quantity": "component.valueQuantity", "combo-code": "code component.code",
    "combo-value-quantity": "valueQuantity component.valueQuantity", "has-member": "hasMember related.target",
    "derived-from": "derivedFrom", "based-on": "basedOn", "basedon": "basedOn", "part-of": "partOf",
    "general-practitioner": "generalPractitioner", "organization": "managingOrganization organization",
    "verification-status": "verificationStatus", "url": "url channel.endpoint",
    "requester": "requester requester.agent", "reason-code": "reasonCode reason.concept",
}
_OF_TYPE = {
    "CarePlan.date": "period", "CareTeam.date": "period", "Coverage.patient": "beneficiary",
    "Coverage.payor": "payor insurer", "DocumentReference.period": "context.period period",
    "DocumentReference.class": "class", "DocumentReference.format": "content.format",
    "DocumentReference.contenttype": "content.attachment.contentType",
    "DocumentReference.relatesto": "relatesTo.target",
    "DocumentReference.location": "content.attachment.url", "Encounter.date": "period actualPeriod",
    "Encounter.practitioner": "participant.individual participant.actor",
    "Encounter.discharge-disposition": "hospitalization.dischargeDisposition",
    "Group.member": "member.entity", "Immunization.date": "occurrence[x] date", "Location.name": "name alias",
    "Location.address": "address", "Location.organization": "managingOrganization",
    "MedicationRequest.code": "medicationCodeableConcept medication.concept",
    "MedicationAdministration.code": "medicationCodeableConcept medication.concept",
    "MedicationDispense.code": "medicationCodeableConcept medication.concept", "Organization.name": "name alias",
    "AllergyIntolerance.code": "code reaction.substance", "Patient.address": "address", "Provenance.patient": "target",
    "Provenance.agent": "agent.who agent.whoReference",
    "Procedure.date": "performed[x] occurrence[x]", "Specimen.collected": "collection.collected[x]",
    "ImagingStudy.modality": "series.modality", "Task.patient": "for", "Task.subject": "for",
    "Appointment.patient": "participant.actor", "Appointment.date": "start",
}
# fmt: on

#: Parameter → the type that its reference leads to, where ``123`` alone can mean that only.
TARGETS = {
    "patient": "Patient", "encounter": "Encounter", "practitioner": "Practitioner", "location": "Location",
    "organization": "Organization", "specimen": "Specimen",
}  # fmt: skip
#: Composite parameter → the parts, each evaluated within the same element (the resource itself, or a component).
COMPOSITES = {
    "code-value-quantity": ("", ("code", "token"), ("valueQuantity", "quantity")),
    "code-value-concept": ("", ("code", "token"), ("valueCodeableConcept", "token")),
    "code-value-string": ("", ("code", "token"), ("valueString", "string")),
    "code-value-date": ("", ("code", "token"), ("value[x]", "date")),
    "component-code-value-quantity": ("component", ("code", "token"), ("valueQuantity", "quantity")),
}


def paths_of(kind: str, parameter: str) -> tuple[str, ...]:
    """The paths that a parameter of a type looks at; the element of the same name where nothing else is known."""
    paths = _OF_TYPE.get(f"{kind}.{parameter}") or _EVERYWHERE.get(parameter) or _camel(parameter)
    return tuple(paths.split())


def values_of(resource: Document, kind: str, parameter: str) -> Iterator[Any]:
    """Every value that a resource has for a parameter, lists flattened."""
    for path in paths_of(kind, parameter):
        yield from reach(resource, path)


def reach(value: Any, path: str) -> Iterator[Any]:
    """Every value at a dotted path, through lists; an empty path is the value itself."""
    if isinstance(value, list):
        for item in value:
            yield from reach(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict):
        head, _, rest = path.partition(".")
        if head.endswith("[x]"):
            stem = head.removesuffix("[x]")
            for name, child in value.items():
                if name.startswith(stem) and (name == stem or name[len(stem)].isupper()):
                    yield from reach(child, rest)
        elif head in value:
            yield from reach(value[head], rest)


def _camel(parameter: str) -> str:
    """``clinical-status`` → ``clinicalStatus``."""
    return re.sub(r"-(.)", lambda match: match[1].upper(), parameter)
