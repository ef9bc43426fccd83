"""How far a routine task has come, as a workspace's ``tasks.yaml`` says: nothing else ever says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from pydantic import Field, model_validator

from interlock.model import words
from interlock.model.base import Gate, IsoDay, Model, Owner, TaskState
from interlock.model.evidence import MAX_RECORDS, EvidenceRecord, Person
from interlock.model.text import plain

#: Longest note, in characters.
MAX_NOTE = 10_000


class TaskStatus(Model):
    """How far one routine task has come.

    :ivar begun, done: the days on which it began and was done; a task that is done may not know when it began.
    :ivar by: who says that it is begun or done: a name, with an e-mail address where git has one.
    :ivar owner: the person who does it, or sees to it.
    :ivar due: by when it should be done.
    :ivar documents: evidence that it is done.
    """

    status: TaskState
    begun: IsoDay | None = None
    done: IsoDay | None = None
    by: Person | None = None
    owner: Person | None = None
    due: IsoDay | None = None
    note: Annotated[str, Field(max_length=MAX_NOTE)] | None = None
    documents: Annotated[tuple[EvidenceRecord, ...], Field(max_length=MAX_RECORDS)] = ()

    @model_validator(mode="after")
    def _days_fit(self) -> TaskStatus:
        if self.status is TaskState.NOT_BEGUN and (self.begun or self.done):
            raise ValueError("a task that is not begun has neither a day begun nor a day done")
        if self.status is TaskState.BEGUN and (self.begun is None or self.done):
            raise ValueError("a task that is begun has the day on which it began, and none on which it was done")
        if self.status is TaskState.DONE and self.done is None:
            raise ValueError("a task that is done has the day on which it was done")
        if self.status is not TaskState.NOT_BEGUN and self.by is None:
            raise ValueError(f"a task that is {self.status.value} says by whom")
        if self.begun and self.done and self.done < self.begun:
            raise ValueError(done_before(self.begun, self.done))
        return self

    @property
    def is_done(self) -> bool:
        """Whether it is done."""
        return self.status is TaskState.DONE

    def ahead(self, today: date) -> tuple[str, str] | None:
        """The first of its days that is to come, as (field, what is wrong); none otherwise."""
        for field, day in (("begun", self.begun), ("done", self.done)):
            if day is not None and (wrong := ahead(day, today)) is not None:
                return field, f"{field} on {wrong}"
        return None

    @property
    def told(self) -> str:
        """One line: ``done on 3 Nov 2026, by Ada``."""
        parts = [words.TASK_STATE[self.status].phrase]
        day = self.done or self.begun
        parts[0] += f" on {words.iso_day(day)}" if day else ""
        parts += [f"by {plain(self.by, 80)}"] if self.by else []
        parts += [f"owned by {plain(self.owner, 80)}"] if self.owner else []
        parts += [f"due {words.iso_day(self.due)}"] if self.due else []
        return ", ".join(parts)


class TaskEntry(Model):
    """One routine task, and how far it has come.

    :ivar org: the organisation that it is for; none for those of the product and of a vendor.
    :ivar owner: whose task it is; ``progress.owner`` is the person.
    :ivar gate: the gate that cannot be passed before it is done.
    """

    id: str
    title: str
    org: str | None
    owner: Owner
    gate: Gate
    progress: TaskStatus
    overdue: bool


class TaskList(Model):
    """``interlock task list --format json``.

    :ivar unknown: what ``tasks.yaml`` has and no routine task is called; it counts for nothing.
    """

    schema_version: str = "1"
    tasks: tuple[TaskEntry, ...]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PastTask:
    """A finished task: its id with or without the organisation, and its first and last day."""

    task: str
    begun: date
    done: date

    @property
    def kind(self) -> str:
        """The routine task that it was one of."""
        return self.task.partition("@")[0]


#: Task id (``us.build``, ``org.priority@riverside``) → how far it has come; an absent task is not begun.
TaskStatuses = dict[str, TaskStatus]


def done_before(begun: str, done: str) -> str:
    """What is wrong with a task that was done before it began."""
    return f"done on {words.iso_day(done)}, before it began on {words.iso_day(begun)}"


def ahead(day: str, today: date) -> str | None:
    """What is wrong with a day on which something has happened, and that is to come. Somewhere tomorrow has begun."""
    if day <= (today + timedelta(days=1)).isoformat():
        return None
    return f"{words.iso_day(day)}, which is in the future"
