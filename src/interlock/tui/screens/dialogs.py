"""Small dialogs: a yes-or-no, a line of text with a check, and a list to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from interlock.model.errors import InterlockError
from interlock.tui.page import text
from interlock.tui.widgets.fields import Field

CANCEL = Binding("escape", "dismiss(None)", "Cancel")


class Dialog(ModalScreen[ScreenResultType]):
    """A screen on top of others that closes once: a key that comes too late must not close the screen below."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close the dialog and hand over the result, unless another screen is shown already."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class Confirm(Dialog[str]):
    """A question with two or three answers; dismissed with the answer's key, or none when cancelled."""

    BINDINGS = [CANCEL, Binding("left,right", "move", "Move", show=False)]

    def __init__(self, title: str, body: str, answers: Sequence[tuple[str, str]]) -> None:
        """``answers`` are (key, label); the last one is safe and has the focus."""
        super().__init__()
        self._title, self._body, self._answers = title, body, tuple(answers)

    def compose(self) -> ComposeResult:
        """Title, text and buttons."""
        with Vertical(classes="dialog"):
            yield Static(text(self._title), classes="dialog--title", markup=False)
            yield Static(text(self._body), classes="dialog--text", markup=False)
            with Horizontal(classes="dialog--buttons"):
                for index, (key, label) in enumerate(self._answers):
                    last = index == len(self._answers) - 1
                    yield Button(label, id=f"answer-{key}", variant="primary" if last else "default")

    def on_mount(self) -> None:
        """The safe answer first."""
        self.query(Button).last().focus()

    def action_move(self) -> None:
        """Between two buttons either arrow does; between three, tab does too."""
        self.focus_next(Button)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss((event.button.id or "").removeprefix("answer-"))


class AskText(Dialog[str]):
    """One line of text. ``check`` raises an :class:`InterlockError` when it will not do; then the dialog stays."""

    BINDINGS = [CANCEL]

    def __init__(
        self,
        title: str,
        body: str,
        *,
        value: str = "",
        placeholder: str = "",
        check: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__()
        self._title, self._body, self._value, self._placeholder = title, body, value, placeholder
        self._check = check

    def compose(self) -> ComposeResult:
        """Title, text, the line, and what is wrong with it."""
        with Vertical(classes="dialog"):
            yield Static(text(self._title), classes="dialog--title", markup=False)
            yield Static(text(self._body), classes="dialog--text", markup=False)
            yield Field(self._value, placeholder=self._placeholder, id="ask")
            yield Static("", id="ask-error", classes="error", markup=False)
            yield Static("enter takes it   escape cancels", classes="hint", markup=False)

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

    BINDINGS = [CANCEL]

    def __init__(self, title: str, choices: Sequence[tuple[str, Content]], current: str | None = None) -> None:
        super().__init__()
        self._title, self._choices, self._current = title, tuple(choices), current

    def compose(self) -> ComposeResult:
        """Title and list."""
        with Vertical(classes="dialog"):
            yield Static(text(self._title), classes="dialog--title", markup=False)
            yield OptionList(*(Option(content) for _, content in self._choices), markup=False)
            yield Static("enter chooses   escape cancels", classes="hint", markup=False)

    def on_mount(self) -> None:
        """Start at what is chosen now."""
        options = self.query_one(OptionList)
        keys = [key for key, _ in self._choices]
        if self._current in keys:
            options.highlighted = keys.index(self._current)
            self.call_after_refresh(options.scroll_to_highlight)  # there is nothing to scroll before it has a height
        options.focus()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._choices[event.option_index][0])
