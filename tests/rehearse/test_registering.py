"""How a product becomes known to the simulated hospitals: by a file, by hand, or because it registers itself."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from staging import looked_at, on_stage, product_at

from interlock.cli.main import run
from interlock.model.errors import InterlockError
from interlock.model.product import BackendClient, Product
from interlock.rehearse.hospitals import Hospitals
from interlock.usecases.registering import by_hand, write_registration
from interlock.workspace.store import Workspace

CHECKS = {"RH-L01", "RH-A01", "RH-T01", "RH-T02", "RH-T03", "RH-T04", "RH-T05", "RH-C06"}
METADATA = {
    "redirect_uris": ["http://127.0.0.1:9/callback"],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code"],
}


def test_a_product_that_registers_itself_needs_no_client_id() -> None:
    with on_stage(dynamic=True, orgs=3) as hospitals:
        seen = looked_at(hospitals, CHECKS)
        assert {client.client for client in hospitals.clients.values()} == {
            "public", "confidential-symmetric", "confidential-asymmetric",
        }  # fmt: skip
        assert hospitals.secret("birch") not in seen.model_dump_json()
    assert {outcome.value for outcome in seen.outcomes.values()} == {"held"}, seen.results
    registered = [(line.where, line.status) for line in seen.tape if line.role == "register"]
    assert registered == [("alder", 201), ("birch", 201), ("cedar", 201)]


def test_one_that_does_not_register_itself_is_told() -> None:
    refused = ('if not address.startswith(f"{hospital.iss}/"):', "if address:")
    with on_stage([refused], dynamic=True) as hospitals:
        seen = looked_at(hospitals, CHECKS)
    assert not seen.polite and seen.stopped is not None
    assert "and has not registered itself there" in seen.stopped


@pytest.fixture
def hospitals() -> Iterator[Hospitals]:
    product = product_at(9, dynamic=True)
    with Hospitals(product, 0) as standing:
        yield standing


def registered(
    hospitals: Hospitals, org: str = "alder", content: bytes | None = None, **changed: object
) -> httpx.Response:
    body = content if content is not None else json.dumps(METADATA | changed).encode()
    headers = {"Content-Type": "application/json"}
    return httpx.post(hospitals.address(org, "register"), content=body, headers=headers, trust_env=False)


@pytest.mark.parametrize(
    "address",
    [
        "https://app.example.org/callback", "http://127.0.0.1@app.example.org/", "org.example.app:/callback", "//x/y",
        "javascript:alert(1)", "", 7,
    ],
)  # fmt: skip
def test_a_redirect_address_elsewhere_is_not_registered(hospitals: Hospitals, address: object) -> None:
    answer = registered(hospitals, redirect_uris=["http://127.0.0.1:9/callback", address])
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_redirect_uri", "invalid_client_metadata")
    assert set(hospitals.adopt()) == {"alder", "birch"}


@pytest.mark.parametrize(
    "body", [b"x" * 1_000_000, b'{"redirect_uris": ' + b"[" * 900_000, b'{"redirect_uris": 1}', b"[]", b"\xff"]
)
def test_a_body_that_is_no_registration_is_refused(hospitals: Hospitals, body: bytes) -> None:
    answer = registered(hospitals, content=body)
    assert answer.status_code in (400, 413)
    assert answer.json()["error"] == "invalid_client_metadata"


def test_a_thousand_registrations_are_bounded_and_push_out_no_other_hospitals(hospitals: Hospitals) -> None:
    registered(hospitals, "birch")
    assert hospitals.adopt() == ("alder",)
    with httpx.Client(trust_env=False) as http:
        for _ in range(1_000):
            assert http.post(hospitals.address("alder", "register"), json=METADATA).status_code == 201
    assert hospitals.adopt() == ()
    assert len(hospitals.server.clients("alder")) == 500
    assert hospitals.launch("birch").startswith("http://127.0.0.1:9/launch?iss=")
    assert hospitals.clients["alder"].client_id == hospitals.server.clients("alder")[-1].id


def test_without_dynamic_registration_a_hospital_has_an_id_and_a_redirect_address() -> None:
    told = {"launch_url": "http://127.0.0.1:9/launch", "organizations": [{"id": "alder", "client_id": "x"}]}
    with pytest.raises(ValueError, match="alder has no redirect_uri; only with registration: dynamic"):
        Product.model_validate(told)
    assert Product.model_validate(told | {"registration": "dynamic"}).organizations[0].redirect_uri == ""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_what_a_product_has_to_know_is_written_as_variables_and_as_json(tmp_path: Path) -> None:
    product = product_at(9, orgs=3).but(jwks_url=None, port=free_port())
    assert write_registration(product, tmp_path / "sim.env") == 18
    assert write_registration(product, tmp_path / "sim.json") == 17
    variables = (tmp_path / "sim.env").read_text()
    known = json.loads((tmp_path / "sim.json").read_text())["organizations"]
    assert [*known] == ["alder", "birch", "cedar"]
    assert f"SIM_BIRCH_CLIENT_SECRET={known['birch']['client_secret']}" in variables
    assert json.loads(known["alder"]["private_jwk"])["kid"] == "sim-alder"
    assert known["cedar"]["auth_method"] == "none" and "client_secret" not in known["cedar"]
    assert (tmp_path / "sim.json").stat().st_mode & 0o077 == 0
    with pytest.raises(InterlockError, match="cannot be written"):
        write_registration(product, tmp_path)


PRODUCT = """
launch_url: http://127.0.0.1:{closed}/launch
registration: manual
port: {port}
organizations:
  - {{id: alder, client_id: by-hand, redirect_uri: "http://127.0.0.1:9/cb", client: confidential-symmetric}}
"""


def test_what_is_entered_by_hand_is_shown_before_the_product_is_looked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PRODUCT.format(closed=free_port(), port=free_port()).encode()
    Workspace.create(tmp_path / "w", {"interlock.yaml": b"name: A\nproduct: A product\n", "product.yaml": text})
    assert run(["rehearse", "-w", str(tmp_path / "w"), "--wait-for-app", "1"]) == 3
    told = capsys.readouterr().err
    for words in ("client id", "by-hand", "client_secret_basic", "sim-", "/alder/fhir", "launch url"):
        assert words in told.replace("client_id", "client id"), words
    assert "after 1 s" in told


@pytest.mark.parametrize("dynamic", [False, True])
def test_work_without_a_user_may_have_a_registration_of_its_own(dynamic: bool) -> None:
    """Of a public client at the third hospital too; the id of the sign-in is none for it then."""
    kinds = {"alder": "confidential-asymmetric", "birch": "confidential-symmetric", "cedar": "confidential-asymmetric"}
    backends = {name: BackendClient(client_id=f"jobs-at-{name}", client=kind) for name, kind in kinds.items()}
    checks = {"RH-B01", "RH-B03", "RH-B04", "RH-E11"}
    for changes, outcome in (((), "held"), ((("hospital.alone, address", "hospital, address"),), "broke")):
        with on_stage(changes, orgs=3, dynamic=dynamic, backends=backends) as hospitals:
            seen = looked_at(hospitals, checks if outcome == "held" else {"RH-B01"})
        assert {found.value for found in seen.outcomes.values()} == {outcome}, seen.results
        assert {row.organization for row in seen.results if row.id == "RH-B01"} == set(kinds)


def test_no_private_key_stands_in_the_table_for_somebody_to_copy() -> None:
    product = product_at(9).but(jwks_url=None)
    clients = tuple(client.but(backend=BackendClient(client_id="jobs")) for client in product.organizations)
    with Hospitals(product.but(organizations=clients), 0) as hospitals:
        rows = {(org, name): value for org, name, value in by_hand(hospitals)}
    assert rows["alder", "private_jwk"] == rows["birch", "backend_private_jwk"]
    assert rows["birch", "backend_private_jwk"].startswith("a key: interlock rehearse --write-env")
    assert rows["birch", "backend_client_id"] == "jobs"
