"""Speed of the simulated hospitals: reads of a resource, and searches, against a bare route of Starlette."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from measuring import Measured, best_of

_READS = 500


def rows() -> list[Measured]:
    """500 reads, which one core should answer within a second, and 50 searches, on the tape and without the network."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from interlock.sandbox.app import create_app
    from interlock.sandbox.exchange import State
    from interlock.sandbox.grants import Grant
    from interlock.sandbox.organizations import load_organizations
    from interlock.sandbox.tape import Tape

    started = time.perf_counter()
    organizations, state = load_organizations(), State()
    app = Tape().recording(create_app(organizations, state), state.ledger.clock)
    riverside = next(entry for entry in organizations if entry.id == "riverside")
    patient = next(entry["id"] for entry in riverside.resources if entry["resourceType"] == "Patient")
    now = state.ledger.clock()
    token = state.ledger.add_token(Grant("riverside", "bench", ("system/*.rs",), now + 3_600, now))
    path = f"/riverside/fhir/Patient/{patient}"
    answer = asyncio.run(_asked(app, path, b"", token))
    ready = time.perf_counter() - started

    async def bare(_: Request) -> Response:
        return Response(answer, 200, {"Content-Type": "application/fhir+json"})

    plain = Starlette(routes=[Route("/{path:path}", bare)])
    search = f"patient={patient}&category=vital-signs".encode()
    reads, searches, base = best_of(
        3,
        lambda: asyncio.run(_often(_READS, app, path, b"", token)),
        lambda: asyncio.run(_often(_READS // 10, app, "/riverside/fhir/Observation", search, token)),
        lambda: asyncio.run(_often(_READS, plain, path, b"", token)),
        clock=time.process_time,
    )
    return [
        Measured(f"hospital: {_READS} reads", reads, "bare Starlette route", base, 18.0, 1.0),
        Measured(f"hospital: {_READS // 10} searches", searches, f"{_READS} of a bare route", base, 18.0),
        Measured("hospitals: all ready", ready, f"{_READS} of a bare route", base, 60.0, 1.0),
    ]


async def _often(times: int, app: Callable[..., Awaitable[None]], path: str, query: bytes, token: str) -> None:
    for _ in range(times):
        await _asked(app, path, query, token)


async def _asked(app: Callable[..., Awaitable[None]], path: str, query: bytes, token: str) -> bytes:
    """The body of one answer, asked as a server would ask the application."""
    sent: list[Any] = []
    headers = [
        (b"host", b"127.0.0.1"),
        (b"authorization", f"Bearer {token}".encode()),
        (b"accept", b"application/fhir+json"),
    ]
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": headers,
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
        "http_version": "1.1",
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if sent[0]["status"] != 200:
        raise RuntimeError(f"the sandbox answered {sent[0]['status']}")
    return b"".join(message.get("body", b"") for message in sent)
