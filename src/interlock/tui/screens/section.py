"""The parent of all sections: bars at top and bottom, a problem panel, and drawing when something has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from interlock.tui.messages import StateChanged
from interlock.tui.state import State
from interlock.tui.widgets.bars import KeyBar, TopBar
from interlock.tui.widgets.flow import Problem

if TYPE_CHECKING:
    from interlock.tui.app import InterlockApp


class Section(Screen[None]):
    """A full screen of the app.

    :cvar MODE: the section's id; a page on top of a section has none, and the top bar marks the section below it.
    :cvar LETTER: the key that goes to the section, after ``g``.
    :cvar SHORT_TITLE: the title where the top bar is narrow, if it is another.
    :cvar PURPOSE: what the section is for, in a few words.
    :cvar ABOUT: what the screen is for and how it is used; the help shows it.
    :cvar INITIAL_FOCUS: selector of the widget that has the focus when the section opens.
    :cvar PANELS: titles of the section's panels, by selector.
    """

    MODE = ""
    LETTER = ""
    TITLE = ""
    SHORT_TITLE = ""
    PURPOSE = ""
    ABOUT = ""
    INITIAL_FOCUS = ""
    PANELS: Mapping[str, str] = {}
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self._shown: State | None = None

    @property
    def interlock(self) -> InterlockApp:
        """The app."""
        return cast("InterlockApp", self.app)

    @property
    def state(self) -> State:
        """The app's state as it is now."""
        return self.interlock.state

    def compose(self) -> ComposeResult:
        """Bars, problem panel, and the section's own body."""
        sections = self.interlock.SECTIONS
        tabs = [(section.MODE, section.TITLE, section.SHORT_TITLE or section.TITLE) for section in sections]
        yield TopBar(tabs, self.MODE or self.app.current_mode)
        yield Problem(id="problem")
        yield Static("Reading the workspace…", id="loading", markup=False)
        with Container(id="body"):
            yield from self.body()
        yield KeyBar()

    def body(self) -> Iterable[Widget]:
        """The section's own widgets."""
        return ()

    def on_mount(self) -> None:
        """Write the panels' titles, and ask to be told about changes."""
        for selector, title in self.PANELS.items():
            self.query_one(selector).border_title = title
        self.interlock.shown_sections.add(self)
        self.sync()

    def on_unmount(self) -> None:
        """No more changes."""
        self.interlock.shown_sections.discard(self)

    @on(StateChanged)
    def _changed(self) -> None:
        if self in self.app.screen_stack:
            self.sync()

    def on_screen_resume(self) -> None:
        """Catch up with what changed while another section was shown."""
        self.sync()

    def sync(self) -> None:
        """Draw what changed since the last time."""
        old, new = self._shown, self.state
        if not self.is_mounted or old is new:
            return
        self._shown = new
        self.query_one(TopBar).show(new)
        older = "" if new.inputs is None else "; what is shown is from before"
        self.query_one("#problem", Problem).show(new.problem or new.stuck, f"r reads the workspace again{older}")
        self.set_class(new.inputs is None, "-loading")
        self.query_one("#loading", Static).display = new.inputs is None and new.problem is None
        if new.inputs is not None:
            self.show(old if old is not None and old.inputs is not None else None, new)
            if self.focused is None:
                self.call_after_refresh(self._focus_first)

    def _focus_first(self) -> None:
        if self.focused is None and self.INITIAL_FOCUS:
            self.query_one(self.INITIAL_FOCUS).focus(scroll_visible=False)  # a page that scrolls starts at its top

    def show(self, old: State | None, new: State) -> None:
        """Draw the section. ``old`` is what was drawn last; none the first time. ``new.inputs`` is there."""

    def commit(self) -> None:
        """Hand over what is typed and not yet given as an answer; called before the app closes."""

    def refused(self) -> tuple[str, ...]:
        """Texts that were typed and are no valid answers, each with the reason."""
        return ()

    def keep(self) -> None:
        """Hand over whatever is typed, valid or not: the app ends, and nobody can be asked."""
