"""The sandbox's client as programs outside of it have it: its key in a file, and assertions that it signs."""

from __future__ import annotations

import secrets
import time

from joserfc import jwt

from interlock.sandbox.client import CLIENT_ID, KEY_ID, REGISTERED_SCOPE, client_key
from interlock.sandbox.grants import Grant
from interlock.sandbox.server import SandboxServer


def issue_token(server: SandboxServer, org: str, scope: str = REGISTERED_SCOPE, seconds: float = 300) -> str:
    """A bearer token for reading an organisation's resources, without asking its token endpoint."""
    ledger = server._state.ledger
    now = ledger.clock()
    return ledger.add_token(Grant(org, CLIENT_ID, tuple(scope.split()), now + seconds, now))


def client_private_key_pem() -> str:
    return client_key().as_pem(private=True).decode("ascii")


def client_assertion(token_endpoint: str, *, seconds: float = 240, **claims: object) -> str:
    """A signed JWT that authenticates the client at a token endpoint (SMART 2.2 ASYM; RFC 7523 section 3).

    :param claims: replace or add claims, for requests that should be refused.
    """
    body: dict[str, object] = {
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "aud": token_endpoint,
        "exp": int(time.time() + seconds),
        "jti": secrets.token_urlsafe(16),
        **claims,
    }
    return jwt.encode({"alg": "ES384", "kid": KEY_ID, "typ": "JWT"}, body, client_key(), algorithms=["ES384"])
