"""What the server's statement declares: each need of the contract, by its parts."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import Detail, stop, wrong_release
from fhir_client import Organization, Resource


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
    types: dict[str, Resource] = {one["type"]: one for rest in servers for one in rest.get("resource") or []}
    here = types.get(detail.resource)
    words = f"the statement does not list {detail.kind} {detail.name} of {detail.resource}"
    if here is None:
        return ("missing" if types else "undeclared"), f"the statement does not list {detail.resource}"
    if detail.kind == "resource":
        return "supported", words
    if detail.kind == "interaction":
        listed = [one.get("code") for one in here.get("interaction") or []]
        wanted = "search-type" if detail.name == "search" else detail.name
        return _among(listed, wanted), words
    if detail.kind == "parameter":
        listed = [one.get("name") for one in here.get("searchParam") or []]
        base = detail.name.partition(":")[0].partition(".")[0]
        if detail.name not in listed and (base in listed or base.startswith("_")):
            return "undeclared", f"{words} as such; {base} is declared" if base in listed else words
        return _among(listed, detail.name), words
    if detail.kind == "operation":
        acting = [*(here.get("operation") or []), *(one for rest in servers for one in rest.get("operation") or [])]
        found = detail.name in [str(one.get("name")).lstrip("$") for one in acting]
        return ("supported" if found else "undeclared"), words
    listed = [_reference(one) for one in [*(here.get("supportedProfile") or []), here.get("profile")] if one]
    listed += [_reference(one) for one in statement.get("profile") or []]
    address, _, version = detail.name.partition("|")
    versions = [one.partition("|")[2] for one in listed if one.partition("|")[0] == address]
    if versions and version and version not in versions:
        return ("undeclared" if "" in versions else "missing"), words
    return ("supported" if versions else "missing" if listed else "undeclared"), words


def _among(listed: list[Any], wanted: str) -> str:
    return "supported" if wanted in listed else "missing" if listed else "undeclared"


def _reference(profile: Any) -> str:
    """The address of a profile; STU3 has it in a reference."""
    return str(profile.get("reference") if isinstance(profile, dict) else profile)
