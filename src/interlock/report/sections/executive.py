"""The page that an executive decides from: where to start, what to decide, when, at what cost, what may go wrong.

It has words only: no rule, no question, no command, no address, and nothing that a reader has to look up elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from interlock.model import words
from interlock.model.base import Evidence, GapClass, Gate, Owner, Recommendation, RuleOutcome, VerdictValue
from interlock.model.finding import Finding
from interlock.model.forecast import Quantiles
from interlock.model.readiness import OrgReadiness
from interlock.plan.people import alike
from interlock.report import safe
from interlock.report.elements import Pair, Shown
from interlock.report.sections.context import BLOCKERS, FEW, UNDECIDED, Context, Section

_DECISIONS = 3
_APPROVALS = 1
_IN_THE_WAY = 3
_NAMED = 3
#: A smaller share of judgement is not told; from the larger one on it is all.
_LEAST_SHARE, _NEARLY_ALL = 0.5, 0.97
#: What stands in a cell or a line of the page, in characters.
_CELL, _LINE = 220, 320
_ORDER = (
    Recommendation.START,
    Recommendation.WAIT_FOR,
    Recommendation.MAP_FIRST,
    Recommendation.NOT_YET,
    Recommendation.COULD_NOT_LOOK,
)
_OTHERS = {Owner.ORG: "organisations", Owner.VENDOR: "EHR vendors"}
#: Who decides what the verdict asks for, and what that is: verdict → to do now, and what waits for it.
_LEAD = "Product lead"
_NOW = {
    VerdictValue.PRODUCT_FIRST: "Settle the product first, and hold all integration work until then.",
    VerdictValue.PROVE_OUTSIDE_EHR: "Prove the value outside the EHR first, and hold all integration work until then.",
    VerdictValue.DEFINE_CONTRACT: "Have the workflow contract written now, and hold all building until it is agreed.",
    VerdictValue.MAP_AUTH: "Have the auth surface mapped now, and hold all building until it is understood.",
}
_SAFETY_OPEN = "Not decided: the workflow contract says nothing of it."


def build_executive(context: Context) -> Shown:
    """One page: the recommendation, decisions, dates, cost, what is in the way, what is not known, clinical safety."""
    assessment = context.assessment
    verdict = assessment.verdict
    integrate, where = verdict.value is VerdictValue.INTEGRATE, context.recommended()
    return {
        "as_of": safe.day(assessment.as_of),
        "verdict": _verdict(context),
        "headline": safe.text(where if verdict.settled and integrate and where else verdict.headline, 400),
        "first": _first(context),
        "gate": words.GATE[assessment.target_gate].title,
        "gate_day": words.GATE_DAY[assessment.target_gate],
        "many": len(assessment.readiness) > FEW,
        "organizations": tuple(_organizations(context)),
        "decisions": (_now(context), *_decisions(context, ours=True)),
        "approvals": tuple(_decisions(context, ours=False)),
        "dates": tuple(_dates(context)),
        "cost": tuple(_cost(context)),
        "in_the_way": tuple(_in_the_way(context)),
        "unknown": tuple(_unknown(context)),
        "safety": _safety(context),
    }


def _organizations(context: Context) -> Iterator[Shown]:
    """A row for each organisation, or for all of which the same is recommended, in the order in which to take them."""
    readiness = context.assessment.readiness
    forecasts = {forecast.org: forecast.finish for forecast in context.assessment.plan.orgs}
    dated = context.assessment.plan.ground.dated
    for recommendation in _ORDER:
        group = [own for own in readiness if own.recommendation is recommendation]
        for part in _parts(group, apart=len(readiness) <= FEW):
            finishes = [forecasts[own.org] for own in part if own.org in forecasts] if dated else []
            span = ""
            if finishes:
                span = _between(context, *finishes)
            few = FEW if len(readiness) <= FEW else _NAMED
            names = words.listed([context.organization_name(own.org) for own in part], few)
            counted = f"{words.count(len(part), 'organisation')}: " if len(part) > 1 else ""
            yield {
                "who": f"{counted}{names}",
                "recommendation": words.RECOMMENDATION[recommendation].title,
                "because": _because(context, part),
                "stage": words.capital(words.listed(_stages(part), 4)),
                "work": _here(context, part),
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
    if len({own.because for own in part}) == 1:
        return words.capital(words.sentence(safe.text(part[0].because, _CELL)))
    of = {own.org for own in part}
    counted = defaultdict(set)
    for finding in _blocking(context):
        if finding.subject.id in of:
            counted[finding.rule].add(finding.subject.id)
    most = sorted(counted, key=lambda rule: (-len(counted[rule]), context.assessment.rules[rule].severity.rank, rule))
    return " ".join(
        f"At {len(counted[rule]):,}: {words.sentence(safe.name(context.assessment.rules[rule].title))}"
        for rule in most[:2]
    )


def _here(context: Context, part: Sequence[OrgReadiness]) -> str:
    """Person-days that are about these organisations alone: of the product team, and of others."""
    work = _work(context, {own.org for own in part})
    ours, theirs = round(work[Owner.US]), round(work[Owner.ORG] + work[Owner.VENDOR])
    return f"{ours:,} + {theirs:,}"


def _stages(part: Sequence[OrgReadiness]) -> list[str]:
    """The gates up to which all requirements are met, each once."""
    return list(dict.fromkeys("no gate yet" if own.stage is None else words.GATE[own.stage].phrase for own in part))


def _places(names: Iterable[str]) -> str:
    """Where, by name; many are counted, and the table above has what is recommended at each."""
    each = list(dict.fromkeys(names))
    return words.listed(each) if len(each) <= _NAMED else f"{len(each):,} organisations"


def _verdict(context: Context) -> str:
    """The verdict in two or three words; to integrate, at how many of the organisations."""
    verdict, readiness = context.assessment.verdict, context.assessment.readiness
    if not verdict.settled:
        return ""
    label = words.verdict_label(verdict.value, verdict.latest)
    start = sum(own.recommendation is Recommendation.START for own in readiness)
    if verdict.value is not VerdictValue.INTEGRATE or start == len(readiness):
        return label
    return (
        f"{label}, at {start:,} of {words.count(len(readiness), 'organisation')}" if start else f"{label}, nowhere yet"
    )


def _first(context: Context) -> str:
    """What comes before every decision: what settles the verdict, or what the verdict asks for."""
    verdict = context.assessment.verdict
    owner = words.OWNER[verdict.next_step_owner].phrase
    if verdict.settled:
        return f"{words.sentence(safe.text(verdict.next_in_words))} That is up to {owner}."
    asked = len(verdict.settled_by)
    if not asked:
        return f"The verdict has to be settled, by a look at what nobody could look at: that is up to {owner}."
    questions = words.count(asked, "question")
    settle = words.agree(asked, "settles", "settle")
    return f"Have the {questions} answered that {settle} the verdict. That is up to {owner}."


def _now(context: Context) -> Shown:
    """What has to be decided today: whether to follow the verdict, and where."""
    verdict, readiness = context.assessment.verdict, context.assessment.readiness
    start = [context.organization_name(own.org) for own in readiness if own.recommendation is Recommendation.START]
    if not verdict.settled:
        what = "Name who answers what is open, and by when. Nothing else can be decided before the verdict is settled."
    elif verdict.value is not VerdictValue.INTEGRATE:
        what = _NOW[verdict.value]
    elif not start:
        what = "Start nowhere yet, and have closed first what holds each organisation back."
    else:
        others = "" if len(start) == len(readiness) else ", and nowhere else until what is open there is closed"
        what = f"Start at {_places(start)}{others}."
    return {"where": "", "what": f"Today: {what[:1].lower()}{what[1:]}", "who": _LEAD, "when": ""}


def _decisions(context: Context, *, ours: bool) -> Iterator[Shown]:
    """What the product's people decide, or what others do, once for all organisations at which it is the same."""
    groups = [group for group in alike(context.assessment.plan.decisions) if (group[0].decided_by is Owner.US) is ours]
    limit = _DECISIONS if ours else _APPROVALS
    for group in groups[:limit]:
        task = group[0]
        named = [name for org, name in context.names.items() if org in {each.org for each in group}]
        who, _, options = safe.text(task.decides.removeprefix("the "), _CELL).partition(": ")
        what = safe.text(task.action or task.title, _CELL).removesuffix(".")
        yield {
            "where": _places(named),
            "what": words.sentence(options or what),
            "who": words.capital(who),
            "when": _between_days(context, [day for each in group if (day := each.ends)]),
        }
    if len(groups) > limit:
        yield {"where": "", "what": f"{len(groups) - limit:,} more, in the section on the plan.", "who": "", "when": ""}


def _dates(context: Context) -> Iterator[str]:
    """The range with what it rests on, and what the unknowns do to it."""
    plan = context.assessment.plan
    if not plan.ground.dated:
        lacks = not context.assessment.organizations
        nothing = words.nothing_left(context.assessment.target_gate)
        yield "There is no date yet: no organisation has been added." if lacks else nothing
        return
    finish, several = plan.finish, len(plan.orgs) > 1
    who = "The last organisation is through" if several else "It is through"
    yield f"{who} {_between(context, finish)} in eight of ten simulated runs; one run in ten ends later."
    if not plan.ground.firm:
        because = safe.text(words.listed(plan.ground.because, 3), _LINE)
        yield f"This is a range and no date to promise: {because}."
    if plan.judged_durations >= _LEAST_SHARE:
        mostly = "mostly " if plan.judged_durations < _NEARLY_ALL else ""
        yield f"How long things take is {mostly}our judgement, not measured, so only months are named."
    if plan.if_no_gaps and plan.if_all_gaps:
        weeks = round((plan.if_all_gaps.p80_days - plan.if_no_gaps.p80_days) / 5)
        yield (
            f"What is unknown moves it by up to {words.count(weeks, 'week')}."
            if weeks
            else "What is unknown moves it by less than a week: other work takes longer beside it."
        )


def _between(context: Context, *finishes: Quantiles) -> str:
    """From the first to the last date of some ranges."""
    return _between_days(context, [day for finish in finishes for day in (finish.first_date, finish.p90_date)])


def _between_days(context: Context, days: Sequence[str]) -> str:
    """From the first to the last of some days, in months where judgement makes most of the range."""
    if not days:
        return ""
    told = words.span if context.assessment.plan.judged_durations < _LEAST_SHARE else words.months
    return told(min(days), max(days))


def _work(context: Context, orgs: Collection[str] | None = None) -> dict[Owner, float]:
    """Person-days left by who does them, those that only an unknown may bring by its chance; all, or at some places."""
    work = dict.fromkeys(Owner, 0.0)
    for task in context.assessment.plan.left:
        if task.effort is not None and (orgs is None or task.org in orgs):
            work[task.owner] += task.effort.mean * (1.0 if task.chance is None else task.chance)
    return work


def _cost(context: Context) -> Iterator[str]:
    """Work that is left up to the target gate, by who does it."""
    if not context.assessment.plan.left:
        return
    work = _work(context)
    persons = context.assessment.plan.capacity.get(Owner.US)
    people = (
        f" (planned with {words.count(round(persons), 'person', 'people')})" if persons else " (no team size is stated)"
    )
    gate = words.gate(context.assessment.target_gate)
    if not context.assessment.organizations:
        yield f"For the product alone, up to the {gate}: about {words.person_days(round(work[Owner.US]))}{people}."
        yield "What organisations and EHR vendors have to do is not in it, nor are fees and licences."
        return
    others = words.listed([f"{round(work[owner]):,} of the {name}" for owner, name in _OTHERS.items()], 4)
    yield f"Up to the {gate}: about {words.person_days(round(work[Owner.US]))} of the product team{people}, {others}."
    yield "These are estimates of work, not of money: fees and licences are not in them."


def _blocking(context: Context) -> Iterator[Finding]:
    """Open blockers up to the target gate."""
    for finding in context.in_order(context.assessment.findings):
        rule = context.assessment.rules[finding.rule]
        if finding.outcome is RuleOutcome.GAP and rule.gap_class in BLOCKERS and context.needed(rule):
            yield finding


def _in_the_way(context: Context) -> Iterator[Shown]:
    """The blockers to take up first: the product's own, then the worst, then those that hold up most organisations."""
    at: dict[str, list[Finding]] = defaultdict(list)
    for finding in _blocking(context):
        at[finding.rule].append(finding)
    rules = context.assessment.rules
    ranked = sorted(
        at,
        key=lambda rule: (
            rules[rule].gap_class is not GapClass.PRODUCT_BLOCKER,
            rules[rule].severity.rank,
            -len(at[rule]),
            -max((context.nodes[f.key].blocks for f in at[rule] if f.key in context.nodes), default=0),
            rule,
        ),
    )
    for reason in () if ranked else context.assessment.verdict.reasons[:_IN_THE_WAY]:
        finding = context.findings[reason.key]
        where = context.subject_link(finding.subject).label
        owner = words.OWNER[rules[finding.rule].remediation.owner].phrase
        title = words.sentence(safe.name(reason.title))
        yield {"title": title, "where": where, "owner": owner, "known": _known_by(finding)}
    for rule_id in ranked[:_IN_THE_WAY]:
        links = [context.subject_link(finding.subject).label for finding in at[rule_id]]
        yield {
            "title": words.sentence(safe.name(rules[rule_id].title)),
            "where": _places(links),
            "owner": words.OWNER[rules[rule_id].remediation.owner].phrase,
            "known": words.listed(sorted({_known_by(finding) for finding in at[rule_id]}), 2),
        }
    if len(ranked) > _IN_THE_WAY:
        more = len(ranked) - _IN_THE_WAY
        title = f"{words.count(more, 'more blocker')} {words.agree(more, 'is', 'are')} open, in the section on gaps."
        yield {"title": title, "where": "", "owner": "", "known": ""}


def _known_by(finding: Finding) -> str:
    if finding.evidence is Evidence.OBSERVED:
        return "observed"
    answered = any(name.startswith(("responses.", "value.")) for name in finding.reads)
    return "as answered" if answered else "as written down"


def _unknown(context: Context) -> Iterator[str]:
    """What nobody knows, and what it would change."""
    assessment = context.assessment
    undecided = sum(assessment.totals.findings.get(outcome, 0) for outcome in UNDECIDED)
    if not undecided:
        yield "Nothing that was asked or looked at is undecided."
        return
    unseen = [context.organization_name(own.org) for own in assessment.readiness if context.unseen(own.org)]
    looked = f" Nobody could look at {_places(unseen)}." if unseen else ""
    counted = words.count(undecided, "finding")
    yield f"{counted} {words.agree(undecided, 'is', 'are')} undecided for want of an answer or a look.{looked}"
    yield (
        "The verdict rests on what is known and would be the same however these turn out."
        if assessment.verdict.settled
        else "They could change the verdict."
    )


def _safety(context: Context) -> tuple[Pair, ...]:
    """Who reviews an output, and what happens when one is wrong: as the workflow contract has it."""
    contract = context.assessment.contract
    if contract is None:
        return (Pair(term="Clinical safety", value="There is no workflow contract yet, so nothing of it is decided."),)
    review, wrong = contract.review, contract.output_is_wrong
    signs = _SAFETY_OPEN
    if review.required and review.role:
        late = f"If nobody does: {review.timeout}" if review.timeout else "How long it may wait is not decided"
        signs = f"{words.sentence(review.role)} {late}"
    elif review.required is False:
        signs = "Nobody reviews an output before it enters the record; the contract says that none is required"
    steps = [step for step in (wrong.withdraw or wrong.correct, wrong.notify) if step]
    return (
        Pair(term="Who reviews an output", value=words.sentence(safe.text(signs, _LINE))),
        Pair(
            term="When an output is wrong",
            value=safe.text(" ".join(map(words.sentence, steps)), _LINE) if steps else _SAFETY_OPEN,
        ),
    )


SECTION = Section("executive", "On one page", build_executive)
