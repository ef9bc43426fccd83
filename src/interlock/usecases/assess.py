"""Inputs → :class:`Assessment`: a pure function, the one place where the rooms meet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import chain

from interlock.gaps.graph import build
from interlock.gaps.schedule import make_plan
from interlock.gaps.score import product_score, standings
from interlock.gaps.verdict import decide
from interlock.model.assessment import Assessment, OrgStanding, Score, Totals
from interlock.model.base import Gate, RuleOutcome, Scope, Status
from interlock.model.finding import Finding
from interlock.model.questionnaire import Item
from interlock.model.rule import Rule
from interlock.questionnaire.visibility import hidden, visible
from interlock.rules.contradictions import find
from interlock.rules.engine import evaluate
from interlock.rules.inputs import RuleInputs
from interlock.usecases.load import Inputs

DEFAULT_RUNS = 5_000


@dataclass(frozen=True)
class Judgement:
    """What the answers and observations amount to, without graph and plan: quick enough for every keystroke."""

    findings: tuple[Finding, ...]
    product_score: Score
    standings: tuple[OrgStanding, ...]


def hidden_items(inputs: Inputs) -> dict[str, frozenset[str]]:
    """Item ids that ``enable_when`` hides: under ``""`` for the product, under each organisation's id for it."""
    questionnaires = inputs.content.questionnaires

    return {"": hidden(visible(questionnaires, inputs.product))} | {
        org.id: hidden(visible(questionnaires, dict(inputs.product) | dict(inputs.answers(org.id))))
        for org in inputs.organizations
    }


def rule_inputs(inputs: Inputs) -> RuleInputs:
    """What the rules room needs of the inputs."""
    return RuleInputs(
        questionnaires=inputs.content.questionnaires,
        product=inputs.product,
        by_org=inputs.by_org,
        organizations=inputs.organizations,
        observations=inputs.observations,
        contract=inputs.contract,
        fits=inputs.fits,
        hidden=hidden_items(inputs),
    )


def judge(inputs: Inputs) -> Judgement:
    """Findings and scores of the inputs."""
    return _judge(inputs, evaluate(inputs.content.ruleset, rule_inputs(inputs)))


def _rules(inputs: Inputs) -> dict[str, Rule]:
    return {rule.id: rule for rule in inputs.content.ruleset.rules}


def _judge(inputs: Inputs, findings: tuple[Finding, ...]) -> Judgement:
    rules = _rules(inputs)
    target = inputs.settings.target_gate
    return Judgement(
        findings=findings,
        product_score=product_score(findings, rules, target),
        standings=standings(inputs.organizations, findings, rules, inputs.observations, target),
    )


def assess(inputs: Inputs, *, today: date, runs: int = DEFAULT_RUNS, seed: int | None = None) -> Assessment:
    """The whole assessment.

    :param today: the plan's first day when the settings name none.
    :param runs: number of simulated schedules.
    :param seed: overrides the workspace's seed.
    """
    judged = judge(inputs)
    rules = _rules(inputs)
    settings = inputs.settings
    graph = build(judged.findings, rules, inputs.organizations, settings.target_gate)
    plan = make_plan(
        graph,
        rules,
        inputs.content.ruleset.tasks,
        judged.findings,
        inputs.organizations,
        target_gate=settings.target_gate,
        start=date.fromisoformat(settings.start) if settings.start else today,
        seed=settings.seed if seed is None else seed,
        runs=runs,
        capacity={str(owner): persons for owner, persons in settings.capacity.items()},
    )
    return Assessment(
        name=settings.name,
        product=settings.product,
        description=settings.description,
        target_gate=settings.target_gate,
        ruleset=f"{inputs.content.ruleset.id} {inputs.content.ruleset.version}",
        questionnaires={q.id: q.version for q in inputs.content.questionnaires},
        organizations=inputs.organizations,
        rules=rules,
        findings=judged.findings,
        fit=tuple(inputs.fits.values()),
        contradictions=find(rule_inputs(inputs)),
        product_score=judged.product_score,
        standings=judged.standings,
        graph=graph,
        verdict=decide(judged.findings, rules, judged.standings, inputs.organizations),
        plan=plan,
        totals=_totals(inputs, judged),
    )


def asked(inputs: Inputs, scope: str) -> tuple[Item, ...]:
    """Questions of ``product`` or of one organisation that are shown (or may yet be), in reading order, by profile."""
    hidden = hidden_items(inputs)["" if scope == "product" else scope]
    wanted = Scope.ORG if scope != "product" else None
    return tuple(
        item
        for item in inputs.content.items.values()
        if (item.scope is Scope.ORG) == (wanted is Scope.ORG)
        and item.id not in hidden
        and (inputs.settings.profile == "full" or item.priority == "core" or item.id in inputs.answers(scope))
    )


def _totals(inputs: Inputs, judged: Judgement) -> Totals:
    statuses = [
        (inputs.answers(scope)[item.id].status if item.id in inputs.answers(scope) else Status.UNANSWERED)
        for scope in chain(["product"], (org.id for org in inputs.organizations))
        for item in asked(inputs, scope)
    ]
    stages = [standing.stage.value if standing.stage else "none" for standing in judged.standings]
    observed = {"observed", "partial"}
    return Totals(
        organizations=len(inputs.organizations),
        observed=sum(standing.observed in observed for standing in judged.standings),
        by_stage={name: stages.count(name) for name in ("none", *(gate.value for gate in Gate))},
        findings={outcome: sum(f.outcome is outcome for f in judged.findings) for outcome in RuleOutcome},
        questions=len(statuses),
        answered=statuses.count(Status.ANSWERED),
        unknown=statuses.count(Status.UNKNOWN),
        not_applicable=statuses.count(Status.NOT_APPLICABLE),
    )
