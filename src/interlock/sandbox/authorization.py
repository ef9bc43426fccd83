"""The authorization endpoint: a test user signs in without a person, and the application gets a code.

Sources: RFC 6749 sections 3.1 and 4.1; RFC 7636; RFC 9207; RFC 9700 section 2.1; SMART App Launch 2.2, app launch.
"""

from __future__ import annotations

import html
import re
from dataclasses import replace

from starlette.responses import Response

from interlock.fhir.scopes import parse
from interlock.sandbox.clients import Client
from interlock.sandbox.exchange import LAUNCH_PATH, Exchange
from interlock.sandbox.grants import Context, Grant, User
from interlock.sandbox.launches import standalone_context, user_named, users_of, with_query
from interlock.sandbox.ledger import Code, Launch
from interlock.sandbox.oauth import NO_STORE, OAuthError, fields_once, granted_scopes, shown
from interlock.sandbox.offers import offer_of
from interlock.sandbox.replies import page

#: A SHA-256 digest in base64url without padding (RFC 7636 section 4.2).
_S256 = re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_NONCE = 512
_REFRESH_SCOPES = ("offline_access", "online_access")


def authorize(exchange: Exchange) -> Response:
    """A redirect to the application with a code or an error; a page where the application cannot be trusted.

    An unknown client and a redirect address that is not registered are told to the person and never redirected
    (RFC 6749 section 4.1.2.1); addresses are compared character for character (RFC 9700 section 2.1).
    """
    if exchange.request.method not in ("GET", "HEAD", "POST"):
        raise OAuthError("invalid_request", "use GET or POST", 405, (("Allow", "GET, HEAD, POST"),))
    posted = exchange.request.method == "POST"
    query = exchange.body if posted else str(exchange.request.url.query).encode()
    try:
        fields = fields_once(query)
    except OAuthError as refusal:
        return _refused_page(exchange, refusal.description, refusal.status)
    identity, redirect_uri = fields.get("client_id", ""), fields.get("redirect_uri", "")
    client = exchange.state.clients.get(exchange.organization.id, identity) if identity else None
    if client is None:
        return _refused_page(
            exchange, f"no client {shown(identity)} is registered here" if identity else "client_id is missing"
        )
    if redirect_uri not in client.redirect_uris:
        return _refused_page(exchange, f"{shown(redirect_uri)} is no redirect address that {client.id} has registered")
    offer = offer_of(exchange.organization)
    issuer = exchange.fill({"": offer.issuer})[""] if offer.iss_parameter else None
    try:
        code = _sign_in(exchange, client, fields)
        told: dict[str, str | None] = {"code": exchange.state.ledger.add_code(code)}
        who = code.grant.user.name if code.grant.user else "nobody"
        exchange.note(f"{client.id} was given a code: {who} signed in, scopes {' '.join(code.grant.scopes)}")
    except OAuthError as refusal:
        told = {"error": refusal.error, "error_description": refusal.description}
        exchange.note(f"the sign-in of {client.id} was refused with {refusal.error}: {refusal.description}")
    target = with_query(redirect_uri, **told, state=fields.get("state"), iss=issuer)
    headers = {**NO_STORE, "Location": target, "Referrer-Policy": "no-referrer"}
    return Response(status_code=303 if posted else 302, headers=headers)


def manage(exchange: Exchange) -> Response:
    """The page where a person would review granted access (SMART ``management_endpoint``)."""
    name = html.escape(exchange.organization.name)
    rows = "".join(
        f"<li>{_row(exchange, client)}</li>" for client in exchange.state.clients.of(exchange.organization.id)
    )
    known = (
        f"<p>Applications that are registered:</p><ul>{rows}</ul>" if rows else "<p>No application is registered.</p>"
    )
    return page("Applications with access", f"<p>{name} is simulated, and so is everybody in it.</p>{known}")


def _row(exchange: Exchange, client: Client) -> str:
    name = html.escape(client.name or client.id)
    if not client.launch_uris or "launch-ehr" not in (offer_of(exchange.organization).capabilities or ()):
        return name
    link = html.escape(with_query(f"{exchange.base}/{LAUNCH_PATH}", client=client.id), quote=True)
    return f'{name}: <a href="{link}">open it from the EHR</a>'


def _refused_page(exchange: Exchange, reason: str, status: int = 400) -> Response:
    exchange.note(f"an authorization request was refused on a page, without a redirect: {reason}")
    name = html.escape(exchange.organization.name)
    body = (
        f"<p>{name} is simulated. The application that sent you here cannot be answered, because "
        f"{html.escape(reason)}.</p><p>Nothing was sent back to it.</p>"
    )
    return page("This request cannot be authorised", body, status)


def _sign_in(exchange: Exchange, client: Client, fields: dict[str, str]) -> Code:
    """The code that a request deserves.

    :raises OAuthError: what the application is told by redirect, by its code of RFC 6749 section 4.1.2.1.
    """
    _check_request(exchange, client, fields)
    scopes = granted_scopes(exchange, client, fields["scope"], "authorization_code")
    launch = _launch_of(exchange, client, fields, scopes)
    scopes = tuple(scope for scope in scopes if _may_refresh(scope, client, launch))
    if not scopes:
        raise OAuthError(
            "invalid_scope", f"nothing of {shown(fields['scope'])} is offered here and registered for the client"
        )
    user = launch.user if launch else _user(exchange, fields.get("login_hint", ""))
    if launch and launch.refusal:
        raise OAuthError(launch.refusal, "the organisation refused this sign-in")
    context = launch.context if launch else _picked(exchange, user, scopes)
    now, lifetimes = exchange.state.ledger.clock(), exchange.state.ledger.lifetimes
    seconds = (launch.access_seconds if launch else None) or client.access_seconds or lifetimes.access
    issuer = offer_of(exchange.organization).issuer
    grant = Grant(
        organization=exchange.organization.id,
        client=client.id,
        scopes=scopes,
        expires=now + seconds,
        issued=now,
        user=user,
        context=context,
        sign_in=exchange.state.ledger.secret(),
        issuer=exchange.fill({"": issuer})[""] if issuer and user and "openid" in scopes else None,
        faults=launch.faults if launch else (),
    )
    exchange.trace.grant = grant
    challenge, nonce = fields.get("code_challenge"), fields.get("nonce")
    return Code(grant, fields["redirect_uri"], challenge, nonce, now + lifetimes.code, seconds)


def _check_request(exchange: Exchange, client: Client, fields: dict[str, str]) -> None:
    """The parameters of SMART App Launch 2.2, "Obtain authorization code", one after the other."""
    offer = offer_of(exchange.organization)
    if "response_type" not in fields:
        raise OAuthError("invalid_request", "response_type is missing")
    if fields["response_type"] != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code")
    if "authorization_code" not in client.grant_types or "authorization_code" not in offer.grant_types:
        raise OAuthError("unauthorized_client", "the client is not registered for authorization codes")
    if "request" in fields or "request_uri" in fields:
        raise OAuthError("request_not_supported", "request objects are not offered")
    if "state" not in fields:
        raise OAuthError("invalid_request", "state is missing")
    if "aud" not in fields:
        raise OAuthError("invalid_request", "aud is missing: it is the FHIR base URL")
    if fields["aud"] != exchange.base:
        raise OAuthError("invalid_request", f"aud must be {exchange.base}, character for character")
    if len(fields.get("nonce", "")) > _MAX_NONCE:
        raise OAuthError("invalid_request", f"nonce is longer than {_MAX_NONCE} characters")
    if "scope" not in fields:
        raise OAuthError("invalid_scope", "scope is missing")
    if "code_challenge" not in fields and "code_challenge_method" not in fields:
        if client.public and offer.pkce:
            raise OAuthError("invalid_request", "code_challenge is missing: PKCE with S256 is required")
        return
    if fields.get("code_challenge_method", "plain") != "S256":
        raise OAuthError(
            "invalid_request", "code_challenge_method must be S256; plain, which an absent one means, is refused"
        )
    if not _S256.fullmatch(fields.get("code_challenge", "")):
        raise OAuthError("invalid_request", "code_challenge must be a SHA-256 digest in base64url, 43 characters")


def _launch_of(exchange: Exchange, client: Client, fields: dict[str, str], scopes: tuple[str, ...]) -> Launch | None:
    """The EHR launch that this request continues; none for a standalone one."""
    handle = fields.get("launch")
    if handle is None:
        if "launch" in fields["scope"].split():
            raise OAuthError("invalid_request", "the scope launch needs the parameter launch of the EHR's launch")
        if not offer_of(exchange.organization).has("launch-standalone"):
            raise OAuthError("invalid_request", "applications are launched from the EHR only here")
        return None
    launch = exchange.state.ledger.launch(exchange.organization.id, handle)
    if launch is None:
        raise OAuthError("invalid_request", "launch is unknown here, or has expired")
    if launch.client != client.id:
        raise OAuthError("invalid_request", "launch was given to another client")
    if "launch" not in scopes:
        raise OAuthError("invalid_scope", "the parameter launch needs the scope launch")
    return launch


def _may_refresh(scope: str, client: Client, launch: Launch | None) -> bool:
    """Whether a refresh scope may be granted (SMART 2.2: ``online_access`` in EHR launches only); any other may."""
    if scope not in _REFRESH_SCOPES:
        return True
    return "refresh_token" in client.grant_types and (scope != "online_access" or launch is not None)


def _user(exchange: Exchange, hint: str) -> User | None:
    user = user_named(exchange.organization, hint)
    if hint and user is None:
        names = ", ".join(known.name for known in users_of(exchange.organization))
        raise OAuthError("login_required", f"login_hint names no test user; users: {names}")
    return user


def _picked(exchange: Exchange, user: User | None, scopes: tuple[str, ...]) -> Context:
    """The context of a standalone launch: a patient where one is asked for, or any patient scope implies one."""
    encounter = "launch/encounter" in scopes
    levels = {scope.level for text in scopes if (scope := parse(text)) is not None}
    if not encounter and "launch/patient" not in scopes and "patient" not in levels:
        return Context(tenant=exchange.organization.id)
    context = standalone_context(exchange.organization, user, encounter=encounter)
    if context.patient is None:
        raise OAuthError("access_denied", "there is no patient to pick")
    return replace(context, tenant=exchange.organization.id)
