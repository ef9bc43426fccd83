"""Secrets in addresses: refused in what the user writes, taken out of what servers and files bring."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from interlock.cli.main import run
from interlock.model.address_secrets import may_hold_secrets, redacted_json, redacted_url, secret_in
from interlock.model.observation import Target
from interlock.probe.transport.addresses import Origin
from interlock.probe.transport.settings import ProbeEvent, ProbeSettings
from interlock.usecases.initialize import initialize
from interlock.workspace.store import Workspace

sys.path.append(str(Path(__file__).resolve().parents[1] / "probe"))
from probe_documents import smart, statement
from probe_loopback import Loopback, Reply, Request, as_json, redirect

from tiers import LONG
from typed_targets import observe

CANARY = "Xq7canary93Zt"

#: What people write, by what is wrong with it.
SECRET_BASES = {
    "name and password": f"https://user:{CANARY}@ehr.example/fhir",
    "token in the name's place": f"https://{CANARY}@ehr.example/fhir",
    "password with an at sign": f"https://user:p@{CANARY}@ehr.example/fhir",
    "encoded password": f"https://user:%40{CANARY}@ehr.example/fhir",
    "capitals": f"HTTPS://USER:{CANARY}@EHR.EXAMPLE/fhir",
    "no scheme": f"user:{CANARY}@ehr.example/fhir",
    "half a scheme": f"https:user:{CANARY}@ehr.example/fhir",
    "one slash": f"https:/user:{CANARY}@ehr.example/fhir",
    "another scheme": f"ftp://user:{CANARY}@ehr.example/fhir",
    "sandbox": f"sandbox://user:{CANARY}@riverside",
    "an apostrophe": f"https://us'er:{CANARY}@ehr.example/fhir",
    "a bad port": f"https://user:{CANARY}@ehr.example:99999/fhir",
    "key": f"https://ehr.example/fhir?apikey={CANARY}",
    "key among others": f"https://ehr.example/fhir?_format=json&api-key={CANARY}&x=1",
    "encoded name": f"https://ehr.example/fhir?api%5Fkey={CANARY}",
    "subscription key": f"https://ehr.example/fhir?Ocp-Apim-Subscription-Key={CANARY}",
    "signature": f"https://ehr.example/fhir?sv=2022&sig={CANARY}",
    "access token in a fragment": f"https://ehr.example/fhir#access_token={CANARY}",
    "path parameter": f"https://ehr.example/fhir;jsessionid={CANARY}/r4",
    "password, and a space": f"https://ehr.example/f hir?password={CANARY}",
}
bases = pytest.mark.parametrize("base", SECRET_BASES.values(), ids=SECRET_BASES)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return initialize(tmp_path / "ws", "sepsis")


def write_org(workspace: Workspace, base: str) -> None:
    org = {"id": "north", "name": "North", "fhir_base_url": base}
    (workspace.root / "orgs" / "north.yaml").write_text(yaml.safe_dump(org))


def everything_below(*folders: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file, unpacked where it is packed."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                yield path, gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


# -- what the user writes --------------------------------------------------------------------------------------------


@bases
def test_refused_in_an_organisations_file(workspace: Workspace, capsys: pytest.CaptureFixture[str], base: str) -> None:
    """Every command reads the file; what is wrong with it is found in reading, so `make test` takes turns."""
    write_org(workspace, base)
    commands = (["org", "list"], ["score"], ["probe", "--all"], ["report"], ["lint", str(workspace.root)])
    turn = list(SECRET_BASES.values()).index(base)
    for command in commands if LONG or not turn else [commands[turn % 4]]:
        code = run([*command, "--workspace", str(workspace.root)] if command[0] != "lint" else command)
        said = "".join(capsys.readouterr())
        assert code == (1 if command[0] == "lint" else 2), said
        assert CANARY not in said
        assert "north.yaml:1:" in said
        assert "this address holds" in said
        assert "take it out of the address" in said
    assert not list(workspace.root.rglob("reports/*"))


@bases
def test_refused_where_it_is_typed(workspace: Workspace, capsys: pytest.CaptureFixture[str], base: str) -> None:
    in_workspace = ["--workspace", str(workspace.root)]
    probe = [] if base.startswith("sandbox") else [["probe", base]]
    for command in (["org", "add", "North", "--url", base], ["org", "edit", "riverside", "--url", base], *probe):
        code = run(command if command[0] == "probe" else [*command, *in_workspace])
        said = "".join(capsys.readouterr())
        assert code == 2, (command, said)
        assert CANARY not in said
        assert "take it out of the address" in said
    assert not [path for path, content in everything_below(workspace.root) if CANARY.encode() in content]


def test_dropped_from_a_directory_and_counted(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = [base for base in SECRET_BASES.values() if not base.startswith("sandbox")]
    file = tmp_path / "listed.csv"
    file.write_text(
        "name,base_url\n"
        + "".join(f'Org {n},"{base}"\n' for n, base in enumerate([*listed, "https://ehr.example/fhir?_format=json"]))
    )
    assert run(["org", "import", str(file), "--format", "json", "--workspace", str(workspace.root)]) == 0
    out, err = capsys.readouterr()
    assert CANARY not in out + err
    result = json.loads(out)
    assert [org["fhir_base_url"] for org in result["added"]] == ["https://ehr.example/fhir"]
    assert len(result["dropped"]) == len(listed)
    reasons = [entry["word"] for entry in result["dropped"]]
    assert reasons.count("credentials") >= len(listed) - 3
    assert (
        run(
            [
                "fleet",
                str(file),
                "--output",
                str(tmp_path / "out.ndjson"),
                "--limit",
                "1",
                "--proxy",
                "http://127.0.0.1:1",
            ]
        )
        == 3
    )
    assert CANARY not in "".join(capsys.readouterr()) + (tmp_path / "out.ndjson").read_text()


def test_refused_as_evidence(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """An answer's evidence may be any words; only an address with a secret in it is refused."""
    item = next(iter(workspace.responses("product")))
    answer = ["answer", item, "--status", "unknown", "--workspace", str(workspace.root), "--link"]
    for base in (SECRET_BASES["name and password"], SECRET_BASES["key"]):
        assert run([*answer, base]) == 2
        said = "".join(capsys.readouterr())
        assert CANARY not in said
        assert "this address holds" in said
    assert run([*answer, "mail to it@ehr.example of 3 March, https://ehr.example/~jane/page?id=7"]) == 0


# -- what servers bring ----------------------------------------------------------------------------------------------


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    server = Loopback()
    yield server
    server.close()


def hostile_documents(server: Loopback) -> None:
    """A server that puts secrets into every address that it tells; where it leads with one, it wants it back."""
    secret = f"https://admin:{CANARY}@ehr.example"
    document = smart(
        authorization_endpoint=f"{secret}/authorize",
        token_endpoint=f"{server.origin}/token?client_secret={CANARY}",
        introspection_endpoint=f"{secret}/introspect",
        management_endpoint=f"https://ehr.example/manage#access_token={CANARY}",
        jwks_uri=f"{server.origin}/keys?apikey={CANARY}",
        issuer=f"{server.origin}/issuer?session={CANARY}",
    )
    escaped = json.dumps(document).replace("/", "\\/").replace("@", "\\u0040").encode()
    uris = [{"url": name, "valueUri": f"{secret}/{name}"} for name in ("authorize", "token", "register")]
    security = {
        "extension": [
            {"url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris", "extension": uris}
        ]
    }
    capability = statement(implementation={"description": "x", "url": f"{secret}/fhir"})
    capability["rest"][0]["security"] = security
    capability["instantiates"] = [f"https://ehr.example/x?token={CANARY}"]

    def keys(request: Request) -> Reply:
        wanted = request.target.endswith(f"apikey={CANARY}")
        return as_json({"keys": [{"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB"}]}) if wanted else Reply(b"", 401)

    server.serve(
        metadata=redirect(f"/fhir/real?token={CANARY}"),
        smart=Reply(escaped),
        keys=keys,
    )
    server.routes["/fhir/real"] = as_json(
        capability, WWW_Authenticate=f'Bearer realm="{secret}/", error_uri="{secret}"'
    )
    server.routes["/fhir/.well-known/udap"] = redirect(f"{secret}/udap", 301)


def test_taken_out_of_what_a_server_says(
    workspace: Workspace, loopback: Loopback, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile_documents(loopback)
    in_workspace = ["--workspace", str(workspace.root)]
    log = tmp_path / "log.json"
    assert run(["org", "add", "North", "--url", loopback.base, *in_workspace]) == 0
    commands = [["--log-file", str(log), "--verbose", "probe", "--org", "north", "--active", *in_workspace]]
    commands += [["observe", "north", "--format", form, *in_workspace] for form in ("table", "json", "sarif", "junit")]
    commands += [
        ["observe", "north", "--recheck", *in_workspace],
        ["org", "show", "north", *in_workspace],
        ["score", *in_workspace],
    ]
    commands += [
        ["report", "--format", "md,html,json,xlsx,sarif", *in_workspace],
        ["milestone", "save", "x", *in_workspace],
    ]
    commands += [["probe", loopback.base, "--format", form] for form in ("json", "table")]
    for command in commands:
        code = run(command)
        out, err = capsys.readouterr()
        assert CANARY not in out + err, command
        assert code in ({2} if "--recheck" in command else {0, 1}), (command, err)
    asked = [request.target for request in loopback.requests]
    assert f"/keys?apikey={CANARY}" in asked  # it was followed as it stands
    assert f"/fhir/real?token={CANARY}" in asked
    files = list(everything_below(workspace.root, tmp_path, Path.home()))
    assert len(files) > 20
    assert not [path for path, content in files if CANARY.encode() in content]
    observed = json.loads(next((workspace.root / "observations" / "north").glob("*.json")).read_text())
    assert observed["facts"]["capability"]["implementation_url"] == "https://hidden@ehr.example/fhir"
    assert observed["facts"]["smart"]["jwks_uri"] == f"{loopback.origin}/keys?apikey=hidden"
    assert observed["facts"]["jwks"] is not None


def test_taken_out_of_what_is_told_meanwhile(loopback: Loopback) -> None:
    """What a screen shows of a probe under way: every request as it happens."""
    hostile_documents(loopback)
    events: list[ProbeEvent] = []
    own = frozenset({Origin("http", "127.0.0.1", loopback.port)})
    settings = ProbeSettings(active=True, thorough=True, private_origins=own)
    observe([Target(base_url=loopback.base)], settings, events.append)
    assert len(events) > 8
    assert not [event for event in events if CANARY in f"{event.detail}{event.record!r}{event.observation!r}"]


def test_taken_out_of_an_observation_of_old(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of an earlier version, or of somebody's hand."""
    in_workspace = ["--workspace", str(workspace.root)]
    folder = workspace.root / "observations" / "riverside"
    folder.mkdir(parents=True)
    at = f"https://admin:{CANARY}" + r"\u0040ehr.example\/fhir"
    request = f'{{"method":"GET","url":"{at}/metadata","elapsed_ms":1,"failure":"dns","detail":"{at} is not known"}}'
    target = f'{{"base_url":"{at}?apikey={CANARY}","org":"riverside"}}'
    (folder / "2026-01-01T000000.000000Z.json").write_text(
        f'{{"target":{target},"started":"2026-01-01T00:00:00Z","elapsed_ms":1,"outcome":"not_observed",'
        f'"requests":[{request}],"checks":[]}}'
    )
    for command in (
        *(["observe", "riverside", "--format", form, *in_workspace] for form in ("table", "json", "sarif", "junit")),
        ["observe", str(folder / "2026-01-01T000000.000000Z.json")],
        ["report", "--format", "md,html,json,xlsx,sarif", *in_workspace],
        ["milestone", "save", "x", *in_workspace],
    ):
        run(command)
        said = "".join(capsys.readouterr())
        assert CANARY not in said, command
    assert [path for path, content in everything_below(workspace.root) if CANARY.encode() in content] == [
        folder / "2026-01-01T000000.000000Z.json"
    ]


# -- the function itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "harmless",
    [
        "https://ehr.example/fhir/Patient?_count=20&page=2&category=laboratory",
        "https://ehr.example/@user/page",
        "https://ehr.example/fhir?_format=json",
        "mailto:jane@ehr.example",
        "ask jane@ehr.example, or see https://ehr.example/keys",
        "https://fhir.example/R4/open?cust=10344843",
        "urn:oid:1.2.3@4",
        "the parameter code=1 of no address",
        "https://ehr.example:8443/fhir/Observation?identifier=a|b;c",
        "",
    ],
)
def test_harmless_addresses_stay(harmless: str) -> None:
    assert redacted_url(harmless) == harmless
    assert secret_in(harmless) is None
    assert redacted_json(json.dumps([harmless]).encode()) == json.dumps([harmless]).encode()


@bases
def test_every_spelling_in_a_text_and_in_json(base: str) -> None:
    if "://" not in base:
        return
    text = f"it said “{base}”, ({base}) and {base}."
    assert CANARY not in redacted_url(text)
    for spelling in (json.dumps({"a": [text]}), json.dumps(text).replace("/", "\\/").replace("@", "\\u0040")):
        assert CANARY.encode() not in redacted_json(spelling.encode())
        json.loads(redacted_json(spelling.encode()))


_PIECES = (
    "://",
    ":/",
    "user",
    ":",
    "@",
    "/",
    "?",
    "&",
    ";",
    "#",
    "token",
    "x",
    "%74oken",
    "=",
    " ",
    "\\",
    '"',
    "a" * 81,
    "é",
)


@given(st.lists(st.sampled_from(_PIECES), max_size=30).map("".join))
def test_no_document_is_left_as_it_is_that_holds_a_secret(text: str) -> None:
    """The quick look may see too much, and never too little."""
    if redacted_url(text) != text:
        assert may_hold_secrets(text.encode())
    written = json.dumps([text])
    if redacted_json(written.encode()) != written.encode():
        assert may_hold_secrets(written.encode())
