"""The tape: every request in order, with what was answered, and no secret on it."""

from __future__ import annotations

import base64
import json
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from interlock.model.errors import InterlockError
from interlock.sandbox import tape as tapes
from interlock.sandbox.clients import Client
from interlock.sandbox.exchange import Timing
from interlock.sandbox.marks import Marks
from interlock.sandbox.server import SandboxServer
from interlock.sandbox.tape import Entry, TapeFile
from sandbox_app import CONFIDENTIAL, LAUNCH, REDIRECT, App, app_at, query_of

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def hospital() -> Iterator[SandboxServer]:
    with SandboxServer(timing=Timing(slow=0.1, hang=0.3)) as running:
        yield running


def taped(server: SandboxServer, after: int) -> list[Entry]:
    return [entry for entry in server.tape.entries if entry.number > after]


def last(server: SandboxServer) -> int:
    return server.tape.entries[-1].number if server.tape.entries else 0


def test_a_sign_in_is_told_from_its_first_request_to_its_last(hospital: SandboxServer, http: httpx.Client) -> None:
    before = last(hospital)
    app = app_at(hospital, http)
    answer = app.sign_in()
    app.read(answer["access_token"], "Observation?patient=rv-patient-1&code=8867-4")
    smart, authorize, token, search = taped(hospital, before)
    assert [entry.role for entry in (smart, authorize, token, search)] == ["smart", "authorize", "token", "resource"]
    assert [entry.method for entry in (smart, authorize, token, search)] == ["GET", "GET", "POST", "GET"]
    assert {entry.organization for entry in (smart, authorize, token, search)} == {"riverside"}
    assert smart.party is None
    assert authorize.party is not None
    assert authorize.party == token.party == search.party, "one sign-in, one mark"
    assert (authorize.party.client, authorize.party.user, authorize.party.patient) == (
        "public-app",
        "clinician",
        "rv-patient-1",
    )
    asked = dict(authorize.query)
    assert (asked["response_type"], asked["client_id"], asked["aud"]) == ("code", "public-app", app.base)
    assert asked["state"] == hospital.tape.mark("a state & more")
    assert asked["redirect_uri"].startswith("http://127.0.0.1:9/callback?tab=#"), "its own parameters are not known"
    form = dict(token.body.form or ())
    assert form["grant_type"] == "authorization_code"
    assert form["code_verifier"] == hospital.tape.mark(app.verifier)
    assert authorize.answer is not None
    assert f"code={form['code']}" in dict(authorize.answer.headers)["location"], "the code that was given is redeemed"
    assert ("patient", "rv-patient-1") in search.query
    assert ("code", "8867-4") in search.query, "of a search it is no secret"
    assert dict(search.headers)["authorization"] == f"Bearer {hospital.tape.mark(answer['access_token'])}"
    assert search.answer is not None
    assert search.answer.status == 200
    assert search.answer.bytes > 100
    assert any(words.startswith("public-app was given a token") for words in token.words)


def secrets_everywhere(server: SandboxServer, http: httpx.Client) -> dict[str, str]:
    """A client that puts its secrets wherever an application ever put one: name of each → its value."""
    app = app_at(server, http, client=CONFIDENTIAL)
    launch = query_of(server.launch("riverside", CONFIDENTIAL.id))["launch"]
    told = {
        "cookie": "cookie-canary-0001",
        "state": "state-canary-0002",
        "nonce": "nonce-canary-0003",
        "key": "api-key-canary-0004",
        "password": "password-canary-0005",
        "assertion": "eyJhbGciOiJSUzM4NCJ9.eyJpc3MiOiJjYW5hcnkifQ.c2lnbmF0dXJl",
        "verifier": app.verifier,
        "launch": launch,
        "secret": CONFIDENTIAL.secret,
    }
    headers = {"Cookie": f"session={told['cookie']}; theme=dark", "X-Api-Key": told["key"]}
    scope = "openid launch offline_access patient/*.rs"
    sent = app.request(scope=scope, state=told["state"], nonce=told["nonce"], launch=launch)
    location = http.get(app.authorization_endpoint, params=sent, headers=headers).headers["location"]
    told["code"] = query_of(location)["code"]
    answer = app.redeem(told["code"]).json()
    told |= {name: answer[name] for name in ("access_token", "refresh_token", "id_token")}
    bearer = {"Authorization": f"Bearer {told['access_token']}", **headers}
    http.get(f"{app.base}/Patient/rv-patient-1", headers=bearer | {"Referer": f"{location}#token={told['code']}"})
    # Where they do not belong: queries, paths, forms at the wrong address, an assertion, credentials of an address.
    http.get(f"{app.base}/Patient", params={"access_token": told["access_token"], "name": told["secret"]})
    http.get(f"{app.base}/Patient/{told['refresh_token']}", headers=bearer)
    http.post(f"{app.base}/nowhere", data={"code": told["code"], "client_secret": told["secret"], "x": told["key"]})
    http.post(f"{app.base}/Patient/_search", data={"password": told["password"]}, headers=bearer)
    http.post(app.token_endpoint, data={"grant_type": "client_credentials", "client_assertion": told["assertion"]})
    http.get(f"{app.base}/metadata", headers={"Referer": f"http://me:{told['password']}@127.0.0.1:9/a?k={told['key']}"})
    app.ask(grant_type="refresh_token", refresh_token=told["refresh_token"])
    http.post(f"{app.base}/Patient", json={"note": told["key"]}, headers=bearer)
    http.get(f"{server.base_url('riverside').replace('riverside', 'nobody')}/x", params={"token": told["code"]})
    return told


def test_no_secret_is_on_the_tape_or_in_its_file(hospital: SandboxServer, http: httpx.Client, tmp_path: Path) -> None:
    file = TapeFile(tmp_path / "tape.ndjson")
    hospital.tape.listeners.append(file.write)
    before = last(hospital)
    told = secrets_everywhere(hospital, http)
    hospital.tape.listeners.remove(file.write)
    file.close()
    text = (tmp_path / "tape.ndjson").read_text("utf-8")
    entries = taped(hospital, before)
    assert len(entries) == len(text.splitlines()) == 13, "nothing was left out"
    pair = base64.b64encode(f"{CONFIDENTIAL.id}:s+e%3Ac%25ret".encode()).decode()
    for name, value in {**told, "basic": pair, "encoded": "s+e%3Ac%25ret", "encoded ": "s%20e%3Ac%25ret"}.items():
        assert value not in text, name
        assert value not in repr(entries), name
    for name in ("access_token", "code", "cookie", "state", "launch"):
        assert hospital.tape.mark(told[name]) in text, f"{name} is recognised where it comes again"


def test_a_tape_file_is_the_owners_and_never_somebody_elses(tmp_path: Path) -> None:
    path = tmp_path / "tape.ndjson"
    TapeFile(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(InterlockError, match="exists already"):
        TapeFile(path)
    with pytest.raises(InterlockError, match="cannot be written"):
        TapeFile(tmp_path / "no" / "tape.ndjson")


def test_a_tape_file_ends_where_it_is_full_and_says_so(
    hospital: SandboxServer, http: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    http.get(hospital.base_url("riverside"))
    entry = hospital.tape.entries[-1]
    monkeypatch.setattr(tapes, "MAX_FILE_BYTES", len(entry.line()) + 10)
    file = TapeFile(tmp_path / "tape.ndjson")
    for _ in range(4):
        file.write(entry)
    file.close()
    first, second = map(json.loads, (tmp_path / "tape.ndjson").read_text("utf-8").splitlines())
    assert first["number"] == entry.number
    assert "full" in second


def test_a_tape_forgets_its_beginning(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tapes, "MAX_ENTRIES", 3)
    with SandboxServer() as server:
        for _ in range(5):
            http.get(f"{server.base_url('riverside')}/metadata")
        assert [entry.number for entry in server.tape.entries] == [3, 4, 5]
        assert server.tape.forgotten == 2
        monkeypatch.setattr(tapes, "MAX_BYTES", 1_500)
        http.get(f"{server.base_url('riverside')}/metadata", headers={"User-Agent": "x" * 2_000})
        assert [entry.number for entry in server.tape.entries] == [6]


def test_what_arrives_is_bounded_on_the_tape(hospital: SandboxServer, http: httpx.Client) -> None:
    many = {f"X-{number}": "y" * 500 for number in range(70)}
    fields = "&".join(f"scope{number}=z" for number in range(900))
    http.post(f"{hospital.base_url('riverside')}/oauth2/token?{fields}", data={"scope": "s" * 60_000}, headers=many)
    entry = hospital.tape.entries[-1]
    assert len(entry.query) == 50
    assert len(entry.headers) == 60
    assert entry.body.bytes > 60_000
    assert entry.size() < 40_000


def test_requests_that_nobody_answers_are_on_the_tape(hospital: SandboxServer, http: httpx.Client) -> None:
    with pytest.raises(httpx.HTTPError):
        http.get(f"{hospital.base_url('riverside', 'hang')}/metadata")
    hung = hospital.tape.entries[-1]
    assert (hung.role, hung.faults, hung.answer) == ("metadata", ("hang",), None)
    assert http.get(f"http://127.0.0.1:{hospital.port}/a/nother/place").status_code == 404
    assert hospital.tape.entries[-1].organization == ""


def test_a_request_stands_on_the_tape_while_it_is_answered(http: httpx.Client) -> None:
    with SandboxServer(timing=Timing(hang=5)) as server, socket.create_connection(("127.0.0.1", server.port)) as sock:
        before = len(server.tape.entries)
        sock.sendall(b"GET /riverside+hang/fhir/metadata HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        while len(server.tape.entries) == before:  # as soon as it has arrived
            pass
        http.get(f"{server.base_url('riverside')}/metadata")
        waiting, answered = server.tape.entries
        assert (waiting.number, waiting.answer, waiting.elapsed_ms) == (1, None, None)
        assert answered.answer is not None


def test_a_mark_is_the_same_on_one_tape_and_another_on_the_next() -> None:
    one, other = Marks(), Marks()
    assert one.mark("secret") == one.mark("secret") != other.mark("secret")
    assert one.mark("secret").endswith(":6")


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("http://127.0.0.1:9/a?scope=x&error=invalid_request", "http://127.0.0.1:9/a?scope=x&error=invalid_request"),
        ("http://[::1", "#"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("", ""),
    ],
)
def test_an_address_is_plain_but_for_what_it_carries(address: str, written: str) -> None:
    assert Marks().address(address).startswith(written)


def test_terminal_escapes_do_not_reach_a_reader(hospital: SandboxServer, http: httpx.Client) -> None:
    http.get(f"{hospital.base_url('riverside')}/Patient", params={"name": "\x1b[31mred\u202e"})
    assert dict(hospital.tape.entries[-1].query)["name"] == "?[31mred?"


def test_a_launch_is_told_apart_by_the_sign_in(hospital: SandboxServer, http: httpx.Client) -> None:
    app: App = app_at(hospital, http, client=Client(id="twice", redirect_uris=(REDIRECT,), launch_uris=(LAUNCH,)))
    before = last(hospital)
    first, second = app.sign_in(), app.sign_in()
    for answer in (first, second, first):
        app.read(answer["access_token"], "Patient/rv-patient-1")
    parties = [entry.party for entry in taped(hospital, before) if entry.role == "resource"]
    assert parties[0] == parties[2] != parties[1]
