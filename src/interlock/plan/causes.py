"""Why a finish moved between two assessments: answers, observations, routine tasks, time, or our own rules."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import TaskState
from interlock.model.finding import Finding
from interlock.model.text import plain

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
    if not before.answers:  # a milestone of before answers were kept in it
        return
    old, new = ({(a.item, a.scope): a.said for a in each.answers} for each in (before, after))
    scopes = None if org is None else {"product", org}
    changed = sorted(
        key for key in old.keys() | new.keys() if old.get(key) != new.get(key) and (not scopes or key[1] in scopes)
    )
    if not changed:
        return
    names = [item if scope == "product" else f"{item} at {scope}" for item, scope in changed]
    items = {item for item, _ in changed}
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
    old = {own.org: own.observed_at for own in before.readiness}
    seen = [
        f"{own.org} on {words.iso_day(own.observed_at)}"
        for own in after.readiness
        if own.observed_at and own.observed_at != old.get(own.org) and org in {None, own.org}
    ]
    if seen:
        yield f"Observed since: {words.listed(seen, _NAMED)}."


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
    changed = [f"the ruleset is {after.ruleset} instead of {before.ruleset}"] if before.ruleset != after.ruleset else []
    changed += [
        f"questionnaire {plain(name, 60)} is {after.questionnaires.get(name, 'gone')} instead of "
        f"{before.questionnaires.get(name, 'new')}"
        for name in sorted(before.questionnaires.keys() | after.questionnaires.keys())
        if before.questionnaires.get(name) != after.questionnaires.get(name)
    ]
    if before.content_changes != after.content_changes:
        changed.append("the workspace's own questions and rules differ")
    if changed:
        yield f"Our own rules: {words.listed(changed, _NAMED)}."
