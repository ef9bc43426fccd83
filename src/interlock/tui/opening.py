"""The first frame, painted before anything of a workspace is loaded; and a style sheet that is parsed once."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.css.stylesheet import Stylesheet
from textual.screen import Screen
from textual.widgets import Static

from interlock.tui.widgets.bars import KeyBar, TopBar


class Opening(Screen[None]):
    """What is shown until the first section is there: the same bars as around a section."""

    AUTO_FOCUS = ""

    def compose(self) -> ComposeResult:
        """Bars, and what is going on."""
        yield TopBar("", numbered=True)
        yield Static("Reading the workspace…", id="loading", markup=False)
        yield KeyBar()


class Sheet(Stylesheet):
    """A style sheet that is parsed anew where a colour has changed; Textual does it whenever a screen opens."""

    def set_variables(self, variables: dict[str, Any]) -> None:
        """Take the colours of a theme."""
        if variables != self._variables:
            super().set_variables(variables)
            self._require_parse, self._rules_map = True, None

    def reparse(self) -> None:
        """Nothing now: what has changed is parsed when a rule is looked up next."""
        if self._require_parse:
            self._rules_map = None
