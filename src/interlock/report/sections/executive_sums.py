"""When it is done and what it costs, on the page that an executive decides from: ranges, and sums that add up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from interlock.model import words
from interlock.model.base import Gate, Owner
from interlock.model.forecast import Quantiles
from interlock.model.language import Said, _
from interlock.model.plan import PlanTask
from interlock.report import safe
from interlock.report.sections.context import Context

#: A smaller share of judgement is not told; from the larger one on it is all.
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
#: Words of engineers, and what a board reads in their place.
_BOARD = (
    ("map the auth surface", "find out how signing in works at each hospital"),
    ("about signing in there", "about signing in"),
    ("our client's key", "the product's sign-in key"),
    ("our client is", "the product's registration is"),
    ("the authentication paths are not mapped", "how signing in works at each hospital is not written down"),
)


def board(text: str) -> str:
    """A title or verdict in words that nobody has to look up."""
    for ours, theirs in _BOARD:
        text = text.replace(ours, theirs).replace(words.capital(ours), words.capital(theirs))
    return text


class Work(NamedTuple):
    """Whole person-days that are left: of the product team, and of organisations and EHR vendors together.

    :ivar unreckoned: steps of organisations and vendors of which only the wait is estimated: approvals, meetings.
    """

    team: int
    others: int
    unreckoned: int

    @property
    def told(self) -> str:
        """``60 + 56``; where nothing of others is estimated although they have steps, a dash and no zero."""
        return f"{self.team:,} + {'–' if self.unreckoned and not self.others else f'{self.others:,}'}"


def of_team(tasks: Iterable[PlanTask]) -> str:
    """Work of the product team on some tasks, what only an unknown may bring by its chance; empty without any."""
    days = sum(
        task.effort.mean * (1.0 if task.chance is None else task.chance)
        for task in tasks
        if task.owner is Owner.US and task.effort is not None
    )
    if not days:
        return ""
    return _("about %(days)s", days=words.person_days(round(days))) if days >= 1 else _("less than a person-day")


def together(parts: Iterable[Work]) -> Work:
    """The sum of parts as they are shown, so that a reader who adds them up finds the same."""
    team, others, unreckoned = (sum(column) for column in zip(*parts, strict=True))
    return Work(team, others, unreckoned)


def work(context: Context, orgs: Collection[str | None]) -> Work:
    """Work that is left for some organisations, what only an unknown may bring by its chance.

    :param orgs: ids of organisations; none stands for the product itself and what is done with the EHR vendors.
    """
    team = others = 0.0
    unreckoned = 0
    for task in context.assessment.plan.left:
        if task.org not in orgs:
            continue
        if task.effort is None:
            unreckoned += task.owner is not Owner.US
            continue
        days = task.effort.mean * (1.0 if task.chance is None else task.chance)
        if task.owner is Owner.US:
            team += days
        else:
            others += days
    return Work(round(team), round(others), unreckoned)


def cost(context: Context, left: Work, *, first: str) -> Iterator[str]:
    """All work that is left up to the target gate, by who does it, and what is not in it.

    :param first: what the first step takes alone; empty where nothing is estimated.
    """
    if not context.assessment.plan.left:
        return
    persons = context.assessment.plan.capacity.get(Owner.US)
    people = (
        words.counted(round(persons), "planned with %(number)s person", "planned with %(number)s people")
        if persons
        else _("no team size is stated")
    )
    gate = words.gate(context.assessment.target_gate)
    if not context.assessment.organizations:
        yield _(
            "For the product alone, up to the %(gate)s: about %(team)s (%(people)s).",
            gate=gate,
            team=words.person_days(left.team),
            people=people,
        )
        if first:
            yield first
        yield _("What organisations and EHR vendors have to do is not in it, nor are fees and licences.")
        return
    sums = {"gate": gate, "team": words.person_days(left.team), "people": people}
    if left.others:
        yield _(
            "Up to the %(gate)s the table adds up to %(team)s of the product team (%(people)s), and %(others)s of "
            "organisations and EHR vendors.",
            **sums,
            others=words.number(left.others),
        )
    else:
        yield _("Up to the %(gate)s the table adds up to %(team)s of the product team (%(people)s).", **sums)
    if first:
        yield first
    if left.unreckoned:
        yield _(
            "Work, not money. Not reckoned: meetings and approvals of organisations and vendors (“–”), fees and "
            "licences."
        )
    else:
        yield _("Work, not money. Not reckoned: fees and licences.")


def dates(context: Context) -> Iterator[str]:
    """The range with what it rests on, and what the unknowns do to it."""
    plan = context.assessment.plan
    if not plan.ground.dated:
        lacks = not context.assessment.organizations
        nothing = words.nothing_left(context.assessment.target_gate)
        yield _("There is no date yet: no organisation has been added.") if lacks else nothing
        return
    happens = _HAPPENS[context.assessment.target_gate]
    who = _("At the last organisation %(happens)s", happens=happens) if len(plan.orgs) > 1 else words.capital(happens)
    yield _(
        "%(who)s %(between)s in eight of ten simulated runs; of the other two one ends earlier, one later.",
        who=who,
        between=between(context, plan.finish),
    )
    if not plan.ground.firm:
        because = board(safe.text(words.listed(plan.ground.because, 3), _LINE))
        yield _("This is a range and no date to promise: %(because)s.", because=because)
    unknown = plan.if_no_gaps is not None and plan.if_all_gaps is not None
    if plan.judged_durations >= _LEAST_SHARE:
        mostly = _("mostly judgement") if plan.judged_durations < _NEARLY_ALL else _("judgement")
        yield (
            _(
                "How long things take, and how likely each unknown is a gap, is %(judgement)s, not measured, so only "
                "months are named.",
                judgement=mostly,
            )
            if unknown
            else _("How long things take is %(judgement)s, not measured, so only months are named.", judgement=mostly)
        )
    if plan.if_no_gaps and plan.if_all_gaps:
        weeks = round((plan.if_all_gaps.p80_days - plan.if_no_gaps.p80_days) / 5)
        moved = (
            words.counted(
                weeks,
                "what is unknown moves it by up to %(number)s week",
                "what is unknown moves it by up to %(number)s weeks",
            )
            if weeks
            else _("what is unknown hardly moves it, because other work takes longer beside it")
        )
        unseen = [context.organization_name(own.org) for own in context.assessment.readiness if context.unseen(own.org)]
        if unseen:
            yield _(
                "Within what this plan reckons, %(moved)s; what nobody asked is in no date, and nobody has looked at "
                "%(unseen)s, which may bring more.",
                moved=moved,
                unseen=words.listed(unseen, 3),
            )
        else:
            yield _("Within what this plan reckons, %(moved)s; what nobody asked is in no date.", moved=moved)


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
