"""Nothing that JSON can hold makes a parser raise, and what it returns can always be stored."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.fhir import capability, jwks, openid, smart
from tiers import rounds

TEXT = st.text(max_size=12) | st.sampled_from(
    ["\ud800", "https://[", "x" * 3000, "4.0.1", "server", "client", "$", " "]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
WORDS = st.sampled_from(
    [
        "resourceType",
        "fhirVersion",
        "kind",
        "format",
        "software",
        "implementation",
        "rest",
        "mode",
        "resource",
        "type",
        "interaction",
        "code",
        "searchParam",
        "name",
        "supportedProfile",
        "profile",
        "reference",
        "operation",
        "security",
        "service",
        "coding",
        "text",
        "extension",
        "url",
        "valueUri",
        "meta",
        "tag",
        "capabilities",
        "scopes_supported",
        "issuer",
        "jwks_uri",
        "token_endpoint",
        "grant_types_supported",
        "keys",
        "kty",
        "kid",
        "n",
        "e",
        "crv",
        "x",
        "y",
        "d",
        "code_challenge_methods_supported",
        "authorize",
        "token",
        "oauth-uris",
        "instantiates",
        "transactionMode",
    ]
)
FAMILIAR = st.recursive(
    JSON, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5), max_leaves=20
)


def parse_all(document: object) -> None:
    statement = capability.parse(document)
    statement.model_dump_json()
    smart.parse(document, "https://ehr.example/fhir").model_dump_json()
    openid.parse(document).model_dump_json()
    jwks.parse(document).model_dump_json()
    fallback = smart.from_oauth_uris(statement)
    assert fallback is None or fallback.source == "oauth-uris"


@settings(max_examples=rounds(80, 250))
@given(FAMILIAR)
def test_arbitrary_json(document: object) -> None:
    parse_all(document)


@cache
def recorded(servers: Path) -> list[Any]:
    """Every recorded document, its lists cut to three entries so that a mutation is likely to be read."""
    return [pruned(json.loads(path.read_bytes())) for path in sorted(servers.glob("*/*.json"))]


def pruned(value: Any) -> Any:
    if isinstance(value, list):
        return [pruned(entry) for entry in value[:3]]
    return {key: pruned(entry) for key, entry in value.items()} if isinstance(value, dict) else value


@settings(max_examples=rounds(50, 150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_recordings(servers: Path, data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(recorded(servers))))
    for _ in range(data.draw(st.integers(1, 3))):
        mutate(document, data)
    parse_all(document)


def mutate(document: Any, data: st.DataObject) -> None:
    at = document
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(at[key], dict | list) and data.draw(st.integers(0, 3)):
            at = at[key]
            continue
        at[key] = data.draw(JSON)
        return


@pytest.mark.parametrize("document", [float("nan"), float("inf"), {"rest": [{"resource": [[[]]]}]}, {"keys": [None]}])
def test_odd_values(document: object) -> None:
    parse_all(document)


def test_nested_deeply() -> None:
    document: Any = {}
    for _ in range(800):
        document = {"rest": [document], "extension": [document], "meta": document}
    parse_all(document)
