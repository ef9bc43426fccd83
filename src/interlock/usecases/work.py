"""The plan's work for issue trackers, security teams and calendars."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from interlock import __version__
from interlock.model.assessment import Assessment
from interlock.model.errors import InterlockError
from interlock.report.work.items import JOINER, work_items
from interlock.workspace.atomic import write_atomically

__all__ = ["JOINER", "Kind", "Tracker", "calendar", "issues", "only_part", "poam", "write_parts"]

Tracker = Literal["github", "jira", "azure"]
Kind = Literal["csv", "json"]


def issues(
    assessment: Assessment, tracker: Tracker, kind: Kind, *, routine: bool = False, org: str | None = None
) -> tuple[str, ...]:
    """What is open and what is to be found out, as the text of one file, or of several where the tracker takes so many.

    :param routine: with the routine tasks that every integration has.
    :param org: only one organisation's items and the product's.
    """
    from interlock.report.work import trackers

    items = work_items(assessment, routine=routine)
    if org is not None:
        concerned = {node.key for node in assessment.graph.nodes if org in node.orgs}
        concerned |= {task.id for task in assessment.plan.tasks if task.org in {org, None}}
        items = tuple(item for item in items if item.id in concerned)
        kept = {item.id for item in items}
        items = tuple(
            item.model_copy(update={"blocked_by": tuple(key for key in item.blocked_by if key in kept)})
            for item in items
        )
    size = trackers.AZURE_CSV_LIMIT if (tracker, kind) == ("azure", "csv") else max(1, len(items))
    return tuple(
        trackers.write(items[start : start + size], tracker, kind) for start in range(0, max(1, len(items)), size)
    )


def poam(assessment: Assessment, *, now: datetime) -> str:
    """The open gaps as an OSCAL plan of action and milestones, JSON."""
    from interlock.report.work import oscal

    return oscal.render(assessment, now=now, version=__version__)


def calendar(assessment: Assessment, *, now: datetime) -> str:
    """The plan's dates as an iCalendar file.

    :raises InterlockError: there is no date to write: a calendar without an event is none (RFC 5545, section 3.6).
    """
    from interlock.report.work import dates

    if not assessment.plan.ground.dated:
        none = not assessment.organizations
        raise InterlockError(
            "there is no date to write: " + ("no organisation has been added" if none else "nothing is left to do"),
            remedy="interlock org add NAME" if none else "interlock plan shows where things stand",
        )

    return dates.render(assessment, now=now).decode()


def write_parts(parts: tuple[str, ...], file: Path) -> tuple[Path, ...]:
    """Write one file, or ``name-1.csv``, ``name-2.csv`` and so on.

    :raises WorkspaceError: the file cannot be written.
    """
    if len(parts) == 1:
        paths = [file]
    else:
        paths = [file.with_stem(f"{file.stem}-{number}") for number in range(1, len(parts) + 1)]
    for path, part in zip(paths, parts, strict=True):
        write_atomically(path, part.encode())
    return tuple(paths)


def only_part(parts: tuple[str, ...]) -> str:
    """The text of an export that fits in one file.

    :raises InterlockError: there are several, which stdout cannot keep apart.
    """
    if len(parts) > 1:
        raise InterlockError(
            f"the tracker takes this in {len(parts)} files", remedy="write files with: --output FILE.csv"
        )
    return parts[0]
