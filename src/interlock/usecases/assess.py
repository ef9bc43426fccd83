"""Inputs → :class:`Assessment`: a pure function, the one place where the rooms meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from interlock.judge.contradictions import find, rehearsal_told
from interlock.judge.hazard_states import HazardFacts
from interlock.model import words
from interlock.model.assessment import Assessment, GivenAnswer
from interlock.model.base import Owner, Recommendation, Status
from interlock.model.plan import DEFAULT_RUNS, Plan
from interlock.model.text import plain
from interlock.plan.actions import Wording
from interlock.plan.evidence import evidence_work
from interlock.plan.go import with_go
from interlock.plan.graph import build
from interlock.plan.ground import ground, undated
from interlock.plan.history import own_estimates
from interlock.plan.options import PlanOptions
from interlock.plan.outlook import with_outlook
from interlock.plan.people import with_people
from interlock.plan.schedule import make_plan
from interlock.plan.stated import with_stated_days
from interlock.usecases.counterfactual import verdict_changes
from interlock.usecases.history import own_past
from interlock.usecases.judge import Judgement, judge_of, totals
from interlock.usecases.load import Inputs
from interlock.usecases.manifest import content_hash
from interlock.usecases.owed import evidence_tasks
from interlock.usecases.questions import questions

#: So many open gaps at one gate are few enough to be named as the next step.
FEW_LEFT = 3


def assess(
    inputs: Inputs, *, today: date, runs: int = DEFAULT_RUNS, seed: int | None = None, by: date | None = None
) -> Assessment:
    """The whole assessment.

    :param today: the day on which evidence has to hold, and the plan's first day when the settings name none.
    :param runs: number of simulated schedules.
    :param seed: overrides the workspace's seed.
    :param by: the day whose probability the plan gives.
    """
    if inputs.today != today:
        inputs = replace(inputs, today=today)
    judge = judge_of(inputs.content)
    judged, known = judge.judge(inputs), judge.rule_inputs(inputs)
    patterns = inputs.content.patterns.match(known)
    facts = HazardFacts(judged.findings, judged.rules, patterns, inputs.written)
    rules = dict(judged.rules)
    settings = inputs.settings
    graph = build(judged.findings, rules, inputs.organizations, settings.target_gate)
    plan = make_plan(
        graph,
        rules,
        inputs.content.ruleset.tasks,
        judged.findings,
        inputs.organizations,
        plan_options(inputs, judged, today=today, runs=runs, seed=seed, by=by),
        argue=_put_first(judged),
    )
    return Assessment(
        recipient=inputs.recipient,
        as_of=today.isoformat(),
        name=settings.name,
        product=settings.product,
        description=settings.description,
        target_gate=settings.target_gate,
        ruleset=inputs.content.name,
        rulesets=inputs.content.ruleset.sets,
        shipped_ruleset=inputs.content.shipped_ruleset,
        content_hash=content_hash(inputs.content),
        content_changes=inputs.content.changes,
        questionnaires={q.id: q.version for q in inputs.content.questionnaires},
        organizations=inputs.organizations,
        contract=inputs.contract,
        contract_hash=inputs.contract.hash if inputs.contract else "",
        rules=rules,
        findings=judged.findings,
        fit=tuple(inputs.fits.values()),
        contradictions=find(known),
        product_score=judged.product_score,
        readiness=judged.readiness,
        graph=graph,
        verdict=judged.verdict.model_copy(update={"changes": verdict_changes(inputs, judged)}),
        plan=_told(inputs, judged, plan),
        totals=totals(inputs, judged),
        patterns=patterns,
        hazards=inputs.content.hazards.match(known, facts, inputs.figures),
        rehearsal=rehearsal_told(inputs.rehearsal, inputs.content.rehearsals, known) if inputs.rehearsal else None,
        answers=tuple(_answers(inputs)),
    )


def _put_first(judged: Judgement) -> dict[str, str]:
    """The findings that the verdict puts first, and why: what argues for it, else what little is left before a start.

    :data:`FEW_LEFT` open gaps or fewer hold the organisation back that the next step is about.
    """
    verdict = judged.verdict
    argue = {reason.key: "It argues for the verdict." for reason in (*verdict.reasons, *verdict.undecided)}
    own = next((own for own in judged.readiness if own.org == verdict.next_org), None)
    if argue or own is None or own.recommendation is Recommendation.START:
        return argue
    gate = next((gate for gate in own.gates if not gate.holds), None)
    left = gate.open if gate is not None and not gate.undecided else ()
    return dict.fromkeys(left, "The next step is about it.") if len(left) <= FEW_LEFT else {}


def _told(inputs: Inputs, judged: Judgement, plan: Plan) -> Plan:
    """The plan in words: what may be said of its dates, its tasks with their people, a line for each organisation."""
    settings, ruleset = inputs.settings, inputs.content.ruleset
    wording = Wording(
        rules=dict(judged.rules),
        items=inputs.content.items,
        routine={task.id: task for task in ruleset.tasks},
        names={organization.id: organization.name for organization in inputs.organizations},
        accepts=ruleset.accepts,
        gate=settings.target_gate,
        people={owner.role.lower(): plain(owner.name, 60) for owner in inputs.written.owners} if inputs.written else {},
    )
    frozen = {task.id for task in ruleset.tasks if task.waits_in_freeze}
    plan = with_stated_days(plan, frozen, settings.freezes, settings.holidays, wording.names)
    grounded = ground(plan, judged.verdict, judged.readiness, inputs.organizations)
    answers = {"product": inputs.product, **inputs.by_org}
    told = with_people(
        plan.model_copy(update={"ground": grounded}),
        judged.findings,
        wording,
        answers,
        inputs.organizations,
        settings.holidays,
    )
    nearest = judged.verdict.next_org
    lined = with_outlook(told, judged.readiness, inputs.organizations, settings.freezes, nearest)
    plan = with_go(lined, inputs.written, judged.readiness, settings.freezes)
    if not inputs.organizations:
        return undated(plan)
    return plan if inputs.recipient is None else plan.but(notes=(words.DATES_ALONE, *plan.notes))


def _answers(inputs: Inputs) -> Iterator[GivenAnswer]:
    """Every answer to a question that is asked, of the product first."""
    for scope in ("product", *(org.id for org in inputs.organizations)):
        for question in questions(inputs, scope):
            response = question.response
            if response is not None and response.status is not Status.UNANSWERED:
                item = question.item
                yield GivenAnswer(
                    item=item.id,
                    scope=scope,
                    text=question.text,
                    said=question.shown_answer(),
                    response=response,
                    counts_as=question.counts_as,
                )


def plan_options(
    inputs: Inputs,
    judged: Judgement | Assessment,
    *,
    today: date,
    runs: int = DEFAULT_RUNS,
    seed: int | None = None,
    by: date | None = None,
) -> PlanOptions:
    """What the workspace says the plan reckons with; the arguments are those of :func:`assess`."""
    settings = inputs.settings
    stated = date.fromisoformat(settings.start) if settings.start else today
    return PlanOptions(
        target_gate=settings.target_gate,
        start=max(stated, today),
        passed=stated if stated < today else None,
        seed=settings.seed if seed is None else seed,
        runs=runs,
        capacity={Owner(owner): persons for owner, persons in settings.capacity.items()},
        holidays=settings.holidays,
        freezes=settings.freezes,
        test_path=inputs.contract.test_path if inputs.contract else (),
        by=by,
        unseen=frozenset(
            org.id
            for org in inputs.organizations
            if (observation := inputs.observations.get(org.id)) is None or observation.outcome == "not_observed"
        ),
        chances=inputs.content.ruleset.chances,
        statuses=inputs.tasks,
        history=own_estimates((*own_past(inputs), *inputs.past), settings.holidays, today),
        evidence=tuple(evidence_work(evidence_tasks(inputs, judged), inputs.organizations, settings.target_gate)),
        reads_only=inputs.reads_only,
    )
