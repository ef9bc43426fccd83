"""What the verdict asks for, on the page that an executive decides from: its steps, their cost, what waits for them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from interlock.model import words
from interlock.model.base import Owner, VerdictValue
from interlock.model.language import N_, Said, _
from interlock.model.plan import PlanTask, finding_of
from interlock.report.sections import executive_open as still_open
from interlock.report.sections import executive_sums as sums
from interlock.report.sections.context import Context

#: So many rows of the table are named.
_NAMED = 3
#: What the first thing to do is the first step of, under a verdict that is not to integrate.
BEGUN = Said(
    {
        VerdictValue.PRODUCT_FIRST: "closing what is open in the product",
        VerdictValue.PROVE_OUTSIDE_EHR: "the trial outside the EHR",
        VerdictValue.DEFINE_CONTRACT: "writing the workflow contract",
        VerdictValue.MAP_AUTH: "finding out how signing in works at each hospital",
    }
)
#: The routine task that ends what a verdict asks for.
_ENDS = {
    VerdictValue.PRODUCT_FIRST: "us.decide-product",
    VerdictValue.PROVE_OUTSIDE_EHR: still_open.OUTSIDE,
}


def begun_with(context: Context) -> list[str]:
    """Rules that argue for the verdict, in the order in which work on them begins: as the plan has it."""
    begins: dict[str, float] = {}
    for task in context.assessment.plan.left:
        rule = finding_of(task.id).partition("@")[0]
        begins[rule] = min(begins.get(rule, math.inf), task.start_p50)
    return sorted(still_open.argued(context), key=lambda rule: begins.get(rule, math.inf))


def part_costs(context: Context) -> Iterator[str]:
    """What of the whole is to be decided on now: finding out, what the verdict asks for, or the first organisation."""
    verdict, left = context.assessment.verdict, context.assessment.plan.left
    argued = begun_with(context)
    if not verdict.settled:
        undecided = {reason.key for reason in verdict.undecided}
        part = [task for task in left if task.kind == "discovery" and finding_of(task.id) in undecided]
        told = N_("Of that, finding out what comes next takes %(days)s; how much of the rest is needed shows then.")
    elif argued and verdict.value in BEGUN:
        yield from _cost_of_verdict(context, argued)
        return
    elif held := still_open.put_first(context):
        part = closing(left, held)
        told = N_("Of that, what to do first takes %(days)s%(rows)s.")
    elif verdict.next_org and len(context.names) > 1:
        vendor = next(org.vendor for org in context.assessment.organizations if org.id == verdict.next_org)
        part = [task for task in left if task.org == verdict.next_org or (task.org is None and _is_for(task, vendor))]
        told = N_("Of that, %(name)s alone takes %(days)s%(rows)s.")
    else:
        return
    if days := sums.of_team(part):
        name = context.organization_name(verdict.next_org or "")
        yield _(told, name=name, days=days, rows=_rows(context, part))


def _rows(context: Context, tasks: Iterable[PlanTask]) -> str:
    """In which rows of the table the product team's work on some tasks is counted; empty where one row has it all."""
    ours = [task for task in tasks if task.owner is Owner.US and task.effort is not None]
    names = [name for org, name in context.names.items() if any(task.org == org for task in ours)]
    if any(task.org is None for task in ours):
        names.append(_("the last row"))
    if any(task.org is None for task in ours):
        return f" ({_('part of %(rows)s', rows=words.listed(names, _NAMED + 1))})"
    return ""


def _cost_of_verdict(context: Context, argued: Sequence[str]) -> Iterator[str]:
    """What the verdict asks for, and its first step."""
    asked = _asked_for(context, argued)
    whole, step = sums.of_team(asked), sums.of_team(closing(context.assessment.plan.left, argued[:1]))
    said = {"begun": BEGUN[context.assessment.verdict.value], "days": whole}
    last = max((task.ends for task in asked if task.ends), default=None)
    if last:
        month = sums.between_days(context, [last])
        said["days"] = _("%(days)s (until about %(month)s)", days=whole, month=month)
    if step and step != whole:
        yield _("Of that, %(begun)s takes %(days)s; its first step alone takes %(step)s.", step=step, **said)
    else:
        yield _("Of that, %(begun)s takes %(days)s.", **said)


def waits(context: Context) -> str:
    """How the product team's work divides: what the verdict asks for, what waits for that, what may go on meanwhile."""
    asked = _asked_for(context, begun_with(context))
    ends = [task for task in asked if task.id == _ENDS.get(context.assessment.verdict.value)]
    whole, now = _team(context), round(sums.days_of_team(asked))
    after = round(sums.days_of_team(_waiting(context, ends or asked)))
    said = {"whole": words.number(whole), "now": words.number(now), "after": words.number(after)}
    if (meanwhile := whole - now - after) > 0:
        return _(
            "Of the %(whole)s person-days it takes %(now)s, %(after)s wait for it, and %(meanwhile)s may go on "
            "meanwhile.",
            meanwhile=words.number(meanwhile),
            **said,
        )
    return _("Of the %(whole)s person-days it takes %(now)s; %(after)s wait for it.", **said)


def _asked_for(context: Context, argued: Collection[str]) -> list[PlanTask]:
    """What is left to do of what the verdict asks for, with everything that it waits for."""
    left = {task.id: task for task in context.assessment.plan.left}
    ends = [task for key, task in left.items() if key == _ENDS.get(context.assessment.verdict.value)]
    return with_before(left, [*closing(left.values(), argued), *ends])


def _waiting(context: Context, first: Collection[PlanTask]) -> list[PlanTask]:
    """Of what is left everything that waits for some tasks, at once or by others, done or not; without these tasks."""
    followers: dict[str, list[PlanTask]] = defaultdict(list)
    for task in context.assessment.plan.tasks:
        for before in task.after:
            followers[before].append(task)
    begun = {task.id for task in first}
    reached, found = [*begun], set[str]()
    while reached:
        for task in followers[reached.pop()]:
            if task.id not in begun and task.id not in found:
                found.add(task.id)
                reached.append(task.id)
    return [task for task in context.assessment.plan.left if task.id in found]


def _team(context: Context) -> int:
    """The product team's person-days as the rows of the page have them, summed."""
    orgs = {task.org for task in context.assessment.plan.left}
    return sum(sums.work(context, {org}) for org in orgs)


def closed(context: Context) -> str:
    """Why what is in the way may be closed before what it is about is decided; empty where no decision follows."""
    verdict, left = context.assessment.verdict, context.assessment.plan.left
    decision = _ENDS.get(verdict.value) if verdict.settled else None
    days = [task.ends for task in left if task.id == decision and task.ends]
    if not days:
        return ""
    return _(
        "A blocker is due when the work on it ends; whether that was enough is decided after it, about %(when)s.",
        when=sums.between_days(context, days),
    )


def with_before(left: Mapping[str, PlanTask], tasks: Iterable[PlanTask]) -> list[PlanTask]:
    """Some tasks and, of those that are left, everything that they wait for."""
    wanted, unlocked = [task.id for task in tasks], dict[str, PlanTask]()
    while wanted:
        key = wanted.pop()
        if key in left and key not in unlocked:
            unlocked[key] = left[key]
            wanted += left[key].after
    return list(unlocked.values())


def closing(tasks: Collection[PlanTask], rules: Collection[str]) -> list[PlanTask]:
    """Of some tasks those that close gaps of these rules."""
    return [task for task in tasks if finding_of(task.id).partition("@")[0] in rules]


def _is_for(task: PlanTask, vendor: str) -> bool:
    """Whether what is no organisation's own is needed at one of this vendor: the product's, or the vendor's."""
    return task.id.partition("@vendor:")[2] in {"", vendor}
