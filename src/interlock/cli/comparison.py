"""The difference of two assessments on a terminal."""

from __future__ import annotations

from rich.text import Text

from interlock.cli.output import console, say, show_table
from interlock.model import words
from interlock.model.base import RuleOutcome
from interlock.model.diff import AssessmentDiff, BurnDown
from interlock.model.readiness import Interval
from interlock.model.text import plain


def show_diff(diff: AssessmentDiff) -> None:
    """Print what moved: verdict, stages, dates, then findings by what happened to them."""
    for note in diff.not_comparable:
        say(f"Careful: {plain(note, 400)}")
    if diff.is_empty:
        say(f"Nothing moved. {_still_open(diff)}")
        return
    out = console()
    if diff.verdict:
        out.print(f"Verdict: {words.VERDICT[diff.verdict.before].phrase} → {words.VERDICT[diff.verdict.after].phrase}")
    for move in diff.stages:
        out.print(f"{move.org}: {words.stage(move.before)} → {words.stage(move.after)}")
    for org in diff.organizations_added:
        out.print(f"{org}: added")
    for org in diff.organizations_removed:
        out.print(f"{org}: removed")
    for forecast in diff.forecasts:
        direction = "later" if forecast.calendar_days > 0 else "earlier"
        moved = (
            f"{words.count(abs(forecast.calendar_days), 'day')} {direction}"
            if forecast.calendar_days
            else "on the same date"
        )
        before, after = words.iso_day(forecast.before_date), words.iso_day(forecast.after_date)
        out.print(f"P80 of {forecast.org or 'all'}: {before} → {after}, {moved}")
        for sentence in forecast.because:
            out.print(Text(f"  {plain(sentence, 300)}", style="dim"))
    groups = {
        "opened": diff.opened,
        "opened again": diff.reopened,
        "closed": diff.closed,
        "decided": diff.decided,
        "no longer decided": diff.no_longer_decided,
        "gone": diff.gone,
    }
    rows = [
        (name, change.key, _outcome(change.before), _outcome(change.after), change.title)
        for name, changes in groups.items()
        for change in changes
    ]
    if rows:
        out.print(Text())
        show_table(["What", ("Id", {"no_wrap": True}), "Before", "After", "Rule"], rows)
    say(_still_open(diff))


def _still_open(diff: AssessmentDiff) -> str:
    open_gaps = len(diff.still_open)
    return f"{words.count(open_gaps, 'gap')} {words.agree(open_gaps, 'is', 'are')} still open."


def _outcome(outcome: RuleOutcome | None) -> str:
    return words.RULE[outcome].phrase if outcome else ""


#: Milestones that one table of 80 columns holds.
SHOWN_POINTS = 5


def show_burn_down(result: BurnDown) -> None:
    """Print how the score intervals moved: a row for the product and each organisation, a column for each milestone."""
    points = result.points[-SHOWN_POINTS:]
    if len(result.points) > len(points):
        say(f"The last {len(points)} of {len(result.points)} are shown; --format json has all.")
    orgs = [org for org in result.names if any(org in point.orgs for point in points)]
    rows: list[list[object]] = [["Product", *(_interval(point.product) for point in points)]]
    rows += [[result.names[org], *(_interval(point.orgs.get(org)) for point in points)] for org in orgs]
    rows.append(["Open gaps", *(point.open for point in points)])
    rows.append(["To find out", *(point.undecided for point in points)])
    rows.append(["P80, all", *(words.iso_day(point.p80_date or "") for point in points)])
    heads = [(f"{plain(point.name, 20)}\n{words.iso_day(point.date)}", {"justify": "right"}) for point in points]
    show_table(["", *heads], rows)


def _interval(value: Interval | None) -> str:
    return words.interval(value.low, value.high) if value else ""
