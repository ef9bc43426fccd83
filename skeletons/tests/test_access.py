"""What is refused: without a token everything, with one what the contract does not have."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from fhir_client import FHIR_JSON, Client, Organization, Resource

#: How many types outside the contract are asked for.
OUTSIDE = 3


def test_without_a_token_is_refused(server: Organization, statement: Resource, input_name: str) -> None:
    """Nobody reads without a token. One count is asked for, and its body is not looked at.

    The refusal of a type that the server does not have tells nothing, nor does an answer such as 404.
    """
    kind = server.need("input", input_name)["resource"]
    answer = server.send("GET", f"{server.base}/{kind}?_summary=count", headers={"Accept": FHIR_JSON})
    assert not answer.is_success, f"{kind} answers {answer.status_code} to a reader without a token"
    listed = [one.get("type") for rest in statement.get("rest") or [] for one in rest.get("resource") or []]
    if listed and kind not in listed:
        pytest.skip(f"the statement does not list {kind}, so that its refusal tells nothing")
    if answer.status_code not in (401, 403):
        pytest.skip(f"{kind} answers {answer.status_code}, which neither gives nor refuses")


def test_type_outside_the_contract_is_refused(client: Client, statement: Resource, patient: str) -> None:
    """The token opens what the contract has, and no more (least privilege)."""
    own = {need["resource"] for side in ("input", "output") for need in client.organization.needs(side).values()}
    listed = [one for rest in statement.get("rest") or [] for one in rest.get("resource") or []]
    outside = [
        one["type"]
        for one in listed
        if one["type"] not in own
        and "search-type" in [entry.get("code") for entry in one.get("interaction") or []]
        and "patient" in [entry.get("name") for entry in one.get("searchParam") or []]
    ]
    if not outside:
        pytest.skip("the server declares no other type that belongs to patients")
    headers = {"Authorization": f"Bearer {client.token.value}", "Accept": FHIR_JSON}
    base = client.organization.base
    for kind in outside[:OUTSIDE]:
        answer = client.organization.send("GET", f"{base}/{kind}?patient={quote(patient)}&_count=1", headers=headers)
        assert answer.status_code in (401, 403), f"{kind} is not of the contract and answers {answer.status_code}"
