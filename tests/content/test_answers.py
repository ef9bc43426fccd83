"""Answers as people type them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.content.answer import parse_answer
from interlock.model.errors import InterlockError
from interlock.model.questionnaire import Item, ItemType
from interlock.model.response import Response

pytestmark = pytest.mark.fast

OPTIONS = [
    {"value": "none", "label": "None"},
    {"value": "hosted", "label": "Hosted"},
    {"value": "hosted_twice", "label": "Twice"},
    {"value": "yes", "label": "Yes"},
]


def item(kind: str, **more: Any) -> Item:
    if kind in {"choice", "multi_choice"}:
        more.setdefault("options", OPTIONS)
    if kind == "group":
        more["items"] = [{"id": "a.c", "type": "boolean", "text": "?"}]
    return Item.model_validate({"id": "a.b", "type": kind, "text": "?", **more})


BOUNDED = item("integer", min=1, max=10)
EXCLUSIVE = item("multi_choice", options=[{**OPTIONS[0], "exclusive": True}, *OPTIONS[1:]])


@pytest.mark.parametrize(
    ("asked", "raw", "expected"),
    [
        (item("choice"), "hosted", "hosted"),
        (item("choice"), " HOSTED ", "hosted"),
        (item("choice"), "yes", "yes"),
        (item("multi_choice"), "hosted_twice, none", ("none", "hosted_twice")),
        (item("multi_choice"), ["Hosted", "hosted"], ("hosted",)),
        (item("multi_choice"), ("none",), ("none",)),
        (EXCLUSIVE, "none", ("none",)),
        (item("boolean"), "Yes", True),
        (item("boolean"), "n", False),
        (item("boolean"), "TRUE", True),
        (item("boolean"), "0", False),
        (item("boolean"), 1, True),
        (item("boolean"), False, False),
        (item("integer"), " -12 ", -12),
        (item("integer"), 7, 7),
        (BOUNDED, "10", 10),
        (item("date"), "2024-02-29", "2024-02-29"),
        (item("url"), " https://example.org:8443/a?b=c#d ", "https://example.org:8443/a?b=c#d"),
        (item("url"), "HTTP://example.org", "HTTP://example.org"),
        (item("string"), "  Riverside  ", "Riverside"),
        (item("string"), "x" * 500, "x" * 500),
        (item("text"), "one\r\ntwo\tthree\n", "one\ntwo\tthree"),
        (item("text"), "x" * 10_000, "x" * 10_000),
    ],
)
def test_answers_that_fit(asked: Item, raw: Any, expected: Any) -> None:
    value = parse_answer(asked, raw)
    assert value == expected
    assert type(value) is type(expected)
    assert Response.model_validate({"status": "answered", "value": value}).value == expected


@pytest.mark.parametrize(
    ("asked", "raw", "message"),
    [
        (item("choice"), "host", "'host' is not offered"),
        (item("choice"), "hostd", "did you mean 'hosted'?"),
        (item("choice"), "", "is not offered"),
        (item("choice"), True, "'True' is not offered"),
        (item("choice"), ["none", "hosted"], "takes one answer"),
        (item("choice"), "x" * 100_000, "is not offered"),
        (item("choice"), "\x1b[31mnone", "is not offered"),
        (item("multi_choice"), "none,hots", "'hots' is not offered"),
        (item("multi_choice"), " , ", "needs at least one answer"),
        (EXCLUSIVE, "hosted,none", "'none' excludes every other answer"),
        (item("boolean"), "maybe", "neither yes nor no"),
        (item("boolean"), 2, "neither yes nor no"),
        (item("boolean"), ["yes"], "neither yes nor no"),
        (item("integer"), "1.5", "not a whole number"),
        (item("integer"), "1_000", "not a whole number"),
        (item("integer"), True, "not a whole number"),
        (item("integer"), "9" * 5000, "not a whole number"),
        (item("integer"), 2**31, "out of range"),
        (BOUNDED, "0", "out of range"),
        (BOUNDED, 11, "give a whole number from 1 to 10"),
        (item("date"), "2026-02-29", "not a date"),
        (item("date"), "20260101", "not a date"),
        (item("date"), "2026-W01-1", "not a date"),
        (item("date"), 20260101, "not a date"),
        (item("url"), "example.org", "not an absolute http or https address"),
        (item("url"), "ftp://example.org", "not an absolute"),
        (item("url"), "https://", "not an absolute"),
        (item("url"), "https://[::1", "not an absolute"),
        (item("url"), "https://example.org:port/", "not an absolute"),
        (item("url"), "https://example.org/a b", "not an absolute"),
        (item("url"), "javascript:alert(1)//https://x", "not an absolute"),
        (item("url"), "https://example.org/" + "x" * 2_000, "longer than 2,000"),
        (item("string"), "x" * 501, "501 characters long, more than 500"),
        (item("string"), "one\ntwo", "more than one line"),
        (item("string"), "bell\x07", "a control character"),
        (item("string"), "right\u202eleft", "turns the direction"),
        (item("string"), "   ", "is empty"),
        (item("text"), "x" * 10_001, "more than 10,000"),
        (item("text"), ["a"], "takes text"),
        (item("group"), "x", "is not answered itself"),
    ],
)
def test_answers_that_do_not_fit(asked: Item, raw: Any, message: str) -> None:
    with pytest.raises(InterlockError) as caught:
        parse_answer(asked, raw)
    shown = str(caught.value)
    assert message in shown
    assert shown.startswith("a.b: ")
    assert len(shown) < 400
    assert "\x1b" not in shown


def test_an_answer_that_is_not_offered_is_told_what_is() -> None:
    with pytest.raises(InterlockError, match="choose one of: none, hosted, hosted_twice, yes"):
        parse_answer(item("choice"), "other")


ANYTHING = st.one_of(st.text(max_size=60), st.booleans(), st.integers(), st.lists(st.text(max_size=10), max_size=4))


@given(kind=st.sampled_from(list(ItemType)), raw=ANYTHING)
def test_anything_is_an_answer_or_an_error_for_a_person(kind: ItemType, raw: Any) -> None:
    asked = item(kind.value)
    try:
        value = parse_answer(asked, raw)
    except InterlockError as error:
        assert error.remedy
    else:
        assert parse_answer(asked, value) == value  # what was accepted is accepted again
