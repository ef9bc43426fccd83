"""How far the routine tasks have come: listed, begun, done, taken back, and given to somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import ValidationError

from interlock.documents.names import closest
from interlock.model import words
from interlock.model.base import Scope, TaskState
from interlock.model.errors import InterlockError
from interlock.model.evidence import MAX_NAME, EvidenceRecord
from interlock.model.routine import TaskEntry, TaskList, TaskStatus, ahead
from interlock.model.rule import RoutineTask
from interlock.model.text import forbidden, plain, wrong_with_line
from interlock.plan.dependencies import RoutineInstances, View, with_stated_freezes
from interlock.usecases.evidence import attached, day_given
from interlock.usecases.load import Inputs
from interlock.workspace.routine import TaskChange

NOT_BEGUN = TaskStatus(status=TaskState.NOT_BEGUN)


def instances(inputs: Inputs) -> dict[str, tuple[RoutineTask, View]]:
    """Every routine task of a workspace by its id, with whom it is for."""
    frozen = with_stated_freezes(inputs.organizations, inputs.settings.freezes)
    tasks, reads_only = inputs.content.ruleset.tasks, inputs.reads_only
    return RoutineInstances(tasks, inputs.organizations, frozen, reads_only=reads_only).instances


def task_list(inputs: Inputs, org: str | None = None, owner: str | None = None) -> TaskList:
    """The routine tasks in the order of the ruleset.

    :param org: only those of one organisation, and of its vendor and the product.
    :param owner: only those of ``us``, ``vendor`` or ``org``, or of a person whose name contains it.
    :raises InterlockError: there is no such organisation.
    """
    vendor = inputs.organization(org).vendor if org is not None else None
    known = instances(inputs)
    entries = [
        TaskEntry(
            id=key,
            title=task.title,
            org=name if scope is Scope.ORG else None,
            owner=task.owner,
            gate=task.gate,
            progress=status,
            overdue=not status.is_done and status.due is not None and status.due < inputs.today.isoformat(),
        )
        for key, (task, (scope, name)) in known.items()
        for status in (inputs.tasks.get(key, NOT_BEGUN),)
        if org is None or name in {"", org if scope is Scope.ORG else vendor}
        if owner is None or owner == task.owner or (status.owner and owner.casefold() in status.owner.casefold())
    ]
    return TaskList(tasks=tuple(entries), unknown=tuple(key for key in inputs.tasks if key not in known))


def unknown_task(inputs: Inputs, name: str, known: Iterable[str]) -> InterlockError:
    """The error about a name that no routine task has here."""
    general, _, whose = name.partition("@")
    tasks, every = inputs.content.ruleset.tasks, list(known)
    replacing = {task.id for task in tasks if general in task.replaces}
    vendor = next((org.vendor for org in inputs.organizations if org.id == whose), whose.removeprefix("vendor:"))
    instead = [key for key in every if key.partition("@")[0] in replacing and key.endswith((f"@{whose}", f":{vendor}"))]
    if name.startswith(("evidence:", "renew:", "test:")):
        remedy = "evidence is no routine task: it is there when an answer has it (interlock answer --attach)"
    elif instead:
        remedy = f"the vendor's own stands for it: {words.listed(instead)}"
    else:
        general_names = dict.fromkeys(key.partition("@")[0] for key in every)
        remedy = closest(name, [*general_names, *every], "interlock task list shows them")
    return InterlockError(f"there is no routine task {plain(name, 80)!r} here", remedy=remedy)


@dataclass(frozen=True)
class Said:
    """What somebody says about some tasks; none is what is not spoken of.

    :ivar by: who says it.
    :ivar on: the day on which they began, or were done.
    :ivar owner, due, note: an empty text takes away what was said.
    :ivar attach: a piece of evidence more.
    """

    by: str
    on: str | None = None
    begun: str | None = None
    owner: str | None = None
    due: str | None = None
    note: str | None = None
    attach: EvidenceRecord | None = None


def as_typed(typed: str, by: str) -> Said:
    """A day, and behind a comma who says so, as typed in one line; without a day today, without a name ``by``."""
    day, _, name = typed.partition(",")
    return Said(by=name.strip() or by, on=day.strip() or None)


def begin_tasks(inputs: Inputs, names: Sequence[str], said: Said) -> list[TaskChange]:
    """The tasks as begun, by default today.

    :raises InterlockError: an unknown task, one that is begun or done already, or a day that does not fit.
    """
    on = _day(said.on, "day on which it began", inputs.today) or inputs.today.isoformat()

    def begun(task: str, before: TaskStatus) -> TaskStatus:
        if before.status is not TaskState.NOT_BEGUN:
            raise InterlockError(
                f"{task} is {before.told} already", remedy=f"interlock task reopen {task} takes that back"
            )
        return _changed(task, before, said, status=TaskState.BEGUN, begun=on, done=None, by=said.by)

    return _changes(inputs, names, begun, lambda status: status.status is TaskState.NOT_BEGUN)


def finish_tasks(inputs: Inputs, names: Sequence[str], said: Said) -> list[TaskChange]:
    """The tasks as done, by default today; as for :func:`begin_tasks`."""
    on = _day(said.on, "day on which it was done", inputs.today) or inputs.today.isoformat()
    begun = _day(said.begun, "day on which it began", inputs.today)

    def done(task: str, before: TaskStatus) -> TaskStatus:
        if before.status is TaskState.DONE:
            raise InterlockError(
                f"{task} is {before.told} already", remedy=f"interlock task reopen {task} takes that back"
            )
        if begun and before.begun and begun != before.begun:
            raise InterlockError(
                f"{task} began on {words.iso_day(before.begun)} already, not on {words.iso_day(begun)}",
                remedy=f"interlock task reopen {task} takes that back",
            )
        return _changed(task, before, said, status=TaskState.DONE, begun=begun or before.begun, done=on, by=said.by)

    return _changes(inputs, names, done, lambda status: status.status is not TaskState.DONE)


def reopen_tasks(inputs: Inputs, names: Sequence[str], said: Said) -> list[TaskChange]:
    """The tasks one step back: from done to begun where it is known when they began, otherwise to not begun.

    Who does them, by when, the note and the evidence stay.

    :raises InterlockError: an unknown task, or one that is not begun.
    """

    def reopened(task: str, before: TaskStatus) -> TaskStatus | None:
        if before.status is TaskState.NOT_BEGUN:
            raise InterlockError(f"{task} is not begun, so nothing can be taken back")
        if before.status is TaskState.DONE and before.begun:
            return _changed(task, before, said, status=TaskState.BEGUN, done=None, by=said.by)
        back = _changed(task, before, said, status=TaskState.NOT_BEGUN, begun=None, done=None, by=None)
        return back if back != NOT_BEGUN else None

    return _changes(inputs, names, reopened, lambda status: status.status is not TaskState.NOT_BEGUN)


def assign_tasks(inputs: Inputs, names: Sequence[str], said: Said) -> list[TaskChange]:
    """The tasks with who does them, by when, and a note; how far they have come stays.

    :raises InterlockError: an unknown task, or nothing is said.
    """
    if said.owner is None and said.due is None and said.note is None:
        raise InterlockError("nothing is said about the task", remedy="give --owner NAME, --due DAY or --note TEXT")

    def assigned(task: str, before: TaskStatus) -> TaskStatus | None:
        now = _changed(task, before, said)
        return now if now != NOT_BEGUN else None

    return _changes(inputs, names, assigned, lambda _: True)


def _changes(
    inputs: Inputs,
    names: Sequence[str],
    change: Callable[[str, TaskStatus], TaskStatus | None],
    wanted: Callable[[TaskStatus], bool],
) -> list[TaskChange]:
    """What becomes of the tasks that are named; of all that a general name stands for, those that it can be said of."""
    if not names:
        raise InterlockError("no task is named", remedy="interlock task list shows them")
    known = instances(inputs)
    tasks: dict[str, None] = {}
    for name in names:
        if name in known:
            tasks[name] = None
            continue
        meant = [key for key in known if key.partition("@")[0] == name]
        if not meant:
            raise unknown_task(inputs, name, known)
        still = [key for key in meant if wanted(inputs.tasks.get(key, NOT_BEGUN))]
        tasks.update(dict.fromkeys(still or meant))
    changes = [
        TaskChange(task, change(task, inputs.tasks.get(task, NOT_BEGUN)), inputs.tasks.get(task)) for task in tasks
    ]
    return [entry for entry in changes if entry.now != entry.before]


def _changed(task: str, before: TaskStatus, said: Said, **values: object) -> TaskStatus:
    fields = before.model_dump(exclude_none=True) | values
    if said.owner is not None:
        fields["owner"] = said.owner.strip() or None
    if said.due is not None:
        fields["due"] = day_given(said.due, "due date")
    if said.note is not None:
        if (wrong := forbidden(said.note)) is not None:
            raise InterlockError(f"{task}: the note holds {wrong.description}", remedy="write it again without it")
        fields["note"] = said.note.strip() or None
    if said.attach is not None:
        fields["documents"] = [
            record.model_dump(exclude_none=True) for record in attached(before.documents, said.attach)
        ]
    for field in ("by", "owner"):
        if fields.get(field) is not None and (wrong_name := wrong_with_line(str(fields[field]), MAX_NAME)) is not None:
            raise InterlockError(f"{task}: the name {wrong_name}", remedy="give a name on one line")
    try:
        return TaskStatus.model_validate(fields)
    except ValidationError as error:
        message = plain(error.errors(include_url=False)[0]["msg"].removeprefix("Value error, "))
        raise InterlockError(f"{task}: {message}", remedy="give days that fit, as 2026-12-14") from error


def _day(given: str | None, event: str, today: date) -> str | None:
    """A day on which something has happened.

    :raises InterlockError: it is no day, or one to come.
    """
    day = day_given(given, event)
    if day is not None and (wrong := ahead(day, today)) is not None:
        raise InterlockError(f"the {event} is {wrong}", remedy="say so when it has happened; --due says by when")
    return day
