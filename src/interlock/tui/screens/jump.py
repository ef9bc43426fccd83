"""The dialog behind ``g``: every section with its number and letter, to go there."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.events import Key
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from interlock.tui.page import line
from interlock.tui.screens.dialogs import CANCEL, Dialog
from interlock.tui.screens.sections import SECTIONS
from interlock.tui.styles import ACCENT, DIM


class Jump(Dialog[str]):
    """Where to go: a letter, a number, the arrows or the mouse."""

    BINDINGS: ClassVar[list[BindingType]] = [CANCEL]

    def compose(self) -> ComposeResult:
        """One line a section."""
        with Vertical(classes="dialog"):
            yield Static("Go to", classes="dialog--title", markup=False)
            yield OptionList(
                *(
                    Option(
                        line(
                            (f"{number} ", ACCENT),
                            (f"{section.LETTER}  ", f"bold {ACCENT}"),
                            (f"{section.TITLE:<15}", "bold"),
                            (section.PURPOSE, DIM),
                        ),
                        id=section.MODE,
                    )
                    for number, section in enumerate(SECTIONS, 1)
                ),
                markup=False,
            )

    def on_mount(self) -> None:
        """The list has the focus."""
        self.query_one(OptionList).focus()

    def on_key(self, event: Key) -> None:
        """Letters and numbers go there at once."""
        for number, section in enumerate(SECTIONS, 1):
            if event.character in {section.LETTER, str(number)}:
                event.stop()
                self.dismiss(section.MODE)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option_id)
