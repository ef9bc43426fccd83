"""One request to one simulated organisation, with everything that answering it needs."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from interlock.fhir import capability
from interlock.sandbox.client_keys import ClientKeys
from interlock.sandbox.clients import Clients
from interlock.sandbox.grants import Grant
from interlock.sandbox.hospital import Hospital
from interlock.sandbox.ledger import Ledger
from interlock.sandbox.organizations import Document, SimulatedOrganization
from interlock.sandbox.signing import SigningKeys
from interlock.sandbox.store import fill

#: Where the ASGI scope of a request has its :class:`Exchange`, once there is one.
EXCHANGE = "interlock.exchange"
#: Where it has the request's number on the tape.
NUMBER = "interlock.number"

_MAX_LINES = 2_000
_MAX_WORDS = 500


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the sandbox's log: when (Unix time), at which organisation, and what happened, in words."""

    at: float
    organization: str
    words: str


class Log:
    """What a person who watches the sandbox wants to know, the newest 2,000 lines. No secret is ever in it."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque(maxlen=_MAX_LINES)
        self.listeners: list[Callable[[LogLine], None]] = []

    @property
    def lines(self) -> tuple[LogLine, ...]:
        """The lines, oldest first."""
        return tuple(self._lines)

    def add(self, line: LogLine) -> None:
        """Keep a line and tell everybody who listens."""
        self._lines.append(line)
        for listen in self.listeners:
            listen(line)


#: What a path below the base stands for. ``resource`` is the FHIR API itself, ``unknown`` everything else.
Role = Literal[
    "metadata",
    "smart",
    "openid",
    "jwks",
    "style",
    "authorize",
    "token",
    "introspect",
    "revoke",
    "manage",
    "register",
    "launch",
    "resource",
    "unknown",
]

#: Where an organisation that claims ``context-style`` has its style sheet (``smart_style_url``), below the base.
STYLE_PATH = "smart-style.json"
#: Where a person opens a registered application from the EHR, below the base.
LAUNCH_PATH = "ehr/launch"
#: Discovery documents: public, cacheable, open to other origins where the organisation allows it.
DISCOVERY: frozenset[Role] = frozenset({"metadata", "smart", "openid", "jwks", "style"})
#: Roles that answer with FHIR resources.
FHIR_CONTENT: frozenset[Role] = frozenset({"metadata", "resource", "unknown"})

MAX_BODY_BYTES = 65_536
#: A resource, or a Bundle of them, may be larger than a form.
MAX_RESOURCE_BYTES = 1_048_576
_MAX_COUNTED = 1_000

#: Where a SMART or OpenID document has the address of each of these; ``oauth-uris`` calls them as we do.
_FIELDS: dict[Role, str] = {
    "authorize": "authorization_endpoint",
    "token": "token_endpoint",
    "introspect": "introspection_endpoint",
    "revoke": "revocation_endpoint",
    "manage": "management_endpoint",
    "register": "registration_endpoint",
}


@dataclass(frozen=True, slots=True)
class Timing:
    """How long slow things take, in seconds: ``slow`` before an answer, ``hang`` until one gives up."""

    slow: float = 3.0
    hang: float = 60.0


@dataclass(slots=True)
class Trace:
    """What becomes known of a request while it is answered: the grant that it uses or is given, the log's words."""

    grant: Grant | None = None
    words: list[str] = field(default_factory=list)


class Director:
    """Somebody who lets hospitals behave otherwise than their documents say; this one lets them be."""

    def late(self, exchange: Exchange) -> float:
        """Seconds that the answer takes longer."""
        return 0.0

    def instead(self, exchange: Exchange) -> Response | None:
        """An answer in the place of the hospital's, or none."""

    def altered(self, exchange: Exchange, response: Response) -> Response:
        """The answer to give: the hospital's own, or one that was made of it."""
        return response


@dataclass(slots=True)
class State:
    """What a running sandbox remembers: who is registered, what was issued, and how often an address was asked for.

    :ivar hospitals: what each organisation keeps, by its id.
    :ivar at_root: the SMART document of a tenant that has it at the host's root only, once somebody asked there.
    :ivar director: who decides otherwise, while a rehearsal plays a hostile hospital.
    """

    timing: Timing = Timing()
    ledger: Ledger = field(default_factory=Ledger)
    clients: Clients = field(default_factory=Clients)
    client_keys: ClientKeys = field(default_factory=ClientKeys)
    keys: SigningKeys = field(default_factory=SigningKeys)
    log: Log = field(default_factory=Log)
    hospitals: dict[str, Hospital] = field(default_factory=dict)
    at_root: Document | None = None
    director: Director = field(default_factory=Director)
    _counts: dict[str, int] = field(default_factory=dict)

    def hospital(self, organization: SimulatedOrganization) -> Hospital:
        """What an organisation keeps, whatever faults its address has."""
        if organization.id not in self.hospitals:
            self.hospitals[organization.id] = Hospital(organization)
        return self.hospitals[organization.id]

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
    :ivar body: the request's body, at most one byte more than its role allows.
    :ivar trace: its grant is at first that of the request's bearer token, expired or not.
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
    trace: Trace = field(default_factory=Trace)

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
        filled: Document = fill(document, self.base)
        return filled

    def note(self, words: str) -> None:
        """Say in the sandbox's log what happened to this request; never anything that is secret."""
        clean = "".join(letter if letter.isprintable() else "?" for letter in words[:_MAX_WORDS])
        self.trace.words.append(clean)
        self.state.log.add(LogLine(self.state.ledger.clock(), self.organization.id, clean))

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


async def bounded_body(request: Request, limit: int) -> bytes:
    """The request's body, cut after ``limit`` and one more byte; the rest is read and dropped."""
    body = bytearray()
    async for chunk in request.stream():
        if len(body) <= limit:
            body += chunk[: limit + 1 - len(body)]
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
        _add(paths, getattr(declared, "register_" if role == "register" else role), role)
    if "context-style" in smart.get("capabilities", ()):
        paths[STYLE_PATH] = "style"
    if "launch-ehr" in smart.get("capabilities", ()):
        paths[LAUNCH_PATH] = "launch"
    paths["metadata"] = "metadata"
    paths[".well-known/smart-configuration"] = "smart"
    return paths


def _add(paths: dict[str, Role], address: Any, role: Role) -> None:
    if isinstance(address, str) and address.startswith("{base}/"):
        paths[address.removeprefix("{base}/").split("?")[0]] = role
