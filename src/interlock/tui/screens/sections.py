"""The app's sections in order, and what lists them: the dialog to go to one, help, and the command palette.

The number of a section is the key that goes there, and so is its letter after ``g``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding
from textual.command import CommandPalette
from textual.content import Content
from textual.events import Key
from textual.screen import Screen

from interlock.model.text import plain
from interlock.tui.page import ACCENT, CHECK, DIM, FIT, OBSERVED, OK, SEVERITY, STATUS, Mark, Page, line, mark
from interlock.tui.screens.contract import ContractSection
from interlock.tui.screens.gaps import GapsSection
from interlock.tui.screens.organizations import OrganizationsSection
from interlock.tui.screens.overview import OverviewSection
from interlock.tui.screens.plan import PlanSection
from interlock.tui.screens.probe import ProbeSection
from interlock.tui.screens.questions import QuestionsSection
from interlock.tui.screens.report import ReportSection
from interlock.tui.screens.section import ClosesOnce, Dialog, Interlock, Pick, Section
from interlock.tui.widgets.flow import ScrollingFlow

SECTIONS: tuple[type[Section], ...] = (
    OverviewSection,
    QuestionsSection,
    ProbeSection,
    GapsSection,
    PlanSection,
    ReportSection,
    OrganizationsSection,
    ContractSection,
)


class Jump(Pick):
    """Where to go: a letter, a number, the arrows or the mouse."""

    HINT = ""

    def __init__(self) -> None:
        lines = [
            line(
                (f"{number} ", ACCENT),
                (f"{section.LETTER}  ", f"bold {ACCENT}"),
                (f"{section.TITLE:<15}", "bold"),
                (section.PURPOSE, DIM),
            )
            for number, section in enumerate(SECTIONS, 1)
        ]
        super().__init__("Go to", [(section.MODE, shown) for section, shown in zip(SECTIONS, lines, strict=True)])

    def on_key(self, event: Key) -> None:
        """Letters and numbers go there at once."""
        for number, section in enumerate(SECTIONS, 1):
            if event.character in {section.LETTER, str(number)}:
                event.stop()
                self.dismiss(section.MODE)


#: Marks that the help explains: a title and the marks below it.
_LEGENDS: tuple[tuple[str, tuple[Mark, ...]], ...] = (
    ("Answers", tuple(STATUS.values())),
    ("Observations", tuple(OBSERVED.values())),
    ("Checks", tuple(CHECK.values())),
    ("Contract", tuple(FIT.values())),
    ("Severity", tuple(SEVERITY.values())),
)

_EVERYWHERE = (
    ("↑ ↓ enter", "Move and choose"),
    ("tab", "The next part of the screen"),
)


def help_for(app: App[None], screen: Screen[object]) -> Help:
    """The help of a screen: its purpose, and the keys of the screen and the app that work now."""
    about = screen.ABOUT if isinstance(screen, Section) else ""
    keys: dict[str, tuple[str, str]] = {}
    for active in screen.active_bindings.values():
        if active.enabled and active.node in {screen, app} and _worth_telling(active.binding):
            binding = active.binding
            shown, meaning = keys.get(binding.action, ("", ""))
            key = app.get_key_display(binding)
            if binding.tooltip or not meaning:  # of two keys for one action, one explains it
                meaning = binding.tooltip or binding.description
            keys[binding.action] = (f"{shown} {key}".strip(), meaning)
    return Help(f"Help: {screen.title or app.title}", about, list(keys.values()))


def _worth_telling(binding: Binding) -> bool:
    """Is this key explained? The numbers are in the table of sections, and Textual's own keys go without saying."""
    return bool(binding.description) and not (
        binding.key.isdigit() or binding.system or binding.action.startswith(("app.focus", "screen.copy"))
    )


class Commands(CommandPalette, ClosesOnce[None]):
    """Textual's list of every command by name, closed once: two quick enters close it and nothing else."""


class Help(Dialog[None]):
    """Dismissed by escape, ``q`` or ``?``."""

    BINDINGS = [
        Binding("escape,question_mark,q", "dismiss", "Close"),
    ]
    FRAME = "dialog -wide"
    HINT = "escape closes   ctrl+p lists every command"

    def __init__(self, title: str, about: str, keys: list[tuple[str, str]]) -> None:
        """``keys`` are (key as shown, what it does) of the screen that asked."""
        super().__init__(title)
        self._about, self._keys = about, keys

    def body(self) -> ComposeResult:
        """A page that scrolls."""
        yield ScrollingFlow(self._draw, id="help-text")

    def _draw(self, page: Page) -> None:
        page.para(self._about)
        page.heading("Keys here")
        page.columns([(Content.styled(key, ACCENT), Content(meaning)) for key, meaning in (*self._keys, *_EVERYWHERE)])
        page.heading("Sections", "the number, or g and the letter")
        page.columns(
            [
                (
                    Content.assemble((f"{number}", ACCENT), "  ", (f"g {section.LETTER}", ACCENT)),
                    Content(section.TITLE),
                    Content.styled(section.PURPOSE, DIM),
                )
                for number, section in enumerate(SECTIONS, 1)
            ]
        )
        page.heading("Marks")
        for title, legend in _LEGENDS:
            page.field(title, Content("   ").join(mark(sign) for sign in legend))
        page.field(
            "Score",
            Content.assemble(("███", OK), " verified so far   ", ("▒▒", "$possible"), " best case   ░░ out of reach"),
        )
        page.field(
            "Verdict", "not decided while something undecided could change it: from the earliest … to the latest"
        )
        page.blank()
        page.para(
            "Not observed is never missing, and unknown is never no: an endpoint that could not be reached lowers "
            "confidence and becomes something to find out, not a failing.",
            DIM,
        )


def commands(app: Interlock, screen: Screen[object]) -> Iterator[SystemCommand]:
    """Sections, the actions of the screen that is shown, the app's own, and one entry an organisation."""
    for section in SECTIONS:
        yield SystemCommand(f"Go to {section.TITLE}", section.PURPOSE, partial(app.action_go, section.MODE))
    if isinstance(screen, Section):
        yield from _of_screen(screen)
    yield SystemCommand("Next open question", "The first question without an answer", app.ask_next)
    yield SystemCommand("Probe all organisations", "Look at every organisation's endpoints", app.probe_all)
    yield SystemCommand("Add an organisation", "A form for a new one", partial(app.edit_organization, None))
    yield SystemCommand("Reload", "Read the workspace's files again", app.action_reload)
    yield SystemCommand(
        "Save again", "Try to save every answer that is not saved", partial(screen.run_action, "app.save")
    )
    yield SystemCommand("Undo", "Take the last change of this session back", partial(screen.run_action, "app.undo"))
    yield SystemCommand("Redo", "Make the change again that was undone last", partial(screen.run_action, "app.redo"))
    yield SystemCommand("Help", "Keys and marks of this screen", partial(screen.run_action, "app.help"))
    for org in app.state.inputs.organizations if app.state.inputs else ():
        name = _unmarked(org.name)
        yield SystemCommand(f"Open {name}", "Gates, facts, contract fit", partial(app.show_organization, org.id))
        yield SystemCommand(f"Probe {name}", "Look at its endpoints", partial(_probe, app, org.id))
        yield SystemCommand(f"Questions of {name}", "Answer what is asked of it", partial(app.ask_questions, org.id))


def _unmarked(name: str) -> str:
    """A name without brackets, which the palette would read as markup."""
    return plain(name, 80).replace("[", "(").replace("]", ")")


def _of_screen(screen: Section) -> Iterator[SystemCommand]:
    listed: set[str] = set()
    for _, binding in screen._bindings:
        if binding.action in listed or binding.key == "escape":
            continue
        listed.add(binding.action)
        yield SystemCommand(
            f"{screen.title}: {binding.description}",
            binding.tooltip or binding.description,
            partial(screen.run_action, binding.action),
        )


def _probe(app: Interlock, org: str) -> None:
    app.action_go("probe")
    app.probe([org])
