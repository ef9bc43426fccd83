"""Faults that answer in the place of the organisation: errors, pages, redirects."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.responses import Response

from interlock.sandbox.exchange import DISCOVERY, FHIR_CONTENT, Exchange, other_host
from interlock.sandbox.replies import fhir_json, outcome, page

#: Gives the answer to send instead, or none to let the organisation answer.
Substitute = Callable[[Exchange], Response | None]

LOGIN_FORM = (
    '<p>Sign in to continue.</p><form method="post" action="login"><label>User name <input name="user"></label> '
    '<label>Password <input name="password" type="password"></label> <button>Sign in</button></form>'
)
_SHELL = (
    b'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Portal</title>'
    b'<script type="module" src="assets/index.js"></script></head><body><div id="root"></div></body></html>'
)


def _unauthorized(exchange: Exchange) -> Response:
    challenge = {"WWW-Authenticate": f'Bearer realm="{exchange.organization.id}"'}
    return outcome(401, "login", "a token is needed, even for discovery", challenge)


def _unavailable_once(exchange: Exchange) -> Response | None:
    who = exchange.trace.grant.sign_in if exchange.trace.grant else ""
    if exchange.state.times_before(f"503-once {who} {exchange.request.method} {exchange.address}") > 0:
        return None
    return outcome(503, "transient", "the back end is starting; try again", {"Retry-After": "1"})


def _outcome_under_200(exchange: Exchange) -> Response | None:
    if exchange.role != "smart" and exchange.role not in FHIR_CONTENT:
        return None
    return outcome(200, "processing", "the request was refused by the integration layer")


def _fhir_json_not_acceptable(exchange: Exchange) -> Response | None:
    asked = exchange.request.headers.get("accept", "").lower()
    if exchange.role not in FHIR_CONTENT or exchange.request.query_params.get("_format"):
        return None
    return outcome(406, "not-supported", "unknown media type") if "application/fhir+json" in asked else None


def _accept_refused(mark: str, diagnostics: str, exchange: Exchange) -> Response | None:
    return outcome(400, "invalid", diagnostics) if mark in exchange.request.headers.get("accept", "").lower() else None


def _browsers_only(status: int, exchange: Exchange) -> Response | None:
    if exchange.request.headers.get("user-agent", "").startswith("Mozilla/"):
        return None
    blocked = "<p>Your request was blocked by a security policy. Incident 000000.</p>"
    return page("Request blocked", blocked, status)


def _smart_at_root(exchange: Exchange) -> Response | None:
    if exchange.role != "smart":
        return None
    exchange.state.at_root = exchange.fill(exchange.organization.smart or {})
    return outcome(404, "not-found", "not found")


def _dirty_directory(exchange: Exchange) -> Response | None:
    """Endpoint resources that all mean this base; one of them cannot be understood by anybody."""
    if exchange.path != "Endpoint":
        return None
    base = exchange.base
    _, _, rest = base.partition("://")
    written = (
        base,
        f"{base}/",
        f"{base}/metadata",
        f"{base}#fragment",
        base.replace("http", "HTTP", 1),
        f'": {base}',
        rest,
        "/relative/path",
    )
    entries = [
        {"resource": {"resourceType": "Endpoint", "id": str(index), "status": "active", "address": address}}
        for index, address in enumerate(written)
    ]
    return fhir_json({"resourceType": "Bundle", "type": "searchset", "entry": entries})


def _redirect(location: str) -> Response:
    return Response(status_code=302, headers={"Location": location})


def _redirect_loop(exchange: Exchange) -> Response:
    hop = "2" if exchange.request.query_params.get("hop") == "1" else "1"
    return _redirect(f"{exchange.address}?hop={hop}")


def _redirect_other_host(exchange: Exchange) -> Response | None:
    if exchange.request.url.hostname == "localhost":
        return None
    query = f"?{exchange.request.url.query}" if exchange.request.url.query else ""
    return _redirect(other_host(exchange.address) + query)


def _redirect_to_http(exchange: Exchange) -> Response | None:
    if exchange.request.url.scheme != "https":
        return None
    return _redirect(exchange.address.replace("https://", "http://", 1))


def _redirect_patient_search(exchange: Exchange) -> Response | None:
    return _redirect(f"{exchange.base}/Patient?name=a") if exchange.role in DISCOVERY else None


#: Every fault of stage ``reply``.
SUBSTITUTES: dict[str, Substitute] = {
    "401": _unauthorized,
    "metadata-401": lambda exchange: _unauthorized(exchange) if exchange.role == "metadata" else None,
    "403": lambda _: outcome(403, "forbidden", "this address is not open to you"),
    "404": lambda _: outcome(404, "not-found", "nothing is here"),
    "500": lambda _: outcome(500, "exception", "an internal error occurred"),
    "503-once": _unavailable_once,
    "429": lambda _: outcome(429, "throttled", "too many requests", {"Retry-After": "1"}),
    "html-200": lambda _: page("Sign in", LOGIN_FORM),
    "spa-200": lambda _: Response(_SHELL, headers={"Content-Type": "text/html; charset=utf-8"}),
    "outcome-200": _outcome_under_200,
    "no-smart": lambda exchange: outcome(404, "not-found", "not found") if exchange.role == "smart" else None,
    "406-fhir-json": _fhir_json_not_acceptable,
    "charset-400": partial(_accept_refused, "charset", "a charset parameter is not understood"),
    "parameter-400": partial(_accept_refused, ";", "parameters are not understood"),
    "user-agent-403": partial(_browsers_only, 403),
    "user-agent-415": partial(_browsers_only, 415),
    "smart-at-root": _smart_at_root,
    "base-deeper": lambda exchange: (
        None if exchange.deeper else outcome(404, "not-found", "nothing is at this address")
    ),
    "dirty-directory": _dirty_directory,
    "no-token-cors": lambda _: None,  # withheld where cross-origin headers are added
    "redirect-loop": _redirect_loop,
    "redirect-other-host": _redirect_other_host,
    "redirect-to-http": _redirect_to_http,
    "redirect-patient-search": _redirect_patient_search,
}
