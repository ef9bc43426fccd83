"""Inputs → :class:`Assessment`: a pure function, the one place where the rooms meet."""

from __future__ import annotations

from datetime import date
from itertools import chain

from interlock.judge.contradictions import find
from interlock.judge.inputs import RuleInputs
from interlock.judge.pattern_matching import match
from interlock.model.assessment import Assessment, Totals
from interlock.model.base import Gate, RuleOutcome, Scope, Status
from interlock.model.questionnaire import Item
from interlock.plan.graph import build
from interlock.plan.schedule import PlanOptions, make_plan
from interlock.usecases.counterfactual import verdict_changes
from interlock.usecases.judge import Judgement as Judgement  # what judge() returns is part of this module
from interlock.usecases.judge import judge_of
from interlock.usecases.load import Inputs

DEFAULT_RUNS = 5_000


def rule_inputs(inputs: Inputs) -> RuleInputs:
    """What the rules room needs of the inputs."""
    return judge_of(inputs.content).rule_inputs(inputs)


def judge(inputs: Inputs) -> Judgement:
    """Findings and scores of the inputs; quick when little changed since the last time."""
    return judge_of(inputs.content).judge(inputs)


def assess(
    inputs: Inputs, *, today: date, runs: int = DEFAULT_RUNS, seed: int | None = None, by: date | None = None
) -> Assessment:
    """The whole assessment.

    :param today: the plan's first day when the settings name none.
    :param runs: number of simulated schedules.
    :param seed: overrides the workspace's seed.
    :param by: the day whose probability the plan gives.
    """
    judged = judge(inputs)
    rules = dict(judged.rules)
    settings = inputs.settings
    graph = build(judged.findings, rules, inputs.organizations, settings.target_gate)
    plan = make_plan(
        graph,
        rules,
        inputs.content.ruleset.tasks,
        judged.findings,
        inputs.organizations,
        plan_options(inputs, today=today, runs=runs, seed=seed, by=by),
    )
    return Assessment(
        as_of=today.isoformat(),
        name=settings.name,
        product=settings.product,
        description=settings.description,
        target_gate=settings.target_gate,
        ruleset=inputs.content.name,
        rulesets=inputs.content.ruleset.sets,
        shipped_ruleset=inputs.content.shipped_ruleset,
        content_changes=inputs.content.changes,
        questionnaires={q.id: q.version for q in inputs.content.questionnaires},
        organizations=inputs.organizations,
        rules=rules,
        findings=judged.findings,
        fit=tuple(inputs.fits.values()),
        contradictions=find(rule_inputs(inputs)),
        product_score=judged.product_score,
        readiness=judged.readiness,
        graph=graph,
        verdict=judged.verdict.model_copy(update={"changes": verdict_changes(inputs)}),
        plan=plan,
        totals=_totals(inputs, judged),
        patterns=match(inputs.content.patterns, rule_inputs(inputs)),
    )


def plan_options(
    inputs: Inputs, *, today: date, runs: int = DEFAULT_RUNS, seed: int | None = None, by: date | None = None
) -> PlanOptions:
    """What the workspace says the plan reckons with; the arguments are those of :func:`assess`."""
    settings = inputs.settings
    return PlanOptions(
        target_gate=settings.target_gate,
        start=date.fromisoformat(settings.start) if settings.start else today,
        seed=settings.seed if seed is None else seed,
        runs=runs,
        capacity={str(owner): persons for owner, persons in settings.capacity.items()},
        holidays=settings.holidays,
        freezes=settings.freezes,
        test_path=inputs.contract.test_path if inputs.contract else (),
        by=by,
    )


def asked(inputs: Inputs, scope: str) -> tuple[Item, ...]:
    """Questions of ``product`` or of one organisation that are shown (or may yet be), in reading order, by profile."""
    of_org = scope != "product"
    answers = inputs.answers(scope)
    hidden = judge_of(inputs.content).hiding.of(inputs.product, answers if of_org else None)
    every = inputs.settings.profile == "full"
    return tuple(
        item
        for item in inputs.content.items.values()
        if (item.scope is Scope.ORG) is of_org
        and item.id not in hidden
        and (every or item.priority == "core" or item.id in answers)
    )


def _totals(inputs: Inputs, judged: Judgement) -> Totals:
    statuses = [
        answers[item.id].status if item.id in answers else Status.UNANSWERED
        for scope in chain(["product"], (org.id for org in inputs.organizations))
        for answers in (inputs.answers(scope),)
        for item in asked(inputs, scope)
    ]
    stages = [readiness.stage.value if readiness.stage else "none" for readiness in judged.readiness]
    observed = {"observed", "partial"}
    return Totals(
        organizations=len(inputs.organizations),
        observed=sum(readiness.observed in observed for readiness in judged.readiness),
        by_stage={name: stages.count(name) for name in ("none", *(gate.value for gate in Gate))},
        findings={outcome: sum(f.outcome is outcome for f in judged.findings) for outcome in RuleOutcome},
        questions=len(statuses),
        answered=statuses.count(Status.ANSWERED),
        unknown=statuses.count(Status.UNKNOWN),
        not_applicable=statuses.count(Status.NOT_APPLICABLE),
    )
