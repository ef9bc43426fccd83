"""A piece of text that is drawn for the width that it has."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from interlock.tui.page import Page

Drawing = Callable[[Page], object]


class Flow(Static):
    """Text drawn by a function on a :class:`Page` of the widget's width, and drawn anew when that changes."""

    def __init__(
        self,
        drawing: Drawing | None = None,
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__("", id=id, classes=classes, markup=False)
        self._drawing = drawing
        self._drawn_for = 0
        self._fixed = False

    def draw(self, drawing: Drawing, *, fixed: bool = False) -> None:
        """Show something else; ``fixed`` when the widget's height does not depend on it."""
        self._drawing = drawing
        self._drawn_for = 0
        self._fixed = fixed
        self._redraw()
        if not self._drawn_for:  # not laid out yet: a widget that is shown again may come back without a resize
            self.call_after_refresh(self._redraw)

    def on_show(self) -> None:
        """Draw what was asked for while nobody could see it."""
        self._redraw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new width."""
        self._redraw()

    def _redraw(self) -> None:
        width = self.content_size.width
        if self._drawing is None or width <= 0 or width == self._drawn_for:
            return
        self._drawn_for = width
        page = Page(width)
        self._drawing(page)
        self.update(page.content(), layout=not self._fixed)

    @property
    def shown(self) -> Content:
        """What is shown now."""
        visual = self.visual
        return visual if isinstance(visual, Content) else Content(str(visual))


class ScrollingFlow(VerticalScroll):
    """A :class:`Flow` that scrolls, with the keyboard too."""

    can_focus = True

    def __init__(
        self,
        drawing: Drawing | None = None,
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._flow = Flow(drawing)

    def compose(self) -> ComposeResult:
        """The text."""
        yield self._flow

    def draw(self, drawing: Drawing, *, keep_place: bool = False) -> None:
        """Show something else, from its start unless ``keep_place``."""
        self._flow.draw(drawing)
        if not keep_place:
            self.scroll_home(animate=False)

    @property
    def shown(self) -> Content:
        """What is shown now."""
        return self._flow.shown
