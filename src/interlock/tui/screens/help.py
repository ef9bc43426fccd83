"""Help for the screen that is shown: what it is for, its keys, and what the marks mean."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from interlock.tui.page import Page, mark
from interlock.tui.screens.dialogs import Dialog
from interlock.tui.screens.section import Section
from interlock.tui.screens.sections import SECTIONS
from interlock.tui.styles import ACCENT, CHECK, DIM, FIT, OBSERVED, OK, SEVERITY, STATUS, Mark
from interlock.tui.widgets.flow import ScrollingFlow

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


class Help(Dialog[None]):
    """Dismissed by escape, ``q`` or ``?``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Close"),
    ]

    def __init__(self, title: str, about: str, keys: list[tuple[str, str]]) -> None:
        """``keys`` are (key as shown, what it does) of the screen that asked."""
        super().__init__()
        self._title, self._about, self._keys = title, about, keys

    def compose(self) -> ComposeResult:
        """A page that scrolls."""
        with Vertical(classes="dialog -wide"):
            yield Static(self._title, classes="dialog--title", markup=False)
            yield ScrollingFlow(self._draw, id="help-text")
            yield Static("escape closes   ctrl+p lists every command", classes="hint", markup=False)

    def on_mount(self) -> None:
        """Arrows scroll."""
        self.query_one(ScrollingFlow).focus()

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
        page.field("Verdict", "a question mark behind it: something undecided argues for an earlier one")
        page.blank()
        page.para(
            "Not observed is never missing, and unknown is never no: an endpoint that could not be reached lowers "
            "confidence and becomes something to find out, not a failing.",
            DIM,
        )
