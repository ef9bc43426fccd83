"""The client's own guards, where a whole probe would not show them."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from probe_loopback import Loopback, Reply, as_json, redirect

from interlock.probe.transport.client import Client
from interlock.probe.transport.settings import ProbeSettings
from interlock.probe.transport.transfer import Ask
from interlock.probe.transport.transfer import Reply as ProbeReply
from typed_targets import typed

pytestmark = pytest.mark.fast


async def get(url: str, *allowed: str, settings: ProbeSettings | None = None, **options: Any) -> ProbeReply:
    """One GET of an address that somebody typed, who allowed further ones."""
    async with Client(typed(settings or ProbeSettings(), url, *allowed)) as client:
        deadline = asyncio.get_running_loop().time() + 3
        return await client.get(Ask(url=url, accept="application/json", deadline=deadline, **options))


async def test_credentials_stay_with_their_origin(loopback: Loopback) -> None:
    other = Loopback()
    try:
        loopback.routes["/a"] = redirect("/same")
        loopback.routes["/same"] = redirect(f"{other.origin}/b")
        other.routes["/b"] = as_json({})
        reply = await get(f"{loopback.origin}/a", other.origin, credentials={"Authorization": "Bearer secret"})
        assert reply.failure is None
        assert [request.headers.get("authorization") for request in loopback.requests] == ["Bearer secret"] * 2
        assert "authorization" not in other.requests[0].headers
    finally:
        other.close()


async def test_headers_larger_than_usual_are_read_and_cut(loopback: Loopback) -> None:
    loopback.routes["/a"] = Reply(b"{}", 200, "application/json", {"ETag": "x" * 20_000, "Set-Cookie": "y" * 20_000})
    reply = await get(f"{loopback.origin}/a")
    assert reply.failure is None
    assert len(reply.records[0].headers["etag"]) == 300
    assert "set-cookie" not in reply.records[0].headers


async def test_a_deadline_that_has_passed_sends_nothing(loopback: Loopback) -> None:
    async with Client(ProbeSettings()) as client:
        ask = Ask(url=f"{loopback.origin}/a", accept="*/*", deadline=asyncio.get_running_loop().time() - 1)
        reply = await client.get(ask)
    assert reply.failure is not None and reply.failure.word == "timeout"
    assert not loopback.requests


async def test_unanswered_connections_time_out_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full backlog accepts nobody: the connection itself times out."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        reply = await get(
            f"http://127.0.0.1:{listener.getsockname()[1]}/", settings=ProbeSettings(connect_timeout_s=0.3)
        )
        for filler in fillers:
            filler.close()
    assert reply.failure is not None and reply.failure.word == "timeout"
    assert "no connection" in reply.failure.detail
