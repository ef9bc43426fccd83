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

*Speed.* Quantiles are read from a table per estimate, in equal steps of the score, so that one look-up is a
multiplication and an interpolation; numbers have 32 bits, which resolves a plan of 1,000 days to some seconds.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from interlock.model.base import Scope
from interlock.model.rule import Effort, LeadTime
from interlock.plan.calendar import WORKING_SHARE
from interlock.plan.network import Floats
from interlock.plan.tasks import Task

Estimate: TypeAlias = tuple[float, float, float]
Wide: TypeAlias = NDArray[np.float64]
#: What several tasks share: a scope, and who of that scope.
Party: TypeAlias = tuple[Scope, str]

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
_STEPS, _LIMIT = 640, 5.0
_PER_SCORE = np.float32(_STEPS / (2 * _LIMIT))
_SCORES: Wide = np.linspace(-_LIMIT, _LIMIT, _STEPS + 1)
_PROBABILITIES: Wide = np.array([0.5 * math.erfc(-score / math.sqrt(2.0)) for score in _SCORES])
_GRID: Wide = np.linspace(0.0, 1.0, 2049)
_NORMAL = NormalDist()


_NOTHING: Estimate = (0.0, 0.0, 0.0)


def effort_estimate(effort: Effort | None, persons: float = 1.0) -> Estimate:
    """Touch effort in working days: person-days over the persons who work on it."""
    return (effort.low / persons, effort.expected / persons, effort.high / persons) if effort else (0.0, 0.0, 0.0)


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


@dataclass(frozen=True)
class Sampler:
    """Draws of one seed. Every method depends on the seed and on names alone.

    :ivar runs: columns of everything that is drawn.
    """

    seed: int
    runs: int
    _factors: dict[Party, Floats] = field(default_factory=dict, repr=False)

    def factor(self, party: Party) -> Floats:
        """The luck that a party's tasks share: standard normals, one a run."""
        if party not in self._factors:
            self._factors[party] = self._normals(party[0].value, party[1])
        return self._factors[party]

    def scores(self, task: Task) -> Floats:
        """A task's standard normal scores: its parties' luck and its own."""
        shares = SHARE[task.scope]
        scores = self._normals("task", task.id)
        scores *= np.float32(math.sqrt(1.0 - sum(shares.values())))
        for scope, share in shares.items():
            scores += np.float32(math.sqrt(share)) * self.factor((scope, task.parties.get(scope, "")))
        return scores

    def steps(self, task: Task) -> tuple[NDArray[np.int32], Floats]:
        """Where each score falls in a table of quantiles: the step below it, and the part of a step beyond that."""
        scores = self.scores(task)
        scores += np.float32(_LIMIT)
        scores *= _PER_SCORE
        np.clip(scores, 0.0, np.float32(_STEPS - 0.001), out=scores)
        steps = scores.astype(np.int32)
        scores -= steps
        return steps, scores

    def happens(self, name: str, chance: float) -> NDArray[np.bool_]:
        """In which runs something of this chance happens; with a larger chance in these and more."""
        if not 0.0 < chance < 1.0:
            return np.full(self.runs, chance >= 1.0)
        drawn: NDArray[np.bool_] = self._normals("chance", name) < np.float32(_NORMAL.inv_cdf(chance))
        return drawn

    def _normals(self, kind: str, name: str) -> Floats:
        digest = hashlib.blake2b(f"{kind}\0{name}".encode(), digest_size=16).digest()
        entropy = [self.seed, int.from_bytes(digest, "little")]
        generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy)))
        return generator.standard_normal(self.runs, dtype=np.float32)


@dataclass(frozen=True)
class Durations:
    """What each task takes in each run, in working days, shape (tasks, runs).

    :ivar total: touch effort and lead time together.
    :ivar touch: the touch effort's part, for the rows that were asked for.
    """

    total: Floats
    touch: Mapping[int, Floats]

    def of(self, row: int) -> tuple[Floats, Floats | None]:
        """One task's duration, and the part that needs a crew where that was asked for."""
        return self.total[row], self.touch.get(row)

    def first(self, runs: int) -> Durations:
        """These durations in the first runs only."""
        return Durations(self.total[:, :runs], {row: touch[:runs] for row, touch in self.touch.items()})


def sample(tasks: Sequence[Task], sampler: Sampler, crews: Sequence[float], split: frozenset[int]) -> Durations:
    """Durations of every task.

    :param crews: persons who work on each task; its effort is divided by them.
    :param split: rows of which the touch effort is needed on its own.
    """
    total = np.empty((len(tasks), sampler.runs), dtype=np.float32)
    touch: dict[int, Floats] = {}
    for row, task in enumerate(tasks):
        work = effort_estimate(task.effort, crews[row])
        parts = whole_estimate(task, crews[row])
        if all(low == high for low, _, high in (work, *parts)):
            total[row] = parts[0][0] + parts[1][0]
            if row in split:
                touch[row] = np.minimum(np.float32(work[0]), total[row])
            continue
        steps, fractions = sampler.steps(task)
        _read_quantiles(_table(*parts), steps, fractions, total[row])
        if row in split:
            touch[row] = _read_quantiles(_table(work, _NOTHING), steps, fractions, np.empty_like(fractions))
            if task.elapsed is not None:
                np.minimum(touch[row], total[row], out=touch[row])
    return Durations(total, touch)


def given_open(task: Task, sampler: Sampler, crew: float, spent: float) -> tuple[Floats, Floats]:
    """A task's duration and lead time in each run, given that it takes longer than the working days that have passed.

    With the run's luck p and the distribution F of the whole duration it is the quantile F(s) + (1 - F(s)) p. What it
    leaves beyond s is never more than the duration with that luck as if nothing were known: a PERT-beta's hazard rate
    increases (its density is log-concave), and so does that of the sum of two that one score moves.
    """
    first, then = map(_quantiles, whole_estimate(task, crew))
    work, whole = _quantiles(effort_estimate(task.effort, crew)), first + then
    over = float(np.interp(spent, whole, _PROBABILITIES)) if spent > whole[0] else 0.0
    luck = over + (1.0 - over) * np.interp(sampler.scores(task), _SCORES, _PROBABILITIES)
    total: Floats = np.interp(luck, _PROBABILITIES, whole).astype(np.float32)
    touch: Floats = np.interp(luck, _PROBABILITIES, work).astype(np.float32)
    return total, np.maximum(total - touch, np.float32(0.0))


def whole_estimate(task: Task, crew: float) -> tuple[Estimate, Estimate]:
    """The two parts of a task's duration, which one score moves: effort and lead time, or own history alone."""
    if task.elapsed is not None:
        return _NOTHING, lead_estimate(task.elapsed)
    return effort_estimate(task.effort, crew), lead_estimate(task.lead_time)


def _read_quantiles(table: tuple[Floats, Floats], steps: NDArray[np.int32], fractions: Floats, out: Floats) -> Floats:
    values, slopes = table
    np.take(slopes, steps, out=out, mode="clip")
    out *= fractions
    out += values.take(steps, mode="clip")
    return out


@lru_cache(maxsize=4096)
def _table(work: Estimate, wait: Estimate) -> tuple[Floats, Floats]:
    """Duration at every tabulated score, and what one step adds: one score moves both parts."""
    values = (_quantiles(work) + _quantiles(wait)).astype(np.float32)
    return values[:-1], np.diff(values)


def _quantiles(estimate: Estimate) -> Wide:
    low, expected, high = estimate
    if low == high:
        return np.full_like(_SCORES, low)
    shape = LAMBDA * (expected - low) / (high - low)
    density = _GRID**shape * (1.0 - _GRID) ** (LAMBDA - shape)
    cumulative = np.concatenate(([0.0], np.cumsum(density[1:] + density[:-1])))
    result: Wide = low + (high - low) * np.interp(_PROBABILITIES, cumulative / cumulative[-1], _GRID)
    return result
