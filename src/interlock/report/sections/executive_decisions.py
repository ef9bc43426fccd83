"""What comes first, who decides what, and how much work that is, on the page that an executive decides from."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from interlock.model import words
from interlock.model.base import Owner, Recommendation, Severity, VerdictValue
from interlock.model.finding import first_sentence
from interlock.model.language import N_, Said, _
from interlock.model.plan import PlanTask
from interlock.plan.people import alike
from interlock.report import safe
from interlock.report.elements import Shown
from interlock.report.sections import executive_asked as asked
from interlock.report.sections import executive_sums as sums
from interlock.report.sections.context import Context
from interlock.report.sections.executive_open import named
from interlock.report.sections.executive_words import board

_DECISIONS = 2
#: Routine tasks in which clinicians of an organisation decide.
_CLINICAL = {"org.cds-committee", "org.ai-governance", "org.uat"}
#: So many organisations are named where more is counted than told.
_NAMED = 2
#: So many steps at the organisation to start at are told.
_STEPS = 3
#: What stands in a line of the page, in characters.
_LINE = 320
_LEAD = N_("Product lead")
#: Who decides what the verdict asks for, and what that is: verdict → to do now, and what waits for it.
_NOW = Said(
    {
        VerdictValue.PRODUCT_FIRST: "Close what is open in the product itself first.",
        VerdictValue.PROVE_OUTSIDE_EHR: "Try the product outside the EHR first.",
        VerdictValue.DEFINE_CONTRACT: "Have the workflow contract written and agreed first.",
        VerdictValue.MAP_AUTH: "Have somebody find out first how signing in works at each hospital.",
    }
)


def first(context: Context) -> str:
    """What comes before every decision: what settles the verdict, what it asks for, or what is left where to start."""
    verdict = context.assessment.verdict
    owner = words.OWNER[verdict.next_step_owner].phrase
    if not verdict.settled:
        questions = len(verdict.settled_by)
        if not questions:
            return _(
                "Have the EHR's servers checked: what comes next depends on it (%(owner)s).",
                owner=owner,
            )
        return words.counted(
            questions,
            "Have the %(number)s question answered on which it depends what comes next (%(owner)s).",
            "Have the %(number)s questions answered on which it depends what comes next (%(owner)s).",
            owner=owner,
        )
    argued = asked.begun_with(context)
    if argued and verdict.value in asked.BEGUN:
        remediation = context.assessment.rules[argued[0]].remediation
        step = board(safe.text(remediation.task or first_sentence(remediation.text)))
        said = {
            "step": words.sentence(step),
            "stated": asked.BEGUN[verdict.value],
            "owner": words.OWNER[remediation.owner].phrase,
        }
        left = {task.id: task for task in context.assessment.plan.left}
        closing = asked.closing(left.values(), argued[:1])
        if before := [task for task in asked.with_before(left, closing) if task not in closing]:
            return _(
                "%(before)s Then: %(then)s (%(owner)s).",
                before=words.sentence(words.capital(_steps(before))),
                then=f"{step[:1].lower()}{step[1:]}".removesuffix("."),
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


def who_decides(context: Context) -> str:
    """Who decides where no row says otherwise, and how many decisions are not told here.

    :return: the product lead; where the workflow contract names none, that this is a judgement.
    """
    if lead := _lead(context):
        said = [_("By the product lead (%(lead)s) if nobody is named.", lead=lead)]
    else:
        who = _(
            "Nobody is named to decide: the head of the product team first names a product lead in the workflow "
            "contract. That the lead decides what follows is a judgement."
        )
        said = [who]
    if more := _told_and_more(context)[1]:
        others = words.counted(
            more,
            "%(number)s later one is in the report.",
            "%(number)s later ones are in the report.",
        )
        said.append(others)
    return " ".join(said)


def _lead(context: Context) -> str:
    """Who the workflow contract names as product lead; empty where it names nobody."""
    owners = context.assessment.contract.owners if context.assessment.contract else ()
    return next((safe.name(owner.name) for owner in owners if owner.role.casefold() == _LEAD.casefold()), "")


def decisions(context: Context) -> Iterator[Shown]:
    """What the product's people decide: today whether to follow the verdict, and where; then what has a month."""
    today = " ".join(_today(context))
    yield {"where": "", "what": _("Today: %(what)s", what=f"{today[:1].lower()}{today[1:]}"), "by": ""}
    for group in _told_and_more(context)[0]:
        yield _decision(context, group)


def _told_and_more(context: Context) -> tuple[Sequence[Sequence[PlanTask]], int]:
    """What the product's people decide: all of clinical safety, the next of the rest; and how many more there are."""
    groups = [group for group in alike(context.assessment.plan.decisions) if group[0].decided_by is Owner.US]
    groups.sort(key=lambda group: not _is_of_safety(context, group[0]))
    limit = sum(_is_of_safety(context, group[0]) for group in groups) + _DECISIONS
    return groups[:limit], len(groups[limit:])


def _decision(context: Context, group: Sequence[PlanTask]) -> Shown:
    """One decision, at each organisation at which it is the same."""
    task = group[0]
    names = [name for org, name in context.names.items() if org in {each.org for each in group}]
    month = sums.between_days(context, [day for each in group if (day := each.ends)])
    when = _("about %(month)s", month=month) if month else ""
    who, _colon, options = safe.text(task.decides, _LINE).partition(": ")
    decision = words.sentence(safe.text(task.action or task.title, _LINE))
    if options:
        title = words.sentence(safe.name(task.title))
        decision = _("%(title)s Choose: %(options)s", title=title, options=words.sentence(options))
    return {
        "where": words.capital(named(context, names)),
        "what": board(decision),
        "by": words.capital(", ".join(filter(None, (_beside_lead(who), when)))),
    }


def _today(context: Context) -> Iterator[str]:
    """What has to be decided today: whether to follow the verdict, where, and that a server is checked."""
    verdict, readiness = context.assessment.verdict, context.assessment.readiness
    at = {
        recommendation: [
            context.organization_name(own.org) for own in readiness if own.recommendation is recommendation
        ]
        for recommendation in Recommendation
    }
    start, unchecked = at[Recommendation.START], at[Recommendation.COULD_NOT_LOOK]
    if not verdict.settled:
        if verdict.settled_by or not unchecked:
            yield _("Name who answers what is open, and by when; nothing else can be decided before.")
    elif verdict.value is not VerdictValue.INTEGRATE:
        yield " ".join(filter(None, (_NOW[verdict.value], asked.waits(context))))
    elif not start:
        yield _("Start nowhere until what stands under “First” is closed.")
    elif len(start) == len(readiness):
        yield _("Start at %(places)s.", places=named(context, start))
    else:
        yield _(
            "Start at %(places)s, and nowhere else until what is open at the others is closed.",
            places=named(context, start),
        )
    if unchecked:
        yield _("Have the EHR's server checked at %(places)s.", places=named(context, unchecked))


def approvals(context: Context) -> Iterator[str]:
    """Who else has to agree: the clinical ones first, each with at how many organisations and from which month."""
    at: dict[str, list[PlanTask]] = defaultdict(list)
    for task in context.assessment.plan.decisions:
        if task.decided_by is not Owner.US:
            at[safe.name(task.decides.removeprefix("the organisation's ").removeprefix("the "))].append(task)
    in_order = sorted(at, key=lambda who: min(task.ends or "" for task in at[who]))
    clinical = [who for who in in_order if at[who][0].id.partition("@")[0] in _CLINICAL]
    others = [who for who in in_order if who not in clinical]
    for whose, label in ((clinical, N_("Clinicians")), (others, N_("Others"))):
        if not whose:
            continue
        told = [
            f"{who} ({where})" if whose is clinical and (where := _how_many(context, at[who])) else who for who in whose
        ]
        tasks = [task for who in whose for task in at[who]]
        month = sums.between_days(context, [min(task.ends for task in tasks if task.ends)])
        yield _(
            "%(label)s, the first about %(month)s: %(approvals)s.",
            label=_(label),
            month=month,
            approvals=words.listed(told, len(told)),
        )


def _how_many(context: Context, tasks: Sequence[PlanTask]) -> str:
    """At how many of several organisations something is approved."""
    orgs, total = {task.org for task in tasks if task.org}, len(context.names)
    if not orgs or total == 1:
        return ""
    if len(orgs) == total:
        return _("both") if total == 2 else _("all %(number)s", number=words.number(total))
    return _("%(number)s of %(total)s", number=words.number(len(orgs)), total=words.number(total))


def _beside_lead(who: str) -> str:
    """Who decides with the product lead, or in the lead's place; empty where the lead does alone."""
    return re.sub(r"^the product lead( \([^)]*\))?(, | )?|^the ", "", who)


def _is_of_safety(context: Context, task: PlanTask) -> bool:
    """Whether a decision closes a critical gap of the product itself: device, review, wrong output."""
    finding = context.findings.get(task.id)
    return (
        task.org is None
        and finding is not None
        and context.assessment.rules[finding.rule].severity is Severity.CRITICAL
    )
