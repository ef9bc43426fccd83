"""A sign-in from the exported client: a browser, which is httpx here, comes back to an address of its own."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from exported_suite import ORGS, exported, module_of, run
from interlock.sandbox.clients import Client
from interlock.sandbox.organizations import load_organizations
from interlock.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported("scribe", tmp_path_factory.mktemp("scribe"))


@pytest.fixture(scope="module")
def client(folder: Path) -> ModuleType:
    return module_of(folder)


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer([one for one in load_organizations() if one.id in ORGS]) as running:
        yield running


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10) as opened:
        yield opened


@pytest.fixture
def organization(client: ModuleType, server: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The scribe's organisation, with a client id that is registered there once its addresses are known."""
    found = client.Organization.named("summerfield", server.base_url("summerfield"))
    monkeypatch.setenv(found.variable("client_id"), "terminal")
    with found.http:
        yield found


class SigningIn:
    """A sign-in that waits in a thread, and what it told."""

    def __init__(self, begin: Callable[..., Any], organization: Any, mode: str, **how: Any) -> None:
        self.told: list[str] = []
        self.token: Any = None
        self.error: Exception | None = None
        self._ready = threading.Event()
        how = {"seconds": 20.0, "tell": self._tell, **how}
        self._thread = threading.Thread(target=self._run, args=(begin, organization, mode, how), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def _tell(self, words: str) -> None:
        self.told.append(words)
        if "redirect address" in words:
            self._ready.set()

    def _run(self, begin: Callable[..., Any], organization: Any, mode: str, how: dict[str, Any]) -> None:
        try:
            self.token = begin(organization, mode, **how)
        except Exception as error:
            self.error = error
        self._ready.set()

    @property
    def home(self) -> str:
        return self.told[1].split()[4].removesuffix("/callback;")

    def ended(self) -> SigningIn:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self


def register(server: SandboxServer, home: str) -> None:
    made = Client(id="terminal", redirect_uris=(f"{home}/callback",), launch_uris=(f"{home}/launch",))
    server.register("summerfield", made)


@pytest.mark.parametrize("mode", ["ehr", "standalone"])
def test_a_person_signs_in(
    client: ModuleType, organization: Any, server: SandboxServer, browser: httpx.Client, mode: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if mode == "standalone":  # the contract is launched from the chart: the same scopes, and the patient is picked
        monkeypatch.setattr(organization, "scopes", lambda _: "launch/patient openid patient/Patient.r")
    waiting = SigningIn(client.sign_in, organization, mode)
    register(server, waiting.home)
    begin = f"{organization.base}/ehr/launch?client=terminal" if mode == "ehr" else f"{waiting.home}/"
    first = browser.get(begin)
    if mode == "ehr":
        assert first.headers["location"].startswith(f"{waiting.home}/launch?")
        first = browser.get(first.headers["location"])
    asked = parse_qs(urlsplit(first.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"] and len(asked["state"][0]) > 30
    assert asked["redirect_uri"] == [f"{waiting.home}/callback"]
    back = browser.get(first.headers["location"]).headers["location"]
    forged = browser.get(f"{waiting.home}/callback?code=theirs&state=another")
    assert forged.status_code == 400 and "another sign-in" in forged.text
    shown = browser.get(back)
    assert shown.status_code == 200 and shown.headers["cache-control"] == "no-store"
    assert waiting.ended().error is None, waiting.error
    assert waiting.token.patient == "sf-gwen"
    code = parse_qs(urlsplit(back).query)["code"][0]
    for secret in (code, asked["state"][0], waiting.token.value):
        assert secret not in shown.text + "".join(waiting.told)
    with pytest.raises(httpx.ConnectError):
        browser.get(waiting.home)


def test_the_command_reads_the_visit_of_the_launch(
    client: ModuleType, server: SandboxServer, browser: httpx.Client, organization: Any,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    begin, told = client.sign_in, threading.Event()
    codes: list[int] = []
    homes: list[str] = []

    def opened(*arguments: Any, tell: Callable[[str], None]) -> Any:
        def hear(words: str) -> None:
            tell(words)
            if "redirect address" in words:
                homes.append(words.split()[4].removesuffix("/callback;"))
                told.set()

        return begin(*arguments, seconds=20.0, tell=hear)

    monkeypatch.setattr(client, "sign_in", opened)
    arguments = ["sign-in", "summerfield", "--port", "0", "--base", organization.base]
    thread = threading.Thread(target=lambda: codes.append(client.main(arguments)), daemon=True)
    thread.start()
    assert told.wait(10)
    register(server, homes[0])
    browser.get(f"{organization.base}/ehr/launch?client=terminal", follow_redirects=True)
    thread.join(20)
    assert codes == [0]
    said = capsys.readouterr()
    (visit,) = json.loads(said.out)
    assert (visit["resourceType"], visit["id"]) == ("Encounter", "sf-gwen-clinic")
    assert "Signed in. Granted: " in said.err and "1 complete, 0 fields missing" in said.err


def test_what_is_not_waited_for_is_refused_and_the_wait_has_an_end(
    client: ModuleType, organization: Any, browser: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_VISITS", 6)
    waiting = SigningIn(client.sign_in, organization, "ehr")
    port = urlsplit(waiting.home).port
    answers = [
        browser.get(f"{waiting.home}/favicon.ico"),
        browser.get(f"{waiting.home}/launch", headers={"Host": f"evil.example:{port}"}),
        browser.get(f"{waiting.home}/callback?code=x&state="),
        browser.get(f"{waiting.home}/launch?iss=https://evil.example/fhir&launch=1"),
        browser.get(f"{waiting.home}/launch?iss={organization.base}"),
        browser.post(f"{waiting.home}/callback"),
    ]
    assert [one.status_code for one in answers] == [404, 404, 400, 400, 400, 501]
    assert f"comes with launch and iss={organization.base}" in answers[3].text
    error = waiting.ended().error
    assert isinstance(error, client.SignInRefused)
    assert "no answer to the sign-in at summerfield came; refused last: a launch of summerfield" in str(error)


def test_it_ends_when_nobody_comes_and_says_what_is_not_set_up(
    client: ModuleType, organization: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(SigningIn(client.sign_in, organization, "ehr", seconds=0.05).ended().error, client.SignInRefused)
    waiting = SigningIn(client.sign_in, organization, "ehr", seconds=0.5)
    with pytest.raises(client.NotSetUp, match=r"nothing can listen at port \d+ .*--port"):
        client.sign_in(organization, "ehr", urlsplit(waiting.home).port)
    waiting.ended()
    with pytest.raises(client.NotSetUp, match="nothing can listen at port 70000"):
        client.sign_in(organization, "ehr", 70_000)
    monkeypatch.delenv(organization.variable("client_id"))
    with pytest.raises(client.NotSetUp, match="set FHIR_SUMMERFIELD_CLIENT_ID in the environment"):
        client.sign_in(organization, "ehr")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://ehr.example/authorize", "https://a/\r\nX: y"])
def test_no_browser_is_sent_to_what_is_no_address_of_a_server(
    client: ModuleType, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    document = {"authorization_endpoint": address, "token_endpoint": "https://ehr.example/token"}
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=document)))
    organization = client.Organization.named("summerfield", "https://ehr.example/fhir", http=http)
    monkeypatch.setenv(organization.variable("client_id"), "terminal")
    with closing(http), pytest.raises(client.NotSetUp, match=r"address|https"):
        organization.authorize("standalone", "http://127.0.0.1:1/callback")


@pytest.mark.long
def test_the_suite_signs_in_first(folder: Path, server: SandboxServer, browser: httpx.Client) -> None:
    """``--sign-in`` gives the suite the token of a person, and the patient and visit of the launch."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    register(server, f"http://127.0.0.1:{port}")
    base, done = server.base_url("summerfield"), threading.Event()

    def launch() -> None:
        while not done.wait(0.2):
            try:
                if browser.get(f"{base}/ehr/launch?client=terminal", follow_redirects=True).is_success:
                    return
            except httpx.HTTPError:
                continue

    thread = threading.Thread(target=launch, daemon=True)
    thread.start()
    options = ("--sign-in", "ehr", "--port", str(port), "--write")
    try:
        found = run(folder, "summerfield", base, *options, variables={"FHIR_SUMMERFIELD_CLIENT_ID": "terminal"})
    finally:
        done.set()
        thread.join(5)
    assert found.code == 0, found.output
    assert len(found.having("skipped")) == 2, "what is about backend tokens"
    assert "Open the product from the chart of a test patient" in found.output
