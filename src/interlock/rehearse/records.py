"""The records of a rehearsal's hospitals: two patients each, and in everything of theirs a text that is nowhere else.

A canary (``zqxalderp1observation2``) is one word of letters and digits, so that no template, filter or capital letter
makes another text of it. It stands where applications look: names, and the texts and displays of codes. Ids are the
same at every hospital, so that whatever is kept by an id alone is seen to mix them up.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any

Document = dict[str, Any]

#: Ids of the two patients of every hospital, and of whoever is signed in there.
PATIENTS, USERS = ("p1", "p2"), ("clinician", "clinician-2")
_LOINC, _SNOMED = "http://loinc.org", "http://snomed.info/sct"
_HL7 = "http://terminology.hl7.org/CodeSystem"
_OBSERVATIONS = (
    ("8867-4", "Heart rate", 72, "/min", "vital-signs"),
    ("2160-0", "Creatinine", 1.1, "mg/dL", "laboratory"),
)


def canary(org: str, patient: str, kind: str = "", number: int = 0) -> str:
    """The text of one record; without a kind what all canaries of that patient begin with."""
    name = re.sub(r"[^a-z0-9]", "", org)
    return f"zqx{name}{patient}{kind.lower()}{number or ''}"


def user_canary(org: str, user: str) -> str:
    """The family name of one of those who may be signed in."""
    return canary(org, f"u{USERS.index(user) + 1}")


def ago(minutes: float, zone: str = "Z") -> str:
    """A time before now, as FHIR writes it: what is of today counts for products that have a limit of age."""
    return f"{datetime.now(UTC) - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S}{zone}"


def records(org: str) -> tuple[Document, ...]:
    """Everything that a hospital has, valid FHIR R4, references relative."""
    shared: list[Document] = [
        {"resourceType": "Organization", "id": "hospital", "active": True, "name": f"Simulated hospital {org}"},
        *(_clinician(org, user) for user in USERS),
    ]
    return (*shared, *(record for patient in PATIENTS for record in _of_patient(org, patient)))


def _clinician(org: str, user: str) -> Document:
    return {
        "resourceType": "Practitioner",
        "id": user,
        "active": True,
        "identifier": [{"system": "https://example.org/staff", "value": user}],
        "name": [{"family": user_canary(org, user).capitalize(), "given": ["Rehearsal"]}],
    }


def observation(org: str, patient: str, number: int, subject: str | None = None) -> Document:
    """One laboratory result or vital sign; ``subject`` where it is about somebody else than its canary says."""
    code, display, value, unit, category = _OBSERVATIONS[number % len(_OBSERVATIONS)]
    return {
        "resourceType": "Observation",
        "id": f"{patient}-observation-{number}",
        "status": "final",
        "category": [{"coding": [{"system": f"{_HL7}/observation-category", "code": category}]}],
        "code": _concept(org, patient, "observation", number, (_LOINC, code, display)),
        "subject": {"reference": f"Patient/{subject or patient}"},
        "encounter": {"reference": f"Encounter/{patient}-encounter"},
        "effectiveDateTime": ago(10 + number),
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


def _concept(org: str, patient: str, kind: str, number: int, coding: tuple[str, str, str]) -> Document:
    system, code, display = coding
    mark = canary(org, patient, kind, number)
    return {"coding": [{"system": system, "code": code, "display": f"{display} {mark}"}], "text": f"{display} {mark}"}


def _of_patient(org: str, patient: str) -> list[Document]:
    who = {"reference": f"Patient/{patient}"}
    name = canary(org, patient, "patient")
    active = {"coding": [{"system": f"{_HL7}/condition-clinical", "code": "active"}]}
    note = canary(org, patient, "documentreference", 1)
    return [
        {
            "resourceType": "Patient",
            "id": patient,
            "active": True,
            "identifier": [{"system": f"https://{org}.example/mrn", "value": f"MRN-{patient}"}],
            "name": [{"use": "official", "family": name.capitalize(), "given": [f"{name.capitalize()}given"]}],
            "gender": "female" if patient == "p1" else "male",
            "birthDate": "1956-04-17" if patient == "p1" else "1971-09-02",
        },
        {
            "resourceType": "Encounter",
            "id": f"{patient}-encounter",
            "status": "in-progress",
            "class": {"system": f"{_HL7}/v3-ActCode", "code": "IMP", "display": "inpatient encounter"},
            "type": [_concept(org, patient, "encounter", 1, (_SNOMED, "32485007", "Hospital admission"))],
            "subject": who,
            "period": {"start": ago(420)},
        },
        *(observation(org, patient, number) for number in (1, 2, 3)),
        {
            "resourceType": "Condition",
            "id": f"{patient}-condition-1",
            "clinicalStatus": active,
            "category": [{"coding": [{"system": f"{_HL7}/condition-category", "code": "problem-list-item"}]}],
            "code": _concept(org, patient, "condition", 1, (_SNOMED, "38341003", "Hypertension")),
            "subject": who,
        },
        {
            "resourceType": "AllergyIntolerance",
            "id": f"{patient}-allergy-1",
            "clinicalStatus": {"coding": [{"system": f"{_HL7}/allergyintolerance-clinical", "code": "active"}]},
            "code": _concept(org, patient, "allergyintolerance", 1, (_SNOMED, "91936005", "Allergy to penicillin")),
            "patient": who,
        },
        {
            "resourceType": "MedicationRequest",
            "id": f"{patient}-medication-1",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": _concept(
                org,
                patient,
                "medicationrequest",
                1,
                ("http://www.nlm.nih.gov/research/umls/rxnorm", "29046", "Lisinopril"),
            ),
            "subject": who,
            "authoredOn": ago(60),
            "requester": {"reference": "Practitioner/clinician"},
        },
        {
            "resourceType": "DiagnosticReport",
            "id": f"{patient}-report-1",
            "status": "final",
            "category": [{"coding": [{"system": f"{_HL7}/v2-0074", "code": "LAB"}]}],
            "code": _concept(org, patient, "diagnosticreport", 1, (_LOINC, "24323-8", "Metabolic panel")),
            "subject": who,
            "effectiveDateTime": ago(11),
            "issued": ago(5),
            "result": [{"reference": f"Observation/{patient}-observation-1"}],
        },
        {
            "resourceType": "DocumentReference",
            "id": f"{patient}-document-1",
            "status": "current",
            "type": _concept(org, patient, "documentreference", 1, (_LOINC, "11506-3", "Progress note")),
            "subject": who,
            "date": ago(60),
            "content": [
                {
                    "attachment": {
                        "contentType": "text/plain",
                        "data": base64.b64encode(note.encode()).decode(),
                        "title": note,
                    }
                }
            ],
        },
    ]
