"""Evaluating again after a change gives what deciding anew gives."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from rule_examples import (
    NOT_APPLICABLE,
    UNKNOWN,
    answered,
    boolean,
    choice,
    contract,
    fit,
    form,
    observation,
    organization,
    rule,
    ruleset,
    several,
)

from interlock.content.compile import compile_rules, needs_of
from interlock.content.messages import fill, show
from interlock.content.syntax import parse
from interlock.judge.context import Knowledge, SubjectContext
from interlock.judge.engine import conclude, finding
from interlock.judge.evaluate import Evaluator
from interlock.judge.variables import RuleInputs, wanted_names
from interlock.model.finding import Finding
from interlock.model.response import Response
from interlock.model.rule import Ruleset
from tiers import rounds

QUESTIONS = form(
    choice("a.first", "product"),
    several("a.second", "product"),
    boolean("a.deep.third", "product"),
    choice("b.first"),
    several("b.second"),
    boolean("b.third"),
    {"id": "c.text", "type": "string", "text": "?", "scope": "org"},
    boolean("d.sso", auto_answer=[{"when": "probe.smart.capabilities.exists(c, c == 'sso')", "value": True}]),
    several("d.kinds", auto_answer=[{"when": "checks['SMART-001'] == 'fail'", "value": "none"}]),
)
CONDITIONS = (
    ("product", "responses.a.first == 'none'", {"measures": "a.first"}),
    ("product", "value.a.second < 0.5 || responses.a.deep.third == false", {}),
    ("product", "has(responses.a.first) && !has(responses.a.deep.third)", {}),
    ("product", "!has(responses.a.deep.third)", {"message": "Of {fleet.organizations}: {responses.a.second}"}),
    ("product", "responses.a.size() < 2", {}),
    ("product", "fleet.organizations > 2", {"applies": "contract.launch.modes.exists(m, m == 'ehr')"}),
    ("vendor", "responses.a.first == 'some' && organizations.exists(o, o.environment == 'sandbox')", {}),
    ("vendor", "vendor == 'epic'", {"vendors": ["epic"], "applies": "responses.a.deep.third"}),
    (
        "org",
        "responses.b.first == 'none' || responses.a.first == 'none'",
        {"message": "{org.name}: {responses.b.first}"},
    ),
    ("org", "value.b.first <= 0.5", {"applies": "responses.b.third", "measures": "b.first"}),
    ("org", "responses.b.second.exists(o, o == 'some') && probe.smart.capabilities.size() == 0", {}),
    ("org", "has(probe.smart) && !has(responses.b.third)", {}),
    ("org", "checks['SMART-001'] == 'fail' || responses.c.text == 'x'", {"message": "{responses.c.text}"}),
    ("org", "fit.missing.size() > 0 || org.environment == 'sandbox'", {"vendors": ["epic", "oracle"]}),
    ("org", "responses.a.second == responses.b.second", {"applies": "value.a.deep.third > 0.0"}),
    ("org", "responses.c.text + 1 == 2", {}),
    ("org", "responses.b == responses.c", {}),
    ("org", "contract.inputs.exists(i, org.id in i.organizations)", {"message": "{org.id}"}),
    ("org", "contract.inputs.exists(i, org.id in i.organizations) || org.id == 'org1'", {}),
    ("org", "contract.inputs.exists(i, i.organizations.exists(o, o == org.id))", {}),
    ("org", "contradictions.size() > 0", {"applies": "compared > 0", "message": "{org.name}: {contradictions}"}),
    ("org", "responses.d.sso == false || 'd.kinds' in contradictions", {}),
    ("org", "'SMART-001' in checks && checks['SMART-001'] == 'pass'", {}),
    ("org", "checks.exists(id, checks[id] == 'fail')", {}),
    ("org", "contract.inputs.exists(i, fit.missing.exists(m, m == i.resource))", {}),
    ("org", "contract.inputs.exists(i, !i.optional && i.organizations.all(o, o != org.id))", {}),
    ("product", "contract.inputs.filter(i, i.optional).exists(i, i.resource == 'Patient')", {}),
    ("product", "contract.inputs.all(i, has(i.resource)) && contract.inputs.exists_one(i, true)", {}),
    ("product", "contract.launch.exists(key, key == 'modes')", {}),
)
RULES: Ruleset = ruleset(
    *(
        rule(condition, f"TEST-{number:03d}", scope=scope, **more)
        for number, (scope, condition, more) in enumerate(CONDITIONS)
    )
)


def in_words(context: SubjectContext, name: str) -> str:
    return show(context.lookup(name))


def plain(rules: Ruleset, inputs: RuleInputs) -> tuple[Finding, ...]:
    """Every rule on every subject, nothing remembered."""
    compiled = compile_rules(rules)
    found = []
    for known in Knowledge(inputs):
        context = known.context({}, known.answers)
        for checked in compiled:
            if checked.rule.scope is not known.subject.scope:
                continue
            if checked.rule.vendors and known.vendor not in checked.rule.vendors:
                continue
            message = fill(checked.rule.message, partial(in_words, context))
            found.append(finding(checked, context.subject, conclude(checked, context), message))
    return tuple(sorted(found, key=lambda made: (made.rule, str(made.subject))))


def some_response(item_id: str, chance: random.Random) -> Response | None:
    values: dict[str, list[Any]] = {
        "choice": ["none", "some", "all", "gone"],
        "multi_choice": [("none",), ("some",), ("some", "all"), ()],
        "boolean": [True, False],
        "string": ["x", "y"],
    }
    kind = next(item.type.value for item in QUESTIONS.questions() if item.id == item_id)
    evidence = chance.choice(["asserted", "documented", "observed"])
    unanswered = Response.model_validate({"status": "unanswered"})
    return chance.choice(
        [*(answered(value, evidence) for value in values[kind]), UNKNOWN, NOT_APPLICABLE, unanswered, None]
    )


def edited(inputs: RuleInputs, chance: random.Random) -> RuleInputs:
    """The inputs with one thing changed."""
    kind = chance.choice(["product"] * 4 + ["own"] * 5 + ["hidden", "observation", "fit", "contract", "organizations"])
    orgs = [one.id for one in inputs.organizations]
    items = [item.id for item in QUESTIONS.questions()]
    if kind == "product":
        item = chance.choice(items)
        return replace(inputs, product=put(inputs.product, item, some_response(item, chance)))
    if kind == "organizations":
        numbers = chance.sample(range(5), chance.randint(0, 5))
        vendors, places = ("epic", "oracle", "other"), ("sandbox", "production")
        return replace(
            inputs,
            organizations=tuple(
                organization(f"org{n}", vendor=chance.choice(vendors), environment=chance.choice(places))
                for n in numbers
            ),
        )
    if kind == "contract":
        modes = chance.choice([None, ["ehr"], ["backend"]])
        some = tuple(f"org{n}" for n in chance.sample(range(5), chance.randint(0, 2)))
        need = {"resource": "Patient", "purpose": "p", "surface": "per_organization", "organizations": some}
        return replace(inputs, contract=contract(launch={"modes": modes}, inputs=[need]) if modes else None)
    if not orgs:
        return inputs
    org = chance.choice(orgs)
    if kind == "own":
        item = chance.choice(items)
        own = put(inputs.by_org.get(org, {}), item, some_response(item, chance))
        return replace(inputs, by_org={**inputs.by_org, org: own})
    if kind == "hidden":
        name = chance.choice(["", org])
        return replace(inputs, hidden={**inputs.hidden, name: frozenset(chance.sample(items, chance.randint(0, 3)))})
    if kind == "fit":
        matches = chance.choice([(), (("resource", "Patient", "missing"),), (("resource", "Patient", "supported"),)])
        return replace(inputs, fits={**inputs.fits, org: fit(org, *matches, observed=chance.random() < 0.7)})
    outcome = chance.choice(["observed", "not_observed"])
    facts = {"smart": {"capabilities": chance.choice([[], ["sso"]])}} if outcome == "observed" else {}
    seen = observation(org, outcome, checks={"SMART-001": chance.choice(["pass", "fail", "not_observed"])}, **facts)
    return replace(inputs, observations={**inputs.observations, org: seen})


def put(responses: Any, item: str, response: Response | None) -> dict[str, Response]:
    kept = {key: value for key, value in responses.items() if key != item}
    return kept if response is None else {**kept, item: response}


@pytest.mark.parametrize("seed", range(rounds(5, 12)))
def test_any_sequence_of_changes_gives_what_deciding_anew_gives(seed: int) -> None:
    chance = random.Random(seed)
    again = Evaluator(RULES, [QUESTIONS])
    inputs = RuleInputs(
        questionnaires=(QUESTIONS,), organizations=(organization("org0"), organization("org1", vendor="oracle"))
    )
    outcomes = set()
    for _ in range(120):
        for _ in range(chance.randint(1, 3)):
            inputs = edited(inputs, chance)
        found = again.findings(inputs)
        assert found == plain(RULES, inputs)
        outcomes |= {made.outcome.value for made in found}
    assert outcomes >= {"met", "gap", "unknown", "not_applicable"}


def test_forgetting_everything_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlock.judge.evaluate.MAX_REMEMBERED", 3)
    inputs = RuleInputs(questionnaires=(QUESTIONS,), organizations=(organization("org0"), organization("org1")))
    again = Evaluator(RULES, [QUESTIONS])
    assert again.findings(inputs) == again.findings(inputs) == plain(RULES, inputs)


def test_one_rule_on_one_subject_is_what_all_of_them_say_there() -> None:
    chance = random.Random(1)
    inputs = RuleInputs(questionnaires=(QUESTIONS,), organizations=(organization("org0"),))
    for _ in range(60):
        inputs = edited(inputs, chance)
    again = Evaluator(RULES, [QUESTIONS])
    compiled = {checked.rule.id: checked for checked in compile_rules(RULES)}
    for made in plain(RULES, inputs):
        conclusion = next(again.conclude(made.rule, made.subject, [inputs]))
        assert finding(compiled[made.rule], made.subject, conclusion, made.message) == made


@pytest.mark.parametrize(
    ("condition", "needed"),
    [
        (
            "contract.inputs.exists(i, !i.optional && i.resource in fit.missing)",
            {"inputs": {"[]": {"optional": {}, "resource": {}}}},
        ),
        (
            "contract.inputs.exists(i, i.organizations.exists(o, o == 'x'))",
            {"inputs": {"[]": {"organizations": {"[]": {}}}}},
        ),
        ("contract.inputs.filter(i, i.optional).size() > 0", {"inputs": {}}),
        ("contract.inputs.exists(i, true)", {"inputs": {"[]": {}}}),
        ("contract.inputs.exists(i, i.optional) || contract.inputs.size() == 0", {"inputs": {}}),
        ("'review' in contract || 'a.b' in contract.launch", {"review": {}, "launch": {}}),
    ],
)
def test_a_condition_is_given_no_more_of_a_list_or_map_than_it_looks_at(condition: str, needed: object) -> None:
    assert wanted_names(needs_of(parse(condition)))["contract"] == needed
