"""The one client that every simulated organisation knows. Its credentials are public by design.

They open simulated organisations with invented people on loopback, and nothing else, so there is nothing to keep
secret: the secret is a constant and the key is derived from a fixed text, the same on every machine.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from interlock.sandbox.signing import published_ec_key

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

    key = published_ec_key("interlock sandbox test client, a published key")
    return ECKey.import_key(key, {"kid": KEY_ID, "use": "sig", "alg": "ES384"})
