"""No conclusion outruns its evidence: better answers, learning, and answers that nobody should get away with."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from interlock.judge.lint.proofs import best_answer, worst_answers
from interlock.model import words
from interlock.model.base import Evidence, Gate, Recommendation, RuleOutcome, Status, VerdictValue
from interlock.model.evidence import EvidenceRecord
from interlock.model.finding import UNDECIDED
from interlock.model.organization import Organization
from interlock.model.questionnaire import Item, ItemType
from interlock.model.response import Response
from interlock.usecases.initialize import templates
from interlock.usecases.judge import Judgement, asked, judge
from interlock.usecases.load import Inputs
from tiers import rounds

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scoring.md"
BEGIN, END = "<!-- what answers that nobody should get away with yield -->", "<!-- end -->"
IMPROVEMENTS = rounds(150, 400)
#: The one rule for which a step forward elsewhere is a danger: an active production client without an agreement.
HAZARD = "ORG-026"
TODAY = date(2026, 12, 1)
UNKNOWN = Response(status=Status.UNKNOWN)

InputsOf = Callable[[str], Inputs]
#: Something that is said of a subject, as a range: name → (lowest, highest).
Ranges = dict[str, tuple[float, float]]


def ranges(judged: Judgement) -> Ranges:
    """Everything that is concluded as a range: scores, stages and verdicts of the product and of organisations."""

    def stage(gate: Gate | None) -> int:
        return -1 if gate is None else gate.rank

    score = judged.product_score.interval
    said: Ranges = {"score of the product": (score.low, score.high)}
    said["verdict"] = judged.verdict.value.rank, judged.verdict.latest.rank
    for own in judged.readiness:
        said[f"score of {own.org}"] = own.score.interval.low, own.score.interval.high
        said[f"stage of {own.org}"] = stage(own.stage), stage(own.stage_if_unknowns_hold)
        said[f"verdict of {own.org}"] = own.verdict.rank, own.latest_verdict.rank
    return said


def hazards(judged: Judgement) -> set[tuple[str, str]]:
    return {(finding.key, finding.outcome) for finding in judged.findings if finding.rule == HAZARD}


def scopes(inputs: Inputs) -> list[str]:
    return ["product", *(org.id for org in inputs.organizations)]


def better(item: Item, answer: Response) -> Iterator[Response]:
    """Every single step that makes an answer better: a higher option, one more of several, stronger evidence."""
    value = answer.value
    now = None if value is None else item.graded_value(value)
    if now is not None and item.type is ItemType.CHOICE:
        yield from (answer.but(value=o.value) for o in item.options if o.weight is not None and o.weight > now)
    if now is not None and isinstance(value, tuple):
        for option in item.options:
            more = tuple(o.value for o in item.options if not o.exclusive and o.value in (*value, option.value))
            if (item.graded_value(more) or 0.0) > now:
                yield answer.but(value=more)
    if value is not None and answer.evidence is not Evidence.OBSERVED:
        yield answer.but(evidence=list(Evidence)[answer.evidence.rank + 1])


def test_an_improvement_never_lowers_an_end_of_anything(inputs_of: InputsOf) -> None:
    chance = random.Random(20261130)
    made = 0
    while made < IMPROVEMENTS:
        template = chance.choice(templates())
        inputs = inputs_of(template)
        scope = chance.choice(scopes(inputs))
        answers = inputs.answers(scope)
        steps = [
            (item.id, step)
            for item in asked(inputs, scope)
            if item.id in answers
            for step in better(item, answers[item.id])
        ]
        if not steps:
            continue
        item_id, step = chance.choice(steps)
        judged, judged_then = judge(inputs), judge(inputs.with_response(scope, item_id, step))
        if hazards(judged) != hazards(judged_then):
            continue
        made += 1
        before, after = ranges(judged), ranges(judged_then)
        for name, (low, high) in before.items():
            said = f"{template}: {scope} {item_id} {answers[item_id].value} -> {step.value} {step.evidence}: {name}"
            assert after[name][0] >= low and after[name][1] >= high, f"{said} {before[name]} -> {after[name]}"


@pytest.mark.parametrize("template", [name for name in templates() if name != "blank"])
def test_learning_never_widens_anything(template: str, inputs_of: InputsOf) -> None:
    """Answers of a sample are hidden, as unknown or as never given, and learnt again one by one, in any order."""
    inputs, chance = inputs_of(template), random.Random(template)
    known = [(scope, item) for scope in scopes(inputs) for item in inputs.answers(scope)]
    for _ in range(3):
        hidden = chance.sample(known, min(25, len(known)))
        now = inputs
        for scope, item in hidden:
            now = now.with_response(scope, item, chance.choice([UNKNOWN, None]))
        before = ranges(judge(now))
        for scope, item in hidden:
            now = now.with_response(scope, item, inputs.answers(scope)[item])
            after = ranges(judge(now))
            for name, (low, high) in before.items():
                assert low <= after[name][0] and after[name][1] <= high, (
                    f"{template}: learning {item} of {scope}: {name} {before[name]} -> {after[name]}"
                )
            before = after
        assert before == ranges(judge(inputs))


# -- answers that nobody should get away with -------------------------------------------------------------------------

#: Somebody else tried it, this year.
REPORT = EvidenceRecord.model_validate(
    {"kind": "test_report", "title": "Test report", "reviewer": "A tester", "independent": True, "date": "2026-11-01"}
)
#: Voters for each verdict, and a fact about one organisation; their worst answer is the one critical gap of a row.
CRITICAL = (
    "boundary.output_stable",
    "boundary.action_defined",
    "boundary.value_outside_ehr",
    "contract.clinical_event",
    "auth.path_matrix",
    "auth.issuer_allow_list",
    "org.client_registered",
)


def every(inputs: Inputs, answer: Callable[[Item], Response | None]) -> Inputs:
    """All questions of the product and of each organisation answered alike, as many as are asked."""
    for _ in range(3):  # answers reveal questions
        for scope in scopes(inputs):
            for item in asked(inputs, scope):
                inputs = inputs.with_response(scope, item.id, answer(item))
    return inputs


def best(inputs: Inputs, evidence: Evidence, documents: Mapping[str, EvidenceRecord] | None = None) -> Inputs:
    """The best answer to everything that is graded; what is not graded stays as the sample says."""

    def answered(scope: str, item: Item) -> Response | None:
        value = best_answer(item) if item.options else None
        stays = inputs.answers(scope).get(item.id)
        proof = [documents[item.id]] if documents and item.id in documents else []
        if value is None:
            return stays and stays.but(evidence=evidence)
        return Response(status=Status.ANSWERED, value=value, evidence=evidence, documents=tuple(proof))

    for scope in scopes(inputs):
        for item in asked(inputs, scope):
            inputs = inputs.with_response(scope, item.id, answered(scope, item))
    return inputs


def adversarial(ready: Inputs) -> Iterator[tuple[str, Inputs]]:
    """What was answered, in words, and the inputs: the ready sample with its one organisation, which was probed."""
    nothing = replace(ready, product={}, by_org={})
    tested = dict.fromkeys(
        ("auth.issuer_allow_list", "auth.return_checks", "auth.session_isolation", "endpoints.inventory"), REPORT
    )
    tested |= {name: REPORT for name in ready.content.items if name.startswith("endpoints.")}
    yield "nothing", nothing
    yield "everything unknown", every(nothing, lambda _: UNKNOWN)
    yield (
        "everything not applicable, with a reason",
        every(nothing, lambda _: Response(status=Status.NOT_APPLICABLE, reason="We have none of it.")),
    )
    yield "everything the best, only asserted", best(ready, Evidence.ASSERTED)
    yield "everything the best, said to be observed by ourselves", best(ready, Evidence.OBSERVED)
    yield "everything the best and documented", best(ready, Evidence.DOCUMENTED)
    good = best(ready, Evidence.DOCUMENTED, tested)
    yield "the same, and what production wants observed independently tested", good
    for name in CRITICAL:
        item = ready.content.items[name]
        worst = worst_answers(item)[0]
        scope = "product" if name not in good.by_org["northgate"] else "northgate"
        label = words.listed([option.label for option in item.options if item.as_answer(option.value) == worst])
        changed = good.with_response(scope, name, Response(status=Status.ANSWERED, value=worst))
        yield f"the same, but {name}: “{label}”", changed


def row(answers: str, inputs: Inputs) -> str:
    judged = judge(inputs)
    own, org = judged.readiness[0], inputs.organizations[0]
    score = words.interval(judged.product_score.interval.low, judged.product_score.interval.high)
    stage = words.gate(own.stage) if own.stage else "none"
    return f"| {answers} | {judged.verdict.headline} | {score} | {stage}; {recommended(judged, org)} | {own.held} |"


def recommended(judged: Judgement, org: Organization) -> str:
    own = next(own for own in judged.readiness if own.org == org.id)
    return words.RECOMMENDATION[own.recommendation].phrase


def test_what_nobody_should_get_away_with_is_on_the_page_as_a_golden_file(inputs_of: InputsOf) -> None:
    ready = replace(inputs_of("ready"), today=TODAY)
    table = "\n".join(
        [
            "| answered | what is said | score of the product | Northgate: stage, recommendation | its next gate |",
            "|---|---|---|---|---|",
            *(row(answers, inputs) for answers, inputs in adversarial(ready)),
        ]
    )
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    if os.environ.get("INTERLOCK_WRITE_GOLDEN"):
        PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")
    assert table in PAGE.read_text("utf-8"), "docs/scoring.md says something else: make renew, read the difference"


def test_only_tested_controls_reach_production(inputs_of: InputsOf) -> None:
    """All best and only asserted is no production, nor is what a team says that it saw itself."""
    ready = replace(inputs_of("ready"), today=TODAY)
    stages = {answers: judge(inputs).readiness[0].stage for answers, inputs in adversarial(ready)}
    assert [answers for answers, stage in stages.items() if stage is Gate.PRODUCTION] == [
        "the same, and what production wants observed independently tested"
    ]


# -- what would change it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("looked", [True, False])
@pytest.mark.parametrize("template", templates())
def test_what_would_change_the_verdict_never_contradicts_it(template: str, looked: bool, inputs_of: InputsOf) -> None:
    """As text: it names only what is open (or undecided) now, and never the verdict itself as another one."""
    inputs = inputs_of(template)
    judged = judge(inputs if looked else replace(inputs, observations={}))
    verdict = judged.verdict
    sentence, phrases = verdict.counterfactual, {value: words.VERDICT[value].phrase for value in words.VERDICT}
    told = [value for value, phrase in phrases.items() if f"“{phrase}”" in sentence]
    named = set(verdict.counterfactual_keys)
    assert not re.search(r"\b[A-Z]{2,10}-\d{3}", sentence), "ids stand apart from the words"
    outcomes = {finding.key: finding.outcome for finding in judged.findings}
    if verdict.settled:
        assert "Not decided" not in verdict.headline and verdict.settled_by == ()
        if "would leave the verdict not decided" in sentence:
            told = told[1:]  # from the same as now to a later one
        assert all(value.rank > verdict.value.rank for value in told)
        assert all(outcomes[key] is RuleOutcome.GAP for key in named)
        assert bool(told) == bool(named) == (verdict.value is not VerdictValue.INTEGRATE)
    else:
        assert verdict.headline.startswith("Not decided") and verdict.undecided
        assert verdict.latest in told and any(value.rank < verdict.latest.rank for value in told)
        assert named and all(outcomes[key] in UNDECIDED for key in named)
    for own in judged.readiness:
        says_start = own.recommendation is Recommendation.START
        assert not says_start or (verdict.settled and verdict.value is VerdictValue.INTEGRATE)
    if verdict.value is VerdictValue.INTEGRATE and "build the integration" in verdict.headline:
        recommended = {own.recommendation for own in judged.readiness}
        assert not recommended or Recommendation.START in recommended
