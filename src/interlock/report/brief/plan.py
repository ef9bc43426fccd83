"""The plan for a reader who goes from front to back: dates, what decides them, the next two weeks, the decisions."""

from __future__ import annotations

import re

from interlock.model import words
from interlock.model.language import _
from interlock.plan.due import loads
from interlock.plan.people import done, next_weeks
from interlock.report import safe
from interlock.report.elements import Shown
from interlock.report.sections import plan as whole
from interlock.report.sections.context import WHOLE, Context
from interlock.report.sections.first import build_first
from interlock.report.sections.tasks import where
from interlock.report.sections.weeks import DAYS_AHEAD, asked, together

#: Between two sentences.
_SENTENCES = re.compile(r"(?<=[.!?]) (?=[A-Z])")
#: Finishes that a timeline shows; of more the table alone has all of them.
_DRAWN = 13
#: Weeks with tasks that are told, and tasks and decisions that are named.
_DRIVERS, _WEEKS, _TASKS, _DECISIONS = 4, 2, 6, 9
#: Facts that a reader needs who wants to check the plan, and no one else.
_ASIDE = frozenset({"History", "Cross-check", "Tasks"})


def build_plan_brief(context: Context) -> Shown:
    """The parts of the plan that somebody decides by; what is left out is counted."""
    dated = whole.forecasts(context)
    decisions = whole.decisions(context)
    return {
        "lead": [words.sentence(safe.text(said)) for said in context.assessment.plan.ground.said],
        "forecasts": [whole.forecast_row(context, link, forecast) for link, forecast in dated],
        "pictures": whole.pictures(context, dated) if len(dated) <= _DRAWN else (),
        "curve": whole.curve(context),
        "ranged": context.assessment.plan.if_no_gaps is not None,
        "go": whole.go(context),
        "facts": tuple(fact for fact in whole.facts(context) if fact.term not in _ASIDE),
        "bars": whole.bars(context, whole.deciding(context)),
        "drivers": whole.drivers(context, _DRIVERS),
        "weeks": _weeks(context),
        "decisions": decisions[:_DECISIONS],
        "decisions_more": words.counted(
            len(decisions) - _DECISIONS,
            "%(number)s later decision: in %(whole)s.",
            "%(number)s later decisions: in %(whole)s.",
            whole=WHOLE,
        )
        if len(decisions) > _DECISIONS
        else "",
    }


def build_first_brief(context: Context) -> Shown:
    """What to do first; what was said of a step already is not said again."""
    shown = build_first(context)
    said: set[str] = set()
    for step in shown["steps"]:
        sentences = [sentence for sentence in _SENTENCES.split(step["told"]) if sentence not in said]
        said.update(sentences)
        step["told"] = " ".join(sentences)
    return shown


def _weeks(context: Context) -> Shown:
    """The tasks of the next weeks in which something begins, the same work at several organisations in one row."""
    assessment = context.assessment
    weeks = [(week, tasks) for week, tasks in next_weeks(assessment.plan, DAYS_AHEAD) if tasks]
    near = next_weeks(assessment.plan, _WEEKS * 7)
    rows = []
    for week, tasks in weeks[:_WEEKS]:
        for group in together(tasks):
            names = {org: context.organization_name(org) for org in {task.org for task in group} if org}
            people = list(dict.fromkeys(words.capital(task.whose.removeprefix("the ")) for task in group))
            days = [task.by for task in group if task.by]
            rows.append(
                {
                    "week": words.day(week),
                    "title": asked(context, group) or words.sentence(safe.text(done(group, names))),
                    "where": where(context, group),
                    "who": safe.text(words.listed(people, 2), 200),
                    "by": safe.day(max(days)) if days else "",
                }
            )
    later = sum(len(together(tasks)) for _, tasks in weeks[_WEEKS:])
    more = max(len(rows) - _TASKS, 0) + later
    load = {each.week: each.said for each in assessment.plan.load}
    ours = [
        _(
            "week of %(week)s, %(load)s",
            week=words.day(week),
            load=load.get(week.isoformat()) or _("no work of ours"),
        )
        for week, _tasks in weeks[:_WEEKS]
    ]
    return {
        "rows": tuple(rows[:_TASKS]),
        "load": words.capital(words.sentence("; ".join(ours))) if ours else "",
        "people": tuple(safe.text(sentence, 1200) for sentence in loads(assessment.plan, _WEEKS * 7, near)),
        "more": words.counted(
            more,
            "%(number)s more task of the next 90 days, and by what each is accepted: %(whole)s.",
            "%(number)s more tasks of the next 90 days, and by what each is accepted: %(whole)s.",
            whole=WHOLE,
        )
        if more
        else "",
    }
