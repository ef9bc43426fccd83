"""The ASGI application: every simulated organisation under its own path, ``/<id>/fhir``.

``/<id>+<fault>[+<fault>]/fhir`` serves the same organisation with faults, without a restart and beside others.
"""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from interlock.fhir import capability
from interlock.sandbox import (
    authorization,
    bodies,
    discovery,
    notifications,
    resources,
    substitutes,
    token_endpoint,
    wire,
)
from interlock.sandbox.bearer import bearer_token
from interlock.sandbox.exchange import (
    DISCOVERY,
    EXCHANGE,
    MAX_BODY_BYTES,
    MAX_RESOURCE_BYTES,
    Exchange,
    Role,
    State,
    Trace,
    bounded_body,
    paths_of,
)
from interlock.sandbox.faults import FAULTS, MAX_FAULTS, Stage, names_at
from interlock.sandbox.grants import Grant
from interlock.sandbox.launches import open_application
from interlock.sandbox.oauth import OAuthError
from interlock.sandbox.organizations import SimulatedOrganization
from interlock.sandbox.registration import register
from interlock.sandbox.replies import not_found, outcome, page, plain_json

_HOST = re.compile(r"^[A-Za-z0-9.\-]{1,253}(:\d{1,5})?$|^\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?$")

#: What a browser may send: the first three anywhere, the others to the FHIR API.
_REQUEST_HEADERS = "authorization, content-type, accept, prefer, if-match, if-none-match, if-none-exist, x-provenance"

#: Address and port → the id of the organisation that alone answers there.
Homes = Mapping[tuple[str, int], str]
Handler = Callable[[Exchange], Response | Awaitable[Response]]

_HANDLERS: dict[Role, Handler] = {
    "metadata": discovery.statement,
    "smart": discovery.smart,
    "openid": discovery.openid,
    "jwks": discovery.jwks,
    "style": discovery.style,
    "authorize": authorization.authorize,
    "token": token_endpoint.token,
    "introspect": token_endpoint.introspect,
    "revoke": token_endpoint.revoke,
    "manage": authorization.manage,
    "register": register,
    "launch": open_application,
    "resource": resources.answer,
    "unknown": lambda _: outcome(404, "not-found", "nothing is at this address"),
}
#: Roles that answer GET and HEAD only; the others look at the method themselves.
_READ_ONLY: frozenset[Role] = frozenset({"metadata", "smart", "openid", "jwks", "style", "manage", "launch"})
#: Roles that browsers of registered applications ask.
_APPLICATION: frozenset[Role] = frozenset({"token", "introspect", "revoke", "register", "resource"})


class OrganizationEndpoint:
    """Everything under ``/<id>[+<fault>…]/fhir`` as one ASGI application."""

    def __init__(self, organizations: Sequence[SimulatedOrganization], state: State, homes: Homes) -> None:
        self._homes = homes
        self._organizations = {entry.id: entry for entry in organizations if entry.listen}
        self._paths = {entry.id: paths_of(entry) for entry in self._organizations.values()}
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive, send)
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        identity, *asked = str(request.path_params["tenant"]).split("+")
        organization = self._organizations.get(identity)
        if organization is None or self._homes.get(request.scope.get("server") or ("", 0), identity) != identity:
            return not_found("no simulated organisation has this name here")
        unknown = [name for name in asked if name not in FAULTS]
        if unknown or len(asked) > MAX_FAULTS:
            return not_found(f"no such fault, or too many; known: {', '.join(sorted(FAULTS))}")
        path = str(request.path_params.get("path", ""))
        grant, own = self._granted(identity, request)
        faults = tuple(dict.fromkeys([*organization.faults, *asked, *own]))
        below = "/r4" if "base-deeper" in faults and path.startswith("r4/") else ""
        path = path.removeprefix("r4/") if below else path
        role = self._role(identity, path, request.method)
        exchange = Exchange(
            request=request,
            organization=organization,
            faults=faults,
            root=f"{_origin(request)}/{'+'.join([identity, *asked])}",
            path=path,
            role=role,
            state=self._state,
            body=await bounded_body(request, MAX_RESOURCE_BYTES if role == "resource" else MAX_BODY_BYTES),
            deeper=below,
            trace=Trace(grant),
        )
        request.scope[EXCHANGE] = exchange
        response = await _answer(exchange)
        if role == "resource" and self._state.hospital(organization).store.changes:
            hospital = self._state.hospital(organization)
            response.background = BackgroundTask(
                notifications.deliver, hospital, notifications.due(hospital, exchange.base)
            )
        return response

    def _granted(self, identity: str, request: Request) -> tuple[Grant | None, tuple[str, ...]]:
        """The grant of the request's access token, and the faults of that grant and of its client."""
        token = bearer_token(request.headers)
        grant = self._state.ledger.token(identity, token) if token else None
        if grant is None:
            return None, ()
        client = self._state.clients.get(identity, grant.client)
        return grant, (*(client.faults if client else ()), *grant.faults)

    def _role(self, identity: str, path: str, method: str) -> Role:
        known = self._paths[identity].get(path)
        if known is not None:
            return known
        # The base itself takes Bundles, and has nothing to read.
        is_api = path == "" and method == "POST"
        return "resource" if is_api or resources.FIRST_SEGMENT.fullmatch(path.partition("/")[0]) else "unknown"


def create_app(organizations: Sequence[SimulatedOrganization], state: State, homes: Homes | None = None) -> Starlette:
    """The application; ``state`` is what it remembers, ``homes`` are the addresses of one organisation alone."""

    def index(request: Request) -> Response:
        return _index(request, organizations)

    def smart_at_root(_: Request) -> Response:
        if state.at_root is None:
            return not_found("nothing is at this address")
        return plain_json(state.at_root)

    endpoint = OrganizationEndpoint(organizations, state, homes or {})
    app = Starlette(
        routes=[
            Route("/", index),
            Route("/.well-known/smart-configuration", smart_at_root),
            Route("/{tenant}/fhir", endpoint),
            Route("/{tenant}/fhir/{path:path}", endpoint),
        ],
        exception_handlers={HTTPException: _refuse},
    )
    app.router.redirect_slashes = False
    return app


async def _answer(exchange: Exchange) -> Response:
    """The stages of an answer, in order: wait, replace, answer, rewrite, deliver."""
    waits = names_at(Stage.WAIT, exchange.faults)
    if "slow" in waits or ("smart-slow-404" in waits and exchange.role == "smart"):
        await exchange.pause(exchange.state.timing.slow)
    director = exchange.state.director
    await exchange.pause(director.late(exchange))
    response = director.instead(exchange) or _substituted(exchange) or await _handled(exchange)
    response = director.altered(exchange, response)
    _allow(exchange, response)
    for name in names_at(Stage.BODY, exchange.faults):
        response = bodies.REWRITES[name](exchange, response)
    for name in names_at(Stage.WIRE, exchange.faults)[:1]:
        response = wire.WireResponse(exchange, response, wire.DELIVERIES[name])
    return response


def _substituted(exchange: Exchange) -> Response | None:
    if exchange.role == "smart" and "smart-slow-404" in exchange.faults:
        return outcome(404, "not-found", "not found")
    for name in names_at(Stage.REPLY, exchange.faults):
        response = substitutes.SUBSTITUTES[name](exchange)
        if response is not None:
            return response
    return None


async def _handled(exchange: Exchange) -> Response:
    method = exchange.request.method
    if method == "OPTIONS":
        return _preflight(exchange)
    if exchange.role in _READ_ONLY and method not in ("GET", "HEAD"):
        return outcome(405, "not-supported", "this address is read with GET", {"Allow": "GET, HEAD, OPTIONS"})
    try:
        response = _HANDLERS[exchange.role](exchange)
        return response if isinstance(response, Response) else await response
    except OAuthError as refusal:
        exchange.note(f"the {exchange.role} endpoint refused with {refusal.error}: {refusal.description}")
        return refusal.response()


def _allow(exchange: Exchange, response: Response) -> None:
    """Add the headers that the request's origin is due: discovery any, the rest registered ones, authorisation none.

    Sources: SMART App Launch 2.2, App Launch, section on CORS; RFC 9700 section 2.6.
    """
    origin = exchange.request.headers.get("origin")
    if origin is None:
        return
    if exchange.role in DISCOVERY and exchange.organization.cors:
        response.headers["Access-Control-Allow-Origin"] = "*"
    elif exchange.role == "token" and "no-token-cors" in exchange.faults:
        return
    elif exchange.role in _APPLICATION and _registered(exchange, origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Content-Location, ETag, Location, Retry-After"
        response.headers.add_vary_header("Origin")


def _registered(exchange: Exchange, origin: str) -> bool:
    """Whether this origin may ask: registered itself, or that of a public client where the statement declares CORS."""
    if origin in exchange.organization.registered_origins:
        return True
    known = origin in exchange.state.clients.origins(exchange.organization.id)
    return known and capability.parse(exchange.organization.metadata).security.cors is True


def _preflight(exchange: Exchange) -> Response:
    """Answer OPTIONS; :func:`_allow` adds the origin, without which a browser ignores the rest."""
    methods = "GET, HEAD" if exchange.role in DISCOVERY else "GET, HEAD, POST"
    methods += ", PUT, PATCH, DELETE" if exchange.role == "resource" else ""
    headers = {"Allow": f"{methods}, OPTIONS"}
    if exchange.request.headers.get("access-control-request-method") and exchange.role in DISCOVERY | _APPLICATION:
        headers |= {
            "Access-Control-Allow-Methods": methods,
            "Access-Control-Allow-Headers": _REQUEST_HEADERS,
            "Access-Control-Max-Age": "600",
        }
    return Response(status_code=204, headers=headers)


def _origin(request: Request) -> str:
    """Scheme and host as the client sees them; a host header that is none is replaced by the socket's address."""
    host = request.headers.get("host", "")
    if not _HOST.match(host):
        name, port = request.scope.get("server") or ("127.0.0.1", None)
        host = f"{name}:{port}" if port else str(name)
    return f"{request.url.scheme}://{host}"


def _index(request: Request, organizations: Sequence[SimulatedOrganization]) -> Response:
    origin = _origin(request)
    rows = "".join(_row(origin, organization) for organization in organizations)
    faults = "".join(
        f"<tr><td><code>{name}</code></td><td>{html.escape(fault.description)}</td></tr>"
        for name, fault in FAULTS.items()
    )
    body = (
        "<p>Every organisation, person and document here is invented. Nothing leaves this computer.</p>"
        "<table><thead><tr><th>Organisation</th><th>FHIR</th><th>Base URL</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        "<h2>Faults</h2><p>Put any of these into a base URL: <code>/riverside+slow+bom/fhir</code></p>"
        f"<table><tbody>{faults}</tbody></table>"
    )
    return page("Interlock sandbox", body)


def _row(origin: str, organization: SimulatedOrganization) -> str:
    base = f"{origin}/{organization.id}/fhir"
    link = html.escape(f"{base}/metadata", quote=True)
    where = f'<a href="{link}"><code>{html.escape(base)}</code></a>' if organization.listen else "refuses connections"
    about = f"<strong>{html.escape(organization.name)}</strong><br>{html.escape(organization.description)}"
    return f"<tr><td>{about}</td><td>{organization.release}</td><td>{where}</td></tr>"


def _refuse(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return not_found("nothing is at this address")
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return plain_json({"error": "invalid_request", "error_description": "this cannot be done here"}, status, headers)
