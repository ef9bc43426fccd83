"""The client's own guards, where a whole probe would not show them."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from probe_loopback import Loopback, Reply, as_json, redirect

from interlock.probe.client import Answer, Client
from interlock.probe.runner import ProbeSettings
from interlock.probe.transfer import Ask


async def get(url: str, **options: Any) -> Answer:
    settings = options.pop("settings", ProbeSettings())
    async with Client(settings) as client:
        deadline = asyncio.get_running_loop().time() + 3
        return await client.get(Ask(url=url, accept="application/json", deadline=deadline, **options))


async def test_redirects_do_not_lead_into_a_private_network(loopback: Loopback) -> None:
    loopback.routes["/a"] = redirect("/b")
    loopback.routes["/b"] = as_json({"secret": 1})
    answer = await get(f"{loopback.origin}/a", redirect_public_only=True)
    assert answer.failure is not None and answer.failure.word == "redirect"
    assert "private network" in answer.failure.detail
    assert not loopback.asked("/b")
    assert (await get(f"{loopback.origin}/a", redirect_public_only=False)).failure is None


async def test_advertised_addresses_are_judged_by_what_they_resolve_to(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A public name that points inside is refused before anything is sent."""

    def inside(host: Any, *arguments: Any, **named: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    answer = await get(f"http://keys.example:{loopback.port}/keys", public_only=True)
    assert answer.failure is not None and answer.failure.word == "refused"
    assert not loopback.requests
    assert (await get(f"http://keys.example:{loopback.port}/keys")).records[0].status == 404


async def test_a_name_is_looked_up_once(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was judged is what is connected to: a name that answers differently the second time gains nothing."""
    answers = ["127.0.0.1", "10.255.255.1"]

    def rebinding(host: Any, *arguments: Any, **named: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), 0))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    async with Client(ProbeSettings()) as client:
        url = f"http://rebinding.example:{loopback.port}/x"
        assert await client.is_private(url)
        for _ in range(3):
            ask = Ask(url=url, accept="*/*", deadline=asyncio.get_running_loop().time() + 3)
            assert (await client.get(ask)).records[0].status == 404
    assert answers == ["10.255.255.1"]


async def test_credentials_stay_with_their_origin(loopback: Loopback) -> None:
    other = Loopback()
    try:
        loopback.routes["/a"] = redirect("/same")
        loopback.routes["/same"] = redirect(f"{other.origin}/b")
        other.routes["/b"] = as_json({})
        answer = await get(
            f"{loopback.origin}/a", credentials={"Authorization": "Bearer secret"}, redirect_public_only=False
        )
        assert answer.failure is None
        assert [request.headers.get("authorization") for request in loopback.requests] == ["Bearer secret"] * 2
        assert "authorization" not in other.requests[0].headers
    finally:
        other.close()


async def test_headers_larger_than_usual_are_read_and_cut(loopback: Loopback) -> None:
    loopback.routes["/a"] = Reply(b"{}", 200, "application/json", {"ETag": "x" * 20_000, "Set-Cookie": "y" * 20_000})
    answer = await get(f"{loopback.origin}/a")
    assert answer.failure is None
    assert len(answer.records[0].headers["etag"]) == 300
    assert "set-cookie" not in answer.records[0].headers


async def test_a_deadline_that_has_passed_sends_nothing(loopback: Loopback) -> None:
    async with Client(ProbeSettings()) as client:
        ask = Ask(url=f"{loopback.origin}/a", accept="*/*", deadline=asyncio.get_running_loop().time() - 1)
        answer = await client.get(ask)
    assert answer.failure is not None and answer.failure.word == "timeout"
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
        answer = await get(
            f"http://127.0.0.1:{listener.getsockname()[1]}/", settings=ProbeSettings(connect_timeout_s=0.3)
        )
        for filler in fillers:
            filler.close()
    assert answer.failure is not None and answer.failure.word == "timeout"
    assert "no connection" in answer.failure.detail
