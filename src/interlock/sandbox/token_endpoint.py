"""Tokens: issued for codes, refresh tokens and backend clients; looked into; revoked.

Sources: RFC 6749 sections 3.2, 4.1.3, 4.4, 5 and 6; RFC 7636 section 4.6; RFC 7009; RFC 7662; RFC 9700 sections 2.1.1
and 4.14; SMART App Launch 2.2, app launch, backend services and token introspection; OpenID Connect Core 1.0 section 2.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from interlock.sandbox.authentication import authenticate
from interlock.sandbox.bearer import grant_of
from interlock.sandbox.clients import Client
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.grants import Grant
from interlock.sandbox.ledger import Code, Refresh
from interlock.sandbox.oauth import NO_STORE, OAuthError, granted_scopes, read_form
from interlock.sandbox.offers import offer_of
from interlock.sandbox.replies import plain_json

_ID_TOKEN_SECONDS = 300


async def token(exchange: Exchange) -> Response:
    """``POST`` token requests: a code, a refresh token, or a backend client's own credentials.

    :raises OAuthError: every refusal, by its code of RFC 6749 section 5.2.
    """
    form = read_form(exchange)
    if "grant_type" not in form:
        raise OAuthError("invalid_request", "grant_type is missing")
    offered = offer_of(exchange.organization).grant_types
    if "authorization_code" in offered and "refresh_token" not in offered:
        offered = (*offered, "refresh_token")
    grant_type = form["grant_type"]
    if grant_type not in offered:
        raise OAuthError("unsupported_grant_type", f"supported: {', '.join(offered)}")
    client = await authenticate(exchange, _named(exchange, form) if grant_type == "refresh_token" else form)
    if grant_type not in client.grant_types:
        raise OAuthError("unauthorized_client", f"{client.id} is not registered for {grant_type}")
    if grant_type == "client_credentials":
        return _for_backend(exchange, client, form)
    return _for_refresh(exchange, client, form) if grant_type == "refresh_token" else _for_code(exchange, client, form)


async def introspect(exchange: Exchange) -> Response:
    """Token introspection (RFC 7662 section 2.2, with the fields of SMART 2.2) for a client, or for a bearer token.

    A client is told about its own tokens only; about any other, and any that is no longer good, that it is not active.
    """
    form = read_form(exchange)
    if exchange.request.headers.get("authorization", "").lower().startswith("bearer "):
        asking = grant_of(exchange)
        if isinstance(asking, Response):
            return asking
        identity = asking.client
    else:
        identity = (await authenticate(exchange, form)).id
    if "token" not in form:
        raise OAuthError("invalid_request", "token is missing")
    ledger, organization = exchange.state.ledger, exchange.organization.id
    grant, expires = ledger.token(organization, form["token"]), 0.0
    if grant is not None:
        expires = grant.expires
    elif (refresh := ledger.refresh(organization, form["token"])) is not None and not refresh.spent:
        grant, expires = refresh.grant, refresh.expires
    if grant is None or grant.client != identity or expires <= ledger.clock():
        return plain_json({"active": False}, headers=NO_STORE)
    body: dict[str, Any] = {"active": True, "client_id": grant.client, "scope": " ".join(grant.scopes)}
    body |= {"exp": int(expires), "iat": int(grant.issued)} | grant.context.parameters()
    if grant.issuer and grant.user:
        body |= {"iss": grant.issuer, "sub": grant.user.subject}
        body |= {"fhirUser": f"{exchange.base}/{grant.user.fhir_user}"} if "fhirUser" in grant.scopes else {}
    return plain_json(body, headers=NO_STORE)


async def revoke(exchange: Exchange) -> Response:
    """Token revocation (RFC 7009 section 2): a refresh token takes the access tokens of its sign-in with it."""
    form = read_form(exchange)
    client = await authenticate(exchange, form)
    if "token" not in form:
        raise OAuthError("invalid_request", "token is missing")
    ledger, organization = exchange.state.ledger, exchange.organization.id
    grant, refresh = ledger.token(organization, form["token"]), ledger.refresh(organization, form["token"])
    owner = grant.client if grant else refresh.grant.client if refresh else client.id
    if owner != client.id:
        raise OAuthError("invalid_grant", "the token was issued to another client")
    if refresh is not None:
        ledger.revoke_sign_in(refresh.grant.sign_in)
    ledger.revoke_token(form["token"])
    exchange.note(f"{client.id} revoked {'a token' if grant or refresh else 'a token that nobody holds'}")
    return Response(status_code=200, headers=NO_STORE)


def _named(exchange: Exchange, form: dict[str, str]) -> dict[str, str]:
    """A refresh request with ``client_id``: SMART 2.2 does not list it, so a public client's token says whose it is."""
    if {"client_id", "client_assertion"} & form.keys() or exchange.request.headers.get("authorization"):
        return form
    known = exchange.state.ledger.refresh(exchange.organization.id, form.get("refresh_token", ""))
    return {**form, "client_id": known.grant.client} if known else form


def _for_backend(exchange: Exchange, client: Client, form: dict[str, str]) -> Response:
    asked = form.get("scope", "")
    if not asked.split():
        raise OAuthError("invalid_scope", "scope is missing")
    granted = granted_scopes(exchange, client, asked, "client_credentials")
    if not granted:
        registered = " ".join(client.scopes) or "what is offered here"
        raise OAuthError("invalid_scope", f"the client is registered for {registered}")
    ledger = exchange.state.ledger
    now, seconds = ledger.clock(), client.access_seconds or ledger.lifetimes.backend
    grant = Grant(exchange.organization.id, client.id, granted, now + seconds, now, sign_in=ledger.secret())
    return _answer(exchange, client, grant, seconds, refresh=None)


def _for_code(exchange: Exchange, client: Client, form: dict[str, str]) -> Response:
    """Tokens for an authorization code, which is spent by that; a second use revokes what it gave (RFC 6749 4.1.2)."""
    if "code" not in form or "redirect_uri" not in form:
        raise OAuthError("invalid_request", f"{'code' if 'code' not in form else 'redirect_uri'} is missing")
    ledger = exchange.state.ledger
    code = ledger.spend_code(exchange.organization.id, form["code"])
    if code is None:
        raise OAuthError("invalid_grant", "no such code was issued here")
    if code.spent:
        ended = ledger.revoke_sign_in(code.grant.sign_in)
        raise OAuthError("invalid_grant", f"the code was used before; tokens that it gave and that now end: {ended}")
    problem = _problem_with_code(exchange, client, form, code)
    if problem:
        raise OAuthError("invalid_grant", problem)
    now = ledger.clock()
    grant = replace(code.grant, issued=now, expires=now + code.access_seconds)
    refresh = None
    kept = "offline" if "offline_access" in grant.scopes else "online" if "online_access" in grant.scopes else ""
    if kept:
        until = now + (ledger.lifetimes.offline if kept == "offline" else ledger.lifetimes.online)
        refresh = ledger.add_refresh(Refresh(grant, until, code.access_seconds))
    return _answer(exchange, client, grant, code.access_seconds, refresh, identity=True, nonce=code.nonce)


def _problem_with_code(exchange: Exchange, client: Client, form: dict[str, str], code: Code) -> str | None:
    """Why a code gives this client nothing, or none."""
    if code.grant.client != client.id:
        return "the code was issued to another client"
    if code.expires <= exchange.state.ledger.clock():
        return "the code has expired"
    if form["redirect_uri"] != code.redirect_uri:
        return "redirect_uri is another than that of the authorization request"
    verifier = form.get("code_verifier")
    if code.challenge is None:
        # RFC 9700 section 2.1.1: a verifier without a challenge is somebody's downgrade.
        return (
            None if verifier is None else "code_verifier is given, but the authorization request had no code_challenge"
        )
    if verifier is None:
        return "code_verifier is missing"
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    if not 43 <= len(verifier) <= 128 or digest != code.challenge:
        return "code_verifier does not match the code_challenge"
    return None


def _for_refresh(exchange: Exchange, client: Client, form: dict[str, str]) -> Response:
    """New tokens for a refresh token, which is replaced; one that was replaced ends the sign-in (RFC 9700 4.14.2)."""
    if "refresh_token" not in form:
        raise OAuthError("invalid_request", "refresh_token is missing")
    ledger = exchange.state.ledger
    refresh = ledger.refresh(exchange.organization.id, form["refresh_token"])
    if refresh is None:
        raise OAuthError("invalid_grant", "the refresh token is unknown here, or was revoked")
    if refresh.grant.client != client.id:
        raise OAuthError("invalid_grant", "the refresh token was issued to another client")
    if refresh.spent:
        ended = ledger.revoke_sign_in(refresh.grant.sign_in)
        raise OAuthError("invalid_grant", f"the refresh token was used before; access tokens that now end: {ended}")
    now = ledger.clock()
    if refresh.expires <= now:
        raise OAuthError("invalid_grant", "the refresh token has expired")
    scopes = tuple(dict.fromkeys(form.get("scope", "").split())) or refresh.grant.scopes
    beyond = [scope for scope in scopes if scope not in refresh.grant.scopes]
    if beyond:
        raise OAuthError("invalid_scope", "scope asks for more than was granted first")
    ledger.spend_refresh(form["refresh_token"])
    seconds = refresh.access_seconds
    successor = ledger.add_refresh(replace(refresh, grant=replace(refresh.grant, issued=now)))
    grant = replace(refresh.grant, scopes=scopes, issued=now, expires=now + seconds)
    return _answer(exchange, client, grant, seconds, successor)


def _answer(
    exchange: Exchange,
    client: Client,
    grant: Grant,
    seconds: float,
    refresh: str | None,
    *,
    identity: bool = False,
    nonce: str | None = None,
) -> Response:
    """The token response with launch context (RFC 6749 section 5.1; SMART App Launch 2.2, token response)."""
    exchange.trace.grant = grant
    body: dict[str, Any] = {
        "access_token": exchange.state.ledger.add_token(grant),
        "token_type": "Bearer",
        "expires_in": int(seconds),
        "scope": " ".join(grant.scopes),
        **grant.context.parameters(),
    }
    if refresh is not None:
        body["refresh_token"] = refresh
    if identity and grant.issuer and grant.user:
        claims: dict[str, Any] = {
            "iss": grant.issuer,
            "sub": grant.user.subject,
            "aud": client.id,
            "iat": int(grant.issued),
            "exp": int(grant.issued) + _ID_TOKEN_SECONDS,
        }
        claims |= {"nonce": nonce} if nonce is not None else {}
        claims |= {"fhirUser": f"{exchange.base}/{grant.user.fhir_user}"} if "fhirUser" in grant.scopes else {}
        body["id_token"] = exchange.state.keys.sign(exchange.organization.id, claims, client.id_algorithm)
    exchange.note(f"{client.id} was given a token for {int(seconds)} s, scopes {' '.join(grant.scopes)}")
    return plain_json(body, headers=NO_STORE)
