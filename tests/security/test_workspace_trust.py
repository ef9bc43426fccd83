"""A workspace is data from a stranger: what it asks for happens only as its user allowed it, and only there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from probe_documents import SMART, STATEMENT

from interlock.cli.main import run
from interlock.usecases.trust import trust_report
from interlock.workspace.store import Workspace
from interlock.workspace.trust import Trust, record_path
from tiers import rounds

pytestmark = pytest.mark.fast

CANARY = "canary-5f1d0c7e9b"
ANSWER = ("boundary.output_stable", "--status", "unknown")


class Hospital:
    """A FHIR server on loopback that keeps every byte that it is sent."""

    def __init__(self, token_endpoint: str | None = None) -> None:
        self.received: list[str] = []
        hospital = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

            def _answer(self, body: bytes) -> None:
                hospital.received.append(f"{self.command} {self.path} {self.headers} {body.decode('latin-1')}")
                document: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": 0}
                if self.path.endswith("/metadata"):
                    document = STATEMENT
                elif self.path.endswith("/smart-configuration"):
                    document = SMART | {"token_endpoint": token_endpoint or f"{hospital.base}/token"}
                elif self.path.endswith("/token"):
                    document = {"access_token": "issued", "token_type": "bearer", "expires_in": 300}
                content = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.base = f"http://127.0.0.1:{self.port}/fhir"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def was_sent_a_secret(self) -> bool:
        from base64 import b64encode

        sent = "\n".join(self.received)
        return CANARY in sent or b64encode(CANARY.encode()).decode()[:12] in sent or "Basic " in sent

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hospital() -> Iterator[Callable[..., Hospital]]:
    servers: list[Hospital] = []

    def start(*arguments: Any) -> Hospital:
        servers.append(Hospital(*arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("GITHUB_TOKEN", CANARY)
    monkeypatch.setenv("INTERLOCK_CRED_TOKEN", CANARY)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with a contract, made by this user."""
    folder = tmp_path / "ws"
    assert run(["init", str(folder), "--template", "sepsis"]) == 0
    for path in (folder / "orgs").iterdir():
        path.unlink()
    return folder


def write_org(folder: Path, base: str, variable: str = "INTERLOCK_CRED_TOKEN", org: str = "acme") -> None:
    (folder / "orgs" / f"{org}.yaml").write_text(
        f"id: {org}\nname: Acme\nfhir_base_url: {base}\nauth: {{bearer_token_env: {variable}}}\n"
    )


def asked(folder: Path) -> dict[tuple[str, str | None], bool]:
    report = trust_report(Workspace(folder))
    return {(entry.grant.kind, entry.grant.variable): entry.allowed for entry in report.asked}


def allow_everything(folder: Path) -> None:
    Trust(folder).allow_only(entry.grant for entry in trust_report(Workspace(folder)).asked)


def sample(folder: Path, *more: str) -> int:
    return run(["probe", "--all", "--sample", "-w", str(folder), *more])


def test_a_variable_named_by_a_file_goes_nowhere(
    workspace: Path, hospital: Callable[..., Hospital], capsys: pytest.CaptureFixture[str]
) -> None:
    evil = hospital()
    write_org(workspace, evil.base, "GITHUB_TOKEN")
    assert sample(workspace) == 2
    assert "interlock trust" in capsys.readouterr().err
    assert evil.received == []
    assert run(["probe", "--all", "-w", str(workspace)]) == 3  # a private address that nobody allowed
    assert "Not contacted: acme. To look at it and allow it: interlock trust" in capsys.readouterr().err
    assert evil.received == []
    assert sample(workspace, "--allow-private", "acme") == 2
    assert not evil.was_sent_a_secret


def test_what_was_allowed_happens_and_a_changed_base_asks_again(
    workspace: Path, hospital: Callable[..., Hospital]
) -> None:
    good, evil = hospital(), hospital()
    write_org(workspace, good.base)
    allow_everything(workspace)
    assert sample(workspace) == 0
    assert good.was_sent_a_secret
    write_org(workspace, evil.base)
    assert asked(workspace) == {("credential", "INTERLOCK_CRED_TOKEN"): False, ("private_base", None): False}
    assert sample(workspace) == 2
    assert evil.received == []
    write_org(workspace, good.base, "GITHUB_TOKEN")
    assert asked(workspace) == {("credential", "GITHUB_TOKEN"): False, ("private_base", None): True}


def test_another_organisation_does_not_get_what_was_allowed_for_the_first(
    workspace: Path, hospital: Callable[..., Hospital]
) -> None:
    good, evil = hospital(), hospital()
    write_org(workspace, good.base)
    allow_everything(workspace)
    write_org(workspace, evil.base, org="evil")
    assert sample(workspace) == 0
    assert good.was_sent_a_secret
    assert evil.received == []


def test_a_token_endpoint_elsewhere_is_asked_for_of_its_own(
    workspace: Path, hospital: Callable[..., Hospital], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = hospital()
    base = hospital(f"{elsewhere.base}/token")
    monkeypatch.setenv("INTERLOCK_CRED_ID", "client")
    (workspace / "orgs" / "acme.yaml").write_text(
        f"id: acme\nname: Acme\nfhir_base_url: {base.base}\n"
        "auth: {client_id_env: INTERLOCK_CRED_ID, client_secret_env: INTERLOCK_CRED_TOKEN}\n"
    )
    allow_everything(workspace)
    private = ("--allow-private", f"127.0.0.1:{elsewhere.port}")
    assert sample(workspace, *private) == 0
    assert elsewhere.received == []
    origins = {entry.grant.origin for entry in trust_report(Workspace(workspace)).asked if not entry.allowed}
    assert origins == {f"http://127.0.0.1:{elsewhere.port}"}
    allow_everything(workspace)
    assert sample(workspace, *private) == 0
    assert elsewhere.was_sent_a_secret


def test_for_one_run_without_a_terminal(
    workspace: Path, hospital: Callable[..., Hospital], capsys: pytest.CaptureFixture[str]
) -> None:
    good = hospital()
    write_org(workspace, good.base, "GITHUB_TOKEN")
    private = ("--allow-private", "acme")
    assert sample(workspace, *private, "--trust-credentials", "acme=127.0.0.1") == 2
    assert "GITHUB_TOKEN" in capsys.readouterr().err  # another program's variable is named, or not sent
    assert sample(workspace, *private, "--trust-credentials", "acme=elsewhere.example,GITHUB_TOKEN") == 2
    for wrong in ("acme", "acme=", "other=127.0.0.1"):
        assert sample(workspace, *private, "--trust-credentials", wrong) == 2
    assert not good.was_sent_a_secret
    assert sample(workspace, *private, "--trust-credentials", "acme=127.0.0.1,GITHUB_TOKEN") == 0
    assert good.was_sent_a_secret
    assert asked(workspace)[("credential", "GITHUB_TOKEN")] is False  # nothing of it was kept


def test_answering_never_asks_again_but_content_that_changes_ours_does(workspace: Path) -> None:
    write_org(workspace, "https://ehr.example/fhir")
    (workspace / "questionnaires").mkdir()
    own = workspace / "questionnaires" / "own.yaml"
    own.write_text("id: own\nversion: '1.0.0'\ntitle: Own\nitems: []\n")
    allow_everything(workspace)
    assert run(["answer", *ANSWER, "--note", "asked on Monday", "-w", str(workspace)]) == 0
    (workspace / "contract.yaml").write_text((workspace / "contract.yaml").read_text() + "\n# a note\n")
    assert set(asked(workspace).values()) == {True}
    own.write_text(own.read_text().replace("Own", "Other"))
    assert asked(workspace)[("content", None)] is False


def test_trust_belongs_to_the_folder_that_it_was_given_to(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    assert run(["init", str(folder), "--template", "ci-gate"]) == 0
    write_org(folder, "https://ehr.example/fhir")
    allow_everything(folder)
    assert set(asked(folder).values()) == {True}
    copied = shutil.copytree(folder, tmp_path / "copied")
    assert set(asked(copied).values()) == {False}
    moved = folder.rename(tmp_path / "moved")
    assert set(asked(moved).values()) == {False}
    shutil.copytree(moved, folder)  # another folder at the trusted path
    assert set(asked(folder).values()) == {False}


def test_a_workspace_that_init_made_is_trusted_for_what_it_holds_then(workspace: Path, tmp_path: Path) -> None:
    template = tmp_path / "made"
    assert run(["init", str(template), "--template", "sepsis"]) == 0
    assert set(asked(template).values()) <= {True}
    write_org(workspace, "https://ehr.example/fhir")
    assert set(asked(workspace).values()) == {False}


def test_organisations_that_the_user_adds_may_be_private(
    workspace: Path, hospital: Callable[..., Hospital], capsys: pytest.CaptureFixture[str]
) -> None:
    own, other = hospital(), hospital()
    assert run(["org", "add", "Acme", "--url", own.base, "-w", str(workspace)]) == 0
    assert run(["probe", "--all", "-w", str(workspace)]) == 0
    assert own.received
    asks = ["org", "edit", "acme", "--bearer-token-env", "INTERLOCK_CRED_TOKEN", "-w", str(workspace)]
    assert run(asks) == 0
    assert "interlock trust" in capsys.readouterr().err
    assert asked(workspace) == {("private_base", None): True, ("credential", "INTERLOCK_CRED_TOKEN"): False}
    write_org(workspace, other.base)
    assert run(["org", "edit", "acme", "--note", "nothing else", "-w", str(workspace)]) == 0
    assert asked(workspace)[("private_base", None)] is False  # the user typed a note, not this address


def test_at_a_terminal_each_strange_variable_is_typed_by_name(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_org(workspace, "https://ehr.example/fhir", "GITHUB_TOKEN")
    write_org(workspace, "https://two.example/fhir", org="two")
    assert run(["trust", str(workspace)]) == 2  # no terminal
    assert asked(workspace) == {("credential", "GITHUB_TOKEN"): False, ("credential", "INTERLOCK_CRED_TOKEN"): False}
    shown = capsys.readouterr()
    assert "https://ehr.example" in shown.out
    typed: list[str] = []

    def answers(*lines: str) -> None:
        typed[:] = lines

    monkeypatch.setattr("interlock.cli.commands.trust.typer.confirm", lambda *_, **__: typed.pop(0) == "y")
    monkeypatch.setattr("interlock.cli.commands.trust.typer.prompt", lambda *_, **__: typed.pop(0))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    answers("n", "yes")
    assert run(["trust", str(workspace)]) == 0
    assert set(asked(workspace).values()) == {False}
    answers("y", "")
    assert run(["trust", str(workspace)]) == 0
    assert asked(workspace) == {("credential", "GITHUB_TOKEN"): False, ("credential", "INTERLOCK_CRED_TOKEN"): True}
    answers("GITHUB_TOKEN")
    assert run(["trust", str(workspace)]) == 0
    assert set(asked(workspace).values()) == {True}
    capsys.readouterr()
    assert run(["trust", "--list", "--format", "json"]) == 0
    assert str(workspace) in {entry["root"] for entry in json.loads(capsys.readouterr().out)}
    assert run(["trust", str(workspace), "--forget"]) == 0
    assert set(asked(workspace).values()) == {False}
    assert run(["trust", str(workspace), "--forget"]) == 2


def test_a_damaged_record_trusts_nothing_and_says_so(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_org(workspace, "https://ehr.example/fhir")
    allow_everything(workspace)
    for damage in (b"{", b"[]", b'{"version": 2}', b'{"workspaces": [{}]}'):
        record_path().write_bytes(damage)
        assert sample(workspace) == 2
        assert "damaged" in capsys.readouterr().err
    record_path().unlink()
    assert set(asked(workspace).values()) == {False}


def test_the_record_survives_many_writers(tmp_path: Path) -> None:
    folders = [tmp_path / f"ws{number}" for number in range(rounds(4, 8))]
    script = "import sys; from interlock.cli.main import run; sys.exit(run(['init', sys.argv[1], '-t', 'ci-gate']))"
    started = [subprocess.Popen([sys.executable, "-c", script, str(folder)]) for folder in folders]
    assert [process.wait(60) for process in started] == [0] * len(folders)
    for folder in folders:
        write_org(folder, "https://ehr.example/fhir")
        allow_everything(folder)
    assert all(set(asked(folder).values()) == {True} for folder in folders)
    assert oct(record_path().stat().st_mode & 0o777) == "0o600"
