"""What the server's statement declares: each need of the contract, by its parts."""

from __future__ import annotations

import json

import pytest

from conftest import Detail, stop, wrong_release
from fhir_client import Organization, Resource

#: Where a statement says whether an update has to name the version that it replaces (valueset-versioning-policy).
_VERSIONS = ("versioning", "versioned-update", "no-version")


def test_is_of_the_contracts_release(
    request: pytest.FixtureRequest, organization: Organization, statement: Resource
) -> None:
    """A server of another release answers other questions: the run ends here, unless --any-release is given."""
    words = wrong_release(organization, statement)
    if words and not request.config.getoption("--any-release"):
        stop(request, f"{words}; --any-release goes on")
    assert not words, words


def test_is_declared(server: Organization, statement: Resource, detail: Detail) -> None:
    """A statement that lists such things lists this one; one that is silent is to be asked about."""
    outcome, words = _declared(statement, detail)
    if outcome == "undeclared" or (outcome == "missing" and detail.optional):
        pytest.skip(f"{words}; {'the contract can do without' if detail.optional else 'ask the organisation'}")
    assert outcome == "supported", words


def _declared(statement: Resource, detail: Detail) -> tuple[str, str]:
    """``supported``, ``missing`` from a list that is there, or ``undeclared``; and what was looked for, in words."""
    servers = [rest for rest in statement.get("rest") or [] if rest.get("mode") == "server"]
    types = [one for rest in servers for one in rest.get("resource") or []]
    here = [one for one in types if one.get("type") == detail.resource]
    words = f"the statement does not list {detail.kind} {detail.name} of {detail.resource}"
    if not here:
        return ("missing" if types else "undeclared"), f"the statement does not list {detail.resource}"
    if detail.kind == "resource":
        return "supported", words
    if detail.kind == "interaction":
        wanted = "search-type" if detail.name == "search" else detail.name
        return _among(_of(here, "interaction", "code"), wanted), words
    if detail.kind == "parameter":
        listed = _of([*here, *servers], "searchParam", "name")
        base = detail.name.partition(":")[0].partition(".")[0]
        if detail.name not in listed and (base in listed or base.startswith("_")):
            return "undeclared", f"{words} as such; {base} is declared" if base in listed else words
        return _among(listed, detail.name), words
    if detail.kind == "operation":
        found = detail.name in [name.lstrip("$") for name in _of([*here, *servers], "operation", "name")]
        return ("supported" if found else "undeclared"), words
    if detail.kind == "condition":
        return _condition(detail.name, here)
    listed = [str(profile) for one in here for profile in one.get("supportedProfile") or []]
    address, _, version = detail.name.partition("|")
    versions = [one.partition("|")[2] for one in listed if one.partition("|")[0] == address]
    if versions and version and version not in versions:
        return ("undeclared" if "" in versions else "missing"), words
    return ("supported" if versions else "missing" if listed else "undeclared"), words


def _condition(name: str, here: list[Resource]) -> tuple[str, str]:
    """``If-None-Exist`` by conditionalCreate, ``If-Match`` by versioning; what is not said is to be asked about."""
    sent = "create" if name == "If-None-Exist" else "update"
    if sent not in _of(here, "interaction", "code"):
        return "undeclared", f"the statement lists no {sent}, under whatever condition"
    told, yes, no = ("conditionalCreate", True, False) if sent == "create" else _VERSIONS
    said = [one[told] for one in here if told in one]
    words = f"of {name} the statement says {told} {json.dumps(said[0])}" if said else f"{told} is not said"
    return ("supported" if yes in said else "missing" if no in said else "undeclared"), words


def _among(listed: list[str], wanted: str) -> str:
    return "supported" if wanted in listed else "missing" if listed else "undeclared"


def _of(entries: list[Resource], members: str, name: str) -> list[str]:
    """The codes or names of what entries of a statement list."""
    return [str(one.get(name)) for entry in entries for one in entry.get(members) or []]
