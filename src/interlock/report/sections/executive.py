"""The page that an executive decides from: where to start, what to decide, when, at what cost, what may go wrong.

It has words only: no rule, no question, no command, no address, and nothing that a reader has to look up elsewhere.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

from interlock.model import words
from interlock.model.base import Gate, Owner, Recommendation, Scope, Severity, VerdictValue
from interlock.model.finding import first_sentence
from interlock.model.language import N_, Said, _
from interlock.model.plan import PlanTask, finding_of
from interlock.model.readiness import OrgReadiness
from interlock.plan.people import alike
from interlock.report import safe
from interlock.report.elements import Shown
from interlock.report.sections import executive_open as still_open
from interlock.report.sections import executive_sums as sums
from interlock.report.sections.context import FEW, Context, Section
from interlock.report.sections.executive_open import places
from interlock.report.sections.executive_sums import board

_DECISIONS = 3
_APPROVALS = 1
_NAMED = 3
#: What stands in a cell of the page, in characters.
_CELL = 220
_ORDER = (
    Recommendation.START,
    Recommendation.WAIT_FOR,
    Recommendation.MAP_FIRST,
    Recommendation.NOT_YET,
    Recommendation.COULD_NOT_LOOK,
)
#: Who decides what the verdict asks for, and what that is: verdict → to do now, and what waits for it.
_LEAD = N_("Product lead")
_NOBODY = N_("Nobody is named as product lead: name somebody first, among the owners of the workflow contract.")
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
#: What is so under a verdict that is not to integrate, and what its first thing to do is the first step of.
_STATED = {
    VerdictValue.PRODUCT_FIRST: (
        N_("The product has to be settled before anybody integrates it"),
        N_("settling the product"),
    ),
    VerdictValue.PROVE_OUTSIDE_EHR: (
        N_("Integration waits until somebody has shown that the product is used"),
        N_("showing that outside the EHR"),
    ),
    VerdictValue.DEFINE_CONTRACT: (
        N_("The workflow contract (what the product reads, writes and does when something fails) is not settled"),
        N_("writing the workflow contract"),
    ),
    VerdictValue.MAP_AUTH: (
        N_("Building waits until that is understood"),
        N_("finding out how signing in works at each hospital"),
    ),
}
#: What happens on the day on which the target gate is passed, as the head of the dates.
_DAY = Said({Gate.SANDBOX: "Can be tried in the test environment", Gate.PRODUCTION: "Every unit uses it"})


def build_executive(context: Context) -> Shown:
    """One page: the recommendation, decisions, dates, cost, what is in the way, what is not known, clinical safety."""
    assessment = context.assessment
    gate, rows = assessment.target_gate, tuple(_organizations(context))
    product = sums.work(context, {None})
    total = sums.together([product, *(row["work"] for row in rows)])
    return {
        "as_of": safe.day(assessment.as_of),
        "verdict": _verdict(context),
        "headline": safe.text(board(_headline(context)), 400),
        "first": _first(context),
        "gate_day": _DAY.get(gate, words.GATE_DAY[gate]),
        "many": len(assessment.readiness) > FEW,
        "organizations": tuple(row | {"work": row["work"].told} for row in rows),
        "product_work": product.told,
        "decisions": (_now(context), *_decisions(context, ours=True)),
        "approvals": tuple(_decisions(context, ours=False)),
        "nobody": "" if _lead(context) else _(_NOBODY),
        "dates": tuple(sums.dates(context)),
        "cost": tuple(sums.cost(context, total, first=_first_cost(context))),
        "in_the_way": tuple(still_open.in_the_way(context)),
        "no_blocker": still_open.no_blocker(context),
        "unknown": tuple(still_open.unknown(context)),
        "safety": still_open.safety(context),
    }


def _headline(context: Context) -> str:
    """Where to start; or what is so under another verdict, with the first of what is in the way where it is several."""
    verdict, where = context.assessment.verdict, context.recommended()
    if verdict.settled and verdict.value is VerdictValue.INTEGRATE:
        return where or verdict.headline
    nowhere = _("Start at no organisation yet.") if context.names else _("No organisation has been added to start at.")
    if not verdict.settled:
        earliest, latest = (words.VERDICT[value].phrase for value in (verdict.value, verdict.latest))
        settles = verdict.headline.removeprefix(words.verdict(verdict.value, verdict.latest)) or "."
        return _(
            "Not decided yet: anything from “%(earliest)s” to “%(latest)s” is possible%(settles)s %(nowhere)s",
            earliest=earliest,
            latest=latest,
            settles=settles,
            nowhere=nowhere,
        )
    rules = context.assessment.rules
    titles = [f"“{safe.name(rules[rule].title)}”" for rule in still_open.argued(context)]
    stated = _(_STATED[verdict.value][0])
    stated = f"{stated}: {words.listed(titles, still_open.TOLD)}" if len(titles) > 1 else stated
    return f"{nowhere} {words.sentence(stated)}"


def _organizations(context: Context) -> Iterator[Shown]:
    """A row for each organisation, or for all of which the same is recommended, in the order in which to take them."""
    readiness = context.assessment.readiness
    forecasts = {forecast.org: forecast.finish for forecast in context.assessment.plan.orgs}
    dated = context.assessment.plan.ground.dated
    nearest = next((own for own in readiness if own.org == context.assessment.verdict.next_org), None)
    for recommendation in sorted(_ORDER, key=lambda each: nearest is None or each is not nearest.recommendation):
        group = [own for own in readiness if own.recommendation is recommendation]
        for part in _parts(group, apart=len(readiness) <= FEW):
            finishes = [forecasts[own.org] for own in part if own.org in forecasts] if dated else []
            span = ""
            if finishes:
                span = sums.between(context, *finishes)
            few = FEW if len(readiness) <= FEW or len(part) <= _NAMED else _NAMED - 1
            names = words.listed([context.organization_name(own.org) for own in part], few)
            counted = f"{words.count(len(part), 'organisation')}: " if len(part) > 1 else ""
            yield {
                "who": f"{counted}{names}",
                "recommendation": words.RECOMMENDATION[recommendation].title,
                "because": board(_because(context, part)),
                "stage": words.capital(words.listed(_stages(context, part), 4)),
                "work": sums.work(context, {own.org for own in part}),
                "span": span,
            }


def _parts(group: Sequence[OrgReadiness], *, apart: bool) -> list[list[OrgReadiness]]:
    """Organisations of one recommendation in one row each, but for those of which all of it is the same; or in one."""
    if not apart:
        return [list(group)] if group else []
    alike: dict[tuple[str, Gate | None], list[OrgReadiness]] = defaultdict(list)
    for own in group:
        alike[own.because, own.stage].append(own)
    return list(alike.values())


def _because(context: Context, part: Sequence[OrgReadiness]) -> str:
    """Why: the reason that is the same for all of them, or what is open at most of several."""
    if part[0].recommendation is Recommendation.START:
        return _started(context, part)
    if part[0].recommendation is Recommendation.NOT_YET and _waits_for_product(context):
        return _("Waits until what is said above is done.")
    if len({own.because for own in part}) == 1:
        return words.capital(words.sentence(safe.text(part[0].because, _CELL)))
    of = {own.org for own in part}
    counted = defaultdict(set)
    for finding in still_open.blocking(context):
        if finding.subject.id in of:
            counted[finding.rule].add(finding.subject.id)
    most = sorted(counted, key=lambda rule: (-len(counted[rule]), context.assessment.rules[rule].severity.rank, rule))
    return " ".join(
        _(
            "At %(counted)s: %(rules)s",
            counted=words.number(len(counted[rule])),
            rules=words.sentence(safe.name(context.assessment.rules[rule].title)),
        )
        for rule in most[:2]
    )


def _waits_for_product(context: Context) -> bool:
    """Whether the verdict, which the page begins with, is about the product, and holds for every organisation."""
    verdict = context.assessment.verdict
    scopes = {context.findings[reason.key].subject.scope for reason in verdict.reasons}
    return verdict.settled and Scope.PRODUCT in scopes


def _started(context: Context, part: Sequence[OrgReadiness]) -> str:
    """Where it is recommended to start: that no blocker is open, and whose approvals are left."""
    gate = words.gate(context.assessment.target_gate)
    orgs = {own.org for own in part}
    each = [
        safe.name(task.decides.removeprefix("the organisation's ").removeprefix("the "))
        for task in context.assessment.plan.decisions
        if task.org in orgs and task.decided_by is not Owner.US
    ]
    boards = list(dict.fromkeys(each))
    approvals = (
        _("the %(boards)s's approval", boards=boards[0])
        if len(boards) == 1
        else _("%(boards)s approvals", boards=len(boards))
    )
    left = _("Left are work and %(approvals)s.", approvals=approvals) if boards else _("Work is left.")
    return _("No blocker is open up to the %(gate)s. %(left)s", gate=gate, left=left)


def _stages(context: Context, part: Sequence[OrgReadiness]) -> list[str]:
    """The gates up to which all requirements are met, each once; of a pilot, whether it has begun."""
    launched = still_open.launched(context)

    def told(own: OrgReadiness) -> str:
        if own.stage is None:
            return _("none yet")
        begun = _("in use") if own.org in launched else _("not begun")
        return words.GATE[own.stage].phrase + (f" ({begun})" if own.stage in still_open.BEGINS else "")

    return list(dict.fromkeys(map(told, part)))


def _verdict(context: Context) -> str:
    """The verdict in two or three words; to integrate, at how many of the organisations."""
    verdict, readiness = context.assessment.verdict, context.assessment.readiness
    if not verdict.settled:
        return ""
    label = board(words.verdict_label(verdict.value, verdict.latest))
    start = sum(own.recommendation is Recommendation.START for own in readiness)
    if verdict.value is not VerdictValue.INTEGRATE or start == len(readiness):
        return label
    return (
        words.counted(
            len(readiness),
            "%(label)s, at %(start)s of %(number)s organisation",
            "%(label)s, at %(start)s of %(number)s organisations",
            label=label,
            start=words.number(start),
        )
        if start
        else _("%(label)s, but start nowhere yet", label=label)
    )


def _first(context: Context) -> str:
    """What comes before every decision: what settles the verdict, or what the verdict asks for."""
    verdict = context.assessment.verdict
    owner = words.OWNER[verdict.next_step_owner].phrase
    if verdict.settled:
        argued = _begun_with(context)
        if not argued or verdict.value not in _STATED:
            return _(
                "%(next_in_words)s That is up to %(owner)s.",
                next_in_words=words.sentence(safe.text(verdict.next_in_words)),
                owner=owner,
            )
        remediation = context.assessment.rules[argued[0]].remediation
        step = words.sentence(safe.text(remediation.task or first_sentence(remediation.text)))
        owner = words.OWNER[remediation.owner].phrase
        return _(
            "%(step)s That is the first step of %(stated)s, and up to %(owner)s.",
            step=step,
            stated=_(_STATED[verdict.value][1]),
            owner=owner,
        )
    asked = len(verdict.settled_by)
    if not asked:
        return _(
            "The verdict has to be settled, by a look at what nobody could look at: that is up to %(owner)s.",
            owner=owner,
        )
    questions = words.count(asked, "question")
    settle = words.agree(asked, "settles", "settle")
    return _(
        "Have the %(questions)s answered that %(settle)s the verdict. That is up to %(owner)s.",
        questions=questions,
        settle=settle,
        owner=owner,
    )


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


def _first_cost(context: Context) -> str:
    """What the first thing to do takes alone, of the whole: finding out, the first gap, or the first organisation."""
    verdict, left = context.assessment.verdict, context.assessment.plan.left
    argued = _begun_with(context)
    if not verdict.settled:
        step = _("to find out what settles the verdict")
        undecided = {reason.key for reason in verdict.undecided}
        tasks = [task for task in left if task.kind == "discovery" and finding_of(task.id) in undecided]
    elif argued:
        step = _("named above")
        tasks = [task for task in left if finding_of(task.id).partition("@")[0] == argued[0]]
    elif held := still_open.put_first(context):
        step = _("named above")
        tasks = [task for task in left if finding_of(task.id).partition("@")[0] in held]
    else:
        step = (
            _(
                "all that is left at %(organization_name)s",
                organization_name=context.organization_name(verdict.next_org),
            )
            if verdict.next_org
            else ""
        )
        tasks = [task for task in left if task.org == verdict.next_org]
    days = sums.of_team(tasks)
    return (
        _("The first step alone, %(step)s, takes the product team %(days)s.", step=step, days=days)
        if step and days
        else ""
    )


def _now(context: Context) -> Shown:
    """What has to be decided today: whether to follow the verdict, and where."""
    verdict, readiness = context.assessment.verdict, context.assessment.readiness
    start = [context.organization_name(own.org) for own in readiness if own.recommendation is Recommendation.START]
    if not verdict.settled:
        what = _(
            "Name who answers what is open, and by when. Nothing else can be decided before the verdict is settled."
        )
    elif verdict.value is not VerdictValue.INTEGRATE:
        what = _NOW[verdict.value]
    elif not start:
        what = _("Start nowhere yet; have what holds each organisation back closed first.")
    else:
        where = places(context, start)
        what = _("Start at %(places)s.", places=where)
        if len(start) < len(readiness):
            what = _("Start at %(places)s, and nowhere else until what is open at the others is closed.", places=where)
    who = f"{_(_LEAD)} ({name})" if (name := _lead(context)) else _(_LEAD)
    return {
        "where": "",
        "what": _("Today: %(what)s", what=f"{what[:1].lower()}{what[1:]}"),
        "who": who,
        "when": "",
    }


def _decisions(context: Context, *, ours: bool) -> Iterator[Shown]:
    """What the product's people decide, or what others do, once for all organisations at which it is the same."""
    groups = [group for group in alike(context.assessment.plan.decisions) if (group[0].decided_by is Owner.US) is ours]
    safety = [group for group in groups if _is_of_safety(context, group[0])]
    groups = [*safety, *(group for group in groups if group not in safety)]
    limit = len(safety) + (_DECISIONS if ours else _APPROVALS)
    for group in groups[:limit]:
        task = group[0]
        named = [name for org, name in context.names.items() if org in {each.org for each in group}]
        who, _colon, options = safe.text(task.decides.removeprefix("the "), _CELL).partition(": ")
        what = safe.text(task.action or task.title, _CELL).removesuffix(".")
        yield {
            "where": words.capital(places(context, named)),
            "what": words.sentence(options or what),
            "who": words.capital(who),
            "when": sums.between_days(context, [day for each in group if (day := each.ends)]),
        }
    if rest := groups[limit:]:
        orgs = {each.org for group in rest for each in group}
        where = places(context, [name for org, name in context.names.items() if org in orgs])
        number = words.number(len(rest))
        what = _("%(number)s more, in the section on the plan.", number=number)
        if where and len(context.names) > 1:
            what = _("%(number)s more (%(where)s), in the section on the plan.", number=number, where=where)
        yield {"where": "", "what": what, "who": "", "when": ""}


def _is_of_safety(context: Context, task: PlanTask) -> bool:
    """Whether a decision closes a critical gap of the product itself: device, review, wrong output."""
    finding = context.findings.get(task.id)
    return (
        task.org is None
        and finding is not None
        and context.assessment.rules[finding.rule].severity is Severity.CRITICAL
    )


SECTION = Section("executive", "On one page", build_executive)
