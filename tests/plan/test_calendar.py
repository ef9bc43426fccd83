"""Working days and dates."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.model.organization import Freeze
from interlock.plan.calendar import WorkingCalendar

pytestmark = pytest.mark.fast

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


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.floats(0, 400))
def test_the_date_is_a_working_day_with_as_many_working_days_up_to_it(start, working_days):
    calendar = WorkingCalendar(start)
    first, last = calendar.first_day(), calendar.date_of(working_days)
    assert last.weekday() < 5
    worked = sum((first + timedelta(n)).weekday() < 5 for n in range((last - first).days + 1))
    assert worked >= working_days > worked - 1 or (worked == 1 and working_days <= 1)


def test_days_through_is_the_other_way_round():
    calendar = WorkingCalendar(MONDAY, holidays=(date(2026, 1, 7),))
    assert calendar.days_through(MONDAY) == 1.0
    assert calendar.days_through(date(2026, 1, 6)) == 2.0
    assert calendar.days_through(date(2026, 1, 7)) == 2.0
    assert calendar.days_through(SATURDAY) == calendar.days_through(FRIDAY) == 4.0
    assert calendar.days_through(date(2026, 1, 4)) <= 0.0
    assert not calendar.is_working_day(date(2026, 1, 7))


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 400))
def test_what_is_through_by_a_day_is_what_ends_on_it_or_before(start, number):
    calendar = WorkingCalendar(start, holidays=(date(2026, 12, 25), date(2027, 1, 1)))
    assert calendar.days_through(calendar.date_of(number)) == number


def test_freezes_become_spans_of_working_days():
    calendar = WorkingCalendar(MONDAY)
    both = [
        Freeze.model_validate({"from": date(2026, 1, 12), "to": date(2026, 1, 13)}),
        Freeze.model_validate({"from": date(2026, 1, 8), "to": date(2026, 1, 11), "org": "alder"}),
    ]
    assert calendar.spans(both) == ((3.0, 7.0),)
    assert calendar.spans(both[:1]) == ((5.0, 7.0),)
    assert calendar.spans([Freeze.model_validate({"from": date(2025, 1, 1), "to": date(2025, 2, 1)})]) == ()
    assert calendar.spans([Freeze.model_validate({"from": date(2025, 12, 30), "to": MONDAY})]) == ((0.0, 1.0),)


def test_a_freeze_ends_after_it_starts():
    with pytest.raises(ValueError, match="ends on or after"):
        Freeze.model_validate({"from": "2026-01-09", "to": "2026-01-08"})
