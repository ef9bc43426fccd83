"""Who asks the token endpoint: client authentication, and the keys of clients that have them.

Sources: RFC 6749 section 2.3; RFC 7523; SMART App Launch 2.2, client authentication (asymmetric and symmetric).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from typing import Any
from urllib.parse import unquote_plus

from interlock.sandbox.client import ASSERTION_TYPE
from interlock.sandbox.client_keys import only_key, verifies
from interlock.sandbox.clients import Client
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.oauth import OAuthError, shown
from interlock.sandbox.offers import Offer, offer_of

_ASSERTION_SECONDS = 300
_MAX_JWT = 16_384


async def authenticate(exchange: Exchange, form: dict[str, str]) -> Client:
    """The client that proved itself by one method that both it and the organisation use (RFC 6749 section 2.3).

    A public client names itself by ``client_id`` and proves nothing; PKCE does that for its codes.

    :raises OAuthError: ``invalid_client``, or ``invalid_request`` where two methods are used at once.
    """
    offer = offer_of(exchange.organization)
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
        return _public_client(exchange, offer, form.get("client_id", ""))
    if used[0] not in offer.methods:
        raise _refused(exchange, offer, f"{used[0]} is not offered; offered: {', '.join(offer.methods)}")
    if used[0] == "private_key_jwt":
        return await _client_of_assertion(exchange, offer, form)
    given = _basic(authorization) if authorization else (form.get("client_id", ""), form["client_secret"])
    client = exchange.state.clients.get(exchange.organization.id, given[0]) if given else None
    if given is None or client is None or not client.secret or not _same(given[1], client.secret):
        raise _refused(exchange, offer, "unknown client, or a wrong secret")
    if used[0] not in client.methods:
        raise _refused(exchange, offer, f"the client is not registered for {used[0]}")
    if form.get("client_id", client.id) != client.id:
        raise OAuthError("invalid_request", "client_id is another than that of the credentials")
    return client


def _public_client(exchange: Exchange, offer: Offer, identity: str) -> Client:
    client = exchange.state.clients.get(exchange.organization.id, identity) if identity else None
    if client is None or not client.public:
        if client is not None:
            known = f"; the client is registered for {', '.join(client.methods)}"
        else:
            known = f", and no client {shown(identity)} is registered here" if identity else ""
        raise _refused(exchange, offer, f"client authentication is missing{known}")
    if not offer.has("client-public"):
        raise _refused(exchange, offer, "public clients are not offered")
    return client


def _refused(exchange: Exchange, offer: Offer, description: str) -> OAuthError:
    """401 with a challenge where Basic is offered or was tried, else 400 (RFC 6749 section 5.2)."""
    if "client_secret_basic" in offer.methods or exchange.request.headers.get("authorization"):
        challenge = ("WWW-Authenticate", f'Basic realm="{exchange.organization.id}"')
        return OAuthError("invalid_client", description, 401, (challenge,))
    return OAuthError("invalid_client", description)


async def _client_of_assertion(exchange: Exchange, offer: Offer, form: dict[str, str]) -> Client:
    """The client whose key signed the assertion (SMART 2.2, asymmetric authentication, "Signature Verification")."""
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise OAuthError("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}")
    assertion = form["client_assertion"]
    header, claims = _unverified(assertion)
    identity = claims.get("iss")
    client = exchange.state.clients.get(exchange.organization.id, identity) if isinstance(identity, str) else None
    if client is None or "private_key_jwt" not in client.methods:
        raise _refused(exchange, offer, "iss names no client that is registered with keys here")
    algorithm = str(header.get("alg", ""))
    if algorithm not in offer.algorithms:
        raise _refused(exchange, offer, f"alg must be one of {', '.join(offer.algorithms)}")
    if header.get("jku") is not None and header["jku"] != client.jwks_uri:
        raise _refused(exchange, offer, "jku is not the JWK Set URL that is registered")
    kid = header.get("kid")
    try:
        jwks = await exchange.state.client_keys.of(client, kid)
    except OSError as error:
        raise _refused(exchange, offer, f"the client's JWK Set cannot be read: {error}") from error
    key = only_key(jwks, kid, algorithm)
    if key is None:
        raise _refused(exchange, offer, "no registered key has this kid and the type that alg needs, or several do")
    if not verifies(assertion, key, algorithm):
        raise _refused(exchange, offer, "the assertion's signature does not verify")
    problem = _problem_with_claims(exchange, claims, client)
    if problem:
        raise _refused(exchange, offer, problem)
    if form.get("client_id", client.id) != client.id:
        raise OAuthError("invalid_request", "client_id is another than that of the assertion")
    return client


def _unverified(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they stand, empty when they cannot be read; nothing is believed before the signature is."""
    parts = assertion.split(".")
    if len(parts) != 3 or len(assertion) > _MAX_JWT:
        return {}, {}
    read: list[dict[str, Any]] = []
    for part in parts[:2]:
        try:
            value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        except (ValueError, RecursionError):
            return {}, {}
        read.append(value if isinstance(value, dict) else {})
    return read[0], read[1]


def _problem_with_claims(exchange: Exchange, claims: dict[str, Any], client: Client) -> str | None:
    """Why a client assertion is refused by SMART's asymmetric client authentication, or none."""
    now, expires, identity = exchange.state.ledger.clock(), claims.get("exp"), claims.get("jti")
    audience = claims.get("aud")
    if claims.get("iss") != client.id or claims.get("sub") != client.id:
        return "iss and sub must both be the client's id"
    if exchange.address not in (audience if isinstance(audience, list) else [audience]):
        return f"aud must be {exchange.address}"
    if not isinstance(expires, int | float) or isinstance(expires, bool):
        return "exp must lie ahead, by five minutes at most"
    if not now < expires <= now + _ASSERTION_SECONDS:
        return "exp must lie ahead, by five minutes at most" + ("; the assertion has expired" if expires <= now else "")
    if not isinstance(identity, str) or not identity or len(identity) > 256:
        return "jti is missing"
    if not exchange.state.ledger.first_use(exchange.organization.id, client.id, identity, float(expires)):
        return "this jti was used before"
    return None


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
