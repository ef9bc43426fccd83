"""Freezing an assessment, and comparing two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.diff import AssessmentDiff, BurnDown, Since
from interlock.model.text import plain
from interlock.plan.diff import burn_down, compare
from interlock.usecases.assess import assess
from interlock.usecases.load import Inputs, load_inputs
from interlock.workspace.history import (
    Milestone,
    find_milestone,
    load_assessment,
    load_milestone,
    milestones,
    save_milestone,
)
from interlock.workspace.store import Workspace

__all__ = [
    "Milestone",
    "burn_down_of",
    "compare",
    "compare_references",
    "earlier_milestones",
    "load_reference",
    "milestones",
    "since_last",
    "save_milestone",
    "with_changes",
]


def load_reference(workspace: Workspace, reference: str, *, today: date) -> Assessment:
    """What a person named: ``now``, ``last``, a milestone's number or name, or the path of a report.json.

    :raises InterlockError: there is nothing by that name.
    """
    if reference == "now":
        return assess(load_inputs(workspace), today=today)
    path = Path(reference)
    if path.suffix == ".json" and path.exists():
        return load_assessment(path)
    return load_milestone(workspace, reference)


def compare_references(workspace: Workspace, before: str, after: str, *, today: date) -> AssessmentDiff:
    """Compare two assessments that a person named; see :func:`load_reference`.

    Milestones older than the first one tell a gap that was opened again from one that is new.
    """
    return compare(
        load_reference(workspace, before, today=today),
        load_reference(workspace, after, today=today),
        earlier=earlier_milestones(workspace, before),
    )


def since_last(workspace: Workspace, now: Assessment) -> tuple[str, ...]:
    """What moved since the last milestone, one sentence each: verdict, stages, gaps, dates; none without a milestone.

    :raises InterlockError: the milestone cannot be read.
    """
    known = milestones(workspace)
    if not known:
        return ()
    last = known[-1]
    moved = compare(load_assessment(last.path, workspace), now)
    counts = [
        f"{words.count(len(moved.closed), 'gap')} closed" if moved.closed else "",
        f"{words.count(len(moved.opened) + len(moved.reopened), 'gap')} opened"
        if moved.opened or moved.reopened
        else "",
        f"{words.count(len(moved.decided), 'unknown')} found out" if moved.decided else "",
        f"{len(moved.no_longer_decided):,} no longer decided" if moved.no_longer_decided else "",
    ]
    names = {organization.id: plain(organization.name, 80) for organization in now.organizations}
    stages = [
        f"{names.get(move.org, move.org)}: {words.stage(move.before)} → {words.stage(move.after)}"
        for move in moved.stages
    ]
    verdict = [
        f"verdict “{words.VERDICT[v.before].phrase}” → “{words.VERDICT[v.after].phrase}”" for v in [moved.verdict] if v
    ]
    said = [*verdict, *([words.listed(stages, 4)] if stages else []), *filter(None, counts)]
    lines = [f"Since milestone {last.name} ({words.day(last.saved)}): {'; '.join(said) or 'no gap has moved'}."]
    if now.plan.ground.dated:
        move = next((move for move in moved.forecasts if move.org is None), None)
        lines += ["The finish has not moved."] if move is None else [f"Finish: {move.moved}.", *move.causes]
    return tuple(lines)


def with_changes(assessment: Assessment, inputs: Inputs) -> Assessment:
    """The assessment with what changed since the workspace's last milestone, for a report.

    It stays as it is without a milestone, and for one recipient: a milestone is of all organisations.

    :raises InterlockError: the milestone cannot be read.
    """
    workspace = Workspace(inputs.root)
    known = milestones(workspace) if inputs.recipient is None else ()
    if not known:
        return assessment
    last = known[-1]
    then = load_assessment(last.path, workspace)
    diff = compare(then, assessment, earlier=earlier_milestones(workspace, str(last.number)))
    return assessment.but(since=Since(name=last.name, as_of=then.as_of or then.plan.start, diff=diff))


def earlier_milestones(workspace: Workspace, reference: str) -> Iterator[Assessment]:
    """Milestones before the one named, all of them before now, none before a file of its own."""
    known = milestones(workspace)
    named = find_milestone(known, reference)
    for milestone in known:
        if reference == "now" or (named is not None and milestone.number < named.number):
            yield load_assessment(milestone.path, workspace)


def burn_down_of(workspace: Workspace, *, today: date, now: Assessment | None = None) -> BurnDown:
    """Every milestone, oldest first, and the workspace as it stands now.

    :param now: the workspace's assessment, if it is at hand.
    """
    series = [(m.name, load_assessment(m.path, workspace)) for m in milestones(workspace)]
    return burn_down([*series, ("now", now or load_reference(workspace, "now", today=today))])
