"""The page that an executive decides from: where to start, what to decide, when, at what cost, what may go wrong.

It has words only: no rule, no question, no command, no address, and nothing that a reader has to look up elsewhere.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from interlock.model import words
from interlock.model.base import Gate, Owner, Recommendation, Scope, VerdictValue
from interlock.model.language import Said, _
from interlock.model.readiness import OrgReadiness
from interlock.report import safe
from interlock.report.elements import Shown
from interlock.report.sections import executive_asked as asked
from interlock.report.sections import executive_decisions as decided
from interlock.report.sections import executive_open as still_open
from interlock.report.sections import executive_sums as sums
from interlock.report.sections.context import FEW, Context, Section
from interlock.report.sections.executive_open import named
from interlock.report.sections.executive_words import board, meant

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
#: What is recommended, in the words of a table for a board.
_RECOMMENDED = Said(
    {
        Recommendation.START: "Start",
        Recommendation.WAIT_FOR: "Wait for others",
        Recommendation.MAP_FIRST: "Prepare first",
        Recommendation.NOT_YET: "Not yet",
        Recommendation.COULD_NOT_LOOK: "Check first",
    }
)
#: What is so under a verdict that is not to integrate.
_STATED = Said(
    {
        VerdictValue.PRODUCT_FIRST: "What is open in the product itself comes before any integration",
        VerdictValue.PROVE_OUTSIDE_EHR: "Integration waits until a trial outside the EHR has shown that staff use it",
        VerdictValue.DEFINE_CONTRACT: (
            "The workflow contract (what the product reads, writes and does when something fails) is not agreed"
        ),
        VerdictValue.MAP_AUTH: "Nothing that depends on it is built before",
    }
)
#: What an organisation waits for where the verdict is about the product.
_WAITS = Said(
    {
        VerdictValue.PRODUCT_FIRST: "Waits until what is open in the product is closed.",
        VerdictValue.PROVE_OUTSIDE_EHR: "Waits for the trial outside the EHR.",
        VerdictValue.DEFINE_CONTRACT: "Waits until the workflow contract is written and agreed.",
        VerdictValue.MAP_AUTH: "Waits until it is known how signing in works there.",
    }
)
#: What happens on the day on which the target gate is passed, as the head of the dates.
_DAY = Said({Gate.SANDBOX: "Can be tried in the test environment", Gate.PRODUCTION: "Every unit uses it"})


def build_executive(context: Context) -> Shown:
    """One page: the recommendation, decisions, dates, cost, what is in the way, what is not known, clinical safety."""
    assessment = context.assessment
    gate, rows = assessment.target_gate, tuple(_organizations(context))
    product = sums.work(context, {None})
    total = product + sum(row["work"] for row in rows)
    page: Shown = {
        "as_of": safe.day(assessment.as_of),
        "verdict": _verdict(context),
        "headline": safe.text(board(_headline(context)), 500),
        "first": (first := decided.first(context)),
        "gate_day": _DAY.get(gate, words.GATE_DAY[gate]),
        "many": len(assessment.readiness) > FEW,
        "organizations": tuple(row | {"work": words.number(row["work"])} for row in rows),
        "product_work": words.number(product),
        "decisions": tuple(decided.decisions(context)),
        "approvals": tuple(decided.approvals(context)),
        "who_decides": decided.who_decides(context),
        "dates": tuple(sums.dates(context)),
        "cost": tuple(sums.cost(context, total, asked.part_costs(context))),
        "in_the_way": (way := tuple(still_open.in_the_way(context))),
        "known": _known(way),
        "all_blockers": still_open.all_blockers(context, len(way)),
        "closed": asked.closed(context),
        "no_blocker": still_open.no_blocker(context),
        "unknown": tuple(still_open.unknown(context)),
        "safety": still_open.safety(context, first),
    }
    return page | {"meant": tuple(meant(page))}


def _known(way: Sequence[Shown]) -> str:
    """How all that is in the way is known, where it is the same of each; else empty, and each is told by itself."""
    ways = {row["known"] for row in way}
    return _("Source of all: %(known)s.", known=ways.pop()) if len(ways) == 1 else ""


def _headline(context: Context) -> str:
    """Where to start; or what is so under another verdict, with the first of what is in the way where it is several."""
    verdict = context.assessment.verdict
    if verdict.settled and verdict.value is VerdictValue.INTEGRATE:
        return " ".join(_where(context)) or verdict.headline
    nowhere = _("Start at no organisation yet.") if context.names else _("No organisation has been added to start at.")
    if not verdict.settled:
        earliest, latest = (words.VERDICT[value].phrase for value in (verdict.value, verdict.latest))
        settles = verdict.headline.removeprefix(words.verdict(verdict.value, verdict.latest)) or "."
        return _(
            "What comes next is not decided: anything from “%(earliest)s” to “%(latest)s” is possible%(settles)s "
            "%(nowhere)s",
            earliest=earliest,
            latest=latest,
            settles=settles,
            nowhere=nowhere,
        )
    rules = context.assessment.rules
    titles = [f"“{safe.name(rules[rule].title)}”" for rule in still_open.argued(context)]
    stated = _STATED[verdict.value]
    stated = f"{stated}: {words.listed(titles, still_open.TOLD)}" if len(titles) > 1 else stated
    trial = still_open.trial_ahead(context) and verdict.value is not VerdictValue.PROVE_OUTSIDE_EHR
    after = [_("After that a trial outside the EHR decides whether it is integrated.")] if trial else []
    return " ".join([nowhere, words.sentence(stated), *after])


def _where(context: Context) -> Iterator[str]:
    """At which organisations to start, and at which not yet; the table says why."""
    start, others = (
        [
            context.organization_name(own.org)
            for own in context.assessment.readiness
            if (own.recommendation is Recommendation.START) is begins
        ]
        for begins in (True, False)
    )
    if start:
        yield _("Start at %(places)s.", places=named(context, start))
        if others:
            yield _("Not yet at %(places)s.", places=named(context, others))
    elif context.names:
        nearest = context.assessment.verdict.next_org
        yield (
            _("No organisation can start; the nearest is %(nearest)s.", nearest=context.organization_name(nearest))
            if nearest
            else _("No organisation can start.")
        )


def _organizations(context: Context) -> Iterator[Shown]:
    """A row for each organisation, or, of many, for all of which the same is recommended; in the order to take them."""
    readiness = context.assessment.readiness
    forecasts = {forecast.org: forecast.finish for forecast in context.assessment.plan.orgs}
    dated, told = sums.has_dates(context), set[str]()
    nearest = next((own for own in readiness if own.org == context.assessment.verdict.next_org), None)
    for recommendation in sorted(_ORDER, key=lambda each: nearest is None or each is not nearest.recommendation):
        group = [own for own in readiness if own.recommendation is recommendation]
        for part in [[own] for own in group] if len(readiness) <= FEW else [group] if group else []:
            finishes = [forecasts[own.org] for own in part if own.org in forecasts] if dated else []
            span = ""
            if finishes:
                span = sums.or_later(context, sums.between(context, *finishes), {own.org for own in part})
            few = _NAMED if len(part) <= _NAMED else _NAMED - 1
            names = words.listed([context.organization_name(own.org) for own in part], few)
            counted = f"{words.count(len(part), 'organisation')}: " if len(part) > 1 else ""
            yield {
                "who": f"{counted}{names}",
                "recommendation": _RECOMMENDED[recommendation],
                "because": _as_above(
                    " ".join(filter(None, (board(_because(context, part)), _unseen(context, part)))), told
                ),
                "stage": words.capital(words.listed(_stages(context, part), 4)),
                "work": sums.work(context, {own.org for own in part}),
                "span": span,
            }


def _as_above(because: str, told: set[str]) -> str:
    """Why, the first time; of the rows after it that it is the same."""
    if because in told:
        return _("As above.")
    told.add(because)
    return because


def _because(context: Context, part: Sequence[OrgReadiness]) -> str:
    """Why: the reason that is the same for all of them, or what is open at most of several."""
    if part[0].recommendation is Recommendation.START:
        return _started(context, part)
    if part[0].recommendation is Recommendation.NOT_YET and _waits_for_product(context):
        return _WAITS.get(context.assessment.verdict.value) or _("Waits until what is said above is done.")
    if len({own.because for own in part}) == 1:
        because = words.sentence(safe.text(part[0].because, _CELL))
        if not because.startswith("“"):
            return words.capital(because)
        return _open(context, part, re.findall(r"“([^”]+)”", because))
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


def _open(context: Context, part: Sequence[OrgReadiness], titles: Sequence[str]) -> str:
    """The first of what holds an organisation back, and of how many blockers; or that it is the product's own."""
    of = {own.org for own in part}
    number = sum(finding.subject.id in of for finding in still_open.blocking(context))
    first = words.listed([f"“{title}”" for title in titles[:2]])
    if not number:
        return _("Open in the product, and so everywhere: %(first)s.", first=first)
    return words.counted(
        number,
        "%(number)s blocker is open there: %(first)s.",
        "%(number)s blockers are open there, among them %(first)s.",
        first=first,
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


def _unseen(context: Context, part: Sequence[OrgReadiness]) -> str:
    """That a gate is met by the team's answers alone, where nobody has looked at the organisation."""
    unseen = sum(own.stage is not None and context.unseen(own.org) for own in part)
    if not unseen:
        return ""
    if len(part) == 1:
        return _("Nobody has checked its EHR's server: which gate is met is the team's account.")
    return _(
        "At %(counted)s nobody has checked the EHR's server: which gate is met is the team's account.",
        counted=words.number(unseen),
    )


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
    if not start:
        return _("Start nowhere yet")
    return words.counted(
        len(readiness),
        "%(label)s, at %(start)s of %(number)s organisation",
        "%(label)s, at %(start)s of %(number)s organisations",
        label=label,
        start=words.number(start),
    )


SECTION = Section("executive", "On one page", build_executive)
