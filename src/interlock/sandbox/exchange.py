"""One request to one simulated organisation, with everything that answering it needs."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from starlette.requests import Request

from interlock.fhir import capability
from interlock.sandbox.organizations import Document, SimulatedOrganization

_MAX_TOKENS = 1_000
_MAX_ASSERTIONS = 10_000


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token's organisation and scopes. ``expires`` is a Unix time in seconds."""

    organization: str
    scopes: tuple[str, ...]
    expires: float


class Tokens:
    """The opaque bearer tokens of one running sandbox, thread-safe and bounded.

    A token of one organisation opens nothing at another.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._grants: dict[str, Grant] = {}
        self._assertions: dict[tuple[str, str], float] = {}

    def issue(self, organization: str, scopes: tuple[str, ...], seconds: float) -> str:
        """A new opaque token; beyond 1,000 live ones the oldest is forgotten."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._grants[token] = Grant(organization, scopes, time.time() + seconds)
            if len(self._grants) > _MAX_TOKENS:
                del self._grants[next(iter(self._grants))]
        return token

    def grant(self, organization: str, token: str) -> Grant | None:
        """The grant behind a token at this organisation; none when it is unknown, expired, revoked or another's."""
        with self._lock:
            known = self._grants.get(token)
            if known is None or known.organization != organization:
                return None
            if known.expires <= time.time():
                del self._grants[token]
                return None
            return known

    def revoke(self, organization: str, token: str) -> None:
        """Forget a token of this organisation; an unknown one is no error (RFC 7009 section 2.2)."""
        with self._lock:
            grant = self._grants.get(token)
            if grant is not None and grant.organization == organization:
                del self._grants[token]

    def first_use(self, organization: str, assertion_id: str, expires: float) -> bool:
        """Whether this ``jti`` is new at the organisation. A replay within its lifetime is not (SMART 2.2, ASYM)."""
        now = time.time()
        with self._lock:
            for key in [key for key, until in self._assertions.items() if until <= now]:
                del self._assertions[key]
            if (organization, assertion_id) in self._assertions or len(self._assertions) >= _MAX_ASSERTIONS:
                return False
            self._assertions[organization, assertion_id] = expires
            return True


#: What a path below the base stands for. ``resource`` is the FHIR API itself, ``unknown`` everything else.
Role = Literal[
    "metadata", "smart", "openid", "jwks", "authorize", "token", "introspect", "revoke", "manage", "resource", "unknown"
]

#: Discovery documents: public, cacheable, open to other origins where the organisation allows it.
DISCOVERY: frozenset[Role] = frozenset({"metadata", "smart", "openid", "jwks"})
#: Roles that answer with FHIR resources.
FHIR_CONTENT: frozenset[Role] = frozenset({"metadata", "resource", "unknown"})

MAX_BODY_BYTES = 65_536
_MAX_COUNTED = 1_000

#: Where a SMART or OpenID document has the address of each of these; ``oauth-uris`` calls them as we do.
_FIELDS: dict[Role, str] = {
    "authorize": "authorization_endpoint",
    "token": "token_endpoint",
    "introspect": "introspection_endpoint",
    "revoke": "revocation_endpoint",
    "manage": "management_endpoint",
}


@dataclass(frozen=True, slots=True)
class Timing:
    """How long slow things take, in seconds: ``slow`` before an answer, ``hang`` until one gives up."""

    slow: float = 3.0
    hang: float = 60.0


@dataclass(slots=True)
class State:
    """What a running sandbox remembers: tokens, and how often an address was asked for (bounded).

    :ivar at_root: the SMART document of a tenant that has it at the host's root only, once somebody asked there.
    """

    timing: Timing = Timing()
    tokens: Tokens = field(default_factory=Tokens)
    at_root: Document | None = None
    _counts: dict[str, int] = field(default_factory=dict)

    def times_before(self, key: str) -> int:
        """How often this was asked before, 0 for the first time."""
        before = self._counts.pop(key, 0)
        self._counts[key] = before + 1
        if len(self._counts) > _MAX_COUNTED:
            del self._counts[next(iter(self._counts))]
        return before


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its surroundings.

    :ivar faults: names of the faults in force, in order.
    :ivar root: address of the organisation's path, ``http://127.0.0.1:8000/riverside+slow``.
    :ivar path: the request's path below the FHIR base, without a leading slash.
    :ivar deeper: the path segment between the base and the request's path; empty but for a base that is deeper.
    :ivar body: the request's body, at most :data:`MAX_BODY_BYTES` and one more.
    """

    request: Request
    organization: SimulatedOrganization
    faults: tuple[str, ...]
    root: str
    path: str
    role: Role
    state: State
    body: bytes
    deeper: str = ""

    @property
    def base(self) -> str:
        """The FHIR base URL as this client sees it, without a trailing slash."""
        return f"{self.root}/fhir{self.deeper}"

    @property
    def address(self) -> str:
        """The request's own address without query."""
        return f"{self.base}/{self.path}"

    def fill(self, document: Document) -> Document:
        """A copy of a document with ``{base}`` replaced by :attr:`base` in every string."""
        filled: Document = _fill(document, self.base)
        return filled

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than the client stays connected."""
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(disconnected(self.request), seconds)
        except TimeoutError:
            return


async def disconnected(request: Request) -> None:
    """Return once the client has gone. The request's body must have been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def bounded_body(request: Request) -> bytes:
    """The request's body, cut after :data:`MAX_BODY_BYTES` and one more byte; the rest is read and dropped."""
    body = bytearray()
    async for chunk in request.stream():
        if len(body) <= MAX_BODY_BYTES:
            body += chunk[: MAX_BODY_BYTES + 1 - len(body)]
    return bytes(body)


def other_host(root: str) -> str:
    """The same address under the other name of this machine: ``localhost`` for ``127.0.0.1`` and the reverse."""
    parts = urlsplit(root)
    name = "127.0.0.1" if parts.hostname == "localhost" else "localhost"
    netloc = f"{name}:{parts.port}" if parts.port else name
    return parts._replace(netloc=netloc).geturl()


def paths_of(organization: SimulatedOrganization) -> Mapping[str, Role]:
    """Which path below the base plays which role, as the organisation's own documents say.

    An endpoint whose address is not under ``{base}`` has no path here: following it leaves the simulation.
    """
    paths: dict[str, Role] = {}
    smart, openid = organization.smart or {}, organization.openid or {}
    for document in (openid, smart):
        issuer = document.get("issuer")
        if isinstance(issuer, str):
            _add(paths, issuer.removesuffix("/") + "/.well-known/openid-configuration", "openid")
        _add(paths, document.get("jwks_uri"), "jwks")
        for role, name in _FIELDS.items():
            _add(paths, document.get(name), role)
    declared = capability.parse(organization.metadata).security.oauth_uris
    for role in _FIELDS:
        _add(paths, getattr(declared, role), role)
    paths["metadata"] = "metadata"
    paths[".well-known/smart-configuration"] = "smart"
    return paths


def _add(paths: dict[str, Role], address: Any, role: Role) -> None:
    if isinstance(address, str) and address.startswith("{base}/"):
        paths[address.removeprefix("{base}/").split("?")[0]] = role


def _fill(value: Any, base: str) -> Any:
    if isinstance(value, dict):
        return {key: _fill(child, base) for key, child in value.items()}
    if isinstance(value, list):
        return [_fill(child, base) for child in value]
    return value.replace("{base}", base) if isinstance(value, str) else value
