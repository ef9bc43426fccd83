"""Depth and number of values, told before a parser builds anything."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.documents.bounds import JsonBoundsError, check_json

pytestmark = pytest.mark.fast

_TEXTS = st.text(alphabet='[]{},:"\\ab\n\u20ac', max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=30,
)


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def nodes(value: Any) -> int:
    """Values and keys; a list or an object may count twice."""
    if isinstance(value, dict):
        return 2 + sum(1 + nodes(inner) for inner in value.values())
    return 2 + sum(map(nodes, value)) if isinstance(value, list) else 1


def refused(text: str | bytes, **bounds: Any) -> str:
    try:
        check_json(text, **bounds)
    except JsonBoundsError as error:
        return str(error)
    return ""


@given(_JSON, st.booleans(), st.sampled_from([None, 1]))
def test_the_depth_is_exact_and_the_number_of_values_is_bounded(
    value: Any, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    for form in (text, text.encode()):
        assert not refused(form, max_nodes=10**6, max_depth=depth(value))
        if depth(value):
            assert "deep" in refused(form, max_nodes=10**6, max_depth=depth(value) - 1)
        assert not refused(form, max_nodes=nodes(value) + 1)
        if len(list(_scalars(value))) > 2:
            assert "values" in refused(form, max_nodes=len(list(_scalars(value))) - 1)


def _scalars(value: Any) -> Any:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _scalars(inner)
    else:
        yield value


@pytest.mark.parametrize("text", ["[" * 50_000, '{"a":' * 50_000, '{"]]":[' * 200 + '"', "[]" * 9 + "[" * 65])
def test_what_is_never_closed_is_deep(text: str) -> None:
    assert refused(text, max_nodes=10**6, max_depth=64) == "is nested more than 64 deep"


@pytest.mark.parametrize("text", ["", '"', "]]]]", '["[[[[', "\\\\\\", '{"a\\', "\ud800[", "[}" * 9])
def test_what_is_no_json_is_left_to_the_parser(text: str) -> None:
    assert not refused(text, max_nodes=10, max_depth=64)


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"{}," * 2_700_000 + b"0]",
        b"[" + b'",",' * 2_000_000 + b"0]",
        b'{"a":"' + b'\\"' * 4_000_000 + b'"}',
        b'["' + b"[" * 8_000_000 + b'"]',
    ],
    ids=["objects", "commas in strings", "escaped quotes", "one string of brackets"],
)
def test_eight_million_bytes_are_judged_in_little_memory(text: bytes) -> None:
    tracemalloc.start()
    try:
        many = bool(refused(text, max_nodes=500_000, max_depth=100))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert many is (text.count(b"{}") > 1 or text.startswith(b'[",'))
    assert peak < 4 * len(text)
