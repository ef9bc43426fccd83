"""What to ask next, and how much is done."""

from __future__ import annotations

from typing import Any

from interlock.model.base import Scope
from interlock.model.questionnaire import Questionnaire, Response
from interlock.questionnaire.progress import AreaCount, counts, next_question
from interlock.questionnaire.visibility import visible


def response(status: str) -> Response:
    more: dict[str, Any] = {"answered": {"value": True}, "not_applicable": {"reason": "none here"}}.get(status, {})
    return Response.model_validate({"status": status, **more})


def form(name: str, *items: tuple[str, str, str]) -> Questionnaire:
    return Questionnaire.model_validate(
        {
            "id": name,
            "version": "1",
            "title": name.title(),
            "items": [
                {"id": f"{name}.{key}", "type": "boolean", "text": "?", "priority": priority, "scope": scope}
                for key, priority, scope in items
            ],
        }
    )


FORMS = (
    form("one", ("a", "full", "product"), ("b", "core", "product"), ("c", "core", "org")),
    form("two", ("a", "core", "product"), ("b", "full", "org")),
)
ALL_SHOWN = {item.id: True for each in FORMS for item in each.questions()}


def asked(responses: dict[str, Response], **more: Any) -> list[str]:
    """The order in which questions come when each is answered."""
    order: list[str] = []
    given = dict(responses)
    arguments: dict[str, Any] = {"visibility": ALL_SHOWN, "profile": "full", **more}
    while (item := next_question(FORMS, given, **arguments)) is not None:
        order.append(item.id)
        given[item.id] = response("answered")
    return order


def test_core_comes_first_in_reading_order() -> None:
    assert asked({}) == ["one.b", "one.c", "two.a", "one.a", "two.b"]
    assert asked({}, profile="core") == ["one.b", "one.c", "two.a"]


def test_only_unanswered_questions_are_asked() -> None:
    given = {"one.b": response("unknown"), "one.c": response("not_applicable"), "two.a": response("unanswered")}
    assert asked(given) == ["two.a", "one.a", "two.b"]


def test_one_scope_at_a_time() -> None:
    assert asked({}, scope=Scope.PRODUCT) == ["one.b", "two.a", "one.a"]
    assert asked({}, scope=Scope.ORG) == ["one.c", "two.b"]


def test_hidden_and_undecided_questions_are_not_asked() -> None:
    assert asked({}, visibility={**ALL_SHOWN, "one.b": False, "two.a": None}) == ["one.c", "one.a", "two.b"]


def test_questions_appear_once_the_answer_they_wait_for_is_there() -> None:
    questionnaire = Questionnaire.model_validate(
        {
            "id": "q",
            "version": "1",
            "title": "Q",
            "items": [
                {
                    "id": "q.second",
                    "type": "boolean",
                    "text": "?",
                    "priority": "core",
                    "enable_when": [{"question": "q.first", "operator": "=", "answer": True}],
                },
                {"id": "q.first", "type": "boolean", "text": "?"},
            ],
        }
    )
    responses: dict[str, Response] = {}
    first = next_question([questionnaire], responses, visible([questionnaire], responses), "full")
    assert first is not None and first.id == "q.first"
    responses["q.first"] = response("answered")
    second = next_question([questionnaire], responses, visible([questionnaire], responses), "full")
    assert second is not None and second.id == "q.second"


def test_counts() -> None:
    given = {
        "one.a": response("answered"),
        "one.b": response("unknown"),
        "one.c": response("not_applicable"),
        "two.b": response("unanswered"),
    }
    first, second = counts(FORMS, given, ALL_SHOWN)
    assert first == AreaCount("one", "One", answered=1, unknown=1, not_applicable=1)
    assert (first.asked, first.done) == (3, 3)
    assert second == AreaCount("two", "Two", unanswered=2)
    assert (second.asked, second.done) == (2, 0)


def test_counts_of_hidden_and_undecided_questions() -> None:
    given = {"one.a": response("answered")}
    (first, _) = counts(FORMS, given, {**ALL_SHOWN, "one.a": False, "one.b": None})
    assert first == AreaCount("one", "One", hidden=1, undecided=1, unanswered=1)
    assert first.asked == 1


def test_counts_of_a_profile_and_a_scope_leave_empty_areas_out() -> None:
    assert counts(FORMS, {}, ALL_SHOWN, "core", Scope.ORG) == (AreaCount("one", "One", unanswered=1),)
    assert [area.id for area in counts(FORMS, {}, ALL_SHOWN, "full", Scope.ORG)] == ["one", "two"]
