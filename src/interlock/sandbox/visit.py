"""One request to the FHIR API of a hospital: who asks, what this client may do, and what is declared at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from interlock.fhir.scopes import covers
from interlock.sandbox.declared import DeclaredType
from interlock.sandbox.exchange import Exchange, Grant
from interlock.sandbox.hospital import Hospital
from interlock.sandbox.replies import RefusalError
from interlock.sandbox.store import Version

#: A FHIR id (R4 datatypes.html#id).
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Visit:
    """A client with a token at a hospital.

    :ivar client: tells one client's exports from another's.
    """

    exchange: Exchange
    hospital: Hospital
    grant: Grant
    client: str

    @property
    def base(self) -> str:
        """The FHIR base URL as this client sees it."""
        return self.exchange.base

    def type(self, kind: str) -> DeclaredType:
        """What is declared of a type.

        :raises RefusalError: 404, nothing is.
        """
        declared = self.hospital.declared.types.get(kind)
        if declared is None:
            raise RefusalError(404, "not-supported", f"this server does not know the type {kind}")
        return declared

    def require(self, kind: str, interaction: str) -> DeclaredType:
        """What is declared of a type that has this interaction.

        :raises RefusalError: 405 without it, with the methods that there are.
        """
        declared = self.type(kind)
        if interaction not in declared.interactions:
            words = f"the statement declares no {interaction} of {kind}"
            raise RefusalError(405, "not-supported", words, {"Allow": allowed_methods(declared.interactions)})
        return declared

    def demand(self, kind: str, interaction: str, version: Version | None = None) -> None:
        """Let the client ask for an interaction with a type, or with this resource of it.

        :raises RefusalError: 403 with the scope that is missing (RFC 6750 section 3.1).
        """
        needed = f"system/{kind}.{_LETTERS[interaction]}"
        if not covers(self.grant.scopes, needed):
            challenge = f'Bearer realm="{self.exchange.organization.id}", error="insufficient_scope", scope="{needed}"'
            raise RefusalError(403, "forbidden", f"the token does not carry {needed}", {"WWW-Authenticate": challenge})

    def sees(self, version: Version) -> bool:
        """Whether the client's token lets it see this resource among others."""
        return covers(self.grant.scopes, f"system/{version.kind}.s") or covers(
            self.grant.scopes, f"system/{version.kind}.r"
        )


_LETTERS = {
    "create": "c",
    "read": "r",
    "vread": "r",
    "history-instance": "r",
    "update": "u",
    "patch": "u",
    "delete": "d",
    "search-type": "s",
    "history-type": "s",
}
_METHODS = {
    "read": "GET", "vread": "GET", "history-instance": "GET", "search-type": "GET", "create": "POST", "update": "PUT",
    "patch": "PATCH", "delete": "DELETE",
}  # fmt: skip


def allowed_methods(interactions: Iterable[str]) -> str:
    """The value of ``Allow`` for what a type declares."""
    methods = dict.fromkeys(_METHODS[name] for name in sorted(interactions) if name in _METHODS)
    return ", ".join([*sorted(methods), *(["HEAD"] if "GET" in methods else []), "OPTIONS"])


def arrive(exchange: Exchange) -> Visit:
    """The client behind a request's bearer token.

    :raises RefusalError: 401 without a token or with one unknown here (RFC 6750 section 3), 429 too many requests.
    """
    realm = f'Bearer realm="{exchange.organization.id}"'
    scheme, _, token = exchange.request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise RefusalError(401, "login", "a bearer token is needed", {"WWW-Authenticate": realm})
    grant = exchange.state.tokens.grant(exchange.organization.id, token)
    if grant is None:
        challenge = f'{realm}, error="invalid_token", error_description="unknown or expired"'
        raise RefusalError(401, "expired", "the token is unknown or has expired", {"WWW-Authenticate": challenge})
    hospital = exchange.state.hospital(exchange.organization)
    hospital.count_request(token)
    return Visit(exchange, hospital, grant, token)
