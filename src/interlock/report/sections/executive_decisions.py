"""What comes first, who decides what, and how much work that is, on the page that an executive decides from."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from interlock.model import words
from interlock.model.base import Owner, Recommendation, Severity, VerdictValue
from interlock.model.finding import first_sentence
from interlock.model.language import N_, Said, _
from interlock.model.plan import PlanTask, finding_of
from interlock.plan.people import alike
from interlock.report import safe
from interlock.report.elements import Shown
from interlock.report.sections import executive_open as still_open
from interlock.report.sections import executive_sums as sums
from interlock.report.sections.context import Context
from interlock.report.sections.executive_open import named
from interlock.report.sections.executive_words import board

_DECISIONS = 2
_APPROVALS = 1
#: So many organisations are named where more is counted than told.
_NAMED = 2
#: So many steps at the organisation to start at are told.
_STEPS = 3
#: What stands in a line of the page, in characters.
_LINE = 220
_LEAD = N_("Product lead")
_NOBODY = N_(
    "Nobody who decides is named yet: first, whoever the product team answers to names a product lead, in the workflow "
    "contract. “Usually” is a judgement."
)
#: Who decides what the verdict asks for, and what that is: verdict → to do now, and what waits for it.
_NOW = Said(
    {
        VerdictValue.PRODUCT_FIRST: "Settle the product first, and hold all integration work until then.",
        VerdictValue.PROVE_OUTSIDE_EHR: (
            "Prove the value outside the EHR first, and hold all integration work until then."
        ),
        VerdictValue.DEFINE_CONTRACT: (
            "Have the workflow contract written now, and hold all building until it is agreed."
        ),
        VerdictValue.MAP_AUTH: (
            "Have somebody find out how signing in works at each hospital, and hold all building until then."
        ),
    }
)
#: What the first thing to do is the first step of, under a verdict that is not to integrate.
_BEGUN = Said(
    {
        VerdictValue.PRODUCT_FIRST: "settling the product",
        VerdictValue.PROVE_OUTSIDE_EHR: "showing outside the EHR that the product is used",
        VerdictValue.DEFINE_CONTRACT: "writing the workflow contract",
        VerdictValue.MAP_AUTH: "finding out how signing in works at each hospital",
    }
)
#: The routine task that ends what a verdict asks for.
_ENDS = {
    VerdictValue.PRODUCT_FIRST: "us.decide-product",
    VerdictValue.PROVE_OUTSIDE_EHR: still_open.OUTSIDE,
}


def first(context: Context) -> str:
    """What comes before every decision: what settles the verdict, what it asks for, or what is left where to start."""
    verdict = context.assessment.verdict
    owner = words.OWNER[verdict.next_step_owner].phrase
    if not verdict.settled:
        asked = len(verdict.settled_by)
        if not asked:
            return _(
                "The verdict has to be settled, by a look at what nobody could look at: that is up to %(owner)s.",
                owner=owner,
            )
        return _(
            "Have the %(questions)s answered that %(settle)s the verdict. That is up to %(owner)s.",
            questions=words.count(asked, "question"),
            settle=words.agree(asked, "settles", "settle"),
            owner=owner,
        )
    argued = _begun_with(context)
    if argued and verdict.value in _BEGUN:
        remediation = context.assessment.rules[argued[0]].remediation
        step = board(safe.text(remediation.task or first_sentence(remediation.text)))
        said = {
            "step": words.sentence(step),
            "stated": _BEGUN[verdict.value],
            "owner": words.OWNER[remediation.owner].phrase,
        }
        left = {task.id: task for task in context.assessment.plan.left}
        closing = _closing(left.values(), argued[:1])
        if before := [task for task in _with_before(left, closing) if task not in closing]:
            return _(
                "%(step)s That is part of %(stated)s, and up to %(owner)s. Before it: %(before)s",
                before=words.sentence(_steps(before)),
                **said,
            )
        return _("%(step)s That is the first step of %(stated)s, and up to %(owner)s.", **said)
    org = verdict.next_org or ""
    steps = [task for task in context.assessment.plan.left if org and task.org == org]
    if steps and context.readiness[org].recommendation is Recommendation.START:
        return _(
            "Left to do at %(place)s, in this order: %(steps)s",
            place=context.organization_name(org),
            steps=words.sentence(_steps(steps)),
        )
    return _(
        "%(next_in_words)s That is up to %(owner)s.",
        next_in_words=words.sentence(board(safe.text(verdict.next_in_words))),
        owner=owner,
    )


def _steps(tasks: Collection[PlanTask]) -> str:
    """The first of some tasks, each with who does it; the rest is counted."""
    ordered = sorted(tasks, key=lambda task: (task.start_p50, task.finish_p50, task.id))
    told = [
        _(
            "%(step)s (%(owner)s)",
            step=board(safe.text(task.action or task.title, _LINE).removesuffix(".")),
            owner=words.OWNER[task.owner].phrase,
        )
        for task in ordered[:_STEPS]
    ]
    more = [_("%(number)s more", number=words.number(len(ordered) - _STEPS))] if len(ordered) > _STEPS else []
    return "; ".join(f"{step[:1].lower()}{step[1:]}" for step in (*told, *more))


def nobody(context: Context) -> str:
    """That nobody is named to decide, and what to do about it; empty where the workflow contract names somebody."""
    return "" if _lead(context) else _(_NOBODY)


def _lead(context: Context) -> str:
    """Who the workflow contract names as product lead; empty where it names nobody."""
    owners = context.assessment.contract.owners if context.assessment.contract else ()
    return next((safe.name(owner.name) for owner in owners if owner.role.casefold() == _LEAD.casefold()), "")


def _begun_with(context: Context) -> list[str]:
    """Rules that argue for the verdict, in the order in which work on them begins: as the plan has it."""
    begins: dict[str, float] = {}
    for task in context.assessment.plan.left:
        rule = finding_of(task.id).partition("@")[0]
        begins[rule] = min(begins.get(rule, math.inf), task.start_p50)
    return sorted(still_open.argued(context), key=lambda rule: begins.get(rule, math.inf))


def part_costs(context: Context, team: int) -> Iterator[str]:
    """What of the whole is to be decided on now (finding out, what the verdict asks for, or the first organisation).

    :param team: the whole of the product team's work, in person-days; what is left of it is explained, too.
    """
    verdict, left = context.assessment.verdict, context.assessment.plan.left
    argued = _begun_with(context)
    if not verdict.settled:
        undecided = {reason.key for reason in verdict.undecided}
        part = [task for task in left if task.kind == "discovery" and finding_of(task.id) in undecided]
        told = N_("Of that, finding out what settles the verdict takes the product team %(days)s.")
        others = _("What the rest is depends on the verdict.")
    elif argued and verdict.value in _BEGUN:
        yield from _cost_of_verdict(context, argued, team)
        return
    elif held := still_open.put_first(context):
        part = _closing(left, held)
        told = N_("Of that, what to do first takes the product team %(days)s.")
        others = _("The rest is all else up to the %(gate)s.", gate=words.gate(context.assessment.target_gate))
    elif verdict.next_org and len(context.names) > 1:
        vendor = next(org.vendor for org in context.assessment.organizations if org.id == verdict.next_org)
        part = [task for task in left if task.org == verdict.next_org or (task.org is None and _is_for(task, vendor))]
        told = N_("Of that, %(place)s alone takes the product team %(days)s.")
        others = _("The rest is for the others and their EHR vendors.")
    else:
        return
    if days := sums.of_team(part):
        yield _(told, place=context.organization_name(verdict.next_org or ""), days=days)
        if team > round(sums.days_of_team(part)):
            yield others


def _cost_of_verdict(context: Context, argued: Sequence[str], team: int) -> Iterator[str]:
    """What the verdict asks for, its first step, and how much of the rest begins only after it."""
    verdict, left = context.assessment.verdict, context.assessment.plan.left
    asked = _asked_for(context, argued)
    whole, step = sums.of_team(asked), sums.of_team(_closing(left, argued[:1]))
    said = {"begun": _BEGUN[verdict.value], "days": whole}
    last = max((task.ends for task in asked if task.ends), default=None)
    if last:
        month = sums.between_days(context, [last])
        said["days"] = _("%(days)s (until about %(month)s)", days=whole, month=month)
    if step and step != whole:
        yield _(
            "Of that, %(begun)s takes the product team %(days)s; its first step alone takes %(step)s.",
            step=step,
            **said,
        )
    else:
        yield _("Of that, %(begun)s takes the product team %(days)s.", **said)
    ends = [task for task in asked if task.id == _ENDS.get(verdict.value)]
    after = round(sums.days_of_team(_waiting(context, ends or asked)))
    beside = team - round(sums.days_of_team(asked)) - after
    parts = []
    if beside > 0:
        parts.append(_("%(days)s may go on beside it", days=words.number(beside)))
    if after > 0 and ends:
        parts.append(_("%(days)s begin only if its decision is yes", days=words.number(after)))
    elif after > 0:
        parts.append(_("%(days)s begin only when it, or a part of it, is done", days=words.number(after)))
    if parts:
        yield _("Of the rest, %(parts)s.", parts=words.listed(parts))


def _closing(tasks: Collection[PlanTask], rules: Collection[str]) -> list[PlanTask]:
    """Of some tasks those that close gaps of these rules."""
    return [task for task in tasks if finding_of(task.id).partition("@")[0] in rules]


def _asked_for(context: Context, argued: Collection[str]) -> list[PlanTask]:
    """What is left to do of what the verdict asks for, with everything that it waits for."""
    left = {task.id: task for task in context.assessment.plan.left}
    ends = [task for key, task in left.items() if key == _ENDS.get(context.assessment.verdict.value)]
    return _with_before(left, [*_closing(left.values(), argued), *ends])


def _with_before(left: Mapping[str, PlanTask], tasks: Iterable[PlanTask]) -> list[PlanTask]:
    """Some tasks and, of those that are left, everything that they wait for."""
    wanted, unlocked = [task.id for task in tasks], dict[str, PlanTask]()
    while wanted:
        key = wanted.pop()
        if key in left and key not in unlocked:
            unlocked[key] = left[key]
            wanted += left[key].after
    return list(unlocked.values())


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


def _is_for(task: PlanTask, vendor: str) -> bool:
    """Whether what is no organisation's own is needed at one of this vendor: the product's, or the vendor's."""
    return task.id.partition("@vendor:")[2] in {"", vendor}


def now(context: Context) -> Shown:
    """What has to be decided today: whether to follow the verdict, and where."""
    verdict, readiness = context.assessment.verdict, context.assessment.readiness
    start = [context.organization_name(own.org) for own in readiness if own.recommendation is Recommendation.START]
    if not verdict.settled:
        decision = _(
            "Name who answers what is open, and by when. Nothing else can be decided before the verdict is settled."
        )
    elif verdict.value is not VerdictValue.INTEGRATE:
        decision = _NOW[verdict.value]
    elif not start:
        decision = _("Start nowhere yet; have what holds each organisation back closed first.")
    else:
        where = named(context, start)
        decision = _("Start at %(places)s.", places=where)
        if len(start) < len(readiness):
            decision = _(
                "Start at %(places)s, and nowhere else until what is open at the others is closed.",
                places=where,
            )
    lead = _lead(context)
    return {
        "where": "",
        "what": _("Today: %(what)s", what=f"{decision[:1].lower()}{decision[1:]}"),
        "who": f"{_(_LEAD)} ({lead})" if lead else _("Usually the product lead"),
        "when": "",
    }


def decisions(context: Context, *, ours: bool) -> Iterator[Shown]:
    """What the product's people decide, or what others do, once for all organisations at which it is the same."""
    groups = [group for group in alike(context.assessment.plan.decisions) if (group[0].decided_by is Owner.US) is ours]
    safety = [group for group in groups if _is_of_safety(context, group[0])]
    groups = [*safety, *(group for group in groups if group not in safety)]
    limit = len(safety) + (_DECISIONS if ours else _APPROVALS)
    for group in groups[:limit]:
        task = group[0]
        names = [name for org, name in context.names.items() if org in {each.org for each in group}]
        who, _colon, options = safe.text(task.decides, _LINE).partition(": ")
        decision = words.sentence(safe.text(task.action or task.title, _LINE))
        if options:
            title = words.sentence(safe.name(task.title))
            decision = _("%(title)s Choose: %(options)s", title=title, options=words.sentence(options))
        yield {
            "where": words.capital(named(context, names)),
            "what": board(decision),
            "who": _decides(who),
            "when": sums.between_days(context, [day for each in group if (day := each.ends)]),
        }
    if rest := groups[limit:]:
        orgs = {each.org for group in rest for each in group}
        where = named(context, [name for org, name in context.names.items() if org in orgs])
        number = words.number(len(rest))
        decision = _("%(number)s more, in the section on the plan.", number=number)
        if where and len(context.names) > 1:
            few = len(orgs) <= _NAMED
            where = where if few else words.count(len(orgs - {None}), "organisation")
            decision = _("%(number)s more (%(where)s), in the section on the plan.", number=number, where=where)
        yield {"where": "", "what": decision, "who": "", "when": ""}


def _decides(who: str) -> str:
    """Who decides; a role of the product's that the workflow contract gives to nobody is a judgement, and said so."""
    role = f"the {_LEAD.lower()}"
    if who.startswith(role) and not who.startswith(f"{role} ("):
        return _("Usually the product lead") + who.removeprefix(role)
    return words.capital(who.removeprefix("the "))


def _is_of_safety(context: Context, task: PlanTask) -> bool:
    """Whether a decision closes a critical gap of the product itself: device, review, wrong output."""
    finding = context.findings.get(task.id)
    return (
        task.org is None
        and finding is not None
        and context.assessment.rules[finding.rule].severity is Severity.CRITICAL
    )
