"""The difference of two assessments on a terminal."""

from __future__ import annotations

from rich.text import Text

from interlock.cli.output import console, say, show_table
from interlock.cli.summary import verdict_words
from interlock.documents.text import plain
from interlock.model.base import Gate
from interlock.model.diff import AssessmentDiff, BurnDown
from interlock.model.readiness import Interval


def show_diff(diff: AssessmentDiff) -> None:
    """Print what moved: verdict, stages, dates, then findings by what happened to them."""
    for note in diff.not_comparable:
        say(f"Careful: {plain(note, 400)}")
    if diff.is_empty:
        say(f"Nothing moved. {len(diff.still_open)} gaps are still open.")
        return
    out = console()
    if diff.verdict:
        out.print(f"Verdict: {verdict_words(diff.verdict.before.value)} → {verdict_words(diff.verdict.after.value)}")
    for move in diff.stages:
        out.print(f"{move.org}: {_stage(move.before)} → {_stage(move.after)}")
    for org in diff.organizations_added:
        out.print(f"{org}: added")
    for org in diff.organizations_removed:
        out.print(f"{org}: removed")
    for forecast in diff.forecasts:
        direction = "later" if forecast.calendar_days > 0 else "earlier"
        moved = f"{abs(forecast.calendar_days)} days {direction}" if forecast.calendar_days else "on the same date"
        out.print(f"P80 of {forecast.org or 'all'}: {forecast.before_date} → {forecast.after_date}, {moved}")
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
    say(f"{len(diff.still_open)} gaps are still open.")


def _stage(gate: Gate | None) -> str:
    return gate.value if gate else "before design"


def _outcome(outcome: object) -> str:
    return str(outcome).replace("_", " ") if outcome else ""


#: Milestones that one table of 80 columns holds.
SHOWN_POINTS = 5


def show_burn_down(found: BurnDown) -> None:
    """Print how the score intervals moved: a row for the product and each organisation, a column for each milestone."""
    points = found.points[-SHOWN_POINTS:]
    if len(found.points) > len(points):
        say(f"The last {len(points)} of {len(found.points)} are shown; --format json has all.")
    orgs = [org for org in found.names if any(org in point.orgs for point in points)]
    rows: list[list[object]] = [["Product", *(_interval(point.product) for point in points)]]
    rows += [[found.names[org], *(_interval(point.orgs.get(org)) for point in points)] for org in orgs]
    rows.append(["Open gaps", *(point.open for point in points)])
    rows.append(["To find out", *(point.undecided for point in points)])
    rows.append(["P80, all", *(point.p80_date or "" for point in points)])
    heads = [(f"{plain(point.name, 20)}\n{point.date}", {"justify": "right"}) for point in points]
    show_table(["", *heads], rows)


def _interval(value: Interval | None) -> str:
    if value is None:
        return ""
    low, high = round(value.low), round(value.high)
    return f"{low}" if low == high else f"{low} to {high}"
