"""What a person reads after a probe: each thing once on each stream, and where it was looked for."""

from __future__ import annotations

import json
import re
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
    assert result.out.count("refuses connections") == 2, "as what could not be seen, and in the question to paste"
    assert result.err.count("refuses connections") == 1
    several = command("probe", refusing, refusing.replace("127.0.0.1", "localhost"))
    assert "none of 2 targets could be observed" in several.err


def test_why_not_says_what_the_checks_say(command) -> None:
    result = command("probe", "sandbox://riverside+expired-tls", "--details")
    assert result.code == 3
    assert "issued by nobody" not in result.out + result.err
    why = next(line for line in result.out.splitlines() if line.startswith("Why not"))
    assert "has expired" in why


def test_checks_that_could_not_look_name_the_document(command) -> None:
    result = command("probe", "sandbox://riverside+metadata-401", "--details")
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
    assert " pass" not in result.out, "what passes without a document says nothing"
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


def test_the_card_begins_with_what_to_do_and_folds_the_inventory(command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = command("probe", "sandbox://pinecrest").out
    places = [said.index(part) for part in ("First: ", "Blocks you", "Ask them", "Could not see", "What was seen")]
    assert places == sorted(places)
    assert "Send them the 2 questions below in one mail; question 1 is about what" in said
    assert "SMART-001" not in said and "Requests" not in said
    assert all(len(line) <= 80 for line in said.splitlines())
    whole = command("probe", "sandbox://pinecrest", "--details").out
    assert "SMART-001" in whole and "Requests" in whole


def test_what_to_do_first_is_not_said_twice(command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    seen = command("probe", "sandbox://riverside", "--format", "json").json()
    failing = {"id": "DATA-002", "title": "x", "outcome": "fail", "severity": "high"}
    seen["checks"] = [failing | {"message": "Refused: Appointment (HTTP 403)"}]
    (tmp_path / "seen.json").write_text(json.dumps(seen), "utf-8")
    said = command("observe", tmp_path / "seen.json").out
    assert "✗ Refused: Appointment (HTTP 403)." in said
    assert said.count("Check which scopes your token has") == 1


def test_the_mail_is_the_questions_alone(command, tmp_path: Path) -> None:
    result = command("probe", "sandbox://lakeshore", "--format", "mail")
    assert result.out.startswith("On ") and result.out.endswith("Thank you.\n")
    assert "\n1. Which scope syntax do you grant" in result.out and "SMART-013" not in result.out
    seen = command("probe", "sandbox://riverside", "--format", "json").json()
    seen["checks"] = [check for check in seen["checks"] if check["outcome"] == "pass"]
    (tmp_path / "seen.json").write_text(json.dumps(seen), "utf-8")
    nothing = command("observe", tmp_path / "seen.json", "--format", "mail")
    assert (nothing.code, nothing.out) == (0, "")
    assert "There is nothing to ask them." in nothing.err


def test_json_is_sorted_in_the_same_way_and_can_be_read_again(command, tmp_path: Path) -> None:
    path = tmp_path / "seen.json"
    assert command("probe", "sandbox://pinecrest", "--format", "json", "--output", path).code == 0
    card = command("observe", path, "--format", "json").json()["card"]
    assert [line["checks"] for line in card["blocks"]] == [["SMART-001", "SMART-016"]]
    assert card["ask"][0]["text"] in card["mail"]
    base = json.loads(path.read_text("utf-8"))["target"]["base_url"]
    assert any(line["do"].startswith(f"interlock probe {base} --active (") for line in card["unseen"])
    assert card["first"] in " ".join(command("observe", path).out.split())


def test_a_stored_observation_holds_no_card(command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command("init", tmp_path / "w")
    monkeypatch.chdir(tmp_path / "w")
    command("org", "add", "Pinecrest", "--url", "sandbox://pinecrest")
    assert command("probe", "--org", "pinecrest", "--format", "json").json()["card"]["blocks"]
    (stored,) = (tmp_path / "w/observations/pinecrest").glob("*.json")
    assert '"card"' not in stored.read_text("utf-8")


def test_the_findings_of_a_card_add_up(command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    found = command("probe", "sandbox://pinecrest", "--format", "json").json()["checks"]
    off = sum(check["outcome"] in {"fail", "warn"} for check in found)
    said = command("probe", "sandbox://pinecrest").out
    number, _, rest = said.partition(" found something")
    assert int(number.split()[-1]) == off and rest[0] != "(", "one count, and no second one that may differ"
    assert re.search(r"on \d+ \w+ \d{4}, 1 of 2 documents read", said), "the day, and what was read of two documents"
