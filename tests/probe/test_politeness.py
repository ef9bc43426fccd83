"""What a host is spared, counted at the server."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from probe_documents import smart, statement
from probe_loopback import Loopback, Reply, Request, as_json, hang, relay

from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, Target
from interlock.probe.transport.failures import RequestFailed
from interlock.probe.transport.hosts import HostLimits
from interlock.probe.transport.settings import USER_AGENT, ProbeSettings
from typed_targets import probe_sync


def bases(loopback: Loopback, count: int, answer: Any = None) -> list[Target]:
    for number in range(count):
        loopback.routes[f"/{number}/fhir/metadata"] = answer or as_json(statement())
        loopback.routes[f"/{number}/fhir/.well-known/smart-configuration"] = answer or as_json(smart())
    return [Target(base_url=f"{loopback.origin}/{number}/fhir") for number in range(count)]


async def slow(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.02)
    document = statement() if request.path.endswith("/metadata") else smart()
    writer.write(as_json(document).encode().replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
    await writer.drain()


@pytest.mark.parametrize("per_host", [1, 2, 5])
def test_requests_at_a_time_are_limited_per_host_not_per_target(loopback: Loopback, per_host: int) -> None:
    probe_sync(bases(loopback, 8, slow), ProbeSettings(per_host=per_host, concurrency=8))
    assert len(loopback.requests) == 16
    assert loopback.most_active <= per_host


def test_the_rate_holds_for_every_request_of_a_host(loopback: Loopback) -> None:
    times: list[float] = []
    lock = threading.Lock()

    def noted(document: dict[str, Any]) -> Callable[[Request], Reply]:
        def answer(request: Request) -> Reply:
            with lock:
                times.append(time.monotonic())
            return as_json(document)

        return answer

    targets = bases(loopback, 4)
    for path in list(loopback.routes):
        loopback.routes[path] = noted(statement() if path.endswith("/metadata") else smart())
    began = time.monotonic()
    probe_sync(targets, ProbeSettings(rate=20, per_host=8, concurrency=4))
    assert len(times) == 8
    for number, moment in enumerate(sorted(times)):  # each waits for its turn, counted from before the first
        assert moment - began >= number / 20


async def test_places_are_given_in_order_and_evenly() -> None:
    limits = HostLimits(per_host=10, rate=50)
    loop = asyncio.get_running_loop()
    began = loop.time()
    started: list[tuple[float, int]] = []

    async def use(number: int) -> None:
        async with limits.slot("host", loop.time() + 60):
            started.append((loop.time(), number))

    await asyncio.gather(*(use(number) for number in range(5)))
    assert [number for _, number in started] == list(range(5))
    assert all(moment - began >= number / 50 for number, (moment, _) in enumerate(started))


async def test_other_hosts_do_not_wait() -> None:
    limits = HostLimits(per_host=1, rate=0.1)
    deadline = asyncio.get_running_loop().time() + 60
    limits.hold("busy", 30)
    for host in ("one", "two", "three"):
        async with asyncio.timeout(1), limits.slot(host, deadline):
            pass


async def test_a_host_that_asks_for_more_than_the_deadline_is_not_waited_for() -> None:
    limits = HostLimits(per_host=1)
    limits.hold("busy", 30)
    with pytest.raises(RequestFailed, match="busy asked to be left alone for"):
        async with limits.slot("busy", asyncio.get_running_loop().time() + 1):
            pass


def asking(value: str, status: int, then: Reply) -> Callable[[Request], Reply]:
    answered: list[float] = []

    def answer(request: Request) -> Reply:
        answered.append(time.monotonic())
        return Reply(b"", status, None, {"Retry-After": value}) if len(answered) == 1 else then

    answer.times = answered  # type: ignore[attr-defined]
    return answer


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_kept_by_every_target_of_the_host(loopback: Loopback, form: str) -> None:
    """The first answer asks for a pause: nothing reaches the host before it is over, from whichever target."""
    targets = bases(loopback, 3)
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2.5), usegmt=True)
    first = asking("1" if form == "seconds" else date, 429, as_json(statement()))
    loopback.routes["/0/fhir/metadata"] = first
    arrived: list[float] = []
    for path, answer in list(loopback.routes.items()):
        if path != "/0/fhir/metadata":

            def noted(request: Request, answer: Any = answer) -> Any:
                arrived.append(time.monotonic())
                return answer

            loopback.routes[path] = noted
    observations = probe_sync(targets, ProbeSettings(per_host=1, concurrency=3))
    assert {observation.outcome for observation in observations} == {"observed"}
    asked, again = first.times  # type: ignore[attr-defined]
    pause = 0.95
    assert again - asked >= pause
    assert not [moment for moment in arrived if asked + 0.05 < moment < asked + pause]


def test_an_endless_retry_after_costs_no_further_requests(loopback: Loopback) -> None:
    targets = bases(loopback, 5, Reply(b"", 503, None, {"Retry-After": "999999999"}))
    observations = probe_sync(targets, ProbeSettings(per_host=1, concurrency=5, deadline_s=2))
    assert {observation.outcome for observation in observations} == {"not_observed"}
    assert len(loopback.requests) == 1
    details = {record.detail or "" for observation in observations for record in observation.requests}
    assert any("asked to be left alone" in detail for detail in details)


@pytest.mark.parametrize("value", ["soon", "-1", "1e9", "Thu, 99 Foo 2026", "²"])
def test_a_retry_after_that_says_nothing_is_a_short_backoff(loopback: Loopback, value: str) -> None:
    loopback.serve(Reply(b"", 503, None, {"Retry-After": value}), as_json(smart()))
    loopback.routes["/fhir/metadata"] = asking(value, 503, as_json(statement()))
    (observation,) = probe_sync([Target(base_url=loopback.base)], ProbeSettings(deadline_s=10))
    assert observation.outcome == "observed"


def test_the_user_agent_says_who_asks(loopback: Loopback) -> None:
    target = bases(loopback, 1)
    probe_sync(target)
    probe_sync(target, ProbeSettings(user_agent="acme-readiness/2 (ops@acme.example)"))
    agents = [request.headers["user-agent"] for request in loopback.requests]
    assert agents == [USER_AGENT] * 2 + ["acme-readiness/2 (ops@acme.example)"] * 2
    assert USER_AGENT.startswith("interlock/")


@pytest.mark.parametrize("changed", [{"rate": 0}, {"rate": -1.0}, {"per_host": 0}, {"user_agent": "two\nlines"}])
def test_limits_that_limit_nothing_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InterlockError):
        ProbeSettings(**changed)


def test_the_deadline_holds_for_all_requests_of_a_target_together(loopback: Loopback) -> None:
    async def nearly(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.4)
        writer.write(Reply(b"", 406).encode().replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        await writer.drain()

    (observation,) = probe_sync(bases(loopback, 1, nearly), ProbeSettings(deadline_s=1))
    assert "timeout" in {record.failure for record in observation.requests}  # alone, none of them takes so long
    assert observation.outcome == "not_observed"


class Door(Loopback):
    """In front of a TLS server: every handshake waits a moment, in which it is counted.

    No client can be through before that moment is over, so what is counted at a time is under way at a time.
    """

    def __init__(self, inside: int) -> None:
        self.inside = inside
        self.under_way = 0
        self.most_under_way = 0
        self.arrivals: list[float] = []
        super().__init__()

    @property
    def base(self) -> str:
        return f"https://localhost:{self.port}/fhir"

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrivals.append(time.monotonic())
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        hello = await reader.read(65_536)
        await asyncio.sleep(0.02)
        self.under_way -= 1
        await relay(reader, writer, self.inside, hello)


@pytest.fixture
def server(serve: Callable[[ssl.SSLContext], Loopback], authority: trustme.CA) -> Loopback:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return serve(context)


@pytest.fixture
def door(server: Loopback) -> Iterator[Door]:
    door = Door(server.port)
    yield door
    door.close()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def thoroughly(door: Door, bundle: Path, targets: int = 1, **changes: Any) -> tuple[Observation, ...]:
    settings = ProbeSettings(thorough=True, ca_bundle=bundle, **changes)
    return probe_sync([Target(base_url=door.base) for _ in range(targets)], settings)


#: A chain, and four versions; the statement, the SMART configuration and the UDAP document.
HANDSHAKES, REQUESTS = 5, 3


@pytest.mark.parametrize("per_host", [1, 2])
def test_handshakes_of_an_inspection_count_as_requests(
    server: Loopback, door: Door, bundle: Path, per_host: int
) -> None:
    observations = thoroughly(door, bundle, 3, per_host=per_host)
    assert len(door.arrivals) == HANDSHAKES + 3 * REQUESTS
    assert door.most_under_way <= per_host
    for observation in observations:
        assert observation.outcome == "observed"
        assert observation.facts.tls is not None
        assert observation.facts.tls.versions["TLSv1.3"] == "offered" and len(observation.facts.tls.versions) == 4
        assert observation.facts.tls.chain


def test_handshakes_keep_to_the_rate(door: Door, bundle: Path) -> None:
    began = time.monotonic()
    thoroughly(door, bundle, rate=20, per_host=8)
    assert len(door.arrivals) == HANDSHAKES + REQUESTS
    for number, moment in enumerate(sorted(door.arrivals)):
        assert moment - began >= number / 20


def test_a_host_that_wants_to_be_left_alone_gets_no_handshake_either(
    server: Loopback, door: Door, bundle: Path
) -> None:
    server.routes["/fhir/metadata"] = Reply(b"", 429, None, {"Retry-After": "60"})
    (observation,) = thoroughly(door, bundle, per_host=1, deadline_s=60.0)
    assert len(door.arrivals) == 1
    assert observation.elapsed_ms < 60_000  # nobody waits for what will not be
    assert observation.facts.tls is not None
    assert observation.facts.tls.verified is True and not observation.facts.tls.versions
    judged = {check.id: check.outcome for check in observation.checks}
    assert {judged[f"NET-{number:03d}"] for number in (10, 16, 17, 18)} == {"not_observed"}


def test_handshakes_end_with_the_targets_time(server: Loopback, door: Door, bundle: Path) -> None:
    server.routes["/fhir/metadata"] = hang
    (observation,) = thoroughly(door, bundle, per_host=1, deadline_s=0.6)
    assert len(door.arrivals) == 1
    assert observation.outcome == "not_observed"
    assert {check.id: check.outcome for check in observation.checks}["NET-016"] == "not_observed"
