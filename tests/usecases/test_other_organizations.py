"""What is asked at one organisation changes nothing at another, and what nobody knows claims nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from interlock.cli.main import run
from interlock.content.rulesets import load_ruleset
from interlock.documents.resources import data_dir
from interlock.judge.lint.proofs import best_answer, worst_answers
from interlock.model.base import GapClass, Gate, RuleOutcome, Scope, Status, VerdictValue
from interlock.model.organization import Organization
from interlock.model.questionnaire import Item
from interlock.model.response import AnswerValue, Response
from interlock.usecases.initialize import initialize
from interlock.usecases.judge import asked, judge
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.opening import open_workspace

#: Asked at each organisation about the contract.
ASKED_THERE = (
    "boundary.action_capacity",
    "contract.clinical_owner",
    "contract.event_signed",
    "contract.version_agreed",
    "contract.step_differences",
    "contract.recipient",
)
VOTING_THERE = {
    "contract.clinical_owner": "WF-014",
    "contract.event_signed": "WF-056",
    "contract.version_agreed": "WF-057",
}


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """The sample that is ready, its organisation observed."""
    root = initialize(tmp_path_factory.mktemp("ready") / "ready", "ready").root
    assert run(["probe", "--all", "--workspace", str(root)]) == 0
    return load_inputs(open_workspace(root))


@pytest.fixture
def sepsis(tmp_path: Path) -> Inputs:
    return load_inputs(initialize(tmp_path / "sepsis", "sepsis"))


def given(value: AnswerValue) -> Response:
    return Response(status=Status.ANSWERED, value=value)


def outcomes(inputs: Inputs) -> dict[str, RuleOutcome]:
    return {finding.key: finding.outcome for finding in judge(inputs).findings}


def joined(inputs: Inputs, vendor: str) -> Inputs:
    """The same with one more organisation, about which nothing is said."""
    return replace(
        inputs, organizations=(*inputs.organizations, Organization(id="southgate", name="Southgate", vendor=vendor))
    )


def answered(inputs: Inputs, org: str, best: bool) -> Inputs:
    """The same with the best or the worst answer to everything that is asked at an organisation."""
    for item in asked(inputs, org):
        value = best_answer(item) if best else next(iter(worst_answers(item)), None)
        if value is not None:
            inputs = inputs.with_response(org, item.id, given(value))
    return inputs


@pytest.mark.parametrize("vendor", ["epic", "oracle", "other"])
def test_readying_hospital_two_never_unreadies_hospital_one(ready: Inputs, vendor: str) -> None:
    def first(inputs: Inputs) -> tuple[object, ...]:
        own = judge(inputs).readiness[0]
        assert own.org == "northgate"
        return own.stage, own.stage_if_unknowns_hold, own.verdict, own.latest_verdict, own.recommendation, own.score

    alone = first(ready)
    assert alone[0] is not None
    two = joined(ready, vendor)
    assert first(two) == alone
    for best in (False, True):
        assert first(answered(two, "southgate", best)) == alone
    for item in ASKED_THERE:
        proposed = two.with_response("product", item, given(worst_answers(two.content.items[item])[0]))
        assert first(proposed) == alone, "what the product proposes does not reach an organisation that has answered"


def test_no_requirement_of_the_product_depends_on_how_many_organisations_there_are() -> None:
    """But one: a second authorization server is what makes mixing up two of them possible (RFC 9207)."""
    rules = load_ruleset(data_dir("rulesets") / "core").rules
    reading = [
        rule.id
        for rule in rules
        if rule.scope is Scope.PRODUCT
        and rule.gap_class is not GapClass.ADVICE
        and "fleet." in f"{rule.applies} {rule.gap_when}"
    ]
    assert reading == ["AUTH-008"]


def test_what_fhir_does_not_have_is_a_gap_before_there_is_an_organisation(tmp_path: Path) -> None:
    inputs = load_inputs(initialize(tmp_path / "ready", "ready"))
    assert inputs.contract is not None
    first = inputs.contract.inputs[0]
    wrong = inputs.contract.but(inputs=(first.but(resource="Pateint"), *inputs.contract.inputs[1:]))
    alone = replace(inputs, organizations=(), observations={}, by_org={}, contract=wrong)
    (finding,) = [finding for finding in judge(alone).findings if finding.rule == "FIT-018"]
    assert finding.outcome is RuleOutcome.GAP and "Pateint" in finding.message


@pytest.mark.parametrize(("item", "rule"), VOTING_THERE.items())
def test_what_one_hospital_has_not_agreed_to_holds_back_that_hospital_alone(
    sepsis: Inputs, item: str, rule: str
) -> None:
    at_riverside, at_lakeshore = f"{rule}@riverside", f"{rule}@lakeshore"
    assert {outcomes(sepsis)[at_riverside], outcomes(sepsis)[at_lakeshore]} == {RuleOutcome.MET}
    asked_item = sepsis.content.items[item]
    worst = worst_answers(asked_item)[0]
    changed = sepsis.with_response("lakeshore", item, given(worst))
    assert (outcomes(changed)[at_riverside], outcomes(changed)[at_lakeshore]) == (RuleOutcome.MET, RuleOutcome.GAP)
    before, after = ({own.org: own for own in judge(inputs).readiness} for inputs in (sepsis, changed))
    assert after["lakeshore"].verdict is VerdictValue.DEFINE_CONTRACT
    assert {org: own for org, own in after.items() if org != "lakeshore"} == {
        org: own for org, own in before.items() if org != "lakeshore"
    }


@pytest.mark.parametrize(("item", "rule"), VOTING_THERE.items())
def test_the_products_answer_is_a_proposal_until_the_organisation_confirms_it(
    sepsis: Inputs, item: str, rule: str
) -> None:
    best = best_answer(sepsis.content.items[item])
    assert best is not None
    proposed = sepsis.with_response("product", item, given(best)).with_response("lakeshore", item, None)
    assert outcomes(proposed)[f"{rule}@lakeshore"] is RuleOutcome.UNKNOWN
    assert outcomes(proposed.with_response("lakeshore", item, given(best)))[f"{rule}@lakeshore"] is RuleOutcome.MET


def test_without_an_organisation_the_product_still_has_to_write_its_event_down(ready: Inputs) -> None:
    alone = replace(ready, organizations=(), observations={})
    assert judge(alone).verdict.value is VerdictValue.INTEGRATE
    slogan = judge(alone.with_response("product", "contract.clinical_event", given("slogan"))).verdict
    assert (slogan.value, slogan.latest) == (VerdictValue.DEFINE_CONTRACT, VerdictValue.DEFINE_CONTRACT)
    silent = judge(alone.with_response("product", "contract.clinical_event", None)).verdict
    assert (silent.value, silent.latest) == (VerdictValue.DEFINE_CONTRACT, VerdictValue.INTEGRATE)
    unversioned = judge(alone.with_response("product", "contract.versioned", given("slides"))).verdict
    assert unversioned.value is VerdictValue.DEFINE_CONTRACT


@pytest.mark.parametrize("depth", ["assumed", None])
def test_advice_about_depth_decides_nothing(ready: Inputs, depth: str | None) -> None:
    """BND-007 argues for proving the value outside the EHR, and is only advice."""
    response = None if depth is None else given(depth)
    deep = judge(ready.with_response("product", "boundary.embedding_depth", response))
    plain = judge(ready)
    assert outcomes(ready.with_response("product", "boundary.embedding_depth", response))["BND-007"] is not (
        RuleOutcome.MET
    )
    assert (deep.verdict, deep.product_score, deep.readiness) == (plain.verdict, plain.product_score, plain.readiness)


def unknown_options(inputs: Inputs) -> Iterator[tuple[Item, AnswerValue]]:
    for item in inputs.content.items.values():
        for option in item.options:
            if option.unknown:
                yield item, item.as_answer(option.value)


def test_an_option_that_says_nobody_knows_is_judged_as_the_status_unknown_is(sepsis: Inputs) -> None:
    """The written contract, a message among its outputs, so that every such question is asked."""
    inputs = sepsis.with_response("product", "contract.writes", given(("observation", "note", "message_task", "order")))
    options = list(unknown_options(inputs))
    own = {"boundary.workflow_settled", "boundary.upstream_model", "contract.resource_gaps"}
    assert {item.id for item, _ in options} >= own | {"contract.local_extensions", "contract.recipient"}
    for item, value in options:
        scope = "lakeshore" if item.scope is Scope.ORG else "product"
        as_option = inputs.with_response(scope, item.id, given(value))
        as_status = inputs.with_response(scope, item.id, Response(status=Status.UNKNOWN))
        assert judge(as_option).findings == judge(as_status).findings, item.id
        assert judge(as_option).verdict == judge(as_status).verdict, item.id


@pytest.mark.parametrize(
    "item",
    [
        "boundary.blocker_named",
        "contract.resource_gaps",
        "contract.input_age",
        "contract.value_sets",
        "contract.review_basis",
        "contract.review_load",
        "contract.setting_changes",
    ],
)
def test_a_product_that_has_none_of_it_may_say_so(sepsis: Inputs, item: str) -> None:
    (rule,) = (rule for rule in sepsis.content.ruleset.rules if rule.measures == item)
    excused = Response(status=Status.NOT_APPLICABLE, reason="The product has none of it")
    assert outcomes(sepsis.with_response("product", item, excused))[rule.id] is RuleOutcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    "item", ["boundary.output_stable", "boundary.action_defined", "contract.clinical_event", "contract.clinical_owner"]
)
def test_what_every_product_has_takes_no_not_applicable(sepsis: Inputs, item: str) -> None:
    (rule,) = (rule for rule in sepsis.content.ruleset.rules if rule.measures == item)
    excused = Response(status=Status.NOT_APPLICABLE, reason="We need none")
    of_org = sepsis.content.items[item].scope is Scope.ORG
    key = f"{rule.id}@lakeshore" if of_org else rule.id
    changed = sepsis.with_response("lakeshore" if of_org else "product", item, excused)
    assert outcomes(changed)[key] is RuleOutcome.UNKNOWN


@pytest.mark.parametrize(
    ("value", "expected"),
    [("not_listed", RuleOutcome.GAP), ("first_only", RuleOutcome.GAP), ("decided", RuleOutcome.MET)],
)
def test_the_states_of_a_written_output_have_to_be_decided(sepsis: Inputs, value: str, expected: RuleOutcome) -> None:
    rule = next(rule for rule in sepsis.content.ruleset.rules if rule.id == "WF-058")
    assert rule.gate is Gate.PILOT
    assert outcomes(sepsis.with_response("product", "contract.output_states", given(value)))["WF-058"] is expected
    reads_only = sepsis.with_response("product", "contract.writes", given(("nothing",)))
    assert outcomes(reads_only)["WF-058"] is RuleOutcome.NOT_APPLICABLE
