"""What runs in threads of the app. Workers post messages; they change nothing of the app's state."""

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
    """The app's workers: each has a description, for Textual would make one of its arguments, whole assessments."""

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
        try:
            inputs, files, disputes = job.load(self.workspace)
        except Exception as error:
            self.post_message(tell.LoadFailed(job.readable(error)))
        else:
            self.post_message(tell.Loaded(inputs, files, disputes))

    @work(thread=True, group="judge", exclusive=True, description="judge")
    def _judge(self, revision: int, inputs: Inputs) -> None:
        try:
            judgement = job.judged(inputs)
        except Exception as error:
            self.post_message(tell.ComputeFailed(job.readable(error)))
        else:
            self.post_message(tell.Judged(revision, judgement))

    @work(thread=True, group="rank", exclusive=True, description="rank")
    def _rank(self, revision: int, inputs: Inputs) -> None:
        try:
            worth = job.ranked(inputs)
        except Exception as error:
            self.post_message(tell.ComputeFailed(job.readable(error)))
        else:
            self.post_message(tell.Ranked(revision, worth))

    @work(thread=True, group="assess", exclusive=True, description="assess")
    def _assess(self, revision: int, inputs: Inputs) -> None:
        try:
            assessment = job.assessed(inputs)
        except Exception as error:
            self.post_message(tell.ComputeFailed(job.readable(error)))
        else:
            self.post_message(tell.Assessed(revision, assessment))

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
        try:
            cancelled = job.probe(
                organizations,
                self.workspace,
                on_event=lambda event: self.post_message(tell.Probing(event)),
                on_observation=lambda observation: self.post_message(tell.Probed(observation)),
                cancelled=lambda: worker.is_cancelled,
            )
        except Exception as error:
            self.post_message(tell.ProbeEnded(error=job.readable(error)))
        else:
            self.post_message(tell.ProbeEnded(cancelled=cancelled))
