"""The parent of all forms in dialogs: fields, what is wrong with them, and two buttons below."""

from __future__ import annotations

from abc import abstractmethod

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ScreenResultType
from textual.widgets import Button, Input, Static

from interlock.model.errors import InterlockError
from interlock.tui.keys import bindings, key_of
from interlock.tui.page import text
from interlock.tui.screens.section import Dialog


class Form(Dialog[ScreenResultType]):
    """A form; dismissed with what was saved, or none when cancelled.

    :cvar ABOUT: what is said below the fields, if anything.
    :cvar SAVE: what the first button does, in a word.
    """

    BINDINGS = bindings("form")
    FRAME = "dialog -wide"
    ABOUT = ""
    SAVE = "Save"

    def body(self) -> ComposeResult:
        """Fields, problem and buttons."""
        with VerticalScroll(classes="form", can_focus=False):
            yield from self.fields()
        if self.ABOUT:
            yield Static(self.ABOUT, classes="hint", markup=False)
        yield Static("", id="form-problem", classes="error", markup=False)
        with Horizontal(classes="dialog--buttons"):
            yield Button(self.SAVE, id="save", variant="primary", compact=True)
            yield Button("Cancel", id="cancel", compact=True)
            done = f"{key_of('form.save')} does the same   escape cancels"
            yield Static(done, classes="hint", markup=False)

    @abstractmethod
    def fields(self) -> ComposeResult:
        """A labelled line for each field."""

    @abstractmethod
    async def save(self) -> None:
        """Check and save, and dismiss the form.

        :raises InterlockError: something is wrong, which is said, and the form stays.
        """

    @on(Button.Pressed, "#save")
    @on(Input.Submitted)
    async def action_save(self) -> None:
        """Save, or say what is wrong."""
        try:
            await self.save()
        except InterlockError as error:
            self.refuse(error)

    def refuse(self, error: InterlockError) -> None:
        """Say what is wrong."""
        problem = self.query_one("#form-problem", Static)
        problem.display = True
        problem.update(text(f"! {error.message}{f'. {error.remedy}' if error.remedy else ''}"))

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)
