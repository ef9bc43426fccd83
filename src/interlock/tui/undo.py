"""What was changed in this session, step by step, so that it can be undone and redone. No I/O, no widgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from interlock.model.errors import InterlockError

if TYPE_CHECKING:
    from interlock.model.response import Response
    from interlock.tui.state import Answer, Key
    from interlock.workspace.routine import TaskChange
    from interlock.workspace.store import FileChange

#: Keys that come faster after one another are no typing: a text was pasted where no field was (seconds).
BURST_S = 0.02
#: Most steps that are kept.
_MOST = 500


@dataclass(frozen=True)
class Step:
    """What one undo takes back.

    :ivar told: what was changed, in words, as in *the answer to “Who reviews it?”*.
    :ivar burst: the burst of keys that it came with; changes of one burst are one step.
    :ivar typing: the answer is still being typed: what is typed on belongs to the same step.
    """

    told: str
    answers: tuple[Answer, ...] = ()
    tasks: tuple[TaskChange, ...] = ()
    files: tuple[FileChange, ...] = ()
    burst: int = 0
    typing: bool = False
    changes: int = 1

    def and_then(self, later: Step) -> Step:
        """Both as one step, in this order."""
        from interlock.model import words

        changes = self.changes + (0 if self.typing else later.changes)
        told = self.told if changes == 1 else words.count(changes, "change")
        return Step(
            told,
            self.answers + later.answers,
            self.tasks + later.tasks,
            self.files + later.files,
            later.burst,
            later.typing,
            changes,
        )

    @property
    def back(self) -> Step:
        """The step that undoes this one: everything the other way round, the last first."""
        return Step(
            self.told,
            tuple(replace(answer, response=answer.before, before=answer.response) for answer in self.answers[::-1]),
            tuple(replace(task, now=task.before, before=task.now) for task in self.tasks[::-1]),
            tuple(change.back for change in self.files[::-1]),
            changes=self.changes,
        )

    def continues(self, earlier: Step) -> bool:
        """Is this the same answer as before, typed on?"""
        return (
            earlier.typing
            and len(self.answers) == 1
            and bool(earlier.answers)
            and self.answers[0].key == earlier.answers[-1].key
        )


@dataclass
class Steps:
    """The steps of a session: those that can be undone, and those that were and can be redone.

    :ivar burst: counts the bursts of keys; a key after a pause begins a new one.
    """

    done: list[Step] = field(default_factory=list)
    undone: list[Step] = field(default_factory=list)
    burst: int = 0
    _last_key: float = float("-inf")

    def key(self, time: float) -> None:
        """A key came at this time (seconds of a clock that never goes back)."""
        self.burst += time - self._last_key >= BURST_S
        self._last_key = time

    def add(self, step: Step) -> bool:
        """Something was changed; what was undone before cannot be redone any more. True: it was part of a burst."""
        self.undone.clear()
        step = replace(step, burst=self.burst)
        last = self.done[-1] if self.done else None
        if last is None or (last.burst != step.burst and not step.continues(last)):
            self.done.append(step)
            del self.done[:-_MOST]
            return False
        self.done[-1] = last.and_then(step)
        return self.done[-1].changes > 1


def shortened(question: str, most: int = 60) -> str:
    """A question in a message: whole, or its first words."""
    if len(question) <= most:
        return question
    return question[:most].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def net(answers: Sequence[Answer], current: Callable[[str, str], Response | None]) -> tuple[Answer, ...]:
    """What a sequence of answers comes to: one for each question, from what is there now to the last one given.

    :param current: the answer that a question of a scope has now.
    :raises InterlockError: a question has another answer than the first of the sequence was given over.
    """
    first: dict[Key, Answer] = {}
    for answer in answers:
        first.setdefault(answer.key, answer)
    last = {answer.key: answer for answer in answers}
    for key, answer in first.items():
        if current(*key) != answer.before:
            raise InterlockError("it was answered again since, here or elsewhere", remedy="answer it as it should be")
    return tuple(replace(answer, before=first[key].before) for key, answer in last.items())
