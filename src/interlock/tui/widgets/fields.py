"""Fields to type in. What a terminal would obey instead of showing it is a symbol in them, whoever put it there."""

from __future__ import annotations

from textual import events
from textual.widgets import Input, TextArea
from textual.widgets.text_area import Edit, EditResult

from interlock.documents.visible import visible, visible_line

#: Stands for a line feed in a field of one line.
BREAK = "↵"


class Field(Input):
    """One line. :attr:`given` is what was put in, to the letter, until somebody changes what is shown.

    :ivar lines: line feeds belong into the text; they are shown as ``↵``. Otherwise lines that are pasted become one.
    """

    def __init__(
        self,
        value: str | None = None,
        *,
        placeholder: str = "",
        lines: bool = False,
        id: str | None = None,  # noqa: A002
        compact: bool = False,
        disabled: bool = False,
    ) -> None:
        self.lines, self._put = lines, value or ""
        super().__init__(value, placeholder=visible_line(placeholder), id=id, compact=compact, disabled=disabled)

    def put(self, value: str | None) -> None:
        """Put another text in."""
        self._put = value or ""
        self.value = self._put

    @property
    def given(self) -> str:
        """The text as it was put in, or as somebody changed it, without white space around it."""
        if self.value == self.validate_value(self._put):
            return self._put
        return (self.value.replace(BREAK, "\n") if self.lines else self.value).strip()

    def validate_value(self, value: str) -> str:
        """What is shown of a text, typed, pasted or put in."""
        return visible_line(value.replace("\n", BREAK) if self.lines else value)

    def _on_paste(self, event: events.Paste) -> None:
        """Take every line: Textual takes the first."""
        event.prevent_default()
        event.stop()
        self.replace(("\n" if self.lines else " ").join(event.text.splitlines()), *sorted(self.selection))


class Words(TextArea):
    """A text of several lines; :attr:`given` as with :class:`Field`."""

    _put = ""

    def load_text(self, text: str) -> None:
        """Put another text in."""
        self._put = text
        super().load_text(_shown(text))

    def edit(self, edit: Edit) -> EditResult:
        """Take what is typed or pasted."""
        edit.text = _shown(edit.text)
        return super().edit(edit)

    @property
    def given(self) -> str:
        """The text as it was put in, or as somebody changed it."""
        return self._put if self.text == _shown(self._put) else self.text


def _shown(text: str) -> str:
    return visible(text.replace("\r\n", "\n").replace("\r", "\n"))
