"""The one client that every simulated organisation knows. Its credentials are public by design.

They open simulated organisations with invented people on loopback, and nothing else, so there is nothing to keep
secret: the secret is a constant and the key is derived from a fixed text, the same on every machine.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
import time
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

CLIENT_ID = "interlock-sandbox"
CLIENT_SECRET = "published-sandbox-secret"  # noqa: S105  # public by design, see above
KEY_ID = "interlock-sandbox-es384"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Scopes that the client is registered for at every organisation: reading and searching, nothing else.
REGISTERED_SCOPE = "system/*.rs"


@functools.cache
def client_key() -> ECKey:
    """The client's key pair: EC P-384, for ES384 (SMART App Launch 2.2, client-confidential-asymmetric)."""
    from joserfc.jwk import ECKey  # 100 ms that only a client with keys needs

    return ECKey.import_key(_private_key(), {"kid": KEY_ID, "use": "sig", "alg": "ES384"})


def client_private_key_pem() -> str:
    """The private key as PKCS #8 PEM, for programs that read a key from an environment variable."""
    encoded = _private_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode("ascii")


def client_assertion(token_endpoint: str, *, seconds: float = 240, **claims: object) -> str:
    """A signed JWT that authenticates the client at a token endpoint (SMART 2.2 ASYM; RFC 7523 section 3).

    :param claims: replace or add claims, for requests that should be refused.
    """
    from joserfc import jwt

    body: dict[str, object] = {
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "aud": token_endpoint,
        "exp": int(time.time() + seconds),
        "jti": secrets.token_urlsafe(16),
        **claims,
    }
    return jwt.encode({"alg": "ES384", "kid": KEY_ID, "typ": "JWT"}, body, client_key(), algorithms=["ES384"])


@functools.cache
def _private_key() -> ec.EllipticCurvePrivateKey:
    # Half of a 384-bit digest is below the order of P-384, as a private value must be.
    digest = hashlib.sha384(b"interlock sandbox test client, a published key").digest()
    return ec.derive_private_key(int.from_bytes(digest, "big") >> 1, ec.SECP384R1())
