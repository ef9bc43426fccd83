"""Freezing an assessment, and comparing two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from interlock.model.assessment import Assessment
from interlock.model.diff import AssessmentDiff, BurnDown
from interlock.plan.diff import burn_down, compare
from interlock.usecases.assess import assess
from interlock.usecases.load import load_inputs
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


def since_last(workspace: Workspace, now: Assessment) -> str:
    """One line on how the finish of all moved since the last milestone, and why; empty without a milestone.

    :raises InterlockError: the milestone cannot be read.
    """
    known = milestones(workspace)
    if not known or not now.plan.ground.dated:
        return ""
    move = next((m for m in compare(load_assessment(known[-1].path, workspace), now).forecasts if m.org is None), None)
    if move is None:
        return f"Since milestone {known[-1].name} the finish has not moved."
    return " ".join((f"Since milestone {known[-1].name}: {move.moved}.", *move.causes))


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
