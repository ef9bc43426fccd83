"""The one client that every simulated organisation knows. Its credentials are public by design.

They open simulated organisations with invented people on loopback, and nothing else, so there is nothing to keep
secret: the secret is a constant and the key is derived from a fixed text, the same on every machine.
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING

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


@functools.cache
def _private_key() -> ec.EllipticCurvePrivateKey:
    # Half of a 384-bit digest is below the order of P-384, as a private value must be.
    digest = hashlib.sha384(b"interlock sandbox test client, a published key").digest()
    return ec.derive_private_key(int.from_bytes(digest, "big") >> 1, ec.SECP384R1())
