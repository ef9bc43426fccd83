"""Working days and dates. One working day is Monday to Friday; the calendar knows its start and its holidays."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from interlock.model.organization import Freeze

#: Working days in one calendar day: five of seven.
WORKING_SHARE = 5.0 / 7.0
#: Plans that end later than this many working days are shown with this date (about 400 years).
_FURTHEST = 100_000

#: Part of the plan's time axis, in working days from the start: ``(from, to)``, the end not included.
Span = tuple[float, float]


@dataclass(frozen=True)
class WorkingCalendar:
    """Counts working days from ``start``, which is moved to the next working day when it is none.

    :ivar holidays: days that are not worked although they are Monday to Friday.
    """

    start: date
    holidays: tuple[date, ...] = ()

    def first_day(self) -> date:
        """The first working day on or after the start: working day number one."""
        return self.date_of(0.0)

    def date_of(self, working_days: float) -> date:
        """The working day on which something ends that takes this many working days from the start.

        Work of up to one day ends on the first working day, of 1.5 days on the second; what takes no time is done
        on the first. Negative input counts as zero.
        """
        number = min(_FURTHEST, max(0, math.ceil(working_days) - 1))
        if number not in self._dates:
            offset = np.busday_offset(np.datetime64(self.start, "D"), number, roll="forward", busdaycal=self._days)
            self._dates[number] = date.fromisoformat(str(offset))
        return self._dates[number]

    def is_working_day(self, day: date) -> bool:
        """True from Monday to Friday when it is no holiday."""
        return day.weekday() < 5 and day not in self.holidays

    def days_through(self, day: date) -> float:
        """Working days from the start up to and including ``day``: what takes at most as long is done by that day.

        Zero or less for a day before the first working day; a day that is not worked counts as the one before it.
        """
        return self._before(day) + (1.0 if self.is_working_day(day) else 0.0)

    def days_since(self, day: date) -> float:
        """Working days from ``day`` up to the plan's first day, which is not included; 0 for a later day."""
        return max(0.0, -self._before(day))

    def spans(self, freezes: Iterable[Freeze]) -> tuple[Span, ...]:
        """Freezes on the plan's time axis, in order and without overlaps; those that are over are left out."""
        spans = sorted((self._before(freeze.first), self.days_through(freeze.last)) for freeze in freezes)
        merged: list[Span] = []
        for first, last in spans:
            if last <= max(0.0, first):
                continue
            if merged and first <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], last))
            else:
                merged.append((max(0.0, first), last))
        return tuple(merged)

    def _before(self, day: date) -> float:
        """Working days from the start up to ``day``, which is not included; negative before the start."""
        first = np.datetime64(self.first_day(), "D")
        return float(np.busday_count(first, np.datetime64(day, "D"), busdaycal=self._days))

    @cached_property
    def _dates(self) -> dict[int, date]:
        """Dates found so far: a plan of 200 organisations asks 90,000 times for a few hundred, half a second's work."""
        return {}

    @cached_property
    def _days(self) -> np.busdaycalendar:
        """Monday to Friday without the holidays: made once, because a large plan asks for ten thousand dates."""
        return np.busdaycalendar(holidays=np.array(self.holidays, dtype="datetime64[D]"))
