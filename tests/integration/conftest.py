"""Real components on loopback: nothing leaves this machine but the installation of a third-party server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from integration_replay import ReplayServer


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names other than this machine's do not resolve in this process, and no proxy is taken from the environment."""
    real = socket.getaddrinfo

    def local_only(host: Any, *arguments: Any, **named: Any) -> Any:
        if host not in {"localhost", "127.0.0.1", "::1", None}:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", local_only)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def replay() -> Iterator[ReplayServer]:
    """A server that answers what a test recorded, and 404 to everything else."""
    with ReplayServer() as server:
        yield server
