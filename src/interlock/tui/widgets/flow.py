"""A piece of text that is drawn for the width that it has, and a problem told in full."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.css.styles import RulesMap
from textual.geometry import Size
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual
from textual.widget import Widget
from textual.widgets import Static

from interlock.model.errors import InterlockError
from interlock.tui.keys import bindings
from interlock.tui.page import ACCENT, BAD, DIM, Page, text
from interlock.tui.work import in_thread

_T = TypeVar("_T")
Drawing = Callable[[Page], object]


class Drawn(Visual):
    """A drawing as Textual lays it out: it is asked for a width, and draws for that width, once."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self._width = 0
        self._content = Content("")

    def at(self, width: int) -> Content:
        """The text for ``width`` cells."""
        if width != self._width:
            page = Page(width)
            self._drawing(page)
            self._width, self._content = width, page.content()
        return self._content

    def becomes(self, other: Drawn) -> None:
        """Draw as another one from now on, which looks alike at the width that there is."""
        self._drawing = other._drawing

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """All that there is."""
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:
        """Lines at ``width`` cells."""
        return self.at(width).get_height(rules, width)

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        """The lines themselves."""
        return self.at(width).render_strips(width, height, style, options)


class Laid:
    """A widget whose room a layout alone decides: when it has got it, Textual would begin one more, to the same end.

    It is no :class:`Widget` itself: Textual takes a widget's styles from its first parent that is one.
    """

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        own = cast(Widget, super())
        return own._size_updated(size, virtual_size, container_size, layout=False)


class Flow(Laid, Static):
    """Text drawn by a function on a :class:`Page` of the widget's width, and drawn anew when that changes."""

    def __init__(
        self,
        drawing: Drawing | None = None,
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(_visual(drawing), id=id, classes=classes, markup=False)

    def draw(self, drawing: Drawing, *, fixed: bool = False) -> None:
        """Show something else; ``fixed`` when the widget's height does not depend on it.

        What takes as many lines as before moves nothing around it: a layout of the screen would cost ten times as much.
        """
        new, old, width = Drawn(drawing), self.visual, self.content_size.width
        if width and isinstance(old, Drawn):
            if new.at(width).is_same(old.at(width)):
                old.becomes(new)
                return
            fixed = fixed or new.at(width).get_height({}, width) == old.at(width).get_height({}, width)
        self.update(new, layout=not fixed)
        # Textual counts requests for a layout and keeps a widget's measures until the count moves. A second request
        # before the first is served does not count, and a layout in between has measured the text before this one.
        self._layout_updates += not fixed

    @property
    def shown(self) -> Content:
        """What is shown now."""
        visual = self.visual
        return visual.at(self.content_size.width) if isinstance(visual, Drawn) else Content("")


def _visual(drawing: Drawing | None) -> Drawn | str:
    return "" if drawing is None else Drawn(drawing)


class ScrollingFlow(Laid, VerticalScroll):
    """A :class:`Flow` that scrolls, with the keyboard too."""

    BINDINGS = bindings("text")
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

    def draw(self, drawing: Drawing, title: str | None = None, *, keep_position: bool = False) -> None:
        """Show something else, from its start unless ``keep_position``; under another title if one is given."""
        if title is not None:
            self.border_title = text(title)
        self._flow.draw(drawing)
        if not keep_position:
            self.scroll_home(animate=False)

    async def work_out(self, doing: str, job: Callable[[], _T], drawing: Callable[[Page, _T], object]) -> None:
        """Say what is being done, do it in a thread, and show its result, or why there is none."""
        self.draw(lambda page: page.para(doing, DIM))
        try:
            result = await in_thread(job)
        except InterlockError as error:
            problem = error
            self.draw(lambda page: draw_problem(page, problem))
        else:
            self.draw(lambda page: drawing(page, result))

    @property
    def shown(self) -> Content:
        """What is shown now."""
        return self._flow.shown


def draw_problem(page: Page, error: InterlockError, then: str = "") -> None:
    """Message, location and remedy on a page."""
    page.bullet("!", (error.message, f"bold {BAD}"))
    if error.location is not None:
        page.bullet(" ", ("at  ", DIM), (str(error.location), ""))
    if error.remedy:
        page.bullet(" ", ("do  ", DIM), (error.remedy, ""))
    if then:
        page.bullet(" ", (then, ACCENT))


class Problem(Flow):
    """Hidden while there is no problem."""

    def show(self, error: InterlockError | None, then: str = "") -> None:
        """Show this problem, or nothing."""
        self.display = error is not None
        if error is not None:
            self.draw(lambda page: draw_problem(page, error, then))
