"""``scopes.json``: what each client asks for at each organisation, in the syntax that the server there takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interlock.contract.skeletons.base import RestsOn, named, of_contract, of_server
from interlock.contract.skeletons.names import need_names
from interlock.documents.visible import to_json
from interlock.model.facts import FhirRelease
from interlock.model.resolved import (
    ResolvedClient,
    ResolvedContract,
    ResolvedOrganization,
    ResolvedScope,
    ScopeSyntax,
)


def scopes(resolved: ResolvedContract) -> Mapping[str, str]:
    """One entry a client and organisation; reads and writes are scopes of their own, each with the needs behind it."""
    release, names = resolved.contract.fhir_release, need_names(resolved.contract)
    entries = [_entry(org, client, release, names) for org in resolved.organizations for client in org.clients]
    basis = RestsOn(
        known=(of_contract(resolved),),
        assumed=("each need is asked for with the letters of its interactions, and no type with a wildcard",),
        open=("a list of scopes need not be complete, and what is granted is decided at registration",),
    )
    return {"scopes.json": to_json({"rests_on": basis.as_data(), "clients": entries})}


def syntax_of(org: ResolvedOrganization) -> tuple[ScopeSyntax, tuple[str, ...]]:
    """Which syntax to register here, and what is open about that. Of both, v2 asks for less (SCO-02)."""
    taken = org.server.scope_syntax if org.server is not None else ()
    if not taken and org.server is not None and org.server.smart_absent:
        return "v1", ("which syntax the server takes: it has no SMART configuration, so v1, of SMART 1.0, is written",)
    if not taken:
        return "v2", ("which syntax the server takes: v2 is written here, the needs are the same in v1",)
    return ("v2" if "v2" in taken else "v1"), ()


def written(scope: ResolvedScope, syntax: ScopeSyntax) -> str:
    """A scope in one of the syntaxes."""
    return scope.v1 if syntax == "v1" else scope.v2


def _entry(
    org: ResolvedOrganization, client: ResolvedClient, release: FhirRelease, names: Mapping[str, str]
) -> dict[str, Any]:
    syntax, told = syntax_of(org)
    needs = {need.key: (names[need.key], named(need)) for need in org.needs}
    basis = of_server(org, release)
    return {
        "organization": org.id,
        "client": client.client.name,
        "mode": client.client.mode,
        "environment": client.client.environment,
        "syntax": syntax,
        "scope": " ".join(dict.fromkeys(written(scope, syntax) for scope in client.scopes)),
        "scopes": [_scope(scope, syntax, needs) for scope in client.scopes],
        "rests_on": basis._replace(open=(*basis.open, *told)).as_data(),
    }


def _scope(scope: ResolvedScope, syntax: ScopeSyntax, needs: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """A scope and the needs that it is for, by the names that the client and the tests have for them.

    ``listed_here_as``: this server lists it with a query only, so ask for that.
    """
    entry: dict[str, Any] = {"scope": written(scope, syntax), "for": scope.kind}
    if scope.needs:
        entry["needs"] = dict(needs[key] for key in scope.needs)
    if scope.narrower and syntax == "v2":
        entry["listed_here_as"] = list(scope.narrower)
        if scope.uncovered:
            entry["not_covered_by_these"] = dict(needs[key] for key in scope.uncovered)
    if syntax == "v1" and scope.kind == "write":
        entry["asks_for_more"] = "SMART 1.0 has one word for create, update and delete"
    return entry
