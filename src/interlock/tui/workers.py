"""The app's worker threads: each runs one job and posts its result as a message, and none changes the app's state."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from textual import work
from textual.worker import get_current_worker

from interlock.tui import messages as tell
from interlock.tui import work as job
from interlock.tui.edge import Edge
from interlock.tui.saving import Saver
from interlock.tui.state import State

if TYPE_CHECKING:
    from interlock.model.organization import Organization
    from interlock.usecases.load import Inputs
    from interlock.workspace.store import Workspace


class Workers(Edge):
    """The app with its workers. Each has a description: Textual would make one by writing out whole assessments."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.state = State()
        self._saver = Saver(workspace, self.post_message)
        self._saving = threading.Lock()
        self._over = False
        self._files: job.Fingerprint = {}

    @work(thread=True, group="load", exclusive=True, description="load")
    def _load(self) -> None:
        self.post_message(job.message_of(lambda: tell.Loaded(*job.load(self.workspace)), tell.LoadFailed))

    @work(thread=True, group="judge", exclusive=True, description="judge")
    def _judge(self, revision: int, inputs: Inputs) -> None:
        self.post_message(job.message_of(lambda: tell.Judged(revision, job.judged(inputs)), tell.ComputeFailed))

    @work(thread=True, group="rank", exclusive=True, description="rank")
    def _rank(self, revision: int, inputs: Inputs) -> None:
        self.post_message(job.message_of(lambda: tell.Ranked(revision, job.ranked(inputs)), tell.ComputeFailed))

    @work(thread=True, group="assess", exclusive=True, description="assess")
    def _assess(self, revision: int, inputs: Inputs) -> None:
        self.post_message(job.message_of(lambda: tell.Assessed(revision, job.assessed(inputs)), tell.ComputeFailed))

    @work(thread=True, group="save", description="save")
    def _save(self, inputs: Inputs) -> None:
        with self._saving:
            if not self._over:  # the newest answers are saved then, and what waited here is older
                self._saver.run(inputs.content)

    @work(thread=True, group="watch", exclusive=True, description="watch")
    def _watch_files(self) -> None:
        try:
            now, then = job.fingerprint(self.workspace.root), self._files
        except OSError:
            return  # a folder went away while we looked; the next look says so
        changed = tuple(sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name)))
        if then and changed != self.state.changed_files:
            self.post_message(tell.FilesChanged(changed))

    @work(thread=True, group="probe", exclusive=True, description="probe")
    def _probe(self, organizations: tuple[Organization, ...]) -> None:
        worker = get_current_worker()

        def probed() -> tell.ProbeEnded:
            cancelled = job.probe(
                organizations,
                self.workspace,
                on_event=lambda event: self.post_message(tell.Probing(event)),
                on_observation=lambda observation: self.post_message(tell.Probed(observation)),
                cancelled=lambda: worker.is_cancelled,
            )
            return tell.ProbeEnded(cancelled=cancelled)

        self.post_message(job.message_of(probed, lambda error: tell.ProbeEnded(error=error)))
