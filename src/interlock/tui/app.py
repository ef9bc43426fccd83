"""The terminal UI's app. Long jobs run beside it, only its own thread changes the state, sections show it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from textual import work
from textual.app import SystemCommand
from textual.filter import Monochrome, NoColor
from textual.screen import Screen
from textual.worker import get_current_worker

from interlock.model.actions import BY_ID
from interlock.model.errors import InterlockError
from interlock.model.preferences import Preferences
from interlock.model.text import plain
from interlock.tui import work as job
from interlock.tui.keys import bindings, use
from interlock.tui.opening import Opening, Sheet
from interlock.tui.sections import SECTIONS, Listed
from interlock.tui.session import Session
from interlock.tui.state import ProbeRow
from interlock.tui.themes import THEMES
from interlock.tui.undo import Step

if TYPE_CHECKING:
    from textual.command import Provider

    from interlock.model.observation import Observation
    from interlock.model.organization import Organization
    from interlock.model.preferences import Remark
    from interlock.tui.planner import Beside
    from interlock.usecases.preferences import LeftOff
    from interlock.usecases.probe import ProbeEvent
    from interlock.workspace.store import Workspace


@dataclass(frozen=True)
class Run:
    """Organisations that are probed together.

    :ivar left: those that somebody cancelled; the thread that probes looks at it.
    """

    orgs: frozenset[str]
    left: set[str] = field(default_factory=set)


def _provider() -> type[Provider]:
    from interlock.tui.screens.help import InOrder

    return InOrder


class InterlockApp(Session):
    """The terminal UI on one workspace: its sections, and what leads from one to another."""

    CSS_PATH = "frame.tcss"
    TITLE = "Interlock"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]
    MODES = {section.mode: section.opened for section in SECTIONS}
    COMMAND_PALETTE_DISPLAY = "^p"
    COMMANDS = {_provider}
    BINDINGS = bindings("app")

    def __init__(
        self,
        workspace: Workspace,
        author: str,
        preferences: Preferences | None = None,
        remarks: Sequence[Remark] = (),
        left_off: LeftOff | None = None,
        beside: Beside | None = None,
    ) -> None:
        """``remarks`` are what of the user's ``config.toml`` is left out; ``left_off`` is where the user left off.

        :param beside: the process that reads the workspace already.
        """
        preferred = preferences or Preferences()
        super().__init__(workspace, author, beside)
        self._first = left_off.section if left_off is not None and left_off.section in self.MODES else SECTIONS[0].mode
        self._runs: dict[str, Run] = {}  # the newest of each organisation
        self._remarks, self._from = remarks, left_off
        self.left: LeftOff | None = None  # where the user was when the app was closed
        others = tuple(self.available_themes)
        for theme in THEMES.values():
            self.register_theme(theme)
        wanted = os.environ.get("TEXTUAL_THEME", "")
        self.theme = "ansi" if self.no_color else wanted if wanted in THEMES else preferred.theme
        if self.no_color:  # Textual's greys are colours too, and on its palette of sixteen they are black on black
            self._filters = [NoColor(), *(each for each in self._filters if not isinstance(each, Monochrome))]
        self.stylesheet = Sheet(variables=self.get_css_variables())
        for name in others:
            self.unregister_theme(name)  # Textual's: nobody has looked at their contrast here
        if not preferred.animations:
            self.animation_level = "none"
        for action in preferred.keys:
            if not BY_ID[action].keys:  # there is no key of it to be replaced
                self.bind(preferred.keys[action], BY_ID[action].action, description=BY_ID[action].words, show=False)
        self.set_keymap(preferred.keys)
        use(preferred.keys)

    def exit(self, *arguments: Any, **options: Any) -> None:
        """Close; where the user was is known afterwards."""
        from interlock.tui.screens.questions import QuestionsSection
        from interlock.usecases.preferences import LeftOff

        section = self.screen_stack[0] if self.current_mode == "questions" else None
        scope, item = section.position if isinstance(section, QuestionsSection) else ("product", None)
        mode = self.current_mode if self._loaded else self._first
        self.left = LeftOff(root=str(self.workspace.root), section=mode, scope=scope, item=item)
        super().exit(*arguments, **options)

    def get_default_screen(self) -> Screen[None]:
        """The first frame."""
        return Opening()

    def import_first(self) -> None:
        """Import what the first section needs, while the workspace is being read."""
        import_module("interlock.usecases.judge")
        self._first_section.load()

    @property
    def _first_section(self) -> Listed:
        return next(section for section in SECTIONS if section.mode == self._first)

    async def open_first(self) -> None:
        """Show the section where the user left off, or where a key has led meanwhile."""
        while self.current_mode != (mode := self._first):
            await job.in_thread(self._first_section.load)
            if self.left is not None:  # it was closed meanwhile
                return
            await self.switch_mode(mode)
        if self._from is not None and mode == "questions":
            self.ask_questions(self._from.scope, self._from.item)
        if self._remarks:
            told = "\n".join(str(remark) for remark in self._remarks)
            self.notify(told, title="Left out of config.toml", severity="warning", timeout=12)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of ours that a foreign theme does not know."""
        return {"track": "#77777766", "possible": "#77777799"}

    # -- probing --------------------------------------------------------------------------------------------------

    def probe(self, orgs: Iterable[str]) -> None:
        """Probe these organisations, apart from those that are being probed; those without an address are named."""
        from interlock.model import words

        if self.state.inputs is None:
            return
        wanted = set(orgs)
        chosen = tuple(org for org in self.state.inputs.organizations if org.id in wanted)
        if not chosen:
            self.notify("There is no organisation to probe. Section 7 adds one.")
        without = [org.name for org in chosen if not org.fhir_base_url]
        busy = {org for org, row in self.state.probes.items() if row.under_way}
        targets = tuple(org for org in chosen if org.fhir_base_url and org.id not in busy)
        if without:
            self.notify(f"No FHIR base URL: {plain(words.listed(without), 200)}. Section 7 adds one.", title="Left out")
        if targets:
            run = Run(frozenset(org.id for org in targets))
            self._runs |= dict.fromkeys(run.orgs, run)
            self.become(self.state.probe_started(run.orgs))
            self._probe(targets, run)

    def probe_all(self) -> None:
        """Go to the probe and run it for every organisation."""
        self.action_go("probe")
        if self.state.inputs is not None:
            self.probe(org.id for org in self.state.inputs.organizations)

    def cancel_probe(self, orgs: Iterable[str] | None = None) -> None:
        """Stop the probe of these organisations, or of all; what was seen before stays."""
        under_way = {org for org, row in self.state.probes.items() if row.under_way}
        stopped = under_way if orgs is None else under_way & set(orgs)
        for org in stopped:
            self._runs[org].left.add(org)
        self.become(self.state.probe_left(stopped, time.monotonic()))
        if stopped and not self.state.probing:
            self.notify("What was seen until now is saved.", title="Probe cancelled")

    @work(thread=True, group="probe", description="probe")
    def _probe(self, organizations: tuple[Organization, ...], run: Run) -> None:
        worker = get_current_worker()
        error = None
        try:
            job.probe(
                organizations,
                self.workspace,
                on_event=partial(self.call_later, self._probing, run),
                on_observation=partial(self.call_later, self._probed),
                wanted=lambda org: not worker.is_cancelled and org not in run.left,
            )
        except Exception as cause:
            error = job.readable(cause)
        self.call_later(self._probe_ended, run, error)

    def _probing(self, run: Run, event: ProbeEvent) -> None:
        org = event.target.org
        if org is None or self._runs.get(org) is not run or org in run.left:
            return  # a row that was cancelled, and may be under way again by now
        before, now = self.state.probes.get(org, ProbeRow("waiting")), time.monotonic()
        ended = event.kind == "finished"
        row = ProbeRow(
            "finished" if ended else "running",
            plain(event.detail, 200),
            before.requests + (event.kind == "request"),
            now if before.began is None else before.began,
            now if ended else None,
        )
        self.become(replace(self.state, probes={**self.state.probes, org: row}))

    def _probed(self, observation: Observation) -> None:
        if observation.target.org is not None:
            self._learn(f"observations/{observation.target.org}/")
        self.become(self.state.observed(observation))

    def _probe_ended(self, run: Run, error: InterlockError | None) -> None:
        orgs = (org for org in run.orgs if self._runs.get(org) is run)
        why = plain(error.message, 200) if error is not None else ""
        self.become(self.state.probe_left(orgs, time.monotonic(), why))
        if error is not None:
            self.notify(plain(error, 400), title="The probe stopped", severity="error")

    # -- going ----------------------------------------------------------------------------------------------------

    def action_go(self, mode: str) -> None:
        """Go to a section; from a page on top of it, back to the section itself."""
        if not self._loaded:
            self._first = mode
        elif mode == self.current_mode:
            while len(self.screen_stack) > 1:
                self.pop_screen()
        else:
            self.switch_mode(mode)

    def action_go_to(self) -> None:
        """Choose where to go."""
        from interlock.tui.screens.help import Jump

        self.push_screen(Jump(), lambda mode: self.action_go(mode) if mode else None)

    def action_jump(self) -> None:
        """Put a letter on each part of the screen that can have the focus."""
        from interlock.tui.screens.letters import Letters

        self.push_screen(Letters(self.screen), lambda part: part.focus() if part and part.is_attached else None)

    def action_change_theme(self) -> None:
        """Choose the colours; ``config.toml`` keeps them."""
        from interlock.tui.page import text
        from interlock.tui.screens.section import Pick

        if self.no_color:
            self.notify("NO_COLOR is set: there are no colours to choose.")
            return
        choices = [(name, text(name)) for name in self.available_themes]
        self.push_screen(Pick("Which colours?", choices, self.theme), self._coloured)

    def _coloured(self, theme: str | None) -> None:
        """Take a theme, for good; whoever comes in by a browser writes nothing outside the workspace."""
        from interlock.usecases.preferences import keep_theme

        if theme is None:
            return
        self.theme = theme
        try:
            if not self.is_web:
                keep_theme(theme)
        except (InterlockError, OSError) as error:
            self.notify(plain(error, 400), title="The theme holds until you close", severity="warning")

    def action_next_question(self) -> None:
        """Go to the question without an answer that settles most."""
        self.ask_next()

    def action_probe_all(self) -> None:
        """Go to the probe and run it."""
        self.probe_all()

    def action_add_organization(self) -> None:
        """Open the form of a new organisation."""
        self.edit_organization(None)

    def action_save(self) -> None:
        """Try again to save what is not saved."""
        if self.state.unsaved:
            self.answer()
        else:
            self.notify("Every answer is saved.")

    def action_help(self) -> None:
        """Help for the screen that is shown."""
        from interlock.tui.screens.help import help_for

        self.push_screen(help_for(self, self.screen))

    def action_command_palette(self) -> None:
        """Every command by name."""
        from interlock.tui.screens.help import Commands

        if not isinstance(self.screen, Commands):
            self.push_screen(Commands(id="--command-palette"))

    def show_organization(self, org: str) -> None:
        """Open an organisation's page."""
        from interlock.tui.screens.organization import OrganizationPage

        self.push_screen(OrganizationPage(org))

    def ask_questions(self, scope: str, item: str | None = None) -> None:
        """Go to the questions of a scope, at one question if it is named."""
        self._in_section("questions", "go_to", scope, item)

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
        from interlock.tui.screens.organization_form import OrganizationForm

        form = OrganizationForm(self.workspace, self.state.organization(org) if org else None)
        saved = await self.push_screen_wait(form)
        if saved is not None:
            verb = "changing" if org else "adding"
            self.changed(Step(f"{verb} {plain(saved.name, 80)}", files=(form.change,) if form.change else ()))
            self._learn(f"orgs/{saved.id}.yaml")
            self.notify(f"Saved in orgs/{saved.id}.yaml.", title=plain(saved.name, 80))
            self.action_reload()

    def suppose(self, supposed: tuple[str, ...]) -> None:
        """Let these be the what-ifs of the plan; every section that shows them draws them."""
        self.become(replace(self.state, supposed=supposed))

    @work(description="product")
    async def action_product(self) -> None:
        """Open the form of the product: its name, its kind, the gate to get through."""
        from interlock.tui.screens.product_form import ProductForm

        if self.state.inputs is None:
            return
        form = ProductForm(self.workspace, self.state.inputs.settings)
        if await self.push_screen_wait(form) and form.change is not None:
            self.changed(Step("what the product is", files=(form.change,)))
            self._learn(form.change.name)
            self.action_reload()

    def show_gap(self, key: str) -> None:
        """Go to one gap."""
        self._in_section("gaps", "go_to", key)

    def _in_section(self, mode: str, does: str, *arguments: object) -> None:
        """Go to a section, and let it do this."""
        self.action_go(mode)
        section = self.screen_stack[0]
        if section.is_mounted:
            getattr(section, does)(*arguments)
        else:
            section.call_after_refresh(getattr(section, does), *arguments)

    async def action_quit(self) -> None:
        """Close; first save what is being saved, and ask if something cannot be."""
        from interlock.model import words
        from interlock.tui.screens.section import Confirm

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
        """Every action by name, for the command palette; Textual's own are left out."""
        from interlock.tui.screens.help import commands

        yield from commands(self, screen)
