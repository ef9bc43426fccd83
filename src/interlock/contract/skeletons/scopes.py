"""``scopes.json``: what each client asks for at each organisation, in the syntax that the server there takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from interlock.documents.visible import to_json
from interlock.model.resolved import (
    ResolvedClient,
    ResolvedContract,
    ResolvedOrganization,
    ResolvedScope,
    ScopeSyntax,
)


def scopes(resolved: ResolvedContract) -> Mapping[str, str]:
    """One entry a client and organisation; reads and writes are scopes of their own, each with the needs behind it."""
    entries = [_entry(org, client) for org in resolved.organizations for client in org.clients]
    return {"scopes.json": to_json({"contract_hash": resolved.contract_hash, "clients": entries})}


def syntax_of(org: ResolvedOrganization) -> tuple[ScopeSyntax, str]:
    """Which syntax to register here, and what that rests on. Of both, v2 asks for less (SCO-02)."""
    taken = org.server.scope_syntax if org.server is not None else ()
    if "v2" in taken:
        return "v2", "observed"
    return ("v1", "observed") if taken else ("v2", "open: no observation shows which syntax the server takes")


def written(scope: ResolvedScope, syntax: ScopeSyntax) -> str:
    """A scope in one of the syntaxes."""
    return scope.v1 if syntax == "v1" else scope.v2


def _entry(org: ResolvedOrganization, client: ResolvedClient) -> dict[str, Any]:
    syntax, basis = syntax_of(org)
    named = {one.key: one.need.resource + (f" ({one.need.purpose})" if one.need.purpose else "") for one in org.needs}
    return {
        "organization": org.id,
        "client": client.client.name,
        "mode": client.client.mode,
        "environment": client.client.environment,
        "syntax": syntax,
        "syntax_rests_on": basis,
        "scope": " ".join(dict.fromkeys(written(scope, syntax) for scope in client.scopes)),
        "scopes": list(_scopes(client, syntax, named)),
    }


def _scopes(client: ResolvedClient, syntax: ScopeSyntax, named: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for scope in client.scopes:
        one: dict[str, Any] = {"scope": written(scope, syntax), "for": scope.kind}
        if scope.needs:
            one["needs"] = {key: named[key] for key in scope.needs}
        if scope.narrower and syntax == "v2":
            one["listed_here_as"] = list(scope.narrower)
        yield one
