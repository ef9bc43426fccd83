"""What simulated runs give: dates, what makes them wide, who is busy when, what shared environments cost."""

from __future__ import annotations

from typing import Literal

from interlock.model import words
from interlock.model.base import Grade, IsoDate, Model
from interlock.model.language import _


class Quantiles(Model):
    """Working days from the start, and the calendar date of each, of one finish; older milestones have no P10."""

    p10_days: float | None = None
    p50_days: float
    p80_days: float
    p90_days: float
    p10_date: IsoDate | None = None
    p50_date: IsoDate
    p80_date: IsoDate
    p90_date: IsoDate

    @property
    def first_date(self) -> str:
        """Where the range begins: P10, or P50 where P10 was not kept."""
        return self.p10_date or self.p50_date

    @property
    def span(self) -> str:
        """The range that eight of ten runs keep, in words."""
        return words.span(self.first_date, self.p90_date)

    @property
    def shares(self) -> str:
        """By when which share of the runs is through, in words."""
        half, most, nearly = (words.iso_day(day) for day in (self.p50_date, self.p80_date, self.p90_date))
        return _(
            "half by %(half)s (P50), four of five by %(most)s (P80), nine of ten by %(nearly)s (P90)",
            half=half,
            most=most,
            nearly=nearly,
        )

    def told(self, *, firm: bool) -> str:
        """The P80 where a single date has ground (:class:`Ground`), else the range."""
        return f"P80 {words.iso_day(self.p80_date)}" if firm else self.span


class OrgForecast(Model):
    """When one organisation passes the target gate, given the plan.

    :ivar if_no_gaps, if_all_gaps: its finish if nothing, or everything, that is undecided turned out to be a gap.
    :ivar waits: another organisation → the share of runs in which our people's work there decides this finish.
    """

    org: str
    finish: Quantiles
    if_no_gaps: Quantiles | None = None
    if_all_gaps: Quantiles | None = None
    most_likely_days: float
    probability_of_most_likely: float
    waits: dict[str, float] = {}


class OrgOutlook(Model):
    """One organisation in a line, for the head of the plan: they stand in the order in which to start.

    :ivar recommended: what to do there now, in a word or two; ``why`` goes on after it.
    :ivar stage: the stage in full (:func:`interlock.model.words.met_up_to`).
    :ivar next: what stands in its way next, as an action, and ``next_task`` the id of that task.
    :ivar there, here: who is named on each side.
    """

    org: str
    name: str
    vendor: str
    recommended: str = ""
    why: str = ""
    stage: str
    next: str
    next_task: str = ""
    there: str
    here: str
    finish: Quantiles

    @property
    def said(self) -> str:
        """The line."""
        people = _("there: %(there)s; here: %(here)s", there=self.there, here=self.here)
        where = f"{self.name} ({self.vendor}; {self.stage}; {people})"
        return f"{where}. {self.decided}{_('Next: %(next)s', next=words.sentence(self.next))}"

    @property
    def decided(self) -> str:
        """What to do there now and why, as a sentence with a space behind it; empty where nothing is recommended."""
        return f"{self.recommended}: {words.sentence(self.why)} " if self.recommended else ""


class Ground(Model):
    """What may be said of a plan's dates, and what nobody may promise yet.

    :ivar dated: there is an organisation to reach and work left, so there is a date, if only a range.
    :ivar firm: every organisation was observed and the verdict is settled as integrate: single dates may be shown.
    :ivar because: what a single date lacks, in a few words each.
    :ivar said: what may be said: the dates, the range of what is unknown, and what narrows it most; one sentence each.
    :ivar rests: what the estimates rest on, and what would change that.
    """

    dated: bool = False
    firm: bool = False
    because: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    rests: str = ""


class GoNoGo(Model):
    """What must hold on the day on which the first pilot unit begins, who decides, and what happens otherwise.

    :ivar day: when that is, in words.
    :ivar holds: what must hold, each with how it stands: (what, how it stands).
    :ivar decides: who decides; ``otherwise`` what happens if one of these does not hold, one sentence each.
    """

    org: str
    name: str
    day: str
    holds: tuple[tuple[str, str], ...]
    decides: str
    otherwise: tuple[str, ...]


class WeekLoad(Model):
    """What one week asks of our team: person-days of work, and those there are (none where nobody said).

    :ivar maybe: the part of the work on gaps that unknowns may turn out to be, each by its chance.
    """

    week: IsoDate
    work: float
    there: float | None = None
    maybe: float = 0.0

    @property
    def said(self) -> str:
        """``6.5 of 15 person-days of ours, 1.5 of them on gaps that may be found``."""
        work = words.number(self.work)
        if self.there is not None:
            work = _("%(work)s of %(there)s", work=work, there=words.number(self.there))
        if not self.maybe:
            return _("%(work)s person-days of ours", work=work)
        return _(
            "%(work)s person-days of ours, %(maybe)s of them on gaps that may be found",
            work=work,
            maybe=words.number(self.maybe),
        )


class PersonLoad(Model):
    """What each week asks of one of our people: whose name a task of ours has, or through whom it goes there."""

    person: str
    weeks: tuple[WeekLoad, ...]


class Driver(Model):
    """One bar of the tornado: the plan's P80 over the fifth of runs in which this went best, and worst.

    :ivar what: ``task``, or ``party`` for the luck that all tasks of one organisation, vendor or product share.
    :ivar p80_if_well, p80_if_badly: working days from the plan's start.
    """

    id: str
    title: str
    what: Literal["task", "party"]
    org: str | None = None
    p80_if_well: float
    p80_if_badly: float


#: What makes a plan's range wide: whether unknowns are gaps and how long those take, or how long other work takes.
Cause = Literal["unknowns", "gaps", "discoveries", "evidence", "us", "vendor", "org"]


class SpreadPart(Model):
    """A part of what makes the plan's range as wide as it is: one cause, and what its estimates rest on.

    :ivar cause: ``us``, ``vendor`` and ``org`` are the routine tasks of each.
    :ivar share: of all parts, in [0, 1].
    """

    cause: Cause
    grade: Grade
    share: float


class Behaviour(Model):
    """One behaviour of the test path that needs a shared sandbox, and what simulating it would save.

    :ivar share: its part of the time in shared environments, by runs a week.
    :ivar p80_days_saved: working days off the plan's P80. ``org_days_saved`` sums over the organisations' own P80s.
    """

    behaviour: str
    why: str | None = None
    runs_per_week: float
    share: float
    p80_days_saved: float
    org_days_saved: float


class SandboxOrg(Model):
    """What shared environments cost at one organisation.

    :ivar days: mean working days of its tasks that go by in shared environments.
    :ivar p80_days: working days that its P80 would be earlier if none of them had to wait there.
    :ivar stated: its access windows are stated; otherwise the time is the ruleset's estimate.
    """

    org: str
    days: float
    p80_days: float
    stated: bool


class SandboxCost(Model):
    """S41, S46: what the plan spends on waiting for shared environments.

    :ivar p80_days: working days that the plan's P80 would be earlier without them.
    """

    p80_days: float
    orgs: tuple[SandboxOrg, ...]
    behaviours: tuple[Behaviour, ...]

    @property
    def beyond(self) -> str:
        """Why a P80 would come forward by more days than are spent there; empty where none does."""
        if not any(org.p80_days > org.days for org in self.orgs):
            return ""
        return _(
            "A P80 can come forward by more days than are spent there on average: the P80 is of runs "
            "in which it takes longer than that, and what waits behind it starts later for our "
            "people and the freezes too."
        )

    @property
    def elsewhere(self) -> str:
        """The part of the time that no behaviour tested in a sandbox takes; empty when they take all of it."""
        rest = 1.0 - sum(tested.share for tested in self.behaviours)
        if not self.behaviours or rest < 0.005:
            return ""
        return _(
            "The other %(rest)s of that time goes to what only the live environment shows.", rest=words.share(rest)
        )


class DateChance(Model):
    """How likely the target gate is passed by a day. ``org`` none stands for all of them."""

    org: str | None
    date: str
    probability: float
