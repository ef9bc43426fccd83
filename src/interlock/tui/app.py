"""The terminal UI's app. Workers post messages, only the handlers here change the state, and sections show it."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer

from interlock.model import words
from interlock.model.text import plain
from interlock.tui import messages as tell
from interlock.tui import work as job
from interlock.tui.commands import commands
from interlock.tui.saving import Saver
from interlock.tui.screens.dialogs import Confirm
from interlock.tui.screens.gaps import GapsSection
from interlock.tui.screens.help import help_for
from interlock.tui.screens.jump import Jump
from interlock.tui.screens.organization import OrganizationPage
from interlock.tui.screens.organization_form import OrganizationForm
from interlock.tui.screens.questions import QuestionsSection
from interlock.tui.screens.section import Section
from interlock.tui.screens.sections import SECTIONS
from interlock.tui.state import Answer, ProbeRow, State
from interlock.tui.themes import DEFAULT_THEME, THEMES
from interlock.tui.workers import Workers

if TYPE_CHECKING:
    from interlock.model.errors import InterlockError
    from interlock.model.organization import Organization
    from interlock.workspace.store import Workspace

#: Seconds without a further change before the whole assessment is computed anew.
SETTLE_S = 0.6
#: Seconds between two looks at the files.
WATCH_S = 3.0


class InterlockApp(Workers):
    """The terminal UI on one workspace: its state, its sections and what leads from one to another."""

    CSS_PATH = "app.tcss"
    TITLE = "Interlock"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]
    SECTIONS: ClassVar[tuple[type[Section], ...]] = SECTIONS
    MODES = {section.MODE: section for section in SECTIONS}
    DEFAULT_MODE = SECTIONS[0].MODE
    COMMAND_PALETTE_DISPLAY = "^p"
    BINDINGS: ClassVar[list[BindingType]] = [
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

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.shown_sections: set[Section] = set()
        self._settling: Timer | None = None
        self._leaving = False
        self.lost: tuple[InterlockError, ...] = ()  # why answers could not be saved when the app ended
        for theme in THEMES:
            self.register_theme(theme)
        wanted = os.environ.get("TEXTUAL_THEME", DEFAULT_THEME)
        self.theme = wanted if wanted in self.available_themes else DEFAULT_THEME

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of ours that a foreign theme does not know."""
        return {"track": "#77777766", "possible": "#77777799"}

    def on_mount(self) -> None:
        """The shell is there; read the workspace, and keep an eye on its files."""
        self._load()
        self.set_interval(WATCH_S, self._watch_files)

    # -- state ----------------------------------------------------------------------------------------------------

    def become(self, state: State) -> None:
        """Make this the app's state; sections that are shown draw what changed."""
        if state is self.state:
            return
        recompute = state.revision != self.state.revision
        self.state = state
        for section in self.shown_sections:
            section.post_message(tell.StateChanged())
        if recompute and state.inputs is not None and not self._over:
            self._judge(state.revision, state.inputs)

    def answer(self, answer: Answer) -> None:
        """Take an answer: it counts at once and is saved in the background, with any that failed before."""
        failed = [entry.answer for entry in self.state.unsaved if entry.answer.key != answer.key]
        self.become(self.state.retrying().answered(answer) if failed else self.state.answered(answer))
        for earlier in failed:
            self._saver.put(earlier)
        self._saver.put(answer)
        self._start_saving()

    def _start_saving(self) -> None:
        if self.state.inputs is not None and not self._saver.running and not self._saver.empty and not self._over:
            self._saver.running = True
            self._save(self.state.inputs)

    def keep(self) -> None:
        """Save what is typed and what waits, for the app ends now; what cannot be saved goes into the journal."""
        if self._over:
            return
        self._over = True  # nothing is judged or saved in the background any more
        for section in tuple(self.shown_sections):
            with contextlib.suppress(Exception):  # one that broke must not cost the others their text
                section.keep()
        if self.state.inputs is not None and self.state.waiting:
            with self._saving:
                last = Saver(self.workspace, self._not_kept)
                queued = self._saver.rest()  # an answer may have been given after seeing an earlier one of these
                failed = (entry.answer for entry in self.state.waiting.values())
                for answer in dict.fromkeys((*queued, *failed)):
                    last.put(answer)
                last.run(self.state.inputs.content)

    def _not_kept(self, message: Message) -> None:
        if isinstance(message, tell.NotSaved):
            self.lost = (*self.lost, message.error)

    # -- what workers tell ----------------------------------------------------------------------------------------

    @on(tell.Loaded)
    def _loaded(self, message: tell.Loaded) -> None:
        self._files = message.fingerprint
        self.become(self.state.loaded(message.inputs, message.disputes))

    @on(tell.LoadFailed)
    def _load_failed(self, message: tell.LoadFailed) -> None:
        self.become(self.state.not_loaded(message.error))

    @on(tell.ComputeFailed)
    def _compute_failed(self, message: tell.ComputeFailed) -> None:
        self.become(self.state.not_computed(message.error))

    @on(tell.Judged)
    def _judged(self, message: tell.Judged) -> None:
        first = self.state.assessment is None
        self.become(self.state.with_judgement(message.revision, message.judgement))
        if message.revision == self.state.revision:
            if self._settling is not None:
                self._settling.stop()
            self._settling = self.set_timer(0.01 if first else SETTLE_S, self._assess_now)

    @on(tell.Ranked)
    def _ranked(self, message: tell.Ranked) -> None:
        self.become(self.state.with_worth(message.revision, message.worth))

    def _assess_now(self) -> None:
        if self.state.inputs is not None and not self.state.up_to_date:
            self._rank(self.state.revision, self.state.inputs)
            self._assess(self.state.revision, self.state.inputs)

    @on(tell.Assessed)
    def _assessed(self, message: tell.Assessed) -> None:
        if self.state.assessment is None:
            gc.freeze()  # questions and rules stay for good: looking through them again and again makes keys wait
        self.become(self.state.with_assessment(message.revision, message.assessment))

    @on(tell.Saved)
    def _saved(self, message: tell.Saved) -> None:
        self._learn(f"responses/{message.answer.scope}.yaml")
        self.become(self.state.saved(message.answer))
        if message.recovered:
            answers = words.count(len(message.recovered), "answer")
            self.notify(f"{answers} of an earlier session went in too.", title="Recovered", markup=False)
            self._load()

    @on(tell.NotSaved)
    def _not_saved(self, message: tell.NotSaved) -> None:
        self.become(self.state.not_saved(message.answer, message.error))

    @on(tell.Disputed)
    def _disputed(self, message: tell.Disputed) -> None:
        self.become(self.state.disputed(message.answer, message.error))
        self.notify(plain(message.error.message, 400), title="Kept beside", severity="warning", markup=False)
        self._load()

    @on(tell.SavingEnded)
    def _saving_ended(self) -> None:
        self._saver.running = False
        if not self._saver.empty:
            self._start_saving()
            return
        if self.state.unsaved:
            error = self.state.unsaved[-1].error
            self.notify(plain(error, 400), title="Not saved", severity="error", timeout=8, markup=False)
        if self._leaving:
            self._leaving = False
            self.call_later(self.action_quit)

    @on(tell.FilesChanged)
    def _files_changed(self, message: tell.FilesChanged) -> None:
        self.become(self.state.with_changed_files(message.names))

    @on(tell.Probing)
    def _probing(self, message: tell.Probing) -> None:
        event = message.event
        if event.target.org is None:
            return
        before = self.state.probes.get(event.target.org, ProbeRow("waiting"))
        requests = before.requests + (event.kind == "request")
        over = event.kind == "finished"
        row = ProbeRow("finished" if over else "running", plain(event.detail, 200), requests)
        self.become(self.state.probed(event.target.org, row))

    @on(tell.Probed)
    def _probed(self, message: tell.Probed) -> None:
        if message.observation.target.org is not None:
            self._learn(f"observations/{message.observation.target.org}/")
        self.become(self.state.observed(message.observation))

    @on(tell.ProbeEnded)
    def _probe_ended(self, message: tell.ProbeEnded) -> None:
        self.become(self.state.probe_ended())
        if message.error is not None:
            self.notify(plain(message.error, 400), title="The probe stopped", severity="error", markup=False)
        elif message.cancelled:
            self.notify("What was seen until now is saved.", title="Probe cancelled", markup=False)

    def _learn(self, name: str) -> None:
        """Take files that we wrote ourselves into the fingerprint: they are not somebody else's change."""
        with contextlib.suppress(OSError):  # a folder went away while we looked; the next look says so
            now = job.fingerprint(self.workspace.root)
            self._files |= {file: entry for file, entry in now.items() if file.startswith(name)}

    # -- actions --------------------------------------------------------------------------------------------------

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

    def action_reload(self) -> None:
        """Read the workspace's files again."""
        self._load()

    def action_save(self) -> None:
        """Try again to save what is not saved."""
        if not self.state.unsaved:
            self.notify("Every answer is saved.", markup=False)
            return
        failed = [entry.answer for entry in self.state.unsaved]
        self.become(self.state.retrying())
        for answer in failed:
            self._saver.put(answer)
        self._start_saving()

    def action_help(self) -> None:
        """Help for the screen that is shown."""
        self.push_screen(help_for(self, self.screen))

    def show_organization(self, org: str) -> None:
        """Open an organisation's page."""
        self.push_screen(OrganizationPage(org))

    def ask_questions(self, scope: str, item: str | None = None) -> None:
        """Go to the questions of a scope, at one question if it is named."""
        self._in_section("questions", lambda section: section.go_to(scope, item), QuestionsSection)

    def ask_next(self) -> None:
        """Go to the question without an answer that settles most; the question says what."""
        if self.state.worth is None:
            self.notify("Still working out which question settles most.", markup=False)
            return
        question = self.state.next_question
        if question is None:
            self.notify("Every question has an answer.", markup=False)
        else:
            self.ask_questions(question.scope, question.item)

    def edit_organization(self, org: str | None) -> None:
        """Open the form of an organisation; without an id, of a new organisation."""
        self.push_screen(
            OrganizationForm(self.workspace, self.state.organization(org) if org else None), self._organization_saved
        )

    def _organization_saved(self, org: Organization | None) -> None:
        if org is not None:
            self._learn(f"orgs/{org.id}.yaml")
            self.notify(f"Saved in orgs/{org.id}.yaml.", title=plain(org.name, 80), markup=False)
            self._load()

    def show_gap(self, key: str) -> None:
        """Go to one gap."""
        self._in_section("gaps", lambda section: section.go_to(key), GapsSection)

    def _in_section(self, mode: str, then: Callable[..., object], kind: type[Section]) -> None:
        self.action_go(mode)
        screen = self.screen_stack[0]
        if isinstance(screen, kind):
            screen.call_after_refresh(then, screen)

    def probe(self, orgs: Iterable[str]) -> None:
        """Probe these organisations; those without an address are named."""
        if self.state.inputs is None or self.state.probing:
            return
        wanted = set(orgs)
        chosen = tuple(org for org in self.state.inputs.organizations if org.id in wanted)
        if not chosen:
            self.notify("There is no organisation to probe. Section 7 adds one.", markup=False)
        without = [org.name for org in chosen if not org.fhir_base_url]
        targets = tuple(org for org in chosen if org.fhir_base_url)
        if without:
            names = plain(words.listed(without), 200)
            self.notify(f"No FHIR base URL: {names}. Section 7 adds one.", title="Left out", markup=False)
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

    async def action_quit(self) -> None:
        """Close; first save what is being saved, and ask if something cannot be."""
        for section in tuple(self.shown_sections):
            section.commit()
        if self._saver.running:
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
