"""Records of a test patient: each input is read, and the fields that the contract requires are recorded."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from conftest import by_this_token
from fhir_client import AccessDenied, Client, QuestionRefused, Resource, Unavailable, present

#: How many resources of one need are looked at.
SAMPLE = 50
#: Errors of a need that the server does not give.
NOT_READ = (AccessDenied, QuestionRefused, Unavailable)
NO_RECORD = "this patient has no such record ({}): try another --patient"


def read(client: Client, name: str, patient: str, sampled: dict[tuple[str, str], list[Resource]]) -> list[Resource]:
    """Resources of an input, asked for once."""
    by_this_token(client, name)
    if (name, patient) not in sampled:
        need = client.organization.need("input", name)
        interactions, parameters = need.get("interactions") or [], need.get("search_parameters") or []
        if "search" in interactions:
            whose = next((one for one in ("patient", "subject") if one in parameters), None)
            asked = {whose: patient} if whose else {}
            sampled[name, patient] = list(islice(client.resources(name, asked, []), SAMPLE))
        elif need["resource"] == "Patient":
            sampled[name, patient] = [client.resource("Patient", patient)]
        elif need["resource"] == "Encounter" and (visit := client.token.encounter):
            sampled[name, patient] = [client.resource("Encounter", visit)]
        else:
            pytest.skip(f"{need['resource']} is read by id alone: something else of the contract refers to it")
    return sampled[name, patient]


def test_is_read(client: Client, patient: str, sampled: Any, input_name: str) -> None:
    """The token reads records of it."""
    try:
        found = read(client, input_name, patient, sampled)
    except NOT_READ as error:
        if client.organization.need("input", input_name).get("optional"):
            pytest.skip(f"{error.happened}; the contract can do without")
        raise
    if not found:
        pytest.skip(NO_RECORD.format(input_name))


def test_field_is_recorded(
    client: Client, patient: str, sampled: Any, field: tuple[str, str], record_property: Any
) -> None:
    """At least one record of the sample has it; where not all do, a warning says how many, as does the result file."""
    name, path = field
    found = _sample(client, name, patient, sampled)
    having = sum(present(resource, path) for resource in found)
    told = f"{having} of {len(found)} records of {name} have {path}"
    record_property("recorded", told)
    assert having, told
    if having < len(found):
        warnings.warn(told, stacklevel=1)


def test_codes_are_understood(client: Client, patient: str, sampled: Any, bound: tuple[str, Any]) -> None:
    """Every record has a code that the product understands, where the contract requires one.

    Of a search that brings other things too, the code of the record itself only says which of them are meant.
    """
    name, binding = bound
    strange, found = [], _sample(client, name, patient, sampled)
    for resource in found:
        codes = set(_codes(resource, binding["path"].split(".")))
        if codes and not codes & {*binding["codes"], *(f"|{code.rpartition('|')[2]}" for code in binding["codes"])}:
            strange.append(f"{resource['resourceType']}/{resource.get('id')} has {', '.join(sorted(codes))}")
    if strange and binding["path"] == "code" and not client.organization.need("input", name).get("code"):
        if len(strange) == len(found):
            pytest.skip(f"none of {len(found)} records has one of these codes: try another --patient, or ask")
        return
    if strange and binding.get("strength", "required") != "required":
        pytest.skip(f"{len(strange)} with other codes, as the contract allows: {strange[0]}")
    assert not strange, "; ".join(strange[:5])


def _sample(client: Client, name: str, patient: str, sampled: Any) -> list[Resource]:
    try:
        found = read(client, name, patient, sampled)
    except NOT_READ as error:
        pytest.skip(f"not read: {error.happened}")
    if not found:
        pytest.skip(NO_RECORD.format(name))
    return found


def _codes(value: Any, path: list[str]) -> Iterator[str]:
    """``system|code`` of every coding at a path; of a bare code the code alone behind a bar."""
    if isinstance(value, list):
        for item in value:
            yield from _codes(item, path)
    elif path == ["code"] and isinstance(value, dict) and isinstance(value.get("code"), str):
        yield f"{value.get('system', '')}|{value['code']}"
    elif path and isinstance(value, dict):
        yield from _codes(value.get(path[0]), path[1:])
    elif isinstance(value, str):
        yield f"|{value}"
    elif isinstance(value, dict) and "coding" in value:
        yield from _codes(value["coding"], [])
    elif isinstance(value, dict) and "code" in value:
        yield f"{value.get('system', '')}|{value['code']}"
