"""What to do first, with the three numbers behind each rank."""

from __future__ import annotations

from interlock.model import words
from interlock.model.plan import FirstThing
from interlock.report import estimates, safe
from interlock.report.elements import Figure, Shown
from interlock.report.sections.context import Context, Section
from interlock.report.sections.summary import question

FIRST_LIMIT = 5
_NUMBERS = (
    "Ranked by what each takes off the P80 finish. The three numbers: working days off that finish, added up over the "
    "organisations, for each person-day spent; how many gates of organisations pass by closing this alone; and in what "
    "share of the simulated runs it lies on the critical path."
)


def build_first(context: Context) -> Shown:
    """The first steps, and what they bring together."""
    return {"note": _NUMBERS, "steps": first_steps(context), "together": _together(context)}


def first_steps(context: Context) -> list[Shown]:
    """The first things to do, best first."""
    return [
        _first(context, rank, first) for rank, first in enumerate(context.assessment.plan.first[:FIRST_LIMIT], start=1)
    ]


def _first(context: Context, rank: int, first: FirstThing) -> Shown:
    node = context.nodes.get(first.key)
    where = context.subject_link(node.subject).label if node else ""
    title = question(node.title) if node is not None and node.kind == "discovery" else safe.name(first.title)
    return {
        "rank": str(rank),
        "id": context.finding_link(first.key),
        "title": title,
        "where": where,
        "owner": words.OWNER[first.owner].title,
        "action": words.sentence(safe.text(first.action)),
        "because": words.capital(words.sentence(safe.text(first.because))),
        "numbers": (
            Figure(value=words.number(first.p80_days_saved_per_person_day), label="days saved a person-day", note=""),
            Figure(
                value=f"{first.unlocks:,}",
                label="gate passed by it alone" if first.unlocks == 1 else "gates passed by it alone",
                note="",
            ),
            Figure(value=words.share(first.criticality), label="of runs critical", note=""),
        ),
    }


def _together(context: Context) -> str:
    """What closing the first steps together does to the dates; nothing for fewer than two."""
    first = context.assessment.plan.first[:FIRST_LIMIT]
    if len(first) < 2 or first[-1].together_days <= 0:
        return ""
    last = first[-1]
    date = (
        f" All of them would be through by {safe.day(last.together_p80_date)} (P80)." if last.together_p80_date else ""
    )
    return (
        f"Closing these {len(first)} together takes {estimates.days(last.together_days)} off the organisations’ P80s, "
        f"added up.{date}"
    )


SECTION = Section("first", "What to do first", build_first)
