"""Messages to the app and its sections."""

from __future__ import annotations

from textual.message import Message


class StateChanged(Message, bubble=False):
    """The app has another state; a section that is shown draws itself anew."""

    def can_replace(self, message: Message) -> bool:
        """Several changes in a row need one repaint."""
        return isinstance(message, StateChanged)


class TerminalClosed(Message):
    """The terminal that the keys come from is gone."""
