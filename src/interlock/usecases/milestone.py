"""Freezing an assessment, and comparing two."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from interlock.gaps.diff import compare
from interlock.model.assessment import Assessment
from interlock.model.diff import AssessmentDiff
from interlock.usecases.assess import assess
from interlock.usecases.load import load_inputs
from interlock.workspace.history import Milestone, load_milestone, milestones, save_milestone
from interlock.workspace.store import Workspace, read_json

__all__ = ["Milestone", "compare", "compare_references", "load_reference", "milestones", "save_milestone"]


def load_reference(workspace: Workspace, reference: str, *, today: date) -> Assessment:
    """What a person named: ``now``, ``last``, a milestone's number or name, or the path of a report.json.

    :raises InterlockError: there is nothing by that name.
    """
    if reference == "now":
        return assess(load_inputs(workspace), today=today)
    path = Path(reference)
    if path.suffix == ".json" and path.exists():
        assessment: Assessment = read_json(path, Assessment.model_validate_json)
        return assessment
    return load_milestone(workspace, reference)


def compare_references(workspace: Workspace, before: str, after: str, *, today: date) -> AssessmentDiff:
    """Compare two assessments that a person named; see :func:`load_reference`."""
    return compare(
        load_reference(workspace, before, today=today),
        load_reference(workspace, after, today=today),
    )
