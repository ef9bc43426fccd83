"""What a vendor's form asks for each client that it counts, filled or marked OPEN."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.contract.registration_forms import DATA, form_of
from interlock.contract.resolve import resolve
from interlock.contract.skeletons.registration import registration
from interlock.model.contract import WorkflowContract
from interlock.model.organization import Organization

pytestmark = pytest.mark.fast

CONTRACT: dict[str, Any] = {
    "schema": 2,
    "version": "3",
    "title": "Reader",
    "launch": {"modes": ["ehr", "standalone", "backend"], "client": "confidential-asymmetric", "context": ["patient"]},
    "session": {"refresh": "offline"},
    "inputs": [
        {"resource": "Patient", "interactions": ["read"]},
        {"resource": "Observation", "interactions": ["search"], "query": ["category=laboratory"]},
        {"resource": "Task", "interactions": ["search"], "modes": ["backend"]},
    ],
    "outputs": [{"resource": "DocumentReference", "purpose": "Report", "interactions": ["create"], "modes": ["ehr"]}],
    "clients": [
        {
            "name": "Screen",
            "mode": "ehr",
            "environment": "non-production",
            "launch_url": "https://x.example/launch",
            "redirect_uris": ["https://x.example/back"],
            "jwks_url": "https://x.example/keys",
            "contacts": ["ehr@x.example"],
            "privacy_url": "https://x.example/privacy",
        },
        {
            "name": "Desk",
            "mode": "standalone",
            "environment": "non-production",
            "redirect_uris": ["https://x.example/desk"],
        },
    ],
}


def files_of(vendor: str, contract: dict[str, Any] = CONTRACT, **org: Any) -> dict[str, str]:
    given = {"id": "north", "name": "North", "vendor": vendor, "auth": {"client_id_env": "NORTH_ID"}} | org
    return dict(
        registration(
            resolve(
                WorkflowContract.model_validate(contract),
                (Organization.model_validate(given),),
                {},
                product="Reader One",
                description="Reads",
                made="2026-11-30",
            )
        )
    )


def fields(files: dict[str, str], name: str) -> dict[str, dict[str, str]]:
    return {one["label"]: one for one in json.loads(files[f"registration/north-{name}.json"])["form"]["fields"]}


@pytest.mark.parametrize("vendor", sorted(path.stem for path in DATA.glob("*.yaml")))
def test_every_form_is_dated_and_makes_files(vendor: str) -> None:
    form = form_of(vendor)
    assert form.id == vendor and all(source.date for source in form.sources.values())
    assert sorted(mode for record in form.records for mode in record) == ["backend", "ehr", "standalone"]
    files = files_of(vendor)
    assert len(files) == 2 * len(form.records)
    for path, text in files.items():
        if path.endswith(".md"):
            assert f"labels as seen on {form.seen.date}" in text and "Open: " in text


def test_epic_counts_two_clients_and_gives_its_own_names_to_interfaces() -> None:
    files = files_of("epic")
    assert sorted(files) == [
        f"registration/north-{name}.{kind}" for name in ("backend", "screen") for kind in ("json", "md")
    ]
    screen, backend = fields(files, "screen"), fields(files, "backend")
    assert screen["Application audience"]["value"] == "Clinicians or Administrative Users"
    assert backend["Application audience"]["value"] == "Backend Systems"
    assert screen["Endpoint URI / redirect URI"]["value"] == "https://x.example/back https://x.example/desk"
    assert backend["Endpoint URI / redirect URI"]["state"] == "not asked here"
    apis = screen["Incoming APIs"]
    assert apis["state"] == "OPEN" and "Observation.Search (Labs)" in apis["value"]
    assert "OPEN: the name for DocumentReference create" in apis["value"]
    assert "Task" not in apis["value"] and "Task" in backend["Incoming APIs"]["value"]
    assert screen["Non-production JWK Set URL"]["value"] == "https://x.example/keys"
    assert backend["Non-production JWK Set URL"]["state"] == "OPEN"


def test_a_provenance_that_is_written_too_has_a_line_of_its_own() -> None:
    written = [{**CONTRACT["outputs"][0], "writing": {"provenance": True}}, *CONTRACT["outputs"][1:]]
    apis = fields(files_of("epic", {**CONTRACT, "outputs": written}), "screen")["Incoming APIs"]
    assert "OPEN: the name for Provenance create" in apis["value"]
    assert "Provenance" not in fields(files_of("epic"), "screen")["Incoming APIs"]["value"]


def test_writes_that_a_form_cannot_carry_are_said() -> None:
    screen, backend = (files_of("athenahealth")[f"registration/north-{name}.md"] for name in ("screen", "backend"))
    assert "## What this form cannot carry" in screen and "DocumentReference (Report): create" in screen
    assert "cannot carry" not in backend, "the service writes nothing"
    assert "cannot carry" not in files_of("epic")["registration/north-screen.md"]


def test_metadata_are_those_of_rfc_7591() -> None:
    files = files_of("smart")
    ehr, backend = (
        json.loads(files[f"registration/north-{name}.json"])["client_metadata"] for name in ("screen", "backend")
    )
    assert ehr["grant_types"] == ["authorization_code", "refresh_token"] and ehr["response_types"] == ["code"]
    assert ehr["token_endpoint_auth_method"] == "private_key_jwt" and ehr["jwks_uri"] == "https://x.example/keys"
    assert ehr["policy_uri"] == "https://x.example/privacy" and "tos_uri" not in ehr
    assert backend["grant_types"] == ["client_credentials"] and "response_types" not in backend
    assert "redirect_uris" not in backend
    assert backend["scope"] == "system/Observation.s system/Patient.r system/Task.s"
    assert ehr["software_id"] == backend["software_id"] and ehr["software_version"] == "3"


def test_the_variable_that_holds_the_client_id_is_named_for_the_client_that_it_is_of() -> None:
    files = files_of("oracle", auth={"client_id_env": "NORTH_ID", "client_secret_env": "NORTH_SECRET"})
    assert fields(files, "backend")["Client id"]["value"] == "in the variable NORTH_ID"
    assert fields(files, "screen")["Client id"]["state"] == "theirs"
    only = {**CONTRACT, "launch": CONTRACT["launch"] | {"modes": ["ehr"]}, "clients": CONTRACT["clients"][:1]}
    only["inputs"] = CONTRACT["inputs"][:2]
    assert fields(files_of("oracle", only), "screen")["Client id"]["value"] == "in the variable NORTH_ID"


def test_a_tenant_is_the_end_of_the_base_and_a_production_client_has_its_own_fields() -> None:
    live = fields(files_of("oracle", fhir_base_url="https://fhir.example/r4/abc-1", environment="production"), "ehr")
    assert live["Tenant"]["value"] == "abc-1"
    assert live["SMART launch URI"]["state"] == "OPEN", "the contract has no client for production"
    assert fields(files_of("athenahealth", environment="production"), "ehr")["Environment"]["value"] == "Production"


def test_a_vendor_without_a_form_gets_what_any_server_may_expect() -> None:
    text = files_of("somebody")["registration/north-screen.md"]
    assert "no form of somebody is known" in text


def test_two_clients_of_one_mode_are_two_registrations() -> None:
    twice = [*CONTRACT["clients"], CONTRACT["clients"][0] | {"name": "Other", "redirect_uris": ["https://o.example/b"]}]
    files = files_of("epic", CONTRACT | {"clients": twice})
    assert {path for path in files if path.endswith("md")} == {
        f"registration/north-{name}.md" for name in ("backend", "screen", "other")
    }
    assert fields(files, "other")["Endpoint URI / redirect URI"]["value"] == "https://o.example/b"
