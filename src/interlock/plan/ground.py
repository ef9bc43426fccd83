"""What may be promised: a plan's dates never say more than what was observed and decided.

A single date is shown only where every organisation was observed and the verdict is settled as integrate. Until then
the plan gives a range, says what it lacks, and names what would narrow it most. Without an organisation there is no
date. Committing to one stays the reader's own decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interlock.model import words
from interlock.model.base import VerdictValue
from interlock.model.forecast import Ground
from interlock.model.organization import Organization
from interlock.model.plan import FIND_OUT_WORDS, Plan
from interlock.model.readiness import OrgReadiness, Verdict
from interlock.model.text import plain

#: Organisations that are named; the rest is counted.
_NAMED = 3
#: An unknown that moves the P80s by less than this many working days does not narrow them.
_LEAST_DAYS = 1.0
#: Where what is unknown makes less of the width than this, finding out is not told as what narrows it. Judgement.
_SMALL_SHARE = 0.1
#: A smaller part of the spread than this is not named.
_LEAST_SHARE = 0.02


def ground(
    plan: Plan, verdict: Verdict, readiness: Sequence[OrgReadiness], organizations: Sequence[Organization]
) -> Ground:
    """What a plan's dates may be called, decided in one place for every screen, command and report."""
    if not readiness:
        lacks = "no organisation has been added"
        return Ground(because=(lacks,), said=("There is no date yet: add the first organisation (interlock org add).",))
    if not plan.left:
        return Ground(said=(words.nothing_left(plan.target_gate),))
    names = {organization.id: plain(organization.name, 60) for organization in organizations}
    because = tuple(_lacking(verdict, readiness, names))
    who = names[readiness[0].org] if len(readiness) == 1 else "Every organisation"
    return Ground(
        dated=True,
        firm=not because,
        because=because,
        said=(_dates(plan, who, because), *_unknown(plan), *_narrowing(plan, names)),
        rests=_rests(plan),
    )


def undated(plan: Plan) -> Plan:
    """A plan that leads to no organisation yet: what to do and in which order, and no day of the calendar."""
    tasks = tuple(task.but(starts=None, ends=None, latest=None, person_days_late=0) for task in plan.tasks)
    first = tuple(thing.but(together_p80_date="") for thing in plan.first)
    return plan.but(tasks=tasks, first=first, load=(), people=(), most_likely="")


def supposed(before: Ground, after: Ground) -> Ground:
    """What a what-if's dates may be called: no more than those of the plan as it is, and as it would be."""
    less = before if not before.firm else after
    said = less.said
    if less.firm:
        said = ("P80 is the day that four of five simulated runs keep. Which date to commit to is your own decision.",)
    elif less.dated:
        said = (f"These are ranges and no dates to promise, because {', and '.join(less.because)}.",)
    return less.model_copy(update={"said": said})


def _lacking(verdict: Verdict, readiness: Sequence[OrgReadiness], names: dict[str, str]) -> Iterator[str]:
    """What a single date would need and does not have."""
    states = {"in part": ("partial",), "at all": ("not_observed", "never_probed")}
    unseen = [names[own.org] for own in readiness if own.observed in states["at all"]]
    partly = [names[own.org] for own in readiness if own.observed in states["in part"]]
    if unseen:
        yield f"{words.listed(unseen, _NAMED)} {words.agree(len(unseen), 'was', 'were')} never observed"
    if partly:
        yield f"{words.listed(partly, _NAMED)} {words.agree(len(partly), 'was', 'were')} observed only in part"
    if not verdict.settled:
        yield "the verdict is not decided"
    elif verdict.value is not VerdictValue.INTEGRATE:
        yield f"the verdict is “{words.VERDICT[verdict.value].phrase}”"


def _rests(plan: Plan) -> str:
    """What makes the range as wide as it is, with its grade, and what would make it narrower; empty without a width."""
    if not plan.spread:
        return ""
    all_judgement = plan.judgement_share >= 1
    parts = [
        f"{words.share(part.share)} is {words.CAUSE[part.cause].phrase}"
        + ("" if all_judgement else f" ({words.GRADE[part.grade].phrase})")
        for part in plan.spread
        if part.share >= _LEAST_SHARE
    ]
    graded = "; all of it our judgement, nothing measured" if all_judgement else ""
    return (
        f"What makes the range this wide: {words.listed(parts, len(parts))}{graded}. What earlier projects of your own "
        "took (plan --from-history FILE), and dates that an organisation or a vendor states, take the place of "
        "judgement."
    )


def _dates(plan: Plan, who: str, because: Sequence[str]) -> str:
    finish, gate = plan.finish, words.gate(plan.target_gate)
    half, most, last = (words.iso_day(day) for day in (finish.p50_date, finish.p80_date, finish.p90_date))
    passed = f"{who} past the {gate} ({words.GATE_MEANS[plan.target_gate]})"
    if because:
        why = f"{', and '.join(because)}{_judged(plan)}"
        return (
            f"{passed}: {finish.span}. Of {plan.runs:,} simulated runs eight of ten end in that time, one in ten "
            f"before it and one in ten after. It is a range and not a date to promise: {why}. Half "
            f"of the runs end by {half}, four of five by {most}."
        )
    return (
        f"{passed}: half of the {plan.runs:,} simulated runs are through by {half} (P50), a target, four of five by "
        f"{most} (P80), and nine of ten by {last} (P90). One run in ten is later{_judged(plan)}. Which date to commit "
        "to is your own decision."
    )


def _judged(plan: Plan) -> str:
    """How much of the range's width is neither measured nor unknown, but our estimate of how long things take."""
    if plan.judged_durations < _LEAST_SHARE:
        return ""
    judged = words.share(plan.judged_durations)
    return f"; and {judged} of the range's width is judgement of how long things take, not measured"


def _unknown(plan: Plan) -> Iterator[str]:
    if plan.if_no_gaps and plan.if_all_gaps:
        yield (
            "A gap is a requirement that is known not to be met. If nothing that is unknown turns out to be a gap, "
            f"four of five runs end by {words.iso_day(plan.if_no_gaps.p80_date)}; if everything does, by "
            f"{words.iso_day(plan.if_all_gaps.p80_date)}, and nine of ten by "
            f"{words.iso_day(plan.if_all_gaps.p90_date)}."
        )


def _narrowing(plan: Plan, names: dict[str, str]) -> Iterator[str]:
    """What narrows the range most for the effort of finding out; else what spreads it most.

    Where what is unknown is a small part of the width, finding out narrows little, and what spreads it is said.
    """
    unknown = sum(part.share for part in plan.spread if part.cause == "unknowns")
    small = bool(plan.spread) and unknown < _SMALL_SHARE
    if small and plan.if_no_gaps:
        part = words.share(unknown) if unknown >= _LEAST_SHARE / 2 else "next to nothing"
        yield f"What is unknown makes {part} of the range's width, so finding out narrows it little."
    for thing in plan.unknowns if not small else ():
        if thing.p80_days >= _LEAST_DAYS:
            holds = plain(thing.title.removeprefix(FIND_OUT_WORDS), 200)
            adds = f"it adds {words.days(thing.p80_days)} to {words.p80s(len(plan.orgs))}"
            yield f"Finding out {thing.key} narrows it most for the effort: if “{holds}” is so, {adds}."
            return
    for driver in plan.drivers[:1]:
        spread = words.days(driver.p80_if_badly - driver.p80_if_well)
        if driver.what == "party":
            cause = f"how all goes at {names.get(driver.org or '', 'one party')}"
        else:
            cause = f"“{plain(driver.title, 200)}” ({driver.id})"
        yield f"What spreads it most is {cause}: {spread} from its best to its worst fifth of runs."
