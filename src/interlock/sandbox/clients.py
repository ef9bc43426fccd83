"""The clients that each simulated organisation knows: registered by a test, by a rehearsal, or by themselves."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from interlock.sandbox.client import CLIENT_ID, CLIENT_SECRET, REGISTERED_SCOPE, client_key

#: How a client proves itself at the token endpoint; ``none`` is a public client (RFC 7591 section 2).
Method = Literal["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
GrantType = Literal["authorization_code", "refresh_token", "client_credentials"]

_MAX_CLIENTS = 500
#: A secret of fewer characters than this would be found inside of words.
_LONG = 8


@dataclass(frozen=True, slots=True)
class Client:
    """One client as one organisation has it registered.

    :ivar redirect_uris: compared as they are, character for character (RFC 9700 section 2.1).
    :ivar launch_uris: where an EHR launch begins; the first is the usual one.
    :ivar methods: the ways in which it may authenticate; only ``none`` for a public client.
    :ivar jwks: its public keys (RFC 7517), or none when they are at :attr:`jwks_uri`, or it has none.
    :ivar scopes: what it is registered for; empty stands for all that the organisation offers.
    :ivar access_seconds: lifetime of its access tokens, where it is another than usual.
    :ivar faults: names of the faults that it meets once it has signed in, with each of its access tokens.
    :ivar id_algorithm: how its ID tokens are signed (OpenID Connect Registration, ``id_token_signed_response_alg``).
    """

    id: str
    name: str = ""
    redirect_uris: tuple[str, ...] = ()
    launch_uris: tuple[str, ...] = ()
    methods: tuple[Method, ...] = ("none",)
    secret: str = field(default="", repr=False)
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    scopes: tuple[str, ...] = ()
    grant_types: tuple[GrantType, ...] = ("authorization_code", "refresh_token")
    access_seconds: float | None = None
    id_algorithm: Literal["RS256", "ES384"] = "RS256"
    faults: tuple[str, ...] = ()

    @property
    def public(self) -> bool:
        """Whether it can keep no secret."""
        return "none" in self.methods


class Clients:
    """Every organisation's register, each bounded; the sandbox's own client stands in each of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Client] = {}
        self._secrets = frozenset((CLIENT_SECRET,))

    def secrets(self) -> frozenset[str]:
        """The secrets of all clients, but for those that are shorter than any word."""
        return self._secrets

    def add(self, organization: str, client: Client) -> None:
        """Register a client, or replace the one of this id; beyond 500 there its oldest is forgotten."""
        with self._lock:
            self._known.pop((organization, client.id), None)
            self._known[organization, client.id] = client
            there = [known for known in self._known if known[0] == organization]
            if len(there) > _MAX_CLIENTS:
                del self._known[there[0]]
            secrets = (known.secret for known in self._known.values())
            self._secrets = frozenset((CLIENT_SECRET, *(secret for secret in secrets if len(secret) >= _LONG)))

    def get(self, organization: str, identity: str) -> Client | None:
        """The client of this id at this organisation, or none."""
        with self._lock:
            known = self._known.get((organization, identity))
        return own_client() if known is None and identity == CLIENT_ID else known

    def of(self, organization: str) -> tuple[Client, ...]:
        """The clients that were registered at an organisation, oldest first."""
        with self._lock:
            return tuple(client for (home, _), client in self._known.items() if home == organization)

    def origins(self, organization: str) -> frozenset[str]:
        """Origins of the browser applications of an organisation: of its public clients' redirect addresses."""
        parts = [
            urlsplit(address) for client in self.of(organization) if client.public for address in client.redirect_uris
        ]
        return frozenset(f"{part.scheme}://{part.netloc}" for part in parts if part.scheme in ("http", "https"))


@functools.cache
def own_client() -> Client:
    """The sandbox's own backend client, which every organisation knows."""
    return Client(
        id=CLIENT_ID,
        name="Interlock",
        methods=("client_secret_basic", "client_secret_post", "private_key_jwt"),
        secret=CLIENT_SECRET,
        jwks={"keys": [client_key().as_dict(private=False)]},
        scopes=(REGISTERED_SCOPE,),
        grant_types=("client_credentials",),
    )
