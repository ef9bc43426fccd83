"""Working days and dates."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.gaps.calendar import WorkingCalendar

MONDAY, FRIDAY, SATURDAY = date(2026, 1, 5), date(2026, 1, 9), date(2026, 1, 10)


@pytest.mark.parametrize(
    ("start", "working_days", "expected"),
    [
        (MONDAY, 0.0, MONDAY),
        (MONDAY, -3.0, MONDAY),
        (MONDAY, 0.3, MONDAY),
        (MONDAY, 1.0, MONDAY),
        (MONDAY, 1.1, date(2026, 1, 6)),
        (MONDAY, 5.0, FRIDAY),
        (MONDAY, 6.0, date(2026, 1, 12)),
        (MONDAY, 20.5, date(2026, 2, 2)),
        (FRIDAY, 2.0, date(2026, 1, 12)),
        (SATURDAY, 0.0, date(2026, 1, 12)),
        (SATURDAY, 2.0, date(2026, 1, 13)),
        (date(2026, 1, 11), 1.0, date(2026, 1, 12)),
    ],
)
def test_dates(start, working_days, expected):
    assert WorkingCalendar(start).date_of(working_days) == expected


def test_holidays_are_not_worked():
    calendar = WorkingCalendar(MONDAY, holidays=(MONDAY, date(2026, 1, 7)))
    assert calendar.first_day() == date(2026, 1, 6)
    assert calendar.date_of(2.0) == date(2026, 1, 8)


def test_a_plan_without_end_still_has_a_date():
    assert WorkingCalendar(MONDAY).date_of(1e12).year == 2409


@settings(deadline=None)
@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.floats(0, 400))
def test_the_date_is_a_working_day_with_as_many_working_days_up_to_it(start, working_days):
    calendar = WorkingCalendar(start)
    first, last = calendar.first_day(), calendar.date_of(working_days)
    assert last.weekday() < 5
    worked = sum((first + timedelta(n)).weekday() < 5 for n in range((last - first).days + 1))
    assert worked >= working_days > worked - 1 or (worked == 1 and working_days <= 1)
