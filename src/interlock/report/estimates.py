"""Estimates in words: efforts, lead times, and the days until something is finished."""

from __future__ import annotations

import math

from interlock.model import words
from interlock.model.language import _
from interlock.model.rule import Effort, LeadTime


def days(value: float) -> str:
    """Working days, rounded up: a finish is never shown early."""
    return words.days(math.ceil(round(value, 6)) if math.isfinite(value) else value)


def effort(value: Effort | None, *, unit: bool = True) -> str:
    """``2 person-days (1 to 5)``, or ``2 (1 to 5)`` under a heading that names the unit."""
    if value is None:
        return _("none estimated") if unit else "–"
    likely = words.person_days(value.expected) if unit else words.number(value.expected)
    return f"{likely} ({spread(value)})"


def lead_time(value: LeadTime | None) -> str:
    """``10 working days (3 to 30)``."""
    return f"{expected(value)} ({spread(value)})" if value else _("none")


def expected(value: LeadTime | None) -> str:
    """A lead time without its range: ``10 working days``."""
    if value is None:
        return _("none")
    return words.measured(value.expected, "working day" if value.unit == "working_days" else "calendar day")


def spread(value: Effort | LeadTime) -> str:
    """From the lowest to the highest estimate: ``3 to 30``."""
    return _("%(low)s to %(high)s", low=words.number(value.low), high=words.number(value.high))
