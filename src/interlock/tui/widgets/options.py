"""A list of options that is given other options while keys and clicks for those of before are still under way."""

from __future__ import annotations

from textual import events
from textual.widgets import OptionList


class Options(OptionList):
    """An :class:`OptionList` that tells what is about its options from what is about earlier ones."""

    def holds(self, event: OptionList.OptionMessage) -> bool:
        """Is the event about an option that is still there, at its index?"""
        options = self.options
        return event.option_index < len(options) and options[event.option_index] is event.option

    async def _on_click(self, event: events.Click) -> None:  # Textual's own handler follows, unless it is prevented
        clicked = event.style.meta.get("option")
        if clicked is not None and clicked >= self.option_count:
            event.prevent_default()
