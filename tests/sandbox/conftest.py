"""One sandbox for all tests of the room, and clients that never look at the environment's proxies."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from interlock.sandbox.exchange import Timing
from interlock.sandbox.server import SandboxServer


@pytest.fixture(scope="session")
def server() -> Iterator[SandboxServer]:
    """The shipped organisations; slow answers take 0.3 s, hanging ones 0.5 s."""
    with SandboxServer(timing=Timing(slow=0.3, hang=0.5)) as running:
        yield running


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture
def riverside(server: SandboxServer) -> str:
    return server.base_url("riverside")
