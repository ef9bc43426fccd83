"""What helps to find one's way: the dialog to go to a section, the help of a screen, and the list of commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from textual.app import App, ComposeResult, SystemCommand
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hits
from textual.content import Content
from textual.events import Key
from textual.screen import Screen
from textual.system_commands import SystemCommandsProvider

from interlock.model.text import plain
from interlock.tui.keys import bindings, possible, shown_key
from interlock.tui.page import ACCENT, CHECK, DIM, FIT, OBSERVED, OK, SEVERITY, STATUS, Mark, Page, line, mark
from interlock.tui.screens.section import ClosesOnce, Dialog, Interlock, Pick, Section
from interlock.tui.sections import SECTIONS
from interlock.tui.widgets.flow import ScrollingFlow


class Jump(Pick):
    """Where to go: a letter, a number, the arrows or the mouse."""

    HINT = ""

    def __init__(self) -> None:
        lines = [
            line(
                (f"{number} ", ACCENT),
                (f"{section.letter}  ", f"bold {ACCENT}"),
                (f"{section.title:<15}", "bold"),
                (section.purpose, DIM),
            )
            for number, section in enumerate(SECTIONS, 1)
        ]
        super().__init__("Go to", [(section.mode, shown) for section, shown in zip(SECTIONS, lines, strict=True)])

    def on_key(self, event: Key) -> None:
        """Letters and numbers go there at once."""
        for number, section in enumerate(SECTIONS, 1):
            if event.character in {section.letter, str(number)}:
                event.stop()
                self.dismiss(section.mode)


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
    """The help of a screen: what it explains now, and the keys of the screen and the app that work now."""
    keys = [(shown_key(app, action), action.help) for node in (screen, app) for action in possible(node) if action.keys]
    explain = screen.explain if isinstance(screen, Section) else lambda page: None
    return Help(f"Help: {screen.title or app.title}", explain, keys)


class InOrder(SystemCommandsProvider):
    """The commands as :func:`commands` gives them, this screen's first: Textual sorts them by name."""

    async def discover(self) -> Hits:
        """What is listed before anything is typed."""
        for name, told, callback, listed in self.app.get_system_commands(self.screen):
            if listed:
                yield DiscoveryHit(name, callback, help=told)


class Commands(CommandPalette, ClosesOnce[None]):
    """Textual's list of every command by name, closed once: two quick enters close it and nothing else."""

    def _action_command_list(self, action: str) -> None:
        """Move in the list; one without room has no lines to move over, and Textual looks for one."""
        if self.query_one(CommandList)._index_to_line:
            super()._action_command_list(action)


class Help(Dialog[None]):
    """Dismissed by escape, ``q`` or ``?``."""

    BINDINGS = bindings("help")
    FRAME = "dialog -wide"
    HINT = "escape closes"

    def __init__(self, title: str, explain: Callable[[Page], object], keys: list[tuple[str, str]]) -> None:
        """``explain`` draws what the screen that asked is for; ``keys`` are (key as shown, what it does)."""
        super().__init__(title)
        self._explain, self._keys = explain, keys

    def body(self) -> ComposeResult:
        """A page that scrolls."""
        yield ScrollingFlow(self._draw, id="help-text")

    def _draw(self, page: Page) -> None:
        self._explain(page)
        page.heading("Keys here")
        page.columns([(Content.styled(key, ACCENT), Content(meaning)) for key, meaning in (*self._keys, *_EVERYWHERE)])
        page.heading("Sections", "the number, or g and the letter")
        page.columns(
            [
                (
                    Content.assemble((f"{number}", ACCENT), "  ", (f"g {section.letter}", ACCENT)),
                    Content(section.title),
                    Content.styled(section.purpose, DIM),
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
    """What the screen does, the sections, and what works everywhere; organisations once something is typed."""
    if isinstance(screen, Section):
        yield from _actions(screen, f"{screen.title}: ")
    for section in SECTIONS:
        yield SystemCommand(f"Go to {section.title}", section.purpose, partial(app.action_go, section.mode))
    yield from _actions(screen.app)
    for org in app.state.inputs.organizations if app.state.inputs else ():
        name = _unmarked(org.name)
        for words, told, do in (
            ("Open", "Gates, facts, contract fit", app.show_organization),
            ("Probe", "Look at its endpoints", partial(_probe, app)),
            ("Questions of", "Answer what is asked of it", app.ask_questions),
        ):
            yield SystemCommand(f"{words} {name}", told, partial(do, org.id), discover=False)


#: What a list of commands that is open does itself.
_HERE_ALREADY = frozenset({"app.go", "app.commands"})


def _actions(node: Screen[Any] | App[Any], where: str = "") -> Iterator[SystemCommand]:
    for action in possible(node):
        if action.id in _HERE_ALREADY:
            continue
        key = shown_key(node.app, action)
        told = f"{action.help}  ({key})" if key else action.help
        yield SystemCommand(f"{where}{action.words}", told, partial(node.run_action, action.action))


def _unmarked(name: str) -> str:
    """A name without brackets, which the palette would read as markup."""
    return plain(name, 80).replace("[", "(").replace("]", ")")


def _probe(app: Interlock, org: str) -> None:
    app.action_go("probe")
    app.probe([org])
