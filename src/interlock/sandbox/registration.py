"""Dynamic client registration: an application tells an organisation about itself and gets its id (RFC 7591)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlsplit

from starlette.responses import Response

from interlock.sandbox.client_keys import loopback
from interlock.sandbox.clients import Client, GrantType, Method
from interlock.sandbox.exchange import MAX_BODY_BYTES, Exchange
from interlock.sandbox.oauth import NO_STORE, OAuthError, shown
from interlock.sandbox.offers import negotiate, offer_of
from interlock.sandbox.replies import plain_json
from interlock.sandbox.signing import ALGORITHMS

_MAX_ITEMS = 20
_MAX_TEXT = 2_048
_PRIVATE_MEMBERS = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))
#: A private-use scheme is a reversed domain name (RFC 8252 section 7.1), so ``javascript`` and ``data`` are none.
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


def register(exchange: Exchange) -> Response:
    """``POST`` of a client's metadata as JSON; 201 with what was registered (RFC 7591 section 3.2.1).

    :raises OAuthError: ``invalid_redirect_uri``, ``invalid_client_metadata`` or ``unapproved_software_statement``
        (section 3.2.2).
    """
    if exchange.request.method != "POST":
        raise OAuthError("invalid_request", "use POST", 405, (("Allow", "POST"),))
    client = client_of(exchange, _document(exchange))
    exchange.state.clients.add(exchange.organization.id, client)
    exchange.note(f"{client.id} registered itself as {shown(client.name)}, by {client.methods[0]}")
    return plain_json(_registered(exchange, client), 201, NO_STORE)


def client_of(exchange: Exchange, given: dict[str, Any]) -> Client:
    """The client that metadata describes, with a new id, and a secret where its method has one.

    :raises OAuthError: as :func:`register`.
    """
    if "software_statement" in given:
        raise OAuthError("unapproved_software_statement", "no publisher of software statements is trusted here")
    offer = offer_of(exchange.organization)
    method = _text(given, "token_endpoint_auth_method") or "client_secret_basic"
    offered = [*offer.methods, *(["none"] if offer.has("client-public") else [])]
    if method not in offered:
        raise _invalid(f"token_endpoint_auth_method must be one of {', '.join(offered)}")
    grant_types = _texts(given, "grant_types") or ("authorization_code",)
    supported = {*offer.grant_types, *(["refresh_token"] if "authorization_code" in offer.grant_types else [])}
    if not set(grant_types) <= supported:
        raise _invalid(f"grant_types may be {', '.join(sorted(supported))}")
    if method == "none" and "client_credentials" in grant_types:
        raise _invalid("a public client cannot use client_credentials")
    codes = "authorization_code" in grant_types
    if (_texts(given, "response_types") or ("code",)) != ("code",) and codes:
        raise _invalid("response_types must be [code]")
    redirect_uris = _texts(given, "redirect_uris")
    if codes and not redirect_uris:
        raise OAuthError("invalid_redirect_uri", "redirect_uris is missing: a client of authorization codes needs one")
    for address in redirect_uris:
        check_redirect(address)
    launch = _text(given, "initiate_login_uri")
    if launch:
        check_launch(launch)
    algorithm = _text(given, "id_token_signed_response_alg") or "RS256"
    if algorithm not in ALGORITHMS:
        raise _invalid(f"id_token_signed_response_alg may be {', '.join(ALGORITHMS)}")
    jwks, jwks_uri = _keys(given, needed=method == "private_key_jwt")
    ledger = exchange.state.ledger
    client = Client(
        id=f"client-{ledger.secret()[:16]}",
        name=_text(given, "client_name") or "",
        redirect_uris=redirect_uris,
        launch_uris=(launch,) if launch else (),
        methods=(cast(Method, method),),
        secret=ledger.secret() if method.startswith("client_secret") else "",
        jwks=jwks,
        jwks_uri=jwks_uri,
        grant_types=cast(tuple[GrantType, ...], grant_types),
        id_algorithm="ES384" if algorithm == "ES384" else "RS256",
    )
    return _with_scopes(exchange, client, (_text(given, "scope") or "").split())


def _with_scopes(exchange: Exchange, client: Client, asked: list[str]) -> Client:
    """The client with those of the scopes that are offered; without any of its own it may have all that is offered."""
    if not asked:
        return client
    granted = [
        scope
        for kind in ("authorization_code", "client_credentials")
        if kind in client.grant_types
        for scope in negotiate(exchange.organization, client, asked, cast(GrantType, kind))
    ]
    if not granted:
        raise _invalid("scope names nothing that is offered here for these grant_types")
    return replace(client, scopes=tuple(dict.fromkeys(granted)))


def _document(exchange: Exchange) -> dict[str, Any]:
    content_type = exchange.request.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type != "application/json":
        raise _invalid("the body must be application/json")
    if len(exchange.body) > MAX_BODY_BYTES:
        raise OAuthError("invalid_client_metadata", "the body is too large", 413)
    try:
        value = json.loads(exchange.body)
    except (ValueError, RecursionError) as error:
        raise _invalid("the body is not JSON") from error
    if not isinstance(value, dict):
        raise _invalid("the body must be a JSON object")
    return value


def check_redirect(address: str) -> None:
    """A redirect address is absolute, without fragment, on https, on loopback or by a private-use scheme.

    :raises OAuthError: ``invalid_redirect_uri``, saying what is wrong with it.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        raise OAuthError("invalid_redirect_uri", f"{shown(address)} is no address") from None
    if "#" in address:
        raise OAuthError("invalid_redirect_uri", f"{shown(address)} has a fragment (RFC 6749 section 3.1.2)")
    if parts.scheme == "https" and parts.hostname and "*" not in address and not parts.username:
        return
    if loopback(address) and not parts.username:
        return
    if not _PRIVATE_SCHEME.fullmatch(parts.scheme):
        raise OAuthError("invalid_redirect_uri", f"{shown(address)} must be https, or http on loopback")


def check_launch(address: str) -> None:
    """A launch URL is an http or https address.

    :raises OAuthError: ``invalid_client_metadata``.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        raise _invalid(f"{shown(address)} is no address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _invalid(f"the launch URL {shown(address)} (initiate_login_uri) must be an http or https address")


def _keys(given: dict[str, Any], *, needed: bool) -> tuple[dict[str, Any] | None, str | None]:
    """``jwks`` and ``jwks_uri``, never both (RFC 7591 section 2), with keys as SMART 2.2 wants them."""
    jwks, address = given.get("jwks"), _text(given, "jwks_uri")
    if jwks is not None and address is not None:
        raise _invalid("jwks and jwks_uri must not both be given")
    if needed and jwks is None and address is None:
        raise _invalid("private_key_jwt needs jwks or jwks_uri")
    if address is not None and not loopback(address):
        raise _invalid("jwks_uri must be an address on this computer: the simulation asks no other")
    if jwks is None:
        return None, address
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if (
        not isinstance(keys, list)
        or not keys
        or len(keys) > _MAX_ITEMS
        or not all(isinstance(key, dict) for key in keys)
    ):
        raise _invalid("jwks must be an object with a list of keys")
    if any(_PRIVATE_MEMBERS & key.keys() for key in keys):
        raise _invalid("jwks holds a private key: take it out of use, and give public ones only")
    names = [key.get("kid") for key in keys]
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) != len(names):
        raise _invalid("each key of jwks needs a kid of its own")
    return {"keys": keys}, None


def _registered(exchange: Exchange, client: Client) -> dict[str, Any]:
    """What the client is told: its id and secret, and everything as it was registered (RFC 7591 section 3.2.1)."""
    told: dict[str, Any] = {
        "client_id": client.id,
        "client_id_issued_at": int(exchange.state.ledger.clock()),
        "client_name": client.name or None,
        "redirect_uris": list(client.redirect_uris) or None,
        "initiate_login_uri": client.launch_uris[0] if client.launch_uris else None,
        "token_endpoint_auth_method": client.methods[0],
        "grant_types": list(client.grant_types),
        "response_types": ["code"] if "authorization_code" in client.grant_types else [],
        "scope": " ".join(client.scopes) or None,
        "jwks": client.jwks,
        "jwks_uri": client.jwks_uri,
        "id_token_signed_response_alg": client.id_algorithm,
    }
    told |= {"client_secret": client.secret, "client_secret_expires_at": 0} if client.secret else {}
    return {name: value for name, value in told.items() if value is not None}


def _text(given: dict[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value or len(value) > _MAX_TEXT:
        raise _invalid(f"{name} must be a text of at most {_MAX_TEXT} characters")
    return value


def _texts(given: dict[str, Any], name: str) -> tuple[str, ...]:
    value = given.get(name)
    if value is None:
        return ()
    fine = isinstance(value, list) and len(value) <= _MAX_ITEMS
    if not fine or not all(isinstance(item, str) and 0 < len(item) <= _MAX_TEXT for item in value):
        raise _invalid(f"{name} must be a list of at most {_MAX_ITEMS} texts")
    return tuple(dict.fromkeys(value))


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_client_metadata", description)
