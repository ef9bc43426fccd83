"""The page that an executive decides from: where to start, what to decide, when, at what cost, what may go wrong.

It has words only: no rule, no question, no command, no address, and nothing that a reader has to look up elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from interlock.model import words
from interlock.model.base import GapClass, Owner, Recommendation, RuleOutcome, VerdictValue
from interlock.model.finding import Finding
from interlock.model.readiness import OrgReadiness
from interlock.plan.people import alike, decided_by
from interlock.report import safe
from interlock.report.elements import Pair, Shown
from interlock.report.sections.context import BLOCKERS, UNDECIDED, Context, Section

#: Organisations that get a line of their own; more are told by what is recommended.
_ROWS = 6
_DECISIONS = 3
_IN_THE_WAY = 3
_NAMED = 3
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
#: Who decides for the product, in the words of the rules.
_OURS = "product lead"
_SAFETY_OPEN = "Not decided: the workflow contract says nothing of it."


def build_executive(context: Context) -> Shown:
    """One page: the recommendation, decisions, dates, cost, what is in the way, what is not known, clinical safety."""
    assessment = context.assessment
    verdict = assessment.verdict
    integrate, where = verdict.value is VerdictValue.INTEGRATE, verdict.organizations
    return {
        "verdict": words.verdict_label(verdict.value, verdict.latest) if verdict.settled else "",
        "headline": safe.text(where if verdict.settled and integrate and where else verdict.headline, 400),
        "nothing_to_decide": _nothing_to_decide(context),
        "gate": words.GATE[assessment.target_gate].title,
        "gate_day": words.GATE_DAY[assessment.target_gate],
        "gate_means": words.GATE_MEANS[assessment.target_gate],
        "organizations": tuple(_organizations(context)),
        "decisions": tuple(_decisions(context)),
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
        for part in [[own] for own in group] if len(readiness) <= _ROWS else [group] if group else []:
            finishes = [forecasts[own.org] for own in part if own.org in forecasts] if dated else []
            span = ""
            if finishes:
                first = min(finish.first_date for finish in finishes)
                span = words.span(first, max(finish.p90_date for finish in finishes))
            names = words.listed([context.organization_name(own.org) for own in part], _NAMED)
            counted = f"{words.count(len(part), 'organisation')}: " if len(part) > 1 else ""
            yield {
                "who": f"{counted}{names}",
                "recommendation": words.RECOMMENDATION[recommendation].title,
                "because": _because(context, part),
                "stage": words.capital(words.listed(_stages(part), 4)),
                "span": span,
            }


def _because(context: Context, part: Sequence[OrgReadiness]) -> str:
    """Why: the one organisation's reason, or what is open at most of several."""
    if len(part) == 1:
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


def _stages(part: Sequence[OrgReadiness]) -> list[str]:
    """The gates up to which all requirements are met, each once."""
    return list(dict.fromkeys("no gate yet" if own.stage is None else words.gate(own.stage) for own in part))


def _decisions(context: Context) -> Iterator[Shown]:
    """What is to be decided next, our own first, once for all organisations at which it is the same."""
    groups = alike(context.assessment.plan.decisions)
    for group in sorted(groups, key=lambda group: _OURS not in group[0].decides)[:_DECISIONS]:
        task = group[0]
        named = [context.organization_name(each.org) for each in group if each.org]
        where = words.listed(list(dict.fromkeys(named)), _NAMED)
        who, _, options = safe.text(task.decides.removeprefix("the "), _CELL).partition(": ")
        what = safe.text(task.action or task.title, _CELL).removesuffix(".")
        yield {
            "where": where,
            "what": words.sentence(what),
            "options": words.sentence(words.capital(options)) if options else "",
            "who": words.capital(who),
            "when": decided_by(group),
        }


def _nothing_to_decide(context: Context) -> str:
    """What comes before the first decision."""
    verdict = context.assessment.verdict
    if verdict.settled:
        return "Nothing that is known has to be decided by anybody."
    asked = len(verdict.settled_by)
    if not asked:
        return "First the verdict has to be settled."
    questions = words.count(asked, "question")
    return f"First the verdict has to be settled: have {questions} answered that {words.agree(asked, 'does', 'do')} it."


def _dates(context: Context) -> Iterator[str]:
    """The range with what it rests on, and what the unknowns do to it."""
    plan = context.assessment.plan
    if not plan.ground.dated:
        lacks = not context.assessment.organizations
        nothing = words.nothing_left(context.assessment.target_gate)
        yield "There is no date yet: no organisation has been added." if lacks else nothing
        return
    finish, several = plan.finish, len(plan.orgs) > 1
    who = "All are through" if several else "It is through"
    rests = f", because {words.listed(plan.ground.because, 3)}" if plan.ground.because else ""
    promise = "" if plan.ground.firm else f" This is a range and no date to promise{safe.text(rests, _LINE)}."
    yield f"{who}: {finish.span} in eight of ten simulated runs; one run in ten ends later.{promise}"
    if plan.judged_durations >= 0.01:
        yield (
            f"{words.share(plan.judged_durations)} of the range's width is our judgement of how long things take, not "
            "measured."
        )


def _cost(context: Context) -> Iterator[str]:
    """Work that is left, by who does it; what only an unknown may bring, by its chance."""
    left = context.assessment.plan.left
    work = dict.fromkeys(Owner, 0.0)
    maybe = 0.0
    for task in left:
        if task.effort is None:
            continue
        share = 1.0 if task.chance is None else task.chance
        work[task.owner] += task.work_left * share
        maybe += task.work_left * share if task.chance is not None and task.owner is Owner.US else 0.0
    if not left:
        return
    ours = f"About {words.person_days(round(work[Owner.US]))} of the product team"
    persons = context.assessment.plan.capacity.get(Owner.US)
    people = f", which is planned with {words.count(round(persons), 'person', 'people')}" if persons else ""
    yield f"{ours}{people}" + (
        f"; {words.number(round(maybe))} of these days only if unknowns turn out to be gaps." if round(maybe) else "."
    )
    others = [
        f"{words.person_days(round(days))} of the {_OTHERS[owner]}"
        for owner, days in work.items()
        if owner is not Owner.US and round(days)
    ]
    if others:
        yield f"Beside it about {words.listed(others, 4)}. All are estimates: means of a range, most of them judgement."


def _blocking(context: Context) -> Iterator[Finding]:
    """Open blockers up to the target gate."""
    for finding in context.assessment.findings:
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
    for rule_id in ranked[:_IN_THE_WAY]:
        links = [context.subject_link(finding.subject).label for finding in at[rule_id]]
        yield {
            "title": words.sentence(safe.name(rules[rule_id].title)),
            "where": words.listed(list(dict.fromkeys(links)), _NAMED),
            "owner": words.OWNER[rules[rule_id].remediation.owner].phrase,
        }
    if len(ranked) > _IN_THE_WAY:
        more = len(ranked) - _IN_THE_WAY
        yield {
            "title": f"{words.count(more, 'more blocker')} {words.agree(more, 'is', 'are')} open.",
            "where": "",
            "owner": "",
        }


def _unknown(context: Context) -> Iterator[str]:
    """What nobody knows, and what it would change."""
    assessment = context.assessment
    undecided = sum(assessment.totals.findings.get(outcome, 0) for outcome in UNDECIDED)
    if not undecided:
        yield "Nothing that was asked or looked at is undecided."
        return
    unseen = [context.organization_name(own.org) for own in assessment.readiness if context.unseen(own.org)]
    looked = f" Nobody could look at {words.listed(unseen, _NAMED)}." if unseen else ""
    counted = words.count(undecided, "finding")
    yield f"{counted} {words.agree(undecided, 'is', 'are')} undecided for want of an answer or a look.{looked}"
    yield f"It {'cannot' if assessment.verdict.settled else 'could'} change the verdict."
    plan = assessment.plan
    if plan.ground.dated and plan.if_no_gaps and plan.if_all_gaps:
        best, worst = safe.day(plan.if_no_gaps.p80_date), safe.day(plan.if_all_gaps.p80_date)
        yield (
            f"Four of five runs are through by {best} if none of it is a gap, by {worst} if all of it is."
            if best != worst
            else f"It moves no date: four of five runs are through by {best} either way."
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
