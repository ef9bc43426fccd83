"""The plan: tasks, the dates that simulated runs give, and what would change them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from interlock.model import words
from interlock.model.base import Gate, Grade, IsoDate, Model, Owner
from interlock.model.forecast import (
    DateChance,
    Driver,
    GoNoGo,
    Ground,
    OrgForecast,
    OrgOutlook,
    PersonLoad,
    Quantiles,
    SandboxCost,
    SpreadPart,
    WeekLoad,
)
from interlock.model.language import N_, _
from interlock.model.routine import TaskStatus
from interlock.model.rule import Effort, LeadTime
from interlock.model.text import plain

#: Simulated schedules of a plan, where nobody asks for another number.
DEFAULT_RUNS = 5_000
#: The id of a task that finds out whether there is a gap is this before the finding's key.
FIND_OUT = "find-out:"
#: The title of such a task is this before the title of the rule.
FIND_OUT_WORDS = "Find out whether this holds: "
#: A shorter wait for its turn in the list of our work than this, in working days, is not told.
_TOLD_QUEUE = 5
#: How many unknowns are told, on a screen and in a report.
UNKNOWNS_TOLD = 5


def finding_of(task: str) -> str:
    """Key of the finding that a task closes or finds out about, by the task's id."""
    return task.removeprefix(FIND_OUT)


class PlanTask(Model):
    """One task of the plan, in working days from the start.

    :ivar kind: ``gap``, ``discovery``, ``evidence`` or ``routine``.
    :ivar about: keys of the findings whose evidence it is about; empty for other tasks.
    :ivar chance: how likely it has to be done at all, in [0, 1], where that is not decided; none where it is.
    :ivar share_left: the mean share of its effort that is left, in [0, 1]; below one where it is under way.
    :ivar lead_time: by own history, the whole time from its first day to its last, the effort included.
    :ivar person, due: who does it and by when, where that is stated; ``accepted`` says when it counts as done.
    :ivar contact: through whom it goes where nobody is named for it: the organisation's contact on its owner's side.
    :ivar starts, ends: the days of its median start and finish; ``latest`` that by which four of five runs finish it.
    :ivar person_days_late: working days by which they are later than in the simulation: its person has other work.
    :ivar action: what to do, as a person is told it; ``title`` says what is open.
    :ivar critical: it closes a gap of critical severity that blocks, up to the target gate.
    :ivar decides: who decides, where it is a decision; ``decided_by`` on whose side they are.
    :ivar progress: how far a routine task has come, where somebody has said so.
    :ivar criticality: share of runs in which the task lies on the critical path of its finish, in [0, 1].
    :ivar start_p50, finish_p50: median start and finish, working days from the plan's start; ``finish_p80`` its P80.
    :ivar queue_days: mean working days that it waits, ready to start, for its turn in the list of its owner's work.
    :ivar shared_environment: its time goes by in windows of an environment that others use too.
    """

    id: str
    title: str
    kind: Literal["gap", "discovery", "evidence", "routine"]
    org: str | None
    owner: Owner
    gate: Gate
    wave: int
    after: tuple[str, ...]
    effort: Effort | None
    share_left: float = 1.0
    lead_time: LeadTime | None
    start_p50: float
    finish_p50: float
    criticality: float
    finish_p80: float | None = None
    queue_days: float = 0.0
    shared_environment: bool = False
    chance: float | None = None
    progress: TaskStatus | None = None
    about: tuple[str, ...] = ()
    person: str | None = None
    contact: str | None = None
    due: IsoDate | None = None
    starts: IsoDate | None = None
    ends: IsoDate | None = None
    latest: IsoDate | None = None
    person_days_late: int = 0
    accepted: str = ""
    action: str = ""
    critical: bool = False
    decides: str = ""
    decided_by: Owner = Owner.ORG

    @property
    def whose(self) -> str:
        """Who does it in words, and since when where it has begun: ``Ada, under way since 3 Nov 2026``."""
        whose = words.OWNER[self.owner].phrase
        through = _("through %(contact)s", contact=plain(self.contact, 60)) if self.contact else _("nobody named yet")
        who = plain(self.person, 60) if self.person else f"{whose}, {through}"
        begun = self.progress.begun if self.progress and not self.progress.is_done else None
        return _("%(who)s, under way since %(day)s", who=who, day=words.iso_day(begun)) if begun else who

    @property
    def by(self) -> str | None:
        """The day that people act on: the one that was stated, else the one by which four of five runs have it done.

        A day that was stated and is over before the task can begin is nothing to act on.
        """
        return self.due_kept or self.latest or self.ends

    @property
    def due_kept(self) -> str | None:
        """The day that was stated, unless it is over before the task can begin."""
        return None if self._too_soon else self.due

    @property
    def _too_soon(self) -> bool:
        return bool(self.due and self.starts and self.due < self.starts)

    @property
    def by_said(self) -> str:
        """That day in words, and what the plan keeps where it does not keep the day that was stated."""
        if self.by is None:
            return ""
        day = words.iso_day(self.by)
        if self._too_soon:
            return _("by %(day)s (stated: %(due)s, before it can begin)", day=day, due=words.iso_day(self.due or ""))
        if not (self.due and self.latest and self.latest > self.due):
            return _("by %(day)s", day=day)
        latest = words.iso_day(self.latest)
        if self.ends and self.ends > self.due:
            return _(
                "by %(day)s (as stated; on the days told here it ends later, four of five need until %(latest)s)",
                day=day,
                latest=latest,
            )
        return _("by %(day)s (as stated; four of five need until %(latest)s)", day=day, latest=latest)

    @property
    def when(self) -> str:
        """From when and by when in words: ``from 1 Dec 2026, by 18 Dec 2026; 0.7 person-days of ours``."""
        if self.starts is None or self.by is None:
            return ""
        first = _("on %(day)s", day=words.iso_day(self.by))
        if self.starts != self.by or self.due:
            begun = self.progress is not None and self.progress.begun is not None
            first = self.by_said
            if not begun:
                first = _("from %(day)s, %(by)s", day=words.iso_day(self.starts), by=self.by_said)
        work = self.work_left
        told = _("waiting only")
        if work:
            ours, theirs = N_("%(work)s of ours"), N_("%(work)s of theirs")
            told = _(ours if self.owner is Owner.US else theirs, work=words.person_days(work))
        late = round(self.queue_days) >= _TOLD_QUEUE and self.owner is Owner.US
        waits = [_("ready about %(days)s before its turn", days=words.days(round(self.queue_days)))] if late else []
        return "; ".join([first, told, *waits])

    @property
    def work_left(self) -> float:
        """Its mean effort, in person-days, less what of it is behind where it is under way."""
        return self.effort.mean * self.share_left if self.effort else 0.0

    @property
    def is_done(self) -> bool:
        """Whether it is done: it keeps its place, and takes no time."""
        return self.progress is not None and self.progress.is_done


class FirstThing(Model):
    """One of the things to do first, with the three numbers behind its rank: those above it are taken as closed.

    :ivar key: of its task; without the organisation where it is to be done at several.
    :ivar keys, orgs: ids of its tasks, and the organisations at which they are.
    :ivar task: the same as one short imperative; ``state`` what is open, where the title does not say what to do.
    :ivar argues: it argues for the verdict, or could.
    :ivar p80_days_saved: working days off the organisations' P80s, summed, that closing this takes beyond those above.
    :ivar together_days: the same for this and all above it.
    :ivar together_orgs: the same for each organisation whose P80 it moves.
    :ivar together_p80_date: P80 of the whole plan once this and all above it are closed.
    """

    key: str
    keys: tuple[str, ...] = ()
    orgs: tuple[str, ...] = ()
    title: str
    kind: Literal["gap", "discovery", "evidence", "routine"] = "gap"
    owner: Owner
    action: str
    task: str = ""
    state: str = ""
    argues: bool = False
    p80_days_saved_per_person_day: float
    unlocks: int
    criticality: float
    because: str
    p80_days_saved: float = 0.0
    together_days: float = 0.0
    together_orgs: dict[str, float] = {}
    together_p80_date: str = ""

    @property
    def headline(self) -> str:
        """What to do, in words alone: ``key`` has the id."""
        return (self.task or self.title).removesuffix(".")

    @property
    def what_to_do(self) -> str:
        """What to do, at length where there is more to say than the short imperative."""
        return self.action or self.task

    @property
    def more(self) -> str:
        """What is to be said of it beyond the headline; empty where that says all."""
        return self.what_to_do.removeprefix(self.headline).lstrip(" .")

    @property
    def where(self) -> str:
        """The organisations at which it is to be done, where there are several: ``at a, b and 3 more``."""
        return _("at %(orgs)s", orgs=words.listed(self.orgs, 4)) if len(self.orgs) > 1 else ""


class UnknownThing(Model):
    """One unknown as work: what finding out costs, and how much it narrows score and date.

    :ivar person_days: mean effort of finding out.
    :ivar score_points: points by which the score's interval gets narrower, summed over the scores that it is part of.
    :ivar p80_days: working days that the P80 moves out if it turns out to be a gap, summed over the organisations.
    """

    key: str
    title: str
    owner: Owner
    action: str
    person_days: float
    score_points: float
    p80_days: float
    because: str

    @property
    def if_bad(self) -> str:
        """What would be so if the answer is bad: nobody knows yet whether it is."""
        return _("If the answer is bad: %(state)s", state=self.title.removeprefix(FIND_OUT_WORDS))


#: Fields that a plan once had.
_EARLIER = ("if_unknowns_are_gaps", "grades", "judgement_share")


class Plan(Model):
    """The schedule's result.

    :ivar spread: what makes the range as wide as it is, the largest part first; empty when it has no width.
    :ivar apart: what passes a gate or lies on the critical path and saves nothing by itself.
    :ivar notes: what to know before quoting a date, each ``Lead: what there is to know``.
    :ivar most_likely: what the path of most likely times alone would have said, and how unlikely it is.
    :ivar capacity: persons by owner, as stated; an owner without a number never makes a task wait.
    :ivar if_no_gaps, if_all_gaps: the finish if nothing, or everything, that is undecided turned out to be a gap; none
        when nothing is undecided.
    :ivar outlook: a line for each organisation, in the order in which to start there.
    :ivar load, people: what each week asks of our team, and of each of its people who is named.
    :ivar go: what must hold on the day of the first launch in a pilot unit; none where no launch is left.
    """

    start: IsoDate
    seed: int
    runs: int
    target_gate: Gate
    finish: Quantiles
    most_likely_days: float
    probability_of_most_likely: float
    orgs: tuple[OrgForecast, ...]
    tasks: tuple[PlanTask, ...]
    first: tuple[FirstThing, ...]
    apart: tuple[FirstThing, ...] = ()
    spread: tuple[SpreadPart, ...] = ()
    notes: tuple[str, ...] = ()
    most_likely: str = ""
    most_likely_date: str = ""
    capacity: dict[Owner, float] = {}
    drivers: tuple[Driver, ...] = ()
    unknowns: tuple[UnknownThing, ...] = ()
    if_no_gaps: Quantiles | None = None
    if_all_gaps: Quantiles | None = None
    sandbox: SandboxCost | None = None
    chances: tuple[DateChance, ...] = ()
    ground: Ground = Ground()
    outlook: tuple[OrgOutlook, ...] = ()
    load: tuple[WeekLoad, ...] = ()
    people: tuple[PersonLoad, ...] = ()
    go: GoNoGo | None = None
    freezes: tuple[str, ...] = ()

    @property
    def decisions(self) -> tuple[PlanTask, ...]:
        """The decisions to be taken, by the day on which each is due in the middle of the runs."""
        left = [task for task in self.left if task.decides and task.chance is None]
        return tuple(sorted(left, key=lambda task: (task.finish_p50, task.id)))

    @property
    def asked_first(self) -> tuple[UnknownThing, ...]:
        """The unknowns that are told: of those that one question or probe settles the one with most at stake."""
        firsts: dict[str, UnknownThing] = {}
        for thing in self.unknowns:
            if thing.p80_days or thing.score_points:
                firsts.setdefault(thing.action, thing)
        return tuple(firsts.values())[:UNKNOWNS_TOLD]

    @property
    def first_note(self) -> str:
        """What doing the first things brings together, or why there are none; one sentence or two."""
        if not self.left:
            return words.nothing_left(self.target_gate)
        if not self.first:
            return words.counted(
                len(self.left),
                "%(number)s task is left, and none shortens the plan by itself.",
                "%(number)s tasks are left, and none shortens the plan by itself.",
            )
        last, number = self.first[-1], len(self.first)
        if number < 2:
            return ""
        if last.together_days <= 0:
            return _("Not even all of these together would take a day off a P80: other work takes longer beside them.")
        names = {line.org: line.name for line in self.outlook}
        each = {forecast.org: last.together_orgs.get(forecast.org, 0.0) for forecast in self.orgs}
        moved = [f"{names.get(org, org)} {words.days(days)}" for org, days in each.items() if days]
        if not moved:
            said = _(
                "Were all of them done already, 1 to %(number)s together would save %(days)s",
                number=number,
                days=words.days(last.together_days),
            )
        elif len(each) == 1:
            said = _(
                "Were all of them done already, 1 to %(number)s together would take %(days)s off the P80",
                number=number,
                days=words.days(sum(each.values())),
            )
        else:
            said = _(
                "Were all of them done already, 1 to %(number)s together would bring the organisations' own P80s "
                "forward (%(moved)s)",
                number=number,
                moved=words.listed(moved, len(moved)),
            )
        if not last.together_p80_date:
            return f"{said}."
        then, now = words.iso_day(last.together_p80_date), words.iso_day(self.finish.p80_date)
        through = _("in four of five runs all is then through by %(then)s, instead of %(now)s", then=then, now=now)
        return f"{said}: {through}."

    @model_validator(mode="before")
    @classmethod
    def _of_an_earlier_version(cls, data: Any) -> Any:
        """The finish if everything is a gap once had another name, and what the spread rests on was not told."""
        if not isinstance(data, dict):
            return data
        kept = {key: value for key, value in data.items() if key not in _EARLIER}
        return kept | ({"if_all_gaps": data["if_unknowns_are_gaps"]} if "if_unknowns_are_gaps" in data else {})

    @property
    def judgement_share(self) -> float:
        """The share of the range's width that rests on judgement, in [0, 1]."""
        return round(sum(part.share for part in self.spread if part.grade is Grade.JUDGEMENT), 3)

    @property
    def judged_durations(self) -> float:
        """The share of the range's width that is our judgement of how long things take, in [0, 1]."""
        judged = (part for part in self.spread if part.grade is Grade.JUDGEMENT and part.cause != "unknowns")
        return round(sum(part.share for part in judged), 3)

    @property
    def left(self) -> tuple[PlanTask, ...]:
        """The tasks that are not done."""
        return tuple(task for task in self.tasks if task.progress is None or not task.progress.is_done)


class PlanChange(Model):
    """One finish before and after. ``org`` none stands for all; ``after`` is none for an organisation left out."""

    org: str | None
    before: Quantiles
    after: Quantiles | None

    @property
    def days(self) -> float:
        """By how many working days the P80 is later, or below zero earlier; zero for one left out."""
        return round(self.after.p80_days - self.before.p80_days, 1) if self.after else 0.0


class WhatIf(Model):
    """``interlock plan --what-if …``: the same luck, before and after the changes named.

    :ivar changes: what was changed, one sentence each.
    :ivar ground: what may be said of the dates on both sides.
    :ivar opened, closed: keys of the gaps and unknowns that a change of the contract opens or closes.
    """

    schema_version: Literal["1"] = "1"
    seed: int
    runs: int
    target_gate: Gate
    ground: Ground
    changes: tuple[str, ...]
    finishes: tuple[PlanChange, ...]
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
