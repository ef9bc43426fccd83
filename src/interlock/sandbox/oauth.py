"""The authorisation server: it refuses by the book, and gives the sandbox's own client a short-lived token.

Sources: RFC 6749 sections 2.3, 4.1.2.1, 4.4 and 5.2; RFC 7523; RFC 7662; RFC 7009; SMART App Launch 2.2 (backend
services, client authentication). Nobody can sign in here, so no authorisation code and no ID token exists.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import html
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from starlette.responses import Response

from interlock.fhir.scopes import covers
from interlock.sandbox.client import ASSERTION_TYPE, CLIENT_ID, CLIENT_SECRET, REGISTERED_SCOPE, client_key
from interlock.sandbox.exchange import MAX_BODY_BYTES, Exchange
from interlock.sandbox.replies import page, plain_json

#: Backend tokens live five minutes at most (SMART App Launch 2.2, backend services, "Issue access token").
TOKEN_SECONDS = 300
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_MAX_FIELDS = 50


@dataclass(eq=False)
class OAuthError(Exception):
    """A refusal in the form of RFC 6749 section 5.2."""

    error: str
    description: str
    status: int = 400
    headers: tuple[tuple[str, str], ...] = ()

    def response(self) -> Response:
        """The JSON answer, never cached."""
        body = {"error": self.error, "error_description": self.description}
        return plain_json(body, self.status, {**_NO_STORE, **dict(self.headers)})


def authorize(exchange: Exchange) -> Response:
    """No client has registered a redirection address, so the user is told and never redirected (RFC 6749 4.1.2.1)."""
    name = html.escape(exchange.organization.name)
    body = (
        f"<p>{name} is simulated: nobody can sign in, and no application has registered a redirect address, "
        "so this request goes no further.</p><p>To try a backend client, ask the token endpoint.</p>"
    )
    return page("This request cannot be authorised", body, 400)


def manage(exchange: Exchange) -> Response:
    """The page where a person would review granted access (SMART ``management_endpoint``)."""
    name = html.escape(exchange.organization.name)
    return page("Applications with access", f"<p>{name} is simulated: no application has been granted access.</p>")


def token(exchange: Exchange) -> Response:
    """``POST`` token requests: client credentials for the sandbox's own client, a proper refusal for all else."""
    form = _form(exchange)
    if "grant_type" not in form:
        raise OAuthError("invalid_request", "grant_type is missing")
    supported = _listed(exchange, "grant_types_supported", ["authorization_code"])
    if form["grant_type"] not in supported:
        raise OAuthError("unsupported_grant_type", f"supported: {', '.join(supported)}")
    _authenticate(exchange, form)
    if form["grant_type"] != "client_credentials":
        raise OAuthError("invalid_grant", "no such grant was ever issued: nobody can sign in here")
    asked = form.get("scope", "").split()
    if not asked:
        raise OAuthError("invalid_scope", "scope is missing")
    # A scope with a search constraint is not granted: nothing here would keep to it.
    granted = tuple(scope for scope in dict.fromkeys(asked) if "?" not in scope and covers([REGISTERED_SCOPE], scope))
    if not granted:
        raise OAuthError("invalid_scope", f"the client is registered for {REGISTERED_SCOPE}")
    value = exchange.state.tokens.issue(exchange.organization.id, granted, TOKEN_SECONDS)
    body = {"access_token": value, "token_type": "Bearer", "expires_in": TOKEN_SECONDS, "scope": " ".join(granted)}
    return plain_json(body, headers=_NO_STORE)


def introspect(exchange: Exchange) -> Response:
    """Token introspection for the authenticated client (RFC 7662 section 2)."""
    form = _form(exchange)
    _authenticate(exchange, form)
    grant = exchange.state.tokens.grant(exchange.organization.id, form.get("token", ""))
    if grant is None:
        return plain_json({"active": False}, headers=_NO_STORE)
    body = {"active": True, "client_id": CLIENT_ID, "scope": " ".join(grant.scopes), "exp": int(grant.expires)}
    return plain_json(body, headers=_NO_STORE)


def revoke(exchange: Exchange) -> Response:
    """Token revocation for the authenticated client (RFC 7009 section 2)."""
    form = _form(exchange)
    _authenticate(exchange, form)
    if "token" not in form:
        raise OAuthError("invalid_request", "token is missing")
    exchange.state.tokens.revoke(exchange.organization.id, form["token"])
    return Response(status_code=200, headers=_NO_STORE)


def _form(exchange: Exchange) -> dict[str, str]:
    """The request's form fields; POST only, each field once (RFC 6749 section 3.2)."""
    if exchange.request.method != "POST":
        raise OAuthError("invalid_request", "use POST", 405, (("Allow", "POST"),))
    content_type = exchange.request.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "the body must be application/x-www-form-urlencoded")
    if len(exchange.body) > MAX_BODY_BYTES:
        raise OAuthError("invalid_request", "the body is too large", 413)
    try:
        pairs = parse_qsl(exchange.body.decode("utf-8"), max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise OAuthError("invalid_request", "the body is not form-encoded UTF-8") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthError("invalid_request", "a parameter is repeated")
    return form


def _authenticate(exchange: Exchange, form: dict[str, str]) -> None:
    """Accept the sandbox's client by one method that the organisation supports (RFC 6749 section 2.3)."""
    methods = _listed(exchange, "token_endpoint_auth_methods_supported", ["client_secret_basic"])
    authorization = exchange.request.headers.get("authorization", "")
    used = [
        method
        for method, present in (
            ("client_secret_basic", bool(authorization)),
            ("client_secret_post", "client_secret" in form),
            ("private_key_jwt", "client_assertion" in form),
        )
        if present
    ]
    if len(used) > 1:
        raise OAuthError("invalid_request", "more than one way of client authentication is used")
    if not used:
        raise _invalid_client(exchange, methods, "client authentication is missing")
    if used[0] not in methods:
        raise _invalid_client(exchange, methods, f"{used[0]} is not offered; offered: {', '.join(methods)}")
    if used[0] == "private_key_jwt":
        _check_assertion(exchange, form, methods)
        return
    given = _basic(authorization) if authorization else (form.get("client_id", ""), form["client_secret"])
    if given is None or not _same(given[0], CLIENT_ID) or not _same(given[1], CLIENT_SECRET):
        raise _invalid_client(exchange, methods, "unknown client, or a wrong secret")


def _invalid_client(exchange: Exchange, methods: list[str], description: str) -> OAuthError:
    """401 with a challenge where Basic is offered or was tried, else 400 (RFC 6749 section 5.2)."""
    if "client_secret_basic" in methods or exchange.request.headers.get("authorization"):
        challenge = ("WWW-Authenticate", f'Basic realm="{exchange.organization.id}"')
        return OAuthError("invalid_client", description, 401, (challenge,))
    return OAuthError("invalid_client", description)


def _check_assertion(exchange: Exchange, form: dict[str, str], methods: list[str]) -> None:
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise OAuthError("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}")
    from joserfc import jwt  # 100 ms that only a client with keys needs
    from joserfc.errors import JoseError

    algorithms = _listed(exchange, "token_endpoint_auth_signing_alg_values_supported", ["ES384"])
    try:
        decoded = jwt.decode(form["client_assertion"], client_key(), algorithms=algorithms)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise _invalid_client(exchange, methods, "the assertion's signature does not verify") from error
    problem = _problem_with_claims(exchange, decoded.header, decoded.claims)
    if problem:
        raise _invalid_client(exchange, methods, problem)


def _problem_with_claims(exchange: Exchange, header: dict[str, Any], claims: dict[str, Any]) -> str | None:
    """Why a client assertion is refused by SMART's asymmetric client authentication, or none."""
    now, expires, identity = time.time(), claims.get("exp"), claims.get("jti")
    audience = claims.get("aud")
    if header.get("kid") != client_key().kid:
        return "no registered key has this kid"
    if claims.get("iss") != CLIENT_ID or claims.get("sub") != CLIENT_ID:
        return "iss and sub must both be the client's id"
    if exchange.address not in (audience if isinstance(audience, list) else [audience]):
        return f"aud must be {exchange.address}"
    if not isinstance(expires, int | float) or isinstance(expires, bool) or not now < expires <= now + TOKEN_SECONDS:
        return "exp must lie ahead, by five minutes at most"
    if not isinstance(identity, str) or not identity or len(identity) > 256:
        return "jti is missing"
    if not exchange.state.tokens.first_use(exchange.organization.id, identity, float(expires)):
        return "this jti was used before"
    return None


def _listed(exchange: Exchange, field: str, default: list[str]) -> list[str]:
    """A list of the organisation's SMART document, or what a server without one does."""
    value = (exchange.organization.smart or {}).get(field)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else default


def _basic(authorization: str) -> tuple[str, str] | None:
    """Client id and secret of a Basic header, form-decoded as RFC 6749 section 2.3.1 says; none if malformed."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, separator, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (unquote_plus(name), unquote_plus(secret)) if separator else None


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
