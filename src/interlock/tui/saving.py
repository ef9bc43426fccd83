"""Saving answers one after the other, away from the screen's thread, so that a slow disk or a lock stops nobody."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from interlock.tui.messages import Disputed, NotSaved, Saved, SavingEnded
from interlock.tui.work import readable

if TYPE_CHECKING:
    from interlock.tui.state import Answer
    from interlock.usecases.load import Content
    from interlock.workspace.store import Workspace


class Saver:
    """A queue of answers. :meth:`put` belongs to the screen's thread, :meth:`run` to a worker's.

    :ivar running: a worker is saving.
    """

    def __init__(self, workspace: Workspace, post: Callable[[Message], object]) -> None:
        self._workspace = workspace
        self._post = post
        self._queue: deque[Answer] = deque()
        self.running = False

    def put(self, answer: Answer) -> None:
        """Add an answer at the end of the queue."""
        self._queue.append(answer)

    def rest(self) -> tuple[Answer, ...]:
        """Take everything out of the queue, in order."""
        taken = []
        with contextlib.suppress(IndexError):
            while True:
                taken.append(self._queue.popleft())
        return tuple(taken)

    @property
    def empty(self) -> bool:
        """Nothing waits to be saved."""
        return not self._queue

    def run(self, content: Content) -> None:
        """Save everything in the queue; after a failure the rest is reported unsaved too, for it would fail alike."""
        from interlock.usecases.answer import DisputedError, record_answer

        while self._queue:
            answer = self._queue.popleft()
            try:
                saved = record_answer(
                    self._workspace, content, answer.item, answer.response, answer.org, before=answer.before
                )
            except DisputedError as dispute:
                self._post(Disputed(answer, dispute))
                continue
            except Exception as cause:
                error = readable(cause)
                self._post(NotSaved(answer, error))
                while self._queue:
                    self._post(NotSaved(self._queue.popleft(), error))
                break
            self._post(Saved(answer, saved.recovered))
        self._post(SavingEnded())
