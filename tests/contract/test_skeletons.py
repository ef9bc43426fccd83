"""Skeletons of the resolved contract: what holds at each organisation, and documents that both validators accept."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml as pyyaml
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from interlock.contract.load import load_contract, remarks
from interlock.contract.resolve import resolve
from interlock.contract.skeletons import SKELETONS, build
from interlock.contract.skeletons.lock import lock
from interlock.contract.skeletons.settings import settings
from interlock.documents.resources import data_dir
from interlock.fhir.tables import Unknown, release
from interlock.fhir.validation import validate
from interlock.model.contract import WorkflowContract
from interlock.model.facts import CapabilityFacts, Facts, SmartFacts
from interlock.model.observation import Observation, Target
from interlock.model.organization import Organization
from interlock.model.resolved import ResolvedContract
from interlock.usecases.load import load_inputs
from interlock.usecases.schemas import schema_of
from interlock.workspace.store import Workspace

pytestmark = pytest.mark.fast

RACE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
VITALS = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-vital-signs"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
CONTRACT: dict[str, Any] = {
    "schema": 2,
    "version": "2.0",
    "title": "Sepsis watch",
    "launch": {"modes": ["ehr", "backend"], "context": ["patient"], "client": "confidential-asymmetric"},
    "session": {"refresh": "offline"},
    "inputs": [
        {
            "resource": "Observation",
            "purpose": "Vital signs",
            "profile": VITALS,
            "interactions": ["read", "search"],
            "search_parameters": ["patient", "date"],
            "query": ["category=vital-signs"],
            "required_fields": ["status", "valueQuantity.value", "note.text"],
            "missing": [{"field": "note.text", "then": "degrade", "says": "No note"}],
            "here": [{"organization": "north", "required_fields": ["status"]}],
        },
        {
            "resource": "Observation",
            "purpose": "Lactate",
            "interactions": ["read", "search"],
            "search_parameters": ["patient", "code:in"],
            "query": ["category=laboratory", "status=final"],
            "code": ["http://loinc.org|2524-7", "http://loinc.org|32693-4"],
            "required_fields": ["code"],
            "binding": [
                {"path": "interpretation", "value_set": "http://hl7.org/fhir/ValueSet/observation-interpretation"}
            ],
            "operations": ["$lastn", "$stat-of-ours"],
            "not_at": ["south"],
        },
        {"resource": "Condition", "interactions": ["search"], "optional": True, "search_parameters": ["code"]},
    ],
    "outputs": [
        {
            "resource": "DocumentReference",
            "interactions": ["create", "update"],
            "required_fields": ["status"],
            "writing": {"if_none_exist": "identifier=x", "if_match": True, "provenance": True},
            "modes": ["backend"],
        }
    ],
    "clients": [
        {"name": "Ward screen", "mode": "ehr", "environment": "non-production", "launch_url": "https://x.example/l"},
        {"name": "Ward screen, live", "mode": "ehr", "environment": "production"},
    ],
    "organization_surface": [
        {"name": name, "surface": "per_organization", "type": "string", "default": text}
        for name, text in {"no": "NO", "night": "22:30:00", "ward": "0123", "dose": "1e3", "none_of": "~"}.items()
    ]
    + [
        {"name": "huge", "surface": "universal", "type": "number", "default": 1e22},
        {
            "name": "words",
            "surface": "universal",
            "type": "list",
            "default": ["yes", "=", "2026-11-30", "\u00e9\x85\U0001f600"],
        },
        {"name": "asked", "surface": "per_organization", "type": "integer"},
    ],
}
NORTH = Organization(id="north", name="North", fhir_base_url="https://north.example/fhir")
SOUTH = Organization(id="south", name="South", overrides={"asked": "three", "stray: [": 1})


def observation(**smart: Any) -> Observation:
    return Observation(
        target=Target(base_url="https://north.example/fhir", org="north"),
        started=datetime(2026, 11, 2, 23, tzinfo=UTC),
        elapsed_ms=1,
        outcome="observed",
        facts=Facts(
            capability=CapabilityFacts(fhir_release="R4", fhir_version="4.0.1"),
            smart=SmartFacts(token_endpoint="https://north.example/token", **smart),
        ),
    )


def resolved(contract: dict[str, Any] = CONTRACT, **smart: Any) -> ResolvedContract:
    return resolve(
        WorkflowContract.model_validate(contract),
        (NORTH, SOUTH),
        {"north": observation(**smart)} if smart else {},
        product="Sentinel",
        description=None,
        made="2026-11-30",
    )


def clients(files: dict[str, str]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["organization"], one["client"]): one for one in json.loads(files["scopes.json"])["clients"]}


def test_the_lock_is_the_same_on_each_run_and_fits_its_published_schema() -> None:
    text = build(resolved(scopes_v2=True, capabilities=("launch-ehr",)))["contract.lock.json"]
    assert text == build(resolved(scopes_v2=True, capabilities=("launch-ehr",)))["contract.lock.json"]
    jsonschema.validate(json.loads(text), schema_of("contract-lock"))
    assert json.loads(text)["organizations"][0]["server"]["simulated"] == [], "both are real addresses"
    again = ResolvedContract.model_validate_json(text)
    assert again.contract.schema_version == 2 and again.contract.hash == again.contract_hash


@pytest.mark.parametrize(
    ("base", "token", "simulated"),
    [
        ("sandbox://riverside", "https://idp.example/token", ["base_url", "token"]),
        ("http://127.0.0.1:8765/fhir", "http://[::1]:8765/token", ["base_url", "token"]),
        ("https://north.example/fhir", "http://localhost:1/token", ["token"]),
        ("https://127.0.0.1.example/fhir", "https://north.example/token", []),
    ],
)
def test_the_lock_says_which_addresses_nobody_configures(base: str, token: str, simulated: list[str]) -> None:
    seen = observation(issuer=None)
    seen = seen.but(
        target=Target(base_url=base.replace("sandbox://", "http://127.0.0.1:1/"), org="north"),
        facts=seen.facts.but(smart=SmartFacts(token_endpoint=token)),
    )
    made = resolve(
        WorkflowContract.model_validate(CONTRACT),
        (NORTH.but(fhir_base_url=base),),
        {"north": seen},
        product="Sentinel",
        description=None,
        made="2026-11-30",
    )
    written = json.loads(lock(made)["contract.lock.json"])
    assert written["organizations"][0]["server"]["simulated"] == simulated
    jsonschema.validate(written, schema_of("contract-lock"))


def test_an_organisation_has_its_own_needs_clients_and_server() -> None:
    north, south = resolved(scopes_v1=True, capabilities=()).organizations
    assert [one.key for one in south.needs] == ["inputs/0", "inputs/2", "outputs/0"]
    assert north.needs[0].need.required_fields == ("status",) and not north.needs[0].need.here
    assert [(one.client.name, one.declared) for one in north.clients] == [("Ward screen", True), ("backend", False)]
    assert north.server is not None and south.server is None
    assert (north.server.date, north.server.scope_syntax) == ("2026-11-02", ("v1",))
    assert [(one.name, one.origin, one.value) for one in south.settings if one.name == "asked"] == [
        ("asked", "open", None)
    ]
    assert south.stray == ("stray: [",)


def test_scopes_are_in_the_syntax_that_the_server_takes_with_the_needs_behind_each() -> None:
    old = clients(build(resolved(scopes_v1=True, capabilities=())))
    assert old["north", "Ward screen"]["scope"] == (
        "launch openid fhirUser offline_access patient/Condition.read patient/Observation.read"
    )
    backend = {one["scope"]: one for one in old["north", "backend"]["scopes"]}
    assert list(backend["system/DocumentReference.write"]["needs"]) == ["document_reference"]
    assert "system/Provenance.write" in backend, "the output has a Provenance beside it"
    new = clients(build(resolved()))
    assert "system/DocumentReference.cu" in new["south", "backend"]["scope"].split()
    assert new["south", "backend"]["rests_on"]["open"], "nobody saw which syntax it takes"
    vitals = {one["scope"]: one for one in new["south", "Ward screen"]["scopes"]}["patient/Observation.rs"]
    assert list(vitals["needs"]) == ["vital_signs"], "the other one is not needed there"


def test_a_scope_that_is_listed_with_a_query_only_is_asked_for_so() -> None:
    listed = (f"patient/Observation.rs?category={CATEGORY}|vital-signs", "patient/Observation.rs?category=x|survey")
    files = build(resolved(scopes_v2=True, scopes_supported=listed))
    one = {entry["scope"]: entry for entry in clients(files)["north", "Ward screen"]["scopes"]}[
        "patient/Observation.rs"
    ]
    assert one["listed_here_as"] == [listed[0]]
    assert one["not_covered_by_these"] == {"laboratory": "Observation (Lactate)"}


def _read(text: str, version: tuple[int, int]) -> Any:
    reader = YAML(typ="safe", pure=True)
    reader.version = version
    return reader.load(text)


def test_settings_read_equal_in_yaml_1_1_and_1_2_and_fit_their_schema() -> None:
    files = build(resolved())
    text = files["settings/south.yaml"]
    read = [_read(text, version) for version in ((1, 1), (1, 2))]
    assert read[0] == read[1] == pyyaml.safe_load(text)
    values = read[0]["settings"]
    assert [values[name] for name in ("no", "night", "ward", "dose", "none_of")] == [
        "NO",
        "22:30:00",
        "0123",
        "1e3",
        "~",
    ]
    assert values["words"][:3] == ["yes", "=", "2026-11-30"]
    assert values["huge"] == 1e22 and values["asked"] is None
    with pytest.raises(jsonschema.ValidationError, match="None is not of type 'integer'"):
        jsonschema.validate(read[0], json.loads(files["settings.schema.json"]))
    jsonschema.validate(read[0] | {"settings": values | {"asked": 3}}, json.loads(files["settings.schema.json"]))


@given(
    st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=12), max_size=3),
    st.floats(allow_nan=False, allow_infinity=False),
)
@example(["on", "0o17", "0x1F", "1_000", "12:30:45", "<<", "!!int 1", "- a", "# b", "\x7f\x85\ufeff"], 1e-7)
def test_any_text_and_number_reads_as_it_was_in_both_editions_of_yaml(texts: list[str], number: float) -> None:
    surface = [
        {"name": "texts", "surface": "universal", "type": "list", "default": texts},
        {"name": "number", "surface": "universal", "type": "number", "default": number},
    ]
    contract = WorkflowContract.model_validate({"version": "1", "title": "T", "organization_surface": surface})
    text = settings(resolve(contract, (NORTH,), {}, product="P", description=None, made="2026-11-30"))[
        "settings/north.yaml"
    ]
    for version in ((1, 1), (1, 2)):
        assert _read(text, version)["settings"] == {"texts": texts, "number": number}


def test_the_statement_says_how_much_each_thing_is_needed() -> None:
    statement = json.loads(build(resolved())["capability-statement.json"])
    assert statement["url"].startswith("urn:uuid:") and statement["version"] == "2.0"
    by_type = {entry["type"]: entry for entry in statement["rest"][0]["resource"]}

    def verb(element: dict[str, Any]) -> str:
        return element["extension"][0]["valueCode"]

    assert {name: verb(entry) for name, entry in by_type.items()} == {
        "Condition": "SHOULD",
        "DocumentReference": "SHALL",
        "Observation": "SHALL",
        "Provenance": "SHALL",
    }
    parameters = {one["name"]: one for one in by_type["Observation"]["searchParam"]}
    assert {name: one["type"] for name, one in parameters.items()} == {
        "category": "token", "patient": "reference", "date": "date", "status": "token", "code": "token",
    }  # fmt: skip
    assert parameters["code"]["documentation"] == "Asked for as code:in."
    assert verb(by_type["Condition"]["searchParam"][0]) == "SHOULD"
    assert [one["definition"].rpartition("/")[2] for one in by_type["Observation"]["operation"]] == [
        "Observation-lastn"
    ]
    assert "$stat-of-ours" in by_type["Observation"]["documentation"]
    combined = [
        [(part["url"], part["valueString"]) for part in one["extension"]]
        for one in by_type["Observation"]["extension"][1:]
    ]
    assert combined[0] == [("required", "category"), ("required", "patient"), ("optional", "date")]
    written = by_type["DocumentReference"]
    assert written["conditionalCreate"] is True and written["versioning"] == "versioned-update"


def test_profiles_say_what_has_to_be_there() -> None:
    files = build(resolved())
    vitals = json.loads(files["profiles/read-observation-1.json"])
    assert vitals["baseDefinition"] == VITALS
    elements = {one["id"]: one for one in vitals["differential"]["element"]}
    assert elements["Observation.value[x]"]["type"] == [{"code": "Quantity"}]
    assert elements["Observation.value[x].value"]["min"] == 1
    assert "min" not in elements["Observation.note.text"] and elements["Observation.note.text"]["mustSupport"]
    assert "No note" in elements["Observation.note.text"]["comment"]
    assert "Observation.category" not in elements, "US Core slices it already"
    lactate = json.loads(files["profiles/read-observation-2.json"])
    elements = {one["id"]: one for one in lactate["differential"]["element"]}
    assert elements["Observation.category:laboratory"]["patternCodeableConcept"]["coding"][0]["code"] == "laboratory"
    assert elements["Observation.status"]["patternCode"] == "final"
    assert elements["Observation.code"]["binding"] == {"strength": "required", "valueSet": "#codes-1"}
    assert len(lactate["contained"][0]["compose"]["include"][0]["concept"]) == 2
    assert elements["Observation.interpretation"]["binding"]["strength"] == "required"
    assert [*elements][1:4] == ["Observation.status", "Observation.category", "Observation.category:laboratory"]
    own = json.loads(files["profiles/north/read-observation-1.json"])
    assert [one["id"] for one in own["differential"]["element"]] == ["Observation", "Observation.status"]


def test_an_extension_is_a_slice_with_its_address() -> None:
    need = {"resource": "Patient", "interactions": ["read"], "required_fields": [f"extension('{RACE}')", "name.family"]}
    profile = json.loads(build(resolved(CONTRACT | {"inputs": [need]}))["profiles/read-patient-1.json"])
    elements = {one["id"]: one for one in profile["differential"]["element"]}
    race = elements["Patient.extension:us-core-race"]
    assert race["min"] == 1 and race["type"] == [{"code": "Extension", "profile": [RACE]}]
    assert elements["Patient.name.family"]["min"] == 1


def test_a_server_of_another_release_is_told() -> None:
    entry = clients(build(resolved(CONTRACT | {"fhir_release": "R5"}, capabilities=())))["north", "Ward screen"]
    assert "the server is of R4, and the contract of R5" in entry["rests_on"]["open"]


def test_a_value_against_a_setting_of_the_whole_contract_is_not_taken() -> None:
    org = SOUTH.but(overrides={"huge": 3})
    contract = WorkflowContract.model_validate(CONTRACT)
    one = resolve(contract, (org,), {}, product="X", description=None, made="2026-11-30")
    huge = next(setting for setting in one.organizations[0].settings if setting.name == "huge")
    assert (huge.value, huge.origin) == (1e22, "default") and "not taken" in (huge.note or "")
    assert "not taken" in build(one)["settings/south.yaml"]


def test_what_fhir_does_not_know_is_in_no_document_of_fhir() -> None:
    wrong = CONTRACT | {
        "inputs": [
            {"resource": "Pateint", "interactions": ["read"], "required_fields": ["x"]},
            {
                "resource": "Patient",
                "search_parameters": ["nmae"],
                "required_fields": ["brithDate"],
                "profile": "us core",
            },
        ]
    }
    one = resolved(wrong)
    assert any("Pateint" in message for message in one.mistakes)
    for path, text in build(one).items():
        if path.startswith(("capability", "profiles")):
            assert "Pateint" not in text and "nmae" not in text and '"brithDate' not in text, path


@pytest.mark.parametrize("of", ["DSTU2", "STU3", "R4", "R4B", "R5"])
def test_every_release_has_valid_documents_in_its_own_form(of: str) -> None:
    """Valid by the tables, and, but for DSTU2, by fhir.resources: both are asked as the file is made."""
    files = build(resolved(CONTRACT | {"fhir_release": of}))
    profiles = [json.loads(text) for path, text in files.items() if path.startswith("profiles/")]
    assert len(profiles) == 5, "one a need, and one of the need that an organisation has otherwise"
    elements = [one for profile in profiles for one in profile["differential"]["element"]]
    bound = [one["binding"] for one in elements if "binding" in one]
    sliced = [one["slicing"] for one in elements if "slicing" in one]
    assert bound and (sliced or of == "DSTU2")
    before = of in {"DSTU2", "STU3"}
    assert all(("valueSetReference" in one) is before and ("valueSet" in one) is not before for one in bound)
    names = ("constrainedType", "base", "display") if of == "DSTU2" else ("type", "baseDefinition", "title")
    assert all(name in profile for profile in profiles for name in names)
    if of == "DSTU2":
        assert not any("id" in one or "sliceName" in one or "comment" in one for one in elements)
        assert not any("derivation" in profile for profile in profiles)


def test_slices_of_dstu2_are_told_apart_by_a_path() -> None:
    need = {"resource": "Encounter", "interactions": ["search"], "query": ["type=http://snomed.info/sct|185347001"]}
    contract = CONTRACT | {"fhir_release": "DSTU2", "inputs": [need], "outputs": []}
    made = json.loads(build(resolved(contract))["profiles/read-encounter-1.json"])
    _, kinds, visit = made["differential"]["element"]
    assert kinds == {"path": "Encounter.type", "slicing": {"discriminator": ["coding.code"], "rules": "open"}}
    assert (visit["path"], visit["name"], visit["min"]) == ("Encounter.type", "185347001", 1)


@pytest.mark.parametrize(("of", "profile"), [("DSTU2", [RACE]), ("STU3", RACE), ("R4", [RACE])])
def test_an_extension_has_its_address_as_the_release_writes_it(of: str, profile: Any) -> None:
    need = {"resource": "Patient", "interactions": ["read"], "required_fields": [f"extension('{RACE}')"]}
    contract = CONTRACT | {"fhir_release": of, "inputs": [need], "outputs": []}
    made = json.loads(build(resolved(contract))["profiles/read-patient-1.json"])
    (slice_,) = [one for one in made["differential"]["element"] if one["path"] == "Patient.extension"]
    assert slice_["type"] == [{"code": "Extension", "profile": profile}]


SAMPLES = sorted(path.parent.name for path in data_dir("samples").glob("templates/*/contract.yaml"))


@pytest.mark.parametrize("name", SAMPLES)
def test_both_validators_accept_the_documents_of_every_sample(name: str) -> None:
    inputs = load_inputs(Workspace(data_dir("samples") / "templates" / name))
    assert inputs.contract is not None
    files = build(
        resolve(
            inputs.contract,
            inputs.organizations,
            {},
            product=inputs.settings.product,
            description=None,
            made="2026-11-30",
        )
    )
    ours = {path: text for path, text in files.items() if not path.startswith("tests/")}  # those have marks to fill
    documents = [json.loads(text) for path, text in ours.items() if path.endswith(".json")]
    of_fhir = [one for one in documents if "resourceType" in one]
    assert of_fhir
    tables = release(inputs.contract.fhir_release)
    for document in of_fhir:
        found = validate(document, inputs.contract.fhir_release)
        assert not found.problems and len(found.readers) == 2, found.sentence()
        for element in document.get("differential", {}).get("element", ()):
            known = tables.element(element["path"])
            assert not isinstance(known, Unknown), element["path"]
            codes = {kind["code"] for kind in element.get("type", ())}
            assert codes <= set(known.types), element


def test_every_file_is_named_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs/contract.md").read_text("utf-8")
    for skeleton in SKELETONS:
        for path in skeleton.path.split(", "):
            assert f"`{path}`" in page or f"`{path.replace('*', 'ORG')}`" in page, path


def test_a_contract_of_a_file_has_the_same_hash_in_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text('schema: 2\nversion: "1"\ntitle: Sample\n')
    contract, _ = load_contract(path)
    text = build(resolve(contract, (), {}, product="X", description=None, made="2026-11-30"))["contract.lock.json"]
    assert json.loads(text)["contract_hash"] == contract.hash


CHANNELS = [
    {"kind": "cds-hooks", "hook": "order-sign", "prefetch": ["patient=Patient/{{context.patientId}}?a=b"]},
    {"kind": "hl7v2", "message": "ORM^O01", "direction": "in", "resource": "Task"},
    {"kind": "cds-hooks", "hook": "order-sign", "latency_seconds": 2},
]


def test_services_of_cds_hooks_are_those_of_its_channels() -> None:
    assert "cds-services.json" not in build(resolved())
    services = json.loads(build(resolved(CONTRACT | {"channels": CHANNELS}))["cds-services.json"])["services"]
    assert [one["id"] for one in services] == ["sentinel-order-sign", "sentinel-order-sign-2"]
    assert services[0]["prefetch"] == {"patient": "Patient/{{context.patientId}}?a=b"}
    assert "How soon: open" in services[0]["description"] and "within 2 s" in services[1]["description"]


def test_messages_are_of_the_channels_and_no_text_ends_a_segment() -> None:
    subscribed = {"kind": "fhir-subscription", "resource": "Observation", "states": ["final", "amended"]}
    given = CONTRACT | {"channels": [*CHANNELS, subscribed], "version": "2|3^4\\"}
    files = build(resolved(given))
    assert {path for path in files if path.startswith("messages/")} == {
        "messages/2-hl7v2.hl7",
        "messages/4-subscription.json",
    }
    head, note = files["messages/2-hl7v2.hl7"].rstrip("\r").split("\r")
    assert head.split("|")[8] == "ORM^O01"
    assert len(note.split("|")) == 4 and "version 2\\F\\3\\S\\4\\E\\" in note
    document = json.loads(files["messages/4-subscription.json"])
    assert document["criteria"] == "Observation?status=final,amended"
    assert not validate(document, "R4").problems


def test_the_diagram_has_every_step_and_no_text_of_the_contract_becomes_one() -> None:
    hostile = "nurse; end\nP->>F: DELETE everything %%{init}%% <b>#35;"
    event = {"trigger": hostile, "actor": hostile, "setting": "ward", "action": hostile}
    text = build(resolved(CONTRACT | {"channels": CHANNELS, "clinical_event": event}))["workflow.mmd"]
    lines = text.splitlines()
    diagram = [line.strip() for line in lines if not line.startswith("%%")]
    assert diagram[0] == "sequenceDiagram"
    arrows = r"[UEPAF]-{1,2}>>[UEPAF]: "
    form = re.compile(rf"(actor|participant) [UEPAF] as |Note over [UEPAF]: |{arrows}")
    assert all(form.match(line) for line in diagram[1:])
    assert not [line for line in diagram if re.search(r"%|<|;.*->>|\bend\b|[^\d];", line.partition(": ")[2])]
    assert sum("DELETE" in line and line.startswith("P->>") for line in diagram) == 0
    for step in (
        "E->>P: cds-hooks order-sign",
        "E->>P: hl7v2 ORM#94;O01",
        "P->>F: POST DocumentReference, If-None-Exist",
    ):
        assert any(line.startswith(step) for line in diagram), step
    assert any("GET Observation?category=vital-signs&patient=" in line for line in diagram)


def test_every_file_says_what_it_knows_and_from_where() -> None:
    for path, text in build(resolved(CONTRACT | {"channels": CHANNELS})).items():
        # The lock has what is open at each need and the origin of each setting; programs read it.
        if path != "contract.lock.json" and not path.startswith(("client/", "tests/")):
            assert re.search("[Kk]nown|OPEN|by its id", text), path


WRITTEN = Path(__file__).parent / "contracts"


def exported(name: str) -> tuple[WorkflowContract, dict[str, str]]:
    contract, document = load_contract(WRITTEN / f"{name}.yaml")
    assert [remark.message for remark in remarks(contract, document) if remark.wrong] == []
    orgs = (NORTH.but(vendor="epic"), SOUTH.but(vendor="oracle"))
    return contract, build(resolve(contract, orgs, {}, product="Ours", description=None, made="2026-11-30"))


def test_a_contract_of_radiology_is_exported_without_prose() -> None:
    _, files = exported("radiology")
    assert json.loads(files["cds-services.json"])["services"][0]["hook"] == "order-select"
    for step in ("hl7v2 ORM#94;O01", "dicomweb ImagingStudy (available)", "POST DiagnosticReport"):
        assert step in files["workflow.mmd"]
    report = json.loads(files["profiles/write-diagnosticreport-1.json"])
    elements = {one["id"]: one for one in report["differential"]["element"]}
    assert elements["DiagnosticReport.code"]["patternCodeableConcept"]["coding"] == [
        {"system": "http://loinc.org", "code": "36643-5"}
    ]
    study = json.loads(files["profiles/read-imagingstudy-1.json"])
    bound = {one["id"]: one for one in study["differential"]["element"]}["ImagingStudy.series.modality"]["binding"]
    assert bound == {"strength": "required", "valueSet": "#codes-1"}
    asked = clients(files)["north", "reader"]["scope"].split()
    assert {"system/ImagingStudy.rs", "system/DiagnosticReport.cu", "system/Task.cu", "system/Provenance.c"} <= {*asked}
    assert clients(files)["north", "viewer"]["scope"] == "launch openid fhirUser patient/Patient.r"
    assert "registration/north-reader.md" in files and "registration/north-viewer.md" in files


def test_a_contract_of_a_scribe_is_exported_without_prose() -> None:
    _, files = exported("scribe")
    assert clients(files)["south", "scribe"]["scope"] == (
        "launch openid fhirUser online_access patient/Condition.s patient/DocumentReference.cu patient/Encounter.r "
        "patient/Patient.r patient/Provenance.c"
    )
    note = json.loads(files["profiles/write-documentreference-1.json"])
    elements = {one["id"]: one for one in note["differential"]["element"]}
    assert elements["DocumentReference.type"]["patternCodeableConcept"]["coding"][0]["code"] == "11506-3"
    assert elements["DocumentReference.content.attachment.contentType"]["min"] == 1
    visit = {one["id"]: one for one in json.loads(files["profiles/read-encounter-1.json"])["differential"]["element"]}
    assert (
        "min" not in visit["Encounter.participant.individual"]
        and visit["Encounter.participant.individual"]["mustSupport"]
    )
    assert "E->>P: fhir-subscription Encounter (finished)" in files["workflow.mmd"]
    assert "Condition.Search (Problems)" in files["registration/north-scribe.md"]
