"""What the workflow contract reads and writes, at each organisation, and nothing else.

Needs httpx and joserfc. What differs between organisations is read from ``contract.lock.json`` beside this folder;
secrets come from environment variables, whose names stand there. ``python fhir_client.py --help`` shows the commands.

    with Client.backend("riverside") as client:
        for resource in client.vital_signs("patient-1", since="2026-01-01").resources:
            ...

A failure that the contract decides is an error of its own, which says the contract's words: ``MissingField``,
``AccessDenied``, ``Unavailable``, ``TooSlow``, ``Truncated``, ``UnknownModifier``, ``MergedPatient``,
``WriteRefused``, ``WriteUnknown``. An id that the server does not have is ``NotFound``, a patient's ``UnknownPatient``,
and what it does not take as it is asked ``QuestionRefused``: the EHR is up, and the mistake is ours.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.server
import ipaddress
import json
import os
import re
import secrets
import shlex
import socketserver
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey, import_key

Resource = dict[str, Any]

#: Where a need stands in the contract, and its name here and in the tests.
NEEDS: dict[str, str] = {}
#: Needs whose codes are asked for in a search: FHIR has a parameter ``code`` of their type.
BY_CODE: frozenset[str] = frozenset()

LOCK = Path(__file__).resolve().parent.parent / "contract.lock.json"
#: Seconds for one request to begin, continue and connect; for all pages of one search.
REQUEST_SECONDS, SEARCH_SECONDS = 10.0, 60.0
#: Bytes of one answer; pages and resources of one search.
MAX_BYTES, MAX_PAGES, MAX_RESOURCES = 10_000_000, 50, 5_000
#: Seconds that a sign-in waits for the browser, and requests that it answers meanwhile.
SIGN_IN_SECONDS, MAX_VISITS = 300.0, 20
#: A backend token is asked for again when it has fewer seconds left.
RENEW_SECONDS = 30
#: Refusals that end by themselves: request timeout, too many requests (RFC 9110; RFC 6585).
LATER = frozenset({408, 429})
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FHIR_JSON = "application/fhir+json"
#: Codes of issues in a search's result that say that something was held back (FHIR R4, valueset-issue-type).
WITHHELD = frozenset({"suppressed", "security", "forbidden", "login", "unknown", "expired"})


#: How a choice of types ends in JSON: ``effective[x]`` is ``effectiveDateTime`` (FHIR R4, formats.html#choice).
CHOICES = (
    *("Boolean", "Integer", "Decimal", "String", "Markdown", "Code", "Uri", "Url", "Canonical", "Date", "DateTime"),
    *("Instant", "Time", "Quantity", "CodeableConcept", "Coding", "Reference", "Period", "Range", "Ratio", "Timing"),
    *("SampledData", "Attachment", "Identifier", "Annotation", "Age", "Duration", "Money", "Address"),
)


class ContractError(Exception):
    """Something that the contract says what to do about; ``contract_says`` is that, or none where it is undecided."""

    def __init__(self, happened: str, contract_says: str | None = None) -> None:
        super().__init__(f"{happened}: {contract_says}" if contract_says else happened)
        self.happened = happened
        self.contract_says = contract_says


class NotSetUp(ContractError):
    """An environment variable, an address or the lock file is missing: says which, and what to set."""


class SignInRefused(ContractError):
    """No token was given, or the answer to a sign-in cannot be trusted."""


class MissingField(ContractError):
    """A field that the contract requires is missing.

    ``then`` is ``stop`` (no output), ``degrade`` (an output without it, marked so) or ``ask`` (a person is asked).
    """

    def __init__(self, need: str, resource: str, path: str, then: str, says: str | None) -> None:
        super().__init__(f"{need}: {resource} has no {path}", says)
        self.need, self.resource, self.field, self.then = need, resource, path, then


class AccessDenied(ContractError):
    """The server refuses it, or says that it held something back. Never to be read as absence."""


class NotFound(ContractError):
    """The server has no resource of this id: it is mistyped, deleted, or of another organisation. The EHR is up."""


class UnknownPatient(NotFound):
    """The server has no patient of this id."""


class QuestionRefused(ContractError):
    """The server is up and does not take the question: a type or parameter that it does not have. Ours to mend."""


class Unavailable(ContractError):
    """The server cannot be reached, or answers with something that is no answer."""


class TooSlow(Unavailable):
    """The server did not answer in time; nothing was written."""


class Truncated(ContractError):
    """There is more than was read: a bound was reached, or a next page is at an origin that is not the server's."""


class UnknownModifier(ContractError):
    """A resource carries a modifier extension, which may turn its meaning round."""


class MergedPatient(ContractError):
    """The patient was merged into another, or is no longer in use."""


class WriteRefused(ContractError):
    """The server did not take it; nothing was written."""


class VersionConflict(WriteRefused):
    """Somebody else changed it since it was read; their version stays."""


class WriteUnknown(ContractError):
    """Whether it was written is not known: the answer never came. Read before you write again."""


class WithoutProvenance(ContractError):
    """A resource was written, and the Provenance that belongs to it was not; ``written`` is the resource."""

    def __init__(self, written: Resource, why: ContractError) -> None:
        where = f"{written.get('resourceType')}/{written.get('id')}"
        super().__init__(f"{where} was written without its Provenance: {why.happened}", why.contract_says)
        self.written = written


@dataclass(frozen=True)
class Found:
    """What a search found: complete resources, those that may be used without a field, and what was left out of them.

    :ivar resources: each has every field, or ``missing`` names it with ``degrade``.
    :ivar missing: each field that a resource lacks; those with ``stop`` and ``ask`` are not among the resources.
    :ivar refused: resources that were not used, because they carry a modifier that nobody here knows.
    :ivar notes: what the server said beside its answer.
    """

    resources: list[Resource] = field(default_factory=list)
    missing: list[MissingField] = field(default_factory=list)
    refused: list[UnknownModifier] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Token:
    """An access token, with the launch context that came with it."""

    value: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    expires: float = float("inf")
    patient: str | None = None
    encounter: str | None = None


@dataclass(frozen=True)
class Authorization:
    """A sign-in that was begun: keep it with the browser's session, send the browser to ``url``, then redeem."""

    url: str
    redirect_uri: str
    token_endpoint: str
    issuer: str | None
    issuer_is_told: bool
    state: str = field(repr=False)
    verifier: str = field(repr=False)


def read_lock(path: Path = LOCK) -> Resource:
    """The resolved contract.

    :raises NotSetUp: it is not there, or no JSON.
    """
    try:
        lock = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise NotSetUp(f"{path} cannot be read ({type(error).__name__}): export the contract again") from None
    if not isinstance(lock, dict) or not isinstance(lock.get("organizations"), list) or "contract" not in lock:
        raise NotSetUp(f"{path} is not the lock of a workflow contract: export the contract again")
    return lock


def step_of(step: str) -> str:
    """One step of a path without an index, the name of a slice or what a function is given."""
    return re.sub(r"\[\d*\]|:.*|\(.*\)", "", step)


def keys_of(need: Resource) -> list[str]:
    """What stands in braces in the condition of a create: whoever creates gives a value for each."""
    return re.findall(r"\{(\w+)\}", (need.get("writing") or {}).get("if_none_exist") or "")


def present(value: Any, path: str) -> bool:
    """Whether a resource has a value at a path: ``valueQuantity.value``, ``effective[x]``, ``effective``.

    Extensions alone are no value.
    """
    name, _, rest = path.partition(".")
    if isinstance(value, list):
        return any(present(item, path) for item in value)
    if not isinstance(value, dict):
        return False
    stem = step_of(name).removesuffix("[x]")
    found = [value[key] for key in (stem, *(f"{stem}{kind}" for kind in CHOICES)) if key in value]
    if rest:
        return any(present(item, rest) for item in found)
    return any(
        bool(set(item) - {"id", "extension"}) if isinstance(item, dict) else item not in (None, "", [])
        for item in found
    )


@dataclass
class Organization:
    """One organisation of the contract, and where it is reached.

    :ivar lock: what the lock says of it; ``contract`` is what holds everywhere.
    """

    id: str
    lock: Resource
    contract: Resource
    base: str
    http: httpx.Client

    @classmethod
    def named(
        cls, identity: str, base: str | None = None, lock: Resource | None = None, http: httpx.Client | None = None
    ) -> Organization:
        """An organisation of the lock.

        :param base: its FHIR base URL, where it is another than that of the lock.
        :raises NotSetUp: no such organisation, or no address that may be used.
        """
        whole = lock or read_lock()
        known = {str(one["id"]): cast(Resource, one) for one in whole["organizations"]}
        if identity not in known:
            raise NotSetUp(f"the contract has no organisation {identity!r}: it has {', '.join(known) or 'none'}")
        own = known[identity]
        base = base or own.get("fhir_base_url") or ""
        if not base.startswith(("http://", "https://")):
            raise NotSetUp(f"{identity} has no FHIR base URL that can be reached: give --base URL")
        base = _safe(base.rstrip("/"))
        made = http or httpx.Client(timeout=httpx.Timeout(REQUEST_SECONDS), follow_redirects=False)
        return cls(identity, own, whole["contract"], base, made)

    def setting(self, name: str) -> Any:
        """A setting of the contract's surface, as this organisation has it.

        :raises NotSetUp: the contract has no such setting, or nobody has said its value here.
        """
        settings = {one["name"]: one.get("value") for one in self.lock.get("settings") or []}
        if settings.get(name) is None:
            raise NotSetUp(f"{self.id} has no value of the setting {name}: it has {', '.join(settings) or 'none'}")
        return settings[name]

    def settings_of(self, need: Resource) -> dict[str, str]:
        """What stands in braces in the condition of a create and is a setting here, with its value."""
        settings = {one["name"]: one.get("value") for one in self.lock.get("settings") or []}
        return {key: str(settings[key]) for key in keys_of(need) if settings.get(key) is not None}

    def needs(self, direction: str) -> dict[str, Resource]:
        """The inputs (``input``) or outputs (``output``) that the contract has here, by name."""
        return {NEEDS[one["key"]]: one["need"] for one in self.lock.get("needs") or [] if one["direction"] == direction}

    def need(self, direction: str, name: str) -> Resource:
        """One of them.

        :raises NotSetUp: the contract does not have it here.
        """
        needs = self.needs(direction)
        if name not in needs:
            raise NotSetUp(
                f"the contract has no {direction} {name!r} at {self.id}: it has {', '.join(needs) or 'none'}"
            )
        return needs[name]

    def failure(self, name: str) -> str | None:
        """What the contract says of a failure, by its key there: ``access_denied``."""
        return cast("str | None", (self.contract.get("failures") or {}).get(name))

    def scopes(self, mode: str) -> str:
        """The scopes of a launch mode, as narrow as the server lists them and in the syntax that it takes."""
        server = self.lock.get("server") or {}
        syntax = server.get("scope_syntax") or (["v1"] if server.get("smart_absent") else ["v2"])
        own = [one for one in self.lock.get("clients") or [] if one["client"]["mode"] == mode]
        asked: dict[str, None] = {}
        for scope in (scope for client in own[:1] for scope in client.get("scopes") or []):
            wide = [scope["v2"]] if "v2" in syntax else [scope["v1"]]
            asked |= dict.fromkeys((scope.get("narrower") or wide) if "v2" in syntax else wide)
        return " ".join(asked)

    def modes(self) -> list[str]:
        """The launch modes in which a person signs in, as the contract's clients have them."""
        found = dict.fromkeys(one["client"]["mode"] for one in self.lock.get("clients") or [])
        return [mode for mode in found if mode != "backend"]

    def variable(self, what: str) -> str:
        """The name of the environment variable that holds a credential: ``client_id``, ``private_key`` …."""
        usual = re.sub(r"[^A-Z0-9]", "_", f"FHIR_{self.id}_{what}".upper())
        return str((self.lock.get("auth") or {}).get(f"{what}_env") or usual)

    def secret(self, *names: str) -> dict[str, str]:
        """The values of these credentials.

        :raises NotSetUp: a variable is not set; says every one that is to be set.
        """
        values = {name: os.environ.get(self.variable(name), "").strip() for name in names}
        if unset := [self.variable(name) for name in names if not values[name]]:
            raise NotSetUp(f"set {' and '.join(unset)} in the environment: the credentials of {self.id}")
        return values

    def send(self, method: str, url: str, *, writes: bool = False, **more: Any) -> httpx.Response:
        """One request, bounded in time and size; no redirect is followed.

        :raises Unavailable: no answer; a write whose answer never came is ``WriteUnknown``.
        """
        until, shown = time.monotonic() + SEARCH_SECONDS, url.partition("?")[0]
        try:
            with self.http.stream(method, url, **more) as answer:
                body = b""
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise Truncated(
                            f"{shown} answers with more than {MAX_BYTES:,} bytes", self.failure("truncated")
                        )
                    if time.monotonic() > until:
                        raise httpx.ReadTimeout("the answer trickles")
                headers = [(key, value) for key, value in answer.headers.items() if key != "content-encoding"]
                got = httpx.Response(answer.status_code, headers=headers, content=body, request=answer.request)
        except httpx.ConnectError:
            raise Unavailable(f"{shown} cannot be reached", self.failure("ehr_unavailable")) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            what = f"{shown} gave no whole answer ({type(error).__name__})"
            if writes:
                raise WriteUnknown(what, self.failure("write_unknown")) from None
            if isinstance(error, httpx.TimeoutException):
                raise TooSlow(what, self.failure("too_slow")) from None
            raise Unavailable(what, self.failure("ehr_unavailable")) from None
        if got.is_redirect:
            raise Unavailable(f"{shown} points elsewhere, which is not followed", self.failure("ehr_unavailable"))
        sent: dict[str, str] = more.get("headers") or {}
        if got.status_code == 406 and method == "GET" and sent.get("Accept") == FHIR_JSON:
            # Servers of earlier releases may know JSON by its general name only.
            return self.send(method, url, **{**more, "headers": {**sent, "Accept": "application/json"}})
        return got

    def document(self, url: str, accept: str = "application/json") -> Resource:
        """A JSON object.

        :raises Unavailable: the status is not 200, or it is none.
        """
        answer = self.send("GET", url, headers={"Accept": accept})
        body = _json(answer)
        if answer.status_code != 200 or body is None:
            raise Unavailable(f"{url} answers {answer.status_code}, no document", self.failure("ehr_unavailable"))
        return body

    def discover(self) -> Resource:
        """Where to sign in: the SMART configuration, or the addresses in the statement of an older server.

        Sources: SMART App Launch 2.2, conformance; SMART 1.0, extension ``oauth-uris``.
        """
        try:
            found = self.document(f"{self.base}/.well-known/smart-configuration")
        except Unavailable:
            statement = self.document(f"{self.base}/metadata", FHIR_JSON)
            found = {}
            for rest in _objects(statement.get("rest")):
                for outer in _objects(_object(rest.get("security")).get("extension")):
                    for one in _objects(outer.get("extension")):
                        found[f"{one.get('url')}_endpoint"] = one.get("valueUri")
            found["authorization_endpoint"] = found.get("authorize_endpoint")
        addresses = [name for name in found if name.endswith("_endpoint") or name == "issuer"]
        return found | {name: None for name in addresses if not isinstance(found[name], str)}

    def backend_token(self) -> Token:
        """A token by client credentials and a signed assertion (SMART App Launch 2.2, backend services).

        :raises NotSetUp: no key, or no scopes of this kind in the contract.
        :raises SignInRefused: the server gives none, in its words.
        """
        if not self.scopes("backend"):
            raise NotSetUp(f"the contract has no scopes for backend services at {self.id}")
        self.secret("client_id", "private_key")
        endpoint = self.discover().get("token_endpoint")
        if not endpoint:
            raise SignInRefused(f"{self.base} names no token endpoint")
        form = {"grant_type": "client_credentials", "scope": self.scopes("backend"), **self.assertion(endpoint)}
        return self._token(endpoint, form)

    def assertion(self, audience: str) -> dict[str, str]:
        """A client assertion, made anew each time: RS384 or ES384, four minutes, for one token endpoint."""
        given = self.secret("client_id", "private_key")
        key = _key(given["private_key"], self.variable("private_key"))
        identity = os.environ.get(self.variable("key_id"), "") or key.kid or key.thumbprint()
        algorithm = "RS384" if isinstance(key, RSAKey) else "ES384"
        claims: Resource = {"iss": given["client_id"], "sub": given["client_id"], "aud": audience}
        claims |= {"exp": int(time.time()) + 240, "jti": secrets.token_urlsafe(32)}
        header = {"alg": algorithm, "kid": identity, "typ": "JWT"}
        signed = jwt.encode(header, claims, key, algorithms=[algorithm])
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}

    def authorize(self, mode: str, redirect_uri: str, iss: str = "", launch: str = "") -> Authorization:
        """Begin a sign-in by authorization code, PKCE and state (SMART App Launch 2.2; RFC 7636; RFC 9700).

        :param mode: ``ehr``, with the ``iss`` and ``launch`` that the EHR sent, or ``standalone``.
        :raises SignInRefused: ``iss`` is not this organisation's base, or there is nowhere to sign in.
        """
        if mode == "ehr" and (iss.rstrip("/") != self.base or not launch):
            raise SignInRefused(f"a launch of {self.id} comes with launch and iss={self.base}, and this one does not")
        found = self.discover()
        if not found.get("authorization_endpoint") or not found.get("token_endpoint"):
            raise SignInRefused(f"{self.base} names no endpoints to sign in at")
        verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {"response_type": "code", "client_id": self.secret("client_id")["client_id"], "state": state}
        asked |= {"redirect_uri": redirect_uri, "scope": self.scopes(mode), "aud": self.base}
        asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        asked |= {"launch": launch} if mode == "ehr" else {}
        issuer = found.get("issuer")
        told = bool(found.get("authorization_response_iss_parameter_supported"))
        url = f"{_safe(found['authorization_endpoint'])}?{urlencode(asked, quote_via=quote)}"
        return Authorization(url, redirect_uri, found["token_endpoint"], issuer, told, state, verifier)

    def redeem(self, begun: Authorization, callback: str) -> Token:
        """The token for the address that the browser came back to, once: state and issuer are checked first.

        An ID token that comes along is not read, and nothing here rests on who it says has signed in.

        :raises SignInRefused: the server refused, or the answer belongs to another sign-in or another server.
        """
        query = dict(parse_qsl(urlsplit(callback).query))
        if not secrets.compare_digest(query.get("state", "").encode(), begun.state.encode()):
            raise SignInRefused("the answer has another state than the question: it belongs to another sign-in")
        if (begun.issuer_is_told or "iss" in query) and query.get("iss") != begun.issuer:
            raise SignInRefused("the answer comes from another issuer than the one that was asked (RFC 9207)")
        if "code" not in query:
            why = f"{query.get('error', 'no code')} {query.get('error_description', '')[:200]}".rstrip()
            raise SignInRefused(f"the server refused: {why}", self.failure("access_denied"))
        form = {"grant_type": "authorization_code", "code": query["code"], "code_verifier": begun.verifier}
        form |= {"redirect_uri": begun.redirect_uri}
        basic = None
        if os.environ.get(self.variable("private_key")):
            form |= self.assertion(begun.token_endpoint)
        elif os.environ.get(self.variable("client_secret")):
            given = self.secret("client_id", "client_secret")
            basic = httpx.BasicAuth(quote(given["client_id"], safe=""), quote(given["client_secret"], safe=""))
        else:
            form |= self.secret("client_id")
        return self._token(begun.token_endpoint, form, basic)

    def _token(self, endpoint: str, form: Mapping[str, str], auth: httpx.Auth | None = None) -> Token:
        answer = self.send("POST", _safe(endpoint), data=form, headers={"Accept": "application/json"}, auth=auth)
        body = _json(answer) or {}
        value = body.get("access_token")
        if answer.status_code != 200 or not isinstance(value, str):
            said = " ".join(str(body[key]) for key in ("error", "error_description") if key in body)
            raise SignInRefused(f"{endpoint} gives no token ({answer.status_code} {said[:200]})".rstrip())
        seconds = body.get("expires_in")
        expires = time.time() + (seconds if isinstance(seconds, int | float) else 300)
        scopes = tuple(str(body.get("scope", form.get("scope", ""))).split())
        patient, encounter = (body[key] if isinstance(body.get(key), str) else None for key in ("patient", "encounter"))
        return Token(value, scopes, expires, patient, encounter)


class Client:
    """Reads and writes at one organisation with one kind of token.

    :ivar agent: who stands in the Provenance of what is written: a reference, or a name to show.
    """

    def __init__(self, organization: Organization, token: Token | Callable[[], Token]) -> None:
        self.organization = organization
        self.agent: Resource = {"display": "The product of the workflow contract"}
        self._give: Callable[[], Token] = token if callable(token) else lambda: token
        self._token: Token | None = None

    @classmethod
    def backend(cls, identity: str, base: str | None = None) -> Client:
        """A client with a backend token, which is renewed in time. Of a launch: ``Client(org, org.redeem(…))``."""
        organization = Organization.named(identity, base)
        return cls(organization, organization.backend_token)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.organization.http.close()

    @property
    def token(self) -> Token:
        """The access token."""
        if self._token is None or self._token.expires - time.time() < RENEW_SECONDS:
            self._token = self._give()
        return self._token

    # getters: one method for each need of the contract, written by interlock
    # end of getters

    def search(self, name: str, parameters: Mapping[str, str | None]) -> Found:
        """Every resource of an input that matches, page by page, by the name of the input in the lock.

        :raises MissingField: nothing complete is left, because of a field whose absence stops the product or is asked.
        :raises UnknownModifier: nothing is left, because of modifiers that nobody here knows.
        :raises Truncated: there is more than the bounds of this file allow.
        """
        need = self.organization.need("input", name)
        found = Found()
        for resource in self.resources(name, parameters, found.notes):
            try:
                lacking = self.lacking(name, need, resource)
            except UnknownModifier as error:
                found.refused.append(error)
                continue
            found.missing.extend(lacking)
            if all(one.then == "degrade" for one in lacking):
                found.resources.append(resource)
        if not found.resources:
            for reason in (*(one for one in found.missing if one.then != "degrade"), *found.refused):
                raise reason
        return found

    def resources(self, name: str, parameters: Mapping[str, str | None], notes: list[str]) -> Iterator[Resource]:
        """Every match as the server has it, whatever it lacks; what is said beside it goes to ``notes``."""
        need = self.organization.need("input", name)
        asked = [tuple(fixed.split("=", 1)) for fixed in need.get("query") or []]
        asked += [("code", ",".join(need["code"]))] if name in BY_CODE and not parameters.get("code") else []
        asked += [(key, value) for key, value in parameters.items() if value is not None]
        url = f"{self.organization.base}/{need['resource']}?{urlencode(asked, quote_via=quote, safe=',|:/')}"
        return self._pages(url, need["resource"], notes)

    def read(self, name: str, logical_id: str) -> Resource:
        """One resource of an input by its id; :meth:`lacking` tells the fields without which an output is degraded.

        :raises MissingField: it lacks a field without which the product stops, or a person is asked.
        """
        need = self.organization.need("input", name)
        resource = self.resource(need["resource"], logical_id)
        for lacking in self.lacking(name, need, resource):
            if lacking.then != "degrade":
                raise lacking
        return resource

    def resource(self, kind: str, logical_id: str) -> Resource:
        """One resource of a type as the server has it.

        :raises AccessDenied: it is refused, or its type is not the contract's.
        :raises NotFound: there is none of this id; of a patient ``UnknownPatient``.
        """
        return self._get(f"{self.organization.base}/{kind}/{quote(logical_id, safe='')}", kind)

    def lacking(self, name: str, need: Resource, resource: Resource) -> list[MissingField]:
        """The required fields that a resource of a need lacks, each with what the contract then does.

        :raises UnknownModifier: what it says may mean its opposite.
        :raises MergedPatient: it is a patient's record that was replaced.
        """
        where = f"{resource.get('resourceType')}/{resource.get('id', 'new')}"
        if resource.get("modifierExtension"):
            raise UnknownModifier(f"{where} has a modifier extension", self.organization.failure("unknown_modifier"))
        links = [link.get("type") for link in _objects(resource.get("link"))]
        if resource.get("resourceType") == "Patient" and ("replaced-by" in links or resource.get("active") is False):
            raise MergedPatient(f"{where} is no longer in use", self.organization.failure("merged_patient"))
        decided = {one["field"]: one for one in need.get("missing") or []}
        fields = dict.fromkeys([*(need.get("required_fields") or []), *decided])
        usual = need.get("when_missing") or self.organization.failure("missing_field")
        return [
            MissingField(name, where, path, one.get("then", "stop"), one.get("says") or usual)
            for path in fields
            if not present(resource, path)
            for one in [decided.get(path, {})]
        ]

    def create(self, name: str, resource: Resource, keys: Mapping[str, str] | None = None) -> Resource:
        """A new resource of an output; where the contract says how, one that is there already is not made twice.

        :param keys: what stands in the contract's ``If-None-Exist`` in braces, but for settings of the organisation.
        :returns: as the server has it now.
        """
        need = self._writable(name, resource, "create")
        headers = {}
        if criteria := (need.get("writing") or {}).get("if_none_exist"):
            given = {**self.organization.settings_of(need), **(keys or {})}
            filled = {key: quote(value, safe="|:/") for key, value in given.items()}
            if unfilled := [key for key in keys_of(need) if key not in filled]:
                raise NotSetUp(f"creating {name} needs keys: {', '.join(unfilled)} (If-None-Exist: {criteria})")
            headers["If-None-Exist"] = re.sub(r"\{(\w+)\}", lambda found: filled[found[1]], criteria)
        return self._write("POST", need, f"{self.organization.base}/{need['resource']}", resource, headers)

    def update(self, name: str, resource: Resource) -> Resource:
        """The next version of a resource of an output, over the version that was read, where the contract says so.

        :raises VersionConflict: somebody else's version is newer.
        """
        need = self._writable(name, resource, "update")
        headers = {}
        if (need.get("writing") or {}).get("if_match"):
            version = _object(resource.get("meta")).get("versionId")
            if not version:
                raise NotSetUp(f"updating {name} needs meta.versionId of the version that it replaces: read it first")
            headers["If-Match"] = f'W/"{version}"'
        url = f"{self.organization.base}/{need['resource']}/{quote(str(resource.get('id', '')), safe='')}"
        return self._write("PUT", need, url, resource, headers)

    def _writable(self, name: str, resource: Resource, interaction: str) -> Resource:
        need = self.organization.need("output", name)
        if interaction not in (need.get("interactions") or []):
            raise NotSetUp(f"the contract has no {interaction} of {name}")
        for lacking in self.lacking(name, need, resource):
            if lacking.then != "degrade":
                raise lacking
        return need

    def _write(self, method: str, need: Resource, url: str, resource: Resource, headers: dict[str, str]) -> Resource:
        """Write, and a Provenance with it where the contract says so; what is there now, as far as the answer tells."""
        answer = self._put(method, url, resource, headers)
        place = answer.headers.get("location") or (url if method == "PUT" else "")
        where = re.search(r"/([A-Za-z0-9.-]{1,64})(?:/_history/([A-Za-z0-9.-]{1,64}))?$", place)
        written = _json(answer) or {}
        if written.get("resourceType") != resource["resourceType"]:
            if where is None:
                raise WriteUnknown(f"{url} does not say where it is", self.organization.failure("write_unknown"))
            version = where[2] or answer.headers.get("etag", "").removeprefix("W/").strip('"')
            written = {**resource, "id": where[1], "meta": {"versionId": version} if version else {}}
        if (need.get("writing") or {}).get("provenance") and answer.status_code in (200, 201):
            version = _object(written.get("meta")).get("versionId")
            target = f"{written['resourceType']}/{written['id']}" + (f"/_history/{version}" if version else "")
            modern = (self.organization.contract.get("fhir_release") or "R4") not in ("DSTU2", "STU3")
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            who = {"who" if modern else "whoReference": self.agent}
            origin = {
                "resourceType": "Provenance",
                "target": [{"reference": target}],
                "recorded": moment,
                "agent": [who],
            }
            try:
                self._put("POST", f"{self.organization.base}/Provenance", origin, {})
            except ContractError as error:
                raise WithoutProvenance(written, error) from None
        return written

    def _put(self, method: str, url: str, resource: Resource, headers: dict[str, str]) -> httpx.Response:
        headers = {**headers, **self._authorized(), "Content-Type": FHIR_JSON, "Prefer": "return=representation"}
        body = json.dumps(resource).encode()
        answer = self.organization.send(method, url, writes=True, content=body, headers=headers)
        if answer.status_code in (409, 412):
            raise VersionConflict(_refusal(url, answer), self.organization.failure("write_refused"))
        if answer.status_code >= 500:
            raise WriteUnknown(_refusal(url, answer), self.organization.failure("write_unknown"))
        if answer.status_code not in (200, 201):
            raise WriteRefused(_refusal(url, answer), self.organization.failure("write_refused"))
        return answer

    def _authorized(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token.value}"}

    def _get(self, url: str, by_id: str = "") -> Resource:
        answer = self.organization.send("GET", url, headers={**self._authorized(), "Accept": FHIR_JSON})
        if answer.status_code in (401, 403):
            raise AccessDenied(_refusal(url, answer), self.organization.failure("access_denied"))
        if by_id and answer.status_code in (404, 410):
            error = UnknownPatient if by_id == "Patient" else NotFound
            raise error(f"{self.organization.id} has no {by_id} of this id ({answer.status_code}): it may be mistyped")
        if 400 <= answer.status_code < 500 and answer.status_code not in LATER:
            raise QuestionRefused(_refusal(url, answer))
        body = _json(answer)
        if answer.status_code != 200 or body is None or "resourceType" not in body:
            raise Unavailable(_refusal(url, answer), self.organization.failure("ehr_unavailable"))
        return body

    def _pages(self, url: str, kind: str, notes: list[str]) -> Iterator[Resource]:
        until, count, home = time.monotonic() + SEARCH_SECONDS, 0, _origin(self.organization.base)
        truncated = self.organization.failure("truncated")
        for _ in range(MAX_PAGES):
            bundle = self._get(url)
            for entry in _objects(bundle.get("entry")):
                resource, mode = _object(entry.get("resource")), _object(entry.get("search")).get("mode", "match")
                if resource.get("resourceType") == "OperationOutcome":
                    notes.extend(self._said(resource))
                elif resource.get("resourceType") == kind and mode == "match":
                    count += 1
                    yield resource
            following = [link.get("url") for link in _objects(bundle.get("link")) if link.get("relation") == "next"]
            if not following:
                return
            url = _joined(url, str(following[0]))
            if _origin(url) != home:
                raise Truncated(f"the next page of {kind} is at {_origin(url) or 'no address'}, not {home}", truncated)
            if count > MAX_RESOURCES or time.monotonic() > until:
                break
        raise Truncated(f"there is more of {kind} than {count:,} resources", truncated)

    def _said(self, outcome: Resource) -> Iterator[str]:
        """What an outcome among the results says.

        :raises AccessDenied: something was held back.
        """
        for issue in _objects(outcome.get("issue")):
            words = str(issue.get("diagnostics") or _object(issue.get("details")).get("text") or issue.get("code"))[
                :200
            ]
            if issue.get("code") in WITHHELD:
                raise AccessDenied(f"something was held back: {words}", self.organization.failure("access_denied"))
            yield words


def _json(answer: httpx.Response) -> Resource | None:
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _refusal(url: str, answer: httpx.Response) -> str:
    """An answer in words: its status and what its outcome says; the query, which names patients, is left out."""
    body = _json(answer) or {}
    said = "; ".join(str(issue.get("diagnostics") or issue.get("code")) for issue in _objects(body.get("issue")))
    return f"{url.partition('?')[0]} answers {answer.status_code} {said[:300]}".rstrip()


def _origin(url: str) -> str:
    """Scheme, host and port; empty for what is no address."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return ""


def _objects(value: Any) -> list[Resource]:
    """The objects of a list, whatever a server sent in its place."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _object(value: Any) -> Resource:
    return value if isinstance(value, dict) else {}


def _safe(url: str) -> str:
    """An address that a token may be sent to.

    :raises NotSetUp: it is neither https nor on this computer.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or re.search(r"[\x00-\x20\x7f-\x9f]", url):
        raise NotSetUp(f"{url[:200]!r} is no address")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(host)):
        raise NotSetUp(f"{url[:200]} is not https, so nothing secret is sent there")
    return url


def _is_here(host: str) -> bool:
    """Whether a host is this computer."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _key(value: str, variable: str) -> RSAKey | ECKey:
    """A private key: a JWK, PEM, or the path of a file with one.

    :raises NotSetUp: it is none of them; nothing of the value is told.
    """
    try:
        text = value if value.startswith(("{", "-----BEGIN")) else Path(value).expanduser().read_text("ascii")
        made = import_key(json.loads(text)) if text.lstrip().startswith("{") else _pem(text.replace("\\n", "\n"))
        if isinstance(made, RSAKey | ECKey) and made.is_private:
            return made
    except Exception:  # noqa: S110  # whatever went wrong, its message may hold the key
        pass
    raise NotSetUp(f"{variable} holds no private key: a JWK, PEM, or the path of a file with one (RSA, or EC P-384)")


def _pem(text: str) -> RSAKey | ECKey:
    return RSAKey.import_key(text) if "RSA" in text.partition("\n")[0] else _either(text)


def _either(text: str) -> RSAKey | ECKey:
    try:
        return ECKey.import_key(text)
    except ValueError:
        return RSAKey.import_key(text)


def register(organization: Organization) -> dict[str, str]:
    """A new key pair, registered at a test system that takes registrations (RFC 7591): variables and their values.

    :raises SignInRefused: it takes none, or refuses this one.
    """
    endpoint = organization.discover().get("registration_endpoint")
    if not endpoint:
        raise SignInRefused(f"{organization.base} takes no registration by itself: ask {organization.id} for a client")
    key = ECKey.generate_key("P-384", {"use": "sig", "alg": "ES384"})
    private = {**key.as_dict(private=True), "kid": key.thumbprint()}
    public = {name: value for name, value in private.items() if name != "d"}
    asked = {"client_name": "workflow contract, test", "token_endpoint_auth_method": "private_key_jwt"}
    document = {**asked, "grant_types": ["client_credentials"], "jwks": {"keys": [public]}, "response_types": []}
    answer = organization.send("POST", _safe(str(endpoint)), json=document)
    identity = (_json(answer) or {}).get("client_id")
    if answer.status_code not in (200, 201) or not isinstance(identity, str):
        raise SignInRefused(f"{endpoint} registers nobody ({answer.status_code})")
    return {organization.variable("client_id"): identity, organization.variable("private_key"): json.dumps(private)}


class _Desk(socketserver.TCPServer):
    """Where a browser on this computer begins a sign-in and comes back to, and nobody else."""

    allow_reuse_address = os.name == "posix"

    def __init__(self, organization: Organization, mode: str, port: int) -> None:
        try:
            super().__init__(("127.0.0.1", port), _Page)
        except (OSError, OverflowError) as error:
            raise NotSetUp(f"nothing can listen at port {port} ({error}): give another with --port") from None
        self.organization, self.mode = organization, mode
        self.home = f"http://127.0.0.1:{self.server_address[1]}"
        self.begins_at = "/launch" if mode == "ehr" else "/"
        self.begun: Authorization | None = None
        self.callback = ""
        self.refused = ""

    def answer(self, host: str, target: str) -> tuple[int, str, str]:
        """Of one request: the status, words to show, and where the browser is sent.

        The host has to be this page's own address: another site's name may lead here too.
        """
        place, _, query = target.partition("?")
        asked = dict(parse_qsl(query))
        if host != self.home.removeprefix("http://") or place not in (self.begins_at, "/callback"):
            return 404, "Nothing is waited for here.", ""
        try:
            if place == self.begins_at:
                sent = asked.get("iss", ""), asked.get("launch", "")
                self.begun = self.organization.authorize(self.mode, f"{self.home}/callback", *sent)
                return 302, "", self.begun.url
            state = self.begun.state if self.begun else ""
            if not state or not secrets.compare_digest(asked.get("state", "").encode(), state.encode()):
                raise SignInRefused("the answer belongs to another sign-in")
        except ContractError as error:
            self.refused = str(error)
            return 400, f"{error}.", ""
        self.callback = self.home + target
        return 200, "The answer has arrived: go back to the terminal. This window can be closed.", ""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no error, and what it sent is not to be shown."""


class _Page(http.server.BaseHTTPRequestHandler):
    """One request to the desk."""

    server: _Desk
    timeout = 5.0

    def do_GET(self) -> None:
        """Answer it, and leave nothing behind: neither in a cache nor in the next page's Referer."""
        status, words, where = self.server.answer(self.headers.get("Host", ""), self.path)
        self.send_response(status)
        headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
        headers |= {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Connection": "close"}
        for name, value in (headers | ({"Location": where} if where else {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(words.encode())

    def log_message(self, *_: Any) -> None:
        """Nothing: the address that comes back holds a code."""


def sign_in(
    organization: Organization,
    mode: str,
    port: int = 0,
    seconds: float = SIGN_IN_SECONDS,
    tell: Callable[[str], None] = print,
) -> Token:
    """A token by a browser on this computer, which this program waits for at an address of its own (RFC 8252).

    State, PKCE and issuer are checked as in :meth:`Organization.authorize` and :meth:`Organization.redeem`; an answer
    of another sign-in is refused, and the right one is waited for, within the time and for a few requests.

    :param mode: ``ehr``: the EHR opens the launch address; ``standalone``: a person opens the one that is told.
    :param port: that of the redirect address that is registered; any free one for 0.
    :raises SignInRefused: nobody came back in time, or the server gives no token.
    """
    organization.secret("client_id")
    with _Desk(organization, mode, port) as desk:
        if mode == "ehr":
            tell(f"Open the product from the chart of a test patient: its launch address is {desk.home}/launch")
        else:
            tell(f"Open in a browser: {desk.home}/")
        tell(f"The redirect address is {desk.home}/callback; the sign-in ends in {seconds:g} seconds")
        until = time.monotonic() + seconds
        for _ in range(MAX_VISITS):
            desk.timeout = until - time.monotonic()
            if desk.timeout <= 0:
                break
            desk.handle_request()
            if desk.begun and desk.callback:
                return organization.redeem(desk.begun, desk.callback)
    last = f"; refused last: {desk.refused}" if desk.refused else ""
    raise SignInRefused(f"no answer to the sign-in at {organization.id} came{last}")


def main(arguments: list[str] | None = None) -> int:
    """The commands: ``needs``, ``get``, ``register`` and ``sign-in``."""
    parser = argparse.ArgumentParser(description="Read what the workflow contract reads.")
    parser.add_argument("command", choices=("needs", "get", "register", "sign-in"))
    parser.add_argument("organization")
    parser.add_argument("need", nargs="?", help="of get and sign-in: a need's name, as needs lists them")
    parser.add_argument("--patient", help="of get: the patient's id")
    parser.add_argument("--mode", choices=("ehr", "standalone"), help="of sign-in: the launch mode, if there are two")
    parser.add_argument("--port", type=int, default=8400, help="of sign-in: that of the registered redirect address")
    parser.add_argument("--base", help="the FHIR base URL, where it is another than the contract's")
    given = parser.parse_args(arguments)
    try:
        nowhere = "https://offline.invalid" if given.command == "needs" else None
        organization = Organization.named(given.organization, given.base or nowhere)
        with organization.http:
            for line in _answers(organization, given):
                print(line)  # noqa: T201
    except ContractError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _known(client: Client, patient: str) -> None:
    """Tell a patient without such records from one whom the server does not have.

    :raises UnknownPatient: it has none of this id, or the contract has no read of patients that could tell.
    """
    if not any(need["resource"] == "Patient" for need in client.organization.needs("input").values()):
        raise UnknownPatient(
            "nothing was found, and the contract reads no Patient that could tell whether there is one"
        )
    client.resource("Patient", patient)


def _answers(organization: Organization, given: argparse.Namespace) -> Iterator[str]:
    """What a command prints."""
    if given.command == "needs":
        for name, need in organization.needs("input").items():
            yield f"{name}\t{need['resource']}\t{need.get('purpose') or ''}"
    elif given.command == "register":
        for name, value in register(organization).items():
            yield f"export {name}={shlex.quote(value)}"
    elif given.command == "sign-in":
        mode = given.mode or next(iter(organization.modes()), "standalone")
        token = sign_in(organization, mode, given.port, tell=_tell)
        _tell(f"Signed in. Granted: {' '.join(token.scopes)}")
        client = Client(organization, token)
        patient = given.patient or token.patient
        yield from _records(client, given.need or _first(client, mode), patient)
    else:
        yield from _records(Client(organization, organization.backend_token), given.need or "", given.patient)


def _tell(words: str) -> None:
    print(words, file=sys.stderr)  # noqa: T201


def _first(client: Client, mode: str) -> str:
    """The first input that a launch of this mode can read.

    :raises NotSetUp: there is none.
    """
    for name, need in client.organization.needs("input").items():
        known = client.token.encounter if need["resource"] == "Encounter" else client.token.patient
        if mode in (need.get("modes") or [mode]) and ("search" in (need.get("interactions") or []) or known):
            return name
    raise NotSetUp(f"the contract has no input that a launch of the mode {mode} reads: give a need")


def _records(client: Client, name: str, patient: str | None) -> Iterator[str]:
    """The records of a need, as JSON: of a patient, or the visit that the launch is about."""
    need = client.organization.need("input", name)
    searched, parameters = "search" in (need.get("interactions") or []), need.get("search_parameters") or []
    whose = next((one for one in ("patient", "subject") if one in parameters), None)
    visit = client.token.encounter if need["resource"] == "Encounter" and not searched else None
    if not patient and not visit and (whose or not searched):
        raise NotSetUp(f"whose {name} is to be read is not said: give --patient ID")
    if searched:
        found = client.search(name, {whose or "patient": patient})
        if patient and not found.resources:
            _known(client, patient)
    else:
        resource = client.read(name, visit or patient or "")
        found = Found([resource], client.lacking(name, need, resource))
    yield json.dumps(found.resources, indent=2)
    _tell(f"{len(found.resources)} complete, {len(found.missing)} fields missing")


if __name__ == "__main__":
    sys.exit(main())
