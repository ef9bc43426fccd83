"""Starting, stopping and addressing the server; nothing may be left behind."""

from __future__ import annotations

import gc
import socket
import threading
import time
import warnings
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from interlock.model.errors import InterlockError
from interlock.sandbox.exchange import Timing
from interlock.sandbox.organizations import SimulatedOrganization
from interlock.sandbox.server import SandboxServer, serve_forever

ONE = SimulatedOrganization(id="one", name="One", metadata={"resourceType": "CapabilityStatement"})


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_starting_and_stopping_leaves_nothing_behind(capfd: pytest.CaptureFixture[str]) -> None:
    with SandboxServer():
        pass
    gc.collect()
    threads = threading.active_count()
    files = open_files() if Path("/proc/self/fd").is_dir() else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(20):
            with SandboxServer() as server, httpx.Client(trust_env=False, verify=False) as client:
                assert client.get(f"{server.base_url('riverside')}/metadata").status_code == 200
        gc.collect()
    assert threading.active_count() == threads
    if files is not None:
        assert open_files() <= files
    assert capfd.readouterr() == ("", "")


def test_stopping_waits_for_nothing_that_is_open() -> None:
    """The faults would hang for an hour each."""
    connections = []
    try:
        with SandboxServer(timing=Timing(slow=3_600, hang=3_600)) as server:
            for fault in ("hang", "slow", "drip", "gzip-bomb"):
                connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
                connection.sendall(f"GET /riverside+{fault}/fhir/metadata HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                connections.append(connection)
            tls = urlsplit(server.base_url("riverside", "expired-tls")).port
            for port in (tls, server.port):  # one that never shakes hands, one that never asks
                connections.append(socket.create_connection(("127.0.0.1", port), timeout=5))
            time.sleep(0.5)
        assert not server.running
        gc.collect()
    finally:
        for connection in connections:
            connection.close()


def test_nothing_answers_after_the_end() -> None:
    with SandboxServer([ONE]) as server:
        port = server.port
        assert server.running
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_an_exception_inside_still_stops_the_server() -> None:
    threads = threading.active_count()
    with pytest.raises(ValueError, match="inside"), SandboxServer([ONE]):
        raise ValueError("inside")
    assert threading.active_count() == threads


def test_the_unreachable_one_refuses_connections(server: SandboxServer, http: httpx.Client) -> None:
    url = server.base_url("harborview")
    assert urlsplit(url).port != server.port
    for _ in range(3):
        with pytest.raises(httpx.ConnectError):
            http.get(f"{url}/metadata")


def test_addresses_are_those_of_the_organisations(server: SandboxServer) -> None:
    assert server.base_url("riverside") == f"http://127.0.0.1:{server.port}/riverside/fhir"
    assert server.base_url("riverside", "slow", "bom", "slow") == (
        f"http://127.0.0.1:{server.port}/riverside+slow+bom/fhir"
    )
    assert [entry.id for entry in server.organizations] == [
        "harborview",
        "lakeshore",
        "pinecrest",
        "riverside",
        "summerfield",
    ]


def test_an_unknown_organisation_is_named(server: SandboxServer) -> None:
    with pytest.raises(InterlockError, match=r"no organisation 'riversid' \(did you mean riverside\?\)"):
        server.base_url("riversid")
    with pytest.raises(
        InterlockError, match=r"\(organisations: harborview, lakeshore, pinecrest, riverside, summerfield\)"
    ):
        server.base_url("zzz")


def test_a_chosen_port_is_used_and_may_be_used_again() -> None:
    with SandboxServer([ONE]) as first, httpx.Client(trust_env=False) as http:
        port = first.port
        http.get(f"{first.base_url('one')}/metadata")
    with SandboxServer([ONE], port=port) as second:
        assert second.port == port


def test_a_port_that_is_taken_is_an_error_with_a_remedy() -> None:
    threads = threading.active_count()
    with SandboxServer([ONE]) as first:
        with pytest.raises(InterlockError, match=rf"port {first.port} is already used .*choose another port"):
            SandboxServer([ONE], port=first.port).__enter__()
        with pytest.raises(InterlockError, match="port 70000 cannot be used"):
            SandboxServer([ONE], port=70_000).__enter__()
    assert threading.active_count() == threads


def test_before_and_after_there_are_no_addresses() -> None:
    server = SandboxServer([ONE])
    assert not server.running
    with pytest.raises(InterlockError, match="is not running"):
        server.base_url("one")
    with pytest.raises(InterlockError, match="is not running"):
        _ = server.port
    with server:
        assert server.base_url("one")
    with pytest.raises(InterlockError, match="is not running"):
        server.base_url("one")


def test_serving_in_the_foreground_until_told_to_stop(capfd: pytest.CaptureFixture[str]) -> None:
    stop = threading.Event()
    statuses: list[int] = []

    def ready(server: SandboxServer) -> None:
        with httpx.Client(trust_env=False) as http:
            statuses.append(http.get(f"{server.base_url('one')}/metadata").status_code)
        stop.set()

    serve_forever(SandboxServer([ONE]), ready, stop)
    assert statuses == [200]
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_stops_it_cleanly() -> None:
    threads = threading.active_count()

    def ready(_: SandboxServer) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serve_forever(SandboxServer([ONE]), ready, threading.Event())
    assert threading.active_count() == threads


def test_many_requests_at_once(server: SandboxServer) -> None:
    url, statuses = f"{server.base_url('riverside')}/metadata", []

    def ask() -> None:
        with httpx.Client(trust_env=False, verify=False, timeout=20) as client:
            statuses.extend(client.get(url).status_code for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 50
