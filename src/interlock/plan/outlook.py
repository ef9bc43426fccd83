"""One line an organisation, for the head of the plan: where it stands, what comes next, who is named, and its dates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from interlock.model import words
from interlock.model.base import Owner, Recommendation, TaskState
from interlock.model.forecast import OrgOutlook
from interlock.model.language import _
from interlock.model.organization import Contact, Freeze, Organization
from interlock.model.plan import Plan, PlanTask
from interlock.model.readiness import OrgReadiness
from interlock.model.text import plain
from interlock.plan.actions import named
from interlock.plan.go import LAUNCH

#: What starts within so many working days can be next.
_SOON = 10.0
_NOBODY = "nobody named yet"


def with_outlook(
    plan: Plan,
    readiness: Sequence[OrgReadiness],
    organizations: Sequence[Organization],
    freezes: Sequence[Freeze],
    nearest: str | None = None,
) -> Plan:
    """The plan with a line for each organisation and the change freezes by date; its tasks have people already.

    The lines stand in the order in which to start: by what is recommended, then the earlier finish at the median.

    :param nearest: the organisation that the verdict's next step is about, which comes first.
    """
    state = {own.org: own for own in readiness}
    by_id = {organization.id: organization for organization in organizations}
    left: dict[str | None, list[PlanTask]] = defaultdict(list)
    for task in plan.left:
        if task.chance is None:
            left[task.org].append(task)
    lines = []
    for forecast in plan.orgs if plan.ground.dated else ():
        organization = by_id[forecast.org]
        tasks = left[forecast.org]
        first = _next(tasks)
        own = state.get(forecast.org)
        lines.append(
            OrgOutlook(
                org=forecast.org,
                name=plain(organization.name, 60),
                vendor=words.vendor(organization.vendor),
                recommended=words.RECOMMENDATION[own.recommendation].title if own else "",
                why=words.capital(plain(own.because, 300)) if own else "",
                stage=words.met_up_to(own.stage if own else None) + _conditions(tasks),
                next=named(_deed(first), organization.name) if first is not None else "nothing of its own is left",
                next_task=first.id if first is not None else "",
                there=_named(organization.contact("there"), tasks, Owner.ORG),
                here=_named(organization.contact("here"), tasks, Owner.US),
                finish=forecast.finish,
            )
        )
    rank = {org: list(Recommendation).index(own.recommendation) for org, own in state.items()}
    lines.sort(key=lambda line: (line.org != nearest, rank.get(line.org, len(rank)), line.finish.p50_days, line.org))
    names = {organization.id: plain(organization.name, 60) for organization in organizations}
    return plan.model_copy(update={"outlook": tuple(lines), "freezes": _freezes(freezes, names)})


def _conditions(tasks: Sequence[PlanTask]) -> str:
    """What has to be done before the launch that is no requirement, counted; empty where nothing is left of it."""
    launch = next((task for task in tasks if task.id.partition("@")[0] == LAUNCH), None)
    number = sum(task.id in launch.after and task.kind == "routine" for task in tasks) if launch else 0
    return f"; {words.count(number, 'condition')} of the launch open" if number else ""


def _next(tasks: Sequence[PlanTask]) -> PlanTask | None:
    """What is critical most often of what is under way or starts in the next two weeks; else what starts first."""
    soon = [task for task in tasks if task.start_p50 <= _SOON]
    if soon:
        return max(soon, key=lambda task: (task.criticality, -task.start_p50, task.id))
    return min(tasks, key=lambda task: (task.start_p50, task.id), default=None)


def _deed(task: PlanTask) -> str:
    """What to do, as an action."""
    deed = plain(task.action or task.title, 300).removesuffix(".")
    under_way = task.progress is not None and task.progress.status is TaskState.BEGUN
    return f"see through: {deed[:1].lower()}{deed[1:]}" if under_way else deed


def _named(contact: Contact | None, tasks: Sequence[PlanTask], owner: Owner) -> str:
    """The contact on one side; else whoever has the first task that somebody has."""
    if contact is not None:
        return contact.told
    named = [task for task in tasks if task.owner is owner and task.person]
    return plain(min(named, key=lambda task: task.start_p50).person, 60) if named else _NOBODY


def _freezes(freezes: Sequence[Freeze], names: Mapping[str, str]) -> tuple[str, ...]:
    """The stated change freezes in words, and whose are not stated."""
    said = [
        f"{names.get(freeze.org, freeze.org) if freeze.org else 'Everywhere'}: "
        f"{words.span(str(freeze.first), str(freeze.last))}"
        + (f" ({plain(freeze.reason, 80)})" if freeze.reason else "")
        for freeze in freezes
    ]
    stated = {freeze.org for freeze in freezes}
    without = [] if None in stated else [name for org, name in names.items() if org not in stated]
    if without:
        said.append(
            f"{words.listed(without, 6)}: no dates are stated, so the ruleset's estimate stands in their place "
            "(freezes in interlock.yaml)."
        )
    return tuple(said)


def order(plan: Plan) -> tuple[str, ...]:
    """By what the organisations are ordered, what begins where, and whose finish waits for our people's work elsewhere.

    Each is ``Lead: what there is to know``, as a note is.
    """
    if len(plan.orgs) < 2:
        return ()
    names = {line.org: line.name for line in plan.outlook}
    means = _(
        "that in which to decide, and not that in which work is done or ends. First where it is recommended to start, "
        "or where least is left before that; then where something has to be waited for or mapped, last where nobody "
        "could look; of those of which the same is recommended, first whichever is through first in half of the runs. "
        "Our people's time is kept for none of them: what can start first is taken first, and of that what has most "
        "work behind it, so one further down may "
        "be through earlier."
    )
    said = [f"{_('Order')}: {means}"]
    title = words.RECOMMENDATION[Recommendation.START].title_in_english
    start = [line.name for line in plan.outlook if line.recommended == title]
    if start and len(start) < len(plan.outlook):
        begins = _("building and launching begin at %(names)s", names=words.listed(start, 4))
        said.append(f"{_('Meanwhile')}: {begins}; {_(words.ELSEWHERE)}.")
    for each in plan.orgs:
        waits = [
            _("%(name)s (%(number)s in 100 runs)", name=names.get(org, org), number=round(100 * share))
            for org, share in each.waits.items()
        ]
        if waits:
            name = names.get(each.org, each.org)
            waiting = _(
                "at %(name)s the date waits for our people's work at %(others)s.",
                name=name,
                others=words.listed(waits, 4),
            )
            said.append(f"{_('Queue')}: {waiting}")
    return tuple(said)
