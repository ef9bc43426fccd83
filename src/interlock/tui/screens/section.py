"""What all sections share: the bars at top and bottom, the problem panel, and drawing only when something changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from interlock.tui.messages import StateChanged
from interlock.tui.state import State
from interlock.tui.widgets.key_bar import KeyBar
from interlock.tui.widgets.problem import Problem
from interlock.tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from interlock.tui.app import InterlockApp


def _then(state: State) -> str:
    older = "" if state.inputs is None else "; what is shown is from before"
    return f"r reads the workspace again{older}"


class Section(Screen[None]):
    """A full screen of the app.

    :cvar MODE: the section that the top bar marks; none marks that from which the screen was opened.
    :cvar ABOUT: what the screen is for and how it is used; the help shows it.
    """

    MODE: ClassVar[str] = ""
    ABOUT: ClassVar[str] = ""
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self._shown: State | None = None

    @property
    def interlock(self) -> InterlockApp:
        """The app, by its own type."""
        return cast("InterlockApp", self.app)

    @property
    def state(self) -> State:
        """What the app knows now."""
        return self.interlock.state

    def compose(self) -> ComposeResult:
        """Bars, problem panel, and the section's own body."""
        yield TopBar(self.MODE or self.app.current_mode)
        yield Problem(id="problem")
        yield Static("Reading the workspace…", id="loading", markup=False)
        with Container(id="body"):
            yield from self.body()
        yield KeyBar()

    def body(self) -> Iterable[Widget]:
        """The section's own widgets."""
        return ()

    def on_mount(self) -> None:
        """Ask to be told about changes."""
        self.interlock.sections.add(self)
        self.sync()

    def on_unmount(self) -> None:
        """No more changes."""
        self.interlock.sections.discard(self)

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
        self.query_one("#problem", Problem).show(new.problem or new.stuck, _then(new))
        self.set_class(new.inputs is None, "-loading")
        self.query_one("#loading", Static).display = new.inputs is None and new.problem is None
        if new.inputs is not None:
            self.show(old if old is not None and old.inputs is not None else None, new)
            if self.focused is None:
                self.call_after_refresh(self._focus_first)

    def _focus_first(self) -> None:
        widget = self.first()
        if self.focused is None and widget is not None:
            widget.focus(scroll_visible=False)  # a page that scrolls starts at its top

    def first(self) -> Widget | None:
        """What has the focus when the section opens."""
        return None

    def show(self, old: State | None, new: State) -> None:
        """Draw the section. ``old`` is what was drawn last; none the first time. ``new.inputs`` is there."""

    def commit(self) -> None:
        """Hand over what is typed and not yet given as an answer; called before the app closes."""

    def refused(self) -> tuple[str, ...]:
        """What was typed and cannot be taken, with the reason."""
        return ()

    def keep(self) -> None:
        """Hand over whatever is typed, valid or not: the app ends, and nobody can be asked."""
