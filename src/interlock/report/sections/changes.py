"""What changed since the last milestone, told apart: answers, observations, and our own questions and rules."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.model import words
from interlock.model.base import RuleOutcome
from interlock.model.diff import AssessmentDiff, FindingChange, Since
from interlock.model.language import Said, _
from interlock.model.readiness import Observed
from interlock.report import safe
from interlock.report.elements import Shown
from interlock.report.sections.context import Context, Section

#: Rows of a table in a brief report.
_BRIEF = 15
_CAUSE = Said({"answers": "answers", "observations": "observations", "rules": "our own rules"})
#: What became of a finding → words, in the order in which they are told.
_BECAME = Said(
    {
        "opened": "Opened",
        "reopened": "Opened again",
        "closed": "Closed",
        "decided": "Decided",
        "no_longer_decided": "No longer decided",
        "gone": "No longer there",
    }
)


def build_changes(context: Context) -> Shown:
    """What was put in otherwise, kind by kind, and which findings have another outcome because of it."""
    since = context.assessment.since
    if since is None:
        return {
            "lead": (
                _("There is no milestone to compare with: interlock milestone save NAME freezes the assessment."),
            ),
            "kinds": (),
            "findings": (),
            "more": "",
        }
    diff, limit = since.diff, _BRIEF if context.brief else None
    answers = [
        (
            safe.text(move.text, 300),
            _where(context, move.scope),
            safe.text(move.before or _("not answered"), 300),
            safe.text(move.after or _("not answered"), 300),
        )
        for move in diff.answers
    ]
    observed = [
        (
            context.organization_name(move.org),
            _seen(move.outcome_before, move.before),
            _seen(move.outcome, move.after),
        )
        for move in diff.observations
    ]
    rules = [(words.capital(words.sentence(safe.text(told, 600))),) for told in diff.rules]
    findings = list(_findings(context, diff))
    kinds = (
        (
            _("Answers that changed"),
            (_("Question"), _("Where"), _("Before"), _("Now")),
            answers,
            _("No answer changed."),
        ),
        (
            _("Observations that changed"),
            (_("Where"), _("Before"), _("Now")),
            observed,
            _("Nothing was observed anew."),
        ),
        (
            _("Our own questions and rules that changed"),
            (_("What is of another version or text"),),
            rules,
            _("Questions and rules are the same as then, so nothing here moved because of them."),
        ),
    )
    shown = (*(rows for _, _, rows, _ in kinds), findings)
    left = sum(max(0, len(rows) - limit) for rows in shown) if limit else 0
    return {
        "lead": tuple(_lead(context, since)),
        "kinds": tuple(
            {"title": title, "columns": columns, "rows": tuple(rows[:limit]), "none": none}
            for title, columns, rows, none in kinds
        ),
        "findings": tuple(findings[:limit]),
        "more": words.counted(
            left, "%(number)s more row, in the whole report.", "%(number)s more rows, in the whole report."
        )
        if left
        else "",
    }


def _where(context: Context, scope: str) -> str:
    return context.names.get(scope) or (_("Product") if scope == "product" else safe.name(scope))


def _seen(outcome: Observed, at: str | None) -> str:
    told = words.OBSERVED[outcome].phrase
    return f"{told}, {safe.moment(at)}" if at else told


def _lead(context: Context, since: Since) -> Iterator[str]:
    """Compared with what, what of the verdict and the dates moved, and what to be careful of."""
    diff = since.diff
    yield _(
        "Compared with the milestone “%(since)s” of %(as_of)s.",
        since=safe.name(since.name),
        as_of=safe.day(since.as_of),
    )
    if diff.verdict is not None:
        before, after = (words.VERDICT[value].phrase for value in (diff.verdict.before, diff.verdict.after))
        yield _("The verdict was “%(before)s” and is “%(after)s”.", before=before, after=after)
    for move in diff.stages:
        stages = f"{words.stage(move.before)} → {words.stage(move.after)}"
        yield f"{_where(context, move.org)}: {stages}."
    if diff.organizations_added:
        yield _("Added since: %(names)s.", names=words.listed([_where(context, o) for o in diff.organizations_added]))
    if diff.organizations_removed:
        gone = words.listed([_where(context, org) for org in diff.organizations_removed])
        yield _("Removed since: %(names)s.", names=gone)
    finish = next((move for move in diff.forecasts if move.org is None), None)
    if finish is not None and context.assessment.plan.ground.dated:
        yield words.sentence(_("Finish of all: %(moved)s", moved=finish.moved))
    for caution in diff.not_comparable:
        if not caution.startswith("The ruleset") and not caution.startswith("The workspace's own content"):
            yield words.sentence(safe.text(caution, 400))
    open_gaps = len(diff.still_open)
    yield words.counted(open_gaps, "%(number)s gap of then is still open.", "%(number)s gaps of then are still open.")


def _findings(context: Context, diff: AssessmentDiff) -> Iterator[Shown]:
    """Each finding with another outcome, once."""
    told: set[str] = set()
    for name, became in _BECAME.items():
        for change in getattr(diff, name):
            if change.key not in told:
                told.add(change.key)
                yield _finding(context, became, change)


def _finding(context: Context, became: str, change: FindingChange) -> Shown:
    finding = context.findings.get(change.key)
    where = change.key.partition("@")[2].removeprefix("vendor:")
    return {
        "became": became,
        "link": context.finding_link(change.key),
        "title": safe.name(change.title),
        "where": context.subject_link(finding.subject).label if finding else _where(context, where or _("product")),
        "before": _outcome(change.before),
        "after": _outcome(change.after),
        "because": words.capital(words.listed([_CAUSE[cause] for cause in change.causes])) or _("Something else"),
    }


def _outcome(outcome: RuleOutcome | None) -> str:
    return words.RULE[outcome].phrase if outcome else _("not there")


SECTION = Section(
    "changes",
    "What changed since the last milestone",
    build_changes,
    present=lambda assessment: assessment.since is not None,
)
