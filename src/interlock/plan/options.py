"""What a plan reckons with, besides the work itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from interlock.model.base import GapClass, Gate, Owner
from interlock.model.contract import TestPathEntry
from interlock.model.organization import Freeze
from interlock.model.routine import TaskStatus
from interlock.model.rule import LeadTime
from interlock.plan.tasks import Task


@dataclass(frozen=True)
class PlanOptions:
    """What a plan reckons with, besides the work itself.

    :ivar start: the first day; a day that is not worked moves to the next one that is.
    :ivar passed: the start that the workspace states, where that day has passed.
    :ivar runs: Monte Carlo runs; fewer are used when tasks × runs would not fit (see the notes).
    :ivar capacity: persons by owner (``us``, ``vendor``, ``org``); nobody queues for an owner that is absent.
    :ivar holidays, freezes: days that nobody works, and change freezes.
    :ivar test_path: where each behaviour of the contract is tested.
    :ivar by: the day whose probability is asked for.
    :ivar unseen: organisations of which nothing was observed: one probe finds out all that it can show.
    :ivar statuses: how far routine tasks have come, by id.
    :ivar history: what routine tasks have taken before, by the id that all of a kind share.
    :ivar reads_only: the contract is known to write nothing.
    :ivar chances: how likely what is not decided is a gap, by class, where its rule does not say.
    :ivar evidence: the work of getting the evidence that gates accept.
    """

    target_gate: Gate
    start: date
    seed: int
    runs: int
    passed: date | None = None
    capacity: Mapping[Owner, float] = field(default_factory=dict)
    holidays: tuple[date, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    test_path: tuple[TestPathEntry, ...] = ()
    by: date | None = None
    unseen: frozenset[str] = frozenset()
    chances: Mapping[GapClass, float] = field(default_factory=dict)
    statuses: Mapping[str, TaskStatus] = field(default_factory=dict)
    history: Mapping[str, LeadTime] = field(default_factory=dict)
    evidence: tuple[Task, ...] = ()
    reads_only: bool = False
