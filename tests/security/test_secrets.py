"""Credentials reach the servers that they are for, and nothing else: no file, no screen, no log, no other server.

Every credential is a canary. A server on loopback says all it was sent back, in bodies, headers, errors, redirects and
next links; then everything that was written or printed is searched for every canary in every spelling.
"""

from __future__ import annotations

import itertools
import json
import os
import secrets
import signal
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from canaries import Search
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from echoing_server import EchoingServer, echoing
from serving import INTERLOCK

from interlock.cli.main import run
from interlock.usecases.initialize import initialize
from tiers import LONG

#: Names that say nothing, so that nothing is hidden because of its name.
ONE, TWO, THREE = "ACME_ONE", "ACME_TWO", "ACME_THREE"
LINE = 64


def canary(kind: str) -> str:
    """A text that occurs nowhere else."""
    return f"{kind}-{secrets.token_hex(8)}"


@dataclass
class Kind:
    """One kind of credentials: what an organisation's file names, and what the variables hold."""

    auth: dict[str, str]
    values: dict[str, str]
    secrets: dict[str, str]
    files: list[Path] = field(default_factory=list)


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _lines(text: str) -> dict[str, str]:
    return {f"line {number} of the key": line for number, line in enumerate(text.split("\n")) if len(line) == LINE}


_RSA = rsa.generate_private_key(65537, 2048)
_EC = ec.generate_private_key(ec.SECP384R1())


def _client_secret(folder: Path) -> Kind:
    values = {ONE: canary("client-id"), TWO: canary("s3cr&t:wïth +strange/signs%"), THREE: canary("refresh-token")}
    auth = {"client_id_env": ONE, "client_secret_env": TWO, "refresh_token_env": THREE}
    return Kind(auth, values, {"id": values[ONE], "secret": values[TWO], "refresh token": values[THREE]})


def _key(value: str, also: dict[str, str], files: list[Path]) -> Kind:
    values = {ONE: canary("client-id"), TWO: value, THREE: canary("key-id")}
    auth = {"client_id_env": ONE, "private_key_env": TWO, "key_id_env": THREE}
    return Kind(auth, values, {"id": values[ONE], "key id": values[THREE]} | also, files)


def _key_as_pem(folder: Path) -> Kind:
    return _key(_pem(_RSA), _lines(_pem(_RSA)), [])


def _key_on_one_line(folder: Path) -> Kind:
    return _key(_pem(_EC).replace("\n", "\\n"), _lines(_pem(_EC)), [])


def _key_as_jwk(folder: Path) -> Kind:
    from joserfc.jwk import RSAKey

    document = RSAKey.import_key(_pem(_RSA)).as_dict(private=True)
    return _key(json.dumps(document), {name: str(document[name]) for name in ("d", "p", "q", "dp", "dq", "qi")}, [])


def _key_in_a_file(folder: Path) -> Kind:
    path = folder / "key.pem"
    path.write_text(_pem(_RSA))
    return _key(str(path), _lines(_pem(_RSA)), [path])


def _bearer_token(folder: Path) -> Kind:
    values = {ONE: canary("given-bearer-token")}
    return Kind({"bearer_token_env": ONE}, values, {"bearer token": values[ONE]})


KINDS: dict[str, Callable[[Path], Kind]] = {
    "client secret": _client_secret,
    "key as PEM": _key_as_pem,
    "key on one line": _key_on_one_line,
    "key as JWK": _key_as_jwk,
    "key in a file": _key_in_a_file,
    "bearer token": _bearer_token,
}
#: What the server does with what it is sent. A bearer token is asked for nowhere, so that only samples concern it.
TOKEN_MODES = (
    "token refused", "token page", "token redirects", "token of another kind", "token that is none", "token breaks",
    "token hangs",
)  # fmt: skip
SAMPLE_MODES = (
    "samples refused", "samples lead away", "samples lead on", "samples break", "samples hang", "samples are no JSON",
)  # fmt: skip


def _cases() -> Iterator[tuple[str, str, str]]:
    for number, kind in enumerate(KINDS):
        yield kind, "environment", "success"
        if LONG or number % 3 == 0:
            yield kind, "keyring", "success"
    for number, mode in enumerate((*TOKEN_MODES, *SAMPLE_MODES)):
        usable = [kind for kind in KINDS if mode in SAMPLE_MODES or kind != "bearer token"]
        for kind in usable if LONG else [usable[number % len(usable)]]:
            yield kind, "environment", mode


@dataclass
class Bench:
    """A workspace with one organisation at the echoing server, and everything that comes of it."""

    root: Path
    server: EchoingServer
    elsewhere: EchoingServer
    search: Search
    capsys: pytest.CaptureFixture[str]
    record: Callable[[str, object], None]

    def use(self, kind: Kind) -> None:
        """Give the organisation these credentials."""
        path = self.root / "orgs" / "acme.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"auth": kind.auth}))
        self.search.add_all(kind.secrets)

    def call(self, *arguments: str) -> int:
        """Run a command in this process and keep what it prints."""
        self.capsys.readouterr()
        code = run(list(arguments))
        out, err = self.capsys.readouterr()
        self.search.printed += [
            (f"{' '.join(arguments)} ({name})", text.encode()) for name, text in (("out", out), ("err", err))
        ]
        return code

    def said(self) -> str:
        """What the last command printed."""
        return "".join(text.decode() for _, text in self.search.printed[-2:])

    def on(self, *arguments: str) -> int:
        """Run a command on the workspace."""
        return self.call(*arguments, "--workspace", str(self.root))

    def trusting(self) -> list[str]:
        """The options that bind the organisation's credentials to the server, for one run."""
        return ["--trust-credentials", f"acme={self.server.host},{ONE},{TWO},{THREE}", "--allow-private", "acme"]

    def probe(self, *options: str) -> int:
        """Probe with a sample, with everything told that can be told."""
        log = str(self.root.parent / "log.jsonl")
        return self.call(
            *("--log-file", log, "--verbose", "--timings", "probe", "--org", "acme", "--sample", "--active"),
            *(*self.trusting(), "--timeout", "4", "--workspace", str(self.root), *options),
        )

    def searched(self) -> int:
        """Search everything, what the servers saw of derived secrets included."""
        for number, request in enumerate(self.server.received):
            value = request.headers.get("authorization", "").partition(" ")[2]
            if value:
                self.search.add(f"header {number}", value)
            if "client_assertion=" in request.body:
                assertion = request.body.partition("client_assertion=")[2].partition("&")[0]
                self.search.add(f"signature {number}", assertion.rpartition(".")[2])
        assert not self.elsewhere.received, self.elsewhere.received
        for request in self.server.received:
            if request.path.startswith("/fhir/metadata") or ".well-known" in request.path:
                assert "authorization" not in request.headers
        pairs = self.search.check()
        self.record("canaries", len(self.search.secrets))
        self.record("pairs", pairs)
        return pairs


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def bench(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> Iterator[Bench]:
    """The counts of what was searched go into JUnit's XML."""
    current = tmp_path / "all" / "current"
    current.mkdir(parents=True)
    monkeypatch.chdir(current)
    issued = canary("issued-token")
    with echoing(issued) as server, echoing(issued) as elsewhere:
        server.elsewhere = elsewhere.origin
        search = Search((tmp_path / "all", Path.home()), {"issued token": issued})
        root = initialize(tmp_path / "all" / "ws", "sepsis").root
        current_bench = Bench(root, server, elsewhere, search, capsys, record_property)
        assert current_bench.on("org", "add", "Acme", "--url", server.base) == 0
        yield current_bench


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """The real package with a keyring in memory; what stores a value in it."""
    package = pytest.importorskip("keyring", reason="the optional package keyring is not installed")
    from keyring.backend import KeyringBackend

    held: dict[tuple[str, str], str] = {}

    class InMemory(KeyringBackend):
        priority = 1  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str | None:
            return held.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            held[(service, username)] = password

        def delete_password(self, service: str, username: str) -> None:
            del held[(service, username)]

    before = package.get_keyring()
    package.set_keyring(InMemory())
    yield lambda name, value: package.set_password("interlock", name, value)
    package.set_keyring(before)


def give(kind: Kind, source: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    store = request.getfixturevalue("keyring") if source == "keyring" else monkeypatch.setenv
    for name, value in kind.values.items():
        store(name, value)


@pytest.mark.parametrize(("name", "source", "mode"), [*_cases()])
def test_a_sample(
    bench: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    name: str,
    source: str,
    mode: str,
) -> None:
    kind = KINDS[name](tmp_path)
    give(kind, source, monkeypatch, request)
    bench.use(kind)
    bench.server.mode = mode
    hanging = ["--timeout", "1"] if "hang" in mode else []
    assert bench.probe(*hanging) in {0, 1}, bench.said()
    for form in ("json", "sarif", "junit"):
        bench.on("observe", "acme", "--format", form)
    bench.on("org", "show", "acme")

    sampled = [sent for sent in bench.server.at("/fhir/") if "authorization" in sent.headers]
    if name == "bearer token":
        assert sampled[0].headers["authorization"] == f"Bearer {kind.values[ONE]}"
    else:
        (asked, *_) = [sent for sent in bench.server.at("/token") if "client_credentials" in sent.body]
        assert "client_assertion=" in asked.body or asked.headers["authorization"].startswith("Basic ")
    if mode == "success":
        assert len(sampled) >= 4
        assert name == "bearer token" or sampled[0].headers["authorization"] == f"Bearer {bench.server.issued}"
    assert bench.searched() > 50


#: Every command that shows or writes something about organisations and observations.
SHOWING = (
    *(["observe", "acme", "--format", form] for form in ("table", "json", "sarif", "junit")),
    ["observe", "acme", "--recheck"], ["diff", "--org", "acme"], ["org", "list"], ["org", "show", "acme"],
    ["score", "--format", "json"], ["report", "--format", "md,html,json,xlsx,sarif"], ["milestone", "save", "first"],
    ["export", "issues"], ["export", "poam"], ["contract", "check"],
)  # fmt: skip
#: The rest of them, which show less.
SHOWING_TOO = (
    ["org", "list", "--format", "json"], ["score"], ["gaps"], ["gaps", "--format", "json"], ["plan", "--runs", "200"],
    ["patterns"], ["next"], ["questions"], ["doctor"], ["report", "--format", "pdf"], ["milestone", "list"],
    ["milestone", "burndown"], ["milestone", "diff", "first"], ["export", "calendar"], ["export", "fhir"],
    ["contract", "export"], ["config", "show"],
)  # fmt: skip


def test_everything_that_shows_what_was_seen(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("client secret", "bearer token"):
        kind = KINDS[name](tmp_path)
        for variable, value in kind.values.items():
            monkeypatch.setenv(variable, value)
        bench.use(kind)
        for mode in ("success", "samples refused"):
            bench.server.mode = mode
            assert bench.probe("--format", "ndjson") in {0, 1}
    codes = {" ".join(command): bench.on(*command) for command in (*SHOWING, *(SHOWING_TOO if LONG else ()))}
    codes["trust"] = bench.call("trust", str(bench.root), "--format", "json")
    codes["trust --list"] = bench.call("trust", "--list")
    assert not [command for command, code in codes.items() if code not in {0, 1}], codes
    assert len(list((bench.root / "observations" / "acme").glob("*.json"))) == 4
    assert bench.searched() > 1000


def _bad_key(value: str) -> Kind:
    return _key(value, {}, [])


def _bad_token(value: str) -> Kind:
    return Kind({"bearer_token_env": ONE}, {ONE: value}, {})


BAD_VALUES: dict[str, Callable[[], Kind]] = {
    "PEM that is damaged": lambda: _bad_key(f"-----BEGIN PRIVATE KEY-----\n{canary('x')}\n-----END PRIVATE KEY-----"),
    "JWK that is damaged": lambda: _bad_key(
        json.dumps({"kty": "RSA", "n": canary("n"), "d": canary("d"), "e": "AQAB"})
    ),
    "no JSON": lambda: _bad_key("{" + canary("json")),
    "neither key nor file": lambda: _bad_key(canary("pasted")),
    "a name too long for a file": lambda: _bad_key(canary("long" * 2000)),
    "too long": lambda: _bad_key(canary("-----BEGIN" + "x" * 70_000)),
    "short RSA key": lambda: _bad_key(_pem(rsa.generate_private_key(65537, 1024))),
    "wrong curve": lambda: _bad_key(_pem(ec.generate_private_key(ec.SECP256R1()))),
    "token with a space": lambda: _bad_token(canary("to ken")),
    "token with a line": lambda: _bad_token(canary("to\nken")),
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_a_value_that_cannot_be_used(bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    kind = BAD_VALUES[name]()
    for number, (variable, value) in enumerate(kind.values.items()):
        monkeypatch.setenv(variable, value)
        told = (
            [value] if len(value) < 100 else [value[-40:], *(line for line in value.split("\n") if len(line) == LINE)]
        )
        bench.search.add_all({f"{number}.{part}": text for part, text in enumerate(told)})
    bench.use(kind)
    assert bench.probe() == 2
    assert ONE in bench.said() or TWO in bench.said()
    assert not bench.server.received
    assert bench.searched() > 20


@pytest.mark.parametrize("where", ["making the request", "reading the sample", "saving", "showing"])
def test_a_failure_of_the_program_itself(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """An exception whose words, causes and local variables hold the secrets."""
    kind = KINDS["client secret"](tmp_path)
    for variable, value in kind.values.items():
        monkeypatch.setenv(variable, value)
    bench.use(kind)
    failed: list[str] = []

    def fail(*arguments: object, **named: object) -> Any:
        held = (
            f"{kind.values} {bench.server.issued} https://user:{kind.values[ONE]}@ehr.example/?token={kind.values[TWO]}"
        )
        failed.append(where)
        try:
            raise ValueError(held)
        except ValueError as error:
            raise RuntimeError(f"it broke while holding {held}") from error

    monkeypatch.setattr(
        {
            "making the request": "interlock.probe.transport.credentials.Credentials.token_request",
            "reading the sample": "interlock.probe.sample.take_sample",
            "saving": "interlock.usecases.observations.save_observation",
            "showing": "interlock.cli.probe_results.report",
        }[where],
        fail,
    )
    bench.probe()
    assert failed
    for form in ("json", "sarif"):
        bench.on("observe", "acme", "--format", form)
    assert bench.searched() > 20


def test_interrupted(bench: Bench, tmp_path: Path) -> None:
    """Ctrl-C while a token is on its way, in a process of its own."""
    kind = KINDS["client secret"](tmp_path)
    bench.use(kind)
    bench.server.mode = "token hangs"
    log = bench.root.parent / "log.jsonl"
    process = subprocess.Popen(
        [
            *(INTERLOCK, "--log-file", log, "--verbose", "probe", "--org", "acme", "--sample"),
            *(*bench.trusting(), "--workspace", bench.root),
        ],
        env=os.environ | kind.values,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    waited = threading.Event()
    for _ in range(1200):
        if any("client_credentials" in sent.body for sent in bench.server.at("/token")):
            break
        waited.wait(0.05)
    command_line = Path(f"/proc/{process.pid}/cmdline")
    if command_line.exists():
        bench.search.printed.append(("command line", command_line.read_bytes()))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    bench.search.printed += [("out", out), ("err", err)]
    assert process.returncode == 130, err
    assert bench.searched() > 20


def test_a_server_that_cannot_be_trusted_is_sent_nothing(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = KINDS["client secret"](tmp_path)
    for variable, value in kind.values.items():
        monkeypatch.setenv(variable, value)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    bench.server.socket = context.wrap_socket(bench.server.socket, server_side=True)
    path = bench.root / "orgs" / "acme.yaml"
    path.write_text(path.read_text().replace("http://", "https://"))
    bench.use(kind)
    bench.probe()
    bench.on("observe", "acme", "--format", "json")
    assert '"failure": "tls"' in bench.said()
    assert not bench.server.received
    assert bench.searched() > 20


@pytest.mark.parametrize("password", ["right", "wrong", "missing"])
def test_the_password_of_a_client_key(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    right = canary("key-password")
    bench.search.add_all({"password": right, "wrong password": (wrong := canary("wrong-password"))})
    given = {"right": right, "wrong": wrong}.get(password)
    if given is not None:
        monkeypatch.setenv("INTERLOCK_CLIENT_KEY_PASSWORD", given)
    certificate, key = tmp_path / "client.pem", tmp_path / "client.key"
    authority = trustme.CA()
    issued = authority.issue_cert("client.example")
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    loaded = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    key.write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(right.encode()),
        )
    )
    bench.search.add_all(_lines(key.read_text()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bench.server.socket = context.wrap_socket(bench.server.socket, server_side=True)
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    code = bench.call(
        *("probe", bench.server.base.replace("http:", "https:"), "--client-cert", str(certificate)),
        *("--client-key", str(key), "--ca-bundle", str(trusted), "--format", "json"),
    )
    assert (code == 0) == bool(bench.server.received) == (password == "right"), bench.said()
    assert bench.searched() > 20


@pytest.mark.parametrize("way", ["environment", "option", "not reached", "another scheme", "407"])
def test_the_credentials_of_a_proxy(bench: Bench, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """The echoing server is the proxy: it resolves the name, and gets the credentials; nobody else does."""
    user, password = bench.search.add("user", canary("user")), bench.search.add("password", canary("proxy-password"))
    host = bench.server.host if way not in {"not reached"} else "127.0.0.1:9"
    proxy = f"{'socks5' if way == 'another scheme' else 'http'}://{user}:{password}@{host}"
    if way != "option":
        monkeypatch.setenv("HTTP_PROXY", proxy)
    bench.server.mode = way
    options = ["--proxy", proxy] if way == "option" else []
    log = str(bench.root.parent / "log.jsonl")
    bench.on("org", "edit", "acme", "--url", "http://ehr.example/fhir")
    bench.call("--log-file", log, "--verbose", "probe", "--org", "acme", *options, "--workspace", str(bench.root))
    for form in ("table", "json", "sarif", "junit"):
        bench.on("observe", "acme", "--format", form)
    bench.call("doctor", "--workspace", str(bench.root))
    if way in {"environment", "option", "407"}:
        assert bench.server.received[0].target.startswith("http://ehr.example/fhir/")
        assert bench.server.received[0].headers["proxy-authorization"].startswith("Basic ")
        bench.search.add("basic", bench.server.received[0].headers["proxy-authorization"].partition(" ")[2])
    assert bench.searched() > 20


def test_a_fleet_and_the_sandbox(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that need no credentials are given none, although they are at hand."""
    kind = KINDS["client secret"](tmp_path)
    for variable, value in kind.values.items():
        monkeypatch.setenv(variable, value)
    bench.use(kind)
    listed = Path("listed.txt")
    listed.write_text(f"{bench.server.base}\n{bench.elsewhere.base}\n")
    bench.call(
        *("fleet", "listed.txt", "--workers", "2", "--allow-private", "127.0.0.0/8"),
        *("--output", "out.ndjson", "--summary", "summary.json"),
    )
    assert len(Path("out.ndjson").read_text().splitlines()) == 2
    assert len(bench.elsewhere.received) >= 2
    for sent in itertools.chain(bench.server.received, bench.elsewhere.received):
        assert not [value for value in kind.values.values() if value in sent.text]
        assert "authorization" not in sent.headers
    bench.elsewhere.received.clear()
    issued: list[str] = []
    from interlock.sandbox.ledger import Ledger

    add_token = Ledger.add_token

    def noted(self: Ledger, *arguments: Any) -> str:
        issued.append(add_token(self, *arguments))
        return issued[-1]

    monkeypatch.setattr(Ledger, "add_token", noted)
    assert bench.on("probe", "--org", "riverside", "--sample", "--active") == 0
    assert issued
    bench.search.add_all({f"sandbox token {number}": token for number, token in enumerate(issued)})
    assert bench.searched() > 20


async def test_the_terminal_ui(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from interlock.tui.app import InterlockApp
    from interlock.workspace.store import Workspace

    kind = KINDS["client secret"](tmp_path)
    for variable, value in kind.values.items():
        monkeypatch.setenv(variable, value)
    bench.use(kind)
    app = InterlockApp(Workspace(bench.root), "Ada")
    async with app.run_test(size=(140, 45)) as pilot:
        for _ in range(1500):
            if app.state.assessment is not None:
                break
            await pilot.pause(0.02)
        app.probe(["acme"])
        app.show_organization("acme")
        for _ in range(1500):
            await pilot.pause(0.02)
            if not app.state.probing and "acme" in app.state.probes:
                break
        await pilot.pause(0.3)
        bench.search.printed.append(("screen", app.export_screenshot().encode()))
        bench.search.printed.append(("state", repr(app.state).encode()))
        app.exit()
    assert bench.searched() > 20
