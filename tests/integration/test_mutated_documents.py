"""Recorded documents, damaged, through everything that happens to a document offline: read, judged, written, rendered.

Whatever a server sends: no exception and no check of the program's own failing, in bounded time, and in memory that is
a small multiple of what was sent. What damages the transfer itself (bombs, drips) goes through a real connection.
"""

from __future__ import annotations

import contextlib
import copy
import gzip
import hashlib
import io
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.cli.cards import show_card
from interlock.model.observation import Observation, RequestRecord, Target
from interlock.probe.recheck import recheck
from interlock.probe.transport.settings import ProbeSettings
from interlock.report.junit import to_junit
from interlock.report.sarif import to_sarif
from tiers import rounds
from typed_targets import probe_sync

BASE = "https://ehr.example.org/fhir"
PURPOSES = {
    "metadata": "metadata",
    "smart-configuration": "smart",
    "openid-configuration": "openid",
}
#: What one document may cost: far above what any takes, far below what a runaway takes.
TIME = timedelta(seconds=10)
MEMORY_PER_BYTE = 40
MEMORY_AT_LEAST = 4 * 1024 * 1024
HOSTILE: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1e308,
    10**30,
    "",
    " ",
    "\x1b]0;owned\x07\x1b[31m",
    "[bold red]markup[/] [link=x]",
    "<script>alert(1)</script>",
    '=CMD("calc")',
    "\ud800",
    "\u202e\u0000\u200b",
    "https://[::1",
    "http://a\nb/",
    "x" * 10_000,
    [],
    {},
    [[]],
    [None],
    {"": {"": [{}]}},
    [{"url": 7, "extension": {"x": 1}}],
)


@pytest.fixture(scope="module")
def recordings(servers: Path) -> list[tuple[str, bytes]]:
    """Every recorded discovery document with the purpose that it is asked for."""
    files = sorted(servers.glob("*/*.json"))
    return [(PURPOSES[file.stem], file.read_bytes()) for file in files]


def stored(bodies: dict[str, bytes], content_type: str) -> tuple[Observation, dict[str, bytes]]:
    """An observation as it is stored, of answers to some purposes; the others were not there."""
    requests = []
    for purpose in ("metadata", "smart", "openid"):
        body = bodies.get(purpose)
        requests.append(
            RequestRecord(
                method="GET",
                url=f"{BASE}/{purpose}",
                elapsed_ms=1.0,
                status=404 if body is None else 200,
                bytes=len(body or b""),
                sha256=None if body is None else hashlib.sha256(body).hexdigest(),
                content_type=content_type,
                purpose=purpose,
                reading="absent" if body is None else "document",
            )
        )
    observation = Observation(
        target=Target(base_url=BASE, org="general"),
        started=datetime(2026, 11, 1, tzinfo=UTC),
        elapsed_ms=3.0,
        outcome="observed",
        requests=tuple(requests),
    )
    return observation, {hashlib.sha256(body).hexdigest(): body for body in bodies.values()}


def through_everything(bodies: dict[str, bytes], content_type: str = "application/json") -> Observation:
    """Judge, write and render one observation of these bodies; memory is bounded by their size."""
    observation, kept = stored(bodies, content_type)
    size = sum(map(len, bodies.values()))
    tracemalloc.start()
    try:
        judged = recheck(observation, kept)
        text = judged.model_dump_json()
        again = Observation.model_validate_json(text)
        shown = card(judged) + to_sarif([judged]) + to_junit([judged])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_AT_LEAST + MEMORY_PER_BYTE * size, (peak, size)
    assert not [check for check in judged.checks if check.outcome == "error"]
    assert again == judged
    assert recheck(again, kept).checks == judged.checks
    assert not {character for character in shown if not character.isprintable()} - {"\n"}
    # What is written down does not grow with what was sent, but for the facts themselves.
    assert all(len(check.message) < 2_000 for check in judged.checks)
    return judged


def card(observation: Observation) -> str:
    """What a person sees in a terminal."""
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        show_card(observation)
    assert written.getvalue().startswith("general ")
    return written.getvalue()


def pruned(value: Any, count: int) -> Any:
    """The document with at most so many entries in each list: a change is then likely to be where it is read."""
    if isinstance(value, list):
        return [pruned(entry, count) for entry in value[:count]]
    return {key: pruned(entry, count) for key, entry in value.items()} if isinstance(value, dict) else value


def mutated(document: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
    """One change somewhere in the tree: replaced, renamed, removed, repeated, or wrapped."""
    at = document
    for _ in range(12):
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            return
        # The first entries of long lists stand for all of them.
        key = draw(st.sampled_from(keys[:12]))
        if isinstance(at[key], dict | list) and at[key] and draw(st.integers(0, 3)):
            at = at[key]
            continue
        change = draw(st.sampled_from(("replace", "remove", "wrap", "repeat", "rename")))
        if change == "replace":
            at[key] = copy.deepcopy(draw(st.sampled_from(HOSTILE)))  # a later change must not change the list itself
        elif change == "remove":
            del at[key]
        elif change == "wrap":
            at[key] = [at[key]] if draw(st.booleans()) else {"value": at[key]}
        elif isinstance(at, list):
            at.extend([at[key]] * draw(st.sampled_from((1, 2, 300))))
        else:
            at[draw(st.text(max_size=12))] = at.pop(key)
        return


def damaged(body: bytes, draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    """The bytes as they are, or as a careless server or line would have sent them."""
    kind = draw(st.sampled_from(("as it is", "as it is", "cut", "flip", "mark", "latin", "wide", "tail", "twice")))
    if kind == "cut":
        return body[: draw(st.integers(0, len(body)))]
    if kind == "flip":
        at = draw(st.integers(0, max(0, len(body) - 1)))
        return body[:at] + bytes([draw(st.integers(0, 255))]) + body[at + 1 :]
    if kind == "wide":
        return body.decode("utf-8", "replace").encode("utf-16")
    changes: dict[str, Callable[[], bytes]] = {
        "mark": lambda: b"\xef\xbb\xbf" + body,
        "latin": lambda: body + b'\n"\xe9\xff"',
        "tail": lambda: body + draw(st.binary(max_size=40)),
        "twice": lambda: body + body,
    }
    return changes.get(kind, lambda: body)()


@settings(
    max_examples=rounds(24, 300),
    deadline=TIME,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_damaged_recordings(recordings: list[tuple[str, bytes]], data: st.DataObject) -> None:
    purpose, body = data.draw(st.sampled_from(recordings))
    document = pruned(json.loads(body), data.draw(st.sampled_from((4, 4, 4, 10_000))))
    for _ in range(data.draw(st.integers(0, 4))):
        mutated(document, data.draw)
    sent = damaged(json.dumps(document).encode(), data.draw)
    types = ("application/fhir+json", "application/json;charset=latin-1", "", "\x1b[31m")
    content_type = data.draw(st.sampled_from(types))
    through_everything({purpose: sent}, content_type)


def nested(depth: int, opening: str, closing: str) -> bytes:
    return (opening * depth + "1" + closing * depth).encode()


DEEP = 100_000
STATEMENT = '{"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"mode": "server"}], '
EXTREMES: dict[str, bytes] = {
    "lists 100,000 deep": nested(DEEP, "[", "]"),
    "objects 100,000 deep": nested(DEEP, '{"rest":', "}"),
    "unfinished lists 100,000 deep": b"[" * DEEP,
    "a statement with a list 100,000 deep": (STATEMENT + '"extension": ').encode() + nested(DEEP, "[", "]") + b"}",
    "a statement 900 deep": (STATEMENT + '"extension": ').encode() + nested(900, '[{"extension":', "}]") + b"}",
    "a statement followed by 100,000 brackets": (STATEMENT + '"status": "active"}').encode() + b"[" * DEEP,
    "a number of 10 MB": (STATEMENT + '"date": ').encode() + b"9" * 10_000_000 + b"}",
    "a fraction of 10 MB": (STATEMENT + '"date": 0.').encode() + b"9" * 10_000_000 + b"}",
    "an exponent of 10 MB": (STATEMENT + '"date": 1e').encode() + b"9" * 10_000_000 + b"}",
    "a name of 10 MB": (STATEMENT + '"').encode() + b"n" * 10_000_000 + b'": 1}',
    "a text of 10 MB": (STATEMENT + '"publisher": "').encode() + b"\\u001b" * 1_600_000 + b'"}',
    "300,000 names": (STATEMENT + ", ".join(f'"n{number}": 0' for number in range(300_000)) + "}").encode(),
    "100,000 types": (
        STATEMENT.replace('{"mode": "server"}', '{"mode": "server", "resource": [%s]}')
        % ", ".join(f'{{"type": "T{number}"}}' for number in range(100_000))
        + '"status": "active"}'
    ).encode(),
    "300,000 scopes": ('{"scopes_supported": [' + ", ".join(['"a/*.rs"'] * 300_000) + "]}").encode(),
    "10 MB of white space": b" " * 10_000_000,
    "10 MB of markup": b"<" * 10_000_000,
    "10 MB of comments": b"<!--" + b"-->" * 3_000_000,
}


@pytest.mark.parametrize("name", EXTREMES)
def test_extreme_documents(name: str) -> None:
    body = EXTREMES[name]
    for purpose in ("metadata", "smart"):
        judged = through_everything({purpose: body})
        assert len(judged.model_dump_json()) < 1_000_000


@cache
def bomb() -> bytes:
    """64 MB in 64 KB."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        for _ in range(64):
            file.write(bytes(1024 * 1024))
    return packed.getvalue()


def answer(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", "Content-Type: application/json", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def drip() -> Iterator[bytes]:
    """A byte now and then, for ever."""
    yield CHUNKED
    while True:
        time.sleep(0.02)
        yield b"1\r\n \r\n"


def flood() -> Iterator[bytes]:
    """As much as is taken, for ever."""
    yield CHUNKED
    while True:
        yield b"10000\r\n" + b" " * 0x10000 + b"\r\n"


def endless_head() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"X-More: " + b"y" * 1000 + b"\r\n"


#: What a server does on the wire → the words that the requests may end with.
WIRE: dict[str, tuple[Callable[[], Iterator[bytes]], set[str]]] = {
    "gzip bomb": (lambda: iter([answer(bomb(), "Content-Encoding: gzip")]), {"too_large"}),
    "gzip bomb that does not say so": (lambda: iter([answer(bomb())]), {"too_large"}),
    "slow drip": (drip, {"timeout"}),
    "flood": (flood, {"too_large"}),
    "head without end": (endless_head, {"protocol"}),
    "length of a petabyte": (
        lambda: iter([b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\n{}"]),
        {"truncated"},
    ),
    "negative length": (lambda: iter([b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}"]), {"protocol"}),
    "chunk of an exabyte": (lambda: iter([CHUNKED + b"FFFFFFFFFFFFFFF\r\n{}"]), {"truncated", "protocol"}),
    "chunk of nonsense": (lambda: iter([CHUNKED + b"zz\r\n{}"]), {"truncated", "protocol"}),
    "nothing but noise": (lambda: iter([bytes(range(256)) * 40]), {"protocol", "reset"}),
    "silence": (lambda: iter([b""]), {"reset"}),
}


class Wire:
    """A server that sends the same bytes to everyone, until nobody listens any more."""

    def __init__(self, script: Callable[[], Iterator[bytes]]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}/fhir"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            connection.recv(65536)
            for piece in self._script():
                connection.sendall(piece)


@pytest.mark.parametrize("name", WIRE)
def test_hostile_transfers(name: str) -> None:
    script, words = WIRE[name]
    server = Wire(script)
    deadline = 1.0 if name == "slow drip" else 15.0
    limits = ProbeSettings(deadline_s=deadline, max_bytes=1024 * 1024, retries=0)
    bomb()  # imported and warmed up before memory is measured
    tracemalloc.start()
    try:
        (observation,) = probe_sync([Target(base_url=server.base)], limits)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        server.close()
    assert observation.outcome == "not_observed"
    assert {request.failure for request in observation.requests} <= words
    assert observation.elapsed_ms < (deadline + 10) * 1000
    assert not [check for check in observation.checks if check.outcome == "error"]
    # Two requests at a time, each with at most twice its limit, and the server's own bytes, which live here too.
    assert peak < 40 * 1024 * 1024


@pytest.mark.parametrize("name", ["objects 100,000 deep", "a number of 10 MB", "a text of 10 MB"])
def test_extreme_documents_over_a_connection(name: str) -> None:
    server = Wire(lambda: iter([answer(EXTREMES[name])]))
    try:
        limits = ProbeSettings(deadline_s=60, max_bytes=16 * 1024 * 1024, retries=0)
        (observation,) = probe_sync([Target(base_url=server.base)], limits)
        (refused,) = probe_sync([Target(base_url=server.base)], ProbeSettings(deadline_s=60, max_bytes=100_000))
    finally:
        server.close()
    assert {request.failure for request in observation.requests} == {None}
    assert not [check for check in observation.checks if check.outcome == "error"]
    assert {request.failure for request in refused.requests} == {"too_large"}
