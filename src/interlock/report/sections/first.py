"""What to do first, with the numbers behind each rank."""

from __future__ import annotations

from interlock.model import words
from interlock.model.base import Scope
from interlock.model.language import _
from interlock.model.plan import FirstThing, finding_of
from interlock.plan.people import asks
from interlock.report import safe
from interlock.report.elements import Shown
from interlock.report.sections.context import Context, Section
from interlock.report.sections.tasks import details

FIRST_LIMIT = 5


def build_first(context: Context) -> Shown:
    """The first steps, and what they bring together."""
    plan = context.assessment.plan
    return {
        "note": _(words.FIRST_MEANS),
        "steps": first_steps(context),
        "apart": tuple(_first(context, 0, thing) for thing in plan.apart),
        "together": plan.first_note,
    }


def first_steps(context: Context) -> list[Shown]:
    """The first things to do, best first."""
    steps = [
        _first(context, rank, first) for rank, first in enumerate(context.assessment.plan.first[:FIRST_LIMIT], start=1)
    ]
    for name in ("action", "told", "asks"):
        for step, said in zip(steps, safe.once((step[name] for step in steps), _as_in), strict=True):
            step[name] = said
    return steps


def _as_in(number: int) -> str:
    return _("As in %(number)s.", number=number)


def _first(context: Context, rank: int, first: FirstThing) -> Shown:
    keys = [finding_of(key) for key in first.keys or (first.key,)]
    node = context.nodes.get(keys[0])
    task = context.tasks.get((first.keys or (first.key,))[0])
    orgs = first.orgs or ((node.subject.id,) if node and node.subject.scope is Scope.ORG else ())
    title = safe.text(first.task or first.title).removesuffix(".")
    more = (
        safe.text(first.action).removeprefix(f"{title}.").strip()
    )  # the title is its first sentence, where it has one
    where = words.listed([context.organization_name(org) for org in orgs], 4)
    if node and not where:
        where = context.subject_link(node.subject).label
    return {
        "rank": str(rank),
        "id": details(context.finding_link(keys[0]) if node else context.task_link(task)),
        "title": title,
        "state": safe.name(first.state),
        "where": where,
        "owner": words.OWNER[first.owner].phrase,
        "action": words.sentence(safe.text(first.action)),
        "told": " ".join(filter(None, map(words.sentence, filter(None, (safe.name(first.state), more))))),
        "asks": safe.text(asks(context.assessment.plan, first)),
        "because": words.capital(words.sentence(safe.text(first.because))),
    }


SECTION = Section("first", "What to do first", build_first)
