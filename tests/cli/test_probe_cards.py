"""What a person reads after a probe: each thing once on each stream, and where it was looked for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@pytest.fixture
def refusing() -> str:
    """A base URL on a port where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/fhir"


def test_a_reason_stands_once_on_each_stream(command, refusing: str) -> None:
    result = command("probe", refusing)
    assert result.code == 3
    assert result.out.count("refuses connections") == 1
    assert result.err.count("refuses connections") == 1
    several = command("probe", refusing, refusing.replace("127.0.0.1", "localhost"))
    assert "none of 2 targets could be observed" in several.err


def test_why_not_says_what_the_checks_say(command) -> None:
    result = command("probe", "sandbox://riverside+expired-tls")
    assert result.code == 3
    assert "issued by nobody" not in result.out + result.err
    why = next(line for line in result.out.splitlines() if line.startswith("Why not"))
    assert "has expired" in why


def test_checks_that_could_not_look_name_the_document(command) -> None:
    result = command("probe", "sandbox://riverside+metadata-401")
    said = [line for line in result.out.splitlines() if "could not look" in line]
    assert len(said) == 1
    assert "checks could not look at /metadata: the server asks for a token" in said[0]


class _Proxy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def proxy() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_proxy_is_named_on_the_card(command, proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    result = command("probe", "http://10.255.255.1/fhir", "--timeout", "5")
    assert result.code == 3
    assert f"asked through {proxy}" in result.out
    assert "CAP-001" not in result.out and "SMART-001" not in result.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "bad.json:1:1"),
        ("\n\n{]", "bad.json:3:2"),
        ("[1]", "input should be an object"),
        ('{"target": {}}', "bad.json at /target/base_url"),
    ],
)
def test_a_file_that_is_no_observation(command, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    result = command("observe", path)
    assert (result.code, result.out) == (2, "")
    assert "this is no observation" in result.err
    assert said in result.err
    assert "interlock probe URL --format json --out FILE" in result.err


def test_an_unknown_fault_is_answered_with_the_closest(command) -> None:
    result = command("probe", "sandbox://riverside+expired")
    assert result.code == 2
    assert "did you mean expired-tls?" in result.err
    assert "interlock sandbox --list-faults" in result.err
    assert "middlebox-tls" not in result.err
