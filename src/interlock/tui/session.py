"""The app's session on a workspace: its state, judged in the background, saved as it changes, undone step by step."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work
from textual.events import Event, Key
from textual.timer import Timer

from interlock.model.errors import InterlockError
from interlock.model.text import plain
from interlock.tui import work as job
from interlock.tui.edge import Edge
from interlock.tui.keys import key_of
from interlock.tui.planner import Beside, Planner
from interlock.tui.state import Answer, State
from interlock.tui.undo import Step, Steps, net, shortened

if TYPE_CHECKING:
    from interlock.tui.screens.section import Section
    from interlock.usecases.judge import Judgement
    from interlock.usecases.load import Content, Inputs
    from interlock.workspace.store import Workspace

#: Seconds without a further change before the whole assessment is computed anew.
SETTLE_S = 0.6
#: Seconds for which saving lets judging go first.
JUDGED_S = 0.1
#: Seconds between two looks at the files.
WATCH_S = 3.0


#: New objects after which garbage is looked for: a key makes thousands, and next to none in circles.
_YOUNG = 20_000
#: Keys that do not wait for the workspace to be read, and how many of the others do.
_AT_ONCE = frozenset({"q", "ctrl+q", "ctrl+c", "question_mark", "escape"})
_EARLY = 100


class Session(Edge):
    """What the app knows and keeps: one state at a time, answers that wait to be saved, steps to undo.

    Each worker has a description: Textual would make one by writing out whole assessments.
    """

    def __init__(self, workspace: Workspace, author: str, beside: Beside | None = None) -> None:
        super().__init__()
        self.workspace = workspace
        self.author = author  # of every answer that is given here
        self.state = State()
        self.planner, reading = beside or Planner().reading(workspace)
        self._reading: Future[job.Read] | None = reading
        self.shown_sections: set[Section] = set()
        self.lost: tuple[InterlockError, ...] = ()  # why answers could not be saved when the app ended
        self._files: job.Fingerprint = {}
        self._queue: deque[Answer] = deque()  # answers to save, the oldest first
        self.steps = Steps()  # changes of this session, to undo
        self._tell_burst: Timer | None = None
        # One judgement and one plan at a time: two at once would make keys wait, and fill the memory.
        self._judging, self._planning = asyncio.Lock(), asyncio.Lock()
        self._loaded, self._shown = False, asyncio.Event()  # the first section is there
        self._early: deque[Key] = deque(maxlen=_EARLY)  # keys pressed before the workspace was read
        self._disk = threading.Lock()  # held while an answer is being saved
        self._saving = False
        self._leaving = False
        self._over = False

    def on_mount(self) -> None:
        """Paint the first frame, and then begin."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """Read the workspace, and keep an eye on its files."""
        self.action_reload()
        self.set_interval(WATCH_S, self._watch_files)

    def on_unmount(self) -> None:
        """End the process of the plans, also where nothing had to be kept."""
        self.planner.close()

    # -- state ----------------------------------------------------------------------------------------------------

    def become(self, state: State) -> None:
        """Make this the app's state; sections that are shown draw what changed."""
        if state is self.state:
            return
        recompute = state.revision != self.state.revision
        self.state = state
        for section in self.shown_sections:
            section.call_later(section.state_changed)
        if recompute and state.inputs is not None and not self._over:
            self._judge(state.revision, state.inputs)

    @work(group="load", exclusive=True, description="load")
    async def action_reload(self) -> None:
        """Read the workspace's files again; if they cannot be read, what was there before stays."""
        try:
            inputs, self._files, disputes = await job.in_thread(self._read)
        except InterlockError as error:
            self.become(replace(self.state, problem=error))
        else:
            self.become(self.state.loaded(inputs, disputes))
        if not self._loaded:
            await self.open_first()
            self.call_after_refresh(self._play_early)

    def _read(self) -> job.Read:
        """What the process beside has read since the start; later, or where it could not, the files as they are."""
        reading, self._reading = self._reading, None
        if reading is not None:
            self.import_first()
            with contextlib.suppress(InterlockError):  # which reading it here explains
                return reading.result()
        return job.load(self.workspace)

    def _judged_beside(self, inputs: Inputs) -> Judgement:
        with contextlib.suppress(InterlockError):  # which judging here explains
            return self.planner.run(job.judged, inputs)
        return job.judged(inputs)

    def import_first(self) -> None:
        """Import what the first section needs, while the workspace is being read."""

    async def open_first(self) -> None:
        """Show the first section, now that there is something to show."""

    @work(group="judge", description="judge")
    async def _judge(self, revision: int, inputs: Inputs) -> None:
        """Findings and scores of these inputs; once nothing changes for a while, the whole assessment."""
        first = self.state.assessment is None
        try:
            async with self._judging:
                if revision != self.state.revision:
                    return  # another answer came meanwhile, and is judged next
                if self.state.judgement is None:  # beside, or it would keep the first question waiting
                    judgement = await job.in_thread(self._judged_beside, inputs)
                    self.become(replace(self.state, judgement=judgement, judged=revision))
                    await self._shown.wait()
                    if revision != self.state.revision:
                        return
                judgement = await job.in_thread(job.judged, inputs)  # the first time so that the next answer is quick
            if revision > self.state.judged:
                self.become(replace(self.state, judgement=judgement, judged=revision))
            await asyncio.sleep(0.01 if first else SETTLE_S)
            async with self._planning:
                if revision == self.state.revision:
                    worth = await job.in_thread(self.planner.run, job.ranked, inputs)
                    if revision > self.state.ranked:
                        self.become(replace(self.state, worth=worth, ranked=revision))
                if revision == self.state.revision:
                    planned = await job.in_thread(self.planner.run, job.planned, inputs)
                    assessment = job.whole(planned, inputs, judgement)
                    gc.freeze()  # what is large stays: looking through it again and again makes keys wait
                    if revision > self.state.assessed:
                        self.become(replace(self.state, assessment=assessment, assessed=revision, stuck=None))
        except InterlockError as error:
            if not self._over:
                self.become(replace(self.state, stuck=error))

    @work(group="watch", exclusive=True, description="watch")
    async def _watch_files(self) -> None:
        then = dict(self._files)
        try:
            now = await asyncio.to_thread(job.fingerprint, self.workspace.root)
        except OSError:
            return  # a folder went away while we looked; the next look says so
        if then != self._files:
            return  # we wrote something ourselves while we looked; the next look counts
        changed = tuple(sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name)))
        if then and changed != self.state.changed_files:
            self.become(replace(self.state, changed_files=changed))

    def _learn(self, name: str) -> None:
        """Take files that we wrote ourselves into the fingerprint: they are not somebody else's change."""
        with contextlib.suppress(OSError):  # a folder went away while we looked; the next look says so
            now = job.fingerprint(self.workspace.root)
            self._files |= {file: entry for file, entry in now.items() if file.startswith(name)}
        others = tuple(file for file in self.state.changed_files if not file.startswith(name))
        if others != self.state.changed_files:  # somebody looked between our writing and our learning of it
            self.become(replace(self.state, changed_files=others))

    # -- saving ---------------------------------------------------------------------------------------------------

    def answer(self, *answers: Answer, typing: bool = False) -> None:
        """Take answers: they count at once and are saved in the background; one undo takes all of them back."""
        if answers:
            self.changed(Step(self._told(answers), answers, typing=typing))
        self._take(*answers)

    def _take(self, *answers: Answer) -> None:
        """Count these answers at once and save them in the background, with any that could not be saved before."""
        given = {answer.key for answer in answers}
        failed = [entry.answer for entry in self.state.unsaved if entry.answer.key not in given]
        state = self.state.retrying()
        for answer in answers:
            state = state.answered(answer)
        self.become(state)
        self._queue.extend((*failed, *answers))
        if state.inputs is not None and self._queue and not self._saving and not self._over:
            self._saving = True
            self._save(state.inputs.content)

    @work(group="save", description="save")
    async def _save(self, content: Content) -> None:
        """Save what is in the queue; after a failure the rest counts as unsaved too, for it would fail alike."""
        from interlock.model import words
        from interlock.usecases.answer import DisputedError

        with contextlib.suppress(TimeoutError):  # two threads at once take turns, and whoever answered waits for both
            async with asyncio.timeout(JUDGED_S), self._judging:
                pass
        while self._queue:
            answer = self._queue.popleft()
            try:
                recovered = await asyncio.to_thread(self._record, content, answer)
            except DisputedError as dispute:
                self.become(self.state.disputed(answer, dispute))
                self.notify(plain(dispute.message, 400), title="Kept beside", severity="warning")
                self.action_reload()
            except Exception as cause:
                error = job.readable(cause)
                for unsaved in (answer, *self._queue):
                    self.become(self.state.not_saved(unsaved, error))
                self._queue.clear()
            else:
                self._learn(f"responses/{answer.scope}.yaml")
                self.become(self.state.saved(answer))
                if recovered:
                    answers = words.count(len(recovered), "answer")
                    self.notify(f"{answers} of an earlier session went in too.", title="Recovered")
                    self.action_reload()
        self._saving = False
        if self.state.unsaved:
            self.notify(plain(self.state.unsaved[-1].error, 400), title="Not saved", severity="error", timeout=8)
        if self._leaving:
            self._leaving = False
            self.call_later(self.action_quit)

    def _record(self, content: Content, answer: Answer) -> tuple[str, ...]:
        """Save an answer; returns what an earlier session could not save and went in with it."""
        with self._disk:
            if self._over:  # the newest answers are saved then, and what waited here is older
                return ()
            return job.recorded(self.workspace, content, answer)

    def keep(self) -> None:
        """Save what is typed and what waits, for the app ends now; what cannot be saved goes into the journal."""
        if self._over:
            return
        self._over = True  # nothing is judged or saved in the background any more
        for section in tuple(self.shown_sections):
            with contextlib.suppress(Exception):  # one that broke must not cost the others their text
                section.keep()
        if self.state.inputs is not None and self.state.waiting:
            with self._disk:
                # An answer in the queue may have been given after seeing an earlier one there.
                waiting = [entry.answer for entry in self.state.waiting.values()]
                answers = tuple(dict.fromkeys((*self._queue, *waiting)))
                self.lost = job.record_all(self.workspace, self.state.inputs.content, answers)
        self.planner.close()

    # -- undoing --------------------------------------------------------------------------------------------------

    async def on_event(self, event: Event) -> None:
        """Keys wait for the workspace; those that come at once, as pasted text where no field is, make one step."""
        if isinstance(event, Key) and not event.is_forwarded:
            if not self._loaded and event.key not in _AT_ONCE:
                self._early.append(event)
                return
            self.steps.key(event.time)
        await super().on_event(event)

    def _play_early(self) -> None:
        """Press the keys that were pressed while the workspace was being read."""
        self._loaded = True
        self._shown.set()
        gc.freeze()
        gc.set_threshold(_YOUNG)
        gc.enable()
        while self._early:
            early = self._early.popleft()
            self.post_message(Key(early.key, early.character))

    def changed(self, step: Step) -> None:
        """Something was changed that can be undone."""
        if self.steps.add(step):
            if self._tell_burst is not None:
                self._tell_burst.stop()
            told = self.steps.done[-1].told
            self._tell_burst = self.set_timer(
                0.4,
                lambda: self.notify(
                    f"Keys that came at once made {told}: {key_of('app.undo')} undoes all.", title="Pasted?"
                ),
            )

    def _told(self, answers: Sequence[Answer]) -> str:
        from interlock.model import words

        first = answers[0]
        item = self.state.inputs.content.items.get(first.item) if self.state.inputs else None
        if len(answers) > 1 or item is None:
            return words.count(len(answers), "answer")
        return f"the answer to “{shortened(item.text)}” ({plain(self.state.name_of(first.scope), 60)})"

    def action_undo(self) -> None:
        """Take back the last change of this session, wherever it was made."""
        self._step_back(redo=False)

    def action_redo(self) -> None:
        """Make the change again that was undone last."""
        self._step_back(redo=True)

    @work(group="undo", description="undo")
    async def _step_back(self, *, redo: bool) -> None:
        from interlock.model import words

        for section in tuple(self.shown_sections):
            section.commit()
        steps, others = self.steps.done, self.steps.undone
        if redo:
            steps, others = others, steps
        if not steps:
            self.notify(
                "Nothing was undone that could be made again."
                if redo
                else "Nothing to undo: answers, tasks and organisations of this session are. Probes and exports stay."
            )
            return
        step = steps.pop()
        change = step if redo else step.back
        try:
            answers = net(change.answers, self.state.answer_at)
            for file in change.files:
                await job.in_thread(self.workspace.put, file)
                self._learn(file.name)
            if change.tasks:
                await job.in_thread(self.workspace.save_tasks, change.tasks)
                self._learn("tasks.yaml")
        except InterlockError as error:
            self.notify(
                plain(f"{step.told}: {error}", 400),
                title="Not redone" if redo else "Not undone",
                severity="warning",
                timeout=8,
            )
            return
        others.append(step)
        self._take(*answers)
        if change.files or change.tasks:
            self.action_reload()
        for section in tuple(self.shown_sections):
            section.restored()
        again = f"{key_of('app.undo')} undoes it" if redo else f"{key_of('app.redo')} makes it again"
        self.notify(f"{words.capital(step.told)}. {again}.", title="Redone" if redo else "Undone")
