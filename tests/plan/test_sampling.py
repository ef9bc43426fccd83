"""PERT-beta quantiles, correlation and common random numbers."""

import math
from dataclasses import replace

import numpy as np
import pytest
from gaps_factory import effort, fixed, lead

from interlock.model.base import Gate, Owner, Scope
from interlock.model.rule import Effort, LeadTime
from interlock.plan import sampling
from interlock.plan.sampling import Sampler, effort_estimate, lead_estimate, pert_mean
from interlock.plan.tasks import Task

pytestmark = pytest.mark.fast

RUNS = 40_000


def sample(tasks, seed, runs, persons=1.0):
    return sampling.sample(tasks, Sampler(seed, runs), [persons] * len(tasks), frozenset()).total


def make(name="a", work=None, wait=None, scope=Scope.ORG, org="alder", vendor="epic", owner=Owner.US):
    parties = {Scope.ORG: {Scope.ORG: org, Scope.VENDOR: vendor}, Scope.VENDOR: {Scope.VENDOR: vendor}}.get(scope, {})
    return Task(
        id=name,
        title=name,
        kind="gap",
        scope=scope,
        org=org,
        orgs=(org,),
        parties=parties,
        owner=owner,
        gate=Gate.PILOT,
        effort=Effort.model_validate(work) if work else None,
        lead_time=LeadTime.model_validate(wait) if wait else None,
        after=(),
    )


def test_capacity_divides_effort_and_calendar_days_are_five_sevenths():
    assert effort_estimate(Effort(low=1, expected=2, high=5), 2.0) == (0.5, 1.0, 2.5)
    assert lead_estimate(LeadTime.model_validate(lead(7, 14, 28, "days"))) == pytest.approx((5, 10, 20))
    assert lead_estimate(LeadTime.model_validate(lead(7, 14, 28))) == (7, 14, 28)
    assert effort_estimate(None, 1.0) == lead_estimate(None) == (0.0, 0.0, 0.0)


def beta_moments(low, expected, high):
    """Mean and variance of PERT-beta, from Beta(1 + 4t, 5 - 4t)."""
    t = (expected - low) / (high - low)
    a, b = 1 + 4 * t, 5 - 4 * t
    variance = a * b / ((a + b) ** 2 * (a + b + 1))
    return low + (high - low) * a / (a + b), variance * (high - low) ** 2


@pytest.mark.parametrize("estimate", [(0, 1, 10), (2, 2, 8), (1, 6, 6), (5, 10, 15), (1, 2, 9), (0, 0.01, 100)])
def test_mean_variance_and_bounds_of_one_task(estimate):
    [days] = sample([make(work=effort(*estimate))], 3, RUNS)
    mean, variance = beta_moments(*estimate)
    days = days.astype(float)
    assert mean == pytest.approx(pert_mean(estimate))
    assert days.mean() == pytest.approx(mean, abs=5 * math.sqrt(variance / RUNS))
    assert days.var() == pytest.approx(variance, rel=0.05)
    assert days.min() >= estimate[0]
    assert days.max() <= estimate[2]


def test_quantiles_agree_with_a_beta_whose_distribution_is_known():
    """(0, 0, 1) is Beta(1, 5), with distribution 1 - (1 - x)^5."""
    [days] = sample([make(work=effort(0, 0, 1))], 11, RUNS)
    for share in (0.1, 0.5, 0.8, 0.9, 0.99):
        exact = 1 - (1 - share) ** 0.2
        assert np.quantile(days, share) == pytest.approx(exact, rel=0.03)


def test_a_sure_estimate_takes_exactly_that_long():
    assert (sample([make(work=fixed(3), wait=lead(4, 4, 4))], 1, 50) == 7.0).all()


def test_effort_and_lead_time_of_one_task_move_together():
    both = sample([make(work=effort(0, 4, 10), wait=lead(0, 4, 10))], 5, 500)
    alone = sample([make(work=effort(0, 4, 10))], 5, 500)
    assert both == pytest.approx(2 * alone, rel=1e-4)


CORRELATIONS = [
    (make("a"), make("b"), 0.3),
    (make("a"), make("b", org="birch"), 0.1),
    (make("a"), make("b", org="cedar", vendor="oracle"), 0.0),
    (make("a", scope=Scope.PRODUCT), make("b", scope=Scope.PRODUCT), 0.3),
    (make("a", scope=Scope.PRODUCT), make("b"), 0.0),
    (make("a", scope=Scope.VENDOR), make("b", scope=Scope.VENDOR), 0.3),
    (make("a", scope=Scope.VENDOR), make("b"), math.sqrt(0.3 * 0.1)),
]


@pytest.mark.parametrize(("first", "other", "expected"), CORRELATIONS)
def test_tasks_of_one_party_go_well_or_badly_together(first, other, expected):
    """A symmetric estimate is nearly linear in its score, so its correlation is nearly that of the scores."""
    pair = [replace(first, effort=Effort(low=0, expected=5, high=10)) for first in (first, other)]
    days = sample(pair, 9, RUNS)
    assert np.corrcoef(days)[0, 1] == pytest.approx(expected, abs=0.025)


def test_draws_depend_on_the_seed_and_the_name_never_on_the_position():
    a, b, c = (make(name, effort(1, 2, 9)) for name in "abc")
    all_three, two = sample([a, b, c], 4, 200), sample([c, a], 4, 200)
    assert (all_three[0] == two[1]).all()
    assert (all_three[2] == two[0]).all()
    assert (sample([a], 5, 200) != two[1]).any()


def test_effort_is_divided_by_the_persons_and_drawn_apart_when_asked_for():
    job = make(work=effort(1, 2, 9), wait=lead(3, 5, 20))
    sampler = Sampler(5, 400)
    alone = sampling.sample([job], sampler, [1.0], frozenset({0}))
    shared = sampling.sample([job], sampler, [2.0], frozenset({0}))
    assert shared.touch[0] == pytest.approx(alone.touch[0] / 2, rel=1e-4)
    assert alone.total[0] - alone.touch[0] == pytest.approx(shared.total[0] - shared.touch[0], abs=1e-3)


def test_the_first_runs_are_the_same_whatever_comes_after_them():
    job = make(work=effort(1, 2, 9))
    assert (sample([job], 4, 500)[0, :100] == sample([job], 4, 100)[0]).all()
