"""Which question is next, and why; and which answers would change the verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from interlock.model.base import Status, VerdictValue
from interlock.model.organization import Organization, Settings
from interlock.model.questionnaire import Questionnaire
from interlock.model.response import Response
from interlock.model.rule import Rule, Ruleset
from interlock.usecases.counterfactual import verdict_changes
from interlock.usecases.initialize import initialize
from interlock.usecases.judge import judge
from interlock.usecases.load import Content, Inputs, load_inputs
from interlock.usecases.next_questions import next_questions


def item(item_id: str, scope: str = "product", **more: Any) -> dict[str, Any]:
    options = [
        {"value": value, "label": value.title(), "weight": weight} for value, weight in (("bad", 0), ("good", 1))
    ]
    return {"id": item_id, "type": "choice", "text": f"{item_id}?", "scope": scope, "options": options, **more}


def rule(rule_id: str, gap_when: str, **more: Any) -> Rule:
    effort = {"low": 1, "expected": 2, "high": 3}
    data = {
        "id": rule_id,
        "title": rule_id,
        "scope": "product",
        "class": "gap",
        "gate": "design",
        "severity": "high",
        "gap_when": gap_when,
        "message": rule_id,
        "why": "Because.",
        "source": ["S01"],
        "remediation": {"text": "Do it", "owner": "us", "effort": effort},
        "tests": [{"given": {}, "expect": "unknown"}],
    }
    return Rule.model_validate({**data, **more})


def inputs_of(items: list[dict[str, Any]], *rules: Rule, orgs: tuple[str, ...] = (), **answers: str) -> Inputs:
    questionnaire = Questionnaire.model_validate({"id": "q", "version": "1", "title": "Q", "items": items})
    content = Content((questionnaire,), Ruleset(id="r", version="1", title="R", rules=rules), ())
    made = Inputs(
        settings=Settings(name="N", product="P", profile="full"),
        content=content,
        organizations=tuple(Organization(id=org, name=org) for org in orgs),
        product={},
        by_org={},
        contract=None,
        observations={},
        root=Path(),
    )
    for name, value in answers.items():
        made = made.with_response("product", name.replace("__", "."), given(value))
    return made


def given(value: Any) -> Response:
    return Response(status=Status.ANSWERED, value=value)


def test_the_weightiest_rule_that_waits_comes_first_and_shared_waits_count_in_part() -> None:
    inputs = inputs_of(
        [item("a.low"), item("a.half"), item("a.critical"), item("a.nothing")],
        rule("RR-001", "value.a.low < 1.0", severity="low"),
        rule("RR-002", "value.a.critical < 1.0", severity="critical"),
        rule("RR-003", "value.a.half < 1.0 && value.a.low < 1.0", severity="high"),
    )
    found = next_questions(inputs, limit=9)
    # Weights 2.5 + 10 + 7.5 = 20: the critical rule holds 50 points, the low one 12.5, and 37.5 are shared by two.
    assert [(one.item, one.points) for one in found.questions] == [
        ("a.critical", 50.0),
        ("a.low", 31.2),
        ("a.half", 18.8),
        ("a.nothing", 0.0),
    ]
    assert found.questions[0].alone == ("RR-002",)
    assert found.questions[2].because == "settles 18.8 points of the score; “RR-003” waits for it"
    assert found.questions[1].because == "settles 31.2 points of the score; 2 rules wait for it"
    assert found.questions[3].because == "no rule waits for it"
    assert found.unanswered == 4


def test_the_last_question_at_a_gate_comes_first() -> None:
    inputs = inputs_of(
        [item("a.small"), item("a.large"), item("a.larger")],
        rule("RR-001", "value.a.small < 1.0", severity="low", gate="design"),
        rule("RR-002", "value.a.large < 1.0", severity="critical", gate="sandbox"),
        rule("RR-003", "value.a.larger < 1.0", severity="critical", gate="sandbox"),
        orgs=("alder", "birch"),
    )
    first = next_questions(inputs).questions[0]
    assert (first.item, [(one.org, one.gate.value) for one in first.gates]) == (
        "a.small",
        [("alder", "design"), ("birch", "design")],
    )
    assert first.because.startswith("it alone decides the design gate of 2 organisations; settles ")
    then = inputs.with_response("product", "a.small", given("good"))
    assert next_questions(then).questions[0].item == "a.large"
    assert next_questions(then).questions[0].gates == ()


def test_a_question_that_may_not_be_asked_lends_its_weight_to_the_one_that_decides_it() -> None:
    condition = {"question": "a.control", "operator": "=", "answer": "good"}
    inputs = inputs_of(
        [item("a.plain"), item("a.control"), item("a.maybe", enable_when=[condition])],
        rule("RR-001", "value.a.plain < 1.0", severity="low"),
        rule("RR-002", "value.a.maybe < 1.0", severity="critical"),
    )
    assert [one.item for one in next_questions(inputs, limit=9).questions] == ["a.control", "a.plain", "a.maybe"]
    hidden = inputs.with_response("product", "a.control", given("bad"))
    assert [one.item for one in next_questions(hidden, limit=9).questions] == ["a.plain"]


def test_an_organisations_questions_are_asked_of_each() -> None:
    inputs = inputs_of(
        [item("o.a", "org")], rule("RR-001", "value.o.a < 1.0", scope="org"), orgs=("alder", "birch")
    ).with_response("alder", "o.a", given("good"))
    assert [(one.scope, one.item) for one in next_questions(inputs, limit=9).questions] == [("birch", "o.a")]
    assert next_questions(inputs, "alder").questions == ()
    assert next_questions(inputs.with_response("birch", "o.a", given("bad"))).unanswered == 0


def order(inputs: Inputs, scope: str | None = None) -> list[str]:
    return [one.item for one in next_questions(inputs, scope, limit=99).questions]


FIVE = [item("a.points"), item("a.auth"), item("a.both"), item("a.core", priority="core"), item("a.first")]
IN_TURN = (
    rule("RR-001", "value.a.points < 1.0", severity="critical"),
    rule("RR-002", "value.a.auth < 1.0 || value.a.both < 1.0", verdict="map_auth", severity="low"),
    rule("RR-003", "value.a.first < 1.0", verdict="product_first", severity="low", title="It moves"),
    rule("RR-004", "value.a.core < 1.0", verdict="define_contract", severity="low"),
    rule("RR-005", "value.a.both < 1.0", verdict="map_auth", severity="low"),
)


def test_what_can_make_the_verdict_earliest_comes_first() -> None:
    """Points and the order of the questionnaires would both begin with what cannot change it."""
    inputs = inputs_of(FIVE, *IN_TURN)
    assert order(inputs) == ["a.first", "a.core", "a.both", "a.auth", "a.points"]
    first, second, third, _, last = next_questions(inputs, limit=9).questions
    assert first.because == (
        "it can settle the verdict alone: “It moves” would make it “product first”; settles 12.5 points of the score"
    )
    assert second.because.startswith("the verdict waits for it: “RR-004” would make it “define the contract”; ")
    assert (third.verdict, last.verdict) == (("RR-002", "RR-005"), ())


def test_an_early_gap_settles_the_verdict_and_later_votes_no_longer_matter() -> None:
    inputs = inputs_of(FIVE, *IN_TURN, a__first="bad")
    found = next_questions(inputs, limit=9).questions
    assert [one.item for one in found] == ["a.points", "a.both", "a.core", "a.auth"]
    assert not any(one.verdict for one in found)
    assert found[0].because.startswith("the verdict is settled as “product first”; settles 50 points of the score; ")
    # A gap that argues for something later leaves open what could still be earlier.
    inputs = inputs_of(FIVE, *IN_TURN, a__core="bad")
    assert order(inputs) == ["a.first", "a.points", "a.both", "a.auth"]


def test_what_was_answered_with_unknown_is_named_at_the_end() -> None:
    unknown = {"value": "nobody", "label": "Nobody has looked", "unknown": True}
    items = [item("a.first", options=[*item("a.x")["options"], unknown]), item("a.second"), item("a.nothing")]
    votes = [
        rule("RR-001", "value.a.first < 1.0", verdict="product_first"),
        rule("RR-002", "value.a.second < 1.0", verdict="map_auth"),
    ]
    by_option = inputs_of(items, *votes, a__first="nobody")
    by_status = inputs_of(items, *votes).with_response("product", "a.first", Response(status=Status.UNKNOWN))
    for inputs in (by_option, by_status):
        assert order(inputs) == ["a.second", "a.nothing", "a.first"]
        found = next_questions(inputs, limit=9)
        assert (found.unanswered, found.unknown) == (2, 1)
        assert found.questions[2].because.startswith(
            "it was answered with unknown; it can settle the verdict alone: “RR-001” would make it “product first”"
        )


def test_a_proposal_comes_once_before_each_organisation_confirms_it() -> None:
    items = [item("o.a", "org", propose="Who do you propose?"), item("a.other")]
    rules = [
        rule("RR-001", "value.o.a < 1.0", scope="org", verdict="define_contract"),
        rule("RR-002", "value.a.other < 1.0", verdict="map_auth"),
    ]

    def asked(inputs: Inputs) -> list[tuple[str, str]]:
        return [(one.scope, one.item) for one in next_questions(inputs, limit=9).questions]

    inputs = inputs_of(items, *rules, orgs=("alder", "birch"))
    assert asked(inputs) == [("product", "o.a"), ("product", "a.other"), ("alder", "o.a"), ("birch", "o.a")]
    assert (
        next_questions(inputs)
        .questions[0]
        .because.startswith(
            "one answer is proposed to all 2 organisations, and each confirms it (or answers with --org); the verdict "
            "waits for it at alder: "
        )
    )
    proposed = inputs.with_response("product", "o.a", given("good"))
    because = next_questions(proposed).questions[0].because
    assert because.startswith("the product proposes “Good”, to be confirmed here; the verdict waits for it at alder: ")
    assert asked(proposed) == [("alder", "o.a"), ("product", "a.other"), ("birch", "o.a")]
    # One organisation that nothing holds back is enough: what is left about the others cannot change the verdict.
    confirmed = proposed.with_response("alder", "o.a", given("good"))
    assert asked(confirmed) == [("product", "a.other"), ("birch", "o.a")]
    assert [one.points > 0 for one in next_questions(inputs, "product", limit=9).questions] == [True, True]
    assert next_questions(inputs, "alder").questions[0].item == "o.a"
    assert asked(inputs_of(items, *rules, orgs=("alder",))) == [("alder", "o.a"), ("product", "a.other")]


def test_nothing_is_proposed_once_only_one_organisation_has_no_answer_of_its_own() -> None:
    rules = [rule("RR-001", "value.o.a < 1.0", scope="org")]
    inputs = inputs_of([item("o.a", "org", propose="Who do you propose?")], *rules, orgs=("alder", "birch", "cedar"))

    def asked(inputs: Inputs) -> list[str]:
        return [one.scope for one in next_questions(inputs, limit=9).questions]

    inputs = inputs.with_response("alder", "o.a", given("good"))
    assert asked(inputs) == ["product", "birch", "cedar"]
    assert next_questions(inputs).questions[0].because.startswith("one answer is proposed to 2 organisations, ")
    inputs = inputs.with_response("birch", "o.a", given("bad"))
    assert asked(inputs) == ["cedar"]
    assert asked(inputs.with_response("cedar", "o.a", given("good"))) == []


def test_of_several_organisations_the_one_nearest_to_free_is_asked_first() -> None:
    items = [item("o.a", "org"), item("o.b", "org"), item("o.plain", "org")]
    rules = [
        rule("RR-001", "value.o.a < 1.0", scope="org", verdict="map_auth"),
        rule("RR-002", "value.o.b < 1.0", scope="org", verdict="map_auth"),
        rule("RR-003", "value.o.plain < 1.0", scope="org", severity="critical"),
    ]
    inputs = inputs_of(items, *rules, orgs=("alder", "birch")).with_response("birch", "o.a", given("good"))
    found = [(one.scope, one.item) for one in next_questions(inputs, limit=9).questions]
    assert found[:3] == [("birch", "o.b"), ("alder", "o.a"), ("alder", "o.b")]
    held = inputs.with_response("birch", "o.b", given("bad"))
    assert (
        next_questions(held)
        .questions[0]
        .because.startswith("the verdict waits for it at alder: “RR-001” would make it “map the auth surface”")
    )


def changes(inputs: Inputs) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    return [
        (one.direction, one.verdict.value, [(a.item, a.before, a.after) for a in one.answers])
        for one in verdict_changes(inputs, judge(inputs))
    ]


VOTES = (
    rule("RR-001", "responses.a.one == 'bad'", verdict="product_first"),
    rule("RR-002", "responses.a.two == 'bad'", verdict="product_first"),
    rule("RR-003", "responses.a.three == 'bad' && responses.a.one == 'good'", verdict="map_auth"),
)
THREE = [item("a.one"), item("a.two"), item("a.three")]


def test_the_smallest_set_of_answers_closes_every_gap_that_holds_the_verdict_back() -> None:
    inputs = inputs_of(THREE, *VOTES, a__one="bad", a__two="bad", a__three="good")
    assert judge(inputs).verdict.value is VerdictValue.PRODUCT_FIRST
    assert changes(inputs) == [("later", "integrate", [("a.one", "Bad", "Good"), ("a.two", "Bad", "Good")])]


def test_one_answer_is_enough_to_fall_back() -> None:
    inputs = inputs_of(THREE, *VOTES, a__one="good", a__two="good", a__three="good")
    assert changes(inputs) == [("earlier", "product_first", [("a.one", "Good", "Bad")])]


def test_a_verdict_that_is_not_decided_names_the_answers_that_settle_it() -> None:
    inputs = inputs_of(THREE, *VOTES, a__one="good", a__three="good")
    assert changes(inputs) == []
    verdict = judge(inputs).verdict
    assert (verdict.value.value, verdict.latest.value, verdict.settled_by) == ("product_first", "integrate", ("a.two",))


def test_what_only_a_fact_decides_no_answer_changes() -> None:
    vote = rule("RR-001", "fleet.organizations == 0", verdict="define_contract")
    assert changes(inputs_of(THREE, vote)) == []


def test_an_organisation_is_cleared_when_the_organisations_decide() -> None:
    vote = rule("RR-001", "responses.o.a == 'bad'", scope="org", verdict="map_auth")
    inputs = inputs_of([item("o.a", "org")], vote, orgs=("alder", "birch"))
    for org in ("alder", "birch"):
        inputs = inputs.with_response(org, "o.a", given("bad"))
    (change,) = verdict_changes(inputs, judge(inputs))
    assert [(a.org, a.item, a.value) for a in change.answers] == [("alder", "o.a", "good")]
    assert change.verdict is VerdictValue.INTEGRATE


@pytest.mark.parametrize("template", ["too-early", "outside-ehr"])
def test_giving_the_answers_of_a_sample_changes_its_verdict(template: str, tmp_path: Path) -> None:
    inputs = load_inputs(initialize(tmp_path / "ws", template))
    now = judge(inputs).verdict.value
    found = verdict_changes(inputs, judge(inputs))
    assert found
    for change in found:
        changed = inputs
        for answer in change.answers:
            changed = changed.with_response(answer.org or "product", answer.item, given(answer.value))
        after = judge(changed).verdict.value
        assert after is change.verdict
        assert (after.rank > now.rank) == (change.direction == "later")


def test_judging_again_after_answers_is_judging_anew(tmp_path: Path) -> None:
    """The whole judgement of a sample, after edits, against one that remembers nothing."""
    inputs = load_inputs(initialize(tmp_path / "ws", "sepsis"))
    edits = [("boundary.output_stable", "product"), ("auth.launch_modes", "product"), *(
        (name, org.id) for org in inputs.organizations[:2] for name in ("org.write_confirmed", "org.issuer_recorded")
    )]  # fmt: skip
    for name, scope in edits:
        chosen = inputs.content.items[name]
        last: Any = chosen.options[-1].value
        value = (last,) if chosen.type.value == "multi_choice" else last
        inputs = inputs.with_response(scope, name, given(value))
        again = judge(inputs)
        fresh = replace(inputs, content=Content(inputs.content.questionnaires, inputs.content.ruleset, ()))
        anew = judge(fresh)
        assert again.findings == anew.findings
        assert again.readiness == anew.readiness
        assert (again.product_score, again.verdict) == (anew.product_score, anew.verdict)


def test_the_schema_of_next_is_published() -> None:
    from interlock.usecases.schemas import schema_of

    assert yaml.safe_load(yaml.safe_dump(schema_of("next")))["properties"].keys() == {
        "schema_version",
        "unanswered",
        "unknown",
        "questions",
        "first",
    }
