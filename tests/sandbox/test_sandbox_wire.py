"""Faults of delivery, seen from raw sockets and TLS."""

from __future__ import annotations

import socket
import ssl
import time
from urllib.parse import urlsplit

import httpx
import pytest

from interlock.sandbox.exchange import Timing
from interlock.sandbox.organizations import load_organizations
from interlock.sandbox.server import SandboxServer

pytestmark = pytest.mark.fast


def receive(server: SandboxServer, fault: str, path: str = "metadata") -> tuple[bytes, BaseException | None]:
    """Everything that arrives before the connection ends, and the error that ended it, if any."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(f"GET /riverside+{fault}/fhir/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        received = b""
        try:
            while chunk := connection.recv(65_536):
                received += chunk
        except OSError as error:
            return received, error
        return received, None


def split(received: bytes) -> tuple[int, bytes]:
    """The promised length and the body."""
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    assert len(lengths) == 1
    return int(lengths[0].split(b":")[1]), body


def test_a_truncated_answer_ends_early_and_orderly(server: SandboxServer) -> None:
    for _ in range(10):
        received, error = receive(server, "truncated")
        assert error is None
        promised, body = split(received)
        assert 0 < len(body) == promised // 2


def test_a_reset_comes_in_the_middle_of_the_answer(server: SandboxServer) -> None:
    for _ in range(5):
        received, error = receive(server, "reset")
        assert isinstance(error, ConnectionResetError)
        promised, body = split(received)
        assert 0 < len(body) < promised


def test_a_hanging_connection_says_nothing_and_ends(server: SandboxServer) -> None:
    started = time.perf_counter()
    received, _ = receive(server, "hang")
    assert received == b""
    assert time.perf_counter() - started > 0.4


def test_a_dripping_answer_comes_byte_by_byte(server: SandboxServer) -> None:
    received, error = receive(server, "drip")
    promised, body = split(received)
    assert error is None
    assert 1 <= len(body) <= 3 < promised


@pytest.mark.parametrize("fault", ["truncated", "reset", "hang"])
def test_the_server_goes_on_after_a_broken_delivery(server: SandboxServer, http: httpx.Client, fault: str) -> None:
    with pytest.raises(httpx.TransportError):
        http.get(f"{server.base_url('riverside', fault)}/metadata")
    assert http.get(f"{server.base_url('riverside')}/metadata").status_code == 200


def test_a_client_that_leaves_ends_a_hanging_answer() -> None:
    """The answers would hang for an hour each, and the server ends when they have."""
    with SandboxServer(timing=Timing(slow=3_600, hang=3_600)) as server:
        for fault in ("hang", "slow", "drip"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
                connection.sendall(f"GET /riverside+{fault}/fhir/metadata HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                time.sleep(0.05)
    assert not server.running


def test_wire_faults_work_with_other_faults(server: SandboxServer) -> None:
    received, _ = receive(server, "bom+truncated")
    assert split(received)[1].startswith(b"\xef\xbb\xbf{")


def test_an_expired_certificate_is_refused_for_its_date(server: SandboxServer) -> None:
    url = server.base_url("riverside", "expired-tls")
    assert url.startswith("https://127.0.0.1:")
    trusting = ssl.create_default_context(cadata=server.certificate_authority)
    with (
        httpx.Client(verify=trusting, trust_env=False) as client,
        pytest.raises(httpx.ConnectError, match="certificate has expired"),
    ):
        client.get(f"{url}/metadata")
    with (
        httpx.Client(verify=ssl.create_default_context(), trust_env=False) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(f"{url}/metadata")


def test_behind_the_expired_certificate_is_the_same_organisation(server: SandboxServer) -> None:
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    url = server.base_url("riverside", "expired-tls", "fhir-4-0-0")
    with httpx.Client(verify=careless, trust_env=False) as client:
        statement = client.get(f"{url}/metadata").json()
    assert (statement["implementation"]["url"], statement["fhirVersion"]) == (url, "4.0.0")


def test_an_organisation_may_have_an_expired_certificate_of_its_own() -> None:
    organizations = [
        entry.model_copy(update={"faults": ("expired-tls",)}) if entry.id == "riverside" else entry
        for entry in load_organizations()
    ]
    with SandboxServer(organizations) as server:
        assert urlsplit(server.base_url("riverside")).scheme == "https"
        assert urlsplit(server.base_url("lakeshore")).scheme == "http"
