"""Why a finish moved between two assessments: answers, observations, routine tasks, time, or our own rules."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import TaskState
from interlock.model.finding import Finding
from interlock.plan.told_apart import answer_moves, content_moves, observation_moves

#: Names that one cause lists; the rest is counted.
_NAMED = 4


def causes(before: Assessment, after: Assessment, org: str | None) -> Iterator[str]:
    """What may have moved the finish of one organisation, or of all: a sentence for each kind of cause.

    :param org: only what is of this organisation, its vendor or the product counts; none counts everything.
    """
    yield from _answers(before, after, org)
    yield from _observations(before, after, org)
    yield from _routine(before, after, org)
    if before.plan.start != after.plan.start:
        yield (f"Time: counted from {words.iso_day(after.plan.start)} instead of {words.iso_day(before.plan.start)}.")
    yield from _content(before, after)


def _answers(before: Assessment, after: Assessment, org: str | None) -> Iterator[str]:
    """Answers that differ, with how many findings that read one of them have another outcome."""
    changed = [move for move in answer_moves(before, after) if org is None or move.scope in {"product", org}]
    if not changed:
        return
    names = [move.item if move.scope == "product" else f"{move.item} at {move.scope}" for move in changed]
    items = {move.item for move in changed}
    decided = sum(any(name.partition(".")[2] in items for name in finding.reads) for finding in _decided(before, after))
    yield (
        f"{words.capital(words.count(len(changed), 'answer'))} changed ({words.listed(names, _NAMED)}), and "
        f"{words.count(decided, 'finding')} that {words.agree(decided, 'reads', 'read')} them with it."
    )


def _decided(before: Assessment, after: Assessment) -> Iterator[Finding]:
    """Findings with another outcome than before."""
    old = {finding.key: finding.outcome for finding in before.findings}
    return (finding for finding in after.findings if old.get(finding.key) is not finding.outcome)


def _observations(before: Assessment, after: Assessment, org: str | None) -> Iterator[str]:
    moves = (move for move in observation_moves(before, after) if org in {None, move.org})
    if dated := [f"{move.org} on {words.iso_day(move.after)}" for move in moves]:
        yield f"Observed since: {words.listed(dated, _NAMED)}."


def _routine(before: Assessment, after: Assessment, org: str | None) -> Iterator[str]:
    """Routine tasks that came further, or whose record was taken back."""
    begun = {task.id: task.progress.status for task in before.plan.tasks if task.progress}
    moved = [
        f"{task.id} is {words.TASK_STATE[task.progress.status].phrase}"
        for task in after.plan.tasks
        if task.progress
        and begun.get(task.id, TaskState.NOT_BEGUN) is not task.progress.status
        and (org is None or task.org in {None, org})
    ]
    if moved:
        yield f"Routine tasks: {words.listed(moved, _NAMED)}."


def _content(before: Assessment, after: Assessment) -> Iterator[str]:
    """Rules or questions of another version, or changed by the workspace."""
    if changed := list(content_moves(before, after)):
        yield f"Our own rules: {words.listed(changed, _NAMED)}."
