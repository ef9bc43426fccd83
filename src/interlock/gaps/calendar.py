"""Working days and dates. One working day is Monday to Friday; the calendar knows its start and its holidays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

#: Working days in one calendar day: five of seven.
WORKING_SHARE = 5.0 / 7.0
#: Plans that end later than this many working days are shown with this date (about 400 years).
_FURTHEST = 100_000


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
        import numpy as np

        number = min(_FURTHEST, max(0, math.ceil(working_days) - 1))
        holidays = np.array(self.holidays, dtype="datetime64[D]")
        offset = np.busday_offset(np.datetime64(self.start, "D"), number, roll="forward", holidays=holidays)
        return date.fromisoformat(str(offset))
