"""Credentials, contracts and token endpoints for the tests of samples; every secret here is made for them alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from probe_loopback import Reply, Request, as_json

from interlock.model.contract import Need
from interlock.model.observation import Observation, Target
from interlock.model.organization import Organization
from interlock.probe.transport.credentials import Credentials, resolve
from interlock.probe.transport.settings import OnEvent, ProbeSettings, SamplePlan
from typed_targets import probe_sync

CLIENT_ID = "client-7f3a-secret-id"
SECRET = "s3cr&t:with ü/strange+signs%"
TOKEN = "issued-token-91c2a8d5e7"
BEARER = "given-bearer-token-4471aa"

NEEDS = (
    Need(resource="Patient", interactions=("read",), required_fields=("identifier", "birthDate")),
    Need(
        resource="Observation",
        interactions=("search",),
        search_parameters=("patient",),
        required_fields=("status", "value[x]", "subject.reference"),
        terminology=("http://loinc.org",),
    ),
)
PATIENT = {
    "resourceType": "Patient",
    "id": "pat-90210-x",
    "identifier": [{"system": "urn:oid:1.2.3", "value": "MRN-5550123"}],
    "name": [{"family": "Quillfeather", "given": ["Marigold"]}],
    "birthDate": "1931-02-17",
}
OBSERVATIONS = [
    {
        "resourceType": "Observation",
        "id": "obs-777-a",
        "status": "final",
        "subject": {"reference": "Patient/pat-90210-x"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate Quillfeather"}]},
        "valueQuantity": {
            "value": 137.25,
            "unit": "beats-per-minute-odd",
            "system": "http://unitsofmeasure.org",
            "code": "/min",
        },
    },
    {
        "resourceType": "Observation",
        "id": "obs-777-b",
        "status": "Quillfeather",
        "subject": {"reference": "Patient/pat-90210-x"},
        "code": {"coding": [{"system": "https://ehr.example/codes/pat-90210-x", "code": "local-1"}]},
    },
]
#: Everything above that belongs to a person.
PERSONAL = (
    "pat-90210-x", "MRN-5550123", "Quillfeather", "Marigold", "1931-02-17", "obs-777", "137.25", "beats-per-minute-odd",
    "8867-4", "local-1", "Heart rate",
)  # fmt: skip


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def bundle(*resources: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": dict(given)} for given in resources],
    }


def organization(**auth: str) -> Organization:
    return Organization.model_validate({"id": "acme", "name": "Acme Clinic", "auth": auth})


def credentials(method: str) -> Credentials:
    """A client secret or a bearer token, as an organisation would name them; where they may go is no matter here."""
    names = {
        "client_secret_basic": {"client_id_env": "ID", "client_secret_env": "SEC"},
        "bearer_token": {"bearer_token_env": "TOK"},
    }
    values = {"ID": CLIENT_ID, "SEC": SECRET, "TOK": BEARER}
    return resolve(organization(**names[method]), values.get, None)


def issued(**changes: Any) -> Reply:
    body = {"access_token": TOKEN, "token_type": "bearer", "expires_in": 300, "scope": "system/Patient.rs"} | changes
    return as_json({name: value for name, value in body.items() if value is not None})


def guarded(answer: Reply, token: str = TOKEN) -> Callable[[Request], Reply]:
    """An answer for holders of the token, 401 for all others."""

    def respond(request: Request) -> Reply:
        if request.headers.get("authorization") == f"Bearer {token}":
            return answer
        return as_json({"resourceType": "OperationOutcome"}, 401, WWW_Authenticate='Bearer realm="x"')

    return respond


def sampled(
    base: str,
    use: Credentials,
    needs: tuple[Need, ...] = NEEDS,
    on_event: OnEvent | None = None,
    allowed: Iterable[str] = (),
    **settings: Any,
) -> Observation:
    """One probe of a base with a sample."""
    plan = {"acme": SamplePlan(use, needs)}
    made = ProbeSettings(samples=plan, **settings)
    return probe_sync([Target(base_url=base, org="acme")], made, on_event, allowed=allowed)[0]


def check(observation: Observation, id_: str) -> tuple[str, str]:
    result = next(check for check in observation.checks if check.id == id_)
    return result.outcome.value, result.message


def written(observation: Observation) -> str:
    """All that is kept of an observation, in both of its forms."""
    return observation.model_dump_json() + json.dumps(observation.model_dump(mode="json"), ensure_ascii=False)
