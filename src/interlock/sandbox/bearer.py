"""Who asks the FHIR API: the grant behind a request's bearer token, or the refusal that it deserves (RFC 6750)."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import Response

from interlock.sandbox.exchange import Exchange
from interlock.sandbox.grants import Grant, needed_scope
from interlock.sandbox.replies import RefusalError, outcome


def bearer_token(headers: Headers) -> str:
    """The access token of a request (RFC 6750 section 2.1), empty when it has none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def grant_of(exchange: Exchange) -> Grant | Response:
    """The grant behind the request's access token, or the 401 to answer with (RFC 6750 section 3).

    Without a token the challenge carries no error code (section 3.1); an unknown, revoked or expired one does.
    """
    if not bearer_token(exchange.request.headers):
        exchange.note("a FHIR request came without a bearer token: 401")
        return outcome(401, "login", "a bearer token is needed", {"WWW-Authenticate": _realm(exchange)})
    grant = exchange.trace.grant
    if grant is None:
        exchange.note("a FHIR request came with a token that is unknown here, or was revoked: 401")
        return _invalid(exchange, "unknown", "the token is unknown here, or was revoked")
    if grant.expires <= exchange.state.ledger.clock():
        exchange.note(f"a FHIR request of {grant.client} came with a token that has expired: 401")
        return _invalid(exchange, "expired", "the token has expired")
    return grant


def insufficient_scope(exchange: Exchange, grant: Grant, interaction: str, kind: str) -> RefusalError:
    """403 for an interaction that the grant's scopes do not allow (RFC 6750 section 3.1)."""
    needed = needed_scope(grant, interaction, kind)
    challenge = f'{_realm(exchange)}, error="insufficient_scope", scope="{needed}"'
    words = f"the token of {grant.client} does not carry {needed}"
    return RefusalError(403, "forbidden", words, {"WWW-Authenticate": challenge})


def _invalid(exchange: Exchange, code: str, words: str) -> Response:
    challenge = f'{_realm(exchange)}, error="invalid_token", error_description="{words}"'
    return outcome(401, code, words, {"WWW-Authenticate": challenge})


def _realm(exchange: Exchange) -> str:
    return f'Bearer realm="{exchange.organization.id}"'
