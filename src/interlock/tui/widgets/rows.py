"""A table that fits its width: columns grow and shrink, and the least important leave first when there is no room."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.css.styles import RulesMap
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from interlock.model.text import plain
from interlock.tui.keys import bindings
from interlock.tui.page import DIM, PRIMARY, Page, fit, line, text
from interlock.tui.widgets.flow import Flow

#: A cell is text, or something drawn for the width that its column has.
Cell = Content | Callable[[int], Content]
_GAP = 2
#: Lines of a screen on which rows have room for their second line.
TALL = 40


@dataclass(frozen=True)
class Column:
    """One column.

    :ivar title: what stands above it; where it depends on the cells that there are, made for them.
    :ivar width: cells that it needs.
    :ivar grow: its share of the cells that are left over.
    :ivar leaves: the column with the highest number leaves first when there is no room; 0 stays.
    :ivar least: cells to which it shrinks when there is no room even so; 0 for none.
    """

    title: str | Callable[[int], str]
    width: int
    grow: int = 0
    leaves: int = 0
    right: bool = False
    least: int = 0


@dataclass(frozen=True)
class Row:
    """One row with a key, or (without cells) a heading between rows.

    :ivar below: a second, quiet line, from column ``below_at`` on; shown where the screen is tall, or if asked for.
    """

    key: str
    cells: tuple[Cell, ...] = ()
    heading: str = ""
    aside: str = ""
    below: Content | None = None
    below_at: int = 0


def _title(column: Column, width: int) -> str:
    return column.title(width) if callable(column.title) else plain(column.title, 100)


def layout(columns: Sequence[Column], width: int) -> list[tuple[int, int]]:
    """Which columns are shown in ``width`` cells, as (index, cells), from left to right."""
    widths = {index: column.width for index, column in enumerate(columns)}

    def spare() -> int:
        return width - sum(widths.values()) - _GAP * (len(widths) - 1)

    leaving = sorted((index for index in widths if columns[index].leaves), key=lambda index: columns[index].leaves)
    while spare() < 0 and leaving:
        del widths[leaving.pop()]
    if spare() < 0:
        shrinking = [index for index in widths if columns[index].least]
        for number, index in enumerate(shrinking):
            share = -(spare() // (len(shrinking) - number))  # what is missing, spread over those that are left
            widths[index] = max(columns[index].least, widths[index] - max(0, share))
    left, shares = spare(), sum(columns[index].grow for index in widths) or 1
    if left < 0:  # the columns that stay are too wide together: the widest gives way
        widest = max(widths, key=lambda index: widths[index])
        widths[widest] = max(4, widths[widest] + left)
    return [(index, cells + max(0, left) * columns[index].grow // shares) for index, cells in widths.items()]


def _look(row: Row) -> tuple[object, ...]:
    """What a row looks like. Cells that are drawn for their width are alike only when they are identical."""
    cells = ((cell.plain, cell.spans) if isinstance(cell, Content) else cell for cell in (*row.cells, row.below))
    return (row.key, row.heading, row.aside, *cells)


def _shape(row: Row) -> tuple[object, ...]:
    """What the other rows' places and heights depend on."""
    return row.key, bool(row.cells), row.below is None


class Options(OptionList):
    """An :class:`OptionList` that tells what is about its options from what is about earlier ones; j and k move."""

    BINDINGS = bindings("list")

    highlighted: reactive[int | None] = reactive(None, repaint=False)

    def get_visual_style(self, *component_classes: str, partial: bool = False) -> Style:
        """The style of a part; reversed where the theme says so, which Textual leaves out."""
        style = super().get_visual_style(*component_classes, partial=partial)
        turned = any(self.get_component_styles(name).text_style.reverse for name in component_classes)
        return style + Style(reverse=True) if turned else style

    def redraw(self, prompts: Mapping[int, Visual]) -> None:
        """Show some options anew, by index, each as high as before; Textual would measure and draw all of them."""
        changed = {self.options[index]: prompt for index, prompt in prompts.items()}
        for option, prompt in changed.items():
            option._set_prompt(prompt)
        for key in list(self._option_render_cache.keys()):
            if key[0] in changed:
                self._option_render_cache.discard(key)
        self._refresh_options(*prompts)

    def _watch_highlighted(self, before: int | None, highlighted: int | None) -> None:
        """Draw the two options that look different now; Textual would draw all of them."""
        if before is None or highlighted is None:
            self.refresh()
        else:
            self._refresh_options(before, highlighted)

    def _refresh_options(self, *indexes: int) -> None:
        known = self._line_cache  # where it is empty, all of them are to be drawn already
        for index in indexes:
            if index in known.index_to_line:
                self.refresh_lines(known.index_to_line[index], known.heights[index])

    def holds(self, event: OptionList.OptionMessage) -> bool:
        """Is the event about an option that is still there, at its index?"""
        options = self.options
        return event.option_index < len(options) and options[event.option_index] is event.option

    async def _on_click(self, event: events.Click) -> None:  # Textual's own handler follows, unless it is prevented
        clicked = event.style.meta.get("option")
        if clicked is not None and clicked >= self.option_count:
            event.prevent_default()

    def _move_page(self, direction: Literal[-1, 1]) -> None:
        """Move up or down a page; a list without room has no lines to move over, and Textual looks for one."""
        if (self.highlighted or 0) in self._index_to_line:
            super()._move_page(direction)

    @on(OptionList.OptionHighlighted)
    def _moved(self) -> None:
        self.call_after_refresh(self._reveal)

    def scroll_to_highlight(self, top: bool = False) -> None:
        """Scroll the list to the highlighted option; to the first one with the headings above it."""
        super().scroll_to_highlight(top)
        if all(option.disabled for option in self.options[: self.highlighted]):
            self.scroll_home(animate=False, immediate=True)

    def _reveal(self) -> None:
        """Where a page around the list scrolls, scroll it to the highlighted option."""
        index = self.highlighted
        if index is None or not self.has_focus or index not in self._index_to_line:
            return
        page = next((page for page in self.ancestors if isinstance(page, Widget) and page.max_scroll_y > 0), None)
        if page is not None:
            height = self._heights[index] - self.options[index]._divider
            lines = Region(0, self._index_to_line[index], page.size.width, height)
            inside = self.content_region.offset - self.scroll_offset - page.scrollable_content_region.offset
            page.scroll_to_region(lines.translate(inside + page.scroll_offset), animate=False, force=True)


class Line(Visual):
    """A row of a table as Textual lays it out: drawn when it comes into sight, for the room that there is then."""

    def __init__(self, table: Rows, row: Row) -> None:
        self._table, self._row = table, row

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """All that there is."""
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:
        """One line, or two."""
        return 2 if self._table.has_second(self._row) else 1

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        """The lines themselves."""
        return self._table.drawn(self._row).render_strips(width, height, style, options)


#: At five hundred organisations a plan has 27,000 tasks: to list them takes seconds, and nobody scrolls through them.
_MOST = 1_000


def first_rows(rows: Iterable[Row], narrower: str) -> list[Row]:
    """The first thousand rows; where there are more, the last one says so, and how to list fewer."""
    listed = list(islice(rows, _MOST + 1))
    if len(listed) > _MOST:
        listed[-1] = Row("more", heading=f"The first {_MOST:,} lines", aside=narrower)
    return listed


class Rows(Vertical):
    """A table: a head and a list of rows that the keyboard and the mouse choose from."""

    @dataclass(eq=False, repr=False)
    class OfRow(Message):
        """Something happened to the row with this key."""

        rows: Rows
        key: str

        @property
        def control(self) -> Rows:
            """The table."""
            return self.rows

    class Chosen(OfRow):
        """Enter or a click on a row."""

    class Moved(OfRow):
        """Another row is highlighted."""

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str = "Nothing here.",
        roomy: bool = False,
        head: bool = True,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id, classes="rows -empty" if head else "rows -empty -headless")
        self.options = Options(markup=False, classes="rows--list")
        self._head = Flow(self._draw_head, classes="rows--head")
        self._nothing = Static(empty, classes="rows--empty", markup=False)
        self._columns, self._empty, self._roomy = tuple(columns), empty, roomy
        self._rows: tuple[Row, ...] = ()
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Head, list, and what is said when there is nothing."""
        yield self._head
        yield self.options
        yield self._nothing

    @property
    def key(self) -> str | None:
        """Key of the highlighted row."""
        index = self.options.highlighted
        return self._rows[index].key if index is not None else None

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all rows, headings left out."""
        return tuple(row.key for row in self._rows if row.cells)

    def set_rows(
        self, rows: Sequence[Row], *, empty: str | None = None, columns: Sequence[Column] | None = None
    ) -> None:
        """Show these rows, in other columns if given; the highlighted row stays the same one if it is still there."""
        self._empty, self._columns = empty or self._empty, tuple(columns or self._columns)
        shown = (self._empty, self._columns, *map(_look, rows))
        if shown == self._shown:
            return
        wanted, scroll, before = self.key, self.options.scroll_offset.y, self._shown
        alike = before[:2] == shown[:2] and list(map(_shape, self._rows)) == list(map(_shape, rows))
        self._rows, self._shown = tuple(rows), shown
        if alike:
            changed = (index for index in range(len(rows)) if before[index + 2] != shown[index + 2])
            self.options.redraw({index: Line(self, rows[index]) for index in changed})
        else:
            self._set_rows(wanted, scroll)
        if self.key is not None:
            self.post_message(self.Moved(self, self.key))

    def _set_rows(self, wanted: str | None, scroll: int) -> None:
        """List the rows anew, with the wanted one highlighted."""
        rows = self._rows
        self._head.draw(self._draw_head, fixed=True)
        self._nothing.update(text(self._empty))
        self.set_class(not rows, "-empty")
        with self.prevent(OptionList.OptionHighlighted):
            # Without ids of Textual's: two rows with one key would be an error there.
            self.options.set_options(Option(Line(self, row), disabled=not row.cells) for row in rows)
            first = next((index for index, row in enumerate(rows) if row.cells), None)
            index = self._index(wanted)
            self.options.highlighted = first if index is None else index
            self.options.scroll_to(y=scroll, animate=False, immediate=True)
            self.options.scroll_to_highlight()

    def select(self, key: str) -> None:
        """Highlight a row, if there is one by that key."""
        index = self._index(key)
        if index is not None:
            self.options.highlighted = index

    def _index(self, key: str | None) -> int | None:
        return next((index for index, row in enumerate(self._rows) if row.cells and row.key == key), None)

    def _room(self) -> int:
        # Two cells of padding and one for a scroll bar: the layout stays the same when one appears.
        return max(20, self.size.width - 3)

    def has_second(self, row: Row) -> bool:
        """Is the row's second line shown?"""
        return bool(row.cells) and row.below is not None and (self._roomy or self.app.size.height >= TALL)

    def _draw_head(self, page: Page) -> None:
        titles = (
            fit(Content.styled(_title(self._columns[index], width), DIM), width, right=self._columns[index].right)
            for index, width in layout(self._columns, self._room())
        )
        page.add(Content(" " * _GAP).join(titles))

    def drawn(self, row: Row) -> Content:
        """A row in the room that the table has now."""
        if not row.cells:
            return line((row.heading, f"bold {PRIMARY}"), (f"  {row.aside}" if row.aside else "", DIM))
        room = self._room()
        columns = layout(self._columns, room)
        drawn = []
        for index, width in columns:
            cell = row.cells[index]
            content = cell(width) if callable(cell) else cell
            drawn.append(fit(content, width, right=self._columns[index].right))
        cells = Content(" " * _GAP).join(drawn).truncate(room)
        if row.below is None or not self.has_second(row):
            return cells
        indent = sum(width + _GAP for _, width in columns[: row.below_at])
        below = row.below.truncate(max(10, room - indent), ellipsis=True).pad_left(indent)
        return Content("\n").join([cells, below])

    @on(OptionList.OptionSelected)
    @on(OptionList.OptionHighlighted)
    def _tell(self, event: OptionList.OptionMessage) -> None:
        event.stop()
        if self.options.holds(event):  # else the rows have changed since
            kind = self.Chosen if isinstance(event, OptionList.OptionSelected) else self.Moved
            self.post_message(kind(self, self._rows[event.option_index].key))
