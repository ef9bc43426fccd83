"""Hospitals that speak https, and a product that trusts their authority."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from staging import looked_at, on_stage, product_at

from interlock.rehearse.hospitals import Hospitals
from interlock.sandbox.certificates import Authority
from interlock.sandbox.tls import published_authority
from interlock.usecases.registering import write_registration

QUICK_CHECKS = "L01 L06 L07 L09 L10 L11 C01 C06 T09 T10 D01 E13 F10"


def test_the_sound_application_holds_what_is_quick() -> None:
    with on_stage(tls=True) as hospitals:
        seen = looked_at(hospitals, {f"RH-{number}" for number in QUICK_CHECKS.split()})
        assert hospitals.base("alder").startswith("https://")
    assert {outcome.value for outcome in seen.outcomes.values()} == {"held"}, [row.seen for row in seen.results]
    wrong = [row.subject for row in seen.results if row.id == "RH-T10"]
    assert wrong == [
        "an expired certificate", "a certificate of another host", "a certificate of an unknown authority",
    ]  # fmt: skip


@pytest.mark.long
def test_the_sound_application_holds_everything() -> None:
    with on_stage(tls=True) as hospitals:
        seen = looked_at(hospitals)
    others = [row for row in seen.results if row.hook != "session_limits"]
    assert [row for row in others if row.outcome.value not in ("held", "not_applicable")] == []


def test_without_tls_nothing_is_said_of_it() -> None:
    with on_stage() as hospitals:
        seen = looked_at(hospitals, {"RH-L11", "RH-T10"})
    assert [(row.outcome.value, "tls: true" in row.seen) for row in seen.results] == [("not_applicable", True)] * 2


@pytest.fixture
def hospitals() -> Iterator[Hospitals]:
    with Hospitals(product_at(9).but(tls=True), 0) as standing:
        yield standing


def trusting() -> httpx.Client:
    return httpx.Client(verify=ssl.create_default_context(cadata=published_authority().pem), trust_env=False)


def test_a_hospital_answers_https_and_http_at_one_address_and_knows_which(hospitals: Hospitals) -> None:
    with trusting() as http:
        for base in (hospitals.base("alder"), hospitals.base("alder").replace("https", "http")):
            told = http.get(f"{base}/.well-known/smart-configuration").json()
            assert told["token_endpoint"] == f"{base}/oauth2/token"
    with httpx.Client(trust_env=False) as http, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        http.get(hospitals.base("alder"))


def test_a_wrong_certificate_is_for_new_and_old_connections_of_one_hospital_and_ends(hospitals: Hospitals) -> None:
    address = f"{hospitals.base('alder')}/metadata"
    with trusting() as http:
        assert http.get(address).status_code == 200
        with hospitals.server.presenting("alder", "an expired certificate") as begun:
            with pytest.raises(httpx.ConnectError, match="certificate has expired"):
                http.get(address)
            assert begun() == 1
            assert http.get(f"{hospitals.base('birch')}/metadata").status_code == 200
        assert http.get(address).status_code == 200


def test_whoever_says_nothing_or_nonsense_keeps_nobody_waiting(hospitals: Hospitals) -> None:
    host, port = hospitals.host("alder").split(":")
    with socket.create_connection((host, int(port))) as silent, socket.create_connection((host, int(port))) as loud:
        loud.sendall(b"\x16nonsense")
        with trusting() as http:
            assert http.get(f"{hospitals.base('alder')}/metadata").status_code == 200
        silent.sendall(b"")


def test_the_authority_vouches_for_this_computer_alone(hospitals: Hospitals) -> None:
    """Whoever trusts it gives nothing away: its key is no secret."""
    from cryptography import x509

    told = x509.load_pem_x509_certificate(published_authority().pem.encode())
    constraints = told.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    permitted = {str(name.value) for name in constraints.value.permitted_subtrees or ()}
    assert permitted == {"127.0.0.0/8", "localhost"}
    context = published_authority().server([x509.DNSName("example.org")])
    client = ssl.create_default_context(cadata=published_authority().pem)
    ours, theirs, incoming, outgoing = context, client, ssl.MemoryBIO(), ssl.MemoryBIO()
    server = ours.wrap_bio(incoming, outgoing, server_side=True)
    visitor = theirs.wrap_bio(outgoing, incoming, server_hostname="example.org")
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        for _ in range(4):
            for side in (visitor, server):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
    assert Authority("another").pem != published_authority().pem


def test_where_the_authority_stands_is_told_in_every_form(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    product = product_at(9).but(tls=True, port=port)
    write_registration(product, tmp_path / "sim.env")
    write_registration(product, tmp_path / "sim.json")
    told = (tmp_path / "sim.env").read_text()
    authority = tmp_path / "sim.ca.pem"
    assert f"SIM_CA_FILE={authority}" in told and f"NODE_EXTRA_CA_CERTS={authority}" in told
    assert f'"ca_file": "{authority}"' in (tmp_path / "sim.json").read_text()
    assert "BEGIN CERTIFICATE" in authority.read_text() and "PRIVATE" not in authority.read_text()
