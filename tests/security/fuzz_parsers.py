"""Every parser of bytes that somebody else chose: how it is called, what it may raise, and documents to begin with."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from filled_sheets import filled, parts, zipped
from interlock.documents.resources import data_dir
from interlock.model.errors import InterlockError

if TYPE_CHECKING:
    from interlock.model.observation import Observation
    from interlock.usecases.load import Inputs

DAY = date(2026, 11, 29)
MOMENT = datetime(2026, 11, 29, tzinfo=UTC)
SAMPLES = data_dir("samples")
TEMPLATES = SAMPLES / "templates"
RULES = data_dir("rulesets")


@dataclass(frozen=True)
class Parser:
    """One way in.

    :ivar run: reads bytes, in a folder of its own that it may write to.
    :ivar seeds: whole documents, for damage to begin with.
    :ivar usual: how many damaged documents CI tries; few where each takes long.
    :ivar expected: what it may raise.
    """

    run: Callable[[bytes, Path], object]
    seeds: Callable[[], Sequence[bytes]]
    usual: int = 40
    expected: tuple[type[Exception], ...] = (InterlockError,)

    @property
    def slow(self) -> bool:
        """Whether one document takes so long that guidance by coverage does not pay."""
        return self.usual < 40

    def check(self, data: bytes, folder: Path) -> None:
        """Read ``data``.

        :raises Exception: anything that is not expected, which is a finding.
        """
        try:
            self.run(data, folder)
        except self.expected as error:
            str(error).encode()  # it can be shown


def files(*patterns: str, below: Path = TEMPLATES) -> Callable[[], list[bytes]]:
    return cache(lambda: [path.read_bytes() for pattern in patterns for path in sorted(below.glob(pattern))])


# -- a workspace's files ----------------------------------------------------------------------------------------


def name_of(data: bytes, usual: str) -> str:
    """The id that a document gives itself, so that the name of its file agrees."""
    named = re.search(rb"^id: *\"?([A-Za-z0-9-]{1,40})\"?$", data, re.MULTILINE)
    return named[1].decode() if named else usual


@contextlib.contextmanager
def written(path: Path, data: bytes) -> Iterator[Path]:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    try:
        yield path
    finally:
        path.unlink()


def in_workspace(name: str) -> Callable[[bytes, Path], object]:
    def run(data: bytes, folder: Path) -> object:
        from interlock.workspace.store import Workspace

        (folder / "interlock.yaml").write_bytes(b"name: x\nproduct: x\n")
        with written(folder / name.format(id=name_of(data, "x")), data):
            return Workspace(folder).read()

    return run


def contract(data: bytes, folder: Path) -> object:
    from interlock.contract.load import load_contract, remarks

    (folder / "contract.yaml").write_bytes(data)
    return remarks(*load_contract(folder / "contract.yaml"))


def questionnaire(data: bytes, folder: Path) -> object:
    from interlock.content.questionnaires import load_questionnaires

    (folder / "1.yaml").write_bytes(data)
    return load_questionnaires([folder])


@cache
def questionnaires() -> list[bytes]:
    """The shipped ones, without the questions that name others' in other files."""
    import yaml

    texts = []
    for text in files("*.yaml", below=data_dir("questionnaires"))():
        document = yaml.safe_load(text)
        document["items"] = [item for item in document["items"] if "enable_when" not in str(item)][:6]
        texts.append(yaml.safe_dump(document, sort_keys=False).encode())
    return texts


@cache
def rules() -> list[bytes]:
    """Shipped rules that depend on no other."""
    return [text for text in files("core/*/*-00*.yaml", below=RULES)() if b"depends_on" not in text]


def rule(data: bytes, folder: Path) -> object:
    from interlock.content.compile import compile_rules
    from interlock.content.rulesets import load_ruleset

    (folder / "ruleset.yaml").write_bytes(b'id: x\nversion: "1"\ntitle: x\n')
    with written(folder / "x" / f"{name_of(data, 'BND-001')}.yaml", data):
        return compile_rules(load_ruleset(folder))


def ruleset(data: bytes, folder: Path) -> object:
    from interlock.content.rulesets import SetFolders, load_ruleset

    (folder / "own").mkdir(exist_ok=True)
    (folder / "own" / "ruleset.yaml").write_bytes(data)
    return load_ruleset(folder / "own", SetFolders((RULES, folder)))


def pattern(data: bytes, folder: Path) -> object:
    from interlock.content.rulesets import load_patterns

    with written(folder / f"{name_of(data, 'PAT-001')}.yaml", data):
        return load_patterns([folder])


def observation(data: bytes, folder: Path) -> object:
    from interlock.workspace.history import load_observation

    (folder / "o.json").write_bytes(data)
    return load_observation(folder / "o.json")


def milestone(data: bytes, folder: Path) -> object:
    from interlock.workspace.history import load_assessment

    (folder / "m.json").write_bytes(data)
    return load_assessment(folder / "m.json")


def results(data: bytes, folder: Path) -> object:
    from interlock.probe.fleet import ResultFile

    (folder / "r.ndjson").write_bytes(data)
    with ResultFile(folder / "r.ndjson", resume=True) as file:
        return list(file.earlier())


_WHOLE = ("interlock.yaml", "contract.yaml", "responses/product.yaml", "responses/ashford.yaml", "orgs/ashford.yaml")


def whole_workspace(data: bytes, folder: Path) -> object:
    """From one damaged file to the assessment and its report; the first byte says which file it is."""
    import shutil

    from interlock.usecases.assess import assess
    from interlock.usecases.load import load_inputs
    from interlock.usecases.opening import open_workspace
    from interlock.usecases.report import write_report

    root = folder / "auth-blocked"
    if not root.is_dir():
        shutil.copytree(TEMPLATES / "auth-blocked", root)
    name = _WHOLE[data[0] % len(_WHOLE)] if data else _WHOLE[0]
    try:
        (root / name).write_bytes(data[1:])
        inputs = load_inputs(open_workspace(root))
        return write_report(assess(inputs, today=DAY, runs=100), inputs, root / "reports", ("md", "json"))
    finally:
        (root / name).write_bytes((TEMPLATES / "auth-blocked" / name).read_bytes())


def whole_seeds() -> list[bytes]:
    return [bytes([at]) + (TEMPLATES / "auth-blocked" / name).read_bytes() for at, name in enumerate(_WHOLE)]


# -- what is imported -------------------------------------------------------------------------------------------


def directory(data: bytes, folder: Path) -> object:
    from interlock.usecases.directories import read_directory_file

    (folder / "d").write_bytes(data)
    return read_directory_file(folder / "d")


def directories() -> list[bytes]:
    endpoint = (
        b'{"resourceType":"Endpoint","id":"e","status":"active","connectionType":{"code":"hl7-fhir-rest"},'
        b'"name":"A","managingOrganization":{"reference":"#o"},"contained":[{"resourceType":"Organization","id":"o",'
        b'"name":"Hospital"}],"address":"https://a.example/r4"}'
    )
    return [
        b'{"resourceType":"Bundle","type":"collection","entry":[{"resource":' + endpoint + b"}]}",
        endpoint + b"\n" + endpoint,
        b'"name","vendor","url"\n"A","Epic","https://a.example/r4"\n"B","","b.example/fhir/"\n',
        b"name;base_url\nA;https://a.example/r4\n",
        b"https://a.example/r4\nhttps://b.example/r4/metadata\n# remark\n",
        b'[{"name":"A","url":"https://a.example/r4"}]',
    ]


@cache
def form_inputs(folder: Path) -> Inputs:
    from interlock.usecases.load import load_inputs
    from interlock.usecases.opening import open_workspace

    return load_inputs(open_workspace(TEMPLATES / "auth-blocked"))


def form(data: bytes, folder: Path) -> object:
    from interlock.usecases.fhir_import import plan_import

    (folder / "f.json").write_bytes(data)
    return plan_import(form_inputs(TEMPLATES), [folder / "f.json"], any_version=True, now=MOMENT)


@cache
def forms() -> list[bytes]:
    import tempfile

    from interlock.cli.main import run

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        out = Path(folder) / "forms"
        assert run(["export", "fhir", "--output", str(out), "-w", str(TEMPLATES / "auth-blocked")]) == 0
        asked = Path(folder) / "asked"
        org = form_inputs(TEMPLATES).organizations[0].id
        where = ["--output", str(asked), "-w", str(TEMPLATES / "auth-blocked")]
        assert run(["export", "sheet", "--org", org, "--format", "fhir", *where]) == 0
        mailed = next(asked.glob("*-QuestionnaireResponse-*")).read_text()
        comment = '{"linkId": "org.contacts/comment", "answer": [{"valueString": "a"}]}, '
        mailed = mailed.replace('"item": [', f'"author": {{"display": "Ada"}}, "item": [{comment}', 1)
        responses = sorted(out.glob("QuestionnaireResponse*"))[:4]
        return [mailed.encode(), *(path.read_bytes() for path in responses)]


_HISTORY = (
    b"task,begun,done,product\norg.cab,2026-03-02,2026-03-13,Sentinel Sepsis\n"
    b'org.priority@riverside,2025-09-08,2025-12-05,\norg.cab@a,2026-04-06,2026-04-10,"another"\n'
)


def history(data: bytes, folder: Path) -> object:
    from interlock.usecases.history import read_history

    (folder / "h.csv").write_bytes(data)
    return read_history(folder / "h.csv", form_inputs(TEMPLATES))


@cache
def a_sheet() -> bytes:
    """A sheet of an organisation with some answers filled in."""
    from interlock.usecases.sheet import export_sheet

    inputs = form_inputs(TEMPLATES)
    (content,) = export_sheet(inputs, inputs.organizations[0].id, "xlsx", day=MOMENT.date()).files.values()
    return filled(content, {"D2": "Ada", "D3": "2026-11-01", "D7": "Not known here", "E7": "a_x0041_ &amp; b"})


def sheet(data: bytes, folder: Path) -> object:
    from interlock.usecases.sheet_import import plan_sheet_import

    (folder / "f.xlsx").write_bytes(data)
    return plan_sheet_import(form_inputs(TEMPLATES), [folder / "f.xlsx"], any_version=True, now=MOMENT)


def sheet_part(data: bytes, folder: Path) -> object:
    """A sheet one of whose parts is damaged before it is packed: otherwise its checksum is all that is tried."""
    damaged = {b"<workb": "xl/workbook.xml", b"<sst ": "xl/sharedStrings.xml", b"<Rela": "xl/_rels/workbook.xml.rels"}
    name = next((name for start, name in damaged.items() if start in data[:200]), "xl/worksheets/sheet2.xml")
    return sheet(zipped(parts(a_sheet()) | {name: data}), folder)


def sheet_parts() -> list[bytes]:
    names = ("xl/worksheets/sheet2.xml", "xl/workbook.xml", "xl/sharedStrings.xml", "xl/_rels/workbook.xml.rels")
    return [parts(a_sheet())[name] for name in names]


# -- what servers answer ----------------------------------------------------------------------------------------


@cache
def probed() -> tuple[Observation, dict[str, bytes], dict[str, str]]:
    """An observation of the simulated Riverside, its documents by digest, and the digest of each purpose."""
    from interlock.model.observation import Target
    from interlock.usecases.probe import ProbeEvent, ProbeSettings, probe_targets

    bodies: dict[str, bytes] = {}

    def heard(event: ProbeEvent) -> None:
        bodies.update(event.bodies or {})

    async def probe() -> list[Observation]:
        targets = (Target.trusted(base_url="sandbox://riverside"),)
        return [riverside async for riverside in probe_targets(targets, ProbeSettings(thorough=True), heard)]

    (riverside,) = asyncio.run(probe())
    return riverside, bodies, {record.purpose: record.sha256 for record in riverside.requests if record.sha256}


def served(purpose: str) -> bytes:
    """The document that the simulated Riverside makes itself, where it keeps no file of it."""
    _, bodies, digests = probed()
    return bodies[digests[purpose]]


def judged_without_mistake(riverside: Observation, bodies: Mapping[str, bytes]) -> Observation:
    """Judges an observation anew; a check that went wrong, which the product survives, is a finding all the same."""
    from interlock.probe.recheck import recheck

    judged = recheck(riverside, bodies)
    mistakes = [check.model_dump_json()[:500] for check in judged.checks if check.outcome.value == "error"]
    assert not mistakes, mistakes
    return judged


def answer_to(purpose: str) -> Callable[[bytes, Path], object]:
    """Reads a document that a server answered with: facts, then every check, then the stored form and back."""

    def run(data: bytes, folder: Path) -> object:
        from interlock.model.observation import Observation

        riverside, bodies, digests = probed()
        beside = {"smart", "openid", "jwks"} - {purpose}  # small ones: the more inputs are tried
        requests = [record for record in riverside.requests if record.purpose in beside]
        like = next(record for record in riverside.requests if record.purpose in digests)
        requests.append(like.model_copy(update={"purpose": purpose, "sha256": "x", "reading": None}))
        changed = riverside.model_copy(update={"requests": tuple(requests)})
        judged = judged_without_mistake(changed, {**bodies, "x": data})
        return Observation.model_validate_json(judged.model_dump_json())

    return run


def headers(data: bytes, folder: Path) -> object:
    """Header fields of an answer, a line each, in every check and every place that acts by one."""
    from interlock.probe.transport.content import declared_charset
    from interlock.probe.transport.hosts import asked_to_wait

    lines = [line.partition(":") for line in data.decode("latin-1").splitlines()]
    fields = {name.strip().lower(): value.strip() for name, _, value in lines}
    asked_to_wait(503, fields)
    declared_charset(fields.get("content-type", ""))
    riverside, bodies, _ = probed()
    requests = tuple(
        record.model_copy(update={"headers": fields, "content_type": fields.get("content-type")})
        for record in riverside.requests
    )
    judged_without_mistake(riverside.model_copy(update={"requests": requests}), bodies)
    refused = tuple(record.model_copy(update={"status": 401, "reading": "unauthorized"}) for record in requests)
    return judged_without_mistake(riverside.model_copy(update={"requests": refused}), {}).model_dump_json()


HEADERS = (
    b'Content-Type: application/fhir+json; charset="utf-8"; fhirVersion=4.0\nRetry-After: 120\nETag: W/"1"\n'
    b'WWW-Authenticate: Bearer realm="x", error="invalid_token"\nLink: <https://a.example/?page=2>; rel="next"\n',
    b"retry-after: Wed, 21 Oct 2026 07:28:00 GMT\nAccess-Control-Allow-Origin: *\n"
    b"Strict-Transport-Security: max-age=1\nCache-Control: no-store, max-age=60\nServer: x\n"
    b"Date: Sun, 29 Nov 2026 10:00:00 GMT\nAllow: GET, POST\n",
)


def coded(data: bytes, folder: Path) -> object:
    """A body in a content coding: the first byte says which one, the second how it arrives."""
    from interlock.probe.transport.content import CodingError, Decoder, TooLargeError, decode_text

    names = ("", "gzip", "deflate", "x-gzip", "identity", "br", " GZIP ")
    coding, pieces, body = (data[0], data[1], data[2:]) if len(data) > 2 else (0, 0, data)
    decoder = Decoder(names[coding % len(names)], 100_000)
    size = pieces + 1
    try:
        text = b"".join(decoder.feed(body[at : at + size]) for at in range(0, len(body), size)) + decoder.finish()[0]
    except (CodingError, TooLargeError):
        return None
    assert len(text) <= 100_000
    return decode_text(text, "application/json; charset=utf-16")


def bodies_coded() -> list[bytes]:
    text = b'{"resourceType":"CapabilityStatement"}' * 20
    gzip = zlib.compressobj(wbits=31)
    packed = gzip.compress(text) + gzip.flush()
    return [b"\x01\xff" + packed, b"\x00\x07" + packed * 2, b"\x02\x03" + zlib.compress(text), b"\x04\x01" + text]


def token(data: bytes, folder: Path) -> object:
    """What a token endpoint answers: the first byte gives the status."""
    from interlock.model.observation import RequestRecord
    from interlock.probe.tokens import read_token
    from interlock.probe.transport.transfer import Reply

    status = (200, 201, 400, 401, 429, 500)[data[0] % 6] if data else 200
    record = RequestRecord(method="POST", url="https://a.example/token", status=status, elapsed_ms=1.0)
    return read_token(Reply((record,), data[1:]), ("system/Patient.rs",))[2].model_dump_json()


def page(data: bytes, folder: Path) -> object:
    """A page of a sample."""
    from interlock.fhir.sampling import Wanted, count_resources
    from interlock.fhir.searchset import Asked
    from interlock.model.observation import RequestRecord
    from interlock.probe.sample import _read
    from interlock.probe.transport.transfer import Reply

    record = RequestRecord(method="GET", url="https://a.example/Patient", status=200, elapsed_ms=1.0)
    asked = Asked("Patient", (("patient", "1"), ("category", "x")), 20, "https://a.example")
    answer = _read(Reply((record,), data), asked).answer
    return answer, count_resources(answer.resources, Wanted("Patient", ("name", "identifier.value")))


def certificate(data: bytes, folder: Path) -> object:
    from interlock.probe.transport.tls_certificates import read_chain

    return [each.model_dump_json() for each in read_chain([data, data], MOMENT)]


@cache
def certificates() -> list[bytes]:
    import ssl

    import trustme

    authority = trustme.CA()
    issued = authority.issue_cert("a.example", "*.b.example", "127.0.0.1")
    return [ssl.PEM_cert_to_DER_cert(pem.bytes().decode()) for pem in (authority.cert_pem, issued.cert_chain_pems[0])]


# -- what a person types, and what stands in variables -----------------------------------------------------------


def address(data: bytes, folder: Path) -> object:
    """A base URL, then whether and how an address that a server advertises is followed from it."""
    from interlock.fhir.addresses import repair_address
    from interlock.model.observation import RequestRecord
    from interlock.probe.transport.addresses import origin
    from interlock.probe.transport.client import redirect_target
    from interlock.probe.transport.plan import clean_base_url, follow, is_patient_data, metadata_url, smart_root_url
    from interlock.probe.transport.transfer import Reply

    text = data.decode("utf-8", "replace")
    base, _, advertised = text.partition("\n")
    if (repaired := repair_address(base).url) is not None:
        assert repair_address(repaired).url is not None  # what was repaired can be used
    is_patient_data(advertised)
    led = RequestRecord(method="GET", url=base, status=302, elapsed_ms=1.0, headers={"location": advertised})
    redirect_target(base, Reply((led,)))
    follow(advertised, "https://a.example/r4")
    clean = clean_base_url(base)
    assert clean_base_url(clean) == clean
    private = frozenset(where for where in [origin(clean)] if where is not None)
    return metadata_url(clean), smart_root_url(clean), follow(advertised, clean, private)


ADDRESSES = (
    b"https://ehr.example.org:8443/fhir/r4/metadata?x=1#y\nhttps://ehr.example.org/oauth2/token",
    b"HTTP://[2001:db8::1%25eth0]:80/R4\n//127.0.0.1/x",
    "https://b\u00fccher.example/\u00e4\n../Patient/1".encode(),
    b"https://0x7f.1/\nhttps://user:pw@h.example/Patient?name=x",
)


def expression(data: bytes, folder: Path) -> object:
    import cel

    from interlock.content.compile import compile_expression
    from interlock.content.syntax import CelSyntaxError

    try:
        compiled = compile_expression(data.decode("utf-8", "replace"))
    except CelSyntaxError:
        return None
    value, problem = compiled.evaluate(
        cel.Context(variables={"responses": {"a": {"b": "c"}}, "value": {"n": [1, "x"]}})
    )
    return compiled.reads, compiled.normal_form, compiled.parts, value, problem


@cache
def expressions() -> list[bytes]:
    import yaml

    rules = [yaml.safe_load(text) for text in files("*/*-00*.yaml", below=RULES / "core")()]
    return [rule[key].encode() for rule in rules for key in ("applies", "gap_when") if rule.get(key)]


#: Commands that read a workspace and write nowhere else, whatever their options are.
_COMMANDS = ("plan", "score", "gaps", "questions", "diff", "observe", "answer", "patterns", "next", "config", "org")


def command_line(data: bytes, folder: Path) -> object:
    """A command and its arguments, a line each."""
    from interlock.cli.main import run

    root = folder / "blank"
    if not root.is_dir():
        (root / "responses").mkdir(parents=True)
        (root / "interlock.yaml").write_bytes((TEMPLATES / "blank" / "interlock.yaml").read_bytes())
    first, *rest = data.decode("utf-8", "replace").replace("\0", "").replace("/", "").split("\n")
    command = first if first in _COMMANDS else "plan"
    before, err = Path.cwd(), io.StringIO()
    os.chdir(root)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
            code = run([command, *rest[:12]])
    finally:
        os.chdir(before)
    assert code in {0, 1, 2, 3}, f"exit code {code}\n{err.getvalue()}"
    return code


COMMAND_LINES = (
    b"plan\n--by\n2027-03-31\n--runs\n100", b"plan\n--what-if\nAUTH-001,END-002\n--add-capacity\nus=1\n--runs\n100",
    b"plan\n--launch\nehr\n--seed\n7\n--runs\n100\n--format\njson", b"score\n--fail-under\n60\n--gate\npilot\n--org\nx",
    b"diff\nlast\nnow", b"answer\nauth.jwks_hosting\nhosted\n--note\nx\n--status\nanswered\n--evidence\nasserted",
    b"questions\nauth.jwks_hosting", b"observe\nx\n--format\njson", b"config\nschema\nplan", b"org\nshow\nx",
    b"org\nadd\nx\n--name\nX\n--vendor\nepic\n--url\nsandbox:\n--environment\nproduction",
)  # fmt: skip


def signing_key(data: bytes, folder: Path) -> object:
    from interlock.probe.transport import credentials

    text = data.decode("utf-8", "replace")
    with contextlib.suppress(credentials.KeyProblem):
        return credentials.signing_key(text if text.startswith(("{", "-----BEGIN")) else "{" + text)
    return None


@cache
def signing_keys() -> list[bytes]:
    import json

    from joserfc.jwk import ECKey, RSAKey

    keys = [RSAKey.generate_key(2048), ECKey.generate_key("P-384"), ECKey.generate_key("P-256")]
    jwks = [json.dumps(key.as_dict(private=True)).encode() for key in keys]
    return [*jwks, b'{"keys":[' + jwks[1] + b"]}", *(key.as_pem(private=True) for key in keys)]


def document_of(name: str) -> Callable[[], Sequence[bytes]]:
    return files(f"*/{name}.json", below=SAMPLES / "organizations")


_RULESET = b"""id: own
version: "1"
title: Our own
extends: core
weights: {critical: 9}
rules:
  BND-001: off
  BND-002: {severity: low}
"""
_UDAP = (
    b'{"udap_versions_supported":["1"],"udap_profiles_supported":["udap_dcr","udap_authn"],"udap_authorization_extensions_supported":[],'
    b'"udap_certifications_supported":[],"grant_types_supported":["client_credentials"],"token_endpoint":"https://a.example/token",'
    b'"token_endpoint_auth_methods_supported":["private_key_jwt"],"registration_endpoint":"https://a.example/register",'
    b'"signed_metadata":"eyJhbGciOiJSUzI1NiIsIng1YyI6WyJNSUkiXX0.eyJpc3MiOiJodHRwczovL2EuZXhhbXBsZSIsImV4cCI6MX0.c2ln"}'
)
_CDS = (
    b'{"services":[{"hook":"patient-view","title":"t","description":"d","id":"x","prefetch":{"p":"Patient/{{context.patientId}}"},'
    b'"usageRequirements":"u"}]}'
)
_TOKEN = (
    b'\x00{"access_token":"a.b-c","token_type":"Bearer","expires_in":3600,"scope":"system/Patient.rs system/*.read"}'
)
_PAGE = (
    b'{"resourceType":"Bundle","type":"searchset","total":2,"link":[{"relation":"next","url":"https://a.example/?p=2"}],'
    b'"entry":[{"fullUrl":"x","resource":{"resourceType":"Patient","id":"1","name":[{"family":"F"}],"identifier":[{"system":"urn:x","value":"1"}]}}]}'
)

PARSERS: dict[str, Parser] = {
    "settings": Parser(in_workspace("interlock.yaml"), files("*/interlock.yaml")),
    "organisation": Parser(in_workspace("orgs/{id}.yaml"), files("*/orgs/*.yaml")),
    "responses": Parser(in_workspace("responses/product.yaml"), files("*/responses/product.yaml")),
    "tasks": Parser(in_workspace("tasks.yaml"), files("*/tasks.yaml")),
    "history of tasks": Parser(history, lambda: [_HISTORY]),
    "contract": Parser(contract, files("*/contract.yaml")),
    "questionnaire": Parser(questionnaire, questionnaires),
    "rule": Parser(rule, rules),
    "ruleset": Parser(ruleset, lambda: [_RULESET]),
    "pattern": Parser(pattern, files("PAT-00*.yaml", below=RULES / "patterns")),
    "observation": Parser(observation, lambda: [probed()[0].model_dump_json().encode()]),
    "milestone": Parser(milestone, lambda: [an_assessment()]),
    "results of a long probe": Parser(results, lambda: [probed()[0].model_dump_json().encode() + b"\n"]),
    "whole workspace to report": Parser(whole_workspace, whole_seeds, usual=4),
    "directory": Parser(directory, directories),
    "FHIR form": Parser(form, forms),
    "filled-in sheet": Parser(sheet, lambda: [a_sheet()]),
    "part of a filled-in sheet": Parser(sheet_part, sheet_parts),
    "capability statement": Parser(answer_to("metadata"), document_of("metadata")),
    "statement below the base": Parser(answer_to("deeper"), document_of("metadata")),
    "SMART configuration": Parser(answer_to("smart"), document_of("smart-configuration")),
    "OpenID configuration": Parser(answer_to("openid"), document_of("openid-configuration")),
    "JWK Set": Parser(answer_to("jwks"), lambda: [served("jwks")]),
    "UDAP document": Parser(answer_to("udap"), lambda: [_UDAP]),
    "CDS services": Parser(answer_to("cds"), lambda: [_CDS]),
    "header fields": Parser(headers, lambda: HEADERS),
    "content coding": Parser(coded, bodies_coded),
    "token answer": Parser(token, lambda: [_TOKEN, b'\x02{"error":"invalid_scope","error_description":"x"}']),
    "page of a sample": Parser(page, lambda: [_PAGE]),
    "certificate": Parser(certificate, certificates),
    "address": Parser(address, lambda: ADDRESSES),
    "CEL expression": Parser(expression, expressions),
    "command line": Parser(command_line, lambda: COMMAND_LINES, usual=15),
    "signing key": Parser(signing_key, signing_keys),
}  # fmt: skip


@cache
def an_assessment() -> bytes:
    from interlock.usecases.assess import assess
    from interlock.usecases.load import load_inputs
    from interlock.usecases.opening import open_workspace

    return assess(load_inputs(open_workspace(TEMPLATES / "blank")), today=DAY, runs=100).model_dump_json().encode()
