"""Cross-origin requests: discovery for every origin, the rest for registered ones, authorisation for none.

Sources: SMART App Launch 2.2, App Launch, section on CORS; RFC 9700 section 2.6 (the authorisation
endpoint must not support it).
"""

from __future__ import annotations

from starlette.responses import Response

from interlock.sandbox.exchange import DISCOVERY, Exchange, Role

_APPLICATION: frozenset[Role] = frozenset({"token", "introspect", "revoke", "resource"})


def allow(exchange: Exchange, response: Response) -> None:
    """Add the headers that the request's origin is due, if any."""
    origin = exchange.request.headers.get("origin")
    if origin is None:
        return
    if exchange.role in DISCOVERY and exchange.organization.cors:
        response.headers["Access-Control-Allow-Origin"] = "*"
    elif exchange.role == "token" and "no-token-cors" in exchange.faults:
        return
    elif exchange.role in _APPLICATION and origin in exchange.organization.registered_origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers.add_vary_header("Origin")


def preflight(exchange: Exchange) -> Response:
    """Answer OPTIONS; :func:`allow` adds the origin, without which a browser ignores the rest."""
    methods = "GET, HEAD" if exchange.role in DISCOVERY else "GET, HEAD, POST"
    headers = {"Allow": f"{methods}, OPTIONS"}
    if exchange.request.headers.get("access-control-request-method") and exchange.role in DISCOVERY | _APPLICATION:
        headers |= {
            "Access-Control-Allow-Methods": methods,
            "Access-Control-Allow-Headers": "authorization, content-type, accept",
            "Access-Control-Max-Age": "600",
        }
    return Response(status_code=204, headers=headers)
