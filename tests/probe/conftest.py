"""Fixtures of the probe's tests: a loopback server, and no way out to other hosts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from probe_loopback import Loopback


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
