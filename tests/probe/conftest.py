"""Fixtures of the probe's tests: a loopback server, and no way out to other hosts."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme
from probe_documents import smart, statement
from probe_loopback import Loopback, as_json


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names other than this machine's do not resolve, and no proxy is taken from the environment."""
    real = socket.getaddrinfo

    def local_only(host: Any, *arguments: Any, **named: Any) -> Any:
        if host not in {"localhost", "127.0.0.1", "::1", None}:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", local_only)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    """A server that answers 404 until it is told otherwise."""
    server = Loopback()
    yield server
    server.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that nobody trusts unless a test says so."""
    return trustme.CA()


@pytest.fixture
def serve() -> Iterator[Callable[[ssl.SSLContext], Loopback]]:
    """Starts servers that give both documents over TLS."""
    servers: list[Loopback] = []

    def start(context: ssl.SSLContext) -> Loopback:
        server = Loopback(context)
        server.serve(as_json(statement(), content_type="application/fhir+json"), as_json(smart()))
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.close()
