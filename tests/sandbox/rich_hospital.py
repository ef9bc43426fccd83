"""A hospital that declares everything the simulation can do, asked in process: no socket, no thread."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from interlock.sandbox.app import create_app
from interlock.sandbox.exchange import State
from interlock.sandbox.grants import Context, Grant
from interlock.sandbox.organizations import SimulatedOrganization

TOPIC = "http://example.org/topic/result"
_ALL = ("read", "vread", "history-instance", "history-type", "search-type", "create", "update", "delete")
_LOINC, _UCUM = "http://loinc.org", "http://unitsofmeasure.org"


def _type(name: str, parameters: str, **more: Any) -> dict[str, Any]:
    interactions = more.pop("interactions", _ALL)
    return {
        "type": name,
        "versioning": "versioned",
        "interaction": [{"code": code} for code in interactions],
        "searchParam": [
            {"name": entry.rpartition("=")[0], "type": entry.rpartition("=")[2]} for entry in parameters.split()
        ],
        **more,
    }


def statement(release: str = "4.0.1") -> dict[str, Any]:
    """Everything declared, in the form of R4."""
    general = "_id=token _lastUpdated=date _sort=special _summary=special _elements=special "
    topic = {
        "url": "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/capabilitystatement-subscriptiontopic-canonical",
        "valueCanonical": TOPIC,
    }
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-10-01",
        "kind": "instance",
        "fhirVersion": release,
        "format": ["json"],
        "implementation": {"description": "a test", "url": "{base}"},
        "rest": [
            {
                "mode": "server",
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
                "resource": [
                    _type(
                        "Patient",
                        general + "identifier=token name=string family=string given=string birthdate=date gender=token "
                        "active=token phone=token address-city=string general-practitioner=reference "
                        "general-practitioner:identifier=reference _profile=uri",
                        conditionalCreate=True,
                        operation=[{"name": "everything", "definition": "http://example.org/everything"}],
                        searchRevInclude=["Observation:patient"],
                    ),
                    _type(
                        "Observation",
                        general + "patient=reference subject=reference code=token code:text=token category=token "
                        "status=token date=date value-quantity=quantity value-string=string encounter=reference "
                        "code-value-quantity=composite patient.identifier=token subject:Patient.family=string "
                        "performer=reference has-member=reference",
                        conditionalCreate=True,
                        searchInclude=["Observation:patient", "Observation:encounter"],
                        updateCreate=True,
                    ),
                    _type("Encounter", "_id=token patient=reference date=date", updateCreate=False),
                    _type("DocumentReference", "_id=token patient=reference", versioning="versioned-update"),
                    _type(
                        "Condition",
                        "_id=token patient=reference",
                        versioning="no-version",
                        interactions=("read", "search-type", "create", "update"),
                    ),
                    _type("Provenance", "_id=token patient=reference target=reference"),
                    _type("Practitioner", "_id=token name=string"),
                    _type("Subscription", "_id=token status=token", extension=[topic], operation=[{"name": "status"}]),
                    _type(
                        "Group",
                        "_id=token member=reference",
                        operation=[
                            {
                                "name": "export",
                                "definition": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export",
                            }
                        ],
                    ),
                    _type("Location", "_id=token name=string", interactions=("read", "search-type")),
                ],
            }
        ],
    }


def _observation(identity: str, patient: str, code: str, when: str, value: float, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": code}], "text": {"8867-4": "Heart rate"}.get(code, "Lactate")},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": when,
        "valueQuantity": {"value": value, "unit": "per minute", "system": _UCUM, "code": "/min"},
        **more,
    }


#: The people of the rich hospital.
RESOURCES: tuple[dict[str, Any], ...] = (
    {
        "resourceType": "Patient",
        "id": "p1",
        "meta": {"profile": ["http://example.org/profile/patient"]},
        "identifier": [{"system": "urn:oid:2.999.1", "value": "SIM-1"}],
        "active": True,
        "name": [{"family": "Tést", "given": ["Avery", "Sam"]}],
        "gender": "female",
        "birthDate": "1958-03-17",
        "telecom": [{"system": "phone", "value": "555-0101"}],
        "address": [{"city": "Springfield"}],
        "generalPractitioner": [{"identifier": {"system": "urn:oid:2.999.9", "value": "GP-1"}}],
    },
    {
        "resourceType": "Patient",
        "id": "p2",
        "identifier": [{"system": "urn:oid:2.999.1", "value": "SIM-2"}],
        "active": False,
        "name": [{"family": "Testament", "given": ["Morgan"]}],
        "gender": "male",
        "birthDate": "1949-08",
    },
    {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Demo"}]},
    {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "in-progress",
        "class": {"code": "IMP"},
        "subject": {"reference": "Patient/p1"},
        "period": {"start": "2026-10-03T22:10:00Z"},
    },
    _observation("o1", "p1", "8867-4", "2026-10-04T04:00:00Z", 96, encounter={"reference": "Encounter/e1"}),
    _observation("o2", "p1", "8867-4", "2026-10-04T08:00:00-05:00", 100.4, status="preliminary"),
    _observation("o3", "p1", "2524-7", "2026-10", 3, performer=[{"reference": "Practitioner/d1"}]),
    _observation("o4", "p2", "8867-4", "2026-10-05", 72),
    {
        "resourceType": "Group",
        "id": "g1",
        "type": "person",
        "actual": True,
        "member": [{"entity": {"reference": "Patient/p1"}}],
    },
)


def hospital(identity: str = "rich", **more: Any) -> SimulatedOrganization:
    """The organisation; ``more`` replaces fields of it."""
    fields = {"id": identity, "name": "Rich", "release": "R4", "metadata": statement(), "resources": RESOURCES, **more}
    return SimulatedOrganization.model_validate(fields)


class Desk:
    """A client with a token at one organisation of an application that runs in this process."""

    def __init__(
        self, organization: SimulatedOrganization, scope: str = "system/*.cruds", *, patient: str | None = None
    ) -> None:
        self.state = State()
        self.organization = organization
        self._transport = httpx.ASGITransport(create_app([organization], self.state))
        self.base = f"http://127.0.0.1:9/{organization.id}/fhir"
        now = self.state.ledger.clock()
        grant = Grant(
            organization.id, "a-client", tuple(scope.split()), now + 300, now, context=Context(patient=patient)
        )
        self.token = self.state.ledger.add_token(grant)

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """One request; a body that is not bytes is sent as FHIR's JSON."""
        url = path if path.startswith("http") else f"{self.base}/{path}".removesuffix("/")
        sent = {
            "Authorization": f"Bearer {self.token}",
            **({"Content-Type": "application/fhir+json"} if body is not None else {}),
        }
        if isinstance(body, bytes):
            more["content"] = body
        elif body is not None:
            more["json"] = body
        return self.send(method, url, headers={**sent, **(headers or {})}, **more)

    def send(self, method: str, url: str, **more: Any) -> httpx.Response:
        """One request with nothing added."""

        async def sent() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport) as client:
                return await client.request(method, url, **more)

        return asyncio.run(sent())

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """A GET."""
        return self.ask("GET", path, headers=headers)

    def found(self, path: str) -> list[str]:
        """Ids of the matches of a search, in order, included ones left out."""
        response = self.get(path)
        assert response.status_code == 200, response.text
        return [entry["resource"]["id"] for entry in entries(response.json()) if entry["search"]["mode"] == "match"]


def entries(bundle: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Entries of a Bundle, none for an empty one."""
    return bundle.get("entry", [])


def words(response: httpx.Response) -> str:
    """What an OperationOutcome says."""
    outcome = response.json()
    assert outcome["resourceType"] == "OperationOutcome", response.text
    return str(outcome["issue"][0]["diagnostics"])
