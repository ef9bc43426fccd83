"""The plan's dates as an iCalendar file (RFC 5545): what to aim for, what to commit to, and what is nearly certain."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from icalendar import Calendar, Event

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.plan import Quantiles
from interlock.report import safe

_NAMESPACE = uuid.UUID("6f2a3f0e-0c54-4b8e-9d0b-0f6f6c1f8a57")
_LEVELS = (
    ("P50", "target", "Half of the simulated runs finish by this day."),
    ("P80", "commitment", "Four in five of the simulated runs finish by this day: the date to commit to."),
    ("P90", "nearly certain", "Nine in ten of the simulated runs finish by this day."),
)


def render(assessment: Assessment, *, now: datetime) -> bytes:
    """All-day events for every organisation's P50, P80 and P90, and for all together.

    An event keeps its UID from one export to the next, so a calendar that imports again moves it.

    :param now: time zone aware; stands as DTSTAMP (RFC 5545, section 3.8.7.2).
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Interlock//Integration readiness//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"{safe.name(assessment.product)}: integration")
    share = words.share(assessment.plan.judgement_share)
    judged = f"{share} of the critical path's time rests on judgement."
    for key, name, finish in _finishes(assessment):
        days = map(date.fromisoformat, (finish.p50_date, finish.p80_date, finish.p90_date))
        for (level, meaning, said), day in zip(_LEVELS, days, strict=True):
            event = Event()
            event.add("uid", str(uuid.uuid5(_NAMESPACE, "\n".join((assessment.product, key, level)))))
            event.add("dtstamp", now)
            event.add("dtstart", day)
            event.add("dtend", day + timedelta(days=1))  # DTEND is exclusive, section 3.6.1
            event.add("summary", f"{name} ({level}, {meaning})")
            event.add("description", f"{said} Counted from {safe.day(assessment.plan.start)}. {judged}")
            event.add("transp", "TRANSPARENT")
            event.add("categories", ["Interlock"])
            calendar.add_component(event)
    return bytes(calendar.to_ical())


def _finishes(assessment: Assessment) -> Iterator[tuple[str, str, Quantiles]]:
    plan = assessment.plan
    if not plan.left:
        return
    gate = words.GATE[plan.target_gate].phrase
    names = {org.id: safe.name(org.name) for org in assessment.organizations}
    if len(plan.orgs) != 1:
        yield "all", f"Every organisation past the {gate} gate", plan.finish
    for forecast in plan.orgs:
        name = names.get(forecast.org, safe.name(forecast.org))
        yield f"org:{forecast.org}", f"{name} past the {gate} gate", forecast.finish
