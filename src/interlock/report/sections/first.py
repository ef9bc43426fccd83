"""What to do first, with the three numbers behind each rank."""

from __future__ import annotations

from interlock.model import words
from interlock.model.base import Scope
from interlock.model.plan import FirstThing, finding_of
from interlock.report import safe
from interlock.report.elements import Figure, Link, Shown
from interlock.report.sections.context import Context, Section
from interlock.report.sections.summary import question

FIRST_LIMIT = 5
_NUMBERS = (
    "To be worked from the top: first what argues for the verdict, then what would bring most for a day of work. Each "
    "is judged with all above it done, so a number may be larger further down. The P80 is the day by which four of "
    "five simulated runs are through. The three numbers: working days off it, added up over the organisations, for "
    "each person-day spent; how many gates pass; and in what share of the runs it lies on the critical path."
)


def build_first(context: Context) -> Shown:
    """The first steps, and what they bring together."""
    plan = context.assessment.plan
    return {
        "note": _NUMBERS,
        "steps": first_steps(context),
        "apart": tuple(_first(context, 0, thing) for thing in plan.apart),
        "together": plan.first_note,
    }


def first_steps(context: Context) -> list[Shown]:
    """The first things to do, best first."""
    return [
        _first(context, rank, first) for rank, first in enumerate(context.assessment.plan.first[:FIRST_LIMIT], start=1)
    ]


def _first(context: Context, rank: int, first: FirstThing) -> Shown:
    keys = [finding_of(key) for key in first.keys or (first.key,)]
    node = context.nodes.get(keys[0])
    orgs = first.orgs or ((node.subject.id,) if node and node.subject.scope is Scope.ORG else ())
    where = words.listed([context.organization_name(org) for org in orgs], 4)
    if node and not where:
        where = context.subject_link(node.subject).label
    title = question(node.title) if node is not None and node.kind == "discovery" else safe.name(first.title)
    return {
        "rank": str(rank),
        "id": context.finding_link(keys[0]) if node else Link(label=safe.text(first.key, 80)),
        "title": title,
        "where": where,
        "owner": words.OWNER[first.owner].title,
        "action": words.sentence(safe.text(first.action)),
        "because": words.capital(words.sentence(safe.text(first.because))),
        "numbers": (
            Figure(value=words.number(first.p80_days_saved_per_person_day), label="days saved a person-day", note=""),
            Figure(
                value=f"{first.unlocks:,}",
                label="gate passed" if first.unlocks == 1 else "gates passed",
                note="",
            ),
            Figure(value=words.share(first.criticality), label="of runs critical", note=""),
        ),
    }


SECTION = Section("first", "What to do first", build_first)
