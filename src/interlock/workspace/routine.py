"""How far the routine tasks of a workspace have come: ``tasks.yaml``, changed task by task, never over another's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from interlock.documents.yaml import YamlDocument, model_from_yaml, parse_yaml
from interlock.model.errors import DocumentError, Location, WorkspaceError
from interlock.model.text import plain
from interlock.workspace.atomic import locked
from interlock.workspace.edit import edit_yaml
from interlock.workspace.responses import Folder

if TYPE_CHECKING:
    from ruamel.yaml.comments import CommentedMap

    from interlock.model.routine import TaskStatus, TaskStatuses

TASKS_FILE = "tasks.yaml"
#: Most tasks of a workspace: hundreds of organisations with a few dozen each.
MAX_TASKS = 20_000


@dataclass(frozen=True)
class TaskChange:
    """What becomes of one task; ``now`` is none where nothing is left to say.

    :ivar before: what whoever changes it had read there.
    """

    task: str
    now: TaskStatus | None
    before: TaskStatus | None


class TaskFile(Folder):
    """The file ``tasks.yaml`` of a workspace."""

    def tasks(self) -> TaskStatuses:
        """How far each task has come; empty when the file is not there."""
        return parse_tasks(self.load(TASKS_FILE)) if self.has(TASKS_FILE) else {}

    def save_tasks(self, changes: Sequence[TaskChange]) -> None:
        """Save how far some tasks have come: all of them, or none. Comments in the file survive.

        :raises WorkspaceError: the folder is locked, read-only or full, or somebody else changed a task meanwhile.
        :raises DocumentError: the file is broken.
        """
        path = self.root / TASKS_FILE
        with locked(self.root):
            stored = self.tasks()
            for change in changes:
                theirs = stored.get(change.task)
                if theirs not in (change.before, change.now):
                    where = self.load(TASKS_FILE).location(("tasks", change.task)).line if stored else None
                    raise WorkspaceError(
                        f"nothing was saved: somebody else changed {change.task} meanwhile: "
                        f"{theirs.told if theirs else 'it is no longer in the file'}",
                        location=Location(file=str(path), line=where),
                        remedy="do it again, now that you know",
                    )

            def put(document: CommentedMap) -> None:
                _put(document, changes)

            edit_yaml(path, self.root, put, lambda text: parse_tasks(parse_yaml(text, TASKS_FILE)))


def _put(document: CommentedMap, changes: Sequence[TaskChange]) -> None:
    from ruamel.yaml.comments import CommentedMap

    tasks = document.get("tasks")
    if not isinstance(tasks, CommentedMap):
        tasks = document["tasks"] = CommentedMap()
    for change in changes:
        if change.now is None:
            tasks.pop(change.task, None)
            continue
        data = change.now.model_dump(mode="json", exclude_none=True)
        data = {key: value for key, value in data.items() if value != []}
        entry = tasks.get(change.task)
        if isinstance(entry, CommentedMap):  # keep the comments that belong to the entry
            for key in [key for key in entry if key not in data]:
                del entry[key]
            entry.update(data)
        else:
            tasks[change.task] = CommentedMap(data)


def parse_tasks(document: YamlDocument) -> TaskStatuses:
    """``tasks:`` of a workspace's tasks.yaml.

    :raises DocumentError: anything but a map of task ids to how far they have come, or a day to come; with the line.
    """
    from interlock.model.routine import TaskStatus

    data: Any = document.data
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise DocumentError("expected the key 'tasks'", location=document.location())
    for key in data:
        if key not in {"tasks", "note"}:
            raise DocumentError(
                f"unknown key {plain(key, 60)!r}",
                location=document.location((key,)),
                remedy="known keys: tasks, note",
            )
    entries = data.get("tasks") or {}
    if not isinstance(entries, dict):
        raise DocumentError("expected the ids of tasks", location=document.location(("tasks",)))
    if len(entries) > MAX_TASKS:
        raise DocumentError(f"more than {MAX_TASKS:,} tasks", location=document.location(("tasks",)))
    statuses = {}
    for name, entry in entries.items():
        statuses[name] = status = model_from_yaml(TaskStatus, document, entry, ("tasks", name))
        if (wrong := status.ahead(date.today())) is not None:
            at = document.location(("tasks", name, wrong[0]))
            raise DocumentError(f"{plain(name, 80)}: {wrong[1]}", location=at, remedy="give the day on which it was")
        for number, record in enumerate(status.documents):
            if (dated := record.dated_ahead(date.today())) is not None:
                at = document.location(("tasks", name, "documents", number, "date"))
                raise DocumentError(dated, location=at, remedy="give the day that it is of")
    return statuses
