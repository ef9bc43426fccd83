"""What a server does to a sample of patients' data, and to the credentials with which it is asked for."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

from hostile_servers.behaviours import Behaviour
from hostile_servers.serving import CONFIGURATION, SMART, Answer, Peer, document, reply
from hostile_text import HOSTILE

from interlock.model.contract import Need
from interlock.model.observation import Observation
from interlock.probe.transport.addresses import origin
from interlock.probe.transport.credentials import Credentials, Secret
from interlock.probe.transport.settings import SamplePlan

CLIENT_ID, CLIENT_SECRET = "client-5d1f-id", "s3cr&t-canary+with/signs%"
BEARER, ISSUED = "bearer-canary-9c1e77", "issued-canary-40aa81"
#: What may stand nowhere once a sample was taken: the credentials, and everything of the patient below.
CANARIES = (CLIENT_ID, CLIENT_SECRET, BEARER, ISSUED, "pat-canary-1", "Quillfeather", "1931-02-17")
#: The runs that sample.
RUNS = ("bearer", "secret")
_PATIENTS, _OBSERVATIONS = "/fhir/Patient", "/fhir/Observation"
_PATIENT = {
    "resourceType": "Patient",
    "id": "pat-canary-1",
    "name": [{"family": "Quillfeather"}],
    "birthDate": "1931-02-17",
}
_NEEDS = (
    Need(resource="Patient", interactions=("read",), required_fields=("name", "birthDate")),
    Need(
        resource="Observation",
        interactions=("search",),
        search_parameters=("patient",),
        required_fields=("status", "value[x]"),
    ),
)


def plan_of(run: str, base: str) -> SamplePlan:
    """The credentials that a run samples with, trusted to go to a single base."""
    where = origin(base)
    origins = frozenset([where] if where else [])
    if run == "bearer":
        return SamplePlan(Credentials("bearer_token", bearer_token=Secret(BEARER), origins=origins), _NEEDS)
    client = Credentials("client_secret_basic", Secret(CLIENT_ID), client_secret=Secret(CLIENT_SECRET), origins=origins)
    return SamplePlan(client, _NEEDS)


def _bundle(*resources: Any, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": given} for given in resources],
        **more,
    }


def _came(outcome: str) -> Callable[[Observation], object]:
    def look(observation: Observation) -> object:
        data = observation.facts.data
        return (data is not None and data.inputs[0].outcome == outcome) or f"{data}"

    return look


def _page(name: str, answer: Answer, outcome: str, *never: str, **others: Answer) -> Behaviour:
    """The answer to a search for patients; nothing but the two searches is asked."""
    answers = {
        _PATIENTS: answer,
        _OBSERVATIONS: document(_bundle()),
        **{f"/{name}": each for name, each in others.items()},
    }
    return Behaviour(
        f"sample: {name}",
        answers,
        outcome="observed",
        present=("data",),
        also=_came(outcome),
        run="bearer",
        never_asked=("next", "page=", "Binary", *never),
    )


def _links(url: str) -> Answer:
    return document(_bundle(_PATIENT, link=[{"relation": "next", "url": url}], total=10**9))


def _echo(peer: Peer) -> bytes:
    return reply(json.dumps(_bundle({"resourceType": "Patient", "id": peer.headers.get("authorization", "")})))


async def _never_ends(peer: Peer) -> None:
    await peer.send(b'HTTP/1.1 200 OK\r\n\r\n{"resourceType":"Bundle","entry":[')
    await peer.flood(json.dumps({"resource": _PATIENT}).encode() * 200 + b",")


_PAGES = [
    _page("one patient", document(_bundle(_PATIENT)), "sampled"),
    _page("a next page at a victim", _links("http://VICTIM/next?page=2"), "sampled"),
    _page("a next page without a scheme", _links("//127.0.0.2:PORT/next"), "sampled"),
    _page("a next page at the clouds' metadata", _links("http://169.254.169.254/next"), "sampled"),
    _page("a next page with a token in it", _links("BASE/Patient?page=2&access_token=x"), "sampled"),
    _page("a next page that is itself", _links("BASE/Patient?page=1"), "sampled"),
    _page(
        "a next page for ever",
        lambda peer: reply(
            json.dumps(_bundle(_PATIENT, link=[{"relation": "next", "url": f"{peer.target}&page={peer.count}"}]))
        ),
        "sampled",
    ),
    _page("a next page in a file", _links("file:///next"), "sampled"),
    _page("links that are no links", document(_bundle(_PATIENT, link={"next": ["a", {"url": 7}]})), "sampled"),
    _page("90,000 links", document(_bundle(_PATIENT, link=[{"relation": "next"}] * 90_000)), "sampled"),
    _page("100,000 entries", document({"resourceType": "Bundle", "entry": [{}] * 100_000}), "empty"),
    _page(
        "30,000 patients",
        document({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": "1"}}] * 30_000}),
        "sampled",
    ),
    _page("entries of another type", document(_bundle({"resourceType": "Observation", "id": "1"})), "empty"),
    _page("an outcome among the entries", document(_bundle({"resourceType": "OperationOutcome"}, _PATIENT)), "sampled"),
    _page(
        "only an outcome",
        document(_bundle({"resourceType": "OperationOutcome", "issue": [{"diagnostics": "Quillfeather"}]})),
        "empty",
    ),
    _page(
        "an outcome instead of a page",
        document({"resourceType": "OperationOutcome", "issue": [{"diagnostics": "Quillfeather"}]}),
        "failed",
    ),
    _page("a patient instead of a page", document(_PATIENT), "failed"),
    _page("a total below nothing", document(_bundle(total=-1)), "empty"),
    _page("a total beyond all numbers", document(_bundle(_PATIENT, total=10**300)), "sampled"),
    _page("entries that are an object", document({"resourceType": "Bundle", "entry": {"resource": _PATIENT}}), "empty"),
    _page(
        "entries of every wrong type",
        document(
            {
                "resourceType": "Bundle",
                "entry": [1, None, "x", [], {"resource": []}, {"resource": {"resourceType": ["Patient"]}}],
            }
        ),
        "empty",
    ),
    _page(
        "addresses to fetch",
        document(_bundle(_PATIENT | {"photo": [{"url": "BASE/Binary/1"}]}) | {"signature": {"url": "http://VICTIM/"}}),
        "sampled",
    ),
    _page(
        "full addresses of a victim",
        document({"resourceType": "Bundle", "entry": [{"fullUrl": "http://VICTIM/Patient/1", "resource": _PATIENT}]}),
        "sampled",
    ),
    _page("an id of a path", document(_bundle(_PATIENT | {"id": "../../admin?x="})), "sampled", "/fhir/../"),
    _page("an id of 100,000 letters", document(_bundle(_PATIENT | {"id": "x" * 100_000})), "sampled", "xxxx"),
    _page("an id with a line feed", document(_bundle(_PATIENT | {"id": "1\r\nHost: victim"})), "sampled", "victim\r"),
    _page("an id that is an object", document(_bundle(_PATIENT | {"id": {"a": 1}})), "sampled"),
    _page("names nested 90 deep", document(_bundle(_PATIENT | {"name": json.loads("[" * 80 + "]" * 80)})), "sampled"),
    _page("100,000 names", document(_bundle(_PATIENT | {"name": [{}] * 100_000})), "sampled"),
    _page(
        "code systems that hold the patient",
        document(
            _bundle(_PATIENT | {"maritalStatus": {"coding": [{"system": "http://x.test/Quillfeather", "code": "M"}]}})
        ),
        "sampled",
    ),
    _page(
        "code systems of escapes",
        document(
            _bundle(
                _PATIENT | {"maritalStatus": {"coding": [{"system": text, "code": text} for text in HOSTILE.values()]}}
            )
        ),
        "sampled",
    ),
    _page(
        "statuses that are sentences",
        document(
            _bundle(
                _PATIENT | {"status": "Quillfeather has it", "clinicalStatus": {"coding": [{"code": "Quillfeather"}]}}
            )
        ),
        "sampled",
    ),
    _page(
        "a redirect to a victim",
        lambda peer: reply(b"", "302 F", None, f"Location: http://{peer.site.victim}/"),
        "failed",
    ),
    _page("a redirect on the server", reply(b"", "307 T", None, "Location: /fhir/Patient/next"), "failed"),
    _page("the token in the answer", _echo, "sampled"),
    _page(
        "401 and the token in the challenge",
        lambda peer: reply(b"", "401 U", None, f'WWW-Authenticate: Bearer error="{peer.headers.get("authorization")}"'),
        "refused",
    ),
    _page("403 with a patient in it", reply(json.dumps(_PATIENT), "403 Forbidden"), "refused"),
    _page("400 with a patient in it", reply(json.dumps(_PATIENT), "400 Bad"), "rejected"),
    _page("410", reply(b"", "410 Gone", None), "rejected"),
    _page("429 for an hour", reply(b"", "429 Slow", None, "Retry-After: 3600"), "failed"),
    _page(
        "500 with a patient in a page", reply("<html><title>Quillfeather</title>", "500 Oops", "text/html"), "failed"
    ),
    _page("a login page", reply("<html><title>Quillfeather</title>", "200 OK", "text/html"), "failed"),
    _page("204", reply(b"", "204 No Content", None), "failed"),
    _page("XML", reply("<Bundle><entry/></Bundle>", "200 OK", "application/fhir+xml"), "failed"),
    _page("half a page", reply(json.dumps(_bundle(_PATIENT)))[:-20], "failed"),
    _page(
        "a page of 2 million objects",
        reply(b'{"resourceType":"Bundle","entry":[' + b"{}," * 2_000_000 + b"{}]}"),
        "failed",
    ),
    _page(
        "a page nested 100,000 deep",
        reply(b'{"resourceType":"Bundle","entry":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        "failed",
    ),
    _page(
        "a page of 64 MB in gzip",
        reply(gzip.compress(b" " * 64_000_000), "200 OK", "application/fhir+json", "Content-Encoding: gzip"),
        "failed",
    ),
    _page("a page that never ends", _never_ends, "failed"),
    _page("a status of nonsense", b"HTTP/1.1 Quillfeather\r\n\r\n", "failed"),
    _page(
        "the patient in the reason and the type",
        reply(
            json.dumps(_bundle(_PATIENT)),
            "299 Quillfeather",
            "application/Quillfeather",
            "ETag: Quillfeather",
            "Server: Quillfeather",
        ),
        "sampled",
    ),
    _page(
        "cookies",
        reply(
            json.dumps(_bundle(_PATIENT)),
            "200 OK",
            "application/json",
            *[f"Set-Cookie: a{n}=Quillfeather" for n in range(90)],
        ),
        "sampled",
    ),
]


def _token(name: str, answer: Answer, outcome: str, reason: str = "") -> Behaviour:
    """The answer of the token endpoint; without a token nothing is sampled."""

    def look(observation: Observation) -> object:
        data = observation.facts.data
        token = data.token if data is not None else None
        fits = token is not None and token.outcome == outcome and reason in (token.reason or "")
        sampled = "sampled" if outcome == "issued" else "not_asked"
        return (fits and data is not None and data.inputs[0].outcome in {sampled, "refused"}) or f"{data}"

    return Behaviour(
        f"token: {name}",
        {"/token": answer, _PATIENTS: document(_bundle(_PATIENT)), _OBSERVATIONS: document(_bundle())},
        outcome="observed",
        present=("data",),
        also=look,
        run="secret",
    )


def _issued(name: str, outcome: str = "issued", **changes: Any) -> Behaviour:
    body = {"access_token": ISSUED, "token_type": "bearer", "expires_in": 300, "scope": "system/Patient.rs"} | changes
    return _token(name, document({key: value for key, value in body.items() if value is not ...}), outcome)


def _echoes(status: str) -> Answer:
    """The request in every part of its answer."""

    def answer(peer: Peer) -> bytes:
        said = f"{peer.headers.get('authorization')} {peer.body.decode()} {CLIENT_SECRET}"
        body = json.dumps({"error": said, "error_description": said, "error_uri": said})
        return reply(
            body,
            f"{status} {said}",
            f"application/{CLIENT_SECRET.split('&')[0]}",
            f"WWW-Authenticate: Basic {said}",
            f"ETag: {said}",
        )

    return answer


_TOKENS = [
    _issued("as it should be"),
    _issued("no lifetime", expires_in=...),
    _issued("a lifetime below nothing", expires_in=-5),
    _issued("a lifetime of nothing", expires_in=0),
    _issued("a lifetime beyond all numbers", expires_in=10**300),
    _issued("a lifetime that is a text", expires_in="3600"),
    _issued("a lifetime that is no number", expires_in=float("nan")),
    _issued("a lifetime that is true", expires_in=True),
    _issued("a lifetime that is a list", expires_in=[300]),
    _issued("scopes in a list", scope=["system/Patient.rs"]),
    _issued("scopes of escapes", scope="\u001b]52;c;eA==\u0007 system/Patient.rs"),
    _issued("100,000 scopes", scope="system/Patient.rs " * 50_000),
    _issued("scopes to write", scope="system/*.cruds openid fhirUser"),
    _issued("a scope that holds the secret", scope=f"system/Patient.rs?x={CLIENT_SECRET}"),
    _issued("a type of token in capitals", token_type="BEARER"),
    _issued("a token of another type", "failed", token_type="mac"),
    _issued("no type of token", "failed", token_type=...),
    _issued("a type of token that is a list", "failed", token_type=["bearer"]),
    _issued("no token", "failed", access_token=...),
    _issued("an empty token", "failed", access_token=""),
    _issued("a token that is a number", "failed", access_token=7),
    _issued("a token that is an object", "failed", access_token={"a": 1}),
    _issued("a token with a line feed and a header", "failed", access_token=f"{ISSUED}\r\nX-Injected: 1"),
    _issued("a token with a space", "failed", access_token=f"{ISSUED} x"),
    _issued("a token with a control character", "failed", access_token=f"{ISSUED}\u0007"),
    _issued("a token in another script", "failed", access_token="t\u00f6ken"),
    _issued("a token of a million letters", "failed", access_token="t" * 1_000_000),
    _issued("a token of 60,000 letters", access_token="t" * 60_000),
    _issued("a refresh token and an identity besides", refresh_token=ISSUED, id_token=ISSUED, patient="pat-canary-1"),
    _token("an error with status 200", document({"error": "invalid_client"}), "failed", "no bearer token"),
    _token(
        "an error and a token with status 400",
        document({"error": "invalid_scope", "access_token": ISSUED}, "400 B"),
        "refused",
    ),
    _token("401 with a token", document({"access_token": ISSUED, "token_type": "bearer"}, "401 U"), "refused"),
    _token("an error that nobody registered", document({"error": "Quillfeather"}, "400 B"), "refused"),
    _token("an error that is a list", document({"error": ["invalid_client"]}, "400 B"), "refused"),
    _token("invalid_scope for ever", document({"error": "invalid_scope"}, "400 B"), "refused", "invalid_scope"),
    _token("the credentials in every part of the answer", _echoes("400"), "refused"),
    _token("the credentials in every part of a success", _echoes("200"), "failed"),
    _token("the credentials in a failure of the server", _echoes("500"), "failed"),
    _token("a login page", reply("<html><form action=login>", "200 OK", "text/html"), "failed"),
    _token("nothing", reply(b"", "200 OK", None), "failed"),
    _token("a list", document([{"access_token": ISSUED}]), "failed"),
    _token(
        "form data",
        reply(f"access_token={ISSUED}&token_type=bearer", "200 OK", "application/x-www-form-urlencoded"),
        "failed",
    ),
    _token(
        "a redirect to a victim",
        lambda peer: reply(b"", "307 T", None, f"Location: http://{peer.site.victim}/"),
        "failed",
    ),
    _token(
        "a permanent redirect to a victim",
        lambda peer: reply(b"", "308 P", None, f"Location: //{peer.site.victim}/"),
        "failed",
    ),
    _token("a redirect to itself", reply(b"", "302 F", None, "Location: /token"), "failed"),
    _token("429", reply(b"", "429 Slow", None, "Retry-After: 86400"), "failed"),
    _token("503", reply(b"", "503 Busy", None), "failed"),
    _token("8 MB of objects", reply(b'{"access_token":[' + b"{}," * 2_000_000 + b"{}]}"), "failed"),
    _token("nested 100,000 deep", reply(b'{"access_token":' + b"[" * 100_000), "failed"),
    _token("cut in the middle", reply(json.dumps({"access_token": ISSUED, "token_type": "bearer"}))[:-9], "failed"),
    _token("nonsense", b"\x00\x01\x02\x03", "failed"),
    _token("closed", b"", "failed"),
    _token(
        "a hundred cookies",
        reply(
            json.dumps({"access_token": ISSUED, "token_type": "bearer"}),
            "200 OK",
            "application/json",
            *["Set-Cookie: a=b"] * 100,
        ),
        "issued",
    ),
]


def _elsewhere(name: str, address: str) -> Behaviour:
    """A token endpoint to which credentials are not sent at all."""
    row = _token(name, document({}), "not_sent", "not sent")
    return Behaviour(
        row.name,
        {CONFIGURATION: document(SMART | {"token_endpoint": address})},
        "observed",
        also=row.also,
        run="secret",
    )


_ELSEWHERE = [
    _elsewhere("an endpoint at a victim in the clear", "http://127.0.0.2:PORT/token"),
    _elsewhere("an endpoint at a victim by TLS", "https://VICTIM/token"),
    _elsewhere("an endpoint on a public host in the clear", "http://ehr.example/token"),
    _elsewhere("an endpoint behind another's credentials", "https://a:b@ehr.example/token"),
    _elsewhere("an endpoint in a file", "file:///tmp/token"),
    _elsewhere("an endpoint at the clouds' metadata", "https://169.254.169.254/token"),
]

ROWS = (*_PAGES, *_TOKENS, *_ELSEWHERE)
