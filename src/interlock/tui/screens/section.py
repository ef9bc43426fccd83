"""The parents of all screens, a section and a dialog, and small dialogs: a yes-or-no, a line of text, a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.widget import Widget
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from interlock.model.errors import InterlockError
from interlock.tui.keys import bindings, key_of, keyed
from interlock.tui.page import Page, text
from interlock.tui.state import Answer, State
from interlock.tui.undo import Step
from interlock.tui.widgets.bars import KeyBar, TopBar
from interlock.tui.widgets.fields import Field
from interlock.tui.widgets.flow import Drawing, Problem, ScrollingFlow
from interlock.tui.widgets.rows import Options
from interlock.tui.widgets.standing import product, status

if TYPE_CHECKING:
    from interlock.workspace.store import Workspace


#: The styles of everything but the first frame.
_STYLES = Path(__file__).parents[1] / "sections.tcss"


class Interlock(Protocol):
    """What screens ask of the app, which knows all of them (:class:`interlock.tui.app.InterlockApp`)."""

    state: State
    workspace: Workspace
    author: str
    shown_sections: set[Section]

    def action_go(self, mode: str) -> None:
        """Go to a section."""

    def action_jump(self) -> None:
        """Put a letter on each part of the screen."""

    def action_product(self) -> object:
        """Open the form of the product."""

    def action_reload(self) -> object:
        """Read the workspace's files again."""

    def answer(self, *answers: Answer, typing: bool = False) -> None:
        """Take answers: they count at once and are saved in the background; one undo takes all of them back."""

    def changed(self, step: Step) -> None:
        """Something was changed that can be undone."""

    def ask_next(self) -> None:
        """Go to the question that settles most."""

    def ask_questions(self, scope: str, item: str | None = None) -> None:
        """Go to the questions of a scope, at one question if it is named."""

    def cancel_probe(self, orgs: Iterable[str] | None = None) -> None:
        """Stop the probe of these organisations, or of all."""

    def edit_organization(self, org: str | None) -> object:
        """Open an organisation's form; without an id, a new one's."""

    def probe(self, orgs: Iterable[str]) -> None:
        """Probe these organisations."""

    def probe_all(self) -> None:
        """Go to the probe and run it for every organisation."""

    def suppose(self, supposed: tuple[str, ...]) -> None:
        """Let these be the what-ifs of the plan."""

    def show_gap(self, key: str) -> None:
        """Go to one gap."""

    def show_organization(self, org: str) -> None:
        """Open an organisation's page."""


class Section(Screen[None]):
    """A full screen of the app.

    :cvar MODE: the section's id (:mod:`interlock.tui.sections`); a page on top of a section has none, but a title.
    :cvar ABOUT: what the screen is for and how it is used; the help shows it.
    :cvar INITIAL_FOCUS: selector of the widget that has the focus when the section opens.
    :cvar PANELS: titles of the section's panels, by selector.
    :cvar NUMBERED: a number goes to a section; not where numbers choose an answer.
    """

    MODE = ""
    TITLE = ""
    ABOUT = ""
    INITIAL_FOCUS = ""
    PANELS: Mapping[str, str] = {}
    NUMBERED = True
    AUTO_FOCUS = ""
    CSS_PATH = _STYLES

    def __init__(self) -> None:
        super().__init__()
        self._shown: State | None = None

    @property
    def interlock(self) -> Interlock:
        """The app."""
        return cast(Interlock, self.app)

    @property
    def state(self) -> State:
        """The app's state as it is now."""
        return self.interlock.state

    def compose(self) -> ComposeResult:
        """Bars, problem panel, and the section's own body."""
        yield TopBar(self.MODE or self.app.current_mode, numbered=self.NUMBERED)
        yield Problem(id="problem")
        with Container(id="body"):
            yield from self.body()
        yield KeyBar()

    def body(self) -> ComposeResult:
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

    def state_changed(self) -> None:
        """Draw what changed, if the section is shown; several changes in a row need one repaint."""
        if self in self.app.screen_stack:
            self.sync()
        elif self._shown is not None:
            self._shown = self._shown.without_older(self.state)

    def on_screen_resume(self) -> None:
        """Catch up with what changed while another section was shown."""
        self.sync()

    def sync(self) -> None:
        """Draw what changed since the last time."""
        old, new = self._shown, self.state
        if not self.is_mounted or old is new:
            return
        self._shown = new
        self.query_one(TopBar).show(product(new), status(new))
        older = "" if new.inputs is None else "; what is shown is from before"
        self.query_one("#problem", Problem).show(
            new.problem or new.stuck, f"{key_of('app.reload')} reads the workspace again{older}"
        )
        self.set_class(new.inputs is None, "-loading")
        if new.inputs is not None:
            self.show(old if old is not None and old.inputs is not None else None, new)
            if self.focused is None:
                self.call_after_refresh(self._focus_first)

    def _focus_first(self) -> None:
        if self.focused is None and self.INITIAL_FOCUS:
            self.query_one(self.INITIAL_FOCUS).focus(scroll_visible=False)  # a page that scrolls starts at its top

    def show(self, old: State | None, new: State) -> None:
        """Draw the section. ``old`` is what was drawn last; none the first time. ``new.inputs`` is there."""

    def ask(self, dialog: Dialog[str], then: Callable[[str], object]) -> None:
        """Show a dialog, and do something with what was given there, unless it was cancelled."""

        def closed(given: str | None) -> None:
            if given is not None:
                then(given)

        self.app.push_screen(dialog, closed)

    async def answer_to(self, dialog: Dialog[str]) -> str | None:
        """Show a dialog and wait for what is given there; none when it was cancelled. For a worker."""
        return await self.app.push_screen_wait(dialog)

    def explain(self, page: Page) -> None:
        """Draw what the help says first: what the screen is for, and what is on it now."""
        page.para(keyed(self.ABOUT))

    def commit(self) -> None:
        """Hand over what is typed and not yet given as an answer; called before the app closes."""

    def restored(self) -> None:
        """Something was undone or redone: what a form shows may be another answer now."""

    def refused(self) -> tuple[str, ...]:
        """Texts that were typed and are no valid answers, each with the reason."""
        return ()

    def keep(self) -> None:
        """Hand over whatever is typed, valid or not: the app ends, and nobody can be asked."""


class ClosesOnce(Screen[ScreenResultType]):
    """A screen on top of others that closes once: a key that comes too late must not close the screen below."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close the screen and hand over the result, unless another screen is shown already."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class Dialog(ModalScreen[ScreenResultType], ClosesOnce[ScreenResultType]):
    """A question, a list or a page on top of others, in a box.

    :cvar FRAME: classes of the box around it.
    :cvar HINT: what is said at its foot, if anything.
    """

    BINDINGS = bindings("dialog")
    CSS_PATH = _STYLES
    FRAME = "dialog"
    HINT = ""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """Title, body and hint."""
        with Vertical(classes=self.FRAME):
            yield Static(text(self._title), classes="dialog--title", markup=False)
            yield from self.body()
            if self.HINT:
                yield Static(self.HINT, classes="hint", markup=False)

    def body(self) -> ComposeResult:
        """The dialog's own widgets; the first of them has the focus."""
        return ()

    def action_jump(self) -> None:
        """Put a letter on each part of the dialog."""
        cast(Interlock, self.app).action_jump()


class Confirm(Dialog[str]):
    """A question with two or three answers; dismissed with the answer's key, or none when cancelled."""

    BINDINGS = bindings("confirm")
    AUTO_FOCUS = "Button:last-of-type"

    def __init__(self, title: str, body: str, answers: Sequence[tuple[str, str]]) -> None:
        """``answers`` are (key, label); the last one is safe and has the focus."""
        super().__init__(title)
        self._body, self._answers = body, tuple(answers)

    def body(self) -> ComposeResult:
        """Text and buttons."""
        yield self.reading()
        with Horizontal(classes="dialog--buttons"):
            for index, (key, label) in enumerate(self._answers):
                last = index == len(self._answers) - 1
                yield Button(label, id=f"answer-{key}", variant="primary" if last else "default")

    def reading(self) -> Widget:
        """What is read before the answer is given."""
        return Static(text(self._body), classes="dialog--text", markup=False)

    def action_move(self) -> None:
        """Between two buttons either arrow does; between three, tab does too."""
        self.focus_next(Button)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss((event.button.id or "").removeprefix("answer-"))


class Review(Confirm):
    """Something to read, of any length, before one of the answers is given."""

    BINDINGS = bindings("review")
    FRAME = "dialog -wide"

    def __init__(self, title: str, drawing: Drawing, answers: Sequence[tuple[str, str]]) -> None:
        super().__init__(title, "", answers)
        self._drawing = drawing

    def reading(self) -> Widget:
        """The text, which scrolls."""
        return ScrollingFlow(self._drawing, id="review")

    def action_scroll(self, way: str) -> None:
        """Move the text, while the buttons have the focus."""
        getattr(self.query_one("#review"), f"scroll_{way}")(animate=False)


class AskText(Dialog[str]):
    """One line of text. ``check`` raises an :class:`InterlockError` when it will not do; then the dialog stays."""

    HINT = "enter takes it   escape cancels"

    def __init__(
        self,
        title: str,
        body: str,
        *,
        value: str = "",
        placeholder: str = "",
        check: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__(title)
        self._body, self._value, self._placeholder = body, value, placeholder
        self._check = check

    def body(self) -> ComposeResult:
        """Text, the line, and what is wrong with it."""
        yield Static(text(self._body), classes="dialog--text", markup=False)
        yield Field(self._value, placeholder=self._placeholder, id="ask")
        yield Static("", id="ask-error", classes="error", markup=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._check is not None:
            try:
                self._check(self.query_one(Field).given)
            except InterlockError as error:
                remedy = f". {error.remedy}" if error.remedy and "--" not in error.remedy else ""
                self.query_one("#ask-error", Static).update(text(f"! {error.message}{remedy}"))
                return
        self.dismiss(self.query_one(Field).given)


class Pick(Dialog[str]):
    """A list to choose from; dismissed with the key that was chosen, or none."""

    HINT = "enter chooses   escape cancels"

    def __init__(self, title: str, choices: Sequence[tuple[str, Content]], current: str | None = None) -> None:
        super().__init__(title)
        self._choices, self._current = tuple(choices), current

    def body(self) -> ComposeResult:
        """The list."""
        yield Options(*(Option(content) for _, content in self._choices), markup=False)

    def on_mount(self) -> None:
        """Start at what is chosen now."""
        options = self.query_one(OptionList)
        keys = [key for key, _ in self._choices]
        if self._current in keys:
            options.highlighted = keys.index(self._current)
            self.call_after_refresh(options.scroll_to_highlight)  # there is nothing to scroll before it has a height

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._choices[event.option_index][0])
