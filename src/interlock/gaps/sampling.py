"""Sampling durations: PERT-beta, correlated through shared factors, with common random numbers.

*Shape.* An estimate (low, expected, high) is the PERT-beta distribution: with ``t = (expected - low) / (high - low)``,
``(X - low) / (high - low)`` follows Beta(1 + 4t, 5 - 4t); its mean is ``(low + 4 expected + high) / 6`` (Malcolm,
Roseboom, Clark and Fazar 1959; Clark 1962; the four is the usual weight, λ, of Vose's beta-PERT).

*Correlation.* Every task has a standard normal score, and its duration is the quantile of its own distribution at that
score (a Gaussian copula). Scores share a factor an organisation, one a vendor and one for the product, because tasks of
one party go well or badly together, and independent ones would make the P80 of a sum look better than it is. How much
they share (:data:`SHARE`) is our judgement. Effort and lead time of one task use one score, for the same reason.

*Common random numbers.* Scores are drawn from the seed and the task's own id, never from its position, so a plan with
one task fewer sees the same luck everywhere else.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from interlock.gaps.calendar import WORKING_SHARE
from interlock.gaps.tasks import Task
from interlock.model.base import Owner, Scope
from interlock.model.rule import Effort, LeadTime

Floats: TypeAlias = NDArray[np.float64]
Estimate: TypeAlias = tuple[float, float, float]

#: Weight of the expected value in PERT-beta.
LAMBDA = 4.0
#: Share of the score's variance that comes from each factor, by scope of the task. Judgement: a correlation of 0.3
#: between two tasks of one organisation, and of 0.1 between tasks at two organisations of one vendor.
SHARE: Mapping[Scope, Mapping[Scope, float]] = {
    Scope.PRODUCT: {Scope.PRODUCT: 0.3},
    Scope.VENDOR: {Scope.VENDOR: 0.3},
    Scope.ORG: {Scope.ORG: 0.2, Scope.VENDOR: 0.1},
}

#: Scores at which quantiles are tabulated; between them they are interpolated. Beyond ±5 lies 6e-7 of the mass.
_SCORES: Floats = np.linspace(-5.0, 5.0, 641)
_PROBABILITIES: Floats = np.array([0.5 * math.erfc(-score / math.sqrt(2.0)) for score in _SCORES])
_GRID: Floats = np.linspace(0.0, 1.0, 2049)


def effort_estimate(effort: Effort | None, capacity: float) -> Estimate:
    """Touch effort in working days: person-days over the persons who work on it."""
    return (effort.low / capacity, effort.expected / capacity, effort.high / capacity) if effort else (0.0, 0.0, 0.0)


def lead_estimate(lead_time: LeadTime | None) -> Estimate:
    """Lead time in working days; calendar days count five sevenths."""
    if lead_time is None:
        return (0.0, 0.0, 0.0)
    scale = WORKING_SHARE if lead_time.unit == "days" else 1.0
    return (lead_time.low * scale, lead_time.expected * scale, lead_time.high * scale)


def pert_mean(estimate: Estimate) -> float:
    """``(low + 4 expected + high) / 6``."""
    low, expected, high = estimate
    return (low + LAMBDA * expected + high) / (LAMBDA + 2.0)


def most_likely(task: Task, capacity: Mapping[Owner, float]) -> float:
    """Working days of a task when everything takes its expected value."""
    return effort_estimate(task.effort, capacity[task.owner])[1] + lead_estimate(task.lead_time)[1]


def sample(tasks: Sequence[Task], seed: int, runs: int, capacity: Mapping[Owner, float]) -> Floats:
    """Durations in working days, shape (tasks, runs)."""
    factors: dict[tuple[Scope, str], Floats] = {}
    result = np.empty((len(tasks), runs))
    for row, task in enumerate(tasks):
        effort = effort_estimate(task.effort, capacity[task.owner])
        lead = lead_estimate(task.lead_time)
        if effort[0] == effort[2] and lead[0] == lead[2]:
            result[row] = effort[0] + lead[0]
        else:
            result[row] = np.interp(_scores(task, seed, runs, factors), _SCORES, _table(effort, lead))
    return result


def _scores(task: Task, seed: int, runs: int, factors: dict[tuple[Scope, str], Floats]) -> Floats:
    scores = _normals(seed, "task", task.id, runs)
    shares = SHARE[task.scope]
    scores *= math.sqrt(1.0 - sum(shares.values()))
    for scope, share in shares.items():
        party = task.parties.get(scope, "")
        if (scope, party) not in factors:
            factors[scope, party] = _normals(seed, scope.value, party, runs)
        scores += math.sqrt(share) * factors[scope, party]
    return scores


def _normals(seed: int, kind: str, name: str, runs: int) -> Floats:
    """Standard normals that depend on the seed and the name alone."""
    digest = hashlib.blake2b(f"{kind}\0{name}".encode(), digest_size=16).digest()
    entropy = [seed, int.from_bytes(digest, "little")]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy))).standard_normal(runs)


@lru_cache(maxsize=4096)
def _table(effort: Estimate, lead: Estimate) -> Floats:
    """Duration at every tabulated score: one score moves both parts."""
    return _quantiles(effort) + _quantiles(lead)


def _quantiles(estimate: Estimate) -> Floats:
    low, expected, high = estimate
    if low == high:
        return np.full_like(_SCORES, low)
    shape = LAMBDA * (expected - low) / (high - low)
    density = _GRID**shape * (1.0 - _GRID) ** (LAMBDA - shape)
    cumulative = np.concatenate(([0.0], np.cumsum(density[1:] + density[:-1])))
    result: Floats = low + (high - low) * np.interp(_PROBABILITIES, cumulative / cumulative[-1], _GRID)
    return result
