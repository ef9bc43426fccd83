"""The plan's dates as an iCalendar file (RFC 5545): two dates where they have ground, else a range."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from icalendar import Calendar, Event

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.forecast import Ground, Quantiles
from interlock.report import safe

_NAMESPACE = uuid.UUID("6f2a3f0e-0c54-4b8e-9d0b-0f6f6c1f8a57")
_LEVELS = (
    ("P50", "target", "Half of the simulated runs finish by this day."),
    ("P80", "four of five runs", "Four in five of the simulated runs finish by this day."),
)


def render(assessment: Assessment, *, now: datetime) -> bytes:
    """All-day events for every organisation's P50 and P80, and for all together; without ground one from P10 to P90.

    An event keeps its UID from one export to the next, so a calendar that imports again moves it.

    :param now: time zone aware; stands as DTSTAMP (RFC 5545, section 3.8.7.2).
    """
    ground = assessment.plan.ground
    calendar = Calendar()
    calendar.add("prodid", "-//Interlock//Integration readiness//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"{safe.name(assessment.product)}: integration")
    for key, name, finish in _finishes(assessment):
        for level, meaning, said, first, last in _events(finish, ground):
            event = Event()
            event.add("uid", str(uuid.uuid5(_NAMESPACE, "\n".join((assessment.product, key, level)))))
            event.add("dtstamp", now)
            event.add("dtstart", date.fromisoformat(first))
            event.add("dtend", date.fromisoformat(last) + timedelta(days=1))  # DTEND is exclusive, section 3.6.1
            event.add("summary", f"{name} ({meaning})")
            counted = f"Counted from {safe.day(assessment.plan.start)}."
            event.add("description", " ".join(filter(None, (said, counted, ground.rests))))
            event.add("transp", "TRANSPARENT")
            event.add("categories", ["Interlock"])
            calendar.add_component(event)
    return bytes(calendar.to_ical())


def _events(finish: Quantiles, ground: Ground) -> Iterator[tuple[str, str, str, str, str]]:
    """Level, what it is, what that means, first and last day of each event."""
    if not ground.firm:
        lacks = ", and ".join(ground.because)
        said = f"Eight in ten of the simulated runs finish in these days. No date to promise, because {lacks}."
        yield "range", "range, no date to promise", said, finish.first_date, finish.p90_date
        return
    for (level, meaning, said), day in zip(_LEVELS, (finish.p50_date, finish.p80_date), strict=True):
        yield level, f"{level}, {meaning}", said, day, day


def _finishes(assessment: Assessment) -> Iterator[tuple[str, str, Quantiles]]:
    plan = assessment.plan
    if not plan.ground.dated:
        return
    gate = words.GATE[plan.target_gate].phrase
    names = {org.id: safe.name(org.name) for org in assessment.organizations}
    if len(plan.orgs) != 1:
        yield "all", f"Every organisation past the {gate} gate", plan.finish
    for forecast in plan.orgs:
        name = names.get(forecast.org, safe.name(forecast.org))
        yield f"org:{forecast.org}", f"{name} past the {gate} gate", forecast.finish
