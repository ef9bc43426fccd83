"""One request to the FHIR API of a hospital: who asks, what this client may do, and what is declared at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from interlock.sandbox.bearer import insufficient_scope
from interlock.sandbox.declared import DeclaredType
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.grants import Grant, allows
from interlock.sandbox.hospital import Hospital, Pairs
from interlock.sandbox.matching import local, matcher
from interlock.sandbox.organizations import Document
from interlock.sandbox.parameters import values_of
from interlock.sandbox.replies import RefusalError
from interlock.sandbox.store import Version

#: A FHIR id (R4 datatypes.html#id).
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Visit:
    """A client with a token at a hospital."""

    exchange: Exchange
    hospital: Hospital
    grant: Grant

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

    def demand(self, kind: str, interaction: str, query: Pairs = ()) -> None:
        """Let the client ask for an interaction with a type.

        :raises RefusalError: 403 with the scope that is missing (RFC 6750 section 3.1).
        """
        if not allows(self.grant, interaction, kind, query=query):
            raise insufficient_scope(self.exchange, self.grant, interaction, kind)

    def may(self, interaction: str, resource: Document) -> bool:
        """Whether the client's grant reaches to this very resource."""
        kind = str(resource["resourceType"])
        return allows(self.grant, interaction, kind, resource, matches=self._matches, find=self._find)

    def sees(self, version: Version, interaction: str = "read") -> bool:
        """Whether a resource is there for this client; a deletion is where what was deleted is."""
        before = [version, *self.hospital.store.history(version.kind, version.id)]
        resource = next((known.resource for known in before if known.resource is not None), None)
        return resource is not None and self.may(interaction, resource)

    def searches(self, version: Version) -> bool:
        """Whether a search of this client finds a resource."""
        return self.sees(version, "search-type")

    def known(self, kind: str, identity: str, interaction: str = "read") -> Version:
        """The newest version of a resource that this client may do this to.

        :raises RefusalError: 404, there is none for this client; 410, it was deleted.
        """
        version = self.hospital.store.get(kind, identity)
        if version is None or not self.sees(version, interaction):
            raise RefusalError(404, "not-found", f"there is no such {kind}")
        if version.resource is None:
            raise RefusalError(410, "deleted", f"{version.address} was deleted")
        return version

    def _matches(self, resource: Document, parameter: str, value: str) -> bool:
        """Whether a resource meets one constraint of a scope, as a search would."""
        kind = str(resource["resourceType"])
        declared = self.hospital.declared.types.get(kind)
        code, _, modifier = parameter.partition(":")
        typed = (declared.parameters.get(code) if declared else None) or "token"
        try:
            return matcher(code, typed, modifier, value, self.base)(list(values_of(resource, kind, code)))
        except RefusalError:
            return False

    def _find(self, reference: str) -> Document | None:
        kind, _, identity = local(reference, self.base).partition("/")
        version = self.hospital.store.get(kind, identity)
        return version.resource if version is not None else None


_METHODS = {
    "read": "GET", "vread": "GET", "history-instance": "GET", "search-type": "GET", "create": "POST", "update": "PUT",
    "patch": "PATCH", "delete": "DELETE",
}  # fmt: skip


def allowed_methods(interactions: Iterable[str]) -> str:
    """The value of ``Allow`` for what a type declares."""
    methods = dict.fromkeys(_METHODS[name] for name in sorted(interactions) if name in _METHODS)
    return ", ".join([*sorted(methods), *(["HEAD"] if "GET" in methods else []), "OPTIONS"])
