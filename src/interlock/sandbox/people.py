"""The people of the simulated hospitals: their records as FHIR resources, made of what ``people.yaml`` tells of them.

``samples/organizations/<id>/people.yaml`` has one hospital's wards, staff and patients in a few lines each, and how
that hospital codes and measures: no two do it alike. Everybody is invented. Codes are single public ones of LOINC,
SNOMED CT, ICD-10-CM and RxNorm, or the hospital's own.
"""

from __future__ import annotations

import base64
import copy
import html
from collections.abc import Iterator
from functools import cache
from typing import Any

from interlock.documents.resources import data_dir
from interlock.documents.yaml import load_yaml
from interlock.sandbox.people_stu3 import Document, as_stu3

_HL7 = "http://terminology.hl7.org/CodeSystem"
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
_NOTE_CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
_UCUM = "http://unitsofmeasure.org"
_SYSTEMS = {
    "loinc": "http://loinc.org",
    "snomed": "http://snomed.info/sct",
    "icd10": "http://hl7.org/fhir/sid/icd-10-cm",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "class": f"{_HL7}/v3-ActCode",
    "v2-0074": f"{_HL7}/v2-0074",
}
#: What the pictures of a modality are stored as: storage SOP classes (DICOM PS3.4) below this root.
_DICOM_STORAGE, _STORED_AS = "1.2.840.10008.5.1.4.1.1", {"CR": "1", "DX": "1.1", "CT": "2"}
#: Vital signs and the US Core profile of each.
_VITALS = {
    "hr": "us-core-heart-rate",
    "rr": "us-core-respiratory-rate",
    "temp": "us-core-body-temperature",
    "bp": "us-core-blood-pressure",
    "spo2": "us-core-pulse-oximetry",
    "weight": "us-core-body-weight",
    "height": "us-core-body-height",
}


def population(organization_id: str, *, canaries: bool = False) -> tuple[Document, ...]:
    """Every record of an organisation's people, as plain resources of its release; references are relative.

    ``canaries`` puts a text into each record that is nowhere else (:func:`canary`), for tests that look for leaks. None
    for an organisation without people.
    """
    records = copy.deepcopy(_population(organization_id))
    if canaries:
        for record in records:
            _mark(record, canary(organization_id, record))
    return records


def canary(organization_id: str, record: Document) -> str:
    """The text that a record carries on demand: unique, and unlike anything that is written by itself."""
    return f"zqx-canary-{organization_id}-{record['resourceType']}-{record['id']}".lower()


@cache
def _population(organization_id: str) -> tuple[Document, ...]:
    file = data_dir("samples") / "organizations" / organization_id / "people.yaml"
    if not file.is_file():
        return ()
    told = load_yaml(file).data
    records = tuple(_Hospital(told).records())
    return tuple(as_stu3(record) for record in records) if told["release"] == "STU3" else records


def _mark(record: Document, text: str) -> None:
    """Put a text where people read, in every way in which the record's type takes one."""
    if record["resourceType"] == "Binary":
        record["data"] = base64.b64encode(base64.b64decode(record["data"]) + f"\n{text}".encode()).decode()
        return
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{html.escape(text)}</p></div>'
    record["text"] = {"status": "additional", "div": div}
    if "note" in record:
        record["note"][0]["text"] += f" {text}"
    for content in record.get("content", ()) if record["resourceType"] == "DocumentReference" else ():
        if "data" in content["attachment"]:
            plain = base64.b64decode(content["attachment"]["data"]) + f"\n{text}".encode()
            content["attachment"]["data"] = base64.b64encode(plain).decode()


class _Hospital:
    """One hospital's records, in FHIR R4."""

    def __init__(self, told: Document) -> None:
        self._told, self._prefix, self._home = told, str(told["prefix"]), str(told["home"])

    def records(self) -> Iterator[Document]:
        """Every record: the hospital's own first, then person by person."""
        told = self._told
        yield self._resource("Organization", "hospital", "us-core-organization") | {
            "identifier": [self._identifier("organization", "hospital")],
            "active": True,
            "name": told["name"],
        }
        for ward in told["wards"]:
            yield self._resource("Location", ward["id"], "us-core-location") | {
                "status": "active",
                "name": ward["name"],
                "mode": "instance",
                "type": [self._concept(ward["kind"])],
                "managingOrganization": self._to("Organization", "hospital"),
            }
        for person in told["staff"]:
            yield self._resource("Practitioner", person["id"], "us-core-practitioner") | {
                "identifier": [self._identifier("staff", person["id"])],
                "active": True,
                "name": [_name(person)],
                "telecom": [{"system": "email", "value": f"{person['id']}@{self._home}", "use": "work"}],
            }
        for person in told["people"]:
            yield from self._person(person)
        yield self._resource("Group", "everybody") | {
            "active": True,
            "type": "person",
            "actual": True,
            "name": f"Patients of {told['name']}",
            "quantity": len(told["people"]),
            "member": [{"entity": self._to("Patient", person["id"])} for person in told["people"]],
        }

    def _person(self, person: Document) -> Iterator[Document]:
        patient = self._resource("Patient", person["id"], "us-core-patient") | {
            "identifier": [self._identifier("patient", person["id"])],
            "active": True,
            "name": [_name(person)],
            "gender": person["gender"],
            "birthDate": person["born"],
        }
        if "phone" in person:
            patient["telecom"] = [{"system": "phone", "value": person["phone"], "use": "mobile"}]
        if "city" in person:
            patient["address"] = [{"use": "home", "city": person["city"], "state": person["state"], "country": "US"}]
        if "language" in person:
            language = {"coding": [{"system": "urn:ietf:bcp:47", "code": person["language"]}]}
            patient["communication"] = [{"language": language, "preferred": True}]
        yield patient | {"managingOrganization": self._to("Organization", "hospital")}
        makers = {
            "encounters": self._encounter,
            "problems": self._condition,
            "vitals": self._vital_signs,
            "labs": self._labs,
            "medications": self._medication,
            "allergies": self._allergy,
            "notes": self._note,
            "orders": self._order,
            "images": self._image,
            "reports": self._imaging_report,
            "tasks": self._task,
        }
        for name, make in makers.items():
            for entry in person.get(name, ()):
                yield from make(person["id"], entry)

    def _encounter(self, person: str, entry: Document) -> Iterator[Document]:
        period = {"start": entry["start"]} | ({"end": entry["end"]} if "end" in entry else {})
        encounter = self._resource("Encounter", f"{person}-{entry['id']}", "us-core-encounter") | {
            "identifier": [self._identifier("encounter", f"{person}-{entry['id']}")],
            "status": "finished" if "end" in entry else "in-progress",
            "class": {"system": _SYSTEMS["class"], "code": entry["class"]},
            "type": [self._concept(entry["of"])],
            "subject": self._to("Patient", person),
            "participant": [{"individual": self._to("Practitioner", entry["by"])}],
            "period": period,
            "location": [{"location": self._to("Location", entry["ward"])}],
            "serviceProvider": self._to("Organization", "hospital"),
        }
        if "why" in entry:
            encounter["reasonCode"] = [self._concept(entry["why"])]
        yield encounter

    def _condition(self, person: str, entry: Document) -> Iterator[Document]:
        """A condition; one that was entered in error has no clinical status (FHIR R4, con-5)."""
        at_visit = "encounter" in entry
        category = "encounter-diagnosis" if at_visit else "problem-list-item"
        profile = "us-core-condition-encounter-diagnosis" if at_visit else "us-core-condition-problems-health-concerns"
        state = entry.get("state", "active")
        wrong = state == "entered-in-error"
        condition = self._resource("Condition", f"{person}-{entry['id']}", profile)
        if not wrong:
            condition["clinicalStatus"] = _coded("condition-clinical", state)
        condition |= {
            "verificationStatus": _coded("condition-ver-status", state if wrong else entry.get("sure", "confirmed")),
            "category": [_coded("condition-category", category)],
            "code": self._concept(entry["of"]),
            "subject": self._to("Patient", person),
            **self._during(person, entry),
            "recordedDate": entry["at"],
        }
        if "since" in entry:
            condition["onsetDateTime"] = entry["since"]
        if "note" in entry:
            condition["note"] = [{"text": entry["note"]}]
        yield condition

    def _vital_signs(self, person: str, entry: Document) -> Iterator[Document]:
        for name in _VITALS:
            if name in entry:
                observation = self._observation(person, entry, name, _VITALS[name], "vital-signs")
                value = entry[name]
                if name == "bp":
                    parts = zip(("systolic", "diastolic"), value, strict=True)
                    observation["component"] = [
                        {"code": self._concept(part), **self._value(part, number)} for part, number in parts
                    ]
                else:
                    observation |= self._value(name, value)
                yield observation

    def _labs(self, person: str, entry: Document) -> Iterator[Document]:
        results = []
        for name, value in entry["results"].items():
            observation = self._observation(person, entry, name, "us-core-observation-lab", "laboratory")
            results.append(observation | self._value(name, value))
        yield from results
        yield self._report(person, entry, "us-core-diagnosticreport-lab") | {
            "category": [_coded("v2-0074", "LAB")],
            "performer": [self._to("Organization", "hospital")],
            "result": [{"reference": f"Observation/{observation['id']}"} for observation in results],
        }

    def _imaging_report(self, person: str, entry: Document) -> Iterator[Document]:
        """A radiologist's report of a study, its text as a document too."""
        text = base64.b64encode(entry["text"].encode()).decode()
        yield self._report(person, entry, "us-core-diagnosticreport-note") | {
            "category": [self._concept("radiology")],
            "basedOn": [self._to("ServiceRequest", f"{person}-{entry['order']}")],
            "performer": [self._to("Practitioner", entry["by"])],
            "imagingStudy": [self._to("ImagingStudy", f"{person}-{entry['image']}")],
            "conclusion": entry["text"],
            "presentedForm": [{"contentType": "text/plain; charset=utf-8", "data": text}],
        }

    def _report(self, person: str, entry: Document, profile: str) -> Document:
        return self._resource("DiagnosticReport", f"{person}-{entry['id']}", profile) | {
            "status": entry.get("status", "final"),
            "code": self._concept(entry["of"]),
            "subject": self._to("Patient", person),
            **self._during(person, entry),
            "effectiveDateTime": entry["at"],
            "issued": entry["issued"],
        }

    def _observation(self, person: str, entry: Document, name: str, profile: str, category: str) -> Document:
        observation = self._resource("Observation", f"{person}-{entry['id']}-{name}", profile) | {
            "status": entry.get("status", "final"),
            "category": [_coded("observation-category", category)],
            "code": self._concept(name),
            "subject": self._to("Patient", person),
            **self._during(person, entry),
            "effectiveDateTime": entry["at"],
        }
        if "by" in entry:
            observation["performer"] = [self._to("Practitioner", entry["by"])]
        return observation

    def _value(self, name: str, value: Any) -> Document:
        """A measured value in the hospital's unit, a text, or, in words of the code system, why there is none."""
        coded = self._told["codes"][name]
        if isinstance(value, int | float):
            quantity = {"value": value, "unit": coded["unit"]}
            if "ucum" in coded:
                quantity |= {"system": _UCUM, "code": coded["ucum"]}
            return {"valueQuantity": quantity}
        if value in ("not-performed", "unknown", "error"):
            return {"dataAbsentReason": _coded("data-absent-reason", value)}
        return {"valueString": value}

    def _medication(self, person: str, entry: Document) -> Iterator[Document]:
        yield self._resource("MedicationRequest", f"{person}-{entry['id']}", "us-core-medicationrequest") | {
            "status": entry["status"],
            "intent": "order",
            "reportedBoolean": False,
            "medicationCodeableConcept": self._concept(entry["of"]),
            "subject": self._to("Patient", person),
            **self._during(person, entry),
            "authoredOn": entry["at"],
            "requester": self._to("Practitioner", entry["by"]),
            "dosageInstruction": [{"text": entry["dose"]}],
        }

    def _allergy(self, person: str, entry: Document) -> Iterator[Document]:
        yield self._resource("AllergyIntolerance", f"{person}-{entry['id']}", "us-core-allergyintolerance") | {
            "clinicalStatus": _coded("allergyintolerance-clinical", "active"),
            "verificationStatus": _coded("allergyintolerance-verification", entry.get("sure", "confirmed")),
            "code": self._concept(entry["of"]),
            "patient": self._to("Patient", person),
            "recordedDate": entry["at"],
            "reaction": [{"manifestation": [self._concept(entry["reaction"])]}],
        }

    def _note(self, person: str, entry: Document) -> Iterator[Document]:
        """A note: its text inline, or at a hospital that keeps them apart in a Binary."""
        identity = f"{person}-{entry['id']}"
        text = base64.b64encode(entry["text"].encode()).decode()
        attachment = {"contentType": "text/plain; charset=utf-8", "title": self._told["codes"][entry["of"]]["text"]}
        if self._told["notes_apart"]:
            binary = {"resourceType": "Binary", "id": f"{self._prefix}-{identity}", "contentType": "text/plain"}
            yield binary | {"securityContext": self._to("Patient", person), "data": text}
            attachment["url"] = f"Binary/{binary['id']}"
        else:
            attachment["data"] = text
        yield self._resource("DocumentReference", identity, "us-core-documentreference") | {
            "identifier": [self._identifier("document", identity)],
            "status": "current",
            "type": self._concept(entry["of"]),
            "category": [{"coding": [{"system": _NOTE_CATEGORY, "code": "clinical-note"}]}],
            "subject": self._to("Patient", person),
            "date": entry["at"],
            "author": [self._to("Practitioner", entry["by"])],
            "content": [{"attachment": attachment}],
            "context": {"encounter": [self._during(person, entry)["encounter"]], "period": {"start": entry["at"]}},
        }

    def _order(self, person: str, entry: Document) -> Iterator[Document]:
        yield self._resource("ServiceRequest", f"{person}-{entry['id']}", "us-core-servicerequest") | {
            "status": entry["status"],
            "intent": "order",
            "category": [self._concept("imaging")],
            "code": self._concept(entry["of"]),
            "subject": self._to("Patient", person),
            **self._during(person, entry),
            "authoredOn": entry["at"],
            "requester": self._to("Practitioner", entry["by"]),
        }

    def _image(self, person: str, entry: Document) -> Iterator[Document]:
        modality = {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": entry["modality"]}
        stored = f"urn:oid:{_DICOM_STORAGE}.{_STORED_AS[entry['modality']]}"
        sop = {"system": "urn:ietf:rfc:3986", "code": stored}
        series = {"uid": f"2.25.{entry['number']}1", "number": 1, "modality": modality, "numberOfInstances": 1}
        series["instance"] = [{"uid": f"2.25.{entry['number']}11", "sopClass": sop, "number": 1}]
        yield self._resource("ImagingStudy", f"{person}-{entry['id']}") | {
            "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:2.25.{entry['number']}"}],
            "status": "available",
            "modality": [modality],
            "subject": self._to("Patient", person),
            **self._during(person, entry),
            "started": entry["at"],
            "basedOn": [self._to("ServiceRequest", f"{person}-{entry['order']}")],
            "numberOfSeries": 1,
            "numberOfInstances": 1,
            "description": entry["text"],
            "series": [series],
        }

    def _task(self, person: str, entry: Document) -> Iterator[Document]:
        yield self._resource("Task", f"{person}-{entry['id']}") | {
            "status": entry["status"],
            "intent": "order",
            "description": entry["text"],
            "focus": self._to(entry["about"]["type"], f"{person}-{entry['about']['id']}"),
            "for": self._to("Patient", person),
            **self._during(person, entry),
            "authoredOn": entry["at"],
            "owner": self._to("Practitioner", entry["by"]),
        }

    def _resource(self, kind: str, identity: str, profile: str | None = None) -> Document:
        """Type, id and, at a hospital that claims profiles, the profile with its edition."""
        record: Document = {"resourceType": kind, "id": f"{self._prefix}-{identity}"}
        edition = self._told.get("us_core")
        if profile is not None and edition is not None:
            record["meta"] = {"profile": [f"{_US_CORE}/{profile}|{edition}"]}
        return record

    def _to(self, kind: str, identity: str) -> Document:
        return {"reference": f"{kind}/{self._prefix}-{identity}"}

    def _during(self, person: str, entry: Document) -> Document:
        return {"encounter": self._to("Encounter", f"{person}-{entry['encounter']}")} if "encounter" in entry else {}

    def _identifier(self, kind: str, identity: str) -> Document:
        return {"system": f"https://{self._home}/{kind}", "value": f"SIM-{self._prefix}-{identity}".upper()}

    def _concept(self, name: str) -> Document:
        """A concept as the hospital codes it: in public systems, in its own, or in words alone."""
        coded = self._told["codes"][name]
        coding = [
            {"system": _SYSTEMS.get(system, f"https://{self._home}/codes/{system}"), "code": code, "display": display}
            for system, code, display in coded.get("coding", ())
        ]
        return ({"coding": coding} if coding else {}) | {"text": coded["text"]}


def _name(person: Document) -> Document:
    return {"use": "official", "family": person["family"], "given": [person["given"]]}


def _coded(system: str, code: str) -> Document:
    return {"coding": [{"system": f"{_HL7}/{system}", "code": code}]}
