"""When it is done and what it costs, on the page that an executive decides from: ranges, and sums that add up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from interlock.model import words
from interlock.model.base import Gate, Owner, Recommendation, VerdictValue
from interlock.model.forecast import Quantiles
from interlock.model.language import N_, Said, _
from interlock.model.plan import PlanTask
from interlock.model.rule import Effort
from interlock.plan.go import LAUNCH
from interlock.report import safe
from interlock.report.sections.context import Context
from interlock.report.sections.executive_words import board

#: From these shares on how long things take is called mostly judgement, and judgement.
_LEAST_SHARE, _NEARLY_ALL = 0.5, 0.97
_LINE = 320
#: What happens on the day on which a gate is passed, in a sentence.
_HAPPENS = Said(
    {
        Gate.DESIGN: "it is settled on paper",
        Gate.SANDBOX: "it can be tried in the test environment",
        Gate.PILOT: "the pilot unit begins",
        Gate.PRODUCTION: "every unit uses it",
    }
)
#: What has to go well before the plan goes on, by the task with which it is decided.
_SUCCEEDS = {
    "us.decide-product": N_("the product holds when it is tested again"),
    "us.decide-outside": N_("the trial outside the EHR succeeds"),
}


def _ours(tasks: Iterable[PlanTask]) -> Iterator[tuple[Effort, float]]:
    """The estimate of each task that is the product team's, and how likely it is to come at all."""
    for task in tasks:
        if task.owner is Owner.US and task.effort is not None:
            yield task.effort, 1.0 if task.chance is None else task.chance


def days_of_team(tasks: Iterable[PlanTask]) -> float:
    """Person-days of the product team on some tasks, what only an unknown may bring by its chance."""
    return sum(effort.mean * chance for effort, chance in _ours(tasks))


def of_team(tasks: Iterable[PlanTask]) -> str:
    """Work of the product team on some tasks; empty without any."""
    days = days_of_team(tasks)
    if not days:
        return ""
    return _("about %(days)s", days=words.person_days(round(days))) if days >= 1 else _("less than a person-day")


def work(context: Context, orgs: Collection[str | None]) -> int:
    """Whole person-days of the product team that are left for some organisations.

    :param orgs: ids of organisations; none stands for the product itself and what is done with the EHR vendors.
    """
    return round(days_of_team(task for task in context.assessment.plan.left if task.org in orgs))


def cost(context: Context, team: int, parts: Iterable[str]) -> Iterator[str]:
    """All work that is left up to the target gate, by who does it, and what is not in it.

    :param team: the sum of the rows as they are shown, so that a reader who adds them up finds the same.
    :param parts: what of it is to be decided on now.
    """
    assessment = context.assessment
    if not assessment.plan.left:
        return
    persons = assessment.plan.capacity.get(Owner.US)
    people = (
        words.counted(round(persons), "planned with %(number)s person", "planned with %(number)s people")
        if persons
        else _("no team size is stated")
    )
    least, most = (
        sum(getattr(effort, end) * chance for effort, chance in _ours(assessment.plan.left)) for end in ("low", "high")
    )
    if round(least) < team < round(most):
        people = _(
            "%(least)s to %(most)s if every step takes its least or its most; %(people)s",
            least=words.number(round(least)),
            most=words.number(round(most)),
            people=people,
        )
    gate = words.gate(assessment.target_gate)
    said = {"team": words.person_days(team), "people": people}
    if not assessment.organizations:
        yield _(
            "For the product alone, up to the %(gate)s: about %(team)s of the product team (%(people)s).",
            gate=gate,
            **said,
        )
        yield from parts
        yield _("What organisations and EHR vendors have to do is not in it, nor are fees and licences.")
        return
    where = context.how_many(len(assessment.organizations)) if len(assessment.organizations) > 1 else ""
    there = _("the %(gate)s at %(where)s", gate=gate, where=where) if where else _("the %(gate)s", gate=gate)
    yield _(
        "The sum of the table, up to %(there)s: about %(team)s of the product team (%(people)s).", there=there, **said
    )
    yield from parts
    others = sum(
        task.effort.mean * (1.0 if task.chance is None else task.chance)
        for task in assessment.plan.left
        if task.owner is not Owner.US and task.effort is not None
    )
    if round(others):
        yield _(
            "Organisations and EHR vendors have about %(days)s of their own to do, besides meetings and approvals.",
            days=words.person_days(round(others)),
        )
    yield _("This is work, not money: fees and licences are not in it.")


def dates(context: Context) -> Iterator[str]:
    """The range with what it rests on, and what the unknowns do to it."""
    plan = context.assessment.plan
    if not plan.ground.dated:
        lacks = not context.assessment.organizations
        nothing = words.nothing_left(context.assessment.target_gate)
        yield _("There is no date yet: no organisation has been added.") if lacks else nothing
        return
    happens = _HAPPENS[context.assessment.target_gate]
    orgs = {forecast.org for forecast in plan.orgs}
    if not context.assessment.verdict.settled:
        yield _(
            "There is no date before it is decided what comes next. If that is “%(latest)s”, %(happens)s %(between)s "
            "in eight of ten simulated runs of the plan as it is today, or later.",
            latest=words.VERDICT[context.assessment.verdict.latest].phrase,
            happens=happens,
            between=between(context, plan.finish),
        )
    elif len(orgs) == 1:
        yield _("The table has when %(happens)s in eight of ten simulated runs of the plan.", happens=happens)
    else:
        yield _(
            "If all goes as assumed here, %(happens)s at the last of the %(where)s %(between)s in eight of ten "
            "simulated runs of the plan (whichever is the last, so later than any by itself); otherwise later.",
            where=words.count(len(orgs), "organisation"),
            happens=happens,
            between=between(context, plan.finish),
        )
    if not plan.ground.firm and context.assessment.verdict.settled:
        reasons = list(plan.ground.because)
        if len(orgs) > 1 and all(map(context.unseen, orgs)):
            reasons[0] = _("no organisation's EHR server was ever checked")
        because = board(safe.text(words.listed(reasons, 3), _LINE))
        yield _("No date to promise: %(because)s.", because=because)
    if context.assessment.verdict.settled and (beyond := _beyond(context)):
        yield beyond
    yield _assumed(context)
    judged = plan.judged_durations
    judgement = (
        _("judgement")
        if judged >= _NEARLY_ALL
        else _("mostly judgement")
        if judged >= _LEAST_SHARE
        else _("in part judgement")
    )
    yield _("How long things take is %(judgement)s, not measured.", judgement=judgement)
    yield from _moved(context)


def or_later(context: Context, dates: str, orgs: Collection[str]) -> str:
    """Dates of some organisations, and that they may be later, but where each can start and was observed."""
    verdict = context.assessment.verdict
    sure = verdict.settled and verdict.value is VerdictValue.INTEGRATE
    begins = all(context.readiness[org].recommendation is Recommendation.START for org in orgs)
    return dates if sure and begins and not any(map(context.unseen, orgs)) else _("%(dates)s, or later", dates=dates)


def has_dates(context: Context) -> bool:
    """Whether organisations have dates: not without one, nor before it is decided what comes next."""
    return context.assessment.plan.ground.dated and context.assessment.verdict.settled


def _beyond(context: Context) -> str:
    """When the pilot begins, where the plan goes on after it; or that no number has it, where it ends before."""
    gate, left = context.assessment.target_gate, context.assessment.plan.left
    if gate.rank < Gate.PILOT.rank:
        return _(
            "The plan ends at the %(gate)s: the date and the cost of a pilot are not in it, and are reckoned once the "
            "pilot is its target.",
            gate=words.gate(gate),
        )
    begins = [task.ends for task in left if task.id.partition("@")[0] == LAUNCH and task.ends]
    if gate is Gate.PILOT or not begins:
        return ""
    return _("The pilot unit begins about %(when)s.", when=between_days(context, begins))


def _assumed(context: Context) -> str:
    """What the plan takes for granted, and no run has otherwise (docs/scheduling.md)."""
    plan = context.assessment.plan
    left = {task.id for task in plan.left}
    tests = [said for task, said in _SUCCEEDS.items() if task in left]
    persons = plan.capacity.get(Owner.US)
    people = (
        words.counted(round(persons), "%(number)s person works on it", "%(number)s people work on it")
        if persons
        else _("somebody of the team is always free (no team size is stated)")
    )
    granted = (_("every approval is given"), _("every decision is yes"))
    begins = _("work begins on %(day)s", day=words.iso_day(plan.start))
    return _(
        "All dates assume that %(granted)s.",
        granted=words.listed([begins, people, *map(_, tests), *granted]),
    )


def _moved(context: Context) -> Iterator[str]:
    """What was simulated of the unknowns, and what no simulation can know."""
    plan = context.assessment.plan
    if any(context.unseen(own.org) for own in context.assessment.readiness):
        yield _("No date has in it what such a check may bring up.")
    elif plan.if_no_gaps and plan.if_all_gaps:
        weeks = round((plan.if_all_gaps.p80_days - plan.if_no_gaps.p80_days) / 5)
        apart = (
            words.counted(weeks, "about %(number)s week later", "about %(number)s weeks later")
            if weeks
            else _("less than a week later, because other work runs longer anyway")
        )
        yield _(
            "If every open question turns out badly rather than well, the simulated plan ends %(apart)s.",
            apart=apart,
        )
        yield _("That is an estimate and no limit: no date has in it what nobody has asked about yet.")


def between(context: Context, *finishes: Quantiles) -> str:
    """From the first to the last date of some ranges."""
    return between_days(context, [day for finish in finishes for day in (finish.first_date, finish.p90_date)])


def between_days(context: Context, days: Sequence[str]) -> str:
    """From the first to the last of some days; in months where judgement makes most of the range, or is to come."""
    if not days:
        return ""
    assessment = context.assessment
    sure = assessment.verdict.settled and not any(context.unseen(own.org) for own in assessment.readiness)
    told = words.span if sure and assessment.plan.judged_durations < _LEAST_SHARE else words.months
    return told(min(days), max(days))
