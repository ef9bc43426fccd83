"""The terminal UI's app. Long jobs run in threads, only the app's own thread changes the state, sections show it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import work
from textual.app import SystemCommand
from textual.binding import Binding
from textual.screen import Screen
from textual.worker import get_current_worker

from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.text import plain
from interlock.tui import work as job
from interlock.tui.edge import Edge
from interlock.tui.screens.gaps import GapsSection
from interlock.tui.screens.organization import OrganizationPage
from interlock.tui.screens.organizations import OrganizationForm
from interlock.tui.screens.questions import QuestionsSection
from interlock.tui.screens.section import Confirm, Section
from interlock.tui.screens.sections import SECTIONS, Commands, Jump, commands, help_for
from interlock.tui.state import Answer, ProbeRow, State
from interlock.tui.themes import DEFAULT_THEME, THEMES

if TYPE_CHECKING:
    from interlock.model.observation import Observation
    from interlock.model.organization import Organization
    from interlock.usecases.load import Content, Inputs
    from interlock.usecases.probe import ProbeEvent
    from interlock.workspace.store import Workspace

#: Seconds without a further change before the whole assessment is computed anew.
SETTLE_S = 0.6
#: Seconds between two looks at the files.
WATCH_S = 3.0


class InterlockApp(Edge):
    """The terminal UI on one workspace: its state, its sections and what leads from one to another.

    Each worker has a description: Textual would make one by writing out whole assessments.
    """

    CSS_PATH = "app.tcss"
    TITLE = "Interlock"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]
    SECTIONS = SECTIONS
    MODES = {section.MODE: section for section in SECTIONS}
    DEFAULT_MODE = SECTIONS[0].MODE
    COMMAND_PALETTE_DISPLAY = "^p"
    BINDINGS = [
        *(
            Binding(str(number), f"go('{section.MODE}')", section.TITLE, show=False)
            for number, section in enumerate(SECTIONS, 1)
        ),
        Binding("g", "jump", "Go", tooltip="Choose a section to go to"),
        Binding("r", "reload", "Reload", show=False, tooltip="Read the workspace's files again"),
        Binding("ctrl+s", "save", "Save", show=False, tooltip="Try to save every answer that is not saved"),
        Binding("ctrl+p", "command_palette", "Commands", key_display="^p", tooltip="Every command by name"),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="Help for this screen"),
        Binding("q", "quit", "Quit", tooltip="Close Interlock"),
    ]

    def __init__(self, workspace: Workspace, author: str) -> None:
        super().__init__()
        self.workspace = workspace
        self.author = author  # of every answer that is given here
        self.state = State()
        self.shown_sections: set[Section] = set()
        self.lost: tuple[InterlockError, ...] = ()  # why answers could not be saved when the app ended
        self._files: job.Fingerprint = {}
        self._queue: deque[Answer] = deque()  # answers to save, the oldest first
        self._disk = threading.Lock()  # held while an answer is being saved
        self._saving = False
        self._leaving = False
        self._over = False
        for theme in THEMES:
            self.register_theme(theme)
        wanted = os.environ.get("TEXTUAL_THEME", DEFAULT_THEME)
        self.theme = wanted if wanted in self.available_themes else DEFAULT_THEME

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of ours that a foreign theme does not know."""
        return {"track": "#77777766", "possible": "#77777799"}

    def on_mount(self) -> None:
        """The shell is there; read the workspace, and keep an eye on its files."""
        self.action_reload()
        self.set_interval(WATCH_S, self._watch_files)

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
            inputs, self._files, disputes = await job.in_thread(job.load, self.workspace)
        except InterlockError as error:
            self.become(replace(self.state, problem=error))
        else:
            self.become(self.state.loaded(inputs, disputes))

    @work(group="judge", description="judge")
    async def _judge(self, revision: int, inputs: Inputs) -> None:
        """Findings and scores of these inputs; once nothing changes for a while, the whole assessment."""
        first = self.state.assessment is None
        try:
            judgement = await job.in_thread(job.judged, inputs)
            if revision > self.state.judged:
                self.become(replace(self.state, judgement=judgement, judged=revision))
            await asyncio.sleep(0.01 if first else SETTLE_S)
            if revision == self.state.revision:
                worth = await job.in_thread(job.ranked, inputs)
                if revision > self.state.ranked:
                    self.become(replace(self.state, worth=worth, ranked=revision))
                assessment = await job.in_thread(job.assessed, inputs)
                if self.state.assessment is None:
                    gc.freeze()  # questions and rules stay: looking through them again and again makes keys wait
                if revision > self.state.assessed:
                    self.become(replace(self.state, assessment=assessment, assessed=revision, stuck=None))
        except InterlockError as error:
            self.become(replace(self.state, stuck=error))

    @work(group="watch", exclusive=True, description="watch")
    async def _watch_files(self) -> None:
        try:
            now, then = await asyncio.to_thread(job.fingerprint, self.workspace.root), self._files
        except OSError:
            return  # a folder went away while we looked; the next look says so
        changed = tuple(sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name)))
        if then and changed != self.state.changed_files:
            self.become(replace(self.state, changed_files=changed))

    def _learn(self, name: str) -> None:
        """Take files that we wrote ourselves into the fingerprint: they are not somebody else's change."""
        with contextlib.suppress(OSError):  # a folder went away while we looked; the next look says so
            now = job.fingerprint(self.workspace.root)
            self._files |= {file: entry for file, entry in now.items() if file.startswith(name)}

    # -- saving ---------------------------------------------------------------------------------------------------

    def answer(self, *answers: Answer) -> None:
        """Take answers: they count at once and are saved in the background, with any that could not be saved before."""
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
        from interlock.usecases.answer import DisputedError

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

    # -- probing --------------------------------------------------------------------------------------------------

    def probe(self, orgs: Iterable[str]) -> None:
        """Probe these organisations; those without an address are named."""
        if self.state.inputs is None or self.state.probing:
            return
        wanted = set(orgs)
        chosen = tuple(org for org in self.state.inputs.organizations if org.id in wanted)
        if not chosen:
            self.notify("There is no organisation to probe. Section 7 adds one.")
        without = [org.name for org in chosen if not org.fhir_base_url]
        targets = tuple(org for org in chosen if org.fhir_base_url)
        if without:
            self.notify(f"No FHIR base URL: {plain(words.listed(without), 200)}. Section 7 adds one.", title="Left out")
        if targets:
            self.become(self.state.probe_started(org.id for org in targets))
            self._probe(targets)

    def probe_all(self) -> None:
        """Go to the probe and run it for every organisation."""
        self.action_go("probe")
        if self.state.inputs is not None:
            self.probe(org.id for org in self.state.inputs.organizations)

    def cancel_probe(self) -> None:
        """Stop the probe that is running."""
        self.workers.cancel_group(self, "probe")

    @work(thread=True, group="probe", exclusive=True, description="probe")
    def _probe(self, organizations: tuple[Organization, ...]) -> None:
        worker = get_current_worker()
        cancelled, error = False, None
        try:
            cancelled = job.probe(
                organizations,
                self.workspace,
                on_event=partial(self.call_later, self._probing),
                on_observation=partial(self.call_later, self._probed),
                cancelled=lambda: worker.is_cancelled,
            )
        except Exception as cause:
            error = job.readable(cause)
        self.call_later(self._probe_ended, cancelled, error)

    def _probing(self, event: ProbeEvent) -> None:
        if event.target.org is None:
            return
        before = self.state.probes.get(event.target.org, ProbeRow("waiting"))
        row = ProbeRow(
            "finished" if event.kind == "finished" else "running",
            plain(event.detail, 200),
            before.requests + (event.kind == "request"),
        )
        self.become(replace(self.state, probes={**self.state.probes, event.target.org: row}))

    def _probed(self, observation: Observation) -> None:
        if observation.target.org is not None:
            self._learn(f"observations/{observation.target.org}/")
        self.become(self.state.observed(observation))

    def _probe_ended(self, cancelled: bool, error: InterlockError | None) -> None:
        self.become(self.state.probe_ended())
        if error is not None:
            self.notify(plain(error, 400), title="The probe stopped", severity="error")
        elif cancelled:
            self.notify("What was seen until now is saved.", title="Probe cancelled")

    # -- going ----------------------------------------------------------------------------------------------------

    def action_go(self, mode: str) -> None:
        """Go to a section; from a page on top of it, back to the section itself."""
        if mode == self.current_mode:
            while len(self.screen_stack) > 1:
                self.pop_screen()
            return
        self.switch_mode(mode)

    def action_jump(self) -> None:
        """Choose where to go."""
        self.push_screen(Jump(), lambda mode: self.action_go(mode) if mode else None)

    def action_save(self) -> None:
        """Try again to save what is not saved."""
        if self.state.unsaved:
            self.answer()
        else:
            self.notify("Every answer is saved.")

    def action_help(self) -> None:
        """Help for the screen that is shown."""
        self.push_screen(help_for(self, self.screen))

    def action_command_palette(self) -> None:
        """Every command by name."""
        if not isinstance(self.screen, Commands):
            self.push_screen(Commands(id="--command-palette"))

    def show_organization(self, org: str) -> None:
        """Open an organisation's page."""
        self.push_screen(OrganizationPage(org))

    def ask_questions(self, scope: str, item: str | None = None) -> None:
        """Go to the questions of a scope, at one question if it is named."""
        self._in_section("questions", lambda section: section.go_to(scope, item), QuestionsSection)

    def ask_next(self) -> None:
        """Go to the question without an answer that settles most; the question says what."""
        question = self.state.next_question
        if self.state.worth is None:
            self.notify("Still working out which question settles most.")
        elif question is None:
            self.notify("Every question has an answer.")
        else:
            self.ask_questions(question.scope, question.item)

    @work(description="organization")
    async def edit_organization(self, org: str | None) -> None:
        """Open the form of an organisation; without an id, of a new organisation."""
        form = OrganizationForm(self.workspace, self.state.organization(org) if org else None)
        saved = await self.push_screen_wait(form)
        if saved is not None:
            self._learn(f"orgs/{saved.id}.yaml")
            self.notify(f"Saved in orgs/{saved.id}.yaml.", title=plain(saved.name, 80))
            self.action_reload()

    def show_gap(self, key: str) -> None:
        """Go to one gap."""
        self._in_section("gaps", lambda section: section.go_to(key), GapsSection)

    def _in_section(self, mode: str, then: Callable[..., object], kind: type[Section]) -> None:
        self.action_go(mode)
        screen = self.screen_stack[0]
        if isinstance(screen, kind):
            screen.call_after_refresh(then, screen)

    async def action_quit(self) -> None:
        """Close; first save what is being saved, and ask if something cannot be."""
        for section in tuple(self.shown_sections):
            section.commit()
        if self._saving:
            self._leaving = True
            return
        refused = [reason for section in self.shown_sections for reason in section.refused()]
        if not self.state.unsaved and not refused:
            self.exit()
            return
        answers = [("leave", "Close without saving"), ("stay", "Stay")]
        problems = [f"No valid answer: {plain(reason, 300)}" for reason in refused]
        if self.state.unsaved:
            unsaved = words.count(len(self.state.unsaved), "answer")
            problems.insert(0, f"{unsaved} could not be saved: {plain(self.state.unsaved[-1].error, 300)}")
            answers.insert(1, ("retry", "Try again"))
        self.push_screen(Confirm("Not everything is saved", "  ".join(problems), answers), self._quit_answered)

    def _quit_answered(self, answer: str | None) -> None:
        if answer == "leave":
            self._over = True
            self.exit()
        elif answer == "retry":
            self._leaving = True
            self.action_save()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action by name, for the command palette."""
        yield from commands(self, screen)
        yield from super().get_system_commands(screen)
