"""``enable_when``, three-valued."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.content.visibility import hidden, visible
from interlock.model.questionnaire import Questionnaire
from interlock.model.response import Response

pytestmark = pytest.mark.fast

UNKNOWN = Response.model_validate({"status": "unknown"})
UNANSWERED = Response.model_validate({"status": "unanswered"})
NOT_APPLICABLE = Response.model_validate({"status": "not_applicable", "reason": "no such thing"})

CONTROLS: list[dict[str, Any]] = [
    {
        "id": "q.choice",
        "type": "choice",
        "text": "?",
        "options": [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}],
    },
    {
        "id": "q.several",
        "type": "multi_choice",
        "text": "?",
        "options": [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}, {"value": "c", "label": "C"}],
    },
    {"id": "q.flag", "type": "boolean", "text": "?"},
    {"id": "q.number", "type": "integer", "text": "?"},
    {"id": "q.day", "type": "date", "text": "?"},
]


def answered(value: Any) -> Response:
    return Response.model_validate({"status": "answered", "value": value})


def when(question: str, operator: str, answer: Any) -> dict[str, Any]:
    return {"question": question, "operator": operator, "answer": answer}


def decide(responses: dict[str, Response], *conditions: dict[str, Any], behavior: str = "all") -> bool | None:
    target = {
        "id": "q.target",
        "type": "text",
        "text": "?",
        "enable_when": list(conditions),
        "enable_behavior": behavior,
    }
    return visible([form([*CONTROLS, target])], responses)["q.target"]


def form(items: list[dict[str, Any]]) -> Questionnaire:
    return Questionnaire.model_validate({"id": "q", "version": "1", "title": "Q", "items": items})


@pytest.mark.parametrize(
    ("question", "operator", "answer", "response", "expected"),
    [
        ("q.choice", "=", "a", answered("a"), True),
        ("q.choice", "=", "a", answered("b"), False),
        ("q.choice", "=", "a", UNKNOWN, None),
        ("q.choice", "=", "a", UNANSWERED, None),
        ("q.choice", "=", "a", None, None),
        ("q.choice", "=", "a", NOT_APPLICABLE, False),
        ("q.choice", "!=", "a", answered("b"), True),
        ("q.choice", "!=", "a", answered("a"), False),
        ("q.choice", "!=", "a", None, None),
        ("q.choice", "!=", "a", NOT_APPLICABLE, False),
        ("q.several", "=", "a", answered(("a", "b")), True),
        ("q.several", "=", "c", answered(("a", "b")), False),
        ("q.several", "!=", "c", answered(("a", "b")), True),
        ("q.several", "!=", "a", answered(("a", "b")), False),
        ("q.flag", "=", True, answered(True), True),
        ("q.flag", "=", False, answered(True), False),
        ("q.number", "=", 1, answered(1), True),
        ("q.flag", "=", 1, answered(True), False),
        ("q.number", ">", 3, answered(4), True),
        ("q.number", ">", 3, answered(3), False),
        ("q.number", ">=", 3, answered(3), True),
        ("q.number", "<", 3, answered(3), False),
        ("q.number", "<=", 3, answered(3), True),
        ("q.number", ">", 3, answered("4"), False),
        ("q.day", "<", "2026-02-01", answered("2026-01-31"), True),
        ("q.choice", "exists", True, answered("a"), True),
        ("q.choice", "exists", True, None, False),
        ("q.choice", "exists", True, UNKNOWN, False),
        ("q.choice", "exists", True, NOT_APPLICABLE, False),
        ("q.choice", "exists", False, answered("a"), False),
        ("q.choice", "exists", False, None, True),
        ("q.choice", "exists", False, UNKNOWN, True),
    ],
)
def test_operators(question: str, operator: str, answer: Any, response: Response | None, expected: bool | None) -> None:
    responses = {} if response is None else {question: response}
    assert decide(responses, when(question, operator, answer)) is expected


@pytest.mark.parametrize(
    ("flag", "choice", "all_of", "any_of"),
    [
        (True, "a", True, True),
        (True, "b", False, True),
        (False, "a", False, True),
        (False, "b", False, False),
        (True, None, None, True),
        (False, None, False, None),
        (None, "a", None, True),
        (None, "b", False, None),
        (None, None, None, None),
    ],
)
def test_all_and_any(flag: bool | None, choice: str | None, all_of: bool | None, any_of: bool | None) -> None:
    responses = {key: answered(value) for key, value in (("q.flag", flag), ("q.choice", choice)) if value is not None}
    conditions = (when("q.flag", "=", True), when("q.choice", "=", "a"))
    assert decide(responses, *conditions) is all_of
    assert decide(responses, *conditions, behavior="any") is any_of


def nested(group_conditions: list[dict[str, Any]], child_conditions: list[dict[str, Any]]) -> Questionnaire:
    child = {"id": "q.child", "type": "boolean", "text": "?", "enable_when": child_conditions}
    after = {"id": "q.after", "type": "text", "text": "?", "enable_when": [when("q.child", "=", True)]}
    group = {"id": "q.group", "type": "group", "text": "?", "enable_when": group_conditions, "items": [child]}
    return form([*CONTROLS, group, after])


@pytest.mark.parametrize(
    ("flag", "choice", "expected"),
    [
        (True, "a", (True, True)),
        (True, "b", (True, False)),
        (False, "a", (False, False)),
        (None, "a", (None, None)),
        (None, "b", (None, False)),
        (True, None, (True, None)),
        (False, None, (False, False)),
    ],
)
def test_a_hidden_group_hides_its_children(
    flag: bool | None, choice: str | None, expected: tuple[bool | None, bool | None]
) -> None:
    responses = {key: answered(value) for key, value in (("q.flag", flag), ("q.choice", choice)) if value is not None}
    result = visible([nested([when("q.flag", "=", True)], [when("q.choice", "=", "a")])], responses)
    assert (result["q.group"], result["q.child"]) == expected


def test_the_answer_to_a_hidden_question_counts_for_nothing() -> None:
    questionnaire = nested([when("q.flag", "=", True)], [])
    given = {"q.child": answered(True)}
    assert visible([questionnaire], {**given, "q.flag": answered(True)})["q.after"] is True
    assert visible([questionnaire], {**given, "q.flag": answered(False)})["q.after"] is False
    assert visible([questionnaire], given)["q.after"] is None


def test_items_of_other_questionnaires_are_seen_in_any_order() -> None:
    later = Questionnaire.model_validate(
        {"id": "z", "version": "1", "title": "Z", "items": [{"id": "z.flag", "type": "boolean", "text": "?"}]}
    )
    target = form([{"id": "q.a", "type": "text", "text": "?", "enable_when": [when("z.flag", "=", True)]}])
    assert visible([target, later], {"z.flag": answered(True)}) == {"q.a": True, "z.flag": True}


def test_a_circle_that_no_loader_lets_through_is_undecided() -> None:
    circle = form(
        [
            {"id": "q.a", "type": "boolean", "text": "?", "enable_when": [when("q.b", "=", True)]},
            {"id": "q.b", "type": "boolean", "text": "?", "enable_when": [when("q.a", "=", True)]},
        ]
    )
    assert visible([circle], {"q.a": answered(True), "q.b": answered(True)}) == {"q.a": None, "q.b": None}


def test_only_what_is_certainly_hidden_is_hidden() -> None:
    assert hidden({"a.b": True, "a.c": False, "a.d": None}) == frozenset({"a.c"})
